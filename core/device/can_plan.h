/* CAN plan: what the part `can` of a profile becomes: which frames are heard, which are sent and when, where each point lies in
 * them. For this room only; the language is in lua/README.md.
 *
 * References (to messages, sends, points) are places counted from 1; 0 = none. All of it is zeroed before it is filled, since it is
 * fingerprinted byte by byte. */
#ifndef FC_DEVICE_CAN_PLAN_H
#define FC_DEVICE_CAN_PLAN_H

#include "device/profile.h"

enum {
	CAN_FIELDS_MAX = 8,    /* named parts of an identifier */
	CAN_MESSAGES_MAX = 32, /* a set of them is a uint32_t */
	CAN_SENDS_MAX = 56,    /* frames that are sent, whatever for */
	CAN_INSERTS_MAX = 96,  /* values put into them, of the whole file */
	CAN_REQUESTS_MAX = 24,
	CAN_ITEMS_MAX = 64, /* of all lists `each` together */
	CAN_KEEP_ALIVES_MAX = 4,
	CAN_PACKET_BYTES = 256, /* of a message of several frames */
	CAN_BYTES_MAX = 8,
};

/* Where the device's unit, or the connector, stands within an identifier. bits 0: nowhere. */
struct can_bits {
	uint8_t first, bits;
};

/* Which frames are meant. */
struct can_match {
	uint32_t id, mask;
	uint8_t extended;
	struct can_bits unit, number;
	uint8_t data[CAN_BYTES_MAX], data_mask[CAN_BYTES_MAX];
	uint8_t unit_at, number_at; /* the byte that holds it, from 1 */
	uint8_t least;              /* bytes that the frame must have */
};

/* Where a value lies. Little: bit i of the value is bit first + i, bit 0 being the lowest of byte 0. Big: first is the value's
 * highest bit, the next lower one is the next lower bit of the same byte, or the highest of the next byte (as DBC files count). */
struct can_place {
	uint16_t first, bits;
	uint8_t big;
};

enum can_packets {
	CAN_PACKETS_NONE,
	/* Byte 0 as in `data`, byte 1 the packet's number from 1, then 6 bytes of a stream: number of packets, length (2 bytes, low
	 * first), so many bytes, the sum of all before (2 bytes, low first). Billing units, chargers.md 2.10. */
	CAN_PACKETS_COUNTED,
	CAN_PACKETS_J1939, /* J1939-21: RTS/CTS to our address, or BAM */
};

struct can_message {
	char name[PROFILE_NAME];
	struct can_match match;
	struct can_place mux; /* bits 0: none */
	enum can_packets packets;
	uint8_t reply;      /* what is sent whenever it comes */
	uint32_t period_ms; /* it comes by itself, so often; 0: when asked for */
};

/* What is put into a frame. */
enum can_source {
	CAN_FROM_VALUE, /* the number in `value` */
	CAN_FROM_UNIT,
	CAN_FROM_NUMBER,
	CAN_FROM_EACH,     /* the item of the request's list */
	CAN_FROM_SETPOINT, /* the limit that is held */
	CAN_FROM_POINT,    /* a point's value as it is now, `otherwise` while it is unknown */
	CAN_FROM_TIME,     /* local time (Asia/Shanghai), BCD: seconds, minutes, hours, day, month, year (low, high) */
	CAN_FROM_COPY,     /* a byte of the frame that is answered */
	CAN_FROM_COUNTER,  /* one more each time */
};
enum can_form { CAN_FORM_UNSIGNED, CAN_FORM_SIGNED, CAN_FORM_FLOAT, CAN_FORM_BCD };

struct can_insert {
	enum can_source source;
	enum can_form form;
	uint8_t at, bytes; /* first byte in the frame */
	uint8_t big;
	uint8_t copy; /* byte of the frame that is answered */
	int point;    /* place from 0 */
	double value, otherwise;
	double scale, offset; /* raw = (value - offset) / scale */
};

struct can_send {
	uint32_t id;
	uint8_t extended, len;
	struct can_bits unit, number;
	uint8_t data[CAN_BYTES_MAX];
	uint8_t first_insert, inserts;
	uint8_t per_number; /* one for each connector */
};

/* Asked again and again. Without answers it is only sent. */
struct can_request {
	char name[PROFILE_NAME];
	uint8_t send; /* place from 0 */
	uint8_t has_last;
	struct can_match last; /* the answer's frames end with one that fits this */
	uint32_t answers;      /* set of messages, bit = place from 0 */
	uint32_t period_ms;    /* 0: the device's poll_ms */
	uint32_t timeout_ms;
	uint16_t first_item, items; /* asked once for each */
	int unless;                 /* condition */
};

/* A step of a command, or the setpoint's way: sent again every period_ms until an answer comes. */
struct can_order {
	uint8_t send;   /* place from 1; 0: only wait for the answer */
	uint8_t answer; /* message, place from 1; 0: none is awaited */
	uint8_t has_ok; /* else any answer is good */
	struct can_match ok;
	uint32_t period_ms, within_ms;
};

struct can_keep_alive {
	uint8_t send; /* place from 0 */
	uint32_t period_ms;
	int unless;
};

struct can_field {
	char name[PROFILE_NAME];
	struct can_bits at;
};

struct can_plan {
	int bitrate; /* for people and the report */
	int master;
	uint8_t big; /* default byte order */
	uint8_t extended;
	uint32_t timeout_ms; /* of the link */
	uint32_t slow_ms;    /* between requests to a silent device */
	uint32_t gap_ms;     /* between requests */
	struct can_field fields[CAN_FIELDS_MAX];
	int field_count;
	struct can_message messages[CAN_MESSAGES_MAX];
	int message_count;
	struct can_send sends[CAN_SENDS_MAX];
	int send_count;
	struct can_insert inserts[CAN_INSERTS_MAX];
	int insert_count;
	struct can_request requests[CAN_REQUESTS_MAX];
	int request_count;
	uint32_t items[CAN_ITEMS_MAX];
	int item_count;
	struct can_keep_alive keep_alives[CAN_KEEP_ALIVES_MAX];
	int keep_alive_count;
	struct can_order orders[PROFILE_STEPS_MAX]; /* profile_step.order - 1 */
	int order_count;
	struct can_order setpoint;
	/* By point. */
	struct {
		uint8_t message; /* place from 1 */
		uint8_t has_mux;
		uint32_t mux;
		struct can_place place;
	} points[PROFILE_POINTS_MAX];
};

/* The bits of a place: FC_OK and *raw, FC_EINVAL when the data is too short. At most 64 bits. */
int can_take(const struct can_place *place, const uint8_t *data, int len, uint64_t *raw);
/* The last byte that it touches, from 0. */
int can_last_byte(const struct can_place *place);
/* A point's registers as decode.h wants them, from the data of a message. FC_OK, FC_EINVAL: the data is too short. words: room for
 * DEVICE_TEXT_MAX / 2. */
int can_words(const struct point *point, const struct can_place *place, const uint8_t *data, int len, uint16_t *words);

struct can_frame;
/* Nonzero when the frame is meant, of that unit and connector. */
int can_fits(const struct can_match *match, const struct can_frame *frame, int unit, int number);
/* Nonzero when these bytes are; for messages that were put together. */
int can_data_fits(const struct can_match *match, const uint8_t *data, int len, int unit, int number);

/* What a frame is filled with. */
struct can_filling {
	int unit, number;
	uint32_t item, counter;
	double setpoint;
	const struct point_value *values; /* by point, with quality */
	const struct can_frame *answered; /* or NULL */
	int64_t wall;                     /* seconds; 0: not known, and nothing that wants it is sent */
};
/* FC_OK; FC_EINVAL: the time is not known. */
int can_fill(const struct can_plan *plan, const struct can_send *send, const struct can_filling *with,
	     struct can_frame *frame);
/* The bits that a frame takes on the bus at most, with all stuff bits and the pause behind it. */
int can_bits_at_most(int extended, int len);

#endif
