# shellcheck shell=bash
# What every recipe shares. Sourced by `build` in the job of one package, before its recipe; part of
# each package's content hash, so a change here rebuilds everything.
#
# A recipe sets   source   the Debian source package
#                 needs    packages (recipes) it links against, optional
#                 files    further files of this folder it reads, optional
# and defines     compile  which runs in the unpacked tree and installs below $out
# Given to it:    out      the package's prefix: include/ lib/ bin/
#                 top      the folder above the tree        here   rootfs/packages
#                 jobs     for make -j                      kernel_headers
# shellcheck disable=SC2034,SC2154

export LC_ALL=C.UTF-8 TZ=UTC SOURCE_DATE_EPOCH=1700000000
export CC=musl-gcc AR=ar RANLIB=ranlib
export CPPFLAGS='' CXX=false
# configure scripts fork all the time: a small shell halves their time.
export CONFIG_SHELL=/bin/sh

common_setup() {
	local need
	CFLAGS="-Os -g0 -ffunction-sections -fdata-sections -fstack-protector-strong"
	CFLAGS+=" -fno-asynchronous-unwind-tables -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=0"
	CFLAGS+=" -idirafter $kernel_headers -ffile-prefix-map=$top=."
	LDFLAGS="-static -Wl,--gc-sections -Wl,--build-id=none"
	for need in ${needs_prefixes-}; do
		CPPFLAGS+=" -I$need/include"
		LDFLAGS+=" -L$need/lib"
	done
	# Never the machine's own libraries: they are built for another libc.
	export PKG_CONFIG_LIBDIR=$top/no-pkg-config PKG_CONFIG_PATH=
	export CFLAGS LDFLAGS
}

# configure for a static library on musl; the recipe adds its own switches
static_configure() {
	"$CONFIG_SHELL" ./configure --host=x86_64-linux-musl --build=x86_64-linux-gnu --prefix="$out" \
		--disable-dependency-tracking "$@"
}

# install_header DEST FILE...   install_lib FILE...
install_header() {
	install -d "$out/include/$1"
	install -m 644 "${@:2}" "$out/include/$1"
}
install_lib() {
	install -d "$out/lib"
	install -m 644 "$@" "$out/lib"
}

# static_library NAME SWITCH... -- SOURCE...: for sources so simple that configuring them would
# take longer than compiling them
static_library() {
	local name=$1 switches=() objects=() file object running=0
	shift
	while [ "$1" != -- ]; do
		switches+=("$1")
		shift
	done
	shift
	for file; do
		object=$top/${file//\//_}.o
		objects+=("$object")
		# shellcheck disable=SC2086  # flags are words
		$CC $CPPFLAGS $CFLAGS "${switches[@]}" -c -o "$object" "$file" &
		running=$((running + 1))
		if [ "$running" -ge "$jobs" ]; then
			wait -n
			running=$((running - 1))
		fi
	done
	while [ "$running" -gt 0 ]; do
		wait -n
		running=$((running - 1))
	done
	ar rcsD "$name" "${objects[@]}"
	install_lib "$name"
}
