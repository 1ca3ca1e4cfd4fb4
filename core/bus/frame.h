/* Frame: one of the trace beside the name of its line: what files of captures are written from. */
#ifndef FC_BUS_FRAME_H
#define FC_BUS_FRAME_H

#include "bus/trace.h"

enum { FRAME_LINE = 64 };

struct frame {
	uint64_t number;
	int64_t wall_us, mono_us;
	char line[FRAME_LINE];
	enum trace_kind kind;
	int flags;   /* enum trace_flag */
	uint32_t id; /* CAN, with SocketCAN's bits */
	uint16_t len;
	uint8_t bytes[TRACE_BYTES_MAX];
};

#endif
