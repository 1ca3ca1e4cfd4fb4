/* Trace: how the energy of one charge came over time, so that it can be priced again later with other prices (forecourt lua
 * replay). A bounded list of points, kept in memory while the charge runs and written into its order once it has ended.
 *
 * Start, end and the borders between tariff periods are exact, so the same prices make the same order to the fen. Between them
 * points are thinned evenly when the room is used up: energy between two points is taken as even. */
#ifndef FC_CHARGE_TRACE_H
#define FC_CHARGE_TRACE_H

#include "charge/split.h"

enum { TRACE_POINTS = 300 };

struct trace_point {
	int32_t s;  /* seconds since the start of metering, rising */
	int32_t wh; /* delivered up to then, never falling */
};

struct trace {
	int count;      /* 0: there is none */
	int parts;      /* borders of the split that are in it */
	int32_t step_s; /* points that are not exact are this far apart, at least */
	struct trace_point points[TRACE_POINTS];
	unsigned char exact[TRACE_POINTS];
};

/* Takes over what the split has learnt: after each reading, and when a charge is taken up again. A trace that is empty begins with
 * the borders of the parts so far. */
void trace_follow(struct trace *trace, const struct split *split);
/* Nonzero when it is a trace of just this split. */
int trace_fits(const struct trace *trace, const struct split *split);
/* The trace split anew, by another tariff. start_wall: of the old split. */
void trace_split(const struct trace *trace, const struct tariff *tariff, int64_t start_wall, struct split *out);
/* The same for an order of a time before there were traces: energy taken as even within each of its parts. */
void trace_from_parts(struct trace *trace, const struct split *split);

#endif
