#!/bin/sh
# In place of OpenWrt's /lib/functions.sh: what a package's own scripts call, by the rules that base-files documents. Users from
# Require-User (opkg) or NAME.rusers (apk); the board's defaults run once and are taken away when they say that all is well; services enabled when
# new, started always.
# shellcheck shell=dash disable=SC2154

owrt_name() { # SCRIPT: the package's name; apk's scripts say it beforehand
	[ -n "$pkgname" ] || pkgname=$(basename "${1%.*}")
}

owrt_list() {
	if [ -e "$IPKG_INSTROOT/lib/apk/packages/$pkgname.list" ]; then
		cat "$IPKG_INSTROOT/lib/apk/packages/$pkgname.list"
	else
		cat "$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.list" 2>/dev/null
	fi
}

owrt_group() { # NAME=ID
	grep -qs "^${1%%=*}:" "$IPKG_INSTROOT/etc/group" || echo "${1%%=*}:x:${1#*=}:" >>"$IPKG_INSTROOT/etc/group"
}

owrt_member() { # GROUP USER
	awk -F: -v OFS=: -v group="$1" -v user="$2" '
		$1 == group && index("," $4 ",", "," user ",") == 0 { $4 = $4 == "" ? user : $4 "," user }
		{ print }' "$IPKG_INSTROOT/etc/group" >"$IPKG_INSTROOT/etc/group.new"
	mv "$IPKG_INSTROOT/etc/group.new" "$IPKG_INSTROOT/etc/group"
}

add_group_and_user() {
	local wanted tuple user group more one

	wanted=$(sed -n 's/^Require-User: *//p' "$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.control" 2>/dev/null)
	[ ! -e "$IPKG_INSTROOT/lib/apk/packages/$pkgname.rusers" ] || wanted=$(cat "$IPKG_INSTROOT/lib/apk/packages/$pkgname.rusers")
	for tuple in $wanted; do
		user=${tuple%%:*}
		group=${tuple#*:}
		more=${group#*:}
		[ "$more" != "$group" ] || more=
		group=${group%%:*}
		owrt_group "$group"
		grep -qs "^${user%%=*}:" "$IPKG_INSTROOT/etc/passwd" ||
			echo "${user%%=*}:x:${user#*=}:${group#*=}:${user%%=*}:/var/run/${user%%=*}:/bin/false" >>"$IPKG_INSTROOT/etc/passwd"
		for one in $(echo "$more" | tr , ' '); do
			owrt_group "$one"
			owrt_member "${one%%=*}" "${user%%=*}"
		done
	done
}

default_postinst() {
	local file result=0

	owrt_name "$1"
	[ ! -e "$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.list" ] || add_group_and_user
	if [ -z "$IPKG_INSTROOT" ]; then
		for file in $(owrt_list | grep '^/etc/uci-defaults/'); do
			# shellcheck disable=SC1090 # as OpenWrt reads it: into a shell of its own
			([ ! -f "$file" ] || { cd /etc/uci-defaults && . "$file"; }) && rm -f "$file"
		done
		! owrt_list | grep -q '^/etc/uci-defaults/' || uci commit
	fi
	if [ -f "$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.postinst-pkg" ]; then
		# shellcheck disable=SC1090
		(. "$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.postinst-pkg") || result=$?
	fi
	for file in $(owrt_list | grep '^/etc/init.d/'); do
		if [ -n "$IPKG_INSTROOT" ]; then
			sh "$IPKG_INSTROOT/etc/rc.common" "$IPKG_INSTROOT$file" enable
			continue
		fi
		[ "$PKG_UPGRADE" = 1 ] || "$file" enable
		"$file" start
	done
	return $result
}

default_prerm() {
	local file result=0

	owrt_name "$1"
	if [ -f "$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.prerm-pkg" ]; then
		# shellcheck disable=SC1090
		(. "$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.prerm-pkg") || result=$?
	fi
	for file in $(owrt_list | grep '^/etc/init.d/'); do
		if [ -n "$IPKG_INSTROOT" ]; then
			sh "$IPKG_INSTROOT/etc/rc.common" "$IPKG_INSTROOT$file" disable
			continue
		fi
		[ "$PKG_UPGRADE" = 1 ] || "$file" disable
		"$file" stop
	done
	return $result
}
