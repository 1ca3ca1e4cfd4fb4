#include "charge/split.h"

#include <string.h>

enum { LONGEST_S = 366 * 86400 };
static const int64_t step_ws = (int64_t)SPLIT_SLACK_WH * 3600;

void split_begin(struct split *s, const struct tariff *tariff, int64_t wall, int64_t register_wh)
{
	struct tariff_span span = tariff_at(tariff, wall);

	memset(s, 0, sizeof(*s));
	s->start_wall = s->last_wall = wall;
	s->spare_ws = -1;
	s->start_register_wh = s->last_register_wh = register_wh;
	s->parts[0] = (struct split_part){wall, wall, 0, span.elec_e4, span.service_e4};
	s->count = 1;
}

/* W s that may have been delivered by wall since the last reading, and what is left from before. */
static int64_t believable(const struct split *s, int64_t wall, int64_t power_w)
{
	int64_t full = step_ws + SPLIT_AHEAD * power_w * SPLIT_STILL_S;
	int64_t spare = s->spare_ws < 0 || s->spare_ws > full ? full : s->spare_ws;
	int64_t seconds = wall - s->last_wall + (s->away ? SPLIT_AWAY_S : 0);

	/* A clock that jumped by years is no reason to overflow. */
	seconds = seconds > LONGEST_S ? LONGEST_S : seconds;
	return spare + SPLIT_AHEAD * power_w * seconds;
}

/* Not believed: the next reading has a step of the register to its credit, at most. */
static int64_t doubt(struct split *s, int64_t register_wh, int64_t ws)
{
	s->repairs |= SPLIT_JUMP;
	s->doubted = s->last_register_wh >= 0 && register_wh > s->last_register_wh;
	s->before_wh = s->last_register_wh;
	s->last_register_wh = register_wh;
	s->spare_ws = ws < step_ws ? ws : step_ws;
	return 0;
}

/* What the register tells was delivered since the last reading. */
static int64_t delivered(struct split *s, int64_t wall, int64_t register_wh, int64_t power_w)
{
	int64_t ws = believable(s, wall, power_w), most = ws / 3600, delta;

	/* The reading before was a wrong one, and this goes on from what was before it. */
	if (s->doubted && register_wh < s->last_register_wh && register_wh >= s->before_wh &&
	    register_wh - s->before_wh <= most)
		s->last_register_wh = s->before_wh;
	s->doubted = 0;
	if (__builtin_sub_overflow(register_wh, s->last_register_wh, &delta))
		return doubt(s, register_wh, ws);
	if (delta < 0 && register_wh > most && delta >= -SPLIT_SLACK_WH) {
		/* A step back that no reset explains: read wrong, or of a moment before. What it counts again is not billed again. */
		s->repairs |= SPLIT_JUMP;
		delta = 0;
		register_wh = s->last_register_wh;
	} else if (delta < 0) {
		s->repairs |= SPLIT_RESET;
		delta = register_wh;
	}
	if (delta > most)
		return doubt(s, register_wh, ws);
	s->spare_ws = ws - delta * 3600;
	/* What is left of a time that nobody knows is no time. */
	if (s->away && s->spare_ws > step_ws)
		s->spare_ws = step_ws;
	s->last_register_wh = register_wh;
	return delta;
}

/* The next period begins. When there is no room left it goes into the line of the same prices, else into the last. */
static struct split_part *next_part(struct split *s, const struct tariff_span *span)
{
	struct split_part *last = &s->parts[s->count - 1];

	/* A border between two periods of the same price is none. */
	if (last->elec_e4 == span->elec_e4 && last->service_e4 == span->service_e4)
		return last;
	if (s->count < SPLIT_PARTS) {
		struct split_part *part = &s->parts[s->count++];

		*part = (struct split_part){span->start_wall, span->start_wall, 0, span->elec_e4, span->service_e4};
		return part;
	}
	s->repairs |= SPLIT_MERGED;
	return last;
}

void split_energy(struct split *s, const struct tariff *tariff, int64_t wall, int64_t wh)
{
	int64_t begin = s->last_wall, done = 0;
	struct split_part *part = &s->parts[s->count - 1];

	for (int64_t at = begin; at < wall;) {
		struct tariff_span span = tariff_at(tariff, at);
		int64_t end = span.end_wall < wall ? span.end_wall : wall;

		if (at > begin || at == span.start_wall)
			part = next_part(s, &span);
		/* Of the whole up to here, rounded down, minus what is given out: nothing is lost or made. */
		int64_t upto = end == wall ? wh : wh * (end - begin) / (wall - begin);
		part->wh += upto - done;
		part->end_wall = end;
		done = upto;
		at = end;
	}
	/* Two readings within the same second. */
	part->wh += wh - done;
	s->total_wh += wh;
	if (wall > s->last_wall)
		s->last_wall = wall;
}

int64_t split_reading(struct split *s, const struct tariff *tariff, int64_t wall, int64_t register_wh, int64_t power_w)
{
	if (wall < s->last_wall)
		wall = s->last_wall;
	if (register_wh < 0 || register_wh > SPLIT_MOST_WH) {
		s->repairs |= SPLIT_JUMP;
		return 0;
	}
	if (s->unread) {
		s->unread = 0;
		s->repairs |= SPLIT_LATE;
		s->start_register_wh = s->last_register_wh = register_wh;
	}
	int64_t delta = delivered(s, wall, register_wh, power_w);

	if (s->away || wall - s->last_wall > SPLIT_GAP_S)
		s->repairs |= SPLIT_GAP;
	s->away = 0;
	split_energy(s, tariff, wall, delta);
	return delta;
}

void split_register(struct split *s, int64_t register_wh)
{
	s->last_register_wh = register_wh;
	s->repairs |= SPLIT_METER;
}
