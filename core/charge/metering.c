#include "charge/metering.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "charge/durable.h"

void metering_pin(struct charge *c)
{
	struct order *o = c->order;

	o->meter[0] = '\0';
	if (c->connector)
		energy_source(c->connector, o->meter);
	/* What went by since then is not this charge's (unseen.c): it is counted from what is read next. */
	o->has_idle = c->has_idle && !c->remembered && !strcmp(c->idle_source, o->meter);
	o->idle_wh = o->has_idle ? c->idle_wh : 0;
}

static void use_reading(struct charge *c, int64_t wh, int64_t read_us)
{
	int64_t wall = c->anchor_wall + (read_us - c->anchor_mono_us) / 1000000;
	unsigned before = c->order->split.repairs;

	c->order->split.away = c->away;
	c->away = 0;
	(void)split_reading(&c->order->split, &c->order->tariff, wall, wh, c->connector->config->power_w);
	trace_follow(&c->order->trace, &c->order->split);
	c->read_us = read_us;
	if (c->order->split.repairs & ~before & (SPLIT_RESET | SPLIT_JUMP))
		log_warning("charge: order %s: the energy register jumped to %lld Wh", c->order->seq, (long long)wh);
}

/* The register that it was counted by is gone. Durable at once: the old source and the new number would make energy. */
static void take_over(struct charge *c)
{
	char source[ENERGY_SOURCE];
	int64_t wh, read_us;

	energy_source(c->connector, source);
	if (!strcmp(source, c->order->meter) || energy_meter(c->connector, &wh, &read_us))
		return;
	log_warning("charge: order %s: %s is gone: counted by %s from now on", c->order->seq,
		    *c->order->meter ? c->order->meter : "the charger's register", *source ? source : "the charger");
	(void)snprintf(c->order->meter, sizeof(c->order->meter), "%s", source);
	if (!c->order->split.unread)
		split_register(&c->order->split, wh);
	use_reading(c, wh, read_us);
	durable_note(c);
}

int64_t metering_status_us(const struct charge *c)
{
	return c->connector && c->connector->device
		   ? device_status_read(c->connector->device, c->connector->config->number)
		   : 0;
}

/* Nothing flowed when it was read, nor, it seems, since the reading before; yet the register went on: a charge that was over before anyone looked, or
 * what the charger showed late of the last one (unseen.c). */
static int is_more_than_creeping(const struct charge *c)
{
	return c->has_idle && c->idle_us && !strcmp(c->idle_source, c->seen_source) &&
	       c->seen_wh - c->idle_wh > METERING_CREEP_WH;
}

/* What was read first of all is the best that is known. Else a status that is older than the reading does not say whether current flowed by then:
 * a meter of its own shows the begin of a charge before its charger does, and where status and register are read one after
 * another, so may they. */
static void take_seen(struct charge *c)
{
	int64_t status_us = metering_status_us(c);

	if (!c->seen_us || (c->has_idle && status_us && status_us < c->seen_us))
		return;
	if (is_more_than_creeping(c)) {
		c->remembered = 1;
		c->remembered_wall = clock_wall() - (clock_mono_us() - c->idle_us) / 1000000;
		c->remembered_us = c->idle_us;
	} else {
		c->has_idle = 1;
		c->idle_wh = c->seen_wh;
		c->idle_us = c->seen_us;
		(void)snprintf(c->idle_source, sizeof(c->idle_source), "%s", c->seen_source);
	}
	c->seen_us = 0;
}

static void look_at_idle(struct charge *c)
{
	char source[ENERGY_SOURCE];
	int64_t wh, read_us;

	/* A reading waits for the next status, also when there are newer ones by then. */
	take_seen(c);
	if (c->seen_us || energy_meter(c->connector, &wh, &read_us) || read_us <= c->read_us)
		return;
	energy_source(c->connector, source);
	/* From there on is still to be looked for (unseen.c). */
	if (c->remembered && !strcmp(source, c->idle_source))
		return;
	c->seen_wh = wh;
	c->seen_us = read_us;
	(void)snprintf(c->seen_source, sizeof(c->seen_source), "%s", source);
	take_seen(c);
}

/* The end is known, but the disk has not taken it yet: what comes now is another's, of the charge that began meanwhile or, when that is
 * over, too, nobody's. */
static void look_past_end(struct charge *c)
{
	enum connector_status status = c->connector->status;
	int64_t wh, read_us;

	if (status == CONNECTOR_CHARGING || status == CONNECTOR_OFFLINE ||
	    energy_read(c->connector, c->order->meter, &wh, &read_us) || read_us <= c->read_us)
		return;
	c->passed |= wh != c->order->split.last_register_wh;
}

void metering_look(struct charge *c)
{
	int64_t wh, read_us;

	if (!c->connector)
		return;
	if (!c->order || !c->order->metered || c->settling) {
		/* Off line nobody knows whether current flows: a meter of its own may count what nobody ordered (unseen.c). */
		if (c->connector->status != CONNECTOR_CHARGING && c->connector->status != CONNECTOR_OFFLINE)
			look_at_idle(c);
		return;
	}
	if (c->closing && c->closing_wall) {
		look_past_end(c);
		return;
	}
	/* What flowed while the gateway was off has its time, and its prices, once the clock is set. An end does not wait for that. */
	if (c->away && !c->timed && !c->closing)
		return;
	int result = energy_read(c->connector, c->order->meter, &wh, &read_us);
	if (result == FC_EINVAL)
		take_over(c);
	else if (!result && read_us > c->read_us)
		use_reading(c, wh, read_us);
}

/* A charger that is gone as it is told to start, and charges meanwhile: what its register shows first when it is back is more than this moment
 * can have brought, and no more than the time since it was last seen. */
static int is_of_meanwhile(const struct charge *c, int64_t wh, int64_t read_us)
{
	int64_t delta = wh - c->order->idle_wh, seconds = (read_us - c->idle_us) / 1000000;

	return c->order->has_idle && c->idle_us && delta > SPLIT_SLACK_WH &&
	       delta <= c->connector->config->power_w * seconds / 3600 * 2 + SPLIT_SLACK_WH;
}

void metering_begin(struct charge *c)
{
	struct order *o = c->order;
	int64_t wh = 0, read_us = 0, now = conduct_now(c);
	int readable = c->connector && !energy_read(c->connector, o->meter, &wh, &read_us);

	c->seen_us = 0;
	o->metered = 1;
	o->start_wall = now;
	split_begin(&o->split, &o->tariff, now, o->has_idle ? o->idle_wh : wh);
	o->split.unread = !o->has_idle && !readable;
	/* Whatever is read first is where it starts: that is not to be put off. */
	if (o->split.unread)
		c->away = 0;
	if (!readable)
		return;
	if (is_of_meanwhile(c, wh, read_us))
		c->away = 1;
	use_reading(c, wh, read_us);
}

static void remember(struct charge *c, int64_t wall)
{
	c->remembered = 1;
	c->remembered_wall = wall;
	/* Whatever is read after the last reading that the order has tells of it. */
	c->remembered_us = c->read_us;
}

int metering_is_behind(const struct charge *c)
{
	return c->ended_us && c->read_us && c->read_us < c->ended_us;
}

void metering_rest(struct charge *c)
{
	struct order *o = c->order;
	int64_t wh, read_us;
	int passed = c->passed;

	c->passed = 0;
	c->seen_us = 0;
	if (!o->metered)
		return;
	/* Never read: all that the register shows more than was known before it went by unseen (unseen.c). */
	if (o->split.unread) {
		if (c->has_idle && !c->remembered)
			remember(c, o->start_wall);
		return;
	}
	c->has_idle = 1;
	c->idle_wh = o->split.last_register_wh;
	c->idle_us = c->read_us;
	(void)snprintf(c->idle_source, sizeof(c->idle_source), "%s", o->meter);
	c->remembered = 0;
	/* A meter that was silent at the end, or was not read since: so did what it shows more then. */
	if (c->connector && (passed || metering_is_behind(c) || c->connector->status == CONNECTOR_OFFLINE ||
			     energy_read(c->connector, o->meter, &wh, &read_us)))
		remember(c, o->end_wall);
}

void metering_rest_again(struct charge *c)
{
	if (!c->order->metered || c->order->split.unread)
		return;
	c->has_idle = c->remembered = 1;
	c->idle_wh = c->order->split.last_register_wh;
	(void)snprintf(c->idle_source, sizeof(c->idle_source), "%s", c->order->meter);
	c->remembered_wall = c->order->end_wall;
}
