#!/bin/sh
# make vm-test: Debian's kernel in QEMU, with virtual CAN interfaces and two emulated CAN controllers on one bus, runs the tests that
# need CAN in the kernel. Needs neither root (but for installing QEMU once) nor KVM nor a CAN interface here.
# Ends with "N passed, N failed"; where the machine can't run it, says SKIPPED and why, and nothing is counted.
#
# usage: tests/vm/run.sh BUILD           (build/host)
#        VM_ONLY=NAME   test_NAME or guest_NAME.sh alone
#        VM_SHELL=1     a shell in the machine instead of the tests
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build/host}
work=build/vm
cache=$work/cache
root=$work/root
log=$work/console.log
# Emulated without KVM on a machine that has other work too: it boots in 10 s, and 30 times that is no sign of a fault.
limit=${VM_TIMEOUT:-900}

skip() {
	echo "  SKIPPED vm-test: $*"
	echo "0 passed, 0 failed"
	exit 0
}

# --- what it takes
missing=$(sh boards/packages.sh -n boards/packages-vm.txt) || exit 1
if [ -n "$missing" ]; then
	sh boards/packages.sh boards/packages-vm.txt || skip "can't install: $missing"
fi
kernel=$(sh tests/vm/fetch.sh "$cache" linux-image-amd64 './boot/vmlinuz-*' './lib/modules/*/kernel/net/can/*' \
	'./lib/modules/*/kernel/drivers/net/can/*') || skip "no kernel (linux-image-amd64)"
busybox=$(sh tests/vm/fetch.sh "$cache" busybox-static './bin/busybox') || skip "no busybox-static"
canutils=$(sh tests/vm/fetch.sh "$cache" can-utils './usr/bin/*') || skip "no can-utils"

# --- the machine's files
# Each program with the shared libraries that it is linked with.
put() { # PROGRAM...
	for program; do
		cp -L "$program" "$root/bin/" || exit 1
		strip "$root/bin/$(basename "$program")" 2>/dev/null
		ldd "$program" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
			[ -e "$root$library" ] && continue
			mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library"
		done
	done
}

rm -rf "$root"
mkdir -p "$root/bin" "$root/modules" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/test" "$root/etc"
put "$busybox/bin/busybox" "$(command -v ip)"
put "$canutils/usr/bin/candump" "$canutils/usr/bin/cansend" "$canutils/usr/bin/cangen" "$canutils/usr/bin/canplayer"
put "$build"/vm/test_*
put "$build/forecourtd" "$build/forecourt" "$build/sim-bms"
for module in net/can/can drivers/net/can/dev/can-dev net/can/can-raw drivers/net/can/vcan drivers/net/can/sja1000/sja1000 \
	drivers/net/can/sja1000/kvaser_pci drivers/net/can/slcan/slcan; do
	cp "$kernel"/lib/modules/*/kernel/$module.ko "$root/modules/" || exit 1
done
cp tests/vm/init.sh "$root/init" && cp tests/vm/guest* "$root/test/" && chmod +x "$root/init" || exit 1
cp -r lua "$root/test/lua" || exit 1
# As it is: unpacking would cost an emulated processor more than copying.
(cd "$root" && find . | cpio -o -H newc --quiet) >"$work/initramfs" || exit 1

# --- run
begun=$(date +%s)
qemu() {
	timeout --foreground "$limit" qemu-system-x86_64 -M q35 -accel tcg -m 256 -nographic -no-reboot -nic none \
		-kernel "$kernel"/boot/vmlinuz-* -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1 ${VM_SHELL:+forecourt=shell} ${VM_ONLY:+forecourt_only=$VM_ONLY}" \
		-object can-bus,id=bus0 -device kvaser_pci,canbus=bus0 -device kvaser_pci,canbus=bus0
}
if [ -n "${VM_SHELL:-}" ]; then
	qemu
	exit
fi
qemu </dev/null 2>&1 | tr -d '\r' >"$log"
took=$(($(date +%s) - begun))

grep -E '^  (ok|FAILED|SKIPPED) |^  figure ' "$log"
passed=$(sed -n 's/^guest: \([0-9]*\) passed, [0-9]* failed$/\1/p' "$log")
failed=$(sed -n 's/^guest: [0-9]* passed, \([0-9]*\) failed$/\1/p' "$log")
if [ -z "$passed" ]; then
	echo "  the machine did not come to its end (after $took s, the limit is $limit s)"
	passed=0 failed=1
fi
if [ "$failed" -ne 0 ] || [ "$passed" -eq 0 ]; then
	echo "--- the machine's console ($log)"
	cat "$log"
	echo "---"
fi
echo "  $(basename "$kernel"), $took s"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
