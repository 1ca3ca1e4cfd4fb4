/* The answer of a server's connection on its way out: head and body together as far as they fit into one write, so that a usual
 * answer is one TLS record and one packet. For this room only. */
#ifndef FC_LOOP_HTTP_REPLY_H
#define FC_LOOP_HTTP_REPLY_H

#include <stddef.h>

#include "loop/http_server.h"

struct lws;

struct http_reply { /* zeroed at first */
	struct http_response response;
	const char *always; /* header lines beside the response's, or NULL */
	size_t sent;        /* of the body */
};

/* Ready to be filled by a handler: status 200, JSON, no body. */
void http_reply_init(struct http_reply *reply);
void http_reply_fini(struct http_reply *reply);
/* Writes what can be written at once. When that was not all, libwebsockets calls as soon as there is room: then go on. 0, or
 * -1: the connection must end. */
int http_reply_begin(struct http_reply *reply, struct lws *wsi);
int http_reply_go_on(struct http_reply *reply, struct lws *wsi);
int http_reply_is_out(const struct http_reply *reply);

#endif
