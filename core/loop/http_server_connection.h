/* What the files of the HTTPS servers share, for this room only: a server and its connections. http_server.c has the server and its listening
 * socket, http_server_places.c who gets one of its places, http_server_connection.c what goes over a connection. */
#ifndef FC_LOOP_HTTP_SERVER_CONNECTION_H
#define FC_LOOP_HTTP_SERVER_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "loop/http_head.h"
#include "loop/http_reply.h"
#include "loop/http_server.h"
#include "loop/loop.h"
#include "loop/peer.h"
#include "loop/websocket_group.h"

struct lws;
struct lws_protocols;
struct lws_vhost;

enum {
	REQUEST_SECONDS = 10, /* a request must be whole after so long */
};

/* One TCP connection, from accept to close; over it come several requests, one after the other. */
struct connection {
	struct connection *next;
	struct http_server *server;
	struct lws *wsi;
	int64_t connected_us;
	int64_t rest_us; /* when it began, or its last answer was out */
	int is_proven;   /* a request that came over it was */
	char peer[PEER_TEXT], network[PEER_TEXT];
	char peer_name[128];
	/* the request under way */
	struct http_head head;
	struct buffer body;
	int64_t deadline_us; /* for the request to be whole */
	int whole;           /* the request is complete: its answer is on the way */
	int too_large; /* its body is read and thrown away, then 413: an answer before its end is lost in the reset */
	struct http_reply answer;
	char headers[640];          /* of an answer that came later */
	struct http_ticket *ticket; /* it comes later; NULL = no */
	int answer_due;             /* it has come */
	struct websocket *socket;   /* what it has become; NULL = no */
};

struct http_server {
	struct loop *loop;
	struct lws_vhost *vhost;
	int awaits;               /* its address was not there when it began, and nobody has called since */
	struct loop_fd *listener; /* ours: libwebsockets closes its own up to a second late */
	int port;
	void *tls;   /* its WOLFSSL_CTX, borrowed */
	int leaving; /* freed: the memory goes with the vhost */
	struct loop_remnant remnant;
	http_handler handler;
	void *user;
	struct http_server_config config; /* strings are ours */
	struct connection *connections;
	int count; /* without those that became WebSockets */
	struct websocket_group sockets;
	/* One for all requests: libwebsockets goes through all timers that there are for each that it sets. */
	struct loop_timer deadline;
	int deadline_is_set;
	char arriving[PEER_TEXT]; /* peer of the connection that libwebsockets is about to make */
};

/* http_server_places.c ------------------------------------------------------------------------------------------ */

/* May the caller of that socket have a place? Before libwebsockets knows the connection: refused here it costs nothing, not even a handshake.
 * 0: yes, server->arriving is who it is, and another connection may have given way. */
int http_server_admit(struct http_server *server, int fd);

/* http_server_connection.c -------------------------------------------------------------------------------------- */

/* The callbacks of all connections. */
const struct lws_protocols *http_server_protocols(void);
/* server->deadline: who has not sent a whole request in time is hung up on. */
void http_server_deadline(void *server);
/* Takes it out of its server and frees it; who still owes it an answer is told by http_answer. */
void http_server_drop(struct http_server *server, struct connection *c);

#endif
