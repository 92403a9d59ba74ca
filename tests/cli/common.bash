# What every command line test loads.
#   BUILD      where everything was built (default: build)
#   ODJSTICK   the program under test (default: BUILD/odjstick)
#   SHARED     real hives, blobs and independent judges; tests that need them call need_shared
#   WORK       a fresh folder, gone after the test

REPO="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
BUILD="${BUILD:-$REPO/build}"
[[ $BUILD = /* ]] || BUILD="$REPO/$BUILD"
export BUILD
ODJSTICK="${ODJSTICK:-$BUILD/odjstick}"
SHARED="${SHARED:-$REPO/../shared}"
WORK="$BATS_TEST_TMPDIR"
BLOBS="$REPO/tests/vectors/blobs"

need_shared() {
	[ -d "$SHARED/fixtures" ] || skip "needs ../shared (real hives and judges), which is absent here"
}

# need_judge: at the end of a test that stands by itself, and has one judge more in ../shared.
need_judge() {
	[ -d "$SHARED/tools" ] || skip "passed but for the independent judge in ../shared, which is absent here"
}

# need_tools hivexget ntfscat ...: the packages are in the project's own list, so absence is a failure.
need_tools() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || { echo "missing tool: $tool (make test installs it)"; return 1; }
	done
}

# real_hive win7sp1-x86-domain/SYSTEM > FILE
real_hive() {
	xz -dc "$SHARED/fixtures/hives/$1.xz"
}

# regfcheck FILE...: the independent structure checker says there is no error.
regfcheck() {
	/usr/bin/python3 "$SHARED/tools/regfcheck.py" -q "$@"
}

# refuses STATUS WORDS COMMAND...: the exit status is STATUS and the message holds WORDS.
refuses() {
	local want="$1" words="$2"
	shift 2
	run "$@"
	[ "$status" -eq "$want" ] || { echo "exit $status, wanted $want: $output"; return 1; }
	[[ "$output" == *"$words"* ]] || { echo "message lacks \"$words\": $output"; return 1; }
}
