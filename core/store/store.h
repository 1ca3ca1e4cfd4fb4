/* Store: SQLite in WAL mode; the schema, its migrations, an integrity check at open. Written by the loop's thread
 * only. Flash is spared: callers batch what can wait. */
#ifndef FC_STORE_STORE_H
#define FC_STORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct store;

/* Opens or makes data_dir/forecourt.db. A damaged file is set aside as forecourt.db.damaged-N (never deleted), said in
 * an error line, and a new one made with all of it that can still be read. A full disk is no damage: what is there is opened.
 * NULL and *err when the folder can't be used, or a newer version wrote the file (which stays as it is). */
struct store *store_open(const char *data_dir, struct error *err);
void store_close(struct store *store);
/* From time to time, outside of any callback of this room: replaces a file that was found damaged or was taken away while it is
 * in use, as store_open does; and finds out whether what could not be written can be again. */
void store_tend(struct store *store);

struct store_health {
	int failing;       /* the last write did not go through */
	int64_t since_us;  /* monotonic: since when */
	char cause[160];   /* the last one, also when it is over; "" = there was none */
	uint64_t failures; /* writes that failed since the start ... */
	uint64_t replaced; /* ... and files set aside */
};
/* For the operator. Each change of failing is said in the log, too. */
const struct store_health *store_health(const struct store *store);
int store_begin(struct store *store, struct error *err);
/* FC_EIO: nothing of the transaction was kept. */
int store_commit(struct store *store, struct error *err);
void store_rollback(struct store *store);

/* Energy a connector delivered on a day: adds delta_wh, and remembers the meter reading it was counted up to. */
int store_energy_add(struct store *store, const char *connector_id, int32_t day, int64_t delta_wh, int64_t meter_wh,
		     struct error *err);
/* Last remembered meter reading; FC_ENOENT when there is none, FC_EIO when that can't be said. */
int store_energy_meter(struct store *store, const char *connector_id, int64_t *meter_wh);
/* Sum over days first..last inclusive; 0 when nothing is stored, FC_EIO (negative) when it can't be read. */
int64_t store_energy_sum(struct store *store, const char *connector_id, int32_t first, int32_t last);

/* Small named values that survive a restart (content hash of a station's data and when it changed ...). */
int store_value_set(struct store *store, const char *key, const char *value, struct error *err);
/* Copies into out (terminated); FC_ENOENT, FC_ELIMIT, FC_EIO. */
int store_value_get(struct store *store, const char *key, char *out, size_t size);

#endif
