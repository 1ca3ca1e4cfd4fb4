/* Sampler: looks at every connector that charges every SAMPLER_STEP_S and keeps what it sees: the last half hour in memory, step by
 * step; the mean of each minute (of the state of charge the last value) in the store, for as many days as gateway option history_days
 * says. Nothing at all is kept of a connector that does not charge.
 *
 * It belongs to the station and not to the charges: a curve is the connector's, also of a charge that nobody has ordered.
 *
 * Flash is spared: a quarter of an hour goes in one transaction, at its end and at sampler_free. Time may jump: the last half hour
 * is kept by the monotonic clock, and minutes by the wall clock, while that is to be trusted. */
#ifndef FC_STATION_SAMPLER_H
#define FC_STATION_SAMPLER_H

#include "station/station.h"
#include "store/samples.h"

enum { SAMPLER_STEP_S = 5, SAMPLER_STEPS = 360, SAMPLER_POINTS_MAX = 1000, SAMPLER_RANGE_S = 31 * 86400 };

struct sampler;

/* stations and store are borrowed. NULL when there is no memory. */
struct sampler *sampler_new(struct loop *loop, const struct station_set *stations, struct store *store,
			    struct error *err);
/* Writes what is in memory only. */
void sampler_free(struct sampler *sampler);
/* Connectors and days of a new configuration; stations must have been applied before. What is gone keeps what is in the store.
 * FC_ENOMEM. */
int sampler_apply(struct sampler *sampler, const struct config *config, struct error *err);
/* One look; the timer's work, and the tests'. */
void sampler_look(struct sampler *sampler, int64_t mono_us, int64_t wall, int is_trusted);
/* Writes the minutes of slots that are over, or (all) of those, too, that are not. */
void sampler_flush(struct sampler *sampler, int64_t wall, int all);

struct sampler_curve {
	int64_t from; /* of the first point; each stands for step_s seconds */
	int32_t step_s;
	int count;
	struct sample points[SAMPLER_POINTS_MAX]; /* means; sample_none where nothing was seen */
};
/* How it went from..to (seconds since 1970), in at most so many points: steps of SAMPLER_STEP_S or more within the last half hour, of
 * minutes or more before. FC_OK; FC_EINVAL (to is not behind from, or further than SAMPLER_RANGE_S); FC_EIO. */
int sampler_curve(const struct sampler *sampler, const char *connector_id, int64_t from, int64_t to, int points,
		  struct sampler_curve *curve);

#endif
