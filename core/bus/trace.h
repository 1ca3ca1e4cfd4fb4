/* Trace: the last frames of all lines as they were on the wire, in memory, always on. For the person on site who asks what
 * happened just now, and for `forecourt bus trace`.
 *
 * A ring of bytes: a frame takes 32 bytes and its own, so 64 kB hold some 800 Modbus frames, or 1500 CAN frames; the oldest
 * give way. Frames are numbered from 1 without gaps, over all lines; a reader says which it had last, and hears how many it
 * missed. Any thread may write and read.
 *
 * What is kept is raw: VINs and card numbers travel in it. */
#ifndef FC_BUS_TRACE_H
#define FC_BUS_TRACE_H

#include <stddef.h>
#include <stdint.h>

/* A Modbus ASCII frame of the largest PDU: colon, 2 x 254 digits, LRC, end of line. */
enum { TRACE_BYTES_MAX = 513, TRACE_KB_MAX = 16384 };

enum trace_kind {
	TRACE_TCP,    /* Modbus/TCP, from the MBAP header on */
	TRACE_RTU,    /* with its CRC; also RTU over TCP */
	TRACE_ASCII,  /* from the colon to the line feed */
	TRACE_DLT645, /* from the first 0x68 to 0x16; leading 0xFE as they were */
	TRACE_CAN,    /* the data; the identifier beside it */
};
const char *trace_kind_name(enum trace_kind kind); /* "tcp", "rtu", "ascii", "dlt645", "can" */

/* 0 = received. */
enum trace_flag {
	TRACE_SENT = 1,   /* by the gateway */
	TRACE_THROWN = 2, /* torn, or nobody asked for it: thrown away */
	TRACE_ECHO = 4,   /* our own request, heard back */
	TRACE_CUT = 8,    /* longer than TRACE_BYTES_MAX: its beginning (set by trace_put) */
};

struct trace_entry {
	uint64_t number; /* 1.. */
	int64_t mono_us; /* when it was seen */
	int64_t wall_us; /* microseconds since 1970; as good as the clock was then */
	uint32_t line;   /* bus_line_id, or that of a CAN port */
	uint32_t
	    can_id;    /* TRACE_CAN: with SocketCAN's bits: 0x80000000 extended, 0x40000000 remote, 0x20000000 error */
	uint16_t len;  /* of bytes */
	uint8_t kind;  /* enum trace_kind */
	uint8_t flags; /* enum trace_flag */
	uint8_t bytes[TRACE_BYTES_MAX];
};

struct bus_trace;

/* kb: 0 = off, nothing is kept; at most TRACE_KB_MAX. NULL: no memory. */
struct bus_trace *trace_new(size_t kb);
void trace_free(struct bus_trace *trace);
/* Another size; what was kept is forgotten when it differs. FC_OK; FC_ENOMEM: nothing changed. */
int trace_resize(struct bus_trace *trace, size_t kb);
size_t trace_size_kb(const struct bus_trace *trace);

/* From any thread; no allocation, a lock held for the time of a copy. Seen now. A trace of NULL takes nothing. */
void trace_put(struct bus_trace *trace, uint32_t line, enum trace_kind kind, int flags, uint32_t can_id,
	       const uint8_t *bytes, size_t len);
/* The same for what was seen at a time of its own: the kernel's stamp of a CAN frame. */
void trace_put_at(struct bus_trace *trace, uint32_t line, enum trace_kind kind, int flags, uint32_t can_id,
		  const uint8_t *bytes, size_t len, int64_t mono_us, int64_t wall_us);

/* The first frame behind number after (0: the oldest that is kept). FC_OK; FC_ENOENT: there is none yet. *lost, if not NULL, is
 * how many between after and it were overwritten before (0 with after 0). A number that was never given, from a daemon before
 * a restart, begins anew at the oldest. */
int trace_next(struct bus_trace *trace, uint64_t after, struct trace_entry *entry, uint64_t *lost);
/* The unit that a Modbus frame is for or from; -1: it is none, or too short to say. */
int trace_unit(const struct trace_entry *entry);
/* The number of the newest frame; 0 when there was none yet. */
uint64_t trace_newest(struct bus_trace *trace);

#endif
