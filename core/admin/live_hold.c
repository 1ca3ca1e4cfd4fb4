#include "admin/live_hold.h"

#include <string.h>

#include "admin/live.h"

/* Both are numbers that we made. */
static void keep(const struct value *last, struct value *next)
{
	if (!last || !next || last->type != VALUE_INT || next->type != VALUE_INT)
		return;
	next->i = last->i;
}

static void keep_all(const struct value *last, struct value *next, const char *const *keys)
{
	for (; *keys; keys++)
		keep(value_get(last, *keys), value_get(next, *keys));
}

static void hold_counters(const struct value *last, struct value *next, const char *const *keys)
{
	value_each (now, next) {
		const struct value *before = value_get(last, now->key);

		if (before)
			keep_all(before, now, keys);
	}
}

/* Each in its turn, so that they don't come all at once. A value that has become old, or good again, says since when. */
static void hold_ages(const struct value *last, struct value *next, uint64_t turn)
{
	const struct value *before = last ? last->first : NULL;
	uint64_t n = turn;

	value_each (now, next) {
		const struct value *was = before && !strcmp(before->key, now->key) ? before : value_get(last, now->key);

		before = was ? was->next : NULL;
		if (n++ % LIVE_AGE_S && was && value_equal(value_get(was, "quality"), value_get(now, "quality")))
			keep(value_get(was, "read_at"), value_get(now, "read_at"));
	}
}

void live_hold(const struct value *last, struct value *next, uint64_t turn)
{
	static const char *const of_buses[] = {"load", "polls", "errors", "latency_us", NULL};
	static const char *const of_platforms[] = {"answered", "answer_mean_us", "answer_p99_us", NULL};

	hold_ages(value_get(last, "connectors"), value_get(next, "connectors"), turn);
	if (turn % LIVE_SLOW_S == 0)
		return;
	hold_counters(value_get(last, "buses"), value_get(next, "buses"), of_buses);
	hold_counters(value_get(last, "platforms"), value_get(next, "platforms"), of_platforms);
}
