# odjstick hive: one registry hive file, judged by hivex, reged and regfcheck.py.
load common

setup() {
	make -s -C "$REPO" BUILD="${BUILD:-build}" "${BUILD:-build}/hives/win11-SYSTEM" >/dev/null
	case "${BUILD:-build}" in /*) HIVES="$BUILD/hives" ;; *) HIVES="$REPO/${BUILD:-build}/hives" ;; esac
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

@test "hive set refuses what it cannot say" {
	refuses 2 'not a number' "$ODJSTICK" hive set "$WORK/SYSTEM" Select x REG_DWORD 4294967296
	refuses 2 'hex digit' "$ODJSTICK" hive set "$WORK/SYSTEM" Select x REG_BINARY 0g
	refuses 2 'not a value type' "$ODJSTICK" hive set "$WORK/SYSTEM" Select x REG_LINK 00
	cmp "$HIVES/win11-SYSTEM" "$WORK/SYSTEM"
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
