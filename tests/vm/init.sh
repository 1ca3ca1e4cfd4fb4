#!/bin/busybox sh
# shellcheck shell=dash
# The machine's first process: devices, modules, interfaces; then the tests, then off.
/bin/busybox --install -s /bin 2>/dev/null
export PATH=/bin HOME=/tmp FORECOURT_LUA=/test/lua
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
# Each needs those before it.
for module in can can-dev can-raw vcan sja1000 kvaser_pci slcan; do
	insmod /modules/$module.ko || echo "guest: module $module can't be loaded"
done
ip link set lo up
for n in 0 1; do ip link add dev vcan$n type vcan && ip link set vcan$n up; done
if grep -q forecourt=shell /proc/cmdline; then
	setsid cttyhack sh
else
	sh /test/guest.sh
fi
poweroff -f
