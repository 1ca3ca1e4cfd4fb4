/* The kernel's CAN interfaces by rtnetlink: what they are, bit rate and mode, up, down, restart. What `ip link` does, without it.
 * Each call asks the kernel and has its answer at once. For this room only. */
#ifndef FC_BUS_CAN_NETLINK_H
#define FC_BUS_CAN_NETLINK_H

#include <stdint.h>

#include "base/error.h"

enum { CAN_LINK_NAME_SIZE = 16 };

/* The controller's own state, as drivers tell it. */
enum can_link_state {
	CAN_LINK_UNKNOWN = -1, /* no controller: vcan */
	CAN_LINK_ACTIVE,
	CAN_LINK_WARNING,
	CAN_LINK_PASSIVE,
	CAN_LINK_BUS_OFF,
	CAN_LINK_STOPPED,
};

struct can_link {
	int index;
	int up;         /* administratively */
	int is_can;     /* a CAN interface at all */
	int controller; /* has a bit rate and a state; vcan has none */
	enum can_link_state state;
	uint32_t bitrate, sample_point; /* 0: not set yet */
	uint32_t restart_ms;
	int listen_only;
	uint8_t tx_errors, rx_errors; /* the controller's counters, 255 when over */
};

/* FC_OK; FC_ENOENT: there is no such interface; FC_EIO. No right is needed. */
int can_link_get(const char *name, struct can_link *link, struct error *err);

/* The rest needs CAP_NET_ADMIN. FC_OK; FC_EAUTH: not allowed; FC_EINVAL: the driver can't; FC_ENOENT; FC_EIO. */
struct can_link_settings {
	uint32_t bitrate, sample_point; /* sample_point 0: the driver's choice */
	uint32_t restart_ms;
	int listen_only;
};
/* The interface must be down. */
int can_link_configure(int index, const struct can_link_settings *settings, struct error *err);
int can_link_set_up(int index, int up, struct error *err);
/* After bus-off; FC_EINVAL too when it restarts by itself. */
int can_link_restart(int index, struct error *err);

/* A non-blocking descriptor that is readable when any interface changed; -1 and errno. can_link_drain empties it, nonzero when there
 * was something. */
int can_link_watch(void);
int can_link_drain(int fd);

#endif
