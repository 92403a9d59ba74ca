# Hives: short runs of the judged edits, power cuts, faults and damaged logs (the full numbers:
# make test-hive-long).
load common

setup() {
	need_shared
	BIN="$BUILD/tests/hive"
	make -s -C "$REPO" BUILD="$BUILD" "$BIN/worker" "$BIN/damage" "$BIN/unbuffered.so" >/dev/null
}

judge() {
	/usr/bin/python3 "$REPO/tests/hive/judge.py" --worker "$BIN/worker" --shared "$SHARED" "$@"
}

@test "random edits, cut after every sector, dropped, reordered and torn: old or new, and sound" {
	real_hive win7-SAM/SAM >"$WORK/SAM"
	real_hive edge/UnicodeHive >"$WORK/Unicode"
	real_hive edge/BigDataHive >"$WORK/BigData"
	judge --edits 12 --crash 4 --fail 1 "$WORK/SAM" "$WORK/Unicode"
	judge --edits 6 --crash 2 --fail 1 --form hvle "$WORK/BigData"
}

@test "a dirty hive is written back before it is edited, and that may be cut too" {
	for n in '' .LOG1 .LOG2; do
		real_hive "groundtruth-new-HvLE/NewDirtyHive$n" >"$WORK/dirty$n"
	done
	judge --edits 3 --crash 3 --fail 1 --form hvle "$WORK/dirty"
}

@test "the judge notices a commit without barriers" {
	# a log blanked by somebody else between two syncs must not go unnoticed
	real_hive win7-SAM/SAM >"$WORK/SAM"
	cat >"$WORK/worker" <<SH
#!/bin/bash
exec "$BIN/worker" "\$@" | grep --line-buffered -v '^s 1'
SH
	chmod +x "$WORK/worker"
	run /usr/bin/python3 "$REPO/tests/hive/judge.py" --worker "$WORK/worker" --shared "$SHARED" --edits 2 --crash 2 --fail 0 "$WORK/SAM"
	[ "$status" -ne 0 ]
	[[ "$output" == *'FAILED'* ]]
}

@test "random edits, each read back by regfcheck.py, hivex and regfexport: exactly the edit" {
	need_tools regfexport
	real_hive win7-SAM/SAM >"$WORK/SAM"
	real_hive edge/BigDataHive >"$WORK/BigData"
	real_hive win81-SECURITY-dirty/SECURITY >"$WORK/SECURITY"
	judge --edits 40 --crash 0 --fail 0 --quick "$BIN/unbuffered.so" --mark-clean "$WORK/SAM" "$WORK/BigData" "$WORK/SECURITY"
	for n in '' .LOG1 .LOG2; do
		real_hive "win10-ntuser-dirty/NTUSER.DAT$n" >"$WORK/NTUSER.DAT$n"
	done
	judge --edits 4 --crash 0 --fail 0 --form hvle --quick "$BIN/unbuffered.so" "$WORK/NTUSER.DAT"
}

# damage NAME ARGUMENTS...
damage() {
	local name="$1" n
	for n in '' .LOG1 .LOG2; do
		[ ! -e "$SHARED/fixtures/hives/$name$n.xz" ] || real_hive "$name$n" >"$WORK/${name##*/}$n"
	done
	/usr/bin/python3 "$REPO/tests/hive/damage.py" --damage "$BIN/damage" --shared "$SHARED" "${@:2}" "$WORK/${name##*/}"
}

@test "a damaged log entry and all after it are not applied: every bit of every entry" {
	damage groundtruth-new-HvLE/NewDirtyHive --every --step 97
	damage groundtruth-old-DIRT/OldDirtyHive --step 9973 --header 7
	damage win10-amcache-dirty/Amcache.hve --every --step 199999 --header 211 --cuts 7168
	damage win10-usrclass-dirty/UsrClass.dat --every --step 199999 --header 211 --cuts 7168
	damage win10-ntuser-dirty/NTUSER.DAT --every --step 199999 --header 211 --cuts 7168
}

@test "the sequence numbers pass 2^32 with power cuts on the way" {
	real_hive win7-SAM/SAM >"$WORK/SAM"
	/usr/bin/python3 - "$SHARED/tools" "$WORK/SAM" <<'PY'
import struct, sys
sys.path.insert(0, sys.argv[1])
import regfreplay
b = bytearray(open(sys.argv[2], 'rb').read())
struct.pack_into('<II', b, 4, 0xfffffffb, 0xfffffffb)
struct.pack_into('<I', b, 508, regfreplay.xsum(b))
open(sys.argv[2], 'wb').write(b)
PY
	judge --edits 5 --crash 5 --fail 0 "$WORK/SAM"
}
