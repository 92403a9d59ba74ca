#!/usr/bin/env bats
# TARGETs as the command line sees them, on images that ntfstree makes.

load common

setup() {
	need_tools mkntfs ntfscat ntfsresize sfdisk
	NTFSTREE="$BUILD/tests/tools/ntfstree"
	[ -x "$NTFSTREE" ] || { echo "missing $NTFSTREE (make test-tools)"; return 1; }
	mkdir -p "$WORK/src/Windows/System32/config"
	echo hive >"$WORK/src/Windows/System32/config/SYSTEM"
}

@test "volume: a disk image that holds nothing known is refused and unchanged" {
	head -c 1000000 /dev/zero >"$WORK/zero.img"
	refuses 3 "no partition table" "$ODJSTICK" windows list "$WORK/zero.img"
	head -c 1000000 /dev/zero | cmp - "$WORK/zero.img"
}

@test "volume: an absent target is an error with the path" {
	refuses 1 "$WORK/absent.img" "$ODJSTICK" windows list "$WORK/absent.img"
}

@test "volume: looking at GPT, MBR and bare images, in every state, changes no byte" {
	local options
	while read -r options; do
		# shellcheck disable=SC2086
		"$NTFSTREE" "$WORK/disk.img" 16 "$WORK/src" $options
		sha256sum "$WORK/disk.img" >"$WORK/before"
		"$ODJSTICK" windows list "$WORK/disk.img" || true
		"$ODJSTICK" windows inspect "$WORK/disk.img" || true
		sha256sum -c --quiet "$WORK/before"
	done <<-'EOF'
		--partitioned gpt
		--partitioned mbr --dirty
		--hiberfile hibr
		--log open
		--bitlocker
	EOF
}

@test "volume: what ntfstree makes is what ntfs-3g's own tools read" {
	"$NTFSTREE" "$WORK/bare.img" 16 "$WORK/src"
	[ "$(ntfscat -f "$WORK/bare.img" Windows/System32/config/SYSTEM)" = hive ]
	ntfsresize -i -f "$WORK/bare.img" >/dev/null
}
