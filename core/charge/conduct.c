#include "charge/conduct.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "charge/car.h"
#include "charge/durable.h"
#include "charge/metering.h"
#include "charge/set.h"
#include "charge/told.h"

/* So often the status is read after a start was taken, before it came to nothing: the first of them may have been under way already. */
enum { START_POLLS = 2 };
/* That takes no longer than three of the longest periods (poll_ms, 60 s). */
static const int64_t unlooked_us = 180000000;
/* So long after a stop the status is sure to have been read again. */
static const int64_t rest_us = 2000000;
/* So long a charge that is over is told to stop, where nobody answers: a start may be waiting there for the next car. No longer: that may
 * have begun without us, and be somebody else's. */
static const int64_t over_us = 30000000;
/* So long the end waits for a reading made after it; where nothing counts, for the last words of car and charger. One that was not read again
 * since the status said the end, but is read, has more to say: its period may be longer. Who stopped it must know within 50 s. */
static const int64_t last_reading_us = 5000000, last_words_us = 1000000, behind_us = 25000000;

/* Seconds since 1970 by the charge's own time. */
int64_t conduct_now(const struct charge *c)
{
	return c->anchor_wall + (clock_mono_us() - c->anchor_mono_us) / 1000000;
}

static void set_anchor(struct charge *c, int64_t wall)
{
	c->anchor_wall = wall;
	c->anchor_mono_us = clock_mono_us();
	c->timed = clock_wall_trusted();
}

static void tell(struct charge *c, unsigned actions)
{
	static const struct {
		unsigned action;
		enum charge_event_kind kind;
	} kinds[] = {{SESSION_TELL_STARTED, CHARGE_STARTED},
		     {SESSION_TELL_NOT_STARTED, CHARGE_NOT_STARTED},
		     {SESSION_TELL_STOPPED, CHARGE_STOPPED},
		     {SESSION_TELL_NOT_STOPPED, CHARGE_NOT_STOPPED}};
	const struct charge_hooks *hooks = &c->conductor->hooks;

	/* A start that came to nothing was told as that: what becomes of it is no news. */
	if (c->order && c->order->failed)
		actions &= ~(unsigned)(SESSION_TELL_STOPPED | SESSION_TELL_NOT_STOPPED);
	if (c->owes_stop > 1)
		actions &= ~(unsigned)SESSION_TELL_NOT_STOPPED;
	for (size_t i = 0; hooks->event && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (actions & kinds[i].action)
			hooks->event(hooks->user, &(struct charge_event){kinds[i].kind, c->order, c->state});
}

static struct charge_sent *sent_of(struct charge *c, const char *command)
{
	return strcmp(command, "stop") == 0 ? &c->stop_sent : &c->start_sent;
}

static void is_taken(struct charge *c)
{
	c->taken_us = c->polled_us = clock_mono_us();
	c->polls = 0;
}

static int is_over(const struct charge *c)
{
	return c->state == SESSION_IDLE || c->state == SESSION_ENDED;
}

static void on_command(void *user, enum bus_status status)
{
	struct charge_sent *sent = user;
	struct charge *c = sent->charge;
	int wanted = c->command && sent == sent_of(c, c->command) && !sent->old;

	sent->under_way = sent->old = 0;
	/* One that refuses to end what is over has nothing to end. */
	if (wanted && (status == BUS_OK || (status == BUS_EXCEPTION && is_over(c))))
		c->command = NULL;
	if (wanted && status == BUS_OK && sent == &c->start_sent)
		is_taken(c);
	if (status != BUS_OK)
		log_warning("charge: connector %s: command %s%s: %s", c->connector_id,
			    sent == &c->stop_sent ? "stop" : "start", wanted ? "" : " (given up)",
			    bus_status_name(status));
}

static void send_command(struct charge *c)
{
	struct error err = {0};

	if (!c->command || !c->connector || !c->connector->device)
		return;
	struct charge_sent *sent = sent_of(c, c->command);
	if (sent->under_way)
		return;
	sent->charge = c;
	sent->under_way = !device_command(c->conductor->devices, c->connector->device, c->connector->config->number,
					  c->command, on_command, sent, &err);
	/* Trying again would not teach the profile a command. */
	if (sent == &c->stop_sent && !is_over(c))
		c->owes_stop = sent->under_way || err.code == FC_ENOENT ? 0 : c->owes_stop > 1 ? 2 : 1;
	if (sent->under_way)
		return;
	log_warning("charge: connector %s: %s", c->connector_id, err.text);
	if (err.code == FC_ENOENT)
		c->command = NULL;
}

static void tell_settled(const struct charge *c)
{
	const struct charge_hooks *hooks = &c->conductor->hooks;

	if (hooks->event)
		hooks->event(hooks->user, &(struct charge_event){CHARGE_SETTLED, c->order, c->state});
}

static void forget_order(struct charge *c)
{
	free(c->order);
	c->order = NULL;
	c->durable = 0;
	c->settling = 0;
	c->complained_us = 0;
	c->read_us = 0;
	c->away = 0;
	c->owes_stop = 0;
}

/* The clock is set at last: the charge's own time goes on from it, and the time of a charge that nobody could date is known. */
static void take_time(struct charge *c)
{
	int64_t by = clock_wall() - conduct_now(c);

	c->timed = 1;
	if (by <= 0)
		return;
	c->anchor_wall += by;
	/* An end that was seen since we are here moves with it, written or not. */
	if (c->closing_wall)
		c->closing_wall += by;
	/* The split's last time is right, unless it is moved below. */
	c->away = c->away && !clock_trusted(c->order->start_wall);
	if (clock_trusted(c->order->start_wall)) {
		if (c->settling && c->closing_wall)
			c->order->end_wall = c->closing_wall;
		return;
	}
	/* The prices of now: those of the begin were of a day in 1970. */
	struct order *now = c->conductor->found(c);
	if (!now)
		return;
	log_notice("charge: order %s: the clock is set: began %lld s later than it said", c->order->seq, (long long)by);
	order_move(c->order, by, &now->tariff);
	if (c->order->end_wall)
		c->order->end_wall += by;
	free(now);
	durable_note(c);
}

/* Into the outbox; nothing is owed any more. */
static int settle(struct charge *c)
{
	struct error err = {0};

	c->order->occupied_s = conduct_now(c) - c->order->end_wall;
	if (durable_close(c, &err)) {
		durable_complain(c, "not settled", &err);
		return err.code ? err.code : FC_EIO;
	}
	tell_settled(c);
	forget_order(c);
	return FC_OK;
}

/* The car still takes the place, and that costs. */
static int is_occupied(const struct charge *c)
{
	return c->state == SESSION_ENDED && c->order->tariff.occupancy_minute_e4 > 0 && c->order->metered &&
	       c->connector && c->connector->status == CONNECTOR_OCCUPIED;
}

/* Makes the end durable, then tells. Tried again every second while the disk does not take it. */
static void finish_closing(struct charge *c)
{
	int stays = is_occupied(c);
	struct error err = {0};

	/* Before it, while it is known where this charge began. */
	unseen_look(c);
	c->order->reason = car_end(c);
	if (c->order->metered && c->order->split.unread && c->order->began)
		c->order->split.repairs |= SPLIT_UNREAD;
	/* The disk may take it hours later. */
	if (!c->closing_wall)
		c->closing_wall = conduct_now(c);
	c->order->end_wall = c->closing_wall;
	if (stays ? durable_end(c, &err) : durable_close(c, &err)) {
		durable_complain(c, "its end is not written", &err);
		c->order->end_wall = 0;
		return;
	}
	log_notice("charge: order %s: connector %s: %s: %lld Wh, reason %d", c->order->seq, c->connector_id,
		   stays ? "ended, the place is still taken" : "closed", (long long)c->order->split.total_wh,
		   c->order->reason);
	c->closing = 0;
	metering_rest(c);
	tell(c, c->closing_actions);
	c->settling = stays;
	if (stays)
		return;
	tell_settled(c);
	forget_order(c);
}

static void look_at_settling(struct charge *c)
{
	/* Only an order settles. */
	if (!c->order) {
		c->settling = 0;
		return;
	}
	int64_t most_s = (int64_t)c->order->tariff.occupancy_most_min * 60;
	enum connector_status status = c->connector ? c->connector->status : CONNECTOR_OFFLINE;

	/* Off line says nothing of the car. */
	if ((status == CONNECTOR_OCCUPIED || status == CONNECTOR_OFFLINE) &&
	    conduct_now(c) - c->order->end_wall < most_s)
		return;
	(void)settle(c);
}

static int64_t patience_us(const struct charge *c, int counts)
{
	int64_t wh, read_us;

	if (!counts)
		return last_words_us;
	return metering_is_behind(c) && !energy_read(c->connector, c->order->meter, &wh, &read_us) ? behind_us
												   : last_reading_us;
}

static void look_at_closing(struct charge *c)
{
	int64_t now = clock_mono_us();
	int offline = !c->connector || c->connector->status == CONNECTOR_OFFLINE;

	/* The table closes only what is open. */
	if (!c->order) {
		c->closing = 0;
		return;
	}
	int counts = *c->order->meter || (c->connector && energy_has(c->connector));
	/* The next car is there already, and its charge may be short. */
	int again = !counts && !offline && c->connector->status == CONNECTOR_CHARGING;
	if (!c->order->metered || offline || again || c->read_us > c->closing_since_us ||
	    now - c->closing_since_us > patience_us(c, counts))
		finish_closing(c);
}

static void set_deadline(struct charge *c)
{
	int seconds = session_timeout(c->state, c->result_s);

	c->deadline_us = seconds ? clock_mono_us() + (int64_t)seconds * 1000000 : 0;
}

static int enter(struct charge *c, const struct session_step *step, struct order *order, struct error *err)
{
	if (step->actions & SESSION_OPEN && c->settling && settle(c))
		return error_set(err, FC_EIO, "charge: connector %s: the last order is not settled", c->connector_id);
	if (step->actions & SESSION_OPEN) {
		c->order = order;
		metering_pin(c);
		car_begin(c);
		c->start_sent.old = c->start_sent.under_way;
		c->stop_sent.old = c->stop_sent.under_way;
		c->taken_us = 0;
		set_anchor(c, clock_wall());
	}
	/* Before the order is opened: durable with it, or neither. */
	int64_t event = told_session(c, step, c->order);
	if (step->actions & SESSION_OPEN) {
		if (durable_open(c, err) && step->actions & SESSION_TELL_CHARGER_ON) {
			events_forget(c->conductor->store, event);
			c->order = NULL;
			return err && err->code ? err->code : FC_EIO;
		}
	}
	log_info("charge: connector %s: %s -> %s: %s", c->connector_id, session_state_name(c->state),
		 session_state_name(step->next), step->why);
	c->state = step->next;
	c->entered_us = clock_mono_us();
	if (step->reason != SESSION_KEEP_REASON)
		c->reason = step->reason;
	set_deadline(c);
	return FC_OK;
}

int conduct(struct charge *c, enum session_trigger trigger, struct order *order, struct error *err)
{
	struct session_step step = session_next(c->state, trigger);
	int began_itself = step.actions & SESSION_OPEN && trigger == SESSION_SEEN_CHARGING;

	if (step.why && !c->closing && began_itself)
		order = c->conductor->found(c);
	if (!step.why || c->closing || (step.actions & SESSION_OPEN && !order))
		return error_set(err, FC_EBUSY, "charge: connector %s: is %s", c->connector_id,
				 session_state_name(c->state));
	int result = enter(c, &step, order, err);
	if (result) {
		if (began_itself)
			free(order);
		return result;
	}
	if (trigger == SESSION_STOP)
		c->reason = c->stop_reason;
	if (step.actions & (SESSION_TELL_CHARGER_ON | SESSION_TELL_CHARGER_OFF)) {
		c->command = step.actions & SESSION_TELL_CHARGER_ON ? "start" : "stop";
		send_command(c);
	} else if (c->state != SESSION_STARTING && c->state != SESSION_STOPPING) {
		c->command = NULL;
	}
	if (step.actions & SESSION_METER)
		metering_begin(c);
	car_look(c);
	if (step.actions & SESSION_TELL_NOT_STARTED && c->reason == SESSION_NOT_STARTED)
		c->order->failed = 1;
	/* A charge that began by itself has begun; noted with the next note, at the latest with the end. */
	if (c->order && c->state == SESSION_CHARGING && !c->order->failed)
		c->order->began = 1;
	if (c->order && c->order->stopping != (c->state == SESSION_STOPPING)) {
		/* A stop that was accepted holds over a power cut, until the end is written. */
		c->order->stopping = !c->order->stopping;
		c->order->stop_reason = c->reason;
		if (!(step.actions & SESSION_CLOSE))
			durable_note(c);
	} else if (step.actions & SESSION_TELL_STARTED) {
		/* Before it is told: after a power cut it could come to nothing, and be told as that. */
		durable_note(c);
	}
	if (!(step.actions & SESSION_CLOSE)) {
		tell(c, step.actions);
		/* Last, because the answer may come at once. */
		if (step.actions & SESSION_ASK || began_itself)
			c->conductor->ask(c);
		return FC_OK;
	}
	/* By when it is written the next session may have begun on CAN, which forgets why this one ended. */
	c->end_reason = car_reason(c, c->reason);
	c->closing = 1;
	c->closing_actions = step.actions;
	c->closing_since_us = clock_mono_us();
	c->ended_us = metering_status_us(c);
	c->closing_wall = 0;
	look_at_closing(c);
	return FC_OK;
}

void conduct_tell_started(struct charge *c)
{
	tell(c, SESSION_TELL_STARTED);
}

void conduct_stop(struct charge *c, enum session_reason reason, int result_s)
{
	c->stop_reason = reason;
	c->result_s = result_s;
	(void)conduct(c, SESSION_STOP, NULL, NULL);
}

void conduct_resume(struct charge *c, struct order *order)
{
	int64_t wall = clock_wall(), last = order->metered ? order->split.last_wall : order->start_wall;

	c->order = order;
	c->durable = 1;
	/* The journal has the split of one that runs, and no trace. */
	if (order->metered && !order->end_wall)
		trace_follow(&order->trace, &order->split);
	/* A clock that stands before what is known already is wrong: the charge's time goes on from there. So it does when it began
	 * before the clock was set: take_time moves all of it. */
	int dated = clock_trusted(order->start_wall);
	set_anchor(c, dated && wall > last ? wall : last);
	c->timed = c->timed && dated;
	c->away = !c->timed || wall < last - SPLIT_ROUNDING_S;
	c->settling = order->end_wall != 0;
	if (c->settling)
		c->state = SESSION_ENDED;
	else
		c->state = order->stopping ? SESSION_STOPPING : order->metered ? SESSION_UNKNOWN : SESSION_STARTING;
	c->reason = order->stopping ? order->stop_reason : SESSION_BY_SILENCE;
	c->command = order->stopping && !c->settling ? "stop" : NULL;
	if (c->settling)
		metering_rest_again(c);
	c->noted_us = clock_mono_us();
	c->noted_parts = order->split.count;
	is_taken(c);
	set_deadline(c);
	told_resumed(c);
	log_notice("charge: order %s: connector %s: taken up again (%s)", order->seq, c->connector_id,
		   session_state_name(c->state));
}

/* What the connector is, beside what it became: a change may have come while an order was closing, before the session was
 * there, or not at all (told to stop, and it rested already). Off line counts as a change only, since every connector is, before
 * its first poll; but not where a stop was given up that nobody heard: that charge would never end. */
static void look_at_status(struct charge *c)
{
	if (!c->connector || (c->connector->status == CONNECTOR_OFFLINE && c->state != SESSION_CHARGING))
		return;
	if (c->state == SESSION_STOPPING && (c->command || clock_mono_us() - c->entered_us <= rest_us))
		return;
	(void)conduct(c, session_seen(c->connector->status), NULL, NULL);
}

static void count_polls(struct charge *c)
{
	int64_t read_us = metering_status_us(c);

	if (!c->taken_us || read_us <= c->polled_us)
		return;
	c->polled_us = read_us;
	c->polls++;
}

/* Seconds alone are no proof that no current flows: a charger that is read twice a minute has not been looked at yet. One that falls silent
 * meanwhile is seen off line within three of its periods, and waited for no longer. */
static int is_unlooked(const struct charge *c)
{
	return c->state == SESSION_STARTING && c->taken_us && c->polls < START_POLLS && c->connector &&
	       c->connector->status != CONNECTOR_OFFLINE && clock_mono_us() - c->taken_us < unlooked_us;
}

/* Nobody vouches for it, and its station is one where somebody must; or the place was kept for somebody. */
static int is_unwanted(const struct charge *c)
{
	return c->order->unwanted && c->connector &&
	       (c->order->unwanted != SESSION_NOT_AUTHORISED ||
		c->connector->station->local_start == CONFIG_LOCAL_AUTHORISED);
}

/* Current that must not flow is told to stop until it does; and a stop that nobody could be told was accepted. */
static void insist_on_stop(struct charge *c)
{
	if (!c->order || c->state != SESSION_CHARGING)
		return;
	if (c->order->failed) {
		conduct_stop(c, SESSION_NOT_STARTED, c->result_s);
	} else if (c->owes_stop) {
		c->owes_stop = 2;
		conduct_stop(c, c->stop_reason, c->result_s);
	} else if (is_unwanted(c)) {
		conduct_stop(c, (enum session_reason)c->order->unwanted, c->result_s);
	}
}

void conduct_tick(struct charge *c)
{
	int64_t now = clock_mono_us();

	if (c->order && c->connector && !c->timed && clock_wall_trusted())
		take_time(c);
	metering_look(c);
	car_look(c);
	if (c->closing)
		look_at_closing(c);
	/* Else at once: the next charge may be over by the next second. */
	if (c->closing)
		return;
	if (c->settling)
		look_at_settling(c);
	if (is_over(c) && now - c->entered_us > over_us)
		c->command = NULL;
	send_command(c);
	look_at_status(c);
	if (c->closing)
		return;
	insist_on_stop(c);
	count_polls(c);
	if (c->deadline_us && now >= c->deadline_us && !is_unlooked(c))
		(void)conduct(c, SESSION_TIMEOUT, NULL, NULL);
	if (c->order && !c->closing && !c->settling && !c->durable)
		durable_note(c);
}
