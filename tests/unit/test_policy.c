/* charge/policy: what integrators write becomes a tariff, or a message that names the place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "charge/policy.h"
#include "folder.h"

static const struct policy_context nobody = {"S1", "K1", "", ""};

struct fixture {
	char folder[64];
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[96];

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "policy");
	(void)snprintf(path, sizeof(path), "%s/policies", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	folder_remove(f->folder);
	free(f);
	return 0;
}

static struct policy *load(struct fixture *f, const char *body)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/policies/x.lua", f->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "return { forecourt = 1, kind = 'policy', name = 'x', %s }", body) > 0);
	assert_int_equal(fclose(file), 0);
	f->err = (struct error){0};
	return policy_load(&(struct script_host){.lua_dir = f->folder}, "x", &f->err);
}

static int64_t at(const char *text)
{
	int64_t wall;

	assert_int_equal(clock_parse_datetime(text, &wall), FC_OK);
	return wall;
}

static const char *lua_dir(void)
{
	const char *dir = getenv("FORECOURT_LUA");

	return dir ? dir : "lua";
}

static void the_shipped_ones(void **state)
{
	static const char *const names[] = {"flat", "four-period", "member"};
	struct error err = {0};
	struct tariff t;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct policy *p = policy_load(&(struct script_host){.lua_dir = lua_dir()}, names[i], &err);

		if (!p)
			fail_msg("%s", err.text);
		assert_string_equal(policy_name(p), names[i]);
		assert_int_equal(policy_tariff(p, &nobody, at("2026-11-20 23:59:59"), TARIFF_DAYS, &t, &err), FC_OK);
		assert_string_equal(t.policy, names[i]);
		assert_int_equal(strlen(t.version), 64);
		policy_free(p);
	}
	/* Friday to Sunday: the weekend's service fee from midnight on; gold pays less, and the first kWh is free. */
	struct policy *p = policy_load(&(struct script_host){.lua_dir = lua_dir()}, "member", &err);
	assert_non_null(p);
	assert_int_equal(policy_tariff(p, &nobody, at("2026-11-20 23:00:00"), TARIFF_DAYS, &t, &err), FC_OK);
	assert_int_equal(tariff_at(&t, at("2026-11-20 23:59:59")).service_e4, 6000);
	assert_int_equal(tariff_at(&t, at("2026-11-21 00:00:00")).service_e4, 5000);
	assert_int_equal(tariff_at(&t, at("2026-11-21 08:00:00")).elec_e4, 9500);
	assert_int_equal(t.free_wh, 0);
	assert_int_equal(t.minimum_e4, 5000);
	const struct policy_context gold = {"S1", "K1", "", "gold"};
	assert_int_equal(policy_tariff(p, &gold, at("2026-11-20 23:00:00"), TARIFF_DAYS, &t, &err), FC_OK);
	assert_int_equal(tariff_at(&t, at("2026-11-20 23:00:00")).service_e4, 4000);
	assert_int_equal(t.free_wh, 1000);
	policy_free(p);
}

static void mistakes_name_the_place(void **state)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
	    {"", "prices"},
	    {"1, 2", ": 1: there is no such key"},
	    {"prices = {}", "must give a list of 1 to 32"},
	    {"prices = { { start = '00:00' } }", "prices[1] ("},
	    {"prices = { { start = '0:00', elec = 1 } }", "start must be a time"},
	    {"prices = { { start = '24:00', elec = 1 } }", "start must be a time"},
	    {"prices = { { start = '00:01', elec = 1 } }", "must begin at midnight"},
	    {"prices = { { start = '00:00', elec = 1 }, { start = '00:00', elec = 2 } }", "must follow each other"},
	    {"prices = { { start = '00:00', elec = -1 } }", "prices[1].elec"},
	    {"prices = { { start = '00:00', elec = 1.23456 } }", "at most 4 decimals"},
	    {"prices = { { start = '00:00', elec = '1' } }", "prices[1].elec"},
	    {"prices = { { start = '00:00', elec = 1001 } }", "0 to 1000 yuan"},
	    {"prices = { { start = '00:00', elec = forecourt.decimal('0.12345') } }", "at most 4 decimals"},
	    {"prices = { { start = '00:00', elec = forecourt.decimal('-0.1') } }", "prices[1].elec"},
	    {"prices = { { start = '00:00', elec = forecourt.decimal('1001') } }", "0 to 1000 yuan"},
	    {"prices = { { start = '00:00', elec = forecourt.decimal('9223372036854775807') } }", "prices[1].elec"},
	    {"prices = { { start = '00:00', elec = 1, sevice = 2 } }", "no such key: sevice"},
	    {"prices = { { start = '00:00', elec = 1 } }, terms = { minimun = 1 }", "no such key: minimun"},
	    {"prices = { { start = '00:00', elec = 1 } }, terms = { minimum = 2, maximum = 1 }", "minimum not above"},
	    {"prices = { { start = '00:00', elec = 1 } }, terms = { free_kwh = 1.0005 }", "at most 3 decimals"},
	    {"prices = { { start = '00:00', elec = 1 } }, discount = function() end", "discount"},
	    {"prices = { { start = '00:00', elec = 1 } }, price = 1", "price: there is no such key"},
	    {"prices = function(c) error('no prices on ' .. c.date) end", "no prices on 20"},
	    {"prices = function(c) while true do end end", "took too long"},
	    {"prices = function(c) return { { start = '00:00', elec = c.weekday == 3 and -1 or 1 } } end",
	     "prices[1].elec"},
	    {"prices = function(c) return { { start = '00:00', elec = 1 } } end, examples = { { call = 'prices', input "
	     "= {}, "
	     "expect = { { start = '00:00', elec = 2 } } } }",
	     "examples[1]"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *p = load(f, cases[i].body);

		if (p)
			fail_msg("taken: %s", cases[i].body);
		if (!strstr(f->err.text, cases[i].says) || !strstr(f->err.text, "x.lua"))
			fail_msg("%s\nsays: %s", cases[i].body, f->err.text);
	}
	assert_null(policy_load(&(struct script_host){.lua_dir = f->folder}, "../x", &f->err));
	assert_null(policy_load(&(struct script_host){.lua_dir = f->folder}, "none", &f->err));
}

/* What a function gives depends on day and class only, and the day after midnight is asked for too. */
static void the_context_of_each_day(void **state)
{
	struct fixture *f = *state;
	struct tariff t;
	struct policy *p =
	    load(f, "prices = function(c) return { { start = '00:00', elec = c.weekday / 10, "
		    "service = (c.connector_id == 'K1' and c.station_id == 'S1' and c.platform == '') and 1 or 0 } "
		    "} end");

	assert_non_null(p);
	assert_int_equal(policy_tariff(p, &nobody, at("2026-11-22 12:00:00"), TARIFF_DAYS, &t, &f->err), FC_OK);
	assert_int_equal(tariff_at(&t, at("2026-11-22 12:00:00")).elec_e4, 7000);
	assert_int_equal(tariff_at(&t, at("2026-11-23 12:00:00")).elec_e4, 1000);
	assert_int_equal(tariff_at(&t, at("2026-11-24 12:00:00")).elec_e4, 2000);
	assert_int_equal(tariff_at(&t, at("2026-11-22 12:00:00")).service_e4, 10000);
	policy_free(p);
	policy_free_of_charge(at("2026-11-22 12:00:00"), &t);
	assert_int_equal(tariff_check(&t, NULL), FC_OK);
	assert_int_equal(tariff_at(&t, at("2026-11-25 12:00:00")).elec_e4, 0);
}

/* Exact decimals go through as they are, and so do prices of fixed() form; zeros at the end are no decimals too many. */
static void decimals_as_prices(void **state)
{
	struct fixture *f = *state;
	struct tariff t;
	struct policy *p =
	    load(f, "prices = function() local d = forecourt.decimal return {\n"
		    "{ start = '00:00', elec = d'0.6' - 0.1, service = d'0.285':mul('0.9', 4) },\n"
		    "{ start = '12:00', elec = fixed(1.25, 4), service = d'0.10000000' } } end,\n"
		    "terms = { minimum = forecourt.decimal('0.50'), free_kwh = forecourt.decimal('1.5') }");

	if (!p)
		fail_msg("%s", f->err.text);
	assert_int_equal(policy_tariff(p, &nobody, at("2026-11-22 00:00:00"), TARIFF_DAYS, &t, &f->err), FC_OK);
	assert_int_equal(tariff_at(&t, at("2026-11-22 01:00:00")).elec_e4, 5000);
	assert_int_equal(tariff_at(&t, at("2026-11-22 01:00:00")).service_e4, 2565);
	assert_int_equal(tariff_at(&t, at("2026-11-22 13:00:00")).elec_e4, 12500);
	assert_int_equal(tariff_at(&t, at("2026-11-22 13:00:00")).service_e4, 1000);
	assert_int_equal(t.minimum_e4, 5000);
	assert_int_equal(t.free_wh, 1500);
	policy_free(p);
}

static int count_puts(void *user, const char *space, const struct script_entry *entries, int count, struct error *err)
{
	(void)entries, (void)count, (void)err;
	assert_string_equal(space, "policies/x");
	++*(int *)user;
	return FC_OK;
}

static int get_nothing(void *user, const char *space, const char *table, const char *key, int reverse, char *out,
		       size_t size)
{
	(void)user, (void)space, (void)table, (void)key, (void)reverse, (void)out, (void)size;
	return FC_ENOENT;
}

/* The trial of a week at load keeps nothing; the tariff of a charge does. */
static void only_what_is_in_force_is_kept(void **state)
{
	struct fixture *f = *state;
	struct tariff t;
	int puts = 0;
	const struct script_services services = {.user = &puts, .get = get_nothing, .put = count_puts};
	const char *body = "prices = function(c) forecourt.table('days'):put(c.date, 'seen')\n"
			   "return { { start = '00:00', elec = 1 } } end";

	policy_free(load(f, body));
	struct policy *p =
	    policy_load(&(struct script_host){.lua_dir = f->folder, .services = &services}, "x", &f->err);
	if (!p)
		fail_msg("%s", f->err.text);
	assert_int_equal(puts, 0);
	assert_int_equal(policy_tariff(p, &nobody, at("2026-11-22 00:00:00"), 1, &t, &f->err), FC_OK);
	assert_int_equal(puts, 1);
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_shipped_ones),
	    cmocka_unit_test_setup_teardown(mistakes_name_the_place, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_context_of_each_day, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(decimals_as_prices, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(only_what_is_in_force_is_kept, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
