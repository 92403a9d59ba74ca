#!/usr/bin/env bats
# A real domain controller has the last word: Samba, thrown away afterwards, provisions five PCs;
# their blobs go the whole way (batch, bundle, stick, apply) into an NTFS disk, hivex reads the
# join out of it, tests/tools/recompose.py makes a blob from those values alone, and the controller
# must accept what it holds. Everything runs in name spaces of its own; no service of this machine
# is touched.

load ../cli/common
load ../cli/pc

DC="$SHARED/tools/samba-dc.sh"
BASE="DC=corp,DC=example"

# Names and places that trip programs up: all 15 characters, lower case, a digit first, two letters,
# mixed case; blanks, a comma, an umlaut, a folder in a folder.
NAMES=(ALM-HALLE-03-15 werkbank-7 3D-DRUCKER Q1 Mixed-Case-Pc07)
OUS=("" "OU=Staging Area 2,$BASE" "OU=Halle 2\\, Nord,OU=Staging Area 2,$BASE" "OU=Büro,$BASE"
	"OU=New PCs,OU=Büro,$BASE")

why_not() {
	[ -x "$DC" ] || { echo "needs ../shared (a throw-away domain controller), which is absent here"; return; }
	[ "$(id -u)" -eq 0 ] || { echo "needs root: the domain controller lives in name spaces"; return; }
	unshare -n -m -u -p -f --mount-proc true 2>/dev/null || { echo "name spaces cannot be made here"; return; }
	command -v samba-tool >/dev/null && command -v samba >/dev/null && command -v net >/dev/null ||
		echo "needs Samba; make test-domain installs it"
}

# place NAME: the distinguished name of the account, as the directory has it.
place() {
	"$DC" exec "$DIR/dc" ldbsearch -H "$DIR/dc/dc/private/sam.ldb" "(sAMAccountName=$1\$)" dn >"$DIR/dn" || return 1
	sed -z 's/\n //g' "$DIR/dn" | sed -n 's/^dn: //p'
	sed -z 's/\n //g' "$DIR/dn" | sed -n 's/^dn:: //p' | base64 -d
}

# account N: provision the PC on the controller; its account must lie where it was asked for.
account() {
	local name="${NAMES[$1]}" ou="${OUS[$1]}" args=() dn want
	[ -z "$ou" ] || args=("ou=$ou")
	"$DC" provision "$DIR/dc" "$name" "$DIR/$name.txt" "${args[@]}" || return 1
	dn="$(place "$name")" want="CN=$name,${ou:-CN=Computers,$BASE}"
	[ "${dn^^}" = "${want^^}" ] || { echo "$name lies in $dn, wanted $want"; return 1; }
	printf '%s,SER-%04d,TAG-%04d,%s.txt\n' "$name" "$1" "$1" "$name" >>"$DIR/batch.csv"
}

# controller: start it, with the OUs and the five accounts.
controller() {
	local i
	"$DC" start "$DIR/dc" CORP.EXAMPLE CORP dc1 10.20.0.10/24 || return 1
	for i in 1 3 2 4; do
		"$DC" exec "$DIR/dc" samba-tool ou create -H "$DIR/dc/dc/private/sam.ldb" "${OUS[$i]}" || return 1
	done
	echo computer_name,serial,inventory_tag,blob >"$DIR/batch.csv"
	for i in "${!NAMES[@]}"; do
		account "$i" || return 1
	done
}

# Should bats be killed, nobody would tear down: this process outlives it and stops the controller.
watchdog() {
	setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; "$2" stop "$3"' watchdog \
		"$$" "$DC" "$DIR/dc" >/dev/null 2>&1 </dev/null 3>&- &
	export WATCHDOG=$!
}

setup_file() {
	export WHY DIR LAB
	WHY="$(why_not)"
	[ -z "$WHY" ] || return 0
	need_tools ntfscat
	DIR="$BATS_FILE_TMPDIR" LAB="$BATS_FILE_TMPDIR/lab"
	watchdog
	controller >"$DIR/setup.log" 2>&1 3>&- || { cat "$DIR/setup.log"; return 1; }
	BATCH="$DIR/batch.csv"
	lab "$LAB"
	stick "$LAB/stick" "$LAB"
	win11 "$DIR/tree"
	disk "$DIR/win11.img" 64 "$DIR/tree"
}

teardown_file() {
	[ -z "$WHY" ] || return 0
	"$DC" destroy "$BATS_FILE_TMPDIR/dc" 3>&-
	[ -z "$WATCHDOG" ] || kill "$WATCHDOG" 2>/dev/null || true
}

setup() {
	[ -z "$WHY" ] || skip "$WHY"
}

# hive_with N: the SYSTEM hive of a Windows 11 that the stick has prepared for that PC.
hive_with() {
	cp -r "$LAB/stick" "$WORK/stick"
	cp --sparse=always "$DIR/win11.img" "$WORK/disk.img"
	apply "$WORK/stick" "$WORK/disk.img" --serial "SER-000$1" || return 1
	hive_of "$WORK/disk.img" "$WORK/SYSTEM"
}

recompose() {
	/usr/bin/python3 "$REPO/tests/tools/recompose.py" "$WORK/SYSTEM" "$@"
}

# accepts BLOB N: a fresh member joins with it, then proves itself by Kerberos and secure channel.
accepts() {
	"$DC" oracle "$DIR/dc" "$1" "${NAMES[$2]}" 3>&- 2>&1
}

joins() {
	hive_with "$1"
	recompose "$WORK/again.txt"
	run accepts "$WORK/again.txt" "$1"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"Join is OK"* && $output == *"Join to 'CORP' is OK"* ]]
}

@test "domain: a name of 15 characters, default container: the join in the hive is accepted" {
	joins 0
}

@test "domain: a lower case name, OU with blanks: the join in the hive is accepted" {
	joins 1
}

@test "domain: a name that begins with a digit, OU with a comma below an OU: the join in the hive is accepted" {
	joins 2
}

@test "domain: a name of two characters, OU with an umlaut: the join in the hive is accepted" {
	joins 3
}

@test "domain: a mixed case name, OU below an OU: the join in the hive is accepted" {
	joins 4
}

@test "domain: one flipped bit of the password in the hive is refused, the hive as it is accepted" {
	hive_with 0
	local bit
	for bit in 0 1337; do
		recompose "$WORK/flipped.txt" --flip "$bit"
		run accepts "$WORK/flipped.txt" 0
		echo "$output"
		[ "$status" -ne 0 ]
		[[ $output == *reauthentication* || $output == *NT_STATUS_ACCESS_DENIED* || $output == *LOGON_FAILURE* ]]
	done
	recompose "$WORK/again.txt"
	accepts "$WORK/again.txt" 0
}
