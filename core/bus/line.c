#include "bus/line.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <modbus.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/schedule.h"

enum { STACK = 128 * 1024, WRITES_MAX = 32, BITS_MAX = BUS_WORDS_MAX };

static const int64_t connect_first_us = 1000000;
static const int64_t connect_last_us = 60000000;

struct bus_line {
	uint32_t id;
	struct bus_line_config config;
	struct bus *owner;
	line_sink sink;
	void *user;
	pthread_t thread;
	pthread_mutex_t lock; /* of stop, writes, stats */
	pthread_cond_t wake;
	int stop;
	struct bus_write writes[WRITES_MAX];
	int64_t write_deadline_us[WRITES_MAX];
	uint32_t write_first, write_count;
	struct bus_line_stats stats;
	uint64_t latency_sum_us;
	/* the worker's own */
	struct schedule schedule;
	modbus_t *modbus;
	int connected;
	int said_down; /* the log knows that the line is down */
	int64_t connect_at_us, connect_backoff_us;
	int64_t quiet_since_us; /* end of the last byte */
	uint32_t silent;        /* time-outs in a row, over all units */
};

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

/* What differs between the kinds of lines; everything else is written once. */
struct line_protocol {
	modbus_t *(*make)(const struct bus_line_config *config);
	int64_t (*silence_us)(const struct bus_line_config *config);
};

static modbus_t *make_tcp(const struct bus_line_config *config)
{
	char service[8];

	(void)snprintf(service, sizeof(service), "%d", config->port);
	return modbus_new_tcp_pi(config->host, service);
}

static int64_t no_silence(const struct bus_line_config *config)
{
	(void)config;
	return 0;
}

static modbus_t *make_rtu(const struct bus_line_config *config)
{
	return modbus_new_rtu(config->device, config->baud, config->parity, config->data_bits, config->stop_bits);
}

/* t3.5 of the serial line specification: fixed above 19200 baud. */
static int64_t rtu_silence(const struct bus_line_config *config)
{
	return config->baud > 19200 ? 1750 : (int64_t)35 * 11 * 100000 / config->baud;
}

static const struct line_protocol protocols[] = {
    [BUS_TCP] = {make_tcp, no_silence},
    [BUS_RTU] = {make_rtu, rtu_silence},
};

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

static void set_timeout(modbus_t *modbus, int64_t us)
{
	(void)modbus_set_response_timeout(modbus, (uint32_t)(us / 1000000), (uint32_t)(us % 1000000));
}

/* Waits until us from now, a write, or the end. */
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
	while (!line->stop && !(for_writes && line->write_count))
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

static void disconnect(struct bus_line *line, const char *why)
{
	if (!line->connected)
		return;
	modbus_close(line->modbus);
	set_connected(line, 0);
	pthread_mutex_lock(&line->lock);
	line->stats.disconnects++;
	pthread_mutex_unlock(&line->lock);
	log_info("bus: %s: closed: %s", line->config.name, why);
	line->silent = 0;
	/* The first try to come back is made at once. */
	line->connect_at_us = clock_mono_us();
}

static void connect_failed(struct bus_line *line, int code)
{
	line->connect_at_us = clock_mono_us() + schedule_jitter(&line->schedule.random, line->connect_backoff_us);
	line->connect_backoff_us =
	    line->connect_backoff_us * 2 < connect_last_us ? line->connect_backoff_us * 2 : connect_last_us;
	/* Once when it goes, once when it comes back: not at each try. */
	if (line->said_down)
		return;
	line->said_down = 1;
	if (line->config.kind == BUS_RTU)
		log_warning("bus: %s: open: %s (%d baud, parity %c): %s", line->config.name, line->config.device,
			    line->config.baud, line->config.parity,
			    code == EINVAL ? "the driver refuses these settings" : modbus_strerror(code));
	else
		log_warning("bus: %s: connect: %s:%d: %s", line->config.name, line->config.host, line->config.port,
			    modbus_strerror(code));
	tell_lost(line, -1);
}

static void connect_line(struct bus_line *line)
{
	/* libmodbus takes its response time-out for connecting too. */
	set_timeout(line->modbus, (int64_t)line->config.connect_timeout_ms * 1000);
	if (modbus_connect(line->modbus)) {
		connect_failed(line, errno);
		return;
	}
	(void)modbus_set_byte_timeout(line->modbus, (uint32_t)(line->config.byte_timeout_ms / 1000),
				      (uint32_t)(line->config.byte_timeout_ms % 1000 * 1000));
	set_connected(line, 1);
	line->connect_backoff_us = connect_first_us;
	line->quiet_since_us = clock_mono_us();
	if (line->said_down)
		log_notice("bus: %s: connected again", line->config.name);
	line->said_down = 0;
	schedule_resume(&line->schedule, clock_mono_us());
}

static enum bus_status classify(int code, uint8_t *exception)
{
	if (code > MODBUS_ENOBASE && code < MODBUS_ENOBASE + MODBUS_EXCEPTION_MAX) {
		*exception = (uint8_t)(code - MODBUS_ENOBASE);
		return BUS_EXCEPTION;
	}
	switch (code) {
	case ETIMEDOUT:
		return BUS_TIMEOUT;
	case EMBBADCRC:
	case EMBBADDATA:
	case EMBBADEXC:
	case EMBUNKEXC:
	case EMBMDATA:
	case EMBBADSLAVE:
		return BUS_BAD_ANSWER;
	default:
		return BUS_DISCONNECTED;
	}
}

/* Silence that the line and the device want before a request. */
static void keep_gap(struct bus_line *line, uint32_t gap_ms)
{
	int64_t gap = (int64_t)(gap_ms > (uint32_t)line->config.gap_ms ? gap_ms : (uint32_t)line->config.gap_ms) * 1000;
	int64_t silence = protocols[line->config.kind].silence_us(&line->config);

	gap = gap > silence ? gap : silence;
	wait_for(line, line->quiet_since_us + gap - clock_mono_us(), 0);
}

static void account(struct bus_line *line, const struct bus_result *r)
{
	pthread_mutex_lock(&line->lock);
	struct bus_line_stats *s = &line->stats;
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

/* After a failure: what is left of a late answer must never be taken for the next one's. */
static void recover(struct bus_line *line, const struct bus_result *r)
{
	uint32_t healthy = line->schedule.unit_count - schedule_slow_count(&line->schedule);

	switch ((enum bus_status)r->status) {
	case BUS_OK:
	case BUS_EXCEPTION:
		line->silent = 0;
		return;
	case BUS_DISCONNECTED:
		disconnect(line, "connection broken");
		return;
	case BUS_BAD_ANSWER:
		/* On TCP a wrong transaction or length means that we are out of step for good (chargers.md 4, row 1). */
		if (line->config.kind == BUS_TCP)
			disconnect(line, "answers out of step");
		else
			(void)modbus_flush(line->modbus);
		return;
	case BUS_TIMEOUT:
		(void)modbus_flush(line->modbus);
		/* One silent unit among several is no error of the line; all of them silent is. */
		if (++line->silent > healthy && line->config.kind == BUS_TCP)
			disconnect(line, "no unit answers");
		return;
	}
}

/* Fills the rest of r from what the request returned: words or bits read or written, or -1 and errno. */
static void conclude(struct bus_line *line, struct bus_result *r, int got, int64_t started_us)
{
	int code = errno;

	r->mono_us = clock_mono_us();
	r->latency_us = (uint32_t)(r->mono_us - started_us);
	line->quiet_since_us = r->mono_us;
	r->status = got >= 0 ? BUS_OK : (uint8_t)classify(code, &r->exception);
	if (got < 0)
		r->count = 0;
	account(line, r);
	recover(line, r);
}

static int do_read(struct bus_line *line, const struct bus_read *read, uint16_t *words)
{
	uint8_t bits[BITS_MAX];
	int got = -1;

	switch (read->function) {
	case 3:
		return modbus_read_registers(line->modbus, read->address, read->count, words);
	case 4:
		return modbus_read_input_registers(line->modbus, read->address, read->count, words);
	case 1:
		got = modbus_read_bits(line->modbus, read->address, read->count, bits);
		break;
	default:
		got = modbus_read_input_bits(line->modbus, read->address, read->count, bits);
		break;
	}
	for (int i = 0; i < got; i++)
		words[i] = bits[i];
	return got;
}

static void poll_entry(struct bus_line *line, const struct schedule_choice *choice)
{
	const struct bus_read *read = &line->schedule.entries[choice->entry].read;
	struct bus_result r = {.line = line->id, .tag = read->tag, .unit = read->unit, .count = read->count};

	keep_gap(line, read->gap_ms);
	(void)modbus_set_slave(line->modbus, read->unit);
	set_timeout(line->modbus, choice->timeout_us);
	int64_t started = clock_mono_us();
	int got = do_read(line, read, r.words);
	/* libmodbus gives what was asked for, or fails: anything else is no answer to this request. */
	if (got >= 0 && got != read->count) {
		got = -1;
		errno = EMBBADDATA;
	}
	conclude(line, &r, got, started);
	int alive = r.status == BUS_OK || r.status == BUS_EXCEPTION;
	int moved = schedule_done(&line->schedule, choice->entry, r.mono_us, alive);
	tell(line, &r, 0);
	if (moved)
		account_slow(line);
	if (moved == 1) {
		log_warning("bus: %s: unit %u: %s %d times: asked slowly from now on", line->config.name, read->unit,
			    bus_status_name((enum bus_status)r.status), SCHEDULE_FAILURES);
		tell_lost(line, read->unit);
	} else if (moved == 2) {
		log_notice("bus: %s: unit %u answers again", line->config.name, read->unit);
	}
}

static int do_write(struct bus_line *line, const struct bus_write *write)
{
	uint8_t bits[16];

	switch (write->function) {
	case 5:
		return modbus_write_bit(line->modbus, write->address, write->words[0] != 0);
	case 6:
		return modbus_write_register(line->modbus, write->address, write->words[0]);
	case 15:
		for (int i = 0; i < write->count; i++)
			bits[i] = write->words[i] != 0;
		return modbus_write_bits(line->modbus, write->address, write->count, bits);
	default:
		return modbus_write_registers(line->modbus, write->address, write->count, write->words);
	}
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

	while (take_write(line, &write, &deadline)) {
		struct bus_result r = {.line = line->id, .tag = write.tag, .unit = write.unit, .is_write = 1};
		int64_t now = clock_mono_us();

		r.mono_us = now;
		if (now > deadline) {
			r.status = BUS_TIMEOUT;
		} else if (!line->connected) {
			r.status = BUS_DISCONNECTED;
		} else {
			keep_gap(line, 0);
			(void)modbus_set_slave(line->modbus, write.unit);
			set_timeout(line->modbus, (int64_t)line->config.response_timeout_ms * 1000);
			now = clock_mono_us();
			conclude(line, &r, do_write(line, &write), now);
		}
		tell(line, &r, 1);
	}
}

static void *work(void *user)
{
	struct bus_line *line = user;

	while (!stopping(line)) {
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
		modbus_close(line->modbus);
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
	if (line->modbus)
		modbus_free(line->modbus);
	schedule_fini(&line->schedule);
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
	line->connect_backoff_us = connect_first_us;
	if (schedule_init(&line->schedule, reads, count, now, (uint32_t)now ^ (id * 2654435761u))) {
		(void)error_set(err, FC_ENOMEM, "bus: %s: no memory", config->name);
		free_line(line);
		return NULL;
	}
	line->stats.units = line->schedule.unit_count;
	line->modbus = protocols[config->kind].make(config);
	if (!line->modbus) {
		(void)error_set(err, FC_EINVAL, "bus: %s: %s", config->name, modbus_strerror(errno));
		free_line(line);
		return NULL;
	}
	/* We own the reconnect (peers.md, row 12): the library only reports. */
	(void)modbus_set_error_recovery(line->modbus, MODBUS_ERROR_RECOVERY_NONE);
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

int bus_line_write(struct bus_line *line, const struct bus_write *write)
{
	int result = FC_EBUSY;

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
