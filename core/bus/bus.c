#include "bus/bus.h"

#include <stdlib.h>
#include <string.h>

#include "bus/handover.h"
#include "bus/line.h"
#include "bus/trace.h"

enum { LINES_FIRST = 16 };

struct bus {
	void (*result)(void *user, const struct bus_result *result);
	void *user;
	void (*by_hand)(void *user, const struct bus_result *result);
	void *by_hand_user;
	struct handover handover;
	struct bus_trace *trace;
	struct bus_line **lines;
	size_t count, size;
	uint32_t next_id;
	struct bus_line *ending; /* closed; their workers have not ended yet, or have not been let go */
};

/* On a worker's thread. */
static int sink(void *user, const struct bus_result *result, int must)
{
	struct bus *bus = user;

	return handover_put(&bus->handover, result, must);
}

static int is_open(const struct bus *bus, uint32_t id)
{
	for (size_t i = 0; i < bus->count; i++)
		if (bus_line_id(bus->lines[i]) == id)
			return 1;
	return 0;
}

static int same_endpoint(const struct bus_line_config *a, const struct bus_line_config *b)
{
	if (a->kind != b->kind)
		return 0;
	if (a->kind == BUS_RTU)
		return !strcmp(a->device, b->device);
	return a->port == b->port && !strcmp(a->host, b->host);
}

/* Somebody's worker may have that endpoint open still. */
static int is_ending(const struct bus *bus, const struct bus_line_config *config)
{
	for (const struct bus_line *l = bus->ending; l; l = line_next(l))
		if (same_endpoint(line_config(l), config))
			return 1;
	return 0;
}

/* Lets those go whose workers have ended; who waited for their endpoints may connect. */
static void let_go(struct bus *bus)
{
	struct bus_line *list = bus->ending;
	int gone = 0;

	bus->ending = NULL;
	while (list) {
		struct bus_line *line = list;

		list = line_next(line);
		if (line_has_ended(line)) {
			line_join(line);
			gone++;
			continue;
		}
		line_set_next(line, bus->ending);
		bus->ending = line;
	}
	for (size_t i = 0; gone && i < bus->count; i++)
		if (!is_ending(bus, line_config(bus->lines[i])))
			line_may_begin(bus->lines[i]);
}

/* On the loop. A result of a line that was closed meanwhile finds nobody. */
static void deliver(void *user)
{
	struct bus *bus = user;
	struct bus_result result;

	if (bus->ending)
		let_go(bus);
	while (!handover_take(&bus->handover, &result)) {
		if (!is_open(bus, result.line))
			continue;
		if (!result.by_hand)
			bus->result(bus->user, &result);
		else if (bus->by_hand)
			bus->by_hand(bus->by_hand_user, &result);
	}
}

struct bus *bus_new(struct loop *loop, void (*result)(void *user, const struct bus_result *result), void *user,
		    struct error *err)
{
	struct bus *bus = calloc(1, sizeof(*bus));

	if (bus)
		bus->trace = trace_new(0);
	if (!bus || !bus->trace) {
		free(bus);
		(void)error_set(err, FC_ENOMEM, "bus: no memory");
		return NULL;
	}
	bus->result = result;
	bus->user = user;
	if (handover_start(&bus->handover, loop, deliver, bus, err)) {
		trace_free(bus->trace);
		free(bus);
		return NULL;
	}
	return bus;
}

void bus_set_by_hand(struct bus *bus, void (*result)(void *user, const struct bus_result *result), void *user)
{
	bus->by_hand = result;
	bus->by_hand_user = user;
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	while (bus->count)
		bus_line_close(bus->lines[bus->count - 1]);
	while (bus->ending) {
		struct bus_line *line = bus->ending;

		bus->ending = line_next(line);
		line_join(line);
	}
	handover_stop(&bus->handover);
	trace_free(bus->trace);
	free(bus->lines);
	free(bus);
}

struct bus_trace *bus_trace(struct bus *bus)
{
	return bus->trace;
}

uint32_t bus_other_id(struct bus *bus)
{
	return ++bus->next_id;
}

static int check_reads(const struct bus_line_config *config, const struct bus_read *reads, uint32_t count,
		       struct error *err)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct bus_read *r = &reads[i];

		if (!bus_unit_valid(config->kind, r->unit))
			return error_set(err, FC_EINVAL, "bus: %s: unit %u is not allowed on this line", config->name,
					 r->unit);
		if (!line_read_possible(config, r) || r->period_ms < 100 || r->period_ms > 3600000)
			return error_set(err, FC_EINVAL,
					 "bus: %s: unit %u: read of %u at %u by function %u is not allowed",
					 config->name, r->unit, r->count, r->address, r->function);
	}
	return FC_OK;
}

static int make_room(struct bus *bus)
{
	if (bus->count < bus->size)
		return FC_OK;
	size_t size = bus->size ? bus->size * 2 : LINES_FIRST;
	struct bus_line **lines = realloc(bus->lines, size * sizeof(struct bus_line *));
	if (!lines)
		return FC_ENOMEM;
	bus->lines = lines;
	bus->size = size;
	return FC_OK;
}

struct bus_line *bus_line_open(struct bus *bus, const struct bus_line_config *config, const struct bus_read *reads,
			       uint32_t count, struct error *err)
{
	for (size_t i = 0; i < bus->count; i++)
		if (same_endpoint(line_config(bus->lines[i]), config)) {
			(void)error_set(err, FC_EEXIST, "bus: %s: that endpoint is open already as %s", config->name,
					bus_line_name(bus->lines[i]));
			return NULL;
		}
	if (check_reads(config, reads, count, err))
		return NULL;
	if (make_room(bus)) {
		(void)error_set(err, FC_ENOMEM, "bus: no memory");
		return NULL;
	}
	struct bus_line *line =
	    line_start(++bus->next_id, config, reads, count, is_ending(bus, config), bus->trace, sink, bus, err);
	if (!line)
		return NULL;
	line_set_owner(line, bus);
	bus->lines[bus->count++] = line;
	return line;
}

int bus_line_replan(struct bus_line *line, const struct bus_read *reads, uint32_t count, struct error *err)
{
	int result = check_reads(line_config(line), reads, count, err);

	return result ? result : line_replan(line, reads, count, err);
}

void bus_line_close(struct bus_line *line)
{
	struct bus *bus = line_owner(line);

	for (size_t i = 0; i < bus->count; i++) {
		if (bus->lines[i] != line)
			continue;
		memmove(&bus->lines[i], &bus->lines[i + 1], (bus->count - i - 1) * sizeof(struct bus_line *));
		bus->count--;
		break;
	}
	line_set_next(line, bus->ending);
	bus->ending = line;
	line_end(line);
}

int bus_ending(const struct bus *bus)
{
	int n = 0;

	for (const struct bus_line *l = bus->ending; l; l = line_next(l))
		n++;
	return n;
}
