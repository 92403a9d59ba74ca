# The stick's image as others read it: sfdisk, mtools, fsck.fat, sbverify, cpio, modinfo.

load image-common

setup_file() {
	local tmp=$BATS_FILE_TMPDIR
	mkdir -p "$tmp/boot" "$tmp/root"
	partition "$IMAGE" 1 >"$tmp/data.fat"
	partition "$IMAGE" 2 >"$tmp/boot.fat"
	mcopy -s -n -i "$tmp/boot.fat" '::*' "$tmp/boot"
	zstd -q -dc "$tmp/boot/initrd" >"$tmp/cpio"
	(cd "$tmp/root" && cpio --quiet -i --no-absolute-filenames <"$tmp/cpio")
}

setup() {
	tmp=$BATS_FILE_TMPDIR
}

signed_by() {
	sbverify --list "$1" 2>/dev/null | grep -q "subject: .*CN=$2"
}

@test "MBR: data partition first, boot partition second, EF and active" {
	run jq -r '.partitiontable | .label, (.partitions[] | "\(.type) \(.bootable // false)")' \
		<(sfdisk --json "$IMAGE")
	[ "$output" = "dos
c false
ef true" ]
}

@test "both file systems are FAT32 without errors, the data partition is called ODJSTICK" {
	for fat in data boot; do
		fat_is_clean "$tmp/$fat.fat"
		[ "$(blkid -p -o value -s VERSION "$tmp/$fat.fat")" = FAT32 ]
	done
	[ "$(blkid -p -o value -s LABEL "$tmp/data.fat")" = ODJSTICK ]
}

@test "disk signature, volume id and kernel command line name the same identity" {
	local id
	id=$(sfdisk --json "$IMAGE" | jq -r .partitiontable.id)
	id=${id#0x}
	[ "$(blkid -p -o value -s UUID "$tmp/data.fat" | tr -d - | tr A-F a-f)" = "$id" ]
	for entry in odjstick serial support; do
		grep -q "odjstick.id=$id" "$tmp/boot/loader/entries/$entry.conf"
	done
	[ "$(grep -c "^APPEND .*odjstick.id=$id" "$tmp/boot/syslinux/syslinux.cfg")" -eq 3 ]
}

@test "legacy BIOS: Debian's MBR code and SYSLINUX, with the entries that UEFI has" {
	local entry
	cmp -n 440 "$IMAGE" "$BUILD/boot-debs/usr/lib/syslinux/mbr/mbr.bin"
	head -c 512 "$tmp/boot.fat" | grep -aq SYSLINUX
	[ "$(cd "$tmp/boot/syslinux" && echo *)" = "entries.txt ldlinux.c32 ldlinux.sys syslinux.cfg" ]
	for entry in odjstick serial support; do
		diff <(sed -n 's/^options //p' "$tmp/boot/loader/entries/$entry.conf") \
			<(sed -n "/^LABEL $entry$/,/^APPEND/s/^APPEND //p" "$tmp/boot/syslinux/syslinux.cfg")
	done
}

@test "shim is signed by Microsoft (2011 and 2023), the rest by Debian" {
	local efi=$tmp/boot/EFI/BOOT
	signed_by "$efi/BOOTX64.EFI" "Microsoft Windows UEFI Driver Publisher"
	sbverify --list "$efi/BOOTX64.EFI" 2>/dev/null | grep -q 'CN=Microsoft Corporation UEFI CA 2011'
	sbverify --list "$efi/BOOTX64.EFI" 2>/dev/null | grep -q 'CN=Microsoft UEFI CA 2023'
	for file in "$efi/grubx64.efi" "$efi/mmx64.efi" "$tmp/boot/vmlinuz"; do
		sbverify --list "$file" 2>/dev/null | grep -q 'CN=Debian Secure Boot CA'
	done
}

@test "every module is signed, fits the kernel, and all it needs is there" {
	local module need have kernel count=0
	kernel=$(ls "$tmp/root/lib/modules")
	file "$tmp/boot/vmlinuz" | grep -qF "version $kernel "
	have=$(find "$tmp/root/lib/modules" -name '*.ko*' -printf '%f\n' | sed 's/\.ko.*$//;s/-/_/g')
	while read -r module; do
		count=$((count + 1))
		[ -n "$(modinfo -F signer "$module")" ] || { echo "unsigned: $module"; return 1; }
		[[ $(modinfo -F vermagic "$module") == "$kernel "* ]] || { echo "other kernel: $module"; return 1; }
		for need in $(modinfo -F depends "$module" | tr ',' ' '); do
			grep -qx "${need//-/_}" <<<"$have" || { echo "$module needs $need"; return 1; }
		done
	done < <(find "$tmp/root/lib/modules" -name '*.ko*')
	[ "$count" -gt 80 ]
}

@test "what stands between power-on and the first screen is not packed, and nothing else is unpacked" {
	local name
	for name in usb-storage sd_mod vfat nls_cp437 xhci-pci usbcore scsi_mod usbhid; do
		[ -n "$(find "$tmp/root/lib/modules" -name "$name.ko")" ] || { echo "$name"; return 1; }
	done
	for name in nvme ahci libata vmd mpt3sas; do
		[ -n "$(find "$tmp/root/lib/modules" -name "$name.ko.xz")" ] || { echo "$name"; return 1; }
	done
}

@test "no driver for any network is on the stick, nor a program to use one" {
	[ -z "$(find "$tmp/root/lib/modules" -path '*/net/*' -o -path '*/bluetooth/*')" ]
	for program in ip ifconfig udhcpc telnetd nc wget ftpd login getty vi passwd; do
		[ ! -e "$tmp/root/bin/$program" ] || { echo "$program is there"; return 1; }
	done
}

@test "no driver that writes NTFS behind odjstick's back" {
	[ -z "$(find "$tmp/root/lib/modules" -name 'ntfs*' -o -name 'fuse*')" ]
}

@test "two programs are on the stick: init and odjstick; no shell, no script, not the probe" {
	cmp "$tmp/root/init" "$BUILD/init"
	cmp "$tmp/root/bin/odjstick" "$BUILD/odjstick"
	[ "$(cd "$tmp/root" && find . \( -type f -perm /111 -o -type l \) | sort)" = "./bin/odjstick
./init" ]
}

@test "the archive belongs to root and nothing in it can be changed by others" {
	cpio --quiet -itv <"$tmp/cpio" | awk '$3 != "root" || $4 != "root" { bad = 1; print }
		$1 !~ /^l/ && (substr($1, 6, 1) == "w" || substr($1, 9, 1) == "w") { bad = 1; print }
		END { exit bad }'
}

@test "sizes: initramfs, boot partition, image" {
	[ "$(stat -c %s "$tmp/boot/initrd")" -le $((5 << 20)) ]
	[ "$(du -sb "$tmp/boot" | cut -f1)" -le $((24 << 20)) ]
	[ "$(stat -c %s "$IMAGE")" -le $((200 << 20)) ]
	echo "# initramfs $(stat -c %s "$tmp/boot/initrd"), boot files $(du -sb "$tmp/boot" | cut -f1)," \
		"image $(stat -c %s "$IMAGE") bytes" >&3
}

@test "SBOM: SPDX 2.3, every id unique, every relationship and licence reference resolves" {
	local sbom=$tmp/boot/SBOM.spdx.json
	jq -e '.spdxVersion == "SPDX-2.3" and .dataLicense == "CC0-1.0" and .SPDXID == "SPDXRef-DOCUMENT"
		and (.documentNamespace | test("^https?://[^ #]+$")) and (.creationInfo.created | test("^[0-9-]+T[0-9:]+Z$"))
		and (.creationInfo.creators | length > 0)' "$sbom"
	jq -e '[.packages[].SPDXID] | (unique | length) == length and all(test("^SPDXRef-[A-Za-z0-9.-]+$"))' "$sbom"
	jq -e '([.packages[].SPDXID] + [.SPDXID]) as $ids | .relationships | all(
		(.spdxElementId | IN($ids[])) and (.relatedSpdxElement | IN($ids[])))' "$sbom"
	jq -e '[.hasExtractedLicensingInfos[].licenseId] as $refs | [.packages[].licenseDeclared | scan("LicenseRef-[A-Za-z0-9.-]+")]
		| all(IN($refs[]))' "$sbom"
	jq -e '.packages | all(has("downloadLocation") and has("licenseConcluded") and has("copyrightText")
		and (.name != "" and .versionInfo != ""))' "$sbom"
}

@test "SBOM: every package of the lock files and the C library, with version, hash and licence text" {
	local sbom=$tmp/boot/SBOM.spdx.json sha name version rest source
	while read -r sha name version rest; do
		[[ " kbd keyboard-configuration systemd-boot-efi " != *" $name "* ]] || continue
		jq -e --arg n "$name" --arg v "$version" --arg s "$sha" '.packages[] | select(.name == $n) | .versionInfo == $v
			and .checksums[0].checksumValue == $s' "$sbom" || { echo "$name"; return 1; }
		[ -s "$tmp/boot/licenses/$name.txt" ]
	done < <(grep -v '^#' "$REPO/rootfs/boot-debs/lock")
	while read -r name version rest sha source; do
		[[ $source == *.dsc && $name != busybox ]] || continue
		jq -e --arg n "$name" --arg v "$version" --arg s "$sha" '.packages[] | select(.name == $n) | .versionInfo == $v
			and .checksums[0].checksumValue == $s' "$sbom" || { echo "$name"; return 1; }
		[ -s "$tmp/boot/licenses/$name.txt" ]
	done < <(grep -v '^#' "$REPO/rootfs/packages/lock")
	jq -e '.packages[] | select(.name == "musl") | .licenseDeclared | test("MIT")' "$sbom"
	cmp "$REPO/COPYING" "$tmp/boot/licenses/odjstick.txt"
	cmp "$BUILD/boot-debs/usr/share/doc/syslinux/copyright" "$tmp/boot/licenses/syslinux.txt"
}

@test "no firmware for devices is on the stick" {
	[ -z "$(find "$tmp/root" -ipath '*firmware*' -type f ! -name '*.ko*')" ]
}

@test "sources: our own revision and a locked source package, with hashes that hold" {
	git -C "$REPO" rev-parse HEAD 2>/dev/null || skip "this tree is no git repository"
	local out=$BATS_TEST_TMPDIR/sources
	"$REPO/image/sources" "$out" jansson
	(cd "$out" && sha256sum --quiet -c SHA256SUMS)
	grep -q "$(awk '$5 ~ /^jansson.*orig/ { print $4 }' "$REPO/rootfs/packages/lock")  jansson_" "$out/SHA256SUMS"
	tar tzf "$out"/odjstick_*.tar.gz | grep -q '/injector/base/err.h$'
	[ "$(find "$out" -mindepth 1 -maxdepth 1 -type d | wc -l)" -eq 1 ]
}

@test "put-stick and get-stick bring a folder there and back" {
	local stick=$BATS_TEST_TMPDIR/stick.img
	cp --sparse=always "$IMAGE" "$stick"
	mkdir -p "$BATS_TEST_TMPDIR/in/journal" "$BATS_TEST_TMPDIR/in/state"
	head -c 300000 /dev/urandom >"$BATS_TEST_TMPDIR/in/bundle.odjb"
	head -c 100 /dev/urandom >"$BATS_TEST_TMPDIR/in/journal/000001.jsonl"
	"$REPO/image/put-stick" "$stick" "$BATS_TEST_TMPDIR/in"
	"$REPO/image/get-stick" "$stick" "$BATS_TEST_TMPDIR/out"
	rm "$BATS_TEST_TMPDIR/out/README.TXT"
	diff -r "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	partition "$stick" 1 >"$BATS_TEST_TMPDIR/data"
	fat_is_clean "$BATS_TEST_TMPDIR/data"
	cmp <(partition "$stick" 2) <(partition "$IMAGE" 2)
}

@test "put-stick refuses a file that is not a stick image, and leaves it alone" {
	head -c 1048576 /dev/zero >"$BATS_TEST_TMPDIR/disk"
	run "$REPO/image/put-stick" "$BATS_TEST_TMPDIR/disk" "$BATS_TEST_TMPDIR"
	[ "$status" -eq 3 ]
	[[ $output == *"is not a stick image"* ]]
	cmp -n 1048576 "$BATS_TEST_TMPDIR/disk" /dev/zero
}

@test "a wrong hash in the lock file stops the build" {
	local copy=$BATS_TEST_TMPDIR/rootfs
	mkdir -p "$copy/boot-debs" "$copy/packages"
	cp "$REPO/rootfs/boot-debs/fetch" "$copy/boot-debs/"
	echo "$(printf '0%.0s' {1..64})  shim-signed  1" >"$copy/boot-debs/lock"
	# In the archive's place: something that answers with other bytes.
	printf '#!/bin/sh\necho not the file >"$3/shim-signed_1_amd64.deb"\n' >"$copy/packages/apt-private"
	chmod +x "$copy/packages/apt-private"
	run env ODJSTICK_CACHE="$BATS_TEST_TMPDIR/cache" "$copy/boot-debs/fetch" "$BATS_TEST_TMPDIR/out"
	[ "$status" -ne 0 ]
	[[ $output == *"is not the file of the lock"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/out" ]
	[ -z "$(find "$BATS_TEST_TMPDIR/cache" -name '*.deb')" ]
}
