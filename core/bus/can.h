/* CAN: a bus's frames, in and out, on the loop's thread.
 *
 * Three transports behind one interface, chosen by the text of `device`:
 *   can0                          SocketCAN: a network interface of the kernel, real or virtual (vcan)
 *   replay:FILE                   a candump log, at the pace of its time stamps
 *   replay-fast:FILE              the same as fast as the loop takes it, a bounded number of frames a turn
 *   datagram:OWN_PATH,PEER_PATH   UNIX datagram sockets, for tests with two processes and no CAN in the kernel
 *
 * A port that can't work yet is no error: an interface that is missing, down, pulled out or without permission is tried again after 1 s,
 * doubling to 60 s, and at once when the kernel says that something changed; each way is logged once. What is wrong is in can_reason.
 *
 * Classic CAN only: at most 8 bytes, bit rates up to 1 Mbit/s. No allocation on the frames' way. A thread
 * looks at an interface and sets it up, since drivers may take seconds; it is there for that moment only. */
#ifndef FC_BUS_CAN_H
#define FC_BUS_CAN_H

#include <stdint.h>

#include "base/error.h"
#include "loop/loop.h"

enum { CAN_DATA_MAX = 8, CAN_FILTERS_MAX = 64 };
#define CAN_ID_STANDARD_MAX 0x7ffu
#define CAN_ID_EXTENDED_MAX 0x1fffffffu

struct can_frame {
	uint32_t
	    id; /* without flag bits: 11 bits, or 29 when extended; of an error frame its classes (linux/can/error.h) */
	uint8_t extended;           /* 29-bit identifier */
	uint8_t remote;             /* a request for data: len says how much, data is zero */
	uint8_t error;              /* not from the bus: the controller reports an error */
	uint8_t len;                /* 0..CAN_DATA_MAX */
	uint8_t data[CAN_DATA_MAX]; /* zero behind len */
	int64_t mono_us;            /* received: when the kernel took it, on the monotonic clock; ignored when sent */
	int64_t wall_us;            /* the same since 1970 UTC; of a replay the log's own time */
};

/* As ISO 11898-1 counts: warning from 96 errors, passive from 128, off from 256. CAN_DOWN: no controller takes part (interface down
 * or missing, log at its end). */
enum can_state { CAN_DOWN, CAN_ACTIVE, CAN_WARNING, CAN_PASSIVE, CAN_BUS_OFF };
const char *can_state_name(enum can_state state);

struct bus_trace;
struct can_config {
	char name[64];    /* the configuration's section name, for logs */
	char device[240]; /* see above */
	int bitrate;  /* bit/s; 0: as the interface is (bus load is then known only where the kernel tells the rate) */
	int bring_up; /* we set the interface's bit rate, mode and restart time and bring it up; needs CAP_NET_ADMIN */
	int restart_ms; /* with bring_up: the controller restarts by itself this long after bus-off; 0: we restart it, with back-off */
	int sample_point;        /* with bring_up: in tenths of a per cent, 875 is 87.5 %; 0: the driver's choice */
	int listen_only;         /* can_send is refused; with bring_up the controller does not even acknowledge */
	int error_frames;        /* hand error frames to the frame hook too; states and counters come in any case */
	int repeat;              /* replays: begin again at the end */
	struct bus_trace *trace; /* every frame that comes or goes is put there (bus/trace.h); NULL: none. Borrowed. */
	uint32_t trace_line;     /* as this line */
};

/* A frame passes when it is of that kind and (frame id & mask) == (id & mask). */
struct can_filter {
	uint32_t id, mask;
	int extended;
};

/* Called on the loop's thread, never from within can_open or can_set_filters. May call can_send, can_set_filters, can_get_stats; not can_close. */
struct can_hooks {
	void *user;
	void (*frame)(void *user, const struct can_frame *frame); /* remote frames too */
	void (*state)(void *user, enum can_state state);          /* each change; it begins as CAN_DOWN */
};

struct can_stats {
	enum can_state state;
	int bitrate;                       /* the interface's where known, else the configuration's, else 0 */
	uint64_t received, received_bytes; /* data and remote frames; bytes of data */
	uint64_t sent, sent_bytes;         /* taken by the kernel */
	uint64_t busy;                     /* can_send answered FC_EBUSY */
	/* Of the bit rate, by the bits of the frames that this port saw or sent, stuff bits counted exactly, the 3 bits between frames too:
	 * the last full second, and the highest second. 0 without a bit rate. What a filter keeps away is not in it. */
	uint32_t load_permille, load_max_permille;
	uint64_t dropped;   /* frames that the kernel dropped since we came too late to read */
	uint64_t overflows; /* controller lost frames before the kernel had them, or could not queue */
	uint64_t malformed; /* lines or datagrams that are no CAN frame */
	/* Error frames, and what they told (one may tell several). */
	uint64_t errors;
	uint64_t lost_arbitration, protocol, transceiver, no_ack, bus_error, tx_timeout;
	uint32_t warnings, passives, bus_offs, restarts,
	    downs;                    /* times that the state was entered; restarts after bus-off */
	uint8_t tx_errors, rx_errors; /* the controller's error counters when it last told */
};

struct can_port;
/* NULL: FC_EINVAL (the text of device, a number out of range), FC_ENOENT (no such log), FC_EIO, FC_ENOMEM. config and hooks are copied. */
struct can_port *can_open(struct loop *loop, const struct can_config *config, const struct can_hooks *hooks,
			  struct error *err);
void can_close(struct can_port *port);
/* What is received from now on; SocketCAN filters in the kernel. filters NULL: everything, as at first; count 0: nothing. Error frames
 * pass in any case. FC_OK; FC_EINVAL (over CAN_FILTERS_MAX). */
int can_set_filters(struct can_port *port, const struct can_filter *filters, int count);
/* Does not wait. FC_OK: taken by the kernel. FC_EBUSY: its queue is full, try again. FC_EIO: the bus is down or off. FC_EINVAL: no frame
 * that can be sent (over 8 bytes, identifier too large, an error frame), or the port is listen_only. A replay takes frames and drops them. */
int can_send(struct can_port *port, const struct can_frame *frame);
void can_get_stats(const struct can_port *port, struct can_stats *stats);
/* Why the state is what it is, in a few words: "end of file"; "" when there is nothing to say. Valid until the next change. */
const char *can_reason(const struct can_port *port);

#endif
