/* Energy that went by while nobody looked: the gateway was off or the charger silent, and the register shows more than at the end of the last order. Nobody
 * can be charged for it, but it must not vanish, nor fall to whoever comes next: it gets an order of its own, for nothing, told to
 * nobody. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "charge/durable.h"
#include "charge/set.h"
#include "station/energy.h"

static struct order *make_order(struct charge_set *set, const struct charge *c, int64_t wh)
{
	struct order *o = calloc(1, sizeof(*o));
	int64_t now = clock_wall();

	if (!o)
		return NULL;
	set_make_seq(set, o->seq);
	(void)snprintf(o->connector_id, sizeof(o->connector_id), "%s", c->connector_id);
	set_remember_profile(o, c->connector);
	(void)snprintf(o->meter, sizeof(o->meter), "%s", c->idle_source);
	policy_free_of_charge(c->remembered_wall, &o->tariff);
	o->start_wall = c->remembered_wall;
	/* A clock that stands before what is known already is wrong. */
	o->end_wall = now > o->start_wall ? now : o->start_wall;
	o->reason = SESSION_UNSEEN;
	o->began = o->metered = 1;
	split_begin(&o->split, &o->tariff, o->start_wall, c->idle_wh);
	o->split.away = !clock_wall_trusted() || now < o->start_wall - SPLIT_ROUNDING_S;
	(void)split_reading(&o->split, &o->tariff, o->end_wall, wh, c->connector->config->power_w);
	o->split.repairs |= SPLIT_UNSEEN;
	if (c->order)
		(void)snprintf(o->during, sizeof(o->during), "%s", c->order->seq);
	return o;
}

static int keep(void *user, const struct journal_order *entry, struct error *err)
{
	return journal_keep(user, entry, err);
}

void unseen_remember(struct charge *c)
{
	/* Its end is known already, but waits to be written: metering_rest comes back to it. */
	c->passed |= c->closing;
	/* While a car only takes the place nothing is to flow either. */
	if (!c->has_idle || (c->order && !c->settling) || c->remembered)
		return;
	c->remembered = 1;
	c->remembered_wall = clock_wall();
	c->remembered_us = clock_mono_us();
}

/* Where the register stands, or stood when the charge that runs began: what was before is nobody's. FC_OK; FC_ENOENT: not known yet;
 * FC_EINVAL: nobody will ever know. */
static int read_now(const struct charge *c, int64_t *wh)
{
	const struct order *o = c->order;
	int64_t read_us;

	if (!o || !o->metered) {
		/* A meter of its own is read while the charger is still away. */
		if (c->connector->status == CONNECTOR_OFFLINE)
			return FC_ENOENT;
		int result = energy_read(c->connector, c->idle_source, wh, &read_us);

		return !result && read_us <= c->remembered_us ? FC_ENOENT : result;
	}
	/* By now its energy is in there, too. */
	if (strcmp(o->meter, c->idle_source) != 0)
		return FC_EINVAL;
	*wh = o->split.start_register_wh;
	return o->split.unread ? FC_ENOENT : FC_OK;
}

void unseen_look(struct charge *c)
{
	int64_t wh;
	struct error err = {0};

	if (!c->remembered || c->settling || !c->connector)
		return;
	int result = read_now(c, &wh);
	if (result == FC_EINVAL) {
		log_warning("charge: connector %s: %s can't be looked at any more, which stood at %lld Wh at the end "
			    "of the last order",
			    c->connector_id, c->idle_source, (long long)c->idle_wh);
		c->remembered = c->has_idle = 0;
	}
	if (result)
		return;
	struct order *o = wh > c->idle_wh ? make_order(c->conductor->user, c, wh) : NULL;
	int is_short = wh > c->idle_wh && !o, wants = o && o->split.total_wh > 0;
	if (is_short || (wants && order_record(o, keep, c->conductor->store, &err))) {
		/* Tried again until it is written: nothing that runs counts from before it. */
		if (durable_may_complain(&c->unseen_told_us))
			log_error("charge: connector %s: %lld Wh went by unseen, not written, tried again: %s",
				  c->connector_id, (long long)(wh - c->idle_wh), is_short ? "no memory" : err.text);
		free(o);
		return;
	}
	if (wants)
		log_warning("charge: order %s: connector %s: %lld Wh went by unseen", o->seq, c->connector_id,
			    (long long)o->split.total_wh);
	else if (wh != c->idle_wh)
		log_warning("charge: connector %s: the register is at %lld Wh, %lld at the end of the last order",
			    c->connector_id, (long long)wh, (long long)c->idle_wh);
	free(o);
	c->remembered = 0;
	c->unseen_told_us = 0;
	c->idle_wh = wh;
	/* A charge that has not begun to flow counts from here. */
	if (c->order && !c->order->metered && !strcmp(c->order->meter, c->idle_source)) {
		c->order->has_idle = 1;
		c->order->idle_wh = wh;
	}
}
