/* A configuration brought into force, line by line and device by device, so that what did not change keeps its polls. */
#include <stdlib.h>
#include <string.h>

#include "device/keep.h"
#include "device/set.h"

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
		line_free(next->lines[i]);
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
		char *signature = line_signature(config, i);
		struct line *running = signature ? take_same(set, config->buses[i].name, signature) : NULL;

		next->running[next->count] = running;
		if (running && running->host && running->print == line_print(config, i, &next->profiles)) {
			free(signature);
			next->count++;
			continue;
		}
		struct line *line = line_new(config, i, &next->profiles, signature, err);
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

/* Commands under way know its devices. */
static void drop_line(struct device_set *set, struct line *line)
{
	for (int k = 0; k < line->device_count; k++)
		command_drop(&set->commands, line->devices[k]);
	uint32_t id = line->modbus.bus ? bus_line_id(line->modbus.bus) : 0;
	line_free(line);
	if (!id)
		return;
	/* Who waits for an answer by hand is told from the loop, not while lines come and go. */
	by_hand_drop(&set->by_hand, id);
	(void)loop_timer_set(set->loop, &set->due_timer, 0);
}

/* Puts line in force: the running one in its stead, or by itself. */
static int settle_line(struct device_set *set, struct next *next, int i, struct error *err)
{
	struct line *running = next->running[i], *line = next->lines[i];

	if (running && (!line || !line_renew(running, line, &set->commands))) {
		next->lines[i] = running;
		line_free(line);
		return FC_OK;
	}
	if (running)
		drop_line(set, running);
	return line_open(line, &set->line_host, err);
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
			drop_line(set, set->lines[i]);
	for (int i = 0; i < next.count; i++) {
		if (settle_line(set, &next, i, &why))
			result = error_set(err, why.code, "%s", why.text);
		line_adopt(next.lines[i], &next.profiles, &set->commands);
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

	/* On failure, too: a line that could not be opened again has gone, and its devices with it. */
	if (set->replaced)
		set->replaced(set->user);
	/* Other rules may make another status of the same values. */
	for (int i = 0; i < set->line_count && !result; i++)
		for (int k = 0; k < set->lines[i]->device_count; k++)
			set_tell_noted(set, set->lines[i]->devices[k]);
	return result;
}
