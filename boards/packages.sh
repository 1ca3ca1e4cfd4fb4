#!/bin/sh
# Installs what is missing of a list of Debian packages (one a line, # comments). "package?command" is met by the command too, wherever
# it comes from.
#
# usage: boards/packages.sh LIST        install what is missing
#        boards/packages.sh -n LIST     print what is missing; nothing when all is there
set -eu

dry=
[ "$1" != -n ] || { dry=1 && shift; }
list=${1:?usage: boards/packages.sh [-n] LIST}

have=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii  *//p')
missing=
for p in $(sed 's/#.*//' "$list" | tr -s ' \t\n' '\n' | sed '/^$/d'); do
	name=${p%%\?*}
	[ "$name" = "$p" ] || ! command -v "${p#*\?}" >/dev/null 2>&1 || continue
	echo "$have" | grep -qx "$name" || missing="$missing $name"
done
[ -n "$missing" ] || exit 0
if [ -n "$dry" ]; then
	echo "${missing# }"
	exit 0
fi

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "deps: installing:$missing"
$sudo apt-get update -q
# shellcheck disable=SC2086 # one word a package is meant
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -q -y --no-install-recommends $missing
