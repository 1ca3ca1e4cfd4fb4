/* The whole: which events may come, what the platforms do, what must always hold. */
#include "model.h"

#include <string.h>

#include "inside.h"

void model_claim(struct model *m, int holds, const char *otherwise)
{
	if (!holds && !m->wrong)
		m->wrong = otherwise;
}

void model_cut(struct model *m)
{
	longjmp(m->dead, CUT);
}

/* What a power cut leaves. */
static void forget_all(struct model *m)
{
	for (int k = 0; k < MODEL_CONNECTORS; k++) {
		struct model_connector *c = &m->s.connector[k];
		struct model_connector fresh;

		memset(&fresh, 0, sizeof(fresh));
		fresh.reg = c->reg;
		fresh.delivered = c->delivered;
		/* A charge that the disk would not take was in memory alone. */
		fresh.excused = c->excused | (c->order != MODEL_NONE && !c->durable);
		/* Nor is it known from where on something is to be looked for, before there is an order of this connector. */
		fresh.excused |= c->remembered && disk_last(m, k) == MODEL_NONE;
		fresh.flowing = 1;
		fresh.order = MODEL_NONE;
		memcpy(c, &fresh, sizeof(fresh));
	}
	for (int p = 0; p < MODEL_PLATFORMS; p++) {
		memset(&m->s.delivery[p], 0, sizeof(m->s.delivery[p]));
		m->s.delivery[p].fly = m->s.delivery[p].answered = MODEL_NONE;
		for (int o = 0; o < MODEL_ORDERS && model_has(m, MODEL_OUTBOX_IN_MEMORY); o++)
			if (disk_outbox(m, p, o) == MODEL_WAITING)
				disk_set_outbox(m, p, o, MODEL_NOT_SENT);
	}
	m->s.settles = 0;
	m->s.up = m->s.clock = 0;
}

void model_init(struct model *m, const struct model_rules *rules)
{
	memset(m, 0, sizeof(*m));
	m->rules = rules;
	forget_all(m);
	for (int k = 0; k < MODEL_CONNECTORS; k++)
		m->s.connector[k].flowing = m->s.connector[k].excused = 0;
	m->s.crashes = (unsigned)rules->crashes & 3;
	m->s.resets = (unsigned)rules->resets & 1;
	m->s.resends = (unsigned)rules->resends & 1;
	m->s.reloads = (unsigned)rules->reloads & 1;
	m->s.fulls = (unsigned)rules->fulls & 3;
	m->s.refusals = (unsigned)rules->refusals & 3;
}

/* Events ----------------------------------------------------------------------------------------------------------- */

struct list {
	struct model_event *to;
	int count, most;
};

static void add(struct list *list, enum model_kind kind, int a, int b, int c)
{
	if (list->count < list->most)
		list->to[list->count] = (struct model_event){(uint8_t)kind, (uint8_t)a, (uint8_t)b, (uint8_t)c, 0};
	list->count++;
}

static void add_sights(const struct model *m, int k, struct list *list)
{
	const struct model_connector *c = &m->s.connector[k];

	for (int status = 0; status < MODEL_STATUSES; status++) {
		if (status > MODEL_CHARGING && !m->rules->faults)
			break;
		int may_flow = c->flowing || status == MODEL_CHARGING;
		int may_grow = may_flow && (int)c->delivered < m->rules->units;

		if (status == MODEL_OFFLINE) {
			if (c->status != MODEL_OFFLINE)
				add(list, MODEL_SEE, k, status, MODEL_UNREAD);
			continue;
		}
		add(list, MODEL_SEE, k, status, MODEL_SAME);
		if (may_grow)
			add(list, MODEL_SEE, k, status, MODEL_MORE);
		if (m->s.resets && c->reg)
			add(list, MODEL_SEE, k, status, MODEL_RESET);
		if (!m->rules->unread)
			continue;
		add(list, MODEL_SEE, k, status, MODEL_UNREAD);
		if (may_grow)
			add(list, MODEL_SEE, k, status, MODEL_MORE_UNREAD);
	}
}

static void add_ticks(const struct model *m, int k, struct list *list)
{
	const struct model_connector *c = &m->s.connector[k];

	if (!k)
		add(list, MODEL_TICK, k, MODEL_NOW, 0);
	if (!c->rested && c->state == SESSION_STOPPING)
		add(list, MODEL_TICK, k, MODEL_RESTED, 0);
	if (c->closing && !c->over)
		add(list, MODEL_TICK, k, MODEL_LAST, 0);
	if (!c->closing && (session_timeout((enum session_state)c->state, 50) ||
			    (session_is_over(c) && c->command != MODEL_NO_COMMAND)))
		add(list, MODEL_TICK, k, MODEL_DEADLINE, 0);
	if (c->settling && !c->over)
		add(list, MODEL_TICK, k, MODEL_OCCUPANCY, 0);
	if (c->order != MODEL_NONE && c->durable && !c->closing && !c->settling)
		add(list, MODEL_TICK, k, MODEL_QUARTER, 0);
}

static void add_connector(const struct model *m, int k, struct list *list)
{
	const struct model_connector *c = &m->s.connector[k];

	for (int o = 0; o < m->rules->seqs; o++)
		add(list, MODEL_START, k, o, 0);
	if (c->present)
		add_sights(m, k, list);
	add_ticks(m, k, list);
	if (m->rules->cards && c->present)
		add(list, MODEL_CARD, k, 0, 0);
	if (c->wish) {
		add(list, MODEL_DECIDE, k, 1, 0);
		add(list, MODEL_DECIDE, k, 0, 0);
	}
	for (int outcome = 0; outcome < MODEL_OUTCOMES; outcome++) {
		if (c->on_way)
			add(list, MODEL_DONE, k, MODEL_ON, outcome);
		if (c->off_way)
			add(list, MODEL_DONE, k, MODEL_OFF, outcome);
	}
	if (m->s.reloads && c->present)
		add(list, MODEL_AWAY, k, 0, 0);
	if (!c->present)
		add(list, MODEL_BACK, k, 0, 0);
}

static void add_platform(const struct model *m, int p, struct list *list)
{
	if (m->s.delivery[p].fly == MODEL_NONE) {
		if (m->s.delivery[p].wanted)
			add(list, MODEL_PUMP, p, 0, 0);
		/* A confirmation that the disk would not take is tried a minute later, and no order meanwhile. */
		if (m->s.delivery[p].wanted && m->s.delivery[p].held && !m->rules->fulls)
			add(list, MODEL_PUMP, p, 1, 0);
	} else {
		int is_new = !m->s.taken[p][m->s.delivery[p].fly].has;

		if (!m->s.delivery[p].taken) {
			add(list, MODEL_TAKE, p, 0, 0);
			if (m->rules->disputes && is_new)
				add(list, MODEL_TAKE, p, 1, 0);
		} else {
			add(list, MODEL_ANSWER, p, 0, 0);
		}
		add(list, MODEL_LOSE, p, 0, 0);
		if (m->s.refusals)
			add(list, MODEL_REFUSE, p, 0, 0);
	}
	for (int o = 0; o < m->rules->orders && m->s.resends; o++)
		if (disk_outbox(m, p, o) != MODEL_NOT_SENT)
			add(list, MODEL_RESEND, p, o, 0);
}

int model_events(const struct model *m, struct model_event *out, int most)
{
	struct list list = {out, 0, most};

	if (m->s.disk_full || m->s.fulls)
		add(&list, MODEL_DISK, 0, !m->s.disk_full, 0);
	if (!m->s.up) {
		if (m->rules->clocks)
			add(&list, MODEL_BOOT, 0, 0, 0);
		add(&list, MODEL_BOOT, 0, 1, 0);
		return list.count;
	}
	for (int k = 0; k < m->rules->connectors; k++)
		add_connector(m, k, &list);
	for (int o = 0; o < m->rules->orders; o++)
		if (m->s.order[o].exists || o < m->rules->seqs)
			add(&list, MODEL_STOP, 0, o, 0);
	for (int p = 0; p < m->rules->platforms; p++)
		add_platform(m, p, &list);
	if (m->s.settles)
		add(&list, MODEL_FLUSH, 0, 0, 0);
	if (!m->s.clock)
		add(&list, MODEL_CLOCK, 0, 0, 0);
	if (m->s.crashes) {
		add(&list, MODEL_CRASH, 0, 0, 0);
		add(&list, MODEL_END, 0, 0, 0);
	}
	return list.count;
}

static void boot(struct model *m, int clock)
{
	m->s.up = 1;
	m->s.clock = clock ? 1 : 0;
	for (int p = 0; p < m->rules->platforms; p++)
		m->s.delivery[p].wanted = 1;
	session_do_boot(m);
}

static void carry_out(struct model *m, const struct model_event *e)
{
	switch ((enum model_kind)e->kind) {
	case MODEL_START:
		session_do_start(m, e->a, e->b);
		break;
	case MODEL_STOP:
		session_do_stop(m, e->b);
		break;
	case MODEL_SEE:
		session_do_see(m, e->a, (enum model_status)e->b, (enum model_reading)e->c);
		break;
	case MODEL_TICK:
		session_do_tick(m, e->a, (enum model_time)e->b);
		break;
	case MODEL_CARD:
		session_do_card(m, e->a);
		break;
	case MODEL_DECIDE:
		session_do_decide(m, e->a, e->b);
		break;
	case MODEL_DONE:
		session_do_done(m, e->a, (enum model_command)e->b, (enum model_outcome)e->c);
		break;
	case MODEL_PUMP:
		delivery_pump(m, e->a, e->b);
		break;
	case MODEL_TAKE:
		delivery_take(m, e->a, e->b);
		break;
	case MODEL_ANSWER:
		delivery_answer(m, e->a, 0);
		break;
	case MODEL_LOSE:
		delivery_answer(m, e->a, 1);
		break;
	case MODEL_REFUSE:
		delivery_refuse(m, e->a);
		break;
	case MODEL_RESEND:
		delivery_resend(m, e->a, e->b);
		break;
	case MODEL_FLUSH:
		(void)disk_flush(m);
		break;
	case MODEL_DISK:
		m->s.disk_full = e->b ? 1 : 0;
		m->s.fulls -= e->b & 1;
		break;
	case MODEL_CLOCK:
		m->s.clock = 1;
		break;
	case MODEL_AWAY:
		m->s.reloads--;
		m->s.connector[e->a].present = m->s.connector[e->a].good = 0;
		m->s.connector[e->a].status = MODEL_OFFLINE;
		m->s.connector[e->a].fresh = 0;
		m->s.connector[e->a].flowing = m->s.connector[e->a].excused = 1;
		break;
	case MODEL_BACK:
		m->s.connector[e->a].present = 1;
		break;
	case MODEL_END:
		m->s.crashes--;
		session_do_end(m);
		(void)disk_flush(m);
		forget_all(m);
		break;
	case MODEL_CRASH:
		m->s.crashes--;
		forget_all(m);
		break;
	case MODEL_BOOT:
		boot(m, e->b);
		break;
	case MODEL_KINDS:
		break;
	}
}

void model_do(struct model *m, const struct model_event *event)
{
	m->commits = m->same = m->cut = 0;
	m->crash_at = event->crash;
	m->answer = -1;
	switch (setjmp(m->dead)) {
	case 0:
		carry_out(m, event);
		return;
	case DIED:
		m->s.crashes = m->s.crashes ? m->s.crashes - 1 : 0;
		forget_all(m);
		return;
	default:
		m->cut = 1;
	}
}

/* What must always hold -------------------------------------------------------------------------------------------- */

static void look_at_order(struct model *m, int o)
{
	int is_owed =
	    m->s.order[o].closed && !m->s.order[o].nobodys && (m->s.order[o].record.began || m->s.order[o].record.wh);

	model_claim(m, !m->s.order[o].accepted || m->s.order[o].exists,
		    "a start was accepted, and there is no order of it");
	for (int p = 0; p < m->rules->platforms; p++) {
		enum model_outbox state = disk_outbox(m, p, o);
		int has = m->s.taken[p][o].has, disputes = m->s.taken[p][o].disputes;

		model_claim(m, !is_owed || state != MODEL_NOT_SENT, "an order is closed, and waits for nobody");
		model_claim(m, state == MODEL_NOT_SENT || m->s.order[o].closed, "an order waits that is not closed");
		model_claim(m, state != MODEL_CONFIRMED || (has && !disputes),
			    "an order is done with that nobody has confirmed");
		model_claim(m, state != MODEL_DISPUTED || (has && disputes), "an order counts as disputed that is not");
		model_claim(m, !disk_is_settling(m, p, o) || (has && !disputes),
			    "a confirmation waits that nobody gave");
	}
}

static void look_at_stop(struct model *m, int o)
{
	if (!m->s.up || !m->s.order[o].stop_owed)
		return;
	for (int k = 0; k < m->rules->connectors; k++) {
		const struct model_connector *c = &m->s.connector[k];

		if ((int)c->order == o)
			model_claim(m, c->state == SESSION_STOPPING || c->closing || c->settling,
				    "a stop was accepted, and is forgotten");
	}
}

/* Each unit that the register counted is in one order. */
static void look_at_energy(struct model *m, int k)
{
	const struct model_connector *c = &m->s.connector[k];
	unsigned sum = 0;
	int all_closed = 1;

	for (int o = 0; o < m->rules->orders; o++) {
		if (!m->s.order[o].exists || m->s.order[o].connector != k)
			continue;
		sum += m->s.order[o].record.wh;
		all_closed &= m->s.order[o].closed;
	}
	model_claim(m, sum <= c->delivered, "energy is in two orders");
	if (m->s.up && all_closed && c->order == MODEL_NONE && c->has_idle && !c->remembered && c->idle == c->reg &&
	    !c->excused)
		model_claim(m, sum == c->delivered, "energy is in no order");
}

void model_look(struct model *m)
{
	for (int o = 0; o < m->rules->orders; o++) {
		look_at_order(m, o);
		look_at_stop(m, o);
	}
	for (int k = 0; k < m->rules->connectors; k++)
		look_at_energy(m, k);
}

static void reduce_connector(struct model *m, int k)
{
	struct model_connector *c = &m->s.connector[k];

	if (c->order == MODEL_NONE || !c->memory.metered)
		c->fresh = 0;
	if (c->order == MODEL_NONE)
		c->timed = c->noted = 0;
	if (c->state != SESSION_STOPPING)
		c->rested = 0;
	if (!c->closing)
		c->close_tell = c->close_read = c->fixed = c->passed = 0;
	if (!c->has_idle)
		c->idle = 0;
	if (!c->remembered)
		c->memory.first = 0;
	if (c->memory.metered)
		c->memory.idle = 0;
	if (c->wish == 1 ? c->state != SESSION_AUTHORISING : c->wish - 2 != c->order || c->closing || c->settling)
		c->wish = 0;
}

static void reduce_order(struct model *m, int o)
{
	struct model_record *r = &m->s.order[o].record;
	int in_memory = 0;

	if (!model_has(m, MODEL_LAST_BY_ROW))
		m->s.order[o].row = 0;
	if (r->metered)
		r->idle = 0;
	for (int k = 0; k < m->rules->connectors; k++)
		in_memory |= (int)m->s.connector[k].order == o;
	if (!m->s.order[o].closed || in_memory)
		return;
	r->asking = r->unwanted = 0;
	r->failed = r->metered = r->stopping = r->vouched = r->card = r->unread = r->dated = 0;
	r->has_idle = 0;
	r->first = 0;
	m->s.order[o].told = 0;
}

static void reduce_delivery(struct model *m, int p)
{
	for (int o = 0; o < m->rules->orders; o++) {
		if (disk_outbox(m, p, o) == MODEL_WAITING)
			continue;
		m->s.order[o].tried = without(m->s.order[o].tried, p) & ALL_PLATFORMS;
		m->s.delivery[p].held = without(m->s.delivery[p].held, o) & ALL_ORDERS;
	}
	if (m->s.delivery[p].fly == MODEL_NONE)
		m->s.delivery[p].again = 0;
}

void model_reduce(struct model *m)
{
	for (int p = 0; p < m->rules->platforms; p++)
		reduce_delivery(m, p);
	for (int k = 0; k < m->rules->connectors; k++)
		reduce_connector(m, k);
	for (int o = 0; o < m->rules->orders; o++)
		reduce_order(m, o);
}

int model_is_done(const struct model *m)
{
	int done = m->s.up && !m->s.settles;

	for (int k = 0; k < m->rules->connectors; k++)
		done &= m->s.connector[k].order == MODEL_NONE;
	for (int o = 0; o < m->rules->orders; o++) {
		done &= !m->s.order[o].exists || m->s.order[o].closed;
		for (int p = 0; p < m->rules->platforms; p++)
			done &= disk_outbox(m, p, o) != MODEL_WAITING;
	}
	return done;
}

int model_is_bound_to_come(const struct model *m, const struct model_event *e)
{
	if (e->crash)
		return 0;
	switch ((enum model_kind)e->kind) {
	case MODEL_SEE:
		/* A charge that is seen ends some time; a charger that is silent may be so for good. */
		return m->s.connector[e->a].status == MODEL_CHARGING && e->b == MODEL_OCCUPIED && e->c == MODEL_SAME;
	case MODEL_DISK:
		return !e->b;
	case MODEL_DONE:
		return e->c == MODEL_CARRIED_OUT;
	case MODEL_PUMP:
		return !e->b;
	case MODEL_TICK:
	case MODEL_TAKE:
	case MODEL_ANSWER:
	case MODEL_FLUSH:
	case MODEL_CLOCK:
	case MODEL_BACK:
		return 1;
	case MODEL_BOOT:
		return e->b;
	case MODEL_START:
	case MODEL_STOP:
	case MODEL_CARD:
	case MODEL_DECIDE:
	case MODEL_LOSE:
	case MODEL_REFUSE:
	case MODEL_RESEND:
	case MODEL_AWAY:
	case MODEL_END:
	case MODEL_CRASH:
	case MODEL_KINDS:
		break;
	}
	return 0;
}
