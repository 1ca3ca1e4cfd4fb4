#!/bin/sh
# Read by sysupgrade (include /lib/upgrade) before it saves what stays. An upgrade keeps the journal on the overlay where keep_journal
# says so; on a disk of its own it stays anyway. A backup (sysupgrade -b) never holds it: put back weeks later, old orders would be sent again.
# shellcheck shell=dash disable=SC1091

# forecourt_journal LIST: adds the journal's files. It is closed first, so that they are whole; the service starts again with the new image.
# Ends sysupgrade when the orders would be lost: what can't be kept is for the operator to decide.
forecourt_journal() {
	[ -z "$CONF_BACKUP" ] && [ "${CONF_BACKUP_LIST:-0}" != 1 ] || return 0
	(
		. /usr/share/forecourt/box.sh
		data=$(box_data_dir)
		case $(box_get keep_journal 1) in
		1 | on | yes | true | enabled) ;;
		*) exit 0 ;;
		esac
		[ -d "$data" ] && [ "$(box_disk_kind "$data")" = overlay ] || exit 0
		# The archive is made in memory.
		need=$(du -sk "$data" | awk '{ print $1 }')
		free=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
		if [ "$need" -gt $((${free:-0} / 2)) ]; then
			box_log err "the journal ($need kB in $data) does not fit into memory ($free kB free): not upgraded. Without it: uci set forecourt.@gateway[0].keep_journal=0"
			exit 1
		fi
		/etc/init.d/forecourt stop
		box_wait_ended 25
		if box_running; then
			box_log err "the service does not end: its journal can't be kept whole, not upgraded"
			exit 1
		fi
		find "$data" -type f >>"$1"
	) || {
		echo "forecourt: the journal can't be kept: nothing was changed" >&2
		exit 1
	}
}

# Last: after those that make the list anew.
sysupgrade_init_conffiles="$sysupgrade_init_conffiles forecourt_journal"
