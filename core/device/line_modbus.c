/* A Modbus line: what is read on it, in one plan that the bus's worker keeps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/line.h"
#include "device/upkeep.h"

enum { GENERATIONS = (1 << (30 - LINE_TAG_BITS)) - 1 };

static enum bus_framing framing_of(const struct config_bus *b)
{
	switch ((enum config_framing)b->framing) {
	case CONFIG_FRAMING_TCP:
		return BUS_FRAMING_TCP;
	case CONFIG_FRAMING_RTU:
		return BUS_FRAMING_RTU;
	case CONFIG_FRAMING_ASCII:
		return BUS_FRAMING_ASCII;
	case CONFIG_FRAMING_DLT645:
		return BUS_FRAMING_DLT645;
	case CONFIG_FRAMING_AUTO:
		break;
	}
	return BUS_FRAMING_AUTO;
}

static enum bus_rs485 rs485_of(const struct config_bus *b)
{
	switch ((enum config_rs485)b->rs485) {
	case CONFIG_RS485_ON:
		return BUS_RS485_ON;
	case CONFIG_RS485_OFF:
		return BUS_RS485_OFF;
	case CONFIG_RS485_AUTO:
		break;
	}
	return BUS_RS485_AUTO;
}

static void fill_config(const struct line *line, const struct config_bus *b, struct bus_line_config *out)
{
	*out = (struct bus_line_config){
	    .kind = b->kind == CONFIG_BUS_TCP ? BUS_TCP : BUS_RTU,
	    .port = b->port,
	    .baud = b->baud,
	    .data_bits = b->data_bits,
	    .stop_bits = b->stop_bits,
	    .parity = (char)b->parity,
	    .connect_timeout_ms = b->connect_timeout_ms,
	    .response_timeout_ms = b->response_timeout_ms,
	    .byte_timeout_ms = b->byte_timeout_ms,
	    .gap_ms = b->gap_ms,
	    .framing = framing_of(b),
	    .rs485 = rs485_of(b),
	    .rts_before_us = b->rts_before_us,
	    .rts_after_us = b->rts_after_us,
	    .reconnect_ms = b->reconnect_ms,
	    .wake_ms = b->wake_ms,
	    .echo = b->echo,
	    .any_unit = b->any_unit,
	    .release_ms = b->release_ms,
	};
	(void)snprintf(out->name, sizeof(out->name), "%s", line->name);
	(void)snprintf(out->host, sizeof(out->host), "%s", b->host);
	(void)snprintf(out->device, sizeof(out->device), "%.*s", (int)sizeof(out->device) - 1, b->device);
}

/* All reads of a line, and where each one's results go. */
struct reads {
	struct bus_read *list;
	struct target *targets;
	uint32_t count;
};

/* A charger that is known to need longer than the line gives it is given it; 0 = the line's (chargers.md 4, row 10). */
static uint32_t timeout_of(const struct line *line, const struct profile *profile)
{
	int ms = profile->line.response_timeout_ms;

	return ms > line->modbus.config.response_timeout_ms ? (uint32_t)ms : 0;
}

/* The reads that device's plan asks for are those of target. */
static void add_plan(const struct line *line, struct reads *r, const struct device *device, struct device *target,
		     uint32_t generation)
{
	for (uint32_t b = 0; b < device->plan.count; b++) {
		const struct plan_block *block = &device->plan.blocks[b];

		r->targets[r->count] = (struct target){target, b};
		r->list[r->count] = (struct bus_read){
		    .unit = block->unit,
		    .function = block->function,
		    .address = block->address,
		    .count = block->count,
		    .period_ms = block->period_ms,
		    .gap_ms = device->profile->gap_ms,
		    .identifier = block->identifier,
		    .longer = (uint8_t)device->profile->longer_answers,
		    .tag = generation << LINE_TAG_BITS | r->count,
		    /* Without items it is read so that the charger hears of us. */
		    .steady = !block->items,
		    .timeout_ms = timeout_of(line, device->profile),
		};
		memcpy(r->list[r->count].meter, device->meter, sizeof(device->meter));
		r->count++;
	}
}

/* picks: one a device, or NULL: each device's own plan. */
static int make_reads(const struct line *line, struct reads *r, struct device *const *devices, int count,
		      const struct line_pick *picks, uint32_t generation)
{
	uint32_t room = 1;

	*r = (struct reads){0};
	for (int i = 0; i < count; i++)
		room += picks && picks[i].fate == LINE_KEEPS ? picks[i].running->plan.count : devices[i]->plan.count;
	r->list = calloc(room, sizeof(*r->list));
	r->targets = calloc(room, sizeof(*r->targets));
	if (!r->list || !r->targets || room >= 1u << LINE_TAG_BITS) {
		free(r->list);
		free(r->targets);
		return FC_ENOMEM;
	}
	for (int i = 0; i < count; i++) {
		struct device *target = picks && picks[i].running ? picks[i].running : devices[i];

		add_plan(line, r, picks && picks[i].fate == LINE_KEEPS ? target : devices[i], target, generation);
	}
	return FC_OK;
}

static void take_reads(struct line_modbus *m, const struct reads *r, uint32_t generation)
{
	free(m->reads);
	free(m->targets);
	m->reads = r->list;
	m->targets = r->targets;
	m->read_count = r->count;
	m->generation = generation;
}

static int prepare(struct line *line, const struct config_bus *bus, struct error *err)
{
	struct reads reads;

	(void)err;
	fill_config(line, bus, &line->modbus.config);
	if (make_reads(line, &reads, line->devices, line->device_count, NULL, 0))
		return FC_ENOMEM;
	take_reads(&line->modbus, &reads, 0);
	return FC_OK;
}

static int open_bus(struct line *line, struct error *err)
{
	struct line_modbus *m = &line->modbus;

	m->bus = bus_line_open(line->host->bus, &m->config, m->reads, m->read_count, err);
	return m->bus ? FC_OK : FC_EIO;
}

static void close_bus(struct line *line)
{
	if (line->modbus.bus)
		bus_line_close(line->modbus.bus);
	free(line->modbus.reads);
	free(line->modbus.targets);
	line->modbus = (struct line_modbus){0};
}

/* The high bits wrap: results of a thousand plans ago are long gone. */
static uint32_t next_generation(const struct line_modbus *m)
{
	return (m->generation + 1) & GENERATIONS;
}

/* The bus asks other reads from now on. */
static int replan(struct line_modbus *m, struct reads *reads, uint32_t generation)
{
	int result = bus_line_replan(m->bus, reads->list, reads->count, NULL);

	if (!result) {
		take_reads(m, reads, generation);
		return FC_OK;
	}
	free(reads->list);
	free(reads->targets);
	return result;
}

static int change(struct line *line, struct line *fresh, const struct line_pick *picks)
{
	uint32_t generation = next_generation(&line->modbus);
	struct reads reads;

	if (make_reads(line, &reads, fresh->devices, fresh->device_count, picks, generation))
		return FC_ENOMEM;
	return replan(&line->modbus, &reads, generation);
}

/* After another plan nobody waits for the answers of before: a charger that must hear of us every 10 s can't wait for 30 s. */
static void changed(struct line *line)
{
	for (int i = 0; i < line->device_count; i++)
		upkeep_forget(line->devices[i]);
}

int line_refresh(struct line *line, struct device *device)
{
	uint32_t generation = next_generation(&line->modbus);
	struct reads reads;

	if (device_replan(device))
		return FC_ENOMEM;
	if (make_reads(line, &reads, line->devices, line->device_count, NULL, generation))
		return FC_ENOMEM;
	int result = replan(&line->modbus, &reads, generation);
	if (!result)
		changed(line);
	return result;
}

const struct target *line_target(const struct line *line, uint32_t tag)
{
	uint32_t at = tag & ((1u << LINE_TAG_BITS) - 1);

	return tag >> LINE_TAG_BITS == line->modbus.generation && at < line->modbus.read_count
		   ? &line->modbus.targets[at]
		   : NULL;
}

static uint32_t upkeep_tag(const struct line *line, int place)
{
	uint32_t generation = line->modbus.generation % LINE_UPKEEP_GENERATIONS;

	return (uint32_t)LINE_TAG_UPKEEP | generation << (LINE_UPKEEP_SLOT + LINE_UPKEEP_PLACE) |
	       (uint32_t)place << LINE_UPKEEP_SLOT;
}

struct device *line_upkeep_target(const struct line *line, uint32_t tag)
{
	uint32_t place = tag >> LINE_UPKEEP_SLOT & ((1u << LINE_UPKEEP_PLACE) - 1);

	/* The tag of that place now, but for the slot. */
	return place < (uint32_t)line->device_count &&
		       upkeep_tag(line, (int)place) >> LINE_UPKEEP_SLOT == tag >> LINE_UPKEEP_SLOT
		   ? line->devices[place]
		   : NULL;
}

static int64_t run(struct line *line, int64_t now_us)
{
	int64_t next = INT64_MAX;

	for (int k = 0; line->modbus.bus && k < line->device_count; k++) {
		int64_t due = upkeep_run(line->devices[k], line->modbus.bus, upkeep_tag(line, k), now_us);

		next = due < next ? due : next;
	}
	return next;
}

static void stats(const struct line *line, struct bus_line_stats *out)
{
	if (line->modbus.bus)
		bus_line_get_stats(line->modbus.bus, out);
}

const struct line_kind line_kind_modbus = {prepare, open_bus, close_bus, change, changed, run, stats};
