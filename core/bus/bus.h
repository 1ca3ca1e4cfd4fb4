/* Bus: Modbus lines and endpoints, each driven by one worker thread with one libmodbus context.
 *
 * A line is given its whole read plan once; the worker keeps the schedule by itself, so that a busy loop delays no
 * poll and a dead unit only itself. Results come to the loop by value through one bounded queue. Exactly one line
 * exists per host:port or device file. No allocation after bus_line_open.
 *
 * Failing units: after 3 failures in a row a unit goes to the slow lane: one probe a back-off step (1 s doubling to
 * 60 s, jitter +-20 %), with the others' polls first. Any good answer brings it back. A line that can't connect backs
 * off the same way, and so does one that is connected and dropped without an answer. A time-out of one unit among several
 * is no error of the line: it reconnects on evidence (socket error, bytes that are no Modbus, transactions that stay behind, or all
 * units silent). */
#ifndef FC_BUS_BUS_H
#define FC_BUS_BUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "loop/loop.h"

#define BUS_WORDS_MAX       125
#define BUS_WRITE_WORDS_MAX 16
#define BUS_NAME_MAX        64
#define BUS_EXCEPTIONS      12 /* codes 1 to 11 have a meaning */
#define BUS_UNIT_MAX        248

/* What the line is: a TCP connection or a serial port. */
enum bus_kind { BUS_TCP, BUS_RTU };
/* How frames look on it (framing.h). AUTO: Modbus/TCP on TCP, RTU on a serial port. */
enum bus_framing { BUS_FRAMING_AUTO, BUS_FRAMING_TCP, BUS_FRAMING_RTU, BUS_FRAMING_ASCII, BUS_FRAMING_DLT645 };
/* Who turns a half-duplex transceiver round. AUTO: the driver where it can, else nobody (adapters that do it by themselves). ON: the
 * driver, else we by RTS. OFF: nobody. */
enum bus_rs485 { BUS_RS485_AUTO, BUS_RS485_ON, BUS_RS485_OFF };

struct bus_line_config {
	char name[BUS_NAME_MAX]; /* the configuration's section name */
	enum bus_kind kind;
	enum bus_framing framing;
	char host[128];   /* BUS_TCP: name or address */
	int port;         /* BUS_TCP */
	char device[128]; /* BUS_RTU: /dev/ttyS1 */
	int baud, data_bits, stop_bits;
	char parity; /* 'N', 'E', 'O' */
	enum bus_rs485 rs485;
	int rts_before_us, rts_after_us; /* RS-485: the transmitter is on so long before and after a frame */
	int connect_timeout_ms;          /* default 3000 */
	int reconnect_ms; /* TCP: least time between two connections, and the back-off's first step; default 5000 */
	int response_timeout_ms; /* to the answer's first byte; default 1000 */
	int byte_timeout_ms;     /* then from byte to byte; default 50 */
	int gap_ms;              /* silence before each request, from the end of the last byte */
	/* BUS_TCP: 0 keeps the connection; else it is closed when nothing is due, and not opened for so long but for a write or a
	 * request by hand: a device with one slot serves others meanwhile (chargers.md 4, row 20). */
	int release_ms;
	int wake_ms;  /* a unit not heard of for so long is asked again at once when it does not answer; 0 = no */
	int echo;     /* nonzero: every request comes back before its answer */
	int any_unit; /* nonzero: an answer's unit is not looked at; Modbus/TCP only */
};

/* One block of registers read again and again. On a line of DL/T 645 meters: one identifier of one of them; function 3, and unit is
 * a number of ours that tells the meters of the line apart. */
struct bus_read {
	uint8_t unit;       /* 0..248, 255 for TCP devices without units */
	uint8_t function;   /* 1, 2, 3 or 4 */
	uint16_t address;   /* zero-based protocol address */
	uint16_t count;     /* 1..BUS_WORDS_MAX words (or bits for 1 and 2) */
	uint32_t period_ms; /* 100..3600000 */
	uint32_t gap_ms;    /* the device's own pause before a request */
	uint32_t tag;       /* the owner's, handed back in results */
	uint8_t steady;     /* its period is kept to when the unit is slow: a device counts on it (a keep-alive) */
	/* 0: the line's response time-out. A device that needs longer, or a look that is not worth it (bus_line_read). */
	uint32_t timeout_ms;
	uint32_t identifier; /* DL/T 645 */
	uint8_t meter[6];    /* DL/T 645: its number as on the wire */
	uint8_t
	    longer; /* nonzero: more words than asked for may come (chargers.md 4, row 25); the first count are taken */
};

struct bus_write {
	uint8_t unit;
	uint8_t function; /* 5, 6, 15 or 16 */
	uint16_t address;
	uint16_t count; /* 1..BUS_WRITE_WORDS_MAX; 1 for functions 5 and 6 */
	uint16_t words[BUS_WRITE_WORDS_MAX];
	uint32_t tag;
	uint32_t deadline_ms; /* answered BUS_TIMEOUT when it could not be sent by then */
	uint32_t gap_ms;      /* the device's own pause before it */
	uint32_t rest_ms;     /* and after it: nothing else is sent on the line meanwhile */
	uint8_t by_hand;      /* its answer goes to the hook of bus_set_by_hand */
};

enum bus_status {
	BUS_OK,
	BUS_TIMEOUT,      /* no answer */
	BUS_EXCEPTION,    /* the device said no: exception code */
	BUS_BAD_ANSWER,   /* torn, wrong unit, wrong length, bad checksum */
	BUS_DISCONNECTED, /* line not open */
};
const char *bus_status_name(enum bus_status status);

struct bus_result {
	uint32_t line; /* bus_line_id */
	uint32_t tag;
	uint8_t is_write;
	uint8_t by_hand; /* of bus_line_read, or of a write that said so */
	uint8_t unit;
	uint8_t status;    /* enum bus_status */
	uint8_t exception; /* Modbus exception code, or 0 */
	uint16_t count;    /* words valid when BUS_OK and a read */
	int64_t mono_us;   /* when the answer came (or failed) */
	uint32_t latency_us;
	uint16_t words[BUS_WORDS_MAX]; /* bits: one a word */
};

/* Nonzero when the unit itself answered. A gateway that says by exception 10 or 11 that it can't reach the unit is no sign of
 * life of it (chargers.md 4, row 41). */
int bus_unit_answered(const struct bus_result *result);

struct bus_line_stats {
	int connected;
	int64_t since_wall;                                         /* when that changed last, or the line was opened */
	uint32_t units, units_slow;                                 /* units known, in the slow lane */
	uint64_t due;                                               /* polls that fell due */
	uint64_t polls, ok, timeouts, exceptions, bad, disconnects; /* made, and how they ended */
	uint64_t writes;                                            /* sent, by hand or not */
	uint64_t retries; /* asked again before its time: the unit was busy, or a slow read was lost */
	uint64_t missed;  /* due polls of healthy units left out since the next was due already */
	uint64_t late;    /* made more than half a period after they were due */
	uint64_t flushed; /* bytes that came unasked (late answers), thrown away before the next request */
	uint64_t stale, foreign, damaged,
	    noise;              /* thrown away while waiting: older answers, others' frames, torn ones, bytes */
	uint64_t queue_dropped; /* results dropped since the loop did not empty the queue */
	uint32_t latency_mean_us, latency_max_us, late_max_us;
	/* Shares of time in thousandths. load: requests and what belongs to them (silence before, waiting for the answer), over the
	 * last minute. wire: of that, bits on the wire; serial lines only. planned: what the reads of the plan need, as far as their
	 * answers have been measured; above 1000 they don't fit. */
	uint32_t load, wire, planned;
	uint32_t unit_gap_ms; /* pause when the unit changes: grows when another unit than the asked one answers */
};

/* A unit's own figures, from the line's start on (they outlive bus_line_replan). */
struct bus_unit_stats {
	uint8_t unit;
	uint8_t slow; /* in the slow lane now */
	uint16_t
	    pace; /* percent of the planned rate that it is asked at: 100, and less while it answers slower than it did */
	uint64_t requests;                   /* sent: polls, writes, by hand */
	uint64_t answers;                    /* good ones */
	uint64_t timeouts;                   /* no answer */
	uint64_t bad;                        /* torn, wrong unit, wrong length, bad checksum, connection lost */
	uint64_t retries;                    /* asked again before its time */
	uint64_t exceptions[BUS_EXCEPTIONS]; /* by code; 0: codes beyond */
	/* Of good answers; 0 while there is none. Percentiles to within a quarter. */
	uint32_t latency_p50_us, latency_p90_us, latency_p99_us, latency_max_us;
	int64_t answer_age_us; /* since it last answered, exceptions of its own too; -1 never */
};

/* Units that a device on this kind of line can have: 1..247, on TCP 0 and 255 too. And 248: reserved by the specification, and what
 * Sungrow's chargers have (chargers.md 1.1). */
int bus_unit_valid(enum bus_kind kind, unsigned unit);

struct bus;
struct bus_line;
struct bus_trace;

/* result is called on the loop's thread for every answer. */
struct bus *bus_new(struct loop *loop, void (*result)(void *user, const struct bus_result *result), void *user,
		    struct error *err);
/* Answers to what was asked by hand (bus_line_read, and writes that say so) go to this hook instead; without one they are
 * dropped. On the loop's thread. */
void bus_set_by_hand(struct bus *bus, void (*result)(void *user, const struct bus_result *result), void *user);
/* Closes all lines, waits for their threads. */
void bus_free(struct bus *bus);
/* Frames of all lines as they were on the wire (bus/trace.h); off until it is given a size. Ends with the bus. */
struct bus_trace *bus_trace(struct bus *bus);
/* A number that no line of this bus has or will have: a CAN port's, in the trace. */
uint32_t bus_other_id(struct bus *bus);
/* Starts a worker. reads are copied and staggered over their periods. NULL: FC_EEXIST when that endpoint is open
 * already, FC_EINVAL, FC_ENOMEM. A line that can't connect yet is no error. */
struct bus_line *bus_line_open(struct bus *bus, const struct bus_line_config *config, const struct bus_read *reads,
			       uint32_t count, struct error *err);
/* Other reads for a running line, from its next request on: the connection, what is known of its units and the writes under way
 * stay; reads that are the same keep their times. Results of the reads before may still come: the owner knows them by their tags.
 * FC_OK; FC_EINVAL, FC_ENOMEM: nothing changed. */
int bus_line_replan(struct bus_line *line, const struct bus_read *reads, uint32_t count, struct error *err);
/* Tells the worker to end, and does not wait for it: it may be in a look-up or a connect for seconds. No result of it is delivered after.
 * A line that is opened on the same endpoint meanwhile connects when the old worker has ended: there are never two connections. */
void bus_line_close(struct bus_line *line);
/* How many lines were closed whose workers have not ended yet. */
int bus_ending(const struct bus *bus);
uint32_t bus_line_id(const struct bus_line *line);
const char *bus_line_name(const struct bus_line *line);
/* Queues a write ahead of the reads. FC_OK, FC_EBUSY (queue of 32 full), FC_EINVAL (no such function, unit, count or
 * address; a broadcast too: nobody would answer; a line of DL/T 645 meters). The answer always comes, unless the line is closed before. */
int bus_line_write(struct bus_line *line, const struct bus_write *write);
/* One read, once, in the queue of the writes and like them ahead of the polls; of any unit, in the plan or not. period_ms is its
 * deadline: answered BUS_TIMEOUT when it could not be sent by then. The answer comes to the hook of bus_set_by_hand with its tag;
 * always, unless the line is closed before. FC_OK, FC_EBUSY, FC_EINVAL (also on a line of DL/T 645 meters). */
int bus_line_read(struct bus_line *line, const struct bus_read *read);
/* Why it is not connected, as the system said it at the last try; "" while it is, and before the first try. */
void bus_line_why(const struct bus_line *line, char *out, size_t size);
/* For how long the line's worker has been held by its driver, in microseconds, when that is longer than all of its time-outs together
 * allow (bus/progress.h); else 0. By one watcher on the loop's thread, at least every few seconds. now_us: monotonic. */
int64_t bus_line_stuck_us(struct bus_line *line, int64_t now_us);
void bus_line_get_stats(const struct bus_line *line, struct bus_line_stats *stats);
/* Figures of the units of the plan, in the order of their numbers, most of them at most. How many were filled in. */
int bus_line_get_units(const struct bus_line *line, struct bus_unit_stats *units, int most);

#endif
