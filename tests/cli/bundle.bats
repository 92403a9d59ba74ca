# Bundles, judged by tar, minisign, grep and an implementation of the format that shares no code.
load common

ODJB="$REPO/tests/tools/odjb.py"

setup_file() {
	echo "lab secret" >"$BATS_FILE_TMPDIR/lp"
	echo "open sesame" >"$BATS_FILE_TMPDIR/bp"
	cd "$BATS_FILE_TMPDIR"
	"$ODJSTICK" lab keygen -o LAB --passphrase-file lp
	"$ODJSTICK" bundle create "$REPO/tests/vectors/batch/corp.csv" -o b.odjb --lab LAB.key \
		--passphrase-file bp --lab-passphrase-file lp --kdf-memory 8
}

setup() {
	cd "$WORK"
	cp "$BATS_FILE_TMPDIR"/{LAB.key,LAB.pub,lp,bp,b.odjb} .
}

make_bundle() {
	local out="$1"
	shift
	"$ODJSTICK" bundle create "$REPO/tests/vectors/batch/corp.csv" -o "$out" --lab LAB.key \
		--passphrase-file bp --lab-passphrase-file lp --kdf-memory 8 "$@"
}

@test "tar lists it, minisign verifies its header" {
	need_tools minisign
	[ "$(tar tf b.odjb | wc -l)" -eq 32 ]
	[ "$(tar tf b.odjb | head -7 | tr '\n' ' ')" = "header header.minisig keys slots lookup catalog tree " ]
	tar xf b.odjb header header.minisig
	minisign -V -p LAB.pub -m header -x header.minisig
	sed -i 's/^entries 25/entries 24/' header
	run minisign -V -p LAB.pub -m header -x header.minisig
	[ "$status" -ne 0 ]
}

@test "an implementation from the document opens all 25 entries" {
	local i n f
	/usr/bin/python3 "$ODJB" list b.odjb LAB.pub "open sesame" >list
	for i in $(seq 1 25); do
		n="$(printf 'ALM-FIL-%03d\t5CG1234X%02d\tINV-%04d\tcorp.example\tfresh' "$i" "$i" "$i")"
		grep -qxF "$((i - 1))"$'\t'"$n" list
	done
	for i in 0 11 24; do
		/usr/bin/python3 "$ODJB" blob b.odjb LAB.pub "open sesame" $i >raw
		f="$(printf '%s/ALM-FIL-%03d.json' "$BLOBS" $((i + 1)))"
		[ "$(sha256sum raw | cut -d' ' -f1)" = "$(jq -r .encoding.binary_sha256 "$f")" ]
	done
	[ "$(/usr/bin/python3 "$ODJB" find b.odjb LAB.pub "open sesame" tag inv0007)" = 6 ]
}

@test "nothing about the PCs can be read without a key" {
	/usr/bin/python3 - b.odjb "$BLOBS" <<'PY'
import glob, json, sys
data = open(sys.argv[1], "rb").read().lower()
words = ["ALM-FIL", "5CG1234", "INV-0", "corp.example", "dc1.corp", "S-1-5-21", "Default-First-Site", "open sesame"]
needles = [(w, w.lower().encode(e)) for w in words for e in ("utf-8", "utf-16-le", "utf-16-be")]
for path in glob.glob(sys.argv[2] + "/ALM-FIL-0??.json"):
    text = open(path).read()
    if '"machine_password_utf16le_hex"' not in text:
        continue
    for part in text.split('"machine_password_utf16le_hex": "')[1:]:
        secret = bytes.fromhex(part.split('"')[0])
        needles += [(path, secret[i:i + 12].lower()) for i in range(0, len(secret) - 12, 12)]
assert len(needles) > 500, len(needles)
found = [w for w, n in needles if n in data]
if found:
    sys.exit("found: " + ", ".join(found[:5]))
PY
}

@test "list and show, as text and JSON" {
	"$ODJSTICK" bundle list b.odjb --passphrase-file bp --json >j
	[ "$(jq -r '.[3] | .entry, .computer_name, .serial, .inventory_tag, .domain, .state' j | tr '\n' ' ')" \
		= "3 ALM-FIL-004 5CG1234X04 INV-0004 corp.example fresh " ]
	[ "$(jq length j)" -eq 25 ]
	"$ODJSTICK" bundle list b.odjb --passphrase-file bp | grep -q '^ *24  ALM-FIL-025 .*fresh$'
	"$ODJSTICK" bundle show b.odjb --lab LAB.pub --json >j
	[ "$(jq -r '.entries, .states.fresh, .states.spent, .lab_verified, .expires' j | tr '\n' ' ')" \
		= "25 25 0 true null " ]
	[ "$(jq -r .bytes j)" -eq "$(stat -c %s b.odjb)" ]
	"$ODJSTICK" bundle show b.odjb | grep -q "signature NOT checked"
}

@test "check says what it verified" {
	"$ODJSTICK" bundle check b.odjb | grep -q '^signature *not checked'
	"$ODJSTICK" bundle check b.odjb --lab LAB.pub --passphrase-file bp | grep -q '^entries *ok'
}

@test "kinds of failure have different exit codes" {
	echo "open sesamf" >wrong
	refuses 4 "does not open" "$ODJSTICK" bundle list b.odjb --passphrase-file wrong
	refuses 3 "not a bundle" "$ODJSTICK" bundle show LAB.pub
	refuses 3 "not a bundle" "$ODJSTICK" bundle show "$REPO/tests/vectors/batch/corp.csv"
	head -c 100000 b.odjb >short.odjb
	refuses 5 "not copied completely" "$ODJSTICK" bundle show short.odjb
	"$ODJSTICK" lab keygen -o OTHER --passphrase-file lp
	refuses 5 "is signed by the key" "$ODJSTICK" bundle show b.odjb --lab OTHER.pub
	cp b.odjb bad.odjb
	printf x | dd of=bad.odjb bs=1 seek=60000 conv=notrunc status=none
	refuses 5 "entry 4 is damaged" "$ODJSTICK" bundle check bad.odjb
	refuses 1 "cannot open" "$ODJSTICK" bundle show absent.odjb
	refuses 2 "-o is missing" "$ODJSTICK" bundle create b.csv
}

@test "create never overwrites and leaves nothing behind" {
	sha256sum b.odjb >before
	refuses 1 "exists already" make_bundle b.odjb
	sha256sum -c --quiet before
	printf 'computer_name,serial,blob\nALM-FIL-001,None,%s\n' "$BLOBS/ALM-FIL-001.txt" >bad.csv
	refuses 3 "bad.csv has 1 error" "$ODJSTICK" bundle create bad.csv -o n.odjb --lab LAB.key \
		--passphrase-file bp --lab-passphrase-file lp
	echo nonsense >wrong
	refuses 4 "does not open LAB.key" "$ODJSTICK" bundle create "$REPO/tests/vectors/batch/corp.csv" \
		-o n.odjb --lab LAB.key --passphrase-file bp --lab-passphrase-file wrong
	refuses 1 "" make_bundle absent/n.odjb
	run ls
	[[ "$output" != *n.odjb* ]]
}

@test "where, label, expiry" {
	make_bundle w.odjb --where serial=5cg1234x09 --label "Almere 2" --expires 2031-01-31
	"$ODJSTICK" bundle show w.odjb --json >j
	[ "$(jq -r '.entries, .label, .expires' j | tr '\n' ' ')" = "1 Almere 2 2031-01-31T23:59:59Z " ]
	"$ODJSTICK" bundle list w.odjb --passphrase-file bp | grep -q "ALM-FIL-009"
	refuses 1 "no row of" make_bundle x.odjb --where serial=none
	refuses 2 "is not a date" make_bundle x.odjb --expires soon
	refuses 2 "in the past" make_bundle x.odjb --expires 2001-01-01
	refuses 2 "label" make_bundle x.odjb --label "ü"
}

@test "a key file is needed beside the passphrase" {
	head -c 32 /dev/urandom >kf
	head -c 32 /dev/urandom >other
	make_bundle k.odjb --keyfile kf
	refuses 4 "key file" "$ODJSTICK" bundle list k.odjb --passphrase-file bp
	refuses 4 "do not open" "$ODJSTICK" bundle list k.odjb --passphrase-file bp --keyfile other
	"$ODJSTICK" bundle list k.odjb --passphrase-file bp --keyfile kf | grep -q ALM-FIL-025
	/usr/bin/python3 "$ODJB" list k.odjb LAB.pub "open sesame" kf | grep -q ALM-FIL-025
	printf short >kf
	refuses 2 "a key file has" make_bundle k2.odjb --keyfile kf
}

@test "recipients open it without the passphrase, strangers do not" {
	echo "escrow secret" >ep
	"$ODJSTICK" lab recipient -o A --passphrase-file ep
	"$ODJSTICK" lab recipient -o B --passphrase-file ep
	"$ODJSTICK" lab recipient -o C --passphrase-file ep
	cat A.pub B.pub >both.pub
	make_bundle r.odjb --recipient both.pub
	"$ODJSTICK" bundle list r.odjb --identity A.key --passphrase-file ep | grep -q ALM-FIL-001
	"$ODJSTICK" bundle check r.odjb --identity B.key --passphrase-file ep --lab LAB.pub | grep -q '^entries *ok'
	"$ODJSTICK" bundle list r.odjb --passphrase-file bp | grep -q ALM-FIL-001
	refuses 4 "not made for this recipient" "$ODJSTICK" bundle list r.odjb --identity C.key --passphrase-file ep
	refuses 4 "does not open C.key" "$ODJSTICK" bundle list r.odjb --identity C.key --passphrase-file bp
	refuses 3 "is not a secret recipient key" "$ODJSTICK" bundle list r.odjb --identity LAB.key --passphrase-file lp
	refuses 3 "public keys" make_bundle r2.odjb --recipient LAB.pub
}

@test "an entry is shown with its further columns, as long as it was not used" {
	printf 'computer_name,serial,inventory_tag,blob,timezone,keyboard,rtc,room\nALM-FIL-001,5CG1,INV-1,%s,Central Asia Standard Time,00000409,local,2.17\nALM-FIL-002,5CG2,INV-2,%s,,,,\n' \
		"$BLOBS/ALM-FIL-001.txt" "$BLOBS/ALM-FIL-002.txt" >x.csv
	"$ODJSTICK" bundle create x.csv -o x.odjb --lab LAB.key --passphrase-file bp --lab-passphrase-file lp \
		--kdf-memory 8
	show() { "$ODJSTICK" bundle show x.odjb --lab LAB.pub --passphrase-file bp "$@"; }
	local by
	for by in "--serial 5CG1" "--tag INV-1" "--name alm-fil-001"; do
		# shellcheck disable=SC2086
		show $by --json >j
		[ "$(jq -c '[.computer_name, .serial, .inventory_tag, .state, .columns]' j)" = \
			'["ALM-FIL-001","5CG1","INV-1","fresh",{"timezone":"Central Asia Standard Time","keyboard":"00000409","rtc":"local","room":"2.17"}]' ]
	done
	show --serial 5CG1 >text
	grep -q '^timezone *Central Asia Standard Time$' text
	grep -q '^rtc *local$' text
	"$ODJSTICK" bundle list x.odjb --lab LAB.pub --passphrase-file bp --columns >text
	grep -q 'ALM-FIL-001 .*fresh  timezone=Central Asia Standard Time  keyboard=00000409  rtc=local  room=2.17$' text
	grep -q 'ALM-FIL-002 .*fresh$' text
	"$ODJSTICK" bundle list x.odjb --lab LAB.pub --passphrase-file bp --columns --json >j
	[ "$(jq -r '.[0].columns.keyboard' j)" = 00000409 ]
	# never the join
	! grep -q CORP text j
	refuses 1 "" show --serial 5CG3
	refuses 2 "give one of" show --serial 5CG1 --tag INV-1
	refuses 4 "" "$ODJSTICK" bundle show x.odjb --lab LAB.pub --passphrase-file lp --serial 5CG1
	refuses 5 "" "$ODJSTICK" bundle show x.odjb --passphrase-file bp --serial 5CG1
	# used: the key is gone, and the columns with it
	load pc
	LAB="$WORK"
	cp bp pass
	win11 "$WORK/tree" '$a [ControlSet001\\Control\\Keyboard Layouts\\00000409]'
	"$ODJSTICK" stick init stick --bundle x.odjb --lab LAB.key --passphrase-file lp >/dev/null
	apply stick tree --name ALM-FIL-002 >/dev/null
	"$ODJSTICK" bundle show stick/bundle.odjb --lab LAB.pub --passphrase-file bp --serial 5CG2 --json >j
	[ "$(jq -c '[.state, .columns]' j)" = '["spent",null]' ]
	"$ODJSTICK" bundle show stick/bundle.odjb --lab LAB.pub --passphrase-file bp --serial 5CG2 | grep -q 'not readable any more'
}

@test "further columns reach the entry" {
	printf 'computer_name,serial,blob,room\nALM-FIL-001,5CG1,%s,2.17 east\n' "$BLOBS/ALM-FIL-001.txt" >x.csv
	"$ODJSTICK" bundle create x.csv -o x.odjb --lab LAB.key --passphrase-file bp --lab-passphrase-file lp \
		--kdf-memory 8
	"$ODJSTICK" bundle check x.odjb --lab LAB.pub --passphrase-file bp | grep -q '^entries *ok'
	run grep -ac "2.17 east" x.odjb
	[ "$output" = 0 ]
}
