# The third-party parts: pinned, checked, cached, and linking together.
load common

# A copy of rootfs/packages with one tiny package in it, and an archive that is a folder.
setup() {
	PK="$WORK/packages"
	mkdir -p "$PK/recipes" "$WORK/archive"
	cp "$REPO/rootfs/packages/"{build,common.sh} "$PK/"
	export ODJSTICK_CACHE="$WORK/cache"
	cat >"$PK/apt-private" <<-STUB
		#!/bin/bash
		# source PKG=VERSION DIR: what is in the folder; any other version is not on offer
		echo "\$@" >>"$WORK/asked"
		[ "\$1" = versions ] && { echo "source 2.0-1"; exit; }
		[ "\${2#*=}" = "\$(cat "$WORK/archive/version")" ] || { echo "versions listed now: 2.0-1" >&2; exit 1; }
		mkdir -p "\$3" && cp "$WORK/archive/"tiny_* "\$3/"
	STUB
	chmod +x "$PK/apt-private"
	cat >"$PK/recipes/tiny" <<-'RECIPE'
		source=tiny
		compile() {
			static_library libtiny.a -- tiny.c
			install_header . tiny.h
		}
	RECIPE
	make_source 1.0-1
	lock_source 1.0-1
}

# A source package in the archive folder.
make_source() {
	rm -rf "$WORK/archive" "$WORK/tiny-1.0"
	mkdir -p "$WORK/archive" "$WORK/tiny-1.0"
	echo "$1" >"$WORK/archive/version"
	echo 'int tiny(void) { return 42; }' >"$WORK/tiny-1.0/tiny.c"
	echo 'int tiny(void);' >"$WORK/tiny-1.0/tiny.h"
	tar -C "$WORK" -czf "$WORK/archive/tiny_$1.tar.gz" tiny-1.0
	local file="$WORK/archive/tiny_$1.tar.gz"
	cat >"$WORK/archive/tiny_$1.dsc" <<-DSC
		Format: 1.0
		Source: tiny
		Version: $1
		Files:
		 $(md5sum <"$file" | cut -d' ' -f1) $(stat -c %s "$file") tiny_$1.tar.gz
	DSC
}

lock_source() {
	local file
	for file in "$WORK/archive/"tiny_*; do
		echo "tiny $1 - $(sha256sum <"$file" | cut -d' ' -f1) ${file##*/}"
	done >"$PK/lock"
}

build_tiny() {
	run "$PK/build" --sysroot "$WORK/sysroot"
}

@test "a package is fetched, checked, built for musl and put into the sysroot" {
	build_tiny
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	[[ "$output" == *"tiny 1.0-1"* ]]
	echo '#include <tiny.h>
	int main(void) { return tiny() - 42; }' >"$WORK/main.c"
	musl-gcc -static -isystem "$WORK/sysroot/include" -o "$WORK/main" "$WORK/main.c" \
		-L"$WORK/sysroot/lib" -ltiny
	"$WORK/main"
	[ -e "$WORK/sysroot/kernel-headers/linux/fs.h" ]
}

@test "a second build asks the archive nothing and leaves the sysroot's time stamp alone" {
	build_tiny
	[ "$status" -eq 0 ]
	rm "$WORK/asked"
	touch -d '2001-02-03 04:05:06' "$WORK/sysroot/.complete"
	build_tiny
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ ! -e "$WORK/asked" ]
	[ "$(date -r "$WORK/sysroot/.complete" +%Y)" = 2001 ]
}

@test "a wrong hash stops the build, names the file and both hashes" {
	local good bad
	good=$(sha256sum <"$WORK/archive/tiny_1.0-1.tar.gz" | cut -d' ' -f1)
	bad=${good/[0-8]/9}
	sed -i "s/$good/$bad/" "$PK/lock"
	refuses 1 'wrong SHA-256: tiny_1.0-1.tar.gz' "$PK/build" --sysroot "$WORK/sysroot"
	[[ "$output" == *"locked   $bad"* ]]
	[[ "$output" == *"fetched  $good"* ]]
	[[ "$output" == *"nothing was built from it"* ]]
	[ ! -e "$WORK/sysroot" ]
	[ -z "$(ls "$ODJSTICK_CACHE/packages")" ]
}

@test "a source damaged in the cache stops the build" {
	build_tiny
	rm -rf "$ODJSTICK_CACHE/packages"
	local file
	file=$(echo "$ODJSTICK_CACHE"/sources/*/tiny_1.0-1.tar.gz)
	printf 'x' >>"$file"
	refuses 1 'wrong SHA-256: tiny_1.0-1.tar.gz in the cache is damaged' "$PK/build"
}

@test "a locked version that is gone: says what is offered and how to move on" {
	rm -rf "$ODJSTICK_CACHE"
	make_source 2.0-1
	refuses 1 'tiny 1.0-1, pinned in rootfs/packages/lock, is not to be had' "$PK/build"
	[[ "$output" == *"versions listed now: 2.0-1"* ]]
	[[ "$output" == *"rootfs/packages/build --relock tiny"* ]]
	"$PK/build" --relock tiny
	grep -q '^tiny 2.0-1 - [0-9a-f]\{64\} tiny_2.0-1.dsc$' "$PK/lock"
	! grep -q '1\.0-1' "$PK/lock"
	build_tiny
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	[[ "$output" == *"tiny 2.0-1"* ]]
}

@test "a recipe that fails shows the end of its log and where the rest is" {
	echo 'compile() { echo before the end; false; echo never; }' >>"$PK/recipes/tiny"
	refuses 1 'tiny did not build' "$PK/build"
	[[ "$output" == *"before the end"* ]]
	[[ "$output" != *"never"* ]]
	[ -s "$ODJSTICK_CACHE/logs/tiny.log" ]
	[[ "$output" == *"$ODJSTICK_CACHE/logs/tiny.log"* ]]
	[ -z "$(ls "$ODJSTICK_CACHE/packages")" ]
}

@test "a changed recipe builds anew, an unchanged one does not" {
	local before after
	before=$("$PK/build" --keys)
	[ "$before" = "$("$PK/build" --keys)" ]
	echo '# another word' >>"$PK/recipes/tiny"
	after=$("$PK/build" --keys)
	[ "$before" != "$after" ]
}

@test "every locked file of the real packages has one hash, and every recipe is locked" {
	local name source
	! cut -d' ' -f1,5 "$REPO/rootfs/packages/lock" | sort | uniq -d | grep .
	for name in "$REPO"/rootfs/packages/recipes/*; do
		source=$(sed -n 's/^source=//p' "$name")
		grep -q "^$source [^ ]* [^ ]* [0-9a-f]\{64\} .*\.dsc$" "$REPO/rootfs/packages/lock" ||
			{ echo "$source has no .dsc in the lock"; return 1; }
	done
}

@test "every library links statically with musl into one program, and works" {
	unset ODJSTICK_CACHE
	make -s -C "$REPO" BUILD="$BUILD" "$BUILD/tests/packages/smoke"
	need_tools mkntfs file
	truncate -s 8M "$WORK/ntfs.img"
	mkntfs -q -F -L smoke "$WORK/ntfs.img" >/dev/null
	cd "$REPO"
	run env -i "$BUILD/tests/packages/smoke" "$WORK/ntfs.img"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$(file "$BUILD/tests/packages/smoke")" == *"statically linked"* ]]
}

@test "BusyBox is static, has what init needs, and no network or login tools" {
	local sysroot="$BUILD/sysroot" applet
	unset ODJSTICK_CACHE
	make -s -C "$REPO" BUILD="$BUILD" packages
	file "$sysroot/bin/busybox" | grep -q 'statically linked'
	for applet in sh mount umount modprobe insmod loadfont setfont loadkmap sync poweroff reboot \
		setsid cat ls sleep dmesg mkdir mknod grep sed; do
		"$sysroot/bin/busybox" --list | grep -qx "$applet" || { echo "no $applet"; return 1; }
	done
	! "$sysroot/bin/busybox" --list | grep -xE 'ifconfig|ip|wget|telnetd|udhcpc|login|getty|nc|tftp|vi'
	[ "$("$sysroot/bin/busybox" sh -c 'echo $((6 * 7))')" = 42 ]
}
