#include "loop/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "loop/addresses.h"
#include "loop/retry_after.h"
#include "loop/tls.h"

enum {
	IN_FLIGHT_DEFAULT = 4,
	BODY_DEFAULT = 1 << 20,
	WAITING_MAX = 256,
	CONNECTIONS_MAX = 64,
	PART = 8192,
	WARM_SECONDS = 60, /* a connection without requests is kept so long */
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
	int64_t retry_after_s;
	int address;   /* which of them is tried, */
	int attempts;  /* and how many were before it */
	int got_bytes; /* of an answer */
	int stale;     /* ... which was closed */
	int reused;    /* went out on a connection that had carried others */
	struct loop_timer timer;
	struct loop_timer connecting; /* an address that says nothing gives way to the next */
	int timeout_ms;
	enum http_trouble trouble;
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
	struct addresses *addresses;
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
	loop_timer_cancel(job->client->loop, &job->connecting);
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
	    .retry_after_s = job->why.code ? 0 : job->retry_after_s,
	    .body = job->answer.data ? job->answer.data : "",
	    .body_len = job->answer.len,
	    .trouble = job->why.code ? job->trouble : HTTP_NO_TROUBLE,
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

static void __attribute__((format(printf, 4, 5)))
fail(struct job *job, enum http_trouble trouble, int code, const char *fmt, ...)
{
	char what[200];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (!job->why.code) {
		job->trouble = trouble;
		(void)error_set(&job->why, code, "loop: %s: %s", job->client->config.name, what);
	}
	finish(job);
}

/* By the kernel's word: libwebsockets does not say when TCP stands and TLS does not yet. */
static int is_connected(const struct job *job)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int fd = job->wsi ? (int)lws_get_socket_fd(job->wsi) : -1;

	return fd >= 0 && !getpeername(fd, (struct sockaddr *)&peer, &len);
}

/* Where it got to when its time was over. */
static enum http_trouble stage(const struct job *job, const char **words)
{
	switch (job->state) {
	case JOB_WAITING:
		if (!addresses_count(job->client->addresses)) {
			*words = "its name is still being looked up: no answer of the DNS in time";
			return HTTP_NAME;
		}
		*words = "its turn did not come in time: the requests before it are not answered";
		return HTTP_SILENT;
	case JOB_CONNECTING:
		if (!is_connected(job)) {
			*words = "no connection in time";
			return HTTP_CONNECT;
		}
		*words = "connected, but no TLS handshake in time";
		return HTTP_SILENT;
	case JOB_SENT:
		if (job->sent < job->body.len)
			*words = "the request was not taken in time";
		else
			*words = job->got_bytes ? "the answer did not end in time" : "no answer in time";
		return HTTP_SILENT;
	case JOB_DONE:
		break;
	}
	*words = "no answer in time";
	return HTTP_SILENT;
}

static void timed_out(void *user)
{
	struct job *job = user;
	const char *words;
	enum http_trouble trouble = stage(job, &words);

	/* The connection that it waited behind may be one that never carries anything any more: the next make their own. */
	job->client->connection_count = 0;
	if (trouble == HTTP_CONNECT)
		addresses_doubt(job->client->addresses);
	fail(job, trouble, FC_ETIMEOUT, "%s:%d: %s", job->client->config.host, job->client->config.port, words);
}

/* The job with that number is not over, and on that attempt still. */
static int is_at(const struct http_client *client, uint64_t number, int attempt)
{
	const struct job *job = client->first;

	while (job && job->number != number)
		job = job->next;
	return job && job->attempt == attempt;
}

/* Starts a request; FC_EIO when it can't be, and the job is as it was; FC_OK when it is under way, or over already and gone. reuse: over
 * a connection that rests. libwebsockets 4.1 finds those by comparing the address that is
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
	info.address = reuse ? host : addresses_at(client->addresses, job->address);
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
	/* A redirection is an answer like any other: who we talk to is said by the configuration alone. libwebsockets would look the
	 * other host's name up on the loop, and take token and body there, in clear too. */
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

static void forget_connection(struct http_client *client, const struct lws *wsi)
{
	for (int i = 0; i < client->connection_count; i++)
		if (client->connections[i] == wsi) {
			client->connections[i] = client->connections[--client->connection_count];
			return;
		}
}

static struct job *next_waiting(const struct http_client *client)
{
	struct job *job = client->first;

	while (job && job->state != JOB_WAITING)
		job = job->next;
	return job;
}

/* The job is under way to its address then, or is over and gone. */
static void try_address(struct job *job)
{
	struct http_client *client = job->client;
	int left = addresses_count(client->addresses) - job->attempts - 1;

	/* All of them in the time that there is. */
	if (left > 0)
		(void)loop_timer_set(client->loop, &job->connecting, (int64_t)job->timeout_ms * 1000 / (left + 2));
	if (connect_job(job, 0))
		fail(job, HTTP_CONNECT, FC_EIO, "%s:%d: can't connect", client->config.host, client->config.port);
}

/* Over a connection that rests, if there should be one. That there is none after all, libwebsockets having dropped it without a word
 * (it does where it gets no memory), is no reason to fail, nor to look for it ever again. */
static void try_connection(struct job *job)
{
	struct http_client *client = job->client;

	if (client->connection_count >= client->in_flight) {
		if (!connect_job(job, 1))
			return;
		client->connection_count = 0;
	}
	try_address(job);
}

/* Nonzero when there is another address, which is tried now: the job may be gone by then. */
static int try_next_address(struct job *job)
{
	if (job->attempts + 1 >= addresses_count(job->client->addresses))
		return 0;
	job->attempts++;
	job->address = addresses_next(job->client->addresses, job->address);
	try_address(job);
	return 1;
}

/* Packets to it are lost, or come back so late that the next address may be quicker. */
static void address_is_silent(void *user)
{
	struct job *job = user;

	if (job->state != JOB_CONNECTING || is_connected(job))
		return;
	lws_set_opaque_user_data(job->wsi, NULL);
	lws_set_timeout(job->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
	job->wsi = NULL;
	(void)try_next_address(job);
}

static void start_jobs(struct http_client *client)
{
	struct job *job;

	while (client->in_flight < client->config.max_in_flight && (job = next_waiting(client))) {
		if (!addresses_ready(client->addresses))
			return;
		client->waiting--;
		client->in_flight++;
		job->state = JOB_CONNECTING;
		job->attempts = 0;
		job->address = addresses_first(client->addresses);
		try_connection(job);
	}
}

static void kicked(void *user)
{
	start_jobs(user);
}

static void addresses_known(void *user)
{
	struct http_client *client = user;
	struct job *job;

	if (!addresses_count(client->addresses))
		while ((job = next_waiting(client)))
			fail(job, HTTP_NAME, FC_EIO, "%s: its name can't be looked up: %s", client->config.host,
			     addresses_why(client->addresses));
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

	loop_timer_cancel(job->client->loop, &job->connecting);
	if (!job->reused)
		addresses_worked(job->client->addresses, job->address);
	if (config->tls && !config->no_verify && tls_check_peer(lws_get_ssl(wsi), config->host, &job->why)) {
		job->trouble = HTTP_CERTIFICATE;
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
static void broken(struct job *job, enum http_trouble trouble, const char *why)
{
	struct http_client *client = job->client;
	const char *dns = addresses_why(client->addresses);

	job->wsi = NULL;
	loop_timer_cancel(client->loop, &job->connecting);
	if (!job->why.code && !job->got_bytes) {
		if (job->reused && client->config.no_resend) {
			job->stale = 1;
		} else if (job->reused) {
			if (job->state == JOB_CONNECTING)
				client->connection_count = 0; /* there was none to be found: see try_connection */
			try_address(job);
			return;
		} else if (job->state == JOB_CONNECTING && try_next_address(job)) {
			return;
		}
	}
	addresses_doubt(client->addresses);
	/* What TLS says names the host. */
	if (trouble == HTTP_TLS)
		fail(job, trouble, FC_EIO, "%s", why);
	else
		fail(job, trouble, FC_EIO, "%s:%d: %s%s%s", client->config.host, client->config.port, why,
		     *dns ? "; its name can't be looked up: " : "", dns);
}

/* It was closed after the handshake. lws: its words, which are about the form of what came, or about nothing. */
static void ended(struct job *job, struct lws *wsi, const char *lws)
{
	struct error tls = {0};
	char words[160];

	if (job->client->config.tls && tls_ended(lws_get_ssl(wsi), job->client->config.host, &tls))
		broken(job, HTTP_TLS, tls.text);
	else if (job->status && job->answer.len) {
		(void)snprintf(words, sizeof(words), "the connection was closed after %zu bytes of an answer",
			       job->answer.len);
		broken(job, HTTP_BROKEN, words);
	} else if (lws && strstr(lws, "parsing")) {
		(void)snprintf(words, sizeof(words), "what came is no HTTP answer (%s)", lws);
		broken(job, HTTP_FORM, words);
	} else {
		broken(job, HTTP_BROKEN, "the connection was closed without an HTTP answer");
	}
}

/* Of TLS libwebsockets gives but a number. A peer with a bad certificate is not tried at its next address. */
static void never_stood(struct job *job, struct lws *wsi, const char *why)
{
	struct error tls = {0};
	enum http_trouble trouble = HTTP_CONNECT;

	if (job->client->config.tls && tls_failure(lws_get_ssl(wsi), job->client->config.host, &tls)) {
		why = tls.text;
		trouble = tls.code == FC_EAUTH ? HTTP_CERTIFICATE : HTTP_TLS;
		if (tls.code == FC_EAUTH && !job->why.code) {
			job->why = tls;
			job->trouble = trouble;
		}
	}
	/* In more words than libwebsockets has. */
	if (why && !strcmp(why, "Unable to connect"))
		why = "nobody listens there, or there is no way to it";
	broken(job, trouble, why && *why ? why : "the connection was closed");
}

/* No body follows these (RFC 9112, 6.3); libwebsockets would wait for one. What comes after a 1xx that nobody asked for would be an answer,
 * and libwebsockets can't begin another here. */
static int has_no_body(int status)
{
	return status < 200 || status == 204 || status == 304;
}

/* libwebsockets takes what is no number for 0, which is ours for "no answer". */
static int read_status(struct job *job, int status)
{
	if (status >= 100 && status <= 999) {
		job->status = status;
		return 0;
	}
	job->trouble = HTTP_FORM;
	(void)error_set(&job->why, FC_EIO, "loop: %s: the answer has no HTTP status", job->client->config.name);
	return -1;
}

/* libwebsockets keeps this header unless it was built without the uncommon ones. */
static int64_t asked_rest_s(struct lws *wsi)
{
#if defined(LWS_WITH_HTTP_UNCOMMON_HEADERS) || defined(LWS_HTTP_HEADERS_ALL)
	char text[64];

	if (lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_HTTP_RETRY_AFTER) > 0)
		return retry_after_s(text, clock_wall_trusted() ? clock_wall() : 0);
#endif
	(void)wsi;
	return 0;
}

static int answer_begins(struct job *job, struct lws *wsi)
{
	job->got_bytes = 1;
	if (read_status(job, (int)lws_http_client_http_response(wsi)))
		return -1;
	job->retry_after_s = asked_rest_s(wsi);
	if (!has_no_body(job->status))
		return 0;
	finish(job);
	return -1;
}

static int receive(struct job *job, const char *data, size_t len)
{
	job->got_bytes = 1;
	if (!buffer_add(&job->answer, data, len))
		return 0;
	job->trouble = HTTP_FORM;
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
	if (owner && (reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER || reason == LWS_CALLBACK_WSI_DESTROY))
		loop_trim_tls(owner->loop, reason == LWS_CALLBACK_WSI_DESTROY);
	if (owner && owner->leaving && reason == LWS_CALLBACK_PROTOCOL_DESTROY) {
		loop_remnant_gone(owner->loop, &owner->remnant);
		return 0;
	}
	if (reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER || reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR ||
	    reason == LWS_CALLBACK_CLOSED_CLIENT_HTTP)
		tls_name_socket(lws_get_ssl(wsi), (int)lws_get_socket_fd(wsi));
	struct job *job = wsi ? lws_get_opaque_user_data(wsi) : NULL;
	/* Its time was over, and the connection is on its way out: a handshake that ends now must not send a request without body, to a peer that
	 * nobody has looked at. */
	if (!job)
		return reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER ? -1 : 0;
	switch (reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return begin_request(job, wsi, in, len);
	case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
		return write_part(job, wsi);
	case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
		return answer_begins(job, wsi);
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
		if (job->state == JOB_SENT)
			ended(job, wsi, in);
		else
			never_stood(job, wsi, in);
		return 0;
	case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
	case LWS_CALLBACK_WSI_DESTROY:
		lws_set_opaque_user_data(wsi, NULL);
		ended(job, wsi, NULL);
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
		    addresses_new(loop, client->config.name, config->host, addresses_known, client, err);
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
		fail(client->first, HTTP_BROKEN, FC_EIO, "%s:%d: cancelled", client->config.host, client->config.port);
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
	job->connecting = (struct loop_timer){.fn = address_is_silent, .user = job};
	job->timeout_ms = timeout_ms;
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
