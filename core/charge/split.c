#include "charge/split.h"

#include <string.h>

void split_begin(struct split *s, const struct tariff *tariff, int64_t wall, int64_t register_wh)
{
	struct tariff_span span = tariff_at(tariff, wall);

	memset(s, 0, sizeof(*s));
	s->start_wall = s->last_wall = s->moved_wall = wall;
	s->start_register_wh = s->last_register_wh = register_wh;
	s->parts[0] = (struct split_part){wall, wall, 0, span.elec_e4, span.service_e4};
	s->count = 1;
}

/* Since when the energy may have come that a reading at wall shows: the last reading, or when the register moved last. */
static int64_t since(const struct split *s, int64_t wall)
{
	int64_t from = wall - SPLIT_STILL_S > s->moved_wall ? wall - SPLIT_STILL_S : s->moved_wall;

	return s->moved_wall && from < s->last_wall ? from : s->last_wall;
}

/* What the register tells was delivered since the last reading. */
static int64_t delivered(struct split *s, int64_t wall, int64_t register_wh, int64_t power_w)
{
	int64_t delta = register_wh - s->last_register_wh;
	int64_t seconds = wall - since(s, wall) + (s->away ? SPLIT_AWAY_S : 0);
	int64_t most = power_w * seconds / 3600 * 2 + SPLIT_SLACK_WH;

	if (delta < 0) {
		s->repairs |= SPLIT_RESET;
		delta = register_wh;
	}
	if (delta < 0 || delta > most) {
		s->repairs |= SPLIT_JUMP;
		return 0;
	}
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
	if (register_wh != s->last_register_wh)
		s->moved_wall = wall;
	s->last_register_wh = register_wh;
	return delta;
}

void split_register(struct split *s, int64_t register_wh)
{
	s->last_register_wh = register_wh;
	s->repairs |= SPLIT_METER;
}
