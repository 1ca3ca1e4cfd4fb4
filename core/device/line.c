#include "device/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "bus/dlt645.h"

enum { SIGNATURE_MAX = 1 << 12 };

static void free_devices(struct line *line)
{
	for (int i = 0; line->devices && i < line->device_count; i++)
		device_free(line->devices[i]);
	free(line->devices);
	line->devices = NULL;
	line->device_count = 0;
}

void line_free(struct line *line)
{
	if (!line)
		return;
	line->kind->close(line);
	free_devices(line);
	free(line->signature);
	free(line);
}

int line_open(struct line *line, const struct line_host *host, struct error *err)
{
	line->host = host;
	int result = line->kind->open(line, err);
	if (result)
		line->host = NULL;
	return result;
}

char *line_signature(const struct config *config, int bus)
{
	const struct config_bus *b = &config->buses[bus];
	struct buffer text;

	buffer_init(&text, SIGNATURE_MAX);
	(void)buffer_printf(&text, "%d %s %d %s %d %d %d %c %d %d %d %d %d %d\n", b->kind, b->host, b->port, b->device,
			    b->baud, b->data_bits, b->stop_bits, b->parity, b->connect_timeout_ms,
			    b->response_timeout_ms, b->byte_timeout_ms, b->gap_ms, b->release_ms, b->reconnect_ms);
	(void)buffer_printf(&text, "%d %d %d %d %d %d %d\n", b->framing, b->rs485, b->rts_before_us, b->rts_after_us,
			    b->wake_ms, b->echo, b->any_unit);
	(void)buffer_printf(&text, "%d %d %d %d\n", b->bitrate, b->bring_up, b->restart_ms, b->listen_only);
	char *signature = text.failed ? NULL : strdup(text.data);
	buffer_fini(&text);
	return signature;
}

static void add_number(int *numbers, int *n, int number)
{
	for (int i = 0; i < *n; i++)
		if (numbers[i] == number)
			return;
	if (*n < PROFILE_CONNECTORS_MAX)
		numbers[(*n)++] = number;
}

/* Connectors of a charger that are configured, and those that others have as their meter or BMS; of a device all that its profile
 * has: what refers to it comes and goes. */
static int numbers_of(const struct config *config, const struct config_unit *u, const struct profile *profile,
		      int *numbers)
{
	int n = 0;

	for (int i = 1; u->charger < 0 && i <= profile->connectors; i++)
		numbers[n++] = i;
	for (int i = 0; u->charger >= 0 && i < config->connector_count; i++)
		if (config->connectors[i].charger == u->charger)
			add_number(numbers, &n, config->connectors[i].number);
	for (int i = 0; u->charger >= 0 && i < config->connector_count; i++) {
		const struct config_source *sources[] = {&config->connectors[i].meter_source,
							 &config->connectors[i].bms_source};

		for (int k = 0; k < 2; k++)
			if (sources[k]->name && !strcmp(sources[k]->name, u->name))
				add_number(numbers, &n, sources[k]->number);
	}
	return n;
}

static uint64_t mix(uint64_t print, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		print = (print ^ bytes[i]) * 1099511628211u;
	return print;
}

uint64_t line_print(const struct config *config, int bus, const struct profiles *profiles)
{
	uint64_t print = 14695981039346656037u;
	int numbers[PROFILE_CONNECTORS_MAX];

	for (int i = 0; i < config_unit_count(config); i++) {
		const struct config_unit u = config_unit(config, i);
		const struct profile *profile = u.bus == bus ? profiles_find(profiles, u.profile) : NULL;

		if (!profile)
			continue;
		int n = numbers_of(config, &u, profile, numbers);
		print = mix(print, u.name, strlen(u.name) + 1);
		print = mix(print, &u.unit, sizeof(u.unit));
		print = mix(print, u.meter_address, strlen(u.meter_address) + 1);
		print = mix(print, &u.poll_ms, sizeof(u.poll_ms));
		print = mix(print, numbers, (size_t)n * sizeof(int));
		print = mix(print, &profile->fingerprint, sizeof(profile->fingerprint));
	}
	return print;
}

static int add_device(struct line *line, const struct config *config, int unit, struct profile *profile,
		      struct error *err)
{
	const struct config_unit u = config_unit(config, unit);
	int numbers[PROFILE_CONNECTORS_MAX];

	if (profile_fits_unit(profile, config, unit, err))
		return FC_EINVAL;
	int n = numbers_of(config, &u, profile, numbers);
	struct device *d = device_new(u.name, profile, numbers, n, (uint32_t)u.poll_ms, (uint8_t)u.unit, err);
	if (!d)
		return err && err->code ? err->code : FC_ENOMEM;
	memcpy(d->meter, dlt645_anyone, sizeof(d->meter));
	if (*u.meter_address)
		(void)dlt645_parse_station(u.meter_address, d->meter);
	line->devices[line->device_count++] = d;
	return FC_OK;
}

static int add_devices(struct line *line, const struct config *config, int bus, const struct profiles *profiles,
		       struct error *err)
{
	int count = config_unit_count(config), own = 0, result = FC_OK;

	for (int i = 0; i < count; i++)
		own += config_unit(config, i).bus == bus;
	line->devices = calloc((size_t)own + 1, sizeof(struct device *));
	if (!line->devices)
		return FC_ENOMEM;
	for (int i = 0; i < count && !result; i++) {
		const struct config_unit u = config_unit(config, i);

		if (u.bus != bus)
			continue;
		struct profile *profile = profiles_find(profiles, u.profile);
		/* Of a start with a broken file: the charger comes when its profile does. */
		if (!profile && shelf_lacks(profiles->host, &profile_kind, u.profile, ""))
			continue;
		result = profile ? add_device(line, config, i, profile, err)
				 : error_set(err, FC_ENOENT, "device: %s %s: profile %s is not loaded", u.type, u.name,
					     u.profile);
	}
	return result;
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
	line->kind = config->buses[bus].kind == CONFIG_BUS_CAN ? &line_kind_can : &line_kind_modbus;
	line->print = line_print(config, bus, profiles);
	(void)snprintf(line->name, sizeof(line->name), "%s", config->buses[bus].name);
	int result = add_devices(line, config, bus, profiles, err);
	if (!result)
		result = line->kind->prepare(line, &config->buses[bus], err);
	if (!result)
		return line;
	if (err && !err->code)
		(void)error_set(err, FC_ENOMEM, "device: no memory");
	line_free(line);
	return NULL;
}

void line_adopt(struct line *line, const struct profiles *profiles, struct commands *commands)
{
	for (int i = 0; i < line->device_count; i++) {
		struct device *d = line->devices[i];
		struct profile *fresh = profiles_find(profiles, d->profile->name);

		/* Those under way know their steps by place, and an agent forgets them with the old profile. */
		if (d->profile->commands_print != fresh->commands_print || (d->seat && d->profile != fresh))
			command_drop(commands, d);
		if (d->seat && d->profile != fresh)
			seat_adopt(d->seat, fresh);
		d->profile = fresh;
	}
}

/* Renewal --------------------------------------------------------------------------------------------------------------- */

static int same_place(const struct device *a, const struct device *b)
{
	return a->unit == b->unit && !memcmp(a->meter, b->meter, sizeof(a->meter)) && a->poll_ms == b->poll_ms &&
	       a->connectors == b->connectors && !a->seat == !b->seat &&
	       !memcmp(a->numbers, b->numbers, (size_t)a->connectors * sizeof(int));
}

static struct device *find_device(const struct line *line, const char *name)
{
	for (int i = 0; i < line->device_count; i++)
		if (!strcmp(line->devices[i]->name, name))
			return line->devices[i];
	return NULL;
}

static struct line_pick pick(const struct line *line, struct device *fresh)
{
	struct device *running = find_device(line, fresh->name);

	if (!running || !same_place(running, fresh))
		return (struct line_pick){LINE_TAKES, NULL, fresh};
	return (struct line_pick){
	    running->profile->fingerprint == fresh->profile->fingerprint ? LINE_KEEPS : LINE_RENEWS, running, fresh};
}

static int is_picked(const struct line_pick *picks, int count, const struct device *running)
{
	for (int i = 0; i < count; i++)
		if (picks[i].running == running)
			return 1;
	return 0;
}

/* The devices that stay are the same to all who know them. Cannot fail. */
static void settle(struct line *line, struct line *fresh, const struct line_pick *picks, struct device **devices,
		   struct commands *commands)
{
	int count = fresh->device_count;

	for (int i = 0; i < line->device_count; i++) {
		if (is_picked(picks, count, line->devices[i]))
			continue;
		command_drop(commands, line->devices[i]);
		device_free(line->devices[i]);
	}
	for (int i = 0; i < count; i++) {
		const struct line_pick *p = &picks[i];

		devices[i] = p->running ? p->running : p->fresh;
		if (p->running && p->fate == LINE_RENEWS) {
			/* The new agent knows of none, and would never answer. */
			if (p->running->seat ||
			    p->running->profile->commands_print != p->fresh->profile->commands_print)
				command_drop(commands, p->running);
			device_renew(p->running, p->fresh);
		}
		if (p->running)
			device_free(p->fresh);
	}
	free(line->devices);
	line->devices = devices;
	line->device_count = count;
	line->print = fresh->print;
	fresh->device_count = 0;
}

int line_renew(struct line *line, struct line *fresh, struct commands *commands)
{
	size_t count = (size_t)fresh->device_count;
	struct device **devices = calloc(count + 1, sizeof(struct device *));
	struct line_pick *picks = calloc(count + 1, sizeof(*picks));
	int result = devices && picks && line->host ? FC_OK : FC_EIO;

	for (int i = 0; !result && i < fresh->device_count; i++)
		picks[i] = pick(line, fresh->devices[i]);
	if (!result)
		result = line->kind->change(line, fresh, picks);
	if (!result) {
		settle(line, fresh, picks, devices, commands);
		line->kind->changed(line);
		devices = NULL;
	}
	free(devices);
	free(picks);
	return result;
}
