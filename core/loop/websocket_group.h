/* The WebSockets of one server, for http_server.c only. */
#ifndef FC_LOOP_WEBSOCKET_GROUP_H
#define FC_LOOP_WEBSOCKET_GROUP_H

#include <libwebsockets.h>

#include "loop/http_server.h"
#include "loop/loop.h"
#include "loop/websocket.h"

struct websocket_group { /* zeroed: none, and none are accepted */
	struct loop *loop;
	const struct websocket_service *service;
	const char *name; /* the server's, for logs */
	struct websocket *sockets;
	int count;
	struct loop_timer timer; /* while there are any */
};

/* Nothing of the group may be called after websocket_group_fini; its sockets are gone by then. */
void websocket_group_init(struct websocket_group *group, struct loop *loop, const struct websocket_service *service,
			  const char *name);
void websocket_group_fini(struct websocket_group *group);
/* 0 and *socket; or the HTTP status that refuses. */
int websocket_accept(struct websocket_group *group, const struct http_request *request, struct lws *wsi,
		     struct websocket **socket);
/* What libwebsockets calls once it is one. Nonzero: the connection must end. */
int websocket_event(struct websocket *socket, enum lws_callback_reasons reason, const void *in, size_t len);
/* The connection is gone. NULL is no harm. */
void websocket_gone(struct websocket *socket);

#endif
