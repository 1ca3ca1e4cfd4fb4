/* Command: what profiles name ("start", "stop"), step by step on its way to a charger. For this room only; others use
 * device_command(). */
#ifndef FC_DEVICE_COMMAND_H
#define FC_DEVICE_COMMAND_H

#include "device/instance.h"

enum { COMMANDS_PENDING = 64 };

struct command {
	int used;
	struct device *device; /* NULL: given up, its answer is to be told */
	int number, command;   /* connector; place in the profile */
	int step;              /* from 0 */
	uint32_t order;        /* of sending */
	struct bus_line *bus;
	uint32_t line;    /* bus_line_id */
	int writing;      /* the answer to a write is awaited */
	int64_t milli;    /* that a step limit or pause wrote */
	int64_t until_us; /* of a wait or a check; while writing: no answer will come after it */
	device_command_done done;
	void *user;
};

struct commands {
	struct command list[COMMANDS_PENDING]; /* the tag of a write is its place */
	uint32_t sent;
};

/* line: of a Modbus device; NULL of one that has an agent. */
int command_send(struct commands *commands, struct device *device, int number, struct bus_line *line, const char *name,
		 device_command_done done, void *user, struct error *err);
/* The answer to a write. */
void command_result(struct commands *commands, const struct bus_result *result);
/* An agent's answer: to the command of that connector that was sent first. */
void command_done(struct commands *commands, const struct device *device, int number, enum bus_status status);
/* Values of the device have changed: checks that wait for them. */
void command_look(struct commands *commands, const struct device *device);
/* Does what is due, tells those whose answer will never come. When to call it again; INT64_MAX: nothing waits. */
int64_t command_run(struct commands *commands, int64_t now_us);
/* The device goes, or its commands are others now: those under way are ended, which is told at the next run. */
void command_drop(struct commands *commands, const struct device *device);

#endif
