#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/preview.h"

int preview_orders_init(struct preview_orders *p, struct arena *arena)
{
	*p = (struct preview_orders){.arena = arena,
				     .reader = json_reader_new(0),
				     .order = malloc(sizeof(*p->order)),
				     .was = malloc(sizeof(*p->was)),
				     .is = malloc(sizeof(*p->is))};
	return p->reader && p->order && p->was && p->is ? FC_OK : FC_ENOMEM;
}

void preview_orders_fini(struct preview_orders *p)
{
	json_reader_free(p->reader);
	free(p->order);
	free(p->was);
	free(p->is);
	*p = (struct preview_orders){0};
}

static void list(struct preview_orders *p, int64_t before_e4, int64_t after_e4, const char *failed)
{
	struct preview_order *o = p->listed < PREVIEW_LIST_MAX ? arena_alloc(p->arena, sizeof(*o)) : NULL;

	if (!o) {
		p->left_out++;
		return;
	}
	(void)snprintf(o->seq, sizeof(o->seq), "%s", p->order->seq);
	(void)snprintf(o->platform, sizeof(o->platform), "%s", p->order->platform);
	(void)snprintf(o->failed, sizeof(o->failed), "%s", failed);
	o->at = p->order->start_wall;
	o->wh = p->order->split.total_wh;
	o->before_e4 = before_e4;
	o->after_e4 = after_e4;
	if (p->last)
		p->last->next = o;
	else
		p->first = o;
	p->last = o;
	p->listed++;
}

void preview_order(struct preview_orders *p, const struct journal_order *entry, const char *station_id,
		   const char *name, struct policy *was, struct policy *is)
{
	struct error err = {0};
	struct bill billed;
	int even = 0;

	if (order_read(p->reader, entry, p->order, &err)) {
		p->unread++;
		return;
	}
	if (strcmp(p->order->tariff.policy, name) != 0 || !p->order->metered)
		return;
	order_bill(p->order, &billed);
	p->compared++;
	int result = was ? reprice(was, p->order, station_id, p->was, &even, &err) : FC_OK;
	/* What the file as it stands can't price is compared with what was billed. */
	const struct bill *then = was && !result ? &p->was->bill : &billed;
	result = reprice(is, p->order, station_id, p->is, &even, &err);
	p->even += even;
	if (result) {
		p->failed++;
		list(p, then->total_money_e4, 0, err.text);
		return;
	}
	p->billed_e4 += billed.total_money_e4;
	p->before_e4 += then->total_money_e4;
	p->after_e4 += p->is->bill.total_money_e4;
	if (!reprice_differs(then, &p->is->bill))
		return;
	p->changed++;
	list(p, then->total_money_e4, p->is->bill.total_money_e4, "");
}

struct value *preview_put_orders(struct maker *m, const struct preview_orders *p)
{
	struct value *o = value_object(m->arena), *orders = value_array(m->arena);

	maker_int(m, o, "compared", p->compared);
	maker_int(m, o, "changed", p->changed);
	if (p->failed)
		maker_int(m, o, "failed", p->failed);
	if (p->even)
		maker_int(m, o, "without_trace", p->even);
	if (p->unread)
		maker_int(m, o, "unread", p->unread);
	maker_int(m, o, "money_billed_e4", p->billed_e4);
	maker_int(m, o, "money_before_e4", p->before_e4);
	maker_int(m, o, "money_after_e4", p->after_e4);
	for (const struct preview_order *one = p->first; one; one = one->next) {
		struct value *d = value_object(m->arena);

		maker_text(m, d, "seq", one->seq);
		maker_int(m, d, "at", one->at);
		maker_optional(m, d, "platform", one->platform);
		maker_int(m, d, "energy_wh", one->wh);
		maker_int(m, d, "before_e4", one->before_e4);
		if (*one->failed)
			maker_text(m, d, "failed", one->failed);
		else
			maker_int(m, d, "after_e4", one->after_e4);
		maker_push(m, orders, d);
	}
	maker_put(m, o, "list", orders);
	if (p->left_out)
		maker_int(m, o, "left_out", p->left_out);
	return o;
}
