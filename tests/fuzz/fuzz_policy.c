/* A station's prices: a Lua text through the sandbox and the reader of prices and terms.
 *
 * What is refused says the file. What is taken makes tariffs that hold their own rules (tariff_check) at any time, and of which any moment
 * is in a period: prices that can be billed. */
#include "base/error.h"
#include "bytes.h"
#include "charge/policy.h"
#include "lua_text.h"
#include "mutate.h"

/* 2020 to 2040, and what a clock says that was never set. */
static const int64_t times[] = {0, 1577836800, 1767225599, 1785456000, 2208988800};

static void check_tariff(const struct tariff *t, int64_t wall)
{
	struct error err = {0};

	fuzz_check(!tariff_check(t, &err));
	fuzz_check(strlen(t->version) == 64 && t->policy[0]);
	fuzz_check(t->minute_e4 >= 0 && t->occupancy_minute_e4 >= 0 && t->free_wh >= 0 && t->minimum_e4 >= 0);
	fuzz_check(t->occupancy_free_min >= 0 && t->occupancy_most_min >= 0 && t->maximum_e4 >= 0);
	fuzz_check(!t->maximum_e4 || t->maximum_e4 >= t->minimum_e4);
	for (int64_t at = wall; at < wall + 5 * 86400; at += 7919) {
		struct tariff_span s = tariff_at(t, at);

		fuzz_check(s.start_wall <= at && at < s.end_wall && s.end_wall - s.start_wall <= 86400);
		fuzz_check(s.elec_e4 >= 0 && s.service_e4 >= 0 && s.elec_e4 <= 10000000 && s.service_e4 <= 10000000);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct policy_context context = {"S1", "C1", "city", "member"};
	struct error err = {0};
	struct lua_text t;
	char *text = copy_of(data, size, 0);

	fuzz_quiet();
	struct policy *p = policy_load_file(lua_text(&t, "policies", text, size), t.path, &err);
	if (p) {
		for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
			struct tariff tariff;

			memset(&tariff, 0xA5, sizeof(tariff));
			err = (struct error){0};
			if (!policy_tariff(p, &context, times[i], 1 + (int)(i % TARIFF_DAYS), &tariff, &err))
				check_tariff(&tariff, times[i]);
			else
				fuzz_check(err.text[0]);
		}
		policy_free(p);
	} else {
		fuzz_check(err.code && strstr(err.text, t.path));
	}
	free(text);
	return 0;
}

static const char *const words[] = {"forecourt",
				    "kind",
				    "name",
				    "prices",
				    "terms",
				    "minute",
				    "occupancy_minute",
				    "occupancy_free_min",
				    "occupancy_most_min",
				    "free_kwh",
				    "minimum",
				    "maximum",
				    "start",
				    "elec",
				    "service",
				    "\"00:00\"",
				    "\"23:59\"",
				    "\"24:00\"",
				    "\"7:00\"",
				    "description",
				    "examples",
				    "call",
				    "input",
				    "date",
				    "weekday",
				    "expect",
				    "0.1234",
				    "0.12345",
				    "1000",
				    "1000.0001",
				    "function() return {} end",
				    "context.date",
				    "context.weekday",
				    NULL};

MUTATE_BY(table, words)
