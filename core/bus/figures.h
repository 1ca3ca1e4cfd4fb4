/* Figures: what a line did, unit by unit, and how full it was. No lock and no clock of its own; nothing is allocated but by
 * figures_units. For this room only. */
#ifndef FC_BUS_FIGURES_H
#define FC_BUS_FIGURES_H

#include "bus/bus.h"

/* Four a doubling, from 64 us to a minute. */
enum { FIGURES_BUCKETS = 80, FIGURES_SLOTS = 12 };

struct figures_unit {
	struct bus_unit_stats stats; /* percentiles and age are worked out when they are asked for */
	int64_t heard_us;            /* 0 never */
	uint32_t answers[FIGURES_BUCKETS];
	uint32_t sum;
};

/* Five seconds each. */
struct figures_load {
	int64_t started_us; /* of the slot that is filled now */
	uint32_t busy_us[FIGURES_SLOTS], wire_us[FIGURES_SLOTS];
	int at, full; /* slot; how many before it are full */
};

struct figures {
	struct bus_line_stats line;
	uint64_t latency_sum_us;
	struct figures_load load;
	struct figures_unit *units; /* by number, rising */
	uint32_t unit_count;
};

/* One result of the line. spent_us: the line's time that it took, wire_us: of that, on the wire. */
void figures_take(struct figures *figures, const struct bus_result *result, int64_t spent_us, int64_t wire_us);
/* The unit is asked again before its time. */
void figures_retry(struct figures *figures, uint8_t unit);
void figures_get_line(const struct figures *figures, int64_t now_us, struct bus_line_stats *out);
void figures_get_unit(const struct figures_unit *unit, int64_t now_us, struct bus_unit_stats *out);
/* NULL when it is not in the plan. */
struct figures_unit *figures_find(const struct figures *figures, uint8_t unit);
/* Room for the units of these reads: *count of them, or NULL: no memory. Freed with free(). */
struct figures_unit *figures_units(const struct bus_read *reads, uint32_t count, uint32_t *units);
/* The units of another plan; what is known of those that stay, stays. Returns the old ones, to be freed. */
struct figures_unit *figures_adopt(struct figures *figures, struct figures_unit *units, uint32_t count);

#endif
