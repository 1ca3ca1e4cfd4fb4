#include "loop/http_client_job.h"

#include <stdio.h>

#include <libwebsockets.h>

#include "loop/addresses.h"

enum {
	WARM_SECONDS = 60, /* a connection without requests is kept so long */
};

static const char protocol_name[] = "http-client";

void http_client_forget(struct http_client *client, const struct lws *wsi)
{
	for (int i = 0; i < client->connection_count; i++)
		if (client->connections[i] == wsi) {
			client->connections[i] = client->connections[--client->connection_count];
			return;
		}
}

/* Starts a request; FC_EIO when it can't be, and the job is as it was; FC_OK when it is under way, or over already and gone. libwebsockets
 * takes a connection to that address that rests, if there is one (boards/sources.sh), else it makes one. It always gets an address: a name it
 * would look up on the loop. */
static int connect_job(struct job *job)
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
	info.address = addresses_at(client->addresses, job->address);
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
	job->reused = 0;
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
	if (!job_is_at(client, number, attempt))
		return FC_OK;
	job->wsi = wsi;
	if (!wsi)
		return FC_EIO;
	if (client->connection_count < HTTP_CLIENT_CONNECTIONS)
		client->connections[client->connection_count++] = wsi;
	return FC_OK;
}

/* The job is under way to its address then, or is over and gone. */
static void try_address(struct job *job)
{
	struct http_client *client = job->client;
	int left = addresses_count(client->addresses) - job->attempts - 1;

	/* All of them in the time that there is. */
	if (left > 0)
		(void)loop_timer_set(client->loop, &job->connecting, (int64_t)job->timeout_ms * 1000 / (left + 2));
	if (connect_job(job))
		job_fail(job, HTTP_CONNECT, FC_EIO, "%s:%d: can't connect", client->config.host, client->config.port);
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
void http_client_address_is_silent(void *user)
{
	struct job *job = user;

	if (job->state != JOB_CONNECTING || !job->wsi || job_is_connected(job))
		return;
	lws_set_opaque_user_data(job->wsi, NULL);
	lws_set_timeout(job->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
	job->wsi = NULL;
	(void)try_next_address(job);
}

void http_client_start_jobs(struct http_client *client)
{
	struct job *job;

	while (client->in_flight < client->config.max_in_flight && (job = job_next_waiting(client))) {
		if (!addresses_ready(client->addresses))
			return;
		client->waiting--;
		client->in_flight++;
		job->state = JOB_CONNECTING;
		job->attempts = 0;
		job->address = addresses_first(client->addresses);
		try_address(job);
	}
}

void http_client_addresses_known(void *user)
{
	struct http_client *client = user;
	struct job *job;

	if (!addresses_count(client->addresses))
		while ((job = job_next_waiting(client)))
			job_fail(job, HTTP_NAME, FC_EIO, "%s: its name can't be looked up: %s", client->config.host,
				 addresses_why(client->addresses));
	http_client_start_jobs(client);
}

/* A connection that has given its socket to the job's has carried requests; it is about to be freed. */
static int took_over(struct http_client *client)
{
	for (int i = 0; i < client->connection_count; i++) {
		struct lws *wsi = client->connections[i];

		if (lws_get_opaque_user_data(wsi) || lws_get_socket_fd(wsi) >= 0)
			continue;
		http_client_forget(client, wsi);
		return 1;
	}
	return 0;
}

void http_client_connected(struct job *job)
{
	loop_timer_cancel(job->client->loop, &job->connecting);
	job->reused = took_over(job->client);
	if (!job->reused)
		addresses_worked(job->client->addresses, job->address);
}

/* A kept-alive one may have been closed by the peer just as the request went out: that is tried again, on the next that rests, of which there
 * are ever fewer, and in the end on one of its own; so is the next address of the name. */
void http_client_broken(struct job *job, enum http_trouble trouble, const char *why)
{
	struct http_client *client = job->client;
	const char *dns = addresses_why(client->addresses);

	job->wsi = NULL;
	loop_timer_cancel(client->loop, &job->connecting);
	if (!job->why.code && !job->got_bytes) {
		if (job->reused && client->config.no_resend) {
			job->stale = 1;
		} else if (job->reused) {
			try_address(job);
			return;
		} else if (job->state == JOB_CONNECTING && try_next_address(job)) {
			return;
		}
	}
	addresses_doubt(client->addresses);
	/* What TLS says names the host. */
	if (trouble == HTTP_TLS)
		job_fail(job, trouble, FC_EIO, "%s", why);
	else
		job_fail(job, trouble, FC_EIO, "%s:%d: %s%s%s", client->config.host, client->config.port, why,
			 *dns ? "; its name can't be looked up: " : "", dns);
}
