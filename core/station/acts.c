/* What an operator does to a connector: reserved, limited. */
#include <stdio.h>

#include "base/log.h"
#include "station/set.h"
#include "store/events.h"

enum { SECOND_US = 1000000 };

static int save_reservation(struct station_set *set, struct connector *c, struct error *err)
{
	return reserve_save(&c->reservation, set->store, c->config->connector_id, err);
}

static void end_reservation(struct station_set *set, struct connector *c, const char *who, const char *why)
{
	struct error err = {0};

	c->reservation = (struct reservation){0};
	/* A later start reads from its time that it is over. */
	if (save_reservation(set, c, &err))
		log_warning("station: connector %s: the end of its reservation is not kept: %s",
			    c->config->connector_id, err.text);
	(void)events_add(set->store,
			 &(struct event){.kind = EVENT_RESERVE,
					 .connector = c->config->connector_id,
					 .from = "reserved",
					 .text = why,
					 .who = who},
			 NULL);
	connector_become(set, c, connector_status_now(c));
}

void acts_watch(struct station_set *set)
{
	if (set->loop)
		(void)loop_timer_set(set->loop, &set->second, SECOND_US);
}

void acts_second(void *user)
{
	struct station_set *set = user;
	unsigned long applies = set->applies;
	int held = 0, has_moved = 0;

	/* Whoever is told may apply another configuration: the next second looks at its connectors. */
	for (int i = 0; i < set->connector_count && set->applies == applies; i++) {
		struct connector *c = &set->connectors[i].public;

		if (!c->reservation.held)
			continue;
		held = 1;
		if (reserve_is_over(&c->reservation, &has_moved)) {
			log_info("station: connector %s: its reservation is over", c->config->connector_id);
			end_reservation(set, c, NULL, "its time is over");
		} else if (has_moved) {
			(void)save_reservation(set, c, NULL);
		}
	}
	if (held)
		acts_watch(set);
}

int station_reserve(struct station_set *set, const char *connector_id, int64_t seconds, const char *note,
		    struct error *err)
{
	struct station_connector *found = connector_in(set, connector_id);
	struct connector *c = found ? &found->public : NULL;

	if (!c)
		return error_set(err, FC_ENOENT, "station: there is no connector %s", connector_id);
	struct reservation before = c->reservation;
	reserve_begin(&c->reservation, seconds, note);
	if (save_reservation(set, c, err)) {
		c->reservation = before;
		return FC_EIO;
	}
	acts_watch(set);
	connector_become(set, c, connector_status_now(c));
	return FC_OK;
}

int station_unreserve(struct station_set *set, const char *connector_id, const char *who, const char *why,
		      struct error *err)
{
	struct station_connector *found = connector_in(set, connector_id);
	struct connector *c = found ? &found->public : NULL;

	if (!c || !c->reservation.held)
		return error_set(err, FC_ENOENT, "station: connector %s is not reserved", connector_id);
	end_reservation(set, c, who, why);
	return FC_OK;
}

int station_limit(struct station_set *set, const char *connector_id, int64_t milli, struct error *err)
{
	struct station_connector *found = connector_in(set, connector_id);
	struct connector *c = found ? &found->public : NULL;
	struct device_range range;

	if (!c || !c->device || device_limit_range(c->device, &range))
		return error_set(err, FC_ENOENT, "station: connector %s can't be limited", connector_id);
	struct operator_limit before = c->limit;
	c->limit = (struct operator_limit){.held = 1, .milli = milli};
	(void)snprintf(c->limit.unit, sizeof(c->limit.unit), "%s", range.unit);
	/* Kept first: what the charger is told must not be forgotten. */
	int result = limits_save(&c->limit, set->store, connector_id, err);
	if (!result)
		result = device_cap(set->devices, c->device, c->config->number, milli, err);
	if (!result)
		return FC_OK;
	c->limit = before;
	(void)limits_save(&before, set->store, connector_id, NULL);
	return result;
}

int station_unlimit(struct station_set *set, const char *connector_id, struct error *err)
{
	struct station_connector *found = connector_in(set, connector_id);
	struct connector *c = found ? &found->public : NULL;
	struct operator_limit before;

	if (!c)
		return error_set(err, FC_ENOENT, "station: there is no connector %s", connector_id);
	before = c->limit;
	c->limit = (struct operator_limit){0};
	if (before.held && limits_save(&c->limit, set->store, connector_id, err)) {
		c->limit = before;
		return FC_EIO;
	}
	/* A charger that has no limit any more needs no release. */
	if (c->device)
		(void)device_uncap(set->devices, c->device, c->config->number, NULL);
	return FC_OK;
}
