/* Lines without a wire (ld's --wrap, fuzz.mk): what is to be read is looked up in a table when world_bus_answer is called, what is
 * written goes there. */
#include "world_bus.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "fuzz.h"
#include "world.h"

enum { LINES = 8, READS = 64, WAITING = 32, COMMAND = 40 }; /* the last: core/sim/README.md */

static uint16_t registers[WORLD_UNITS][WORLD_REGISTERS];

struct bus_line {
	uint32_t id;
	struct bus_line_config config;
	struct bus_read reads[READS];
	uint32_t count;
	struct bus_result waiting[WAITING];
	int waiting_count;
};
static struct bus_line *lines[LINES];
static uint32_t last_id;
static void (*by_hand)(void *user, const struct bus_result *result);
static void *by_hand_user;

void world_bus_clear(void)
{
	memset(registers, 0, sizeof(registers));
}

void world_set(unsigned unit, unsigned address, unsigned value)
{
	registers[(unit + WORLD_UNITS - 1) % WORLD_UNITS][address % WORLD_REGISTERS] = (uint16_t)value;
}

unsigned world_register(unsigned unit, unsigned address)
{
	return registers[(unit + WORLD_UNITS - 1) % WORLD_UNITS][address % WORLD_REGISTERS];
}

/* As core/sim's charger does it: a start makes it charge where a car is plugged in, a stop ends that. */
static void obey(unsigned unit, unsigned address, unsigned value)
{
	unsigned state = address - COMMAND;

	if (address % 100 != COMMAND)
		return;
	if (value == 1 && world_register(unit, state) == 1)
		world_set(unit, state, 2);
	if (value == 2 && world_register(unit, state) == 2)
		world_set(unit, state, 3);
}

static struct bus_result read_registers(const struct bus_line *line, const struct bus_read *read)
{
	struct bus_result r = {.line = line->id, .tag = read->tag, .unit = read->unit, .mono_us = clock_mono_us()};

	r.latency_us = 1000;
	if (read->unit < 1 || read->unit > WORLD_UNITS) {
		r.status = BUS_TIMEOUT;
		return r;
	}
	if (read->address + read->count > WORLD_REGISTERS) {
		r.status = BUS_EXCEPTION;
		r.exception = 2;
		return r;
	}
	r.status = BUS_OK;
	r.count = read->count;
	for (unsigned i = 0; i < read->count; i++)
		r.words[i] = (uint16_t)world_register(read->unit, read->address + i);
	return r;
}

static int wait_for(struct bus_line *line, const struct bus_result *result)
{
	if (line->waiting_count == WAITING)
		return FC_EBUSY;
	line->waiting[line->waiting_count++] = *result;
	return FC_OK;
}

void world_bus_answer(struct device_set *devices)
{
	for (int i = 0; i < LINES; i++) {
		struct bus_line *line = lines[i];
		struct bus_result waiting[WAITING];

		if (!line)
			continue;
		int count = line->waiting_count;
		memcpy(waiting, line->waiting, sizeof(waiting));
		line->waiting_count = 0;
		for (int w = 0; w < count; w++)
			if (!waiting[w].by_hand)
				device_set_result(devices, &waiting[w]);
			else if (by_hand)
				by_hand(by_hand_user, &waiting[w]);
		/* A result may close or replan its line. */
		for (uint32_t r = 0; lines[i] == line && r < line->count; r++) {
			const struct bus_result result = read_registers(line, &line->reads[r]);

			device_set_result(devices, &result);
		}
	}
}

/* In place of the bus ------------------------------------------------------------------------------------------------ */

struct bus_line *__wrap_bus_line_open(struct bus *bus, const struct bus_line_config *config,
				      const struct bus_read *reads, uint32_t count, struct error *err);
int __wrap_bus_line_replan(struct bus_line *line, const struct bus_read *reads, uint32_t count, struct error *err);
void __wrap_bus_line_close(struct bus_line *line);
uint32_t __wrap_bus_line_id(const struct bus_line *line);
const char *__wrap_bus_line_name(const struct bus_line *line);
int __wrap_bus_line_write(struct bus_line *line, const struct bus_write *write);
int __wrap_bus_line_read(struct bus_line *line, const struct bus_read *read);
void __wrap_bus_line_why(const struct bus_line *line, char *out, size_t size);
void __wrap_bus_line_get_stats(const struct bus_line *line, struct bus_line_stats *stats);
int __wrap_bus_line_get_units(const struct bus_line *line, struct bus_unit_stats *units, int most);
int64_t __wrap_bus_line_stuck_us(struct bus_line *line, int64_t now_us);
void __wrap_bus_set_by_hand(struct bus *bus, void (*result)(void *user, const struct bus_result *result), void *user);

int __wrap_bus_line_replan(struct bus_line *line, const struct bus_read *reads, uint32_t count, struct error *err)
{
	(void)err;
	fuzz_check(count <= READS);
	if (count)
		memcpy(line->reads, reads, count * sizeof(*reads));
	line->count = count;
	return FC_OK;
}

struct bus_line *__wrap_bus_line_open(struct bus *bus, const struct bus_line_config *config,
				      const struct bus_read *reads, uint32_t count, struct error *err)
{
	struct bus_line *line = calloc(1, sizeof(*line));
	int at = 0;

	(void)bus;
	fuzz_check(line);
	while (at < LINES && lines[at])
		at++;
	fuzz_check(at < LINES);
	lines[at] = line;
	line->id = ++last_id;
	line->config = *config;
	(void)__wrap_bus_line_replan(line, reads, count, err);
	return line;
}

void __wrap_bus_line_close(struct bus_line *line)
{
	for (int i = 0; i < LINES; i++)
		if (lines[i] == line)
			lines[i] = NULL;
	free(line);
}

uint32_t __wrap_bus_line_id(const struct bus_line *line)
{
	return line->id;
}

const char *__wrap_bus_line_name(const struct bus_line *line)
{
	return line->config.name;
}

int __wrap_bus_line_write(struct bus_line *line, const struct bus_write *write)
{
	struct bus_result r = {.line = line->id,
			       .tag = write->tag,
			       .is_write = 1,
			       .by_hand = write->by_hand,
			       .unit = write->unit,
			       .mono_us = clock_mono_us()};

	if (write->count < 1 || write->count > BUS_WRITE_WORDS_MAX)
		return FC_EINVAL;
	if (write->unit < 1 || write->unit > WORLD_UNITS) {
		r.status = BUS_TIMEOUT;
		return wait_for(line, &r);
	}
	for (unsigned i = 0; i < write->count && write->address + i < WORLD_REGISTERS; i++) {
		world_set(write->unit, write->address + i, write->words[i]);
		obey(write->unit, write->address + i, write->words[i]);
	}
	return wait_for(line, &r);
}

int __wrap_bus_line_read(struct bus_line *line, const struct bus_read *read)
{
	if (read->count < 1 || read->count > BUS_WORDS_MAX)
		return FC_EINVAL;
	struct bus_result r = read_registers(line, read);
	r.by_hand = 1;
	return wait_for(line, &r);
}

void __wrap_bus_line_why(const struct bus_line *line, char *out, size_t size)
{
	(void)line;
	if (size)
		out[0] = '\0';
}

void __wrap_bus_line_get_stats(const struct bus_line *line, struct bus_line_stats *stats)
{
	*stats = (struct bus_line_stats){.connected = 1, .units = WORLD_UNITS, .polls = line->count, .ok = line->count};
}

int __wrap_bus_line_get_units(const struct bus_line *line, struct bus_unit_stats *units, int most)
{
	int n = 0;

	(void)line;
	for (; n < WORLD_UNITS && n < most; n++)
		units[n] = (struct bus_unit_stats){.unit = (uint8_t)(n + 1), .pace = 100, .answers = 1, .requests = 1};
	return n;
}

int64_t __wrap_bus_line_stuck_us(struct bus_line *line, int64_t now_us)
{
	(void)line, (void)now_us;
	return 0;
}

void __wrap_bus_set_by_hand(struct bus *bus, void (*result)(void *user, const struct bus_result *result), void *user)
{
	(void)bus;
	by_hand = result;
	by_hand_user = user;
}
