# odjstick windows list|inspect, judged by hivex on the same hives.
load common

TOOLS="$BUILD/tests/tools"

# tree NAME HIVE=FIXTURE...: a folder that looks like the volume of a Windows.
tree() {
	local dir="$WORK/$1" pair
	shift
	mkdir -p "$dir/Windows/System32/config"
	for pair; do
		real_hive "${pair#*=}" >"$dir/Windows/System32/config/${pair%%=*}"
	done
}

# field FILE a.b.c: one value of a JSON file.
field() {
	/usr/bin/python3 - "$1" "$2" <<'PY'
import json, sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."):
    v = v[int(k)] if k.isdigit() else v[k]
print(str(v).lower() if isinstance(v, bool) else v)
PY
}

# same_facts JSON CONFIG: every fact that a hive holds equals what hivex reads there.
same_facts() {
	/usr/bin/python3 - "$1" "$2" <<'PY'
import hivex, json, os, struct, sys

facts = json.load(open(sys.argv[1]))
checked = 0

def open_hive(name):
    path = os.path.join(sys.argv[2], name)
    return hivex.Hivex(path) if os.path.exists(path) else None

def value(h, path, name):
    node = h.root()
    for part in path.split("\\"):
        node = h.node_get_child(node, part) if node else None
    if not node:
        return None
    for v in h.node_values(node):
        if h.value_key(v).lower() == name.lower():
            kind, data = h.value_value(v)
            if kind == 1:
                return data.decode("utf-16-le", "replace").split("\0")[0] if len(data) % 2 == 0 else None
            return struct.unpack("<I", data)[0] if kind == 4 else data
    return None

def same(where, want, default=""):
    global checked
    got = facts
    for k in where.split("."):
        got = got[k]
    want = default if want is None else want
    if got != want:
        sys.exit(f"{where}: {got!r}, hivex reads {want!r}")
    checked += 1

def policy(blob, name):
    at, end = 20, 20 + struct.unpack_from("<I", blob, 4)[0]
    while at < end:
        total, nlen, kind, dlen = struct.unpack_from("<4H", blob, at)
        text = blob[at + 16:at + 16 + nlen].decode("utf-16-le")
        if text == name:
            return struct.unpack_from("<I", blob, at + 16 + nlen)[0]
        at += total
    return None

system = open_hive("SYSTEM")
n = value(system, "Select", "Current")
ccs = "ControlSet%03d\\" % n
same("identity.control_set", n)
same("identity.control_set_default", value(system, "Select", "Default"))
same("identity.computer_name", value(system, ccs + "Control\\ComputerName\\ComputerName", "ComputerName"))
same("identity.host_name", value(system, ccs + "Services\\Tcpip\\Parameters", "NV Hostname"))
domain = value(system, ccs + "Services\\Tcpip\\Parameters", "NV Domain")
same("identity.domain", domain)
same("identity.join", "joined" if domain else "none")
arch = value(system, ccs + "Control\\Session Manager\\Environment", "PROCESSOR_ARCHITECTURE")
same("release.architecture", arch.lower())
same("release.server", value(system, ccs + "Control\\ProductOptions", "ProductType") != "WinNT")
allowed = policy(value(system, ccs + "Control\\ProductOptions", "ProductPolicy"),
                 "WorkstationService-DomainJoinEnabled")
same("release.may_join", "yes" if allowed else "no")
same("release.may_join_source", "ProductPolicy")
same("clock.time_zone", value(system, ccs + "Control\\TimeZoneInformation", "TimeZoneKeyName"))
for key, name in (("system_setup_in_progress", "SystemSetupInProgress"), ("setup_type", "SetupType"),
                  ("oobe_in_progress", "OOBEInProgress"), ("setup_phase", "SetupPhase")):
    same("setup." + key, value(system, "Setup", name), 0)
same("setup.cmdline", value(system, "Setup", "CmdLine"))
same("setup.generalization_state", value(system, "Setup\\Status\\SysprepStatus", "GeneralizationState"), 0)

software = open_hive("SOFTWARE")
if software:
    cv = "Microsoft\\Windows NT\\CurrentVersion"
    product = value(software, cv, "ProductName")
    if int(value(software, cv, "CurrentBuild")) >= 22000:
        product = product.replace("Windows 10", "Windows 11")
    same("release.product", product)
    same("release.edition", value(software, cv, "EditionID"))
    same("release.build", int(value(software, cv, "CurrentBuild")))
    same("release.ubr", value(software, cv, "UBR"), 0)
    same("setup.image_state", value(software, "Microsoft\\Windows\\CurrentVersion\\Setup\\State", "ImageState"))
    same("setup.phase", "complete")
print(checked)
PY
}

@test "windows inspect agrees with hivex on a joined Windows 7" {
	need_shared
	tree w7 SYSTEM=win7sp1-x86-domain/SYSTEM SOFTWARE=win7sp1-x86/SOFTWARE
	"$ODJSTICK" windows inspect --json "$WORK/w7" >"$WORK/json"
	run same_facts "$WORK/json" "$WORK/w7/Windows/System32/config"
	echo "$output"
	[ "$status" -eq 0 ] && [ "$output" -ge 20 ]
	[ "$(field "$WORK/json" hives.system.dirty)" = false ]
	[ "$(field "$WORK/json" hives.security.present)" = false ]
}

@test "windows inspect agrees with hivex on a Windows 10 of a workgroup" {
	need_shared
	tree w10 SYSTEM=win10-19041-SYSTEM-clean/SYSTEM
	"$ODJSTICK" windows inspect --json "$WORK/w10" >"$WORK/json"
	run same_facts "$WORK/json" "$WORK/w10/Windows/System32/config"
	echo "$output"
	[ "$status" -eq 0 ] && [ "$output" -ge 15 ]
	[ "$(field "$WORK/json" setup.phase)" = unknown ]
}

@test "windows inspect reports a dirty hive without logs and still names the PC" {
	need_shared
	tree dirty SYSTEM=win10-1903-dirty-nologs/SYSTEM
	"$ODJSTICK" windows inspect --json "$WORK/dirty" >"$WORK/json"
	[ "$(field "$WORK/json" hives.system.dirty)" = true ]
	[ "$(field "$WORK/json" hives.system.readable)" = false ]
	[ "$(field "$WORK/json" hives.system.recoverable)" = false ]
	[ -n "$(field "$WORK/json" hives.system.problem)" ]
	[[ "$(field "$WORK/json" identity.computer_name)" == DESKTOP-* ]]
}

@test "windows inspect reads membership from the SECURITY policy" {
	need_shared
	tree w81 SYSTEM=win7sp1-x86-domain/SYSTEM SECURITY=win81-SECURITY-dirty/SECURITY
	"$ODJSTICK" windows inspect --json "$WORK/w81" >"$WORK/json"
	cat "$WORK/json"
	[ "$(field "$WORK/json" hives.security.dirty)" = true ]
	[ "$(field "$WORK/json" identity.join)" = joined ]
}

@test "windows list shows folders, and refuses where there is none" {
	need_shared
	tree w7 SYSTEM=win7sp1-x86-domain/SYSTEM SOFTWARE=win7sp1-x86/SOFTWARE
	run "$ODJSTICK" windows list "$WORK/w7"
	[ "$status" -eq 0 ]
	[[ "$output" == *"Windows 7 Ultimate"* && "$output" == *"joined to"* ]]
	"$ODJSTICK" windows list --json "$WORK/w7" >"$WORK/json"
	[ "$(field "$WORK/json" 0.kind)" = folder ]
	[ "$(field "$WORK/json" 0.windows.release.build)" = 7601 ]
	mkdir "$WORK/empty"
	refuses 1 "no Windows was found" "$ODJSTICK" windows list "$WORK/empty"
	refuses 1 "Windows" "$ODJSTICK" windows inspect "$WORK/empty"
	refuses 1 "absent" "$ODJSTICK" windows inspect "$WORK/absent"
	refuses 2 "usage:" "$ODJSTICK" windows inspect
}

@test "windows inspect changes no byte of what it looks at" {
	need_shared
	tree dirty SYSTEM=win10-1903-dirty-nologs/SYSTEM SOFTWARE=win7sp1-x86/SOFTWARE
	(cd "$WORK/dirty" && find . -type f -exec sha256sum {} + | sort) >"$WORK/before"
	"$ODJSTICK" windows inspect "$WORK/dirty" >/dev/null
	(cd "$WORK/dirty" && find . -type f -exec sha256sum {} + | sort) >"$WORK/after"
	cmp "$WORK/before" "$WORK/after"
}

# image NAME FLAVOUR OPTION...: an NTFS image or disk with a synthetic Windows 11.
image() {
	local dir="$WORK/src-$1" name="$1" flavour="$2"
	shift 2
	mkdir -p "$dir/Windows/System32/config"
	cp "$BUILD/hives/$flavour-SYSTEM" "$dir/Windows/System32/config/SYSTEM"
	cp "$BUILD/hives/$flavour-SOFTWARE" "$dir/Windows/System32/config/SOFTWARE"
	"$TOOLS/ntfstree" "$WORK/$name" 64 "$dir" "$@" >/dev/null
}

@test "windows inspect finds Windows 11 on NTFS: bare, GPT and MBR disks" {
	image bare win11
	image gpt win11-generalized --partitioned gpt
	image mbr win11 --partitioned mbr
	local name phase
	for name in bare:complete gpt:generalized mbr:complete; do
		sha256sum "$WORK/${name%:*}" >"$WORK/sum"
		"$ODJSTICK" windows inspect --json "$WORK/${name%:*}" >"$WORK/json"
		sha256sum -c --quiet "$WORK/sum"
		[ "$(field "$WORK/json" setup.phase)" = "${name#*:}" ]
		[ "$(field "$WORK/json" release.product)" = "Windows 11 Pro" ]
		run same_facts "$WORK/json" "$WORK/src-bare/Windows/System32/config"
		[ "$name" != bare:complete ] || { echo "$output"; [ "$status" -eq 0 ]; }
	done
	run "$ODJSTICK" windows list "$WORK/bare" "$WORK/gpt"
	[ "$status" -eq 0 ]
	[ "$(grep -c "Windows 11 Pro" <<<"$output")" -eq 2 ]
}

@test "windows inspect reports hibernation, and refuses BitLocker with exit status 6" {
	image hiber win11 --hiberfile hibr
	"$ODJSTICK" windows inspect --json "$WORK/hiber" >"$WORK/json"
	[ "$(field "$WORK/json" volume.hibernated)" = true ]
	image locked win11 --bitlocker
	refuses 6 "BitLocker" "$ODJSTICK" windows inspect "$WORK/locked"
}

@test "a RAID member and a dynamic disk are listed with their reason, and are not a Windows" {
	image raid win11 --partitioned gpt
	truncate -s +64K "$WORK/raid"
	printf 'Intel Raid ISM Cfg Sig. 1.3.00' |
		dd of="$WORK/raid" bs=1 seek=$(($(stat -c %s "$WORK/raid") - 1024)) conv=notrunc status=none
	[ "$(blkid -p -u raid -o value -s TYPE "$WORK/raid")" = isw_raid_member ]
	image ldm win11 --partitioned mbr
	sfdisk -q --part-type "$WORK/ldm" 2 42
	refuses 1 "member of a RAID array" "$ODJSTICK" windows list "$WORK/raid"
	refuses 1 "dynamic disk" "$ODJSTICK" windows list "$WORK/ldm"
	refuses 6 "member of a RAID array" "$ODJSTICK" windows inspect "$WORK/raid"
	refuses 6 "dynamic disk" "$ODJSTICK" windows inspect "$WORK/ldm" --partition 2
	run "$ODJSTICK" windows list --json "$WORK/raid"
	[[ "$output" == *'"type": "isw_raid_member"'* ]]
	wipefs -q -a -t isw_raid_member "$WORK/raid"
	"$ODJSTICK" windows list "$WORK/raid" | grep -q "Windows 11 Pro"
}
