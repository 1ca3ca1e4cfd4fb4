#!/bin/sh
# Read by sysupgrade (include /lib/upgrade) before it saves what stays. An upgrade keeps the journal on the overlay where keep_journal
# says so; on a disk of its own it stays anyway. A backup (sysupgrade -b) never holds it: put back weeks later, old orders would be sent again.
# shellcheck shell=dash disable=SC1091

# The journal's files, a line each; the folder is the service's, who could have put any name there. Not the file as it was before its last
# migration: it is half of the memory that the archive takes.
forecourt_files() {
	find "$1" -type f | awk -v folder="$1/" 'index($0, folder) == 1 && !/[^A-Za-z0-9._\/-]/ && !/\.older/' |
		while IFS= read -r file; do
			# Half of a name with a newline is none.
			[ ! -f "$file" ] || [ -L "$file" ] || echo "$file"
		done
}

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
		box_may_own "$data" && [ -d "$data" ] && [ "$(box_disk_kind "$data")" = overlay ] || exit 0
		# The archive is made in memory.
		need=$(forecourt_files "$data" | xargs du -k | awk '{ sum += $1 } END { print sum + 0 }')
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
		forecourt_files "$data" >>"$1"
	) || {
		echo "forecourt: the journal can't be kept: nothing was changed" >&2
		exit 1
	}
}

# Last: after those that make the list anew.
sysupgrade_init_conffiles="$sysupgrade_init_conffiles forecourt_journal"
