# What the image tests share.
#   BUILD   where the images are (default: build)

REPO="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
BUILD="${BUILD:-$REPO/build}"
[[ $BUILD = /* ]] || BUILD=$REPO/$BUILD
export BUILD
IMAGE=$BUILD/odjstick.img
PROBE=$BUILD/tests/probe.img
PATH=$PATH:/usr/sbin:/sbin

# partition IMG N: the bytes of partition N, found by sfdisk.
partition() {
	local start size
	read -r start size < <(sfdisk --json "$1" |
		jq -r ".partitiontable.partitions[$(($2 - 1))] | \"\(.start) \(.size)\"")
	dd if="$1" bs=512 skip="$start" count="$size" status=none
}

# fat_is_clean FILE: no error, and the dirty bit (byte 65 of the boot sector, bit 0) is clear. fsck.fat
# reports the bit and still ends with 0, so its words are read.
fat_is_clean() {
	local said
	said=$(fsck.fat -n "$1" 2>&1) || { echo "$said"; return 1; }
	[[ $said != *[Dd]irty* ]] || { echo "$said"; return 1; }
}
