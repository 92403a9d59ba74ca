#!/usr/bin/env bats
# odjstick undo: what apply wrote is taken back, and every refusal leaves the disk as it is. hivex
# and ntfscat judge.

load common
load pc

setup_file() {
	load common
	load pc
	export LAB="$BATS_FILE_TMPDIR/lab"
	export PC="$BATS_FILE_TMPDIR/pc"
	mkdir -p "$PC"
	lab "$LAB"
	stick "$LAB/stick" "$LAB"
	win11 "$PC/win11"
	disk "$PC/win11.img" 64 "$PC/win11"
	generalized "$PC/sealed"
	disk "$PC/sealed.img" 64 "$PC/sealed"
}

setup() {
	need_tools hivexget hivexregedit ntfscat ntfscp mkntfs
	cp -r "$LAB/stick" "$WORK/stick"
	STICK="$WORK/stick"
	DISK="$WORK/disk.img"
}

# pc IMG: a copy of a prepared disk.
pc() {
	cp --sparse=always "$PC/$1.img" "$DISK"
}

undo() {
	"$ODJSTICK" undo --stick "$STICK" --target "$DISK" --passphrase-file "$LAB/pass" --yes "$@"
}

same_hive() {
	/usr/bin/python3 "$REPO/tests/tools/same_hive.py" "$@"
}

# untouched COMMAND...: run it, and the disk's bytes stay the same.
untouched() {
	local before status=0
	before="$(sha256sum <"$DISK")"
	"$@" || status=$?
	[ "$before" = "$(sha256sum <"$DISK")" ] || { echo "the disk was changed"; return 99; }
	return "$status"
}

# undone: the journal says so and stands, and the record is gone.
undone() {
	last_record "$STICK" undo | grep -q '"result":"ok"'
	"$ODJSTICK" journal verify "$STICK" --lab "$LAB/LAB.pub"
	[ -z "$(ls "$STICK/state" | grep undo-)" ]
}

@test "undo: registry: hivex reads the same hive as before the join" {
	pc win11
	hive_of "$DISK" "$WORK/before"
	apply "$STICK" "$DISK" --name ALM-FIL-001
	hive_of "$DISK" "$WORK/joined"
	run same_hive "$WORK/before" "$WORK/joined"
	[ "$status" -eq 1 ] # the judge sees the join
	run undo --name ALM-FIL-001
	[ "$status" -eq 0 ]
	[[ "$output" == *"provision it again"* ]]
	hive_of "$DISK" "$WORK/after"
	same_hive "$WORK/before" "$WORK/after"
	ntfsfix -n "$DISK" >/dev/null
	undone
	refuses 1 "already used" untouched apply "$STICK" "$DISK" --name ALM-FIL-001
	apply "$STICK" "$DISK" --name ALM-FIL-002 # the PC can be joined again with another entry
	need_judge
	regfcheck "$WORK/after"
}

@test "undo: registry: the control set that a real Windows 7 left" {
	need_shared
	win7 "$WORK/tree"
	disk "$DISK" 128 "$WORK/tree"
	hive_of "$DISK" "$WORK/before"
	apply "$STICK" "$DISK" --serial 5CG1234X03
	undo --serial 5CG1234X03
	hive_of "$DISK" "$WORK/after"
	same_hive "$WORK/before" "$WORK/after"
	regfcheck "$WORK/after"
	undone
}

@test "undo: unattend.xml that was made goes away" {
	pc sealed
	apply "$STICK" "$DISK" --name ALM-FIL-005
	ntfscat -f "$DISK" Windows/Panther/unattend.xml | grep -q AccountData
	undo --name ALM-FIL-005
	run ntfsls -f -p Windows/Panther "$DISK"
	[[ "$output" != *unattend* ]]
	ntfsfix -n "$DISK" >/dev/null
	undone
}

@test "undo: unattend.xml that was there has its old bytes again; a folder that was made is gone" {
	cp -r "$PC/sealed" "$WORK/tree"
	printf '<?xml version="1.0"?>\r\n<unattend xmlns="urn:schemas-microsoft-com:unattend">\r\n<!-- ours -->\r\n</unattend>\r\n' \
		>"$WORK/tree/Windows/Panther/unattend.xml"
	disk "$DISK" 64 "$WORK/tree"
	apply "$STICK" "$DISK" --name ALM-FIL-005
	undo --name ALM-FIL-005
	ntfscat -f "$DISK" Windows/Panther/unattend.xml | cmp - "$WORK/tree/Windows/Panther/unattend.xml"
	undone

	cat >"$WORK/tree/Windows/Panther/unattend.xml" <<'XML'
<?xml version="1.0"?><unattend xmlns="urn:schemas-microsoft-com:unattend"><settings pass="specialize" wasPassProcessed="true"/></unattend>
XML
	disk "$DISK" 64 "$WORK/tree"
	apply "$STICK" "$DISK" --name ALM-FIL-006
	ntfscat -f "$DISK" Windows/Panther/Unattend/unattend.xml | grep -q AccountData
	undo --name ALM-FIL-006
	run ntfsls -f -p Windows/Panther "$DISK"
	[[ "$output" != *Unattend* ]]
	ntfscat -f "$DISK" Windows/Panther/unattend.xml | cmp - "$WORK/tree/Windows/Panther/unattend.xml"
	undone
}

@test "undo: of an apply that was finished by a second run restores what the first one found" {
	pc win11
	hive_of "$DISK" "$WORK/before"
	apply "$STICK" "$DISK" --name ALM-FIL-006
	cp -r "$LAB/stick" "$WORK/stick2" # as if the stick had been pulled before it spent the entry
	cp "$STICK"/state/undo-*.sealed "$WORK/stick2/state/"
	STICK="$WORK/stick2"
	apply "$STICK" "$DISK" --name ALM-FIL-006
	undo --name ALM-FIL-006
	hive_of "$DISK" "$WORK/after"
	same_hive "$WORK/before" "$WORK/after"
}

# names IMG: every file of Windows, as another program lists them.
names() {
	ntfsls -f -R -p Windows "$1" | sort
}

@test "undo: logs that this Windows had lost are in the plan, are made, and go again" {
	cp -r "$PC/win11" "$WORK/tree"
	rm "$WORK"/tree/Windows/System32/config/SYSTEM.LOG?
	disk "$DISK" 64 "$WORK/tree"
	names "$DISK" >"$WORK/names"
	hive_of "$DISK" "$WORK/before"
	[ "$(apply "$STICK" "$DISK" --name ALM-FIL-001 --dry-run --json |
		jq -c '[.plan.items[] | select(.kind == "file") | [.hive, .place, .existed, .before]]')" = \
		'[["SYSTEM","/Windows/System32/config/SYSTEM.LOG1",false,null],["SYSTEM","/Windows/System32/config/SYSTEM.LOG2",false,null]]' ]
	[ "$(apply "$STICK" "$PC/win11.img" --name ALM-FIL-001 --dry-run --json |
		jq '[.plan.items[] | select(.kind == "file")] | length')" -eq 0 ]
	run apply "$STICK" "$DISK" --name ALM-FIL-001
	[ "$status" -eq 0 ]
	[[ "$output" == *"/Windows/System32/config/SYSTEM.LOG2"*"(absent) -> (empty log"* ]]
	[ "$(diff "$WORK/names" <(names "$DISK") | grep -c '^>.*SYSTEM\.LOG[12]$')" -eq 2 ]
	# finished by a second run, whose plan has the logs no more: the first one's record knows them
	cp -r "$LAB/stick" "$WORK/stick2"
	cp "$STICK"/state/undo-*.sealed "$WORK/stick2/state/"
	STICK="$WORK/stick2"
	apply "$STICK" "$DISK" --name ALM-FIL-001
	undo --name ALM-FIL-001
	diff "$WORK/names" <(names "$DISK")
	hive_of "$DISK" "$WORK/after"
	same_hive "$WORK/before" "$WORK/after"
	ntfsfix -n "$DISK" >/dev/null
	undone
}

@test "undo: cut off after its write, it is finished by running it again" {
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-001
	local sealed
	sealed="$(ls "$STICK"/state/undo-*.sealed)"
	chattr +i "$sealed" 2>/dev/null || skip "cannot make a file immutable here"
	run undo --name ALM-FIL-001
	chattr -i "$sealed"
	[ "$status" -ne 0 ]
	undo --name ALM-FIL-001
	undone
}

@test "undo: the stick is pulled while the PC is looked at: said so, and run again it is undone" {
	cp -r "$PC/win11" "$WORK/win11"
	apply "$STICK" "$WORK/win11" --name ALM-FIL-001
	pulled undo --yes --name ALM-FIL-001
	DISK="$WORK/win11"
	undo --name ALM-FIL-001
	undone
}

@test "secrets: the state folder holds no password, before or after" {
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-001
	[ "$(find "$STICK/state" -name 'undo-*.sealed' | wc -l)" -eq 1 ]
	/usr/bin/python3 - "$BLOBS/ALM-FIL-001.json" "$STICK/state" <<'PY'
import json, os, sys
win7 = json.load(open(sys.argv[1]))["blobs"][0]["win7"]
raw = bytes.fromhex(win7["machine_password_utf16le_hex"])
for f in os.listdir(sys.argv[2]):
    data = open(os.path.join(sys.argv[2], f), "rb").read()
    for secret in (raw, raw[:32], raw.decode("utf-16-le").encode(), b"DESKTOP-7Q2LM4A",
                   "DESKTOP-7Q2LM4A".encode("utf-16-le")):
        assert secret not in data, f
PY
}

@test "refusal: nothing to undo" {
	pc win11
	refuses 1 "nothing to undo" untouched undo --name ALM-FIL-001
	last_record "$STICK" refused | grep -q '"check":"undo"'
	apply "$STICK" "$DISK" --name ALM-FIL-001
	undo --name ALM-FIL-001
	refuses 1 "nothing to undo" untouched undo --name ALM-FIL-001
}

@test "refusal: the disk of another PC, joined or not" {
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-001
	pc win11
	refuses 1 "nothing to undo" untouched undo --name ALM-FIL-001
	apply "$STICK" "$DISK" --name ALM-FIL-002
	refuses 1 "does not hold what was written" untouched undo --name ALM-FIL-001
	pc sealed # another volume, which its serial number shows unless both were made in one instant
	refuses 1 "" untouched undo --name ALM-FIL-001
	[[ $output == *"not the disk"* || $output == *"does not hold"* ]]
}

@test "refusal: wrong passphrase" {
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-001
	echo wrong >"$WORK/wrong"
	refuses 4 "passphrase" untouched "$ODJSTICK" undo --stick "$STICK" --target "$DISK" \
		--name ALM-FIL-001 --yes --passphrase-file "$WORK/wrong"
}

@test "refusal: Windows has started since" {
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-001
	# what a first start leaves: the join is used up, the host name has changed
	hive_of "$DISK" "$WORK/SYSTEM"
	cat >"$WORK/started.reg" <<'REG'
Windows Registry Editor Version 5.00

[-HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Lsa\OfflineJoin]
REG
	hivexregedit --merge --prefix 'HKEY_LOCAL_MACHINE\SYSTEM' "$WORK/SYSTEM" "$WORK/started.reg"
	ntfscp -q -f "$DISK" "$WORK/SYSTEM" Windows/System32/config/SYSTEM
	refuses 6 "has started" untouched undo --name ALM-FIL-001
}

@test "refusal: somebody added to a key that was made" {
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-001
	hive_of "$DISK" "$WORK/SYSTEM"
	cat >"$WORK/added.reg" <<'REG'
Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Lsa\OfflineJoin]
"Foreign"=dword:00000001
REG
	hivexregedit --merge --prefix 'HKEY_LOCAL_MACHINE\SYSTEM' "$WORK/SYSTEM" "$WORK/added.reg"
	ntfscp -q -f "$DISK" "$WORK/SYSTEM" Windows/System32/config/SYSTEM
	refuses 1 "more than this stick" untouched undo --name ALM-FIL-001
}

@test "refusal: a damaged record, and one of another entry" {
	local sealed
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-001
	sealed="$(ls "$STICK"/state/undo-*.sealed)"
	cp "$sealed" "$STICK/state/undo-1.sealed"
	refuses 5 "damaged or belongs" untouched undo --name ALM-FIL-002
	printf 'X' | dd of="$sealed" bs=1 seek=100 conv=notrunc status=none
	refuses 5 "damaged or belongs" untouched undo --name ALM-FIL-001
}

@test "refusal: the name is not typed" {
	pc win11
	apply "$STICK" "$DISK" --name ALM-FIL-001
	refuses 1 "not confirmed" untouched "$ODJSTICK" undo --stick "$STICK" --target "$DISK" \
		--name ALM-FIL-001 --passphrase-file "$LAB/pass" </dev/null
}
