#!/bin/busybox sh
# shellcheck shell=dash
# The ARM machine's first process, in the place of procd's: what a box has before its services start, the agent for the tests, then the
# services as /etc/rc.d has them.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
mkdir -p /tmp/run /tmp/sysinfo /tmp/log
echo qemu,armsr-armv8 >/tmp/sysinfo/board_name
hostname forecourt
syslogd -O /tmp/system.log
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
for n in 0 1; do ip link add dev vcan$n type vcan && ip link set vcan$n up; done
# The other end of the wire, for the simulated charger and car: the test's. Its own end the gateway brings up.
canup can1 250000
# QEMU's virtio-serial ports by their names. A port opens only once, so one descriptor for both ways.
for name in /sys/class/virtio-ports/*/name; do
	port=/dev/$(basename "$(dirname "$name")")
	case $(cat "$name") in
	agent) setsid sh /sbin/agent <>"$port" >&0 2>/dev/console & ;;
	can) setsid canpipe vcan0 <>"$port" >&0 2>/dev/console & ;;
	esac
done
echo "guest: ready after $(cut -d ' ' -f 1 /proc/uptime) s"
# Once: what opkg does behind unpacking. It makes the user, enables the service and starts it.
if [ -e /etc/.new ]; then
	PKG_UPGRADE=0 sh /usr/lib/opkg/info/forecourt.postinst configure >/tmp/log/install 2>&1 || echo "guest: the package's script failed"
	rm /etc/.new
fi
for script in /etc/rc.d/S*; do
	[ ! -x "$script" ] || "$(readlink -f "$script")" start >>/tmp/log/boot 2>&1
done
echo "guest: services started after $(cut -d ' ' -f 1 /proc/uptime) s"
while :; do sleep 3600; done
