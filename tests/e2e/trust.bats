# The lab signs an image, and a stick that was changed afterwards is refused: every kind of change that
# could make it boot something else. Judges: minisign, sha256sum, mtools.

load image-common

setup_file() {
	local tmp=$BATS_FILE_TMPDIR
	export ODJSTICK="${ODJSTICK:-$BUILD/odjstick}"
	echo "lab secret" >"$tmp/lp"
	"$ODJSTICK" lab keygen -o "$tmp/LAB" --passphrase-file "$tmp/lp"
	"$ODJSTICK" lab keygen -o "$tmp/OTHER" --passphrase-file "$tmp/lp"
	cp --sparse=always "$IMAGE" "$tmp/signed.img"
	"$ODJSTICK" image sign "$tmp/signed.img" --lab "$tmp/LAB.key" --passphrase-file "$tmp/lp"
}

setup() {
	tmp=$BATS_FILE_TMPDIR
	stick=$BATS_TEST_TMPDIR/stick.img
	cp --sparse=always "$tmp/signed.img" "$stick"
	boot=$stick@@1M data=$stick@@49M
	export MTOOLS_SKIP_CHECK=1
}

verify() {
	run "$ODJSTICK" image verify "$stick" --lab "$tmp/LAB.pub"
}

# refused STATUS WORDS...: by verify, and each word is in what it says.
refused() {
	local want=$1 word
	shift
	verify
	[ "$status" -eq "$want" ] || { echo "exit $status, wanted $want: $output"; return 1; }
	for word; do
		[[ $output == *"$word"* ]] || { echo "lacks \"$word\": $output"; return 1; }
	done
}

# manifest_of IMG: as docs/format-image.md tells an auditor to read it.
manifest_of() {
	dd if="$1" bs=4096 skip=1 count=8 status=none | tr -d '\0'
}

signature_of() {
	dd if="$1" bs=4096 skip=9 count=1 status=none | tr -d '\0'
}

# offset_of NAME: of a file in the boot partition.
offset_of() {
	manifest_of "$stick" | awk -v name="$1" '$4 == name { print $2 }'
}

# flip OFFSET: one bit of the stick.
flip() {
	local byte
	byte=$(od -An -tu1 -j "$1" -N 1 "$stick")
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$stick" bs=1 seek="$1" conv=notrunc status=none
}

# audit IMG: the recipe of docs/format-image.md, without our tool. Prints what differs.
audit() {
	local sha offset length name bad=0
	manifest_of "$1" >"$BATS_TEST_TMPDIR/manifest"
	signature_of "$1" >"$BATS_TEST_TMPDIR/manifest.minisig"
	minisign -V -q -p "$tmp/LAB.pub" -m "$BATS_TEST_TMPDIR/manifest" || return 1
	while read -r sha offset length name; do
		echo "$sha  -" >"$BATS_TEST_TMPDIR/sum"
		dd if="$1" iflag=skip_bytes,count_bytes skip="$offset" count="$length" bs=1M status=none |
			if [ "$name" = /number ]; then LC_ALL=C sed -E '1s/^(.{120})[0-9a-f]{8}/\100000000/'; else cat; fi |
			sha256sum --status -c "$BATS_TEST_TMPDIR/sum" || { echo "differs: $name"; bad=1; }
	done < <(tail -n +3 "$BATS_TEST_TMPDIR/manifest")
	return $bad
}

# put OFFSET BYTES: bytes (as printf escapes) into the data partition.
put() {
	# shellcheck disable=SC2059
	printf "$2" | dd of="$stick" bs=1 seek=$((49 * 1048576 + $1)) conv=notrunc status=none
}

# root_at: where the root folder lies in the data partition.
root_at() {
	/usr/bin/python3 - "$stick" <<-'PY'
		import struct, sys
		f = open(sys.argv[1], "rb"); f.seek(49 << 20); b = f.read(512)
		print((struct.unpack_from("<H", b, 14)[0] + b[16] * struct.unpack_from("<I", b, 36)[0]) * 512)
	PY
}

@test "a signed image is as the lab signed it" {
	verify
	[ "$status" -eq 0 ]
	[[ $output == *"is as the lab signed it"* ]]
	[[ $output == *"$(manifest_of "$stick" | sha256sum | cut -d' ' -f1)"* ]]
}

@test "the stick's number may be any eight digits; what is no digit there, or beside it, differs" {
	local at
	at=$(($(offset_of /number) + 120))
	printf '12ab89ef' | dd of="$stick" bs=1 seek="$at" conv=notrunc status=none
	verify
	[ "$status" -eq 0 ]
	audit "$stick"
	printf 'A' | dd of="$stick" bs=1 seek="$at" conv=notrunc status=none
	refused 5 "differs      /number"
	! audit "$stick"
	printf '0' | dd of="$stick" bs=1 seek="$at" conv=notrunc status=none
	verify
	[ "$status" -eq 0 ]
	flip $((at + 8))
	refused 5 "differs      /number"
	flip $((at + 8))
	flip $((at - 1))
	refused 5 "differs      /number"
}

@test "the manifest names every byte of the MBR, the gap and the boot partition, once" {
	manifest_of "$stick" | tail -n +3 | awk '
		$2 != at && !(at == 458 && $2 == 462) && !(at == 4096 && $2 == 40960) { print "gap at " at; exit 1 }
		{ at = $2 + $3 } END { if (at != 49 * 1048576) { print "ends at " at; exit 1 } }'
}

@test "the hash of each file in the manifest is that of the file as mtools reads it" {
	local sha offset length name files=0
	while read -r sha offset length name; do
		[[ $name == /* ]] || continue
		files=$((files + 1))
		[ "$(mtype -i "$boot" "::$name" | sha256sum | cut -d' ' -f1)" = "$sha" ] || { echo "$name"; return 1; }
	done < <(manifest_of "$stick")
	[ "$files" -eq "$(mdir -a -b -/ -f -i "$boot" :: | grep -vc '/$')" ]
}

@test "an auditor's dd, sha256sum and minisign agree, and see a changed byte" {
	audit "$stick"
	flip $(($(offset_of /initrd) + 1000000))
	run audit "$stick"
	[ "$status" -eq 1 ]
	[ "$output" = "differs: /initrd" ]
}

@test "an image nobody signed: exit 5" {
	cp --sparse=always "$IMAGE" "$stick"
	refused 5 "no lab has signed this image"
}

@test "the key of another lab: exit 4" {
	run "$ODJSTICK" image verify "$stick" --lab "$tmp/OTHER.pub"
	[ "$status" -eq 4 ]
	[[ $output == *"not by the lab's key"* ]]
}

@test "signed again by somebody else after a change: exit 4" {
	flip "$(offset_of /initrd)"
	"$REPO/image/manifest" "$stick"
	"$ODJSTICK" image sign "$stick" --lab "$tmp/OTHER.key" --passphrase-file "$tmp/lp"
	refused 4 "not by the lab's key"
}

@test "changed, and the manifest made anew with the old signature: exit 5" {
	signature_of "$stick" >"$BATS_TEST_TMPDIR/old"
	flip "$(offset_of /initrd)"
	"$REPO/image/manifest" "$stick"
	dd if="$BATS_TEST_TMPDIR/old" of="$stick" bs=4096 seek=9 conv=notrunc status=none
	refused 5 "was changed after the lab signed it"
}

@test "one bit of the initramfs" {
	flip $(($(offset_of /initrd) + 12345))
	refused 5 "differs      /initrd" "1 places differ"
	! cmp -s <(mtype -i "$boot" ::/initrd) <(mtype -i "$IMAGE@@1M" ::/initrd)
}

@test "one bit of the kernel, of shim, of the loader" {
	for file in /vmlinuz /EFI/BOOT/BOOTX64.EFI /EFI/BOOT/grubx64.efi; do
		flip $(($(offset_of $file) + 2000))
		refused 5 "differs      $file"
	done
}

@test "another kernel command line in a loader entry" {
	local entry
	entry=$(mdir -b -i "$boot" ::/loader/entries | head -n 1 | sed 's/^:://')
	mtype -i "$boot" "::$entry" | sed 's/quiet/break/' >"$BATS_TEST_TMPDIR/entry"
	dd if="$BATS_TEST_TMPDIR/entry" of="$stick" bs=1 seek="$(offset_of "$entry")" conv=notrunc status=none
	mtype -i "$boot" "::$entry" | grep -q break
	refused 5 "differs      $entry"
}

@test "a file more on the boot partition" {
	echo 'title evil' | mcopy -i "$boot" - ::/loader/entries/aaa.conf
	refused 5 "differs      [directory /loader/entries]" "differs      [file allocation table]"
}

@test "a file renamed, a file removed" {
	mren -i "$boot" ::/loader/loader.conf ::/loader/loader.off
	refused 5 "differs      [directory /loader]"
	cp --sparse=always "$tmp/signed.img" "$stick"
	mdel -i "$boot" ::/loader/loader.conf
	refused 5 "differs      [directory /loader]" "differs      [file allocation table]"
}

@test "bytes hidden behind a file's end, and in free space" {
	flip $(($(offset_of /vmlinuz) + $(manifest_of "$stick" | awk '$4 == "/vmlinuz" { print $3 }')))
	refused 5 "differs      [rest of the last cluster of /vmlinuz]"
	cp --sparse=always "$tmp/signed.img" "$stick"
	flip $((49 * 1048576 - 1))
	refused 5 "differs      [free space of the boot partition]"
}

@test "the boot code in the MBR, the gap behind it, the boot sector of the boot partition" {
	flip 10
	refused 5 "[MBR: boot code"
	for at in 600:'[before the manifest]' 500000:'[after the manifest]' 1048580:'[boot sectors'; do
		cp --sparse=always "$tmp/signed.img" "$stick"
		flip "${at%%:*}"
		refused 5 "${at#*:}"
	done
}

@test "the partition table: type, place, active flag, a third partition" {
	for at in 446 450 454 462 466 470 474 478 494 509 511; do
		cp --sparse=always "$tmp/signed.img" "$stick"
		flip $at
		refused 5 "differs      [MBR: "
	done
}

@test "a data partition that claims more than the medium has" {
	printf '\377\377\377\177' | dd of="$stick" bs=1 seek=458 conv=notrunc status=none
	refused 5 "reaches beyond the end of the medium"
}

@test "every bit of the manifest and of its signature counts" {
	# Comment lines of a signature are not signed, so the second line and the trusted one.
	for at in 4096 4150 6000 $((36864 + 60)) $((36864 + 180)) 36000 40900; do
		cp --sparse=always "$tmp/signed.img" "$stick"
		flip "$at"
		verify
		[ "$status" -eq 5 ] || [ "$status" -eq 4 ] || { echo "byte $at: $status $output"; return 1; }
	done
}

@test "EFI on the data partition, from which firmware could start something else" {
	for name in EFI efi Efi; do
		cp --sparse=always "$tmp/signed.img" "$stick"
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			echo "$i" | mcopy -i "$data" - "::a longer name than eight letters $i.txt"
		done
		verify
		[ "$status" -eq 0 ]
		mmd -i "$data" "::$name"
		refused 5 'the data partition holds "EFI"'
	done
}

@test "EFI behind the end mark of the root folder, and under a short name only" {
	# The last place of the root folder's first cluster: far behind the entries that are there.
	local at=$((49 * 1048576 + $(root_at) + 512 - 32))
	[ "$(dd if="$stick" bs=1 skip=$at count=1 status=none | od -An -tu1 | tr -d ' ')" = 0 ]
	printf 'EFI        \020' | dd of="$stick" bs=1 seek=$at conv=notrunc status=none
	refused 5 'the data partition holds "EFI"'
}

@test "a partition table or a disc's file system inside the data partition" {
	printf '\200\0\0\0\357' | dd of="$stick" bs=1 seek=$((49 * 1048576 + 446)) conv=notrunc status=none
	refused 5 "holds more than a FAT32"
	for word in CD001 BEA01 NSR02; do
		cp --sparse=always "$tmp/signed.img" "$stick"
		printf '\1%s' $word | dd of="$stick" bs=1 seek=$((49 * 1048576 + 32768 + 2048)) conv=notrunc status=none
		refused 5 "holds more than a FAT32"
	done
}

@test "what else firmware, a shell or a Mac would start from the data partition" {
	for name in startup.nsh SHELLX64.EFI System "Boot it.efi"; do
		cp --sparse=always "$tmp/signed.img" "$stick"
		echo x | mcopy -i "$data" - "::$name"
		refused 5 'the data partition holds "' "${name^^}"
	done
	cp --sparse=always "$tmp/signed.img" "$stick"
	mmd -i "$data" "::System Volume Information" # Windows makes it
	verify
	[ "$status" -eq 0 ]
}

@test "a long name EFI that only some readers take for one: odd attribute, odd number" {
	local at piece
	for piece in '\101E\0F\0I\0\0\0\377\377\317' '\141E\0F\0I\0\0\0\377\377\017'; do
		cp --sparse=always "$tmp/signed.img" "$stick"
		at=$(($(root_at) + 512 - 64))
		put "$at" "$piece"
		refused 5 'the data partition holds "EFI"'
	done
}

@test "a root folder whose number other readers would mask" {
	put 44 '\002\000\000\020'
	refused 5 "the file system of the data partition cannot be read"
}

@test "the beginning of another file system in the data partition" {
	put 3 'NTFS    '
	refused 5 "the file system of the data partition cannot be read"
	for place in "512 EFI\\040PART" "1024 H+" "1080 \\123\\357"; do
		cp --sparse=always "$tmp/signed.img" "$stick"
		put ${place% *} "${place#* }"
		refused 5 "holds more than a FAT32"
	done
}

@test "a data partition whose file system cannot be read" {
	printf 'NTFS    ' | dd of="$stick" bs=1 seek=$((49 * 1048576 + 82)) conv=notrunc status=none
	refused 5 "the file system of the data partition cannot be read"
}

# second_table N: the entry of the root folder's first cluster in the data partition's second table.
second_table() {
	/usr/bin/python3 - "$stick" <<-'PY'
		import struct, sys
		f = open(sys.argv[1], "rb"); f.seek(49 << 20); b = f.read(512)
		reserved, root = struct.unpack_from("<H", b, 14)[0], struct.unpack_from("<I", b, 44)[0]
		print(reserved * 512 + struct.unpack_from("<I", b, 36)[0] * 512 + root * 4)
	PY
}

@test "one bit in either allocation table of the boot partition" {
	local at size
	read -r at size < <(manifest_of "$stick" | awk '/\[file allocation table\]$/ { print $2, $3 }')
	# The range holds both, and they are the same as built.
	cmp -n $((size / 2)) -i "$at":$((at + size / 2)) "$stick" "$stick"
	for place in $((at + 16)) $((at + size / 2 + 16)) $((at + size - 1)); do
		flip "$place"
		refused 5 "differs      [file allocation table]" "1 places differ"
		flip "$place"
	done
}

@test "EFI in the root folder by the data partition's second allocation table only" {
	local last at
	at=$(second_table)
	last=$(mdir -a -b -i "$data" :: | grep -c .)
	[ "$last" -ge 1 ]
	[ "$(dd if="$stick" bs=1 skip=$((49 * 1048576 + at)) count=4 status=none | od -An -tx4 | tr -d ' ')" = 0ffffff8 ]
	# The root goes on in cluster 60000, which is free by the first table: there is EFI.
	put "$at" '\140\352\000\000'
	put $((at + (60000 - 2) * 4)) '\370\377\377\017'
	put $(($(root_at) + (60000 - 2) * 512)) 'EFI        \020'
	[ "$(mdir -a -b -i "$data" :: | grep -c .)" -eq "$last" ]
	refused 5 'the data partition holds "EFI"'
	put "$at" '\000\000\000\000'
	refused 5 "the file system of the data partition cannot be read"
}

# grow BYTES: the medium is larger than the stick on it.
grow() {
	truncate -s "+$1" "$stick"
}

@test "behind the data partition: empty is good, zeros or erased flash" {
	grow 700K
	verify
	[ "$status" -eq 0 ]
	head -c 700K /dev/zero | tr '\0' '\377' | dd of="$stick" bs=1K seek=$((113 * 1024)) conv=notrunc status=none
	verify
	[ "$status" -eq 0 ]
	printf '\376' | dd of="$stick" bs=1 seek=$((113 * 1048576)) conv=notrunc status=none
	refused 5 "behind the data partition"
}

@test "behind the data partition: a GPT's second table, its entries alone, one byte" {
	local end table=$BATS_TEST_TMPDIR/gpt.img
	grow 700K
	end=$(stat -c %s "$stick")
	truncate -s "$end" "$table"
	sgdisk -n 1:2048:0 -t 1:EF00 "$table" >/dev/null
	# Header and entries as sgdisk writes them at the end of a medium of this size.
	dd if="$table" of="$stick" bs=512 skip=$((end / 512 - 33)) seek=$((end / 512 - 33)) conv=notrunc status=none
	[ "$(dd if="$stick" bs=1 skip=$((end - 512)) count=8 status=none)" = "EFI PART" ]
	refused 5 "a second partition table lies in its last sector"
	dd if=/dev/zero of="$stick" bs=512 count=1 seek=$((end / 512 - 1)) conv=notrunc status=none
	refused 5 "behind the data partition"
	cp --sparse=always "$tmp/signed.img" "$stick"
	grow 700K
	flip $((end - 1))
	refused 5 "behind the data partition"
}

@test "a GPT's header in the last sector of a data partition that reaches the end" {
	local end
	end=$(stat -c %s "$stick")
	printf 'EFI PART' | dd of="$stick" bs=1 seek=$((end - 512)) conv=notrunc status=none
	refused 5 "a second partition table lies in its last sector"
}

@test "an image on a medium that is much larger: only its last MiB is looked at" {
	grow 5M
	head -c 4M /dev/urandom | dd of="$stick" bs=1M seek=113 conv=notrunc status=none
	verify
	[ "$status" -eq 0 ]
	flip $(((113 + 4) * 1048576))
	refused 5 "behind the data partition"
}

@test "which image: --image takes the code or the hash, and refuses an older one of the same lab" {
	local code hash other=$BATS_TEST_TMPDIR/other.img
	verify
	hash=$(manifest_of "$stick" | sha256sum | cut -d' ' -f1)
	code=$(sed -n 's/^image hash *\([0-9A-Z-]*\) .*/\1/p' <<<"$output")
	[ ${#code} -eq 19 ]
	for name in "$code" "${code,,}" "${code//-/}" "$hash"; do
		"$ODJSTICK" image verify "$stick" --lab "$tmp/LAB.pub" --image "$name"
	done
	# Another image that this lab signed: good by itself, but not the one that is wanted.
	cp --sparse=always "$tmp/signed.img" "$other"
	printf x | dd of="$other" bs=1 seek=$((49 * 1048576 - 1)) conv=notrunc status=none
	"$REPO/image/manifest" "$other"
	"$ODJSTICK" image sign "$other" --lab "$tmp/LAB.key" --passphrase-file "$tmp/lp"
	"$ODJSTICK" image verify "$other" --lab "$tmp/LAB.pub"
	for name in "$code" "$hash" "${code%?}" ""; do
		run "$ODJSTICK" image verify "$other" --lab "$tmp/LAB.pub" --image "$name"
		[ "$status" -eq 5 ]
		[[ $output == *"holds the image "*", not $name"* ]]
		[[ $output != *"is as the lab signed it"* ]]
	done
}

@test "since when: --signed-since goes by the time in the signed comment" {
	local old=$BATS_TEST_TMPDIR/old.img
	cp --sparse=always "$IMAGE" "$old"
	ODJSTICK_NOW=1767225600 "$ODJSTICK" image sign "$old" --lab "$tmp/LAB.key" --passphrase-file "$tmp/lp"
	signature_of "$old" | grep -q '^trusted comment: .*, signed 2026-01-01T00:00:00Z$'
	for since in 2026-01-01 2025-06-30T12:00:00Z; do
		"$ODJSTICK" image verify "$old" --lab "$tmp/LAB.pub" --signed-since $since
	done
	for since in 2026-01-02 2026-01-01T00:00:01Z; do
		run "$ODJSTICK" image verify "$old" --lab "$tmp/LAB.pub" --signed-since $since
		[ "$status" -eq 5 ]
		[[ $output == *"was not signed since $since"*"2026-01-01T00:00:00Z"* ]]
	done
	run "$ODJSTICK" image verify "$old" --lab "$tmp/LAB.pub" --signed-since yesterday
	[ "$status" -eq 2 ]
	[ "$("$ODJSTICK" image verify "$old" --lab "$tmp/LAB.pub" --json | jq -r .signed_at)" = 2026-01-01T00:00:00Z ]
	# Another time in the comment is another signature.
	sed -i 's/2026-01-01T/2027-01-01T/' "$old"
	run "$ODJSTICK" image verify "$old" --lab "$tmp/LAB.pub" --signed-since 2026-06-01
	[ "$status" -eq 5 ]
	[[ $output != *"was not signed since"* ]]
}

@test "what is written in the field does not matter" {
	head -c 300000 /dev/urandom | mcopy -i "$data" - ::bundle.odjb
	mmd -i "$data" ::journal
	echo x | mcopy -i "$data" - ::journal/000001.jsonl
	printf '\001' | dd of="$stick" bs=1 seek=$((49 * 1048576 + 65)) conv=notrunc status=none
	verify
	[ "$status" -eq 0 ]
}

@test "--json names what differs" {
	"$ODJSTICK" image verify "$stick" --lab "$tmp/LAB.pub" --json | jq -e '.differs == [] and (.image | length == 64)'
	flip "$(offset_of /initrd)"
	run bash -c "\"\$0\" image verify \"\$@\" 2>/dev/null" "$ODJSTICK" "$stick" --lab "$tmp/LAB.pub" --json
	[ "$status" -eq 5 ]
	[ "$(jq -r '.differs[]' <<<"$output")" = /initrd ]
}

@test "image sign refuses an image that is not as it was built, and leaves it alone" {
	flip "$(offset_of /initrd)"
	sha256sum "$stick" >"$BATS_TEST_TMPDIR/before"
	run "$ODJSTICK" image sign "$stick" --lab "$tmp/LAB.key" --passphrase-file "$tmp/lp"
	[ "$status" -eq 5 ]
	[[ $output == *"differs  /initrd"* ]]
	sha256sum --quiet -c "$BATS_TEST_TMPDIR/before"
}

@test "a wrong passphrase signs nothing: exit 4" {
	echo nonsense >"$BATS_TEST_TMPDIR/wrong"
	run "$ODJSTICK" image sign "$stick" --lab "$tmp/LAB.key" --passphrase-file "$BATS_TEST_TMPDIR/wrong"
	[ "$status" -eq 4 ]
	cmp "$stick" "$tmp/signed.img"
}

@test "image verify: other files, a short file, no file" {
	head -c 1000000 /dev/urandom >"$stick"
	refused 5 "is no stick"
	: >"$stick"
	refused 5 "is no stick"
	rm "$stick"
	refused 1 "$stick"
	run "$ODJSTICK" image verify "$tmp/signed.img"
	[ "$status" -eq 2 ]
	run "$ODJSTICK" image verify "$tmp/signed.img" --lab "$tmp/lp"
	[ "$status" -eq 3 ]
}
