#!/bin/sh
# Fetches a Debian package through apt and unpacks what is asked of it, without installing and without root. Kept below the cache's folder
# by name and version: a second call downloads nothing, and without a network the newest that was kept is used.
#
# usage: tests/vm/fetch.sh CACHE PACKAGE PATTERN...      prints the folder it is in
set -eu
export LC_ALL=C

cache=${1:?usage: tests/vm/fetch.sh CACHE PACKAGE PATTERN...}
package=${2:?}
shift 2
version=$(apt-cache policy "$package" 2>/dev/null | sed -n 's/^ *Candidate: //p')
case $version in
'' | '(none)')
	kept=$(find "$cache" -maxdepth 1 -name "${package}_*" 2>/dev/null | sort | tail -n 1)
	[ -n "$kept" ] || {
		echo "apt knows no package $package (apt-get update?)" >&2
		exit 1
	}
	echo "$kept"
	exit 0
	;;
esac
place=$cache/${package}_$(echo "$version" | tr ':~/' '---')
if [ ! -d "$place" ]; then
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/.work.XXXXXX")
	trap 'rm -rf "$work"' EXIT INT TERM
	(cd "$work" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$package=$version") >&2
	mkdir "$work/unpacked"
	dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work/unpacked" --wildcards "$@"
	mv "$work/unpacked" "$place"
fi
echo "$place"
