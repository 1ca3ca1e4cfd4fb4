#include "loop/http_client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/log.h"
#include "loop/addresses.h"
#include "loop/http_client_job.h"
#include "loop/tls.h"

enum {
	IN_FLIGHT_DEFAULT = 4,
	BODY_DEFAULT = 1 << 20,
	WAITING_MAX = 256,
};

static void kicked(void *user)
{
	http_client_start_jobs(user);
}

static char *copy(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

static void free_client(void *user)
{
	struct http_client *client = user;

	tls_client_free(client->tls);
	free((char *)(size_t)client->config.name);
	free((char *)(size_t)client->config.host);
	free((char *)(size_t)client->config.ca);
	free((char *)(size_t)client->config.certificate);
	free((char *)(size_t)client->config.key);
	free(client);
}

/* Nonzero when all is there: without its CA a client would trust others. */
static int copy_config(struct http_client_config *to, const struct http_client_config *from)
{
	*to = *from;
	to->name = strdup(from->name ? from->name : "client");
	to->host = strdup(from->host);
	to->ca = copy(from->ca);
	to->certificate = copy(from->certificate);
	to->key = copy(from->key);
	if (!to->max_in_flight)
		to->max_in_flight = IN_FLIGHT_DEFAULT;
	if (!to->max_body)
		to->max_body = BODY_DEFAULT;
	return to->name && to->host && !to->ca == !(from->ca && *from->ca) &&
	       !to->certificate == !(from->certificate && *from->certificate) && !to->key == !(from->key && *from->key);
}

static int check_files(const struct http_client_config *c, struct error *err)
{
	const char *const files[] = {c->ca, c->certificate, c->key};

	for (size_t i = 0; c->tls && i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i] && access(files[i], R_OK))
			return error_set(err, FC_EIO, "loop: %s: %s: can't be read", c->name, files[i]);
	return FC_OK;
}

static int make_vhost(struct http_client *client, struct error *err)
{
	struct lws_context_creation_info info = {0};
	const struct http_client_config *c = &client->config;

	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = http_client_protocols();
	info.vhost_name = c->name;
	info.user = client;
	if (c->tls) {
		const struct tls_client tls = {c->ca, c->certificate, c->key, c->no_verify};
		struct error why = {0};

		client->tls = tls_client_new(&tls, &why);
		if (!client->tls)
			return error_set(err, why.code, "loop: %s: %s", c->name, why.text);
		info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.provided_client_ssl_ctx = client->tls;
	}
	client->vhost = lws_create_vhost(loop_lws(client->loop), &info);
	return client->vhost ? FC_OK : error_set(err, FC_EIO, "loop: %s: client can't be set up", c->name);
}

struct http_client *http_client_new(struct loop *loop, const struct http_client_config *config, struct error *err)
{
	struct http_client *client = calloc(1, sizeof(*client));

	if (!client) {
		(void)error_set(err, FC_ENOMEM, "loop: no memory");
		return NULL;
	}
	client->loop = loop;
	client->kick = (struct loop_timer){.fn = kicked, .user = client};
	if (!copy_config(&client->config, config))
		(void)error_set(err, FC_ENOMEM, "loop: no memory");
	else
		client->addresses =
		    addresses_new(loop, client->config.name, config->host, http_client_addresses_known, client, err);
	if (!client->addresses || check_files(&client->config, err) || make_vhost(client, err)) {
		http_client_free(client);
		return NULL;
	}
	if (config->tls && config->no_verify)
		log_warning("loop: %s: the certificate of %s is NOT verified (option verify '0')", client->config.name,
			    config->host);
	return client;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	client->leaving = 1;
	while (client->first)
		job_fail(client->first, HTTP_BROKEN, FC_EIO, "%s:%d: cancelled", client->config.host,
			 client->config.port);
	addresses_free(client->addresses);
	loop_timer_cancel(client->loop, &client->kick);
	while (client->connection_count)
		lws_set_timeout(client->connections[--client->connection_count], PENDING_TIMEOUT_KILLED_BY_PARENT,
				LWS_TO_KILL_SYNC);
	if (!client->vhost) {
		free_client(client);
		return;
	}
	/* libwebsockets takes the vhost apart when it likes, and calls back then: the memory is freed there. */
	client->remnant = (struct loop_remnant){.fn = free_client, .user = client};
	loop_remnant_leave(client->loop, &client->remnant);
	lws_vhost_destroy(client->vhost);
}

int http_client_post(struct http_client *client, const char *path, const char *authorization, const char *content_type,
		     const void *body, size_t len, int timeout_ms, http_done done, void *user, struct error *err)
{
	if (client->leaving || client->waiting >= WAITING_MAX)
		return error_set(err, FC_ELIMIT, "loop: %s: %d requests wait already", client->config.name,
				 client->waiting);
	struct job *job = job_new(client, path, authorization, content_type, body, len, timeout_ms, done, user);
	if (!job)
		return error_set(err, FC_ENOMEM, "loop: no memory");
	if (loop_timer_set(client->loop, &client->kick, 1)) {
		job_free(job);
		return error_set(err, FC_ENOMEM, "loop: no memory");
	}
	job_add(job);
	return FC_OK;
}
