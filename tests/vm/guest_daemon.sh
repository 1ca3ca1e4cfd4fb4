# shellcheck shell=dash
# The gateway itself on an emulated controller: it listens while a charger and a car speak GB/T 27930 on the other end of the bus.
# Read by guest.sh, whose ok, check and once it uses.

connector() { forecourt connectors C1 --json --socket /tmp/control 2>/dev/null | tr '{' '\n'; }
# What the connector's point is now, when it is good.
point() { # NAME
	connector | sed -n "s/^\"name\":\"$1\",.*\"quality\":\"good\",.*\"value\":\"*\([^,\"}]*\).*/\1/p"
}
says() { forecourt status --socket /tmp/control 2>/dev/null | grep -q "$1"; }
logged() { [ "$(grep -c "$1" /tmp/gateway.log)" -ge "${2:-1}" ]; }
is() { [ "$(point "$1")" = "$2" ]; }
rises() { s=$(point soc) && [ "${s%.*}" -gt 40 ] 2>/dev/null; }
listens_only() { /bin/ip -d link show can0 | grep -q 'LISTEN-ONLY' && /bin/ip -d link show can0 | grep -q 'bitrate 250000'; }
silent() { [ "$(cat /sys/class/net/can0/statistics/tx_packets)" = "$sent_before" ]; }
# The end of the charge as can-utils saw it: the car's BST.
bst_seen() { grep -q '101956F4#' /tmp/frames; }

# shellcheck disable=SC2034 # for check and once
about=gateway broken=
/bin/ip link set can0 down 2>/dev/null
/bin/ip link set can1 down 2>/dev/null
/bin/ip link set can1 type can bitrate 250000 && /bin/ip link set can1 up
sent_before=$(cat /sys/class/net/can0/statistics/tx_packets)
forecourtd -c /test/guest.conf --stats-file /tmp/stats >/tmp/gateway.log 2>&1 &
gateway=$!
check "brings its controller up, to listen only" listens_only
check "says that the bus is active" says 'CAN can0: active'
candump -L can1 >/tmp/frames 2>/dev/null &
dump=$!
sim-bms --bus socket:can1 --auto --speed 2 --battery 0.2 --soc 40 --vin LTESTCAR000000042 >/tmp/bms.log 2>&1 &
pair=$!
check "follows a car to its charge" is phase charging
check "reads its state of charge" rises
once "knows it by its VIN, masked" is vin '***0042'
# In mid-charge: the interface goes, the gateway takes it back.
/bin/ip link set can0 down
check "tells that the interface went down" logged 'CAN can0: down'
check "brings it up again" logged 'CAN can0: active' 2
check "listens only again" listens_only
check "reads why the charge ended" is stop_reason 'wanted state of charge reached'
once "as the car said on the bus" bst_seen
once "has never sent a frame" silent
kill $pair $dump
wait $pair $dump 2>/dev/null
kill $gateway
wait $gateway
once "ends well" [ $? -eq 0 ]
if [ -n "$broken" ]; then
	cat /tmp/gateway.log /tmp/bms.log
	connector
	/bin/ip -d link show can0
	tail -n 20 /tmp/frames
fi
