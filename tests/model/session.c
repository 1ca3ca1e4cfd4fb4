/* What a session does (core/charge), by the code's own table: orders, commands, starts and stops. */
#include <string.h>

#include "inside.h"

/* The order (conduct.c) -------------------------------------------------------------------------------------------- */

static int open_order(struct model *m, int k)
{
	struct model_connector *c = at(m, k);
	int result = disk_open(m, k, c->order, &c->memory);

	c->durable = !result;
	c->noted = !c->memory.metered;
	return result;
}

void session_note(struct model *m, int k)
{
	struct model_connector *c = at(m, k);

	if (c->order == MODEL_NONE || c->closing || c->settling)
		return;
	c->noted = !(c->durable ? disk_note(m, c->order, &c->memory) : open_order(m, k)) ||
		   (c->noted && model_has(m, MODEL_NOTED_LATE));
}

static void tell(struct model *m, int k, unsigned told)
{
	struct model_connector *c = at(m, k);

	if (c->order == MODEL_NONE)
		return;
	unsigned before = m->s.order[c->order].told;
	if (c->memory.failed)
		told &= ~(unsigned)(MODEL_STOPPED | MODEL_NOT_STOPPED);
	model_claim(m, !(told & MODEL_NOT_STARTED && before & MODEL_STARTED),
		    "a start is told as done, and later as failed");
	model_claim(m, !(told & MODEL_STOPPED && before & MODEL_STOPPED), "an end is told twice");
	/* Only what is on the disk: with a full one the charge goes on all the same, and is told. */
	if (told & MODEL_STOPPED)
		model_claim(m, m->s.order[c->order].closed || m->s.order[c->order].record.ended,
			    "an end is told that is not on the disk");
	if (told & MODEL_STARTED && m->s.disk_full)
		told &= ~(unsigned)MODEL_STARTED;
	m->s.order[c->order].told = (before | (told & (MODEL_STARTED | MODEL_NOT_STARTED | MODEL_STOPPED))) & 15;
}

static void forget_order(struct model_connector *c)
{
	c->order = MODEL_NONE;
	memset(&c->memory, 0, sizeof(c->memory));
	c->durable = c->settling = c->away = c->noted = c->over = 0;
}

static void settled(struct model *m, int k)
{
	for (int p = 0; p < m->rules->platforms; p++)
		m->s.delivery[p].wanted |= !model_has(m, MODEL_NEVER_WOKEN);
	forget_order(at(m, k));
}

static int close_order(struct model *m, int k)
{
	struct model_connector *c = at(m, k);

	return disk_close(m, c->order, &c->memory, c->memory.began || c->memory.wh);
}

int session_settle(struct model *m, int k)
{
	if ((!at(m, k)->durable && open_order(m, k)) || close_order(m, k))
		return -1;
	settled(m, k);
	return 0;
}

static void finish_closing(struct model *m, int k)
{
	struct model_connector *c = at(m, k);
	int stays = c->state == SESSION_ENDED && m->rules->occupancy && c->memory.metered && c->present &&
		    c->status == MODEL_OCCUPIED;

	/* Nobody ever knew where the register stands. */
	if (c->memory.metered && c->memory.unread && !c->has_idle)
		c->excused = 1;
	if (!model_has(m, MODEL_END_FORGETS_GAP))
		energy_unseen_look(m, k);
	c->fixed = 1;
	c->memory.ended = 1;
	if (model_has(m, MODEL_TOLD_BEFORE_WRITTEN))
		tell(m, k, c->close_tell);
	if ((!c->durable && open_order(m, k)) || (stays ? disk_note(m, c->order, &c->memory) : close_order(m, k))) {
		c->memory.ended = 0;
		return;
	}
	m->s.order[c->order].stop_owed = 0;
	c->closing = 0;
	energy_rest(c);
	if (!model_has(m, MODEL_TOLD_BEFORE_WRITTEN))
		tell(m, k, c->close_tell);
	c->close_tell = c->close_read = c->over = c->fixed = 0;
	c->settling = stays ? 1 : 0;
	if (!stays)
		settled(m, k);
}

void session_look_at_closing(struct model *m, int k)
{
	const struct model_connector *c = at(m, k);

	if (!c->memory.metered || !c->present || c->status == MODEL_OFFLINE || c->close_read || c->over)
		finish_closing(m, k);
}

/* The charger ------------------------------------------------------------------------------------------------------ */

void session_send_command(struct model *m, int k)
{
	struct model_connector *c = at(m, k);

	if (c->command == MODEL_NO_COMMAND || !c->present || (c->command == MODEL_ON ? c->on_way : c->off_way))
		return;
	if (c->command == MODEL_ON)
		model_claim(m, c->order != MODEL_NONE && m->s.order[c->order].exists && !m->s.order[c->order].closed,
			    "the charger is told to start without an order on the disk");
	if (!m->rules->commands)
		c->command = MODEL_NO_COMMAND;
	else if (c->command == MODEL_OFF)
		c->off_way = 1;
	else
		c->on_way = 1;
}

int session_is_over(const struct model_connector *c)
{
	return c->state == SESSION_IDLE || c->state == SESSION_ENDED;
}

static void command(struct model *m, int k, enum model_command what)
{
	at(m, k)->command = (unsigned)what & 3;
	session_send_command(m, k);
}

/* Wishes (wish.c) -------------------------------------------------------------------------------------------------- */

static void refuse_running(struct model *m, int k)
{
	struct model_connector *c = at(m, k);

	c->memory.asking = 0;
	if (c->present && !m->rules->authorised)
		return;
	if (model_has(m, MODEL_REFUSED_UNHEARD)) {
		if (c->present)
			(void)session_conduct(m, k, SESSION_STOP, MODEL_NONE);
		return;
	}
	c->memory.unwanted = 1;
	if (c->present)
		(void)session_conduct(m, k, SESSION_STOP, MODEL_NONE);
	if (c->state != SESSION_STOPPING)
		session_note(m, k);
}

void session_ask(struct model *m, int k)
{
	struct model_connector *c = at(m, k);

	/* Nobody decides: that is a no at once. */
	if (!m->rules->cards)
		refuse_running(m, k);
	if (!m->rules->cards)
		return;
	c->wish = c->state == SESSION_AUTHORISING ? 1 : (2 + c->order) & 7;
}

/* The table's steps ------------------------------------------------------------------------------------------------ */

static unsigned told_by(unsigned actions)
{
	return (actions & SESSION_TELL_STARTED ? MODEL_STARTED : 0u) |
	       (actions & SESSION_TELL_NOT_STARTED ? MODEL_NOT_STARTED : 0u) |
	       (actions & SESSION_TELL_STOPPED ? MODEL_STOPPED : 0u) |
	       (actions & SESSION_TELL_NOT_STOPPED ? MODEL_NOT_STOPPED : 0u);
}

static int enter(struct model *m, int k, const struct session_step *step, int order, int began_itself)
{
	struct model_connector *c = at(m, k);
	int on = (step->actions & SESSION_TELL_CHARGER_ON) != 0;

	if (step->actions & SESSION_OPEN && c->settling && session_settle(m, k))
		return -1;
	if (step->actions & SESSION_OPEN) {
		model_claim(m, c->order == MODEL_NONE, "a charge begins on another one that is open");
		unsigned vouched = c->memory.vouched, card = c->memory.card;
		c->order = (unsigned)order & 7;
		memset(&c->memory, 0, sizeof(c->memory));
		c->memory.vouched = vouched & 1;
		c->memory.card = card & 1;
		c->memory.asking = began_itself ? 1 : 0;
		energy_pin(m, k);
		c->on_old = c->on_way;
		c->off_old = c->off_way;
		c->timed = c->memory.dated = m->s.clock;
		if (on && model_has(m, MODEL_ON_BEFORE_OPEN))
			command(m, k, MODEL_ON);
		if (open_order(m, k) && on && !model_has(m, MODEL_REFUSED_GOES_ON)) {
			c->order = MODEL_NONE;
			memset(&c->memory, 0, sizeof(c->memory));
			c->noted = 0;
			return -1;
		}
	}
	c->state = (unsigned)step->next & 7;
	c->rested = 0;
	return 0;
}

static void begin_closing(struct model *m, int k, unsigned actions)
{
	struct model_connector *c = at(m, k);

	/* A table that closes what is not open asks for nothing. */
	model_claim(m, c->order != MODEL_NONE, "an end without a charge");
	if (c->order == MODEL_NONE)
		return;
	c->closing = 1;
	c->close_read = c->over = c->fixed = c->passed = 0;
	c->close_tell = told_by(actions) & 15;
	session_look_at_closing(m, k);
}

static void after_step(struct model *m, int k, const struct session_step *step, int began_itself)
{
	struct model_connector *c = at(m, k);

	if (step->actions & (SESSION_TELL_CHARGER_ON | SESSION_TELL_CHARGER_OFF))
		command(m, k, step->actions & SESSION_TELL_CHARGER_ON ? MODEL_ON : MODEL_OFF);
	else if (c->state != SESSION_STARTING && c->state != SESSION_STOPPING)
		c->command = MODEL_NO_COMMAND;
	if (step->actions & SESSION_METER)
		energy_begin(m, k);
	if (step->actions & SESSION_TELL_NOT_STARTED && step->reason == SESSION_NOT_STARTED)
		c->memory.failed = 1;
	if (c->order != MODEL_NONE && c->state == SESSION_CHARGING && !c->memory.failed)
		c->memory.began = 1;
	/* Given up, and told: that the result is lost by a power cut is known (business.h). */
	if (step->actions & SESSION_TELL_NOT_STOPPED && c->order != MODEL_NONE)
		m->s.order[c->order].stop_owed = 0;
	int stopping = c->order != MODEL_NONE && c->state == SESSION_STOPPING;
	int noted = c->order != MODEL_NONE && (int)c->memory.stopping != stopping;
	if (noted) {
		c->memory.stopping = stopping ? 1 : 0;
		if (stopping ? !model_has(m, MODEL_STOP_NOT_NOTED)
			     : !(step->actions & SESSION_CLOSE) || model_has(m, MODEL_END_FORGETS_STOP))
			session_note(m, k);
	}
	if (step->actions & SESSION_TELL_STARTED && !noted && !model_has(m, MODEL_STARTED_BEFORE_NOTED))
		session_note(m, k);
	if (step->actions & SESSION_CLOSE) {
		begin_closing(m, k, step->actions);
		return;
	}
	tell(m, k, told_by(step->actions));
	if (step->actions & SESSION_ASK || began_itself)
		session_ask(m, k);
}

/* Nonzero: the trigger means nothing now, or a start can't be carried out; nothing was done. */
int session_conduct(struct model *m, int k, enum session_trigger trigger, int order)
{
	struct model_connector *c = at(m, k);
	struct session_step step = m->rules->next((enum session_state)c->state, trigger);
	int began_itself = step.actions & SESSION_OPEN && trigger == SESSION_SEEN_CHARGING;

	if (!step.why || (c->closing && !(model_has(m, MODEL_START_WHILE_CLOSING) && trigger == SESSION_START)))
		return -1;
	if (began_itself) {
		order = model_make_order(m);
	} else if (step.actions & SESSION_OPEN && order == MODEL_NONE) {
		return -1;
	}
	if (enter(m, k, &step, order, began_itself))
		return -1;
	after_step(m, k, &step, began_itself);
	return 0;
}

void session_stop(struct model *m, int k)
{
	(void)session_conduct(m, k, SESSION_STOP, MODEL_NONE);
}

/* A stop that somebody was promised. */
static void promised_stop(struct model *m, int k)
{
	struct model_connector *c = at(m, k);
	unsigned order = c->order;

	session_stop(m, k);
	if (order == MODEL_NONE || !m->s.order[order].exists || m->s.order[order].closed || c->memory.failed)
		return;
	model_claim(m, c->state == SESSION_STOPPING || c->closing || c->settling,
		    "a stop is accepted, and nothing is done");
	/* A disk that takes nothing can't keep it, nor can one that has had room for less than a second. */
	if (c->state == SESSION_STOPPING && !m->s.disk_full && (c->noted || m->s.order[order].record.stopping))
		m->s.order[order].stop_owed = 1;
}

/* Starts and stops (charge.c) -------------------------------------------------------------------------------------- */

static int may_start(const struct model *m, int k)
{
	const struct model_connector *c = &m->s.connector[k];

	return c->present && c->status == MODEL_OCCUPIED && (c->order == MODEL_NONE || c->settling) && m->s.clock;
}

/* 0 not known; 1 accepted; -1 it is another's. */
static int is_repeat(const struct model *m, int k, int order)
{
	for (int i = 0; i < m->rules->connectors; i++)
		if ((int)m->s.connector[i].order == order)
			return i == k ? 1 : -1;
	if (!m->s.order[order].exists)
		return 0;
	return m->s.order[order].connector == k ? 1 : -1;
}

/* On a connector that has none, or one that only waits for the car to leave: its memory is the new order's then. */
static int begin_with(struct model *m, int k, enum session_trigger trigger, int order, int vouched, int card)
{
	struct model_connector *c = at(m, k);
	struct session_step step = m->rules->next((enum session_state)c->state, trigger);

	if (!step.why || (c->closing && !model_has(m, MODEL_START_WHILE_CLOSING)))
		return -1;
	if (c->settling && session_settle(m, k))
		return -1;
	c->memory.vouched = vouched ? 1 : 0;
	c->memory.card = card ? 1 : 0;
	int result = session_conduct(m, k, trigger, order);
	if (result && c->order == MODEL_NONE)
		memset(&c->memory, 0, sizeof(c->memory));
	return result;
}

void session_do_start(struct model *m, int k, int order)
{
	int is_mine = m->s.order[order].accepted && m->s.order[order].connector == k;
	int known = model_has(m, MODEL_NO_REPEATS) ? 0 : is_repeat(m, k, order);
	int accepted = known > 0;

	if (!known && (may_start(m, k) || (model_has(m, MODEL_START_WHILE_CLOSING) && at(m, k)->closing)))
		accepted = !begin_with(m, k, SESSION_START, order, 1, 0);
	m->answer = accepted;
	model_claim(m, accepted || !is_mine, "a start that was accepted is refused when it is asked again");
	if (accepted)
		m->s.order[order].accepted = 1;
}

void session_do_stop(struct model *m, int order)
{
	m->answer = 0;
	for (int k = 0; k < m->rules->connectors; k++) {
		const struct model_connector *c = at(m, k);

		if ((int)c->order != order)
			continue;
		if (c->closing || c->settling || !c->present || c->state == SESSION_UNKNOWN ||
		    c->status == MODEL_OFFLINE)
			return;
		m->answer = 1;
		promised_stop(m, k);
		return;
	}
}

void session_do_card(struct model *m, int k)
{
	const struct model_connector *c = at(m, k);

	if (c->order != MODEL_NONE && !c->closing && !c->settling && c->memory.card) {
		/* Nobody was promised anything: off line it may come to nothing. */
		session_stop(m, k);
		return;
	}
	if (may_start(m, k))
		(void)session_conduct(m, k, SESSION_REQUEST, MODEL_NONE);
}

void session_do_decide(struct model *m, int k, int granted)
{
	struct model_connector *c = at(m, k);
	int of = c->wish;
	int running = of >= 2 && c->order != MODEL_NONE && !c->closing && !c->settling && (int)c->order == of - 2;

	if (c->state != SESSION_AUTHORISING && !running)
		return;
	c->wish = 0;
	if (c->state == SESSION_AUTHORISING) {
		if (granted && may_start(m, k) && !begin_with(m, k, SESSION_GRANTED, model_make_order(m), 1, 1))
			return;
		(void)session_conduct(m, k, SESSION_REFUSED, MODEL_NONE);
		return;
	}
	c->memory.asking = 0;
	if (granted) {
		c->memory.vouched = 1;
		session_note(m, k);
		tell(m, k, MODEL_STARTED);
	} else {
		refuse_running(m, k);
	}
}

void session_do_done(struct model *m, int k, enum model_command what, enum model_outcome outcome)
{
	struct model_connector *c = at(m, k);
	int old = what == MODEL_ON ? c->on_old : c->off_old;

	if (what == MODEL_ON)
		c->on_way = c->on_old = 0;
	else
		c->off_way = c->off_old = 0;
	if ((outcome == MODEL_CARRIED_OUT || (outcome == MODEL_REFUSED && session_is_over(c))) &&
	    c->command == (unsigned)what && !old)
		c->command = MODEL_NO_COMMAND;
}
