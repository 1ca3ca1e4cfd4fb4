/* Command: writes that profiles name ("start", "stop"), on their way to a charger. For this room only; others use
 * device_command(). */
#ifndef FC_DEVICE_COMMAND_H
#define FC_DEVICE_COMMAND_H

#include "device/instance.h"

enum { COMMANDS_PENDING = 64 };

struct command {
	int used;
	uint32_t line;      /* bus_line_id */
	int64_t give_up_us; /* the line was closed meanwhile: no answer will come */
	device_command_done done;
	void *user;
};

struct commands {
	struct command list[COMMANDS_PENDING]; /* the tag of a write is its place */
};

int command_send(struct commands *commands, const struct device *device, int number, struct bus_line *line,
		 const char *name, device_command_done done, void *user, struct error *err);
/* The answer to a write. */
void command_result(struct commands *commands, const struct bus_result *result);
/* Tells those whose answer will never come. */
void command_expire(struct commands *commands, int64_t now_us);

#endif
