#!/usr/bin/env bats
# Every check of preflight by its id: made to give each verdict it has, on trees that differ in one thing.
# tests/tools/checks.py holds this file, docs/windows.md and the code against each other. What a verdict
# does (a reason is asked for, nothing is changed) is in checks.bats, apply.bats and tests/ui.

# shellcheck disable=SC2030,SC2031 # every test sets its own PC

load common
load pc

setup_file() {
	load common
	load pc
	export ODJSTICK_NOW=1780000000
	export LAB="$BATS_FILE_TMPDIR/lab" PC="$BATS_FILE_TMPDIR/pc"
	mkdir -p "$PC" "$LAB"
	BATCH="$LAB/batch.csv"
	cat >"$BATCH" <<-CSV
		computer_name,serial,inventory_tag,blob,timezone,keyboard,rtc,method
		ALM-FIL-001,5CG1234X01,INV-0001,$BLOBS/ALM-FIL-001.txt,,,,
		ALM-FIL-002,5CG1234X02,INV-0002,$BLOBS/ALM-FIL-002.txt,Central Asia Standard Time,00000409,local,
		ALM-FIL-003,5CG1234X03,INV-0003,$BLOBS/ALM-FIL-003.txt,Tonga Standard Time,00000438,,firstboot
	CSV
	lab "$LAB" --kdf-memory 8 --expires 2026-12-31
	stick "$LAB/stick" "$LAB"
	win11 "$PC/win11"
}

setup() {
	need_tools jq
	STICK="$LAB/stick"
	NAME=ALM-FIL-001
	TARGET="$PC/win11"
}

# checked: what a dry run on TARGET says, kept in WORK/json; nothing is journalled or changed.
checked() {
	"$ODJSTICK" apply --stick "$STICK" --target "$TARGET" --passphrase-file "$LAB/pass" --name "$NAME" --dry-run \
		--json "$@" >"$WORK/json" 2>"$WORK/err" || true
}

# says ID VERDICT [WORDS]: so in WORK/json, with a next step unless it is fine.
says() {
	jq -e --arg id "$1" --arg v "$2" --arg w "${3:-}" '[.checks[] | select(.id == $id)] | length == 1 and
		(.[0] | .verdict == $v and (.text | contains($w)) and (.next == "") == ($v == "ok"))' "$WORK/json" >/dev/null ||
		{ echo "wanted $1 $2 ${3:-}"; cat "$WORK/err" "$WORK/json"; return 1; }
}

# unsaid ID: it has nothing to say.
unsaid() {
	jq -e --arg id "$1" '.checks | length > 0 and all(.id != $id)' "$WORK/json" >/dev/null
}

# like_win11 SED-SYSTEM [SED-SOFTWARE]: TARGET is a tree that differs so.
like_win11() {
	rm -rf "$WORK/tree"
	win11 "$WORK/tree" "$@"
	TARGET="$WORK/tree"
}

@test "check ids: docs, code and these tests name the same verdicts" {
	run "$REPO/tests/tools/checks.py" "$REPO"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "check ids: a verdict that nobody documents is seen, and one that is no more" {
	mkdir "$WORK/repo"
	cp -r "$REPO/injector" "$REPO/docs" "$REPO/tests" "$WORK/repo"
	sed -i 's/stop(j, "expiry"/warn(j, "expiry"/' "$WORK/repo/injector/job/preflight.c"
	run "$WORK/repo/tests/tools/checks.py" "$WORK/repo"
	[ "$status" -eq 1 ]
	[[ "$output" == *"docs/windows.md lacks: expiry warn"* ]]
	[[ "$output" == *"docs/windows.md has what the code never says: expiry stop"* ]]
	[[ "$output" == *"check_ids.bats lacks: expiry warn"* ]]
}

@test "check ids: a Windows where all is well" {
	checked
	says phase ok "the registry method fits"
	says name ok ALM-FIL-001
	says blob-name ok ALM-FIL-001
	says blob-domain ok corp.example
	says blob ok
	says clock ok
	says volume ok
	says free-space ok
	says hive-system ok
	says hive-software ok
	says edition ok
	says join-state ok
	says accounts ok staging
	local id
	for id in expiry power control-set hive-storage build entra rename dual-boot unattend answer-join timezone keyboard rtc \
		method method-named entry; do
		unsaid "$id"
	done
}

@test "check ids: phase" {
	like_win11 "" 's/IMAGE_STATE_COMPLETE/IMAGE_STATE_UNDEPLOYABLE/'
	checked
	says phase stop "must not be touched"
	TARGET="$PC/win11"
	checked --method unattend
	says phase stop "has no effect"
}

@test "check ids: name, blob-name, blob-domain" {
	local what
	for what in name domain odd-name; do
		"$TOOLS/forge_bundle" "$BATCH" "$WORK/$what.odjb" "$LAB/LAB.key" "$LAB/lab.pass" "$LAB/pass" $what
		stick "$WORK/$what" "$LAB" "$WORK/$what.odjb"
	done
	STICK="$WORK/odd-name" NAME=12345
	checked
	says name stop
	STICK="$WORK/name" NAME=ALM-FIL-001
	checked
	says blob-name stop ALM-FIL-002
	STICK="$WORK/domain"
	checked
	says blob-domain stop other.example
}

@test "check ids: clock, expiry" {
	ODJSTICK_NOW=$((ODJSTICK_NOW - 86400)) checked
	says clock warn "the bundle was made"
	ODJSTICK_NOW="$(date -u -d '2026-12-31 23:59:58' +%s)" checked
	unsaid expiry
	ODJSTICK_NOW="$(date -u -d '2026-12-31 23:59:59' +%s)" checked
	says expiry stop "2026-12-31"
}

@test "check ids: power" {
	local bat="$WORK/sys/class/power_supply/BAT0"
	mkdir -p "$bat"
	echo Battery >"$bat/type"
	echo Discharging >"$bat/status"
	echo 20 >"$bat/capacity"
	checked --sys "$WORK/sys"
	says power ok "20%"
	echo 19 >"$bat/capacity"
	checked --sys "$WORK/sys"
	says power warn "19%"
	rm "$bat/capacity"
	checked --sys "$WORK/sys"
	says power warn "how full"
}

@test "check ids: volume, free-space" {
	need_tools mkntfs
	TARGET="$WORK/disk.img"
	disk "$TARGET" 40 "$PC/win11" --dirty
	checked
	says volume stop
	cp -r "$PC/win11" "$WORK/full"
	head -c 24M /dev/zero >"$WORK/full/filler"
	disk "$TARGET" 40 "$WORK/full"
	checked
	says free-space stop "are needed"
}

@test "check ids: hive-system, hive-software, control-set" {
	local config="$WORK/tree/Windows/System32/config" hive id
	for hive in SYSTEM SOFTWARE; do
		id="hive-${hive,,}"
		like_win11
		{
			cat "$HIVES/win11-$hive.hive-text"
			printf 'later\n[odjstick]\nLate = dword:1\n'
		} >"$WORK/$hive.txt"
		"$TOOLS/mkhive" "$WORK/$hive.txt" "$config/$hive"
		checked
		cp "$WORK/json" "$WORK/$id-warn"
		: >"$config/$hive.LOG1"
		: >"$config/$hive.LOG2"
		checked
		cp "$WORK/json" "$WORK/$id-dirty"
		rm "$config/$hive"
		checked
		cp "$WORK/json" "$WORK/$id-gone"
	done
	cp "$WORK/hive-system-warn" "$WORK/json"
	says hive-system warn "its logs complete it"
	cp "$WORK/hive-software-warn" "$WORK/json"
	says hive-software warn "its logs complete it"
	cp "$WORK/hive-system-dirty" "$WORK/json"
	says hive-system stop "cannot be used"
	cp "$WORK/hive-software-dirty" "$WORK/json"
	says hive-software stop "cannot be used"
	cp "$WORK/hive-software-gone" "$WORK/json"
	says hive-software stop "missing"
	like_win11 's/^Current = dword:1/Current = dword:9/'
	checked
	says control-set stop
}

@test "check ids: hive-storage" {
	need_tools mkntfs
	TARGET="$WORK/disk.img"
	disk "$TARGET" 40 "$PC/win11" --compressed Windows/System32/config/SYSTEM
	checked
	says hive-storage stop compressed
}

@test "check ids: build" {
	like_win11 "" '/^CurrentBuild/d'
	checked
	says build stop "which build"
	says edition ok
	rm -rf "$WORK/tree"
	# the answer file alone touches no hive; the clock's column does
	describe "$WORK/tree" win11-generalized "" '/^CurrentBuild/d'
	checked
	says phase ok "unattend"
	unsaid build
	NAME=ALM-FIL-002
	checked
	says build stop "which build"
}

@test "check ids: edition" {
	like_win11 's/DomainJoinEnabled=3/DomainJoinEnabled=0/' 's/"Professional"/"Core"/'
	checked
	says edition stop "cannot join"
	like_win11 's/^ProductType = .*/ProductType = sz:"LanmanNT"/'
	checked
	says edition stop "domain controller"
}

@test "check ids: join-state" {
	# shellcheck disable=SC2016
	like_win11 '$a [ControlSet001\\Control\\Lsa\\OfflineJoin]\nJoinAction = dword:1\nMachineName = sz:"PC-7"\nDNSDIDomName = sz:"corp.example"\nDNSDIName = sz:"CORP"'
	checked
	says join-state stop "PC-7"
}

@test "check ids: entra, rename" {
	# shellcheck disable=SC2016
	like_win11 '$a [ControlSet001\\Control\\CloudDomainJoin\\JoinInfo\\0123456789ABCDEF]\nTenantId = sz:"9f1c2f6e-1111-4222-8333-444455556666"'
	checked
	says entra stop "tenant"
	like_win11 's/^"NV Hostname".*/"NV Hostname" = sz:"new-name"/'
	checked
	says rename warn "waits"
}

@test "check ids: accounts" {
	like_win11
	rm "$WORK/tree/Windows/System32/config/SAM"
	checked
	says accounts warn "there is no SAM hive"
	head -c 8192 /dev/urandom >"$WORK/tree/Windows/System32/config/SAM"
	checked
	says accounts warn "cannot be read"
	sed 's/samf:1001 0x214/samf:1001 0x215/' "$HIVES/win11-SAM.hive-text" >"$WORK/sam"
	"$TOOLS/mkhive" "$WORK/sam" "$WORK/tree/Windows/System32/config/SAM"
	checked
	says accounts warn "no enabled local account"
}

@test "check ids: dual-boot" {
	need_tools mkntfs sfdisk mkfs.ext4
	TARGET="$WORK/two.img"
	disk "$WORK/one" 40 "$PC/win11"
	truncate -s 64M "$TARGET"
	printf 'label: gpt\nstart=1MiB,size=40MiB,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\nstart=42MiB,size=20MiB,type=0FC63DAF-8483-4772-8E79-3D69D8477DE4\n' |
		sfdisk -q "$TARGET"
	truncate -s 20M "$WORK/ext4"
	mkfs.ext4 -q "$WORK/ext4"
	dd if="$WORK/one" of="$TARGET" bs=1M seek=1 conv=notrunc,sparse status=none
	dd if="$WORK/ext4" of="$TARGET" bs=1M seek=42 conv=notrunc,sparse status=none
	checked
	says dual-boot ok "1 Windows and 1 partition of other systems"
}

@test "check ids: unattend" {
	TARGET="$WORK/sealed"
	generalized "$TARGET"
	checked
	says unattend ok
	rm -rf "$TARGET"
	generalized "$TARGET" 's/^OOBEInProgress = .*/&\nUnattendFile = sz:"C:\\\\deploy\\\\unattend.xml"/'
	checked
	says unattend stop "would be ignored"
}

@test "check ids: answer-join" {
	local answer="$WORK/sealed/Windows/Panther/unattend.xml" shapes="$REPO/tests/vectors/unattend"
	TARGET="$WORK/sealed"
	generalized "$TARGET"
	cp "$shapes/existing-join.xml" "$answer"
	checked
	says unattend ok
	says answer-join stop "join data of another"
	cp "$shapes/credentials.xml" "$answer"
	checked
	says answer-join warn "of its own, to old.example"
	# what Windows does not read on this PC, a template's empty element, and our own are no other join
	local shape
	for shape in x86-only wrong-pass offline-servicing wrong-component account-self-closed typical-client; do
		cp "$shapes/$shape.xml" "$answer"
		checked
		says unattend ok
		unsaid answer-join
	done
	cp -r "$LAB/stick" "$WORK/stick"
	apply "$WORK/stick" "$TARGET" --name $NAME >/dev/null
	grep -q AccountData "$answer"
	checked
	says unattend ok
	unsaid answer-join
	NAME=ALM-FIL-002
	checked
	says answer-join stop "join data of another"
}

@test "check ids: method, method-named" {
	NAME=ALM-FIL-003
	checked
	says method ok "the lab's row asks for the method firstboot"
	unsaid method-named
	checked --method registry
	says method-named ok "not the row's firstboot"
	unsaid method
}

@test "check ids: timezone, keyboard, rtc" {
	# shellcheck disable=SC2016
	like_win11 '$a [ControlSet001\\Control\\Keyboard Layouts\\00000409]' '$a [Microsoft\\Windows NT\\CurrentVersion\\Time Zones\\Central Asia Standard Time]\nMUI_Std = sz:"@tzres.dll,-1"\nMUI_Dlt = sz:"@tzres.dll,-2"\nStd = sz:"Central Asia Standard Time"\nDlt = sz:"Central Asia Daylight Time"\nTZI = hex:98feffff00000000c4ffffff0000000000000000000000000000000000000000000000000000000000000000'
	mkdir -p "$WORK/tree/Users/Default"
	cp "$BUILD/hives/win11-DEFAULT" "$WORK/tree/Windows/System32/config/DEFAULT"
	cp "$BUILD/hives/win11-DEFAULT" "$WORK/tree/Users/Default/NTUSER.DAT"
	NAME=ALM-FIL-002
	checked
	says timezone ok "Central Asia"
	says keyboard ok 00000409
	says rtc ok "local time"
	NAME=ALM-FIL-003
	checked
	says timezone stop
	says keyboard stop
}

@test "check ids: entry" {
	cp -r "$PC/win11" "$WORK/tree"
	cp -r "$LAB/stick" "$WORK/stick"
	STICK="$WORK/stick" TARGET="$WORK/tree"
	apply "$STICK" "$TARGET" --name $NAME >/dev/null
	# as if the power had gone after the entry was used, before the result was on record
	local log at
	log="$STICK/journal/000001.jsonl"
	at="$(grep -abm1 '"event":"result"' "$log" | cut -d: -f1)"
	truncate -s $((at / 512 * 512)) "$log"
	checked
	says entry ok "only its record is missing"
	TARGET="$PC/win11"
	checked
	says entry stop "does not hold its join"
}
