/* What the files of the HTTPS client share, for this room only: a client, its requests, and their way through
 * http_client.c (the client), http_client_job.c (a request from its beginning to its one end), http_client_connect.c (the connection it
 * goes over), http_client_answer.c (what goes out and comes in over that) and http_client_words.c (why it failed). */
#ifndef FC_LOOP_HTTP_CLIENT_JOB_H
#define FC_LOOP_HTTP_CLIENT_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "loop/http_client.h"
#include "loop/loop.h"

struct addresses;
struct lws;
struct lws_protocols;
struct lws_vhost;

enum {
	HTTP_CLIENT_CONNECTIONS = 64, /* that one client keeps in sight */
};

enum job_state {
	JOB_WAITING,    /* its turn has not come, or the name is not known */
	JOB_CONNECTING, /* until the first byte of the request */
	JOB_SENT,
	JOB_DONE,
};

/* One request. It belongs to its client until job_finish frees it. */
struct job {
	struct job *next;
	uint64_t number; /* of the client's; never 0 */
	int attempt;     /* counts connections that were tried */
	struct http_client *client;
	enum job_state state;
	struct lws *wsi; /* its connection; the connection's opaque user data is the job */
	char *path, *authorization, *content_type;
	struct buffer body, answer;
	size_t sent; /* of body */
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
	struct job *first, *last; /* in the order in which they came */
	uint64_t jobs;            /* ever */
	int in_flight, waiting;
	/* Those that libwebsockets holds for us, busy or at rest, until it says that they are gone (LWS_CALLBACK_WSI_DESTROY). */
	struct lws *connections[HTTP_CLIENT_CONNECTIONS];
	int connection_count;
	struct loop_timer kick; /* starts what waits */
};

/* http_client_job.c --------------------------------------------------------------------------------------------- */

/* A request with a copy of all; NULL: no memory. It is not in the client's list yet. */
struct job *job_new(struct http_client *client, const char *path, const char *authorization, const char *content_type,
		    const void *body, size_t len, int timeout_ms, http_done done, void *user);
/* Of one that is in no list. */
void job_free(struct job *job);
/* At the end of the client's list; it waits. */
void job_add(struct job *job);
/* NULL: none waits. */
struct job *job_next_waiting(const struct http_client *client);
/* The job with that number is not over, and on that attempt still. */
int job_is_at(const struct http_client *client, uint64_t number, int attempt);
/* Its one end, by its answer, or by why if that is set; it is freed, and its connection, if that still stands, forgets it. */
void job_finish(struct job *job);
/* The same by a failure, unless there was an earlier reason. fmt: without "loop" and the client's name. */
void job_fail(struct job *job, enum http_trouble trouble, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* http_client_answer.c ------------------------------------------------------------------------------------------ */

/* The callbacks of all connections. */
const struct lws_protocols *http_client_protocols(void);

/* http_client_connect.c ----------------------------------------------------------------------------------------- */

/* As many of those that wait as may be under way. */
void http_client_start_jobs(struct http_client *client);
/* addresses_new: they are known, or can't be had. */
void http_client_addresses_known(void *user);
/* Tells of the job that libwebsockets is about to send it: the connection stands. It may be one that carried others before. */
void http_client_connected(struct job *job);
/* The job's connection broke, and has forgotten it. It goes on over another, or is over and gone. */
void http_client_broken(struct job *job, enum http_trouble trouble, const char *why);
/* An address did not take the connection in time (struct job, connecting). */
void http_client_address_is_silent(void *user);
/* libwebsockets frees that connection now. */
void http_client_forget(struct http_client *client, const struct lws *wsi);

/* http_client_words.c ------------------------------------------------------------------------------------------- */

/* Its TCP connection stands, by the kernel's word: libwebsockets does not say so before TLS does too. */
int job_is_connected(const struct job *job);
/* Where it got to when its time was over, and in words. */
enum http_trouble job_stage(const struct job *job, const char **words);
/* Its connection was closed after the handshake. lws: libwebsockets' words, about the form of what came, or about nothing; or NULL. The job
 * goes on over another connection, or is over and gone. */
void job_ended(struct job *job, struct lws *wsi, const char *lws);
/* Its connection never stood. why: libwebsockets' words, or NULL. The same. */
void job_never_stood(struct job *job, struct lws *wsi, const char *why);

#endif
