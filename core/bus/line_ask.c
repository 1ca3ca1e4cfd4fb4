/* What other threads ask of a line: requests, another plan, figures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bus/line_inside.h"
#include "bus/wire.h"

void line_plan_free(struct line_plan *plan)
{
	if (!plan)
		return;
	schedule_fini(&plan->schedule);
	free(plan->units);
	free(plan);
}

struct line_plan *line_plan_new(const struct bus_line_config *config, uint32_t id, const struct bus_read *reads,
				uint32_t count)
{
	struct line_plan *plan = calloc(1, sizeof(*plan));
	int64_t now = clock_mono_us();

	if (!plan)
		return NULL;
	plan->units = figures_units(reads, count, &plan->unit_count);
	if (!plan->units || schedule_init(&plan->schedule, reads, count, now, (uint32_t)now ^ (id * 2654435761u))) {
		line_plan_free(plan);
		return NULL;
	}
	/* Until they have been measured: what they take on the wire, and the silence before them. */
	for (uint32_t i = 0; i < count; i++)
		plan->schedule.entries[i].cost_us =
		    wire_us(config, reads[i].function, reads[i].count) + wire_silence_us(config);
	return plan;
}

int line_replan(struct bus_line *line, const struct bus_read *reads, uint32_t count, struct error *err)
{
	struct line_plan *plan = line_plan_new(&line->config, line->id, reads, count);

	if (!plan)
		return error_set(err, FC_ENOMEM, "bus: %s: no memory", line->config.name);
	pthread_mutex_lock(&line->lock);
	struct line_plan *unused = line->next;
	line->next = plan;
	line_note_asked(line);
	pthread_cond_signal(&line->wake);
	pthread_mutex_unlock(&line->lock);
	line_plan_free(unused);
	return FC_OK;
}

static int put(struct bus_line *line, const struct request *request)
{
	pthread_mutex_lock(&line->lock);
	int result = requests_put(&line->requests, request);
	line_note_asked(line);
	if (!result)
		pthread_cond_signal(&line->wake);
	pthread_mutex_unlock(&line->lock);
	return result;
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
	struct request r = {.write = *write, .deadline_us = clock_mono_us() + (int64_t)write->deadline_ms * 1000};

	return is_possible(line, write) ? put(line, &r) : FC_EINVAL;
}

int line_read_possible(const struct bus_line_config *config, const struct bus_read *r)
{
	return bus_unit_valid(config->kind, r->unit) && r->function >= 1 && r->function <= 4 && r->count &&
	       r->count <= BUS_WORDS_MAX && (uint32_t)r->address + r->count <= 65536;
}

int bus_line_read(struct bus_line *line, const struct bus_read *read)
{
	struct request r = {
	    .is_read = 1, .read = *read, .deadline_us = clock_mono_us() + (int64_t)read->period_ms * 1000};

	/* Who asks by hand knows no meter's number, and any meter may answer to none. */
	if (line->config.framing == BUS_FRAMING_DLT645 || !line_read_possible(&line->config, read))
		return FC_EINVAL;
	return put(line, &r);
}

/* The lock is the only thing that a look changes. */
static struct bus_line *locked(const struct bus_line *line)
{
	struct bus_line *looked = (struct bus_line *)(size_t)line;

	pthread_mutex_lock(&looked->lock);
	return looked;
}

void bus_line_get_stats(const struct bus_line *line, struct bus_line_stats *stats)
{
	struct bus_line *looked = locked(line);

	figures_get_line(&looked->figures, clock_mono_us(), stats);
	pthread_mutex_unlock(&looked->lock);
}

int64_t bus_line_stuck_us(struct bus_line *line, int64_t now_us)
{
	return progress_stuck_us(&line->progress, now_us);
}

int bus_line_get_units(const struct bus_line *line, struct bus_unit_stats *units, int most)
{
	struct bus_line *looked = locked(line);
	int n = 0;

	for (; n < most && (uint32_t)n < looked->figures.unit_count; n++)
		figures_get_unit(&looked->figures.units[n], clock_mono_us(), &units[n]);
	pthread_mutex_unlock(&looked->lock);
	return n;
}

void bus_line_why(const struct bus_line *line, char *out, size_t size)
{
	struct bus_line *looked = (struct bus_line *)line;

	pthread_mutex_lock(&looked->lock);
	(void)snprintf(out, size, "%s", line->why);
	pthread_mutex_unlock(&looked->lock);
}
