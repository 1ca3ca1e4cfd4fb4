#include "bus/line.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/exchange.h"
#include "bus/line_inside.h"
#include "bus/trace.h"
#include "bus/wire.h"

enum { STACK = 128 * 1024 };
/* Modbus exception codes: busy, asked again later; and those that come from a gateway, not from the device. */
enum { ACKNOWLEDGE = 5, DEVICE_BUSY = 6, GATEWAY_NO_PATH = 10, GATEWAY_NO_ANSWER = 11 };
/* Requests in a row before the polls that are due have as many; one without an answer is row enough. */
enum { BURST = 4 };

static const int64_t connect_first_us = 1000000;
static const int64_t connect_last_us = 60000000;
static const int64_t unit_gap_first_us = 10000, unit_gap_longest_us = 100000;
static const int64_t look_us = 10000000, longest_us = 60000000;
static const int64_t flaps_within_us = 300000000, say_again_us = 3600000000;
static const int64_t say_pace_again_us = 600000000;
/* A slot is given back when nothing is due within this time, and no command came for that. */
static const int64_t release_slack_us = 200000, release_after_us = 5000000;
static const int64_t babble_us = 200000;

int bus_unit_valid(enum bus_kind kind, unsigned unit)
{
	return (unit <= BUS_UNIT_MAX && (unit > 0 || kind != BUS_RTU)) || (unit == 255 && kind != BUS_RTU);
}

const char *bus_status_name(enum bus_status status)
{
	switch (status) {
	case BUS_OK:
		return "ok";
	case BUS_TIMEOUT:
		return "no answer";
	case BUS_EXCEPTION:
		return "exception";
	case BUS_BAD_ANSWER:
		return "bad answer";
	case BUS_DISCONNECTED:
		return "not connected";
	}
	return "unknown";
}

/* Hands a result over; what is dropped is counted. */
static void tell(struct bus_line *line, const struct bus_result *result, int must)
{
	line->untold |= !must;
	if (!line->sink(line->user, result, must))
		return;
	pthread_mutex_lock(&line->lock);
	line->figures.line.queue_dropped++;
	pthread_mutex_unlock(&line->lock);
}

static void set_connected(struct bus_line *line, int connected)
{
	line->connected = connected;
	line->last_unit = -1;
	pthread_mutex_lock(&line->lock);
	line->figures.line.connected = connected;
	pthread_mutex_unlock(&line->lock);
}

/* The loop hears of results while the worker waits: for the next answer, or for the next request's time. */
static void announce(void *user)
{
	struct bus_line *line = user;

	if (line->untold)
		(void)line->sink(line->user, NULL, 0);
	line->untold = 0;
}

/* Waits until us from now, the end, or with for_requests: a request that may be sent, or other reads. */
static void wait_for(struct bus_line *line, int64_t us, int for_requests)
{
	int64_t now = clock_mono_us(), end = now + us, later;

	if (us <= 0)
		return;
	announce(line);
	pthread_mutex_lock(&line->lock);
	while (now < end && !line->stop) {
		int64_t until = end;

		if (for_requests) {
			if (line->next || requests_next(&line->requests, now, &later) >= 0)
				break;
			until = later < end - now ? now + later : end;
		}
		struct timespec at = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
		(void)pthread_cond_timedwait(&line->wake, &line->lock, &at);
		now = clock_mono_us();
	}
	pthread_mutex_unlock(&line->lock);
}

static int stopping(struct bus_line *line)
{
	pthread_mutex_lock(&line->lock);
	int stop = line->stop;
	pthread_mutex_unlock(&line->lock);
	return stop;
}

/* Every read of a unit (or of all, unit -1) is told that there is no getting through. */
static void tell_lost(struct bus_line *line, int unit)
{
	struct bus_result result = {.line = line->id, .status = BUS_DISCONNECTED, .mono_us = clock_mono_us()};

	for (uint32_t i = 0; i < line->schedule.count; i++) {
		const struct schedule_entry *e = &line->schedule.entries[i];

		if (unit >= 0 && e->read.unit != unit)
			continue;
		result.tag = e->read.tag;
		result.unit = e->read.unit;
		tell(line, &result, 1);
	}
}

/* Some devices do not live through a connection a second (chargers.md 4, row 21); a serial port does not mind. */
static int64_t reconnect_us(const struct bus_line *line)
{
	return line->config.kind == BUS_TCP ? (int64_t)line->config.reconnect_ms * 1000 : 0;
}

static int64_t backoff_begin_us(const struct bus_line *line)
{
	return reconnect_us(line) > connect_first_us ? reconnect_us(line) : connect_first_us;
}

/* Once in the log when the line goes, once when it comes back: not at each try. */
static void stay_away(struct bus_line *line, const char *why)
{
	line->connect_at_us = clock_mono_us() + schedule_jitter(&line->schedule.random, line->connect_backoff_us);
	line->connect_backoff_us =
	    line->connect_backoff_us * 2 < connect_last_us ? line->connect_backoff_us * 2 : connect_last_us;
	if (line->said_down)
		return;
	line->said_down = 1;
	log_warning("bus: %s: %s", line->config.name, why);
	tell_lost(line, -1);
}

/* Somebody else wants the only slot, perhaps: it takes ours as we take its (chargers.md 4, row 20). */
static void note_flap(struct bus_line *line)
{
	int64_t now = clock_mono_us(), first = line->lost_us[line->lost_at];

	line->lost_us[line->lost_at] = now;
	line->lost_at = (line->lost_at + 1) % LINE_FLAPS;
	if (!first || now - first > flaps_within_us ||
	    (line->said_flaps_us && now - line->said_flaps_us < say_again_us))
		return;
	line->said_flaps_us = now;
	log_warning(
	    "bus: %s: the other side has closed the connection %d times in %lld s: another client may want its only "
	    "slot (option release_ms gives it back between the polls)",
	    line->config.name, LINE_FLAPS, (long long)((now - first) / 1000000));
}

static void disconnect(struct bus_line *line, const char *why)
{
	if (!line->connected)
		return;
	exchange_close(line->exchange);
	set_connected(line, 0);
	line->polls_owed = 0;
	pthread_mutex_lock(&line->lock);
	line->figures.line.disconnects++;
	pthread_mutex_unlock(&line->lock);
	/* The first try to come back is made at once, unless we were taken and dropped without a word. */
	if (!line->answered) {
		stay_away(line, why);
		return;
	}
	log_info("bus: %s: closed: %s", line->config.name, why);
	line->connect_at_us = line->connected_us + reconnect_us(line);
}

static void connect_line(struct bus_line *line)
{
	char why[320];
	int released = line->released;

	line->released = 0;
	line->connected_us = clock_mono_us();
	if (exchange_connect(line->exchange)) {
		exchange_connect_error(line->exchange, errno, why, sizeof(why));
		stay_away(line, why);
		return;
	}
	set_connected(line, 1);
	line->answered = 0;
	line->unanswered = 0;
	line->quiet_since_us = clock_mono_us();
	line->connected_us = line->quiet_since_us;
	/* What fell due while others had the slot is what it is opened for. */
	if (!released)
		schedule_resume(&line->schedule, line->quiet_since_us, line->said_down);
}

/* Nothing is due: others may have the slot. To the rest of the house the line is as connected as before. */
static int release_line(struct bus_line *line, int64_t wait_us)
{
	int64_t now = clock_mono_us();

	if (!line->config.release_ms || line->config.kind != BUS_TCP || wait_us < release_slack_us ||
	    now - line->requested_us < release_after_us)
		return 0;
	exchange_close(line->exchange);
	line->connected = 0;
	line->released = 1;
	line->last_unit = -1;
	line->connect_at_us = now + (int64_t)line->config.release_ms * 1000;
	return 1;
}

/* The line is known to be good only now: a peer that takes connections to drop them is not. */
static void heard(struct bus_line *line)
{
	line->answered = 1;
	line->unanswered = 0;
	line->connect_backoff_us = backoff_begin_us(line);
	if (line->said_down)
		log_notice("bus: %s: connected again", line->config.name);
	line->said_down = 0;
}

/* Silence that the line and the device want before a request; what came in meanwhile was asked for by nobody. How long that
 * silence was to be; -1: the line ends, and nothing more is sent. */
static int64_t make_ready(struct bus_line *line, uint8_t unit, uint32_t gap_ms)
{
	int64_t gap = (int64_t)(gap_ms > (uint32_t)line->config.gap_ms ? gap_ms : (uint32_t)line->config.gap_ms) * 1000;
	int64_t silence = exchange_silence_us(line->exchange);

	gap = gap > silence ? gap : silence;
	if (line->last_unit >= 0 && line->last_unit != unit && line->unit_gap_us > gap)
		gap = line->unit_gap_us;
	line->last_unit = unit;
	uint64_t flushed = 0;
	int64_t end = clock_mono_us() + gap + babble_us;
	/* Whoever speaks is let finish: silence counts from the last byte (chargers.md 4, row 11). Not for ever: a line that babbles
	 * is asked all the same. */
	for (int got = 1; got && !stopping(line);) {
		wait_for(line, line->quiet_since_us + gap - clock_mono_us(), 0);
		got = exchange_flush(line->exchange);
		flushed += (uint64_t)got;
		if (got && exchange_quiet_since_us(line->exchange) > line->quiet_since_us)
			line->quiet_since_us = exchange_quiet_since_us(line->exchange);
		if (!silence || clock_mono_us() > end)
			break;
	}
	if (flushed) {
		pthread_mutex_lock(&line->lock);
		line->figures.line.flushed += flushed;
		pthread_mutex_unlock(&line->lock);
	}
	return stopping(line) ? -1 : gap;
}

/* What one request did. */
struct made {
	struct bus_result result;
	uint8_t function;
	uint16_t count;
	int64_t gap_us, spent_us, wire_us;
};

static int is_busy(const struct bus_result *r)
{
	return r->status == BUS_EXCEPTION && (r->exception == ACKNOWLEDGE || r->exception == DEVICE_BUSY);
}

static void conclude(struct bus_line *line, struct made *m, enum bus_status status, int64_t started_us)
{
	struct bus_result *r = &m->result;

	r->mono_us = clock_mono_us();
	r->latency_us = (uint32_t)(r->mono_us - started_us);
	line->quiet_since_us = exchange_quiet_since_us(line->exchange);
	r->status = (uint8_t)status;
	if (status != BUS_OK)
		r->count = 0;
	m->spent_us = m->gap_us + r->latency_us;
	m->wire_us = status == BUS_OK          ? wire_us(&line->config, m->function, m->count)
		     : status == BUS_EXCEPTION ? wire_refused_us(&line->config, m->function, m->count)
					       : wire_request_us(&line->config, m->function, m->count);
}

/* A unit that grows slower the more it is asked is asked less (chargers.md 4, row 5). */
static void watch_pace(struct bus_line *line, const struct made *m)
{
	struct schedule_unit *u = schedule_unit(&line->schedule, m->result.unit);
	int64_t now = m->result.mono_us;

	/* A lost answer took the time-out, and says nothing of how fast it is. */
	if (!u || u->slow || !bus_unit_answered(&m->result))
		return;
	switch (pace_take(&u->pace, m->result.latency_us > m->wire_us ? m->result.latency_us - m->wire_us : 0)) {
	case PACE_SAME:
		return;
	case PACE_LOWERED:
		if (line->said_pace_us && now - line->said_pace_us < say_pace_again_us)
			return;
		line->said_pace_us = now;
		log_warning("bus: %s: unit %u: answers take %lld ms, and took %lld: asked less often until they don't",
			    line->config.name, u->unit, (long long)u->pace.now_us / 1000,
			    (long long)u->pace.usual_us / 1000);
		return;
	case PACE_BACK:
		log_info("bus: %s: unit %u: answers as fast as it did: asked as often as planned", line->config.name,
			 u->unit);
		return;
	}
}

/* Two that share a converter are kept further apart (chargers.md 4, row 6). */
static void note_foreign(struct bus_line *line, uint8_t unit)
{
	if (line->schedule.unit_count < 2 || line->unit_gap_us >= unit_gap_longest_us)
		return;
	if (!line->unit_gap_us)
		log_warning("bus: %s: unit %u was asked and another answered: a longer pause when the unit changes",
			    line->config.name, unit);
	line->unit_gap_us = line->unit_gap_us ? line->unit_gap_us * 2 : unit_gap_first_us;
	if (line->unit_gap_us > unit_gap_longest_us)
		line->unit_gap_us = unit_gap_longest_us;
	pthread_mutex_lock(&line->lock);
	line->figures.line.unit_gap_ms = (uint32_t)(line->unit_gap_us / 1000);
	pthread_mutex_unlock(&line->lock);
}

static void account(struct bus_line *line, const struct made *m)
{
	const struct schedule_unit *u = schedule_unit(&line->schedule, m->result.unit);
	struct exchange_counts counts;

	exchange_get_counts(line->exchange, &counts);
	pthread_mutex_lock(&line->lock);
	struct bus_line_stats *s = &line->figures.line;
	uint64_t foreign = counts.foreign - s->foreign;
	s->stale = counts.stale;
	s->foreign = counts.foreign;
	s->damaged = counts.damaged;
	s->noise = counts.noise;
	struct figures_unit *f = figures_find(&line->figures, m->result.unit);
	figures_take(&line->figures, &m->result, m->spent_us, m->wire_us);
	s->due = line->schedule.due;
	s->missed = line->schedule.missed;
	s->late = line->schedule.late;
	s->late_max_us = line->schedule.late_max_us;
	if (u && f) {
		s->units_slow = s->units_slow - f->stats.slow + (u->slow != 0);
		f->stats.slow = u->slow != 0;
		f->stats.pace = (uint16_t)(100 >> u->pace.shift);
	}
	pthread_mutex_unlock(&line->lock);
	if (foreign)
		note_foreign(line, m->result.unit);
}

static void account_retry(struct bus_line *line, uint8_t unit)
{
	pthread_mutex_lock(&line->lock);
	figures_retry(&line->figures, unit);
	pthread_mutex_unlock(&line->lock);
}

/* Whether what the plan wants fits at all: polls that are late or left out have a reason that can be said. */
static void look_at_load(struct bus_line *line)
{
	int64_t now = clock_mono_us();

	if (now < line->look_at_us)
		return;
	line->look_at_us = now + look_us;
	uint32_t planned = schedule_planned(&line->schedule);
	pthread_mutex_lock(&line->lock);
	line->figures.line.planned = planned;
	pthread_mutex_unlock(&line->lock);
	if (planned > 1000 && !line->said_full)
		log_warning("bus: %s: its reads need %u %% of the line's time: they will be late or left out (a longer "
			    "poll_ms, "
			    "fewer points, or a faster line)",
			    line->config.name, planned / 10);
	if (planned > 1000 || planned < 900)
		line->said_full = planned > 1000;
}

static void recover(struct bus_line *line, enum bus_status status)
{
	switch (status) {
	case BUS_OK:
	case BUS_EXCEPTION:
		heard(line);
		return;
	case BUS_DISCONNECTED:
		if (line->answered)
			note_flap(line);
		disconnect(line, "connection broken");
		return;
	case BUS_BAD_ANSWER:
		if (exchange_is_out_of_step(line->exchange))
			disconnect(line, "answers out of step");
		return;
	case BUS_TIMEOUT:
		/* One silent unit among several is no error of the line, and one request without an answer none of the unit; all of
		 * them silent, again and again, is. */
		line->unanswered++;
		if (line->config.kind == BUS_TCP && line->unanswered >= SCHEDULE_FAILURES &&
		    schedule_all_failing(&line->schedule))
			disconnect(line, "no unit answers");
		return;
	}
}

int bus_unit_answered(const struct bus_result *r)
{
	return r->status == BUS_OK ||
	       (r->status == BUS_EXCEPTION && r->exception != GATEWAY_NO_PATH && r->exception != GATEWAY_NO_ANSWER);
}

static void say_change(struct bus_line *line, uint8_t unit, enum schedule_change change, enum bus_status status)
{
	if (change == SCHEDULE_SLOW) {
		log_warning("bus: %s: unit %u: %s %d times: asked slowly from now on", line->config.name, unit,
			    bus_status_name(status), SCHEDULE_FAILURES);
		tell_lost(line, unit);
	} else if (change == SCHEDULE_BACK) {
		log_notice("bus: %s: unit %u answers again", line->config.name, unit);
	}
}

static void poll_entry(struct bus_line *line, const struct schedule_choice *choice)
{
	const struct bus_read *read = &line->schedule.entries[choice->entry].read;
	struct made m = {.result = {.line = line->id, .tag = read->tag, .unit = read->unit, .count = read->count},
			 .function = read->function,
			 .count = read->count};
	struct bus_result *r = &m.result;

	m.gap_us = make_ready(line, read->unit, read->gap_ms);
	if (m.gap_us < 0)
		return;
	int64_t started = clock_mono_us();
	enum bus_status status = exchange_read(line->exchange, read, choice->timeout_us, r->words, &r->exception);
	conclude(line, &m, status, started);
	watch_pace(line, &m);
	schedule_spent(&line->schedule, choice->entry, m.spent_us);
	enum schedule_change change = schedule_done(&line->schedule, choice->entry, r->mono_us,
						    !bus_unit_answered(r) ? SCHEDULE_LOST
						    : is_busy(r)          ? SCHEDULE_BUSY
									  : SCHEDULE_ANSWERED);
	account(line, &m);
	if (change == SCHEDULE_AGAIN)
		account_retry(line, r->unit);
	/* That it is busy is no news while it is asked again. */
	if (change != SCHEDULE_AGAIN || !is_busy(r))
		tell(line, r, 0);
	say_change(line, r->unit, change, status);
	recover(line, status);
}

static int next_request(struct bus_line *line, struct request *request)
{
	int64_t later;

	pthread_mutex_lock(&line->lock);
	int place = requests_next(&line->requests, clock_mono_us(), &later);
	if (place >= 0)
		*request = line->requests.list[place];
	pthread_mutex_unlock(&line->lock);
	return place;
}

/* Nonzero when it stays in the queue, to be sent again. */
static int end_request(struct bus_line *line, int place, const struct bus_result *r)
{
	pthread_mutex_lock(&line->lock);
	int again = is_busy(r) && requests_again(&line->requests, place, r->mono_us);
	if (again)
		figures_retry(&line->figures, r->unit);
	else
		requests_remove(&line->requests, place);
	pthread_mutex_unlock(&line->lock);
	return again;
}

static void send_request(struct bus_line *line, const struct request *request, struct made *m)
{
	const struct bus_write *w = &request->write;
	const struct bus_read *read = &request->read;
	uint32_t timeout_ms = (uint32_t)line->config.response_timeout_ms;
	struct bus_result *r = &m->result;
	enum bus_status status;

	line->requested_us = clock_mono_us();
	m->gap_us = make_ready(line, r->unit, request->is_read ? read->gap_ms : w->gap_ms);
	if (m->gap_us < 0) {
		r->status = BUS_DISCONNECTED;
		return;
	}
	int64_t started = clock_mono_us();
	if (request->is_read) {
		timeout_ms = read->timeout_ms ? read->timeout_ms : timeout_ms;
		status = exchange_read(line->exchange, read, (int64_t)timeout_ms * 1000, r->words, &r->exception);
	} else {
		status = exchange_write(line->exchange, w, (int64_t)timeout_ms * 1000, &r->exception);
	}
	conclude(line, m, status, started);
	/* The silence that is wanted counts from later on. */
	line->quiet_since_us += request->is_read ? 0 : (int64_t)w->rest_ms * 1000;
	enum schedule_change change =
	    bus_unit_answered(r) ? schedule_heard(&line->schedule, r->unit, r->mono_us) : SCHEDULE_SAME;
	account(line, m);
	say_change(line, r->unit, change, status);
}

/* Serves the oldest request. Its status, or -1: there is none. It gets its answer also on a broken line or when it is too late. */
static int serve_request(struct bus_line *line)
{
	struct request request;
	int place = next_request(line, &request);
	int64_t now = clock_mono_us();

	if (place < 0)
		return -1;
	struct made m = {.result = {.line = line->id,
				    .tag = request.is_read ? request.read.tag : request.write.tag,
				    .unit = request_unit(&request),
				    .is_write = !request.is_read,
				    .by_hand = request.is_read || request.write.by_hand,
				    .count = request.is_read ? request.read.count : 0,
				    .mono_us = now},
			 .function = request.is_read ? request.read.function : request.write.function,
			 .count = request.is_read ? request.read.count : request.write.count};
	struct bus_result *r = &m.result;
	int sent = now <= request.deadline_us && line->connected;
	if (sent) {
		send_request(line, &request, &m);
		sent = m.gap_us >= 0;
	} else {
		r->status = now > request.deadline_us ? BUS_TIMEOUT : BUS_DISCONNECTED;
	}
	r->count = r->status == BUS_OK ? r->count : 0;
	if (!end_request(line, place, r))
		tell(line, r, 1);
	if (sent)
		recover(line, (enum bus_status)r->status);
	return sent ? r->status : BUS_OK;
}

/* Requests go ahead of the polls, but not for ever: a few, or one that nobody answers, then as many polls as are due. */
static void serve_requests(struct bus_line *line)
{
	/* A line that may be opened again now is opened first, and one that is closed for a moment is waited for. */
	for (int n = 0;
	     !stopping(line) && (line->connected || (line->said_down && clock_mono_us() < line->connect_at_us));
	     n += line->connected) {
		if (n == BURST) {
			line->polls_owed = BURST;
			return;
		}
		int status = serve_request(line);
		if (status < 0)
			return;
		if (line->connected && (status == BUS_TIMEOUT || status == BUS_BAD_ANSWER)) {
			line->polls_owed = BURST;
			return;
		}
	}
}

/* Whoever asked for the new reads has not heard yet which of them can't be made now. */
static void take_plan(struct bus_line *line)
{
	pthread_mutex_lock(&line->lock);
	struct line_plan *next = line->next;
	line->next = NULL;
	if (next)
		next->units = figures_adopt(&line->figures, next->units, next->unit_count);
	pthread_mutex_unlock(&line->lock);
	if (!next)
		return;
	schedule_take_over(&next->schedule, &line->schedule);
	const struct schedule old = line->schedule;
	line->schedule = next->schedule;
	next->schedule = old;
	line_plan_free(next);
	line->look_at_us = 0;
	pthread_mutex_lock(&line->lock);
	line->figures.line.units_slow = schedule_slow_count(&line->schedule);
	pthread_mutex_unlock(&line->lock);
	if (line->said_down)
		tell_lost(line, -1);
	for (uint32_t i = 0; !line->said_down && i < line->schedule.unit_count; i++)
		if (line->schedule.units[i].slow)
			tell_lost(line, line->schedule.units[i].unit);
}

/* A request does not wait until the others' time is over. */
static int may_connect(struct bus_line *line)
{
	struct request request;
	int64_t now = clock_mono_us();

	if (!line->released)
		return now >= line->connect_at_us;
	return (now >= line->connect_at_us && schedule_wait_us(&line->schedule, now) <= 0) ||
	       next_request(line, &request) >= 0;
}

/* How long there is nothing to do while the line is not open. */
static int64_t away_us(struct bus_line *line)
{
	int64_t now = clock_mono_us(), wait = line->connect_at_us - now;
	int64_t due = line->released ? schedule_wait_us(&line->schedule, now) : 0;

	return wait > due ? wait : due;
}

static void *work(void *user)
{
	struct bus_line *line = user;

	while (!stopping(line)) {
		take_plan(line);
		look_at_load(line);
		if (!line->connected && may_connect(line))
			connect_line(line);
		if (!line->polls_owed)
			serve_requests(line);
		if (!line->connected) {
			int64_t away = away_us(line);

			wait_for(line, away < longest_us ? away : longest_us, line->said_down || line->released);
			continue;
		}
		struct schedule_choice choice =
		    schedule_next(&line->schedule, clock_mono_us(), (int64_t)line->config.response_timeout_ms * 1000);
		if (choice.entry >= 0) {
			poll_entry(line, &choice);
			line->polls_owed -= line->polls_owed > 0;
		} else if (line->polls_owed) {
			line->polls_owed = 0;
		} else if (!release_line(line, choice.wait_us)) {
			wait_for(line, choice.wait_us < longest_us ? choice.wait_us : longest_us, 1);
		}
	}
	if (line->connected)
		exchange_close(line->exchange);
	return NULL;
}

static int start_thread(struct bus_line *line)
{
	pthread_condattr_t clock;
	pthread_attr_t attributes;

	if (pthread_mutex_init(&line->lock, NULL))
		return -1;
	if (pthread_condattr_init(&clock))
		return -1;
	int failed = pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) || pthread_cond_init(&line->wake, &clock);
	(void)pthread_condattr_destroy(&clock);
	if (failed || pthread_attr_init(&attributes))
		return -1;
	failed =
	    pthread_attr_setstacksize(&attributes, STACK) || pthread_create(&line->thread, &attributes, work, line);
	(void)pthread_attr_destroy(&attributes);
	return failed ? -1 : 0;
}

static void free_line(struct bus_line *line)
{
	exchange_free(line->exchange);
	schedule_fini(&line->schedule);
	line_plan_free(line->next);
	free(line->figures.units);
	free(line);
}

_Static_assert((int)EXCHANGE_SENT == (int)TRACE_SENT && (int)EXCHANGE_DROPPED == (int)TRACE_THROWN &&
		   (int)EXCHANGE_ECHO == (int)TRACE_ECHO,
	       "what a frame was is handed on as it is");

static enum trace_kind trace_kind_of(const struct bus_line_config *config)
{
	switch (config->framing) {
	case BUS_FRAMING_AUTO:
		break;
	case BUS_FRAMING_TCP:
		return TRACE_TCP;
	case BUS_FRAMING_RTU:
		return TRACE_RTU;
	case BUS_FRAMING_ASCII:
		return TRACE_ASCII;
	}
	return config->kind == BUS_TCP ? TRACE_TCP : TRACE_RTU;
}

static void on_frame(void *user, int flags, const uint8_t *bytes, size_t len)
{
	struct bus_line *line = user;

	trace_put(line->trace, line->id, trace_kind_of(&line->config), flags, 0, bytes, len);
}

struct bus_line *line_start(uint32_t id, const struct bus_line_config *config, const struct bus_read *reads,
			    uint32_t count, struct trace *trace, line_sink sink, void *user, struct error *err)
{
	struct bus_line *line = calloc(1, sizeof(*line));
	struct line_plan *plan = line_plan_new(config, id, reads, count);

	if (!line || !plan) {
		free(line);
		line_plan_free(plan);
		(void)error_set(err, FC_ENOMEM, "bus: %s: no memory", config->name);
		return NULL;
	}
	line->id = id;
	line->config = *config;
	line->sink = sink;
	line->user = user;
	line->last_unit = -1;
	line->connect_at_us = clock_mono_us();
	line->connect_backoff_us = backoff_begin_us(line);
	line->schedule = plan->schedule;
	(void)figures_adopt(&line->figures, plan->units, plan->unit_count);
	free(plan);
	line->exchange = exchange_new(config);
	if (!line->exchange) {
		(void)error_set(err, FC_EINVAL, "bus: %s: the Modbus library refuses these settings: %s", config->name,
				strerror(errno));
		free_line(line);
		return NULL;
	}
	line->trace = trace;
	exchange_set_tap(line->exchange, on_frame, line);
	exchange_set_sent(line->exchange, announce, line);
	if (start_thread(line)) {
		(void)error_set(err, FC_ENOMEM, "bus: %s: no thread", config->name);
		free_line(line);
		return NULL;
	}
	return line;
}

void line_stop(struct bus_line *line)
{
	pthread_mutex_lock(&line->lock);
	line->stop = 1;
	pthread_cond_signal(&line->wake);
	pthread_mutex_unlock(&line->lock);
	(void)pthread_join(line->thread, NULL);
	(void)pthread_cond_destroy(&line->wake);
	(void)pthread_mutex_destroy(&line->lock);
	free_line(line);
}

const struct bus_line_config *line_config(const struct bus_line *line)
{
	return &line->config;
}

void line_set_owner(struct bus_line *line, struct bus *bus)
{
	line->owner = bus;
}

struct bus *line_owner(const struct bus_line *line)
{
	return line->owner;
}

uint32_t bus_line_id(const struct bus_line *line)
{
	return line->id;
}

const char *bus_line_name(const struct bus_line *line)
{
	return line->config.name;
}
