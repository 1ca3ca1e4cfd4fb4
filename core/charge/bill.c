#include "charge/bill.h"

#include <string.h>

#include "base/decimal.h"

enum { FEN_E4 = 100, WH_A_KWH = 1000, WH_A_STEP = 10 };

/* Wh at a price per kWh, half up to a fen. */
static int64_t cost(int64_t wh, int32_t price_e4)
{
	return decimal_div_round(wh * price_e4, (int64_t)WH_A_KWH * FEN_E4) * FEN_E4;
}

/* Each line gets its part of the rounded whole: what has passed up to its end, rounded, minus what is given out. */
static void round_energy(struct bill *bill)
{
	int64_t wh = 0, given = 0;

	for (int i = 0; i < bill->count; i++) {
		wh += bill->lines[i].wh;
		int64_t upto = decimal_div_round(wh, WH_A_STEP);

		bill->lines[i].energy_e2 = upto - given;
		given = upto;
	}
	bill->energy_e2 = given;
}

static int64_t minutes_begun(int64_t seconds)
{
	return seconds > 0 ? (seconds + 59) / 60 : 0;
}

static int64_t fees(const struct split *split, const struct tariff *tariff, int64_t occupied_s)
{
	int64_t occupied = minutes_begun(occupied_s);
	int64_t sum = minutes_begun(split->last_wall - split->start_wall) * tariff->minute_e4;

	if (tariff->occupancy_most_min && occupied > tariff->occupancy_most_min)
		occupied = tariff->occupancy_most_min;
	occupied -= tariff->occupancy_free_min;
	if (occupied > 0)
		sum += occupied * tariff->occupancy_minute_e4;
	return decimal_div_round(sum, FEN_E4) * FEN_E4;
}

static void add_up(struct bill *bill)
{
	bill->elec_money_e4 = bill->service_money_e4 = bill->wh = 0;
	for (int i = 0; i < bill->count; i++) {
		bill->wh += bill->lines[i].wh;
		bill->elec_money_e4 += bill->lines[i].elec_money_e4;
		bill->service_money_e4 += bill->lines[i].service_money_e4;
	}
	bill->total_money_e4 = bill->elec_money_e4 + bill->service_money_e4;
}

static void take_off(struct bill *bill, int64_t too_much)
{
	for (int service = 1; service >= 0; service--)
		for (int i = bill->count - 1; i >= 0 && too_much > 0; i--) {
			int64_t *money = service ? &bill->lines[i].service_money_e4 : &bill->lines[i].elec_money_e4;
			int64_t part = *money < too_much ? *money : too_much;

			*money -= part;
			too_much -= part;
		}
}

void bill_make(struct bill *bill, const struct split *split, const struct tariff *tariff, int64_t occupied_s)
{
	int64_t free_wh = tariff->free_wh;

	memset(bill, 0, sizeof(*bill));
	bill->count = split->count;
	for (int i = 0; i < split->count; i++) {
		const struct split_part *part = &split->parts[i];
		int64_t unpaid = free_wh < part->wh ? free_wh : part->wh;

		free_wh -= unpaid;
		bill->lines[i] = (struct bill_line){
		    .start_wall = part->start_wall,
		    .end_wall = part->end_wall,
		    .elec_e4 = part->elec_e4,
		    .service_e4 = part->service_e4,
		    .wh = part->wh,
		    .elec_money_e4 = cost(part->wh - unpaid, part->elec_e4),
		    .service_money_e4 = cost(part->wh - unpaid, part->service_e4),
		};
	}
	round_energy(bill);
	struct bill_line *last = &bill->lines[bill->count - 1];
	last->service_money_e4 += fees(split, tariff, occupied_s);
	add_up(bill);
	/* Limits are in whole fen too: a part of one can't be paid. */
	int64_t least = decimal_div_round(tariff->minimum_e4, FEN_E4) * FEN_E4;
	int64_t most = tariff->maximum_e4 / FEN_E4 * FEN_E4;
	most = most > least ? most : least;
	if (bill->wh && bill->total_money_e4 < least)
		last->service_money_e4 += least - bill->total_money_e4;
	else if (tariff->maximum_e4 && bill->total_money_e4 > most)
		take_off(bill, bill->total_money_e4 - most);
	add_up(bill);
}
