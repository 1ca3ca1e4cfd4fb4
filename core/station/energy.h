/* Energy: counts what a connector delivered from its cumulative register, for the statistics of the standard.
 *
 * The register is the truth: what it advanced since the last reading counted is delivered energy, also over a
 * restart of the gateway or a break of the line (then it counts for the day of the reading). A register that goes
 * back (reset, replaced charger) or jumps further than the connector's power allows counts nothing: it only sets the
 * new starting point, and the log says so. */
#ifndef FC_STATION_ENERGY_H
#define FC_STATION_ENERGY_H

#include <stdint.h>

#include "store/store.h"

struct connector;

struct energy_counter {
	int has_meter;    /* meter_wh is known */
	int this_run;     /* ... and was read in this run, at mono_us */
	int64_t meter_wh; /* reading counted up to */
	int64_t mono_us;
	int32_t day;        /* day that pending_wh belongs to */
	int64_t pending_wh; /* counted, not yet in the store */
	int dirty;          /* something is to be written */
};

/* The connector's cumulative register in Wh, and when it was read. FC_ENOENT unless it is GOOD. */
int energy_meter(const struct connector *connector, int64_t *wh, int64_t *mono_us);
/* Takes over where the store left off; store may be NULL. */
void energy_init(struct energy_counter *counter, struct store *store, const char *connector_id);
/* Reads the connector's "energy" point; does nothing unless it is GOOD. A change of day writes the day that ended. */
void energy_update(struct energy_counter *counter, struct store *store, const struct connector *connector);
/* The decision alone, for energy_update and for tests: a reading at (mono_us, day). power_w bounds a believable
 * advance. Returns Wh counted, or -1 when the reading only became the new starting point. */
int64_t energy_count(struct energy_counter *counter, int64_t meter_wh, int64_t mono_us, int32_t day, int power_w);
/* Wh counted but not in the store, if its day is within first..last. */
int64_t energy_pending(const struct energy_counter *counter, int32_t first, int32_t last);
/* Writes; once the caller's transaction is committed it says so by energy_written (so a failed commit loses
 * nothing). */
int energy_flush(const struct energy_counter *counter, struct store *store, const char *connector_id,
		 struct error *err);
void energy_written(struct energy_counter *counter);

#endif
