# The stick boots in QEMU from USB, offers no way in, and switches off cleanly.
# The look from the inside is that of build/tests/probe.img: our kernel, modules and init, with a
# probe in the wizard's place (tests/e2e/probe_run.py says what is done to it).

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

@test "the wizard's environment is four plain words; nothing in it comes from the command line" {
	seen uefi
	[ "$(facts environment | grep -v -e '^SHLVL=' -e '^PWD=' | sort)" = "HOME=/run
LANG=C.UTF-8
PATH=/bin
TERM=xterm-256color" ]
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

@test "the data partition is mounted as documented, and nothing on it can be run" {
	seen uefi
	local options
	options=$(facts mounts | awk '$2 == "/stick" { print "," $4 "," }')
	for word in rw noatime dirsync flush nosuid nodev noexec errors=remount-ro; do
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

@test "two sticks with one identity: no guess, a message, and on when one is pulled" {
	seen two-sticks
	result refused=True
	result went_on=True
}
