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

void delivery_pump(struct model *m, int p)
{
	int order = disk_first(m, p);

	while (order != MODEL_NONE && (int)m->s.delivery[p].answered == order) {
		note_answer(m, p, order, (int)m->s.delivery[p].disputes);
		if ((int)m->s.delivery[p].answered == order)
			return;
		order = disk_first(m, p);
	}
	if (order == MODEL_NONE) {
		m->s.delivery[p].wanted = 0;
		return;
	}
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
	if (!is_lost || model_has(m, MODEL_LOST_ANSWER_IS_ONE))
		note_answer(m, p, order, !is_lost && m->s.taken[p][order].disputes);
}

void delivery_resend(struct model *m, int p, int order)
{
	m->s.resends--;
	if (m->s.disk_full)
		return;
	disk_set_outbox(m, p, order, MODEL_WAITING);
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
