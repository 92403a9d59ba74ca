#!/usr/bin/env bats
# Sticks and journals: made by the command, judged by a second verifier, openssl and b2sum.

load common

VECTORS="$REPO/tests/vectors/journal"

bats_require_minimum_version 1.5.0

# A lab and its bundle of two PCs, once: key derivation is slow on purpose.
setup_file() {
	load common
	cd "$BATS_FILE_TMPDIR" || return 1
	echo "lab passphrase" >lab.pass
	echo "engineer" >stick.pass
	"$ODJSTICK" lab keygen -o LAB --passphrase-file lab.pass >/dev/null
	"$ODJSTICK" lab keygen -o OTHER --passphrase-file lab.pass >/dev/null
	cp "$BLOBS"/ALM-FIL-00[12].txt .
	printf 'computer_name,serial,inventory_tag,blob\n%s\n%s\n' \
		'ALM-FIL-001,SN-1001,T-1,ALM-FIL-001.txt' 'ALM-FIL-002,SN-1002,T-2,ALM-FIL-002.txt' >batch.csv
	"$ODJSTICK" bundle create batch.csv -o b.odjb --lab LAB.key --lab-passphrase-file lab.pass \
		--passphrase-file stick.pass --kdf-memory 8 >/dev/null
}

setup() {
	cp "$BATS_FILE_TMPDIR"/{LAB.key,LAB.pub,OTHER.pub,b.odjb,lab.pass,stick.pass} "$WORK"
	cd "$WORK" || return 1
}

# The lab's public key as a second verifier wants it: 32 bytes in hex, out of minisign's file.
lab_hex() {
	sed -n 2p "$1" | base64 -d | tail -c 32 | od -An -v -tx1 | tr -d ' \n'
}

# Hex digits on standard input to bytes.
unhex() {
	printf '%b' "$(sed 's/../\\x&/g')"
}

second_verifier() {
	/usr/bin/python3 -B "$REPO/tests/tools/journal_verify.py" "$@"
}

@test "stick init: bundle copied, lab's key, journal signed by the lab" {
	"$ODJSTICK" stick init S --bundle b.odjb --lab LAB.key --passphrase-file lab.pass >out
	cmp b.odjb S/bundle.odjb
	cmp LAB.pub S/lab.pub
	grep -q "$("$ODJSTICK" lab show LAB.pub --json | jq -r .fingerprint)" out
	run "$ODJSTICK" journal verify S --lab LAB.pub
	[ "$status" -eq 0 ]
	[[ "$output" == *"signed with the lab key that was given"* ]]
	second_verifier S --lab "$(lab_hex LAB.pub)"
	# The journal names the bundle by the hash of the header that the lab signed.
	[ "$(jq -r .facts.bundle_hash <(head -n 1 S/journal/000000.jsonl))" = \
		"$(tar -xOf b.odjb header | b2sum -l 256 | cut -d' ' -f1)" ]
}

@test "stick init: the lab's signature is one openssl accepts" {
	"$ODJSTICK" stick init S --bundle b.odjb --lab LAB.key --passphrase-file lab.pass >/dev/null
	head -n 1 S/journal/000000.jsonl | sed 's/ *\r$//' | tr -d '\n' >record
	{ printf 'odjstick journal record 1\n'; sed 's/,"sig":"[0-9a-f]*"}$//' record | tr -d '\n'; } >signed
	sed 's/.*"sig":"\([0-9a-f]*\)"}$/\1/' record | unhex >sig
	{ echo 302a300506032b6570032100 | unhex; sed -n 2p LAB.pub | base64 -d | tail -c 32; } >lab.der
	openssl pkeyutl -verify -pubin -inkey lab.der -keyform DER -rawin -in signed -sigfile sig
	printf x >>signed
	run openssl pkeyutl -verify -pubin -inkey lab.der -keyform DER -rawin -in signed -sigfile sig
	[ "$status" -ne 0 ]
}

@test "stick init: with LAB.pub alone verify says the start is not signed by the lab" {
	"$ODJSTICK" stick init S --bundle b.odjb --lab LAB.pub >out
	code="$(sed -n 's/^journal start *//p' out)"
	run "$ODJSTICK" journal verify S --lab LAB.pub
	[ "$status" -eq 0 ]
	[[ "$output" == *"start not signed by the lab: compare $code"* ]]
	# The code is the first half of the record's own hash.
	[ "$(b2sum -l 256 <S/journal/000000.jsonl | cut -c1-32)" = "${code//-/}" ]
}

@test "stick init: refuses a folder with other files, a stick, a foreign lab, a wrong passphrase" {
	mkdir full && echo precious >full/letter.txt
	refuses 1 "is not empty" "$ODJSTICK" stick init full --bundle b.odjb --lab LAB.pub
	[ "$(ls full)" = letter.txt ]
	"$ODJSTICK" stick init S --bundle b.odjb --lab LAB.pub >/dev/null
	find S -type f -exec b2sum {} + | sort >before
	refuses 1 "is a stick already" "$ODJSTICK" stick init S --bundle b.odjb --lab LAB.pub
	find S -type f -exec b2sum {} + | sort | cmp - before
	refuses 5 "" "$ODJSTICK" stick init T --bundle b.odjb --lab OTHER.pub
	[ ! -e T ]
	refuses 4 "" "$ODJSTICK" stick init T --bundle b.odjb --lab LAB.key --passphrase-file stick.pass
	[ ! -e T ]
	refuses 2 "--bundle is missing" "$ODJSTICK" stick init T --lab LAB.pub
}

@test "journal vectors: what is committed is what the independent writer writes" {
	/usr/bin/python3 -B "$REPO/tests/tools/journal_vectors.py" again
	diff -r again "$VECTORS"
}

@test "journal verify: every vector gets its verdict and exit status" {
	for v in "$VECTORS"/*/; do
		case "$(jq -r .verdict "$v/expect.json")" in
		valid) want=0 ;;
		incomplete) want=1 ;;
		*) want=5 ;;
		esac
		case "$v" in */other-lab/) continue ;; esac # needs that lab's key: below
		head="$(jq -r '.head // empty' "$v/expect.json")"
		run "$ODJSTICK" journal verify "$v" ${head:+--head "$head"}
		[ "$status" -eq "$want" ] || { echo "$v: $status, wanted $want: $output"; return 1; }
	done
	"$ODJSTICK" stick init S --bundle b.odjb --lab LAB.pub >/dev/null
	refuses 5 "another lab" "$ODJSTICK" journal verify S --lab OTHER.pub
}

@test "journal verify: says which record is broken, in words and in JSON" {
	refuses 5 "invalid at record 4 (session 1)" "$ODJSTICK" journal verify "$VECTORS/edited-field"
	run -5 --separate-stderr "$ODJSTICK" journal verify "$VECTORS/edited-field" --json
	[ "$(jq -r '.verdict, .bad_seq, .records' <<<"$output" | xargs)" = "invalid 4 4" ]
	refuses 1 "holds no journal" "$ODJSTICK" journal verify "$WORK"
}

@test "journal verify: a copied journal folder says what cannot be seen without the stick" {
	cp -r "$VECTORS/valid/journal" copy
	run "$ODJSTICK" journal verify copy
	[ "$status" -eq 0 ]
	[[ "$output" == *"compare the head with the one noted last"* ]]
}

@test "journal show: a line per record, and every record as JSON" {
	run "$ODJSTICK" journal show "$VECTORS/valid"
	[ "$status" -eq 0 ]
	[[ "$output" == *"session 2"* ]]
	[[ "$output" == *'result=failed'* ]]
	[[ "$output" == *'часы стоят \ нет'* ]]
	run "$ODJSTICK" journal show "$VECTORS/valid" --json
	[ "$(jq length <<<"$output")" -eq 14 ]
	[ "$(jq -r '.[8].facts.reason' <<<"$output")" = 'BIOS battery empty: "1980", часы стоят \ нет' ]
}

@test "journal report: one line per PC, also for the one without a result" {
	"$ODJSTICK" journal report "$VECTORS/valid" | tr -d '\r' >report.csv
	[ "$(sed -n 2p report.csv | cut -d, -f1,5)" = '"ALM-FIL-001","ok"' ]
	[ "$(sed -n 3p report.csv | cut -d, -f1,5)" = '"ALM-FIL-002","failed"' ]
	[ "$(wc -l <report.csv)" -eq 3 ]
	"$ODJSTICK" journal report "$VECTORS/recovered" | grep -q '"unfinished"'
}

@test "journal files: an auditor's text editor sees whole CRLF lines of 512-byte blocks" {
	for f in "$VECTORS"/valid/journal/*.jsonl; do
		[ $(($(stat -c %s "$f") % 512)) -eq 0 ]
		[ "$(grep -c $'\r$' "$f")" -eq "$(wc -l <"$f")" ]
	done
}
