/* station/point, station/energy and charge/metering, charge/car: which register counts for a connector, what becomes of a charge when it
 * falls silent or another is attached, and what the car's word says of the end. Devices are agents without a bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "charge/car.h"
#include "charge/durable.h"
#include "charge/metering.h"
#include "charge/policy.h"
#include "charge/set.h"
#include "device/agent.h"
#include "device/instance.h"
#include "folder.h"
#include "station/energy.h"
#include "station/point.h"
#include "store/store.h"

enum { ENERGY, SOC, VIN, STOP_BY, STOP_FAULT, STOP_CODE, STOP_REASON, POINTS };
enum { POWER_W = 60000 };

static void *start(const struct profile *profile, const struct agent_settings *settings, const struct agent_host *host,
		   struct error *err)
{
	(void)profile;
	(void)settings;
	(void)host;
	(void)err;
	return malloc(1);
}

static const struct agent_kind kind = {.name = "none", .start = start, .stop = free};

struct fixture {
	char folder[64];
	struct store *store;
	struct profile charger_profile, meter_profile, bms_profile;
	struct device *charger, *meter, *bms;
	struct config_connector config;
	struct config_charger config_charger;
	struct config_station config_station;
	struct connector connector;
	struct config whole;
	struct charge_set set;
	struct charge charge;
};

static void make_profile(struct profile *p, unsigned which)
{
	static const char *const names[POINTS] = {"energy",     "soc",       "vin",        "stop_by",
						  "stop_fault", "stop_code", "stop_reason"};

	memset(p, 0, sizeof(*p));
	p->agent = &kind;
	p->connectors = 1;
	p->status.point = -1;
	for (int i = 0; i < POINTS; i++) {
		struct point *point = &p->points[p->point_count];

		if (!(which >> i & 1))
			continue;
		(void)snprintf(point->name, sizeof(point->name), "%s", names[i]);
		(void)snprintf(point->unit, sizeof(point->unit), "%s", i == ENERGY ? "kWh" : "");
		p->point_count++;
	}
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};
	static const int one[] = {1};

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "metering");
	f->store = store_open(f->folder, &err);
	assert_non_null(f->store);
	make_profile(&f->charger_profile, 1u << ENERGY | 1u << SOC);
	make_profile(&f->meter_profile, 1u << ENERGY);
	make_profile(&f->bms_profile, 1u << SOC | 1u << VIN | 0x78);
	f->charger = device_new("c1", &f->charger_profile, one, 1, 1000, 1, &err);
	f->meter = device_new("m1", &f->meter_profile, one, 1, 1000, 1, &err);
	f->bms = device_new("bms1", &f->bms_profile, one, 1, 1000, 1, &err);
	assert_true(f->charger && f->meter && f->bms);
	f->config = (struct config_connector){.connector_id = "K1", .number = 1, .power_w = POWER_W};
	f->config.meter_source = f->config.bms_source = (struct config_source){"", 1};
	f->connector = (struct connector){.config = &f->config,
					  .charger = &f->config_charger,
					  .station = &f->config_station,
					  .device = f->charger,
					  .status = CONNECTOR_OCCUPIED};
	f->whole.gateway.operator_id = "123456789";
	f->set = (struct charge_set){.conductor = {.store = f->store, .user = &f->set}, .config = &f->whole};
	f->charge = (struct charge){.conductor = &f->set.conductor, .connector = &f->connector, .timed = 1};
	(void)snprintf(f->charge.connector_id, sizeof(f->charge.connector_id), "K1");
	f->charge.anchor_wall = clock_wall();
	f->charge.anchor_mono_us = clock_mono_us() - 3600000000;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	free(f->charge.order);
	device_free(f->charger);
	device_free(f->meter);
	device_free(f->bms);
	store_close(f->store);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static void attach_meter(struct fixture *f)
{
	f->config.meter_source = (struct config_source){"m1", 1};
	f->connector.meter = (struct connector_source){f->meter, 1};
}

static void attach_bms(struct fixture *f)
{
	f->config.bms_source = (struct config_source){"bms1", 1};
	f->connector.bms = (struct connector_source){f->bms, 1};
}

/* Each later than the one before, also within a microsecond. */
static void say(struct device *d, const char *point, int64_t milli)
{
	static int64_t at_us;
	int64_t now = clock_mono_us();

	at_us = now > at_us ? now : at_us + 1;
	device_take_value(d, 0, profile_point(device_profile(d), point),
			  &(struct point_value){.quality = QUALITY_GOOD, .milli = milli, .mono_us = at_us});
}

static void say_text(struct device *d, const char *point, const char *text)
{
	struct point_value v = {.quality = QUALITY_GOOD, .is_text = 1, .mono_us = clock_mono_us()};

	(void)snprintf(v.text, sizeof(v.text), "%s", text);
	device_take_value(d, 0, profile_point(device_profile(d), point), &v);
}

static void unsay(struct device *d, const char *point)
{
	device_take_value(d, 0, profile_point(device_profile(d), point),
			  &(struct point_value){.quality = QUALITY_UNKNOWN});
}

/* Points ---------------------------------------------------------------------------------------------------------------- */

static int64_t milli_of(struct fixture *f, const char *point, enum connector_from *from)
{
	struct connector_value v;

	assert_int_equal(connector_value(&f->connector, point, &v), FC_OK);
	*from = v.from;
	return v.value.quality == QUALITY_GOOD ? v.value.milli : -1;
}

static void count_value(void *user, const struct connector_value *v)
{
	int *counts = user;

	counts[v->from]++;
	if (!strcmp(v->name, "vin"))
		assert_int_equal(v->personal, 1);
}

static void the_first_that_knows_is_asked(void **state)
{
	struct fixture *f = *state;
	struct point_value v;
	enum connector_from from;
	int counts[3] = {0};

	assert_int_equal(connector_point(&f->connector, "vin", &v), FC_ENOENT);
	attach_bms(f);
	attach_meter(f);
	/* Nobody knows: the charger's is shown. */
	assert_int_equal(milli_of(f, "soc", &from), -1);
	assert_int_equal(from, CONNECTOR_OF_CHARGER);
	say(f->bms, "soc", 55000);
	assert_int_equal(milli_of(f, "soc", &from), 55000);
	assert_int_equal(from, CONNECTOR_OF_BMS);
	say(f->charger, "soc", 54000);
	assert_int_equal(milli_of(f, "soc", &from), 54000);
	assert_int_equal(from, CONNECTOR_OF_CHARGER);
	/* A register is never another's. */
	say(f->charger, "energy", 7000);
	assert_int_equal(milli_of(f, "energy", &from), -1);
	assert_int_equal(from, CONNECTOR_OF_METER);
	say(f->meter, "energy", 100);
	assert_int_equal(milli_of(f, "energy", &from), 100);
	/* Each name once. */
	connector_each_value(&f->connector, count_value, counts);
	assert_int_equal(counts[CONNECTOR_OF_CHARGER] + counts[CONNECTOR_OF_METER] + counts[CONNECTOR_OF_BMS], POINTS);
	assert_int_equal(counts[CONNECTOR_OF_METER], 1);
}

/* A charger with a register for the VIN that it never fills. */
static void an_empty_text_hides_nobody(void **state)
{
	struct fixture *f = *state;
	static const int one[] = {1};
	struct profile profile;
	struct connector_value v;
	struct error err = {0};

	make_profile(&profile, 1u << VIN);
	struct device *charger = device_new("c2", &profile, one, 1, 1000, 1, &err);
	assert_non_null(charger);
	f->connector.device = charger;
	attach_bms(f);
	say_text(charger, "vin", "");
	assert_int_equal(connector_value(&f->connector, "vin", &v), FC_OK);
	assert_int_equal(v.from, CONNECTOR_OF_CHARGER);
	assert_int_equal(v.value.quality, QUALITY_GOOD);
	say_text(f->bms, "vin", "LFCTSIMULATED0042");
	assert_int_equal(connector_value(&f->connector, "vin", &v), FC_OK);
	assert_int_equal(v.from, CONNECTOR_OF_BMS);
	assert_string_equal(v.value.text, "LFCTSIMULATED0042");
	say_text(charger, "vin", "LFCTSIMULATED0043");
	assert_int_equal(connector_value(&f->connector, "vin", &v), FC_OK);
	assert_int_equal(v.from, CONNECTOR_OF_CHARGER);
	device_free(charger);
}

/* Statistics ------------------------------------------------------------------------------------------------------------ */

/* The register of the meter is no advance of the charger's, in this run or over a restart. */
static void another_register_is_a_new_starting_point(void **state)
{
	struct fixture *f = *state;
	struct energy_counter c;
	int32_t today = clock_day(clock_wall());

	energy_init(&c, f->store, "K1");
	say(f->charger, "energy", 1000);
	energy_update(&c, f->store, &f->connector);
	say(f->charger, "energy", 1500);
	energy_update(&c, f->store, &f->connector);
	assert_int_equal(energy_pending(&c, today, today), 500);
	attach_meter(f);
	energy_update(&c, f->store, &f->connector); /* silent: nothing */
	assert_int_equal(energy_pending(&c, today, today), 500);
	say(f->meter, "energy", 1900);
	energy_update(&c, f->store, &f->connector);
	say(f->meter, "energy", 2000);
	energy_update(&c, f->store, &f->connector);
	assert_int_equal(store_energy_sum(f->store, "K1", today, today) + energy_pending(&c, today, today), 600);
	/* A restart without the last 100 written, and the meter is gone when it is over. */
	f->config.meter_source.name = "";
	f->connector.meter.device = NULL;
	energy_init(&c, f->store, "K1");
	assert_string_equal(c.source, "m1:1");
	say(f->charger, "energy", 2500);
	energy_update(&c, f->store, &f->connector);
	assert_int_equal(energy_pending(&c, today, today), 0);
	say(f->charger, "energy", 2600);
	energy_update(&c, f->store, &f->connector);
	assert_int_equal(energy_pending(&c, today, today), 100);
	assert_int_equal(store_energy_sum(f->store, "K1", today, today), 500);
	/* And one with the source as it was counts what went by. */
	struct error err = {0};
	assert_int_equal(energy_flush(&c, f->store, "K1", &err), FC_OK);
	energy_init(&c, f->store, "K1");
	assert_string_equal(c.source, "");
	say(f->charger, "energy", 2700);
	energy_update(&c, f->store, &f->connector);
	assert_int_equal(energy_pending(&c, today, today), 100);
}

/* What power allows is counted from one reading to the next, however often the charger beside it has news. */
static void a_meter_that_is_read_seldom(void **state)
{
	struct fixture *f = *state;
	struct energy_counter c;
	int32_t today = clock_day(clock_wall());
	struct point_value v = {.quality = QUALITY_GOOD, .milli = 1000, .mono_us = clock_mono_us() - 90000000};

	attach_meter(f);
	f->meter_profile.points[0].period_ms = 60000;
	energy_init(&c, f->store, "K1");
	device_take_value(f->meter, 0, 0, &v);
	energy_update(&c, f->store, &f->connector);
	say(f->charger, "soc", 50000);
	energy_update(&c, f->store, &f->connector);
	/* A minute and a half at 60 kW. */
	say(f->meter, "energy", 2500);
	energy_update(&c, f->store, &f->connector);
	assert_int_equal(energy_pending(&c, today, today), 1500);
	/* Not more than that. */
	say(f->meter, "energy", 12500);
	energy_update(&c, f->store, &f->connector);
	assert_int_equal(energy_pending(&c, today, today), 1500);
}

/* Charges --------------------------------------------------------------------------------------------------------------- */

static void begin(struct fixture *f)
{
	struct charge *c = &f->charge;

	c->order = calloc(1, sizeof(*c->order));
	assert_non_null(c->order);
	(void)snprintf(c->order->seq, sizeof(c->order->seq), "123456789000000000000000001");
	(void)snprintf(c->order->connector_id, sizeof(c->order->connector_id), "K1");
	policy_free_of_charge(clock_wall(), &c->order->tariff);
	metering_pin(c);
	car_begin(c);
	c->state = SESSION_CHARGING;
	f->connector.status = CONNECTOR_CHARGING;
	metering_begin(c);
}

static void end(struct fixture *f)
{
	f->charge.order->end_wall = clock_wall();
	metering_rest(&f->charge);
	free(f->charge.order);
	f->charge.order = NULL;
	f->charge.read_us = 0;
	f->connector.status = CONNECTOR_OCCUPIED;
}

static int64_t delivered(struct fixture *f)
{
	metering_look(&f->charge);
	return f->charge.order->split.total_wh;
}

static void a_charge_is_counted_by_one_register(void **state)
{
	struct fixture *f = *state;

	attach_meter(f);
	say(f->meter, "energy", 1000);
	say(f->charger, "energy", 500000);
	metering_look(&f->charge);
	assert_int_equal(f->charge.idle_wh, 1000);
	begin(f);
	assert_string_equal(f->charge.order->meter, "m1:1");
	say(f->meter, "energy", 1300);
	say(f->charger, "energy", 500350);
	assert_int_equal(delivered(f), 300);
	/* Silent: unknown, not the charger's. */
	unsay(f->meter, "energy");
	say(f->charger, "energy", 500900);
	assert_int_equal(delivered(f), 300);
	say(f->meter, "energy", 1700);
	assert_int_equal(delivered(f), 700);
	assert_int_equal(f->charge.order->split.repairs, 0);
	end(f);
	assert_int_equal(f->charge.idle_wh, 1700);
	assert_int_equal(f->charge.remembered, 0);
	/* The meter is taken away: what the charger shows is no energy of the next. */
	f->config.meter_source.name = "";
	begin(f);
	assert_string_equal(f->charge.order->meter, "");
	assert_int_equal(f->charge.order->has_idle, 0);
	say(f->charger, "energy", 501000);
	assert_int_equal(delivered(f), 100);
	assert_int_equal(f->charge.order->split.start_register_wh, 500900);
}

static void a_meter_that_is_silent_at_the_start(void **state)
{
	struct fixture *f = *state;

	attach_meter(f);
	begin(f);
	assert_int_equal(f->charge.order->split.unread, 1);
	say(f->charger, "energy", 777);
	assert_int_equal(delivered(f), 0);
	/* A small register, which a start of 0 would have made energy of. */
	say(f->meter, "energy", 600);
	assert_int_equal(delivered(f), 0);
	say(f->meter, "energy", 650);
	assert_int_equal(delivered(f), 50);
	assert_int_equal(f->charge.order->split.start_register_wh, 600);
	assert_int_equal(f->charge.order->split.repairs, SPLIT_LATE);
	/* Silent at the end: what follows is looked for, once (unseen.c). */
	unsay(f->meter, "energy");
	end(f);
	assert_int_equal(f->charge.remembered, 1);
	assert_int_equal(f->charge.idle_wh, 650);
	assert_string_equal(f->charge.idle_source, "m1:1");
}

static void add_wh(void *user, const struct journal_order *entry)
{
	*(int64_t *)user += entry->wh;
}

static int64_t unseen_wh(struct fixture *f)
{
	int64_t wh = 0;

	unseen_look(&f->charge);
	(void)journal_last(f->store, "K1", 1, add_wh, &wh);
	return wh;
}

/* It is gone as it is told to start, and charges: found by the outside tests, which lost what had flowed until it was back. */
static void a_charger_that_is_gone_at_the_start(void **state)
{
	struct fixture *f = *state;

	/* Two minutes at 60 kW are 2 kWh, twice that may be. */
	say(f->charger, "energy", 100000);
	metering_look(&f->charge);
	f->charge.idle_us -= 120000000;
	say(f->charger, "energy", 103900);
	begin(f);
	assert_int_equal(delivered(f), 3900);
	assert_int_equal(f->charge.order->split.repairs & SPLIT_JUMP, 0);
	end(f);
	/* That was just now: as much at once is none. */
	say(f->charger, "energy", 107800);
	begin(f);
	assert_int_equal(delivered(f), 0);
	assert_int_equal(f->charge.order->split.repairs & SPLIT_JUMP, SPLIT_JUMP);
	end(f);
}

/* The end of one charge goes by while the meter is silent, and the next car is there before it is back: nobody pays for what the one
 * before took, and nothing vanishes. */
static void what_one_leaves_the_next_does_not_pay(void **state)
{
	struct fixture *f = *state;

	attach_meter(f);
	say(f->meter, "energy", 1000);
	metering_look(&f->charge);
	begin(f);
	say(f->meter, "energy", 1500);
	assert_int_equal(delivered(f), 500);
	unsay(f->meter, "energy");
	end(f);
	f->charge.remembered_us = clock_mono_us() - 1;
	begin(f);
	assert_int_equal(f->charge.order->has_idle, 0);
	assert_int_equal(unseen_wh(f), 0);
	say(f->meter, "energy", 1800);
	assert_int_equal(delivered(f), 0);
	assert_int_equal(unseen_wh(f), 300);
	say(f->meter, "energy", 2000);
	assert_int_equal(delivered(f), 200);
	assert_int_equal(unseen_wh(f), 300);
	/* Read again between the start command and the current: the charge counts from there. */
	unsay(f->meter, "energy");
	end(f);
	struct order o = {.seq = "123456789000000000000000002"};
	f->charge.order = &o;
	metering_pin(&f->charge);
	f->charge.remembered_us = clock_mono_us() - 1;
	say(f->meter, "energy", 2100);
	assert_int_equal(unseen_wh(f), 100);
	say(f->meter, "energy", 2110);
	metering_begin(&f->charge);
	assert_int_equal(o.split.total_wh, 10);
	/* Counted by another register: what the old one shows is this charge's as well. */
	unsay(f->meter, "energy");
	f->charge.order = NULL;
	f->charge.remembered = 1;
	f->config.meter_source.name = "";
	say(f->charger, "energy", 50);
	begin(f);
	say(f->meter, "energy", 2900);
	assert_int_equal(unseen_wh(f), 100);
	assert_int_equal(f->charge.remembered, 0);
}

/* The charger is off line, its meter is not: what it counts is nobody's, and must not vanish from where the next charge begins. */
static void a_meter_goes_on_without_its_charger(void **state)
{
	struct fixture *f = *state;

	attach_meter(f);
	say(f->meter, "energy", 1000);
	metering_look(&f->charge);
	f->connector.status = CONNECTOR_OFFLINE;
	say(f->meter, "energy", 4000);
	metering_look(&f->charge);
	assert_int_equal(f->charge.idle_wh, 1000);
	f->connector.status = CONNECTOR_IDLE;
	metering_look(&f->charge);
	assert_int_equal(unseen_wh(f), 3000);
	assert_int_equal(f->charge.idle_wh, 4000);
}

/* The charger's status has a time of its own: the fixture's "soc" stands for it. */
static void read_status(struct fixture *f)
{
	f->charger_profile.status.point = profile_point(&f->charger_profile, "soc");
	say(f->charger, "soc", 50000);
}

/* The meter is read before the charger says that it charges: what flowed by then is the charge's. */
static void a_meter_knows_of_a_charge_before_its_charger(void **state)
{
	struct fixture *f = *state;

	attach_meter(f);
	read_status(f);
	say(f->meter, "energy", 1000);
	metering_look(&f->charge);
	assert_int_equal(f->charge.idle_wh, 1000);
	say(f->meter, "energy", 1300);
	metering_look(&f->charge);
	say(f->meter, "energy", 1500);
	metering_look(&f->charge);
	assert_int_equal(f->charge.idle_wh, 1000);
	read_status(f);
	begin(f);
	assert_int_equal(delivered(f), 500);
	assert_int_equal(f->charge.order->split.start_register_wh, 1000);
	end(f);
	/* Nothing flows, says the next status: the reading before it is taken, and the one after it waits for the next. */
	say(f->meter, "energy", 1520);
	metering_look(&f->charge);
	assert_int_equal(f->charge.idle_wh, 1500);
	read_status(f);
	say(f->meter, "energy", 1540);
	metering_look(&f->charge);
	assert_int_equal(f->charge.idle_wh, 1520);
	read_status(f);
	metering_look(&f->charge);
	assert_int_equal(f->charge.idle_wh, 1540);
	assert_int_equal(f->charge.remembered, 0);
}

/* Over before anyone looked: nobody's, and not lost. What the charger itself uses is in no order. */
static void a_charge_between_two_readings(void **state)
{
	struct fixture *f = *state;

	say(f->charger, "energy", 1000);
	read_status(f);
	metering_look(&f->charge);
	say(f->charger, "energy", 1000 + METERING_CREEP_WH);
	read_status(f);
	metering_look(&f->charge);
	assert_int_equal(unseen_wh(f), 0);
	assert_int_equal(f->charge.idle_wh, 1000 + METERING_CREEP_WH);
	say(f->charger, "energy", 1301);
	read_status(f);
	metering_look(&f->charge);
	assert_int_equal(unseen_wh(f), 301 - METERING_CREEP_WH);
	assert_int_equal(f->charge.idle_wh, 1301);
	begin(f);
	assert_int_equal(f->charge.order->idle_wh, 1301);
	end(f);
}

/* The register was read last before the status said that the charge is over. */
static void a_register_that_is_behind_at_the_end(void **state)
{
	struct fixture *f = *state;

	attach_meter(f);
	read_status(f);
	say(f->meter, "energy", 1000);
	metering_look(&f->charge);
	begin(f);
	say(f->meter, "energy", 1500);
	assert_int_equal(delivered(f), 500);
	read_status(f);
	f->charge.ended_us = metering_status_us(&f->charge);
	assert_true(metering_is_behind(&f->charge));
	end(f);
	say(f->meter, "energy", 1560);
	assert_int_equal(unseen_wh(f), 60);
	assert_int_equal(f->charge.idle_wh, 1560);
	/* Read once more since: it has all. */
	begin(f);
	read_status(f);
	f->charge.ended_us = metering_status_us(&f->charge);
	say(f->meter, "energy", 1600);
	assert_int_equal(delivered(f), 40);
	assert_false(metering_is_behind(&f->charge));
	end(f);
	assert_int_equal(f->charge.remembered, 0);
}

/* What a charge of 500 Wh has by the time its end is written: the status said it six seconds ago, the register was read before. */
static int64_t written_after(struct fixture *f, void (*then)(struct fixture *f))
{
	struct charge *c = &f->charge;
	struct point_value v = {.quality = QUALITY_GOOD, .milli = 1500};
	struct error err = {0};

	device_free(f->meter);
	f->meter = device_new("m1", &f->meter_profile, (const int[]){1}, 1, 15000, 1, &err);
	assert_non_null(f->meter);
	attach_meter(f);
	say(f->meter, "energy", 1000);
	metering_look(c);
	begin(f);
	assert_int_equal(durable_open(c, &err), FC_OK);
	say(f->meter, "energy", 1500);
	assert_int_equal(delivered(f), 500);
	int64_t now = clock_mono_us();
	v.mono_us = c->read_us = now - 8000000;
	device_take_value(f->meter, 0, 0, &v);
	f->connector.status = CONNECTOR_OCCUPIED;
	c->state = SESSION_ENDED;
	c->ended_us = c->closing_since_us = now - 6000000;
	c->closing = 1;
	then(f);
	conduct_tick(c);
	if (c->order)
		return -1;
	return c->idle_wh - 1000;
}

static void nothing(struct fixture *f)
{
	(void)f;
}

static void is_read(struct fixture *f)
{
	say(f->meter, "energy", 1560);
}

static void is_silent(struct fixture *f)
{
	unsay(f->meter, "energy");
}

static void is_late(struct fixture *f)
{
	f->charge.closing_since_us -= 20000000;
}

/* A meter that is read each quarter of a minute: its last word is the charge's. Nobody waits for one that is silent, or for ever. */
static void an_end_waits_for_a_register_that_is_behind(void **state)
{
	assert_int_equal(written_after(*state, nothing), -1);
}

static void an_end_has_what_was_waited_for(void **state)
{
	assert_int_equal(written_after(*state, is_read), 560);
}

static void an_end_waits_for_no_silent_register(void **state)
{
	assert_int_equal(written_after(*state, is_silent), 500);
}

static void an_end_waits_for_half_a_minute(void **state)
{
	assert_int_equal(written_after(*state, is_late), 500);
}

/* The section of the meter is taken away while it counts: the charger's register takes over, from where it stands. */
static void a_register_that_is_gone_is_followed_by_another(void **state)
{
	struct fixture *f = *state;

	attach_meter(f);
	say(f->meter, "energy", 1000);
	begin(f);
	say(f->meter, "energy", 1100);
	assert_int_equal(delivered(f), 100);
	f->config.meter_source.name = "";
	f->connector.meter.device = NULL;
	/* It can't be read yet: nothing changes, so that nothing is lost if the meter comes back. */
	assert_int_equal(delivered(f), 100);
	assert_string_equal(f->charge.order->meter, "m1:1");
	say(f->charger, "energy", 900000);
	assert_int_equal(delivered(f), 100);
	assert_string_equal(f->charge.order->meter, "");
	assert_int_equal(f->charge.durable, 1);
	say(f->charger, "energy", 900050);
	assert_int_equal(delivered(f), 150);
	assert_int_equal(f->charge.order->split.repairs, SPLIT_METER);
}

/* The car --------------------------------------------------------------------------------------------------------------- */

static void what_the_car_says_goes_into_the_order(void **state)
{
	struct fixture *f = *state;

	attach_bms(f);
	say(f->bms, "soc", 40000);
	say_text(f->bms, "vin", "00000000000000000");
	begin(f);
	struct order *o = f->charge.order;
	car_look(&f->charge);
	assert_string_equal(o->vin, "");
	assert_int_equal(o->soc_start_milli, 40000);
	say_text(f->bms, "vin", "LTEST CAR00000001");
	car_look(&f->charge);
	assert_string_equal(o->vin, "");
	say_text(f->bms, "vin", "LTESTCAR000000001");
	say(f->bms, "soc", 101000);
	car_look(&f->charge);
	assert_string_equal(o->vin, "LTESTCAR000000001");
	say(f->bms, "soc", 80000);
	car_look(&f->charge);
	unsay(f->bms, "soc");
	car_look(&f->charge);
	assert_int_equal(o->soc_start_milli, 40000);
	assert_int_equal(o->soc_end_milli, 80000);
	/* Over: nothing of it changes. */
	f->charge.closing = 1;
	say(f->bms, "soc", 81000);
	car_look(&f->charge);
	assert_int_equal(o->soc_end_milli, 80000);
}

/* The gateway was off during the charge; it comes back with the order as the journal has it. */
static void come_back(struct fixture *f)
{
	struct order *o = f->charge.order;

	f->charge.order = NULL;
	f->charge.read_us = 0;
	conduct_resume(&f->charge, o);
}

/* A box without a battery comes back in 1970, or, where the clock begins with the newest file, before the last reading. Nothing of what
 * flowed meanwhile is lost for that: a limit by the time that seems to have gone by would take it for a jump. */
static void what_flows_while_the_clock_does_not_tell(void **state)
{
	struct fixture *f = *state;
	struct charge *c = &f->charge;

	say(f->charger, "energy", 1000);
	metering_look(c);
	/* At once again: the seconds of two clocks do not end together. */
	begin(f);
	c->order->split.last_wall = clock_wall() + 1;
	come_back(f);
	assert_int_equal(c->away, 0);
	end(f);
	begin(f);
	c->order->split.last_wall = clock_wall() + 3600;
	come_back(f);
	say(f->charger, "energy", 41000);
	assert_int_equal(delivered(f), 40000);
	assert_int_equal(c->order->split.repairs, SPLIT_GAP);
	/* From then on the charge's own time tells. */
	say(f->charger, "energy", 43000);
	assert_int_equal(delivered(f), 40000);
	assert_int_equal(c->order->split.repairs, SPLIT_GAP | SPLIT_JUMP);
	/* What no day could have delivered is none. */
	end(f);
	begin(f);
	c->order->split.last_wall = clock_wall() + 3600;
	come_back(f);
	say(f->charger, "energy", 43000 + 3 * 24 * POWER_W);
	assert_int_equal(delivered(f), 0);
	assert_int_equal(c->order->split.repairs, SPLIT_GAP | SPLIT_JUMP);
}

/* In 1970 the register waits for the clock: then its time, and so its price, is known. */
static void what_flowed_has_its_time_once_the_clock_is_set(void **state)
{
	struct fixture *f = *state;
	struct charge *c = &f->charge;
	int64_t off_s = 1800;

	say(f->charger, "energy", 1000);
	metering_look(c);
	begin(f);
	int64_t last = c->order->split.last_wall = clock_wall() - off_s;
	c->order->start_wall = c->order->split.start_wall = c->order->split.parts[0].start_wall = last;
	come_back(f);
	assert_int_equal(c->away, 0);
	/* As 1970 would have it. */
	c->timed = 0;
	c->away = 1;
	c->anchor_wall = last;
	say(f->charger, "energy", 21000);
	assert_int_equal(delivered(f), 0);
	assert_int_equal(c->order->split.repairs, 0);
	conduct_tick(c);
	assert_int_equal(c->timed, 1);
	assert_int_equal(c->order->split.total_wh, 20000);
	assert_int_equal(c->order->split.repairs, SPLIT_GAP);
	assert_in_range(c->order->split.last_wall - last, off_s - 1, off_s + 60);
	/* And more than so long can deliver is a jump, as ever. */
	end(f);
	begin(f);
	c->order->start_wall = c->order->split.last_wall = clock_wall() - off_s;
	come_back(f);
	c->timed = 0;
	c->away = 1;
	c->anchor_wall = c->order->split.last_wall;
	say(f->charger, "energy", 21000 + 4 * POWER_W);
	conduct_tick(c);
	assert_int_equal(c->order->split.total_wh, 0);
	assert_true(c->order->split.repairs & SPLIT_JUMP);
}

/* The end of a charge does not wait for a clock that may never be set. */
static void an_end_waits_for_no_clock(void **state)
{
	struct fixture *f = *state;
	struct charge *c = &f->charge;

	say(f->charger, "energy", 1000);
	metering_look(c);
	begin(f);
	come_back(f);
	c->timed = 0;
	c->away = 1;
	say(f->charger, "energy", 31000);
	assert_int_equal(delivered(f), 0);
	c->closing = 1;
	assert_int_equal(delivered(f), 30000);
	assert_int_equal(c->order->split.repairs, SPLIT_GAP);
}

static struct order *now_found(struct charge *c)
{
	struct order *o = calloc(1, sizeof(*o));

	(void)c;
	if (o)
		policy_free_of_charge(clock_wall(), &o->tariff);
	return o;
}

/* It began in 1970, and the clock was set while the gateway was off: not a charge of half a century. */
static void one_that_began_in_1970_is_dated_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct charge *c = &f->charge;
	const int64_t in_1970 = 60;

	f->set.conductor.found = now_found;
	say(f->charger, "energy", 1000);
	metering_look(c);
	begin(f);
	c->order->start_wall = c->order->split.start_wall = c->order->split.last_wall = in_1970;
	c->order->split.parts[0].start_wall = c->order->split.parts[0].end_wall = in_1970;
	come_back(f);
	assert_int_equal(c->timed, 0);
	say(f->charger, "energy", 6000);
	conduct_tick(c);
	assert_int_equal(c->timed, 1);
	assert_int_equal(c->order->split.total_wh, 5000);
	assert_in_range(c->order->start_wall, clock_wall() - 60, clock_wall());
	assert_in_range(conduct_now(c), clock_wall() - 1, clock_wall() + 1);
}

/* The next session on CAN forgets why the one before ended, and may begin while the end waits for its last reading. */
static void why_it_ended_is_kept_while_the_end_waits(void **state)
{
	struct fixture *f = *state;
	struct charge *c = &f->charge;

	attach_bms(f);
	c->anchor_mono_us = clock_mono_us();
	begin(f);
	say_text(f->bms, "stop_by", "charger");
	say_text(f->bms, "stop_code", "charger_overtemp");
	say(f->bms, "stop_fault", 1000);
	c->reason = SESSION_BY_CAR;
	c->end_reason = car_reason(c, c->reason);
	c->closing = 1;
	unsay(f->bms, "stop_by");
	unsay(f->bms, "stop_code");
	unsay(f->bms, "stop_fault");
	assert_int_equal(car_end(c), SESSION_BY_FAULT);
	assert_string_equal(c->order->cause_code, "charger_overtemp");
	/* More is said of it meanwhile. */
	say_text(f->bms, "stop_by", "person");
	assert_int_equal(car_end(c), SESSION_BY_USER);
	/* Ordered: theirs. */
	c->reason = c->end_reason = SESSION_BY_PLATFORM;
	assert_int_equal(car_end(c), SESSION_BY_PLATFORM);
	unsay(f->bms, "stop_by");
	assert_int_equal(car_end(c), SESSION_BY_PLATFORM);
}

static void evidence_refines_and_never_contradicts(void **state)
{
	static const struct {
		const char *by;
		int fault, before, after, has_words;
	} cases[] = {
	    {"car", 0, SESSION_BY_CAR, SESSION_BY_CAR, 1},
	    {"car", 1, SESSION_BY_CAR, SESSION_BY_CAR, 1},
	    {"car", 0, SESSION_BY_UNPLUGGING, SESSION_BY_CAR, 1},
	    {"person", 0, SESSION_BY_CAR, SESSION_BY_USER, 1},
	    {"person", 1, SESSION_BY_CAR, SESSION_BY_FAULT, 1},
	    {"charger", 0, SESSION_BY_CAR, SESSION_BY_CAR, 1},
	    {"charger", 1, SESSION_BY_CAR, SESSION_BY_FAULT, 1},
	    {"martian", 0, SESSION_BY_CAR, SESSION_BY_CAR, 1},
	    {"car", 0, SESSION_BY_FAULT, SESSION_BY_FAULT, 1},
	    {"car", 0, SESSION_BY_SILENCE, SESSION_BY_SILENCE, 1},
	    /* Somebody ordered it. */
	    {"person", 0, SESSION_BY_PLATFORM, SESSION_BY_PLATFORM, 0},
	    {"car", 0, SESSION_BY_USER, SESSION_BY_USER, 0},
	    {"charger", 1, SESSION_BY_PLATFORM, SESSION_BY_PLATFORM, 1},
	    {"person", 0, SESSION_NOT_AUTHORISED, SESSION_NOT_AUTHORISED, 0},
	    {"car", 0, SESSION_NOT_STARTED, SESSION_NOT_STARTED, 0},
	};
	struct fixture *f = *state;

	attach_bms(f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(f);
		say_text(f->bms, "stop_by", cases[i].by);
		say(f->bms, "stop_fault", cases[i].fault * 1000);
		say_text(f->bms, "stop_code", "a_code");
		say_text(f->bms, "stop_reason", "in words");
		assert_int_equal(car_reason(&f->charge, cases[i].before), cases[i].after);
		assert_string_equal(f->charge.order->cause_code, cases[i].has_words ? "a_code" : "");
		assert_string_equal(f->charge.order->cause, cases[i].has_words ? "in words" : "");
		unsay(f->bms, "stop_by");
		end(f);
	}
	/* Said of the charge before, and still so: no evidence, until it was unsaid once. */
	say_text(f->bms, "stop_by", "person");
	begin(f);
	assert_int_equal(car_reason(&f->charge, SESSION_BY_CAR), SESSION_BY_CAR);
	assert_string_equal(f->charge.order->cause, "");
	unsay(f->bms, "stop_by");
	car_look(&f->charge);
	say_text(f->bms, "stop_by", "person");
	assert_int_equal(car_reason(&f->charge, SESSION_BY_CAR), SESSION_BY_USER);
	end(f);
	/* Nothing is said at all. */
	unsay(f->bms, "stop_by");
	begin(f);
	assert_int_equal(car_reason(&f->charge, SESSION_BY_UNPLUGGING), SESSION_BY_UNPLUGGING);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_first_that_knows_is_asked, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_empty_text_hides_nobody, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(another_register_is_a_new_starting_point, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_meter_that_is_read_seldom, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_charge_is_counted_by_one_register, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_meter_that_is_silent_at_the_start, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_charger_that_is_gone_at_the_start, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_one_leaves_the_next_does_not_pay, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_meter_goes_on_without_its_charger, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_meter_knows_of_a_charge_before_its_charger, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_charge_between_two_readings, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_register_that_is_behind_at_the_end, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_end_waits_for_a_register_that_is_behind, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_end_has_what_was_waited_for, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_end_waits_for_no_silent_register, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_end_waits_for_half_a_minute, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_register_that_is_gone_is_followed_by_another, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_flows_while_the_clock_does_not_tell, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_flowed_has_its_time_once_the_clock_is_set, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_end_waits_for_no_clock, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(one_that_began_in_1970_is_dated_after_a_restart, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_the_car_says_goes_into_the_order, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(why_it_ended_is_kept_while_the_end_waits, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(evidence_refines_and_never_contradicts, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
