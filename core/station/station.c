#include "station/station.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "station/describe.h"
#include "station/energy.h"
#include "station/point.h"
#include "station/set.h"
#include "store/events.h"

/* Statistics may lose nothing but need no second-by-second writing: flash is spared. */
static const int64_t flush_interval_us = (int64_t)900 * 1000000;

static void flush_due(void *user)
{
	struct station_set *set = user;

	station_set_flush(set);
	(void)loop_timer_set(set->loop, &set->flush_timer, flush_interval_us);
}

struct station_set *station_set_new(struct loop *loop, struct store *store, struct error *err)
{
	struct station_set *set = calloc(1, sizeof(*set));

	if (!set) {
		(void)error_set(err, FC_ENOMEM, "station: no memory");
		return NULL;
	}
	set->loop = loop;
	set->store = store;
	set->flush_timer = (struct loop_timer){.fn = flush_due, .user = set};
	set->second = (struct loop_timer){.fn = acts_second, .user = set};
	if (loop && loop_timer_set(loop, &set->flush_timer, flush_interval_us)) {
		(void)error_set(err, FC_ENOMEM, "station: timer: no memory");
		free(set);
		return NULL;
	}
	return set;
}

void station_set_free(struct station_set *set)
{
	if (!set)
		return;
	station_set_flush(set);
	if (set->loop)
		loop_timer_cancel(set->loop, &set->flush_timer);
	if (set->loop)
		loop_timer_cancel(set->loop, &set->second);
	free(set->connectors);
	free(set->by_device);
	free(set->by_id);
	free(set->changed_wall);
	free(set);
}

static void tell(struct station_set *set, const struct station_event *event)
{
	struct station_listener *next;

	/* A listener may leave while it is told. */
	for (struct station_listener *l = set->listeners; l; l = next) {
		next = l->next;
		l->fn(l->user, event);
	}
}

void station_listen(struct station_set *set, struct station_listener *listener)
{
	listener->next = set->listeners;
	set->listeners = listener;
}

void station_unlisten(struct station_set *set, struct station_listener *listener)
{
	for (struct station_listener **at = &set->listeners; *at; at = &(*at)->next) {
		if (*at != listener)
			continue;
		*at = listener->next;
		return;
	}
}

static int compare_places(const struct listener_at *x, const struct listener_at *y)
{
	if (x->device != y->device)
		return (uintptr_t)x->device < (uintptr_t)y->device ? -1 : 1;
	return x->number - y->number;
}

static int compare_by_device(const void *a, const void *b)
{
	return compare_places(a, b);
}

static int compare_by_id(const void *a, const void *b, void *set_)
{
	const struct station_set *set = set_;

	return strcmp(set->connectors[*(const int *)a].public.config->connector_id,
		      set->connectors[*(const int *)b].public.config->connector_id);
}

struct station_connector *connector_in(const struct station_set *set, const char *id)
{
	int low = 0, high = set->connector_count - 1;

	while (low <= high) {
		int middle = low + (high - low) / 2;
		struct station_connector *c = &set->connectors[set->by_id[middle]];
		int order = strcmp(id, c->public.config->connector_id);

		if (!order)
			return c;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The first of those that a device's number is something to; count when there is none. */
static int find_by_device(const struct station_set *set, const struct listener_at *what)
{
	int low = 0, high = set->by_device_count;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (compare_places(&set->by_device[middle], what) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void connector_become(struct station_set *set, struct connector *c, enum connector_status status)
{
	enum connector_status before = c->status;

	if (before == status)
		return;
	c->status = status;
	c->status_wall = clock_wall();
	c->status_mono_us = clock_mono_us();
	c->changes++;
	/* That a connector is idle after a start is no news; that it is anything else is. */
	if (c->changes > 1 || status != CONNECTOR_IDLE)
		(void)events_add(set->store,
				 &(struct event){.kind = EVENT_STATUS,
						 .connector = c->config->connector_id,
						 .from = connector_status_name(before),
						 .to = connector_status_name(status)},
				 NULL);
	log_info("station: connector %s: %s -> %s", c->config->connector_id, connector_status_name(before),
		 connector_status_name(status));
	tell(set, &(struct station_event){.kind = STATION_CONNECTOR_STATUS, .connector = c, .before = before});
}

enum connector_status connector_status_now(const struct connector *c)
{
	enum connector_status status = c->device ? device_status(c->device, c->config->number) : CONNECTOR_OFFLINE;

	return status == CONNECTOR_IDLE && c->reservation.held ? CONNECTOR_RESERVED : status;
}

void station_set_device_changed(void *station_set, struct device *device, int number)
{
	struct station_set *set = station_set;
	const struct listener_at what = {.device = device, .number = number};
	unsigned long applies = set->applies;

	for (int i = find_by_device(set, &what); i < set->by_device_count && !compare_places(&set->by_device[i], &what);
	     i++) {
		const struct listener_at *at = &set->by_device[i];
		struct station_connector *c = &set->connectors[at->connector];

		if (at->from != CONNECTOR_OF_BMS)
			energy_update(&c->energy, set->store, &c->public);
		if (at->from == CONNECTOR_OF_CHARGER)
			connector_become(set, &c->public, connector_status_now(&c->public));
		/* Whoever was told has applied another configuration: these are others now. */
		if (set->applies != applies)
			return;
	}
}

static struct connector_source find_source(struct device_set *devices, const struct config_source *source)
{
	if (!devices || !source->name || !*source->name)
		return (struct connector_source){NULL, 0};
	return (struct connector_source){device_find(devices, source->name), source->number};
}

static void add_place(struct station_set *set, int connector, enum connector_from from, struct connector_source source)
{
	if (source.device)
		set->by_device[set->by_device_count++] =
		    (struct listener_at){source.device, source.number, connector, from};
}

static void find_devices(struct station_set *set)
{
	set->by_device_count = 0;
	for (int i = 0; i < set->connector_count; i++) {
		struct connector *c = &set->connectors[i].public;

		c->devices = set->devices;
		c->device = set->devices ? device_find(set->devices, c->charger->name) : NULL;
		c->meter = find_source(set->devices, &c->config->meter_source);
		c->bms = find_source(set->devices, &c->config->bms_source);
		add_place(set, i, CONNECTOR_OF_CHARGER, (struct connector_source){c->device, c->config->number});
		add_place(set, i, CONNECTOR_OF_METER, c->meter);
		add_place(set, i, CONNECTOR_OF_BMS, c->bms);
	}
	qsort(set->by_device, (size_t)set->by_device_count, sizeof(*set->by_device), compare_by_device);
}

/* What was counted, reserved and limited before we ran. FC_EIO: nobody can say. */
static int take_up(struct station_connector *c, struct store *store, const char *connector_id)
{
	int result = energy_init(&c->energy, store, connector_id);

	if (!result)
		result = reserve_load(&c->public.reservation, store, connector_id);
	return result ? result : limits_load(&c->public.limit, store, connector_id);
}

/* Fills next from the configuration; a connector that was there before keeps its state and its counters. FC_OK, FC_EIO. */
static int fill_connectors(struct station_set *next, const struct station_set *old)
{
	const struct config *config = next->config;

	for (int i = 0; i < next->connector_count; i++) {
		struct station_connector *c = &next->connectors[i];
		const struct config_connector *cc = &config->connectors[i];
		const struct config_charger *charger = &config->chargers[cc->charger];
		const struct station_connector *before = old->config ? connector_in(old, cc->connector_id) : NULL;

		if (before)
			*c = *before;
		else if (take_up(c, next->store, cc->connector_id))
			return FC_EIO;
		c->public.config = cc;
		c->public.charger = charger;
		c->public.station = &config->stations[charger->station];
		next->by_id[i] = i;
	}
	find_devices(next);
	qsort_r(next->by_id, (size_t)next->connector_count, sizeof(int), compare_by_id, next);
	return FC_OK;
}

static void free_lists(const struct station_set *set)
{
	free(set->connectors);
	free(set->by_device);
	free(set->by_id);
	free(set->changed_wall);
}

static void refresh_statuses(struct station_set *set)
{
	unsigned long applies = set->applies;

	for (int i = 0; i < set->connector_count && set->applies == applies; i++) {
		struct connector *c = &set->connectors[i].public;

		limits_settle(c);
		if (c->reservation.held)
			acts_watch(set);
		connector_become(set, c, connector_status_now(c));
	}
}

int station_set_apply(struct station_set *set, const struct config *config, struct device_set *devices,
		      struct error *err)
{
	struct station_set next = *set;
	size_t connectors = (size_t)config->connector_count + 1; /* never an allocation of nothing */

	next.config = config;
	next.devices = devices;
	next.connector_count = config->connector_count;
	next.connectors = calloc(connectors, sizeof(*next.connectors));
	next.by_device = calloc(3 * connectors, sizeof(*next.by_device));
	next.applies++;
	next.by_id = calloc(connectors, sizeof(int));
	next.changed_wall = calloc((size_t)config->station_count + 1, sizeof(int64_t));
	if (!next.connectors || !next.by_device || !next.by_id || !next.changed_wall) {
		free_lists(&next);
		return error_set(err, FC_ENOMEM, "station: no memory for %d connectors", config->connector_count);
	}
	/* A connector that goes leaves its counted energy behind. */
	station_set_flush(set);
	if (fill_connectors(&next, set)) {
		free_lists(&next);
		return error_set(err, FC_EIO, "station: what a connector has counted can't be read");
	}
	int changed = describe_changes(config, set->store, next.changed_wall);
	struct station_set old = *set;
	*set = next;
	free_lists(&old);
	refresh_statuses(set);
	if (changed)
		tell(set, &(struct station_event){.kind = STATION_INFO_CHANGED});
	return FC_OK;
}

void station_set_devices_replaced(void *station_set)
{
	struct station_set *set = station_set;

	if (!set->config)
		return;
	set->applies++;
	find_devices(set);
	refresh_statuses(set);
}

const struct config *station_set_config(const struct station_set *set)
{
	return set->config;
}

int station_connector_count(const struct station_set *set)
{
	return set->connector_count;
}

const struct connector *station_connector_at(const struct station_set *set, int index)
{
	return index >= 0 && index < set->connector_count ? &set->connectors[index].public : NULL;
}

const struct connector *station_connector_find(const struct station_set *set, const char *connector_id)
{
	struct station_connector *c = connector_in(set, connector_id);

	return c ? &c->public : NULL;
}

int64_t station_changed_wall(const struct station_set *set, int station)
{
	if (!set->config || station < 0 || station >= set->config->station_count)
		return 0;
	return set->changed_wall[station];
}

int64_t station_energy_wh(const struct station_set *set, const char *connector_id, int32_t first, int32_t last)
{
	struct station_connector *c = connector_in(set, connector_id);
	int64_t sum = set->store ? store_energy_sum(set->store, connector_id, first, last) : 0;

	if (sum < 0)
		return FC_EIO;
	return sum + (c ? energy_pending(&c->energy, first, last) : 0);
}

void station_set_flush(struct station_set *set)
{
	struct error err = {0};
	int open = 0;

	if (!set->store)
		return;
	for (int i = 0; i < set->connector_count; i++) {
		struct station_connector *c = &set->connectors[i];

		if (!c->energy.dirty)
			continue;
		if (!open && store_begin(set->store, &err))
			break;
		open = 1;
		if (energy_flush(&c->energy, set->store, c->public.config->connector_id, &err))
			break;
	}
	if (open && !err.code && !store_commit(set->store, &err)) {
		for (int i = 0; i < set->connector_count; i++)
			energy_written(&set->connectors[i].energy);
		return;
	}
	if (open && err.code)
		store_rollback(set->store);
	if (err.code)
		log_error("station: statistics: not written, kept in memory: %s", err.text);
}
