# stick make: an image and a bundle become sticks. What was written is judged by sfdisk, fsck.fat, mtools
# and cmp. Which devices are taken: tests/unit/media_test.c.

load image-common

setup_file() {
	local tmp=$BATS_FILE_TMPDIR
	export ODJSTICK="${ODJSTICK:-$BUILD/odjstick}"
	echo "lab secret" >"$tmp/lp"
	echo "engineer" >"$tmp/ep"
	cp --sparse=always "$IMAGE" "$tmp/signed.img"
	for lab in LAB OTHER; do
		"$ODJSTICK" lab keygen -o "$tmp/$lab" --passphrase-file "$tmp/lp"
	done
	"$ODJSTICK" image sign "$tmp/signed.img" --lab "$tmp/LAB.key" --passphrase-file "$tmp/lp"
	"$ODJSTICK" bundle create "$REPO/tests/vectors/batch/corp.csv" -o "$tmp/b.odjb" --lab "$tmp/LAB.key" \
		--lab-passphrase-file "$tmp/lp" --passphrase-file "$tmp/ep"
}

setup() {
	tmp=$BATS_FILE_TMPDIR
	out=$BATS_TEST_TMPDIR/stick.img
	export MTOOLS_SKIP_CHECK=1
}

# make_stick ARG...: with the signed image, the bundle and the public key.
make_stick() {
	"$ODJSTICK" stick make --image "$tmp/signed.img" --bundle "$tmp/b.odjb" --lab "$tmp/LAB.pub" "$@"
}

# number_of STICK: what its loaders hand to the kernel.
number_of() {
	mtype -i "$1@@1M" ::number | cpio --quiet -i --to-stdout number
}

# volume_id FAT, in lower case
volume_id() {
	blkid -p -o value -s UUID "$1" | tr -d - | tr A-F a-f
}

# refuses STATUS WORDS COMMAND...
refuses() {
	local want=$1 words=$2
	shift 2
	run "$@"
	[ "$status" -eq "$want" ] || { echo "exit $status, wanted $want: $output"; return 1; }
	[[ $output == *"$words"* ]] || { echo "lacks \"$words\": $output"; return 1; }
}

@test "a stick of 1 GB: partitions to its end, a clean FAT32, bundle, key and journal on it" {
	make_stick -o "$out" --size 1G >"$BATS_TEST_TMPDIR/said"
	[ "$(stat -c %s "$out")" -eq $((1 << 30)) ]
	[ "$(sfdisk --json "$out" | jq -r '.partitiontable.partitions | map("\(.start) \(.size) \(.type)") | join(",")')" = \
		"100352 $(((1 << 30) / 512 - 100352)) c,2048 98304 ef" ]
	partition "$out" 1 >"$BATS_TEST_TMPDIR/data"
	fat_is_clean "$BATS_TEST_TMPDIR/data"
	[ "$(blkid -p -o value -s VERSION "$BATS_TEST_TMPDIR/data")" = FAT32 ]
	[ "$(blkid -p -o value -s LABEL "$BATS_TEST_TMPDIR/data")" = ODJSTICK ]
	# Its own number, and not the image's identity.
	[ "$(number_of "$out")" = "$(volume_id "$BATS_TEST_TMPDIR/data")" ]
	[ "$(number_of "$out")" != "$(sfdisk --json "$out" | jq -r '.partitiontable.id[2:]')" ]
	cmp "$tmp/b.odjb" <(mtype -i "$BATS_TEST_TMPDIR/data" ::bundle.odjb)
	cmp "$tmp/LAB.pub" <(mtype -i "$BATS_TEST_TMPDIR/data" ::lab.pub)
	mtype -i "$BATS_TEST_TMPDIR/data" ::README.TXT | grep -q ODJSTICK
	"$REPO/image/get-stick" "$out" "$BATS_TEST_TMPDIR/back"
	"$ODJSTICK" journal verify "$BATS_TEST_TMPDIR/back" --lab "$tmp/LAB.pub"
	grep -q "$(jq -r .stick "$BATS_TEST_TMPDIR/back/journal/000000.jsonl")" "$BATS_TEST_TMPDIR/said"
}

@test "the first 49 MiB are the image's, but for the size of the data partition and the stick's number" {
	make_stick -o "$out" --size 300M
	run cmp -l -n $((49 << 20)) "$tmp/signed.img" "$out"
	local at
	at=$(tr -d '\0' <"$tmp/signed.img" 2>/dev/null | head -c 40000 | awk '$4 == "/number" { print $2 + 120; exit }')
	[ "$at" -gt $((1 << 20)) ]
	[ "$(awk -v at="$at" '($1 < 459 || $1 > 462) && ($1 <= at || $1 > at + 8)' <<<"$output" | grep -c '^ *[0-9]')" \
		-eq 0 ] || { echo "$output"; return 1; }
	"$ODJSTICK" image verify "$out" --lab "$tmp/LAB.pub"
}

@test "a stick of no whole number of MiB: good, until something lies behind the data partition" {
	# That a used stick is cleared there: tests/unit/media_test.c.
	make_stick -o "$out" --size $(((300 << 20) + 512 * 777))
	"$ODJSTICK" image verify "$out" --lab "$tmp/LAB.pub"
	printf 'EFI PART' | dd of="$out" bs=1 seek=$(((300 << 20) + 512 * 776)) conv=notrunc status=none
	refuses 5 "second partition table" "$ODJSTICK" image verify "$out" --lab "$tmp/LAB.pub"
}

@test "two sticks from one image have journals and numbers of their own, and both verify" {
	make_stick -o "$out" >"$BATS_TEST_TMPDIR/one"
	make_stick -o "$out.2" >"$BATS_TEST_TMPDIR/two"
	[ "$(grep ^stick "$BATS_TEST_TMPDIR/one")" != "$(grep ^stick "$BATS_TEST_TMPDIR/two")" ]
	[ "$(number_of "$out")" != "$(number_of "$out.2")" ]
	for stick in "$out" "$out.2"; do
		"$ODJSTICK" image verify "$stick" --lab "$tmp/LAB.pub"
	done
}

@test "with the lab's secret key an unsigned image is signed on the stick; the image stays as it is" {
	cp --sparse=always "$IMAGE" "$BATS_TEST_TMPDIR/plain.img"
	"$ODJSTICK" stick make --image "$BATS_TEST_TMPDIR/plain.img" --bundle "$tmp/b.odjb" --lab "$tmp/LAB.key" \
		--passphrase-file "$tmp/lp" -o "$out"
	"$ODJSTICK" image verify "$out" --lab "$tmp/LAB.pub"
	cmp "$BATS_TEST_TMPDIR/plain.img" "$IMAGE"
	"$REPO/image/get-stick" "$out" "$BATS_TEST_TMPDIR/back"
	"$ODJSTICK" journal verify "$BATS_TEST_TMPDIR/back" --lab "$tmp/LAB.pub" | grep -qi 'lab'
}

@test "with the public key only, an unsigned image makes a stick that says what it lacks" {
	run "$ODJSTICK" stick make --image "$IMAGE" --bundle "$tmp/b.odjb" --lab "$tmp/LAB.pub" -o "$out"
	[ "$status" -eq 0 ]
	[[ $output == *"The image is not signed"* ]]
	refuses 5 "no lab has signed" "$ODJSTICK" image verify "$out" --lab "$tmp/LAB.pub"
}

@test "no stick from a changed image, or from one that another lab signed" {
	cp --sparse=always "$tmp/signed.img" "$BATS_TEST_TMPDIR/changed.img"
	printf x | dd of="$BATS_TEST_TMPDIR/changed.img" bs=1 seek=10000000 conv=notrunc status=none
	refuses 5 "is not as it was built" "$ODJSTICK" stick make --image "$BATS_TEST_TMPDIR/changed.img" \
		--bundle "$tmp/b.odjb" --lab "$tmp/LAB.pub" -o "$out"
	[ ! -e "$out" ]
	cp --sparse=always "$IMAGE" "$BATS_TEST_TMPDIR/other.img"
	"$ODJSTICK" image sign "$BATS_TEST_TMPDIR/other.img" --lab "$tmp/OTHER.key" --passphrase-file "$tmp/lp"
	refuses 4 "not by the lab's key" "$ODJSTICK" stick make --image "$BATS_TEST_TMPDIR/other.img" \
		--bundle "$tmp/b.odjb" --lab "$tmp/LAB.pub" -o "$out"
	refuses 5 "is no stick" "$ODJSTICK" stick make --image "$tmp/b.odjb" --bundle "$tmp/b.odjb" \
		--lab "$tmp/LAB.pub" -o "$out"
	[ ! -e "$out" ]
}

@test "no stick with another lab's bundle, or a damaged one" {
	refuses 5 "" "$ODJSTICK" stick make --image "$IMAGE" --bundle "$tmp/b.odjb" --lab "$tmp/OTHER.pub" -o "$out"
	head -c 100000 "$tmp/b.odjb" >"$BATS_TEST_TMPDIR/cut.odjb"
	run "$ODJSTICK" stick make --image "$IMAGE" --bundle "$BATS_TEST_TMPDIR/cut.odjb" --lab "$tmp/LAB.pub" -o "$out"
	[ "$status" -ne 0 ]
	[ ! -e "$out" ]
}

@test "too small is said before anything is written" {
	refuses 1 "too small" make_stick -o "$out" --size 60M
	[ ! -e "$out" ]
	refuses 2 "--size" make_stick -o "$out" --size lots
	refuses 2 "--size" make_stick -o "$out" --size 1T
	make_stick -o "$out" --size 90M
}

@test "an existing file is not overwritten" {
	echo precious >"$out"
	refuses 1 "exists already" make_stick -o "$out"
	[ "$(cat "$out")" = precious ]
}

@test "usage: one of -o and --device, and nothing missing" {
	refuses 2 "name one" make_stick
	refuses 2 "name one" make_stick -o "$out" --device /dev/null
	refuses 2 "--bundle is missing" "$ODJSTICK" stick make --image "$IMAGE" --lab "$tmp/LAB.pub" -o "$out"
	refuses 2 "--size goes with -o" make_stick --device /dev/null --size 1G
}

@test "--device takes no file, no character device, and no disk that stays in the PC" {
	: >"$out"
	refuses 3 "is no device" make_stick --yes --device "$out"
	refuses 3 "is no device" make_stick --yes --device /dev/null
	refuses 1 "/dev/absent" make_stick --yes --device /dev/absent
}

@test "--device takes no loop device, even an idle one: it cannot be pulled out" {
	[ "$(id -u)" -eq 0 ] || skip "needs root for a loop device"
	truncate -s 1G "$out"
	local loop
	loop=$(losetup --show -f "$out" 2>/dev/null) || skip "this machine gives no loop devices"
	run make_stick --yes --device "$loop"
	losetup -d "$loop"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot be pulled out"* ]]
	cmp -n $((1 << 30)) "$out" /dev/zero
}

@test "no key of a journal is left behind in memory's folder" {
	make_stick -o "$out"
	[ -z "$(find /dev/shm -maxdepth 1 -name 'odjstick.*' -newer "$tmp/b.odjb")" ]
}
