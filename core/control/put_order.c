/* An order as a tree: its bill, its prices and what was mended in it. */
#include "base/clock.h"
#include "charge/words.h"
#include "control/command.h"

static struct value *lines(struct maker *m, const struct bill *bill)
{
	struct value *list = value_array(m->arena);

	for (int i = 0; i < bill->count; i++) {
		const struct bill_line *l = &bill->lines[i];
		struct value *o = value_object(m->arena);

		control_put_time(m, o, "start", l->start_wall);
		control_put_time(m, o, "end", l->end_wall);
		maker_int(m, o, "energy_wh", l->wh);
		maker_int(m, o, "elec_e4", l->elec_e4);
		maker_int(m, o, "service_e4", l->service_e4);
		maker_int(m, o, "elec_money_e4", l->elec_money_e4);
		maker_int(m, o, "service_money_e4", l->service_money_e4);
		maker_push(m, list, o);
	}
	return list;
}

static struct value *periods(struct maker *m, const struct tariff_day *day)
{
	struct value *list = value_array(m->arena);

	for (int i = 0; i < day->count; i++) {
		const struct tariff_period *p = &day->periods[i];
		struct value *o = value_object(m->arena);
		char text[16];

		(void)snprintf(text, sizeof(text), "%02d:%02d:%02d", p->start_s / 3600, p->start_s / 60 % 60,
			       p->start_s % 60);
		maker_text(m, o, "start", text);
		maker_int(m, o, "elec_e4", p->elec_e4);
		maker_int(m, o, "service_e4", p->service_e4);
		maker_push(m, list, o);
	}
	return list;
}

/* All days that the charge has prices for: each is told, though most are alike. */
static struct value *tariff(struct maker *m, const struct tariff *t)
{
	struct value *o = value_object(m->arena), *days = value_array(m->arena);

	maker_text(m, o, "policy", t->policy);
	maker_text(m, o, "version", t->version);
	for (int i = 0; i < TARIFF_DAYS; i++) {
		struct value *day = value_object(m->arena);
		char date[CLOCK_DATE_SIZE];

		clock_format_day(t->first_day + i, date);
		maker_text(m, day, "date", date);
		maker_put(m, day, "periods", periods(m, &t->days[i]));
		maker_push(m, days, day);
	}
	maker_put(m, o, "days", days);
	maker_int(m, o, "minute_e4", t->minute_e4);
	maker_int(m, o, "occupancy_minute_e4", t->occupancy_minute_e4);
	maker_int(m, o, "occupancy_free_min", t->occupancy_free_min);
	maker_int(m, o, "free_wh", t->free_wh);
	maker_int(m, o, "minimum_e4", t->minimum_e4);
	maker_int(m, o, "maximum_e4", t->maximum_e4);
	return o;
}

static struct value *repairs(struct maker *m, unsigned set)
{
	static const enum split_repair all[] = {SPLIT_RESET,  SPLIT_JUMP, SPLIT_GAP,   SPLIT_MERGED,
						SPLIT_UNSEEN, SPLIT_LATE, SPLIT_METER, SPLIT_UNREAD};
	struct value *list = value_array(m->arena);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (set & all[i])
			maker_push(m, list, value_string(m->arena, words_repair(all[i])));
	return list;
}

/* What is not known is left out. */
static void put_car(struct maker *m, struct value *o, const struct order *order)
{
	char masked[WORDS_MASKED];

	if (*order->vin)
		maker_text(m, o, "vin", words_masked(order->vin, masked));
	if (order->has_soc) {
		maker_put(m, o, "soc_start", value_decimal(m->arena, order->soc_start_milli, 3));
		maker_put(m, o, "soc_end", value_decimal(m->arena, order->soc_end_milli, 3));
	}
	if (*order->cause_code)
		maker_text(m, o, "cause_code", order->cause_code);
	if (*order->cause)
		maker_text(m, o, "cause", order->cause);
	if (*order->meter)
		maker_text(m, o, "meter", order->meter);
}

void control_put_order(struct maker *m, struct value *o, const struct order *order)
{
	struct bill bill;
	char user[WORDS_MASKED];

	order_bill(order, &bill);
	maker_text(m, o, "user_class", order->user_class);
	maker_text(m, o, "user", words_masked(order->user, user));
	put_car(m, o, order);
	maker_int(m, o, "elec_money_e4", bill.elec_money_e4);
	maker_int(m, o, "service_money_e4", bill.service_money_e4);
	maker_int(m, o, "occupied_s", order->occupied_s);
	if (order->metered) {
		maker_int(m, o, "start_register_wh", order->split.start_register_wh);
		maker_int(m, o, "end_register_wh", order->split.last_register_wh);
	}
	if (*order->profile) {
		maker_text(m, o, "profile", order->profile);
		maker_text(m, o, "profile_version", order->profile_version);
	}
	maker_put(m, o, "repairs", repairs(m, order->metered ? order->split.repairs : 0));
	maker_put(m, o, "lines", lines(m, &bill));
	maker_put(m, o, "tariff", tariff(m, &order->tariff));
}
