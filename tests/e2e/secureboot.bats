# Secure Boot proven by refusal: with Microsoft's keys in the firmware nothing of the chain can be replaced.
# Each boot is stopped as soon as the refusal is on the screen. With BOOT_ALL=1 (make test-boot-all) there
# are two more, and the same changed images are booted without Secure Boot, to show that they would start.

load image-common

setup() {
	stick=$BATS_TEST_TMPDIR/stick.img
	seen=$BATS_TEST_TMPDIR/seen
	cp --sparse=always "$IMAGE" "$stick"
	boot=$stick@@1M
	export MTOOLS_SKIP_CHECK=1
}

long_set() {
	[ -n "${BOOT_ALL:-}" ] || skip "a longer set: make test-boot-all"
}

# boots FIRMWARE PATTERN [OPTION...]: PATTERN is seen.
boots() {
	/usr/bin/python3 "$REPO/tests/e2e/refuse.py" "$stick" "$seen" "$@" || return 1
	cat "$seen"
}

starts_without_secure_boot() {
	[ -z "${BOOT_ALL:-}" ] || boots uefi 'data partition|Passphrase|Batch|not a stick'
}

# replace NAME FILE: in the boot partition.
replace() {
	mcopy -o -i "$boot" "$2" "::$1"
}

@test "refused: a kernel without its signature" {
	mcopy -i "$boot" ::vmlinuz "$BATS_TEST_TMPDIR/vmlinuz"
	sbattach --remove "$BATS_TEST_TMPDIR/vmlinuz" 2>/dev/null
	! sbverify --list "$BATS_TEST_TMPDIR/vmlinuz" 2>&1 | grep -q 'subject:'
	replace vmlinuz "$BATS_TEST_TMPDIR/vmlinuz"
	boots sb '(Security|Policy) Violation'
	starts_without_secure_boot
}

@test "refused: one changed byte in the signed kernel" {
	long_set
	mcopy -i "$boot" ::vmlinuz "$BATS_TEST_TMPDIR/vmlinuz"
	# In the text the kernel names itself with.
	local at
	at=$(grep -abo '6\.12\.[0-9]*+deb12-amd64' "$BATS_TEST_TMPDIR/vmlinuz" | head -n 1 | cut -d: -f1)
	printf '7' | dd of="$BATS_TEST_TMPDIR/vmlinuz" bs=1 seek="$at" conv=notrunc status=none
	[ "$(cmp -l "$BATS_TEST_TMPDIR/vmlinuz" "$BUILD"/boot-debs/boot/vmlinuz-* | wc -l)" -eq 1 ]
	replace vmlinuz "$BATS_TEST_TMPDIR/vmlinuz"
	boots sb '(Security|Policy) Violation'
	starts_without_secure_boot
}

@test "refused: a loader without its signature" {
	long_set
	mcopy -i "$boot" ::EFI/BOOT/grubx64.efi "$BATS_TEST_TMPDIR/loader"
	sbattach --remove "$BATS_TEST_TMPDIR/loader" 2>/dev/null
	replace EFI/BOOT/grubx64.efi "$BATS_TEST_TMPDIR/loader"
	boots sb 'Security Violation'
	starts_without_secure_boot
}

@test "refused: a module without its signature, while the signed one loads" {
	local root=$BATS_TEST_TMPDIR/root module
	mkdir -p "$root/sys"
	module=$(find "$BUILD/modules/lib/modules" -name 'crc-itu-t.ko' -o -name 'nls_cp437.ko' | head -n 1)
	[ -n "$module" ]
	cp "$module" "$root/signed.ko"
	# A signature is: bytes, 12 bytes that end with their number (big-endian), 28 bytes of magic.
	/usr/bin/python3 - "$module" "$root/unsigned.ko" <<-'PY'
		import struct, sys
		data = open(sys.argv[1], "rb").read()
		assert data.endswith(b"~Module signature appended~\n")
		(size,) = struct.unpack(">I", data[-32:-28])
		open(sys.argv[2], "wb").write(data[: -28 - 12 - size])
	PY
	[ -z "$(modinfo -F signer "$root/unsigned.ko")" ]
	musl-gcc -static -Os -o "$root/init" "$REPO/tests/e2e/modinit.c"
	(cd "$root" && find . | cpio --quiet -o -H newc) | zstd -q >"$BATS_TEST_TMPDIR/initrd"
	replace initrd "$BATS_TEST_TMPDIR/initrd"
	boots sb 'MODULES DONE'
	grep -q 'MODULE /unsigned.ko: Key was rejected by service' "$seen"
	grep -q 'LOCKDOWN: none \[integrity\]' "$seen"
	# The same code, signed, is loaded: it is the signature that counts. (It may be there already.)
	grep -qE 'MODULE /signed.ko: (loaded|File exists)' "$seen"
	[ -z "${BOOT_ALL:-}" ] || {
		boots uefi 'MODULES DONE'
		! grep -q 'MODULE /unsigned.ko: Key was rejected' "$seen"
	}
}
