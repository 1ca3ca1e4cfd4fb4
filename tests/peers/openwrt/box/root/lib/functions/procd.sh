#!/bin/sh
# Stand-in of ours for OpenWrt's procd.sh, from the description at its head: each call is a line of words, separated by 0x1f; ubus of
# ours makes the message to procd from them.
# shellcheck shell=dash
PROCD_CALLS=/tmp/procd.$$

procd_say() {
	printf '%s' "$1" >>"$PROCD_CALLS"
	shift
	for word in "$@"; do
		printf '\037%s' "$word" >>"$PROCD_CALLS"
	done
	echo >>"$PROCD_CALLS"
}
procd_open_service() {
	rm -f "$PROCD_CALLS"
	procd_say service "$@"
}
procd_close_service() {
	ubus call service "$1" "@$PROCD_CALLS"
	rm -f "$PROCD_CALLS"
}
procd_open_instance() { procd_say instance "${1:-instance1}"; }
procd_close_instance() { procd_say end; }
procd_set_param() { procd_say param "$@"; }
procd_append_param() { procd_say append "$@"; }
procd_add_jail() { procd_say jail "$@"; }
procd_add_jail_mount() { procd_say mount 0 "$@"; }
procd_add_jail_mount_rw() { procd_say mount 1 "$@"; }
procd_add_mdns() { procd_say mdns "$@"; }
procd_open_trigger() { :; }
procd_close_trigger() { :; }
procd_add_reload_trigger() { procd_say trigger config.change "$1" reload; }
# The mount points of fstab that the path is on.
procd_add_restart_mount_trigger() {
	for mount in $(uci -q show fstab | sed -n "s/.*\.target='\(.*\)'$/\1/p"); do
		case $1/ in
		"$mount"/*) procd_say trigger mount.add "$mount" restart ;;
		esac
	done
}
procd_kill() { ubus call service delete "{\"name\":\"$1\"}" || true; }
procd_send_signal() { ubus call service signal "{\"name\":\"$1\",\"signal\":$(kill -l "$3")}"; }
procd_running() { ubus call service list "{\"name\":\"$1\"}" | grep -q '"running": true'; }
