#!/usr/bin/env bats
# odjstick apply: one PC, start to finish, and every refusal. The judges are hivex, ntfscat,
# regfcheck.py and sha256sum; our own code never says whether a disk is right.

load common
load pc

setup_file() {
	load common
	load pc
	export LAB="$BATS_FILE_TMPDIR/lab"
	export PC="$BATS_FILE_TMPDIR/pc"
	mkdir -p "$PC"
	lab "$LAB" --kdf-memory 8
	stick "$LAB/stick" "$LAB"
	win11 "$PC/win11"
	disk "$PC/win11.img" 64 "$PC/win11"
	if [ -d "$SHARED/fixtures" ]; then
		win7 "$PC/win7"
		disk "$PC/win7.img" 128 "$PC/win7"
	fi
}

setup() {
	need_tools hivexget hivexregedit ntfscat mkntfs sfdisk
	cp -r "$LAB/stick" "$WORK/stick"
	STICK="$WORK/stick"
}

# pc IMG: a copy of a prepared disk.
pc() {
	cp --sparse=always "$PC/$1.img" "$WORK/disk.img"
	DISK="$WORK/disk.img"
}

# unchanged IMG COMMAND...: run it, and the image's bytes stay the same.
unchanged() {
	local img="$1" before status=0
	shift
	before="$(sha256sum <"$img")"
	"$@" || status=$?
	[ "$before" = "$(sha256sum <"$img")" ] || { echo "$img was changed"; return 99; }
	return "$status"
}

# refused CHECK: the journal says so, and stands.
refused() {
	last_record "$STICK" refused | grep -q "\"check\":\"$1\"" ||
		{ echo "no refusal \"$1\" in the journal:"; cat "$STICK"/journal/*; return 1; }
	"$ODJSTICK" journal verify "$STICK" --lab "$LAB/LAB.pub"
}

# all_blobs IMG: each of the 25 PCs on a copy of the same disk.
all_blobs() {
	local i name pairs=()
	pc "$1"
	hive_of "$DISK" "$WORK/before"
	for i in $(seq -f %03.0f 1 25); do
		name="ALM-FIL-$i"
		pc "$1"
		apply "$STICK" "$DISK" --name "$name" >"$WORK/out" || { cat "$WORK/out"; return 1; }
		ntfsfix -n "$DISK" >/dev/null || { echo "ntfsfix found damage"; return 1; }
		hive_of "$DISK" "$WORK/$name"
		pairs+=("$BLOBS/$name.registry.json" "$WORK/$name")
	done
	/usr/bin/python3 "$REPO/tests/tools/join_judge.py" "$WORK/before" "${pairs[@]}"
}

# all_sound: the hives that all_blobs kept, by the independent structure checker.
all_sound() {
	printf '%s\n' "$WORK"/ALM-FIL-* | xargs -P 2 -n 4 /usr/bin/python3 "$SHARED/tools/regfcheck.py" -q
}

@test "apply: 25 blobs into a synthetic Windows 11: hivex reads the expected values and nothing else changed" {
	all_blobs win11
	run "$ODJSTICK" journal verify "$STICK" --lab "$LAB/LAB.pub"
	[ "$status" -eq 0 ]
	[ "$(cat "$STICK"/journal/*.jsonl | grep -c '"result":"ok"')" -eq 25 ]
	run grep -c spent <("$ODJSTICK" bundle list "$STICK/bundle.odjb" --passphrase-file "$LAB/pass")
	[ "$output" -ge 25 ]
	need_judge
	all_sound
}

@test "apply: 25 blobs into a real Windows 7 hive: hivex reads the expected values and nothing else changed" {
	need_shared
	all_blobs win7
	all_sound
}

@test "apply: the second partition of a GPT disk and of an MBR disk" {
	local table
	for table in gpt mbr; do
		disk "$WORK/$table.img" 96 "$PC/win11" --partitioned "$table"
		apply "$STICK" "$WORK/$table.img" --name "ALM-FIL-00$([ $table = gpt ] && echo 1 || echo 2)"
	done
}

@test "apply: a folder as target" {
	cp -r "$PC/win11" "$WORK/tree"
	apply "$STICK" "$WORK/tree" --serial 5CG1234X03
	[ "$(hivexget "$WORK/tree/Windows/System32/config/SYSTEM" 'ControlSet001\Control\ComputerName\ComputerName' ComputerName)" = ALM-FIL-003 ]
}

@test "apply: --dry-run shows the plan without the password, changes nothing, starts no session" {
	pc win11
	local before after
	before="$(find "$STICK" -type f -exec sha256sum {} + | sort)"
	run unchanged "$DISK" apply "$STICK" "$DISK" --tag INV-0004 --dry-run --json
	[ "$status" -eq 0 ]
	echo "$output" | /usr/bin/python3 -c '
import json, sys
plan = json.load(sys.stdin)["plan"]
items = {i["name"]: i for i in plan["items"] if i["kind"] == "value"}
assert plan["method"] == "registry"
assert items["MachineName"]["after"] == "ALM-FIL-004"
assert items["CurrentValue"]["after"] == "(machine password)"
'
	after="$(find "$STICK" -type f -exec sha256sum {} + | sort)"
	[ "$before" = "$after" ]
}

@test "apply: unattend.xml when specialize is still ahead, read by an independent XML reader" {
	generalized "$WORK/tree"
	disk "$WORK/disk.img" 64 "$WORK/tree"
	hive_of "$WORK/disk.img" "$WORK/before"
	apply "$STICK" "$WORK/disk.img" --name ALM-FIL-005
	hive_of "$WORK/disk.img" "$WORK/after"
	cmp "$WORK/before" "$WORK/after"
	ntfscat -f "$WORK/disk.img" Windows/Panther/unattend.xml >"$WORK/unattend.xml"
	/usr/bin/python3 - "$WORK/unattend.xml" "$BLOBS/ALM-FIL-005.txt" <<'EOF'
import base64, sys, xml.etree.ElementTree as ET
n = {"u": "urn:schemas-microsoft-com:unattend"}
root = ET.parse(sys.argv[1]).getroot()
blob = open(sys.argv[2], "rb").read().decode("utf-16").rstrip("\0")
data = root.findall("u:settings[@pass='specialize']/u:component[@name='Microsoft-Windows-UnattendedJoin']"
                    "/u:Identification/u:Provisioning/u:AccountData", n)
name = root.findall("u:settings[@pass='specialize']/u:component[@name='Microsoft-Windows-Shell-Setup']/u:ComputerName", n)
assert len(data) == 1 and base64.b64decode(data[0].text) == base64.b64decode(blob)
assert len(name) == 1 and name[0].text == "ALM-FIL-005"
EOF
}

@test "apply: an answer file that Windows has used already is left alone, ours is put before it" {
	generalized "$WORK/tree"
	cat >"$WORK/tree/Windows/Panther/unattend.xml" <<'EOF'
<?xml version="1.0"?><unattend xmlns="urn:schemas-microsoft-com:unattend"><settings pass="specialize" wasPassProcessed="true"/></unattend>
EOF
	disk "$WORK/disk.img" 64 "$WORK/tree"
	apply "$STICK" "$WORK/disk.img" --name ALM-FIL-005
	ntfscat -f "$WORK/disk.img" Windows/Panther/unattend.xml | cmp - "$WORK/tree/Windows/Panther/unattend.xml"
	ntfscat -f "$WORK/disk.img" Windows/Panther/Unattend/unattend.xml | grep -q '<ComputerName>ALM-FIL-005<'
}

@test "apply: a run that was cut off between write and record is finished by running it again" {
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-006 >/dev/null
	cp -r "$LAB/stick" "$WORK/stick2" # the stick as it was before: entry not spent, nothing recorded
	STICK="$WORK/stick2"
	run apply "$STICK" "$DISK" --name ALM-FIL-006
	[ "$status" -eq 0 ]
	[[ "$output" == *"was written before"* ]]
	last_record "$STICK" result | grep -q '"result":"ok"'
}

@test "apply: the reader of its output goes away after the intent, and it finishes all the same" {
	pc win11
	{ apply "$STICK" "$DISK" --name ALM-FIL-006; echo $? >"$WORK/status"; } | sed '/^done: /q' >"$WORK/seen"
	grep -q '^done: ' "$WORK/seen"
	[ "$(cat "$WORK/status")" -eq 0 ]
	last_record "$STICK" result | grep -q '"result":"ok"'
	last_record "$STICK" session-end | grep -q .
}

@test "apply: the stick is pulled while the PC is looked at: said so, with and without --dry-run" {
	cp -r "$PC/win11" "$WORK/win11"
	pulled apply --dry-run --name ALM-FIL-001
	pulled apply --yes --name ALM-FIL-001
	apply "$STICK" "$WORK/win11" --name ALM-FIL-001 # plugged in again
	"$ODJSTICK" journal verify "$STICK" --lab "$LAB/LAB.pub"
}

@test "refusal: wrong passphrase" {
	pc win11
	echo wrong >"$WORK/wrong"
	refuses 4 "passphrase" unchanged "$DISK" "$ODJSTICK" apply --stick "$STICK" --target "$DISK" \
		--name ALM-FIL-001 --yes --passphrase-file "$WORK/wrong"
	last_record "$STICK" unlock-failed | grep -q wrong-key
}

@test "refusal: damaged bundle" {
	pc win11
	printf 'X' | dd of="$STICK/bundle.odjb" bs=1 seek=700 conv=notrunc status=none
	refuses 5 "" unchanged "$DISK" apply "$STICK" "$DISK" --name ALM-FIL-001
	refused bundle
}

@test "refusal: unknown serial, and a placeholder" {
	pc win11
	refuses 1 "" unchanged "$DISK" apply "$STICK" "$DISK" --serial NOT-IN-BATCH
	refused entry
	refuses 1 "placeholder" unchanged "$DISK" apply "$STICK" "$DISK" --serial 'To be filled by O.E.M.'
	refused entry
}

@test "refusal: entry already used" {
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-001 >/dev/null
	pc win11
	refuses 1 "already used" unchanged "$DISK" apply "$STICK" "$DISK" --name ALM-FIL-001
	refused entry
}

@test "refusal: a blob for another name, and for another domain, than its row" {
	local what
	pc win11
	for what in name domain; do
		"$TOOLS/forge_bundle" "$BATCH" "$WORK/$what.odjb" "$LAB/LAB.key" "$LAB/lab.pass" "$LAB/pass" $what
		rm -rf "$STICK"
		stick "$STICK" "$LAB" "$WORK/$what.odjb"
		refuses 1 "the row is for" unchanged "$DISK" apply "$STICK" "$DISK" --name ALM-FIL-001
		refused blob-$what
	done
}

@test "refusal: dirty hive without usable logs" {
	pc win11
	cp -r "$PC/win11" "$WORK/tree"
	# sequence 1 ahead of sequence 2, and the checksum that goes with it
	/usr/bin/python3 - "$WORK/tree/Windows/System32/config/SYSTEM" <<'EOF'
import struct, sys
f = open(sys.argv[1], "r+b")
b = bytearray(f.read(512))
struct.pack_into("<I", b, 4, struct.unpack_from("<I", b, 4)[0] + 1)
x = 0
for (v,) in struct.iter_unpack("<I", bytes(b[:508])): x ^= v
struct.pack_into("<I", b, 508, {0: 1, 0xffffffff: 0xfffffffe}.get(x, x))
f.seek(0); f.write(b)
EOF
	disk "$WORK/dirty.img" 64 "$WORK/tree"
	refuses 6 "SYSTEM hive" unchanged "$WORK/dirty.img" apply "$STICK" "$WORK/dirty.img" --name ALM-FIL-001
	refused hive-system
}

@test "refusal: a real Windows 10 hive that was left dirty" {
	need_shared
	real_hive win10-1903-dirty-nologs/SYSTEM >"$WORK/SYSTEM"
	tree "$WORK/tree" "$WORK/SYSTEM" "$PC/win11/Windows/System32/config/SOFTWARE"
	disk "$WORK/dirty.img" 64 "$WORK/tree"
	refuses 6 "SYSTEM hive" unchanged "$WORK/dirty.img" apply "$STICK" "$WORK/dirty.img" --name ALM-FIL-001
	refused hive-system
}

@test "refusal: hibernated Windows, also Fast Startup" {
	disk "$WORK/hiber.img" 64 "$PC/win11" --hiberfile hibr
	refuses 6 "hibernat" unchanged "$WORK/hiber.img" apply "$STICK" "$WORK/hiber.img" --name ALM-FIL-001
	refused volume
}

@test "refusal: NTFS volume marked dirty" {
	disk "$WORK/dirty.img" 64 "$PC/win11" --dirty
	refuses 6 "" unchanged "$WORK/dirty.img" apply "$STICK" "$WORK/dirty.img" --name ALM-FIL-001
	refused volume
}

@test "refusal: BitLocker volume" {
	disk "$WORK/bl.img" 96 "$PC/win11" --partitioned gpt --bitlocker
	refuses 6 "BitLocker" unchanged "$WORK/bl.img" apply "$STICK" "$WORK/bl.img" --name ALM-FIL-001
	refused windows
}

@test "refusal: half of a mirror, and a dynamic disk, also with the partition named" {
	disk "$WORK/raid.img" 96 "$PC/win11" --partitioned gpt
	truncate -s +64K "$WORK/raid.img"
	printf 'Intel Raid ISM Cfg Sig. 1.3.00' | dd of="$WORK/raid.img" bs=1 conv=notrunc status=none \
		seek=$(($(stat -c %s "$WORK/raid.img") - 1024))
	refuses 6 "member of a RAID array" unchanged "$WORK/raid.img" apply "$STICK" "$WORK/raid.img" \
		--name ALM-FIL-001
	refuses 6 "member of a RAID array" unchanged "$WORK/raid.img" apply "$STICK" "$WORK/raid.img" \
		--name ALM-FIL-001 --partition 3 --reason "I know better"
	disk "$WORK/ldm.img" 96 "$PC/win11" --partitioned mbr
	sfdisk -q --part-type "$WORK/ldm.img" 2 42
	refuses 6 "part of a dynamic disk" unchanged "$WORK/ldm.img" apply "$STICK" "$WORK/ldm.img" \
		--name ALM-FIL-001
	refuses 6 "part of a dynamic disk" unchanged "$WORK/ldm.img" apply "$STICK" "$WORK/ldm.img" \
		--name ALM-FIL-001 --partition 2
	refused windows
}

@test "refusal: an edition that cannot join" {
	win11 "$WORK/tree" 's/DomainJoinEnabled=3/DomainJoinEnabled=0/' 's/"Professional"/"Core"/'
	disk "$WORK/home.img" 64 "$WORK/tree"
	refuses 6 "cannot join a domain" unchanged "$WORK/home.img" apply "$STICK" "$WORK/home.img" --name ALM-FIL-001
	refused edition
}

@test "refusal: already joined" {
	need_shared
	real_hive win7sp1-x86-domain/SYSTEM >"$WORK/SYSTEM"
	tree "$WORK/tree" "$WORK/SYSTEM" "$PC/win7/Windows/System32/config/SOFTWARE"
	disk "$WORK/joined.img" 128 "$WORK/tree"
	refuses 6 "already joined" unchanged "$WORK/joined.img" apply "$STICK" "$WORK/joined.img" --name ALM-FIL-001
	refused join-state
}

@test "refusal: a join of another PC already waits" {
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-002 >/dev/null
	refuses 6 "already waits" unchanged "$DISK" apply "$STICK" "$DISK" --name ALM-FIL-001
	refused join-state
}

@test "refusal: no Windows" {
	mkdir "$WORK/empty"
	echo x >"$WORK/empty/file"
	disk "$WORK/empty.img" 32 "$WORK/empty"
	refuses 1 "no Windows" unchanged "$WORK/empty.img" apply "$STICK" "$WORK/empty.img" --name ALM-FIL-001
	refused windows
}

@test "refusal: two Windows and none chosen; --partition chooses" {
	disk "$WORK/a.img" 64 "$PC/win11"
	truncate -s 140M "$WORK/two.img"
	printf 'label: gpt\nstart=1MiB, size=64MiB, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\nstart=66MiB, size=64MiB, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n' |
		sfdisk -q "$WORK/two.img"
	dd if="$WORK/a.img" of="$WORK/two.img" bs=1M seek=1 conv=notrunc,sparse status=none
	dd if="$WORK/a.img" of="$WORK/two.img" bs=1M seek=66 conv=notrunc,sparse status=none
	refuses 1 "none was chosen" unchanged "$WORK/two.img" apply "$STICK" "$WORK/two.img" --name ALM-FIL-001
	refused windows
	apply "$STICK" "$WORK/two.img" --name ALM-FIL-001 --partition 2
	dd if="$WORK/two.img" of="$WORK/one.img" bs=1M skip=1 count=64 status=none
	cmp "$WORK/a.img" "$WORK/one.img"
}

@test "refusal: unattend.xml shadowed by Setup\\UnattendFile" {
	generalized "$WORK/tree" 's/^OOBEInProgress = .*/&\nUnattendFile = sz:"C:\\\\deploy\\\\unattend.xml"/'
	disk "$WORK/shadow.img" 64 "$WORK/tree"
	refuses 6 "would be ignored" unchanged "$WORK/shadow.img" apply "$STICK" "$WORK/shadow.img" --name ALM-FIL-001
	refused unattend
}

@test "refusal: setup is in between" {
	win11 "$WORK/tree" "" 's/IMAGE_STATE_COMPLETE/IMAGE_STATE_UNDEPLOYABLE/'
	disk "$WORK/between.img" 64 "$WORK/tree"
	refuses 6 "must not be touched" unchanged "$WORK/between.img" apply "$STICK" "$WORK/between.img" --name ALM-FIL-001
	refused phase
}

# A file system of its own for the stick; needs root and a loop device or tmpfs.
stick_on_tmpfs() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to mount a small file system for the stick"
	mkdir "$WORK/small"
	mount -t tmpfs -o size="$1" tmpfs "$WORK/small" || skip "cannot mount here"
	cp -r "$STICK" "$WORK/small/stick"
	STICK="$WORK/small/stick"
}

teardown() {
	if [ -d "$BATS_TEST_TMPDIR/small" ]; then
		umount "$BATS_TEST_TMPDIR/small" || true
	fi
}

@test "refusal: the stick is read-only" {
	pc win11
	stick_on_tmpfs 16M
	mount -o remount,ro "$WORK/small"
	refuses 1 "" unchanged "$DISK" apply "$STICK" "$DISK" --name ALM-FIL-001
	[[ "$output" == *"stick"* ]]
}

@test "refusal: the stick is full" {
	pc win11
	stick_on_tmpfs 4M
	dd if=/dev/zero of="$WORK/small/filler" bs=4k status=none || true
	refuses 1 "" unchanged "$DISK" apply "$STICK" "$DISK" --name ALM-FIL-001
	[[ "$output" == *"stick"* ]]
}

@test "secrets: no password in bundle, journal, state or output; no name or serial in the bundle" {
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-001 --json >"$WORK/out.json"
	/usr/bin/python3 - "$BLOBS" "$STICK" "$WORK/out.json" <<'EOF'
import glob, json, os, sys
blobs, stick, out = sys.argv[1:]
files = [out] + [os.path.join(d, f) for d, _, fs in os.walk(stick) for f in fs]
content = {f: open(f, "rb").read() for f in files}
for truth in sorted(glob.glob(blobs + "/*-???.json")):
    win7 = json.load(open(truth))["blobs"][0]["win7"]
    raw = bytes.fromhex(win7["machine_password_utf16le_hex"])
    name = win7["machine_name"]
    for f, data in content.items():
        for secret in (raw, raw[:32], raw.decode("utf-16-le").encode("utf-8"), raw.hex().encode()):
            assert secret not in data, (f, name)
        if f.endswith("bundle.odjb"):
            for text in (name, "5CG1234X", "INV-00", "corp.example"):
                assert text.encode() not in data and text.encode("utf-16-le") not in data, (f, text)
EOF
}
