#include "control/alarms_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/maker.h"
#include "store/events.h"

enum { LOOK_US = 1000000 };
static const int64_t fade_us = (int64_t)ALARM_FADE_S * 1000000;

/* after_s: seen for so long before it is told of. Chargers and platforms that are met for the first time need a moment. */
static const struct {
	const char *name;
	enum alarm_level level;
	const char *object_kind;
	int after_s;
} kinds[ALARM_KINDS] = {
    [ALARM_CONNECTOR_FAULT] = {"connector_fault", ALARM_ERROR, "connector", 0},
    [ALARM_CONNECTOR_OFFLINE] = {"connector_offline", ALARM_ERROR, "connector", 8},
    [ALARM_VALUE_STALE] = {"value_stale", ALARM_WARNING, "connector", 10},
    [ALARM_PLATFORM_DOWN] = {"platform_down", ALARM_ERROR, "platform", 15},
    [ALARM_OUTBOX_WAITING] = {"outbox_waiting", ALARM_WARNING, "platform", 0},
    [ALARM_ORDER_DISPUTED] = {"order_disputed", ALARM_ERROR, "platform", 0},
    [ALARM_BUS_DOWN] = {"bus_down", ALARM_ERROR, "bus", 5},
    [ALARM_BUS_ERRORS] = {"bus_errors", ALARM_WARNING, "bus", 0},
    [ALARM_UNIT_SILENT] = {"unit_silent", ALARM_ERROR, "charger", 0},
    [ALARM_CAN_BUS_OFF] = {"can_bus_off", ALARM_ERROR, "bus", 0},
    [ALARM_SCRIPT_REFUSED] = {"script_refused", ALARM_ERROR, "lua", 0},
    [ALARM_STORE_FAILING] = {"store_failing", ALARM_ERROR, "store", 0},
    [ALARM_CLOCK_UNTRUSTED] = {"clock_untrusted", ALARM_WARNING, "gateway", 0},
    [ALARM_LIMIT_NOT_TAKEN] = {"limit_not_taken", ALARM_WARNING, "connector", 0},
    [ALARM_CONFIG_PENDING] = {"config_pending", ALARM_WARNING, "config", 0},
    [ALARM_BUS_STUCK] = {"bus_stuck", ALARM_ERROR, "bus", 0},
    [ALARM_CONFIG_REFUSED] = {"config_refused", ALARM_ERROR, "config", 0},
    [ALARM_WATCHDOG_UNFED] = {"watchdog_unfed", ALARM_ERROR, "gateway", 10},
    [ALARM_STORE_FULL] = {"store_full", ALARM_ERROR, "store", 0},
};

const char *alarm_kind_name(enum alarm_kind kind)
{
	return kinds[kind].name;
}

const char *alarm_level_name(enum alarm_level level)
{
	return level == ALARM_ERROR ? "error" : "warning";
}

const char *alarm_object_kind(enum alarm_kind kind)
{
	return kinds[kind].object_kind;
}

/* The book ------------------------------------------------------------------------------------------------------------ */

static struct alarm_entry *find(struct alarms *a, const char *id)
{
	for (int i = 0; i < a->count; i++)
		if (!strcmp(a->entries[i].alarm.id, id))
			return &a->entries[i];
	return NULL;
}

/* What is told may be cut, but never within a character. */
static void copy(char *out, size_t size, const char *text)
{
	text = text ? text : "";
	size_t len = strlen(text);

	if (len >= size)
		len = size - 1;
	while (text[len] && len && ((unsigned char)text[len] & 0xC0) == 0x80)
		len--;
	memcpy(out, text, len);
	out[len] = '\0';
}

/* The words may change while it lasts: a charger finds another fault. */
static void describe(struct alarm *alarm, const struct alarm_fault *fault)
{
	copy(alarm->name, sizeof(alarm->name), fault->name ? fault->name : fault->object);
	copy(alarm->cause, sizeof(alarm->cause), fault->cause);
	alarm->key = fault->key;
	for (int i = 0; i < ALARM_ARGUMENTS; i++) {
		alarm->arguments[i].name = fault->arguments[i].name;
		copy(alarm->arguments[i].text, sizeof(alarm->arguments[i].text),
		     fault->arguments[i].name ? fault->arguments[i].text : "");
	}
}

static void date(struct alarms *a, struct alarm_entry *e)
{
	e->alarm.since_wall = clock_wall() - (a->now_us - e->alarm.since_us) / 1000000;
	e->is_dated = clock_wall_trusted();
}

static struct alarm_entry *add(struct alarms *a, const struct alarm_fault *fault, const char *id)
{
	if (a->count == ALARMS_MAX)
		return NULL;
	struct alarm_entry *e = &a->entries[a->count++];
	*e = (struct alarm_entry){.alarm = {.kind = fault->kind, .level = kinds[fault->kind].level, .count = 1}};
	copy(e->alarm.id, sizeof(e->alarm.id), id);
	copy(e->alarm.object, sizeof(e->alarm.object), fault->object);
	e->alarm.since_us = fault->since_us ? fault->since_us : a->now_us;
	date(a, e);
	return e;
}

void alarms_say(struct alarms *a, const struct alarm_fault *fault)
{
	char id[ALARM_ID], object[ALARM_OBJECT];

	copy(object, sizeof(object), fault->object);
	(void)snprintf(id, sizeof(id), "%s%s%s", kinds[fault->kind].name, *object ? ":" : "", object);
	struct alarm_entry *e = find(a, id);
	if (e && e->seen_us == a->now_us)
		return;
	if (!e)
		e = add(a, fault, id);
	if (!e) {
		a->left_out++;
		return;
	}
	if (e->alarm.is_fading) {
		e->alarm.is_fading = 0;
		e->alarm.count += e->is_told ? 1 : 0;
	}
	e->seen_us = a->now_us;
	describe(&e->alarm, fault);
}

/* Into the list of what happened: it began, or it is over. */
static void keep(const struct alarms *a, const struct alarm *alarm, int is_over)
{
	char text[ALARM_NAME + ALARM_CAUSE + 64];
	int is_connector = !strcmp(kinds[alarm->kind].object_kind, "connector");
	int64_t lasted_s = (a->now_us - alarm->since_us) / 1000000;

	if (is_over && alarm->count > 1)
		(void)snprintf(text, sizeof(text), "%s: %s; over after %lld s, %u times", alarm->name, alarm->cause,
			       (long long)lasted_s, alarm->count);
	else if (is_over)
		(void)snprintf(text, sizeof(text), "%s: %s; over after %lld s", alarm->name, alarm->cause,
			       (long long)lasted_s);
	else
		(void)snprintf(text, sizeof(text), "%s: %s", alarm->name, alarm->cause);
	(void)events_add(a->sources.store,
			 &(struct event){.kind = EVENT_ALARM,
					 .connector = is_connector ? alarm->object : NULL,
					 .from = is_over ? kinds[alarm->kind].name : NULL,
					 .to = is_over ? NULL : kinds[alarm->kind].name,
					 .text = text},
			 NULL);
}

/* Nonzero when it goes. */
static int review(struct alarms *a, struct alarm_entry *e)
{
	if (!e->is_dated && clock_wall_trusted())
		date(a, e);
	if (e->seen_us != a->now_us) {
		/* Who was never told of need not be taken back. */
		if (!e->is_told || a->now_us - e->seen_us >= fade_us)
			return 1;
		e->alarm.is_fading = 1;
		return 0;
	}
	if (e->is_told || a->now_us - e->alarm.since_us < (int64_t)kinds[e->alarm.kind].after_s * 1000000)
		return 0;
	e->is_told = 1;
	log_debug("control: alarm: %s: %s", e->alarm.id, e->alarm.cause);
	keep(a, &e->alarm, 0);
	if (a->hooks.began)
		a->hooks.began(a->hooks.user, &e->alarm);
	return 0;
}

static int compare(const void *x, const void *y)
{
	const struct alarm *a = &((const struct alarm_entry *)x)->alarm, *b = &((const struct alarm_entry *)y)->alarm;

	if (a->level != b->level)
		return a->level == ALARM_ERROR ? -1 : 1;
	if (a->since_us != b->since_us)
		return a->since_us < b->since_us ? -1 : 1;
	return strcmp(a->id, b->id);
}

static void end(struct alarms *a, const struct alarm_entry *e)
{
	if (!e->is_told)
		return;
	log_debug("control: alarm: %s: over", e->alarm.id);
	keep(a, &e->alarm, 1);
	if (a->hooks.ended)
		a->hooks.ended(a->hooks.user, &e->alarm);
}

void alarms_look(struct alarms *a, int64_t now_us)
{
	int kept = 0;

	/* Two looks at the same moment could not be told apart. */
	a->now_us = now_us > a->now_us ? now_us : a->now_us + 1;
	a->left_out = 0;
	alarms_look_around(a);
	for (int i = 0; i < a->source_count; i++)
		a->more[i].fn(a->more[i].user, a, a->now_us);
	for (int i = 0; i < a->count; i++) {
		struct alarm_entry *e = &a->entries[i];

		if (review(a, e)) {
			end(a, e);
			continue;
		}
		if (kept != i)
			a->entries[kept] = *e;
		kept++;
	}
	a->count = kept;
	qsort(a->entries, (size_t)kept, sizeof(a->entries[0]), compare);
	if (a->left_out && !a->said_left_out)
		log_warning("control: %d alarms more than there is room for", a->left_out);
	a->said_left_out = a->left_out > 0;
}

static void on_tick(void *user)
{
	struct alarms *a = user;

	alarms_look(a, clock_mono_us());
	(void)loop_timer_set(a->loop, &a->tick, LOOK_US);
}

struct alarms *alarms_new(struct loop *loop, const struct control_sources *sources, const struct alarms_hooks *hooks,
			  struct error *err)
{
	struct alarms *a = calloc(1, sizeof(*a));

	if (!a) {
		(void)error_set(err, FC_ENOMEM, "control: no memory for alarms");
		return NULL;
	}
	a->loop = loop;
	a->sources = *sources;
	a->hooks = hooks ? *hooks : (struct alarms_hooks){0};
	a->tick = (struct loop_timer){.fn = on_tick, .user = a};
	if (loop && loop_timer_set(loop, &a->tick, LOOK_US)) {
		free(a);
		(void)error_set(err, FC_ENOMEM, "control: no memory for alarms");
		return NULL;
	}
	return a;
}

void alarms_free(struct alarms *a)
{
	if (!a)
		return;
	if (a->loop)
		loop_timer_cancel(a->loop, &a->tick);
	free(a);
}

int alarms_add_source(struct alarms *a, void (*fn)(void *user, struct alarms *alarms, int64_t now_us), void *user)
{
	if (a->source_count == ALARMS_SOURCES)
		return FC_ENOMEM;
	a->more[a->source_count].fn = fn;
	a->more[a->source_count++].user = user;
	return FC_OK;
}

void alarms_each(const struct alarms *a, void (*fn)(void *user, const struct alarm *alarm), void *user)
{
	for (int i = 0; i < a->count; i++)
		if (a->entries[i].is_told)
			fn(user, &a->entries[i].alarm);
}

int alarms_count(const struct alarms *a, enum alarm_level level)
{
	int n = 0;

	for (int i = 0; i < a->count; i++)
		n += a->entries[i].is_told && a->entries[i].alarm.level == level;
	return n;
}

int alarms_left_out(const struct alarms *a)
{
	return a->left_out;
}

struct value *alarm_tree(const struct alarm *alarm, struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *o = value_object(arena), *arguments = NULL;

	maker_text(&m, o, "level", alarm_level_name(alarm->level));
	maker_text(&m, o, "kind", alarm_kind_name(alarm->kind));
	maker_text(&m, o, "object_kind", alarm_object_kind(alarm->kind));
	maker_text(&m, o, "object", alarm->object);
	maker_text(&m, o, "name", alarm->name);
	maker_int(&m, o, "since", alarm->since_wall);
	maker_text(&m, o, "cause", alarm->cause);
	maker_text(&m, o, "key", alarm->key);
	for (int i = 0; i < ALARM_ARGUMENTS && alarm->arguments[i].name; i++) {
		if (!arguments)
			arguments = value_object(arena);
		maker_text(&m, arguments, alarm->arguments[i].name, alarm->arguments[i].text);
	}
	if (arguments)
		maker_put(&m, o, "args", arguments);
	if (alarm->count > 1)
		maker_int(&m, o, "count", alarm->count);
	return m.failed ? NULL : o;
}
