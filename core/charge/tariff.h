/* Tariff: the prices of one charge, pinned when it starts (DESIGN.md, rule 5): a later change of the policy is for later
 * charges. Prices are by period of the local day (Asia/Shanghai, base/clock.h), for the day of the start and those after it.
 *
 * Units: unit prices in 1/10 000 yuan per kWh or per minute; money in 1/10 000 yuan; energy in Wh; times in seconds. */
#ifndef FC_CHARGE_TARIFF_H
#define FC_CHARGE_TARIFF_H

#include <stdint.h>

#include "base/error.h"

/* protocol.md 2.7: SumPeriod is at most 32. A charge that lasts longer than TARIFF_DAYS has the last day's prices on. */
enum { TARIFF_PERIODS = 32, TARIFF_DAYS = 3, TARIFF_NAME = 64 };

struct tariff_period {
	int32_t start_s; /* of the local day, 0..86399; the first is 0, then rising */
	int32_t elec_e4, service_e4;
};

struct tariff_day {
	int count; /* 1..TARIFF_PERIODS */
	struct tariff_period periods[TARIFF_PERIODS];
};

struct tariff {
	char policy[TARIFF_NAME], version[TARIFF_NAME + 1]; /* file and its SHA-256 */
	int32_t first_day;                                  /* day number of days[0] */
	struct tariff_day days[TARIFF_DAYS];
	int64_t minute_e4;           /* service fee per minute of charging */
	int64_t occupancy_minute_e4; /* per minute after the end, after occupancy_free_min */
	int32_t occupancy_free_min;
	int32_t occupancy_most_min;     /* the order is settled then, whether the car has left or not */
	int64_t free_wh;                /* not charged for, from the beginning on */
	int64_t minimum_e4, maximum_e4; /* of the total; maximum 0 = none */
};

/* A period on the calendar: the whole of it, and its prices. */
struct tariff_span {
	int64_t start_wall, end_wall; /* end is the first second of the next */
	int32_t elec_e4, service_e4;
};

/* FC_OK, or FC_EINVAL and what is wrong with it: no period, not rising, not from midnight, a price out of 0..1000 yuan. */
int tariff_check(const struct tariff *tariff, struct error *err);
/* The period that wall is in. Before the first day: the first day's prices. */
struct tariff_span tariff_at(const struct tariff *tariff, int64_t wall);

#endif
