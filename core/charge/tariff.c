#include "charge/tariff.h"

#include "base/clock.h"

enum { DAY_S = 86400, PRICE_MAX_E4 = 10000000 };

static int check_day(const struct tariff_day *day, int index, struct error *err)
{
	if (day->count < 1 || day->count > TARIFF_PERIODS)
		return error_set(err, FC_EINVAL, "tariff: day %d: has %d periods: 1 to %d", index + 1, day->count,
				 TARIFF_PERIODS);
	for (int i = 0; i < day->count; i++) {
		const struct tariff_period *p = &day->periods[i];

		if (!i && p->start_s)
			return error_set(err, FC_EINVAL, "tariff: day %d: the first period must begin at midnight",
					 index + 1);
		if (p->start_s < 0 || p->start_s >= DAY_S || (i && p->start_s <= day->periods[i - 1].start_s))
			return error_set(err, FC_EINVAL, "tariff: day %d: period %d: periods must follow each other",
					 index + 1, i + 1);
		if (p->elec_e4 < 0 || p->elec_e4 > PRICE_MAX_E4 || p->service_e4 < 0 || p->service_e4 > PRICE_MAX_E4)
			return error_set(err, FC_EINVAL, "tariff: day %d: period %d: prices are 0 to 1000 yuan",
					 index + 1, i + 1);
	}
	return FC_OK;
}

int tariff_check(const struct tariff *t, struct error *err)
{
	for (int i = 0; i < TARIFF_DAYS; i++)
		if (check_day(&t->days[i], i, err))
			return FC_EINVAL;
	if (t->minute_e4 < 0 || t->minute_e4 > PRICE_MAX_E4 || t->occupancy_minute_e4 < 0 ||
	    t->occupancy_minute_e4 > PRICE_MAX_E4)
		return error_set(err, FC_EINVAL, "tariff: a price per minute is 0 to 1000 yuan");
	if (t->occupancy_free_min < 0 || t->occupancy_most_min < 0 || t->free_wh < 0 || t->minimum_e4 < 0 ||
	    t->maximum_e4 < 0 || (t->maximum_e4 && t->maximum_e4 < t->minimum_e4))
		return error_set(
		    err, FC_EINVAL,
		    "tariff: allowances, minimum and maximum are not below 0, and minimum not above maximum");
	return FC_OK;
}

struct tariff_span tariff_at(const struct tariff *t, int64_t wall)
{
	int32_t number = clock_day(wall);
	int64_t midnight = (int64_t)number * DAY_S - CLOCK_CST_OFFSET_S;
	int32_t offset = number - t->first_day;
	const struct tariff_day *day = &t->days[offset < 0 ? 0 : offset < TARIFF_DAYS ? offset : TARIFF_DAYS - 1];
	int i = day->count - 1;

	while (i && day->periods[i].start_s > wall - midnight)
		i--;
	const struct tariff_period *p = &day->periods[i];
	return (struct tariff_span){
	    .start_wall = midnight + p->start_s,
	    .end_wall = midnight + (i + 1 < day->count ? day->periods[i + 1].start_s : DAY_S),
	    .elec_e4 = p->elec_e4,
	    .service_e4 = p->service_e4,
	};
}
