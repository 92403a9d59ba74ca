# Same sources, same image, bit for bit: clean clones in other folders, at other times, by other users'
# settings. Only the package cache is shared.

load image-common

# build_clone DIR NAME=VALUE...: a clean clone of HEAD in DIR, built with that environment.
build_clone() {
	local dir=$1
	shift
	git clone -q --no-hardlinks "$REPO" "$dir"
	env -i HOME="$HOME" PATH="$PATH" ${ODJSTICK_CACHE:+ODJSTICK_CACHE="$ODJSTICK_CACHE"} "$@" \
		make -s -j2 -C "$dir" image >"$dir.log" 2>&1 || { tail "$dir.log"; return 1; }
}

@test "two clean clones in two folders, at different times: the same image, bit for bit" {
	git -C "$REPO" rev-parse --verify -q HEAD || skip "this tree is no git repository"
	local one=$IMAGE two=$BATS_TEST_TMPDIR/two/a/longer/path
	# The tree under test is a clean clone in CI; with changes in it, a clone stands in.
	if [ -n "$(git -C "$REPO" status --porcelain)" ]; then
		build_clone "$BATS_TEST_TMPDIR/one" TZ=UTC LANG=C
		one=$BATS_TEST_TMPDIR/one/build/odjstick.img
	fi
	mkdir -p "$(dirname "$two")"
	(umask 077 && build_clone "$two" TZ=Asia/Tokyo LANG=C.UTF-8)
	cmp "$two/build/odjstick" "$(dirname "$one")/odjstick"
	cmp "$one" "$two/build/odjstick.img"
}
