/* Bill: what a charge costs, line by line. Every line is in whole fen and hundredths of a kWh, as it goes over the wire
 * (protocol.md 2.14), and the lines sum to the totals exactly. */
#ifndef FC_CHARGE_BILL_H
#define FC_CHARGE_BILL_H

#include "charge/split.h"

struct bill_line {
	int64_t start_wall, end_wall;
	int32_t elec_e4, service_e4;             /* unit prices */
	int64_t wh;                              /* as measured */
	int64_t energy_e2;                       /* 0.01 kWh: rounded so that the lines sum to the total's rounding */
	int64_t elec_money_e4, service_money_e4; /* whole fen: multiples of 100 */
};

struct bill {
	int count;
	struct bill_line lines[SPLIT_PARTS];
	int64_t wh, energy_e2;
	int64_t elec_money_e4, service_money_e4, total_money_e4;
};

/* occupied_s: seconds that the connector stayed occupied after the end.
 *
 * Energy costs its period's prices, each line rounded half up to a fen; the first free_wh cost nothing. Fees by the minute
 * (begun minutes count), occupancy, and what lifts the total to the minimum (not of a charge without energy) are service money of the last line. What is above
 * the maximum is taken off service money, then off electricity, from the last line backwards. No amount is ever below 0. */
void bill_make(struct bill *bill, const struct split *split, const struct tariff *tariff, int64_t occupied_s);

#endif
