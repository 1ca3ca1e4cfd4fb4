#!/bin/sh
# The version of this tree in a form that opkg and apk both take and put into the same order: digits and dots. A tag v1.2.3 is 1.2.3,
# four commits later it is 1.2.3.4; without a tag it is 0.0.0 and the number of commits, without git 0.0.0. --epoch prints the time that files
# of a package are dated with: that of the commit, so that the same source gives the same bytes.
# usage: rootfs/package/version.sh [--epoch]
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" = --epoch ]; then
	echo "${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}"
	exit 0
fi
said=$(git describe --tags --match 'v[0-9]*' --long 2>/dev/null || echo "v0.0.0-$(git rev-list --count HEAD 2>/dev/null || echo 0)-g0")
without_hash=${said%-g*}
count=${without_hash##*-}
base=${without_hash%-*}
base=${base#v}
case $base in
*[!0-9.]*)
	echo "version: the tag v$base is no version that packages can have: digits and dots" >&2
	exit 1
	;;
esac
[ "$count" = 0 ] && echo "$base" || echo "$base.$count"
