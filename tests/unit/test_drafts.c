/* cli: drafts of profiles, of register lists and of DBC files, load whatever the list is. What fuzz_skeleton and fuzz_dbc found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/dbc.h"
#include "cli/guess.h"
#include "cli/skeleton.h"

/* A key is a name in Lua, and no longer than a point's. */
static void keys_are_names(void **state)
{
	static const struct {
		const char *name, *key;
	} cases[] = {
	    {"Active Power (W)", "active_power_w"},
	    {"3phase", "r3phase"},
	    {"end", "rend"},
	    {"123456789 123456789 123456789", "r123456789_123456789_123456789"},
	    {"123456789 123456789 123456789 ", "r123456789_123456789_123456789"},
	    {"123456789 123456789 123456789 1", "r123456789_123456789_123456789_"},
	    {"123456789 123456789 123456789 123", "r123456789_123456789_123456789_"},
	    {"12345678901234567890123456789012", "r123456789012345678901234567890"},
	    {"a2345678901234567890123456789012", "a234567890123456789012345678901"},
	    {"\xff", ""},
	};
	char key[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		guess_key(cases[i].name, key);
		assert_string_equal(key, cases[i].key);
	}
}

static int told;

static void left_out(void *user, int line, const char *what)
{
	(void)user;
	assert_int_equal(line, 3 + told++);
	assert_string_equal(what, "a signal whose scale or offset is larger than a profile may say");
}

static void numbers_that_a_profile_cannot_say(void **state)
{
	static const char text[] = "BO_ 2 m: 8 X\n"
				   " SG_ a : 0|8@1+ (1e11,-1e11) [0|0] \"\" X\n"
				   " SG_ b : 0|8@1+ (999999999999.99999,0) [0|0] \"\" X\n"
				   " SG_ c : 0|8@1+ (1,-11e300) [0|0] \"\" X\n";
	char copy[sizeof(text)];
	struct error err = {0};
	struct dbc dbc;

	(void)state;
	memcpy(copy, text, sizeof(text));
	assert_int_equal(dbc_read(&dbc, copy, sizeof(text) - 1, left_out, NULL, &err), FC_OK);
	assert_int_equal(told, 2);
	assert_int_equal(dbc.left_out, 2);
	assert_int_equal(dbc.signal_count, 1);
	assert_string_equal(dbc.signals[0].name, "a");
	dbc_fini(&dbc);
}

static void bad_row(void *user, int line, const char *what)
{
	int *next = user;

	assert_int_equal(line, (*next)++);
	assert_string_equal(what, "is no scale");
}

static void scales_that_a_profile_cannot_say(void **state)
{
	char list[] = "Address,Name,Type,Scale,Gain\n1,a,u16,10^12,\n2,b,u16,10^300,\n3,c,u16,1e11,0.00001\n"
		      "4,d,u16,10^-400,\n5,e,u16,0.1,10\n";
	struct error err = {0};
	struct buffer out;
	int line = 2;

	(void)state;
	buffer_init(&out, 1 << 16);
	assert_int_equal(skeleton_make("a.csv", list, strlen(list), bad_row, &line, &out, &err), 4);
	assert_int_equal(line, 6);
	assert_non_null(strstr(out.data, "scale = 0.01"));
	buffer_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_names),
	    cmocka_unit_test(numbers_that_a_profile_cannot_say),
	    cmocka_unit_test(scales_that_a_profile_cannot_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
