/* A look at a CAN interface, and its set-up where that is ours. In a thread of its own: a driver may take seconds to open a controller,
 * and the kernel answers nobody about any interface meanwhile. For this room only. */
#ifndef FC_BUS_CAN_LOOK_H
#define FC_BUS_CAN_LOOK_H

#include "bus/can_netlink.h"
#include "loop/loop.h"

struct can_look_ask {
	char name[CAN_LINK_NAME_SIZE];
	struct can_link_settings want; /* bitrate 0: any */
	int bring_up;                  /* set it up when it is down or not as wanted */
	int not_now;                   /* but not the interface of this index: 0, or one where it failed a moment ago */
	int restart;                   /* when it is bus-off */
};

struct can_look {
	int result; /* FC_OK: link is what there is now; FC_ENOENT, FC_EIO */
	struct can_link link;
	int differs;                    /* not as wanted, in bit rate, mode or restart */
	int left;                       /* it would have been set up, but for not_now */
	int tried, set_up;              /* it was tried; FC_OK, FC_EAUTH, FC_EINVAL ... */
	int no_listen_only, no_restart; /* set up, but the driver can't do that */
	int restarted;                  /* 1: by the controller's restart; 2: by down and up */
	struct error err;               /* of result or set_up */
};

struct can_looker;
struct can_looker *can_looker_new(struct loop *loop, void (*done)(void *user, const struct can_look *look), void *user,
				  struct error *err);
/* One at a time. done comes on the loop, never after can_looker_free. FC_OK, FC_EBUSY (one is under way), FC_EIO (no thread). */
int can_looker_start(struct can_looker *looker, const struct can_look_ask *ask);
/* Does not wait for a look under way. */
void can_looker_free(struct can_looker *looker);

#endif
