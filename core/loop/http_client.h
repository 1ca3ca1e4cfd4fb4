/* HTTPS client: one peer (host and port), keep-alive, verification on by default.
 *
 * libwebsockets with wolfSSL verifies nothing by itself (DESIGN.md, "A trap that was measured"): this file sets
 * the verification and checks result and host name after the handshake, before any byte of the request. Name
 * resolution happens in a thread of the loop's, never on it. Redirections are not followed: they are answers with that status. */
#ifndef FC_LOOP_HTTP_CLIENT_H
#define FC_LOOP_HTTP_CLIENT_H

#include <stddef.h>

#include "base/error.h"
#include "loop/loop.h"

struct http_client_config {
	const char *name; /* for logs */
	const char *host; /* name or address; what the certificate must be for */
	int port;
	int tls;                       /* 0 = plain HTTP */
	const char *ca;                /* PEM file with the peer's CA; NULL = the system's bundle */
	const char *certificate, *key; /* our client certificate, or NULL */
	int no_verify;                 /* 1 = accept any certificate; loudly logged; for a laboratory only */
	int no_resend;     /* a request that found its kept-alive connection closed is not sent again as it was */
	int max_in_flight; /* requests at once, each on its own kept-alive connection; default 4 when 0 */
	size_t max_body;   /* of an answer; default 1048576 when 0 */
};

/* What kind of failure, for who acts on it or puts it into words. */
enum http_trouble {
	HTTP_NO_TROUBLE,
	HTTP_NAME,        /* the DNS does not know it, or says nothing */
	HTTP_CONNECT,     /* nobody listens there, or there is no way */
	HTTP_TLS,         /* no handshake, or it was taken back */
	HTTP_CERTIFICATE, /* not the peer's, or not to be trusted */
	HTTP_SILENT,      /* it is there and keeps us waiting */
	HTTP_BROKEN,      /* it hung up before its answer was whole */
	HTTP_FORM,        /* what came is no answer of HTTP, or too large */
};

struct http_result {
	int stale;  /* status 0: a kept-alive connection was closed as the request went out, and no_resend is set */
	int status; /* HTTP status; 0 when the transport failed */
	int64_t retry_after_s; /* so long it wants to be left alone (Retry-After); 0 = it did not say */
	const char *body;      /* followed by a zero byte; "" when none; valid during the callback */
	size_t body_len;
	enum http_trouble trouble; /* HTTP_NO_TROUBLE when there is a status */
	struct error err;          /* why the transport failed (FC_EAUTH: certificate, FC_ETIMEOUT, FC_EIO ...) */
};
typedef void (*http_done)(void *user, const struct http_result *result);

struct http_client;
/* Strings are copied. NULL and *err when a file can't be read ... No connection is made yet. */
struct http_client *http_client_new(struct loop *loop, const struct http_client_config *config, struct error *err);
/* Requests still waiting end with status 0 and their callbacks are called before this returns. */
void http_client_free(struct http_client *client);
/* POSTs body (copied). Waits its turn when max_in_flight are under way; FC_ELIMIT when 256 wait already.
 * done is called exactly once, always later, on the loop's thread. authorization may be NULL. */
int http_client_post(struct http_client *client, const char *path, const char *authorization, const char *content_type,
		     const void *body, size_t len, int timeout_ms, http_done done, void *user, struct error *err);

#endif
