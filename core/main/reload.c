#include "main/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "charge/policy.h"
#include "device/device.h"
#include "upstream/mapping.h"

enum { ORIGIN_SIZE = 80 };

struct reload_call {
	struct reload_call *next;
	int with_config;
	char origin[ORIGIN_SIZE];
	reload_done done;
	void *user;
};

struct reload {
	struct script_host *host;
	struct shelf *shelf;
	struct reload_hooks hooks;
	struct reload_call *waiting; /* for the next one */
	struct reload_call *served;  /* by the one under way; busy while there is one */
	struct config *next;         /* of the one under way, or NULL: scripts only */
	int touched;
	int quiet; /* nobody but the watch has asked: what was told before is not told again */
	char origin[ORIGIN_SIZE];
	struct error refused; /* of the configuration, before anything was loaded */
	int loaded;           /* the shelf's items are of this reload */
	struct loop *loop;
	struct loop_timer again;
	struct reload_figures figures;
};

const char *reload_outcome_name(enum reload_outcome outcome)
{
	switch (outcome) {
	case RELOAD_SAME:
		return "same";
	case RELOAD_TAKEN:
		return "taken";
	case RELOAD_KEPT:
		return "kept";
	}
	return "unknown";
}

/* What a configuration needs ------------------------------------------------------------------------------------------ */

struct wants {
	struct shelf_want *list;
	int count;
};

static void want(struct wants *wants, const struct shelf_kind *kind, const char *name, const char *space)
{
	if (!*name)
		return;
	for (int i = 0; i < wants->count; i++)
		if (wants->list[i].kind == kind && !strcmp(wants->list[i].name, name) &&
		    !strcmp(wants->list[i].space, space))
			return;
	wants->list[wants->count++] = (struct shelf_want){kind, name, space};
}

static int list_wants(const struct config *config, struct wants *wants)
{
	size_t most =
	    (size_t)config_unit_count(config) + (size_t)config->station_count + 2 * (size_t)config->platform_count;

	*wants = (struct wants){.list = calloc(most + 1, sizeof(struct shelf_want))};
	if (!wants->list)
		return FC_ENOMEM;
	for (int i = 0; i < config_unit_count(config); i++)
		want(wants, &profile_kind, config_unit(config, i).profile, "");
	for (int i = 0; i < config->station_count; i++)
		want(wants, &policy_kind, config->stations[i].policy, "");
	for (int i = 0; i < config->platform_count; i++) {
		const struct config_platform *p = &config->platforms[i];

		want(wants, &policy_kind, p->policy, "");
		if (p->enabled)
			want(wants, &mapping_kind, p->mapping, p->name);
	}
	return FC_OK;
}

struct script_limits reload_limits(const struct config *config)
{
	return (struct script_limits){.memory = (size_t)config->gateway.lua_memory_kb * 1024,
				      .instructions = config->gateway.lua_steps,
				      .time_ms = config->gateway.lua_time_ms};
}

/* The end of a reload --------------------------------------------------------------------------------------------------- */

static void begin(struct reload *r);

static void begin_later(void *user)
{
	struct reload *r = user;

	if (!r->served && r->waiting)
		begin(r);
}

static enum reload_outcome outcome_of(const struct shelf_item *item, int in_force)
{
	switch (item->state) {
	case SHELF_SAME:
		return RELOAD_SAME;
	case SHELF_LOADED:
		return in_force ? RELOAD_TAKEN : RELOAD_KEPT;
	case SHELF_FAILED:
		return RELOAD_KEPT;
	}
	return RELOAD_KEPT;
}

/* Whoever is told may ask again at once: that is for the next one. */
static void tell_callers(struct reload *r, const struct reload_result *result)
{
	while (r->served) {
		struct reload_call *call = r->served;
		struct reload_result own = *result;

		if (call->with_config && r->refused.code && !own.code) {
			own.code = r->refused.code;
			own.error = r->refused.text;
		}
		r->served = call->next;
		if (call->done)
			call->done(call->user, &own);
		free(call);
	}
}

/* err: why nothing was put in force; its code FC_OK when it was. */
static void finish(struct reload *r, const struct error *err, int64_t pause_us)
{
	struct reload_result result = {
	    .origin = r->origin, .code = err->code, .error = err->text, .pause_us = pause_us};
	const struct shelf_item *items = shelf_items(r->shelf, &result.count);
	struct reload_item *list = r->loaded ? calloc((size_t)result.count + 1, sizeof(*list)) : NULL;

	if (!list)
		result.count = 0;
	for (int i = 0; i < result.count; i++) {
		list[i] = (struct reload_item){.kind = items[i].kind->name,
					       .folder = items[i].kind->folder,
					       .name = items[i].name,
					       .space = items[i].space,
					       .outcome = outcome_of(&items[i], !err->code),
					       .hash = items[i].hash,
					       .error = items[i].error};
		result.taken += list[i].outcome == RELOAD_TAKEN;
		result.kept += list[i].outcome == RELOAD_KEPT;
	}
	result.items = list;
	result.load_us = r->loaded ? shelf_load_us(r->shelf) : 0;
	r->figures.reloads++;
	r->figures.taken += (uint64_t)result.taken;
	r->figures.kept += (uint64_t)result.kept;
	r->figures.refused += err->code || r->refused.code;
	config_free(r->next);
	r->next = NULL;
	shelf_drop(r->shelf);
	tell_callers(r, &result);
	free(list);
	/* Not at once: the loop has a turn for what it is there for. */
	if (r->waiting && loop_timer_set(r->loop, &r->again, 0))
		begin(r);
}

static void finish_all_refused(struct reload *r, const struct error *why)
{
	if (r->next)
		log_error("main: reload: refused, the running configuration stays: %s", why->text);
	else
		log_error("main: reload: nothing was changed: %s", why->text);
	finish(r, why, 0);
}

/* The swap ---------------------------------------------------------------------------------------------------------------- */

static void say_kept(const struct reload *r, const struct shelf_item *item)
{
	if (item->again && r->quiet)
		return;
	log_error("main: reload: %s %s: %s%.12s%s: %s", item->kind->name, item->name,
		  item->running ? "version " : "can't be taken", item->running ? item->hash : "",
		  item->running ? " stays in force" : "", item->error);
}

static void say_taken(const struct shelf_item *item)
{
	log_notice("main: reload: %s %s: new version %.12s in force%s%s%s", item->kind->name, item->name, item->hash,
		   *item->space ? " (" : "", item->space, *item->space ? ")" : "");
}

/* What the file alone can't know. */
static void check_against(struct reload *r, const struct config *config)
{
	int count;
	const struct shelf_item *items = shelf_items(r->shelf, &count);

	for (int i = 0; i < count; i++) {
		struct error why = {0};

		if (items[i].state == SHELF_LOADED && items[i].kind == &profile_kind &&
		    profile_fits(items[i].object, config, &why))
			shelf_refuse(r->shelf, i, &why);
	}
}

static const struct shelf_item *first_in(const struct reload *r, enum shelf_state state)
{
	int count;
	const struct shelf_item *items = shelf_items(r->shelf, &count);

	for (int i = 0; i < count; i++)
		if (items[i].state == state)
			return &items[i];
	return NULL;
}

/* All rooms as they were before. */
static void go_back(struct reload *r, int with_config)
{
	struct error err = {0};

	shelf_withdraw(r->shelf);
	if ((with_config && r->hooks.apply(r->hooks.user, r->hooks.running(r->hooks.user), &err)) ||
	    r->hooks.swap(r->hooks.user, &err))
		log_error("main: reload: going back failed: %s", err.text);
}

static void after_swap(struct reload *r, int64_t begun_us)
{
	int count;
	const struct shelf_item *items = shelf_items(r->shelf, &count);
	int changed = r->next != NULL;

	for (int i = 0; i < count; i++) {
		if (items[i].state == SHELF_LOADED) {
			say_taken(&items[i]);
			changed = 1;
		} else if (items[i].state == SHELF_FAILED) {
			say_kept(r, &items[i]);
		} else if (items[i].again) {
			log_notice("main: reload: %s %s: good again, as version %.12s that is in force",
				   items[i].kind->name, items[i].name, items[i].hash);
		}
	}
	if (!changed)
		return;
	if (r->next) {
		struct config *next = r->next;

		r->next = NULL;
		r->hooks.adopt(r->hooks.user, next, r->touched);
	}
	r->hooks.accepted(r->hooks.user, r->origin);
	r->figures.load_us = shelf_load_us(r->shelf);
	r->figures.pause_us = clock_mono_us() - begun_us;
	if (r->figures.pause_us > r->figures.longest_pause_us)
		r->figures.longest_pause_us = r->figures.pause_us;
}

/* What a room went on without is more than another version of something: a charger comes into being. */
static int has_lacked(const struct reload *r)
{
	int count;
	const struct shelf_item *items = shelf_items(r->shelf, &count);

	for (int i = 0; i < count; i++)
		if (items[i].state == SHELF_LOADED && items[i].lacking)
			return 1;
	return 0;
}

/* The thread is done: on the loop, between two events. */
static void on_ready(void *user)
{
	struct reload *r = user;
	struct error err = {0};
	int with_config = r->next && r->touched;
	int64_t begun = clock_mono_us();

	r->loaded = 1;
	check_against(r, r->next ? r->next : r->hooks.running(r->hooks.user));
	const struct shelf_item *bad = first_in(r, SHELF_FAILED);
	if (with_config && bad) {
		(void)error_set(&err, FC_EINVAL, "%s", bad->error);
		finish_all_refused(r, &err);
		return;
	}
	/* The same configuration as the running one, and a script that stays as it was: the files alone count. */
	if (bad && r->next) {
		config_free(r->next);
		r->next = NULL;
	}
	int result = FC_OK;
	if (first_in(r, SHELF_LOADED) || r->next) {
		result = shelf_put_forward(r->shelf);
		if (result)
			(void)error_set(&err, result, "main: no memory");
		/* With another configuration the rooms take the scripts as they take that. */
		if (!result && !with_config && !has_lacked(r))
			result = r->hooks.swap(r->hooks.user, &err);
		if (!result && (r->next || has_lacked(r)))
			result =
			    r->hooks.apply(r->hooks.user, r->next ? r->next : r->hooks.running(r->hooks.user), &err);
		if (result)
			go_back(r, r->next != NULL || has_lacked(r));
		else
			shelf_accept(r->shelf);
	}
	if (result) {
		finish_all_refused(r, &err);
		return;
	}
	after_swap(r, begun);
	finish(r, &err, clock_mono_us() - begun);
}

/* The beginning ------------------------------------------------------------------------------------------------------------ */

/* Who asked, each word once. */
static void add_origin(struct reload *r, const char *origin)
{
	size_t n = strlen(r->origin);

	if (!strstr(r->origin, origin) && n + 2 + strlen(origin) < sizeof(r->origin))
		(void)snprintf(r->origin + n, sizeof(r->origin) - n, "%s%.60s", n ? ", " : "", origin);
}

static void begin(struct reload *r)
{
	struct error err = {0};
	struct wants wants = {0};
	int with_config = 0, others = 0;

	r->served = r->waiting;
	r->waiting = NULL;
	r->origin[0] = '\0';
	r->quiet = 1;
	r->touched = 0;
	r->loaded = 0;
	r->refused = (struct error){0};
	for (const struct reload_call *call = r->served; call; call = call->next) {
		with_config |= call->with_config;
		others |= !call->with_config;
		add_origin(r, call->origin);
		r->quiet &= !strcmp(call->origin, "file");
	}
	if (with_config) {
		r->next = r->hooks.read(r->hooks.user, &r->touched, &err);
		r->refused = err;
		if (!r->next)
			log_error("main: reload: refused, the running configuration stays: %s", err.text);
		if (!r->next && !others) {
			finish(r, &err, 0);
			return;
		}
	}
	const struct config *config = r->next ? r->next : r->hooks.running(r->hooks.user);
	const struct script_limits limits = r->host->limits;
	int result = list_wants(config, &wants);
	/* Under the limits that are to be: others mean that all is loaded again. The shelf has its own copy from here on. */
	r->host->limits = reload_limits(config);
	if (!result)
		result = shelf_want(r->shelf, wants.list, wants.count);
	r->host->limits = limits;
	free(wants.list);
	if (!result)
		return;
	(void)error_set(&err, result, "main: no memory");
	finish_all_refused(r, &err);
}

struct reload_call *reload_request(struct reload *r, int with_config, const char *origin, reload_done done, void *user)
{
	struct reload_call *call = calloc(1, sizeof(*call));
	struct reload_call **last = &r->waiting;

	if (!call) {
		log_error("main: reload: no memory");
		return NULL;
	}
	call->with_config = with_config;
	call->done = done;
	call->user = user;
	(void)snprintf(call->origin, sizeof(call->origin), "%s", origin);
	while (*last)
		last = &(*last)->next;
	*last = call;
	/* Never during the call: who asks gets the handle before the answer. */
	if (!r->served && loop_timer_set(r->loop, &r->again, 0)) {
		*last = NULL;
		free(call);
		return NULL;
	}
	return call;
}

void reload_forget(struct reload_call *call)
{
	if (call)
		call->done = NULL;
}

int reload_first(struct reload *r, const struct config *config, struct error *err)
{
	struct wants wants = {0};
	int result = list_wants(config, &wants);

	r->host->limits = reload_limits(config);
	if (!result)
		result = shelf_load(r->shelf, wants.list, wants.count);
	free(wants.list);
	if (!result) {
		check_against(r, config);
		if (r->hooks.replace)
			r->hooks.replace(r->hooks.user, r->shelf, config);
		result = shelf_put_forward(r->shelf);
	}
	if (result)
		return error_set(err, result, "main: no memory");
	shelf_accept(r->shelf);
	return FC_OK;
}

struct reload *reload_new(struct loop *loop, struct script_host *host, const struct reload_hooks *hooks,
			  struct error *err)
{
	struct reload *r = calloc(1, sizeof(*r));

	if (!r) {
		(void)error_set(err, FC_ENOMEM, "main: no memory");
		return NULL;
	}
	r->loop = loop;
	r->host = host;
	r->hooks = *hooks;
	r->again = (struct loop_timer){.fn = begin_later, .user = r};
	r->shelf = shelf_new(loop, host, on_ready, r, err);
	if (!r->shelf) {
		free(r);
		return NULL;
	}
	host->shelf = r->shelf;
	return r;
}

static void free_calls(struct reload_call *list)
{
	while (list) {
		struct reload_call *next = list->next;

		free(list);
		list = next;
	}
}

void reload_free(struct reload *r)
{
	if (!r)
		return;
	loop_timer_cancel(r->loop, &r->again);
	r->host->shelf = NULL;
	shelf_free(r->shelf);
	free_calls(r->waiting);
	free_calls(r->served);
	config_free(r->next);
	free(r);
}

void reload_get_figures(const struct reload *r, struct reload_figures *figures)
{
	*figures = r->figures;
	figures->scripts_refused = shelf_refused_count(r->shelf);
}
