#!/usr/bin/env bats
# The column method: the lab decides per PC how the join comes onto the disk; the command line, the wizard
# as lines and the lab's own check go by it. The screens are tests/ui/firstboot.steps.

load common
load pc

setup_file() {
	load common
	load pc
	export LAB="$BATS_FILE_TMPDIR/lab" PC="$BATS_FILE_TMPDIR/pc"
	export ODJSTICK_NOW=1780000000
	mkdir -p "$PC" "$LAB"
	BATCH="$LAB/batch.csv"
	cat >"$BATCH" <<-CSV
		computer_name,serial,inventory_tag,blob,method
		ALM-FIL-001,5CG1234X01,INV-0001,$BLOBS/ALM-FIL-001.txt,firstboot
		ALM-FIL-002,5CG1234X02,INV-0002,$BLOBS/ALM-FIL-002.txt,
		ALM-FIL-003,5CG1234X03,INV-0003,$BLOBS/ALM-FIL-003.txt,auto
		ALM-FIL-004,5CG1234X04,INV-0004,$BLOBS/ALM-FIL-004.txt,Registry
		ALM-FIL-005,5CG1234X05,INV-0005,$BLOBS/ALM-FIL-005.txt,unattend
	CSV
	lab "$LAB" --kdf-memory 8
	stick "$LAB/stick" "$LAB"
	win11 "$PC/win11"
	generalized "$PC/sealed"
	disk "$PC/win11.img" 64 "$PC/win11"
}

setup() {
	cp -r "$LAB/stick" "$WORK/stick"
	STICK="$WORK/stick"
	DISK="$WORK/disk.img"
	BLOB=Windows/Setup/odjstick/blob.txt
}

# by NAME TARGET [OPTION...]: the method that a dry run plans, and who asked for it.
by() {
	local name="$1" target="$2"
	shift 2
	apply "$STICK" "$target" --name "$name" --dry-run --json "$@" >"$WORK/json"
	jq -r '[.plan.method, (.checks[] | select(.id | startswith("method")) | .id, .text)] | join(" | ")' "$WORK/json"
}

# recorded STICK: the checks about the method, and the method of the plan, as the journal has them.
recorded() {
	cat "$1"/journal/*.jsonl | grep -oE '"check":"method[a-z-]*"|"event":"plan".*"method":"[a-z]*"' |
		sed -E 's/"event".*"method"/"plan"/' | paste -sd ' '
}

@test "column method: what the row says is planned, what is asked for by name wins, auto too" {
	need_tools jq
	local row="the lab's row asks for the method" named="was asked for by name"
	[ "$(by ALM-FIL-001 "$PC/win11")" = "firstboot | method | $row firstboot" ]
	[ "$(by ALM-FIL-002 "$PC/win11")" = "registry" ]
	[ "$(by ALM-FIL-003 "$PC/win11")" = "registry" ]
	[ "$(by ALM-FIL-004 "$PC/win11")" = "registry | method | $row registry" ]
	[ "$(by ALM-FIL-005 "$PC/sealed")" = "unattend | method | $row unattend" ]
	[ "$(by ALM-FIL-002 "$PC/sealed")" = "unattend" ]
	[ "$(by ALM-FIL-001 "$PC/win11" --method registry)" = \
		"registry | method-named | the method registry $named, not the row's firstboot" ]
	[ "$(by ALM-FIL-001 "$PC/win11" --method auto)" = \
		"registry | method-named | the method auto $named, not the row's firstboot" ]
	[ "$(by ALM-FIL-001 "$PC/win11" --method firstboot)" = \
		"firstboot | method-named | the method firstboot $named" ]
	[ "$(by ALM-FIL-002 "$PC/win11" --method firstboot)" = \
		"firstboot | method-named | the method firstboot $named" ]
	[ "$(by ALM-FIL-001 "$PC/sealed" --method auto)" = \
		"unattend | method-named | the method auto $named, not the row's firstboot" ]
}

@test "column method: firstboot leaves its files on an NTFS disk; the journal says who asked; undo" {
	need_tools ntfscat
	cp --sparse=always "$PC/win11.img" "$DISK"
	apply "$STICK" "$DISK" --name ALM-FIL-001 >"$WORK/out"
	grep -q "Plan: method firstboot," "$WORK/out"
	grep -q "member of corp.example when Windows starts; it restarts once by itself" "$WORK/out"
	ntfscat -f "$DISK" "$BLOB" >"$WORK/blob"
	"$ODJSTICK" blob show "$WORK/blob" | grep -q ALM-FIL-001
	ntfscat -f "$DISK" Windows/Setup/odjstick/join.cmd | grep -q 'djoin.exe" /requestODJ'
	[ "$(recorded "$STICK")" = '"check":"method" "plan":"firstboot"' ]
	"$ODJSTICK" undo --stick "$STICK" --target "$DISK" --passphrase-file "$LAB/pass" --yes --name ALM-FIL-001
	run ntfscat -f "$DISK" "$BLOB"
	[ "$status" -ne 0 ]
	"$ODJSTICK" journal verify "$STICK" --lab "$LAB/LAB.pub"
}

@test "column method: registry by name on a row that says firstboot leaves no file; the journal says so" {
	need_tools hivexget ntfscat
	cp --sparse=always "$PC/win11.img" "$DISK"
	apply "$STICK" "$DISK" --name ALM-FIL-001 --method registry >"$WORK/out"
	grep -q "Plan: method registry," "$WORK/out"
	run grep "restarts once" "$WORK/out"
	[ "$status" -eq 1 ]
	run ntfscat -f "$DISK" "$BLOB"
	[ "$status" -ne 0 ]
	hive_of "$DISK" "$WORK/SYSTEM"
	[ "$(hivexget "$WORK/SYSTEM" '\ControlSet001\Control\Lsa\OfflineJoin' MachineName)" = ALM-FIL-001 ]
	[ "$(recorded "$STICK")" = '"check":"method-named" "plan":"registry"' ]
}

@test "column method: one that has no effect on this phase stops as --method does, and says what the lab can do" {
	cp -r "$PC/sealed" "$WORK/tree"
	local name
	for name in ALM-FIL-001 ALM-FIL-004; do
		refuses 1 "has no effect" apply "$STICK" "$WORK/tree" --name "$name"
		[[ "$output" == *"leave the row's column method empty"* ]]
	done
	refuses 1 "the method unattend has no effect" apply "$STICK" "$PC/win11" --name ALM-FIL-005
	diff -r "$PC/sealed" "$WORK/tree"
	last_record "$STICK" refused | grep -q '"check":"phase"'
	refuses 1 "has no effect" apply "$STICK" "$PC/win11" --name ALM-FIL-001 --method unattend
	[[ "$output" == *"Leave the method to the program"* ]]
}

@test "column method: a word that is none is an error with file, line, column and what may stand there; no bundle" {
	{
		head -n 2 "$LAB/batch.csv"
		echo "ALM-FIL-002,5CG1234X02,INV-0002,$BLOBS/ALM-FIL-002.txt,djoin"
		echo "ALM-FIL-003,5CG1234X03,INV-0003,$BLOBS/ALM-FIL-003.txt,first boot"
	} >"$WORK/bad.csv"
	run "$ODJSTICK" batch check "$WORK/bad.csv"
	[ "$status" -eq 3 ]
	[[ "$output" == *'bad.csv:3: error: method "djoin" is none of auto, registry, unattend, firstboot'* ]]
	[[ "$output" == *'bad.csv:4: error: method "first boot" is none of auto, registry, unattend, firstboot'* ]]
	[[ "$output" == *"2 errors, 0 warnings"* ]]
	refuses 3 'method "djoin" is none of' "$ODJSTICK" bundle create "$WORK/bad.csv" -o "$WORK/bad.odjb" \
		--lab "$LAB/LAB.key" --passphrase-file "$LAB/pass" --lab-passphrase-file "$LAB/lab.pass" --kdf-memory 8
	[ -z "$(find "$WORK" -name 'bad.odjb*')" ]
}

@test "column method: a word that is none in a bundle that another program made refuses the PC" {
	"$TOOLS/forge_bundle" "$LAB/batch.csv" "$WORK/odd.odjb" "$LAB/LAB.key" "$LAB/lab.pass" "$LAB/pass" odd-method
	stick "$WORK/odd" "$LAB" "$WORK/odd.odjb"
	cp -r "$PC/win11" "$WORK/tree"
	refuses 3 'method "by hand" is none of' apply "$WORK/odd" "$WORK/tree" --name ALM-FIL-001
	refuses 3 'method "by hand" is none of' apply "$WORK/odd" "$WORK/tree" --name ALM-FIL-001 --method registry
	diff -r "$PC/win11" "$WORK/tree"
	last_record "$WORK/odd" refused | grep -q '"check":"blob"'
}

@test "column method: the lab sees it in the bundle, and can choose rows by it" {
	show() { "$ODJSTICK" bundle "$@" --lab "$LAB/LAB.pub" --passphrase-file "$LAB/pass"; }
	show show "$LAB/batch.odjb" --name ALM-FIL-001 | grep -q '^method *firstboot$'
	show list "$LAB/batch.odjb" --columns >"$WORK/list"
	grep -q 'ALM-FIL-001 .*fresh  method=firstboot$' "$WORK/list"
	grep -q 'ALM-FIL-002 .*fresh$' "$WORK/list"
	"$ODJSTICK" bundle create "$LAB/batch.csv" -o "$WORK/some.odjb" --where method=firstboot --lab "$LAB/LAB.key" \
		--passphrase-file "$LAB/pass" --lab-passphrase-file "$LAB/lab.pass" --kdf-memory 8
	[ "$("$ODJSTICK" bundle list "$WORK/some.odjb" --passphrase-file "$LAB/pass" | grep -c ALM-FIL)" -eq 1 ]
}

# plain SERIAL ANSWERS: the wizard as lines, on WORK/tree.
plain() {
	mkdir -p "$WORK/dmi"
	echo "$1" >"$WORK/dmi/product_serial"
	printf '%b' "$2" | "$ODJSTICK" wizard --plain --stick "$STICK" --dmi "$WORK/dmi" --target "$WORK/tree" \
		--passphrase-file "$LAB/pass" 2>&1
}

@test "column method: the wizard as lines takes it" {
	cp -r "$PC/win11" "$WORK/tree"
	run plain 5CG1234X01 '-001\np\n'
	[ "$status" -eq 0 ]
	[[ "$output" == *"the lab's row asks for the method firstboot"* ]]
	[[ "$output" == *"Windows/Setup/odjstick/blob.txt: (absent) -> (join data"* ]]
	[[ "$output" == *"DONE: ALM-FIL-001"*"It restarts once by itself."* ]]
	"$ODJSTICK" blob show "$WORK/tree/$BLOB" | grep -q ALM-FIL-001
	[ "$(recorded "$STICK")" = '"check":"method" "plan":"firstboot"' ]
	cp -r "$PC/win11" "$WORK/other"
	rm -r "$WORK/tree"
	mv "$WORK/other" "$WORK/tree"
	run plain 5CG1234X02 '-002\np\n'
	[ "$status" -eq 0 ]
	[[ "$output" != *"asks for the method"* && "$output" != *"restarts once"* ]]
	[ ! -e "$WORK/tree/$BLOB" ]
}

@test "column method: the wizard as lines, cut off in firstboot, goes on by the same method" {
	cp -r "$PC/win11" "$WORK/tree"
	cp -r "$STICK" "$WORK/stick2"
	run plain 5CG1234X01 '-001\np\n'
	[ "$status" -eq 0 ]
	# as if the power had gone between the files and the hive: the stick knows the intent only
	cp "$PC/win11/Windows/System32/config/SYSTEM" "$WORK/tree/Windows/System32/config/SYSTEM"
	cp "$STICK"/state/undo-*.sealed "$WORK/stick2/state/"
	STICK="$WORK/stick2"
	run plain 5CG1234X01 '-001\np\n'
	[ "$status" -eq 0 ]
	[[ "$output" == *"DONE: ALM-FIL-001"* ]]
}

# must_have BLOB OUT: its certificates become a part that has to be understood.
must_have() {
	/usr/bin/python3 - "$1" "$2" "$SHARED/tools" <<-'PY'
		import base64, struct, sys, uuid
		sys.path.insert(0, sys.argv[3])
		import odjtool
		raw = bytearray(odjtool.load_text(open(sys.argv[1], "rb").read())[0])
		at = raw.find(uuid.UUID("9c0971e9-832f-4873-8e87-ef1419d4781e").bytes_le) + 16
		assert at > 16
		struct.pack_into("<I", raw, at, struct.unpack_from("<I", raw, at)[0] | 1)
		open(sys.argv[2], "wb").write(b"\xff\xfe" + (base64.b64encode(raw).decode() + "\0").encode("utf-16-le"))
	PY
}

# certs WORD: what `batch check` says about a row with such a blob; PC ALM-WIN-204.
certs() {
	printf 'computer_name,serial,inventory_tag,blob,method\nALM-WIN-204,5CG1234X90,INV-0090,%s,%s\n' \
		"$WORK/certs.txt" "$1" >"$WORK/certs.csv"
	run "$ODJSTICK" batch check "$WORK/certs.csv"
}

@test "column method: a blob that only djoin can take: the lab is told, and on site the refusal names the column" {
	need_shared
	must_have "$SHARED/fixtures/blobs/win-layout/ALM-WIN-204.txt" "$WORK/certs.txt"
	certs registry
	[ "$status" -eq 3 ]
	[[ "$output" == *"certs.csv:2: error: blob "*"certificates"* ]]
	certs firstboot
	[ "$status" -eq 0 ]
	[[ "$output" == *"0 errors, 0 warnings"* ]]
	local word
	for word in auto ""; do
		certs "$word"
		[ "$status" -eq 0 ]
		[[ "$output" == *"certs.csv:2: warning: blob "*"certificates"*"With firstboot in the column method"* ]]
	done
	LAB="$WORK/lab" BATCH="$WORK/certs.csv"
	lab "$LAB" --kdf-memory 8
	stick "$WORK/certs" "$LAB"
	refuses 1 "certificates" apply "$WORK/certs" "$PC/win11" --name ALM-WIN-204 --reason test
	[[ "$output" == *"firstboot in the row's column method, or apply --method firstboot"* ]]
	certs firstboot
	rm "$LAB/LAB.key" "$LAB/LAB.pub" "$LAB/batch.odjb"
	lab "$LAB" --kdf-memory 8
	stick "$WORK/certs2" "$LAB"
	cp -r "$PC/win11" "$WORK/tree"
	apply "$WORK/certs2" "$WORK/tree" --name ALM-WIN-204
	"$ODJSTICK" blob show "$WORK/tree/$BLOB" | grep -q ALM-WIN-204
}
