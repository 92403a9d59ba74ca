#!/usr/bin/env bats
# The three methods and the columns timezone, keyboard and rtc: applied, read by others, undone.
# hivex, ntfscat, lxml and diff judge.

load common
load pc

setup_file() {
	load common
	load pc
	export LAB="$BATS_FILE_TMPDIR/lab"
	export PC="$BATS_FILE_TMPDIR/pc"
	mkdir -p "$PC" "$LAB"
	BATCH="$LAB/batch.csv"
	cat >"$BATCH" <<-CSV
		computer_name,serial,inventory_tag,blob,timezone,keyboard,rtc
		ALM-FIL-001,5CG1234X01,INV-0001,$BLOBS/ALM-FIL-001.txt,pacific standard time,0407:00000407,utc
		ALM-FIL-002,5CG1234X02,INV-0002,$BLOBS/ALM-FIL-002.txt,,,
		ALM-FIL-003,5CG1234X03,INV-0003,$BLOBS/ALM-FIL-003.txt,Eastern Standard Time,,local
		ALM-FIL-004,5CG1234X04,INV-0004,$BLOBS/ALM-FIL-004.txt,,040c:0001080c,
		ALM-FIL-005,5CG1234X05,INV-0005,$BLOBS/ALM-FIL-005.txt,West Bank Standard Time,,
		ALM-FIL-006,5CG1234X06,INV-0006,$BLOBS/ALM-FIL-006.txt,,00000438,
	CSV
	lab "$LAB"
	stick "$LAB/stick" "$LAB"
	furnish win11 "$PC/win11"
	furnish generalized "$PC/sealed"
	disk "$PC/win11.img" 64 "$PC/win11"
	disk "$PC/sealed.img" 64 "$PC/sealed"
}

# furnish MAKER DIR: a Windows with two time zones, two layouts, and the hives of its users.
furnish() {
	local zone='[Microsoft\\Windows NT\\CurrentVersion\\Time Zones\\Pacific Standard Time]'
	local tzi='e001000000000000c4ffffff00000b0000000100020000000000000000000300000002000200000000000000'
	"$1" "$2" '$a[ControlSet001\\Control\\Keyboard Layouts\\00000407]\n[ControlSet001\\Control\\Keyboard Layouts\\0001080c]'
	{
		cat "$HIVES/win11-SOFTWARE.hive-text"
		printf '%b\n' "$zone" 'MUI_Std = sz:"@tzres.dll,-212"' 'MUI_Dlt = sz:"@tzres.dll,-211"' \
			'Std = sz:"Pacific Standard Time"' 'Dlt = sz:"Pacific Daylight Time"' "TZI = hex:$tzi"
	} >"$2.txt"
	[ "$1" = win11 ] || sed -i "s/IMAGE_STATE_COMPLETE/IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE/" "$2.txt"
	"$TOOLS/mkhive" "$2.txt" "$2/Windows/System32/config/SOFTWARE"
	mkdir -p "$2/Users/Default"
	local hive
	for hive in Windows/System32/config/DEFAULT Users/Default/NTUSER.DAT; do
		"$TOOLS/mkhive" "$HIVES/win11-DEFAULT.hive-text" "$2/$hive"
		: >"$2/$hive.LOG1"
		: >"$2/$hive.LOG2"
	done
	rm "$2.txt"
}

setup() {
	need_tools hivexget ntfscat ntfsls mkntfs
	cp -r "$LAB/stick" "$WORK/stick"
	STICK="$WORK/stick"
	DISK="$WORK/disk.img"
	SYSTEM=Windows/System32/config/SYSTEM
	DEFAULT=Windows/System32/config/DEFAULT
	NEWUSER=Users/Default/NTUSER.DAT
}

undo() {
	"$ODJSTICK" undo --stick "$STICK" --target "$DISK" --passphrase-file "$LAB/pass" --yes "$@"
}

same_hive() {
	/usr/bin/python3 "$REPO/tests/tools/same_hive.py" "$@"
}

# keep IMG DIR: the hives and the names of all files of a disk, as others read them.
keep() {
	mkdir -p "$2"
	local hive
	for hive in "$SYSTEM" "$DEFAULT" "$NEWUSER"; do
		ntfscat -f "$1" "$hive" >"$2/${hive##*/}"
	done
	ntfsls -f -R -p Windows "$1" | sort >"$2/names"
	ntfsls -f -R -p Users "$1" | sort >>"$2/names"
}

# same BEFORE AFTER: two kept states hold the same.
same() {
	local hive
	for hive in SYSTEM DEFAULT NTUSER.DAT; do
		same_hive "$1/$hive" "$2/$hive" || return 1
	done
	diff "$1/names" "$2/names"
}

# value HIVE KEY NAME WANTED
value() {
	local is
	is="$(hivexget "$1" "$2" "$3")" || return 1
	[ "$is" = "$4" ] || { echo "$2\\$3 is $is, not $4"; return 1; }
}

CCS='\ControlSet001'
TZ="$CCS\\Control\\TimeZoneInformation"
SERVICE="$CCS\\Services\\odjstick-join"

# zone_is HIVE: US Pacific, as a real Windows 10 hive has it.
zone_is() {
	value "$1" "$TZ" Bias 480
	value "$1" "$TZ" DaylightBias -60
	value "$1" "$TZ" StandardName "@tzres.dll,-212"
	value "$1" "$TZ" DaylightName "@tzres.dll,-211"
	value "$1" "$TZ" TimeZoneKeyName "Pacific Standard Time"
	value "$1" "$TZ" ActiveTimeBias "$2"
	value "$1" "$TZ" DynamicDaylightTimeDisabled 0
	value "$1" "$TZ" RealTimeIsUniversal 1
	hivexget "$1" "$TZ" StandardStart | xxd -p -c 32 | grep -qx '00000b00010002000000000000000000'
	hivexget "$1" "$TZ" DaylightStart | xxd -p -c 32 | grep -qx '00000300020002000000000000000000'
}

@test "registry: the join and every column; undo leaves hives and files as they were" {
	cp --sparse=always "$PC/win11.img" "$DISK"
	keep "$DISK" "$WORK/before"
	ODJSTICK_NOW=1793000000 apply "$STICK" "$DISK" --name ALM-FIL-001 --reason test
	keep "$DISK" "$WORK/joined"
	zone_is "$WORK/joined/SYSTEM" 420 # 2026-10-26: still summer in California
	value "$WORK/joined/SYSTEM" "$CCS\\Control\\Lsa\\OfflineJoin" MachineName ALM-FIL-001
	value "$WORK/joined/DEFAULT" '\Keyboard Layout\Preload' 1 00000407
	value "$WORK/joined/NTUSER.DAT" '\Keyboard Layout\Preload' 2 00000409
	diff "$WORK/before/names" "$WORK/joined/names"
	undo --name ALM-FIL-001
	keep "$DISK" "$WORK/after"
	same "$WORK/before" "$WORK/after"
	ntfsfix -n "$DISK" >/dev/null
}

@test "registry: cut off in summer time and repeated in winter time, it writes the same; undo" {
	cp --sparse=always "$PC/win11.img" "$DISK"
	keep "$DISK" "$WORK/before"
	# 2026-10-26; the power goes when the entry is to be used up
	ODJSTICK_NOW=1793000000 ASAN_OPTIONS=detect_leaks=0 run strace -qq -o /dev/null -P "$STICK/bundle.odjb" \
		-e trace=pwrite64 -e inject=pwrite64:signal=KILL "$ODJSTICK" apply --stick "$STICK" --target "$DISK" \
		--passphrase-file "$LAB/pass" --yes --name ALM-FIL-001 --reason test
	[ "$status" -ne 0 ]
	[[ "$output" == *"done: Read back and compare"* && "$output" != *"done: Destroy"* ]]
	ODJSTICK_NOW=1795000000 apply "$STICK" "$DISK" --name ALM-FIL-001 --reason test >"$WORK/out" # 2026-11-18
	grep -q 'was written before' "$WORK/out"
	keep "$DISK" "$WORK/joined"
	zone_is "$WORK/joined/SYSTEM" 420
	ODJSTICK_NOW=1795000000 undo --name ALM-FIL-001
	keep "$DISK" "$WORK/after"
	same "$WORK/before" "$WORK/after"
	# nothing is open any more: the next one is planned for its own time
	rm -rf "$STICK"
	cp -r "$LAB/stick" "$STICK"
	ODJSTICK_NOW=1795000000 apply "$STICK" "$DISK" --name ALM-FIL-001 --reason test
	keep "$DISK" "$WORK/joined"
	zone_is "$WORK/joined/SYSTEM" 480
}

@test "firstboot: blob, script, service and columns; undo leaves hives and files as they were" {
	cp --sparse=always "$PC/win11.img" "$DISK"
	keep "$DISK" "$WORK/before"
	apply "$STICK" "$DISK" --name ALM-FIL-004 --method firstboot --reason test
	keep "$DISK" "$WORK/joined"
	value "$WORK/joined/SYSTEM" "$SERVICE" Type 16
	value "$WORK/joined/SYSTEM" "$SERVICE" Start 2
	value "$WORK/joined/SYSTEM" "$SERVICE" ErrorControl 0
	value "$WORK/joined/SYSTEM" "$SERVICE" ObjectName LocalSystem
	hivexget "$WORK/joined/SYSTEM" "$SERVICE" ImagePath | grep -qF '\Setup\odjstick\join.cmd'
	run hivexget "$WORK/joined/SYSTEM" "$CCS\\Control\\Lsa\\OfflineJoin" MachineName
	[ "$status" -ne 0 ]
	# a layout that is not its language's own is reached through a substitute
	value "$WORK/joined/DEFAULT" '\Keyboard Layout\Preload' 1 0000040c
	value "$WORK/joined/NTUSER.DAT" '\Keyboard Layout\Substitutes' 0000040c 0001080c
	# the file is what djoin /savefile writes: mark, base64, NUL
	ntfscat -f "$DISK" Windows/Setup/odjstick/blob.txt >"$WORK/blob"
	head -c 2 "$WORK/blob" | xxd -p | grep -qx fffe
	tail -c 2 "$WORK/blob" | xxd -p | grep -qx 0000
	"$ODJSTICK" blob show "$WORK/blob" | grep -q ALM-FIL-004
	ntfscat -f "$DISK" Windows/Setup/odjstick/join.cmd >"$WORK/script"
	grep -q 'djoin.exe" /requestODJ' "$WORK/script"
	[ "$(grep -c $'\r$' "$WORK/script")" -eq "$(wc -l <"$WORK/script")" ]
	undo --name ALM-FIL-004
	keep "$DISK" "$WORK/after"
	same "$WORK/before" "$WORK/after"
	ntfsfix -n "$DISK" >/dev/null
}

@test "unattend: zone and keyboard go into the answer file, the clock into the registry; undo" {
	cp --sparse=always "$PC/sealed.img" "$DISK"
	keep "$DISK" "$WORK/before"
	apply "$STICK" "$DISK" --name ALM-FIL-001 --reason test
	keep "$DISK" "$WORK/joined"
	ntfscat -f "$DISK" Windows/Panther/unattend.xml >"$WORK/new.xml"
	/usr/bin/python3 "$REPO/tests/tools/setting_judge.py" "$WORK/new.xml" amd64 "Pacific Standard Time" 0407:00000407
	value "$WORK/joined/SYSTEM" "$TZ" RealTimeIsUniversal 1
	value "$WORK/joined/SYSTEM" "$TZ" TimeZoneKeyName "W. Europe Standard Time"
	same_hive "$WORK/before/DEFAULT" "$WORK/joined/DEFAULT"
	undo --name ALM-FIL-001
	keep "$DISK" "$WORK/after"
	same "$WORK/before" "$WORK/after"
}

@test "unattend: every shape of answer file takes zone and keyboard once and keeps the rest" {
	mkdir "$WORK/cases"
	local shape name
	for shape in "$REPO"/tests/vectors/unattend/*.xml; do
		name="${shape##*/}"
		cp "$shape" "$WORK/cases/${name%.xml}.amd64.old"
	done
	SPLICE_TIMEZONE="Pacific Standard Time" SPLICE_KEYBOARD=0407:00000407 \
		"$TOOLS/splice" "$BLOBS/ALM-FIL-004.txt" --all ALM-FIL-004 "$WORK/cases"
	mkdir "$WORK/plain"
	cp "$WORK"/cases/*.old "$WORK/plain"
	"$TOOLS/splice" "$BLOBS/ALM-FIL-004.txt" --all ALM-FIL-004 "$WORK/plain"
	run /usr/bin/python3 "$REPO/tests/tools/setting_judge.py" --all "$WORK/plain" "$WORK/cases" amd64 \
		"Pacific Standard Time" 0407:00000407
	echo "$output"
	[ "$status" -eq 0 ] && [ "${lines[-1]%% *}" -ge 60 ]
	# and the judge can refuse: a plain result holds neither
	refuses 1 TimeZone /usr/bin/python3 "$REPO/tests/tools/setting_judge.py" \
		"$(ls "$WORK"/plain/*.new | head -n 1)" amd64 "Pacific Standard Time" 0407:00000407
}

@test "timezone: real hives of Windows 7 give what Windows wrote itself" {
	need_shared
	win7 "$WORK/tree"
	cp "$WORK/tree/$SYSTEM" "$WORK/before"
	apply "$STICK" "$WORK/tree" --name ALM-FIL-003 --reason test
	local name
	# the PC was in this zone: what Windows 7 had written is written again, byte for byte
	for name in Bias StandardBias DaylightBias StandardName DaylightName StandardStart DaylightStart \
		DynamicDaylightTimeDisabled; do
		cmp <(hivexget "$WORK/before" "$TZ" "$name") <(hivexget "$WORK/tree/$SYSTEM" "$TZ" "$name")
	done
	value "$WORK/tree/$SYSTEM" "$TZ" TimeZoneKeyName "Eastern Standard Time"
	value "$WORK/tree/$SYSTEM" "$TZ" RealTimeIsUniversal 0
}

@test "dry run: the whole plan as JSON for every method, before and after, secrets masked" {
	local method pc
	for pc in win11:registry win11:firstboot sealed:unattend; do
		method="${pc#*:}"
		apply "$STICK" "$PC/${pc%:*}" --name ALM-FIL-001 --method "$method" --dry-run --json \
			--reason test >"$WORK/plan.json"
		/usr/bin/python3 "$REPO/tests/tools/plan_judge.py" "$WORK/plan.json" "$method" \
			"$BLOBS/ALM-FIL-001.txt"
	done
}

@test "refusal: a zone or a layout that this Windows lacks, or no hive to put it into" {
	refuses 1 "knows no time zone" apply "$STICK" "$PC/win11" --name ALM-FIL-005
	refuses 1 "no keyboard layout 00000438" apply "$STICK" "$PC/win11" --name ALM-FIL-006
	cp -r "$PC/win11" "$WORK/tree"
	rm "$WORK/tree/$NEWUSER"
	refuses 6 "keyboard layout cannot be set" apply "$STICK" "$WORK/tree" --name ALM-FIL-004
	diff -r -x NTUSER.DAT "$PC/win11" "$WORK/tree"
}

@test "refusal: a method that has no effect on this phase" {
	refuses 1 "has no effect" apply "$STICK" "$PC/sealed" --name ALM-FIL-002 --method firstboot
	refuses 1 "has no effect" apply "$STICK" "$PC/sealed" --name ALM-FIL-002 --method registry
	refuses 1 "has no effect" apply "$STICK" "$PC/win11" --name ALM-FIL-002 --method unattend
}

@test "firstboot: cut off before the service, it is finished, by no other method; undo takes all back" {
	cp -r "$PC/win11" "$WORK/tree"
	DISK="$WORK/tree"
	cp -r "$STICK" "$WORK/stick2"
	apply "$STICK" "$DISK" --name ALM-FIL-002 --method firstboot --reason test
	refuses 6 "first-boot join" apply "$STICK" "$DISK" --name ALM-FIL-004 --reason test
	refuses 6 "first-boot join" apply "$STICK" "$DISK" --name ALM-FIL-004 --method firstboot --reason test
	# as if the power had gone between the files and the hive: the stick knows the intent only
	cp "$PC/win11/$SYSTEM" "$DISK/$SYSTEM"
	cp "$STICK"/state/undo-*.sealed "$WORK/stick2/state/"
	STICK="$WORK/stick2"
	refuses 6 "first-boot join" apply "$STICK" "$DISK" --name ALM-FIL-002 --reason test
	apply "$STICK" "$DISK" --name ALM-FIL-002 --method firstboot --reason test
	undo --name ALM-FIL-002
	same_hive "$PC/win11/$SYSTEM" "$DISK/$SYSTEM"
	[ ! -e "$DISK/Windows/Setup" ]
}

@test "firstboot: a write that fails half-way says that the secret is there, and undo removes it" {
	cp -r "$PC/win11" "$WORK/tree"
	DISK="$WORK/tree"
	ASAN_OPTIONS=detect_leaks=0 run strace -qq -f -o /dev/null -P "$DISK/$SYSTEM" -e trace=pwrite64 \
		-e inject=pwrite64:error=EIO "$ODJSTICK" apply --stick "$STICK" --target "$DISK" \
		--passphrase-file "$LAB/pass" --yes --name ALM-FIL-002 --method firstboot --reason test
	[ "$status" -eq 1 ]
	[[ "$output" == *"does not hold the join, but the secret join data lies in /Windows/Setup/odjstick/blob.txt"* ]]
	[[ "$output" == *"try again, or run undo with this stick"* ]]
	[ -e "$DISK/Windows/Setup/odjstick/blob.txt" ]
	last_record "$STICK" result | grep -q '"result":"failed"'
	undo --name ALM-FIL-002
	same_hive "$PC/win11/$SYSTEM" "$DISK/$SYSTEM"
	[ ! -e "$DISK/Windows/Setup" ]
	# undone, there is nothing more to undo; the entry is fresh, so it may be tried again
	refuses 1 "holds nothing to undo" undo --name ALM-FIL-002
	apply "$STICK" "$DISK" --name ALM-FIL-002 --method firstboot --reason test
	# a file that fails may leave its temporary name, on a folder here: told and taken away just so
	cp -r "$PC/win11" "$WORK/other"
	ASAN_OPTIONS=detect_leaks=0 run strace -qq -f -o /dev/null -e trace=renameat -e inject=renameat:error=EIO \
		"$ODJSTICK" apply --stick "$STICK" --target "$WORK/other" --passphrase-file "$LAB/pass" --yes \
		--name ALM-FIL-004 --method firstboot --reason test
	[ "$status" -eq 1 ]
	[ ! -e "$WORK/other/Windows/Setup/odjstick/blob.txt" ]
	[[ "$output" == *"join data lies in /Windows/Setup/odjstick/blob.txt.odjstick-new. Do not"* ]]
	DISK="$WORK/other" undo --name ALM-FIL-004
	diff -r "$PC/win11" "$WORK/other"
	# nothing was written at all: nothing is said of a secret, and there is nothing to undo
	ASAN_OPTIONS=detect_leaks=0 run strace -qq -f -o /dev/null -e trace=mkdirat -e inject=mkdirat:error=ENOSPC \
		"$ODJSTICK" apply --stick "$STICK" --target "$WORK/other" --passphrase-file "$LAB/pass" --yes \
		--name ALM-FIL-004 --method firstboot --reason test
	[ "$status" -eq 1 ]
	[[ "$output" == *"does not hold the join. Try again; if it fails again, check the disk"* && "$output" != *"secret join data"* ]]
	DISK="$WORK/other" refuses 1 "nothing to undo" undo --name ALM-FIL-004
}

@test "undo: another sealed PC's disk, without the answer file, is not taken for this one" {
	cp --sparse=always "$PC/sealed.img" "$DISK"
	apply "$STICK" "$DISK" --name ALM-FIL-002 --reason test
	local sealed
	sealed="$(ls "$STICK"/state/undo-*.sealed)"
	cp "$sealed" "$WORK/record"
	undo --name ALM-FIL-002
	cp "$WORK/record" "$sealed"
	disk "$WORK/other.img" 64 "$PC/sealed" # formatted anew: another volume
	DISK="$WORK/other.img"
	refuses 1 "not the disk" undo --name ALM-FIL-002
}

@test "lint: columns are checked before the bundle is made" {
	{
		head -n 1 "$LAB/batch.csv"
		echo "ALM-FIL-001,5CG1234X01,INV-0001,$BLOBS/ALM-FIL-001.txt,Europe/Berlin,,"
		echo "ALM-FIL-002,5CG1234X02,INV-0002,$BLOBS/ALM-FIL-002.txt,,de-DE,"
		echo "ALM-FIL-003,5CG1234X03,INV-0003,$BLOBS/ALM-FIL-003.txt,,,gmt"
		echo "ALM-FIL-004,5CG1234X04,INV-0004,$BLOBS/ALM-FIL-004.txt,W Europe Standard Time,,"
	} >"$WORK/bad.csv"
	run "$ODJSTICK" batch check "$WORK/bad.csv"
	[ "$status" -ne 0 ]
	[[ "$output" == *"bad.csv:2: error: timezone \"Europe/Berlin\""* ]]
	[[ "$output" == *"bad.csv:3: error: keyboard \"de-DE\""* ]]
	[[ "$output" == *"bad.csv:4: error: rtc \"gmt\""* ]]
	[[ "$output" == *"bad.csv:5: warning: timezone \"W Europe Standard Time\""* ]]
	[[ "$output" != *"not known: kept"* ]]
}
