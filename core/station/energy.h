/* Energy: counts what a connector delivered from its cumulative register, for the statistics of the standard.
 *
 * The register is the truth: what it advanced since the last reading counted is delivered energy, also over a
 * restart of the gateway or a break of the line (then it counts for the day of the reading). A register that goes
 * back (reset, replaced charger) or jumps further than the connector's power allows (over any time: twice its nominal energy, and once a minute of
 * that and 1 kWh; over a restart: twice that of a month) counts nothing: it only sets the
 * new starting point, and the log says so; so does the first reading of another register, when a meter is attached or taken away. */
#ifndef FC_STATION_ENERGY_H
#define FC_STATION_ENERGY_H

#include <stdint.h>

#include "store/store.h"

struct connector;

/* Which register that is: "" the charger's own, "m1:2" that of the device or charger m1, number 2. */
enum { ENERGY_SOURCE = 72 };

struct energy_counter {
	char source[ENERGY_SOURCE]; /* whose register meter_wh is */
	int has_meter;              /* meter_wh is known */
	int this_run;               /* ... and was read in this run, at mono_us */
	int64_t meter_wh;           /* reading counted up to */
	int64_t mono_us;
	int64_t spare_ws;   /* W s that it may be ahead of the time */
	int32_t day;        /* day that pending_wh belongs to */
	int64_t pending_wh; /* counted, not yet in the store */
	int dirty;          /* something is to be written */
};

/* The connector's cumulative register in Wh, its meter's where it has one, and when it was read. FC_ENOENT unless it is GOOD. */
int energy_meter(const struct connector *connector, int64_t *wh, int64_t *mono_us);
/* Which register energy_meter reads. */
void energy_source(const struct connector *connector, char out[ENERGY_SOURCE]);
/* Nonzero when there is such a register at all, readable now or not. */
int energy_has(const struct connector *connector);
/* The register that a charge began with, also when the connector has another meter by now. FC_ENOENT: it is not GOOD now;
 * FC_EINVAL: there is no such register any more. */
int energy_read(const struct connector *connector, const char *source, int64_t *wh, int64_t *mono_us);
/* Takes over where the store left off; store may be NULL. FC_OK, also when it knows nothing of the connector; FC_EIO: it can't be said where,
 * and what went by since would be counted by nobody. */
int energy_init(struct energy_counter *counter, struct store *store, const char *connector_id);
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
