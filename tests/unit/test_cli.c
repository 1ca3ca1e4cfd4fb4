/* cli: what a terminal, a spreadsheet and a script get: safe, aligned, quoted, exact; and every word has its Chinese. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/tree.h"
#include "bus/bus.h"
#include "charge/charge.h"
#include "charge/words.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/screen.h"
#include "cli/table.h"
#include "control/alarms.h"
#include "upstream/differ.h"

static void what_a_terminal_is_spared(void **state)
{
	static const char *const texts[][2] = {
	    {"A-01 充电桩", "A-01 充电桩"},
	    {"\033[2Jx", "\\x1B[2Jx"},
	    {"a\r\nb\tc", "a\\x0D\\x0Ab\\x09c"},
	    {"\x7f", "\\x7F"},
	    {"\xc2\x9b"
	     "31m",
	     "\\u{9B}31m"},
	    {"\xe2\x80\xae"
	     "evil",
	     "\\u{202E}evil"},
	    {"\xef\xbb\xbfx", "\\u{FEFF}x"},
	    {"\xff\xfe", "\\xFF\\xFE"},
	    {"\xc0\x9b", "\\xC0\\x9B"},
	    {"\xed\xa0\x80", "\\xED\\xA0\\x80"},
	    {"\xe5\x85", "\\xE5\\x85"},
	    {"\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
	    {"\xf3\xa0\x80\x81", "\\u{E0001}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buffer out;

		buffer_init(&out, 100);
		screen_add(&out, texts[i][0]);
		assert_string_equal(out.data, texts[i][1]);
		buffer_fini(&out);
	}
	assert_int_equal(screen_width("A-01"), 4);
	assert_int_equal(screen_width("充电，桩（a）"), 13);
	assert_int_equal(screen_width("e\xcc\x81"), 1);
}

/* Nor do bytes that the daemon does not write: found by fuzz_cli. */
static void json_stays_json(void **state)
{
	static const char in[] = "{\"a\":\r\"\xc2\x9bx\xe2\x80\xae充\xf3\xa0\x80\x81\",\t\"b\\\"\x1b\xd0\\\\\":\n1}";
	char out[100];
	FILE *to = fmemopen(out, sizeof(out), "w");

	(void)state;
	assert_non_null(to);
	screen_json((struct raw){in, sizeof(in) - 1}, to);
	(void)fclose(to);
	assert_string_equal(out, "{\"a\": \"\\u009bx\\u202e充\\udb40\\udc01\", \"b\\\"\\u001b\xef\xbf\xbd\\\\\": 1}");
}

/* What the daemon says of its own, too: also its words are shown and not done. Found by fuzz_cli. */
static void words_are_shown(void **state)
{
	char out[100];
	FILE *to = fmemopen(out, sizeof(out), "w");

	(void)state;
	assert_non_null(to);
	screen_print("a\x1b[2J", 9, to);
	screen_print("充电", 5, to);
	screen_print("longer", 3, to);
	screen_quoted("say \"a\"\n\xc2\x9b", to);
	(void)fclose(to);
	assert_string_equal(out, "a\\x1B[2J 充电 longer\"say \\\"a\\\"\\n\\u009b\"");
}

static void columns_meet(void **state)
{
	char out[400];
	FILE *to = fmemopen(out, sizeof(out), "w");
	struct table t;

	(void)state;
	assert_non_null(to);
	table_init(&t, 3, 1u << 1);
	for (int i = 0; i < 3; i++)
		table_cell(&t, (const char *[]){"接口", "kWh", "状态"}[i]);
	for (int i = 0; i < 3; i++)
		table_cell(&t, (const char *[]){"A1", "12.345", "充电中"}[i]);
	for (int i = 0; i < 3; i++)
		table_cell(&t, (const char *[]){"A\n2", "", NULL}[i]);
	table_print(&t, to);
	table_fini(&t);
	(void)fclose(to);
	assert_string_equal(out, "接口       kWh  状态\n"
				 "A1      12.345  充电中\n"
				 "A\\x0A2       -  -\n");
}

static void a_line_of_csv(void **state)
{
	static const char *const fields[] = {"plain", "", "a,b", "say \"x\"", "two\nlines", "=1+1", "-5", "@x", "5"};
	char out[200];
	FILE *to = fmemopen(out, sizeof(out), "w");
	struct csv csv = {.to = to};

	(void)state;
	assert_non_null(to);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		csv_text(&csv, fields[i]);
	csv_figure(&csv, "-0.50");
	csv_end(&csv);
	csv_text(&csv, "");
	csv_text(&csv, "x");
	csv_end(&csv);
	(void)fclose(to);
	assert_string_equal(out, "plain,,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",'=1+1,'-5,'@x,5,-0.50\r\n,x\r\n");
}

static void figures_are_exact(void **state)
{
	char out[FORMAT_SIZE];

	(void)state;
	assert_string_equal(format_money(12345, out), "1.23");
	assert_string_equal(format_money(12350, out), "1.24");
	assert_string_equal(format_money(0, out), "0.00");
	assert_string_equal(format_money(-50, out), "-0.01");
	assert_string_equal(format_money(INT64_MAX, out), "922337203685477.58");
	assert_string_equal(format_price(12345, out), "1.2345");
	assert_string_equal(format_kwh(10017, out), "10.017");
	assert_string_equal(format_kw(119950, out), "120.0");
	assert_string_equal(format_point(106281000, out), "106281");
	assert_string_equal(format_point(-35600, out), "-35.6");
	assert_string_equal(format_point(0, out), "0");
	assert_string_equal(format_duration(59, out), "00:00:59");
	assert_string_equal(format_duration(3 * 86400 + 3661, out), "3d 01:01:01");
	assert_string_equal(format_megabytes(83955814400, out), "83955.8");
}

static int is(struct raw raw, const char *text)
{
	return raw.text && raw.len == strlen(text) && !memcmp(raw.text, text, raw.len);
}

static void pieces_as_they_stand(void **state)
{
	static const char text[] =
	    "{ \"ok\":true, \"a\" : {\"result\":1,\"x\":\"}\\\"\"},\"result\":[{\"b\":[]}, 2 ,\"],\"],\"z\":-1.50}";
	struct raw all = {text, sizeof(text) - 1};
	struct raw list = raw_member(all, "result");
	size_t at = 0;

	(void)state;
	assert_true(is(raw_member(all, "ok"), "true"));
	assert_true(is(raw_member(all, "z"), "-1.50"));
	assert_null(raw_member(all, "b").text);
	assert_null(raw_member(list, "b").text);
	assert_true(is(raw_item(list, &at), "{\"b\":[]}"));
	assert_true(raw_item(list, &at).text[0] == '2');
	assert_true(is(raw_item(list, &at), "\"],\""));
	assert_null(raw_item(list, &at).text);
	at = 0;
	assert_null(raw_item((struct raw){"[]", 2}, &at).text);
	/* Cut off anywhere: nothing is read that is not there. */
	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, text, len);
		list = raw_member((struct raw){copy, len}, "result");
		at = 0;
		for (int i = 0; list.text && i < 10 && raw_item(list, &at).text; i++)
			assert_true(at <= list.len);
		free(copy);
	}
}

static void the_language_asked_for(void **state)
{
	static const struct {
		const char *all, *messages, *lang;
		int chinese;
	} cases[] = {
	    {"", "", "", 0},       {"", "", "zh_CN.UTF-8", 1}, {"", "", "en_US.UTF-8", 0},
	    {"zh", "C", "C", 1},   {"C", "zh_CN", "zh_CN", 0}, {"", "zh_TW", "C", 1},
	    {"", "C", "zh_CN", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)setenv("LC_ALL", cases[i].all, 1);
		(void)setenv("LC_MESSAGES", cases[i].messages, 1);
		(void)setenv("LANG", cases[i].lang, 1);
		assert_int_equal(text_wants_chinese(), cases[i].chinese);
	}
}

static void known(const char *text)
{
	if (!text_is_known(text))
		fail_msg("core/cli/text.c and text_tools.c have no Chinese for \"%s\"", text);
}

/* The daemon's words too: whoever adds one is told here. */
static void every_word_has_its_chinese(void **state)
{
	(void)state;
	for (int i = 0; i <= 99; i++)
		known(words_reason(i));
	for (int i = ORDER_UNKNOWN_MODE; i <= ORDER_OTHER; i++)
		known(words_mode((enum order_mode)i));
	for (int i = 0; i < 4; i++)
		known(words_repair((enum split_repair)(1 << i)));
	for (int i = 0; i < SESSION_STATES; i++)
		known(session_state_name((enum session_state)i));
	for (int i = CHARGE_NO_CONNECTOR; i <= CHARGE_RESERVED; i++) {
		known(charge_refusal_text((enum charge_refusal)i));
		/* Three numbers are the standard's, those from CHARGE_OWN on ours. */
		assert_true(*charge_refusal_key((enum charge_refusal)i) ||
			    !strcmp(charge_refusal_text((enum charge_refusal)i), "unknown"));
	}
	for (int i = 0; i < ALARM_KINDS; i++)
		known(alarm_kind_name((enum alarm_kind)i));
	static const char *const lua[] = {"start",     "file",        "signal",  "command", "rollback to",
					  "unchanged", "new version", "refused", "in force"};
	for (size_t i = 0; i < sizeof(lua) / sizeof(lua[0]); i++)
		known(lua[i]);
	for (int i = BUS_TIMEOUT; i <= BUS_DISCONNECTED; i++)
		known(bus_status_name((enum bus_status)i));
	for (int i = 0; i <= 255; i++)
		known(connector_status_name((enum connector_status)i));
	for (int i = LIMIT_HELD; i <= LIMIT_REFUSED; i++)
		known(limit_state_name((enum limit_state)i));
}

/* What is filled in must be of the same types in the same order, or the program falls over in Chinese only. */
static void formats_take_the_same_in_chinese(void **state)
{
	static const char *const formats[] = {
	    "%s: good (%d examples)\n",
	    "%d examples, %d differ\n",
	    "%lld lines\n",
	    "is no JSON at byte %zu",
	    "    and %d more\n",
	    "%d messages differ in field %s (%s)\n",
	    "%d messages lose field %s (%s)\n",
	    "%d messages gain field %s (%s)\n",
	    "%d messages on which a function fails\n",
	    "%d messages hold personal data, which was masked: compared by its form\n",
	    "%d messages differ, of %d\n",
	    "%d orders have no energy trace: their energy is taken as even within each period\n",
	    "%d orders: how long the place stayed taken was not measured; no fee for it\n",
	    "%d orders can't be priced\n",
	    "revenue %s (%s instead of %s yuan), %d orders differ, of %d\n",
	    "\runit %d (%d of %d), %d found ",
	    "%lld frames\n",
	    "%lld frames were overwritten before they could be shown\n",
	    "writes %s to address %ld (zero-based) of unit %ld by function %ld\n",
	};
	const struct cli cli = {.chinese = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const char *a = formats[i], *b = say(&cli, a);

		assert_true(text_is_known(a));
		assert_ptr_not_equal(a, b);
		while ((a = strchr(a, '%'))) {
			size_t n = strcspn(++a, "dsu") + 1;

			b = strchr(b, '%');
			assert_non_null(b);
			assert_memory_equal(a, ++b, n);
		}
		assert_null(strchr(b, '%'));
	}
}

/* Numbers as they were written, and nothing that is no JSON. */
static void json_with_the_form_of_its_numbers(void **state)
{
	static const char *const same[] = {"{\"a\":10.0,\"b\":10,\"c\":10.000,\"d\":-0.5,\"e\":[],\"f\":{},\"g\":null,"
					   "\"h\":[true,false,\"\xe5\x85\x85\\n\"]}",
					   "123456789012345678",
					   "0.000000001",
					   "\"\"",
					   "[[[[[[1]]]]]]",
					   "1.5e+300"};
	static const char *const wrong[] = {"",          "{",           "[1,]",   "{\"a\":}", "{\"a\" 1}", "01",
					    "1.",        ".5",          "+1",     "1e",       "nul",       "\"\\x\"",
					    "\"\\u12\"", "\"\\ud800\"", "\"\n\"", "[1] 2",    "\"",        "{a:1}",
					    "1e999",     "-",           "[1 2]",  "\"\\"};
	struct arena a;
	struct value *v;
	struct buffer out;
	char deep[200];
	size_t at;

	(void)state;
	arena_init(&a, 1 << 20);
	buffer_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		buffer_clear(&out);
		assert_int_equal(tree_read(same[i], strlen(same[i]), TREE_AS_MADE, &a, &v, &at), FC_OK);
		assert_int_equal(json_write(&out, v), FC_OK);
		assert_string_equal(out.data, same[i]);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(tree_read(wrong[i], strlen(wrong[i]), TREE_AS_MADE, &a, &v, &at), FC_EINVAL);
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	assert_int_equal(tree_read(deep, 200, TREE_AS_MADE, &a, &v, &at), FC_EINVAL);
	assert_int_equal(tree_read("\"\\ud83d\\ude00\\u5145\"", 20, TREE_AS_MADE, &a, &v, &at), FC_OK);
	assert_string_equal(value_text(v), "\xf0\x9f\x98\x80\xe5\x85\x85");
	/* As a platform's message is read: floats and integers only, and no empty list. */
	assert_int_equal(tree_read("{\"a\":1.50,\"b\":{}}", 17, TREE_AS_RECEIVED, &a, &v, &at), FC_OK);
	assert_int_equal(value_get(v, "a")->type, VALUE_FLOAT);
	assert_int_equal(value_get(v, "b")->type, VALUE_EMPTY);
	arena_fini(&a);
	arena_init(&a, 300);
	assert_int_equal(tree_read("[1,2,3,4,5,6,7,8,9]", 19, TREE_AS_MADE, &a, &v, &at), FC_ELIMIT);
	arena_fini(&a);
	buffer_fini(&out);
}

struct told {
	int count;
	char text[2000];
};

static void note_difference(void *user, const struct difference *d)
{
	struct told *t = user;
	size_t n = strlen(t->text);

	t->count++;
	(void)snprintf(t->text + n, sizeof(t->text) - n, "%s %s %s>%s;", difference_name(d->kind), d->path, d->before,
		       d->after);
}

static void where_messages_differ(void **state)
{
	static const char before[] =
	    "{\"same\":1,\"form\":10.0,\"gone\":[1],\"list\":[{\"x\":1},{\"x\":2}],\"Vin\":\"LSVAA49J132047883\","
	    "\"note\":\"call 13812345678\",\"kind\":{}}";
	static const char after[] =
	    "{\"form\":10,\"same\":1,\"list\":[{\"x\":1},{\"x\":3},{\"x\":4}],\"Vin\":\"LSVBB49J132047884\","
	    "\"note\":\"call 13987654321\",\"kind\":[],\"new\":null}";
	struct told told = {0};
	struct differ d = {.fn = note_difference, .user = &told, .masked = 1};
	struct value *x, *y;
	struct arena a;
	size_t at;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(tree_read(before, strlen(before), TREE_AS_MADE, &a, &x, &at), FC_OK);
	assert_int_equal(tree_read(after, strlen(after), TREE_AS_MADE, &a, &y, &at), FC_OK);
	differ_run(&d, x, y);
	assert_string_equal(told.text,
			    "changed form 10.0>10;lost gone [1]>;changed list[2].x 2>3;added list[3] >{\"x\":4};"
			    "changed kind {}>[];added new >null;");
	assert_int_equal(d.by_form, 2);
	/* What was not masked is compared as it is. */
	told = (struct told){0};
	d.masked = 0;
	differ_run(&d, x, y);
	assert_int_equal(told.count, 8);
	told = (struct told){0};
	differ_run(&d, x, x);
	assert_int_equal(told.count, 0);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_terminal_is_spared),
	    cmocka_unit_test(json_stays_json),
	    cmocka_unit_test(words_are_shown),
	    cmocka_unit_test(columns_meet),
	    cmocka_unit_test(a_line_of_csv),
	    cmocka_unit_test(figures_are_exact),
	    cmocka_unit_test(pieces_as_they_stand),
	    cmocka_unit_test(the_language_asked_for),
	    cmocka_unit_test(every_word_has_its_chinese),
	    cmocka_unit_test(formats_take_the_same_in_chinese),
	    cmocka_unit_test(json_with_the_form_of_its_numbers),
	    cmocka_unit_test(where_messages_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
