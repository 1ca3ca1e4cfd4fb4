/* Durable: the order of a charge that runs, on the disk: opened, noted on the way, ended, closed with what goes into the outbox. What the disk does
 * not take is tried again by whoever asked, and told to the log once a minute. For this room only. */
#ifndef FC_CHARGE_DURABLE_H
#define FC_CHARGE_DURABLE_H

#include "charge/conduct.h"

/* FC_OK, or what failed and *err: then nothing of it is on the disk. */
int durable_open(struct charge *charge, struct error *err);
/* The charge is over, and its order is not: the place is still taken. Opens what is not open yet. */
int durable_end(struct charge *charge, struct error *err);
/* In one transaction with whoever must be told of it. Opens what is not open yet. */
int durable_close(struct charge *charge, struct error *err);
/* Writes what has changed since the last note. */
void durable_note(struct charge *charge);
/* Once a second: when a running order's last note is a quarter of an hour old, or a period of its tariff has ended, it and the others of the list
 * that were not noted for ten minutes are written in one transaction. */
void durable_note_stale(struct charge *first);
void durable_complain(struct charge *charge, const char *what, const struct error *err);
/* Nonzero once a minute, for who says itself what is not written: a disk may be full for hours, and the log be on it. *told_us: when that was last, by
 * the monotonic clock; 0 = never. */
int durable_may_complain(int64_t *told_us);

#endif
