# make image UKI_KEY=...: one program signed with the organisation's key. Starts on a PC whose firmware holds
# that key, and not on one that trusts Microsoft only.

load image-common

setup_file() {
	local tmp=$BATS_FILE_TMPDIR name
	# Throw-away keys: the platform's, and the organisation's that goes into db.
	for name in PK KEK db; do
		openssl req -new -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=test $name" \
			-keyout "$tmp/$name.key" -out "$tmp/$name.pem" 2>/dev/null
	done
	UKI_KEY=$tmp/db.key UKI_CERT=$tmp/db.pem "$REPO/image/mkimage" "$tmp/uki.img" "$BUILD/boot-debs" \
		"$BUILD/initrd" 64 "$BUILD/legal"
}

setup() {
	tmp=$BATS_FILE_TMPDIR
	export MTOOLS_SKIP_CHECK=1
}

# boots IMG FIRMWARE PATTERN [OPTION...]
boots() {
	/usr/bin/python3 "$REPO/tests/e2e/refuse.py" "$1" "$BATS_TEST_TMPDIR/seen" "${@:2}"
}

# The organisation's keys in the variables of a firmware in setup mode: systemd-boot puts them there.
enrolled() {
	local img=$tmp/enrol.img guid=11111111-2222-3333-4444-555555555555
	[ ! -e "$tmp/vars.fd" ] || return 0
	cp /usr/share/OVMF/OVMF_VARS_4M.fd "$tmp/new.fd"
	(
		cd "$tmp"
		for name in PK KEK db; do
			cert-to-efi-sig-list -g $guid $name.pem $name.esl
		done
		sign-efi-sig-list -g $guid -k PK.key -c PK.pem PK PK.esl PK.auth
		sign-efi-sig-list -g $guid -k PK.key -c PK.pem KEK KEK.esl KEK.auth
		sign-efi-sig-list -g $guid -k KEK.key -c KEK.pem db db.esl db.auth
	) >/dev/null
	cp --sparse=always "$IMAGE" "$img"
	# Without shim, which is not needed before there are keys.
	mcopy -o -i "$img@@1M" "$BUILD/boot-debs/usr/lib/systemd/boot/efi/systemd-bootx64.efi.signed" \
		::EFI/BOOT/BOOTX64.EFI
	printf 'timeout 0\nsecure-boot-enroll force\nreboot-for-bitlocker no\n' | mcopy -o -i "$img@@1M" - ::loader/loader.conf
	mmd -i "$img@@1M" ::loader/keys ::loader/keys/auto
	mcopy -i "$img@@1M" "$tmp"/{PK,KEK,db}.auth ::loader/keys/auto/
	# After enrolling it restarts; then its own signature (Debian's) is no longer good: refused.
	boots "$img" sb '(Access Denied|Security Violation|Not Found|No bootable)' --vars "$tmp/new.fd"
	mv "$tmp/new.fd" "$tmp/vars.fd"
}

@test "the program is signed with the key, and holds kernel, initramfs and command line as they are" {
	mcopy -i "$tmp/uki.img@@1M" ::EFI/BOOT/BOOTX64.EFI "$tmp/uki.efi"
	sbverify --cert "$tmp/db.pem" "$tmp/uki.efi"
	! sbverify --cert "$tmp/KEK.pem" "$tmp/uki.efi"
	(cd "$tmp" && objcopy -O binary --only-section=.linux uki.efi linux && objcopy -O binary --only-section=.initrd uki.efi initrd &&
		objcopy -O binary --only-section=.cmdline uki.efi cmdline)
	cmp -n "$(stat -c %s "$BUILD"/boot-debs/boot/vmlinuz-*)" "$tmp/linux" "$BUILD"/boot-debs/boot/vmlinuz-*
	cmp -n "$(stat -c %s "$BUILD/initrd")" "$tmp/initrd" "$BUILD/initrd"
	tr -d '\0' <"$tmp/cmdline" | grep -q "odjstick.id=$(sfdisk --json "$tmp/uki.img" | jq -r '.partitiontable.id[2:]')\$"
}

@test "no loader is beside it that takes another initramfs" {
	[ "$(mdir -b -i "$tmp/uki.img@@1M" ::EFI/BOOT | wc -l)" -eq 1 ]
	! mdir -b -i "$tmp/uki.img@@1M" ::loader 2>/dev/null
}

@test "the lab signs and verifies such an image like any other" {
	cd "$BATS_TEST_TMPDIR"
	echo lp >lp
	"$BUILD/odjstick" lab keygen -o LAB --passphrase-file lp
	cp --sparse=always "$tmp/uki.img" u.img
	"$BUILD/odjstick" image sign u.img --lab LAB.key --passphrase-file lp
	"$BUILD/odjstick" image verify u.img --lab LAB.pub
}

@test "a firmware with Microsoft's keys only refuses it" {
	boots "$tmp/uki.img" sb '(Access Denied|Security Violation)'
}

@test "a firmware with the organisation's key starts it, locked down, to the wizard's place" {
	[ -n "${BOOT_ALL:-}" ] || skip "a longer set: make test-boot-all"
	enrolled
	boots "$tmp/uki.img" sb '(not a stick|no lab.pub|has no |is not a stick|Batch|Passphrase)' --vars "$tmp/vars.fd"
}

@test "with that key and nothing else in the firmware, a program with one changed byte is refused" {
	[ -n "${BOOT_ALL:-}" ] || skip "a longer set: make test-boot-all"
	enrolled
	cp --sparse=always "$tmp/uki.img" "$BATS_TEST_TMPDIR/changed.img"
	mcopy -i "$tmp/uki.img@@1M" ::EFI/BOOT/BOOTX64.EFI "$BATS_TEST_TMPDIR/u.efi"
	printf x | dd of="$BATS_TEST_TMPDIR/u.efi" bs=1 seek=3000000 conv=notrunc status=none
	mcopy -o -i "$BATS_TEST_TMPDIR/changed.img@@1M" "$BATS_TEST_TMPDIR/u.efi" ::EFI/BOOT/BOOTX64.EFI
	boots "$BATS_TEST_TMPDIR/changed.img" sb '(Access Denied|Security Violation)' --vars "$tmp/vars.fd"
}
