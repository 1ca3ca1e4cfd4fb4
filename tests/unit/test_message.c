/* Messages: every schema of protocol.md section 2 is there, input is taken tolerantly, output has the standard's form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/json_read.h"
#include "upstream/message.h"

struct fixture {
	struct json_reader *reader;
	struct arena arena;
	struct buffer out;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	arena_init(&f->arena, 1u << 20);
	buffer_init(&f->out, 1u << 20);
	f->reader = json_reader_new(0);
	*state = f;
	return f->reader ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	json_reader_free(f->reader);
	buffer_fini(&f->out);
	arena_fini(&f->arena);
	free(f);
	return 0;
}

static struct value *read_json(struct fixture *f, const char *json)
{
	struct value *v = NULL;

	assert_int_equal(FC_OK, json_read(f->reader, json, strlen(json), &f->arena, &v, &f->err));
	return v;
}

static const struct schema *schema_of(const char *method, enum message_part part)
{
	const struct message *m = message_find(method);

	assert_non_null(m);
	return message_schema(m, part);
}

/* Names and direction of protocol.md 2.0, field counts of its tables. */
static void test_every_message(void **state)
{
	static const struct {
		const char *method;
		enum message_caller caller;
		enum message_set set;
		int mutating, request, answer;
	} want[] = {
	    {"query_token", MESSAGE_BOTH, MESSAGE_BASE, 0, 2, 5},
	    {"query_stations_info", MESSAGE_WE_ANSWER, MESSAGE_BASE, 0, 3, 4},
	    {"notification_stationStatus", MESSAGE_WE_CALL, MESSAGE_BASE, 1, 1, 1},
	    {"query_station_status", MESSAGE_WE_ANSWER, MESSAGE_BASE, 0, 1, 2},
	    {"query_station_stats", MESSAGE_WE_ANSWER, MESSAGE_BASE, 0, 3, 1},
	    {"notification_stationInfo", MESSAGE_WE_CALL, MESSAGE_STATION_INFO, 1, 1, 1},
	    {"notification_station_stats", MESSAGE_WE_CALL, MESSAGE_STATION_STATS, 1, 1, 1},
	    {"query_equip_auth", MESSAGE_WE_ANSWER, MESSAGE_ISERV, 0, 2, 4},
	    {"query_equip_business_policy", MESSAGE_WE_ANSWER, MESSAGE_ISERV, 0, 2, 6},
	    {"query_start_charge", MESSAGE_WE_ANSWER, MESSAGE_ISERV, 1, 3, 5},
	    {"notification_start_charge_result", MESSAGE_WE_CALL, MESSAGE_ISERV, 1, 7, 3},
	    {"query_equip_charge_status", MESSAGE_WE_ANSWER, MESSAGE_ISERV, 0, 1, 20},
	    {"notification_equip_charge_status", MESSAGE_WE_CALL, MESSAGE_ISERV, 1, 20, 3},
	    {"query_stop_charge", MESSAGE_WE_ANSWER, MESSAGE_ISERV, 1, 2, 4},
	    {"notification_stop_charge_result", MESSAGE_WE_CALL, MESSAGE_ISERV, 1, 5, 3},
	    {"notification_charge_order_info", MESSAGE_WE_CALL, MESSAGE_ISERV, 1, 11, 3},
	    {"check_charge_orders", MESSAGE_WE_CALL, MESSAGE_ISERV, 0, 7, 7},
	    {"notification_charge_order_info_for_bonus", MESSAGE_WE_CALL, MESSAGE_CITY, 1, 19, 3},
	    {"query_user_auth", MESSAGE_WE_CALL, MESSAGE_CITY, 1, 5, 5},
	};

	(void)state;
	assert_int_equal(sizeof(want) / sizeof(want[0]), message_count());
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct message *m = message_find(want[i].method);

		assert_non_null(m);
		assert_ptr_equal(m, message_at(message_index(m)));
		assert_int_equal(want[i].caller, m->caller);
		assert_int_equal(want[i].set, m->set);
		assert_int_equal(want[i].mutating, m->mutating);
		assert_int_equal(want[i].request, m->request->count);
		assert_int_equal(want[i].answer, m->answer->count);
	}
	assert_null(message_find("query_Token"));
	assert_null(message_find(""));
	assert_null(message_find(NULL));
	assert_null(message_at(-1));
	assert_null(message_at(message_count()));
	assert_int_equal(-1, message_index(NULL));
}

/* Walks a schema: children where they belong, sizes in range, no name twice. */
static void walk(const struct schema *s, int depth)
{
	assert_true(depth < 8);
	assert_true(s->count > 0);
	for (int i = 0; i < s->count; i++) {
		const struct field *f = &s->fields[i];

		assert_ptr_equal(f, schema_field(s, f->name));
		assert_int_equal(f->type == FIELD_OBJECT || f->type == FIELD_OBJECTS, f->child != NULL);
		assert_in_range(f->size, 0, f->type == FIELD_DECIMAL ? 9 : 256);
		assert_in_range(f->required, 0, 1);
		assert_true(field_type_name(f->type)[0] != '\0');
		if (f->child) {
			assert_ptr_equal(f->child, schema_by_name(f->child->name));
			walk(f->child, depth + 1);
		}
	}
}

static void test_every_schema(void **state)
{
	static const struct {
		const char *name;
		int count;
	} want[] = {
	    {"OperatorInfo", 6},        {"StationInfo", 27},
	    {"EquipmentInfo", 11},      {"ConnectorInfo", 9},
	    {"ConnectorStatusInfo", 4}, {"StationStatusInfo", 2},
	    {"StationStatsInfo", 5},    {"EquipmentStatsInfo", 3},
	    {"ConnectorStatsInfo", 2},  {"PolicyInfo", 3},
	    {"ChargeDetail", 7},        {"ChargeSnapshot", 20},
	    {"ChargeOrderInfo", 11},    {"ChargeOrder", 3},
	    {"DisputeOrder", 4},        {"ChargeOrderInfoForBonus", 19},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct schema *s = schema_by_name(want[i].name);

		assert_non_null(s);
		assert_int_equal(want[i].count, s->count);
		walk(s, 0);
	}
	assert_null(schema_by_name("Nothing"));
	for (int i = 0; i < message_count(); i++) {
		walk(message_at(i)->request, 0);
		walk(message_at(i)->answer, 0);
	}
	/* Spot checks against protocol.md: type, size, need. */
	static const struct {
		const char *schema, *field;
		enum field_type type;
		int size, required;
	} fields[] = {
	    {"StationInfo", "StationID", FIELD_TEXT, 20, 1},
	    {"StationInfo", "StationLng", FIELD_DECIMAL, 6, 1},
	    {"StationInfo", "BusineHours", FIELD_TEXT, 100, 0},
	    {"StationInfo", "Pictures", FIELD_TEXTS, 0, 0},
	    {"EquipmentInfo", "ProductionDate", FIELD_DATE, 10, 0},
	    {"EquipmentInfo", "Power", FIELD_DECIMAL, 1, 1},
	    {"ConnectorInfo", "ConnectorID", FIELD_TEXT, 26, 1},
	    {"StationStatsInfo", "StationElectricity", FIELD_DECIMAL, 1, 1},
	    {"PolicyInfo", "SevicePrice", FIELD_DECIMAL, 4, 1},
	    {"ChargeDetail", "DetailSeviceMoney", FIELD_DECIMAL, 2, 0},
	    {"ChargeOrderInfo", "TotalSeviceMoney", FIELD_DECIMAL, 2, 1},
	    {"ChargeSnapshot", "SeviceMoney", FIELD_DECIMAL, 2, 0},
	    {"ChargeOrderInfoForBonus", "MeterValueEnd", FIELD_DECIMAL, 2, 1},
	    {"ChargeOrderInfoForBonus", "ConnectorPower", FIELD_DECIMAL, 1, 1},
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = schema_field(schema_by_name(fields[i].schema), fields[i].field);

		assert_non_null(f);
		assert_int_equal(fields[i].type, f->type);
		assert_int_equal(fields[i].size, f->size);
		assert_int_equal(fields[i].required, f->required);
	}
	assert_null(schema_field(schema_by_name("PolicyInfo"), "ServicePrice"));
}

/* What comes in, and how it stands after the check. */
static void test_check_normalises(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *method;
		enum message_part part;
		const char *in, *out;
	} cases[] = {
	    /* V5's date without padding; integers as text and as float */
	    {"query_stations_info", MESSAGE_REQUEST,
	     "{\"LastQueryTime\":\"2016-1-2 12:12:12\",\"PageNo\":\"2\",\"PageSize\":1.0}",
	     "{\"LastQueryTime\":\"2016-01-02 12:12:12\",\"PageNo\":2,\"PageSize\":1}"},
	    /* absent in every way */
	    {"query_stations_info", MESSAGE_REQUEST, "{}", "{}"},
	    {"query_stations_info", MESSAGE_REQUEST, "{\"LastQueryTime\":\"\",\"PageNo\":null,\"PageSize\":\"\"}",
	     "{}"},
	    {"query_stations_info", MESSAGE_REQUEST, "[]", "{}"},
	    /* unknown fields stay */
	    {"query_stations_info", MESSAGE_REQUEST, "{\"Extra\":[1,{\"a\":null}]}", "{\"Extra\":[1,{\"a\":null}]}"},
	    /* lists: empty, and of numbers */
	    {"query_station_status", MESSAGE_REQUEST, "{\"StationIDs\":[]}", "{\"StationIDs\":[]}"},
	    {"query_station_status", MESSAGE_REQUEST, "{\"StationIDs\":{}}", "{\"StationIDs\":[]}"},
	    {"query_station_status", MESSAGE_REQUEST, "{\"StationIDs\":[\"1\",22,\"\"]}",
	     "{\"StationIDs\":[\"1\",\"22\",\"\"]}"},
	    /* dates as date-time (field variation 9); a number where text is due */
	    {"query_station_stats", MESSAGE_REQUEST,
	     "{\"StationID\":7,\"StartTime\":\"2024-2-29 23:59:59\",\"EndTime\":\"2024-3-1\"}",
	     "{\"StationID\":\"7\",\"StartTime\":\"2024-02-29\",\"EndTime\":\"2024-03-01\"}"},
	    /* answers: nothing is insisted on */
	    {"notification_stationStatus", MESSAGE_ANSWER, "{\"Status\":\"1\"}", "{\"Status\":1}"},
	    {"notification_stationStatus", MESSAGE_ANSWER, "{\"SuccStat\":0}", "{\"SuccStat\":0}"},
	    /* nested lists and objects, decimals as text */
	    {"notification_charge_order_info", MESSAGE_REQUEST,
	     "{\"TotalPower\":\"12.345\",\"ChargeDetails\":[{\"ElecPrice\":\"0.5\",\"DetailPower\":3}]}",
	     "{\"TotalPower\":12.345000,\"ChargeDetails\":[{\"ElecPrice\":0.500000,\"DetailPower\":3}]}"},
	    {"notification_stationInfo", MESSAGE_REQUEST, "{\"StationInfo\":{\"EquipmentInfos\":{}}}",
	     "{\"StationInfo\":{\"EquipmentInfos\":[]}}"},
	    /* lifetime of a token: text, float */
	    {"query_token", MESSAGE_ANSWER, "{\"TokenAvailableTime\":7200.5,\"SuccStat\":\"0\"}",
	     "{\"TokenAvailableTime\":7200.5,\"SuccStat\":0}"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct value *v = read_json(f, cases[i].in);
		int ours = message_find(cases[i].method)->caller != MESSAGE_WE_CALL;
		int insist = cases[i].part == MESSAGE_REQUEST && ours;

		f->err.text[0] = '\0';
		assert_int_equal(
		    FC_OK, message_check(schema_of(cases[i].method, cases[i].part), v, insist, &f->arena, &f->err));
		struct value *expect = read_json(f, cases[i].out);
		if (!value_equal(expect, v)) {
			(void)json_write(&f->out, v);
			fail_msg("%s is not %s", f->out.data, cases[i].out);
		}
		/* Types, not only values: an empty list is a list now. */
		struct value *ids = value_get(v, "StationIDs");
		if (ids)
			assert_int_equal(VALUE_ARRAY, ids->type);
		struct value *page = value_get(v, "PageNo");
		if (page)
			assert_int_equal(VALUE_INT, page->type);
	}
}

static void test_check_names_the_field(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *method, *in, *says;
	} cases[] = {
	    {"query_stations_info", "[1]", "Data: not an object"},
	    {"query_stations_info", "\"x\"", "Data: not an object"},
	    {"query_stations_info", "{\"PageNo\":\"two\"}", "Data.PageNo: not an integer"},
	    {"query_stations_info", "{\"PageNo\":1.5}", "Data.PageNo: not an integer"},
	    {"query_stations_info", "{\"PageNo\":true}", "Data.PageNo: not an integer"},
	    {"query_stations_info", "{\"PageNo\":[1]}", "Data.PageNo: not an integer"},
	    {"query_stations_info", "{\"PageNo\":1e300}", "Data.PageNo: not an integer"},
	    {"query_stations_info", "{\"LastQueryTime\":\"yesterday\"}",
	     "Data.LastQueryTime: not a time yyyy-MM-dd HH:mm:ss"},
	    {"query_stations_info", "{\"LastQueryTime\":20240101}",
	     "Data.LastQueryTime: not a time yyyy-MM-dd HH:mm:ss"},
	    {"query_stations_info", "{\"LastQueryTime\":\"2024-01-01\\u0000\"}",
	     "Data.LastQueryTime: not a time yyyy-MM-dd HH:mm:ss"},
	    {"query_station_status", "{}", "Data.StationIDs: missing"},
	    {"query_station_status", "{\"StationIDs\":null}", "Data.StationIDs: missing"},
	    {"query_station_status", "{\"StationIDs\":\"1\"}", "Data.StationIDs: not a list"},
	    {"query_station_status", "{\"StationIDs\":{\"a\":1}}", "Data.StationIDs: not a list"},
	    {"query_station_status", "{\"StationIDs\":[\"1\",{}]}", "Data.StationIDs[1]: not a text"},
	    {"query_station_status", "{\"StationIDs\":[\"1\",\"2\",null]}", "Data.StationIDs[2]: not a text"},
	    {"query_station_status", "{\"StationIDs\":[\"a\\u0000b\"]}", "Data.StationIDs[0]: not a text"},
	    {"query_station_stats", "{\"StationID\":\"1\",\"StartTime\":\"2024-02-30\",\"EndTime\":\"2024-03-01\"}",
	     "Data.StartTime: not a date yyyy-MM-dd"},
	    {"query_station_stats", "{\"StationID\":\"1\",\"StartTime\":\"2024-02-20\"}", "Data.EndTime: missing"},
	    {"query_station_stats", "{\"StationID\":false}", "Data.StationID: not a text"},
	    {"query_token", "{\"OperatorID\":\"1\"}", "Data.OperatorSecret: missing"},
	    {"notification_stationStatus", "{\"ConnectorStatusInfo\":[1]}", "Data.ConnectorStatusInfo: not an object"},
	    {"notification_stationStatus", "{\"ConnectorStatusInfo\":{\"ConnectorID\":\"1\",\"Status\":\"x\"}}",
	     "Data.ConnectorStatusInfo.Status: not an integer"},
	    {"notification_stationInfo",
	     "{\"StationInfo\":{\"StationID\":\"1\",\"OperatorID\":\"1\",\"EquipmentOwnerID\":\"1\",\"StationName\":"
	     "\"1\","
	     "\"CountryCode\":\"CN\",\"AreaCode\":\"1\",\"Address\":\"1\",\"ServiceTel\":\"1\",\"StationType\":1,"
	     "\"StationStatus\":1,\"ParkNums\":1,\"StationLng\":1,\"StationLat\":1,\"Construction\":1,"
	     "\"EquipmentInfos\":"
	     "[{\"EquipmentID\":\"1\",\"EquipmentType\":1,\"Power\":1,\"ConnectorInfos\":[]},{\"EquipmentID\":\"1\","
	     "\"EquipmentType\":1,\"ConnectorInfos\":[{\"ConnectorID\":\"1\",\"ConnectorType\":1,"
	     "\"VoltageUpperLimits\":1,"
	     "\"VoltageLowerLimits\":1,\"Current\":1,\"Power\":\"much\"}]}]}}",
	     "Data.StationInfo.EquipmentInfos[1].ConnectorInfos[0].Power: not a number"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct value *v = read_json(f, cases[i].in);

		assert_int_equal(FC_EINVAL,
				 message_check(schema_of(cases[i].method, MESSAGE_REQUEST), v, 1, &f->arena, &f->err));
		assert_string_equal(cases[i].says, f->err.text);
	}
	assert_int_equal(FC_EINVAL,
			 message_check(schema_of("query_token", MESSAGE_REQUEST), NULL, 1, &f->arena, &f->err));
	/* Long text is neither refused nor cut (protocol.md section 5, 9). */
	char json[600];
	(void)snprintf(json, sizeof(json), "{\"OperatorID\":\"%0500d\",\"OperatorSecret\":\"s\"}", 1);
	struct value *v = read_json(f, json);
	assert_int_equal(FC_OK, message_check(schema_of("query_token", MESSAGE_REQUEST), v, 1, &f->arena, &f->err));
	assert_int_equal(500, value_get(v, "OperatorID")->len);
	/* A full arena. */
	struct arena tiny;
	arena_init(&tiny, 0);
	v = read_json(f, "{\"LastQueryTime\":\"2024-1-1\"}");
	assert_int_equal(FC_ELIMIT,
			 message_check(schema_of("query_stations_info", MESSAGE_REQUEST), v, 1, &tiny, &f->err));
	v = read_json(f, "{\"StationIDs\":[1]}");
	assert_int_equal(FC_ELIMIT,
			 message_check(schema_of("query_station_status", MESSAGE_REQUEST), v, 1, &tiny, &f->err));
	arena_fini(&tiny);
}

static void expect_shape(struct fixture *f, const char *method, enum message_part part, struct value *v,
			 const char *json)
{
	message_shape(schema_of(method, part), v);
	buffer_clear(&f->out);
	assert_int_equal(FC_OK, json_write(&f->out, v));
	assert_string_equal(json, f->out.data);
}

static void test_shape(void **state)
{
	struct fixture *f = *state;
	struct arena *a = &f->arena;

	/* Numbers of every kind in a decimal(2), half up. */
	struct value *numbers[] = {value_int(a, 10),       value_float(a, 10.0),       value_float(a, 0.285),
				   value_float(a, -0.005), value_decimal(a, 12345, 3), value_decimal(a, 1, 0),
				   value_float(a, 1e-9),   value_number(a, "10.000"),  value_string(a, "10"),
				   value_null(a),          value_bool(a, 1),           value_float(a, 1e300)};
	static const char *const texts[] = {"10.00", "10.00",  "0.29",   "-0.01", "12.35", "1.00",
					    "0.00",  "10.000", "\"10\"", "null",  "true",  "1e+300"};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct value *order = value_object(a);
		char json[64];

		assert_int_equal(FC_OK, value_put(a, order, "TotalPower", numbers[i]));
		(void)snprintf(json, sizeof(json), "{\"TotalPower\":%s}", texts[i]);
		expect_shape(f, "notification_charge_order_info", MESSAGE_REQUEST, order, json);
	}
	/* Each number of decimals of the tables. Members stand in alphabetical order, so that it does not matter whether
	 * the reader keeps their order or sorts them. */
	struct value *v = read_json(f, "{\"StationInfo\":{\"EquipmentInfos\":[{\"ConnectorInfos\":[{\"Power\":7.04}],"
				       "\"Power\":60}],\"ParkNums\":4.0,\"StationLat\":39,\"StationLng\":116.4}}");
	expect_shape(f, "notification_stationInfo", MESSAGE_REQUEST, v,
		     "{\"StationInfo\":{\"EquipmentInfos\":[{\"ConnectorInfos\":[{\"Power\":7.0}],"
		     "\"Power\":60.0}],\"ParkNums\":4,\"StationLat\":39.000000,\"StationLng\":116.400000}}");
	v = read_json(
	    f, "{\"StationStats\":{\"EquipmentStatsInfos\":[{\"ConnectorStatsInfos\":"
	       "[{\"ConnectorElectricity\":0.05}],\"EquipmentElectricity\":0}],\"StationElectricity\":1234.55}}");
	expect_shape(f, "query_station_stats", MESSAGE_ANSWER, v,
		     "{\"StationStats\":{\"EquipmentStatsInfos\":[{\"ConnectorStatsInfos\":"
		     "[{\"ConnectorElectricity\":0.1}],\"EquipmentElectricity\":0.0}],\"StationElectricity\":1234.6}}");
	v = read_json(f, "{\"PolicyInfos\":[{\"ElecPrice\":0.5,\"SevicePrice\":1}]}");
	expect_shape(f, "query_equip_business_policy", MESSAGE_ANSWER, v,
		     "{\"PolicyInfos\":[{\"ElecPrice\":0.5000,\"SevicePrice\":1.0000}]}");
	v = read_json(f, "{\"TokenAvailableTime\":7200}");
	expect_shape(f, "query_token", MESSAGE_ANSWER, v, "{\"TokenAvailableTime\":7200}");

	/* Empties: list, object, unknown, at the root. */
	v = read_json(f, "{\"Extra\":[],\"StationInfos\":[]}");
	expect_shape(f, "query_stations_info", MESSAGE_ANSWER, v, "{\"Extra\":{},\"StationInfos\":[]}");
	v = read_json(f, "{\"StationInfos\":[{}]}");
	expect_shape(f, "query_stations_info", MESSAGE_ANSWER, v, "{\"StationInfos\":[{}]}");
	v = read_json(f, "{\"StationInfos\":[{\"EquipmentInfos\":{},\"Pictures\":{}}]}");
	expect_shape(f, "query_stations_info", MESSAGE_ANSWER, v,
		     "{\"StationInfos\":[{\"EquipmentInfos\":[],\"Pictures\":[]}]}");
	expect_shape(f, "notification_stationStatus", MESSAGE_REQUEST, read_json(f, "{\"ConnectorStatusInfo\":{}}"),
		     "{\"ConnectorStatusInfo\":{}}");
	expect_shape(f, "query_stations_info", MESSAGE_REQUEST, value_empty(a), "{}");
	/* A list where an object is due keeps its place, and its items their shape; and the other way round. */
	v = read_json(f, "{\"StationInfo\":[{\"StationLng\":1},7]}");
	expect_shape(f, "notification_stationInfo", MESSAGE_REQUEST, v,
		     "{\"StationInfo\":[{\"StationLng\":1.000000},7]}");
	v = read_json(f, "{\"StationInfos\":{\"StationLng\":1}}");
	expect_shape(f, "query_stations_info", MESSAGE_ANSWER, v, "{\"StationInfos\":{\"StationLng\":1.000000}}");
	/* Unknown fields: integer stays integer, float stays float; long text is not cut. */
	v = value_object(a);
	(void)value_put(a, v, "I", value_int(a, 10));
	(void)value_put(a, v, "F", value_float(a, 10.0));
	(void)value_put(a, v, "N", value_number(a, "10.000"));
	expect_shape(f, "query_stations_info", MESSAGE_ANSWER, v, "{\"I\":10,\"F\":10.0,\"N\":10.000}");
	/* An integer field with a fraction is the script's choice. */
	v = value_object(a);
	(void)value_put(a, v, "PageNo", value_float(a, 1.5));
	expect_shape(f, "query_stations_info", MESSAGE_ANSWER, v, "{\"PageNo\":1.5}");
	message_shape(schema_of("query_token", MESSAGE_ANSWER), NULL);
}

static void test_verdict(void **state)
{
	struct fixture *f = *state;
	const struct message *status = message_find("notification_stationStatus");
	const struct message *order = message_find("notification_charge_order_info");
	int64_t verdict = 9;

	assert_int_equal(FC_OK, message_verdict(status, read_json(f, "{\"ConfirmResult\":0,\"Status\":1}"), &verdict));
	assert_int_equal(1, verdict);
	assert_int_equal(FC_OK, message_verdict(order, read_json(f, "{\"Status\":1,\"ConfirmResult\":0}"), &verdict));
	assert_int_equal(0, verdict);
	/* Swapped fields (field variation 25), and as text. */
	assert_int_equal(FC_OK, message_verdict(status, read_json(f, "{\"ConfirmResult\":\"2\"}"), &verdict));
	assert_int_equal(2, verdict);
	assert_int_equal(FC_OK, message_verdict(order, read_json(f, "{\"SuccStat\":1}"), &verdict));
	assert_int_equal(1, verdict);
	assert_int_equal(FC_ENOENT, message_verdict(order, read_json(f, "{\"Other\":1}"), &verdict));
	assert_int_equal(FC_ENOENT, message_verdict(order, NULL, &verdict));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_every_message),         TEST(test_every_schema), TEST(test_check_normalises),
	    TEST(test_check_names_the_field), TEST(test_shape),        TEST(test_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
