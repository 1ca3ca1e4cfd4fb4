/* A raw CAN socket on one interface: frames in and out, filters, time stamps, drops; nothing of states. For this room only. */
#ifndef FC_BUS_CAN_RAW_H
#define FC_BUS_CAN_RAW_H

#include "bus/can.h"

/* One call takes so many. */
enum { CAN_RAW_BATCH = 32 };

struct can_raw; /* not open at first */
/* NULL: no memory. */
struct can_raw *can_raw_new(void);
void can_raw_free(struct can_raw *raw);
/* Bound to the interface of that index, with these filters (count -1: everything passes). FC_OK; FC_EIO. The descriptor is can_raw_fd. */
int can_raw_open(struct can_raw *raw, int index, const struct can_filter *filters, int count, struct error *err);
void can_raw_close(struct can_raw *raw);
/* -1: not open. */
int can_raw_fd(const struct can_raw *raw);
/* The interface it is bound to. */
int can_raw_index(const struct can_raw *raw);
/* FC_OK, FC_EIO. */
int can_raw_filter(struct can_raw *raw, const struct can_filter *filters, int count, struct error *err);
/* How many frames came, 0: none waits; else -errno. What is no classic CAN frame has a len over CAN_DATA_MAX. *dropped grows by what the
 * kernel dropped. */
int can_raw_receive(struct can_raw *raw, struct can_frame frames[CAN_RAW_BATCH], uint64_t *dropped);
/* FC_OK, FC_EBUSY (queue full), FC_EIO. */
int can_raw_send(struct can_raw *raw, const struct can_frame *frame);

#endif
