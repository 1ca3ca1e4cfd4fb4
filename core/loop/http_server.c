#include "loop/http_server.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/log.h"
#include "loop/http_server_connection.h"
#include "loop/listener.h"
#include "loop/tls.h"

enum {
	BODY_DEFAULT = 262144,
	CONNECTIONS_DEFAULT = 64,
	PEER_DEFAULT = 16,
	IDLE_SECONDS = 60, /* a kept-alive connection may rest so long */
};

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
	info->protocols = http_server_protocols();
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
	if (http_server_admit(server, socket.sockfd)) {
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
	server->deadline = (struct loop_timer){.fn = http_server_deadline, .user = server};
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
	loop_timer_cancel(server->loop, &server->deadline);
	while (server->connections) {
		struct connection *c = server->connections;

		lws_set_opaque_user_data(c->wsi, NULL);
		lws_set_timeout(c->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
		http_server_drop(server, c);
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
