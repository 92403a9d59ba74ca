#!/usr/bin/env bats
# The whole job from inside the booted stick: the SMBIOS serial number selects the PC, the wizard
# finishes, the PC goes off, and the host reads disk and stick with tools that are not ours.

load ../cli/common
load ../cli/pc
load image-common

setup_file() {
	load ../cli/common
	load ../cli/pc
	export LAB="$BATS_FILE_TMPDIR/lab"
	lab "$LAB"
	stick "$LAB/stick" "$LAB"
}

# boots_and_joins TREE MB TABLE SERIAL NAME WALK-OPTIONS...
boots_and_joins() {
	local tree="$1" mb="$2" table="$3" serial="$4" name="$5"
	shift 5
	cp --sparse=always "$IMAGE" "$WORK/stick.img"
	"$REPO/image/put-stick" "$WORK/stick.img" "$LAB/stick"
	disk "$WORK/pc.img" "$mb" "$tree" --partitioned "$table"
	ntfs_part "$WORK/pc.img" "$WORK/before.ntfs"
	hive_of "$WORK/before.ntfs" "$WORK/before"

	/usr/bin/python3 "$REPO/tests/e2e/walk.py" "$WORK/stick.img" "$WORK/pc.img" "$serial" "$name" \
		'engineer passphrase' "$@" --log "$WORK/console.log"

	ntfs_part "$WORK/pc.img" "$WORK/after.ntfs"
	hive_of "$WORK/after.ntfs" "$WORK/after"
	/usr/bin/python3 "$REPO/tests/tools/join_judge.py" "$WORK/before" "$BLOBS/$name.registry.json" "$WORK/after"
	ntfsfix -n "$WORK/after.ntfs" >/dev/null
	[ ! -d "$SHARED" ] || regfcheck "$WORK/after"

	partition "$WORK/stick.img" 1 >"$WORK/data.fat"
	fat_is_clean "$WORK/data.fat"
	mkdir "$WORK/back"
	"$REPO/image/get-stick" "$WORK/stick.img" "$WORK/back"
	/usr/bin/python3 "$REPO/tests/tools/journal_verify.py" "$WORK/back" --lab "$(lab_hex "$LAB/LAB.pub")"
	last_record "$WORK/back" result | grep "\"computer_name\":\"$name\"" | grep -q '"result":"ok"'
	last_record "$WORK/back" pc-seen | grep -q '"serial_source":"system"'
	! grep -q "engineer passphrase" "$WORK/console.log"
}

# ntfs_part DISK OUT: the largest partition of the disk.
ntfs_part() {
	local start size
	read -r start size < <(sfdisk --json "$1" |
		jq -r '.partitiontable.partitions | max_by(.size) | "\(.start) \(.size)"')
	dd if="$1" of="$2" bs=1M iflag=skip_bytes,count_bytes skip=$((start * 512)) \
		count=$((size * 512)) conv=sparse status=none
}

@test "stick: joins a synthetic Windows 11 on an NVMe disk with GPT" {
	win11 "$WORK/tree"
	boots_and_joins "$WORK/tree" 96 gpt 5CG1234X01 ALM-FIL-001
}

@test "stick: joins a Windows 7 with real hives on a SATA disk with MBR, under Secure Boot" {
	need_shared
	win7 "$WORK/tree"
	boots_and_joins "$WORK/tree" 160 mbr 5CG1234X02 ALM-FIL-002 --bus ahci --firmware sb
}

@test "secrets: the stick image holds no password, name or serial" {
	cp --sparse=always "$IMAGE" "$WORK/stick.img"
	"$REPO/image/put-stick" "$WORK/stick.img" "$LAB/stick"
	/usr/bin/python3 - "$BLOBS" "$WORK/stick.img" <<'EOF'
import glob, json, sys
image = open(sys.argv[2], "rb").read()
for truth in sorted(glob.glob(sys.argv[1] + "/ALM-FIL-???.json")):
    win7 = json.load(open(truth))["blobs"][0]["win7"]
    raw = bytes.fromhex(win7["machine_password_utf16le_hex"])
    for secret in (raw[:32], raw.decode("utf-16-le").encode("utf-8")[:32], raw.hex().encode()):
        assert secret not in image
    for text in (win7["machine_name"], "5CG1234X", "INV-0001", "corp.example", "engineer passphrase"):
        assert text.encode() not in image and text.encode("utf-16-le") not in image, text
EOF
}
