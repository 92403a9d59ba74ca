# Splicing a join into answer files, judged by another XML reader.
load common

SPLICE="$BUILD/tests/tools/splice"
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

# judge_cases AT-LEAST: splice every WORK/cases/CASE.ARCH.old; all are as they should be, and so many.
judge_cases() {
	"$SPLICE" "$BLOB" --all ALM-FIL-004 "$WORK/cases"
	run /usr/bin/python3 "$JUDGE" --all "$WORK/cases" ALM-FIL-004 "$BLOB"
	echo "$output"
	[ "$status" -eq 0 ] && [ "${lines[-1]%% *}" -ge "$1" ]
}

@test "unattend: every shape, for every architecture, gains the join once and keeps all other bytes" {
	local shape arch name
	mkdir "$WORK/cases"
	for shape in "$SHAPES"/*.xml; do
		name="${shape##*/}"
		for arch in amd64 x86 arm64; do
			cp "$shape" "$WORK/cases/${name%.xml}.$arch.old"
		done
	done
	judge_cases 180
}

@test "unattend: the same shapes in every encoding and with both line ends" {
	local shape enc name
	mkdir "$WORK/cases"
	for shape in "$SHAPES"/*.xml; do
		name="${shape##*/}"
		case "$shape" in
		*/utf16* | */utf8* | */image-manager.xml | */mixed-line-ends.xml) continue ;; # not plain LF
		esac
		for enc in crlf utf8-bom utf16le utf16be; do
			to_encoding "$shape" "$WORK/cases/${name%.xml}-$enc.amd64.old" "$enc"
		done
	done
	judge_cases 200
}

@test "unattend: 500 random answer files" {
	mkdir "$WORK/cases"
	/usr/bin/python3 "$REPO/tests/tools/random_answers.py" "${SEED:-1}" 500 "$WORK/cases"
	judge_cases 500
}

# The judge itself: each of these is a splice gone wrong.
@test "unattend: the judge refuses a result with one thing wrong" {
	local n=0 edit old="$SHAPES/typical-client.xml"
	"$SPLICE" "$BLOB" amd64 ALM-FIL-004 "$old" >"$WORK/new"
	judge "$old" "$WORK/new" amd64 ALM-FIL-004
	while IFS= read -r edit; do
		perl -0pe "$edit" "$WORK/new" >"$WORK/bad"
		if cmp -s "$WORK/new" "$WORK/bad" || judge "$old" "$WORK/bad" amd64 ALM-FIL-004 2>/dev/null; then
			echo "accepted: $edit"
			return 1
		fi
		n=$((n + 1))
	done <<-'EOF'
		s/keep the order/keep the Order/
		s/&#252;/ü/
		s/<AcceptEula>true/<AcceptEula> true/
		s/CDATA\[cmd/CDATA[Cmd/
		s/\n//
		s/ {4}<settings/   <settings/
		s/$/ x/
		s/<TimeZone>.*?<\/TimeZone>//
		s/(<ComputerName>.*?<\/ComputerName>)/$1$1/
		s/<ComputerName>.*?<\/ComputerName>//
		s/ARAI/ARAJ/
		s/ARAI/ ARAI/
		s/(<AccountData>.*?<\/AccountData>)/$1<!-- x -->/
		s/oobeSystem/specialize/
		s/utf-8/UTF-8/
		s/\n/\r\n/
		s/<\/Identification>/<JoinWorkgroup>W<\/JoinWorkgroup><\/Identification>/
		s/<cpi:/<cpj:/
		s/<\/unattend>//
		s/\A/\xef\xbb\xbf/
	EOF
	[ "$n" -eq 20 ]
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
	local deep long repeated
	deep="$(printf '<a>%.0s' {1..100})"
	long="$(printf 'p%.0s' {1..40})"
	repeated="$(printf '<ComputerName/>%.0s' {1..100})"
	while IFS= read -r text; do
		printf "$text" >"$WORK/bad"
		run "$SPLICE" "$BLOB" amd64 ALM-FIL-004 "$WORK/bad"
		[[ $status -eq 3 && $output != *'<unattend'* ]] || { echo "exit $status: $text: $output"; return 1; }
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
		<?xml version="1.1"?><unattend $ns/>
		<?xml version="1.0"?><?xml version="1.0"?><unattend $ns/>
		<!DOCTYPE u [<!ENTITY %% p SYSTEM "http://192.0.2.1/x">%%p;]><unattend $ns/>
		<!DOCTYPE u [<!ATTLIST unattend pass CDATA "specialize">]><unattend $ns/>
		<unattend $ns><![CDATA[</unattend>
		<unattend $ns><!-- a -- b --></unattend>
		<unattend $ns><!-- </unattend>
		<unattend $ns>]]></unattend>
		<unattend $ns><settings pass=specialize/></unattend>
		<unattend $ns><settings pass="<"/></unattend>
		<unattend $ns>&#xD800;</unattend>
		<unattend $ns>&#xFFFFFFFFF;</unattend>
		<unattend $ns>\\x00</unattend>
		<unattend $ns>\\x01</unattend>
		<unattend $ns>\\xc0\\xbc</unattend>
		<unattend $ns>\\xed\\xa0\\x80</unattend>
		<unattend $ns xmlns:a="x" xmlns:b="x"><s a:c="" b:c=""/></unattend>
		<unattend $ns xmlns:a=""/>
		<unattend $ns xmlns:xml="urn:example:x"/>
		<unattend $ns></Unattend>
		<$long:unattend xmlns:$long="urn:schemas-microsoft-com:unattend"/>
		<unattend $ns xmlns:$long="urn:schemas-microsoft-com:unattend"><$long:settings pass="specialize"/></unattend>
		<unattend $ns><settings pass="specialize"><component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64">$repeated</component></settings></unattend>
		\\xff\\xfe<\\x00u\\x00
		\\xff\\xfe\\x3c
		\\xfe\\xff<unattend $ns/>
		\\xff\\xfe\\x00\\xd8<\\x00
		\\xef\\xbb\\xbf\\xef\\xbb\\xbf<unattend $ns/>
	EOF
	[ "$n" -eq 50 ]
	head -c 5000000 /dev/zero | tr '\0' ' ' >"$WORK/bad"
	refuses 3 "limit" "$SPLICE" "$BLOB" amd64 ALM-FIL-004 "$WORK/bad"
	printf '\x3c\x00\x75' >"$WORK/bad"
	refuses 3 "bad-format" "$SPLICE" "$BLOB" amd64 ALM-FIL-004 "$WORK/bad"
}
