#!/bin/sh
# Static checks: format, layers, the threat model, clang-tidy, cppcheck, luacheck, shellcheck, tsc. No warnings.
set -u
cd "$(dirname "$0")/.." || exit 1
failed=
step() { # NAME COMMAND...
	name=$1
	shift
	printf '  %-12s ' "$name"
	if out=$("$@" 2>&1); then
		echo ok
	else
		echo FAILED
		printf '%s\n' "$out" | tail -n 60
		failed="$failed $name"
	fi
}

make --no-print-directory build/host/include/kconfig.h >/dev/null || exit 1
flags="-std=gnu11 -D_GNU_SOURCE -Icore -Ibuild/host/include -include build/host/include/kconfig.h -isystem build/deps/include \
 $(pkg-config --cflags lua5.4 sqlite3 libmodbus wolfssl | sed 's/-I/-isystem /g') -DFORECOURT_VERSION='\"check\"'"

format() { find core tests \( -name '*.c' -o -name '*.h' \) -print0 | xargs -0 clang-format --dry-run -Werror; }
# shellcheck disable=SC2086 # flags are words
tidy() { find core -name '*.c' -print0 | xargs -0 -n 4 -P "$(nproc)" sh -c 'clang-tidy --quiet "$@" -- '"$flags" tidy 2>/dev/null; }
cpp() {
	cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr --std=c11 -j "$(nproc)" \
		--suppress=missingIncludeSystem -Icore --include=build/host/include/kconfig.h -D_GNU_SOURCE core
}
lua() { luacheck --quiet lua; }
# OpenWrt's scripts carry no ending.
shells() {
	git ls-files '*.sh' .ci/run rootfs/etc/init.d rootfs/etc/uci-defaults rootfs/etc/hotplug.d tests/peers/openwrt/box/root |
		xargs grep -lE '^#!/bin/(busybox )?sh' | xargs shellcheck
}
types() {
	# Runs in the build folder: npm's files stay out of the tree.
	sh rootfs/www/build.sh build/host/www && sh rootfs/www/build.sh --check
}
# The top level is closed (DESIGN.md).
top() {
	for name in *; do
		case $name in
		core | lua | boards | rootfs | tests | Kconfig | Makefile | README.md | LICENSE | build) ;;
		*) echo "$name does not belong on the top level" && return 1 ;;
		esac
	done
}

step top-level top
step layers /usr/bin/python3 -B tests/layers.py
step texts /usr/bin/python3 -B tests/texts.py
step rows /usr/bin/python3 -B tests/rows.py
step threats /usr/bin/python3 -B tests/threats.py
step clang-format format
step cppcheck cpp
step luacheck lua
step shellcheck shells
step tsc types
step clang-tidy tidy
[ -z "$failed" ] || {
	echo "check: failed:$failed"
	exit 1
}
echo "check: no warnings"
