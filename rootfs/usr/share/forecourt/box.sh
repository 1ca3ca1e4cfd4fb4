#!/bin/sh
# The box under the service: its board, its disks, the places that the service may write. Read by the init script, by uci-defaults, by
# the hotplug script and by sysupgrade's hook (". box.sh"); it changes nothing by being read. For busybox ash as OpenWrt builds it: no
# stat, mountpoint, realpath.
#
# Whatever is done here is done by root, and the places are the service's, which must not gain by it if it was taken over. So:
# - nothing is made, chown'd or chmod'ed but in a folder that only root can change (box_dir checks the whole path);
# - links are never followed at the end of a path, and on the way only those that root made where only root can make one;
# - nothing inside of a folder of the service's is touched at all;
# - what somebody else has filled is never given away: the service may write the configuration, which names the places.
# shellcheck shell=dash disable=SC2034

BOX_USER=forecourt
BOX_CONFIG=/etc/config/forecourt
# What the daemon keeps beside its configuration: it may not make files in /etc/config. Hidden, so that uci does not list it.
BOX_BESIDE=/etc/config/.forecourt
BOX_KEYS=/etc/forecourt
BOX_RUN=/var/run/forecourt
# What was started: what a reload can't change in a running process.
BOX_SHAPE=/var/run/forecourt.shape
BOX_BOARDS=/usr/share/forecourt/boards
# Which board's defaults were merged into the configuration, once.
BOX_MARK=/etc/config/.forecourt-board
BOX_DATA=/srv/forecourt

# box_log LEVEL TEXT: to the system's log, and to whoever called from a terminal.
box_log() {
	logger -t forecourt -p "daemon.$1" "$2"
	[ ! -t 2 ] || echo "forecourt: $2" >&2
}

# The board's name as OpenWrt knows it, such as raspberrypi,4-compute-module.
box_board() {
	cat /tmp/sysinfo/board_name 2>/dev/null || echo unknown
}

# Name of the file with this board's defaults; status 1: there is none.
box_board_file() {
	local board file names pattern

	board=$(box_board)
	for file in "$BOX_BOARDS"/*; do
		[ -f "$file" ] || continue
		names=$(sed -n 's/^# board://p' "$file" | head -n 1)
		set -f
		for pattern in $names; do
			# shellcheck disable=SC2254 # a pattern is meant
			case $board in
			$pattern)
				set +f
				echo "${file##*/}"
				return 0
				;;
			esac
		done
		set +f
	done
	return 1
}

# box_get OPTION [DEFAULT]: of the gateway's section. What uci can't read is as good as absent: the daemon says what is wrong.
box_get() {
	local value

	value=$(uci -q get "forecourt.@gateway[0].$1") || value=
	echo "${value:-$2}"
}

box_data_dir() {
	box_get data_dir "$BOX_DATA"
}

# box_sections PACKAGE TYPE: the names of all sections of that type, a line each.
box_sections() {
	uci -q show "$1" | sed -n "s/^$1\.\([^.=]*\)=$2\$/\1/p"
}

# box_buses KIND: the devices of all buses of that kind, a line each.
box_buses() {
	uci -q show forecourt | awk -F= -v want="$1" '
		{ value = $2; gsub(/\047/, "", value); n = split($1, at, ".") }
		n == 2 { type[at[2]] = value }
		n == 3 && at[3] == "kind" { kind[at[2]] = value }
		n == 3 && at[3] == "device" { device[at[2]] = value }
		END { for (s in type) if (type[s] == "bus" && kind[s] == want) print device[s] }' | sort -u
}

# The serial ports that the configuration names, a line each.
box_ports() {
	box_buses rtu | grep -x '/dev/[A-Za-z0-9._/-]*' | grep -v '\.\.'
}

# Whether the configuration has a CAN interface, or the box (type 280, ARPHRD_CAN) for somebody to choose on the page: to set its bit rate
# and bring it up takes a capability that nothing else needs, and that a running process can't be given.
box_has_can() {
	box_buses can | grep -q '' || grep -qsx 280 /sys/class/net/*/type
}

box_mounted() {
	awk -v at="$1" '$2 == at { found = 1 } END { exit !found }' /proc/mounts
}

# The mount point that a path is on, and its device: "AT DEVICE TYPE".
box_mount_of() {
	awk -v path="$1/" '
		{ at = $2 == "/" ? "/" : $2 "/" }
		index(path, at) == 1 && length(at) >= best { best = length(at); line = $2 " " $1 " " $3 }
		END { print line }' /proc/mounts
}

# Where on OpenWrt flash is the overlay: "overlay", else "sd", "disk", or "ram" (lost with the power).
box_disk_kind() {
	local at device type

	# shellcheck disable=SC2046 # three words are meant
	set -- $(box_mount_of "$1")
	at=$1 device=$2 type=$3
	case $type in
	tmpfs | ramfs) echo ram ;;
	*) case $at:$device in
		/:* | /overlay:*) echo overlay ;;
		*:/dev/mmcblk*) echo sd ;;
		*:/dev/*) echo disk ;;
		*) echo overlay ;;
		esac ;;
	esac
}

# Where this board's data belongs: the first of the mount points it prefers ("# data:") that is one, else the overlay.
box_data_choice() {
	local file at

	if file=$(box_board_file); then
		for at in $(sed -n 's/^# data://p' "$BOX_BOARDS/$file" | head -n 1); do
			if box_mounted "$at"; then
				echo "$at/forecourt"
				return
			fi
		done
	fi
	echo "$BOX_DATA"
}

# The mount point that the data waits for: fstab says that a disk belongs there, and it is not there (yet). Nothing: start. To start all
# the same would begin a second journal below the mount point: charges would run whose orders are in the other one.
box_missing_disk() {
	local mount at

	for mount in $(box_sections fstab mount); do
		[ "$(uci -q get "fstab.$mount.enabled")" = 1 ] || continue
		at=$(uci -q get "fstab.$mount.target")
		at=${at%/}
		[ -n "$at" ] || continue
		case $1/ in
		"$at"/*) box_mounted "$at" || echo "$at" ;;
		esac
	done | head -n 1
}

# Of a path itself, not of what it leads to: sets kind (d, -, l, c ..., nothing when it is not there), mode (rwxr-xr-x), owner (number), and
# how many names it has.
box_look() {
	local line

	kind='' mode='' owner='' names=''
	line=$(ls -ldn "$1" 2>/dev/null) || return 0
	# shellcheck disable=SC2086 # words are meant
	set -- $line
	owner=$3
	names=$2
	mode=${1#?}
	kind=${1%"$mode"}
	mode=${mode%[+.@]}
}

# box_root_only PATH [MORE]: an existing folder that nobody but root can change, and no way there can be turned: what is above it is root's, too,
# or like /tmp, where root's can't be moved; links are root's. With MORE, what is to follow, PATH itself may be like /tmp. Else it is said.
box_root_only() {
	local left done_ part kind mode owner names

	left=${1#/} done_=''
	while [ -n "$left" ]; do
		part=${left%%/*}
		case $left in
		*/*) left=${left#*/} ;;
		*) left= ;;
		esac
		[ -n "$part" ] || continue
		box_look "$done_/$part"
		if [ "$kind" = l ] && [ "$owner" = 0 ]; then
			left=$(readlink -f "$done_/$part")/$left
			done_=
			continue
		fi
		done_="$done_/$part"
		case $kind:$owner:$mode:$left$2 in
		d:0:????-??-*) ;;
		d:0:????????t:?*) ;;
		*)
			box_log err "$done_: not a folder that only root can change: nothing is made there"
			return 1
			;;
		esac
	done
}

# Whether a folder may be the service's: not one that the system lives in.
box_may_own() {
	case $1 in
	*[!A-Za-z0-9._/-]* | *//* | */ | */.. | */../* | */. | */./*) return 1 ;;
	/etc/forecourt | /etc/config/.forecourt) return 0 ;;
	/etc/* | /usr/* | /lib/* | /bin/* | /sbin/* | /dev/* | /proc/* | /sys/* | /rom/* | /www/* | /boot/* | /root/* | /overlay/*) return 1 ;;
	/?*/?*) return 0 ;;
	esac
	return 1
}

# box_is_free FOLDER OWNER: the service's already, or root's and empty, as a disk's first folder is.
box_is_free() {
	local file

	[ "$2" != "$(id -u "$BOX_USER" 2>/dev/null)" ] || return 0
	[ "$2" = 0 ] || return 1
	for file in "$1"/* "$1"/.[!.]* "$1"/..?*; do
		[ "${file##*/}" = lost+found ] || { [ ! -e "$file" ] && [ ! -L "$file" ]; } || return 1
	done
}

# box_dir PATH MODE: a folder of the service's. Its parents are made as root's. Status 1: refused, and said; nothing was changed.
box_dir() {
	local above part left kind mode owner names

	if ! box_may_own "$1"; then
		box_log err "$1: not a place for the service"
		return 1
	fi
	above=
	left=${1%/*}
	left=${left#/}
	while [ -n "$left" ]; do
		part=${left%%/*}
		case $left in
		*/*) left=${left#*/} ;;
		*) left= ;;
		esac
		above="$above/$part"
		box_look "$above"
		[ -n "$kind" ] || mkdir -m 0755 "$above" || return 1
		box_root_only "$above" "$left" || return 1
	done
	box_look "$1"
	case $kind in
	'') mkdir -m 0700 "$1" || return 1 ;;
	d)
		if ! box_is_free "$1" "$owner"; then
			box_log err "$1: holds what is not the service's: not given to it (if it is: chown -R $BOX_USER: $1)"
			return 1
		fi
		;;
	*)
		box_log err "$1: is in the way of a folder: not touched"
		return 1
		;;
	esac
	# Nobody but root can have put anything else into its place since.
	if ! chown -h "$BOX_USER:$BOX_USER" "$1" || ! chmod "$2" "$1"; then
		box_log err "$1: can't be given to the service (a file system without owners?)"
		return 1
	fi
}

# box_hand_over FOLDER: one of root's, with what is root's inside. A folder that is somebody else's is not entered: what is in there could be turned
# meanwhile; nor is a file given that has another name elsewhere.
box_hand_over() {
	local path kind mode owner names

	for path in "$1"/* "$1"/.[!.]* "$1"/..?*; do
		box_look "$path"
		case $kind:$owner:$mode:$names in
		d:0:????-??-*) box_hand_over "$path" ;;
		-:0:*:1 | l:0:*) chown -h "$BOX_USER:$BOX_USER" "$path" ;;
		esac
	done
	# Last: until then nobody else puts anything into it.
	chown -h "$BOX_USER:$BOX_USER" "$1"
}

# The keys and the Lua files as they were installed belong to root; the service edits them. Given away while the folder is root's: at the first
# start, and where a package manager made it root's once more; else root does not touch what is inside.
box_keys() {
	local kind mode owner names

	box_look "$BOX_KEYS"
	if [ "$kind:$owner" = d:0 ] && box_root_only "$BOX_KEYS"; then
		box_hand_over "$BOX_KEYS"
	fi
	box_dir "$BOX_KEYS" 0750
}

# The configuration stays root's, in root's folder; the service reads it and may write its content. uci commit makes it anew, as root's
# alone: hence at every start and reload.
box_config() {
	local kind mode owner names

	box_look "$BOX_CONFIG"
	case $kind in
	-) chown -h "root:$BOX_USER" "$BOX_CONFIG" && chmod 0660 "$BOX_CONFIG" ;;
	'') box_log err "$BOX_CONFIG: is not there" ;;
	*) box_log err "$BOX_CONFIG: is not a file: not touched" ;;
	esac
}

# box_port DEVICE: a serial port for the service, if it is there.
box_port() {
	local port kind mode owner names

	port=$(readlink -f "$1") || return 0
	case $port in
	/dev/tty*) ;;
	*) return 0 ;;
	esac
	box_look "$port"
	[ "$kind" = c ] || return 0
	if awk -v port="${port#/dev/}" '$1 == port { found = 1 } END { exit !found }' /proc/consoles 2>/dev/null; then
		box_log err "$port: is this box's console: not given to the service"
		return 0
	fi
	chown -h "root:$BOX_USER" "$port" && chmod 0660 "$port"
}

# Every serial port the service may open: those that the configuration names, and all that are plugged into USB, so that one can be chosen
# on the page. Others on the board are left alone: the console is among them.
box_give_ports() {
	local port

	for port in $(box_ports) /dev/ttyUSB* /dev/ttyACM*; do
		[ ! -e "$port" ] || box_port "$port"
	done
}

# All places before a start. Whatever fails was said; the service starts all the same, and says itself what it misses.
box_prepare() {
	local data

	data=$(box_data_dir)
	box_dir "$BOX_RUN" 0755
	box_dir "$BOX_BESIDE" 0700
	box_keys
	box_config
	box_dir "$data" 0750
	[ "$(box_disk_kind "$data")" != ram ] || box_log warning "$data: is in memory: the orders are lost with the power"
	box_give_ports
}

box_running() {
	ubus call service list '{"name":"forecourt"}' 2>/dev/null | grep -q '"running": *true'
}

# Until the service has ended, SECONDS at most.
box_wait_ended() {
	local left=$1

	while box_running && [ "$left" -gt 0 ]; do
		sleep 1
		left=$((left - 1))
	done
}
