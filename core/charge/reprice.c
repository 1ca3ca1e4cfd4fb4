#include "charge/reprice.h"

#include "base/clock.h"
#include "script/script.h"

enum { DAY_S = 86400 };

/* The prices were asked for at the start command, and metering began later: perhaps on the next day. */
static int64_t priced_at(const struct order *order)
{
	int64_t first = (int64_t)order->tariff.first_day * DAY_S - CLOCK_CST_OFFSET_S, wall = order->start_wall;

	if (wall < first)
		return first;
	return wall >= first + DAY_S ? first + DAY_S - 1 : wall;
}

int reprice(struct policy *policy, struct order *order, const char *station_id, struct repriced *out, int *is_even,
	    struct error *err)
{
	const struct policy_context context = {.station_id = station_id,
					       .connector_id = order->connector_id,
					       .platform = order->platform,
					       .user_class = order->user_class};

	if (!order->trace.count) {
		trace_from_parts(&order->trace, &order->split);
		*is_even = 1;
	}
	script_pin(policy_script(policy), order->start_wall);
	int result = policy_tariff(policy, &context, priced_at(order), TARIFF_DAYS, &out->tariff, err);
	if (result)
		return result;
	trace_split(&order->trace, &out->tariff, order->split.start_wall, &out->split);
	bill_make(&out->bill, &out->split, &out->tariff, order->occupied_s);
	return FC_OK;
}

int reprice_differs(const struct bill *a, const struct bill *b)
{
	if (a->count != b->count || a->total_money_e4 != b->total_money_e4 || a->elec_money_e4 != b->elec_money_e4)
		return 1;
	for (int i = 0; i < a->count; i++) {
		const struct bill_line *x = &a->lines[i], *y = &b->lines[i];

		if (x->start_wall != y->start_wall || x->end_wall != y->end_wall || x->elec_e4 != y->elec_e4 ||
		    x->service_e4 != y->service_e4 || x->wh != y->wh || x->elec_money_e4 != y->elec_money_e4 ||
		    x->service_money_e4 != y->service_money_e4)
			return 1;
	}
	return 0;
}
