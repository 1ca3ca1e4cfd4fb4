#include "charge/trace.h"

#include <string.h>

static void remove_point(struct trace *t, int at)
{
	size_t behind = (size_t)(t->count - at - 1);

	memmove(&t->points[at], &t->points[at + 1], behind * sizeof(t->points[0]));
	memmove(&t->exact[at], &t->exact[at + 1], behind * sizeof(t->exact[0]));
	t->count--;
}

/* Makes room for a point behind: what is nearer than step_s to the one kept before it goes, but nothing exact. */
static void thin(struct trace *t)
{
	while (t->count > TRACE_POINTS * 3 / 4 && t->step_s < INT32_MAX / 2) {
		int kept = 0;

		t->step_s = t->step_s ? 2 * t->step_s : 2;
		for (int i = 1; i < t->count; i++) {
			if (t->exact[i] || t->points[i].s - t->points[kept].s >= t->step_s) {
				kept++;
				t->points[kept] = t->points[i];
				t->exact[kept] = t->exact[i];
			}
		}
		t->count = kept + 1;
	}
}

static void add_point(struct trace *t, struct trace_point p, int exact)
{
	if (t->count == TRACE_POINTS)
		thin(t);
	/* Only if nearly all were exact, and there are no more borders than parts. */
	if (t->count == TRACE_POINTS)
		return;
	t->points[t->count] = p;
	t->exact[t->count++] = (unsigned char)(exact != 0);
}

static struct trace_point point_at(const struct split *split, int64_t wall, int64_t wh)
{
	return (struct trace_point){(int32_t)(wall - split->start_wall), (int32_t)wh};
}

/* A border is known once there is a reading behind it: the points before it are older, the last one perhaps not. */
static void add_border(struct trace *t, struct trace_point border)
{
	while (t->count && t->points[t->count - 1].s >= border.s && !t->exact[t->count - 1])
		remove_point(t, t->count - 1);
	if (!t->count || t->points[t->count - 1].s < border.s)
		add_point(t, border, 1);
}

/* The newest reading takes the place of the one before, unless that is far enough from its own neighbour to stay. */
static void add_reading(struct trace *t, struct trace_point p)
{
	struct trace_point *last = &t->points[t->count - 1];

	if (last->s >= p.s) {
		last->wh = p.wh;
		return;
	}
	if (t->count > 1 && !t->exact[t->count - 1] && last->s - last[-1].s < t->step_s)
		*last = p;
	else
		add_point(t, p, 0);
}

void trace_follow(struct trace *t, const struct split *split)
{
	int64_t wh = 0;

	/* No charge is that long or that large; without a trace its order is still right. */
	if (split->last_wall - split->start_wall > INT32_MAX || split->total_wh > INT32_MAX) {
		memset(t, 0, sizeof(*t));
		return;
	}
	if (!t->count) {
		t->parts = 1;
		t->step_s = 0;
		add_point(t, (struct trace_point){0, 0}, 1);
	}
	for (int i = 0; i < split->count; i++) {
		if (i >= t->parts)
			add_border(t, point_at(split, split->parts[i].start_wall, wh));
		wh += split->parts[i].wh;
	}
	t->parts = split->count;
	add_reading(t, point_at(split, split->last_wall, wh));
}

int trace_fits(const struct trace *t, const struct split *split)
{
	if (t->count < 1 || t->points[0].s || t->points[0].wh < 0)
		return 0;
	for (int i = 1; i < t->count; i++)
		if (t->points[i].s <= t->points[i - 1].s || t->points[i].wh < t->points[i - 1].wh)
			return 0;
	const struct trace_point *last = &t->points[t->count - 1];
	return last->s == split->last_wall - split->start_wall && last->wh == split->total_wh;
}

void trace_split(const struct trace *t, const struct tariff *tariff, int64_t start_wall, struct split *out)
{
	int64_t wh = 0;

	split_begin(out, tariff, start_wall, 0);
	for (int i = 0; i < t->count; i++) {
		split_energy(out, tariff, start_wall + t->points[i].s, t->points[i].wh - wh);
		wh = t->points[i].wh;
	}
}

void trace_from_parts(struct trace *t, const struct split *split)
{
	memset(t, 0, sizeof(*t));
	trace_follow(t, split);
}
