/* Framing: how a Modbus PDU travels on a line. Pure: no descriptor, no clock, no memory of its own.
 *
 * The caller keeps the bytes that came in one buffer, in whatever pieces they came, and asks "what is at its front?" again
 * and again:
 *
 *     while (1) {
 *             framing->take(&request, buffer, len, silent, &step);
 *             ... remove step.used bytes from the front of the buffer ...
 *             FRAMING_ANSWER: done     FRAMING_DROP: note it, ask again     FRAMING_MORE: wait for bytes
 *     }
 *
 * Where one read ends says nothing about where a frame ends (chargers.md 4, rows 3, 8, 17): a frame is whole by its length
 * field (TCP), by function, byte count and CRC (RTU), or by its CR LF and LRC (ASCII). "Modbus over serial line" V1.02 and
 * "Modbus messaging on TCP/IP" V1.0b; the limits are in chargers.md 3.4.
 *
 * An answer fits its request when transaction (TCP), unit, function, byte count, and of a write the echoed values are what was
 * asked for. Anything else is thrown away with a reason, and waiting goes on. */
#ifndef FC_BUS_FRAMING_H
#define FC_BUS_FRAMING_H

#include <stddef.h>
#include <stdint.h>

/* ASCII needs most: a colon, two characters a byte of unit, PDU and LRC, CR and LF. */
enum { FRAMING_PDU_MAX = 253, FRAMING_ADU_MAX = 1 + 2 * (FRAMING_PDU_MAX + 2) + 2 };
/* What we send is short: a read, or a write of a few words. */
enum { FRAMING_REQUEST_PDU_MAX = 38, FRAMING_REQUEST_ADU_MAX = 1 + 2 * (FRAMING_REQUEST_PDU_MAX + 2) + 2 };
/* No frame is longer, whichever framing: a buffer of this size never fills up while FRAMING_MORE is said. */
enum { FRAMING_BUFFER = 2 * FRAMING_ADU_MAX };

/* What was sent, and what may come back for it. */
struct framing_request {
	uint16_t transaction; /* TCP */
	uint8_t unit;
	const uint8_t *pdu; /* function first; borrowed */
	size_t pdu_len;
	const uint8_t *adu; /* the bytes as sent, to know an echo by; NULL: not looked for. Borrowed */
	size_t adu_len;
	uint32_t identifier; /* DL/T 645, and the meter's number as on the wire; borrowed */
	const uint8_t *meter;
	int any_unit; /* TCP: the unit in the answer is not looked at (chargers.md 4, row 7) */
	int longer;   /* a read may bring more words than asked for (row 25) */
	int echo;     /* the first copy of adu that comes back is an echo, even where it could be the answer (row 16) */
};

enum framing_verdict {
	FRAMING_MORE,   /* nothing is whole yet */
	FRAMING_ANSWER, /* pdu holds it; an exception too: its function has bit 7 set, its code is not 0 */
	FRAMING_DROP,   /* used bytes are not the answer: why says what they were */
	FRAMING_WRONG,  /* TCP: the answer to this very transaction, and not what was asked for: no other will come */
	FRAMING_BROKEN, /* TCP: no Modbus. Where the next frame starts can't be known: connect anew */
};

enum framing_why {
	FRAMING_FITS,    /* it is the answer */
	FRAMING_STALE,   /* of an older request (row 1) */
	FRAMING_FOREIGN, /* a good frame of another unit, or another master's (row 6; peers.md, row 10) */
	FRAMING_MISMATCH, /* of our unit, but of another function or length, or with other values than written (rows 4, 25) */
	FRAMING_DAMAGED, /* begins as the answer would; bad checksum, or it ended too soon (row 9) */
	FRAMING_NOISE,   /* nothing that can be told */
	FRAMING_ECHO,    /* our own request (row 16) */
};
/* "stale answer" ...; never NULL. */
const char *framing_why_name(enum framing_why why);

struct framing_step {
	enum framing_verdict verdict;
	enum framing_why why;
	size_t skipped; /* noise before the frame; part of used */
	size_t used;    /* bytes to remove from the front; 0 with FRAMING_MORE only */
	size_t pdu_len;
	uint8_t pdu[FRAMING_PDU_MAX]; /* FRAMING_ANSWER */
};

struct framing {
	const char *name;
	/* The bytes to send; out holds FRAMING_ADU_MAX, or FRAMING_REQUEST_ADU_MAX for a PDU of FRAMING_REQUEST_PDU_MAX at most.
	 * request->adu is not looked at. 0 when the PDU has no valid length. */
	size_t (*build)(const struct framing_request *request, uint8_t *out);
	/* What is at the front of bytes. silent: the sender has paused for longer than it may within a frame, so that what is
	 * incomplete stays so. */
	void (*take)(const struct framing_request *request, const uint8_t *bytes, size_t len, int silent,
		     struct framing_step *step);
};

extern const struct framing framing_tcp, framing_rtu, framing_ascii, framing_dlt645;

/* --- for the framings themselves --- */

/* Is this the answer? FRAMING_FITS or FRAMING_MISMATCH. The unit is the caller's affair. */
enum framing_why framing_fits(const struct framing_request *request, const uint8_t *pdu, size_t len);
/* Length that a PDU with this beginning has, by Modbus Application Protocol V1.1b3: 0 when more must be seen, -1 when the
 * function is not known. */
int framing_answer_len(const uint8_t *pdu, size_t len);
int framing_request_len(const uint8_t *pdu, size_t len);
/* Polynomial 0xA001, begins with 0xFFFF; the low byte goes first on the wire. */
uint16_t framing_crc(const uint8_t *bytes, size_t len);

#endif
