/* Inside of the sampler: what sampler.c (looks and writes) and sampler_curve.c (tells) share. Nobody else includes this. */
#ifndef FC_STATION_SAMPLER_INSIDE_H
#define FC_STATION_SAMPLER_INSIDE_H

#include "loop/loop.h"
#include "station/sampler.h"

enum { ID_SIZE = 64, WAITING_SLOTS = 4, MINUTE_S = 60, VALUES = 4, SAMPLER_STEP_US = SAMPLER_STEP_S * 1000000 };

/* A value that changed, and lasts until the next. */
struct change {
	uint32_t step; /* of the monotonic clock, in SAMPLER_STEP_S */
	struct sample sample;
};

/* A quarter of an hour that is not in the store yet. */
struct slot {
	int32_t number; /* 0 = free */
	struct sample minutes[SAMPLE_MINUTES];
};

/* What was seen of a connector that charged. Two pages of memory, had from the start and taken by the first sample; half an hour after
 * the last one they are given back (usage.h): of a thousand connectors they are 8 MB. */
struct past {
	/* The last half hour: a ring. */
	struct change changes[SAMPLER_STEPS];
	int first, count;
	struct slot slots[WAITING_SLOTS];
};

struct curve {
	char id[ID_SIZE];
	int busy;
	int kept; /* something stands in past */
	struct past *past;
	/* The minute of now. */
	int32_t minute;
	int64_t sum[VALUES];
	int32_t seen[VALUES];
};

struct sampler {
	struct loop *loop;
	const struct station_set *stations;
	struct store *store;
	struct curve **curves; /* in the configuration's order */
	int count, days;
	int32_t written_minute; /* when it was looked last whether something is to be written */
	int32_t kept_day;       /* when old slots were dropped last */
	int64_t told_us, started_us;
	/* A clock that jumped is believed again after an hour: one that is wrong must not cost the history. */
	int64_t offset_s, steady_us, looked_us;
	struct loop_timer timer;
};

/* The values of a sample by number: the last is the state of charge. */
int32_t sampler_value(const struct sample *s, int i);
/* A sample of means; what was never seen is unknown. */
struct sample sampler_mean(const int64_t sum[VALUES], const int32_t seen[VALUES]);
const struct change *sampler_change(const struct curve *c, int i);
int sampler_find(const struct sampler *sampler, const char *id);

#endif
