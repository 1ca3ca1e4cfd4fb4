/* The answer of a server's connection on its way out: head and body together as far as they fit into one write, so that a usual
 * answer is one TLS record and one packet. For this room only. */
#ifndef FC_LOOP_HTTP_ANSWER_H
#define FC_LOOP_HTTP_ANSWER_H

#include <stddef.h>

#include "loop/http_server.h"

struct lws;

struct http_answer { /* zeroed at first */
	struct http_response response;
	size_t sent; /* of the body */
};

/* Ready to be filled by a handler: status 200, JSON, no body. */
void http_answer_init(struct http_answer *answer);
void http_answer_fini(struct http_answer *answer);
/* Writes what can be written at once. When that was not all, libwebsockets calls as soon as there is room: then go on. 0, or
 * -1: the connection must end. */
int http_answer_begin(struct http_answer *answer, struct lws *wsi);
int http_answer_go_on(struct http_answer *answer, struct lws *wsi);
int http_answer_is_out(const struct http_answer *answer);

#endif
