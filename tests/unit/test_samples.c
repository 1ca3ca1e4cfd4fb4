/* store/samples and station/sampler: what a connector's curve is, in memory and in the store, over restarts and clocks that jump, and
 * what it costs in flash. The station is stubbed: two connectors whose values a test sets. */
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
#include "folder.h"
#include "station/point.h"
#include "station/sampler_inside.h"
#include "store/internal.h"

enum { MANY = 64, SLOT_S = SAMPLE_MINUTES * 60 };

struct fixture {
	char folder[64];
	struct store *store;
	struct error err;
	struct config config;
	struct config_connector connectors[MANY];
	struct sampler *sampler;
	struct sampler_curve curve;
	int64_t mono_us;
	/* What samples_each showed. */
	int count;
	int32_t minutes[3000];
	struct sample samples[3000];
};

static struct connector world[MANY];
static struct {
	int64_t power_milli, voltage_milli, current_milli, soc_milli;
	enum quality quality;
	const char *power_unit;
} values;

const struct connector *station_connector_find(const struct station_set *set, const char *connector_id)
{
	(void)set;
	for (int i = 0; i < MANY; i++)
		if (world[i].config && !strcmp(world[i].config->connector_id, connector_id))
			return &world[i];
	return NULL;
}

int connector_value(const struct connector *connector, const char *name, struct connector_value *out)
{
	const struct {
		const char *name;
		int64_t milli;
	} all[] = {{"power", values.power_milli},
		   {"voltage_a", values.voltage_milli},
		   {"current_a", values.current_milli},
		   {"soc", values.soc_milli}};

	(void)connector;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i].name, name)) {
			*out = (struct connector_value){
			    .name = name,
			    .unit = values.power_unit,
			    .value = {.milli = all[i].milli, .quality = values.quality, .mono_us = clock_mono_us()}};
			return FC_OK;
		}
	return FC_ENOENT;
}

static void open_it(struct fixture *f)
{
	sampler_free(f->sampler);
	store_close(f->store);
	f->store = store_open(f->folder, &f->err);
	if (!f->store)
		fail_msg("%s", f->err.text);
	f->sampler = sampler_new(NULL, NULL, f->store, &f->err);
	assert_non_null(f->sampler);
	assert_int_equal(sampler_apply(f->sampler, &f->config, &f->err), FC_OK);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	static char ids[MANY][48];

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "samples");
	memset(world, 0, sizeof(world));
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "11010500100010000000010%02d", i);
		f->connectors[i].connector_id = ids[i];
		world[i].config = &f->connectors[i];
		world[i].status = CONNECTOR_IDLE;
	}
	f->config.connectors = f->connectors;
	f->config.connector_count = 2;
	f->config.gateway.history_days = 30;
	values.power_milli = 60000000;
	values.voltage_milli = 400000;
	values.current_milli = 150000;
	values.soc_milli = 20000;
	values.quality = QUALITY_GOOD;
	values.power_unit = "W";
	open_it(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sampler_free(f->sampler);
	store_close(f->store);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static int64_t number(struct fixture *f, const char *sql)
{
	sqlite3_stmt *s = store_prepare(store_db(f->store), sql);

	assert_non_null(s);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static void note(void *user, int32_t minute, const struct sample *sample)
{
	struct fixture *f = user;

	assert_true(f->count < 3000);
	assert_true(!f->count || minute > f->minutes[f->count - 1]);
	f->minutes[f->count] = minute;
	f->samples[f->count++] = *sample;
}

static int list(struct fixture *f, int connector, int64_t from, int64_t to)
{
	f->count = 0;
	return samples_each(f->store, f->connectors[connector].connector_id, (int32_t)(from / 60), (int32_t)(to / 60),
			    note, f);
}

/* Looks every five seconds of a time that the test makes. */
static void run(struct fixture *f, int64_t *wall, int64_t seconds)
{
	for (int64_t end = *wall + seconds; *wall < end; *wall += SAMPLER_STEP_S) {
		f->mono_us += (int64_t)SAMPLER_STEP_S * 1000000;
		sampler_look(f->sampler, f->mono_us, *wall, 1);
	}
}

static int64_t now_in_slot(void)
{
	return clock_wall() / SLOT_S * SLOT_S;
}

/* Store ----------------------------------------------------------------------------------------------------------------- */

static void rows_come_back_as_they_were(void **state)
{
	struct fixture *f = *state;
	struct sample minutes[SAMPLE_MINUTES];

	for (int i = 0; i < SAMPLE_MINUTES; i++)
		minutes[i] = sample_none;
	minutes[0] = (struct sample){60000, 4000, 1500, 203};
	minutes[1] = (struct sample){-12340, SAMPLE_UNKNOWN, -300, 1000};
	minutes[3] = (struct sample){0, 0, 0, 0};
	minutes[14] = (struct sample){SAMPLE_UNKNOWN, 10000, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN};
	minutes[13] = (struct sample){INT32_MAX, 5, INT32_MIN + 1, 7};
	assert_int_equal(samples_put(f->store, f->connectors[0].connector_id, 1000, minutes, &f->err), FC_OK);
	assert_int_equal(list(f, 0, 0, 1100 * 900), 5);
	assert_int_equal(f->minutes[0], 15000);
	assert_int_equal(f->samples[0].power_w, 60000);
	assert_int_equal(f->samples[1].power_w, -12340);
	assert_int_equal(f->samples[1].voltage_dv, SAMPLE_UNKNOWN);
	assert_int_equal(f->samples[1].soc_e1, 1000);
	assert_int_equal(f->samples[2].power_w, 0);
	/* What no charger has is not kept, and spoils nothing. */
	assert_int_equal(f->samples[3].power_w, SAMPLE_UNKNOWN);
	assert_int_equal(f->samples[3].soc_e1, 7);
	assert_int_equal(f->samples[4].voltage_dv, 10000);
	assert_int_equal(list(f, 1, 0, 1100 * 900), 0);
	/* A second part of the same quarter leaves the first. */
	for (int i = 0; i < SAMPLE_MINUTES; i++)
		minutes[i] = sample_none;
	minutes[5].power_w = 1000;
	assert_int_equal(samples_put(f->store, f->connectors[0].connector_id, 1000, minutes, &f->err), FC_OK);
	assert_int_equal(list(f, 0, 0, 1100 * 900), 6);
	assert_int_equal(list(f, 0, (int64_t)15005 * 60, (int64_t)15005 * 60), 1);
}

static void damaged_rows_are_passed_over(void **state)
{
	struct fixture *f = *state;
	struct sample minutes[SAMPLE_MINUTES];
	char sql[200];

	for (int i = 0; i < SAMPLE_MINUTES; i++)
		minutes[i] = (struct sample){1000 * i, 4000, 10, 500};
	assert_int_equal(samples_put(f->store, f->connectors[0].connector_id, 1001, minutes, &f->err), FC_OK);
	static const char *const bad[] = {"x''", "x'02'", "x'01'", "x'01FF'", "x'0101FFFFFFFFFFFF'", "'text'", "7"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO curve SELECT 65536 * 1000 + id, %s FROM place",
			       bad[i]);
		assert_int_equal(sqlite3_exec(store_db(f->store), sql, NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(list(f, 0, 0, 1100 * 900), SAMPLE_MINUTES);
	}
	/* Any byte of a good row turned into any other: an answer, or none, never more than there is. */
	for (int byte = 0; byte < 40; byte++)
		for (int value = 0; value < 256; value += 5) {
			(void)snprintf(sql, sizeof(sql),
				       "INSERT OR REPLACE INTO curve SELECT id - 65536, substr(data, 1, %d) ||"
				       " x'%02x' || substr(data, %d) FROM curve WHERE id / 65536 = 1001",
				       byte, value, byte + 2);
			assert_int_equal(sqlite3_exec(store_db(f->store), sql, NULL, NULL, NULL), SQLITE_OK);
			assert_true(list(f, 0, 0, 1100 * 900) <= 2 * SAMPLE_MINUTES);
		}
	/* Written over. */
	assert_int_equal(samples_put(f->store, f->connectors[0].connector_id, 1000, minutes, &f->err), FC_OK);
	assert_int_equal(list(f, 0, 0, 1100 * 900), 2 * SAMPLE_MINUTES);
}

/* Sampler --------------------------------------------------------------------------------------------------------------- */

static void an_idle_connector_costs_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t wall = now_in_slot() - 10 * SLOT_S;

	run(f, &wall, 5 * SLOT_S);
	sampler_flush(f->sampler, wall, 1);
	assert_int_equal(number(f, "SELECT count(*) FROM samples"), 0);
}

static void minutes_are_means_and_survive(void **state)
{
	struct fixture *f = *state;
	int64_t begin = now_in_slot() - 4 * SLOT_S, wall = begin;

	world[0].status = CONNECTOR_CHARGING;
	run(f, &wall, 30);
	values.power_milli = 30000000;
	run(f, &wall, 30);
	values.power_milli = 50;
	values.power_unit = "kW"; /* 50 W */
	values.soc_milli = 21540;
	run(f, &wall, SLOT_S - 60);
	assert_int_equal(number(f, "SELECT count(*) FROM samples"), 0);
	run(f, &wall, 60);
	assert_int_equal(number(f, "SELECT count(*) FROM samples"), 1);
	world[0].status = CONNECTOR_OCCUPIED;
	run(f, &wall, SLOT_S);
	open_it(f);
	assert_int_equal(list(f, 0, begin, begin + 4 * SLOT_S), SAMPLE_MINUTES + 1);
	assert_int_equal(f->samples[0].power_w, 45000);
	assert_int_equal(f->samples[0].voltage_dv, 4000);
	assert_int_equal(f->samples[0].current_da, 1500);
	assert_int_equal(f->samples[0].soc_e1, 200);
	assert_int_equal(f->samples[1].power_w, 50);
	assert_int_equal(f->samples[1].soc_e1, 215);
	/* As a curve, with holes where nothing was. */
	assert_int_equal(
	    sampler_curve(f->sampler, f->connectors[0].connector_id, begin - 300, begin + 2 * SLOT_S, 100, &f->curve),
	    FC_OK);
	assert_int_equal(f->curve.step_s, 60);
	assert_int_equal(f->curve.count, 35);
	assert_int_equal(f->curve.points[4].power_w, SAMPLE_UNKNOWN);
	assert_int_equal(f->curve.points[5].power_w, 45000);
	assert_int_equal(f->curve.points[6].power_w, 50);
	assert_int_equal(f->curve.points[34].power_w, SAMPLE_UNKNOWN);
	/* Fewer points: means of means. */
	assert_int_equal(sampler_curve(f->sampler, f->connectors[0].connector_id, begin, begin + SLOT_S, 7, &f->curve),
			 FC_OK);
	assert_int_equal(f->curve.step_s, 180);
	assert_true(f->curve.count <= 7);
	assert_int_equal(sampler_curve(f->sampler, "C9", begin, begin + SLOT_S, 7, &f->curve), FC_OK);
	assert_int_equal(f->curve.points[0].power_w, SAMPLE_UNKNOWN);
}

static void half_an_hour_after_a_charge_its_memory_is_given_back(void **state)
{
	struct fixture *f = *state;
	const struct curve *c = f->sampler->curves[0];
	int64_t begin = now_in_slot() - 8 * SLOT_S, wall = begin;

	assert_false(c->kept);
	world[0].status = CONNECTOR_CHARGING;
	run(f, &wall, SLOT_S);
	assert_true(c->kept);
	world[0].status = CONNECTOR_OCCUPIED;
	run(f, &wall, (int64_t)SAMPLER_STEPS * SAMPLER_STEP_S);
	/* The last change, to nothing, is still one of the last half hour. */
	assert_true(c->kept);
	assert_true(c->past->count > 0);
	run(f, &wall, 2L * SAMPLER_STEP_S);
	assert_false(c->kept);
	assert_int_equal(c->past->count, 0);
	/* All of it is in the store, and the next charge is kept like the first. */
	assert_int_equal(list(f, 0, begin, wall), SAMPLE_MINUTES);
	world[0].status = CONNECTOR_CHARGING;
	run(f, &wall, SLOT_S);
	sampler_flush(f->sampler, wall, 1);
	assert_true(c->kept);
	assert_true(list(f, 0, begin, wall) >= 2 * SAMPLE_MINUTES - 1);
}

static void what_is_unknown_is_not_zero(void **state)
{
	struct fixture *f = *state;
	int64_t begin = now_in_slot() - 4 * SLOT_S, wall = begin;

	world[0].status = CONNECTOR_CHARGING;
	values.quality = QUALITY_STALE;
	run(f, &wall, 120);
	values.quality = QUALITY_GOOD;
	run(f, &wall, 60);
	sampler_flush(f->sampler, wall, 1);
	assert_int_equal(list(f, 0, begin, begin + SLOT_S), 1);
	assert_int_equal(f->minutes[0], begin / 60 + 2);
}

static void ranges_are_checked(void **state)
{
	struct fixture *f = *state;
	const char *id = f->connectors[0].connector_id;

	assert_int_equal(sampler_curve(f->sampler, id, 100, 100, 10, &f->curve), FC_EINVAL);
	assert_int_equal(sampler_curve(f->sampler, id, -1, 100, 10, &f->curve), FC_EINVAL);
	assert_int_equal(sampler_curve(f->sampler, id, 0, SAMPLER_RANGE_S + 1, 10, &f->curve), FC_EINVAL);
	assert_int_equal(sampler_curve(f->sampler, id, 0, 100, 0, &f->curve), FC_EINVAL);
	assert_int_equal(sampler_curve(f->sampler, id, 0, 100, SAMPLER_POINTS_MAX + 1, &f->curve), FC_EINVAL);
	assert_int_equal(sampler_curve(f->sampler, id, 7, SAMPLER_RANGE_S, SAMPLER_POINTS_MAX, &f->curve), FC_OK);
	assert_int_equal(sampler_curve(f->sampler, id, INT64_MAX - 9, INT64_MAX, 1, &f->curve), FC_EINVAL);
}

/* By the real clock: the last half hour is of now. */
static void the_last_half_hour_is_there_by_steps(void **state)
{
	struct fixture *f = *state;
	int64_t wall = clock_wall(), mono = clock_mono_us();
	const int64_t step = (int64_t)SAMPLER_STEP_S * 1000000;

	world[0].status = CONNECTOR_CHARGING;
	for (int i = 3 * SAMPLER_STEPS; i > 0; i--) {
		if (i == 60)
			values.power_milli = 10000000;
		/* A value that flutters fills the ring. */
		values.voltage_milli += 100;
		sampler_look(f->sampler, mono - i * step, wall - (int64_t)i * SAMPLER_STEP_S, 0);
	}
	assert_int_equal(sampler_curve(f->sampler, f->connectors[0].connector_id, wall - 1200, wall, 1000, &f->curve),
			 FC_OK);
	assert_int_equal(f->curve.step_s, SAMPLER_STEP_S);
	assert_int_equal(f->curve.points[100].power_w, 60000);
	assert_int_equal(f->curve.points[f->curve.count - 10].power_w, 10000);
	/* Without a clock that is set there are no minutes. */
	assert_int_equal(number(f, "SELECT count(*) FROM samples"), 0);
	world[0].status = CONNECTOR_IDLE;
	sampler_look(f->sampler, mono, wall, 0);
	assert_int_equal(
	    sampler_curve(f->sampler, f->connectors[0].connector_id, wall - 10, wall + 60, 1000, &f->curve), FC_OK);
	assert_int_equal(f->curve.points[f->curve.count - 1].power_w, SAMPLE_UNKNOWN);
}

static void after_a_restart_the_store_tells_the_last_half_hour(void **state)
{
	struct fixture *f = *state;
	int64_t now = clock_wall() / 60 * 60, wall = now - 1200;

	world[0].status = CONNECTOR_CHARGING;
	run(f, &wall, 600);
	open_it(f);
	assert_int_equal(sampler_curve(f->sampler, f->connectors[0].connector_id, now - 1200, now, 1000, &f->curve),
			 FC_OK);
	assert_int_equal(f->curve.step_s, SAMPLER_STEP_S);
	for (int i = 1; i < 115; i++)
		assert_int_equal(f->curve.points[i].power_w, 60000);
	assert_int_equal(f->curve.points[f->curve.count - 5].power_w, SAMPLE_UNKNOWN);
}

static void a_clock_may_jump(void **state)
{
	struct fixture *f = *state;
	int64_t begin = now_in_slot() - 8 * SLOT_S, wall = begin;

	world[0].status = CONNECTOR_CHARGING;
	run(f, &wall, SLOT_S + 300);
	wall = begin; /* back */
	values.power_milli = 10000000;
	run(f, &wall, 600);
	wall = begin + 5 * SLOT_S; /* forward */
	run(f, &wall, 300);
	sampler_flush(f->sampler, wall, 1);
	assert_int_equal(list(f, 0, begin, begin + 6 * SLOT_S), 15 + 5 + 5);
	assert_int_equal(f->samples[0].power_w, 10000); /* what was seen last of it */
	assert_int_equal(f->samples[10].power_w, 60000);
	assert_int_equal(f->samples[24].power_w, 10000);
}

static void the_store_is_bounded_by_days(void **state)
{
	struct fixture *f = *state;
	int64_t wall = now_in_slot() - 40 * 86400LL;

	world[0].status = CONNECTOR_CHARGING;
	for (int day = 0; day < 40; day++) {
		int64_t at = wall + day * 86400LL;

		run(f, &at, 60);
	}
	int64_t future = now_in_slot() + 400 * 86400LL;
	run(f, &future, 60);
	int64_t now = now_in_slot() - 2 * SLOT_S;
	run(f, &now, 1800);
	/* A clock that has just jumped is not believed: nothing is lost to it. */
	assert_int_equal(number(f, "SELECT count(*) FROM samples"), 42);
	run(f, &now, 3600);
	sampler_flush(f->sampler, now, 1);
	/* 30 days of 40 and today's, and not what a wrong clock has left. */
	assert_int_equal(number(f, "SELECT count(*) FROM samples WHERE slot > (SELECT max(slot) FROM samples) - 96"),
			 6);
	assert_int_equal(number(f, "SELECT count(*) FROM samples"), 29 + 6);
	f->config.gateway.history_days = 0;
	assert_int_equal(sampler_apply(f->sampler, &f->config, &f->err), FC_OK);
	run(f, &now, 1800);
	sampler_flush(f->sampler, now, 1);
	assert_int_equal(number(f, "SELECT count(*) FROM samples"), 29 + 6);
}

static void a_disk_that_takes_nothing_costs_an_hour_at_most(void **state)
{
	struct fixture *f = *state;
	int64_t begin = now_in_slot() - 12 * SLOT_S, wall = begin;

	world[0].status = CONNECTOR_CHARGING;
	assert_int_equal(sqlite3_exec(store_db(f->store), "PRAGMA query_only = 1", NULL, NULL, NULL), SQLITE_OK);
	run(f, &wall, 8 * SLOT_S);
	assert_int_equal(sqlite3_exec(store_db(f->store), "PRAGMA query_only = 0", NULL, NULL, NULL), SQLITE_OK);
	run(f, &wall, SLOT_S);
	sampler_flush(f->sampler, wall, 1);
	int n = list(f, 0, begin, begin + 12 * SLOT_S);
	assert_true(n >= 4 * SAMPLE_MINUTES && n <= 5 * SAMPLE_MINUTES);
}

static void another_configuration_keeps_the_curves(void **state)
{
	struct fixture *f = *state;
	int64_t begin = now_in_slot() - 4 * SLOT_S, wall = begin;

	world[1].status = CONNECTOR_CHARGING;
	run(f, &wall, 120);
	f->config.connectors = &f->connectors[1];
	f->config.connector_count = 1;
	assert_int_equal(sampler_apply(f->sampler, &f->config, &f->err), FC_OK);
	run(f, &wall, 120);
	sampler_flush(f->sampler, wall, 1);
	assert_int_equal(list(f, 1, begin, begin + SLOT_S), 4);
	f->config.connectors = f->connectors;
	f->config.connector_count = 2;
}

/* Flash: pages that go into the WAL, and those that go from there into the file. */
static void a_day_of_64_busy_connectors_is_cheap(void **state)
{
	struct fixture *f = *state;
	int64_t begin = now_in_slot() - 96 * SLOT_S, wall = begin, moved = 0, page = number(f, "PRAGMA page_size");
	int written = 0, most, log, done;
	const int full = (int)(4096000 / page); /* as far as the WAL grows */
	unsigned noise = 1;

	f->config.connector_count = MANY;
	assert_int_equal(sampler_apply(f->sampler, &f->config, &f->err), FC_OK);
	for (int i = 0; i < MANY; i++)
		world[i].status = CONNECTOR_CHARGING;
	assert_int_equal(sqlite3_wal_autocheckpoint(store_db(f->store), 0), SQLITE_OK);
	(void)sqlite3_db_status(store_db(f->store), SQLITE_DBSTATUS_CACHE_WRITE, &written, &most, 1);
	for (; wall < begin + 96 * SLOT_S; wall += 20) {
		noise = noise * 1103515245 + 12345;
		values.power_milli = 60000000 + (int64_t)(noise >> 16) % 3000000;
		values.voltage_milli = 400000 + (int64_t)(noise >> 20) % 3000;
		values.current_milli = 150000 + (int64_t)(noise >> 18) % 7000;
		values.soc_milli = 20000 + (wall - begin) * 80000 / (96 * SLOT_S);
		sampler_look(f->sampler, wall * 1000000, wall, 1);
		if (!sqlite3_wal_checkpoint_v2(store_db(f->store), NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &done) &&
		    log > full &&
		    !sqlite3_wal_checkpoint_v2(store_db(f->store), NULL, SQLITE_CHECKPOINT_RESTART, &log, &done))
			moved += done;
	}
	sampler_flush(f->sampler, wall, 1);
	(void)sqlite3_db_status(store_db(f->store), SQLITE_DBSTATUS_CACHE_WRITE, &written, &most, 0);
	int64_t rows = number(f, "SELECT count(*) FROM samples"),
		bytes = number(f, "SELECT sum(length(data)) FROM samples");
	int64_t flash = ((int64_t)written + (written < full ? written : moved)) * (page + 24);
	printf("64 connectors that charge all day: %lld rows, %lld bytes of values, %.1f kB of pages kept, %.2f MB "
	       "written to flash\n",
	       (long long)rows, (long long)bytes, (double)(number(f, "PRAGMA page_count") * page) / 1e3,
	       (double)flash / 1e6);
	assert_int_equal(rows, 96 * MANY);
	assert_true(flash < 5000000);
	f->config.connector_count = 2;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(rows_come_back_as_they_were, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(damaged_rows_are_passed_over, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_idle_connector_costs_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(minutes_are_means_and_survive, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(half_an_hour_after_a_charge_its_memory_is_given_back, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_unknown_is_not_zero, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(ranges_are_checked, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_last_half_hour_is_there_by_steps, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(after_a_restart_the_store_tells_the_last_half_hour, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_clock_may_jump, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_store_is_bounded_by_days, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_disk_that_takes_nothing_costs_an_hour_at_most, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(another_configuration_keeps_the_curves, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_day_of_64_busy_connectors_is_cheap, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
