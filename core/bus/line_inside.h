/* A line's inside, for line*.c only: the worker (line.c), its connection (line_link.c), its figures
 * (line_account.c), and what other threads ask of it (line_ask.c). */
#ifndef FC_BUS_LINE_INSIDE_H
#define FC_BUS_LINE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus/figures.h"
#include "bus/line.h"
#include "bus/progress.h"
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
	struct bus_trace *trace;
	pthread_t thread;
	pthread_mutex_t lock; /* of held, next, requests, figures, why; stop and asked change under it */
	pthread_cond_t wake;
	atomic_int stop;
	atomic_int
	    asked; /* there is a next, or a request: the worker looks at it without the lock for each of its own */
	int held;  /* it may not connect yet: another worker has its endpoint */
	atomic_int ended;
	struct progress progress;
	struct bus_line *following; /* the bus's: of those that end */
	struct line_plan *next;     /* what the worker is to go on with, or NULL */
	struct requests requests;
	struct figures figures;
	char why[160]; /* it is not connected; "" = it is, or has not been tried yet */
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
	uint32_t unit_gap_calm;                                  /* good answers in a row without another unit's */
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

/* What one request did. */
struct made {
	struct bus_result result;
	uint8_t function;
	uint16_t count;
	int64_t gap_us, spent_us, wire_us;
};

/* line_link.c, all on the worker's thread */

/* Hands a result over; what is dropped is counted. must: it may not be. */
void line_tell(struct bus_line *line, const struct bus_result *result, int must);
/* Every read of a unit (or of all, unit -1) is told that there is no getting through. */
void line_tell_lost(struct bus_line *line, int unit);
/* Waits until us from now, the end, or with for_requests: a request that may be sent, or other reads. */
void line_wait(struct bus_line *line, int64_t us, int for_requests);
int line_stopping(struct bus_line *line);
/* What follows is the worker's own: no driver is asked. */
void line_at_work(struct bus_line *line);
/* What follows asks the driver to close: what has not been sent may hold a serial port up for as long as the kernel waits for it. */
void line_at_close(struct bus_line *line);
/* The loop is woken for what it was not told of yet. */
void line_announce(void *line);
/* Under the lock: what is asked of the worker has changed. */
void line_note_asked(struct bus_line *line);
/* The request to be sent now is copied; its place in the queue, or -1. */
int line_next_request(struct bus_line *line, struct request *request);
/* The first step of the back-off. */
int64_t line_backoff_us(const struct bus_line *line);
int line_may_connect(struct bus_line *line);
void line_connect(struct bus_line *line);
/* How long there is nothing to do while the line is not open. */
int64_t line_away_us(struct bus_line *line);
/* Nothing is due for wait_us: nonzero when the connection was given back for that. */
int line_release(struct bus_line *line, int64_t wait_us);
/* What a request's end says of the connection. */
void line_recover(struct bus_line *line, enum bus_status status);

/* line_account.c, all on the worker's thread */

/* Into the figures, once the schedule knows of it. */
void line_account(struct bus_line *line, const struct made *made);
void line_account_retry(struct bus_line *line, uint8_t unit);
void line_watch_pace(struct bus_line *line, const struct made *made);
/* Now and then: whether the plan fits the line. */
void line_look_at_load(struct bus_line *line, int64_t now_us);

#endif
