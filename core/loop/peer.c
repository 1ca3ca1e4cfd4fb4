#include "loop/peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void peer_network(const char *peer, char network[PEER_TEXT])
{
	struct in6_addr v6;
	char plain[INET6_ADDRSTRLEN];

	(void)snprintf(network, PEER_TEXT, "%s", peer);
	/* Without the interface behind a link-local one. */
	(void)snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(peer, "%"), peer);
	if (inet_pton(AF_INET6, plain, &v6) != 1)
		return;
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		(void)inet_ntop(AF_INET, &v6.s6_addr[12], network, PEER_TEXT);
		return;
	}
	memset(&v6.s6_addr[8], 0, 8);
	(void)inet_ntop(AF_INET6, &v6, network, PEER_TEXT);
}
