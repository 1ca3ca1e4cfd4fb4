#include "device/upkeep.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "device/cap.h"
#include "device/verify.h"

enum { SEND_WITHIN_MS = 5000 };
static const int64_t answer_within_us = 30000000;
static const int64_t again_us = 1000000; /* a setpoint that did not get through */
/* The condition of a keep-alive is read before it is written, if that can be had so soon. */
static const int64_t read_first_us = 10000000, look_again_us = 200000;
static const int64_t never = INT64_MAX;

static int64_t milli_of(double value)
{
	return llround(value * 1000);
}

void upkeep_begin(struct device *d, int64_t now_us)
{
	const struct profile_setpoint *s = &d->profile->setpoint;

	d->upkeep_begun_us = now_us;
	verify_begin(d);
	for (int n = 0; n < d->highest; n++)
		for (int i = 0; i < UPKEEP_PLACES; i++) {
			d->each[n].slots[i].is_off = 0;
			d->each[n].slots[i].due_us = now_us;
		}
	for (int i = 0; i < d->connectors; i++) {
		struct device_connector *c = device_connector(d, d->numbers[i]);

		if (!s->used || !s->has_initial || c->is_held)
			continue;
		c->is_held = 1;
		c->milli = milli_of(s->initial);
	}
}

/* The place of a slot in the tags of its writes, and back. */
static uint32_t tag_of(int place, int number)
{
	return (uint32_t)(place * PROFILE_CONNECTORS_MAX + number - 1);
}

static int send_slot(const struct device *d, struct bus_line *line, const struct profile_write *w, int number,
		     uint32_t tag)
{
	const struct profile *p = d->profile;
	struct bus_write write = {
	    .unit = profile_unit(p, NULL, w->shared ? 1 : number, d->unit),
	    .function = w->function,
	    .address = (uint16_t)profile_write_address(p, w, number),
	    .count = w->count,
	    .tag = tag,
	    .deadline_ms = SEND_WITHIN_MS,
	    .gap_ms = p->gap_ms,
	    .rest_ms = p->rest_ms,
	};

	memcpy(write.words, w->words, sizeof(w->words));
	return bus_line_write(line, &write);
}

/* The charger may say how often it wants to hear of us. from: the place of that point, from 1; 0 = none. */
static int64_t period_us(const struct device *d, int number, int from, double share, uint32_t preset_ms)
{
	const struct point_value *v = from ? &device_values(d, number)[from - 1] : NULL;

	if (!v || v->quality != QUALITY_GOOD || v->is_text || v->milli <= 0 || v->milli > 3600000)
		return (int64_t)preset_ms * 1000;
	int64_t us = (int64_t)((double)v->milli * 1000 * share);
	return us > 200000 ? us : 200000;
}

static int64_t refresh_at(const struct device *d, int number, int64_t now_us)
{
	const struct profile_setpoint *s = &d->profile->setpoint;

	return s->refresh_ms ? now_us + period_us(d, number, s->refresh_from, s->refresh_share, s->refresh_ms) : never;
}

/* Its word, when that is another point's value. 0: not known, or it fits no word. */
static int word_of(const struct device *d, const struct profile_keep_alive *k, int number, struct profile_write *write)
{
	const struct point_value *v = k->value_from ? &device_values(d, number)[k->value_from - 1] : NULL;

	*write = k->write;
	if (!v)
		return 1;
	if (v->quality != QUALITY_GOOD || v->is_text || v->milli < 0 || v->milli > 65535000)
		return 0;
	write->words[0] = (uint16_t)(v->milli / 1000);
	return 1;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Whether it is to be written at all is not known yet: what one write arms may stay armed for ever (chargers.md 4, row 33). */
static int is_unread(const struct device *d, int match, int number)
{
	return !device_values(d, number)[d->profile->matches[match - 1].point].mono_us;
}

/* One keep-alive of one connector. When it is due again. */
static int64_t run_keep_alive(struct device *d, struct bus_line *line, int place, int number, uint32_t tag,
			      int64_t now_us)
{
	const struct profile_keep_alive *k = &d->profile->keep_alives[place];
	struct upkeep_slot *slot = &device_connector(d, number)->slots[place];
	struct profile_write write;

	if (slot->is_off)
		return never;
	if (now_us < slot->due_us)
		return slot->due_us;
	slot->due_us = now_us + period_us(d, number, k->period_from, k->period_share, k->period_ms);
	/* The last one has not come through yet: another would only queue behind it. */
	if (now_us < slot->busy_until_us)
		return slot->due_us;
	if (k->unless && is_unread(d, k->unless, number) && now_us - d->upkeep_begun_us < read_first_us) {
		slot->due_us = now_us + look_again_us;
		return slot->due_us;
	}
	if (k->unless && profile_match_holds(&d->profile->matches[k->unless - 1], device_values(d, number)))
		return slot->due_us;
	if (word_of(d, k, number, &write) && !send_slot(d, line, &write, number, tag + tag_of(place, number)))
		slot->busy_until_us = now_us + answer_within_us;
	return slot->due_us;
}

static int64_t run_setpoint(struct device *d, struct bus_line *line, int number, uint32_t tag, int64_t now_us)
{
	const struct profile_setpoint *s = &d->profile->setpoint;
	struct device_connector *c = device_connector(d, number);
	struct upkeep_slot *slot = &c->slots[UPKEEP_SETPOINT];
	struct profile_write write;

	if (!c->is_held || slot->is_off)
		return never;
	if (now_us < slot->due_us)
		return slot->due_us;
	slot->due_us = refresh_at(d, number, now_us);
	if (now_us < slot->busy_until_us) {
		slot->due_us = sooner(slot->due_us, now_us + again_us);
		return slot->due_us;
	}
	if (profile_encode(s, c->milli, device_values(d, number), &write)) {
		slot->due_us = now_us + again_us;
		return slot->due_us;
	}
	if (send_slot(d, line, &write, number, tag + tag_of(UPKEEP_SETPOINT, number))) {
		slot->due_us = now_us + again_us;
		return slot->due_us;
	}
	slot->busy_until_us = now_us + answer_within_us;
	c->sent = c->milli;
	return slot->due_us;
}

int64_t upkeep_run(struct device *d, struct bus_line *line, uint32_t tag, int64_t now_us)
{
	const struct profile *p = d->profile;
	int64_t next = never;

	if (!d->online)
		return never;
	for (int k = 0; k < p->keep_alive_count; k++) {
		if (p->keep_alives[k].write.function <= 4)
			continue;
		for (int i = 0; i < (p->keep_alives[k].write.shared ? 1 : d->connectors); i++)
			next = sooner(next, run_keep_alive(d, line, k, d->numbers[i], tag, now_us));
	}
	for (int i = 0; p->setpoint.used && i < d->connectors; i++) {
		int64_t milli;

		if (cap_due(d, d->numbers[i], &milli)) {
			upkeep_note(d, d->numbers[i], milli, now_us);
			device_connector(d, d->numbers[i])->slots[UPKEEP_SETPOINT].due_us = 0;
		}
		next = sooner(next, run_setpoint(d, line, d->numbers[i], tag, now_us));
	}
	return next;
}

void upkeep_forget(struct device *d)
{
	for (int n = 0; n < d->highest; n++)
		for (int i = 0; i < UPKEEP_PLACES; i++)
			d->each[n].slots[i].busy_until_us = 0;
}

void upkeep_result(struct device *d, uint32_t tag, const struct bus_result *r)
{
	int number = (int)(tag % PROFILE_CONNECTORS_MAX) + 1;
	struct device_connector *c = device_connector(d, number);
	uint32_t place = tag / PROFILE_CONNECTORS_MAX;

	if (place >= UPKEEP_PLACES || !c)
		return;
	int is_setpoint = place == UPKEEP_SETPOINT;
	struct upkeep_slot *slot = &c->slots[place];
	slot->busy_until_us = 0;
	if (r->status == BUS_OK) {
		if (is_setpoint)
			verify_written(d, number, c->sent, clock_mono_us());
		return;
	}
	if (r->status == BUS_EXCEPTION && (r->exception == 1 || r->exception == 2)) {
		/* Not once a period for ever (chargers.md 4, row 27). */
		slot->is_off = 1;
		log_warning(
		    "device: charger %s: connector %d: refuses its %s: exception %u: not written until it comes back",
		    d->name, number, is_setpoint ? "setpoint" : "keep-alive", r->exception);
		return;
	}
	if (is_setpoint)
		slot->due_us = sooner(slot->due_us, clock_mono_us() + again_us);
}

void upkeep_note(struct device *d, int number, int64_t milli, int64_t now_us)
{
	struct device_connector *c = device_connector(d, number);

	if (!c->is_held || c->milli != milli)
		verify_limit(d, number);
	c->is_held = 1;
	c->milli = milli;
	c->slots[UPKEEP_SETPOINT].due_us = refresh_at(d, number, now_us);
}

int upkeep_hold(struct device *d, int number, int64_t milli, struct error *err)
{
	const struct profile_setpoint *s = &d->profile->setpoint;
	int known = 0;

	for (int i = 0; i < d->connectors; i++)
		known |= d->numbers[i] == number;
	if (!s->used || !known)
		return error_set(err, FC_ENOENT, "device: charger %s: connector %d: profile %s has no setpoint",
				 d->name, number, d->profile->name);
	if ((!s->has_pause || milli != milli_of(s->pause)) && (milli < milli_of(s->min) || milli > milli_of(s->max)))
		return error_set(err, FC_EINVAL, "device: charger %s: connector %d: a limit of %.3f %s is not allowed",
				 d->name, number, (double)milli / 1000, s->form.unit);
	upkeep_note(d, number, milli, clock_mono_us());
	device_connector(d, number)->slots[UPKEEP_SETPOINT].due_us = 0;
	return FC_OK;
}

int device_limit_held(const struct device *d, int number, int64_t *milli)
{
	const struct device_connector *c = device_connector(d, number);

	if (!c || !c->is_held)
		return FC_ENOENT;
	*milli = c->milli;
	return FC_OK;
}
