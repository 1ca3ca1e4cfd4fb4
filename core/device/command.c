#include "device/command.h"

#include <string.h>

#include "base/clock.h"

enum { SEND_WITHIN_MS = 10000 };
static const int64_t give_up_us = 60000000;

static const struct profile_command *find(const struct profile *profile, const char *name)
{
	for (int i = 0; i < profile->command_count; i++)
		if (!strcmp(profile->commands[i].name, name))
			return &profile->commands[i];
	return NULL;
}

int device_can(const struct device *device, const char *command)
{
	return find(device->profile, command) != NULL;
}

static struct command *free_place(struct commands *commands)
{
	for (int i = 0; i < COMMANDS_PENDING; i++)
		if (!commands->list[i].used)
			return &commands->list[i];
	return NULL;
}

int command_send(struct commands *commands, const struct device *device, int number, struct bus_line *line,
		 const char *name, device_command_done done, void *user, struct error *err)
{
	const struct profile_command *c = find(device->profile, name);
	struct command *pending = free_place(commands);

	if (!c || number < 1 || number > device->profile->connectors)
		return error_set(err, FC_ENOENT, "device: charger %s: profile %s has no command %s", device->name,
				 device->profile->name, name);
	if (!pending || !line)
		return error_set(err, FC_EBUSY, "device: charger %s: %s", device->name,
				 line ? "too many commands under way" : "its line is closed");
	struct bus_write write = {
	    .unit = device->unit,
	    .function = c->function,
	    .address = (uint16_t)(c->address + (c->shared ? 0 : (number - 1) * device->profile->stride)),
	    .count = c->count,
	    .tag = (uint32_t)(pending - commands->list),
	    .deadline_ms = SEND_WITHIN_MS,
	};
	memcpy(write.words, c->words, sizeof(c->words));
	int result = bus_line_write(line, &write);
	if (result)
		return error_set(err, result, "device: charger %s: command %s: the line takes no more", device->name,
				 name);
	*pending = (struct command){.used = 1,
				    .line = bus_line_id(line),
				    .give_up_us = clock_mono_us() + give_up_us,
				    .done = done,
				    .user = user};
	return FC_OK;
}

static void finish(struct command *pending, enum bus_status status)
{
	struct command c = *pending;

	pending->used = 0;
	if (c.done)
		c.done(c.user, status);
}

void command_result(struct commands *commands, const struct bus_result *result)
{
	if (result->tag >= COMMANDS_PENDING || !commands->list[result->tag].used ||
	    commands->list[result->tag].line != result->line)
		return;
	finish(&commands->list[result->tag], (enum bus_status)result->status);
}

void command_expire(struct commands *commands, int64_t now_us)
{
	for (int i = 0; i < COMMANDS_PENDING; i++)
		if (commands->list[i].used && now_us > commands->list[i].give_up_us)
			finish(&commands->list[i], BUS_DISCONNECTED);
}
