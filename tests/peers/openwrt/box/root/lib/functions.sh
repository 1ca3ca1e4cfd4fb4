#!/bin/sh
# Stand-in of ours for OpenWrt's /lib/functions.sh: what the scripts under test need of it.
# shellcheck shell=dash disable=SC1091

# As at boot and after a package's installation: every script is read in a shell of its own and removed when it ended with 0.
uci_apply_defaults() {
	cd /etc/uci-defaults || return 0
	for file in *; do
		[ -f "$file" ] || continue
		# shellcheck disable=SC1090
		(. "./$file") && rm -f "$file"
	done
	uci commit
}

include() {
	for file in "$1"/*.sh; do
		# shellcheck disable=SC1090
		[ ! -f "$file" ] || . "$file"
	done
}

run_hooks() {
	argument=$1
	shift
	for hook in "$@"; do
		"$hook" "$argument"
	done
}
