/* A line's inside, for line.c (the worker) and line_ask.c (what other threads ask of it) only. */
#ifndef FC_BUS_LINE_INSIDE_H
#define FC_BUS_LINE_INSIDE_H

#include <pthread.h>

#include "bus/figures.h"
#include "bus/line.h"
#include "bus/requests.h"
#include "bus/schedule.h"

enum { LINE_FLAPS = 5 };

/* Another plan on its way to the worker. */
struct line_plan {
	struct schedule schedule;
	struct figures_unit *units;
	uint32_t unit_count;
};

struct bus_line {
	uint32_t id;
	struct bus_line_config config;
	struct bus *owner;
	line_sink sink;
	void *user;
	struct trace *trace;
	pthread_t thread;
	pthread_mutex_t lock; /* of stop, next, requests, figures */
	pthread_cond_t wake;
	int stop;
	struct line_plan *next; /* what the worker is to go on with, or NULL */
	struct requests requests;
	struct figures figures;
	/* the worker's own */
	struct schedule schedule;
	struct exchange *exchange;
	int connected, answered; /* something was heard since it was connected */
	int said_down;           /* the log knows that the line is down */
	int released;            /* closed by ourselves, so that others can have the slot */
	int64_t connect_at_us, connect_backoff_us, connected_us; /* the last: tried last */
	int64_t requested_us;                                    /* a request was sent last */
	int unanswered;                                          /* requests in a row since anything was heard */
	int untold;                                              /* results that the loop was not woken for yet */
	int64_t quiet_since_us;                                  /* end of the last byte */
	int last_unit;                                           /* asked last; -1 none */
	int64_t unit_gap_us;                                     /* pause when another one is asked */
	int polls_owed;                                          /* to be made before the next request */
	int64_t look_at_us;                                      /* when the plan's load is looked at again */
	int said_full;
	int64_t lost_us[LINE_FLAPS]; /* when the peer closed, the last times */
	int lost_at;
	int64_t said_flaps_us; /* 0 never */
	int64_t said_pace_us;
};

/* NULL: no memory. */
struct line_plan *line_plan_new(const struct bus_line_config *config, uint32_t id, const struct bus_read *reads,
				uint32_t count);
void line_plan_free(struct line_plan *plan);

#endif
