#include "loop/http_client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "loop/resolve.h"
#include "loop/tls.h"

enum {
	IN_FLIGHT_DEFAULT = 4,
	BODY_DEFAULT = 1 << 20,
	WAITING_MAX = 256,
	CONNECTIONS_MAX = 64,
	PART = 8192,
	WARM_SECONDS = 60,     /* a connection without requests is kept so long */
	RESOLVED_SECONDS = 60, /* ... and so long an address is believed */
};

enum job_state { JOB_WAITING, JOB_CONNECTING, JOB_SENT, JOB_DONE };

struct job {
	struct job *next;
	uint64_t number; /* of the client's; never 0 */
	int attempt;     /* counts connections that were tried */
	struct http_client *client;
	enum job_state state;
	struct lws *wsi;
	char *path, *authorization, *content_type;
	struct buffer body, answer;
	size_t sent;
	int status;
	int address;   /* which of the resolved ones is tried */
	int got_bytes; /* of an answer */
	int stale;     /* ... which was closed */
	int reused;    /* went out on a connection that had carried others */
	struct loop_timer timer;
	struct error why; /* first reason of a failure */
	http_done done;
	void *user;
};

struct http_client {
	struct loop *loop;
	struct lws_vhost *vhost;
	void *tls;   /* context, or NULL */
	int leaving; /* freed: the memory goes with the vhost */
	struct loop_remnant remnant;
	struct http_client_config config; /* strings are ours */
	struct resolve *resolve;
	struct resolve_result addresses;
	int64_t resolved_us; /* 0 = not */
	struct job *first, *last;
	uint64_t jobs; /* ever */
	int in_flight, waiting;
	/* Connections that lws holds for us, busy or resting: a request on a resting one takes its place. */
	struct lws *connections[CONNECTIONS_MAX];
	int connection_count;
	struct loop_timer kick;
};

static const char protocol_name[] = "http-client";

static void start_jobs(struct http_client *client);
static void free_client(void *user);

static void unlink_job(struct http_client *client, struct job *job)
{
	struct job *before = NULL;

	for (struct job *j = client->first; j; before = j, j = j->next) {
		if (j != job)
			continue;
		if (before)
			before->next = j->next;
		else
			client->first = j->next;
		if (client->last == j)
			client->last = before;
		return;
	}
}

static void free_job(struct job *job)
{
	loop_timer_cancel(job->client->loop, &job->timer);
	buffer_fini(&job->body);
	buffer_fini(&job->answer);
	free(job->path);
	free(job->authorization);
	free(job->content_type);
	free(job);
}

/* The job's one end. The connection, if it still stands, forgets it. */
static void finish(struct job *job)
{
	struct http_client *client = job->client;
	struct http_result result = {
	    .stale = job->stale,
	    .status = job->why.code ? 0 : job->status,
	    .body = job->answer.data ? job->answer.data : "",
	    .body_len = job->answer.len,
	    .err = job->why,
	};

	if (job->state == JOB_DONE)
		return;
	if (job->state == JOB_WAITING)
		client->waiting--;
	else
		client->in_flight--;
	job->state = JOB_DONE;
	unlink_job(client, job);
	if (job->wsi) {
		lws_set_opaque_user_data(job->wsi, NULL);
		/* An answer that did not come in time may come yet: that connection can't carry another request. */
		if (job->why.code)
			lws_set_timeout(job->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
	}
	job->done(job->user, &result);
	free_job(job);
	if (!client->leaving && client->waiting)
		(void)loop_timer_set(client->loop, &client->kick, 1);
}

static void __attribute__((format(printf, 3, 4))) fail(struct job *job, int code, const char *fmt, ...)
{
	char what[200];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (!job->why.code)
		(void)error_set(&job->why, code, "loop: %s: %s", job->client->config.name, what);
	finish(job);
}

static void timed_out(void *user)
{
	struct job *job = user;

	/* The connection that it waited behind may be one that never carries anything any more: the next make their own. */
	job->client->connection_count = 0;
	fail(job, FC_ETIMEOUT, "%s:%d: no answer in time", job->client->config.host, job->client->config.port);
}

/* The job with that number is not over. */
static const struct job *is_known(const struct http_client *client, uint64_t number)
{
	const struct job *job = client->first;

	while (job && job->number != number)
		job = job->next;
	return job;
}

/* ... and is on that attempt still. */
static int is_at(const struct http_client *client, uint64_t number, int attempt)
{
	const struct job *job = is_known(client, number);

	return job && job->attempt == attempt;
}

/* Starts a request; FC_EIO when it can't be, FC_OK when it is under way, or over already. reuse: over a connection that rests. libwebsockets 4.1 finds those by comparing the address that is
 * asked for with the Host text of the connection, so a request that wants one gives the Host text as its address, and
 * one that wants a fresh connection gives the numeric address (no name is looked up on the loop in either case). */
static int connect_job(struct job *job, int reuse)
{
	struct http_client *client = job->client;
	struct lws_client_connect_info info = {0};
	char host[300];

	if (client->config.port == (client->config.tls ? 443 : 80))
		(void)snprintf(host, sizeof(host), "%s", client->config.host);
	else
		(void)snprintf(host, sizeof(host), "%s:%d", client->config.host, client->config.port);
	info.context = loop_lws(client->loop);
	info.vhost = client->vhost;
	info.address = reuse ? host : client->addresses.addresses[job->address];
	job->reused = reuse;
	info.port = client->config.port;
	info.path = job->path;
	info.host = host;
	info.origin = host;
	info.method = "POST";
	info.alpn = "http/1.1";
	info.protocol = protocol_name;
	info.local_protocol_name = protocol_name;
	info.opaque_user_data = job;
	info.keep_warm_secs = WARM_SECONDS;
	/* By itself it would go where an answer sends it, in clear too, and take the token along. */
	info.ssl_connection =
	    LCCSCF_PIPELINE | LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (client->config.tls ? LCCSCF_USE_SSL : 0);
	job->state = JOB_CONNECTING;
	job->sent = 0;
	job->got_bytes = 0;
	buffer_clear(&job->answer);
	/* What fails at once is called back before this returns: the job may be over then, or on its next attempt. So libwebsockets gets a
	 * place of ours for what it makes, not one in the job. */
	struct lws *made = NULL;
	const uint64_t number = job->number;
	const int attempt = ++job->attempt;
	info.pwsi = &made;
	struct lws *wsi = lws_client_connect_via_info(&info);
	if (!is_at(client, number, attempt))
		return FC_OK;
	job->wsi = wsi;
	if (!wsi)
		return FC_EIO;
	if (client->connection_count < CONNECTIONS_MAX)
		client->connections[client->connection_count++] = wsi;
	return FC_OK;
}

/* Over a connection that rests, if there should be one. That there is none after all, libwebsockets having dropped it without a word (it
 * does where it gets no memory), is no reason to fail, nor to look for it ever again. FC_EIO: the job is to be failed. */
static int connect_somehow(struct job *job)
{
	struct http_client *client = job->client;
	const uint64_t number = job->number;

	if (client->connection_count >= client->in_flight) {
		if (!connect_job(job, 1))
			return FC_OK;
		client->connection_count = 0;
	}
	return is_known(client, number) ? connect_job(job, 0) : FC_OK;
}

static void forget_connection(struct http_client *client, const struct lws *wsi)
{
	for (int i = 0; i < client->connection_count; i++)
		if (client->connections[i] == wsi) {
			client->connections[i] = client->connections[--client->connection_count];
			return;
		}
}

static int addresses_known(struct http_client *client)
{
	return client->addresses.count &&
	       (client->resolved_us < 0 || clock_mono_us() - client->resolved_us < (int64_t)RESOLVED_SECONDS * 1000000);
}

static struct job *next_waiting(const struct http_client *client)
{
	struct job *job = client->first;

	while (job && job->state != JOB_WAITING)
		job = job->next;
	return job;
}

static void start_jobs(struct http_client *client)
{
	struct job *job;

	while (client->in_flight < client->config.max_in_flight && (job = next_waiting(client))) {
		if (!addresses_known(client)) {
			if (resolve_start(client->resolve))
				fail(job, FC_EIO, "%s: no thread to look the name up", client->config.host);
			return;
		}
		client->waiting--;
		client->in_flight++;
		job->state = JOB_CONNECTING;
		job->address = 0;
		if (connect_somehow(job))
			fail(job, FC_EIO, "%s:%d: can't connect", client->config.host, client->config.port);
	}
}

static void kicked(void *user)
{
	start_jobs(user);
}

static void resolved(void *user, const struct resolve_result *result)
{
	struct http_client *client = user;
	struct job *job;

	client->addresses = *result;
	client->resolved_us = clock_mono_us();
	if (!result->count)
		while ((job = next_waiting(client)))
			fail(job, FC_EIO, "%s: %s", client->config.host, result->why);
	start_jobs(client);
}

static int append_headers(struct job *job, struct lws *wsi, unsigned char **at, unsigned char *end)
{
	char length[24];
	int n = snprintf(length, sizeof(length), "%zu", job->body.len);

	if (job->authorization &&
	    lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, (unsigned char *)job->authorization,
					 (int)strlen(job->authorization), at, end))
		return -1;
	if (lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, (unsigned char *)job->content_type,
					 (int)strlen(job->content_type), at, end) ||
	    lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, (unsigned char *)length, n, at, end))
		return -1;
	return 0;
}

/* After the handshake and before any byte of the request. */
static int begin_request(struct job *job, struct lws *wsi, unsigned char **at, size_t len)
{
	const struct http_client_config *config = &job->client->config;

	if (config->tls && !config->no_verify && tls_check_peer(lws_get_ssl(wsi), config->host, &job->why)) {
		log_debug("loop: %s: refused: %s", config->name, job->why.text);
		return -1;
	}
	if (append_headers(job, wsi, at, *at + len))
		return -1;
	job->state = JOB_SENT;
	/* Without a body no write would ever say that it is over. */
	if (job->body.len) {
		lws_client_http_body_pending(wsi, 1);
		lws_callback_on_writable(wsi);
	}
	return 0;
}

static int write_part(struct job *job, struct lws *wsi)
{
	unsigned char part[LWS_PRE + PART];
	size_t left = job->body.len - job->sent, n = left < PART ? left : PART;

	if (job->state != JOB_SENT || !left)
		return 0;
	memcpy(part + LWS_PRE, job->body.data + job->sent, n);
	if (lws_write(wsi, part + LWS_PRE, n, n == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) != (int)n)
		return -1;
	job->sent += n;
	if (n == left)
		lws_client_http_body_pending(wsi, 0);
	else
		lws_callback_on_writable(wsi);
	return 0;
}

/* The connection broke. A kept-alive one may have been closed by the peer just as the request went out: that is tried
 * once more; so is the next address of the name. */
static void broken(struct job *job, const char *why)
{
	struct http_client *client = job->client;

	job->wsi = NULL;
	if (!job->why.code && !job->got_bytes && client->addresses.count) {
		if (job->reused && client->config.no_resend) {
			job->stale = 1;
		} else if (job->reused) {
			if (job->state == JOB_CONNECTING)
				client->connection_count = 0; /* there was none to be found: see connect_somehow */
			if (!connect_job(job, 0))
				return;
		} else if (job->state == JOB_CONNECTING && job->address + 1 < client->addresses.count) {
			job->address++;
			if (!connect_job(job, 0))
				return;
		}
	}
	/* The name may point elsewhere by now. */
	if (client->resolved_us > 0)
		client->addresses.count = 0;
	fail(job, FC_EIO, "%s:%d: %s", client->config.host, client->config.port,
	     why && *why ? why : "connection closed");
}

/* Of TLS libwebsockets gives but a number. A peer with a bad certificate is not tried at its next address. */
static void handshake_failed(struct job *job, struct lws *wsi, const char *why)
{
	struct error tls = {0};

	if (job->client->config.tls && tls_failure(lws_get_ssl(wsi), job->client->config.host, &tls)) {
		why = tls.text;
		if (tls.code == FC_EAUTH && !job->why.code)
			job->why = tls;
	}
	broken(job, why);
}

/* libwebsockets takes what is no number for 0, which is ours for "no answer". */
static int read_status(struct job *job, int status)
{
	if (status >= 100 && status <= 999) {
		job->status = status;
		return 0;
	}
	(void)error_set(&job->why, FC_EIO, "loop: %s: the answer has no HTTP status", job->client->config.name);
	return -1;
}

static int receive(struct job *job, const char *data, size_t len)
{
	job->got_bytes = 1;
	if (!buffer_add(&job->answer, data, len))
		return 0;
	(void)error_set(&job->why, FC_ELIMIT, "loop: %s: the answer is too large", job->client->config.name);
	return -1;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	char *data;
	int n;

	(void)user;
	struct lws_vhost *vhost = wsi ? lws_get_vhost(wsi) : NULL;
	struct http_client *owner = vhost ? lws_get_vhost_user(vhost) : NULL;

	if (owner && reason == LWS_CALLBACK_WSI_DESTROY)
		forget_connection(owner, wsi);
	if (reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER || reason == LWS_CALLBACK_WSI_DESTROY)
		tls_trim();
	if (owner && owner->leaving && reason == LWS_CALLBACK_PROTOCOL_DESTROY) {
		loop_remnant_gone(owner->loop, &owner->remnant);
		return 0;
	}
	if (reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER || reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR ||
	    reason == LWS_CALLBACK_CLOSED_CLIENT_HTTP)
		tls_name_socket(lws_get_ssl(wsi), (int)lws_get_socket_fd(wsi));
	struct job *job = wsi ? lws_get_opaque_user_data(wsi) : NULL;
	if (!job)
		return 0;
	switch (reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return begin_request(job, wsi, in, len);
	case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
		return write_part(job, wsi);
	case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
		job->got_bytes = 1;
		return read_status(job, (int)lws_http_client_http_response(wsi));
	case LWS_CALLBACK_RECEIVE_CLIENT_HTTP: {
		char buffer[LWS_PRE + 2048];

		data = buffer + LWS_PRE;
		n = 2048;
		return lws_http_client_read(wsi, &data, &n) < 0 ? -1 : 0;
	}
	case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
		return receive(job, in, len);
	case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
		finish(job);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		lws_set_opaque_user_data(wsi, NULL);
		handshake_failed(job, wsi, in);
		return 0;
	case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
	case LWS_CALLBACK_WSI_DESTROY:
		lws_set_opaque_user_data(wsi, NULL);
		broken(job, NULL);
		return 0;
	default:
		return 0;
	}
}

static const struct lws_protocols protocols[] = {{.name = protocol_name, .callback = callback}, {0}};

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
	info.protocols = protocols;
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
	unsigned char binary[16];
	struct http_client *client = calloc(1, sizeof(*client));

	if (!client) {
		(void)error_set(err, FC_ENOMEM, "loop: no memory");
		return NULL;
	}
	client->loop = loop;
	client->kick = (struct loop_timer){.fn = kicked, .user = client};
	int is_whole = copy_config(&client->config, config);
	if (!is_whole)
		(void)error_set(err, FC_ENOMEM, "loop: no memory");
	else
		client->resolve = resolve_new(loop, config->host, resolved, client, err);
	if (!client->resolve || check_files(&client->config, err) || make_vhost(client, err)) {
		http_client_free(client);
		return NULL;
	}
	if (inet_pton(AF_INET, config->host, binary) == 1 || inet_pton(AF_INET6, config->host, binary) == 1) {
		client->addresses.count = 1;
		client->resolved_us = -1; /* for ever */
		(void)snprintf(client->addresses.addresses[0], RESOLVE_TEXT, "%s", config->host);
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
		fail(client->first, FC_EIO, "%s:%d: cancelled", client->config.host, client->config.port);
	resolve_free(client->resolve);
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
	struct job *job = calloc(1, sizeof(*job));
	if (!job)
		return error_set(err, FC_ENOMEM, "loop: no memory");
	job->client = client;
	job->number = ++client->jobs;
	job->path = strdup(path);
	job->authorization = copy(authorization);
	job->content_type = strdup(content_type);
	job->done = done;
	job->user = user;
	job->timer = (struct loop_timer){.fn = timed_out, .user = job};
	buffer_init(&job->body, len + 1);
	buffer_init(&job->answer, client->config.max_body);
	if (!job->path || !job->content_type || (authorization && *authorization && !job->authorization) ||
	    buffer_add(&job->body, body, len) ||
	    loop_timer_set(client->loop, &job->timer, (int64_t)timeout_ms * 1000) ||
	    loop_timer_set(client->loop, &client->kick, 1)) {
		free_job(job);
		return error_set(err, FC_ENOMEM, "loop: no memory");
	}
	if (client->last)
		client->last->next = job;
	else
		client->first = job;
	client->last = job;
	client->waiting++;
	return FC_OK;
}
