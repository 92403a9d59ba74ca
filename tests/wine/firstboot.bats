#!/usr/bin/env bats
# The script of the first-boot method in an independent interpreter: Wine's cmd.exe and reg.exe. djoin.exe
# and shutdown.exe are stubs that end with a given code (tests/tools/mkexe.py); Wine's trace says
# how they were called. Not part of make test: Wine is 100 MB. `make test-wine`.

bats_require_minimum_version 1.5.0

setup_file() {
	REPO="$(cd "$BATS_TEST_DIRNAME/../.." && pwd)"
	export REPO BUILD="${BUILD:-$REPO/build}"
	WINE="$(command -v wine64 || command -v wine || ls /usr/lib/wine/wine64)"
	export WINE WINEPREFIX="$BATS_FILE_TMPDIR/prefix" WINEDLLOVERRIDES="mscoree,mshtml=" DISPLAY=
	WINEDEBUG=-all "$WINE" wineboot -i >/dev/null 2>&1
	WINEDEBUG=-all "$WINE" cmd /c ver >&2
	export C="$WINEPREFIX/drive_c/windows"
	[ -d "$C/system32" ]
}

teardown_file() {
	"$(dirname "$(readlink -f "$WINE")")/wineserver" -k 2>/dev/null || wineserver -k 2>/dev/null || true
}

KEY='HKLM\SYSTEM\CurrentControlSet\Services\odjstick-join'

# arrange CODE: what apply leaves on the disk, and a djoin that ends with CODE.
arrange() {
	mkdir -p "$C/Setup/odjstick"
	"$BUILD/tests/tools/firstboot_script" >"$C/Setup/odjstick/join.cmd"
	printf '\xff\xfeA\0\0\0' >"$C/Setup/odjstick/blob.txt"
	rm -f "$C/debug/odjstick-join.log"
	/usr/bin/python3 "$REPO/tests/tools/mkexe.py" "$1" "$C/system32/djoin.exe"
	/usr/bin/python3 "$REPO/tests/tools/mkexe.py" 0 "$C/system32/shutdown.exe"
	WINEDEBUG=-all "$WINE" reg add "$KEY" /v Start /t REG_DWORD /d 2 /f >/dev/null
}

# start: as the service would, with a trace of the programs that were started in $trace.
start() {
	trace="$BATS_TEST_TMPDIR/trace"
	WINEDEBUG=trace+process timeout 120 "$WINE" cmd /d /c 'C:\windows\Setup\odjstick\join.cmd' \
		>"$BATS_TEST_TMPDIR/out" 2>"$trace" </dev/null || true
}

started() {
	grep CreateProcessInternalW "$trace" | grep -F "$1"
}

clean() {
	# Wine's cmd.exe keeps the script open, so the empty folder may stay
	[ -z "$(ls -A "$C/Setup/odjstick" 2>/dev/null)" ]
	run -1 env WINEDEBUG=-all "$WINE" reg query "$KEY"
}

@test "djoin succeeds: called as documented, everything is gone, the code is left, the PC restarts" {
	arrange 0
	start
	started 'djoin.exe' | grep -F '/requestODJ /loadfile' | grep -F 'blob.txt' | grep -F '/windowspath' | grep -F '/localos'
	[ "$(started 'djoin.exe' | wc -l)" -eq 1 ]
	clean
	grep -q 'djoin exit code 0' "$C/debug/odjstick-join.log"
	started 'shutdown.exe' | grep -F '/r /t 0'
}

@test "djoin asks for a restart (2713): the same" {
	arrange 2713
	start
	clean
	grep -q 'djoin exit code 2713' "$C/debug/odjstick-join.log"
	started 'shutdown.exe'
}

@test "djoin fails: everything is gone all the same, the code is left, no restart" {
	arrange 87
	start
	started 'djoin.exe'
	clean
	grep -q 'djoin exit code 87' "$C/debug/odjstick-join.log"
	run -1 started 'shutdown.exe'
}

@test "no djoin at all: everything is gone, no restart" {
	arrange 0
	rm "$C/system32/djoin.exe"
	start
	clean
	grep -q 'djoin exit code' "$C/debug/odjstick-join.log"
	run -1 started 'shutdown.exe'
}

@test "cut off before: the second start cleans up, djoin is not run again, no restart" {
	arrange 0
	: >"$C/Setup/odjstick/started"
	start
	run -1 started 'djoin.exe'
	clean
	grep -q 'djoin exit code not run' "$C/debug/odjstick-join.log"
	run -1 started 'shutdown.exe'
}
