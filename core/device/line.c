#include "device/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

enum { SIGNATURE_MAX = 1 << 20, GENERATIONS = (1 << (30 - LINE_TAG_BITS)) - 1 };

void line_free(struct line *line)
{
	if (!line)
		return;
	if (line->bus)
		bus_line_close(line->bus);
	for (int i = 0; line->devices && i < line->device_count; i++)
		device_free(line->devices[i]);
	free(line->devices);
	free(line->reads);
	free(line->targets);
	free(line->signature);
	free(line);
}

/* Numbers of the connectors that are configured for a charger. */
static int connector_numbers(const struct config *config, int charger, int *numbers)
{
	int n = 0;

	for (int i = 0; i < config->connector_count && n < PROFILE_CONNECTORS_MAX; i++)
		if (config->connectors[i].charger == charger)
			numbers[n++] = config->connectors[i].number;
	return n;
}

char *line_signature(const struct config *config, int bus)
{
	const struct config_bus *b = &config->buses[bus];
	struct buffer text;
	int numbers[PROFILE_CONNECTORS_MAX];

	buffer_init(&text, SIGNATURE_MAX);
	(void)buffer_printf(&text, "%d %s %d %s %d %d %d %c %d %d %d %d %d %d\n", b->kind, b->host, b->port, b->device,
			    b->baud, b->data_bits, b->stop_bits, b->parity, b->connect_timeout_ms,
			    b->response_timeout_ms, b->byte_timeout_ms, b->gap_ms, b->release_ms, b->reconnect_ms);
	(void)buffer_printf(&text, "%d %d %d %d %d %d %d\n", b->framing, b->rs485, b->rts_before_us, b->rts_after_us,
			    b->wake_ms, b->echo, b->any_unit);
	for (int i = 0; i < config->charger_count; i++) {
		const struct config_charger *c = &config->chargers[i];

		if (c->bus != bus)
			continue;
		(void)buffer_printf(&text, "%s %d %d", c->name, c->unit, c->poll_ms);
		for (int k = 0, n = connector_numbers(config, i, numbers); k < n; k++)
			(void)buffer_printf(&text, " %d", numbers[k]);
		(void)buffer_text(&text, "\n");
	}
	char *signature = text.failed ? NULL : strdup(text.data);
	buffer_fini(&text);
	return signature;
}

uint64_t line_print(const struct config *config, int bus, const struct profiles *profiles)
{
	uint64_t print = 0;

	for (int i = 0; i < config->charger_count; i++) {
		const struct profile *profile = profiles_find(profiles, config->chargers[i].profile);

		if (config->chargers[i].bus == bus && profile)
			print = (print ^ profile->fingerprint) * 1099511628211u;
	}
	return print;
}

static enum bus_framing framing_of(const struct config_bus *b)
{
	switch ((enum config_framing)b->framing) {
	case CONFIG_FRAMING_TCP:
		return BUS_FRAMING_TCP;
	case CONFIG_FRAMING_RTU:
		return BUS_FRAMING_RTU;
	case CONFIG_FRAMING_ASCII:
		return BUS_FRAMING_ASCII;
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

static void fill_bus_config(const struct config_bus *b, struct bus_line_config *out)
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
	(void)snprintf(out->name, sizeof(out->name), "%s", b->name);
	(void)snprintf(out->host, sizeof(out->host), "%s", b->host);
	(void)snprintf(out->device, sizeof(out->device), "%s", b->device);
}

static int add_devices(struct line *line, const struct config *config, int bus, const struct profiles *profiles,
		       struct error *err)
{
	int numbers[PROFILE_CONNECTORS_MAX];

	line->device_count = 0; /* said again for the analyser */
	for (int i = 0; i < config->charger_count; i++) {
		const struct config_charger *c = &config->chargers[i];

		if (c->bus != bus)
			continue;
		struct profile *profile = profiles_find(profiles, c->profile);
		/* Of a start with a broken file: the charger comes when its profile does. */
		if (!profile && shelf_lacks(profiles->host, &profile_kind, c->profile, ""))
			continue;
		if (!profile)
			return error_set(err, FC_ENOENT, "device: charger %s: profile %s is not loaded", c->name,
					 c->profile);
		if (profile_fits_charger(profile, config, i, err))
			return FC_EINVAL;
		int n = connector_numbers(config, i, numbers);
		struct device *d = device_new(c->name, profile, numbers, n, (uint32_t)c->poll_ms, (uint8_t)c->unit);
		if (!d)
			return error_set(err, FC_ENOMEM, "device: charger %s: no memory", c->name);
		line->devices[line->device_count++] = d;
	}
	return FC_OK;
}

/* A charger that is known to need longer than the line gives it is given it; 0 = the line's (chargers.md 4, row 10). */
static uint32_t timeout_of(const struct line *line, const struct profile *profile)
{
	int ms = profile->line.response_timeout_ms;

	return ms > line->config.response_timeout_ms ? (uint32_t)ms : 0;
}

/* All reads of the line, and where each one's results go. */
static int add_reads(struct line *line)
{
	uint32_t room = 1, count = 0;

	for (int i = 0; i < line->device_count; i++)
		room += line->devices[i]->plan.count;
	struct bus_read *reads = calloc(room, sizeof(*reads));
	struct target *targets = calloc(room, sizeof(*targets));
	if (!reads || !targets || room >= 1u << LINE_TAG_BITS) {
		free(reads);
		free(targets);
		return FC_ENOMEM;
	}
	for (int i = 0; i < line->device_count; i++) {
		struct device *d = line->devices[i];

		for (uint32_t b = 0; b < d->plan.count; b++, count++) {
			const struct plan_block *block = &d->plan.blocks[b];

			targets[count] = (struct target){d, b};
			reads[count] = (struct bus_read){
			    .unit = block->unit,
			    .function = block->function,
			    .address = block->address,
			    .count = block->count,
			    .period_ms = block->period_ms,
			    .gap_ms = d->profile->gap_ms,
			    .longer = (uint8_t)d->profile->longer_answers,
			    .tag = line->generation << LINE_TAG_BITS | count,
			    /* Without items it is read so that the charger hears of us. */
			    .steady = !block->items,
			    .timeout_ms = timeout_of(line, d->profile),
			};
		}
	}
	free(line->reads);
	free(line->targets);
	line->reads = reads;
	line->targets = targets;
	line->read_count = count;
	return FC_OK;
}

int line_refresh(struct line *line, struct device *device)
{
	if (device_replan(device))
		return FC_ENOMEM;
	/* The high bits wrap: results of a thousand plans ago are long gone. */
	line->generation = (line->generation + 1) & GENERATIONS;
	if (add_reads(line))
		return FC_ENOMEM;
	return line->bus ? bus_line_replan(line->bus, line->reads, line->read_count, NULL) : FC_OK;
}

const struct target *line_target(const struct line *line, uint32_t tag)
{
	uint32_t at = tag & ((1u << LINE_TAG_BITS) - 1);

	return tag >> LINE_TAG_BITS == line->generation && at < line->read_count ? &line->targets[at] : NULL;
}

struct line *line_new(const struct config *config, int bus, const struct profiles *profiles, char *signature,
		      struct error *err)
{
	struct line *line = calloc(1, sizeof(*line));

	if (!line || !signature) {
		free(line);
		free(signature);
		(void)error_set(err, FC_ENOMEM, "device: no memory");
		return NULL;
	}
	line->signature = signature;
	line->profiles = line_print(config, bus, profiles);
	(void)snprintf(line->name, sizeof(line->name), "%s", config->buses[bus].name);
	fill_bus_config(&config->buses[bus], &line->config);
	line->devices = calloc((size_t)config->charger_count + 1, sizeof(struct device *));
	if (!line->devices || add_devices(line, config, bus, profiles, err) || add_reads(line)) {
		if (err && !err->code)
			(void)error_set(err, FC_ENOMEM, "device: no memory");
		line_free(line);
		return NULL;
	}
	return line;
}

void line_adopt(struct line *line, const struct profiles *profiles, struct commands *commands)
{
	for (int i = 0; i < line->device_count; i++) {
		struct device *d = line->devices[i];
		struct profile *fresh = profiles_find(profiles, d->profile->name);

		/* Those under way know their steps by place. */
		if (d->profile->commands_print != fresh->commands_print)
			command_drop(commands, d);
		d->profile = fresh;
	}
}

int line_renew(struct line *line, struct line *fresh, struct commands *commands)
{
	const struct line old = *line;

	/* A charger more, whose profile was missing. */
	if (!line->bus || line->device_count != fresh->device_count)
		return FC_EIO;
	/* What the old reads still bring is told from what the new ones do. */
	fresh->generation = (old.generation + 1) & GENERATIONS;
	for (uint32_t i = 0; i < fresh->read_count; i++)
		fresh->reads[i].tag = fresh->generation << LINE_TAG_BITS | i;
	int result = bus_line_replan(line->bus, fresh->reads, fresh->read_count, NULL);
	if (result)
		return result;
	line->generation = fresh->generation;
	line->profiles = fresh->profiles;
	line->reads = fresh->reads;
	line->targets = fresh->targets;
	line->read_count = fresh->read_count;
	fresh->reads = old.reads;
	fresh->targets = old.targets;
	/* The devices stay the same to all who know them. */
	for (int i = 0; i < line->device_count; i++) {
		if (line->devices[i]->profile->commands_print != fresh->devices[i]->profile->commands_print)
			command_drop(commands, line->devices[i]);
		device_renew(line->devices[i], fresh->devices[i]);
	}
	for (uint32_t i = 0; i < line->read_count; i++)
		for (int k = 0; k < line->device_count; k++)
			if (line->targets[i].device == fresh->devices[k])
				line->targets[i].device = line->devices[k];
	return FC_OK;
}
