/* The set of all devices, and what its files share. For this room only. */
#ifndef FC_DEVICE_SET_H
#define FC_DEVICE_SET_H

#include "device/by_hand.h"
#include "device/line.h"

struct device_set {
	struct loop *loop;
	const struct script_host *host;
	device_changed changed;
	void (*replaced)(void *user);
	void *user;
	struct loop_timer age_timer;
	struct loop_timer due_timer; /* what is to be written next: steps of commands, keep-alives, setpoints */
	struct line **lines;
	int line_count;
	struct profiles profiles;
	struct config *kept; /* of the last apply; ours */
	struct commands commands;
	struct by_hand by_hand;
	struct line_host line_host;
};

/* Tells of every connector whose status, or number of stale values, is not what was told last. */
void set_tell_noted(struct device_set *set, struct device *device);

/* Looks soon what is due on all lines. */
void device_set_look(struct device_set *set);

#endif
