#include "loop/http_client_job.h"

#include <stdio.h>
#include <string.h>

#include <libwebsockets.h>

#include "base/clock.h"
#include "base/log.h"
#include "loop/retry_after.h"
#include "loop/tls.h"

enum {
	PART = 8192, /* of a request that is written at once */
};

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

	http_client_connected(job);
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
	job_finish(job);
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

	/* One that fails while it waits for its turn is told of by the error alone. */
	if (owner && (reason == LWS_CALLBACK_WSI_DESTROY || reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR))
		http_client_forget(owner, wsi);
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
		job_finish(job);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		lws_set_opaque_user_data(wsi, NULL);
		if (job->state == JOB_SENT)
			job_ended(job, wsi, in);
		else
			job_never_stood(job, wsi, in);
		return 0;
	case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
	case LWS_CALLBACK_WSI_DESTROY:
		lws_set_opaque_user_data(wsi, NULL);
		job_ended(job, wsi, NULL);
		return 0;
	default:
		return 0;
	}
}

const struct lws_protocols *http_client_protocols(void)
{
	static const struct lws_protocols protocols[] = {{.name = "http-client", .callback = callback}, {0}};

	return protocols;
}
