#include "loop/http_server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/log.h"
#include "loop/listener.h"
#include "loop/tls.h"

enum {
	BODY_DEFAULT = 262144,
	CONNECTIONS_DEFAULT = 64,
	PEER_DEFAULT = 16,
	REQUEST_SECONDS = 10, /* a request must be whole after so long */
	IDLE_SECONDS = 60,    /* a kept-alive connection may rest so long */
	HEADER_MAX = 2048,
	PATH_MAX_LEN = 512,
	PEER_TEXT = 64,
	PART = 8192, /* of a body, written at once */
	ANSWER_MAX = 16 << 20,
};

/* One TCP connection, from accept to close; over it come several requests, one after the other. */
struct connection {
	struct connection *next;
	struct http_server *server;
	struct lws *wsi;
	char peer[PEER_TEXT];
	char peer_name[128];
	/* the request under way */
	const char *method;
	char path[PATH_MAX_LEN];
	char query[PATH_MAX_LEN];
	char authorization[HEADER_MAX];
	char content_type[128];
	char cookie[512];
	struct buffer body;
	int whole;     /* the request is complete: its answer is on the way */
	int too_large; /* its body is read and thrown away, then 413: an answer before its end is lost in the reset */
	/* its answer */
	struct http_response response;
	size_t sent;
};

struct http_server {
	struct loop *loop;
	struct lws_vhost *vhost;
	struct loop_fd *listener; /* ours: libwebsockets closes its own up to a second late */
	int port;
	void *tls;   /* its WOLFSSL_CTX, borrowed */
	int leaving; /* freed: the memory goes with the vhost */
	struct loop_remnant remnant;
	http_handler handler;
	void *user;
	struct http_server_config config; /* strings are ours */
	struct connection *connections;
	int count;
	char arriving[PEER_TEXT]; /* peer of the connection that lws is about to make */
};

static const struct {
	enum lws_token_indexes token;
	const char *method;
} methods[] = {
    {WSI_TOKEN_GET_URI, "GET"},         {WSI_TOKEN_POST_URI, "POST"},   {WSI_TOKEN_PUT_URI, "PUT"},
    {WSI_TOKEN_DELETE_URI, "DELETE"},   {WSI_TOKEN_PATCH_URI, "PATCH"}, {WSI_TOKEN_HEAD_URI, "HEAD"},
    {WSI_TOKEN_OPTIONS_URI, "OPTIONS"},
};

static void forget_request(struct connection *c)
{
	buffer_clear(&c->body);
	buffer_fini(&c->body);
	buffer_fini(&c->response.body);
	c->method = NULL;
	c->whole = 0;
	c->too_large = 0;
	c->sent = 0;
}

static void drop_connection(struct http_server *server, struct connection *c)
{
	for (struct connection **at = &server->connections; *at; at = &(*at)->next) {
		if (*at != c)
			continue;
		*at = c->next;
		server->count--;
		break;
	}
	forget_request(c);
	free(c);
}

static int connections_of(const struct http_server *server, const char *peer)
{
	int n = 0;

	for (const struct connection *c = server->connections; c; c = c->next)
		n += !strcmp(c->peer, peer);
	return n;
}

/* Before lws knows the connection: refused here it costs nothing, not even a handshake. */
static int admit(struct http_server *server, int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	server->arriving[0] = '\0';
	if (getpeername(fd, (struct sockaddr *)&address, &len) ||
	    getnameinfo((struct sockaddr *)&address, len, server->arriving, PEER_TEXT, NULL, 0, NI_NUMERICHOST))
		return -1;
	if (server->count >= server->config.max_connections ||
	    connections_of(server, server->arriving) >= server->config.max_connections_peer) {
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
	c->server = server;
	c->wsi = wsi;
	c->next = server->connections;
	server->connections = c;
	server->count++;
	lws_set_opaque_user_data(wsi, c);
	return 0;
}

/* FC_ELIMIT when the header is longer than its place: a cut token would be another token. */
static int copy_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t size)
{
	out[0] = '\0';
	int len = lws_hdr_total_length(wsi, token);
	if (len <= 0)
		return FC_OK;
	if ((size_t)len >= size || lws_hdr_copy(wsi, out, (int)size, token) < 0)
		return FC_ELIMIT;
	return FC_OK;
}

static int refuse(struct lws *wsi, unsigned status)
{
	(void)lws_return_http_status(wsi, status, NULL);
	/* What was not read of the request is in the way of the next one: the connection ends. */
	return -1;
}

static int path_is_plain(const char *path)
{
	return path[0] == '/' && !strstr(path, "/../") && !strstr(path, "//") &&
	       (strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
}

static int begin_request(struct http_server *server, struct connection *c, struct lws *wsi, const char *path)
{
	char length[24];

	forget_request(c);
	buffer_init(&c->body, server->config.max_body);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (lws_hdr_total_length(wsi, methods[i].token) > 0)
			c->method = methods[i].method;
	if (!c->method)
		return refuse(wsi, HTTP_STATUS_METHOD_NOT_ALLOWED);
	if (strlen(path) >= sizeof(c->path) || !path_is_plain(path))
		return refuse(wsi, HTTP_STATUS_BAD_REQUEST);
	(void)snprintf(c->path, sizeof(c->path), "%s", path);
	if (copy_header(wsi, WSI_TOKEN_HTTP_URI_ARGS, c->query, sizeof(c->query)) ||
	    copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, c->authorization, sizeof(c->authorization)) ||
	    copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, c->content_type, sizeof(c->content_type)) ||
	    copy_header(wsi, WSI_TOKEN_HTTP_COOKIE, c->cookie, sizeof(c->cookie)) ||
	    copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, length, sizeof(length)))
		return refuse(wsi, HTTP_STATUS_REQ_ENTITY_TOO_LARGE);
	c->too_large = *length && strtoull(length, NULL, 10) > server->config.max_body;
	if (server->config.client_cert != HTTP_CLIENT_CERT_NONE)
		tls_peer_name(lws_get_ssl(wsi), c->peer_name, sizeof(c->peer_name));
	tls_trim();
	lws_set_timer_usecs(wsi, REQUEST_SECONDS * LWS_USEC_PER_SEC);
	return 0;
}

/* "name: value" lines of the handler. */
static int add_headers(struct lws *wsi, const char *headers, unsigned char **at, unsigned char *end)
{
	char name[64];

	while (headers && *headers) {
		const char *colon = strchr(headers, ':'), *stop = strstr(headers, "\r\n");

		if (!colon || !stop || colon > stop || (size_t)(colon - headers) + 2 > sizeof(name))
			return -1;
		(void)snprintf(name, sizeof(name), "%.*s:", (int)(colon - headers), headers);
		const char *value = colon + 1 + (colon[1] == ' ');
		if (lws_add_http_header_by_name(wsi, (const unsigned char *)name, (const unsigned char *)value,
						(int)(stop - value), at, end))
			return -1;
		headers = stop + 2;
	}
	return 0;
}

static int answer(struct http_server *server, struct connection *c, struct lws *wsi)
{
	unsigned char head[LWS_PRE + 2048], *start = head + LWS_PRE, *at = start, *end = head + sizeof(head);
	struct http_request request = {
	    .method = c->method,
	    .path = c->path,
	    .query = c->query,
	    .authorization = c->authorization,
	    .content_type = c->content_type,
	    .cookie = c->cookie,
	    .peer = c->peer,
	    .peer_name = c->peer_name,
	    .body = c->body.data ? c->body.data : "",
	    .body_len = c->body.len,
	};

	c->whole = 1;
	lws_set_timer_usecs(wsi, LWS_SET_TIMER_USEC_CANCEL);
	c->response = (struct http_response){.status = 200, .content_type = "application/json;charset=utf-8"};
	buffer_init(&c->response.body, ANSWER_MAX);
	if (c->too_large)
		c->response.status = HTTP_STATUS_REQ_ENTITY_TOO_LARGE;
	else
		server->handler(server->user, &request, &c->response);
	if (c->response.body.failed) {
		buffer_clear(&c->response.body);
		c->response.status = 500;
	}
	if (lws_add_http_common_headers(wsi, (unsigned)c->response.status, c->response.content_type,
					c->response.body.len, &at, end) ||
	    add_headers(wsi, c->response.headers, &at, end) || lws_finalize_write_http_header(wsi, start, &at, end))
		return -1;
	if (!c->response.body.len) {
		forget_request(c);
		return lws_http_transaction_completed(wsi) ? -1 : 0;
	}
	lws_callback_on_writable(wsi);
	return 0;
}

static int write_part(struct connection *c, struct lws *wsi)
{
	unsigned char part[LWS_PRE + PART];
	size_t left = c->response.body.len - c->sent, n = left < PART ? left : PART;

	if (!c->whole || !left)
		return 0;
	memcpy(part + LWS_PRE, c->response.body.data + c->sent, n);
	if (lws_write(wsi, part + LWS_PRE, n, n == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) != (int)n)
		return -1;
	c->sent += n;
	if (n < left) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	forget_request(c);
	return lws_http_transaction_completed(wsi) ? -1 : 0;
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
		tls_trim();
		return 0;
	default:
		break;
	}
	if (!c)
		return reason == LWS_CALLBACK_HTTP ? -1 : 0;
	switch (reason) {
	case LWS_CALLBACK_HTTP:
		if (begin_request(server, c, wsi, in))
			return -1;
		/* lws sends the body, if any, in callbacks of its own. */
		if (lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0 ||
		    lws_hdr_total_length(wsi, WSI_TOKEN_PUT_URI) > 0 ||
		    lws_hdr_total_length(wsi, WSI_TOKEN_PATCH_URI) > 0)
			return 0;
		return c->too_large ? refuse(wsi, HTTP_STATUS_REQ_ENTITY_TOO_LARGE) : answer(server, c, wsi);
	case LWS_CALLBACK_HTTP_BODY:
		c->too_large = c->too_large || buffer_add(&c->body, in, len);
		return 0;
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return answer(server, c, wsi);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return write_part(c, wsi);
	case LWS_CALLBACK_TIMER:
		return c->whole ? 0 : -1;
	default:
		return 0;
	}
}

static const struct lws_protocols protocols[] = {{.name = "http", .callback = callback}, {0}};

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
	if (admit(server, socket.sockfd)) {
		close(socket.sockfd);
		return;
	}
	/* Head and body of an answer are two writes: the second would wait for the peer's delayed acknowledgement, 40 ms. */
	(void)setsockopt(socket.sockfd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* On failure libwebsockets closes the socket. */
	(void)lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL, socket,
					 NULL, NULL);
}

static int start_listening(struct http_server *server, struct error *err)
{
	const struct http_server_config *c = &server->config;
	int fd = listener_open(c->address, c->port, &server->port);

	if (fd < 0)
		return error_set(err, FC_EIO, "loop: %s: listen on %s:%d: %s", c->name, c->address ? c->address : "*",
				 c->port, strerror(errno));
	server->listener = loop_fd_add(server->loop, fd, accept_one, server, err);
	if (!server->listener) {
		close(fd);
		return FC_EIO;
	}
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
