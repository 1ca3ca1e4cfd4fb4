#include "loop/http_server_connection.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include <libwebsockets.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	FAIR_SHARE = 16, /* of all connections a network that has proven who it is keeps this part, whoever comes */
	REST_US =
	    2000000, /* a connection without a request gives way to another after so long, when there are too many */
};

static int connections_of(const struct http_server *server, const char *network)
{
	int n = 0;

	for (const struct connection *c = server->connections; c; c = c->next)
		n += !c->socket && !strcmp(c->network, network);
	return n;
}

/* Since when nothing of a connection is any use to us: it rests, or its request is not whole yet. -1: it is being answered. */
static int64_t idle_since(const struct connection *c)
{
	if (c->whole || c->ticket)
		return -1;
	return c->head.method ? c->deadline_us - (int64_t)REQUEST_SECONDS * LWS_USEC_PER_SEC : c->rest_us;
}

/* The better one to give way: one that has proven nothing; of whoever has more; one at rest, which costs its owner nothing; the older. */
static int is_better(const struct connection *c, int n, const struct connection *found, int most)
{
	if (!found || c->is_proven != found->is_proven)
		return !found || found->is_proven;
	if (n != most)
		return n > most;
	if (!c->head.method != !found->head.method)
		return !c->head.method;
	return idle_since(c) < idle_since(found);
}

/* A few addresses could hold all places, by connections at rest or by requests that never get whole. So one gives way to a newcomer of network that has
 * been idle for a while: its own, or one of those who have more than it. Who has but one is not pushed out by those who come again and
 * again, and who has proven who it is not by those who have not, as long as these hold a place. Nonzero when there is a place now. */
static int make_room(struct http_server *server, const char *network)
{
	int64_t now = clock_mono_us();
	struct connection *found = NULL;
	int most = 0, own = connections_of(server, network);

	for (struct connection *c = server->connections; c; c = c->next) {
		int64_t since = idle_since(c);

		if (c->socket || since < 0 || now - since < REST_US)
			continue;
		int n = connections_of(server, c->network);
		int has_more = n > own && (!c->is_proven || n > server->config.max_connections / FAIR_SHARE);
		if ((has_more || !strcmp(c->network, network)) && is_better(c, n, found, most)) {
			found = c;
			most = n;
		}
	}
	if (!found)
		return 0;
	log_debug("loop: %s: connection of %s gives way to another", server->config.name, found->peer);
	lws_set_timeout(found->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
	return 1;
}

int http_server_admit(struct http_server *server, int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char network[PEER_TEXT];

	server->arriving[0] = '\0';
	if (getpeername(fd, (struct sockaddr *)&address, &len) ||
	    getnameinfo((struct sockaddr *)&address, len, server->arriving, PEER_TEXT, NULL, 0, NI_NUMERICHOST))
		return -1;
	peer_network(server->arriving, network);
	if (connections_of(server, network) >= server->config.max_connections_peer ||
	    (server->count >= server->config.max_connections && !make_room(server, network))) {
		log_debug("loop: %s: connection of %s refused: too many", server->config.name, server->arriving);
		return -1;
	}
	return 0;
}
