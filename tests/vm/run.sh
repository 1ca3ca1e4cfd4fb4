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
kernel=$(sh tests/vm/fetch.sh "$cache" linux-image-amd64 './boot/vmlinuz-*' './lib/modules/*/kernel/net/*' \
	'./lib/modules/*/kernel/drivers/net/can/*' './lib/modules/*/kernel/drivers/net/wireguard/*' './lib/modules/*/kernel/drivers/net/veth*' \
	'./lib/modules/*/kernel/lib/*' './lib/modules/*/kernel/crypto/*' './lib/modules/*/kernel/arch/x86/crypto/*') ||
	skip "no kernel (linux-image-amd64)"
busybox=$(sh tests/vm/fetch.sh "$cache" busybox-static './bin/busybox') || skip "no busybox-static"
canutils=$(sh tests/vm/fetch.sh "$cache" can-utils './usr/bin/*') || skip "no can-utils"
wireguard=$(sh tests/vm/fetch.sh "$cache" wireguard-tools './usr/bin/wg') || skip "no wireguard-tools"
iptables=$(sh tests/vm/fetch.sh "$cache" iptables './usr/sbin/xtables-legacy-multi' './usr/lib/*') || skip "no iptables"
ip4tc=$(sh tests/vm/fetch.sh "$cache" libip4tc2 './usr/lib/*') || skip "no libip4tc2"
ip6tc=$(sh tests/vm/fetch.sh "$cache" libip6tc2 './usr/lib/*') || skip "no libip6tc2"
xtables=$(sh tests/vm/fetch.sh "$cache" libxtables12 './usr/lib/*') || skip "no libxtables12"

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
# A module behind what it needs, once each: their order is what insmod wants.
module_with_needs() { # NAME LIST
	file=$(find "$kernel"/lib/modules -name "$1.ko" -o -name "$(echo "$1" | tr _ -).ko" | head -n 1)
	[ -n "$file" ] || return 0 # built in
	for need in $(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | tr , ' '); do
		module_with_needs "$need" "$2" || return 1
	done
	# The recursion has changed file: no local variables in sh.
	file=$(find "$kernel"/lib/modules -name "$1.ko" -o -name "$(echo "$1" | tr _ -).ko" | head -n 1)
	name=$(basename "$file")
	grep -qx "$name" "$2" && return 0
	cp "$file" "$root/modules/" && echo "$name" >>"$2"
}
: >"$root/modules/tunnel"
# crc32c_generic: libcrc32c asks for it by its algorithm, which no list of needs says.
for module in veth wireguard crc32c_generic iptable_nat iptable_filter xt_MASQUERADE xt_conntrack xt_tcpudp; do
	module_with_needs $module "$root/modules/tunnel" || exit 1
done
put "$wireguard/usr/bin/wg" "$iptables/usr/sbin/xtables-legacy-multi" "$build/sim-platform"
ln -s xtables-legacy-multi "$root/bin/iptables"
for library in "$ip4tc" "$ip6tc" "$xtables" "$iptables"; do cp -r "$library/usr/lib" "$root/usr/" || exit 1; done
tests/vm/certificates.sh "$root/test/certificates" || exit 1
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
