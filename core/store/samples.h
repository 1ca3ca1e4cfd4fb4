/* Samples: how power, voltage, current and state of charge of a connector went, a value a minute. What was not measured is
 * unknown, and minutes of a connector that did not charge are not there at all.
 *
 * A row is a quarter of an hour of a connector: some 60 bytes while it charges. Who writes does it for all connectors in one
 * transaction (samples_put is called within it); rows of the same quarter stand side by side, so that few pages are written. */
#ifndef FC_STORE_SAMPLES_H
#define FC_STORE_SAMPLES_H

#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

enum { SAMPLE_MINUTES = 15, SAMPLE_UNKNOWN = INT32_MIN };

struct sample {
	int32_t power_w;    /* kept to 10 W */
	int32_t voltage_dv; /* 0.1 V */
	int32_t current_da; /* 0.1 A */
	int32_t soc_e1;     /* 0.1 % */
};
extern const struct sample sample_none; /* all unknown */
int sample_is_none(const struct sample *sample);

/* Minutes of a wall clock are counted since 1970, slots in SAMPLE_MINUTES of them. */
/* Adds what is known of a slot to what is there already (a restart, a clock that was put back). FC_OK, FC_EIO. */
int samples_put(struct store *store, const char *connector_id, int32_t slot,
		const struct sample minutes[SAMPLE_MINUTES], struct error *err);
/* Each minute first..last of which something is known, the oldest first. A row that is damaged is passed over. Returns how many, or
 * FC_EIO. */
int samples_each(struct store *store, const char *connector_id, int32_t first, int32_t last,
		 void (*fn)(void *user, int32_t minute, const struct sample *sample), void *user);
/* Drops slots before and behind these: behind lies what a clock that was wrong has left. Within the caller's transaction or alone.
 * FC_OK, FC_EIO. */
int samples_keep(struct store *store, int32_t first_slot, int32_t last_slot, struct error *err);

#endif
