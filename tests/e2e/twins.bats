# Two sticks made from one image in one PC: the one that was started is used, the other one is not touched.
# Which is which, from a table: tests/unit/init_test.c.

load ../cli/common
load ../cli/pc
load image-common
load join

setup_file() {
	load ../cli/common
	load ../cli/pc
	load join
	join_lab
	make_stick "$BATS_FILE_TMPDIR/a.img"
	make_stick "$BATS_FILE_TMPDIR/b.img"
}

# uses STICK TWIN FIRMWARE
uses() {
	cp --sparse=always "$BATS_FILE_TMPDIR/$1.img" "$WORK/stick.img"
	cp --sparse=always "$BATS_FILE_TMPDIR/$2.img" "$WORK/twin.img"
	/usr/bin/python3 "$REPO/tests/e2e/twins_run.py" "$WORK/stick.img" "$WORK/twin.img" "$3" \
		'engineer passphrase'
	cmp "$WORK/twin.img" "$BATS_FILE_TMPDIR/$2.img"
	mkdir "$WORK/back"
	"$REPO/image/get-stick" "$WORK/stick.img" "$WORK/back"
	/usr/bin/python3 "$REPO/tests/tools/journal_verify.py" "$WORK/back" --lab "$(lab_hex "$LAB/LAB.pub")"
	last_record "$WORK/back" unlocked | grep -q '"event":"unlocked"'
}

@test "UEFI: the first of two sticks of one image is started and used" {
	uses a b uefi
}

@test "BIOS: the second of them is started and used" {
	uses b a bios
}
