/* A line's connection: opened, lost, given back, and who is told of it; and the worker's waiting. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/exchange.h"
#include "bus/line_inside.h"

static const int64_t connect_first_us = 1000000;
static const int64_t connect_last_us = 60000000;
static const int64_t flaps_within_us = 300000000, say_again_us = 3600000000;
/* A slot is given back when nothing is due within this time, and no command came for that. */
/* The kernel waits so long for the last bytes of a serial port that is closed (serial core, closing_wait), and a name that has to be
 * looked up takes three servers, each asked twice for two kinds of address, 5 s each (resolv.conf). */
static const int64_t own_us = 5000000, closing_us = 35000000, lookup_us = 60000000;
static const int64_t release_slack_us = 200000, release_after_us = 5000000;

void line_at_work(struct bus_line *line)
{
	progress_work(&line->progress, own_us);
}

void line_at_close(struct bus_line *line)
{
	progress_work(&line->progress, closing_us);
}

/* Hands a result over; what is dropped is counted. */
void line_tell(struct bus_line *line, const struct bus_result *result, int must)
{
	static const struct timespec moment = {.tv_nsec = 5000000};
	int full = line->sink(line->user, result, must);

	line->untold |= !must;
	/* The loop empties the queue; of a line that ends nobody wants to hear any more. */
	while (full && must && !line_stopping(line)) {
		line_at_work(line);
		(void)nanosleep(&moment, NULL);
		full = line->sink(line->user, result, must);
	}
	if (!full)
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
	if (line->figures.line.connected != connected)
		line->figures.line.since_wall = clock_wall();
	line->figures.line.connected = connected;
	if (connected)
		line->why[0] = '\0';
	pthread_mutex_unlock(&line->lock);
}

/* The loop hears of results while the worker waits: for the next answer, or for the next request's time. */
void line_announce(void *user)
{
	struct bus_line *line = user;

	if (line->untold)
		(void)line->sink(line->user, NULL, 0);
	line->untold = 0;
}

/* Waits until us from now, the end, or with for_requests: a request that may be sent, or other reads. */
void line_wait(struct bus_line *line, int64_t us, int for_requests)
{
	int64_t now = clock_mono_us(), end = now + us, later;

	if (us <= 0)
		return;
	line_announce(line);
	progress_rest(&line->progress);
	pthread_mutex_lock(&line->lock);
	while (now < end && !line->stop) {
		int64_t until = end;

		if (for_requests) {
			if (line->next || requests_next(&line->requests, now, &later) >= 0)
				break;
			until = later < end - now ? now + later : end;
		}
		struct timespec at = {.tv_sec = until / 1000000, .tv_nsec = (long)(until % 1000000 * 1000)};
		(void)pthread_cond_timedwait(&line->wake, &line->lock, &at);
		now = clock_mono_us();
	}
	pthread_mutex_unlock(&line->lock);
	line_at_work(line);
}

int line_stopping(struct bus_line *line)
{
	return atomic_load(&line->stop);
}

void line_note_asked(struct bus_line *line)
{
	atomic_store(&line->asked, line->next || line->requests.count);
}

/* Every read of a unit (or of all, unit -1) is told that there is no getting through. */
void line_tell_lost(struct bus_line *line, int unit)
{
	struct bus_result result = {.line = line->id, .status = BUS_DISCONNECTED, .mono_us = clock_mono_us()};

	for (uint32_t i = 0; i < line->schedule.count; i++) {
		const struct schedule_entry *e = &line->schedule.entries[i];

		if (unit >= 0 && e->read.unit != unit)
			continue;
		result.tag = e->read.tag;
		result.unit = e->read.unit;
		line_tell(line, &result, 1);
	}
}

/* Some devices do not live through a connection a second (chargers.md 4, row 21); a serial port does not mind. */
static int64_t reconnect_us(const struct bus_line *line)
{
	return line->config.kind == BUS_TCP ? (int64_t)line->config.reconnect_ms * 1000 : 0;
}

int64_t line_backoff_us(const struct bus_line *line)
{
	return reconnect_us(line) > connect_first_us ? reconnect_us(line) : connect_first_us;
}

/* Once in the log when the line goes, once when it comes back: not at each try. */
static void stay_away(struct bus_line *line, const char *why)
{
	line->connect_at_us = clock_mono_us() + schedule_jitter(&line->schedule.random, line->connect_backoff_us);
	line->connect_backoff_us =
	    line->connect_backoff_us * 2 < connect_last_us ? line->connect_backoff_us * 2 : connect_last_us;
	pthread_mutex_lock(&line->lock);
	(void)snprintf(line->why, sizeof(line->why), "%s", why);
	pthread_mutex_unlock(&line->lock);
	if (line->said_down)
		return;
	line->said_down = 1;
	log_warning("bus: %s: %s", line->config.name, why);
	line_tell_lost(line, -1);
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
	line_at_close(line);
	exchange_close(line->exchange);
	line_at_work(line);
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

void line_connect(struct bus_line *line)
{
	char why[320];
	int released = line->released;

	/* Connecting may take seconds. */
	line_announce(line);
	line->released = 0;
	line->connected_us = clock_mono_us();
	progress_work(&line->progress, (int64_t)line->config.connect_timeout_ms * 1000 +
					   (line->config.kind == BUS_TCP ? lookup_us : own_us));
	int failed = exchange_connect(line->exchange), code = errno;
	line_at_work(line);
	if (failed) {
		exchange_connect_error(line->exchange, code, why, sizeof(why));
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
int line_release(struct bus_line *line, int64_t wait_us)
{
	int64_t now = clock_mono_us();

	if (!line->config.release_ms || line->config.kind != BUS_TCP || wait_us < release_slack_us ||
	    now - line->requested_us < release_after_us)
		return 0;
	line_at_close(line);
	exchange_close(line->exchange);
	line_at_work(line);
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
	line->connect_backoff_us = line_backoff_us(line);
	if (line->said_down)
		log_notice("bus: %s: connected again", line->config.name);
	line->said_down = 0;
}

void line_recover(struct bus_line *line, enum bus_status status)
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

int line_next_request(struct bus_line *line, struct request *request)
{
	int64_t later;

	if (!atomic_load(&line->asked))
		return -1;
	pthread_mutex_lock(&line->lock);
	int place = requests_next(&line->requests, clock_mono_us(), &later);
	if (place >= 0)
		*request = line->requests.list[place];
	pthread_mutex_unlock(&line->lock);
	return place;
}

/* A request does not wait until the others' time is over. */
int line_may_connect(struct bus_line *line)
{
	struct request request;
	int64_t now = clock_mono_us();

	if (!line->released)
		return now >= line->connect_at_us;
	return (now >= line->connect_at_us && schedule_wait_us(&line->schedule, now) <= 0) ||
	       line_next_request(line, &request) >= 0;
}

/* How long there is nothing to do while the line is not open. */
int64_t line_away_us(struct bus_line *line)
{
	int64_t now = clock_mono_us(), wait = line->connect_at_us - now;
	int64_t due = line->released ? schedule_wait_us(&line->schedule, now) : 0;

	return wait > due ? wait : due;
}
