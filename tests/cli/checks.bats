#!/usr/bin/env bats
# The checks of preflight that look at people, power, clock and disk: each one both ways. A warning needs a
# reason, which is in the journal; a stop cannot be overridden. docs/windows.md lists them all.

load common
load pc

setup_file() {
	load common
	load pc
	export ODJSTICK_NOW=1780000000
	export LAB="$BATS_FILE_TMPDIR/lab" PC="$BATS_FILE_TMPDIR/pc"
	mkdir -p "$PC"
	lab "$LAB" --kdf-memory 8
	stick "$LAB/stick" "$LAB"
	win11 "$PC/win11"
	cp "$BUILD/hives/win11-SAM" "$PC/win11/Windows/System32/config/SAM"
	disk "$PC/win11.img" 48 "$PC/win11"
}

setup() {
	need_tools jq cryptsetup mkfs.ext4 sfdisk
	cp -r "$LAB/stick" "$WORK/stick"
	STICK="$WORK/stick"
	# which PC of the batch; each test that changes one uses it once
	NAME=ALM-FIL-001
}

pc() {
	cp --sparse=always "$PC/win11.img" "$WORK/disk.img"
	DISK="$WORK/disk.img"
}

# with_sam SED: a disk whose SAM differs.
with_sam() {
	cp -r "$PC/win11" "$WORK/tree"
	sed "$1" "$HIVES/win11-SAM.hive-text" >"$WORK/sam-text"
	"$TOOLS/mkhive" "$WORK/sam-text" "$WORK/tree/Windows/System32/config/SAM"
	DISK="$WORK/disk.img"
	disk "$DISK" 48 "$WORK/tree"
}

unchanged() {
	local before status=0
	before="$(sha256sum <"$DISK")"
	"$@" || status=$?
	[ "$before" = "$(sha256sum <"$DISK")" ] || { echo "$DISK was changed"; return 99; }
	return "$status"
}

# checked ID VERDICT [REASON]: the last record of that check.
checked() {
	local record
	record="$(cat "$STICK"/journal/*.jsonl | grep "\"check\":\"$1\"" | grep '"event":"check"' | tail -n 1)"
	echo "$record" | jq -e --arg v "$2" --arg r "${3:-}" \
		'.facts.verdict == $v and (.facts.reason // "") == $r' >/dev/null ||
		{ echo "wanted $1 $2 ${3:-}: $record"; return 1; }
}

# warns ID WORDS OPTION...: refused without a reason, nothing changed; done with one.
warns() {
	local id="$1" words="$2"
	shift 2
	refuses 1 "$words" unchanged apply "$STICK" "$DISK" --name $NAME "$@"
	[[ "$output" == *"a reason is needed"* ]]
	last_record "$STICK" refused | grep -q "\"check\":\"$id\""
	checked "$id" warn
	apply "$STICK" "$DISK" --name $NAME --reason "known to the site" "$@" >/dev/null
	checked "$id" warn "known to the site"
	"$ODJSTICK" journal verify "$STICK" --lab "$LAB/LAB.pub" >/dev/null
}

# stops ID WORDS: refused with exit status 6, also with a reason.
stops() {
	refuses 6 "$2" unchanged apply "$STICK" "$DISK" --name $NAME --reason "I insist"
	last_record "$STICK" refused | grep -q "\"check\":\"$1\""
	checked "$1" stop
}

# supply NAME FILE=TEXT...: a power supply below WORK/sys.
supply() {
	local dir="$WORK/sys/class/power_supply/$1" pair
	mkdir -p "$dir"
	shift
	for pair; do
		echo "${pair#*=}" >"$dir/${pair%%=*}"
	done
}

@test "check power: a battery that is nearly empty warns" {
	pc
	supply AC type=Mains online=0
	supply BAT0 type=Battery status=Discharging capacity=19
	supply hidpp_battery_0 type=Battery scope=Device status=Discharging capacity=90
	warns power "battery, and that is at 19%" --sys "$WORK/sys"
}

@test "check power: mains, and a battery with enough in it, are fine" {
	pc
	supply AC type=Mains online=1
	supply BAT0 type=Battery status=Charging capacity=3
	apply "$STICK" "$DISK" --name $NAME --sys "$WORK/sys" >/dev/null
	checked power ok
	pc
	supply AC type=Mains online=0
	supply BAT0 type=Battery status=Discharging capacity=20
	apply "$STICK" "$DISK" --name ALM-FIL-002 --sys "$WORK/sys" >/dev/null
	checked power ok
	pc
	apply "$STICK" "$DISK" --name ALM-FIL-003 --sys "$WORK/nothing" >"$WORK/out"
	! grep -q mains "$WORK/out"
}

@test "check accounts: one administrator is named, and journalled" {
	pc
	run apply "$STICK" "$DISK" --name $NAME
	[ "$status" -eq 0 ]
	[[ "$output" == *"one local administrator can sign in: staging"* ]]
	checked accounts ok
	[ "$(last_record "$STICK" windows-found | jq -r .facts.admins)" = staging ]
	! cat "$STICK"/journal/*.jsonl | grep -qi c5c5c5c5
}

@test "check accounts: several are named, and journalled" {
	with_sam 's/samf:500 0x211/samf:500 0x210/'
	run apply "$STICK" "$DISK" --name $NAME
	[ "$status" -eq 0 ]
	[[ "$output" == *"2 local administrators can sign in: Administrator, staging"* ]]
	[ "$(last_record "$STICK" windows-found | jq -r .facts.admins)" = "Administrator, staging" ]
}

@test "check accounts: nobody who could repair the PC warns" {
	with_sam 's/samf:1001 0x214/samf:1001 0x215/'
	warns accounts "no enabled local account is an administrator"
}

@test "check accounts: a SAM that cannot be read warns" {
	cp -r "$PC/win11" "$WORK/tree"
	head -c 8192 /dev/urandom >"$WORK/tree/Windows/System32/config/SAM"
	DISK="$WORK/disk.img"
	disk "$DISK" 48 "$WORK/tree"
	warns accounts "accounts cannot be read"
}

@test "check entra: a PC of a tenant stops" {
	# shellcheck disable=SC2016
	win11 "$WORK/tree" '$a [ControlSet001\\Control\\CloudDomainJoin\\JoinInfo\\0123456789ABCDEF]\nTenantId = sz:"9f1c2f6e-1111-4222-8333-444455556666"'
	DISK="$WORK/disk.img"
	disk "$DISK" 48 "$WORK/tree"
	stops entra "Microsoft Entra ID, tenant 9f1c2f6e"
	[[ "$output" == *"dsregcmd /leave"* ]]
}

@test "check hive-storage: a compressed or sparse SYSTEM hive, or log, stops" {
	local how
	DISK="$WORK/disk.img"
	disk "$DISK" 48 "$PC/win11" --compressed Windows/System32/config/SYSTEM
	stops hive-storage "stored compressed"
	cp -r "$PC/win11" "$WORK/tree"
	head -c 65536 /dev/zero >"$WORK/tree/Windows/System32/config/SYSTEM.LOG1"
	for how in compressed sparse; do
		disk "$DISK" 48 "$WORK/tree" --$how Windows/System32/config/SYSTEM.LOG1
		stops hive-storage "stored $how"
		[ "$("$ODJSTICK" windows inspect --json "$DISK" | jq .hives.system.$how)" = true ]
	done
	# the unattend method does not write the hive
	generalized "$WORK/sealed"
	disk "$DISK" 48 "$WORK/sealed" --compressed Windows/System32/config/SYSTEM
	apply "$STICK" "$DISK" --name $NAME >/dev/null
}

# asleep EPOCH SED-SYSTEM: a disk with an image in hiberfil.sys made at that time.
asleep() {
	rm -rf "$WORK/tree"
	win11 "$WORK/tree" "$2"
	/usr/bin/python3 -c '
import struct, sys
page = bytearray(b"hibr" + bytes(8188))
struct.pack_into("<Q", page, 0x20, (int(sys.argv[2]) + 11644473600) * 10000000)
open(sys.argv[1], "wb").write(page)' "$WORK/tree/hiberfil.sys" "$1"
	DISK="$WORK/disk.img"
	disk "$DISK" 48 "$WORK/tree"
	"$ODJSTICK" windows inspect --json "$DISK" | jq -r .volume.hibernation
}

@test "check volume: Fast Startup and hibernation are told apart, and both stop" {
	local down
	down="$(date -u -d 2025-03-04T08:12:09Z +%s)" # ShutdownTime of the synthetic Windows
	[ "$(asleep $((down + 9)) '')" = fast-startup ]
	DISK="$WORK/disk.img"
	stops volume "Fast Startup"
	[[ "$output" == *"hold Shift"* ]]
	[ "$(asleep $((down + 86400)) '')" = hibernated ]
	stops volume "hibernated"
	[ "$(asleep $((down + 9)) 's/^HiberbootEnabled.*/HiberbootEnabled = dword:0/')" = hibernated ]
	# no time in the image: which of the two is not known, and it stops all the same
	[ "$(asleep 0 '')" = unknown ]
	stops volume "hibernated"
	[[ "$output" != *"Fast Startup"* ]]
	# the setting alone decides when it rules Fast Startup out
	[ "$(asleep 0 's/^HiberbootEnabled.*/HiberbootEnabled = dword:0/')" = hibernated ]
}

@test "check clock: behind the bundle, behind the last record, far ahead; local time is allowed for" {
	pc
	ODJSTICK_NOW=$((ODJSTICK_NOW - 30 * 86400)) warns clock "but the bundle was made"
	pc
	NAME=ALM-FIL-002
	ODJSTICK_NOW=$((ODJSTICK_NOW + 86400)) apply "$STICK" "$DISK" --name $NAME >/dev/null
	pc
	NAME=ALM-FIL-003
	ODJSTICK_NOW=$((ODJSTICK_NOW + 3600)) warns clock "but this stick's newest record was written"
	pc
	# Windows keeps the hardware clock in UTC+1: half an hour behind is no contradiction
	NAME=ALM-FIL-004
	ODJSTICK_NOW=$((ODJSTICK_NOW + 86400 - 1800)) apply "$STICK" "$DISK" --name $NAME >/dev/null
	checked clock ok
	pc
	NAME=ALM-FIL-005
	ODJSTICK_NOW=$((ODJSTICK_NOW + 11 * 366 * 86400)) warns clock "more than ten years after"
}

# on_stick ARGUMENT...: the program as it runs on the stick: its root is an initramfs, and its own file has the
# time that the image gave it.
on_stick() {
	unshare "${SPACES[@]}" --mount-proc="$ROOT/proc" chroot "$ROOT" /odjstick "$@"
}

@test "check clock: behind the stick's own system" {
	SPACES=(--mount --pid --fork)
	[ "$(id -u)" -eq 0 ] || SPACES+=(--map-root-user)
	unshare "${SPACES[@]}" true 2>/dev/null || skip "name spaces cannot be made here"
	[ "$(stat -f -c %T /dev/shm)" = tmpfs ] || skip "/dev/shm is no tmpfs here"
	ROOT="$(mktemp -d /dev/shm/odjstick.XXXXXX)"
	echo "$ROOT" >"$WORK/root"
	mkdir "$ROOT/proc" "$ROOT/tmp"
	cp "$ODJSTICK" "$ROOT/odjstick"
	cp -r "$STICK" "$ROOT/stick"
	cp -r "$PC/win11" "$ROOT/pc"
	cp "$LAB/pass" "$ROOT/pass"
	local now
	for now in -3601 -3600 1; do # an hour: this Windows keeps the hardware clock in UTC+1
		touch -d "@$((ODJSTICK_NOW + 864000))" "$ROOT/odjstick"
		ODJSTICK_NOW=$((ODJSTICK_NOW + 864000 + now)) on_stick apply --stick /stick --target /pc --name $NAME \
			--passphrase-file /pass --dry-run --json >"$WORK/$now" 2>/dev/null || true
		jq -r '.checks[] | select(.id == "clock") | .verdict + " " + .text' "$WORK/$now" >"$WORK/said$now"
	done
	grep -q '^warn .*, but this stick.s system is dated 2026-06-07T20:26:40Z' "$WORK/said-3601"
	grep -q '^ok' "$WORK/said-3600"
	grep -q '^ok' "$WORK/said1"
	# elsewhere the program's own file says nothing about the day
	cp "$ODJSTICK" "$WORK/later"
	touch -d "@$((ODJSTICK_NOW + 864000))" "$WORK/later"
	"$WORK/later" apply --stick "$STICK" --target "$PC/win11" --name $NAME --passphrase-file "$LAB/pass" --dry-run \
		--json | jq -e '.checks[] | select(.id == "clock") | .verdict == "ok"' >/dev/null
}

teardown() {
	[ ! -e "$WORK/root" ] || rm -rf "$(cat "$WORK/root")"
}

@test "check dual-boot: a second system on the disk is told" {
	disk "$WORK/a.img" 48 "$PC/win11"
	truncate -s 80M "$WORK/two.img"
	printf 'label: gpt\nstart=1MiB,size=48MiB,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\nstart=50MiB,size=20MiB,type=0FC63DAF-8483-4772-8E79-3D69D8477DE4\n' |
		sfdisk -q "$WORK/two.img"
	truncate -s 20M "$WORK/ext4"
	mkfs.ext4 -q -L debian "$WORK/ext4"
	dd if="$WORK/a.img" of="$WORK/two.img" bs=1M seek=1 conv=notrunc,sparse status=none
	dd if="$WORK/ext4" of="$WORK/two.img" bs=1M seek=50 conv=notrunc,sparse status=none
	[ "$("$ODJSTICK" windows inspect --json "$WORK/two.img" | jq -c '.others[] | [.partition, .holds, .type, .label]')" = \
		'[2,"another system","ext4","debian"]' ]
	run "$ODJSTICK" windows inspect "$WORK/two.img"
	[[ "$output" == *"partition 2 holds another system"* ]]
	run apply "$STICK" "$WORK/two.img" --name $NAME
	[ "$status" -eq 0 ]
	[[ "$output" == *"1 Windows and 1 partition of other systems"* ]]
	checked dual-boot ok
}

# inspected STATE PROTECTORS: bl.img is refused, and its JSON says what can be known of it.
inspected() {
	local status=0
	"$ODJSTICK" windows inspect --json --sys "$WORK" "$WORK/bl.img" >"$WORK/hidden" 2>"$WORK/err" || status=$?
	[ "$status" -eq 6 ]
	[ "$(jq -r '.volume | [.kind, .bitlocker] | join(" ")' "$WORK/hidden")" = "bitlocker $1" ]
	[ "$(jq -r '.volume.protectors[]' "$WORK/hidden" | sort | xargs)" = "$2" ]
	jq -e '(.volume.no_windows | contains("BitLocker")) and (.volume.next | contains("manage-bde -off")) and
		.others == [] and has("pc") and (has("release") | not)' "$WORK/hidden" >/dev/null
	grep -q "BitLocker" "$WORK/err"
}

@test "BitLocker: on, suspended with a clear key, not understood: as cryptsetup reads the same metadata" {
	local kinds want
	for kinds in "tpm recovery-password" "clear-key tpm recovery-password" "password" "tpm-pin startup-key"; do
		truncate -s 0 "$WORK/bl.img"
		truncate -s 40M "$WORK/bl.img"
		# shellcheck disable=SC2086
		"$REPO/tests/tools/mkfve.py" "$WORK/bl.img" $kinds
		"$ODJSTICK" windows list --json "$WORK/bl.img" >"$WORK/json" 2>/dev/null || true
		want="$(cryptsetup bitlkDump "$WORK/bl.img" | sed -n 's/.*Protection:[ \t]*VMK protected with //p' |
			sed 's/recovery passphrase/recovery-password/; s/passphrase/password/; s/TPM and PIN/tpm-pin/; s/TPM/tpm/; s/startup key/startup-key/; s/clear key/clear-key/' | sort | xargs)"
		[ -n "$want" ]
		[ "$(jq -r '.[0].protectors[]' "$WORK/json" | sort | xargs)" = "$want" ]
		case $want in
		*clear-key*)
			[ "$(jq -r '.[0].bitlocker' "$WORK/json")" = suspended ]
			refuses 6 "suspended: its key lies open" "$ODJSTICK" windows inspect "$WORK/bl.img"
			inspected suspended "$want"
			;;
		*)
			[ "$(jq -r '.[0].bitlocker' "$WORK/json")" = on ]
			refuses 6 "is encrypted with BitLocker" "$ODJSTICK" windows inspect "$WORK/bl.img"
			inspected on "$want"
			;;
		esac
	done
	DISK="$WORK/bl.img"
	refuses 6 "BitLocker" unchanged apply "$STICK" "$DISK" --name $NAME
	disk "$WORK/odd.img" 32 "$PC/win11" --bitlocker
	run "$ODJSTICK" windows list --json "$WORK/odd.img"
	[[ "$output" == *'"bitlocker": "unknown"'* ]]
	mv "$WORK/odd.img" "$WORK/bl.img"
	inspected unknown ""
	[ "$("$ODJSTICK" windows inspect --json "$PC/win11.img" | jq -r .volume.bitlocker)" = off ]
}

@test "windows inspect --sys: every identity of the firmware with its source, placeholders told" {
	local dmi="$WORK/sys/class/dmi/id"
	mkdir -p "$dmi" "$WORK/sys/class/rtc/rtc0"
	echo "System Serial Number" >"$dmi/product_serial"
	echo "CH-4711" >"$dmi/chassis_serial"
	echo "To be filled by O.E.M." >"$dmi/board_serial"
	echo "INV-0007" >"$dmi/chassis_asset_tag"
	echo "03000200-0400-0500-0006-000700080009" >"$dmi/product_uuid"
	echo 1780000000 >"$WORK/sys/class/rtc/rtc0/since_epoch"
	supply AC type=Mains online=1
	"$ODJSTICK" windows inspect --sys "$WORK/sys" --json "$PC/win11.img" >"$WORK/json"
	[ "$(jq -c '.pc.firmware | [.serial, .serial_source, .tag]' "$WORK/json")" = '["CH-4711","chassis","INV-0007"]' ]
	[ "$(jq -c '[.pc.firmware.ids[] | [.kind, .source, .text, .placeholder]]' "$WORK/json")" = \
		'[["serial","system","System Serial Number",true],["serial","chassis","CH-4711",false],["serial","board","To be filled by O.E.M.",true],["tag","chassis","INV-0007",false],["tag","board","",false],["uuid","system","03000200-0400-0500-0006-000700080009",true]]' ]
	[ "$(jq -c '.pc | [.rtc, .power.known, .power.battery, .power.on_battery]' "$WORK/json")" = \
		'["2026-05-28T20:26:40Z",true,false,false]' ]
	"$ODJSTICK" windows inspect --sys "$WORK/sys" "$PC/win11.img" | grep -q 'chassis serial: CH-4711$'
	"$ODJSTICK" windows inspect --json "$PC/win11.img" | jq -e 'has("pc") | not'
}
