/* Line: one worker thread with its libmodbus context. For this room only. */
#ifndef FC_BUS_LINE_H
#define FC_BUS_LINE_H

#include "bus/bus.h"

/* Where a worker's results go; called on the worker's thread. must: may not be dropped (answers to writes). FC_OK, or
 * FC_EBUSY when it was dropped. The loop need not be woken for what may be dropped: result NULL says when. */
typedef int (*line_sink)(void *user, const struct bus_result *result, int must);

/* Its frames go to trace, which is borrowed. held: it does not connect before line_may_begin. */
struct bus_line *line_start(uint32_t id, const struct bus_line_config *config, const struct bus_read *reads,
			    uint32_t count, int held, struct bus_trace *trace, line_sink sink, void *user,
			    struct error *err);
/* The read is one that a device on this kind of line can have. */
int line_read_possible(const struct bus_line_config *config, const struct bus_read *read);
/* The worker takes the new reads over before its next request. FC_OK, FC_ENOMEM. */
int line_replan(struct bus_line *line, const struct bus_read *reads, uint32_t count, struct error *err);
void line_may_begin(struct bus_line *line);
/* Tells the worker to end; as its last deed it wakes the loop (the sink, with result NULL). */
void line_end(struct bus_line *line);
int line_has_ended(const struct bus_line *line);
/* Waits for the end, and frees it. */
void line_join(struct bus_line *line);
/* The list that it is in, of those that end. */
struct bus_line *line_next(const struct bus_line *line);
void line_set_next(struct bus_line *line, struct bus_line *next);
const struct bus_line_config *line_config(const struct bus_line *line);
/* The bus that the line belongs to (set once, by bus.c). */
void line_set_owner(struct bus_line *line, struct bus *bus);
struct bus *line_owner(const struct bus_line *line);

#endif
