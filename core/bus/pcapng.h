/* Pcapng: frames of the trace as a capture that Wireshark opens. Written by the format's own text
 * (draft-ietf-opsawg-pcapng): a section header, an interface for each line, an enhanced packet for each frame.
 *
 * Modbus/TCP lines: as TCP between 192.0.2.1 (the gateway) and 192.0.2.10 + n (the line; RFC 5737, nobody's addresses), port
 * 502; the packets around the frames are made up. RTU: as an exported PDU for Wireshark's dissector "mbrtu" (LINKTYPE 252).
 * ASCII and DL/T 645: the same for "data", with the meaning as a comment. CAN: LINKTYPE_CAN_SOCKETCAN (227). */
#ifndef FC_BUS_PCAPNG_H
#define FC_BUS_PCAPNG_H

#include <stdio.h>

#include "bus/frame.h"

enum { PCAPNG_LINES = 64 };

struct pcapng {
	FILE *to;
	struct pcapng_line {
		char name[FRAME_LINE];
		enum trace_kind kind;
		uint32_t ours, theirs; /* TCP sequence numbers */
	} lines[PCAPNG_LINES];
	unsigned line_count;
};

/* 0, or -1: it can't be written. */
int pcapng_begin(struct pcapng *p, FILE *to);
/* comment: NULL or ""= none. 0; -1: it can't be written, or of too many lines. */
int pcapng_frame(struct pcapng *p, const struct frame *frame, const char *comment);

#endif
