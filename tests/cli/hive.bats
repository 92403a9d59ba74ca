# odjstick hive: one registry hive file, judged by hivex, reged and regfcheck.py.
load common

setup() {
	make -s -C "$REPO" BUILD="$BUILD" "$BUILD/hives/win11-SYSTEM" >/dev/null
	HIVES="$BUILD/hives"
	cp "$HIVES/win11-SYSTEM" "$WORK/SYSTEM"
	LSA='ControlSet001\Control\Lsa'
}

# The hive as hivex reads it, without the times that an edit may change.
dump() {
	hivexml "$1" | sed 's|<mtime>[^<]*</mtime>||g'
}

@test "hive ls lists subkeys and values" {
	run "$ODJSTICK" hive ls "$WORK/SYSTEM"
	[ "$status" -eq 0 ]
	[[ "$output" == *'Select\'* ]]
	run "$ODJSTICK" hive ls "$WORK/SYSTEM" select
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = $'Current\tREG_DWORD\t4 bytes' ]
}

@test "hive get prints what hivex reads" {
	need_tools hivexget
	local key='ControlSet001\Services\Tcpip\Parameters'
	[ "$("$ODJSTICK" hive get "$WORK/SYSTEM" "$key" 'nv hostname')" = "$(hivexget "$WORK/SYSTEM" "$key" 'NV Hostname')" ]
	[ "$("$ODJSTICK" hive get "$WORK/SYSTEM" Select Current)" = 0x00000001 ]
	run "$ODJSTICK" hive get "$WORK/SYSTEM" "$key" Hostname --json
	[ "$(jq -r .type <<<"$output")" = REG_SZ ]
	[ "$(jq -r .data <<<"$output")" = DESKTOP-7Q2LM4A ]
}

@test "hive get names what is missing" {
	refuses 1 'no key "Select\Nothing"' "$ODJSTICK" hive get "$WORK/SYSTEM" 'Select\Nothing' x
	refuses 1 'no value "Nothing"' "$ODJSTICK" hive get "$WORK/SYSTEM" Select Nothing
}

@test "hive set writes every type, creates the key, changes nothing else" {
	need_tools hivexget hivexml reged
	local h="$WORK/SYSTEM" k="$LSA\\OfflineJoin"
	dump "$h" >"$WORK/before"
	"$ODJSTICK" hive set "$h" "$k" MachineName REG_SZ 'PC-Ünïcode'
	[ -e "$h.LOG1" ] && [ -e "$h.LOG2" ] # both were missing: made before the hive was touched
	"$ODJSTICK" hive set "$h" "$k" JoinAction REG_DWORD 1
	"$ODJSTICK" hive set "$h" "$k" Big REG_QWORD 0x1122334455667788
	"$ODJSTICK" hive set "$h" "$k" Guid REG_BINARY 00112233445566778899aabbccddeeff
	"$ODJSTICK" hive set "$h" "$k" Path REG_EXPAND_SZ '%SystemRoot%\x'
	"$ODJSTICK" hive set "$h" "$k" List REG_MULTI_SZ 'one\0two'
	"$ODJSTICK" hive set "$h" "$k" '' REG_SZ default
	[ "$(hivexget "$h" "$k" MachineName)" = 'PC-Ünïcode' ]
	run hivexget "$h" "$k"
	[[ "$output" == *'"JoinAction"=dword:00000001'* ]]
	[[ "$output" == *'"Big"=hex(b):88,77,66,55,44,33,22,11'* || "$output" == *'"Big"=hex(11):88,77,66,55,44,33,22,11'* ]]
	[[ "$output" == *'"Guid"=hex(3):00,11,22,33,44,55,66,77,88,99,aa,bb,cc,dd,ee,ff'* ]]
	[[ "$output" == *'"@"="default"'* || "$output" == *'@="default"'* ]]
	need_shared
	regfcheck "$h"
	"$ODJSTICK" hive delete "$h" "$k"
	dump "$h" >"$WORK/after"
	cmp "$WORK/before" "$WORK/after"
	regfcheck "$h"
}

@test "hive set gives a new key the security of its siblings" {
	"$ODJSTICK" hive set "$WORK/SYSTEM" "$LSA\\OfflineJoin" a REG_SZ b
	run /usr/bin/python3 - "$WORK/SYSTEM" <<'PY'
import struct, sys
import hivex  # keys are nk offsets: the sk offset is at +4+44
h = hivex.Hivex(sys.argv[1])
raw = open(sys.argv[1], 'rb').read()
def node(path):
    n = h.root()
    for part in path.split('\\'):
        n = h.node_get_child(n, part)
    return n
def sk(path):
    return struct.unpack_from('<I', raw, node(path) + 4 + 44)[0]
lsa = 'ControlSet001\\Control\\Lsa\\'
assert sk(lsa + 'OfflineJoin') == sk(lsa + 'Kerberos'), 'another descriptor than Kerberos'
PY
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
}

@test "new keys get the list that Windows gave the keys lying there, in most of three real hives" {
	need_shared
	local f least same of
	make -s -C "$REPO" BUILD="$BUILD" "$BUILD/tests/hive/inherited" >/dev/null
	while read -r f least; do # least: per thousand; the others carry entries of their own
		real_hive "$f" >"$WORK/h"
		read -r same _ of < <("$BUILD/tests/hive/inherited" "$WORK/h")
		echo "# $f: $same of $of DACLs, $((same * 1000 / of)) per thousand, at least $least" >&3
		[ "$of" -gt 20000 ] && [ $((same * 1000 / of)) -ge "$least" ]
	done <<'HIVES'
win10-19041-SYSTEM-clean/SYSTEM 973
win7sp1-x86-domain/SYSTEM 985
win7sp1-x86/SOFTWARE 989
HIVES
}

@test "hive set refuses what it cannot say" {
	refuses 2 'not a number' "$ODJSTICK" hive set "$WORK/SYSTEM" Select x REG_DWORD 4294967296
	refuses 2 'hex digit' "$ODJSTICK" hive set "$WORK/SYSTEM" Select x REG_BINARY 0g
	refuses 2 'not a value type' "$ODJSTICK" hive set "$WORK/SYSTEM" Select x REG_LINK 00
	cmp "$HIVES/win11-SYSTEM" "$WORK/SYSTEM"
}

@test "hive refuses what is no hive, a log, an unknown version, a lost log, and overwrites nothing" {
	local h="$WORK/SYSTEM"
	echo text >"$WORK/text"
	refuses 3 'not a registry hive' "$ODJSTICK" hive ls "$WORK/text"
	head -c 20000 /dev/urandom >"$WORK/noise"
	refuses 6 'first sector is damaged' "$ODJSTICK" hive set "$WORK/noise" a b REG_SZ c
	refuses 1 'No such file' "$ODJSTICK" hive ls "$WORK/absent"
	# field OFFSET BYTE: a base block with one field changed and its checksum right again
	field() {
		/usr/bin/python3 - "$h" "$WORK/odd" "$1" "$2" <<'PY'
import struct, sys
b = bytearray(open(sys.argv[1], 'rb').read())
b[int(sys.argv[3])] = int(sys.argv[4])
total = 0
for (word,) in struct.iter_unpack('<I', b[:508]):
    total ^= word
b[508:512] = struct.pack('<I', total)
open(sys.argv[2], 'wb').write(b)
PY
	}
	field 24 9
	refuses 3 'hive version 1.9 is not known' "$ODJSTICK" hive set "$WORK/odd" a b REG_SZ c
	field 28 6
	refuses 3 'not one of its logs' "$ODJSTICK" hive ls "$WORK/odd"
	field 43 64
	refuses 3 'more than 512' "$ODJSTICK" hive ls "$WORK/odd"
	refuses 2 'hvle and dirt' "$ODJSTICK" hive set "$h" a b REG_SZ c --log new
	refuses 3 'longer than 255' "$ODJSTICK" hive set "$h" "$(printf 'n%.0s' {1..256})" b REG_SZ c
	refuses 1 'cannot be deleted' "$ODJSTICK" hive delete "$h" ''
	refuses 1 'no key' "$ODJSTICK" hive delete "$h" 'Nothing\Here'
	refuses 1 'is not overwritten' "$ODJSTICK" hive recover "$h" -o "$WORK/text"
	mkdir "$h.LOG2" # a log that cannot be opened: refused before the first write
	refuses 1 'LOG2' "$ODJSTICK" hive set "$h" a b REG_SZ c
	cmp "$HIVES/win11-SYSTEM" "$h"
}

@test "hive refuses a dirty hive without logs and says what to do" {
	need_shared
	real_hive win10-1903-dirty-nologs/SYSTEM >"$WORK/dirty"
	cp "$WORK/dirty" "$WORK/copy"
	refuses 6 'not closed cleanly' "$ODJSTICK" hive set "$WORK/dirty" Select x REG_SZ y
	[[ "$output" == *'shut it down fully'* ]]
	cmp "$WORK/dirty" "$WORK/copy"
}

@test "hive set in the real SYSTEM hives leaves them sound and frees what it used" {
	need_shared
	need_tools hivexget hivexml
	local name k='ControlSet001\Services\Netlogon\JoinDomain'
	for name in win7sp1-x86-domain win10-19041-SYSTEM-clean; do
		rm -f "$WORK"/h*
		real_hive "$name/SYSTEM" >"$WORK/h"
		dump "$WORK/h" >"$WORK/before"
		"$ODJSTICK" hive set "$WORK/h" "$k" DomainName REG_SZ corp.example.test
		[ "$(hivexget "$WORK/h" "$k" DomainName)" = corp.example.test ]
		regfcheck "$WORK/h"
		"$ODJSTICK" hive delete "$WORK/h" "$k"
		dump "$WORK/h" >"$WORK/after"
		cmp "$WORK/before" "$WORK/after"
		[[ "$(regfcheck "$WORK/h")" == *"'leaked': 0"* ]]
	done
}

# hives: every hive of the fixtures, as NAME for real_hive.
hives() {
	(cd "$SHARED/fixtures/hives" && printf '%s\n' */*.xz | grep -v '\.LOG[12]\.xz$' | sed 's/\.xz$//')
}

@test "the fixtures hold every hive and log that their list names" {
	need_shared
	local name
	while IFS=$'\t' read -r name _; do
		[ "$name" = file ] || [ -s "$SHARED/fixtures/hives/$name" ] || { echo "absent: $name"; return 1; }
	done <"$SHARED/fixtures/hives/MANIFEST.tsv"
	[ "$(hives | wc -l)" -ge 22 ]
}

# counts FILE: errors, warnings, leaked cells, keys and values as `hive check` sees them.
counts() {
	"$ODJSTICK" hive check "$1" --json 2>/dev/null | jq -c '[.errors > 0, .warnings > 0, .leaked_cells, .keys, .values]'
}

# judged FILE: the same from regfcheck.py.
judged() {
	/usr/bin/python3 - "$SHARED/tools" "$1" <<'PY'
import json, sys
sys.path.insert(0, sys.argv[1])
import regfcheck
c = regfcheck.Chk(open(sys.argv[2], 'rb').read(), True).run()
# --allow-dirty lets it go on behind the sequence numbers; unequal numbers are an error to both
dirty = any(t.startswith('dirty') for _, t in c.msgs)
print(json.dumps([dirty or any(l == 'ERR' for l, _ in c.msgs), any(l == 'WARN' and not t.startswith('dirty') for l, t in c.msgs),
                  c.st['leaked'], c.st['nk'], c.st['vk']], separators=(',', ':')))
PY
}

@test "hive check agrees with regfcheck.py on every hive" {
	need_shared
	local f
	while read -r f; do
		real_hive "$f" >"$WORK/h"
		if [ "$f" = edge/TruncatedHive ]; then # too short to be walked at all
			refuses 5 'cut short' "$ODJSTICK" hive check "$WORK/h"
			refuses 1 'errors=1' /usr/bin/python3 "$SHARED/tools/regfcheck.py" "$WORK/h"
			continue
		fi
		[ "$(counts "$WORK/h")" = "$(judged "$WORK/h")" ] ||
			{ echo "$f: $(counts "$WORK/h"), regfcheck.py $(judged "$WORK/h")"; return 1; }
	done < <(hives)
	real_hive edge/WrongOrderHive >"$WORK/h"
	refuses 5 'out of order' "$ODJSTICK" hive check "$WORK/h"
	refuses 5 'structure errors' "$ODJSTICK" hive set "$WORK/h" x y REG_SZ z
}

@test "hive recover --json: sequence numbers near their end are not negative" {
	cp "$BUILD/hives/win11-SYSTEM" "$WORK/h"
	/usr/bin/python3 - "$WORK/h" <<-'PY'
		import struct, sys
		with open(sys.argv[1], "r+b") as file:
		    base = bytearray(file.read(512))
		    struct.pack_into("<II", base, 4, 0xFFFFFFF0, 0xFFFFFFF0)
		    check = 0
		    for (word,) in struct.iter_unpack("<I", base[:508]):
		        check ^= word
		    struct.pack_into("<I", base, 508, {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(check, check))
		    file.seek(0)
		    file.write(base)
	PY
	[ "$("$ODJSTICK" hive recover "$WORK/h" --json | jq .seq1)" = 4294967280 ]
}

@test "hive recover equals regfreplay.py, and real Windows 7 and 10" {
	need_shared
	local f
	for f in groundtruth-new-HvLE/NewDirtyHive groundtruth-old-DIRT/OldDirtyHive win10-amcache-dirty/Amcache.hve \
		win10-ntuser-dirty/NTUSER.DAT win10-usrclass-dirty/UsrClass.dat win2012r2-amcache-clean-with-logs/Amcache.hve; do
		rm -f "$WORK"/*
		real_hive "$f" >"$WORK/h"
		for n in 1 2; do
			[ ! -e "$SHARED/fixtures/hives/$f.LOG$n.xz" ] || real_hive "$f.LOG$n" >"$WORK/h.LOG$n"
		done
		"$ODJSTICK" hive recover "$WORK/h" -o "$WORK/ours"
		/usr/bin/python3 "$SHARED/tools/regfreplay.py" "$WORK/h" "$([ -e "$WORK/h.LOG1" ] && echo "$WORK/h.LOG1" || echo -)" \
			"$([ -e "$WORK/h.LOG2" ] && echo "$WORK/h.LOG2" || echo -)" "$WORK/oracle" >/dev/null
		cmp "$WORK/ours" <(head -c "$(stat -c %s "$WORK/ours")" "$WORK/oracle")
		case "$f" in
		*NewDirty*) real_hive groundtruth-new-HvLE/RecoveredHive_Windows10 >"$WORK/windows" ;;
		*OldDirty*) real_hive groundtruth-old-DIRT/RecoveredHive_Windows7 >"$WORK/windows" ;;
		*) continue ;;
		esac
		# Besides the base block (numbers, time, name) Windows 7 stamped the first bin with its own time
		# and, once loaded, changed one byte of an allocated cell: 6 differing bytes in 487,424.
		cmp -l "$WORK/ours" <(head -c "$(stat -c %s "$WORK/ours")" "$WORK/windows") | awk '$1 > 4096 {print $1 - 1}' >"$WORK/diff" || true
		case "$f" in
		*NewDirty*) [ ! -s "$WORK/diff" ] ;;
		*) [ "$(tr '\n' ' ' <"$WORK/diff")" = '4116 4117 4118 4119 4120 441800 ' ] ;;
		esac
	done
}

# as_oracle: what is in WORK/h and its logs is recovered as regfreplay.py does it, or refused where it applies nothing.
as_oracle() {
	local logs=()
	for n in 1 2; do
		[ -e "$WORK/h.LOG$n" ] && logs+=("$WORK/h.LOG$n") || logs+=(-)
	done
	rm -f "$WORK/ours" "$WORK/oracle"
	/usr/bin/python3 "$SHARED/tools/regfreplay.py" "$WORK/h" "${logs[@]}" "$WORK/oracle" >"$WORK/said"
	if grep -q '^applied 0' "$WORK/said"; then
		refuses 6 'not closed cleanly' "$ODJSTICK" hive recover "$WORK/h" -o "$WORK/ours"
	else
		"$ODJSTICK" hive recover "$WORK/h" -o "$WORK/ours"
		cmp "$WORK/ours" <(head -c "$(stat -c %s "$WORK/ours")" "$WORK/oracle")
	fi
}

@test "hive recover with each log missing, empty, or under the other's name: as regfreplay.py" {
	need_shared
	local f n
	for f in groundtruth-new-HvLE/NewDirtyHive groundtruth-old-DIRT/OldDirtyHive win10-amcache-dirty/Amcache.hve \
		win10-ntuser-dirty/NTUSER.DAT win10-usrclass-dirty/UsrClass.dat; do
		rm -f "$WORK"/*
		real_hive "$f" >"$WORK/h"
		for n in 1 2; do
			[ ! -e "$SHARED/fixtures/hives/$f.LOG$n.xz" ] || real_hive "$f.LOG$n" >"$WORK/log$n"
		done
		for n in 1 2; do
			rm -f "$WORK"/h.LOG?
			[ ! -e "$WORK/log$n" ] || cp "$WORK/log$n" "$WORK/h.LOG$n"
			as_oracle
			: >"$WORK/h.LOG$((3 - n))"
			as_oracle
		done
		rm -f "$WORK"/h.LOG?
		as_oracle
		for n in 1 2; do
			[ ! -e "$WORK/log$n" ] || cp "$WORK/log$n" "$WORK/h.LOG$((3 - n))"
		done

		as_oracle
	done
}

@test "hive set recovers a dirty hive first and says so" {
	need_shared
	need_tools hivexget
	real_hive win10-ntuser-dirty/NTUSER.DAT >"$WORK/h"
	real_hive win10-ntuser-dirty/NTUSER.DAT.LOG1 >"$WORK/h.LOG1"
	real_hive win10-ntuser-dirty/NTUSER.DAT.LOG2 >"$WORK/h.LOG2"
	"$ODJSTICK" hive recover "$WORK/h" -o "$WORK/recovered"
	run "$ODJSTICK" hive set "$WORK/h" Environment Ours REG_SZ here
	[ "$status" -eq 0 ]
	[[ "$output" == *'not closed cleanly'* ]]
	regfcheck "$WORK/h"
	[ "$(hivexget "$WORK/h" Environment Ours)" = here ]
	"$ODJSTICK" hive delete "$WORK/h" Environment Ours
	cmp <(dump "$WORK/recovered") <(dump "$WORK/h")
	[ "$(head -c 512 "$WORK/h.LOG1" | tr -d '\0' | wc -c)" -eq 0 ]
	[ "$(head -c 512 "$WORK/h.LOG2" | tr -d '\0' | wc -c)" -eq 0 ]
}

@test "hive set recovers a hive of Windows 7 from its DIRT log, keeps that form, and says so" {
	need_shared
	need_tools hivexget
	real_hive groundtruth-old-DIRT/OldDirtyHive >"$WORK/h"
	real_hive groundtruth-old-DIRT/OldDirtyHive.LOG1 >"$WORK/h.LOG1"
	run "$ODJSTICK" hive set "$WORK/h" '' Ours REG_SZ here
	[ "$status" -eq 0 ]
	[[ "$output" == *'not closed cleanly; 1 log entry was'* ]]
	regfcheck "$WORK/h"
	[ "$(hivexget "$WORK/h" '\' Ours)" = here ]
	"$ODJSTICK" hive delete "$WORK/h" '' Ours
	real_hive groundtruth-old-DIRT/RecoveredHive_Windows7 >"$WORK/windows"
	/usr/bin/python3 "$REPO/tests/tools/same_hive.py" "$WORK/windows" "$WORK/h"
}

@test "same_hive.py, the judge of undo, sees a class name, a descriptor, a value, its type and a key that differ" {
	local kind judge="$REPO/tests/tools/same_hive.py"
	local -A says=([class]='Lsa\Data (class)' [security]='(security)' [values]='(values)' [type]='\Select (values)'
		[gone]='Kerberot (one only)' [unreadable]='cannot be read')
	/usr/bin/python3 "$judge" "$WORK/SYSTEM" "$HIVES/win11-SYSTEM"
	for kind in "${!says[@]}"; do
		/usr/bin/python3 - "$HIVES/win11-SYSTEM" "$WORK/other" "$kind" <<'PY'
import sys
raw, kind = open(sys.argv[1], 'rb').read(), sys.argv[3]
old, new = {
    'class': ('5b0e12c7'.encode('utf-16le'), '5b0e12c8'.encode('utf-16le')),
    # a full right becomes read and write in the first descriptor that grants it to SYSTEM
    'security': (bytes.fromhex('3f000f00010100000000000512000000'), bytes.fromhex('3f000e00010100000000000512000000')),
    'values': ('DESKTOP-7Q2LM4A'.encode('utf-16le'), 'DESKTOP-7Q2LM4B'.encode('utf-16le')),
    'type': (bytes.fromhex('0400000001000000') + b'Default', bytes.fromhex('0500000001000000') + b'Default'),
    'gone': (b'Kerberos', b'Kerberot'),
    'unreadable': (b'sk\0\0', b'sx\0\0'),
}[kind]
assert old in raw
open(sys.argv[2], 'wb').write(raw.replace(old, new, 1))
PY
		refuses 1 "${says[$kind]}" /usr/bin/python3 "$judge" "$WORK/SYSTEM" "$WORK/other"
	done
}

@test "hive export writes .reg files that hivexregedit reads back, and a stable text" {
	need_tools hivexregedit hivexml
	"$ODJSTICK" hive export "$WORK/SYSTEM" "$LSA" --root 'HKEY_LOCAL_MACHINE\SYSTEM' >"$WORK/lsa.reg"
	[ "$(head -c 2 "$WORK/lsa.reg" | od -An -tx1 | tr -d ' \n')" = fffe ]
	cp "$WORK/SYSTEM" "$WORK/other"
	dump "$WORK/SYSTEM" >"$WORK/before"
	iconv -f UTF-16LE -t UTF-8 "$WORK/lsa.reg" | sed '1s/^\xef\xbb\xbf//' >"$WORK/utf8.reg"
	hivexregedit --merge --prefix 'HKEY_LOCAL_MACHINE\SYSTEM' --encoding UTF-16LE "$WORK/other" "$WORK/utf8.reg"
	cmp <("$ODJSTICK" hive export "$WORK/SYSTEM" --text) <("$ODJSTICK" hive export "$WORK/other" --text)
	# what mkhive builds from the text form holds the same values
	{ echo 'hive ROOT 5'; sed -n 's/^sd top = /sd top = /p' "$REPO/tests/vectors/hives/win11-SYSTEM.hive-text"; echo 'root top'
		"$ODJSTICK" hive export "$WORK/SYSTEM" --text; } | sed 's/^\[\]$//' >"$WORK/text"
	make -s -C "$REPO" BUILD="$BUILD" "$BUILD/tests/tools/mkhive" >/dev/null
	"$(dirname "$HIVES")/tests/tools/mkhive" "$WORK/text" "$WORK/rebuilt"
	cmp <("$ODJSTICK" hive export "$WORK/SYSTEM" --text | grep -v '^# security') \
		<("$ODJSTICK" hive export "$WORK/rebuilt" --text | grep -v '^# security')
}

@test "every hive parsed and serialised is the same, byte for byte" {
	need_shared
	local f
	make -s -C "$REPO" BUILD="$BUILD" "$BUILD/tests/hive/roundtrip" >/dev/null
	while read -r f; do
		rm -f "$WORK"/*
		real_hive "$f" >"$WORK/h"
		if [ "$f" = edge/TruncatedHive ]; then # its bins end behind the file
			refuses 1 'cut short' "$BUILD/tests/hive/roundtrip" "$WORK/h"
			continue
		fi
		"$BUILD/tests/hive/roundtrip" "$WORK/h" || { echo "$f"; return 1; }
		"$ODJSTICK" hive recover "$WORK/h" -o "$WORK/out" >/dev/null || [ "$?" -eq 6 ] || return 1 # 6: dirty, and alone
		# files may be longer than their bins: over-allocated space that belongs to nobody
		[ ! -e "$WORK/out" ] || cmp -n "$(stat -c %s "$WORK/out")" "$WORK/h" "$WORK/out"
	done < <(hives)
}

@test "libregf reads what was written, and no key more or less" {
	need_tools regfexport
	local k="$LSA\\OfflineJoin"
	"$ODJSTICK" hive set "$WORK/SYSTEM" "$k" MachineName REG_SZ PC-0042
	regfexport "$WORK/SYSTEM" >"$WORK/export" 2>/dev/null
	grep -q 'PC-0042' "$WORK/export"
	[ "$(grep -c '^Key path:' "$WORK/export")" -eq "$("$ODJSTICK" hive check "$WORK/SYSTEM" --json | jq .keys)" ] ||
		{ grep -ci 'key path' "$WORK/export"; head -20 "$WORK/export"; return 1; }
}

@test "the library alone serves another program: one header, one archive, no stray names" {
	need_tools hivexget nm
	make -s -C "$REPO" BUILD="$BUILD" "$BUILD/libhive.a" >/dev/null
	gcc -std=c17 -Wall -Wextra -Wpedantic -Werror -I"$REPO/injector" -o "$WORK/example" "$REPO/tests/hive/example.c" "$BUILD/libhive.a"
	"$WORK/example" "$WORK/SYSTEM" "$LSA\\OfflineJoin" MachineName PC-0042
	[ "$(hivexget "$WORK/SYSTEM" "$LSA\\OfflineJoin" MachineName)" = PC-0042 ]
	refuses 1 'No such file' "$WORK/example" "$WORK/absent" a b c
	nm -g --defined-only "$BUILD/libhive.a" | awk 'NF == 3 {print $3}' >"$WORK/names"
	grep -q '^hive_commit$' "$WORK/names"
	run grep -vE '^(hive|bytedev|err|buf)_|^(put_)?le(16|32|64)$|^freep$' "$WORK/names"
	[ -z "$output" ] || { echo "$output"; return 1; }
	# what the header declares is what is there
	grep -oE '\bhive_[a-z0-9_]+\(' "$REPO/injector/hive/hive.h" | tr -d '(' | sort -u >"$WORK/declared"
	comm -23 "$WORK/declared" <(sort -u "$WORK/names") >"$WORK/missing"
	[ ! -s "$WORK/missing" ] || { cat "$WORK/missing"; return 1; }
}
