#include "upstream/icomm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "upstream/ret.h"
#include "upstream_fixture.h"

struct fixture {
	struct station_set set;
	struct icomm city, second;
	struct arena arena;
	struct error err;
	struct value *answer;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	fixture_init(&f->set);
	f->city = (struct icomm){.stations = &f->set, .platform = &f->set.platform[0]};
	f->second = (struct icomm){.stations = &f->set, .platform = &f->set.platform[1]};
	arena_init(&f->arena, 4 << 20);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_fini(&f->arena);
	free(f);
	return 0;
}

static int ask(struct fixture *f, const struct icomm *view, const char *method, const struct value *request)
{
	return icomm_answer(view, message_find(method), request, &f->arena, &f->answer, &f->err);
}

static int64_t number(const struct value *o, const char *key)
{
	int64_t i = -999;

	assert_int_equal(value_to_int(value_get(o, key), &i), 0);
	return i;
}

static int64_t tenths(const struct value *o, const char *key)
{
	int64_t i = -999;

	assert_int_equal(value_to_decimal(value_get(o, key), 1, &i), 0);
	return i;
}

static void assert_json(const struct value *v, const char *expected)
{
	struct buffer b;

	buffer_init(&b, 65536);
	assert_int_equal(json_write(&b, v), FC_OK);
	assert_string_equal(b.data, expected);
	buffer_fini(&b);
}

static struct value *page(struct fixture *f, const char *since, int64_t no, int64_t size)
{
	struct value *o = value_object(&f->arena);

	if (since)
		assert_int_equal(value_put(&f->arena, o, "LastQueryTime", value_string(&f->arena, since)), 0);
	assert_int_equal(value_put(&f->arena, o, "PageNo", value_int(&f->arena, no)), 0);
	assert_int_equal(value_put(&f->arena, o, "PageSize", value_int(&f->arena, size)), 0);
	return o;
}

static const char *station_at(const struct fixture *f, int index)
{
	const struct value *v = value_get(f->answer, "StationInfos")->first;

	while (v && index--)
		v = v->next;
	return value_text(value_get(v, "StationID"));
}

/* The form of every field: protocol.md 2.1. */
static void station_info_form(void **state)
{
	struct fixture *f = *state;

	f->set.station[1].remark = "r";
	f->set.connector[4].park_no = "A7";
	assert_json(
	    icomm_station_info(&f->city, 1, &f->arena),
	    "{\"StationID\":\"S2\",\"OperatorID\":\"123456789\",\"EquipmentOwnerID\":\"123456789\","
	    "\"StationName\":\"station 2\",\"CountryCode\":\"CN\",\"AreaCode\":\"110105\",\"Address\":\"address\","
	    "\"ServiceTel\":\"4001\",\"StationType\":1,\"StationStatus\":50,\"ParkNums\":8,"
	    "\"StationLng\":116.407400,\"StationLat\":39.904200,\"Construction\":255,\"SupportOrder\":0,"
	    "\"Remark\":\"r\",\"EquipmentInfos\":[{\"EquipmentID\":\"E3\",\"EquipmentType\":1,\"ConnectorInfos\":"
	    "[{\"ConnectorID\":\"C31\",\"ConnectorType\":4,\"VoltageUpperLimits\":750,\"VoltageLowerLimits\":200,"
	    "\"Current\":250,\"Power\":60.0,\"ParkNo\":\"A7\",\"NationalStandard\":2}],\"Power\":120.1}]}");
	/* A station without chargers has an empty list, not no list. */
	assert_true(value_is_array(value_get(icomm_station_info(&f->city, 2, &f->arena), "EquipmentInfos")));
}

/* What is built must be what the schema knows. */
static void built_trees_fit_the_schema(void **state)
{
	struct fixture *f = *state;
	struct value *v = icomm_station_info(&f->city, 0, &f->arena);

	assert_int_equal(
	    message_check(schema_field(message_find("notification_stationInfo")->request, "StationInfo")->child, v, 1,
			  &f->arena, &f->err),
	    FC_OK);
	v = icomm_push_status(&f->set.live[0], &f->arena);
	assert_int_equal(message_check(message_find("notification_stationStatus")->request, v, 1, &f->arena, &f->err),
			 FC_OK);
	v = icomm_push_info(&f->city, 0, &f->arena);
	assert_int_equal(message_check(message_find("notification_stationInfo")->request, v, 1, &f->arena, &f->err),
			 FC_OK);
	v = icomm_push_stats(&f->city, 0, 20000, &f->arena);
	assert_int_equal(message_check(message_find("notification_station_stats")->request, v, 1, &f->arena, &f->err),
			 FC_OK);
}

static void paging(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, &f->city, "query_stations_info", page(f, NULL, 2, 2)), RET_OK);
	assert_int_equal(number(f->answer, "PageNo"), 2);
	assert_int_equal(number(f->answer, "PageCount"), 2);
	assert_int_equal(number(f->answer, "ItemSize"), 3);
	assert_int_equal(value_get(f->answer, "StationInfos")->count, 1);
	assert_string_equal(station_at(f, 0), "S3");
	/* No parameters at all: page 1 of 10. */
	assert_int_equal(ask(f, &f->city, "query_stations_info", value_object(&f->arena)), RET_OK);
	assert_int_equal(number(f->answer, "PageNo"), 1);
	assert_int_equal(value_get(f->answer, "StationInfos")->count, 3);
}

static void page_beyond_the_end_is_echoed_and_empty(void **state)
{
	struct fixture *f = *state;
	const int64_t far[] = {3, 1000000, INT64_MAX};

	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		assert_int_equal(ask(f, &f->city, "query_stations_info", page(f, NULL, far[i], 2)), RET_OK);
		assert_int_equal(number(f->answer, "PageNo"), far[i]);
		assert_int_equal(number(f->answer, "PageCount"), 2);
		assert_int_equal(value_get(f->answer, "StationInfos")->type, VALUE_ARRAY);
		assert_int_equal(value_get(f->answer, "StationInfos")->count, 0);
	}
}

static void illegal_pages(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, &f->city, "query_stations_info", page(f, NULL, 0, 10)), RET_PARAMETER);
	assert_string_equal(f->err.text, "Data.PageNo: an integer from 1");
	assert_int_equal(ask(f, &f->city, "query_stations_info", page(f, NULL, -1, 10)), RET_PARAMETER);
	assert_int_equal(ask(f, &f->city, "query_stations_info", page(f, NULL, 1, 0)), RET_PARAMETER);
	assert_int_equal(ask(f, &f->city, "query_stations_info", page(f, "yesterday", 1, 1)), RET_PARAMETER);
}

static void page_size_is_bounded(void **state)
{
	struct fixture *f = *state;

	f->set.platform[0].page_size_max = 2;
	assert_int_equal(ask(f, &f->city, "query_stations_info", page(f, NULL, 1, INT64_MAX)), RET_OK);
	assert_int_equal(value_get(f->answer, "StationInfos")->count, 2);
	assert_int_equal(number(f->answer, "PageCount"), 2);
	f->set.platform[0].item_size_is_page = 1;
	assert_int_equal(ask(f, &f->city, "query_stations_info", page(f, NULL, 1, 5)), RET_OK);
	assert_int_equal(number(f->answer, "ItemSize"), 2);
}

static void last_query_time(void **state)
{
	struct fixture *f = *state;
	int64_t noon;

	assert_int_equal(clock_parse_datetime("2026-03-02 12:00:00", &noon), 0);
	f->set.changed_wall[0] = noon - 1;
	f->set.changed_wall[1] = noon;
	f->set.changed_wall[2] = noon + 1;
	/* Unpadded, as in vector V5. */
	assert_int_equal(ask(f, &f->city, "query_stations_info", page(f, "2026-3-2 12:0:0", 1, 10)), RET_OK);
	assert_int_equal(number(f->answer, "ItemSize"), 2);
	assert_string_equal(station_at(f, 0), "S2");
	assert_string_equal(station_at(f, 1), "S3");
	assert_int_equal(ask(f, &f->city, "query_stations_info", page(f, "2026-03-02 12:00:02", 1, 10)), RET_OK);
	assert_int_equal(number(f->answer, "ItemSize"), 0);
	assert_int_equal(number(f->answer, "PageCount"), 0);
}

static struct value *ids(struct fixture *f, const char *const *list, int count)
{
	struct value *o = value_object(&f->arena), *array = value_array(&f->arena);

	for (int i = 0; i < count; i++)
		assert_int_equal(value_push(array, value_string(&f->arena, list ? list[i] : "S1")), 0);
	assert_int_equal(value_put(&f->arena, o, "StationIDs", array), 0);
	return o;
}

static void station_status(void **state)
{
	struct fixture *f = *state;
	static const char *const asked[] = {"S2", "nowhere", "S1", "S2"};

	f->set.live[0].status = CONNECTOR_CHARGING;
	f->set.live[1].status = CONNECTOR_FAULT;
	f->set.live[2].status = CONNECTOR_OFFLINE;
	assert_int_equal(ask(f, &f->city, "query_station_status", ids(f, asked, 4)), RET_OK);
	assert_json(f->answer,
		    "{\"Total\":2,\"StationStatusInfos\":[{\"StationID\":\"S2\",\"ConnectorStatusInfos\":["
		    "{\"ConnectorID\":\"C31\",\"Status\":1}]},{\"StationID\":\"S1\",\"ConnectorStatusInfos\":["
		    "{\"ConnectorID\":\"C11\",\"Status\":3},{\"ConnectorID\":\"C12\",\"Status\":255},"
		    "{\"ConnectorID\":\"C21\",\"Status\":0},{\"ConnectorID\":\"C22\",\"Status\":1}]}]}");
	assert_int_equal(ask(f, &f->city, "query_station_status", ids(f, NULL, 50)), RET_OK);
	assert_int_equal(ask(f, &f->city, "query_station_status", ids(f, NULL, 51)), RET_PARAMETER);
	assert_int_equal(ask(f, &f->city, "query_station_status", ids(f, NULL, 0)), RET_PARAMETER);
	assert_int_equal(ask(f, &f->city, "query_station_status", value_object(&f->arena)), RET_PARAMETER);
}

static struct value *range(struct fixture *f, const char *id, const char *start, const char *end)
{
	struct value *o = value_object(&f->arena);

	assert_int_equal(value_put(&f->arena, o, "StationID", value_string(&f->arena, id)), 0);
	assert_int_equal(value_put(&f->arena, o, "StartTime", value_string(&f->arena, start)), 0);
	assert_int_equal(value_put(&f->arena, o, "EndTime", value_string(&f->arena, end)), 0);
	return o;
}

/* Each level is the sum of what it shows below: with parts that all round up, the total rounds with them. */
static void statistics_add_up(void **state)
{
	struct fixture *f = *state;
	int64_t station = 0;

	for (int i = 0; i < 4; i++)
		f->set.energy_wh[i] = 1050;
	assert_int_equal(ask(f, &f->city, "query_station_stats", range(f, "S1", "2026-03-01", "2026-03-01")), RET_OK);
	const struct value *stats = value_get(f->answer, "StationStats");
	assert_string_equal(value_text(value_get(stats, "StartTime")), "2026-03-01");
	assert_string_equal(value_text(value_get(stats, "EndTime")), "2026-03-01");
	value_each (equipment, value_get(stats, "EquipmentStatsInfos")) {
		int64_t sum = 0;

		value_each (c, value_get(equipment, "ConnectorStatsInfos"))
			sum += tenths(c, "ConnectorElectricity");
		assert_int_equal(tenths(equipment, "EquipmentElectricity"), sum);
		station += sum;
	}
	assert_int_equal(tenths(stats, "StationElectricity"), station);
	/* Four times 1.1, although 4.200 kWh were measured: what is shown must add up. */
	assert_int_equal(station, 44);
}

static void statistics_ranges(void **state)
{
	struct fixture *f = *state;

	f->set.energy_wh[4] = 1000;
	/* Both ends count: a day, a week, a month. */
	assert_int_equal(ask(f, &f->city, "query_station_stats", range(f, "S2", "2026-3-1", "2026-3-1")), RET_OK);
	assert_int_equal(tenths(value_get(f->answer, "StationStats"), "StationElectricity"), 10);
	assert_int_equal(ask(f, &f->city, "query_station_stats", range(f, "S2", "2026-03-02", "2026-03-08")), RET_OK);
	assert_int_equal(tenths(value_get(f->answer, "StationStats"), "StationElectricity"), 70);
	assert_int_equal(ask(f, &f->city, "query_station_stats", range(f, "S2", "2026-02-01", "2026-02-28")), RET_OK);
	assert_int_equal(tenths(value_get(f->answer, "StationStats"), "StationElectricity"), 280);
	/* Date-times count as their days. */
	assert_int_equal(
	    ask(f, &f->city, "query_station_stats", range(f, "S2", "2026-03-01 00:00:00", "2026-03-02 23:59:59")),
	    RET_OK);
	assert_int_equal(tenths(value_get(f->answer, "StationStats"), "StationElectricity"), 20);
	assert_int_equal(ask(f, &f->city, "query_station_stats", range(f, "S2", "2026-03-02", "2026-03-01")),
			 RET_PARAMETER);
	assert_int_equal(ask(f, &f->city, "query_station_stats", range(f, "S2", "2025-01-01", "2026-02-04")), RET_OK);
	assert_int_equal(ask(f, &f->city, "query_station_stats", range(f, "S2", "2025-01-01", "2026-02-05")),
			 RET_PARAMETER);
	assert_int_equal(ask(f, &f->city, "query_station_stats", range(f, "S2", "today", "2026-03-01")), RET_PARAMETER);
	assert_int_equal(ask(f, &f->city, "query_station_stats", range(f, "S9", "2026-03-01", "2026-03-01")),
			 RET_PARAMETER);
}

static void other_stations_are_invisible(void **state)
{
	struct fixture *f = *state;
	static const char *const both[] = {"S1", "S2"};

	assert_int_equal(ask(f, &f->second, "query_stations_info", page(f, NULL, 1, 10)), RET_OK);
	assert_int_equal(number(f->answer, "ItemSize"), 1);
	assert_string_equal(station_at(f, 0), "S2");
	assert_int_equal(ask(f, &f->second, "query_station_status", ids(f, both, 2)), RET_OK);
	assert_int_equal(number(f->answer, "Total"), 1);
	assert_int_equal(ask(f, &f->second, "query_station_stats", range(f, "S1", "2026-03-01", "2026-03-01")),
			 RET_PARAMETER);
	assert_int_equal(icomm_station(&f->second, "S1"), -1);
	assert_int_equal(icomm_station(&f->second, "S2"), 1);
}

static void full_arena_is_a_system_error(void **state)
{
	struct fixture *f = *state;
	struct arena small;
	const struct value *request = value_object(&f->arena);

	/* A value is pointers for the most part: 8 KiB where they have 64 bits. */
	for (size_t limit = 0; limit < 1024 * sizeof(void *); limit += 97) {
		arena_init(&small, limit);
		assert_int_equal(
		    icomm_answer(&f->city, message_find("query_stations_info"), request, &small, &f->answer, &f->err),
		    RET_SYSTEM);
		arena_fini(&small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(station_info_form, setup, teardown),
	    cmocka_unit_test_setup_teardown(built_trees_fit_the_schema, setup, teardown),
	    cmocka_unit_test_setup_teardown(paging, setup, teardown),
	    cmocka_unit_test_setup_teardown(page_beyond_the_end_is_echoed_and_empty, setup, teardown),
	    cmocka_unit_test_setup_teardown(illegal_pages, setup, teardown),
	    cmocka_unit_test_setup_teardown(page_size_is_bounded, setup, teardown),
	    cmocka_unit_test_setup_teardown(last_query_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(station_status, setup, teardown),
	    cmocka_unit_test_setup_teardown(statistics_add_up, setup, teardown),
	    cmocka_unit_test_setup_teardown(statistics_ranges, setup, teardown),
	    cmocka_unit_test_setup_teardown(other_stations_are_invisible, setup, teardown),
	    cmocka_unit_test_setup_teardown(full_arena_is_a_system_error, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
