# batch check: every rule says FILE:LINE and why, and the exit status is 0 or 3.
load common

setup() {
	cd "$WORK"
	cp "$BLOBS"/ALM-FIL-00[1-4].txt .
}

csv() {
	{ echo "${HEADER:-computer_name,serial,inventory_tag,blob}"; printf '%s\n' "$@"; } >b.csv
}

# finds LINE SEVERITY WORDS: the check says exactly that.
finds() {
	run "$ODJSTICK" batch check b.csv ${BLOBS_ARG:+--blobs "$BLOBS_ARG"}
	grep -qF "b.csv:$1: $2: " <<<"$output" && grep -F "b.csv:$1: $2: " <<<"$output" | grep -qF "$3" ||
		{ echo "wanted $1 $2 \"$3\", got: $output"; return 1; }
	if [ "$2" = error ]; then [ "$status" -eq 3 ]; else [ "$status" -eq 0 ]; fi
}

@test "the sample batch has nothing to complain about" {
	run "$ODJSTICK" batch check "$REPO/tests/vectors/batch/corp.csv"
	[ "$status" -eq 0 ]
	[ "$output" = "$REPO/tests/vectors/batch/corp.csv: 25 PCs, 0 errors, 0 warnings" ]
}

@test "names" {
	csv "ALM FIL-001,5CG1,,ALM-FIL-001.txt"
	finds 2 error 'computer_name "ALM FIL-001" has a character'
	csv "ALM-FIL-001-LONGER,5CG1,,ALM-FIL-001.txt"
	finds 2 error "longer than 15"
	csv ",5CG1,,ALM-FIL-001.txt"
	finds 2 error 'computer_name "" is empty'
	csv "12345,5CG1,,ALM-FIL-001.txt"
	finds 2 error "digits only"
	csv "ALM-FIL-0é,5CG1,,ALM-FIL-001.txt"
	finds 2 error "has a character"
	csv "ALM-FIL-002,5CG1,,ALM-FIL-001.txt"
	finds 2 error 'blob ALM-FIL-001.txt is for the computer "ALM-FIL-001", not "ALM-FIL-002"'
}

@test "identities" {
	csv "ALM-FIL-001,To be filled by O.E.M.,,ALM-FIL-001.txt"
	finds 2 error 'serial "To be filled by O.E.M." is a placeholder'
	csv "ALM-FIL-001,5CG1,None,ALM-FIL-001.txt"
	finds 2 error 'inventory_tag "None" is a placeholder'
	csv "ALM-FIL-001,5.21E+11,,ALM-FIL-001.txt"
	finds 2 error "turned into a number by a spreadsheet"
	csv 'ALM-FIL-001,"5,21E+11",,ALM-FIL-001.txt'
	finds 2 error "turned into a number by a spreadsheet"
	csv "ALM-FIL-001,5CG1ü,,ALM-FIL-001.txt"
	finds 2 error "beyond ASCII"
	csv "ALM-FIL-001,,,ALM-FIL-001.txt"
	finds 2 warning "only be chosen by its name"
	csv "ALM-FIL-001,$(printf '5%.0s' {1..65})CG,,ALM-FIL-001.txt"
	finds 2 error "longer than 64"
}

@test "duplicates, in whatever way they are written" {
	csv "ALM-FIL-001,5CG-1,A1,ALM-FIL-001.txt" "alm-fil-001,5CG2,A2,ALM-FIL-001.txt"
	finds 3 error "computer_name is the same as in line 2"
	finds 3 error "blob is the same as in line 2"
	csv "ALM-FIL-001,5CG-1 x,A1,ALM-FIL-001.txt" "ALM-FIL-002,5cg1X,A2,ALM-FIL-002.txt"
	finds 3 error "serial is the same as in line 2"
	csv "ALM-FIL-001,5CG1,A-1,ALM-FIL-001.txt" "ALM-FIL-002,5CG2,a1,ALM-FIL-002.txt"
	finds 3 error "inventory_tag is the same as in line 2"
}

@test "blobs" {
	csv "ALM-FIL-001,5CG1,,gone.txt"
	finds 2 error "gone.txt"
	csv "ALM-FIL-001,5CG1,,"
	finds 2 error "blob is empty"
	echo "this is not a blob" >no.txt
	csv "ALM-FIL-001,5CG1,,no.txt"
	finds 2 error "no.txt"
	mkdir folder
	csv "ALM-FIL-001,5CG1,,folder"
	finds 2 error "folder"
	csv 'ALM-FIL-001,5CG1,,.\ALM-FIL-001.txt'
	run "$ODJSTICK" batch check b.csv
	[ "$status" -eq 0 ]
}

@test "domains" {
	HEADER=computer_name,serial,domain,blob
	csv "ALM-FIL-001,5CG1,corp.example,ALM-FIL-001.txt" "ALM-FIL-002,5CG2,CORP,ALM-FIL-002.txt"
	run "$ODJSTICK" batch check b.csv
	[ "$status" -eq 0 ]
	csv "ALM-FIL-001,5CG1,other.example,ALM-FIL-001.txt"
	finds 2 error 'is for the domain "corp.example" (CORP), not "other.example"'
}

@test "a batch of mixed domains needs to say that it is one" {
	need_shared
	cp "$SHARED"/fixtures/blobs/real-windows/*.txt real.txt
	name="$("$ODJSTICK" blob show --json real.txt | jq -r '.. | .machine_name? // empty' | head -1)"
	csv "ALM-FIL-001,5CG1,,ALM-FIL-001.txt" "ALM-FIL-002,5CG2,,ALM-FIL-002.txt" "$name,5CG3,,real.txt"
	finds 4 warning 'others are for "corp.example": add a column "domain"'
}

@test "unknown columns are kept and mentioned" {
	HEADER=computer_name,serial,blob,room
	csv "ALM-FIL-001,5CG1,ALM-FIL-001.txt,2.17"
	finds 1 warning 'column "room" is not known'
}

@test "blobs from an archive: zip, tar.xz, tar" {
	local a
	csv "ALM-FIL-001,5CG1,,./sub/ALM-FIL-001.txt" "ALM-FIL-002,5CG2,,sub\\ALM-FIL-002.txt"
	mkdir sub
	cp ALM-FIL-00[12].txt sub
	/usr/bin/python3 -m zipfile -c b.zip sub/
	tar -cf b.tar ./sub
	tar -cJf b.tar.xz sub
	for a in b.zip b.tar b.tar.xz; do
		run "$ODJSTICK" batch check b.csv --blobs $a
		[ "$status" -eq 0 ] || { echo "$a: $output"; return 1; }
	done
	csv "ALM-FIL-001,5CG1,,sub/ALM-FIL-001.txt" "ALM-FIL-003,5CG3,,sub/ALM-FIL-003.txt"
	BLOBS_ARG=b.zip finds 3 error "is not in the archive b.zip"
	echo "no archive" >b.zip
	refuses 3 "cannot read the archive" "$ODJSTICK" batch check b.csv --blobs b.zip
	refuses 1 "cannot open" "$ODJSTICK" batch check b.csv --blobs absent.zip
}

@test "an archive that points at files of this machine is none" {
	csv "ALM-FIL-001,5CG1,,x.txt"
	printf '#mtree\n./x.txt type=file contents=%s/ALM-FIL-001.txt\n' "$PWD" >b.mtree
	refuses 3 "cannot read the archive" "$ODJSTICK" batch check b.csv --blobs b.mtree
}

@test "--json says the same" {
	csv "ALM-FIL-002,None,,ALM-FIL-001.txt"
	status=0
	"$ODJSTICK" batch check b.csv --json >j || status=$?
	[ "$status" -eq 3 ]
	[ "$(jq -r '.errors, .pcs, .findings[0].line, .findings[0].severity' j | tr '\n' ' ')" = "2 1 2 error " ]
}

@test "a file that is no inventory" {
	refuses 1 "cannot open" "$ODJSTICK" batch check absent.csv
	refuses 3 "NUL bytes" "$ODJSTICK" batch check ALM-FIL-001.txt
	refuses 3 "is missing" "$ODJSTICK" batch check "$REPO/README.md"
	refuses 3 "not a regular file" "$ODJSTICK" batch check .
}
