#include "loop/http_client_job.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>

#include "loop/addresses.h"

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

void job_free(struct job *job)
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

void job_finish(struct job *job)
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
	job_free(job);
	if (!client->leaving && client->waiting)
		(void)loop_timer_set(client->loop, &client->kick, 1);
}

void job_fail(struct job *job, enum http_trouble trouble, int code, const char *fmt, ...)
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
	job_finish(job);
}

static void timed_out(void *user)
{
	struct job *job = user;
	const char *words;
	enum http_trouble trouble = job_stage(job, &words);

	if (trouble == HTTP_CONNECT)
		addresses_doubt(job->client->addresses);
	job_fail(job, trouble, FC_ETIMEOUT, "%s:%d: %s", job->client->config.host, job->client->config.port, words);
}

static char *copy(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

struct job *job_new(struct http_client *client, const char *path, const char *authorization, const char *content_type,
		    const void *body, size_t len, int timeout_ms, http_done done, void *user)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->client = client;
	job->number = ++client->jobs;
	job->path = strdup(path);
	job->authorization = copy(authorization);
	job->content_type = strdup(content_type);
	job->done = done;
	job->user = user;
	job->timer = (struct loop_timer){.fn = timed_out, .user = job};
	job->connecting = (struct loop_timer){.fn = http_client_address_is_silent, .user = job};
	job->timeout_ms = timeout_ms;
	buffer_init(&job->body, len + 1);
	buffer_init(&job->answer, client->config.max_body);
	if (!job->path || !job->content_type || (authorization && *authorization && !job->authorization) ||
	    buffer_add(&job->body, body, len) ||
	    loop_timer_set(client->loop, &job->timer, (int64_t)timeout_ms * 1000)) {
		job_free(job);
		return NULL;
	}
	return job;
}

void job_add(struct job *job)
{
	struct http_client *client = job->client;

	if (client->last)
		client->last->next = job;
	else
		client->first = job;
	client->last = job;
	client->waiting++;
}

struct job *job_next_waiting(const struct http_client *client)
{
	struct job *job = client->first;

	while (job && job->state != JOB_WAITING)
		job = job->next;
	return job;
}

int job_is_at(const struct http_client *client, uint64_t number, int attempt)
{
	const struct job *job = client->first;

	while (job && job->number != number)
		job = job->next;
	return job && job->attempt == attempt;
}
