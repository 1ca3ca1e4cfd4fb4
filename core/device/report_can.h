/* Report, the part of polled CAN profiles. For this room only. */
#ifndef FC_DEVICE_REPORT_CAN_H
#define FC_DEVICE_REPORT_CAN_H

#include "device/can_plan.h"

/* "0x1001F68A [8], answer start_answer within 5000 ms". */
void report_can_order(const struct can_plan *plan, const struct can_order *order, char *text, size_t size);
/* Adds requests (name, frame, items, period_ms, answers, points), messages that come by themselves, keep_alives, bitrate,
 * frames_per_s and load (in percent of the bit rate, stuff bits at their worst; for one device with all its connectors). */
void report_can(const struct profile *profile, uint32_t poll_ms, struct arena *arena, struct value *report,
		struct value *warnings);

#endif
