/* Platform state: what one platform is to us, shared by the files of this room that serve it: platform.c owns the
 * set, server.c answers its calls, client.c calls it. Nobody outside core/upstream/ includes this.
 *
 * A platform has two directions and may have only one: `listen` and our keys make it a caller that we answer, their
 * keys make it one that we push to. */
#ifndef FC_UPSTREAM_PLATFORM_STATE_H
#define FC_UPSTREAM_PLATFORM_STATE_H

#include <stdint.h>

#include "base/json_read.h"
#include "charge/charge.h"
#include "config/config.h"
#include "loop/loop.h"
#include "station/station.h"
#include "upstream/calls.h"
#include "upstream/codec.h"
#include "upstream/envelope.h"
#include "upstream/icomm.h"
#include "upstream/mapping.h"
#include "upstream/replay.h"
#include "upstream/token.h"

struct client;
struct conformance;
struct platform_bodies;

enum {
	PLATFORM_TIMES = 1024,          /* durations kept for the 99th percentile */
	PLATFORM_MESSAGE_MAX = 4 << 20, /* bytes of an outgoing body: an answer, a push */
	PLATFORM_MEMORY_MAX = 24 << 20, /* of the trees of one message while it is worked on */
	PLATFORM_ERROR_SIZE = 160,
};

/* Somebody who sees every call that has ended; the first member of a larger struct. */
struct platform_watcher {
	void (*saw)(struct platform_watcher *watcher, const struct call *call, const char *why,
		    const struct platform_bodies *bodies);
	/* The platform ends, its client has ended. */
	void (*free)(struct platform_watcher *watcher);
};

/* How long answering took, for the mean over all and the percentile of the last PLATFORM_TIMES. */
struct platform_times {
	uint32_t last_us[PLATFORM_TIMES];
	uint64_t count, sum_us;
};
void platform_times_add(struct platform_times *times, int64_t us);
uint32_t platform_times_mean(const struct platform_times *times);
uint32_t platform_times_p99(const struct platform_times *times);

/* rate_per_s calls a second, as a bucket that fills steadily; after a second's rest a second's worth may come at once. */
struct platform_rate {
	int64_t filled_ms; /* 0 = never used: full */
	int64_t level_e3;  /* thousandths of a call */
};
/* Nonzero when one more call is allowed now, and then it is counted. */
int platform_rate_take(struct platform_rate *rate, int rate_per_s, int64_t now_ms);

/* In how many ms one more will be allowed; 0 = now. */
int64_t platform_rate_wait_ms(const struct platform_rate *rate, int rate_per_s);

struct platform_counters {
	uint64_t status_pushed, status_accepted, status_discarded, push_failed, push_superseded;
	uint64_t info_pushed, stats_pushed;
	uint64_t answered, refused;
};

struct platform {
	struct loop *loop;
	struct json_reader *reader;            /* the set's: everything happens on one thread */
	const struct station_set *stations;    /* borrowed */
	struct charge_set *charges;            /* borrowed; NULL: no business, nothing of Iserv is answered or sent */
	struct store *store;                   /* borrowed; the outbox, with charges */
	const struct config *config;           /* borrowed, moved on by every apply */
	const struct config_platform *options; /* within config */
	struct mapping *mapping;               /* owned; NULL changes nothing (tests) */

	struct recorder *recorder;        /* borrowed: the set's; NULL = nothing is recorded */
	struct calls *calls;              /* borrowed: the set's; NULL as well */
	struct platform_watcher *watcher; /* owned; sees every call. NULL = nobody */
	struct conformance *conformance;  /* the watcher, where it is a run; NULL = none yet */

	struct platform *hub; /* borrowed: holds the tokens of both directions; itself where nothing lies between */

	/* They call us. */
	struct envelope_keys ours;
	struct token_server tokens;
	struct replay replay;
	struct held *held; /* answers that wait for a result (sync.h) */
	struct platform_rate rate;
	struct platform_rate plain_rate; /* of calls that prove nothing: they must not use up the proven ones' */
	struct platform_times times;

	/* We call them. */
	struct envelope_keys theirs;
	struct client *client; /* owned; NULL when there is nothing to call with */

	struct platform_counters counters;
	char last_error[PLATFORM_ERROR_SIZE]; /* of pushing; "" since the last success */
	const char *error_key;                /* its kind, a literal: peer_judge.h; NULL without one */
	int64_t last_error_wall;              /* when it came last */
	int64_t since_wall;                   /* since when calls go through, or don't; 0: there was none yet */
};

/* A platform that answers but does not push yet (client_new makes it push). mapping is taken over, also on failure.
 * NULL and *err, FC_EINVAL for unusable secrets. */
struct platform *platform_new(struct loop *loop, const struct station_set *stations, struct json_reader *reader,
			      const struct config *config, const struct config_platform *options,
			      struct mapping *mapping, struct error *err);
/* Lets the watcher go, if there is one. It may stop a charge with that, of which every platform is told. */
void platform_unwatch(struct platform *platform);
/* Ends its client first; wipes the secrets. */
void platform_free(struct platform *platform);
/* Nonzero when their keys are there, so that we can call it; when ours are there, so that we can be called. */
int platform_can_push(const struct config_platform *options);
int platform_can_answer(const struct config_platform *options);

/* Nonzero unless its mapping has this form of an order switched off; option iserv may have gone since the charge began. */
int platform_sends_order(const struct platform *platform, const char *method);

/* The bodies of a call as they were decrypted, before any mapping; NULL = there was none, or it could not be read. */
struct platform_bodies {
	const char *request, *answer;
	size_t request_len, answer_len;
	int sig_ok; /* of their answer */
};
/* Notes a call that has ended; why: in words, not masked yet, or NULL. platform and why of *call are filled in. Returns its id. */
uint64_t platform_called(struct platform *platform, struct call *call, const char *why,
			 const struct platform_bodies *bodies);

/* Views for the files below. */
struct codec platform_codec(const struct platform *platform);
struct icomm platform_view(const struct platform *platform);
struct envelope_form platform_form(const struct platform *platform);

#endif
