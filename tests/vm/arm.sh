#!/bin/sh
# make vm-test BOARD=qemu-armv8: Debian's arm64 kernel in QEMU, under emulation, with a root file system made from our own package. What is
# tested is arm.py's; here is what it takes. Needs root only for installing QEMU once.
# Ends with "N passed, N failed"; where the machine can't run it, says SKIPPED and why, and nothing is counted.
#
# usage: tests/vm/arm.sh BUILD [OPTION...]     (build/qemu-armv8; options are arm.py's)
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build/qemu-armv8}
[ $# -eq 0 ] || shift
cache=build/vm/arm64

skip() {
	echo "  SKIPPED vm-test: $*"
	echo "0 passed, 0 failed"
	exit 0
}

missing=$(sh boards/packages.sh -n boards/packages-vm-arm.txt) || exit 1
if [ -n "$missing" ]; then
	sh boards/packages.sh boards/packages-vm-arm.txt || skip "can't install: $missing"
fi
kernel=$(sh tests/vm/fetch.sh -a arm64 "$cache" linux-image-arm64 './boot/vmlinuz-*' './lib/modules/*/modules.*' './lib/modules/*/kernel/net/can/*' \
	'./lib/modules/*/kernel/drivers/*' './lib/modules/*/kernel/fs/*' './lib/modules/*/kernel/lib/*' './lib/modules/*/kernel/crypto/*' \
	'./lib/modules/*/kernel/net/*' './lib/modules/*/kernel/arch/*') || skip "no kernel (linux-image-arm64)"
busybox=$(sh tests/vm/fetch.sh -a arm64 "$cache" busybox-static './bin/busybox') || skip "no busybox-static:arm64"
exec /usr/bin/python3 -B tests/vm/arm.py --build "$build" --kernel "$kernel" --busybox "$busybox/bin/busybox" "$@"
