#include "bus/line.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/usage.h"
#include "bus/exchange.h"
#include "bus/framing.h"
#include "bus/line_inside.h"
#include "bus/trace.h"
#include "bus/wire.h"

enum { STACK = 128 * 1024 };
/* Modbus exception codes: busy, asked again later; and those that come from a gateway, not from the device. */
enum { ACKNOWLEDGE = 5, DEVICE_BUSY = 6, GATEWAY_NO_PATH = 10, GATEWAY_NO_ANSWER = 11 };
/* Requests in a row before the polls that are due have as many; one without an answer is row enough. */
enum { BURST = 4 };

static const int64_t longest_us = 60000000;
static const int64_t babble_us = 200000;
/* Beyond what the wire takes: a request that waits for room in the kernel, and RTS by hand. */
static const int64_t slow_driver_us = 3000000;

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
	int64_t end = silence ? clock_mono_us() + gap + babble_us : 0;
	/* Whoever speaks is let finish: silence counts from the last byte (chargers.md 4, row 11). Not for ever: a line that babbles
	 * is asked all the same. */
	for (int got = 1; got && !line_stopping(line);) {
		if (gap)
			line_wait(line, line->quiet_since_us + gap - clock_mono_us(), 0);
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
	return line_stopping(line) ? -1 : gap;
}

/* The driver is asked, and once more where the device may have been asleep: each time a request goes out and an answer comes in, whole
 * frames at the worst. */
static void at_exchange(struct bus_line *line, int64_t timeout_us)
{
	const int64_t frame_us = wire_bytes_us(&line->config, FRAMING_ADU_MAX);

	progress_work(&line->progress,
		      2 * (timeout_us + 2 * frame_us + (int64_t)line->config.byte_timeout_ms * 1000 + slow_driver_us));
}

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
		line_tell_lost(line, unit);
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
	at_exchange(line, choice->timeout_us);
	enum bus_status status = exchange_read(line->exchange, read, choice->timeout_us, r->words, &r->exception);
	line_at_work(line);
	conclude(line, &m, status, started);
	line_watch_pace(line, &m);
	schedule_spent(&line->schedule, choice->entry, m.spent_us);
	enum schedule_change change = schedule_done(&line->schedule, choice->entry, r->mono_us,
						    !bus_unit_answered(r) ? SCHEDULE_LOST
						    : is_busy(r)          ? SCHEDULE_BUSY
									  : SCHEDULE_ANSWERED);
	line_account(line, &m);
	if (change == SCHEDULE_AGAIN)
		line_account_retry(line, r->unit);
	/* That it is busy is no news while it is asked again. */
	if (change != SCHEDULE_AGAIN || !is_busy(r))
		line_tell(line, r, 0);
	say_change(line, r->unit, change, status);
	line_recover(line, status);
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
	line_note_asked(line);
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
		at_exchange(line, (int64_t)timeout_ms * 1000);
		status = exchange_read(line->exchange, read, (int64_t)timeout_ms * 1000, r->words, &r->exception);
	} else {
		at_exchange(line, (int64_t)timeout_ms * 1000);
		status = exchange_write(line->exchange, w, (int64_t)timeout_ms * 1000, &r->exception);
	}
	line_at_work(line);
	conclude(line, m, status, started);
	/* The silence that is wanted counts from later on. */
	line->quiet_since_us += request->is_read ? 0 : (int64_t)w->rest_ms * 1000;
	enum schedule_change change =
	    bus_unit_answered(r) ? schedule_heard(&line->schedule, r->unit, r->mono_us) : SCHEDULE_SAME;
	line_account(line, m);
	say_change(line, r->unit, change, status);
}

/* Serves the oldest request. Its status, or -1: there is none. It gets its answer also on a broken line or when it is too late. */
static int serve_request(struct bus_line *line)
{
	struct request request;
	int place = line_next_request(line, &request);

	if (place < 0)
		return -1;
	int64_t now = clock_mono_us();
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
		line_tell(line, r, 1);
	if (sent)
		line_recover(line, (enum bus_status)r->status);
	return sent ? r->status : BUS_OK;
}

/* Requests go ahead of the polls, but not for ever: a few, or one that nobody answers, then as many polls as are due. */
static void serve_requests(struct bus_line *line)
{
	/* A line that may be opened again now is opened first, and one that is closed for a moment is waited for. */
	for (int n = 0;
	     !line_stopping(line) && (line->connected || (line->said_down && clock_mono_us() < line->connect_at_us));
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
	if (!atomic_load(&line->asked))
		return;
	pthread_mutex_lock(&line->lock);
	struct line_plan *next = line->next;
	line->next = NULL;
	line_note_asked(line);
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
		line_tell_lost(line, -1);
	for (uint32_t i = 0; !line->said_down && i < line->schedule.unit_count; i++)
		if (line->schedule.units[i].slow)
			line_tell_lost(line, line->schedule.units[i].unit);
}

/* Two connections to one endpoint are what some devices do not live through. */
static void wait_for_turn(struct bus_line *line)
{
	pthread_mutex_lock(&line->lock);
	while (line->held && !line->stop)
		(void)pthread_cond_wait(&line->wake, &line->lock);
	pthread_mutex_unlock(&line->lock);
}

static void *work(void *user)
{
	struct bus_line *line = user;

	usage_spare_thread();
	wait_for_turn(line);
	while (!line_stopping(line)) {
		line_at_work(line);
		take_plan(line);
		if (!line->connected && line_may_connect(line))
			line_connect(line);
		if (!line->polls_owed)
			serve_requests(line);
		if (!line->connected) {
			int64_t away = line_away_us(line);

			line_look_at_load(line, clock_mono_us());
			line_wait(line, away < longest_us ? away : longest_us, line->said_down || line->released);
			continue;
		}
		int64_t now = clock_mono_us();
		line_look_at_load(line, now);
		struct schedule_choice choice =
		    schedule_next(&line->schedule, now, (int64_t)line->config.response_timeout_ms * 1000);
		if (choice.entry >= 0) {
			poll_entry(line, &choice);
			line->polls_owed -= line->polls_owed > 0;
		} else if (line->polls_owed) {
			line->polls_owed = 0;
		} else if (!line_release(line, choice.wait_us)) {
			line_wait(line, choice.wait_us < longest_us ? choice.wait_us : longest_us, 1);
		}
	}
	line_at_close(line);
	if (line->connected)
		exchange_close(line->exchange);
	progress_rest(&line->progress);
	/* From here on it may be joined; its memory goes after that. */
	atomic_store(&line->ended, 1);
	(void)line->sink(line->user, NULL, 0);
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
	case BUS_FRAMING_DLT645:
		return TRACE_DLT645;
	}
	return config->kind == BUS_TCP ? TRACE_TCP : TRACE_RTU;
}

static void on_frame(void *user, int flags, const uint8_t *bytes, size_t len)
{
	struct bus_line *line = user;

	trace_put(line->trace, line->id, trace_kind_of(&line->config), flags, 0, bytes, len);
}

struct bus_line *line_start(uint32_t id, const struct bus_line_config *config, const struct bus_read *reads,
			    uint32_t count, int held, struct bus_trace *trace, line_sink sink, void *user,
			    struct error *err)
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
	line->held = held;
	line->last_unit = -1;
	line->connect_at_us = clock_mono_us();
	line->figures.line.since_wall = clock_wall();
	line->connect_backoff_us = line_backoff_us(line);
	line->schedule = plan->schedule;
	(void)figures_adopt(&line->figures, plan->units, plan->unit_count);
	free(plan);
	line->exchange = exchange_new(&line->config);
	if (!line->exchange) {
		(void)error_set(err, FC_EINVAL, "bus: %s: the Modbus library refuses these settings: %s", config->name,
				strerror(errno));
		free_line(line);
		return NULL;
	}
	line->trace = trace;
	exchange_set_tap(line->exchange, on_frame, line);
	exchange_set_sent(line->exchange, line_announce, line);
	if (start_thread(line)) {
		(void)error_set(err, FC_ENOMEM, "bus: %s: no thread", config->name);
		free_line(line);
		return NULL;
	}
	return line;
}

void line_may_begin(struct bus_line *line)
{
	pthread_mutex_lock(&line->lock);
	line->held = 0;
	pthread_cond_signal(&line->wake);
	pthread_mutex_unlock(&line->lock);
}

void line_end(struct bus_line *line)
{
	pthread_mutex_lock(&line->lock);
	atomic_store(&line->stop, 1);
	pthread_cond_signal(&line->wake);
	pthread_mutex_unlock(&line->lock);
}

int line_has_ended(const struct bus_line *line)
{
	return atomic_load(&line->ended);
}

void line_join(struct bus_line *line)
{
	(void)pthread_join(line->thread, NULL);
	(void)pthread_cond_destroy(&line->wake);
	(void)pthread_mutex_destroy(&line->lock);
	free_line(line);
}

struct bus_line *line_next(const struct bus_line *line)
{
	return line->following;
}

void line_set_next(struct bus_line *line, struct bus_line *next)
{
	line->following = next;
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
