#include "sim/platform_bill.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATETIME = 19, DAY = 10, STEP_E4 = 100 /* 0.01 kWh */, HALF_FEN_E8 = 500000 };

static int say(char why[WHY_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));
static int say(char why[WHY_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, WHY_SIZE, format, args);
	va_end(args);
	return -1;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int two_digits(const char *text)
{
	return (text[0] - '0') * 10 + text[1] - '0';
}

/* Seconds of the day at the six digits of HHmmss. */
static int seconds_of(const char *text)
{
	return two_digits(text) * 3600 + two_digits(text + 2) * 60 + two_digits(text + 4);
}

int bill_prices(const struct dialect *dialect, const json_t *answer, const char *day, struct prices *prices,
		char why[WHY_SIZE])
{
	const json_t *infos = json_object_get(answer, "PolicyInfos");
	size_t n = json_array_size(infos);

	*prices = (struct prices){.count = (int)n};
	(void)snprintf(prices->day, sizeof(prices->day), "%s", day);
	if (!n || n > PERIODS_MAX || json_integer_value(json_object_get(answer, "SumPeriod")) != (json_int_t)n)
		return say(why, "%zu periods of price, SumPeriod says otherwise", n);
	for (size_t i = 0; i < n; i++) {
		const json_t *info = json_array_get(infos, i);
		const char *start = text_of(info, "StartTime");

		if (strlen(start) != 6 || strspn(start, "0123456789") != 6)
			return say(why, "StartTime \"%.10s\" of a price", start);
		prices->periods[i].start_s = seconds_of(start);
		if (i ? prices->periods[i].start_s <= prices->periods[i - 1].start_s : prices->periods[i].start_s)
			return say(why, "prices do not begin at midnight or are not in order");
		if (dialect_decimal(dialect, info, "ElecPrice", PRICE_PLACES, &prices->periods[i].elec_e4) ||
		    dialect_decimal(dialect, info, dialect->service_price, PRICE_PLACES,
				    &prices->periods[i].service_e4))
			return say(why, "ElecPrice or %s is not in the agreed form", dialect->service_price);
	}
	return 0;
}

int bill_period(const struct prices *prices, int second)
{
	int i = prices->count - 1;

	while (i > 0 && prices->periods[i].start_s > second)
		i--;
	return i;
}

static int read_totals(const struct dialect *d, const json_t *object, const char *elec, const char *service,
		       struct totals *t, char why[WHY_SIZE])
{
	if (dialect_decimal(d, object, "TotalPower", d->energy_places, &t->energy_e4) ||
	    dialect_decimal(d, object, elec, MONEY_PLACES, &t->elec_e4) ||
	    dialect_decimal(d, object, service, MONEY_PLACES, &t->service_e4) ||
	    dialect_decimal(d, object, "TotalMoney", MONEY_PLACES, &t->money_e4))
		return say(why, "TotalPower, %s, %s or TotalMoney is not in the agreed form", elec, service);
	if (t->elec_e4 + t->service_e4 != t->money_e4)
		return say(why, "%.2f + %.2f yuan is not %.2f", (double)t->elec_e4 / 1e4, (double)t->service_e4 / 1e4,
			   (double)t->money_e4 / 1e4);
	return 0;
}

int bill_snapshot(const struct dialect *dialect, const json_t *snapshot, struct totals *totals, char why[WHY_SIZE])
{
	return read_totals(dialect, snapshot, "ElecMoney", dialect->service_money, totals, why);
}

struct line {
	const char *start, *end;
	int64_t elec_price_e4, service_price_e4, energy_e4, elec_e4, service_e4;
};

static int read_line(const struct dialect *d, const json_t *detail, struct line *l, char why[WHY_SIZE])
{
	l->start = text_of(detail, "DetailStartTime");
	l->end = text_of(detail, "DetailEndTime");
	if (strlen(l->start) != DATETIME || strlen(l->end) != DATETIME || strcmp(l->start, l->end) > 0)
		return say(why, "a line from %.20s to %.20s", l->start, l->end);
	if (dialect_decimal(d, detail, "ElecPrice", PRICE_PLACES, &l->elec_price_e4) ||
	    dialect_decimal(d, detail, d->service_price, PRICE_PLACES, &l->service_price_e4) ||
	    dialect_decimal(d, detail, "DetailPower", d->energy_places, &l->energy_e4) ||
	    dialect_decimal(d, detail, "DetailElecMoney", MONEY_PLACES, &l->elec_e4) ||
	    dialect_decimal(d, detail, d->detail_service_money, MONEY_PLACES, &l->service_e4))
		return say(why, "a line's price, energy or money is not in the agreed form");
	return 0;
}

/* Of the day that prices were told for; other days have theirs. */
static int check_price(const struct line *l, const struct prices *prices, char why[WHY_SIZE])
{
	char digits[7] = {l->start[11], l->start[12], l->start[14], l->start[15], l->start[17], l->start[18], '\0'};
	int i = bill_period(prices, seconds_of(digits));

	if (strncmp(l->start, prices->day, DAY) != 0)
		return 0;
	if (l->elec_price_e4 == prices->periods[i].elec_e4 && l->service_price_e4 == prices->periods[i].service_e4)
		return 0;
	return say(why, "price %.4f + %.4f at %s, told was %.4f + %.4f", (double)l->elec_price_e4 / 1e4,
		   (double)l->service_price_e4 / 1e4, l->start + DAY + 1, (double)prices->periods[i].elec_e4 / 1e4,
		   (double)prices->periods[i].service_e4 / 1e4);
}

/* The energy is rounded on the wire, the money is worked out before: half a step of energy may lie between, a whole one where
 * a line got the rest of its neighbour, and half a fen. */
static int check_money(const char *what, int64_t energy_e4, int64_t price_e4, int64_t money_e4, int lines,
		       char why[WHY_SIZE])
{
	int64_t difference_e8 = llabs(energy_e4 * price_e4 - money_e4 * 10000);

	if (difference_e8 <= price_e4 * (lines > 1 ? STEP_E4 : STEP_E4 / 2) + HALF_FEN_E8)
		return 0;
	return say(why, "%s: %.2f kWh at %.4f is not %.2f yuan", what, (double)energy_e4 / 1e4, (double)price_e4 / 1e4,
		   (double)money_e4 / 1e4);
}

static int check_lines(const struct dialect *d, const json_t *details, const struct prices *prices,
		       const struct totals *totals, char why[WHY_SIZE])
{
	struct totals sum = {0};
	struct line line = {0}, before;
	int n = (int)json_array_size(details);

	for (int i = 0; i < n; i++) {
		before = line;
		if (read_line(d, json_array_get(details, (size_t)i), &line, why) || check_price(&line, prices, why) ||
		    check_money("electricity", line.energy_e4, line.elec_price_e4, line.elec_e4, n, why) ||
		    check_money("service", line.energy_e4, line.service_price_e4, line.service_e4, n, why))
			return -1;
		if (i && strcmp(before.end, line.start) > 0)
			return say(why, "a line from %s before the one before it ends", line.start);
		sum.energy_e4 += line.energy_e4;
		sum.elec_e4 += line.elec_e4;
		sum.service_e4 += line.service_e4;
	}
	if (sum.energy_e4 == totals->energy_e4 && sum.elec_e4 == totals->elec_e4 &&
	    sum.service_e4 == totals->service_e4)
		return 0;
	return say(why, "the lines sum to %.2f kWh and %.2f + %.2f yuan, the totals say %.2f and %.2f + %.2f",
		   (double)sum.energy_e4 / 1e4, (double)sum.elec_e4 / 1e4, (double)sum.service_e4 / 1e4,
		   (double)totals->energy_e4 / 1e4, (double)totals->elec_e4 / 1e4, (double)totals->service_e4 / 1e4);
}

int bill_order(const struct dialect *dialect, const json_t *order, const struct prices *prices, struct totals *totals,
	       char why[WHY_SIZE])
{
	const json_t *details = json_object_get(order, "ChargeDetails");
	const char *start = text_of(order, "StartTime"), *end = text_of(order, "EndTime");
	size_t n = json_array_size(details);

	*totals = (struct totals){0};
	if (strlen(start) != DATETIME || strlen(end) != DATETIME || strcmp(start, end) > 0)
		return say(why, "from %.20s to %.20s", start, end);
	if (read_totals(dialect, order, "TotalElecMoney", dialect->total_service_money, totals, why))
		return -1;
	if (!n || json_integer_value(json_object_get(order, "SumPeriod")) != (json_int_t)n)
		return say(why, "%zu lines, SumPeriod says otherwise", n);
	return check_lines(dialect, details, prices, totals, why);
}
