/* The model of sessions and outbox (tests/model), gone through completely: nothing is lost or doubled whatever comes in whatever order,
 * and each mistake planted in it is found. FORECOURT_MODEL=2 (and up) looks further, for minutes and gigabytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../model/check.h"

/* What is looked at beside what: all at once would be more states than there is room for. */
static const struct model_rules all[] = {
    {.name = "one connector", .connectors = 1, .platforms = 1, .orders = 2, .seqs = 1, .units = 2, .crashes = 1},
    {.name = "two connectors", .connectors = 2, .orders = 2, .seqs = 2, .units = 0, .crashes = 1},
    {.name = "faults and a full disk",
     .connectors = 1,
     .orders = 2,
     .seqs = 1,
     .units = 1,
     .crashes = 1,
     .faults = 1,
     .fulls = 1},
    {.name = "registers", .connectors = 1, .orders = 3, .seqs = 0, .units = 2, .crashes = 1, .unread = 1},
    {.name = "registers set back", .connectors = 1, .orders = 2, .seqs = 1, .units = 2, .crashes = 1, .resets = 1},
    {.name = "a clock that is not set", .connectors = 1, .orders = 2, .seqs = 1, .units = 1, .crashes = 1, .clocks = 1},
    {.name = "cards", .connectors = 1, .orders = 3, .seqs = 1, .units = 1, .crashes = 1, .cards = 1, .authorised = 1},
    {.name = "slow chargers, reload, occupancy",
     .connectors = 1,
     .orders = 2,
     .seqs = 1,
     .units = 1,
     .crashes = 1,
     .commands = 1,
     .reloads = 1,
     .occupancy = 1},
    {.name = "disputes, resends, a full disk",
     .connectors = 1,
     .platforms = 1,
     .orders = 1,
     .units = 1,
     .crashes = 1,
     .fulls = 1,
     .resends = 1,
     .disputes = 1},
    {.name = "orders refused", .connectors = 1, .platforms = 1, .orders = 2, .crashes = 1, .resends = 1, .refusals = 2},
    {.name = "one of three refused", .connectors = 1, .platforms = 1, .orders = 3, .crashes = 1, .refusals = 1},
    {.name = "two platforms",
     .connectors = 1,
     .platforms = 2,
     .orders = 1,
     .seqs = 0,
     .units = 1,
     .crashes = 2,
     .disputes = 1},
};
enum { ALL = sizeof(all) / sizeof(all[0]) };
/* Sanitizers and emulators look at the begin of each: the states are the same everywhere. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__x86_64__)
enum { MOST = 20000, IS_WHOLE = 0 };
#else
enum { MOST = 4000000, IS_WHOLE = 1 };
#endif

static int further(void)
{
	const char *text = getenv("FORECOURT_MODEL");

	return text ? atoi(text) : 1;
}

static struct model_rules rules_at(int i)
{
	struct model_rules rules = all[i];
	int more = further() - 1;

	rules.next = session_next;
	rules.crashes += more ? 1 : 0;
	rules.crashes = rules.crashes > 3 ? 3 : rules.crashes;
	rules.orders = rules.orders + more > MODEL_ORDERS ? MODEL_ORDERS : rules.orders + more;
	rules.units = rules.units + more > MODEL_UNITS ? MODEL_UNITS : rules.units + more;
	return rules;
}

static void nothing_is_lost_or_doubled(void **state)
{
	uint64_t states = 0, transitions = 0, most = MOST;

	(void)state;
	for (int i = 1; i < further(); i++)
		most *= 10;
	for (int i = 0; i < ALL; i++) {
		struct model_rules rules = rules_at(i);
		struct check_result result;

		assert_int_equal(check(&rules, most, stdout, &result), 0);
		print_message("%-32s %8llu states %9llu transitions, %d deep, %llu go further\n", rules.name,
			      (unsigned long long)result.states, (unsigned long long)result.transitions, result.depth,
			      (unsigned long long)result.cut);
		assert_null(result.wrong);
		/* At its own size all of it is looked at. */
		if (further() == 1 && IS_WHOLE)
			assert_false(result.full);
		states += result.states;
		transitions += result.transitions;
	}
	print_message("%-32s %8llu states %9llu transitions\n", "in all", (unsigned long long)states,
		      (unsigned long long)transitions);
}

/* The first rules that show it. What a mistake needs is soon there: the begin of each is enough, and mostly the very first of it. */
static int is_found(enum model_mistake mistake, FILE *trace, struct check_result *result)
{
	static const uint64_t most[] = {15000, 100000, 300000};

	for (size_t far = 0; far < sizeof(most) / sizeof(most[0]); far++)
		for (int i = 0; i < ALL; i++) {
			struct model_rules rules = all[i];

			rules.next = session_next;
			rules.mistake = mistake;
			assert_int_equal(check(&rules, most[far], trace, result), 0);
			if (result->wrong)
				return i + 1;
		}
	return 0;
}

static void each_planted_mistake_is_found(void **state)
{
	(void)state;
	for (int i = MODEL_RIGHT + 1; i < MODEL_MISTAKES; i++) {
		struct check_result result;
		char *text = NULL;
		size_t len = 0;
		FILE *trace = open_memstream(&text, &len);

		assert_non_null(trace);
		if (!is_found((enum model_mistake)i, trace, &result))
			fail_msg("not found: %s", model_mistake_name((enum model_mistake)i));
		(void)fclose(trace);
		/* A trace that can be read: what is wrong, and each step with what came of it. */
		assert_non_null(strstr(text, result.wrong));
		assert_non_null(strstr(text, "the gateway starts"));
		assert_true(result.steps > 1 && result.steps < 25);
		print_message("%-52s %2d steps: %s\n", model_mistake_name((enum model_mistake)i), result.steps,
			      result.wrong);
		if (further() > 1)
			print_message("%s", text);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_lost_or_doubled),
	    cmocka_unit_test(each_planted_mistake_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
