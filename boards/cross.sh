#!/bin/sh
# Compiler, C library and all libraries for a board that is no host, from Debian 12 alone: Debian's cross gcc with musl and the
# libraries built from Debian's sources (boards/cross.mk), as OpenWrt has them. PREFIX can be copied or moved.
#   PREFIX/bin/{cc,ar,strip,objcopy,size}   PREFIX/include   PREFIX/lib/*.a   PREFIX/lib/libc.so
# With "shared" also PREFIX/lib/*.so of the libraries that OpenWrt's feeds have.
# Cached by a hash of the scripts and the list: a second call does nothing.
#
# usage: boards/cross.sh aarch64|armv7 PREFIX [shared]
set -eu

arch=${1:?usage: boards/cross.sh aarch64|armv7 PREFIX [shared]}
prefix=${2:?usage: boards/cross.sh aarch64|armv7 PREFIX [shared]}
shared=${3:-}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

# Debian's libgcc for aarch64 asks glibc which atomics the CPU has: not with -mno-outline-atomics.
case $arch in
aarch64) gnu=aarch64-linux-gnu musl=aarch64-linux-musl loader=ld-musl-aarch64.so.1 cpu=-mno-outline-atomics ;;
# OpenWrt's arm_cortex-a*: hard float; Thumb is a third smaller.
armv7) gnu=arm-linux-gnueabihf musl=arm-linux-musleabihf loader=ld-musl-armhf.so.1 cpu='-march=armv7-a+vfpv3-d16 -mthumb' ;;
*)
	echo "cross: $arch is neither aarch64 nor armv7" >&2
	exit 2
	;;
esac

key=$(cat "$here/cross.sh" "$here/cross.mk" "$here/sources.sh" "$here/packages-cross.txt" | sha256sum | cut -d' ' -f1)
missing=$(sh "$here/packages.sh" -n "$here/packages-cross.txt")
built() { [ -z "$missing" ] && [ "$(cat "$prefix/$1" 2>/dev/null)" = "$key" ]; }
if built .stamp && { [ -z "$shared" ] || built .stamp-shared; }; then
	exit 0
fi
sh "$here/packages.sh" "$here/packages-cross.txt"

# The libraries, once the compiler is there: $1 is static or shared, what follows are the sources.
libraries() {
	kind=$1
	shift
	work=$prefix/work
	rm -rf "$work"
	trap 'rm -rf "$work"' EXIT INT TERM
	sh "$here/sources.sh" "$work" "$@"
	make -s -f "$here/cross.mk" -j"$(nproc)" work="$work" prefix="$prefix" gnu="$gnu" triple="$musl" cpu="$cpu" "$kind"
	cp "$work/sources.txt" "$prefix/sources-$kind.txt"
	# What names this folder, and what nothing reads.
	rm -rf "$work" "$prefix"/lib/*.la "$prefix/lib/cmake" "$prefix/lib/pkgconfig" "$prefix/share" "$prefix/bin/wolfssl-config"
}

if built .stamp; then
	prefix=$(CDPATH='' cd -- "$prefix" && pwd)
	libraries shared lua5.4 wolfssl libmodbus sqlite3 zlib
	echo "$key" >"$prefix/.stamp-shared"
	echo "cross: shared libraries for $arch are in $prefix/lib"
	exit 0
fi

rm -rf "$prefix"
mkdir -p "$prefix/bin" "$prefix/include" "$prefix/lib"
prefix=$(CDPATH='' cd -- "$prefix" && pwd)
# The compiler. What it is told comes before the words of the call: a -fno-pie after them would undo their -fPIC.
cat >"$prefix/bin/cc" <<S
#!/bin/sh
# Debian's $gnu-gcc with the C library and the libraries beside this file.
FORECOURT_SYSROOT=\${0%/*}/..
export FORECOURT_SYSROOT
exec $gnu-gcc -specs "\$FORECOURT_SYSROOT/lib/musl.specs" $cpu -fno-pie -no-pie "\$@"
S
chmod +x "$prefix/bin/cc"
for tool in ar ranlib nm strip objcopy readelf size; do
	ln -s "/usr/bin/$gnu-$tool" "$prefix/bin/$tool"
done
# What Debian's gcc knows of glibc, said anew for musl. %R is not ours to set in a gcc that was built elsewhere: the folder comes by the
# environment.
cat >"$prefix/lib/musl.specs" <<S
%rename cpp_options old_cpp_options

*cpp_options:
-nostdinc -isystem %:getenv(FORECOURT_SYSROOT /include) -isystem include%s %(old_cpp_options)

*cc1:
%(cc1_cpu) -nostdinc -isystem %:getenv(FORECOURT_SYSROOT /include) -isystem include%s

*link_libgcc:
-L%:getenv(FORECOURT_SYSROOT /lib) -L .%s

*libgcc:
libgcc.a%s %:if-exists(libgcc_eh.a%s)

*startfile:
%{shared:; static:%:getenv(FORECOURT_SYSROOT /lib/crt1.o); pie:%:getenv(FORECOURT_SYSROOT /lib/Scrt1.o); :%:getenv(FORECOURT_SYSROOT /lib/crt1.o)} %:getenv(FORECOURT_SYSROOT /lib/crti.o) %{static:crtbeginT.o%s; shared|pie:crtbeginS.o%s; :crtbegin.o%s}

*endfile:
%{shared|pie:crtendS.o%s; :crtend.o%s} %:getenv(FORECOURT_SYSROOT /lib/crtn.o)

*link:
-nostdlib %{shared:-shared} %{static:-static} %{pie:-pie} %{!static:%{!shared:-dynamic-linker /lib/$loader}} %{rdynamic:-export-dynamic}

*esp_link:


S
# The kernel's interface: musl brings none.
for part in linux asm asm-generic mtd; do
	ln -s "/usr/$gnu/include/$part" "$prefix/include/$part"
done

libraries static musl lua5.4 wolfssl libwebsockets libmodbus sqlite3 zlib cmocka
ln -sf libc.so "$prefix/lib/$loader"
echo "$key" >"$prefix/.stamp"
echo "cross: compiler and libraries for $arch are in $prefix"
[ -z "$shared" ] || exec sh "$here/cross.sh" "$arch" "$prefix" shared
