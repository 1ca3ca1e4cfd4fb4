/* WebSocket (RFC 6455): a connection of an http_server that goes on as a conversation of texts. On the loop's thread.
 *
 * Who may is decided once, on the request that asks for it: with the cookie or the authorization of any other request. A browser sends
 * the cookie along whoever's page asks, so a foreign Origin is refused before anybody is asked.
 *
 * A message for many is built once and shared. What waits for one receiver is bounded: websocket_send refuses, and the sender sends
 * something newer later; one that takes nothing for WEBSOCKET_SLOW_S is closed. A link that is dead is found by pings: nothing heard for
 * WEBSOCKET_SILENT_S, and it is closed. What comes in is bounded in size and in number.
 *
 * No compression: its window is some 40 kB for each receiver, and the same message would be compressed for each. */
#ifndef FC_LOOP_WEBSOCKET_H
#define FC_LOOP_WEBSOCKET_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

struct http_request;
struct websocket;

enum {
	WEBSOCKET_QUEUE = 4,     /* messages that wait for one receiver */
	WEBSOCKET_PING_S = 20,   /* asked for a sign of life so often */
	WEBSOCKET_SILENT_S = 60, /* nothing heard for so long: dead */
	WEBSOCKET_SLOW_S = 30,   /* something waits and nothing is taken for so long: closed */
	/* Messages that may come in: so many at once, then so many a second. More: closed. */
	WEBSOCKET_BURST = 20,
	WEBSOCKET_RATE = 5,
};

/* Why a connection is ended, RFC 6455 section 7.4; from 4000 on our own. The browser's onclose gets them. */
enum websocket_close {
	WEBSOCKET_GOING_AWAY = 1001,
	WEBSOCKET_NOT_TEXT = 1003,
	WEBSOCKET_POLICY = 1008, /* too many messages */
	WEBSOCKET_TOO_BIG = 1009,
	WEBSOCKET_LOGGED_OUT = 4401, /* the session ended, or may do something else now */
};

/* What a server does with them; borrowed as long as the server lives. */
struct websocket_service {
	const char *path;   /* "/api/live" */
	int max;            /* connections; more are answered 503. They don't count as the server's HTTP connections */
	size_t max_message; /* bytes of a text that comes in */
	void *user;
	/* 0 and *guest, which is handed to the functions below; or the HTTP status that refuses. The socket is good until closed. */
	int (*accept)(void *user, const struct http_request *request, struct websocket *socket, void **guest);
	/* A whole text; a zero byte follows. It may hold any bytes. */
	void (*message)(void *guest, const char *text, size_t len);
	/* Everything that was sent is on its way: there is room again. */
	void (*drained)(void *guest);
	/* Once for each that was accepted, also one whose handshake came to nothing. The socket is gone. */
	void (*closed)(void *guest);
};

/* A text for one or many. text is taken over, also on failure: NULL when it failed or there is no memory. The caller holds it until
 * websocket_message_free. */
struct websocket_message;
struct websocket_message *websocket_message_new(struct buffer *text);
void websocket_message_free(struct websocket_message *message);
size_t websocket_message_len(const struct websocket_message *message);

/* Queues it. FC_OK; FC_EBUSY: the queue is full, or the connection is about to end. */
int websocket_send(struct websocket *socket, struct websocket_message *message);
/* How many wait, the one under way too. */
int websocket_waiting(const struct websocket *socket);
/* Says why and ends it, soon; never within the call, so that a list can be walked. What still waits is dropped. */
void websocket_end(struct websocket *socket, enum websocket_close why);

#endif
