/* Peer: whose network an address is of. One who has an IPv6 address has all of its first 64 bits: to count his connections by the whole
 * address is not to count them. For this room only. */
#ifndef FC_LOOP_PEER_H
#define FC_LOOP_PEER_H

enum { PEER_TEXT = 64 };

/* The same text for addresses that one may have for himself: IPv4 as it is (also where an IPv6 socket tells it), of IPv6 the first 64
 * bits; what is no address as it is. */
void peer_network(const char *peer, char network[PEER_TEXT]);

#endif
