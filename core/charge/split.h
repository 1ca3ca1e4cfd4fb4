/* Split: the energy of one charge by tariff period, from readings of the charger's cumulative register.
 *
 * Between two readings the energy is spread evenly over the time, so that a period that ends between them gets its part;
 * parts are whole Wh and always sum to the whole. Times are the charge's own: its trusted start plus what the monotonic
 * clock has counted since (DESIGN.md, rule 6), so they never go back.
 *
 * A register may be reset, replaced or read wrong. What it can't have delivered is never charged for; each repair is
 * remembered and goes on the order.
 *
 * What is believed. Over any time of a charge not more than twice what the connector delivers in it (SPLIT_AHEAD: a charger may be above its
 * nominal power, and readings are not made to the second), and once SPLIT_SLACK_WH (a register counts in steps) and SPLIT_STILL_S of it (some
 * stand still for a minute and show it all at once, and the first reading may be as old as that): what is left of these two from one reading
 * is there for the next, what was used comes again only with time. So neither one jump nor many small ones make energy, and an order can't have
 * more than (seconds + SPLIT_STILL_S) x 2 x power + SPLIT_SLACK_WH (a restart grants the last two anew). Silent for hours, the register is believed up to twice those hours: it may
 * have been delivered, and nobody but the register knows. */
#ifndef FC_CHARGE_SPLIT_H
#define FC_CHARGE_SPLIT_H

#include <stdint.h>

#include "charge/tariff.h"

enum { SPLIT_PARTS = 32 }; /* protocol.md 2.10: SumPeriod 0..32 */

enum split_repair {
	SPLIT_RESET = 1,    /* the register went back: counting went on from its new value */
	SPLIT_JUMP = 2,     /* it advanced more than the connector can deliver: not counted */
	SPLIT_GAP = 4,      /* no reading for longer than SPLIT_GAP_S: the part of each period is an interpolation */
	SPLIT_UNSEEN = 16,  /* it went by while the gateway or the charger was away: nobody's */
	SPLIT_LATE = 32,    /* no register could be read at the start: counted from its first reading on */
	SPLIT_METER = 64,   /* another register took over: what went by between the two is not counted */
	SPLIT_UNREAD = 128, /* no register could be read from start to end: how much was delivered is not known */
	SPLIT_MERGED = 8,   /* more periods than the standard has room for: the last line holds several */
};
enum { SPLIT_GAP_S = 300 };
enum { SPLIT_AHEAD = 2, SPLIT_SLACK_WH = 1000 };
/* 10^12 kWh: what stands beyond it, or below 0, is no reading of a register. */
#define SPLIT_MOST_WH INT64_C(1000000000000000)
/* So long a register may stand still before it shows at once what went by: some are brought up to date once a minute. */
enum { SPLIT_STILL_S = 60 };
/* So long the gateway may have been off when no clock tells: session.c gives a silent charge up after as long. */
enum { SPLIT_AWAY_S = 86400 };
/* A clock that is so little behind is not: the wall's and the monotonic clock's seconds end apart. */
enum { SPLIT_ROUNDING_S = 2 };

struct split_part {
	int64_t start_wall, end_wall;
	int64_t wh;
	int32_t elec_e4, service_e4;
};

struct split {
	int count;
	struct split_part parts[SPLIT_PARTS]; /* in the order of time */
	int64_t start_wall, last_wall;
	int64_t start_register_wh, last_register_wh;
	int64_t
	    spare_ws; /* W s that the register may be ahead of the time; < 0: all that there may be. Not kept over a restart, nor is doubted */
	int64_t before_wh; /* where it stood before a jump that was not believed ... */
	int doubted;       /* ... in the last reading: the next one says whether that was one wrong reading */
	int64_t total_wh;  /* the sum of the parts */
	unsigned repairs;  /* enum split_repair */
	int unread;        /* the register was not known at the start: the first reading is the start */
	int away;          /* how long ago the last reading was is not known: until the next one */
};

/* Begins with the register's value at the start. */
void split_begin(struct split *split, const struct tariff *tariff, int64_t wall, int64_t register_wh);
/* A later reading; an earlier time than the last counts as the last. power_w: the most that the connector delivers. Returns
 * the Wh counted. */
int64_t split_reading(struct split *split, const struct tariff *tariff, int64_t wall, int64_t register_wh,
		      int64_t power_w);
/* The charge goes on by another register, which stands at register_wh. */
void split_register(struct split *split, int64_t register_wh);
/* Energy that is known to have been delivered between the last time and wall, spread evenly over it. */
void split_energy(struct split *split, const struct tariff *tariff, int64_t wall, int64_t wh);

#endif
