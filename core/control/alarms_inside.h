/* Alarms, inside: the book (alarms.c), and who looks what is wrong (alarms_look.c). For these two only. */
#ifndef FC_CONTROL_ALARMS_INSIDE_H
#define FC_CONTROL_ALARMS_INSIDE_H

#include "control/alarms.h"
#include "store/journal.h"

enum { ALARMS_SOURCES = 8, ALARMS_BUSES = 64, ALARMS_PLATFORMS = 32 };

struct alarm_entry {
	struct alarm alarm;
	int64_t seen_us; /* last; the look's time */
	int is_told, is_dated;
};

/* A line's counters as they were at the beginning of the window over which its errors are weighed. */
struct alarm_bus {
	char name[64];
	uint64_t polls, errors;
	int64_t from_us;
	unsigned share; /* percent of the last whole window that failed */
};

/* What the journal says of a platform's orders; it is not asked each second. */
struct alarm_orders {
	char platform[JOURNAL_NAME];
	int64_t waiting, disputed, oldest_wall;
};

struct alarms {
	struct loop *loop;
	struct control_sources sources;
	struct alarms_hooks hooks;
	struct loop_timer tick;
	struct {
		void (*fn)(void *user, struct alarms *alarms, int64_t now_us);
		void *user;
	} more[ALARMS_SOURCES];
	int source_count;
	int64_t now_us; /* of this look */
	int left_out, said_left_out;
	struct alarm_bus buses[ALARMS_BUSES];
	struct bus_unit_stats units[BUS_UNIT_MAX + 2];
	struct alarm_orders orders[ALARMS_PLATFORMS];
	int order_count;
	int64_t orders_at_us; /* when the journal was asked */
	int count;
	struct alarm_entry entries[ALARMS_MAX];
};

/* Says all that is wrong with what the sources know. */
void alarms_look_around(struct alarms *alarms);

#endif
