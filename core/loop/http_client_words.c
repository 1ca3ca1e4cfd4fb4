#include "loop/http_client_job.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <libwebsockets.h>

#include "loop/addresses.h"
#include "loop/tls.h"

int job_is_connected(const struct job *job)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int fd = job->wsi ? (int)lws_get_socket_fd(job->wsi) : -1;

	return fd >= 0 && !getpeername(fd, (struct sockaddr *)&peer, &len);
}

enum http_trouble job_stage(const struct job *job, const char **words)
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
		if (!job_is_connected(job)) {
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

void job_ended(struct job *job, struct lws *wsi, const char *lws)
{
	struct error tls = {0};
	char words[160];

	if (job->client->config.tls && tls_ended(lws_get_ssl(wsi), job->client->config.host, &tls))
		http_client_broken(job, HTTP_TLS, tls.text);
	else if (job->status && job->answer.len) {
		(void)snprintf(words, sizeof(words), "the connection was closed after %zu bytes of an answer",
			       job->answer.len);
		http_client_broken(job, HTTP_BROKEN, words);
	} else if (lws && strstr(lws, "parsing")) {
		(void)snprintf(words, sizeof(words), "what came is no HTTP answer (%s)", lws);
		http_client_broken(job, HTTP_FORM, words);
	} else {
		http_client_broken(job, HTTP_BROKEN, "the connection was closed without an HTTP answer");
	}
}

/* Of TLS libwebsockets gives but a number. A peer with a bad certificate is not tried at its next address. */
void job_never_stood(struct job *job, struct lws *wsi, const char *why)
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
	http_client_broken(job, trouble, why && *why ? why : "the connection was closed");
}
