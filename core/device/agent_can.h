/* Agent can, inside: a device on a CAN bus that is asked as the part `can` of its profile says. For this room only; to others it is
 * agent_can in agent.h.
 *
 * Pure but for its host: times are those that it is told, and what it sends goes to the host. One request is under way at a time.
 * Who is silent for can.timeout_ms is asked on, a request every can.slow_ms, and any frame of it brings it back (chargers.md 4, rows
 * 46 and 47); frames that fit no message, or another unit's, are passed over. */
#ifndef FC_DEVICE_AGENT_CAN_H
#define FC_DEVICE_AGENT_CAN_H

#include "bus/can.h"
#include "bus/j1939.h"
#include "device/agent.h"
#include "device/can_plan.h"

/* Of counted packets, one message of one connector. */
struct can_stream {
	uint8_t bytes[CAN_PACKET_BYTES + 8];
	uint8_t next;  /* number of the packet that must come; 0: none is under way */
	uint8_t total; /* packets of it */
	uint16_t length;
};

struct can_slot {
	int64_t due_us;
	uint16_t item; /* of the request's list, whose turn it is */
};

/* A command, or a limit on its way. */
struct can_running {
	const struct can_order *order;
	int64_t next_us, until_us;
	int sent;
};

struct can_command {
	int used, command, step;
	int fresh;    /* not begun yet */
	int waiting;  /* a wait or a check until until_us */
	int replaced; /* so many before it are to be told that they were ended */
	int64_t until_us;
	struct can_running running;
};

struct can_limit {
	int held;
	int64_t milli, due_us;
	struct can_running running; /* order NULL: none is on its way */
};

struct can_agent {
	const struct profile *profile;
	const struct can_plan *plan;
	struct agent_host host;
	char name[64];
	uint32_t poll_ms;
	int count; /* connectors, by place */
	int numbers[PROFILE_CONNECTORS_MAX], units[PROFILE_CONNECTORS_MAX];
	int up, begun, online;
	int by_unit; /* messages name the unit: only such a frame says that it is there */
	int64_t now_us;
	int64_t heard_us[PROFILE_CONNECTORS_MAX]; /* or since when it might have been */
	int64_t slow_us[PROFILE_CONNECTORS_MAX];
	int64_t gap_us; /* no request before */
	struct {
		const struct can_request *request; /* NULL: none is under way */
		int place;                         /* of the connector, -1: all */
		int64_t until_us;
	} asked;
	struct can_slot slots[CAN_REQUESTS_MAX][PROFILE_CONNECTORS_MAX];
	int64_t keep_due_us[CAN_KEEP_ALIVES_MAX][PROFILE_CONNECTORS_MAX];
	int64_t replied_us[CAN_MESSAGES_MAX][PROFILE_CONNECTORS_MAX];
	struct can_command commands[PROFILE_CONNECTORS_MAX];
	struct can_limit limits[PROFILE_CONNECTORS_MAX];
	uint32_t counter;
	int64_t wall;         /* 0: the clock's; others for examples and tests */
	int quiet;            /* nothing is told to the log: an example */
	struct j1939 packets; /* when a message wants it */
	int has_packets;
	struct can_stream *streams; /* [message][place], when a message wants it */
	struct point_value *values; /* [place][point] */
};

/* values by point of that place, with quality as it is now. */
const struct point_value *can_agent_values(struct can_agent *a, int place);
/* Fills and sends for a place (-1: the first). item and answered as in struct can_filling. FC_OK, FC_EBUSY, FC_EIO, FC_EINVAL. */
int can_agent_send(struct can_agent *a, int send, int place, uint32_t item, const struct can_frame *answered);
/* Nonzero when the message says which connector it is of. */
int can_agent_per_number(const struct can_agent *a, const struct can_match *match);
/* How long to wait before what the host did not take is tried again. */
int64_t can_agent_again_us(int result);

/* As in struct agent_kind. */
int can_agent_filters(void *agent, struct can_filter *filters, int most);
/* A unit that the identifier's field can't hold would be another device's. FC_OK, FC_EINVAL. */
int can_agent_check_units(const struct can_agent *a, struct error *err);

/* Requests and keep-alives that are due; when to come again. */
int64_t can_ask_run(struct can_agent *a);
/* All is due: the port is up. And: the place was silent and is back. */
void can_ask_begin(struct can_agent *a);
void can_ask_back(struct can_agent *a, int place);
/* A message came (place -1: of all): the request under way may be answered. mux: of the frame. */
void can_ask_heard(struct can_agent *a, int message, int place, const struct can_frame *frame);

/* Commands and limits. */
int can_order_command(struct can_agent *a, int number, const char *command, struct error *err);
int can_order_limit(struct can_agent *a, int number, int64_t milli, struct error *err);
int64_t can_order_run(struct can_agent *a);
void can_order_heard(struct can_agent *a, int message, int place, const uint8_t *data, int len,
		     const struct can_frame *frame);
/* The place is back, or new: its limit is told again. */
void can_order_back(struct can_agent *a, int place);
/* All commands end, which is told at the next run. */
void can_order_drop(struct can_agent *a);
/* The same, and nobody is told. */
void can_order_forget(struct can_agent *a);
/* Limits that from holds are held on. */
void can_order_take_over(struct can_agent *a, const struct can_agent *from);
void can_order_begin(struct can_agent *a);

#endif
