/* HTTPS server: one listening port, one handler, bounded in every direction.
 *
 * TLS 1.2 and 1.3 only. Bodies over max_body are answered 413, more than max_connections (or per peer address) are
 * closed at accept, a request that does not complete in 10 s is closed. Keep-alive. Handlers answer at once, or take a
 * ticket and answer later. */
#ifndef FC_LOOP_HTTP_SERVER_H
#define FC_LOOP_HTTP_SERVER_H

#include "base/buffer.h"
#include "base/error.h"
#include "loop/loop.h"

enum http_client_cert { HTTP_CLIENT_CERT_NONE, HTTP_CLIENT_CERT_OPTIONAL, HTTP_CLIENT_CERT_REQUIRED };

struct websocket_service;
struct http_request;

struct http_server_config {
	const char *name;    /* for logs */
	const char *address; /* interface address to bind, NULL or "" = all */
	int may_await; /* nonzero: the address may come later (a tunnel's); until then nobody is heard, which is logged */
	int port;      /* 1..65535; 0 = any free one (tests), see http_server_port */
	const char *certificate, *key; /* PEM files; both NULL = plain HTTP (only for tests and behind a proxy) */
	const char *client_ca;         /* PEM file that client certificates must chain to */
	enum http_client_cert client_cert;
	size_t max_body;                           /* bytes, default 262144 when 0 */
	int max_connections;                       /* default 64 when 0 */
	int max_connections_peer;                  /* default 16 when 0 */
	const struct websocket_service *websocket; /* loop/websocket.h; NULL = no connection becomes one. Borrowed */
	const char *headers; /* header lines that every answer has, also refusals made here; static text, or NULL */
	/* How long the body of this request may be, asked before any of it is taken: at most max_body. NULL: max_body. */
	size_t (*body_limit)(void *user, const struct http_request *head);
};

struct http_request {
	const char *method;        /* "GET", "POST" ... */
	const char *path;          /* without query, percent-decoded, never contains ".." segments */
	const char *query;         /* after '?', raw; "" when none */
	const char *authorization; /* header values, "" when absent */
	const char *content_type;
	const char *cookie;
	const char *host, *origin, *fetch_site; /* who asks whom, as the browser says: Host, Origin, Sec-Fetch-Site */
	const char *csrf;                       /* X-Forecourt-Csrf */
	const char *if_none_match;
	const char *accept_encoding; /* "" also when it is longer than anybody's */
	const char *peer;            /* address text */
	const char *peer_name;       /* common name of the verified client certificate, "" when none */
	const char *body;            /* followed by a zero byte */
	size_t body_len;
	void *connection;     /* for http_defer; NULL: can't be deferred */
	int64_t connected_us; /* when the connection was made over which it came, monotonic */
};

struct http_response {
	int status;               /* preset 200 */
	const char *content_type; /* preset "application/json;charset=utf-8"; static text */
	const char *headers;      /* extra header lines "name: value\r\n", or NULL; copied by the server */
	int close; /* nonzero: the connection ends behind this answer, and what comes next comes over a new one */
	int proven; /* nonzero: who asks has proven who it is; where there are too many connections, its own gives way last */
	struct buffer body;
};

typedef void (*http_handler)(void *user, const struct http_request *request, struct http_response *response);

/* An answer that is owed. */
struct http_ticket;
/* In a handler: what it leaves in its response is ignored, the answer comes by http_answer. NULL: no memory, or it can't be: answer
 * at once. */
struct http_ticket *http_defer(const struct http_request *request);
/* Answers, if the caller is still there, and frees the ticket; the response's body is taken over. On the loop's thread. Returns
 * nonzero when nobody was there any more. */
int http_answer(struct http_ticket *ticket, struct http_response *response);

struct http_server;
/* All strings of config are copied. NULL and *err on failure (port in use, certificate unreadable ...). */
struct http_server *http_server_new(struct loop *loop, const struct http_server_config *config, http_handler handler,
				    void *user, struct error *err);
void http_server_free(struct http_server *server);
int http_server_port(const struct http_server *server);

#endif
