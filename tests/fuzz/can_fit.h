/* A frame that is a message of a CAN profile; what the profile leaves open is the caller's. */
#ifndef FC_FUZZ_CAN_FIT_H
#define FC_FUZZ_CAN_FIT_H

#include <string.h>

#include "bus/can.h"
#include "device/can_plan.h"

static inline uint32_t can_fit_bits(uint32_t id, const struct can_bits *at, int value)
{
	uint32_t mask = at->bits ? (uint32_t)((1ull << at->bits) - 1) << at->first : 0;

	return (id & ~mask) | ((uint32_t)value << at->first & mask);
}

static inline struct can_frame can_fit(const struct can_match *m, int unit, int number, uint32_t id,
				       const uint8_t *data)
{
	struct can_frame f = {.extended = m->extended, .len = CAN_DATA_MAX};

	f.id = (m->id | (id & ~m->mask)) & (m->extended ? CAN_ID_EXTENDED_MAX : CAN_ID_STANDARD_MAX);
	f.id = can_fit_bits(can_fit_bits(f.id, &m->unit, unit), &m->number, number);
	for (int i = 0; i < CAN_BYTES_MAX; i++)
		f.data[i] = (uint8_t)((data[i] & ~m->data_mask[i]) | m->data[i]);
	if (m->unit_at)
		f.data[m->unit_at - 1] = (uint8_t)unit;
	if (m->number_at)
		f.data[m->number_at - 1] = (uint8_t)number;
	return f;
}

#endif
