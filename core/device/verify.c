#include "device/verify.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "device/sample.h"

/* Half of what one step of the register changes. */
static double half_a_step(const struct profile_setpoint *s, const struct point_value *values)
{
	double factor;

	if (sample_factor(&s->form, values, &factor))
		return 0;
	return fabs(s->form.scale * factor) / 2;
}

static int fits(const struct profile_setpoint *s, int64_t milli, const struct point_value *values)
{
	double within = s->verify_within > 0 ? s->verify_within : half_a_step(s, values);
	double more = (double)(values[s->verify - 1].milli - milli) / 1000;

	/* Values are kept in thousandths. */
	within += 0.0015;
	return more <= within && (s->verify_at_most || more >= -within);
}

void verify_begin(struct device *d)
{
	for (int n = 0; n < d->highest; n++)
		d->each[n].verify = (struct verify){0};
}

void verify_limit(struct device *d, int number)
{
	struct verify *v = &device_connector(d, number)->verify;

	v->since_us = 0;
	v->again = 0;
	/* That it was not taken stays said until one fits. */
	if (v->state == VERIFY_TAKEN)
		v->state = VERIFY_UNKNOWN;
}

void verify_written(struct device *d, int number, int64_t milli, int64_t now_us)
{
	struct device_connector *c = device_connector(d, number);

	/* A refresh while it is looked for does not put that off; a write of a limit that is held no more says nothing. */
	if (d->profile->setpoint.verify && !c->verify.since_us && c->is_held && c->milli == milli)
		c->verify.since_us = now_us;
}

static void tell(const struct device *d, int number, int is_taken)
{
	const struct profile_setpoint *s = &d->profile->setpoint;
	const char *unit = s->form.unit, *point = d->profile->points[s->verify - 1].name;
	double limit = (double)device_connector(d, number)->milli / 1000;
	double read = (double)device_values(d, number)[s->verify - 1].milli / 1000;

	if (is_taken)
		log_notice("device: charger %s: connector %d: the limit of %.6g %s counts now: %s reads back as %.6g",
			   d->name, number, limit, unit, point, read);
	else
		log_warning("device: charger %s: connector %d: a limit of %.6g %s was accepted, but %s reads back as "
			    "%.6g: another limit counts there, or the register is read-only",
			    d->name, number, limit, unit, point, read);
}

/* Nonzero when the limit is to be written again. */
static int look(struct device *d, int number, int64_t now_us)
{
	const struct profile_setpoint *s = &d->profile->setpoint;
	const struct point_value *values = device_values(d, number), *read = &values[s->verify - 1];
	struct verify *v = &device_connector(d, number)->verify;

	if (!v->since_us || read->quality != QUALITY_GOOD || read->is_text || read->mono_us <= v->since_us)
		return 0;
	if (fits(s, device_connector(d, number)->milli, values)) {
		if (v->state == VERIFY_NOT_TAKEN)
			tell(d, number, 1);
		*v = (struct verify){.state = VERIFY_TAKEN};
		return 0;
	}
	if (read->mono_us < v->since_us + (int64_t)s->verify_ms * 1000)
		return 0;
	v->since_us = 0;
	if (!v->again) {
		v->again = 1;
		device_connector(d, number)->slots[UPKEEP_SETPOINT].due_us = now_us;
		return 1;
	}
	if (v->state != VERIFY_NOT_TAKEN)
		tell(d, number, 0);
	v->state = VERIFY_NOT_TAKEN;
	return 0;
}

int verify_look(struct device *d, int64_t now_us)
{
	int due = 0;

	for (int i = 0; d->profile->setpoint.verify && i < d->connectors; i++)
		due |= look(d, d->numbers[i], now_us);
	return due;
}

int device_limit_state(const struct device *d, int number, struct device_limit *out)
{
	const struct profile_setpoint *s = &d->profile->setpoint;

	*out = (struct device_limit){.state = LIMIT_HELD, .unit = s->form.unit};
	if (device_limit_held(d, number, &out->milli) || device_connector(d, number)->cap.is_free)
		return FC_ENOENT;
	if (s->verify && !d->seat) {
		static const enum limit_state states[] = {
		    [VERIFY_UNKNOWN] = LIMIT_HELD, [VERIFY_TAKEN] = LIMIT_TAKEN, [VERIFY_NOT_TAKEN] = LIMIT_NOT_TAKEN};

		out->point = d->profile->points[s->verify - 1].name;
		out->state = states[device_connector(d, number)->verify.state];
		(void)device_point(d, number, s->verify - 1, &out->reads_back);
	}
	if (device_connector(d, number)->slots[UPKEEP_SETPOINT].is_off)
		out->state = LIMIT_REFUSED;
	return FC_OK;
}

const char *limit_state_name(enum limit_state state)
{
	switch (state) {
	case LIMIT_HELD:
		return "held";
	case LIMIT_TAKEN:
		return "taken";
	case LIMIT_NOT_TAKEN:
		return "not taken";
	case LIMIT_REFUSED:
		return "refused";
	}
	return "";
}
