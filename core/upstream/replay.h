/* Replay: refuses byte-identical repeats of calls that change something (protocol.md 1.9: many clients send Seq 0001
 * always, so TimeStamp and Seq alone prove nothing). One per platform; memory is fixed.
 *
 * Only envelopes whose signature was found right may be shown to replay_first, else anybody could fill the ring. */
#ifndef FC_UPSTREAM_REPLAY_H
#define FC_UPSTREAM_REPLAY_H

#include <stdint.h>

#include "upstream/envelope.h"

enum { REPLAY_ENTRIES = 256, REPLAY_DIGEST = 32 };

struct replay { /* zeroed at first */
	struct replay_entry {
		unsigned char digest[REPLAY_DIGEST]; /* SHA-256 */
		int64_t mono_ms;
		int used;
	} ring[REPLAY_ENTRIES];
	int next;
};

/* Remembers the envelope of a call of method. FC_OK the first time; FC_EEXIST when it is among the last
 * REPLAY_ENTRIES; FC_EIO. Line breaks in Data don't make a difference (the signature ignores them too). The answer to a repeat is
 * Ret 4003: its TimeStamp and Seq are used up. now_ms: clock_mono_ms(). */
int replay_first(struct replay *replay, const char *method, const struct envelope_request *request, int64_t now_ms);
/* Age of the remembered envelope in ms, -1 when it is not there (for the log). */
int64_t replay_age_ms(const struct replay *replay, const char *method, const struct envelope_request *request,
		      int64_t now_ms);

/* Judges TimeStamp against the wall clock: FC_OK when it is within window_s seconds either way, or window_s is 0 (the
 * default: protocol.md section 5, 13), or our own clock is not trusted; FC_ELIMIT outside; FC_EINVAL when it is no time.
 * Known forms: yyyyMMddHHmmss, yyyyMMddHHmm, milliseconds since 1970 (13 digits). */
int replay_time(const char *timestamp, int64_t wall, int wall_trusted, int window_s);

#endif
