/* Orders on their way to a platform and its answers (core/upstream: business.c). */
#include "inside.h"

static void note_answer(struct model *m, int p, int order, int disputes)
{
	m->s.delivery[p].answered = MODEL_NONE;
	if (!disputes) {
		disk_settle(m, p, order, 1);
		return;
	}
	if (m->s.disk_full) {
		m->s.delivery[p].answered = (unsigned)order & 7;
		m->s.delivery[p].disputes = 1;
		return;
	}
	if (model_has(m, MODEL_DISPUTE_RETRIED))
		return;
	disk_settle(m, p, order, 0);
	disk_set_outbox(m, p, order, MODEL_DISPUTED);
	disk_ride(m);
	disk_committed(m);
}

/* Those that were never told first; of the others, those whose time has come. */
static int next(const struct model *m, int p, int is_soon)
{
	unsigned tried = m->s.delivery[p].listed, among = ALL_ORDERS;
	int order;

	for (int o = 0; o < m->rules->orders; o++)
		tried |= ((unsigned)m->s.order[o].tried >> p & 1) << o;
	order = disk_first(m, p, among & ~tried);
	if (order != MODEL_NONE)
		return order;
	return disk_first(m, p, is_soon ? among & ~m->s.delivery[p].held : among);
}

void delivery_pump(struct model *m, int p, int is_soon)
{
	int order = next(m, p, is_soon);

	while (order != MODEL_NONE && (int)m->s.delivery[p].answered == order) {
		note_answer(m, p, order, (int)m->s.delivery[p].disputes);
		if ((int)m->s.delivery[p].answered == order)
			return;
		order = next(m, p, is_soon);
	}
	if (order == MODEL_NONE) {
		if (disk_first(m, p, ALL_ORDERS) == MODEL_NONE || model_has(m, MODEL_REFUSED_FORGOTTEN))
			m->s.delivery[p].wanted = 0;
		return;
	}
	m->s.delivery[p].again = (unsigned)m->s.order[order].tried >> p & 1;
	m->s.delivery[p].fly = (unsigned)order & 7;
	m->s.delivery[p].taken = 0;
	if (model_has(m, MODEL_CONFIRM_AT_SENDING)) {
		disk_set_outbox(m, p, order, MODEL_CONFIRMED);
		disk_committed(m);
	}
}

void delivery_take(struct model *m, int p, int disputes)
{
	int order = (int)m->s.delivery[p].fly;
	unsigned wh = m->s.order[order].record.wh;

	if (model_has(m, MODEL_MADE_ANEW) && m->s.taken[p][order].has)
		wh = (wh + 1) & 7;
	m->s.delivery[p].taken = 1;
	model_claim(m, m->s.order[order].closed, "an order is sent that is not closed");
	model_claim(m, !m->s.taken[p][order].has || m->s.taken[p][order].wh == wh,
		    "a platform gets two different orders under one number");
	if (!m->s.taken[p][order].has)
		m->s.taken[p][order].disputes = disputes ? 1 : 0;
	m->s.taken[p][order].has = 1;
	m->s.taken[p][order].wh = wh & 7;
}

void delivery_answer(struct model *m, int p, int is_lost)
{
	int order = (int)m->s.delivery[p].fly;

	m->s.delivery[p].fly = MODEL_NONE;
	m->s.delivery[p].taken = 0;
	if (!is_lost) {
		m->s.delivery[p].listed = without(m->s.delivery[p].listed, order) & ALL_ORDERS;
		m->s.delivery[p].held = without(m->s.delivery[p].held, order) & ALL_ORDERS;
		/* One that was refused is taken: the others are worth a try. */
		if (m->s.delivery[p].again)
			m->s.delivery[p].held = 0;
	}
	if (!is_lost || model_has(m, MODEL_LOST_ANSWER_IS_ONE))
		note_answer(m, p, order, !is_lost && m->s.taken[p][order].disputes);
}

void delivery_refuse(struct model *m, int p)
{
	int order = (int)m->s.delivery[p].fly;

	m->s.refusals--;
	m->s.delivery[p].fly = MODEL_NONE;
	m->s.delivery[p].taken = 0;
	m->s.delivery[p].listed = (m->s.delivery[p].listed | 1u << order) & ALL_ORDERS;
	m->s.delivery[p].held = (m->s.delivery[p].held | 1u << order) & ALL_ORDERS;
	if (m->s.disk_full)
		return;
	m->s.order[order].tried = (m->s.order[order].tried | 1u << p) & ALL_PLATFORMS;
	disk_committed(m);
}

void delivery_resend(struct model *m, int p, int order)
{
	m->s.resends--;
	if (m->s.disk_full)
		return;
	disk_set_outbox(m, p, order, MODEL_WAITING);
	m->s.order[order].tried = without(m->s.order[order].tried, p) & ALL_PLATFORMS;
	m->s.delivery[p].held = 0;
	disk_committed(m);
	if (!model_has(m, MODEL_RESEND_SETTLED))
		disk_settle(m, p, order, 0);
	m->s.delivery[p].wanted = 1;
	if (!model_has(m, MODEL_RESEND_ANSWERED))
		m->s.delivery[p].answered = MODEL_NONE;
	/* It is to be told again: that it has it already is no proof of that. An answer under way is. */
	if ((int)m->s.delivery[p].fly != order)
		m->s.taken[p][order].has = 0;
}
