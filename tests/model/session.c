/* What a session does (core/charge), by the code's own table. */
#include <string.h>

#include "inside.h"

static int conduct(struct model *m, int k, enum session_trigger trigger, int order);

static enum session_trigger seen(const struct model_connector *c)
{
	static const enum connector_status status[MODEL_STATUSES] = {CONNECTOR_OFFLINE,  CONNECTOR_IDLE,
								     CONNECTOR_OCCUPIED, CONNECTOR_CHARGING,
								     CONNECTOR_RESERVED, CONNECTOR_FAULT};

	return session_seen(status[c->status]);
}

/* The order (conduct.c) -------------------------------------------------------------------------------------------- */

static int open_order(struct model *m, int k)
{
	struct model_connector *c = at(m, k);
	int result = disk_open(m, k, c->order, &c->memory);

	c->durable = !result;
	c->noted = !c->memory.metered;
	return result;
}

static void note(struct model *m, int k)
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

static int settle(struct model *m, int k)
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

static void look_at_closing(struct model *m, int k)
{
	const struct model_connector *c = at(m, k);

	if (!c->memory.metered || !c->present || c->status == MODEL_OFFLINE || c->close_read || c->over)
		finish_closing(m, k);
}

/* The charger ------------------------------------------------------------------------------------------------------ */

static void send_command(struct model *m, int k)
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

static void command(struct model *m, int k, enum model_command what)
{
	at(m, k)->command = (unsigned)what & 3;
	send_command(m, k);
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
			(void)conduct(m, k, SESSION_STOP, MODEL_NONE);
		return;
	}
	c->memory.unwanted = 1;
	if (c->present)
		(void)conduct(m, k, SESSION_STOP, MODEL_NONE);
	if (c->state != SESSION_STOPPING)
		note(m, k);
}

static void ask(struct model *m, int k)
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

	if (step->actions & SESSION_OPEN && c->settling && settle(m, k))
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
	look_at_closing(m, k);
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
			note(m, k);
	}
	if (step->actions & SESSION_TELL_STARTED && !noted && !model_has(m, MODEL_STARTED_BEFORE_NOTED))
		note(m, k);
	if (step->actions & SESSION_CLOSE) {
		begin_closing(m, k, step->actions);
		return;
	}
	tell(m, k, told_by(step->actions));
	if (step->actions & SESSION_ASK || began_itself)
		ask(m, k);
}

/* Nonzero: the trigger means nothing now, or a start can't be carried out; nothing was done. */
static int conduct(struct model *m, int k, enum session_trigger trigger, int order)
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

static void stop(struct model *m, int k)
{
	(void)conduct(m, k, SESSION_STOP, MODEL_NONE);
}

/* A stop that somebody was promised. */
static void promised_stop(struct model *m, int k)
{
	struct model_connector *c = at(m, k);
	unsigned order = c->order;

	stop(m, k);
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
	if (c->settling && settle(m, k))
		return -1;
	c->memory.vouched = vouched ? 1 : 0;
	c->memory.card = card ? 1 : 0;
	int result = conduct(m, k, trigger, order);
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
		stop(m, k);
		return;
	}
	if (may_start(m, k))
		(void)conduct(m, k, SESSION_REQUEST, MODEL_NONE);
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
		(void)conduct(m, k, SESSION_REFUSED, MODEL_NONE);
		return;
	}
	c->memory.asking = 0;
	if (granted) {
		c->memory.vouched = 1;
		note(m, k);
		tell(m, k, MODEL_STARTED);
	} else {
		refuse_running(m, k);
	}
}

void session_do_done(struct model *m, int k, enum model_command what, int ok)
{
	struct model_connector *c = at(m, k);
	int old = what == MODEL_ON ? c->on_old : c->off_old;

	if (what == MODEL_ON)
		c->on_way = c->on_old = 0;
	else
		c->off_way = c->off_old = 0;
	if (ok && c->command == (unsigned)what && !old)
		c->command = MODEL_NO_COMMAND;
}

/* Time ------------------------------------------------------------------------------------------------------------- */

static void look_at_status(struct model *m, int k)
{
	const struct model_connector *c = at(m, k);

	if (!c->present ||
	    (c->status == MODEL_OFFLINE && (c->state != SESSION_CHARGING || model_has(m, MODEL_SILENT_NEVER_ENDS))))
		return;
	if (c->state == SESSION_STOPPING && (c->command != MODEL_NO_COMMAND || !c->rested))
		return;
	(void)conduct(m, k, seen(c), MODEL_NONE);
}

static void tick(struct model *m, int k, enum model_time time)
{
	struct model_connector *c = at(m, k);

	if (c->order != MODEL_NONE && c->present && !c->timed && m->s.clock) {
		int moved = !c->memory.dated;

		c->timed = 1;
		c->away = c->away && moved;
		c->memory.dated = 1;
		if (moved)
			note(m, k);
	}
	energy_look(m, k);
	if (c->closing) {
		look_at_closing(m, k);
		if (c->closing || model_has(m, MODEL_NEXT_TICK))
			return;
	}
	if (c->settling && ((c->status != MODEL_OCCUPIED && c->status != MODEL_OFFLINE && c->present) || c->over))
		(void)settle(m, k);
	send_command(m, k);
	look_at_status(m, k);
	if (c->closing)
		return;
	if (c->order != MODEL_NONE && c->memory.failed && c->state == SESSION_CHARGING)
		stop(m, k);
	if (c->order != MODEL_NONE && c->memory.unwanted && c->present && m->rules->authorised &&
	    c->state == SESSION_CHARGING)
		stop(m, k);
	if (time == MODEL_DEADLINE)
		(void)conduct(m, k, SESSION_TIMEOUT, MODEL_NONE);
	if (c->order != MODEL_NONE && !c->closing && !c->settling && !c->durable)
		note(m, k);
}

/* A card is an event of its own. */
static void wish_look(struct model *m, int k)
{
	const struct model_connector *c = at(m, k);

	if (c->order != MODEL_NONE && c->memory.asking && c->wish < 2 && !c->closing && c->present &&
	    c->state == SESSION_CHARGING && !model_has(m, MODEL_NOT_ASKED_AGAIN))
		ask(m, k);
	/* Who charges where somebody must vouch for it is vouched for, or asked about, or stopped. */
	model_claim(m,
		    c->order == MODEL_NONE || c->memory.vouched || !m->rules->authorised || c->closing || c->settling ||
			c->memory.unwanted || !c->present || c->state != SESSION_CHARGING ||
			c->wish == ((2 + c->order) & 7),
		    "a charge goes on that nobody vouches for");
}

static void note_stale(struct model *m, int k, enum model_time time)
{
	int any = 0;

	for (int i = 0; i < m->rules->connectors; i++) {
		const struct model_connector *c = at(m, i);

		any |= c->order != MODEL_NONE && c->durable && !c->closing && !c->settling &&
		       (!c->noted || (i == k && time == MODEL_QUARTER));
	}
	if (!any)
		return;
	if (m->s.disk_full) {
		at(m, k)->noted &= time != MODEL_QUARTER;
		return;
	}
	int differs = m->s.settles != 0;
	for (int i = 0; i < m->rules->connectors; i++) {
		struct model_connector *c = at(m, i);

		if (c->order == MODEL_NONE || !c->durable || c->closing || c->settling ||
		    (c->noted && !(i == k && time == MODEL_QUARTER)))
			continue;
		differs |= memcmp(&m->s.order[c->order].record, &c->memory, sizeof(c->memory)) != 0;
		m->s.order[c->order].record = c->memory;
		c->noted = 1;
	}
	m->same += !differs;
	disk_ride(m);
	disk_committed(m);
}

void session_do_tick(struct model *m, int k, enum model_time time)
{
	if (time == MODEL_RESTED || time == MODEL_LAST || time == MODEL_DEADLINE)
		at(m, k)->rested = 1;
	if (time == MODEL_LAST || time == MODEL_OCCUPANCY)
		at(m, k)->over = 1;
	for (int i = 0; i < m->rules->connectors; i++) {
		energy_unseen_look(m, i);
		tick(m, i, i == k ? time : MODEL_NOW);
		wish_look(m, i);
	}
	note_stale(m, k, time);
}

/* The charger is heard, or is not ---------------------------------------------------------------------------------- */

void session_do_see(struct model *m, int k, enum model_status status, enum model_reading reading)
{
	struct model_connector *c = at(m, k);
	int is_read = reading != MODEL_UNREAD && reading != MODEL_MORE_UNREAD;
	unsigned before = c->status;

	if (reading == MODEL_MORE || reading == MODEL_MORE_UNREAD) {
		c->reg = (c->reg + 1u) & 7;
		c->delivered = (c->delivered + 1u) & 7;
	}
	if (reading == MODEL_RESET) {
		c->reg = 0;
		c->excused = 1;
		m->s.resets--;
	}
	c->flowing |= status == MODEL_CHARGING || status == MODEL_OFFLINE;
	/* What flowed before it was seen to rest is in the register that is read with that. */
	if (is_read && status != MODEL_CHARGING && status != MODEL_OFFLINE)
		c->flowing = 0;
	c->status = (unsigned)status & 7;
	c->good = status != MODEL_OFFLINE && is_read;
	c->fresh = !c->good ? 0 : c->closing ? 2 : 1;
	if (c->status == before)
		return;
	if (status == MODEL_OFFLINE)
		energy_unseen_remember(m, c);
	energy_unseen_look(m, k);
	(void)conduct(m, k, seen(c), MODEL_NONE);
	tick(m, k, MODEL_NOW);
	wish_look(m, k);
}

/* A restart -------------------------------------------------------------------------------------------------------- */

static void take_last(struct model *m, int k)
{
	struct model_connector *c = at(m, k);
	int last = disk_last(m, k);

	if (last == MODEL_NONE)
		return;
	c->has_idle = c->remembered = 1;
	c->idle = m->s.order[last].record.last;
}

static void resume(struct model *m, int k, int order)
{
	struct model_connector *c = at(m, k);

	model_claim(m, c->order == MODEL_NONE, "two orders are taken up again on one connector");
	c->order = (unsigned)order & 7;
	c->memory = m->s.order[order].record;
	c->durable = c->noted = 1;
	c->timed = m->s.clock && c->memory.dated;
	c->away = !c->timed;
	c->settling = c->memory.ended;
	c->rested = 1;
	c->state = c->memory.ended      ? SESSION_ENDED
		   : c->memory.stopping ? SESSION_STOPPING
		   : c->memory.metered  ? SESSION_UNKNOWN
					: SESSION_STARTING;
	c->command = c->memory.stopping && !c->settling ? MODEL_OFF : MODEL_NO_COMMAND;
	if (!c->settling || !c->memory.metered || c->memory.unread)
		return;
	c->has_idle = c->remembered = 1;
	c->idle = c->memory.last;
}

void session_do_boot(struct model *m)
{
	for (int k = 0; k < m->rules->connectors; k++)
		at(m, k)->present = 1;
	for (int o = 0; o < MODEL_ORDERS && !model_has(m, MODEL_NOT_RESUMED); o++)
		if (m->s.order[o].exists && !m->s.order[o].closed)
			resume(m, m->s.order[o].connector, o);
	for (int k = 0; k < m->rules->connectors; k++)
		if (at(m, k)->order == MODEL_NONE ||
		    (!at(m, k)->memory.has_idle && !at(m, k)->has_idle && !model_has(m, MODEL_RESUMED_FORGETS_LAST)))
			take_last(m, k);
}

void session_do_end(struct model *m)
{
	for (int k = 0; k < m->rules->connectors; k++)
		note(m, k);
}
