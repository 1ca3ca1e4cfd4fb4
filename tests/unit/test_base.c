/* base/: clocks, decimals, values, JSON text, buffers, arenas. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <math.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/value.h"
#include "base/wide.h"
#include "folder.h"

#ifdef __SIZEOF_INT128__
typedef unsigned __int128 uint128;

static uint128 whole(struct wide w)
{
	return (uint128)w.high << 64 | w.low;
}

/* Against the compiler's own, where it has one. */
static void wide_numbers(void **state)
{
	uint64_t seed = 20261001;
	uint64_t numbers[60] = {0, 1, 9, 10, UINT32_MAX, 1ULL << 32, INT64_MAX, 1ULL << 63, UINT64_MAX, UINT64_MAX - 1};

	(void)state;
	for (size_t i = 10; i < 60; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		numbers[i] = seed >> i;
	}
	for (size_t i = 0; i < 60; i++) {
		for (size_t k = 0; k < 60; k++) {
			uint64_t a = numbers[i], b = numbers[k], d = b >> 1 | 1, m = (uint32_t)b | 1;
			struct wide w = wide_product(a, b), x = w, y = {a, b}, z = y;
			uint128 product = (uint128)a * b, pair = (uint128)a << 64 | b;

			assert_true(whole(w) == product);
			assert_true(wide_divide(&x, d) == (uint64_t)(product % d) && whole(x) == product / d);
			assert_true(wide_shrink(&y, (uint32_t)m) == pair % m && whole(y) == pair / m);
			assert_true(wide_scale(&y, (uint32_t)m) == 0 && whole(y) == pair / m * m);
			assert_int_equal(wide_scale(&z, (uint32_t)m) != 0, pair > ~(uint128)0 / m);
			assert_int_equal(wide_compare(w, y), product < whole(y) ? -1 : product > whole(y));
			struct wide less = wide_compare(w, y) < 0 ? w : y, more = wide_compare(w, y) < 0 ? y : w;
			assert_true(whole(wide_sum(less, more)) == whole(less) + whole(more));
			assert_true(whole(wide_difference(more, less)) == whole(more) - whole(less));
			z = more;
			assert_int_equal(wide_increase(&z) != 0, whole(more) == ~(uint128)0);
			assert_true(whole(z) == whole(more) + 1);
		}
	}
}
#else
static void wide_numbers(void **state)
{
	(void)state;
	skip();
}
#endif

static void rounding_is_half_up(void **state)
{
	(void)state;
	assert_int_equal(decimal_div_round(5, 10), 1);
	assert_int_equal(decimal_div_round(4, 10), 0);
	assert_int_equal(decimal_div_round(-5, 10), -1);
	assert_int_equal(decimal_div_round(-4, 10), 0);
	assert_int_equal(decimal_div_round(15, 10), 2);
	assert_int_equal(decimal_div_round(25, 10), 3);
	assert_int_equal(decimal_div_round(1, 3), 0);
	assert_int_equal(decimal_div_round(2, 3), 1);
	assert_int_equal(decimal_div_round(INT64_MAX, 2), INT64_MAX / 2 + 1);
	assert_int_equal(decimal_div_round(INT64_MIN, INT64_MAX), -1);
	assert_int_equal(decimal_rescale(12345, 3, 1), 123);
	assert_int_equal(decimal_rescale(12350, 3, 1), 124);
	assert_int_equal(decimal_rescale(7, 0, 4), 70000);
	assert_int_equal(decimal_rescale(INT64_MAX, 0, 2), INT64_MAX);
	assert_int_equal(decimal_rescale(INT64_MIN, 0, 2), INT64_MIN);
}

static void decimals_as_text(void **state)
{
	static const struct {
		int64_t scaled;
		int decimals;
		const char *text;
	} cases[] = {{1050, 2, "10.50"}, {0, 1, "0.0"},          {-5, 2, "-0.05"},
		     {7, 0, "7"},        {-70000, 4, "-7.0000"}, {INT64_MIN, 0, "-9223372036854775808"},
		     {999, 3, "0.999"}};
	char text[40];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(decimal_format(cases[i].scaled, cases[i].decimals, text, sizeof(text)),
				 strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
		if (cases[i].scaled != INT64_MIN) {
			assert_int_equal(decimal_parse(text, cases[i].decimals, &back), FC_OK);
			assert_int_equal(back, cases[i].scaled);
		}
	}
	assert_int_equal(decimal_format(1050, 2, text, 5), FC_ELIMIT);
	assert_int_equal(decimal_parse("0.285", 2, &back), FC_OK);
	assert_int_equal(back, 29);
	assert_int_equal(decimal_parse("-0.285", 2, &back), FC_OK);
	assert_int_equal(back, -29);
	assert_int_equal(decimal_parse("1.", 2, &back), FC_OK);
	assert_int_equal(back, 100);
	static const char *const bad[] = {"", "-", ".", "1e5", "1,5", " 1", "1 ", "0x1", "1.2.3", "--1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(decimal_parse(bad[i], 2, &back), FC_EINVAL);
	assert_int_equal(decimal_parse("99999999999999999999", 0, &back), FC_ELIMIT);
	assert_int_equal(decimal_parse("9223372036854775807", 1, &back), FC_ELIMIT);
}

static void times_are_the_protocols(void **state)
{
	char compact[CLOCK_COMPACT_SIZE], datetime[CLOCK_DATETIME_SIZE], date[CLOCK_DATE_SIZE];
	int64_t wall;
	int32_t day;

	(void)state;
	/* 2016-07-29 06:24:00 UTC is 14:24 in Beijing (vector V1's time stamp). */
	clock_format_compact(1469773440, compact);
	assert_string_equal(compact, "20160729142400");
	clock_format_datetime(1469773440, datetime);
	assert_string_equal(datetime, "2016-07-29 14:24:00");
	assert_int_equal(clock_parse_datetime(datetime, &wall), FC_OK);
	assert_int_equal(wall, 1469773440);
	/* V5: digits are not padded. */
	assert_int_equal(clock_parse_datetime("2016-1-2 12:12:12", &wall), FC_OK);
	clock_format_datetime(wall, datetime);
	assert_string_equal(datetime, "2016-01-02 12:12:12");
	assert_int_equal(clock_parse_datetime("2016-01-02", &wall), FC_OK);
	/* The day begins at 16:00 UTC of the day before. */
	assert_int_equal(clock_day(1469721600 - 1) + 1, clock_day(1469721600));
	assert_int_equal(clock_parse_date("2024-02-29", &day), FC_OK);
	clock_format_day(day, date);
	assert_string_equal(date, "2024-02-29");
	clock_format_day(day + 1, date);
	assert_string_equal(date, "2024-03-01");
	static const char *const bad[] = {"",       "2023-02-29", "2023-13-01", "2023-00-10", "2023-1-0",
					  "2023-1", "20230101",   "2023-1-1x",  "1969-1-1",   "2023-04-31"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(clock_parse_date(bad[i], &day), FC_EINVAL);
	assert_int_equal(clock_parse_datetime("2023-1-1 24:00:00", &wall), FC_EINVAL);
	assert_int_equal(clock_parse_datetime("2023-1-1 1:60:00", &wall), FC_EINVAL);
	assert_int_equal(clock_parse_datetime("2023-1-1 1:00", &wall), FC_EINVAL);
	assert_int_equal(clock_parse_datetime("2023-1-1 1:00:00 ", &wall), FC_EINVAL);
}

static void assert_json(const struct value *v, const char *expect)
{
	struct buffer b;

	buffer_init(&b, 65536);
	assert_int_equal(json_write(&b, v), FC_OK);
	assert_string_equal(b.data, expect);
	buffer_fini(&b);
}

static void json_keeps_number_forms(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 65536);
	struct value *o = value_object(&a);
	assert_int_equal(value_put(&a, o, "i", value_int(&a, 10)), FC_OK);
	assert_int_equal(value_put(&a, o, "f", value_float(&a, 10)), FC_OK);
	assert_int_equal(value_put(&a, o, "d", value_decimal(&a, 100, 1)), FC_OK);
	assert_int_equal(value_put(&a, o, "n", value_number(&a, "10.000")), FC_OK);
	assert_int_equal(value_put(&a, o, "third", value_float(&a, 0.1)), FC_OK);
	assert_int_equal(value_put(&a, o, "list", value_array(&a)), FC_OK);
	assert_int_equal(value_put(&a, o, "object", value_object(&a)), FC_OK);
	assert_int_equal(value_put(&a, o, "none", value_null(&a)), FC_OK);
	assert_int_equal(value_put(&a, o, "yes", value_bool(&a, 5)), FC_OK);
	assert_json(o, "{\"i\":10,\"f\":10.0,\"d\":10.0,\"n\":10.000,\"third\":0.1,\"list\":[],\"object\":{},"
		       "\"none\":null,\"yes\":true}");
	arena_fini(&a);
}

static void json_text_is_always_utf8(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 65536);
	assert_json(value_string(&a, "北京 \"x\\y\" \n\x01\x7f"), "\"北京 \\\"x\\\\y\\\" \\n\\u0001\x7f\"");
	assert_json(value_string_len(&a, "a\0b", 3), "\"a\\u0000b\"");
	/* Overlong, surrogate, beyond the end of Unicode, cut short: each bad byte becomes U+FFFD. */
	assert_json(value_string(&a, "\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
	assert_json(value_string(&a, "\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
	assert_json(value_string(&a, "x\xE5\x8C"), "\"x\xEF\xBF\xBD\xEF\xBF\xBD\"");
	assert_json(value_string(&a, "\xF0\x9F\x98\x80"), "\"\xF0\x9F\x98\x80\"");
	arena_fini(&a);
}

static void values_are_read_tolerantly(void **state)
{
	struct arena a;
	int64_t i;
	int b;
	double d;

	(void)state;
	arena_init(&a, 65536);
	assert_int_equal(value_to_int(value_string(&a, "12"), &i), FC_OK);
	assert_int_equal(i, 12);
	assert_int_equal(value_to_int(value_float(&a, 12.0), &i), FC_OK);
	assert_int_equal(value_to_int(value_string(&a, "12.0"), &i), FC_OK);
	assert_int_equal(value_to_int(value_float(&a, 12.5), &i), FC_EINVAL);
	assert_int_equal(value_to_int(value_float(&a, 1e300), &i), FC_EINVAL);
	assert_int_equal(value_to_int(value_string(&a, "12.5"), &i), FC_EINVAL);
	/* Found by fuzz_message: as a number it was taken, as text it was not. */
	assert_int_equal(value_to_int(value_string(&a, "7022366856333361"), &i), FC_OK);
	assert_int_equal(i, 7022366856333361);
	assert_int_equal(value_to_int(value_string(&a, "-9223372036854775807"), &i), FC_OK);
	assert_int_equal(i, -9223372036854775807);
	assert_int_equal(value_to_int(value_string(&a, "9223372036854775808"), &i), FC_EINVAL);
	assert_int_equal(value_to_int(value_string(&a, "7022366856333361.5"), &i), FC_EINVAL);
	assert_int_equal(value_to_int(value_string(&a, ""), &i), FC_EINVAL);
	assert_int_equal(value_to_int(value_string_len(&a, "1\0002", 3), &i), FC_EINVAL);
	assert_int_equal(value_to_int(NULL, &i), FC_EINVAL);
	assert_int_equal(value_to_bool(value_int(&a, 1), &b), FC_OK);
	assert_int_equal(value_to_bool(value_int(&a, 2), &b), FC_EINVAL);
	assert_int_equal(value_to_decimal(value_float(&a, 0.285), 2, &i), FC_OK);
	assert_int_equal(i, 29);
	assert_int_equal(value_to_decimal(value_float(&a, 1e300), 2, &i), FC_ELIMIT);
	/* Found by fuzz_message: a price of 16 digits was taken for 922337203685477.5807. */
	assert_int_equal(value_to_decimal(value_int(&a, 9999999999999999), 4, &i), FC_ELIMIT);
	assert_int_equal(value_to_decimal(value_int(&a, -9999999999999999), 4, &i), FC_ELIMIT);
	assert_int_equal(value_to_decimal(value_decimal(&a, 9999999999999999, 1), 5, &i), FC_ELIMIT);
	assert_int_equal(value_to_decimal(value_int(&a, 99999999999999), 4, &i), FC_OK);
	assert_int_equal(i, 999999999999990000);
	assert_int_equal(value_to_double(value_string(&a, "7200.0"), &d), FC_OK);
	assert_true(d == 7200.0);
	assert_int_equal(value_to_double(value_string(&a, "7200x"), &d), FC_EINVAL);
	assert_null(value_float(&a, (double)INFINITY));
	arena_fini(&a);
}

static void members_are_replaced_in_place(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 65536);
	struct value *o = value_object(&a);
	assert_int_equal(value_put(&a, o, "a", value_int(&a, 1)), FC_OK);
	assert_int_equal(value_put(&a, o, "b", value_int(&a, 2)), FC_OK);
	assert_int_equal(value_put(&a, o, "c", value_int(&a, 3)), FC_OK);
	assert_int_equal(value_put(&a, o, "c", value_string(&a, "x")), FC_OK);
	assert_int_equal(value_put(&a, o, "a", value_null(&a)), FC_OK);
	assert_json(o, "{\"a\":null,\"b\":2,\"c\":\"x\"}");
	assert_int_equal(value_drop(o, "c"), FC_OK);
	assert_int_equal(value_put(&a, o, "d", value_int(&a, 4)), FC_OK);
	assert_int_equal(value_drop(o, "a"), FC_OK);
	assert_int_equal(value_drop(o, "a"), FC_ENOENT);
	assert_json(o, "{\"b\":2,\"d\":4}");
	assert_int_equal(o->count, 2);
	struct value *copy = value_copy(&a, o);
	assert_true(value_equal(copy, o));
	assert_int_equal(value_put(&a, copy, "b", value_int(&a, 9)), FC_OK);
	assert_false(value_equal(copy, o));
	arena_fini(&a);
}

static void equality_is_by_value(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 65536);
	assert_true(value_equal(value_int(&a, 1), value_float(&a, 1)));
	assert_true(value_equal(value_decimal(&a, 105, 1), value_number(&a, "10.50")));
	assert_false(value_equal(value_int(&a, 1), value_string(&a, "1")));
	assert_true(value_equal(value_empty(&a), value_array(&a)));
	assert_true(value_equal(value_object(&a), value_empty(&a)));
	assert_false(value_equal(value_object(&a), value_array(&a)));
	assert_false(value_equal(NULL, value_null(&a)));
	arena_fini(&a);
}

static void arena_keeps_its_limit(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 10000);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, 10001));
	int n = 0;
	while (arena_alloc(&a, 100))
		n++;
	assert_in_range(n, 80, 100);
	/* A chain of makers on a full arena ends in one error, not in a crash. */
	assert_int_equal(value_put(&a, value_object(&a), "x", value_string(&a, "y")), FC_ENOMEM);
	arena_fini(&a);
	assert_non_null(arena_alloc(&a, 100));
	arena_fini(&a);
}

static void buffer_fails_for_good(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 10);
	assert_int_equal(buffer_text(&b, "12345"), FC_OK);
	assert_int_equal(buffer_printf(&b, "%d", 67890), FC_OK);
	assert_int_equal(buffer_text(&b, "x"), FC_ELIMIT);
	assert_int_equal(buffer_text(&b, ""), FC_ELIMIT);
	assert_string_equal(b.data, "1234567890");
	buffer_clear(&b);
	assert_int_equal(buffer_text(&b, "x"), FC_OK);
	assert_string_equal(b.data, "x");
	buffer_fini(&b);
}

static int keep_line(void *user, const struct log_kept *line)
{
	(void)snprintf(user, 200, "%.*s", (int)line->len, line->text);
	return 0;
}

/* What a platform or a charger says may be in a line; it can't make a second one, nor write over the first. */
static void a_log_line_is_one_line(void **state)
{
	char out[200] = "";

	(void)state;
	assert_int_equal(log_keep(4096), FC_OK);
	log_error("upstream: city: Msg: %s", "a\nb\r\x1b[2J\x7f\xc2\x9b"
					     "1A \xe2\x80\xae"
					     "txt.exe\xe2\x80\xa8z\xef\xbb\xbf!");
	log_each_kept(0, keep_line, out);
	assert_string_equal(out, "upstream: city: Msg: a b  [2J   1A    txt.exe   z   !");
	/* Other characters stay, whole or cut off. */
	log_error("站点 %s", "é 充电 \xe2\x80");
	log_each_kept(1, keep_line, out);
	assert_string_equal(out, "站点 é 充电 \xe2\x80");
	assert_int_equal(log_keep(0), FC_OK);
}

static void personal_data_is_masked(void **state)
{
	char out[32], small[6];

	(void)state;
	assert_string_equal(log_mask("13812345678", out, sizeof(out)), "138******78");
	assert_string_equal(log_mask("1234567", out, sizeof(out)), "***");
	assert_string_equal(log_mask(NULL, out, sizeof(out)), "***");
	assert_string_equal(log_mask("13812345678", small, sizeof(small)), "138**");
	assert_int_equal(log_level_parse("warning"), LOG_LEVEL_WARNING);
	assert_int_equal(log_level_parse("loud"), -1);
}

static void files_get_onto_the_disk(void **state)
{
	char folder[64], path[96], back[8] = "";
	int ends[2];

	(void)state;
	folder_make(folder, sizeof(folder), "disk");
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(disk_write(fd, "abc", 3), 0);
	assert_int_equal(pread(fd, back, sizeof(back), 0), 3);
	assert_string_equal(back, "abc");
	assert_int_equal(close(fd), 0);
	assert_int_equal(disk_sync_folder(path), 0);
	assert_int_equal(disk_sync_folder("file-in-this-folder"), 0);
	/* What can't be, or is no file on a disk. */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(disk_write(fd, "abc", 3), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(close(fd), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(disk_write(ends[1], "abc", 3), -1);
	assert_int_equal(close(ends[0]) | close(ends[1]), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(disk_sync_folder(path), -1);
	assert_int_equal(errno, ENOENT);
	char endless[PATH_MAX + 8];
	memset(endless, 'a', sizeof(endless));
	endless[sizeof(endless) - 2] = '/';
	endless[sizeof(endless) - 1] = '\0';
	assert_int_equal(disk_sync_folder(endless), -1);
}

/* The published values: some hashes are on the disk of boxes. */
static void hashes_are_fnv_1a(void **state)
{
	(void)state;
	assert_true(hash_more(HASH_BEGIN, "", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(hash_more(HASH_BEGIN, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(hash_more(HASH_BEGIN, "foobar", 6) == UINT64_C(0x85944171f73967e8));
	assert_true(hash_more(hash_more(HASH_BEGIN, "foo", 3), "bar", 3) == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wide_numbers),
	    cmocka_unit_test(rounding_is_half_up),
	    cmocka_unit_test(decimals_as_text),
	    cmocka_unit_test(times_are_the_protocols),
	    cmocka_unit_test(json_keeps_number_forms),
	    cmocka_unit_test(json_text_is_always_utf8),
	    cmocka_unit_test(values_are_read_tolerantly),
	    cmocka_unit_test(members_are_replaced_in_place),
	    cmocka_unit_test(equality_is_by_value),
	    cmocka_unit_test(arena_keeps_its_limit),
	    cmocka_unit_test(buffer_fails_for_good),
	    cmocka_unit_test(a_log_line_is_one_line),
	    cmocka_unit_test(personal_data_is_masked),
	    cmocka_unit_test(files_get_onto_the_disk),
	    cmocka_unit_test(hashes_are_fnv_1a),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
