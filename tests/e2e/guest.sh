#!/busybox sh
# The first program of tests/e2e/device.bats' guest: a lab's machine with a stick in it (or three), that makes
# one. Says on the console what each command said and its exit status.
# shellcheck shell=dash
b=/busybox
$b mount -t devtmpfs devtmpfs /dev
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mkdir -p /dev/shm /mnt /tmp
$b mount -t tmpfs tmpfs /dev/shm
exec >/dev/ttyS0 2>&1

for module in /modules/*.ko; do
	$b insmod "$module" || echo "module $module"
done

# disk BYTES: the disk of that size.
disk() {
	local n=0 name
	while [ $n -lt 100 ]; do
		for name in /sys/block/*; do
			[ "$($b cat "$name/size")" != $(($1 / 512)) ] || { echo "/dev/${name##*/}"; return; }
		done
		n=$((n + 1))
		$b usleep 100000
	done
	echo /dev/none
}

# try NAME COMMAND...
try() {
	local name=$1
	shift
	echo "RUN $name"
	"$@"
	echo "EXIT $name $?"
}

make_stick() {
	/odjstick stick make --image /signed.img --bundle /b.odjb --lab /LAB.key --passphrase-file /lp \
		--yes --device "$1"
}

stick=$(disk $((300 << 20))) small=$(disk $((64 << 20))) own=$(disk $((320 << 20)))
echo "stick $stick small $small own $own"
try small make_stick "$small"
try own make_stick "$own"
try make make_stick "$stick"
try verify /odjstick image verify "$stick" --lab /LAB.pub
# As udev does on a lab machine.
$b blockdev --rereadpt "$stick"
try part make_stick "${stick}1"
$b mount -t vfat -o iocharset=cp437 "${stick}1" /mnt && $b sha256sum /mnt/bundle.odjb
try mounted make_stick "$stick"
$b umount /mnt
$b sync
echo GUEST DONE
$b poweroff -f
