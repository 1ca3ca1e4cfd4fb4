/* All chargers: brought in step with the configuration line by line, so that what did not change keeps its polls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "device/command.h"
#include "device/instance.h"
#include "device/keep.h"
#include "device/profiles.h"

enum { AGE_CHECK_US = 1000000, SIGNATURE_MAX = 1 << 20, TAG_BITS = 20, GENERATIONS = 1 << (32 - TAG_BITS) };

/* Where a result belongs: the tag's low bits are the index. */
struct target {
	struct device *device;
	uint32_t block;
};

struct line {
	char name[BUS_NAME_MAX];
	char *signature;   /* all that the line depends on but the profiles, as text: equal text, same line */
	uint64_t profiles; /* fingerprint of those: with another one the line goes on with other reads */
	struct bus_line_config config;
	struct bus_line *bus; /* NULL until opened */
	struct device **devices;
	int device_count;
	struct bus_read *reads;
	struct target *targets;
	uint32_t read_count, read_room; /* room: the plans' blocks of all devices */
	uint32_t generation;            /* of the reads; in the high bits of their tags */
};

struct device_set {
	struct loop *loop;
	struct bus *bus;
	const struct script_host *host;
	device_changed changed;
	void *user;
	struct loop_timer age_timer;
	struct line **lines;
	int line_count;
	struct profiles profiles;
	struct config *kept; /* of the last apply; ours */
	struct commands commands;
};

static void tell(struct device_set *set, struct device *d, int number)
{
	set->changed(set->user, d, number);
}

/* Remembers what is told of a connector; nonzero when it differs from what was told last. */
static int note(struct device *d, int place)
{
	enum connector_status status = device_status(d, d->numbers[place]);
	int stale = device_stale(d, d->numbers[place]);
	int differs = status != d->last[place] || stale != d->stale[place];

	d->last[place] = status;
	d->stale[place] = stale;
	return differs;
}

static void tell_noted(struct device_set *set, struct device *d)
{
	for (int n = 0; n < d->connectors; n++)
		if (note(d, n))
			tell(set, d, d->numbers[n]);
}

/* Time passes also when no results come: values grow old, and a connector goes off line. */
static void check_ages(void *user)
{
	struct device_set *set = user;

	for (int i = 0; i < set->line_count; i++)
		for (int k = 0; k < set->lines[i]->device_count; k++)
			tell_noted(set, set->lines[i]->devices[k]);
	command_expire(&set->commands, clock_mono_us());
	(void)loop_timer_set(set->loop, &set->age_timer, AGE_CHECK_US);
}

struct device_set *device_set_new(struct loop *loop, struct bus *bus, const struct script_host *host,
				  device_changed changed, void *user, struct error *err)
{
	struct device_set *set = calloc(1, sizeof(*set));

	if (!set) {
		(void)error_set(err, FC_ENOMEM, "device: no memory");
		return NULL;
	}
	set->loop = loop;
	set->bus = bus;
	set->host = host;
	set->changed = changed;
	set->user = user;
	set->age_timer = (struct loop_timer){.fn = check_ages, .user = set};
	if (loop_timer_set(loop, &set->age_timer, AGE_CHECK_US)) {
		device_set_free(set);
		(void)error_set(err, FC_ENOMEM, "device: no memory");
		return NULL;
	}
	return set;
}

static void free_line(struct line *line)
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

void device_set_free(struct device_set *set)
{
	if (!set)
		return;
	loop_timer_cancel(set->loop, &set->age_timer);
	for (int i = 0; i < set->line_count; i++)
		free_line(set->lines[i]);
	free(set->lines);
	profiles_free(&set->profiles);
	keep_free(set->kept);
	free(set);
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

static char *make_signature(const struct config *config, int bus)
{
	const struct config_bus *b = &config->buses[bus];
	struct buffer text;
	int numbers[PROFILE_CONNECTORS_MAX];

	buffer_init(&text, SIGNATURE_MAX);
	(void)buffer_printf(&text, "%d %s %d %s %d %d %d %c %d %d %d %d\n", b->kind, b->host, b->port, b->device,
			    b->baud, b->data_bits, b->stop_bits, b->parity, b->connect_timeout_ms,
			    b->response_timeout_ms, b->byte_timeout_ms, b->gap_ms);
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
	};
	(void)snprintf(out->name, sizeof(out->name), "%s", b->name);
	(void)snprintf(out->host, sizeof(out->host), "%s", b->host);
	(void)snprintf(out->device, sizeof(out->device), "%s", b->device);
}

/* A module that a profile requires may have changed and its file not. */
static uint64_t profiles_print(const struct config *config, int bus, const struct profiles *profiles)
{
	uint64_t print = 0;

	for (int i = 0; i < config->charger_count; i++) {
		const struct profile *profile = profiles_find(profiles, config->chargers[i].profile);

		if (config->chargers[i].bus == bus && profile)
			print = (print ^ profile->fingerprint) * 1099511628211u;
	}
	return print;
}

static int add_devices(struct line *line, const struct config *config, int bus, const struct profiles *profiles,
		       struct error *err)
{
	int numbers[PROFILE_CONNECTORS_MAX];

	for (int i = 0; i < config->charger_count; i++) {
		const struct config_charger *c = &config->chargers[i];

		if (c->bus != bus)
			continue;
		struct profile *profile = profiles_find(profiles, c->profile);
		if (!profile)
			return error_set(err, FC_ENOENT, "device: charger %s: profile %s is not loaded", c->name,
					 c->profile);
		int n = connector_numbers(config, i, numbers);
		for (int k = 0; k < n; k++)
			if (numbers[k] > profile->connectors)
				return error_set(err, FC_EINVAL,
						 "device: charger %s: connector number %d: profile %s describes %d",
						 c->name, numbers[k], c->profile, profile->connectors);
		struct device *d = device_new(c->name, profile, numbers, n, (uint32_t)c->poll_ms, (uint8_t)c->unit);
		if (!d)
			return error_set(err, FC_ENOMEM, "device: charger %s: no memory", c->name);
		line->devices[line->device_count++] = d;
		line->read_room += d->plan.count;
	}
	return FC_OK;
}

/* All reads of the line, and where each one's results go. */
static int add_reads(struct line *line)
{
	line->reads = calloc((size_t)line->read_room + 1, sizeof(*line->reads));
	line->targets = calloc((size_t)line->read_room + 1, sizeof(*line->targets));
	if (!line->reads || !line->targets)
		return FC_ENOMEM;
	for (int i = 0; i < line->device_count; i++) {
		struct device *d = line->devices[i];

		for (uint32_t b = 0; b < d->plan.count; b++) {
			const struct plan_block *block = &d->plan.blocks[b];
			uint32_t tag = line->read_count++;

			line->targets[tag] = (struct target){d, b};
			line->reads[tag] = (struct bus_read){
			    .unit = d->unit,
			    .function = block->function,
			    .address = block->address,
			    .count = block->count,
			    .period_ms = block->period_ms,
			    .gap_ms = d->profile->gap_ms,
			    .tag = tag,
			};
		}
	}
	return FC_OK;
}

static struct line *make_line(const struct config *config, int bus, const struct profiles *profiles, char *signature,
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
	line->profiles = profiles_print(config, bus, profiles);
	line->devices = calloc((size_t)config->charger_count + 1, sizeof(struct device *));
	if (!line->devices || add_devices(line, config, bus, profiles, err) || add_reads(line)) {
		if (err && !err->code)
			(void)error_set(err, FC_ENOMEM, "device: no memory");
		free_line(line);
		return NULL;
	}
	(void)snprintf(line->name, sizeof(line->name), "%s", config->buses[bus].name);
	fill_bus_config(&config->buses[bus], &line->config);
	return line;
}

/* The running line of that signature. */
static struct line *take_same(struct device_set *set, const char *name, const char *signature)
{
	for (int i = 0; i < set->line_count; i++) {
		struct line *line = set->lines[i];

		if (line && !strcmp(line->name, name) && !strcmp(line->signature, signature))
			return line;
	}
	return NULL;
}

/* A kept line's devices point to profiles of the same content: they get the new ones, the old are freed. */
static void adopt_profiles(struct line *line, const struct profiles *profiles)
{
	for (int i = 0; i < line->device_count; i++) {
		struct device *d = line->devices[i];

		d->profile = profiles_find(profiles, d->profile->name);
	}
}

struct next {
	struct line **lines;   /* made from the configuration; NULL where nothing changed */
	struct line **running; /* by place: the one that goes on, or NULL */
	int count;
	struct profiles profiles;
	struct config *kept;
};

static void drop_next(struct next *next)
{
	for (int i = 0; i < next->count; i++)
		free_line(next->lines[i]);
	free(next->lines);
	free(next->running);
	profiles_free(&next->profiles);
	keep_free(next->kept);
}

static int prepare(struct device_set *set, const struct config *config, struct next *next, struct error *err)
{
	next->lines = calloc((size_t)config->bus_count + 1, sizeof(struct line *));
	next->running = calloc((size_t)config->bus_count + 1, sizeof(struct line *));
	next->kept = keep_config(config);
	if (!next->lines || !next->running || !next->kept)
		return error_set(err, FC_ENOMEM, "device: no memory");
	int result = profiles_load(set->host, config, &next->profiles, err);
	for (int i = 0; i < config->bus_count && !result; i++) {
		char *signature = make_signature(config, i);
		struct line *running = signature ? take_same(set, config->buses[i].name, signature) : NULL;

		next->running[next->count] = running;
		if (running && running->bus && running->profiles == profiles_print(config, i, &next->profiles)) {
			free(signature);
			next->count++;
			continue;
		}
		struct line *line = make_line(config, i, &next->profiles, signature, err);
		if (!line)
			return FC_EINVAL;
		next->lines[next->count++] = line;
	}
	return result;
}

static int stays(const struct next *next, const struct line *line)
{
	for (int i = 0; i < next->count; i++)
		if (next->running[i] == line)
			return 1;
	return 0;
}

/* The line goes on with the reads and values of fresh, which gets its old ones. FC_OK, or nothing changed. */
static int renew_line(struct line *line, struct line *fresh)
{
	const struct line old = *line;

	if (!line->bus)
		return FC_EIO;
	/* What the old reads still bring is told from what the new ones do. */
	fresh->generation = (old.generation + 1) % GENERATIONS;
	for (uint32_t i = 0; i < fresh->read_count; i++)
		fresh->reads[i].tag = fresh->generation << TAG_BITS | i;
	int result = bus_line_replan(line->bus, fresh->reads, fresh->read_count, NULL);
	if (result)
		return result;
	line->generation = fresh->generation;
	line->profiles = fresh->profiles;
	line->reads = fresh->reads;
	line->targets = fresh->targets;
	line->read_count = fresh->read_count;
	line->read_room = fresh->read_room;
	fresh->reads = old.reads;
	fresh->targets = old.targets;
	/* The devices stay the same to all who know them. */
	for (int i = 0; i < line->device_count; i++)
		device_renew(line->devices[i], fresh->devices[i]);
	for (uint32_t i = 0; i < line->read_count; i++)
		for (int k = 0; k < line->device_count; k++)
			if (line->targets[i].device == fresh->devices[k])
				line->targets[i].device = line->devices[k];
	return FC_OK;
}

/* Puts line in force: the running one in its stead, or by itself. */
static int settle_line(struct device_set *set, struct next *next, int i, struct error *err)
{
	struct line *running = next->running[i], *line = next->lines[i];

	if (running && (!line || !renew_line(running, line))) {
		next->lines[i] = running;
		free_line(line);
		return FC_OK;
	}
	free_line(running);
	line->bus = bus_line_open(set->bus, &line->config, line->reads, line->read_count, err);
	return line->bus ? FC_OK : FC_EIO;
}

int device_set_apply(struct device_set *set, const struct config *config, struct error *err)
{
	struct next next = {0};
	struct error why = {0};
	int result = prepare(set, config, &next, &why);

	if (result) {
		drop_next(&next);
		return error_set(err, result, "%s", why.text);
	}
	/* From here on nothing is refused but by the system. First what goes, so that its endpoints are free. */
	for (int i = 0; i < set->line_count; i++)
		if (!stays(&next, set->lines[i]))
			free_line(set->lines[i]);
	for (int i = 0; i < next.count; i++) {
		if (settle_line(set, &next, i, &why))
			result = error_set(err, why.code, "%s", why.text);
		adopt_profiles(next.lines[i], &next.profiles);
	}
	free(set->lines);
	profiles_free(&set->profiles);
	free(next.running);
	set->lines = next.lines;
	set->line_count = next.count;
	set->profiles = next.profiles;
	/* Last: after a reload of the profiles config is the old copy itself. */
	keep_free(set->kept);
	set->kept = next.kept;
	return result;
}

int device_set_reload_profiles(struct device_set *set, struct error *err)
{
	int result = set->kept ? device_set_apply(set, set->kept, err) : FC_OK;

	/* Other rules may make another status of the same values. */
	for (int i = 0; i < set->line_count && !result; i++)
		for (int k = 0; k < set->lines[i]->device_count; k++)
			tell_noted(set, set->lines[i]->devices[k]);
	return result;
}

struct sources *device_set_sources(const struct device_set *set, int index)
{
	return index >= 0 && index < set->profiles.count ? set->profiles.list[index]->sources : NULL;
}

static struct line *find_line(const struct device_set *set, uint32_t id)
{
	for (int i = 0; i < set->line_count; i++)
		if (set->lines[i]->bus && bus_line_id(set->lines[i]->bus) == id)
			return set->lines[i];
	return NULL;
}

void device_set_result(void *device_set, const struct bus_result *result)
{
	struct device_set *set = device_set;
	struct line *line = find_line(set, result->line);

	if (result->is_write) {
		command_result(&set->commands, result);
		return;
	}
	uint32_t read = result->tag & ((1u << TAG_BITS) - 1);
	/* A read of the profile before: its registers mean something else now, and they are read again. */
	if (!line || result->tag >> TAG_BITS != line->generation || read >= line->read_count)
		return;
	struct device *d = line->targets[read].device;
	device_take(d, line->targets[read].block, result);
	for (int i = 0; i < d->connectors; i++) {
		(void)note(d, i);
		tell(set, d, d->numbers[i]);
	}
}

int device_command(struct device_set *set, struct device *device, int number, const char *command,
		   device_command_done done, void *user, struct error *err)
{
	for (int i = 0; i < set->line_count; i++)
		for (int k = 0; k < set->lines[i]->device_count; k++)
			if (set->lines[i]->devices[k] == device)
				return command_send(&set->commands, device, number, set->lines[i]->bus, command, done,
						    user, err);
	return error_set(err, FC_ENOENT, "device: there is no such charger any more");
}

struct device *device_find(struct device_set *set, const char *charger)
{
	for (int i = 0; i < set->line_count; i++)
		for (int k = 0; k < set->lines[i]->device_count; k++)
			if (!strcmp(set->lines[i]->devices[k]->name, charger))
				return set->lines[i]->devices[k];
	return NULL;
}

int device_count(const struct device_set *set)
{
	int n = 0;

	for (int i = 0; i < set->line_count; i++)
		n += set->lines[i]->device_count;
	return n;
}

struct device *device_at(struct device_set *set, int index)
{
	for (int i = 0; i < set->line_count; i++) {
		if (index < set->lines[i]->device_count)
			return set->lines[i]->devices[index];
		index -= set->lines[i]->device_count;
	}
	return NULL;
}

int device_bus_line(const struct device_set *set, int index, const char **name, struct bus_line_stats *stats)
{
	if (index < 0 || index >= set->line_count)
		return FC_ENOENT;
	*stats = (struct bus_line_stats){0};
	*name = set->lines[index]->name;
	if (set->lines[index]->bus)
		bus_line_get_stats(set->lines[index]->bus, stats);
	return FC_OK;
}

void device_bus_totals(const struct device_set *set, struct bus_line_stats *t)
{
	struct bus_line_stats s;
	const char *name;
	uint64_t latency = 0;

	*t = (struct bus_line_stats){0};
	for (int i = 0; !device_bus_line(set, i, &name, &s); i++) {
		t->connected += s.connected;
		t->units += s.units;
		t->units_slow += s.units_slow;
		t->due += s.due;
		t->polls += s.polls;
		t->ok += s.ok;
		t->timeouts += s.timeouts;
		t->exceptions += s.exceptions;
		t->bad += s.bad;
		t->disconnects += s.disconnects;
		t->missed += s.missed;
		t->late += s.late;
		t->queue_dropped += s.queue_dropped;
		latency += (uint64_t)s.latency_mean_us * s.ok;
		t->latency_max_us = s.latency_max_us > t->latency_max_us ? s.latency_max_us : t->latency_max_us;
		t->late_max_us = s.late_max_us > t->late_max_us ? s.late_max_us : t->late_max_us;
	}
	t->latency_mean_us = t->ok ? (uint32_t)(latency / t->ok) : 0;
}
