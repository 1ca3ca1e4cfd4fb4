/* J1939 for a listener: what a 29-bit identifier says, and messages of more than 8 bytes put together from the transport
 * protocol's packets (J1939-21; chargers.md 2.1, 2.4).
 *
 * A listener answers nothing, and hears what it hears: acknowledgements (CTS, EndOfMsgAck) may be missing, and so may packets
 * that the receiver did get. Request to send (RTS) and the packets (DT) alone are enough. What is put together is right or is
 * not delivered: packets that may belong to two messages are never mixed where the bus lets it be known.
 *
 * Pure: no clock of its own (times are monotonic microseconds that the caller brings), nothing allocated after j1939_init.
 * Between two addresses there is one message at a time in each direction, which the packets belong to: they do not name it. */
#ifndef FC_BUS_J1939_H
#define FC_BUS_J1939_H

#include <stddef.h>
#include <stdint.h>

enum {
	J1939_ALL = 0xff,         /* the address of everybody */
	J1939_PACKET = 7,         /* bytes of the message in a DT */
	J1939_MESSAGE_MAX = 1785, /* 255 packets */
	J1939_PGN_TP_CM = 0xec00, /* connection management */
	J1939_PGN_TP_DT = 0xeb00, /* data transfer */
	J1939_PGN_MAX = 0x3ffff,
};

/* First byte of a TP.CM frame. */
enum { J1939_RTS = 16, J1939_CTS = 17, J1939_ACK = 19, J1939_BAM = 32, J1939_ABORT = 255 };

/* J1939-21, milliseconds. A listener waits a little longer where it can't know who is late. */
enum { J1939_T1_MS = 750, J1939_T2_MS = 1250, J1939_T3_MS = 1250, J1939_T4_MS = 1050 };

/* Parts of an identifier: priority 0 (first) to 7, PDU format, PDU specific, source address. */
unsigned j1939_priority(uint32_t id);
unsigned j1939_pf(uint32_t id);
unsigned j1939_ps(uint32_t id);
unsigned j1939_source(uint32_t id);
/* J1939_ALL when PF is 240 or more (PDU2: everybody). */
unsigned j1939_destination(uint32_t id);
/* With the two page bits; PS belongs to it when PF is 240 or more. */
uint32_t j1939_pgn(uint32_t id);
uint32_t j1939_id(unsigned priority, uint32_t pgn, unsigned destination, unsigned source);

enum j1939_what {
	J1939_OPENED,    /* RTS or BAM: pgn, length. It may say enough by itself (GB/T 27930: the edition) */
	J1939_WHOLE,     /* data, length; valid within the call */
	J1939_RESTARTED, /* a new RTS between the two, before the message was whole */
	J1939_ABORTED,   /* either side gave it up: reason */
	J1939_TIMED_OUT, /* nothing more came */
	J1939_BROKEN,    /* acknowledged or begun anew though we lack packets, or packets that contradict each other */
};

struct j1939_event {
	enum j1939_what what;
	uint32_t pgn;
	uint8_t source, destination; /* of the message */
	uint8_t
	    reason; /* J1939_ABORTED: 1 busy, 2 no resources, 3 time-out, 4 CTS while sending, 5 retransmit limit; others occur */
	uint8_t by_source; /* J1939_ABORTED: by the sender of the message */
	uint8_t answered;  /* a CTS or an acknowledgement was heard */
	uint16_t length;
	uint16_t packets; /* distinct ones that came */
	const uint8_t *data;
	int64_t mono_us;   /* when it happened: of a time-out, when it fell due */
	int64_t opened_us; /* when the RTS came */
};

struct j1939_stats {
	uint64_t opened, whole, whole_bytes;
	uint64_t restarted, aborted, timed_out, broken;
	uint64_t evicted;    /* given up for another pair: more at a time than there are sessions */
	uint64_t refused;    /* RTS or BAM of a length that can't be, or longer than we take */
	uint64_t orphans;    /* DT that belong to no message */
	uint64_t sequence;   /* DT numbers that skip, or are out of range */
	uint64_t duplicates; /* DT that came again */
	uint64_t malformed;  /* frames too short, control bytes unknown */
	uint64_t cts, acks;
};

struct j1939_session; /* one message on its way */

struct j1939 {
	struct j1939_session *sessions;
	uint8_t *buffers;
	int count, longest;
	int64_t now_us;
	void (*event)(void *user, const struct j1939_event *event);
	void *user;
	struct j1939_stats stats;
};

/* sessions: messages at a time, 1 or more; longest: of a message, up to J1939_MESSAGE_MAX. event may be NULL; it may not call
 * j1939_frame or j1939_tick. FC_OK, FC_EINVAL, FC_ENOMEM. */
int j1939_init(struct j1939 *j, int sessions, int longest, void (*event)(void *user, const struct j1939_event *event),
	       void *user);
void j1939_fini(struct j1939 *j);
/* Takes a frame with a 29-bit identifier. 1 when it was one of the transport protocol, else 0. What fell due before now_us ends
 * first, so that the outcome does not depend on how often j1939_tick is called. A time before the last counts as the last. */
int j1939_frame(struct j1939 *j, uint32_t id, const uint8_t *data, size_t len, int64_t now_us);
/* Ends what is overdue. */
void j1939_tick(struct j1939 *j, int64_t now_us);
/* When the next message would time out; INT64_MAX when none is under way. */
int64_t j1939_due(const struct j1939 *j);
/* Forgets what is under way (the bus was down); the counters stay. */
void j1939_reset(struct j1939 *j);

#endif
