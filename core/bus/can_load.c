#include "bus/can_load.h"

/* The bits as they go out: counts them, the stuff bits among them, and works out the checksum. */
struct wire {
	unsigned bits;
	unsigned last, equal; /* the last bit, and how many times in a row */
	uint16_t crc;
};

static void put_bit(struct wire *wire, unsigned bit)
{
	wire->bits++;
	wire->equal = bit == wire->last ? wire->equal + 1 : 1;
	wire->last = bit;
	if (wire->equal == 5) {
		/* The stuff bit is the opposite, and the first of its own row. */
		wire->bits++;
		wire->equal = 1;
		wire->last = !bit;
	}
}

static void put(struct wire *wire, uint32_t value, unsigned count)
{
	while (count--) {
		unsigned bit = value >> count & 1;

		wire->crc = (uint16_t)(wire->crc << 1 ^ ((wire->crc >> 14 & 1) != bit ? 0x4599 : 0));
		put_bit(wire, bit);
	}
}

unsigned can_frame_bits(const struct can_frame *frame)
{
	struct wire wire = {.last = 1};

	put(&wire, 0, 1); /* start of frame */
	if (frame->extended) {
		put(&wire, frame->id >> 18, 11);
		put(&wire, 3, 2); /* SRR, IDE */
		put(&wire, frame->id & 0x3ffff, 18);
		put(&wire, frame->remote != 0, 1);
		put(&wire, 0, 2); /* r1, r0 */
	} else {
		put(&wire, frame->id, 11);
		put(&wire, frame->remote != 0, 1);
		put(&wire, 0, 2); /* IDE, r0 */
	}
	put(&wire, frame->len, 4);
	for (int i = 0; i < frame->len && !frame->remote; i++)
		put(&wire, frame->data[i], 8);
	for (unsigned crc = wire.crc & 0x7fff, i = 15; i--;)
		put_bit(&wire, crc >> i & 1);
	return wire.bits + 1 + 2 + 7 + 3; /* delimiter, acknowledgement, end of frame, intermission */
}

static void turn_to(struct can_load *load, int64_t second)
{
	if (second <= load->second)
		return;
	load->last = second == load->second + 1 ? load->bits : 0;
	if (load->bits > load->highest)
		load->highest = load->bits;
	load->bits = 0;
	load->second = second;
}

void can_load_add(struct can_load *load, unsigned bits, int64_t mono_us)
{
	turn_to(load, mono_us / 1000000);
	load->bits += bits;
}

uint64_t can_load_last(struct can_load *load, int64_t mono_us)
{
	turn_to(load, mono_us / 1000000);
	return load->last;
}
