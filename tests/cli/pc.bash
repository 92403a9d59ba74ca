# PCs, labs and sticks for tests: trees with Windows in them, disks, a bundle. Load after common.
#
# Hives of "Windows 11" are built by mkhive from tests/vectors/hives; those of "Windows 7" are real
# ones from ../shared, turned into a workgroup PC by hivexregedit (an independent writer).

TOOLS="$BUILD/tests/tools"
HIVES="$REPO/tests/vectors/hives"
BATCH="$REPO/tests/vectors/batch/corp.csv"

# tree DIR SYSTEM SOFTWARE: a folder with Windows in it and the logs Windows keeps beside its hives. The
# accounts are those of the synthetic Windows 11.
tree() {
	local config="$1/Windows/System32/config" hive
	mkdir -p "$config" "$1/Windows/Panther" "$1/Users"
	cp "$2" "$config/SYSTEM"
	cp "$3" "$config/SOFTWARE"
	cp "$BUILD/hives/win11-SAM" "$config/SAM"
	for hive in SYSTEM SOFTWARE SAM; do
		: >"$config/$hive.LOG1"
		: >"$config/$hive.LOG2"
	done
}

# describe DIR NAME SED-SYSTEM SED-SOFTWARE: build the tree from the descriptions NAME-*.hive-text.
describe() {
	sed "$3" "$HIVES/$2-SYSTEM.hive-text" >"$1.SYSTEM.txt"
	sed "$4" "$HIVES/$2-SOFTWARE.hive-text" >"$1.SOFTWARE.txt"
	"$TOOLS/mkhive" "$1.SYSTEM.txt" "$1.SYSTEM" && "$TOOLS/mkhive" "$1.SOFTWARE.txt" "$1.SOFTWARE" &&
		tree "$1" "$1.SYSTEM" "$1.SOFTWARE"
	rm -f "$1".SYSTEM* "$1".SOFTWARE*
}

# win11 DIR [SED-FOR-SYSTEM [SED-FOR-SOFTWARE]]: a synthetic Windows 11, setup finished.
win11() {
	describe "$1" win11 "${2:-}" "${3:-}"
}

# generalized DIR [SED-FOR-SYSTEM]: the same after sysprep, specialize still ahead.
generalized() {
	describe "$1" win11-generalized "${2:-}" ""
}

# win7 DIR: the real Windows 7 hives, out of their domain.
win7() {
	real_hive win7sp1-x86-domain/SYSTEM >"$1.SYSTEM"
	real_hive win7sp1-x86/SOFTWARE >"$1.SOFTWARE"
	sed 's/CCS/ControlSet001/' "$REPO/tests/tools/workgroup.reg" >"$1.reg"
	hivexregedit --merge --prefix 'HKEY_LOCAL_MACHINE\SYSTEM' "$1.SYSTEM" "$1.reg" &&
		tree "$1" "$1.SYSTEM" "$1.SOFTWARE"
	rm -f "$1.SYSTEM" "$1.SOFTWARE" "$1.reg"
}

# disk IMG MB TREE [ntfstree options]
disk() {
	"$TOOLS/ntfstree" "$@"
}

# lab DIR [OPTIONS of bundle create]: a key, a bundle of 25 PCs and a passphrase in DIR.
lab() {
	mkdir -p "$1"
	echo 'lab passphrase' >"$1/lab.pass"
	echo 'engineer passphrase' >"$1/pass"
	"$ODJSTICK" lab keygen -o "$1/LAB" --passphrase-file "$1/lab.pass" >/dev/null &&
		"$ODJSTICK" bundle create "$BATCH" -o "$1/batch.odjb" --lab "$1/LAB.key" \
			--passphrase-file "$1/pass" --lab-passphrase-file "$1/lab.pass" "${@:2}" >/dev/null
}

# stick DIR LAB [BUNDLE]: a stick's data folder.
stick() {
	"$ODJSTICK" stick init "$1" --bundle "${3:-$2/batch.odjb}" --lab "$2/LAB.key" \
		--passphrase-file "$2/lab.pass" >/dev/null
}

# apply STICK TARGET OPTIONS...: with the engineer's passphrase, without asking.
apply() {
	local stick="$1" target="$2"
	shift 2
	"$ODJSTICK" apply --stick "$stick" --target "$target" --passphrase-file "$LAB/pass" --yes "$@"
}

# pulled VERB OPTIONS...: STICK is pulled when the program comes to WORK/win11: its folder goes away, and
# what is open in it answers with EIO. The program says so, and the PC is as it was.
pulled() {
	local calls=read,pread64,write,pwrite64,fsync,fdatasync trace tracer file paths=() status=0
	trace="$(mktemp -d "$WORK/pulled.XXXXXX")"
	for file in bundle.odjb journal/00000{1,2,3}.jsonl; do
		paths+=(-P "$WORK/pulled/$file")
	done
	cp -r "$WORK/win11" "$trace/before"
	ASAN_OPTIONS=detect_leaks=0 strace -f -o "$trace/calls" -P "$WORK/win11" "${paths[@]}" \
		-e trace=open,openat,"$calls" -e inject=open,openat:signal=SIGSTOP \
		-e inject="$calls:error=EIO" "$ODJSTICK" "$@" --stick "$STICK" --target "$WORK/win11" \
		--passphrase-file "$LAB/pass" >"$trace/out" 2>&1 3>&- &
	tracer=$!
	until grep -q "stopped by SIGSTOP" "$trace/calls" 2>/dev/null; do
		kill -0 "$tracer" || { cat "$trace/out"; return 1; }
		sleep 0.05
	done
	mv "$STICK" "$WORK/pulled"
	while kill -CONT "$(head -n 1 "$trace/calls" | cut -d ' ' -f 1)" 2>/dev/null; do sleep 0.05; done
	wait "$tracer" || status=$?
	mv "$WORK/pulled" "$STICK"
	cat "$trace/out"
	[ "$status" -eq 1 ]
	grep -q "the stick was pulled out" "$trace/out"
	grep -q "Nothing was changed on this PC. Plug the stick in again" "$trace/out"
	diff -r "$trace/before" "$WORK/win11"
}

# hive_of IMG OUT: the SYSTEM hive as ntfscat reads it from a bare NTFS image.
hive_of() {
	ntfscat -f "$1" Windows/System32/config/SYSTEM >"$2"
}

# last_record STICK EVENT: the last record of that kind, as JSON.
last_record() {
	cat "$1"/journal/*.jsonl | grep "\"event\":\"$2\"" | tail -n 1
}

# lab_hex LAB.pub: the Ed25519 key of a minisign public key, as the second verifier takes it.
lab_hex() {
	tail -n 1 "$1" | base64 -d | tail -c 32 | xxd -p -c 64
}
