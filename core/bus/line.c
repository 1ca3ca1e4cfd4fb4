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
#include "bus/schedule.h"

enum { STACK = 128 * 1024, WRITES_MAX = 32 };
/* Modbus exception codes that come from a gateway, not from the device. */
enum { GATEWAY_NO_PATH = 10, GATEWAY_NO_ANSWER = 11 };

static const int64_t connect_first_us = 1000000;
static const int64_t connect_last_us = 60000000;
static const int64_t babble_us = 200000;

struct bus_line {
	uint32_t id;
	struct bus_line_config config;
	struct bus *owner;
	line_sink sink;
	void *user;
	pthread_t thread;
	pthread_mutex_t lock; /* of stop, next, writes, stats */
	pthread_cond_t wake;
	int stop;
	struct schedule *next; /* what the worker is to go on with, or NULL */
	struct bus_write writes[WRITES_MAX];
	int64_t write_deadline_us[WRITES_MAX];
	uint32_t write_first, write_count;
	struct bus_line_stats stats;
	uint64_t latency_sum_us;
	/* the worker's own */
	struct schedule schedule;
	struct exchange *exchange;
	int connected, answered; /* something was heard since it was connected */
	int said_down;           /* the log knows that the line is down */
	int64_t connect_at_us, connect_backoff_us, connected_us;
	int unanswered;         /* requests in a row since anything was heard */
	int64_t quiet_since_us; /* end of the last byte */
};

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
	if (!line->sink(line->user, result, must))
		return;
	pthread_mutex_lock(&line->lock);
	line->stats.queue_dropped++;
	pthread_mutex_unlock(&line->lock);
}

static void set_connected(struct bus_line *line, int connected)
{
	line->connected = connected;
	pthread_mutex_lock(&line->lock);
	line->stats.connected = connected;
	pthread_mutex_unlock(&line->lock);
}

/* Waits until us from now, the end, or with for_writes: a write, or other reads. */
static void wait_for(struct bus_line *line, int64_t us, int for_writes)
{
	struct timespec until;

	if (us <= 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += us / 1000000;
	until.tv_nsec += us % 1000000 * 1000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&line->lock);
	while (!line->stop && !(for_writes && (line->write_count || line->next)))
		if (pthread_cond_timedwait(&line->wake, &line->lock, &until))
			break;
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

static void disconnect(struct bus_line *line, const char *why)
{
	if (!line->connected)
		return;
	exchange_close(line->exchange);
	set_connected(line, 0);
	pthread_mutex_lock(&line->lock);
	line->stats.disconnects++;
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
	schedule_resume(&line->schedule, clock_mono_us());
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

/* Silence that the line and the device want before a request; what came in meanwhile was asked for by nobody. */
static void make_ready(struct bus_line *line, uint32_t gap_ms)
{
	int64_t gap = (int64_t)(gap_ms > (uint32_t)line->config.gap_ms ? gap_ms : (uint32_t)line->config.gap_ms) * 1000;
	int64_t silence = exchange_silence_us(line->exchange);

	gap = gap > silence ? gap : silence;
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
	if (!flushed)
		return;
	pthread_mutex_lock(&line->lock);
	line->stats.flushed += flushed;
	pthread_mutex_unlock(&line->lock);
}

static void account(struct bus_line *line, const struct bus_result *r)
{
	struct exchange_counts counts;

	exchange_get_counts(line->exchange, &counts);
	pthread_mutex_lock(&line->lock);
	struct bus_line_stats *s = &line->stats;
	s->stale = counts.stale;
	s->foreign = counts.foreign;
	s->damaged = counts.damaged;
	s->noise = counts.noise;
	s->polls += !r->is_write;
	s->ok += r->status == BUS_OK;
	s->timeouts += r->status == BUS_TIMEOUT;
	s->exceptions += r->status == BUS_EXCEPTION;
	s->bad += r->status == BUS_BAD_ANSWER;
	if (r->status == BUS_OK) {
		line->latency_sum_us += r->latency_us;
		s->latency_mean_us = (uint32_t)(line->latency_sum_us / s->ok);
		if (r->latency_us > s->latency_max_us)
			s->latency_max_us = r->latency_us;
	}
	s->due = line->schedule.due;
	s->missed = line->schedule.missed;
	s->late = line->schedule.late;
	s->late_max_us = line->schedule.late_max_us;
	pthread_mutex_unlock(&line->lock);
}

static void account_slow(struct bus_line *line)
{
	pthread_mutex_lock(&line->lock);
	line->stats.units_slow = schedule_slow_count(&line->schedule);
	pthread_mutex_unlock(&line->lock);
}

static void recover(struct bus_line *line, enum bus_status status)
{
	switch (status) {
	case BUS_OK:
	case BUS_EXCEPTION:
		heard(line);
		return;
	case BUS_DISCONNECTED:
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

static void conclude(struct bus_line *line, struct bus_result *r, enum bus_status status, int64_t started_us)
{
	r->mono_us = clock_mono_us();
	r->latency_us = (uint32_t)(r->mono_us - started_us);
	line->quiet_since_us = exchange_quiet_since_us(line->exchange);
	r->status = (uint8_t)status;
	if (status != BUS_OK)
		r->count = 0;
	account(line, r);
}

int bus_unit_answered(const struct bus_result *r)
{
	return r->status == BUS_OK ||
	       (r->status == BUS_EXCEPTION && r->exception != GATEWAY_NO_PATH && r->exception != GATEWAY_NO_ANSWER);
}

static void poll_entry(struct bus_line *line, const struct schedule_choice *choice)
{
	const struct bus_read *read = &line->schedule.entries[choice->entry].read;
	struct bus_result r = {.line = line->id, .tag = read->tag, .unit = read->unit, .count = read->count};

	make_ready(line, read->gap_ms);
	int64_t started = clock_mono_us();
	enum bus_status status = exchange_read(line->exchange, read, choice->timeout_us, r.words, &r.exception);
	conclude(line, &r, status, started);
	int moved = schedule_done(&line->schedule, choice->entry, r.mono_us, bus_unit_answered(&r));
	tell(line, &r, 0);
	if (moved)
		account_slow(line);
	if (moved == 1) {
		log_warning("bus: %s: unit %u: %s %d times: asked slowly from now on", line->config.name, read->unit,
			    bus_status_name(status), SCHEDULE_FAILURES);
		tell_lost(line, read->unit);
	} else if (moved == 2) {
		log_notice("bus: %s: unit %u answers again", line->config.name, read->unit);
	}
	recover(line, status);
}

/* Takes the oldest write; 0 when there is none. */
static int take_write(struct bus_line *line, struct bus_write *write, int64_t *deadline_us)
{
	pthread_mutex_lock(&line->lock);
	int any = line->write_count > 0;
	if (any) {
		*write = line->writes[line->write_first];
		*deadline_us = line->write_deadline_us[line->write_first];
		line->write_first = (line->write_first + 1) % WRITES_MAX;
		line->write_count--;
	}
	pthread_mutex_unlock(&line->lock);
	return any;
}

/* Writes go ahead of reads; each gets its answer, also on a broken line or when it is too late. */
static void serve_writes(struct bus_line *line)
{
	struct bus_write write;
	int64_t deadline;

	/* A line that may be opened again now is opened first. */
	while (!stopping(line) && (line->connected || clock_mono_us() < line->connect_at_us) &&
	       take_write(line, &write, &deadline)) {
		struct bus_result r = {.line = line->id, .tag = write.tag, .unit = write.unit, .is_write = 1};
		int64_t now = clock_mono_us();

		r.mono_us = now;
		if (now > deadline) {
			r.status = BUS_TIMEOUT;
		} else if (!line->connected) {
			r.status = BUS_DISCONNECTED;
		} else {
			make_ready(line, write.gap_ms);
			now = clock_mono_us();
			conclude(line, &r,
				 exchange_write(line->exchange, &write,
						(int64_t)line->config.response_timeout_ms * 1000, &r.exception),
				 now);
			/* The silence that is wanted counts from later on. */
			line->quiet_since_us += (int64_t)write.rest_ms * 1000;
		}
		tell(line, &r, 1);
		if (line->connected)
			recover(line, (enum bus_status)r.status);
	}
}

/* Whoever asked for the new reads has not heard yet which of them can't be made now. */
static void take_plan(struct bus_line *line)
{
	pthread_mutex_lock(&line->lock);
	struct schedule *next = line->next;
	line->next = NULL;
	if (next)
		line->stats.units = next->unit_count;
	pthread_mutex_unlock(&line->lock);
	if (!next)
		return;
	schedule_take_over(next, &line->schedule);
	schedule_fini(&line->schedule);
	line->schedule = *next;
	free(next);
	account_slow(line);
	if (line->said_down)
		tell_lost(line, -1);
	for (uint32_t i = 0; !line->said_down && i < line->schedule.unit_count; i++)
		if (line->schedule.units[i].slow)
			tell_lost(line, line->schedule.units[i].unit);
}

static void *work(void *user)
{
	struct bus_line *line = user;

	while (!stopping(line)) {
		take_plan(line);
		int64_t now = clock_mono_us();

		if (!line->connected && now >= line->connect_at_us)
			connect_line(line);
		serve_writes(line);
		if (!line->connected) {
			wait_for(line, line->connect_at_us - clock_mono_us(), 1);
			continue;
		}
		struct schedule_choice choice =
		    schedule_next(&line->schedule, clock_mono_us(), (int64_t)line->config.response_timeout_ms * 1000);
		if (choice.entry >= 0)
			poll_entry(line, &choice);
		else
			wait_for(line, choice.wait_us < 60000000 ? choice.wait_us : 60000000, 1);
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
	if (line->next)
		schedule_fini(line->next);
	free(line->next);
	free(line);
}

struct bus_line *line_start(uint32_t id, const struct bus_line_config *config, const struct bus_read *reads,
			    uint32_t count, line_sink sink, void *user, struct error *err)
{
	struct bus_line *line = calloc(1, sizeof(*line));
	int64_t now = clock_mono_us();

	if (!line) {
		(void)error_set(err, FC_ENOMEM, "bus: %s: no memory", config->name);
		return NULL;
	}
	line->id = id;
	line->config = *config;
	line->sink = sink;
	line->user = user;
	line->connect_at_us = now;
	line->connect_backoff_us = backoff_begin_us(line);
	if (schedule_init(&line->schedule, reads, count, now, (uint32_t)now ^ (id * 2654435761u))) {
		(void)error_set(err, FC_ENOMEM, "bus: %s: no memory", config->name);
		free_line(line);
		return NULL;
	}
	line->stats.units = line->schedule.unit_count;
	line->exchange = exchange_new(config);
	if (!line->exchange) {
		(void)error_set(err, FC_EINVAL, "bus: %s: the Modbus library refuses these settings: %s", config->name,
				strerror(errno));
		free_line(line);
		return NULL;
	}
	if (start_thread(line)) {
		(void)error_set(err, FC_ENOMEM, "bus: %s: no thread", config->name);
		free_line(line);
		return NULL;
	}
	return line;
}

int line_replan(struct bus_line *line, const struct bus_read *reads, uint32_t count, struct error *err)
{
	struct schedule *next = calloc(1, sizeof(*next));
	int64_t now = clock_mono_us();

	if (!next || schedule_init(next, reads, count, now, (uint32_t)now ^ (line->id * 2654435761u))) {
		free(next);
		return error_set(err, FC_ENOMEM, "bus: %s: no memory", line->config.name);
	}
	pthread_mutex_lock(&line->lock);
	struct schedule *unused = line->next;
	line->next = next;
	pthread_cond_signal(&line->wake);
	pthread_mutex_unlock(&line->lock);
	if (unused)
		schedule_fini(unused);
	free(unused);
	return FC_OK;
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

static int is_possible(const struct bus_line *line, const struct bus_write *w)
{
	int many = w->function == 15 || w->function == 16;

	/* Setting a meter wants a password, and is nobody's business here. */
	if (line->config.framing == BUS_FRAMING_DLT645)
		return 0;
	if (!bus_unit_valid(line->config.kind, w->unit) || (!many && w->function != 5 && w->function != 6))
		return 0;
	return w->count >= 1 && w->count <= (many ? BUS_WRITE_WORDS_MAX : 1) &&
	       (uint32_t)w->address + w->count <= 65536;
}

int bus_line_write(struct bus_line *line, const struct bus_write *write)
{
	int result = FC_EBUSY;

	if (!is_possible(line, write))
		return FC_EINVAL;
	pthread_mutex_lock(&line->lock);
	if (line->write_count < WRITES_MAX) {
		uint32_t at = (line->write_first + line->write_count++) % WRITES_MAX;

		line->writes[at] = *write;
		line->write_deadline_us[at] = clock_mono_us() + (int64_t)write->deadline_ms * 1000;
		pthread_cond_signal(&line->wake);
		result = FC_OK;
	}
	pthread_mutex_unlock(&line->lock);
	return result;
}

void bus_line_get_stats(const struct bus_line *line, struct bus_line_stats *stats)
{
	/* The lock is the only thing that a look changes. */
	struct bus_line *looked = (struct bus_line *)(size_t)line;

	pthread_mutex_lock(&looked->lock);
	*stats = looked->stats;
	pthread_mutex_unlock(&looked->lock);
}
