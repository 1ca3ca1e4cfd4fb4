#include "loop/http_server_connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libwebsockets.h>

#include "base/clock.h"
#include "base/log.h"
#include "loop/tls.h"

enum {
	/* What libwebsockets writes at once; without this 4 kB, and it keeps a copy of the rest of each write. */
	WRITE_MAX = 16384,
	/* Of a WebSocket's message, at a time: a buffer for each of them. */
	READ_MAX = 1024,
};

struct http_ticket {
	struct connection *connection; /* NULL once the caller has gone */
};

static void forget_request(struct connection *c)
{
	if (c->ticket)
		c->ticket->connection = NULL;
	c->ticket = NULL;
	c->answer_due = 0;
	buffer_clear(&c->body);
	buffer_fini(&c->body);
	http_reply_fini(&c->answer);
	c->head.method = NULL;
	c->whole = 0;
	c->too_large = 0;
}

void http_server_drop(struct http_server *server, struct connection *c)
{
	for (struct connection **at = &server->connections; *at; at = &(*at)->next) {
		if (*at != c)
			continue;
		*at = c->next;
		server->count -= !c->socket;
		break;
	}
	forget_request(c);
	websocket_gone(c->socket);
	free(c);
}

static int arrive(struct http_server *server, struct lws *wsi)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		return -1;
	(void)snprintf(c->peer, sizeof(c->peer), "%s", server->arriving);
	peer_network(c->peer, c->network);
	c->server = server;
	c->wsi = wsi;
	c->connected_us = c->rest_us = clock_mono_us();
	c->next = server->connections;
	server->connections = c;
	server->count++;
	lws_set_opaque_user_data(wsi, c);
	return 0;
}

static int refuse(struct connection *c, struct lws *wsi, int status)
{
	http_reply_fini(&c->answer);
	http_reply_init(&c->answer);
	c->answer.response.status = status;
	c->answer.always = c->server->config.headers;
	(void)buffer_printf(&c->answer.response.body, "{\"code\":\"%s\",\"error\":\"the request is refused: %d\"}",
			    error_name(status == HTTP_STATUS_REQ_ENTITY_TOO_LARGE ? FC_ELIMIT : FC_EINVAL), status);
	(void)http_reply_begin(&c->answer, wsi);
	/* What was not read of the request is in the way of the next one: the connection ends. */
	return -1;
}

static int set_deadline(struct http_server *server, int64_t delay_us)
{
	int result = loop_timer_set(server->loop, &server->deadline, delay_us);

	server->deadline_is_set = !result;
	return result;
}

/* It runs from deadline to deadline, and is not moved by each request. */
void http_server_deadline(void *user)
{
	struct http_server *server = user;
	int64_t now_us = clock_mono_us(), next_us = INT64_MAX;
	struct connection *next;

	server->deadline_is_set = 0;
	for (struct connection *c = server->connections; c; c = next) {
		next = c->next;
		if (!c->head.method || c->whole)
			continue;
		if (c->deadline_us <= now_us)
			lws_set_timeout(c->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
		else if (c->deadline_us < next_us)
			next_us = c->deadline_us;
	}
	if (next_us < INT64_MAX)
		(void)set_deadline(server, next_us - now_us);
}

static struct http_request request_of(struct connection *c)
{
	return (struct http_request){
	    .method = c->head.method,
	    .path = c->head.path,
	    .query = c->head.query,
	    .authorization = c->head.authorization,
	    .content_type = c->head.content_type,
	    .cookie = c->head.cookie,
	    .host = c->head.host,
	    .origin = c->head.origin,
	    .fetch_site = c->head.fetch_site,
	    .csrf = c->head.csrf,
	    .if_none_match = c->head.if_none_match,
	    .accept_encoding = c->head.accept_encoding,
	    .peer = c->peer,
	    .peer_name = c->peer_name,
	    .body = c->body.data ? c->body.data : "",
	    .body_len = c->body.len,
	    .connection = c,
	    .connected_us = c->connected_us,
	};
}

/* What a stranger may send is less than what is taken of those who are known. */
static size_t body_limit(struct http_server *server, struct connection *c)
{
	const struct http_request head = request_of(c);
	size_t most = server->config.max_body;
	size_t n = server->config.body_limit ? server->config.body_limit(server->user, &head) : most;

	return n < most ? n : most;
}

static int begin_request(struct http_server *server, struct connection *c, struct lws *wsi, const char *path)
{
	forget_request(c);
	buffer_init(&c->body, server->config.max_body);
	int status = http_head_read(&c->head, wsi, path);
	if (status)
		return refuse(c, wsi, status);
	if (server->config.client_cert != HTTP_CLIENT_CERT_NONE)
		tls_peer_name(lws_get_ssl(wsi), c->peer_name, sizeof(c->peer_name));
	c->body.limit = body_limit(server, c);
	c->too_large = c->head.length > c->body.limit;
	loop_trim_tls(server->loop, 0);
	c->deadline_us = clock_mono_us() + (int64_t)REQUEST_SECONDS * LWS_USEC_PER_SEC;
	if (!server->deadline_is_set && set_deadline(server, (int64_t)REQUEST_SECONDS * LWS_USEC_PER_SEC))
		return -1;
	return 0;
}

/* When its answer is out. At once and not with the next call that there is room: what a quick client asks meanwhile would be
 * taken for more of this body. */
static int end_request(struct connection *c, struct lws *wsi)
{
	if (!http_reply_is_out(&c->answer))
		return 0;
	int close = c->answer.response.close;
	forget_request(c);
	c->rest_us = clock_mono_us();
	return lws_http_transaction_completed(wsi) || close ? -1 : 0;
}

static int begin_answer(struct connection *c, struct lws *wsi)
{
	c->answer_due = 0;
	return http_reply_begin(&c->answer, wsi) ? -1 : end_request(c, wsi);
}

static int answer(struct http_server *server, struct connection *c, struct lws *wsi)
{
	struct http_request request = request_of(c);

	/* More came before this answer is out, and libwebsockets takes it for more of this body, again and again. */
	if (c->whole)
		return -1;
	c->whole = 1;
	http_reply_init(&c->answer);
	c->answer.always = server->config.headers;
	if (c->too_large) {
		c->answer.response.status = HTTP_STATUS_REQ_ENTITY_TOO_LARGE;
		(void)buffer_text(&c->answer.response.body, "{\"code\":\"limit\",\"error\":\"the body is too long\"}");
	} else {
		server->handler(server->user, &request, &c->answer.response);
		c->is_proven = c->is_proven || c->answer.response.proven;
	}
	if (!c->ticket)
		return begin_answer(c, wsi);
	/* It takes its time; libwebsockets would hang up on one who asked by GET. */
	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
	return 0;
}

struct http_ticket *http_defer(const struct http_request *request)
{
	struct connection *c = request->connection;
	struct http_ticket *ticket = c && !c->ticket ? calloc(1, sizeof(*ticket)) : NULL;

	if (ticket) {
		ticket->connection = c;
		c->ticket = ticket;
	}
	return ticket;
}

int http_answer(struct http_ticket *ticket, struct http_response *response)
{
	struct connection *c = ticket->connection;

	free(ticket);
	if (!c) {
		buffer_fini(&response->body);
		return -1;
	}
	http_reply_fini(&c->answer);
	c->answer.response = *response;
	if (response->headers) {
		(void)snprintf(c->headers, sizeof(c->headers), "%s", response->headers);
		c->answer.response.headers = c->headers;
	}
	c->ticket = NULL;
	c->answer_due = 1;
	lws_callback_on_writable(c->wsi);
	return 0;
}

static int write_more(struct connection *c, struct lws *wsi)
{
	if (c->answer_due)
		return begin_answer(c, wsi);
	if (!c->whole || c->ticket)
		return 0;
	return http_reply_go_on(&c->answer, wsi) ? -1 : end_request(c, wsi);
}

/* The request asks to go on as something else. 0: as a WebSocket; libwebsockets sees to the handshake. */
static int upgrade(struct http_server *server, struct connection *c, struct lws *wsi)
{
	char path[HTTP_HEAD_PATH];

	/* libwebsockets gives the path to LWS_CALLBACK_HTTP alone. */
	if (lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) <= 0)
		return refuse(c, wsi, HTTP_STATUS_BAD_REQUEST);
	if (begin_request(server, c, wsi, path))
		return -1;
	struct http_request request = request_of(c);
	request.connection = NULL; /* this one is answered at once */
	int status =
	    c->socket ? HTTP_STATUS_BAD_REQUEST : websocket_accept(&server->sockets, &request, wsi, &c->socket);
	forget_request(c);
	if (status)
		return refuse(c, wsi, status);
	server->count--;
	return 0;
}

static int set_up_tls(struct http_server *server, void *ctx)
{
	server->tls = ctx;
	if (tls_set_versions(ctx))
		return -1;
	if (server->config.client_cert != HTTP_CLIENT_CERT_NONE &&
	    tls_ask_peer(ctx, server->config.client_ca, server->config.client_cert == HTTP_CLIENT_CERT_REQUIRED)) {
		log_error("loop: %s: %s: no usable CA certificate in it", server->config.name,
			  server->config.client_ca ? server->config.client_ca : "(no client CA)");
		return -1;
	}
	return 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	/* By the vhost: some callbacks come before the connection has a protocol. */
	struct lws_vhost *vhost = wsi ? lws_get_vhost(wsi) : NULL;
	struct http_server *server = vhost ? lws_get_vhost_user(vhost) : NULL;
	struct connection *c = wsi ? lws_get_opaque_user_data(wsi) : NULL;

	/* libwebsockets overrules the library's verdict by what is returned here: 0 would accept any client certificate, of a
	 * foreign CA or expired. len is that verdict. */
	if (reason == LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION)
		return len ? 0 : 1;
	if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS)
		return server ? set_up_tls(server, user) : -1;
	/* At the request libwebsockets moves a connection to the first vhost of its port number, which for those that
	 * listen nowhere by themselves is any of them: a connection stays its server's. */
	if (c)
		server = c->server;
	if (!server)
		return 0;
	switch (reason) {
	case LWS_CALLBACK_PROTOCOL_DESTROY:
		if (server->leaving)
			loop_remnant_gone(server->loop, &server->remnant);
		return 0;
	case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED: /* right after the accept, before the handshake */
		return arrive(server, wsi);
	case LWS_CALLBACK_WSI_DESTROY:
		lws_set_opaque_user_data(wsi, NULL);
		if (c)
			http_server_drop(server, c);
		loop_trim_tls(server->loop, 1);
		return 0;
	default:
		break;
	}
	if (!c)
		return reason == LWS_CALLBACK_HTTP || reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE ? -1 : 0;
	if (c->socket)
		return websocket_event(c->socket, reason, in, len);
	switch (reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		/* An upgrade that libwebsockets does not know is refused, its head given back, and asked for all the same:
		 * `in` is nobody's memory then. */
		if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) <= 0)
			return -1;
		return strcasecmp(in, "websocket") != 0 ? 0 : upgrade(server, c, wsi);
	case LWS_CALLBACK_HTTP:
		if (begin_request(server, c, wsi, in))
			return -1;
		/* lws sends the body, if any, in callbacks of its own. */
		if (c->head.has_body)
			return 0;
		return c->too_large ? refuse(c, wsi, HTTP_STATUS_REQ_ENTITY_TOO_LARGE) : answer(server, c, wsi);
	case LWS_CALLBACK_HTTP_BODY:
		c->too_large = c->too_large || buffer_add(&c->body, in, len);
		return 0;
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return answer(server, c, wsi);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return write_more(c, wsi);
	default:
		return 0;
	}
}

const struct lws_protocols *http_server_protocols(void)
{
	static const struct lws_protocols protocols[] = {
	    {.name = "http", .callback = callback, .rx_buffer_size = READ_MAX, .tx_packet_size = WRITE_MAX}, {0}};

	return protocols;
}
