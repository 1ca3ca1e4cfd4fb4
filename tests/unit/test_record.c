/* upstream/record, mask, personal: bounded, fair to rare messages, and nobody's data in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu_time.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/tree.h"
#include "upstream/codec.h"
#include "upstream/mask.h"

static unsigned seed = 3;

static unsigned random_to(unsigned most)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % (most + 1);
}

static void note(struct recorder *r, const char *platform, const char *method, enum message_part part,
		 const struct value *before, const struct value *after)
{
	recorder_note(r, &(struct record){.platform = platform,
					  .message = message_find(method),
					  .part = part,
					  .direction = MAPPING_OUT,
					  .mapping = "city",
					  .hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
					  .before = before,
					  .after = after});
}

static struct value *status(struct arena *a, int number)
{
	struct value *v = value_object(a), *s = value_object(a);
	char id[32];

	(void)snprintf(id, sizeof(id), "1101050001%04d", number);
	assert_int_equal(value_put(a, s, "ConnectorID", value_string(a, id)), FC_OK);
	assert_int_equal(value_put(a, s, "Status", value_int(a, number % 4)), FC_OK);
	assert_int_equal(value_put(a, v, "ConnectorStatusInfo", s), FC_OK);
	return v;
}

/* Walks all lines: how many are of the method. Checks that each is JSON and that numbers rise. */
static int count_lines(const struct recorder *r, const char *method, size_t *bytes)
{
	char wanted[80];
	uint64_t number = 0, last = 0;
	struct buffer line;
	int found = 0, lines = 0;

	(void)snprintf(wanted, sizeof(wanted), "\"method\":\"%s\"", method);
	buffer_init(&line, 1 << 20);
	*bytes = 0;
	while (!recorder_line(r, &number, &line)) {
		struct arena a;
		struct value *tree;
		size_t at;

		assert_true(number > last);
		last = number;
		lines++;
		found += strstr(line.data, wanted) != NULL;
		*bytes += line.len;
		arena_init(&a, 16 << 20);
		assert_int_equal(tree_read(line.data, line.len, TREE_AS_MADE, &a, &tree, &at), FC_OK);
		/* Whose it is, where the message says it itself. */
		const char *whose = value_text(value_get(value_get(tree, "before"), "ParkNo"));
		assert_true(!whose || !strcmp(whose, value_text(value_get(tree, "platform"))));
		arena_fini(&a);
		buffer_clear(&line);
	}
	assert_int_equal(lines, recorder_counts(r).held);
	buffer_fini(&line);
	return found;
}

static void rare_ones_stay(void **state)
{
	enum { SIZE = 64 << 10, MANY = 50000 };
	struct recorder *r = recorder_new(SIZE);
	struct arena a;
	size_t bytes;

	(void)state;
	assert_non_null(r);
	arena_init(&a, 1 << 20);
	struct value *v = status(&a, 1);
	note(r, "one", "query_stations_info", MESSAGE_REQUEST, v, NULL);
	note(r, "two", "notification_stationStatus", MESSAGE_REQUEST, v, v);
	for (int i = 0; i < MANY; i++) {
		note(r, "one", "notification_stationStatus", MESSAGE_REQUEST, v, random_to(1) ? v : NULL);
		note(r, "one", "notification_stationStatus", MESSAGE_ANSWER, v, NULL);
		if (i % 1000 == 0)
			note(r, "one", "notification_charge_order_info", MESSAGE_REQUEST, v, v);
	}
	assert_int_equal(count_lines(r, "query_stations_info", &bytes), 1);
	/* All of those between them and those that came every time. */
	assert_int_equal(count_lines(r, "notification_charge_order_info", &bytes), MANY / 1000);
	assert_true(count_lines(r, "notification_stationStatus", &bytes) > 100);
	struct recorder_counts counts = recorder_counts(r);
	assert_int_equal(counts.noted, counts.dropped + (uint64_t)counts.held);
	printf("%d messages in %d bytes\n", counts.held, SIZE);
	recorder_free(r);
	arena_fini(&a);
}

static void sizes_of_all_kinds(void **state)
{
	static const char *const methods[] = {"query_stations_info", "query_station_status", "query_token",
					      "notification_stationInfo", "check_charge_orders"};
	struct arena a;
	size_t bytes;

	(void)state;
	arena_init(&a, 64 << 20);
	for (size_t size = 1024; size <= 1 << 20; size *= 4) {
		struct recorder *r = recorder_new(size);
		char name[16];

		assert_int_equal(recorder_bytes(r), size);
		for (int i = 0; i < 4000; i++) {
			unsigned length = random_to(9) ? random_to(400) : random_to((unsigned)size / 2);
			char *text = arena_alloc(&a, length + 1);
			struct value *v = value_object(&a);

			assert_non_null(text);
			memset(text, 'a' + (int)random_to(25), length);
			/* More platforms than there is room to remember. */
			(void)snprintf(name, sizeof(name), "p%u", random_to(60));
			assert_int_equal(value_put(&a, v, "ParkNo", value_string(&a, name)), FC_OK);
			assert_int_equal(value_put(&a, v, "Remark", value_string(&a, text)), FC_OK);
			note(r, name, methods[random_to(4)], (enum message_part)random_to(1), v,
			     random_to(1) ? v : NULL);
			arena_fini(&a);
		}
		(void)count_lines(r, "query_token", &bytes);
		struct recorder_counts counts = recorder_counts(r);
		assert_int_equal(counts.noted, counts.dropped + counts.too_large + (uint64_t)counts.held);
		assert_true(counts.held > 0 && counts.too_large > 0);
		recorder_free(r);
	}
	recorder_note(NULL, NULL);
}

/* Personal data ------------------------------------------------------------------------------------------------------- */

static void digits(char *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (char)('0' + random_to(9));
	out[n] = '\0';
}

enum kind { A_VIN, A_PHONE, A_PHONE_86, A_CARD, AN_IDENTITY, A_PLATE, A_KEY, A_NAME, KINDS };

static void make_personal(enum kind kind, char out[80])
{
	static const char vin[] = "ABCDEFGHJKLMNPRSTUVWXYZ";
	static const char *const provinces[] = {"京", "沪", "粤", "苏"};

	switch (kind) {
	case A_VIN:
		for (int i = 0; i < 12; i++)
			out[i] = random_to(2) ? vin[random_to(sizeof(vin) - 2)] : (char)('0' + random_to(9));
		out[0] = 'L';
		digits(out + 12, 5);
		if (!random_to(3))
			for (char *c = out; *c; c++)
				*c = (char)(*c >= 'A' ? *c + 32 : *c);
		break;
	case A_PHONE:
		digits(out, 11);
		out[0] = '1';
		break;
	case A_PHONE_86:
		digits(out, 13);
		memcpy(out, "861", 3);
		break;
	case A_CARD:
		digits(out, 16 + random_to(3));
		out[0] = '6';
		break;
	case AN_IDENTITY:
		digits(out, 17);
		out[0] = '1';
		memcpy(out + 17, "X", 2);
		break;
	case A_PLATE:
		(void)snprintf(out, 80, "%s%c", provinces[random_to(3)], vin[random_to(sizeof(vin) - 2)]);
		digits(out + strlen(out), 5 + random_to(1));
		break;
	case A_KEY:
		for (int i = 0; i < 40; i++)
			out[i] = "0123456789abcdef"[random_to(15)];
		out[40] = '\0';
		break;
	case A_NAME:
		/* Found by the name of its field only. */
		digits(out, 8);
		memcpy(out, "Zhang ", 6);
		break;
	case KINDS:
		break;
	}
}

/* Somewhere in a tree of known and unknown fields, alone or within a text, as a number or as a key. */
static struct value *put_somewhere(struct arena *a, enum kind kind, const char *personal)
{
	static const char *const known[] = {"Vin", "UserName", "IdentCode", "QRCode", "UserIdent", "AccessToken"};
	static const char *const names[] = {"driverName", "card_no",   "userid",    "MobilePhone", "车牌号",
					    "vin_code",   "authToken", "UserName2", "licensePlate"};
	static const char *const around[] = {"%s", "tel:%s", "a,%s;b", "（%s）", "x=%s&y", " %s ", "[%s]", "%s\"\\\n"};
	struct value *v = value_object(a), *inner = v;
	char text[200];

	for (unsigned depth = random_to(3); depth; depth--) {
		struct value *next = value_object(a);
		struct value *list = value_array(a);

		(void)value_push(list, next);
		if (random_to(1))
			(void)value_put(a, inner, random_to(1) ? "ConnectorStatusInfo" : "data", next);
		else
			(void)value_put(a, inner, "items", list);
		inner = next;
	}
	(void)snprintf(text, sizeof(text), around[random_to(7)], personal);
	if (kind == A_NAME || !random_to(3))
		(void)value_put(a, inner, random_to(1) ? known[random_to(5)] : names[random_to(8)],
				value_string(a, text));
	else if ((kind == A_PHONE || (kind == A_CARD && strlen(personal) < 18)) && !random_to(2))
		(void)value_put(a, inner, "number", value_int(a, strtoll(personal, NULL, 10)));
	else if (!random_to(4))
		(void)value_put(a, inner, text, value_int(a, 1));
	else
		(void)value_put(a, inner, random_to(1) ? "Remark" : "whatever", value_string(a, text));
	(void)value_put(a, inner, "ConnectorID", value_string(a, "11010500010011"));
	return v;
}

/* Whether the line of this message, in its messages, has the text. */
static int is_told(struct recorder *r, const struct value *before, const struct value *after, const char *text,
		   struct buffer *line)
{
	note(r, "city", "notification_stationStatus", MESSAGE_REQUEST, before, after);
	uint64_t number = recorder_counts(r).noted - 1;
	buffer_clear(line);
	assert_int_equal(recorder_line(r, &number, line), FC_OK);
	assert_non_null(strstr(line->data, "\"ConnectorID\":\"11010500010011\""));
	/* What stands before the message, such as the time, may have any digits. */
	const char *messages = strstr(line->data, "\"before\":");
	assert_non_null(messages);
	return strstr(messages, text) != NULL;
}

static void nobody_is_in_it(void **state)
{
	enum { ROUNDS = 20000, KEYS = 4 };
	struct recorder *r = NULL;
	struct buffer line;

	(void)state;
	buffer_init(&line, 1 << 20);
	for (int i = 0; i < ROUNDS; i++) {
		enum kind kind = (enum kind)random_to(KINDS - 1);
		struct arena a;
		char personal[80];

		if (i % 100 == 0) {
			recorder_free(r);
			r = recorder_new(16 << 10);
		}
		arena_init(&a, 1 << 20);
		make_personal(kind, personal);
		/* One at a time, so that a failure shows which. */
		const struct value *v = put_somewhere(&a, kind, personal), *after = random_to(1) ? v : NULL;
		/* Without the province and its letter too; a name's digits too. */
		const char *core = kind == A_PLATE ? personal + 4 : kind == A_NAME ? "Zhang" : personal;
		/* Five digits are their own stand-in once in a hundred thousand; what is left as it was is so by each key. */
		int told = is_told(r, v, after, core, &line);
		for (int key = 1; told && key < KEYS; key++) {
			recorder_free(r);
			r = recorder_new(16 << 10);
			told = is_told(r, v, after, core, &line);
		}
		if (told) {
			struct buffer was;

			buffer_init(&was, 1 << 16);
			(void)json_write(&was, v);
			print_message("kind %d, %s: in %s\n%s\n", kind, personal, was.data, line.data);
			fail();
		}
		arena_fini(&a);
	}
	recorder_free(r);
	buffer_fini(&line);
}

static const char *masked(struct mask *mask, const char *key, const char *text, struct buffer *out)
{
	struct arena a;

	arena_init(&a, 1 << 20);
	struct value *v = value_object(&a);
	assert_int_equal(value_put(&a, v, key, value_string(&a, text)), FC_OK);
	buffer_clear(out);
	mask_write(mask, NULL, NULL, v, out);
	assert_false(out->failed);
	arena_fini(&a);
	return out->data;
}

/* The same length and form; the same text the same way, another another way, and another program's another way. */
static void a_stand_in_of_the_same_form(void **state)
{
	struct mask mask, other;
	struct buffer x, y;
	int same = 0, same_of_another = 0;

	(void)state;
	assert_int_equal(mask_init(&mask), FC_OK);
	assert_int_equal(mask_init(&other), FC_OK);
	buffer_init(&x, 1 << 16);
	buffer_init(&y, 1 << 16);
	for (int i = 0; i < 4000; i++) {
		char personal[80];
		size_t begin;

		make_personal((enum kind)random_to(KINDS - 2), personal);
		const char *text = masked(&mask, "note", personal, &x);
		assert_true(personal_same_form(text + 9, masked(&other, "note", personal, &y) + 9));
		same_of_another += !strcmp(x.data, y.data);
		assert_string_equal(x.data, masked(&mask, "note", personal, &y));
		/* {"note":"..."}: of the length, and found again. */
		assert_int_equal(x.len, strlen(personal) + strlen("{\"note\":\"\"}"));
		assert_true(personal_find(NULL, x.data + 9, strlen(personal), 0, &begin) > 0);
		personal[strlen(personal) - 2] = personal[strlen(personal) - 2] == '1' ? '2' : '1';
		same += !strcmp(x.data, masked(&mask, "note", personal, &y));
	}
	/* By chance, which a plate's few digits give now and then. */
	assert_true(same <= 2);
	assert_true(same_of_another <= 2);
	/* The same for the field of the standard and in a text. */
	(void)masked(&mask, "phone", "13812345678", &x);
	(void)masked(&mask, "note", "call 13812345678!", &y);
	assert_memory_equal(x.data + strlen("{\"phone\":\""), y.data + strlen("{\"note\":\"call "), 11);
	buffer_fini(&x);
	buffer_fini(&y);
}

/* What a mapping needs to be tried is as it was. */
static void what_is_nobodys_stays(void **state)
{
	static const char *const plain[][2] = {
	    {"Remark", "open 24 h, 2026-10-01 12:00:00"},
	    {"time", "20261001120000"},
	    {"stationCode", "11010500010000100001234"},
	    {"orderNo", "123456789000000000000000001"},
	    {"province", "Zhejiang"},
	    {"template", "x"},
	    {"CardType", "1"},
	    {"user_class", "gold"},
	    {"hotel", "Hilton"},
	    {"price", "1.2345"},
	    {"position", "116.407395000000012"},
	    {"stopReason", "13"},
	    {"ElectricityFee", "0.35 元/度"},
	    {"url", "https://a.example/evcs/v20160701/x"},
	};
	struct mask mask;
	struct buffer out;

	(void)state;
	assert_int_equal(mask_init(&mask), FC_OK);
	buffer_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		char wanted[200];

		(void)snprintf(wanted, sizeof(wanted), "{\"%s\":\"%s\"}", plain[i][0], plain[i][1]);
		assert_string_equal(masked(&mask, plain[i][0], plain[i][1], &out), wanted);
	}
	/* A station's number that looks like a card's: known by the standard's field, so known under another name too. */
	struct arena a;
	struct personal_ids ids = {.count = 0};
	arena_init(&a, 1 << 20);
	struct value *v = value_object(&a), *renamed = value_object(&a);
	(void)value_put(&a, v, "StationID", value_string(&a, "622202020000123456"));
	(void)value_put(&a, renamed, "code", value_string(&a, "A-622202020000123456"));
	personal_learn(&ids, schema_by_name("StationInfo"), v);
	assert_int_equal(ids.count, 1);
	buffer_clear(&out);
	mask_write(&mask, &ids, NULL, renamed, &out);
	assert_string_equal(out.data, "{\"code\":\"A-622202020000123456\"}");
	buffer_clear(&out);
	mask_write(&mask, NULL, NULL, renamed, &out);
	assert_string_not_equal(out.data, "{\"code\":\"A-622202020000123456\"}");
	arena_fini(&a);
	buffer_fini(&out);
}

/* A field that is new in the tables is decided on here: whose is it? */
static void every_text_of_the_standard_is_decided_on(void **state)
{
	static const char *const nobodys[] = {"Address",        "AreaCode",
					      "BusineHours",    "ConnectorName",
					      "Construction",   "CountryCode",
					      "ElectricityFee", "EquipmentName",
					      "EquipmentModel", "ManufacturerName",
					      "MatchCars",      "OperatorName",
					      "OperatorNote",   "OperatorRegAddress",
					      "OperatorTel1",   "OperatorTel2",
					      "ParkFee",        "ParkInfo",
					      "ParkNo",         "Payment",
					      "Pictures",       "Remark",
					      "ServiceFee",     "ServiceTel",
					      "SiteGuide",      "StationName",
					      "StationTel",     "StartTime",
					      "UserClass"};
	const struct message *m;
	int fields = 0;

	(void)state;
	for (int i = 0; (m = message_at(i)); i++)
		for (int part = 0; part < 2; part++) {
			const struct schema *level[64] = {message_schema(m, (enum message_part)part)};
			int count = 1;

			for (int l = 0; l < count; l++)
				for (int k = 0; k < level[l]->count; k++) {
					const struct field *f = &level[l]->fields[k];
					int decided = 0;

					if (f->child && count < 64)
						level[count++] = f->child;
					if (f->type != FIELD_TEXT && f->type != FIELD_TEXTS)
						continue;
					fields++;
					decided = personal_rule(f, f->name, PERSONAL_BY_SHAPE) != PERSONAL_BY_SHAPE;
					for (size_t n = 0; n < sizeof(nobodys) / sizeof(nobodys[0]); n++)
						decided |= !strcmp(nobodys[n], f->name);
					if (!decided)
						fail_msg("%s of %s: whose is it?", f->name, m->method);
				}
		}
	assert_true(fields > 50);
}

enum { LENGTH = 200000 };

/* How long the text of LENGTH and one of a tenth of it take, made of the same piece. */
static void search_filled(char *text, const char *piece, int64_t took[2])
{
	size_t step = strlen(piece), begin;

	for (int part = 0; part < 2; part++) {
		size_t n = 0, limit = part ? LENGTH : LENGTH / 10;

		while (n < limit) {
			memcpy(text + n, piece, step);
			n += step;
		}
		text[n] = '\0';
		int64_t before = cpu_us();
		size_t at = 0, found;
		while ((found = personal_find(NULL, text, n, at, &begin)))
			at = begin + found;
		took[part] = cpu_us() - before;
	}
}

/* Hostile texts: long, many candidates, words without end. */
static void hostile_texts_take_no_time(void **state)
{
	static const char *const pieces[] = {"a-", "a.", "1-", "1 ", "13812345678,", "京", "x", "0", "a@", "+/"};
	struct mask mask;
	struct buffer out;
	char *text = malloc(LENGTH + 20);

	(void)state;
	assert_non_null(text);
	assert_int_equal(mask_init(&mask), FC_OK);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		int is_good = 0;

		for (int try = 0; try < CPU_TRIES && !is_good; try++) {
			int64_t took[2];

			search_filled(text, pieces[i], took);
			printf("\"%s\" x %d: %lld us, a tenth of it %lld us\n", pieces[i],
			       LENGTH / (int)strlen(pieces[i]), (long long)took[1], (long long)took[0]);
			/* Ten times the text is about ten times the time, not a hundred. */
			is_good = took[1] < took[0] * 50 + 20000;
		}
		assert_true(is_good);
	}
	/* More than an entry may hold is given up early. */
	buffer_init(&out, 1000);
	struct value v = {.type = VALUE_STRING, .text = text, .len = LENGTH};
	mask_write(&mask, NULL, NULL, &v, &out);
	assert_true(out.failed);
	buffer_fini(&out);
	free(text);
}

/* The answer to query_station_status; unknown: in an operator's words, which must be looked at one by one. */
static struct value *stations(struct arena *a, int unknown)
{
	enum { CONNECTORS = 20 };
	struct value *v = value_object(a), *list = value_array(a), *station = value_object(a), *all = value_array(a);

	for (int i = 0; i < CONNECTORS; i++) {
		struct value *c = value_object(a);
		char id[32];

		(void)snprintf(id, sizeof(id), "1101050001%04d", i);
		(void)value_put(a, c, unknown ? "gunCode" : "ConnectorID", value_string(a, id));
		(void)value_put(a, c, unknown ? "gunStatus" : "Status", value_int(a, i % 4));
		(void)value_put(a, c, unknown ? "parkState" : "ParkStatus", value_int(a, 10));
		(void)value_push(list, c);
	}
	(void)value_put(a, station, unknown ? "stationCode" : "StationID", value_string(a, "110105000100001"));
	(void)value_put(a, station, unknown ? "guns" : "ConnectorStatusInfos", list);
	(void)value_push(all, station);
	assert_int_equal(value_put(a, v, unknown ? "rows" : "StationStatusInfos", all), FC_OK);
	return v;
}

/* Thread time in us of TIMES messages: as JSON written and read, recorded, and with the recorder off. */
struct cost {
	int64_t json, recording, off;
	size_t len;
};

enum { TIMES = 3000 };

static struct cost cost_of(struct json_reader *reader, struct recorder *r, const struct value *v)
{
	struct buffer json;
	struct cost cost;

	buffer_init(&json, 1 << 20);
	int64_t begin = cpu_us();
	for (int i = 0; i < TIMES; i++) {
		struct value *back;
		struct arena inner;

		buffer_clear(&json);
		(void)json_write(&json, v);
		arena_init(&inner, 4 << 20);
		assert_int_equal(json_read(reader, json.data, json.len, &inner, &back, NULL), FC_OK);
		arena_fini(&inner);
	}
	cost.json = cpu_us() - begin;
	begin = cpu_us();
	for (int i = 0; i < TIMES; i++)
		note(r, "city", "query_station_status", MESSAGE_ANSWER, v, NULL);
	cost.recording = cpu_us() - begin;
	begin = cpu_us();
	for (int i = 0; i < TIMES; i++)
		note(NULL, "city", "query_station_status", MESSAGE_ANSWER, v, NULL);
	cost.off = cpu_us() - begin;
	cost.len = json.len;
	buffer_fini(&json);
	return cost;
}

/* What it costs beside what a message costs anyway: reading the JSON and writing it. */
static void what_it_costs(void **state)
{
	struct json_reader *reader = json_reader_new(0);
	struct recorder *r = recorder_new(256 << 10);
	struct arena a;

	(void)state;
	arena_init(&a, 16 << 20);
	for (int unknown = 0; unknown < 2; unknown++) {
		struct value *v = stations(&a, unknown);
		int is_good = 0;

		for (int try = 0; try < CPU_TRIES && !is_good; try++) {
			struct cost cost = cost_of(reader, r, v);

			printf("a message of %zu bytes, %s names: JSON %.1f us, recording %.1f us, off %.3f us\n",
			       cost.len, unknown ? "other" : "the standard's", (double)cost.json / TIMES,
			       (double)cost.recording / TIMES, (double)cost.off / TIMES);
			is_good = cost.recording < cost.json * 5;
		}
		assert_true(is_good);
	}
	recorder_free(r);
	json_reader_free(reader);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rare_ones_stay),
	    cmocka_unit_test(sizes_of_all_kinds),
	    cmocka_unit_test(nobody_is_in_it),
	    cmocka_unit_test(a_stand_in_of_the_same_form),
	    cmocka_unit_test(what_is_nobodys_stays),
	    cmocka_unit_test(every_text_of_the_standard_is_decided_on),
	    cmocka_unit_test(hostile_texts_take_no_time),
	    cmocka_unit_test(what_it_costs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
