# Splicing a join into answer files, judged by another XML reader.
load common

SPLICE="$REPO/${BUILD:-build}/tests/tools/splice"
JUDGE="$REPO/tests/tools/unattend_judge.py"
SHAPES="$REPO/tests/vectors/unattend"
BLOB="$REPO/tests/vectors/blobs/ALM-FIL-004.txt"

judge() {
	/usr/bin/python3 "$JUDGE" "$@" "$BLOB"
}

# to_encoding IN OUT NAME
to_encoding() {
	case "$3" in
	lf) cp "$1" "$2" ;;
	crlf) sed 's/$/\r/' "$1" >"$2" ;;
	utf8-bom) { printf '\xef\xbb\xbf'; cat "$1"; } >"$2" ;;
	utf16le) { printf '\xff\xfe'; sed 's/$/\r/; 1s/encoding=.[uU][tT][fF]-8./encoding="utf-16"/' "$1" | iconv -f UTF-8 -t UTF-16LE; } >"$2" ;;
	utf16be) { printf '\xfe\xff'; sed '1s/encoding=.[uU][tT][fF]-8./encoding="UTF-16"/' "$1" | iconv -f UTF-8 -t UTF-16BE; } >"$2" ;;
	esac
}

@test "unattend: every shape, and the encodings there are, gain the join once and keep the rest" {
	local shape enc n=0
	for shape in "$SHAPES"/*.xml; do
		local encodings="lf"
		case "$shape" in
		*/typical-client.xml | */one-line.xml | */empty-elements.xml) encodings="lf crlf utf8-bom utf16le utf16be" ;;
		esac
		for enc in $encodings; do
			to_encoding "$shape" "$WORK/old" "$enc"
			"$SPLICE" "$BLOB" amd64 ALM-FIL-004 "$WORK/old" >"$WORK/new"
			judge "$WORK/old" "$WORK/new" amd64 ALM-FIL-004 || { echo "$shape as $enc"; return 1; }
			n=$((n + 1))
		done
	done
	[ "$n" -ge 25 ]
}

@test "unattend: a second splice changes only the blob and the name" {
	local shape
	for shape in "$SHAPES"/{typical-client,one-line,repeated,self-closed-root}.xml; do
		"$SPLICE" "$REPO/tests/vectors/blobs/ALM-FIL-005.txt" amd64 ALM-FIL-005 "$shape" >"$WORK/first"
		"$SPLICE" "$BLOB" amd64 ALM-FIL-004 "$WORK/first" >"$WORK/second"
		judge "$WORK/first" "$WORK/second" amd64 ALM-FIL-004
		"$SPLICE" "$BLOB" amd64 ALM-FIL-004 "$WORK/second" >"$WORK/third"
		cmp "$WORK/second" "$WORK/third"
	done
}

@test "unattend: a new file for each architecture" {
	local arch
	for arch in amd64 x86 arm64; do
		"$SPLICE" "$BLOB" "$arch" ALM-FIL-004 >"$WORK/new"
		judge - "$WORK/new" "$arch" ALM-FIL-004
	done
	refuses 3 "architecture" "$SPLICE" "$BLOB" other ALM-FIL-004
	refuses 1 "computer name" "$SPLICE" "$BLOB" amd64 '<b>'
}

@test "unattend: hostile and broken files are refused" {
	local ns='xmlns="urn:schemas-microsoft-com:unattend"' n=0 text
	deep="$(printf '<a>%.0s' {1..100})"
	while IFS= read -r text; do
		printf "$text" >"$WORK/bad"
		run "$SPLICE" "$BLOB" amd64 ALM-FIL-004 "$WORK/bad"
		[ "$status" -eq 3 ] || { echo "exit $status: $text: $output"; return 1; }
		n=$((n + 1))
	done <<-EOF

		not xml
		<unattend/>
		<html $ns/>
		<unattend $ns>
		<unattend $ns></unattend><unattend $ns/>
		<unattend $ns><settings></unattend>
		<unattend $ns>&undefined;</unattend>
		<unattend $ns>&#0;</unattend>
		<unattend $ns a="1" a="2"/>
		<unattend $ns>\\xff</unattend>
		<unattend $ns>$deep
		<!DOCTYPE unattend><unattend $ns/>
		<!DOCTYPE u [<!ENTITY a "b">]><unattend $ns>&a;</unattend>
		<!DOCTYPE u [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]><unattend $ns>&c;</unattend>
		<!DOCTYPE u SYSTEM "file:///etc/passwd"><unattend $ns/>
		<?xml version="1.0" encoding="windows-1252"?><unattend $ns/>
		<?xml version="1.0" encoding="ebcdic-cp-be"?><unattend $ns/>
		<?xml version="1.0" encoding="utf-16"?><unattend $ns/>
		<unattend $ns xmlns:a="urn:schemas-microsoft-com:unattend"><b:settings/></unattend>
		<unattend $ns/>trailing
		<unattend $ns><settings pass="specialize" wasPassProcessed="true"></settings></unattend>
	EOF
	[ "$n" -eq 22 ]
	head -c 5000000 /dev/zero | tr '\0' ' ' >"$WORK/bad"
	refuses 3 "limit" "$SPLICE" "$BLOB" amd64 ALM-FIL-004 "$WORK/bad"
	printf '\x3c\x00\x75' >"$WORK/bad"
	refuses 3 "bad-format" "$SPLICE" "$BLOB" amd64 ALM-FIL-004 "$WORK/bad"
}
