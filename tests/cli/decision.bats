#!/usr/bin/env bats
# Every cell of tests/vectors/decision.md, by the program itself: a disk in that phase and state, a dry run
# with that method, and what it says: the method of its plan, or the first check that stops.

load common
load pc

setup_file() {
	load common
	load pc
	export ODJSTICK_NOW=1780000000
	export LAB="$BATS_FILE_TMPDIR/lab"
	lab "$LAB" --kdf-memory 8
	stick "$LAB/stick" "$LAB"
}

# disk_in PHASE STATE METHOD: a tree in WORK/tree. METHOD matters where this run's own join is there already.
disk_in() {
	local flavour=win11 software='' system=''
	rm -rf "$WORK/tree"
	case $1 in
	generalized) flavour=win11-generalized ;;
	specialize) flavour=win11-generalized system='/^GeneralizationState/d' ;;
	between) software='s/IMAGE_STATE_COMPLETE/IMAGE_STATE_UNDEPLOYABLE/' ;;
	audit) software='s/IMAGE_STATE_COMPLETE/IMAGE_STATE_GENERALIZE_RESEAL_TO_AUDIT/' ;;
	unknown) software='/^ImageState/d' ;;
	esac
	[ "$2" != "pending same" ] || { joined_by_us "$flavour" "$system" "$software" "$3"; return; }
	system+=$'\n'"$(state "$2")"
	describe "$WORK/tree" "$flavour" "$system" "$software"
}

# state NAME: what makes a SYSTEM hive so, for sed.
state() {
	local domain='s/^Domain = sz:""/&\n"NV Domain" = sz:"DOMAIN"/' key='ControlSet001\\'
	case $1 in
	"pending other")
		echo "\$a [${key}Control\\\\Lsa\\\\OfflineJoin]\nJoinAction = dword:1\nMachineName = sz:\"PC-7\"\nDNSDIDomName = sz:\"corp.example\"\nDNSDIName = sz:\"CORP\""
		;;
	joined*)
		[ "$1" = "joined same" ] && domain="${domain/DOMAIN/corp.example}"
		printf '%s\n' "${domain/DOMAIN/other.example}" "\$a [${key}Services\\\\Netlogon]\nStart = dword:2"
		;;
	leftover) echo "\$a [${key}Services\\\\Netlogon\\\\JoinDomain]\nDomainName = sz:\"corp.example\"" ;;
	unknown) echo "${domain/DOMAIN/corp.example}" ;;
	esac
}

# joined_by_us FLAVOUR SED-SYSTEM SED-SOFTWARE METHOD: the same entry was written by a run that was cut off.
joined_by_us() {
	local method=auto
	[ "$4" != firstboot ] || [ "$1" != win11 ] || method=firstboot
	describe "$WORK/tree" "$1" "$2" ""
	rm -rf "$WORK/used"
	cp -r "$LAB/stick" "$WORK/used"
	apply "$WORK/used" "$WORK/tree" --name ALM-FIL-001 --method $method --reason test >/dev/null
	sed "$3" "$HIVES/$1-SOFTWARE.hive-text" >"$WORK/software"
	"$TOOLS/mkhive" "$WORK/software" "$WORK/tree/Windows/System32/config/SOFTWARE"
}

# said METHOD: what a dry run on WORK/tree comes to.
said() {
	apply "$LAB/stick" "$WORK/tree" --name ALM-FIL-001 --method "$1" --reason test --dry-run --json 2>/dev/null |
		jq -r '[.checks[] | select(.verdict == "stop")][0].id as $id |
			if $id then "stop: " + $id else .plan.method end'
}

@test "decision: every cell of the table" {
	need_tools jq
	local phase asked row cell i cells=0 bad=0 is
	local states=("none" "pending same" "pending other" "joined same" "joined other" "leftover" "unknown")
	head -n 1 "$REPO/tests/vectors/decision.md" | grep -q '^| phase | asked for | none | pending same | pending other | joined same | joined other | leftover | unknown |$'
	for phase in complete generalized specialize between audit unknown; do
		for i in "${!states[@]}"; do
			for asked in auto registry unattend firstboot; do
				# all trees of a phase and state are alike, but the one that this method wrote itself
				[ "$asked" != auto ] && [ "$asked:${states[i]}" != "firstboot:pending same" ] ||
					disk_in $phase "${states[i]}" $asked
				row="$(grep "^| $phase | $asked |" "$REPO/tests/vectors/decision.md")"
				cell="$(cut -d'|' -f $((i + 4)) <<<"$row" | xargs)"
				is="$(said $asked)"
				[ -n "$cell" ] && [ "$is" = "$cell" ] ||
					{ echo "$phase, $asked, ${states[i]}: \"$is\", not \"$cell\""; bad=1; }
				cells=$((cells + 1))
			done
		done
	done
	[ "$cells" -eq 168 ] && [ "$bad" -eq 0 ]
}
