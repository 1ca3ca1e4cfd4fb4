#include "charge/durable.h"

#include "base/clock.h"
#include "base/log.h"
#include "charge/told.h"
#include "store/versions.h"

enum { RECIPIENTS = 64, NOT_NOTED = -1 };
/* After a power cut the register says what was delivered meanwhile; a note only tells in which period. */
static const int64_t note_period_us = 900000000;
/* Of the others whose last note is older than this one goes along: a transaction costs pages of flash whatever is in it. */
static const int64_t note_along_us = 600000000;
static const int64_t complain_period_us = 60000000;

/* What the order refers to stays in the store as long as people may ask. */
static void note_versions(const struct charge *c)
{
	int64_t now = clock_wall();

	version_used(c->conductor->store, c->order->tariff.version, now);
	version_used(c->conductor->store, c->order->profile_version, now);
}

static int do_open(void *user, const struct journal_order *entry, struct error *err)
{
	struct charge *c = user;

	int result = journal_open(c->conductor->store, entry, err);
	if (!result)
		note_versions(c);
	return result;
}

/* The journal holds no such open order any more: its file was damaged, and this was on the part that is lost. What runs has all
 * of it in memory, and makes it anew. */
static int if_lost(struct charge *c, int result)
{
	if (result == FC_ENOENT)
		c->durable = 0;
	return result;
}

static int do_note(void *user, const struct journal_order *entry, struct error *err)
{
	struct charge *c = user;

	return if_lost(c, journal_note(c->conductor->store, entry, err));
}

static int do_close(void *user, const struct journal_order *entry, struct error *err)
{
	struct charge *c = user;
	const struct charge_hooks *hooks = &c->conductor->hooks;
	struct journal_recipient list[RECIPIENTS];
	/* What never began is no order to anyone; energy is, whatever was told. */
	int n = hooks->recipients && (c->order->began || entry->wh)
		    ? hooks->recipients(hooks->user, c->order, c->connector, list, RECIPIENTS)
		    : 0;

	/* In the same transaction. */
	int64_t event = told_closed(c, entry, n);
	int result = journal_close(c->conductor->store, entry, list, n, err);
	if (result)
		events_forget(c->conductor->store, event);
	else
		note_versions(c);
	return if_lost(c, result);
}

int durable_open(struct charge *c, struct error *err)
{
	int result = order_record(c->order, do_open, c, err);

	c->durable = !result;
	c->noted_us = clock_mono_us();
	c->noted_parts = 0;
	return result;
}

int durable_may_complain(int64_t *told_us)
{
	int64_t now = clock_mono_us();

	if (*told_us && now - *told_us < complain_period_us)
		return 0;
	*told_us = now;
	return 1;
}

void durable_complain(struct charge *c, const char *what, const struct error *err)
{
	if (durable_may_complain(&c->complained_us))
		log_error("charge: order %s: %s, tried again: %s", c->order->seq, what, err->text);
}

void durable_note(struct charge *c)
{
	struct error err = {0};

	if (!c->order || c->closing || c->settling)
		return;
	/* A charge that began by itself while the disk was full goes on; its order is made as soon as there is room. */
	if (c->durable ? order_record(c->order, do_note, c, &err) : durable_open(c, &err)) {
		durable_complain(c, "not written", &err);
		/* As soon as there is room, not with the next quarter of an hour: it may say that a stop was accepted. */
		c->noted_parts = NOT_NOTED;
		return;
	}
	c->noted_us = clock_mono_us();
	c->noted_parts = c->order->split.count;
}

int durable_end(struct charge *c, struct error *err)
{
	int result = c->durable ? FC_OK : durable_open(c, err);

	return result ? result : order_record(c->order, do_note, c, err);
}

int durable_close(struct charge *c, struct error *err)
{
	int result = c->durable ? FC_OK : durable_open(c, err);

	return result ? result : order_record(c->order, do_close, c, err);
}

/* Nothing happened, but time went by, or a period of the tariff ended. */
static int is_stale(const struct charge *c, int64_t after_us, int64_t now)
{
	return c->order && c->durable && !c->closing && !c->settling &&
	       (now - c->noted_us >= after_us || c->noted_parts != c->order->split.count);
}

static int any_stale(const struct charge *first, int64_t now)
{
	for (const struct charge *c = first; c; c = c->next)
		if (is_stale(c, note_period_us, now))
			return 1;
	return 0;
}

void durable_note_stale(struct charge *first)
{
	struct error err = {0};
	/* One time for all of it: nobody becomes stale between the writing and what is noted of it. */
	int64_t now = clock_mono_us();

	if (!any_stale(first, now))
		return;
	int result = store_begin(first->conductor->store, &err);
	if (!result) {
		for (struct charge *c = first; c && !result; c = c->next) {
			result = is_stale(c, note_along_us, now) ? order_record(c->order, do_note, c, &err) : FC_OK;
			/* The journal has lost it: made anew with the next look at it. It holds up none. */
			if (result == FC_ENOENT)
				result = FC_OK;
		}
		if (result)
			store_rollback(first->conductor->store);
		else
			result = store_commit(first->conductor->store, &err);
	}
	for (struct charge *c = first; c; c = c->next) {
		if (!is_stale(c, note_along_us, now))
			continue;
		if (result) {
			durable_complain(c, "not written", &err);
			continue;
		}
		c->noted_us = now;
		c->noted_parts = c->order->split.count;
	}
}
