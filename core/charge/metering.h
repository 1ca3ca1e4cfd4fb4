/* Metering: the register of one connector's charges, read and counted.
 *
 * A charge is counted by one register from its start to its end, whatever is attached meanwhile: the connector's meter where it has
 * one at the start, else the charger's. A register that can't be read is unknown; another one never stands in for it, since two
 * registers never stand at the same number. Only when it is gone for good (its section was taken away) does the one of now take
 * over, and the order says so. For this room only. */
#ifndef FC_CHARGE_METERING_H
#define FC_CHARGE_METERING_H

#include "charge/conduct.h"

/* What a register may advance from one reading to the next while no current is seen: what the charger itself uses, or a meter before it
 * counts of its fans and heaters. That is in no order. */
enum { METERING_CREEP_WH = 100 };

/* When the status was read that the connector has, by the monotonic clock; 0: that is not known. */
int64_t metering_status_us(const struct charge *charge);
/* Nonzero when the register was not read since the status said that the charge is over. */
int metering_is_behind(const struct charge *charge);
/* An order is opened: which register it will be counted by, and where that stood while nothing flowed. */
void metering_pin(struct charge *charge);
/* Current was seen: energy counts from the last value without current; from the first reading when none is known. */
void metering_begin(struct charge *charge);
/* Takes a new reading, if there is one. */
void metering_look(struct charge *charge);
/* The order is over: where the next charge begins. */
void metering_rest(struct charge *charge);
/* An order that was over before a restart: what flowed since is still to be looked for. */
void metering_rest_again(struct charge *charge);

#endif
