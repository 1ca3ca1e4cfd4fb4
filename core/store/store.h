/* Store: SQLite in WAL mode; the schema, its migrations, an integrity check at open. Written by the loop's thread
 * only. Flash is spared: callers batch what can wait. */
#ifndef FC_STORE_STORE_H
#define FC_STORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct store;

/* Opens or makes data_dir/forecourt.db. A damaged file is set aside as forecourt.db.damaged-N (never deleted), said in
 * an error line, and a new one begun. NULL and *err when the folder can't be used. */
struct store *store_open(const char *data_dir, struct error *err);
void store_close(struct store *store);
int store_begin(struct store *store, struct error *err);
/* FC_EIO: nothing of the transaction was kept. */
int store_commit(struct store *store, struct error *err);
void store_rollback(struct store *store);

/* Energy a connector delivered on a day: adds delta_wh, and remembers the meter reading it was counted up to. */
int store_energy_add(struct store *store, const char *connector_id, int32_t day, int64_t delta_wh, int64_t meter_wh,
		     struct error *err);
/* Last remembered meter reading; FC_ENOENT when there is none. */
int store_energy_meter(struct store *store, const char *connector_id, int64_t *meter_wh);
/* Sum over days first..last inclusive; 0 when nothing is stored. */
int64_t store_energy_sum(struct store *store, const char *connector_id, int32_t first, int32_t last);

/* Small named values that survive a restart (content hash of a station's data and when it changed ...). */
int store_value_set(struct store *store, const char *key, const char *value, struct error *err);
/* Copies into out (terminated); FC_ENOENT, FC_ELIMIT. */
int store_value_get(struct store *store, const char *key, char *out, size_t size);

#endif
