#!/bin/sh
# Fetches a Debian package through apt and unpacks what is asked of it, without installing and without root. Kept below the cache's folder
# by name and version: a second call downloads nothing, and where nothing can be downloaded the newest that was kept is used.
#
# usage: tests/vm/fetch.sh [-a ARCH] CACHE PACKAGE PATTERN...      prints the folder it is in
#        PACKAGE may be that of the running series: linux-image-amd64 is the image that it depends on
#        ARCH   of another architecture than this machine's: asked of the same sources through an apt state of its own in CACHE, so that
#               the machine's apt knows nothing of it. One CACHE an architecture.
set -eu
export LC_ALL=C

usage="usage: tests/vm/fetch.sh [-a ARCH] CACHE PACKAGE PATTERN..."
arch=
[ "${1:-}" != -a ] || { arch=${2:?$usage} && shift 2; }
cache=${1:?$usage}
package=${2:?}
shift 2

if [ -n "$arch" ]; then
	mkdir -p "$cache/apt/lists/partial" "$cache/apt/cache/archives/partial"
	state=$(cd "$cache/apt" && pwd)
	: >"$state/status"
	cat >"$state/apt.conf" <<-END
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		Dir::State "$state";
		Dir::State::lists "$state/lists";
		Dir::State::status "$state/status";
		Dir::Cache "$state/cache";
		APT::Sandbox::User "$(id -un)";
	END
	export APT_CONFIG="$state/apt.conf"
	# Once a day. A source that can't be read is no fault here: what is needed is in Debian's main, and what is missing is said below.
	if [ -z "$(find "$state/asked" -mtime -1 2>/dev/null)" ]; then
		if apt-get update -q >"$state/update.log" 2>&1; then touch "$state/asked"; else echo "apt-get update for $arch: see $state/update.log" >&2; fi
	fi
fi

# What was kept of the package, whatever its version (and, of the kernel, its ABI number).
case $package in
linux-image-*) series='linux-image-[0-9]*_*' ;;
*) series="${package}_*" ;;
esac
kept() {
	found=$(find "$cache" -maxdepth 1 -name "$series" 2>/dev/null | sort -V | tail -n 1)
	[ -n "$found" ] || {
		echo "$1" >&2
		exit 1
	}
	echo "$1: $(basename "$found") is used" >&2
	echo "$found"
	exit 0
}

case $package in
linux-image-*) package=$(apt-cache depends "$package" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1) ;;
esac
version=
[ -z "$package" ] || version=$(apt-cache policy "$package" 2>/dev/null | sed -n 's/^ *Candidate: //p')
case $version in
'' | '(none)') kept "apt does not know the package (apt-get update?)" ;;
esac
# Another selection of a package's files is another place.
place=$cache/${package}_$(echo "$version" | tr ':~/' '---')_$(echo "$*" | cksum | cut -d ' ' -f 1)
if [ ! -d "$place" ]; then
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/.work.XXXXXX")
	trap 'rm -rf "$work"' EXIT INT TERM
	(cd "$work" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$package=$version") >&2 ||
		kept "$package $version can't be downloaded"
	mkdir "$work/unpacked"
	dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work/unpacked" --wildcards "$@"
	mv "$work/unpacked" "$place"
fi
echo "$place"
