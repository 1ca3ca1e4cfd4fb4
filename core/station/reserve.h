/* Reserve: a connector kept for somebody until a time. Durable; counted by the monotonic clock while we run, so that a clock that is
 * stepped changes nothing; by the wall clock over a restart, and never for longer than was asked for. */
#ifndef FC_STATION_RESERVE_H
#define FC_STATION_RESERVE_H

#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

enum { STATION_RESERVE_MAX_S = 86400, STATION_RESERVE_NOTE = 64 };

struct reservation {
	int held;
	int64_t until_wall; /* as people read it */
	int64_t until_us;   /* monotonic: what counts */
	int64_t seconds;    /* how long it was asked for */
	int is_dated;       /* until_wall was made by a clock that is set; else it is put right when the clock is */
	char note[STATION_RESERVE_NOTE];
};

/* A new one from now on. */
void reserve_begin(struct reservation *reservation, int64_t seconds, const char *note);
/* As the store left it, or none; store may be NULL. FC_OK; FC_EIO: that can't be said. */
int reserve_load(struct reservation *reservation, struct store *store, const char *connector_id);
/* Durable when it returns FC_OK. */
int reserve_save(const struct reservation *reservation, struct store *store, const char *connector_id,
		 struct error *err);
/* Time has passed: nonzero when it is over. *has_moved: its wall time is another one now, since the clock was set. */
int reserve_is_over(struct reservation *reservation, int *has_moved);

#endif
