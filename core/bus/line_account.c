/* What a line's requests cost and tell: figures, the pace of units, the pause between them. */
#include "base/clock.h"
#include "base/log.h"
#include "base/usage.h"
#include "bus/exchange.h"
#include "bus/line_inside.h"

static const int64_t unit_gap_first_us = 10000, unit_gap_longest_us = 100000;
/* So many good answers in a row, and the pause is half as long. */
enum { UNIT_GAP_CALM = 1000 };
static const int64_t say_pace_again_us = 600000000;
static const int64_t look_us = 10000000;

/* A unit that grows slower the more it is asked is asked less (chargers.md 4, row 5). */
void line_watch_pace(struct bus_line *line, const struct made *m)
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

static void set_unit_gap(struct bus_line *line, int64_t us)
{
	line->unit_gap_us = us;
	pthread_mutex_lock(&line->lock);
	line->figures.line.unit_gap_ms = (uint32_t)(us / 1000);
	pthread_mutex_unlock(&line->lock);
}

/* Two that share a converter are kept further apart (chargers.md 4, row 6); a disturbance now and then must not slow the line down for
 * good. */
static void watch_unit_gap(struct bus_line *line, const struct bus_result *r, int foreign)
{
	int64_t longer = line->unit_gap_us ? line->unit_gap_us * 2 : unit_gap_first_us;

	if (foreign) {
		line->unit_gap_calm = 0;
		if (line->schedule.unit_count < 2 || line->unit_gap_us >= unit_gap_longest_us)
			return;
		if (!line->unit_gap_us)
			log_warning("bus: %s: unit %u was asked and another answered: a longer pause when the unit "
				    "changes",
				    line->config.name, r->unit);
		set_unit_gap(line, longer < unit_gap_longest_us ? longer : unit_gap_longest_us);
	} else if (line->unit_gap_us && r->status == BUS_OK && ++line->unit_gap_calm >= UNIT_GAP_CALM) {
		line->unit_gap_calm = 0;
		set_unit_gap(line, line->unit_gap_us / 2 >= unit_gap_first_us ? line->unit_gap_us / 2 : 0);
	}
}

void line_account(struct bus_line *line, const struct made *m)
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
	watch_unit_gap(line, &m->result, foreign > 0);
}

void line_account_retry(struct bus_line *line, uint8_t unit)
{
	pthread_mutex_lock(&line->lock);
	figures_retry(&line->figures, unit);
	pthread_mutex_unlock(&line->lock);
}

/* Whether what the plan wants fits at all: polls that are late or left out have a reason that can be said. */
void line_look_at_load(struct bus_line *line, int64_t now_us)
{
	if (now_us < line->look_at_us)
		return;
	line->look_at_us = now_us + look_us;
	usage_spare_stack();
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
