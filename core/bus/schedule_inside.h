/* A schedule's inside, for schedule*.c only: who is next (schedule.c), and what comes of it (schedule_done.c). */
#ifndef FC_BUS_SCHEDULE_INSIDE_H
#define FC_BUS_SCHEDULE_INSIDE_H

#include "bus/schedule.h"

uint32_t schedule_random(uint32_t *state);
/* The period of the plan, whatever the pace is. */
static inline int64_t schedule_planned_us(const struct schedule_entry *entry)
{
	return (int64_t)entry->read.period_ms * 1000;
}
/* One that is made soon once the unit is there, not at its period's pace. */
int schedule_is_slow_read(const struct schedule_entry *entry);
/* First times are spread over so long. */
int64_t schedule_spread_us(const struct schedule_entry *entry);

#endif
