/* What becomes of a session (session.c) as time goes, as its charger is heard or is not, and over a restart. */
#include <string.h>

#include "inside.h"

static enum session_trigger seen(const struct model_connector *c)
{
	static const enum connector_status status[MODEL_STATUSES] = {CONNECTOR_OFFLINE,  CONNECTOR_IDLE,
								     CONNECTOR_OCCUPIED, CONNECTOR_CHARGING,
								     CONNECTOR_RESERVED, CONNECTOR_FAULT};

	return session_seen(status[c->status]);
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
	(void)session_conduct(m, k, seen(c), MODEL_NONE);
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
			session_note(m, k);
	}
	energy_look(m, k);
	if (c->closing) {
		session_look_at_closing(m, k);
		if (c->closing || model_has(m, MODEL_NEXT_TICK))
			return;
	}
	if (c->settling && ((c->status != MODEL_OCCUPIED && c->status != MODEL_OFFLINE && c->present) || c->over))
		(void)session_settle(m, k);
	if (time == MODEL_DEADLINE && session_is_over(c))
		c->command = MODEL_NO_COMMAND;
	session_send_command(m, k);
	look_at_status(m, k);
	if (c->closing)
		return;
	if (c->order != MODEL_NONE && c->memory.failed && c->state == SESSION_CHARGING)
		session_stop(m, k);
	if (c->order != MODEL_NONE && c->memory.unwanted && c->present && m->rules->authorised &&
	    c->state == SESSION_CHARGING)
		session_stop(m, k);
	if (time == MODEL_DEADLINE)
		(void)session_conduct(m, k, SESSION_TIMEOUT, MODEL_NONE);
	if (c->order != MODEL_NONE && !c->closing && !c->settling && !c->durable)
		session_note(m, k);
}

/* A card is an event of its own. */
static void wish_look(struct model *m, int k)
{
	const struct model_connector *c = at(m, k);

	if (c->order != MODEL_NONE && c->memory.asking && c->wish < 2 && !c->closing && c->present &&
	    c->state == SESSION_CHARGING && !model_has(m, MODEL_NOT_ASKED_AGAIN))
		session_ask(m, k);
	/* Who charges where somebody must vouch for it is vouched for, or asked about, or stopped. */
	model_claim(m,
		    c->order == MODEL_NONE || c->memory.vouched || !m->rules->authorised || c->closing || c->settling ||
			c->memory.unwanted || !c->present || c->state != SESSION_CHARGING ||
			c->wish == ((2 + c->order) & 7),
		    "a charge goes on that nobody vouches for");
}

static void note_stale(struct model *m)
{
	int any = 0;

	for (int i = 0; i < m->rules->connectors; i++) {
		const struct model_connector *c = at(m, i);

		any |= c->order != MODEL_NONE && c->durable && !c->closing && !c->settling && !c->noted;
	}
	if (!any || m->s.disk_full)
		return;
	int differs = m->s.settles != 0;
	for (int i = 0; i < m->rules->connectors; i++) {
		struct model_connector *c = at(m, i);

		if (c->order == MODEL_NONE || !c->durable || c->closing || c->settling || c->noted)
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
	if (time == MODEL_QUARTER)
		at(m, k)->noted = 0;
	for (int i = 0; i < m->rules->connectors; i++) {
		energy_unseen_look(m, i);
		tick(m, i, i == k ? time : MODEL_NOW);
		wish_look(m, i);
	}
	note_stale(m);
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
	(void)session_conduct(m, k, seen(c), MODEL_NONE);
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
		session_note(m, k);
}
