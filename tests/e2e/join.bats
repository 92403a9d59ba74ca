#!/usr/bin/env bats
# The whole job from inside the booted stick. The three rows of the boot matrix that always run; all
# of them: make test-boot-all (tests/e2e/all).

load ../cli/common
load ../cli/pc
load image-common
load join

setup_file() {
	load ../cli/common
	load ../cli/pc
	load join
	join_lab
}

@test "stick: UEFI, NVMe, xHCI, 256 MiB: joins a synthetic Windows 11" {
	row uefi nvme xhci
}

@test "stick: BIOS, IDE, EHCI, 128 MiB: joins a synthetic Windows 11" {
	row bios ide ehci
}

@test "stick: Secure Boot, SATA, EHCI: joins a Windows 7 with real hives on a disk with MBR" {
	need_shared
	win7 "$WORK/tree"
	boots_and_joins "$WORK/tree" 160 mbr 5CG1234X02 ALM-FIL-002 --bus ahci --firmware sb --usb ehci \
		--ram 256
}

@test "the full matrix covers every pair of firmware, disk bus and USB controller" {
	local rows firmware bus usb
	rows=$(sed -n 's/^[[:space:]]*row //p' "$REPO/tests/e2e/all/matrix.bats")
	for firmware in bios uefi sb; do
		for bus in nvme ahci ide sd uas virtio; do
			grep -q "^$firmware $bus " <<<"$rows" || { echo "no row $firmware $bus"; return 1; }
		done
		for usb in xhci ehci; do
			grep -q "^$firmware .* $usb$" <<<"$rows" || { echo "no row $firmware $usb"; return 1; }
		done
	done
	for bus in nvme ahci ide sd uas virtio; do
		for usb in xhci ehci; do
			grep -q " $bus $usb$" <<<"$rows" || { echo "no row $bus $usb"; return 1; }
		done
	done
	for bus in $(sed -n '/^DISK_BUS/,/^}/s/^    "\([^"]*\)": .*/\1/p' "$REPO/image/qemu.py"); do
		[ "$bus" = usb ] || grep -q " $bus " <<<"$rows" || { echo "no row with $bus"; return 1; }
	done
}

@test "secrets: the stick image holds no password, name or serial" {
	make_stick "$WORK/stick.img"
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
