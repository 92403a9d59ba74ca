#!/usr/bin/env bats
# The power goes, or the stick is pulled, in the middle of a real apply: Linux's FAT driver on the
# stick, our NTFS on the disk, every write of both recorded in its true order. powercut.py judges.
# YANKS: the moments, in per cent of the writes of one run; four fifths of them are the session's file.
#
# make test-powercut, not make test: it takes long. POWERCUTS says at how many places.

load ../../cli/common
load ../../cli/pc
load ../image-common

setup_file() {
	load ../../cli/common
	load ../../cli/pc
	load ../image-common
	export LAB="$BATS_FILE_TMPDIR/lab" GROUND="$BATS_FILE_TMPDIR"
	lab "$LAB" --kdf-memory 8
	stick "$LAB/stick" "$LAB"
	cp --sparse=always "$IMAGE" "$GROUND/stick.img"
	"$REPO/image/put-stick" "$GROUND/stick.img" "$LAB/stick"
	win11 "$GROUND/tree"
	disk "$GROUND/pc.img" 96 "$GROUND/tree" --partitioned gpt
}

powercut() {
	/usr/bin/python3 "$REPO/tests/e2e/powercut.py" "$1" "$GROUND/stick.img" "$GROUND/pc.img" "$LAB" \
		"$BATS_FILE_TMPDIR/out" "$2"
}

# shown COMMAND...: its output is in the log.
shown() {
	run "$@"
	echo "$output" | sed 's/^/# /' >&3
	[ "$status" -eq 0 ]
}

@test "power cut at any write of stick or disk: FAT, journal and hive stand, running again finishes" {
	shown powercut cuts "${POWERCUTS:-12}"
	need_judge # of the hive
}

@test "the stick is pulled in the middle of an apply: nothing is lost that was said, running again finishes" {
	local moment
	for moment in ${YANKS:-88}; do
		shown powercut yank "$moment"
	done
	need_judge # of the hive
}
