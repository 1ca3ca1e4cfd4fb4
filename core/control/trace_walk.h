/* Trace walk: the frames of the trace in their order, personal data masked, with the names of their lines. For this room only. */
#ifndef FC_CONTROL_TRACE_WALK_H
#define FC_CONTROL_TRACE_WALK_H

#include "bus/trace.h"
#include "bus/trace_mask.h"
#include "control/bus.h"

struct trace_walk {
	/* The caller's. */
	struct control *control;
	int raw;       /* not masked */
	uint32_t line; /* 0 = all */
	int unit;      /* -1 = all */
	int most;      /* frames */
	/* line: NULL when it was closed meanwhile. */
	void (*put)(void *user, const struct trace_entry *entry, const char *line, int masked);
	void *user;
	int count;     /* of frames put */
	uint64_t lost; /* how many behind after were overwritten before */
	/* Private. */
	struct trace_walk_line {
		uint32_t id;
		const char *name;
	} * lines; /* the open ones, by their numbers in the trace */
	int line_count;
	int crowded; /* the mask has no room for all that is personal */
	struct trace_mask mask;
	uint32_t mask_line;
};

/* line and unit from the arguments of those names. FC_ENOENT and *err. */
int trace_walk_filter(struct trace_walk *walk, const struct control_reply *reply, struct error *err);
/* From after on, of a bounded number of frames; *at: the number of the last frame looked at. FC_OK, FC_ENOMEM. */
int trace_walk(struct trace_walk *walk, uint64_t after, uint64_t *at);

#endif
