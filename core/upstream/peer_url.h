/* Where a platform is reached. */
#ifndef FC_UPSTREAM_PEER_URL_H
#define FC_UPSTREAM_PEER_URL_H

/* Takes "http(s)://host[:port][/prefix]" apart; an IPv6 address stands in brackets. FC_OK or FC_EINVAL. */
struct peer_url {
	int tls;
	int port;
	char host[256];
	char prefix[256]; /* begins with a slash or is empty, does not end with one */
};
int peer_url_parse(const char *text, struct peer_url *url);

#endif
