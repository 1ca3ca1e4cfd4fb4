#include "control/trace_walk.h"

#include <stdlib.h>
#include <string.h>

/* So many frames are looked at; what is masked depends on so many before them (a BRM takes some 20 of its own line). */
enum { LOOK_MAX = 6000, BEFORE = 500 };

/* All of them once: a page has hundreds of frames. FC_OK, FC_ENOMEM. */
static int find_lines(struct trace_walk *p)
{
	const struct device_set *devices = p->control->sources.devices;
	const char *name;
	int n = 0;

	while (bus_line_name_at(p->control, n))
		n++;
	p->lines = calloc((size_t)n + 1, sizeof(*p->lines));
	if (!p->lines)
		return FC_ENOMEM;
	for (; p->line_count < n && (name = bus_line_name_at(p->control, p->line_count)); p->line_count++)
		p->lines[p->line_count] = (struct trace_walk_line){device_line_id(devices, p->line_count), name};
	return FC_OK;
}

/* NULL: closed meanwhile. */
static const char *name_of(const struct trace_walk *p, uint32_t id)
{
	for (int i = 0; i < p->line_count; i++)
		if (p->lines[i].id == id)
			return p->lines[i].name;
	return NULL;
}

static void add_range(void *user, uint8_t unit, uint8_t function, uint16_t address, uint16_t words)
{
	struct trace_walk *p = user;

	trace_mask_add(&p->mask, p->mask_line, unit, function, address, words);
}

static void begin_mask(struct trace_walk *p)
{
	trace_mask_init(&p->mask);
	for (int i = 0; i < p->line_count; i++) {
		p->mask_line = p->lines[i].id;
		device_personal(p->control->sources.devices, i, add_range, p);
	}
	p->crowded = p->mask.all_registers;
}

/* What was personal on a line that a reload has closed nobody knows any more. */
static int mask(struct trace_walk *p, struct trace_entry *e)
{
	p->mask.all_registers = p->crowded || !name_of(p, e->line);
	return trace_mask_apply(&p->mask, e);
}

static int is_wanted(const struct trace_walk *p, const struct trace_entry *e)
{
	return (!p->line || e->line == p->line) && (p->unit < 0 || trace_unit(e) == p->unit);
}

int trace_walk_filter(struct trace_walk *p, const struct control_reply *reply, struct error *err)
{
	p->unit = (int)control_int(reply, "unit", -1);
	if (!control_text(reply, "line"))
		return FC_OK;
	int index, result = bus_find_line(p->control, reply, &index, err);
	if (!result)
		p->line = device_line_id(p->control->sources.devices, index);
	return result || p->line ? result : error_set(err, FC_ENOENT, "the line is not open");
}

int trace_walk(struct trace_walk *p, uint64_t after, uint64_t *last)
{
	struct bus_trace *trace = p->control->sources.trace;
	uint64_t at = after > BEFORE ? after - BEFORE : 0, gap;
	struct trace_entry e;

	if (find_lines(p))
		return FC_ENOMEM;
	begin_mask(p);
	/* A frame behind after that is the first to be had: all between them is gone. */
	p->lost = 0;
	for (int n = 0; n < LOOK_MAX + BEFORE && p->count < p->most; n++) {
		if (trace_next(trace, at, &e, &gap))
			break;
		if (after && at <= after && e.number > after + 1)
			p->lost += e.number - after - 1;
		else if (at > after)
			p->lost += gap;
		at = e.number;
		int masked = !p->raw && mask(p, &e);
		if (e.number <= after || !is_wanted(p, &e))
			continue;
		p->put(p->user, &e, name_of(p, e.line), masked);
		p->count++;
	}
	*last = at > after ? at : after;
	free(p->lines);
	p->lines = NULL;
	return FC_OK;
}
