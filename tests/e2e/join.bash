# One PC joined by the booted stick: the SMBIOS serial number selects it, the wizard finishes, the PC
# goes off, and the host reads disk and stick with tools that are not ours. Load after cli/common,
# cli/pc and image-common.

# The lab of a file, in $LAB. Deriving the key takes 8 MiB here, so that it
# fits into the smallest PC of the boot matrix; the lab's default is 256 MiB.
join_lab() {
	export LAB="$BATS_FILE_TMPDIR/lab"
	lab "$LAB" --kdf-memory 8
}

# make_stick OUT [OPTION...]: with --size larger than the image, as real sticks are.
make_stick() {
	"$ODJSTICK" stick make --image "$IMAGE" --bundle "$LAB/batch.odjb" --lab "$LAB/LAB.key" \
		--passphrase-file "$LAB/lab.pass" -o "$@" >/dev/null
}

# boots_and_joins TREE MB TABLE SERIAL NAME WALK-OPTIONS...
boots_and_joins() {
	local tree="$1" mb="$2" table="$3" serial="$4" name="$5"
	shift 5
	make_stick "$WORK/stick.img" --size 300M
	disk "$WORK/pc.img" "$mb" "$tree" --partitioned "$table"
	ntfs_part "$WORK/pc.img" "$WORK/before.ntfs"
	hive_of "$WORK/before.ntfs" "$WORK/before"

	/usr/bin/python3 "$REPO/tests/e2e/walk.py" "$WORK/stick.img" "$WORK/pc.img" "$serial" "$name" \
		'engineer passphrase' "$@" --log "$WORK/console.log"

	ntfs_part "$WORK/pc.img" "$WORK/after.ntfs"
	hive_of "$WORK/after.ntfs" "$WORK/after"
	/usr/bin/python3 "$REPO/tests/tools/join_judge.py" "$WORK/before" "$BLOBS/$name.registry.json" "$WORK/after"
	ntfsfix -n "$WORK/after.ntfs" >/dev/null

	partition "$WORK/stick.img" 1 >"$WORK/data.fat"
	fat_is_clean "$WORK/data.fat"
	"$ODJSTICK" image verify "$WORK/stick.img" --lab "$LAB/LAB.pub"
	mkdir "$WORK/back"
	"$REPO/image/get-stick" "$WORK/stick.img" "$WORK/back"
	/usr/bin/python3 "$REPO/tests/tools/journal_verify.py" "$WORK/back" --lab "$(lab_hex "$LAB/LAB.pub")"
	last_record "$WORK/back" result | grep "\"computer_name\":\"$name\"" | grep -q '"result":"ok"'
	last_record "$WORK/back" pc-seen | grep -q '"serial_source":"system"'
	! grep -q "engineer passphrase" "$WORK/console.log"
	need_judge
	regfcheck "$WORK/after"
}

# ntfs_part DISK OUT: the largest partition of the disk.
ntfs_part() {
	local start size
	read -r start size < <(sfdisk --json "$1" |
		jq -r '.partitiontable.partitions | max_by(.size) | "\(.start) \(.size)"')
	dd if="$1" of="$2" bs=1M iflag=skip_bytes,count_bytes skip=$((start * 512)) \
		count=$((size * 512)) conv=sparse status=none
}

# row FIRMWARE BUS USB: a row of the boot matrix, in as little memory as is promised: 256 MiB under
# UEFI, 128 MiB under BIOS. A partitioned disk is 24 MiB larger than its Windows; an SD card has to be
# a power of two.
row() {
	local firmware="$1" bus="$2" usb="$3" ram=256 table=gpt mb=96
	[ "$firmware" != bios ] || ram=128 table=mbr
	[ "$bus" != sd ] || mb=232
	win11 "$WORK/tree"
	boots_and_joins "$WORK/tree" "$mb" "$table" 5CG1234X01 ALM-FIL-001 \
		--firmware "$firmware" --bus "$bus" --usb "$usb" --ram "$ram"
}
