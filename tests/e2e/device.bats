# stick make --device, on a real USB stick as the kernel sees it: in a QEMU guest that boots Debian's kernel
# and has the lab's programs. What was written is read on the host, from the file behind the stick.

load ../cli/common
load image-common

# guest_root DIR: everything the guest has.
guest_root() {
	local root=$1 tmp=$BATS_FILE_TMPDIR program library module n=10 modules
	mkdir -p "$root"/{proc,sys,dev,bin,usr/sbin,modules}
	cp "$SYSROOT_BUSYBOX" "$root/busybox"
	cp "$ODJSTICK" "$root/odjstick"
	cp "$REPO/tests/e2e/guest.sh" "$root/init"
	chmod 755 "$root/init"
	for program in /usr/sbin/mkfs.fat /usr/bin/mcopy; do
		mkdir -p "$root${program%/*}"
		cp -L "$program" "$root$program"
		for library in $(ldd "$program" | grep -o '/[^ ]*'); do
			mkdir -p "$root${library%/*}"
			cp -L "$library" "$root$library"
		done
	done
	# mcopy converts names to code page 850, by glibc's tables.
	for library in /usr/lib/x86_64-linux-gnu/gconv/{gconv-modules,gconv-modules.d,IBM850.so}; do
		mkdir -p "$root${library%/*}"
		cp -rL "$library" "$root${library%/*}/"
	done
	cp --sparse=always "$tmp/signed.img" "$tmp/b.odjb" "$tmp/LAB.key" "$tmp/LAB.pub" "$tmp/lp" "$root/"
	# In the order in which they need each other; virtio_blk comes packed.
	modules=$(echo "$BUILD"/modules/lib/modules/*)
	for module in scsi_common scsi_mod usb-common usbcore usb-storage xhci-hcd xhci-pci sd_mod fat vfat \
		nls_cp437 nls_ascii virtio_blk; do
		module=$(find "$modules" -name "$module.ko*" | head -n 1)
		[ -n "$module" ] || continue
		n=$((n + 1))
		case $module in
		*.xz) xz -dc "$module" >"$root/modules/$n.ko" ;;
		*) cp "$module" "$root/modules/$n.ko" ;;
		esac
	done
}

setup_file() {
	local tmp=$BATS_FILE_TMPDIR
	export ODJSTICK="$BUILD/odjstick" SYSROOT_BUSYBOX="$BUILD/sysroot/bin/busybox" MTOOLS_SKIP_CHECK=1
	echo "lab secret" >"$tmp/lp"
	echo "engineer" >"$tmp/ep"
	cp --sparse=always "$IMAGE" "$tmp/signed.img"
	"$ODJSTICK" lab keygen -o "$tmp/LAB" --passphrase-file "$tmp/lp"
	"$ODJSTICK" bundle create "$REPO/tests/vectors/batch/corp.csv" -o "$tmp/b.odjb" --lab "$tmp/LAB.key" \
		--lab-passphrase-file "$tmp/lp" --passphrase-file "$tmp/ep"
	guest_root "$tmp/root"
	(cd "$tmp/root" && find . | cpio --quiet -o -H newc) | zstd -q -1 >"$tmp/initrd"
	truncate -s 300M "$tmp/stick.img"
	truncate -s 64M "$tmp/small.img"
	truncate -s 320M "$tmp/own.img"
	timeout 400 qemu-system-x86_64 -machine q35 -accel tcg -cpu max -m 1024 -nic none -display none -no-reboot \
		-monitor none -serial "file:$tmp/console" -kernel "$(echo "$BUILD"/boot-debs/boot/vmlinuz-*)" \
		-initrd "$tmp/initrd" -append "console=ttyS0 quiet cryptomgr.notests no_timer_check" \
		-device qemu-xhci,id=xhci \
		-drive "if=none,id=stick,format=raw,file=$tmp/stick.img" \
		-device usb-storage,drive=stick,bus=xhci.0,removable=on \
		-drive "if=none,id=small,format=raw,file=$tmp/small.img" \
		-device usb-storage,drive=small,bus=xhci.0,removable=on \
		-drive "if=none,id=own,format=raw,file=$tmp/own.img" -device virtio-blk-pci,drive=own
	tr -d '\r' <"$tmp/console" >"$tmp/said"
}

setup() {
	tmp=$BATS_FILE_TMPDIR
	grep -q '^GUEST DONE' "$tmp/said" || { tail -n 40 "$tmp/said"; return 1; }
}

# said NAME STATUS [WORDS]: how that command ended in the guest, and what it said.
said() {
	grep -qx "EXIT $1 $2" "$tmp/said" || { cat "$tmp/said"; return 1; }
	[ $# -lt 3 ] || sed -n "/^RUN $1\$/,/^EXIT $1 /p" "$tmp/said" | tr '\n' ' ' | grep -qF "$3" || {
		cat "$tmp/said"
		return 1
	}
}

@test "stick make --device writes a whole USB stick, and image verify on the device finds it good" {
	said make 0
	said verify 0
}

@test "on the host: the lab's signature holds, the data partition reaches the end and is clean, files are whole" {
	"$ODJSTICK" image verify "$tmp/stick.img" --lab "$tmp/LAB.pub"
	[ "$(sfdisk --json "$tmp/stick.img" | jq -r '.partitiontable.partitions[0] | "\(.start) \(.size)"')" = \
		"100352 $(((300 << 20) / 512 - 100352))" ]
	partition "$tmp/stick.img" 1 >"$BATS_TEST_TMPDIR/data"
	fat_is_clean "$BATS_TEST_TMPDIR/data"
	"$REPO/image/get-stick" "$tmp/stick.img" "$BATS_TEST_TMPDIR/back"
	cmp "$tmp/b.odjb" "$BATS_TEST_TMPDIR/back/bundle.odjb"
	"$ODJSTICK" journal verify "$BATS_TEST_TMPDIR/back" --lab "$tmp/LAB.pub"
	# The boot partition is the image's, bit for bit, but for the eight digits of the stick's number.
	[ "$(cmp -l <(partition "$tmp/stick.img" 2) <(partition "$IMAGE" 2) | wc -l)" -le 8 ]
	grep -q "$(sha256sum <"$tmp/b.odjb" | cut -d' ' -f1)  /mnt/bundle.odjb" "$tmp/said"
}

@test "a changed byte on that stick is found (the checks above can fail)" {
	cp --sparse=always "$tmp/stick.img" "$BATS_TEST_TMPDIR/stick.img"
	"$ODJSTICK" image verify "$BATS_TEST_TMPDIR/stick.img" --lab "$tmp/LAB.pub"
	printf 'X' | dd of="$BATS_TEST_TMPDIR/stick.img" bs=1 seek=$((20 << 20)) conv=notrunc status=none
	run "$ODJSTICK" image verify "$BATS_TEST_TMPDIR/stick.img" --lab "$tmp/LAB.pub"
	[ "$status" -eq 5 ]
}

@test "refused and untouched: a disk of the PC, a stick that is too small, a partition, a mounted stick" {
	said own 1 "cannot be pulled out of this PC"
	said small 1 "is too small"
	said part 1 "is not a whole disk"
	said mounted 1 "is mounted"
	cmp -n $((320 << 20)) "$tmp/own.img" /dev/zero
	cmp -n $((64 << 20)) "$tmp/small.img" /dev/zero
}
