# shellcheck shell=dash
# A box behind a NAT that a platform must call: the tunnel of rootfs/README-reach.md between three network namespaces.
# Read by guest.sh, whose ok, check and once it uses.
#
#   box 192.168.1.2 ── lan 192.168.1.1 [nat] 198.51.100.2 wan ── platform 198.51.100.10
#   box 10.7.0.2 ═══════════════ WireGuard, begun by the box ═══════════════ 10.7.0.1 platform

nsip() { # NAMESPACE WORDS... : ip in it
	ns=$1
	shift
	/bin/ip -n "$ns" "$@"
}
within() { # NAMESPACE COMMAND...
	ns=$1
	shift
	/bin/ip netns exec "$ns" "$@"
}
# A router with so many public addresses as a carrier has: each is a new one that remembers no connection.
new_router() { # PUBLIC-ADDRESS
	/bin/ip netns del nat 2>/dev/null
	/bin/ip netns add nat
	/bin/ip link add lan netns nat type veth peer name eth0 netns box
	/bin/ip link add wan netns nat type veth peer name eth0 netns platform
	nsip nat addr add 192.168.1.1/24 dev lan
	nsip nat addr add "$1/24" dev wan
	nsip nat link set lan up
	nsip nat link set wan up
	within nat sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	within nat iptables -P FORWARD DROP
	within nat iptables -A FORWARD -i lan -j ACCEPT
	within nat iptables -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
	within nat iptables -t nat -A POSTROUTING -o wan -j MASQUERADE
	nsip platform addr add 198.51.100.10/24 dev eth0
	nsip platform link set eth0 up
	# Should anybody call the box directly, it is not for want of a route.
	nsip platform route replace 192.168.1.0/24 via "$1"
	box_address 192.168.1.2
}
box_address() { # ADDRESS
	nsip box addr flush dev eth0
	nsip box addr add "$1/24" dev eth0
	nsip box link set eth0 up
	nsip box route replace default via 192.168.1.1
}
# As /etc/config/network and /etc/config/firewall make it: see rootfs/README-reach.md.
box_tunnel() {
	/bin/ip netns exec box /bin/ip link add wg0 type wireguard
	within box wg set wg0 private-key /tmp/box.key peer "$(cat /tmp/platform.pub)" endpoint 198.51.100.10:51820 \
		allowed-ips 10.7.0.1/32 persistent-keepalive 2
	nsip box addr add 10.7.0.2/24 dev wg0
	nsip box link set wg0 up
}

# What the platform's log says: questions answered, questions that reached nobody, messages that came by themselves.
count() { # PATTERN
	n=$(grep -c "$1" /tmp/platform.jsonl 2>/dev/null)
	echo "${n:-0}"
}
answered() { count '"direction":"out".*"ret":0,'; }
unreached() { count '"ret":-999,'; }
pushed() { count '"direction":"in".*"notification_stationStatus"'; }
more_answered() { [ "$(answered)" -gt $((before + 2)) ]; }
more_unreached() { [ "$(unreached)" -gt $((missed + 1)) ]; }
has_pushed() { [ "$(pushed)" -ge 1 ]; }
none_answered() { [ "$(answered)" -eq "$before" ]; }
says() { grep -q "$1" /tmp/wireguard.log; }
reaches() { # NAMESPACE ADDRESS PORT
	within "$1" nc -w 5 "$2" "$3" </dev/null >/dev/null 2>&1
}
reaches_not() { ! reaches "$@"; }
comes_back() { # WHAT
	before=$(answered)
	check "$1" more_answered
}

# shellcheck disable=SC2034 # for check and once
about=reach broken=
mkdir -p /run
while read -r module; do
	insmod "/modules/$module" || bad "$about: module $module can't be loaded"
done </modules/tunnel
/bin/ip netns add box
/bin/ip netns add platform
nsip box link set lo up
nsip platform link set lo up
new_router 198.51.100.2
for end in box platform; do
	(umask 077 && wg genkey >/tmp/$end.key) && wg pubkey </tmp/$end.key >/tmp/$end.pub
done
nsip platform link add wg0 type wireguard
within platform wg set wg0 listen-port 51820 private-key /tmp/platform.key peer "$(cat /tmp/box.pub)" allowed-ips 10.7.0.2/32
nsip platform addr add 10.7.0.1/24 dev wg0
nsip platform link set wg0 up
# The zone of the tunnel: what platforms call, and nothing else.
within box iptables -A INPUT -i wg0 -p tcp --dport 8443 -j ACCEPT
within box iptables -A INPUT -i wg0 -m conntrack --ctstate ESTABLISHED -j ACCEPT
within box iptables -A INPUT -i wg0 -j DROP

# Not by within: the process is to be ended, not a shell around it.
/bin/ip netns exec box forecourtd -c /test/guest_wireguard.conf --stats-file /tmp/wireguard.stats >/tmp/wireguard.log 2>&1 &
gateway=$!
check "starts though the tunnel's address is not there yet, and says so" says 'listens on 10.7.0.2:8443, but this box has no such address'
/bin/ip netns exec platform sim-platform --address 198.51.100.10 --listen 9443 --certificate /test/certificates/server.pem \
	--key /test/certificates/server.key --ca /test/certificates/ca.pem --station-url https://10.7.0.2:8443/evcs/v20160701 \
	--operator-id 987654321 --station-operator-id 123456789 --interval 500 --log /tmp/platform.jsonl \
	--secrets-ours platform-operator-secret:platfrm-dat-key0:platfrm-dat-iv00:platfrm-sig-key0 \
	--secrets-theirs station-operator-secret:station-dat-key0:station-dat-iv00:station-sig-key0 >/tmp/platform.log 2>&1 &
platform=$!
check "pushes through the NAT without any tunnel" has_pushed
before=0 missed=0
check "is not reached by the platform without the tunnel" more_unreached
once "not once" none_answered
once "not at the address behind the NAT either, whose route is known" reaches_not platform 192.168.1.2 8444
box_tunnel
comes_back "is reached through the tunnel, without a restart"
once "says when the first call came there" says '10.7.0.2:8443 is there: the first call has come'
once "is reached through the tunnel by anybody there on this port" reaches platform 10.7.0.2 8443
once "answers on no other address of the box" reaches_not nat 192.168.1.2 8443
once "not on loopback either" reaches_not box 127.0.0.1 8443
once "has its page for those on site" reaches nat 192.168.1.2 8444
once "and not for the tunnel" reaches_not platform 10.7.0.2 8444
new_router 198.51.100.2
comes_back "comes back when the router was exchanged for one that remembers nothing"
new_router 198.51.100.3
comes_back "comes back behind another public address"
box_address 192.168.1.77
comes_back "comes back when the box has another address"
nsip box link del wg0
missed=$(unreached)
check "is not reached when the tunnel is gone" more_unreached
box_tunnel
comes_back "comes back with the tunnel"
kill $platform
wait $platform
kill $gateway
wait $gateway
once "ends well" [ $? -eq 0 ]
if [ -n "$broken" ]; then
	cat /tmp/wireguard.log /tmp/platform.log
	tail -n 5 /tmp/platform.jsonl
	within box wg
	within platform wg
	within nat iptables -t nat -L -v -n
fi
for ns in nat box platform; do /bin/ip netns del $ns; done
