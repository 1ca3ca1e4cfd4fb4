/* For the tests of core/control: a real store and the fixture's station, over a charge room and platforms that only note what
 * they were told. Included by one file of each test program. */
#ifndef FC_TESTS_CONTROL_FIXTURE_H
#define FC_TESTS_CONTROL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "bus/trace.h"
#include "control/command.h"
#include "folder.h"
#include "store/journal_list.h"
#include "upstream/mapping.h"
#include "upstream_fixture.h"

enum { FIXTURE_ORDERS = 45 };

/* The rooms that are noted, and what they answer. */
static struct {
	int starts, stops, wakes;
	struct charge_request request;
	char stopped[JOURNAL_SEQ], woken[64];
	enum charge_refusal refusal;
	struct order *running; /* at C11 */
	platform_checked checked;
	void *checked_user;
	int32_t checked_day;
	struct recorder *recorder;
	/* The Lua: one mapping, loaded again by its reload, which may be told to wait. */
	struct script_host host;
	struct mapping *mapping;
	char origin[80];
	int is_slow;
	control_reloaded reloaded;
	void *reloaded_user;
	/* What was asked on the line last. */
	device_asked asked;
	void *asked_user;
	int asks, is_write, line_is_full;
	struct bus_read read;
	struct bus_write write;
	struct device *device; /* of unit 1 */
	struct bus_trace *trace;
	/* Unlocks under way. */
	device_command_done unlocked;
	void *unlocked_user;
	int unlocks, is_waiting;
} world;

struct sources *device_set_sources(const struct device_set *set, int index)
{
	(void)set, (void)index;
	return NULL;
}

struct sources *charge_set_sources(const struct charge_set *set, int index)
{
	(void)set, (void)index;
	return NULL;
}

struct sources *platform_set_sources(const struct platform_set *set, int index)
{
	(void)set;
	return world.mapping && !index ? mapping_sources(world.mapping) : NULL;
}

static void world_load(control_reloaded done, void *user)
{
	struct error err = {0};
	const char *refusals[] = {err.text};
	struct mapping *mapping = mapping_load(&world.host, "m", "city", &err);

	if (mapping) {
		mapping_free(world.mapping);
		world.mapping = mapping;
	}
	if (done)
		done(user, refusals, !mapping);
}

static void world_reload(void *user, const char *origin, control_reloaded done, void *done_user)
{
	(void)user;
	(void)snprintf(world.origin, sizeof(world.origin), "%s", origin);
	world.reloaded = done;
	world.reloaded_user = done_user;
	if (!world.is_slow)
		world_load(done, done_user);
}

int charge_session(const struct charge_set *set, const char *connector_id, enum session_state *state,
		   const struct order **order)
{
	(void)set;
	if (connector_id[0] != 'C')
		return FC_ENOENT;
	*order = strcmp(connector_id, "C11") != 0 ? NULL : world.running;
	*state = *order ? SESSION_CHARGING : SESSION_IDLE;
	return FC_OK;
}

int charge_find(struct charge_set *set, const char *seq,
		void (*fn)(void *user, const struct order *order, enum session_state state,
			   const struct connector *connector),
		void *user)
{
	(void)set;
	if (!world.running || strcmp(seq, world.running->seq) != 0)
		return FC_ENOENT;
	fn(user, world.running, SESSION_CHARGING, NULL);
	return FC_OK;
}

void charge_start(struct charge_set *set, const struct charge_request *request, struct charge_answer *answer)
{
	(void)set;
	world.starts++;
	world.request = *request;
	*answer = (struct charge_answer){.refusal = world.refusal, .seq = "123456789000000000000000099"};
}

void charge_stop(struct charge_set *set, const struct charge_stop_request *request, struct charge_answer *answer)
{
	(void)set;
	assert_string_equal(request->connector_id, "C11");
	assert_int_equal(request->reason, SESSION_BY_USER);
	world.stops++;
	(void)snprintf(world.stopped, sizeof(world.stopped), "%s", request->seq);
	*answer = (struct charge_answer){.refusal = world.refusal};
	(void)snprintf(answer->seq, sizeof(answer->seq), "%s", request->seq);
}

const char *charge_refusal_text(enum charge_refusal refusal)
{
	return refusal ? "refused" : "accepted";
}

int platform_count(const struct platform_set *set)
{
	struct platform_stats stats;
	int n = 0;

	while (!platform_get_stats(set, n, &stats))
		n++;
	return n;
}

int platform_get_stats(const struct platform_set *set, int index, struct platform_stats *stats)
{
	(void)set;
	if (index)
		return FC_ENOENT;
	*stats = (struct platform_stats){.name = "city", .linked = 1, .last_error = "it \"said\" no\033[2J"};
	return FC_OK;
}

const struct recorder *platform_set_recorder(const struct platform_set *set)
{
	(void)set;
	return world.recorder;
}

/* The calls that went with it. */
static struct calls *world_calls;
static int world_repeats;

const struct calls *platform_set_calls(const struct platform_set *set)
{
	(void)set;
	return world_calls;
}

int platform_set_repeat(struct platform_set *set, const struct call *call, const char *body, size_t len,
			repeat_done done, void *user, struct error *err)
{
	(void)set, (void)body, (void)len;
	world_repeats++;
	if (call->direction == MAPPING_OUT)
		return error_set(err, FC_EBUSY, "not now");
	done(user, &(struct repeated){.ret = 0, .why = "", .answer = "{\"a\":1}"});
	return FC_OK;
}

void platform_set_forget_repeat(struct platform_set *set, const void *user)
{
	(void)set, (void)user;
}

int platform_set_conformance(struct platform_set *set, const char *platform, const struct conformance_order *order,
			     struct error *err)
{
	(void)set, (void)order;
	return error_set(err, FC_ENOENT, "%s: there is no such platform", platform);
}

const struct conformance *platform_set_conformance_of(const struct platform_set *set, const char *platform)
{
	(void)set, (void)platform;
	return NULL;
}

void conformance_report(const struct conformance *run, struct maker *m, struct value *root)
{
	(void)run, (void)m, (void)root;
}

int platform_set_order_again(struct platform_set *set, const char *name)
{
	(void)set;
	world.wakes++;
	(void)snprintf(world.woken, sizeof(world.woken), "%s", name);
	return strcmp(name, "gone") != 0 ? FC_OK : FC_ENOENT;
}

int platform_set_reconcile(struct platform_set *set, const char *platform, int32_t day, platform_checked done,
			   void *user, struct error *err)
{
	(void)set;
	if (!strcmp(platform, "away"))
		return error_set(err, FC_EBUSY, "away");
	world.checked = done;
	world.checked_user = user;
	world.checked_day = day;
	return FC_OK;
}

const char *charge_refusal_key(enum charge_refusal refusal)
{
	return refusal ? "charge.refused" : "";
}

int device_limit_range(const struct device *device, struct device_range *out)
{
	(void)device;
	*out = (struct device_range){.unit = "kW", .min_milli = 1400, .max_milli = 22000, .has_pause = 1};
	return FC_OK;
}

int device_capped(const struct device *device, int number, int64_t *milli, int *is_waiting)
{
	(void)device, (void)number;
	*milli = 0;
	*is_waiting = world.is_waiting;
	return FC_OK;
}

int device_command(struct device_set *set, struct device *device, int number, const char *command,
		   device_command_done done, void *user, struct error *err)
{
	(void)set, (void)device, (void)number, (void)err;
	assert_string_equal(command, "unlock");
	world.unlocked = done;
	world.unlocked_user = user;
	world.unlocks++;
	return FC_OK;
}

struct device *device_find(struct device_set *set, const char *charger)
{
	(void)set;
	(void)charger;
	return NULL;
}

int device_can_line(const struct device_set *set, int index, struct can_stats *stats, const char **reason)
{
	(void)set;
	if (index)
		return FC_ENOENT;
	*stats = (struct can_stats){.state = CAN_PASSIVE, .received = 12, .errors = 3, .load_permille = 250};
	*reason = "error passive";
	return FC_OK;
}

void device_bus_totals(const struct device_set *set, struct bus_line_stats *stats)
{
	(void)set;
	*stats = (struct bus_line_stats){0};
}

int device_bus_line(const struct device_set *set, int index, const char **name, struct bus_line_stats *stats)
{
	(void)set;
	*name = "line1";
	*stats = (struct bus_line_stats){.connected = 1, .units = 3};
	return index ? FC_ENOENT : FC_OK;
}

/* One line, its units on it: what is asked by hand is kept until a test answers it. */
struct bus_line *device_line_bus(const struct device_set *set, int index)
{
	(void)set, (void)index;
	return NULL;
}

uint32_t device_line_id(const struct device_set *set, int index)
{
	(void)set;
	return index ? 0 : 5;
}

struct device *device_at_unit(const struct device_set *set, int index, unsigned unit, int nth)
{
	(void)set, (void)index, (void)nth;
	return unit == 1 && !nth ? world.device : NULL;
}

void device_personal(const struct device_set *set, int index,
		     void (*fn)(void *user, uint8_t unit, uint8_t function, uint16_t address, uint16_t words),
		     void *user)
{
	(void)set;
	if (!index)
		fn(user, 1, 3, 40, 4);
}

int device_ask(struct device_set *set, int index, const struct bus_read *read, const struct bus_write *write,
	       device_asked done, void *user, struct error *err)
{
	(void)set, (void)index;
	if (world.line_is_full)
		return error_set(err, FC_EBUSY, "the line takes no more requests now");
	assert_true(!read != !write);
	world.asked = done;
	world.asked_user = user;
	world.asks++;
	if (read)
		world.read = *read;
	if (write)
		world.write = *write;
	world.is_write = write != NULL;
	return FC_OK;
}

struct fixture {
	char folder[64];
	struct store *store;
	struct station_set stations;
	struct control *control;
	struct json_reader *reader;
	struct error err;
	/* The answer to the last call. */
	int answers, code;
	char error[ERROR_TEXT_MAX], key[64];
	struct buffer text;
	struct arena arena;
	struct value *result; /* read back from text */
};

/* The journal --------------------------------------------------------------------------------------------------------- */

static void __attribute__((unused)) seq_of(int number, char out[JOURNAL_SEQ])
{
	(void)snprintf(out, JOURNAL_SEQ, "123456789%018d", number);
}

static void fill_order(struct order *o, int number)
{
	memset(o, 0, sizeof(*o));
	seq_of(number, o->seq);
	(void)snprintf(o->connector_id, sizeof(o->connector_id), "C11");
	(void)snprintf(o->platform, sizeof(o->platform), "city");
	(void)snprintf(o->user, sizeof(o->user), "6222020200001234567");
	o->mode = ORDER_BY_PLATFORM;
	for (int d = 0; d < TARIFF_DAYS; d++) {
		o->tariff.days[d].count = 1;
		o->tariff.days[d].periods[0] = (struct tariff_period){0, 12345, 4000};
	}
	o->start_wall = 1795190400 + number;
	o->metered = 1;
	split_begin(&o->split, &o->tariff, o->start_wall, 100000);
	(void)split_reading(&o->split, &o->tariff, o->start_wall + 60, 100000 + number * 10, 1000000);
}

static void __attribute__((unused)) keep_order(struct fixture *f, int number, const char *record)
{
	static const struct journal_recipient names[] = {{"city", "order"}, {"bonus", "order"}};
	struct order *o = malloc(sizeof(*o));
	struct buffer text;

	assert_non_null(o);
	fill_order(o, number);
	buffer_init(&text, ORDER_RECORD_MAX);
	assert_int_equal(order_write(o, &text), FC_OK);
	struct journal_order entry = order_entry(o, record ? record : text.data);
	assert_int_equal(journal_open(f->store, &entry, &f->err), FC_OK);
	entry.end_wall = o->start_wall + 60;
	entry.reason = 4;
	assert_int_equal(journal_close(f->store, &entry, names, number % 3, &f->err), FC_OK);
	buffer_fini(&text);
	free(o);
}

/* One that runs. */
static void __attribute__((unused)) run_order(struct fixture *f, int number)
{
	struct buffer text;

	world.running = malloc(sizeof(*world.running));
	assert_non_null(world.running);
	fill_order(world.running, number);
	buffer_init(&text, ORDER_RECORD_MAX);
	assert_int_equal(order_write(world.running, &text), FC_OK);
	struct journal_order entry = order_entry(world.running, text.data);
	assert_int_equal(journal_open(f->store, &entry, &f->err), FC_OK);
	buffer_fini(&text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct control_sources sources = {.version = "v1", .path = "/etc/config/forecourt"};

	assert_non_null(f);
	memset(&world, 0, sizeof(world));
	folder_make(f->folder, sizeof(f->folder), "control");
	f->store = store_open(f->folder, &f->err);
	assert_non_null(f->store);
	fixture_init(&f->stations);
	f->stations.config.gateway.data_dir = f->folder;
	sources.store = f->store;
	sources.stations = &f->stations;
	world.trace = trace_new(16);
	assert_non_null(world.trace);
	sources.trace = world.trace;
	world.host.lua_dir = f->folder;
	sources.lua = (struct control_lua){&world.host, world_reload, NULL};
	f->control = control_new(&sources, &f->err);
	f->reader = json_reader_new(64 << 20);
	assert_true(f->control && f->reader);
	buffer_init(&f->text, 32 << 20);
	arena_init(&f->arena, 64 << 20);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	control_free(f->control);
	if (world.asked)
		world.asked(world.asked_user, &(struct bus_result){.status = BUS_DISCONNECTED});
	trace_free(world.trace);
	mapping_free(world.mapping);
	store_close(f->store);
	json_reader_free(f->reader);
	buffer_fini(&f->text);
	arena_fini(&f->arena);
	free(world.running);
	folder_remove(f->folder);
	free(f);
	return 0;
}

#endif
