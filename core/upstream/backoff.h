/* Back-off: when a platform is tried again, so that the stations of a fleet that lost it at one moment do not come back at one moment.
 *
 * Each pause is spread upwards by up to half of itself, by dice of this peer's own: never sooner than configured or than the standard
 * allows, and after a few tries nobody keeps step with anybody. A platform that says that it has too much to do is left alone: by all
 * messages at once, for as long as it asks for (Retry-After, RFC 9110 10.2.3), else for retry_s, and twice as long each time that it
 * says so again. */
#ifndef FC_UPSTREAM_BACKOFF_H
#define FC_UPSTREAM_BACKOFF_H

#include <stdint.h>

enum {
	BACKOFF_REST_MOST_S = 600,   /* of what grows by itself; retry_s where that is more */
	BACKOFF_ASKED_MOST_S = 3600, /* of what a platform asks for: orders wait behind it */
	BACKOFF_CROWDED = 4,         /* answers 502, 503, 504 in a row: not one method's trouble, but the platform's */
};

struct backoff {
	uint64_t dice;
	int crowded;      /* answers in a row that said so */
	int rests;        /* rests since it last took something */
	int64_t until_ms; /* of the rest, by the monotonic clock; 0 = none yet */
};

/* seed: another for each process of a fleet; backoff_seed() is. */
void backoff_init(struct backoff *backoff, uint64_t seed);
uint64_t backoff_seed(void);

/* pause_ms to one and a half of it, each as likely. */
int64_t backoff_spread_ms(struct backoff *backoff, int64_t pause_ms);

/* An answer of HTTP status status (0: none came, which says nothing). retry_after_s: what it asks for; 0 = nothing. 429 and whatever asks
 * begin a rest at once, 502, 503 and 504 when BACKOFF_CROWDED come in a row; any other answer ends the row. Returns in how many
 * ms the next call may be made when a rest begins with this answer, else 0. */
int64_t backoff_answered(struct backoff *backoff, int status, int64_t retry_after_s, int64_t retry_ms, int64_t now_ms);

/* What is left of the rest; 0 = calls may be made. */
int64_t backoff_left_ms(const struct backoff *backoff, int64_t now_ms);

#endif
