#!/bin/sh
# Installs what Forecourt builds with, from Debian 12 alone:
#   1. binary packages (boards/packages.txt, one a line, # comments),
#   2. libwebsockets from Debian's source package, built against wolfSSL, into the prefix given.
# Cached by a hash of the scripts and the list: a second call does nothing and takes well under a second.
#
# usage: boards/deps.sh PREFIX
set -eu

prefix=${1:?usage: boards/deps.sh PREFIX}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
stamp=$prefix/.stamp
key=$(cat "$here/deps.sh" "$here/sources.sh" "$here/packages.txt" | sha256sum | cut -d' ' -f1)

# A stamp alone could hide a missing install step (a new machine with an old tree): ask dpkg as well.
missing=$(sh "$here/packages.sh" -n "$here/packages.txt")
if [ -z "$missing" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then
	exit 0
fi
sh "$here/packages.sh" "$here/packages.txt"

mkdir -p "$prefix"
work=$(mktemp -d "$prefix/work.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
sh "$here/sources.sh" "$work" libwebsockets

wolfssl=$(dpkg-query -L libwolfssl-dev | grep '/libwolfssl\.so$' | head -n1)
cmake -S "$work/libwebsockets" -B "$work/out" -Wno-dev \
	-DCMAKE_BUILD_TYPE=MinSizeRel "-DCMAKE_INSTALL_PREFIX=$prefix" -DCMAKE_INSTALL_LIBDIR=lib \
	-DLWS_WITH_WOLFSSL=ON "-DLWS_WOLFSSL_LIBRARIES=$wolfssl" \
	"-DLWS_WOLFSSL_INCLUDE_DIRS=/usr/include;/usr/include/wolfssl" \
	-DLWS_WITH_SHARED=OFF -DLWS_WITH_STATIC=ON -DLWS_WITHOUT_TESTAPPS=ON -DDISABLE_WERROR=ON \
	-DLWS_WITH_HTTP2=OFF -DLWS_IPV6=ON -DLWS_WITH_ZIP_FOPS=OFF -DLWS_HAVE_LIBCAP=0 \
	>"$work/cmake.log" 2>&1 || { cat "$work/cmake.log" >&2; exit 1; }
make -s -C "$work/out" -j"$(nproc)" >"$work/make.log" 2>&1 || { tail -n 50 "$work/make.log" >&2; exit 1; }
make -s -C "$work/out" install >/dev/null
cp "$work/sources.txt" "$prefix/sources.txt"
echo "$key" >"$stamp"
echo "deps: libwebsockets with wolfSSL is in $prefix"
