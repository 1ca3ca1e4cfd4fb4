/* CAN frames as text, in the notation of can-utils: "1826F456#010100" (8 digits: 29-bit identifier), "123#DEADBEEF", "123#" (no data),
 * "123#R" and "123#R4" (remote), bytes apart by '.' or not. Error frames have bit 0x20000000 in 8 digits: "20000040#0000000000000000".
 * And the lines of candump, of its log file and as it prints them:
 *   (1436509052.249713) can0 1826F456#010100
 *    (1436509052.249713)  can0  1826F456   [3]  01 01 00 */
#ifndef FC_BUS_CAN_TEXT_H
#define FC_BUS_CAN_TEXT_H

#include <stdint.h>

#include "base/error.h"
#include "bus/can.h"

enum { CAN_TEXT_SIZE = 32 };

/* The whole text is one frame. FC_OK, or FC_EINVAL and what is wrong with it (no place: the caller knows it). Times become 0. */
int can_frame_parse(const char *text, struct can_frame *frame, struct error *err);
/* The other way; returns out. */
const char *can_frame_format(const struct can_frame *frame, char out[CAN_TEXT_SIZE]);

struct can_log_line {
	char interface[16];
	int timed; /* a time was given: frame.wall_us */
	int sent;  /* the log says that the logger's host sent it */
	struct can_frame frame;
};
/* One line of candump, with or without its newline. FC_OK; FC_ENOENT: nothing on it (blank, or # a comment); FC_EINVAL. */
int can_log_parse(const char *line, struct can_log_line *out, struct error *err);

#endif
