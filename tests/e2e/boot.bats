# The stick boots in QEMU from USB, offers no way in, and switches off cleanly.
# The look from the inside is that of build/tests/probe.img: our kernel, modules and init, with a
# probe in the wizard's place (tests/e2e/probe_run.py says what is done to it).

load ../cli/common
load ../cli/pc
load image-common

# seen SCENARIO: run it once per file; afterwards $seen is the folder with what was seen.
seen() {
	seen=$BATS_FILE_TMPDIR/$1
	[ -e "$seen/done" ] && return
	[ ! -e "$seen" ] || { echo "scenario $1 failed before: $(cat "$seen/error")"; return 1; }
	mkdir -p "$seen"
	/usr/bin/python3 "$REPO/tests/e2e/probe_run.py" "$1" "$seen" 2>&1 | tee "$seen/error" || return 1
	[ "${PIPESTATUS[0]}" -eq 0 ] || return 1
	touch "$seen/done"
}

# facts SECTION: its lines, from the last scenario.
facts() {
	awk -v want="[$1]" '$0 == want { on = 1; next } /^\[[a-z]+\]$/ { on = 0 } on && NF' "$seen/data/FACTS.TXT"
}

result() {
	grep -qx "$1" "$seen/result.txt" || { cat "$seen/result.txt"; return 1; }
}

@test "UEFI boots the stick from USB to the wizard's place, and off again" {
	seen uefi
	result powered_off=True
	echo "# $(grep seconds "$seen/result.txt")" >&3
}

@test "Secure Boot with Microsoft's keys boots the same image, kernel locked down" {
	seen sb
	result powered_off=True
	[ "$(facts lockdown)" = 'none [integrity] confidentiality' ]
	echo "# $(grep seconds "$seen/result.txt")" >&3
}

@test "without Secure Boot the kernel is not locked down (the check above can fail)" {
	seen uefi
	[ "$(facts lockdown)" = '[none] integrity confidentiality' ]
}

@test "Ctrl-Alt-Del, SysRq, serial breaks, Alt-F2 to F12 and Ctrl-C do nothing" {
	seen uefi
	result still_there=True
	facts sysctl | grep -qx sysrq=0
	facts sysctl | grep -qx ctrl-alt-del=0
}

@test "at the PC's own screen and keyboard: only tty1 is there, and it stays in front" {
	seen screen
	result powered_off=True
	[ "$(facts vt)" = "tty1
1" ]
	[ "$(facts terminals)" = /dev/tty1 ]
	facts programs | grep -q '/init'
}

@test "keyboard.txt on the stick chooses the layout, and the wizard is told" {
	seen screen # the key that a US keyboard calls Y gave z, or the scenario would have failed
	facts environment | grep -qx KEYMAP=de
}

@test "no network interface is up, no driver for one is loaded, nothing listens" {
	seen uefi
	[ "$(facts net)" = 'lo flags 0x8 state down' ]
	[ -z "$(facts sockets)" ]
}

@test "init and the wizard are the only programs, on one terminal: no shell, no login" {
	seen uefi
	# The probe is the script in the wizard's place; on the stick itself there is no shell to run one.
	[ "$(facts programs | cut -d' ' -f2- | sed 's/ *$//' | sort -u)" = "/bin/busybox sh /bin/odjstick wizard --stick /stick
/init" ]
	[ "$(facts terminals)" = /dev/ttyS0 ] || { facts terminals; facts programs; return 1; }
}

@test "no core dumps, no swap, kernel log for root only" {
	seen uefi
	facts sysctl | grep -qx core_limit=0
	facts sysctl | grep -qx core_pattern=
	facts sysctl | grep -qx dmesg_restrict=1
	[ "$(facts swaps | wc -l)" -eq 1 ]
}

@test "the kernel clears memory that is freed" {
	seen uefi
	facts cmdline | grep -qw init_on_free=1
	facts kernel | grep -q 'mem auto-init:.*heap free:on'
}

@test "Secure Boot is on from the inside where the firmware has it on, and off where not" {
	seen sb
	facts kernel | grep -q 'secureboot: Secure boot enabled'
	[[ "$(facts lockdown)" == *'[integrity]'* ]]
	seen uefi
	facts kernel | grep -q 'secureboot: Secure boot disabled'
}

@test "the wizard's environment is five plain words; nothing in it comes from the command line" {
	seen uefi
	[ "$(facts environment | grep -v -e '^SHLVL=' -e '^PWD=' | sort)" = "DRIVERS=/run/drivers
HOME=/run
LANG=C.UTF-8
PATH=/bin
TERM=xterm-256color" ]
}

@test "the drivers of this PC's disks are loaded while the wizard runs, packed ones too, and it is told" {
	local name
	for scenario in uefi sb; do
		seen $scenario
		[ "$(facts drivers)" = ready ]
		for name in nvme ahci; do
			facts modules | grep -q "^$name " || { facts modules; return 1; }
			find "$BUILD/modules" -name "$name.ko.xz" | grep -q .
		done
		facts disks | grep -q 'nvme0n1p1$'
	done
}

@test "SMBIOS serial number and asset tag reach the wizard" {
	seen uefi
	[ "$(facts identity)" = "SN-0815
INV-4711" ]
}

@test "a foreign disk with the same label and layout is not touched" {
	seen uefi
	facts disks | grep -q 'sdb1$'
	[ "$(facts mounts | awk '$2 == "/stick" { print $3 }')" = vfat ]
	# What the probe wrote is on our stick; the other image is what it was.
	[ -s "$seen/data/FACTS.TXT" ]
	mdir -b -i "$seen/foreign.img@@49M" :: | grep -q README
	! mdir -b -i "$seen/foreign.img@@49M" :: | grep -q FACTS
}

@test "a disk with our whole stick inside its partition is not taken for it" {
	seen uefi
	facts disks | grep -q 'nvme0n1p1$'
	result disk_with_a_stick_inside_unchanged=True
}

@test "the data partition is mounted as documented, and nothing on it can be run" {
	seen uefi
	local options
	options=$(facts mounts | awk '$2 == "/stick" { print "," $4 "," }')
	for word in rw noatime sync dirsync flush nosuid nodev noexec errors=remount-ro; do
		[[ $options == *,$word,* ]] || { echo "$word is not in $options"; return 1; }
	done
}

@test "after power-off the data partition is clean and the boot partition unchanged" {
	for scenario in uefi sb; do
		seen $scenario
		partition "$seen/stick.img" 1 >"$BATS_TEST_TMPDIR/data"
		fat_is_clean "$BATS_TEST_TMPDIR/data"
		cmp <(partition "$seen/stick.img" 2) <(partition "$PROBE" 2)
	done
}

@test "the check for a clean file system sees one that was not unmounted" {
	partition "$PROBE" 1 >"$BATS_TEST_TMPDIR/data"
	fat_is_clean "$BATS_TEST_TMPDIR/data"
	printf '\001' | dd of="$BATS_TEST_TMPDIR/data" bs=1 seek=65 conv=notrunc status=none
	! fat_is_clean "$BATS_TEST_TMPDIR/data"
}

@test "exit status 10 reboots; a crash starts the wizard again three times, then it is said and off" {
	seen endings
	result rebooted=True
	result restart_3=True
	result powered_off=True
	partition "$seen/stick.img" 1 >"$BATS_TEST_TMPDIR/data"
	fat_is_clean "$BATS_TEST_TMPDIR/data"
}

@test "two sticks with one identity: no guess; none before the wizard: a message; on when there is one" {
	seen two-sticks
	result refused=True
	result missing=True
	result went_on=True
}

@test "the support entry writes a diagnosis to the stick" {
	local report words
	lab "$BATS_FILE_TMPDIR/lab" --kdf-memory 8
	mkdir -p "$BATS_FILE_TMPDIR/support"
	stick "$BATS_FILE_TMPDIR/support/folder" "$BATS_FILE_TMPDIR/lab"
	/usr/bin/python3 "$REPO/tests/e2e/probe_run.py" support "$BATS_FILE_TMPDIR/support"
	report=$(echo "$BATS_FILE_TMPDIR"/support/data/support-*.txt)
	for words in 'kernel: 6' 'product_name: Standard PC' 'boot: BIOS' ' xhci_hcd$' 'QEMU USB HARDDRIVE' \
		'^usb_storage$' 'Linux version 6'; do
		grep -q "$words" "$report" || { echo "lacks: $words"; cat "$report"; return 1; }
	done
}

@test "the diagnosis says whether Secure Boot is on" {
	local report words
	mkdir -p "$BATS_FILE_TMPDIR/support-sb"
	cp -r "$BATS_FILE_TMPDIR/support/folder" "$BATS_FILE_TMPDIR/support-sb/folder"
	/usr/bin/python3 "$REPO/tests/e2e/probe_run.py" support-sb "$BATS_FILE_TMPDIR/support-sb"
	report=$(echo "$BATS_FILE_TMPDIR"/support-sb/data/support-*.txt)
	for words in 'boot: UEFI' 'secure boot: on' 'lockdown: none \[integrity\]'; do
		grep -q "^$words" "$report" || { echo "lacks: $words"; cat "$report"; return 1; }
	done
	grep -q '^secure boot: unknown$' "$BATS_FILE_TMPDIR"/support/data/support-*.txt
}

@test "UEFI: a key that is held while the stick starts brings the menu, and its third entry the diagnosis" {
	mkdir -p "$BATS_FILE_TMPDIR/support-menu"
	cp -r "$BATS_FILE_TMPDIR/support/folder" "$BATS_FILE_TMPDIR/support-menu/folder"
	/usr/bin/python3 "$REPO/tests/e2e/probe_run.py" support-menu "$BATS_FILE_TMPDIR/support-menu"
	grep -q '^boot: UEFI' "$BATS_FILE_TMPDIR"/support-menu/data/support-*.txt
}

@test "the diagnosis holds no secret, no name and no serial number; the stick is as it was" {
	local report data=$BATS_FILE_TMPDIR/support/data words
	report=$(echo "$data"/support-*.txt)
	[ -s "$report" ]
	for words in passphrase SN-0815 INV-4711 ALM-FIL 5CG1234 corp.example; do
		! grep -qi "$words" "$report" || { echo "holds: $words"; return 1; }
	done
	/usr/bin/python3 "$REPO/tests/e2e/shares_bytes.py" "$report" "$BATS_FILE_TMPDIR/support/folder"
	rm "$report" "$data/README.TXT"
	diff -r "$BATS_FILE_TMPDIR/support/folder" "$data"
}

@test "the check for bytes of the stick in a report sees one line of the bundle" {
	local folder=$BATS_FILE_TMPDIR/support/folder
	{ echo 'a report'; dd if="$folder/bundle.odjb" bs=1 skip=700 count=40 status=none; } >"$BATS_TEST_TMPDIR/report"
	! /usr/bin/python3 "$REPO/tests/e2e/shares_bytes.py" "$BATS_TEST_TMPDIR/report" "$folder"
}
