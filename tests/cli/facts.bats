#!/usr/bin/env bats
# Every kind of Windows as a tree on an NTFS image: all facts of `windows inspect` against hivex and
# sampasswd, which read the same hives after ntfscat took them from the image. Then what preflight makes
# of them, and what the journal is told.

load common
load pc

setup() {
	need_tools ntfscat ntfsls sampasswd
}

# make_hive NAME OUT [SED]: from tests/vectors/hives; what follows a line "later" goes to a log only.
make_hive() {
	sed "${3:-}" "$HIVES/$1.hive-text" >"$WORK/hive-text"
	"$TOOLS/mkhive" "$WORK/hive-text" "$2"
}

# windows NAME FLAVOUR [SED-SYSTEM [SED-SOFTWARE [SED-SAM]]]: WORK/NAME is a tree, WORK/NAME.img its disk.
windows() {
	local config="$WORK/$1/Windows/System32/config"
	mkdir -p "$config" "$WORK/$1/Windows/debug" "$WORK/$1/Windows/Panther"
	make_hive "$2-SYSTEM" "$config/SYSTEM" "${3:-}" && make_hive "$2-SOFTWARE" "$config/SOFTWARE" "${4:-}" &&
		make_hive win11-SAM "$config/SAM" "${5:-}" && make_hive win11-DEFAULT "$config/DEFAULT" &&
		disk "$WORK/$1.img" 40 "$WORK/$1"
}

# judged NAME PHASE LEAST: at least LEAST facts of WORK/NAME.img are what the other readers read. What lies
# in a log is read by a judge in ../shared; without it such a test says that it was skipped.
judged() {
	local out="$WORK/out-$1" file replay=()
	mkdir -p "$out"
	for file in $(ntfsls -f -p Windows/System32/config "$WORK/$1.img" | grep '^[A-Z]'); do
		ntfscat -f "$WORK/$1.img" "Windows/System32/config/$file" >"$out/$file"
	done
	if [ -n "$(find "$out" -name '*.LOG?' -size +0)" ]; then
		need_judge
		replay=("$SHARED/tools/regfreplay.py")
	fi
	"$ODJSTICK" windows inspect --json "$WORK/$1.img" >"$WORK/json"
	"$ODJSTICK" windows inspect "$WORK/$1.img" >"$WORK/table"
	run /usr/bin/python3 "$REPO/tests/tools/facts_judge.py" "$WORK/json" "$out" "$2" "${replay[@]}"
	echo "$1: $output"
	[ "$status" -eq 0 ] && [ "$output" -ge "$3" ]
}

fact() {
	jq -r "$1" "$WORK/json"
}

@test "facts: Windows 11, one temporary administrator" {
	windows w11 win11
	judged w11 complete 129
	[ "$(fact .accounts.only_administrator)" = staging ]
	[ "$(fact .keyboard.layout)" = 00000407 ]
	grep -q '^Accounts *4; one enabled local administrator: staging' "$WORK/table"
	# a hash is never shown: its bytes are 0xc5
	! grep -qi 'c5c5' "$WORK/json" "$WORK/table"
}

@test "facts: Windows 8.1" {
	windows w81 win11 's/^ShutdownTime.*//' \
		's/"22631"/"9600"/; s/^ProductName = .*/ProductName = sz:"Windows 8.1 Pro"/; /^DisplayVersion/d; /^ReleaseId/d; /^UBR/d' \
		's/samv:56/samv:20/; s/samv:24/samv:4/'
	judged w81 complete 129
	[ "$(fact .release.product)" = "Windows 8.1 Pro" ]
	[ "$(fact .release.version)" = 6.3 ]
	[ "$(fact .accounts.only_administrator)" = staging ]
}

@test "facts: Windows 10, hives dirty with logs, several administrators under names of another language" {
	need_shared
	windows w10 win11 \
		'$a later\n[ControlSet001\\Control\\ComputerName\\ComputerName]\nComputerName = sz:"NACH-DEM-LOG"' \
		's/"22631"/"19045"/; s/"23H2"/"22H2"/' \
		'$a later\n[SAM\\Domains\\Account\\Users\\000003EA]\nF = samf:1002 0x210\nV = samv:24 "J\\u{fc}rgen \\u{416}"\nInternetUserName = sz:"someone"\n[SAM\\Domains\\Builtin\\Aliases\\00000220]\nC = samc:544 "Administratoren" S-1-5-21-1085031214-1563985344-725345543-500 S-1-5-21-1085031214-1563985344-725345543-1001 S-1-5-21-1085031214-1563985344-725345543-1002 S-1-5-21-1-2-3-512\n[SAM\\Domains\\Builtin\\Aliases\\Members\\S-1-5-21-1085031214-1563985344-725345543\\000003EA]\n@ = hex(1):20 02 00 00'
	judged w10 complete 139
	[ "$(fact .hives.system.dirty)" = true ]
	[ "$(fact .hives.sam.recoverable)" = true ]
	[ "$(fact .identity.computer_name)" = NACH-DEM-LOG ]
	[ "$(fact .release.product)" = "Windows 10 Pro" ]
	[ "$(fact .accounts.administrators)" = 2 ]
	[ "$(fact .accounts.foreign_administrators)" = 1 ]
}

@test "facts: Windows Server, and a domain controller" {
	windows server win11 's/sz:"WinNT"/sz:"ServerNT"/' \
		's/"22631"/"20348"/; s/^ProductName = .*/ProductName = sz:"Windows Server 2022 Standard"/; s/"Professional"/"ServerStandard"/; s/^InstallationType.*/InstallationType = sz:"Server"/'
	judged server complete 129
	[ "$(fact .release.server)" = true ]
	windows dc win11 's/sz:"WinNT"/sz:"LanmanNT"/' 's/^InstallationType.*/InstallationType = sz:"Server"/'
	judged dc complete 129
	[ "$(fact .release.domain_controller)" = true ]
}

@test "facts: generalized, OOBE, audit" {
	windows sealed win11-generalized
	judged sealed generalized 129
	windows oobe win11 's/^CmdLine = .*/CmdLine = sz:"oobe\\\\windeploy.exe"/; s/^OOBEInProgress.*/OOBEInProgress = dword:1/; s/^SetupType.*/SetupType = dword:2/' \
		's/IMAGE_STATE_COMPLETE/IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE/'
	judged oobe between 129
	windows audit win11 's/^\[Setup\\Status\\SysprepStatus\]/[Setup\\Status]\nAuditBoot = dword:1\n&/' \
		's/IMAGE_STATE_COMPLETE/IMAGE_STATE_GENERALIZE_RESEAL_TO_AUDIT/'
	judged audit audit 129
}

@test "facts: Microsoft Entra, clock in UTC, a rename that waits" {
	local guid=9f1c2f6e-1111-4222-8333-444455556666
	windows entra win11 "s/^TimeZoneKeyName.*/&\nRealTimeIsUniversal = dword:1/; s/^\"NV Hostname\".*/\"NV Hostname\" = sz:\"new-name\"/
\$a [ControlSet001\\\\Control\\\\CloudDomainJoin\\\\JoinInfo\\\\0123456789ABCDEF]\nTenantId = sz:\"$guid\"\nUserEmail = sz:\"person@example.org\"\n[ControlSet001\\\\Control\\\\CloudDomainJoin\\\\TenantInfo\\\\$guid]\nDisplayName = sz:\"Fabrikam\""
	judged entra complete 129
	[ "$(fact .entra.tenant_name)" = Fabrikam ]
	[ "$(fact .clock.rtc_is_utc)" = true ]
	[ "$(fact .identity.rename_pending)" = true ]
	! grep -q 'person@' "$WORK/json" "$WORK/table"
}

@test "facts: what became of an offline join" {
	local odj='[ControlSet001\\Control\\Lsa\\OfflineJoin]\nJoinAction = dword:1\nMachineName = sz:"PC-7"\nDNSDIDomName = sz:"corp.example"\nDNSDIName = sz:"CORP"'
	local mark='[Setup\\DJOIN]\nODJComputerNameSet = dword:1'
	windows waits win11 "s/time:2025-03-04T08:12:09Z/time:2025-03-04T08:00:00Z/; \$a $mark\n$odj"
	judged waits complete 129
	[ "$(fact .offline_join.state)" = waiting ]
	windows ignored win11 "s/^ShutdownTime.*/ShutdownTime = time:2025-03-05T17:00:00Z/; \$a $odj"
	judged ignored complete 129
	[ "$(fact .offline_join.state)" = ignored ]
	windows done win11 "s/^Domain = sz:\"\"/&\n\"NV Domain\" = sz:\"corp.example\"/; \$a $mark\n[ControlSet001\\\\Services\\\\Netlogon]\nStart = dword:2"
	echo log >"$WORK/done/Windows/debug/NetSetup.log"
	disk "$WORK/done.img" 40 "$WORK/done"
	judged "done" complete 129
	[ "$(fact .offline_join.state)" = completed ]
	[ -n "$(fact .offline_join.netsetup_log)" ]
	windows failed win11 "\$a $mark\n[ControlSet001\\\\Services\\\\Netlogon\\\\JoinDomain]\nDomainName = sz:\"corp.example\""
	judged failed complete 129
	[ "$(fact .offline_join.state)" = failed ]
}

@test "facts: what the first-boot method left in its log" {
	local log="$WORK/boot/Windows/debug/odjstick-join.log"
	windows boot win11
	inspect() {
		disk "$WORK/boot.img" 40 "$WORK/boot"
		"$ODJSTICK" windows inspect --json "$WORK/boot.img" >"$WORK/json"
		"$ODJSTICK" windows inspect "$WORK/boot.img" >"$WORK/table"
	}
	inspect
	[ "$(fact '.offline_join | .firstboot_log + .djoin_exit_code')" = "" ]
	! grep -q 'First-boot log' "$WORK/table"
	printf 'odjstick: domain join at first start \r\nFehler \201\204\r\nodjstick: djoin exit code 87 \r\n' >"$log"
	inspect
	[ "$(fact .offline_join.djoin_exit_code)" = 87 ]
	[ -n "$(fact .offline_join.firstboot_log)" ]
	grep -q '^  djoin  *failed$' "$WORK/table"
	grep -q '^  exit code  *87$' "$WORK/table"
	# the last one counts
	printf 'odjstick: domain join at first start \r\nodjstick: djoin exit code 0 \r\n' >>"$log"
	inspect
	[ "$(fact .offline_join.djoin_exit_code)" = 0 ]
	grep -q 'exit code 0: it joined$' "$WORK/table"
	head -c 2000 /dev/urandom >"$log"
	inspect
	[ "$(fact .offline_join.djoin_exit_code)" = "" ]
	grep -q 'no exit code: it was cut off' "$WORK/table"
}

@test "facts: the real hives on NTFS: Windows 7 joined, 10 clean, 10 dirty without logs" {
	need_shared
	local name pair
	for name in w7:win7sp1-x86-domain/SYSTEM:complete w10:win10-19041-SYSTEM-clean/SYSTEM:unknown \
		dirty:win10-1903-dirty-nologs/SYSTEM:unknown; do
		IFS=: read -r name system phase <<<"$name"
		mkdir -p "$WORK/$name/Windows/System32/config"
		real_hive "$system" >"$WORK/$name/Windows/System32/config/SYSTEM"
		real_hive win7-SAM/SAM >"$WORK/$name/Windows/System32/config/SAM"
		[ "$name" != w7 ] || real_hive win7sp1-x86/SOFTWARE >"$WORK/$name/Windows/System32/config/SOFTWARE"
		disk "$WORK/$name.img" 128 "$WORK/$name"
		judged "$name" "$phase" 110
		[ "$(fact .accounts.only_administrator)" = Preston ]
	done
	[ "$(fact .hives.system.readable)" = false ]
}
