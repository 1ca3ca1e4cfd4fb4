#include "device/cap.h"

#include <math.h>
#include <string.h>

static int64_t milli_of(double value)
{
	return llround(value * 1000);
}

int cap_has_steps(const struct profile *p)
{
	for (int i = 0; i < p->step_count; i++)
		if (p->steps[i].kind == STEP_LIMIT || p->steps[i].kind == STEP_PAUSE)
			return 1;
	return 0;
}

/* Without an operator's limit. */
int64_t cap_full(const struct device *d, int number)
{
	const struct profile_setpoint *s = &d->profile->setpoint;

	if (device_connector(d, number)->cap.has_base)
		return device_connector(d, number)->cap.base;
	return milli_of(s->has_initial ? s->initial : s->max);
}

int cap_is_running(const struct device *d, int number)
{
	const struct cap *c = &device_connector(d, number)->cap;

	return c->stepped ? c->has_base : device_status(d, number) == CONNECTOR_CHARGING;
}

int64_t cap_step(struct device *d, int number, int64_t milli)
{
	struct cap *c = &device_connector(d, number)->cap;

	c->stepped = c->has_base = 1;
	c->base = milli;
	c->is_told = 1;
	return c->used && c->milli < milli ? c->milli : milli;
}

void cap_pause(struct device *d, int number)
{
	struct cap *c = &device_connector(d, number)->cap;

	c->stepped = 1;
	c->has_base = 0;
}

int cap_due(struct device *d, int number, int64_t *milli)
{
	struct cap *c = &device_connector(d, number)->cap;

	if (!c->used || c->is_told || !cap_is_running(d, number))
		return 0;
	c->is_told = 1;
	*milli = c->milli < cap_full(d, number) ? c->milli : cap_full(d, number);
	return 1;
}

void cap_drop(struct device *d)
{
	for (int n = 0; n < d->highest; n++)
		d->each[n].cap = (struct cap){0};
}
