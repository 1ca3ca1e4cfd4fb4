/* The operator's limit of a connector, as other rooms set and see it. */
#include <math.h>

#include "device/cap.h"
#include "device/set.h"

static int64_t milli_of(double value)
{
	return llround(value * 1000);
}

static int is_allowed(const struct profile_setpoint *s, int64_t milli)
{
	return (s->has_pause && milli == milli_of(s->pause)) ||
	       (milli >= milli_of(s->min) && milli <= milli_of(s->max));
}

static int find(const struct device *d, int number, struct error *err)
{
	for (int i = 0; i < d->connectors; i++)
		if (d->numbers[i] == number && d->profile->setpoint.used)
			return FC_OK;
	return error_set(err, FC_ENOENT, "device: charger %s: connector %d: profile %s has no setpoint", d->name,
			 number, d->profile->name);
}

int device_cap(struct device_set *set, struct device *d, int number, int64_t milli, struct error *err)
{
	const struct profile_setpoint *s = &d->profile->setpoint;

	if (find(d, number, err))
		return FC_ENOENT;
	if (!is_allowed(s, milli))
		return error_set(err, FC_EINVAL, "device: charger %s: connector %d: a limit of %.3f %s is not allowed",
				 d->name, number, (double)milli / 1000, s->form.unit);
	int steps = cap_has_steps(d->profile);
	if (steps && d->seat)
		return error_set(err, FC_ENOENT,
				 "device: charger %s: the commands of profile %s set the limit themselves", d->name,
				 d->profile->name);
	if (!steps) {
		int result = device_limit(set, d, number, milli, err);

		if (result)
			return result;
	}
	struct cap *c = &device_connector(d, number)->cap;
	c->used = 1;
	c->is_free = 0;
	c->milli = milli;
	c->is_told = !steps;
	/* What is due now is seen by the next look, which this asks for. */
	if (steps)
		device_set_look(set);
	return FC_OK;
}

int device_uncap(struct device_set *set, struct device *d, int number, struct error *err)
{
	int64_t held;

	if (find(d, number, err))
		return FC_ENOENT;
	struct cap *c = &device_connector(d, number)->cap;
	if (!c->used)
		return FC_OK;
	int was_told = c->is_told;
	c->used = 0;
	c->is_told = 0;
	/* A charger that is at rest by way of its setpoint stays there. */
	if (cap_has_steps(d->profile) && !cap_is_running(d, number))
		return FC_OK;
	if (!was_told || device_limit_held(d, number, &held))
		return FC_OK;
	int result = device_limit(set, d, number, cap_full(d, number), err);
	c->is_free = !result && !c->has_base && !d->profile->setpoint.has_initial;
	return result;
}

int device_capped(const struct device *d, int number, int64_t *milli, int *is_waiting)
{
	const struct device_connector *c = device_connector(d, number);

	if (!c || !c->cap.used)
		return FC_ENOENT;
	*milli = c->cap.milli;
	*is_waiting = !c->cap.is_told;
	return FC_OK;
}

int device_limit_range(const struct device *d, struct device_range *out)
{
	const struct profile_setpoint *s = &d->profile->setpoint;

	if (!s->used || (d->seat && cap_has_steps(d->profile)))
		return FC_ENOENT;
	*out = (struct device_range){.unit = s->form.unit,
				     .min_milli = milli_of(s->min),
				     .max_milli = milli_of(s->max),
				     .has_pause = s->has_pause,
				     .pause_milli = milli_of(s->pause)};
	return FC_OK;
}
