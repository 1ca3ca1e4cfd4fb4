#include "loop/http_server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/clock.h"
#include "base/log.h"
#include "loop/http_head.h"
#include "loop/http_reply.h"
#include "loop/listener.h"
#include "loop/peer.h"
#include "loop/tls.h"
#include "loop/websocket_group.h"

enum {
	BODY_DEFAULT = 262144,
	CONNECTIONS_DEFAULT = 64,
	PEER_DEFAULT = 16,
	REQUEST_SECONDS = 10, /* a request must be whole after so long */
	IDLE_SECONDS = 60,    /* a kept-alive connection may rest so long */
	/* What libwebsockets writes at once; without this 4 kB, and it keeps a copy of the rest of each write. */
	WRITE_MAX = 16384,
	/* Of a WebSocket's message, at a time: a buffer for each of them. */
	READ_MAX = 1024,
	FAIR_SHARE = 16, /* of all connections a network that has proven who it is keeps this part, whoever comes */
	REST_US =
	    2000000, /* a connection without a request gives way to another after so long, when there are too many */
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
	int timer_set;
	int whole;     /* the request is complete: its answer is on the way */
	int too_large; /* its body is read and thrown away, then 413: an answer before its end is lost in the reset */
	struct http_reply answer;
	char headers[640];          /* of an answer that came later */
	struct http_ticket *ticket; /* it comes later; NULL = no */
	int answer_due;             /* it has come */
	struct websocket *socket;   /* what it has become; NULL = no */
};

struct http_ticket {
	struct connection *connection; /* NULL once the caller has gone */
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
	char arriving[PEER_TEXT]; /* peer of the connection that lws is about to make */
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

static void drop_connection(struct http_server *server, struct connection *c)
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

/* Before lws knows the connection: refused here it costs nothing, not even a handshake. */
static int admit(struct http_server *server, int fd)
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

/* One timer runs from deadline to deadline: it is never cancelled, since libwebsockets 4.1 calls a cancelled one at once. */
static void set_timer(struct connection *c, struct lws *wsi, int64_t delay_us)
{
	lws_set_timer_usecs(wsi, delay_us);
	c->timer_set = 1;
}

static int on_timer(struct connection *c, struct lws *wsi)
{
	int64_t left_us = c->deadline_us - clock_mono_us();

	c->timer_set = 0;
	if (!c->head.method || c->whole)
		return 0;
	if (left_us <= 0)
		return -1;
	set_timer(c, wsi, left_us);
	return 0;
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
	if (!c->timer_set)
		set_timer(c, wsi, (int64_t)REQUEST_SECONDS * LWS_USEC_PER_SEC);
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

static void free_config(struct http_server_config *config)
{
	free((char *)(size_t)config->name);
	free((char *)(size_t)config->address);
	free((char *)(size_t)config->certificate);
	free((char *)(size_t)config->key);
	free((char *)(size_t)config->client_ca);
}

static void free_server(void *user)
{
	struct http_server *server = user;

	free_config(&server->config);
	free(server);
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
			drop_connection(server, c);
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
	case LWS_CALLBACK_TIMER:
		return on_timer(c, wsi);
	default:
		return 0;
	}
}

static const struct lws_protocols protocols[] = {
    {.name = "http", .callback = callback, .rx_buffer_size = READ_MAX, .tx_packet_size = WRITE_MAX}, {0}};

static char *copy(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

static void copy_config(struct http_server_config *to, const struct http_server_config *from)
{
	*to = *from;
	to->name = strdup(from->name ? from->name : "server");
	to->address = copy(from->address);
	to->certificate = copy(from->certificate);
	to->key = copy(from->key);
	to->client_ca = copy(from->client_ca);
	if (!to->max_body)
		to->max_body = BODY_DEFAULT;
	if (!to->max_connections)
		to->max_connections = CONNECTIONS_DEFAULT;
	if (!to->max_connections_peer)
		to->max_connections_peer = PEER_DEFAULT;
}

static int check_files(const struct http_server_config *c, struct error *err)
{
	const char *const files[] = {c->certificate, c->key, c->client_ca};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i] && access(files[i], R_OK))
			return error_set(err, FC_EIO, "loop: %s: %s: can't be read", c->name, files[i]);
	if (!c->certificate != !c->key)
		return error_set(err, FC_EINVAL, "loop: %s: a certificate needs its key", c->name);
	return FC_OK;
}

static void fill_info(struct http_server *server, struct lws_context_creation_info *info)
{
	const struct http_server_config *c = &server->config;

	info->port = CONTEXT_PORT_NO_LISTEN_SERVER;
	info->protocols = protocols;
	info->vhost_name = c->name;
	info->user = server;
	info->keepalive_timeout = IDLE_SECONDS;
	info->timeout_secs = REQUEST_SECONDS;
	if (!c->certificate)
		return;
	info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	info->ssl_cert_filepath = c->certificate;
	info->ssl_private_key_filepath = c->key;
	/* A vhost is client and server to libwebsockets; ours are not, and the CAs it would load are megabytes. */
	info->provided_client_ssl_ctx = loop_idle_tls(server->loop);
}

static void accept_one(void *user, int fd)
{
	const int on = 1;
	struct http_server *server = user;
	lws_sock_file_fd_type socket = {.sockfd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)};

	if (socket.sockfd < 0)
		return;
	if (server->awaits) {
		server->awaits = 0;
		log_notice("loop: %s: %s:%d is there: the first call has come", server->config.name,
			   server->config.address, server->port);
	}
	if (admit(server, socket.sockfd)) {
		close(socket.sockfd);
		return;
	}
	/* libwebsockets sees to this only where it accepts by itself. Without it an answer of two writes waits 40 ms: the second is held
	 * back until the first is acknowledged, and the other side delays that. */
	(void)setsockopt(socket.sockfd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* On failure libwebsockets closes the socket. */
	(void)lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL, socket,
					 NULL, NULL);
}

static int start_listening(struct http_server *server, struct error *err)
{
	const struct http_server_config *c = &server->config;
	int fd = listener_open(c->address, c->port, &server->port, c->may_await ? &server->awaits : NULL);

	if (fd < 0)
		return error_set(err, FC_EIO, "loop: %s: listen on %s:%d: %s", c->name, c->address ? c->address : "*",
				 c->port, strerror(errno));
	server->listener = loop_fd_add(server->loop, fd, accept_one, server, err);
	if (!server->listener) {
		close(fd);
		return FC_EIO;
	}
	if (server->awaits)
		log_warning("loop: %s: listens on %s:%d, but this box has no such address (yet): nobody can call until "
			    "it comes",
			    c->name, c->address, server->port);
	return FC_OK;
}

struct http_server *http_server_new(struct loop *loop, const struct http_server_config *config, http_handler handler,
				    void *user, struct error *err)
{
	struct lws_context_creation_info info = {0};
	struct http_server *server = calloc(1, sizeof(*server));

	if (!server) {
		(void)error_set(err, FC_ENOMEM, "loop: no memory");
		return NULL;
	}
	server->loop = loop;
	server->handler = handler;
	server->user = user;
	copy_config(&server->config, config);
	websocket_group_init(&server->sockets, loop, config->websocket, server->config.name);
	if (!server->config.name || check_files(&server->config, err)) {
		free_server(server);
		return NULL;
	}
	fill_info(server, &info);
	server->vhost = lws_create_vhost(loop_lws(loop), &info);
	if (!server->vhost) {
		(void)error_set(err, FC_EIO, "loop: %s: certificate %s and key not usable", server->config.name,
				server->config.certificate ? server->config.certificate : "(none)");
		free_server(server);
		return NULL;
	}
	/* Its server-name callback would hand the handshake to another vhost's certificate and client-certificate rules. */
	if (server->tls)
		tls_fix_vhost(server->tls);
	if (start_listening(server, err)) {
		http_server_free(server);
		return NULL;
	}
	return server;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	loop_fd_remove(server->listener);
	while (server->connections) {
		struct connection *c = server->connections;

		lws_set_opaque_user_data(c->wsi, NULL);
		lws_set_timeout(c->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
		drop_connection(server, c);
	}
	websocket_group_fini(&server->sockets);
	/* libwebsockets takes the vhost apart when it likes, and calls back then: the memory is freed there. */
	server->leaving = 1;
	server->remnant = (struct loop_remnant){.fn = free_server, .user = server};
	loop_remnant_leave(server->loop, &server->remnant);
	lws_vhost_destroy(server->vhost);
}

int http_server_port(const struct http_server *server)
{
	return server->port;
}
