/* What the CAN transports share with can.c. For this room only. */
#ifndef FC_BUS_CAN_PORT_H
#define FC_BUS_CAN_PORT_H

#include "bus/can.h"
#include "bus/can_load.h"

/* The bits beside an identifier, as SocketCAN, candump's error frames, the trace and the datagrams have them. */
#define CAN_WIRE_EXTENDED 0x80000000u
#define CAN_WIRE_REMOTE   0x40000000u
#define CAN_WIRE_ERROR    0x20000000u
uint32_t can_wire_id(const struct can_frame *frame);
/* Sets id, extended, remote and error. FC_OK, or FC_EINVAL: a standard identifier over 11 bits. */
int can_wire_read(uint32_t wire_id, struct can_frame *frame);

/* How many frames a transport hands over in one turn of the loop; the loop must not be held longer. */
enum { CAN_TURN_MAX = 256 };

struct can_transport {
	const char *prefix; /* of the device's text; "" takes any */
	/* what: the text behind the prefix. Fails only for what can never work. */
	void *(*open)(struct can_port *port, const char *what, struct error *err);
	void (*close)(void *own);
	int (*send)(void *own, const struct can_frame *frame); /* FC_OK, FC_EBUSY, FC_EIO */
	void (*filter)(void *own);                             /* the port's filters are others; NULL: can.c filters */
	void (*error)(void *own, int restarted); /* an error frame changed the state, or told a restart; NULL */
};
extern const struct can_transport can_socket, can_replay, can_replay_fast, can_datagram;

struct can_port {
	struct loop *loop;
	struct can_config config;
	struct can_hooks hooks;
	const struct can_transport *transport;
	void *own;
	struct can_filter filters[CAN_FILTERS_MAX];
	int filter_count; /* -1: everything passes */
	struct can_stats stats;
	struct can_load load;
	char reason[200];
	/* What the log was told last. A state that flaps is told a few times within 10 s, then what it has come to. */
	struct loop_timer log_again;
	int log_waits, told;
	uint32_t unlogged;
	enum can_state logged;
	char logged_reason[200];
};

/* Microseconds since 1970, now. */
int64_t can_wall_us(void);
/* A frame came: counts, traces, understands error frames, filters unless the transport does, and hands it on. */
void can_port_received(struct can_port *port, const struct can_frame *frame);
/* What came is no frame: counted, and the first one logged. */
void can_port_malformed(struct can_port *port, const char *where, const char *why);
/* The state and its reason ("" for none), when they are others than before. */
void can_port_state(struct can_port *port, enum can_state state, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What an error frame tells: counts it in stats. The state that the controller is in now, or -1 when the frame says nothing of it;
 * *restarted: it came back from bus-off by itself. */
int can_error_read(const struct can_frame *frame, struct can_stats *stats, int *restarted);

#endif
