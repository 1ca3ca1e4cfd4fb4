/* Which energy is whose (core/charge: metering.c, unseen.c). */
#include "inside.h"

/* A number made here. */
int model_make_order(struct model *m)
{
	for (int o = m->rules->seqs; o < m->rules->orders; o++) {
		int used = m->s.order[o].exists;

		for (int k = 0; k < m->rules->connectors; k++)
			used |= (int)at(m, k)->order == o;
		if (!used)
			return o;
	}
	model_cut(m);
}

/* Nobody can say what the register stood at before, since no order of it is on the disk: what was delivered by then is nobody's. */
static void excuse_the_unknown(struct model *m, int k)
{
	if (disk_last(m, k) == MODEL_NONE && at(m, k)->delivered)
		at(m, k)->excused = 1;
}

/* Registers (metering.c) ------------------------------------------------------------------------------------------- */

static void use_reading(struct model *m, int k)
{
	struct model_connector *c = at(m, k);
	struct model_record *o = &c->memory;

	model_claim(m, !c->closing || !c->fixed, "what comes after an end is counted to it");
	c->away = 0;
	if (o->unread) {
		if (!c->remembered)
			excuse_the_unknown(m, k);
		o->unread = 0;
		o->first = o->last = c->reg;
	}
	unsigned more = c->reg >= o->last ? c->reg - o->last : c->reg;
	if (o->wh + more > MODEL_UNITS)
		model_cut(m);
	o->wh = (o->wh + more) & 7;
	o->last = c->reg;
	if (c->fresh == 2)
		c->close_read = 1;
	c->fresh = 0;
}

void energy_pin(struct model *m, int k)
{
	struct model_connector *c = at(m, k);

	c->memory.has_idle = c->has_idle && !c->remembered;
	c->memory.idle = c->memory.has_idle ? c->idle : 0;
	if (!c->has_idle)
		excuse_the_unknown(m, k);
}

void energy_begin(struct model *m, int k)
{
	struct model_connector *c = at(m, k);
	struct model_record *o = &c->memory;
	int readable = c->present && c->good;

	if (!o->has_idle && !c->remembered)
		excuse_the_unknown(m, k);
	o->metered = 1;
	c->noted = 0;
	o->dated |= c->timed;
	o->wh = 0;
	o->first = o->last = o->has_idle ? o->idle : readable ? c->reg : 0;
	o->unread = !o->has_idle && !readable;
	if (o->unread)
		c->away = 0;
	if (readable)
		use_reading(m, k);
}

void energy_look(struct model *m, int k)
{
	struct model_connector *c = at(m, k);

	if (!c->present)
		return;
	if (c->order == MODEL_NONE || !c->memory.metered || c->settling) {
		if (c->status == MODEL_CHARGING || c->status == MODEL_OFFLINE || !c->good || (c->settling && !c->fresh))
			return;
		if (c->remembered && !model_has(m, MODEL_SETTLING_SILENT))
			return;
		if (!c->has_idle)
			excuse_the_unknown(m, k);
		c->has_idle = 1;
		c->idle = c->reg;
		return;
	}
	if (c->closing && c->fixed && !model_has(m, MODEL_ENDS_GROW)) {
		if (c->status != MODEL_CHARGING && c->status != MODEL_OFFLINE && c->good && c->fresh)
			c->passed |= c->reg != c->memory.last;
		return;
	}
	if (c->away && !c->timed && !c->closing)
		return;
	if (c->good && c->fresh)
		use_reading(m, k);
}

void energy_rest(struct model_connector *c)
{
	int passed = c->passed;

	c->passed = 0;
	if (!c->memory.metered)
		return;
	if (c->memory.unread) {
		c->remembered |= c->has_idle;
		return;
	}
	c->has_idle = 1;
	c->idle = c->memory.last;
	c->remembered = c->present && (passed || !c->good);
}

/* Energy that went by (unseen.c) ----------------------------------------------------------------------------------- */

void energy_unseen_remember(const struct model *m, struct model_connector *c)
{
	c->passed |= c->closing;
	if (c->has_idle && (c->order == MODEL_NONE || (c->settling && !model_has(m, MODEL_SETTLING_SILENT))))
		c->remembered = 1;
}

void energy_unseen_look(struct model *m, int k)
{
	struct model_connector *c = at(m, k);
	unsigned reg = c->reg;

	if (!c->remembered || c->settling || !c->present)
		return;
	if (c->order != MODEL_NONE && c->memory.metered) {
		if (c->memory.unread)
			return;
		reg = c->memory.first;
	} else if (!c->good) {
		return;
	}
	if (reg > c->idle && m->s.disk_full && !model_has(m, MODEL_UNSEEN_ONCE))
		return;
	if (reg > c->idle) {
		struct model_record o = {.began = 1, .metered = 1, .ended = 1, .dated = m->s.clock};

		o.first = c->idle;
		o.last = reg & 7;
		o.wh = (reg - c->idle) & 7;
		if (!m->s.disk_full)
			(void)disk_keep(m, k, model_make_order(m), &o);
	}
	c->remembered = 0;
	c->idle = reg & 7;
	if (c->order != MODEL_NONE && !c->memory.metered) {
		c->memory.has_idle = 1;
		c->memory.idle = reg & 7;
	}
}
