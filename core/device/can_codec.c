/* CAN frames: which are meant, what lies in them, what is put into them. Pure functions. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "bus/can.h"
#include "device/can_plan.h"

int can_last_byte(const struct can_place *place)
{
	int first = place->first / 8;

	if (!place->big)
		return (place->first + place->bits - 1) / 8;
	int left = place->bits - (place->first % 8 + 1);
	return left <= 0 ? first : first + (left + 7) / 8;
}

int can_take(const struct can_place *place, const uint8_t *data, int len, uint64_t *raw)
{
	unsigned bit = place->first;

	*raw = 0;
	if (can_last_byte(place) >= len)
		return FC_EINVAL;
	for (unsigned i = 0; i < place->bits; i++) {
		uint64_t one = data[bit / 8] >> bit % 8 & 1;

		if (place->big) {
			*raw = *raw << 1 | one;
			bit = bit % 8 ? bit - 1 : bit + 15;
		} else {
			*raw |= one << i;
			bit++;
		}
	}
	return FC_OK;
}

static int take_text(const struct point *point, const struct can_place *place, const uint8_t *data, int len,
		     uint16_t *words)
{
	int first = place->first / 8, bytes = place->bits / 8;

	if (first + bytes > len)
		return FC_EINVAL;
	for (int i = 0; i < point->words; i++) {
		int low = 2 * i + 1 < bytes ? data[first + 2 * i + 1] : 0;

		words[i] = (uint16_t)(data[first + 2 * i] << 8 | low);
	}
	return FC_OK;
}

int can_words(const struct point *point, const struct can_place *place, const uint8_t *data, int len, uint16_t *words)
{
	uint64_t raw;
	int wide = point->words * 16;
	int is_signed = point->type == POINT_S16 || point->type == POINT_S32 || point->type == POINT_S64;

	if (point->type == POINT_TEXT || point->type == POINT_HEX)
		return take_text(point, place, data, len, words);
	if (can_take(place, data, len, &raw))
		return FC_EINVAL;
	if (is_signed && place->bits > 0 && place->bits < 64 && raw >> (place->bits - 1) & 1)
		raw |= ~(uint64_t)0 << place->bits;
	for (int i = 0, shift = wide - 16; i < point->words; i++, shift -= 16)
		words[i] = (uint16_t)(shift >= 0 && shift < 64 ? raw >> shift & 0xFFFF : 0);
	return FC_OK;
}

static uint32_t bits_of(uint32_t id, const struct can_bits *at)
{
	return id >> at->first & (((uint32_t)1 << at->bits) - 1);
}

int can_data_fits(const struct can_match *m, const uint8_t *data, int len, int unit, int number)
{
	if (len < m->least)
		return 0;
	for (int i = 0; i < CAN_BYTES_MAX; i++)
		if (m->data_mask[i] && (data[i] & m->data_mask[i]) != m->data[i])
			return 0;
	if (m->unit_at && data[m->unit_at - 1] != unit)
		return 0;
	return !m->number_at || data[m->number_at - 1] == number;
}

int can_fits(const struct can_match *m, const struct can_frame *f, int unit, int number)
{
	if (f->remote || f->error || !f->extended != !m->extended || (f->id & m->mask) != m->id)
		return 0;
	if (m->unit.bits && bits_of(f->id, &m->unit) != (uint32_t)unit)
		return 0;
	if (m->number.bits && bits_of(f->id, &m->number) != (uint32_t)number)
		return 0;
	return can_data_fits(m, f->data, f->len, unit, number);
}

static double value_of(const struct can_insert *in, const struct can_filling *with)
{
	const struct point_value *v = with->values ? &with->values[in->point] : NULL;

	switch (in->source) {
	case CAN_FROM_VALUE:
		return in->value;
	case CAN_FROM_UNIT:
		return with->unit;
	case CAN_FROM_NUMBER:
		return with->number;
	case CAN_FROM_EACH:
		return with->item;
	case CAN_FROM_SETPOINT:
		return with->setpoint;
	case CAN_FROM_COUNTER:
		return with->counter;
	case CAN_FROM_POINT:
		return v && v->quality == QUALITY_GOOD && !v->is_text ? (double)v->milli / 1000 : in->otherwise;
	case CAN_FROM_COPY:
		return with->answered && in->copy < with->answered->len ? with->answered->data[in->copy] : 0xFF;
	case CAN_FROM_TIME:
		break;
	}
	return 0;
}

static uint64_t to_bcd(uint64_t value)
{
	uint64_t bcd = 0;

	for (int shift = 0; shift < 64; shift += 4, value /= 10)
		bcd |= value % 10 << shift;
	return bcd;
}

/* What does not fit is the least or the most that does: a limit is never another number by its lost bits. */
static uint64_t raw_of(const struct can_insert *in, double value)
{
	double raw = (value - in->offset) / in->scale;
	double most = ldexp(1, 8 * in->bytes - (in->form == CAN_FORM_SIGNED)) - 1;
	double least = in->form == CAN_FORM_SIGNED ? -most - 1 : 0;

	if (in->form == CAN_FORM_FLOAT) {
		float f = (float)raw;
		uint32_t bits;

		memcpy(&bits, &f, sizeof(bits));
		return bits;
	}
	if (in->form == CAN_FORM_BCD) {
		most = pow(10, 2 * in->bytes) - 1;
		return to_bcd((uint64_t)llround(raw < 0 ? 0 : raw > most ? most : raw));
	}
	raw = raw < least ? least : raw > most ? most : raw;
	return (uint64_t)llround(raw);
}

static uint8_t two_digits(const char *text)
{
	return (uint8_t)((text[0] - '0') << 4 | (text[1] - '0'));
}

static void put_time(const struct can_insert *in, int64_t wall, uint8_t *data)
{
	/* Places in "yyyyMMddHHmmss". */
	static const uint8_t from[] = {12, 10, 8, 6, 4, 2, 0};
	char text[CLOCK_COMPACT_SIZE];

	clock_format_compact(wall, text);
	for (int i = 0; i < in->bytes; i++)
		data[in->at + i] = two_digits(text + from[i]);
}

int can_fill(const struct can_plan *plan, const struct can_send *send, const struct can_filling *with,
	     struct can_frame *frame)
{
	*frame = (struct can_frame){.id = send->id, .extended = send->extended, .len = send->len};
	memcpy(frame->data, send->data, sizeof(send->data));
	frame->id |= (uint32_t)with->unit << send->unit.first & (((1u << send->unit.bits) - 1) << send->unit.first);
	frame->id |=
	    (uint32_t)with->number << send->number.first & (((1u << send->number.bits) - 1) << send->number.first);
	for (int i = 0; i < send->inserts; i++) {
		const struct can_insert *in = &plan->inserts[send->first_insert + i];

		if (in->source == CAN_FROM_TIME && !with->wall)
			return FC_EINVAL;
		if (in->source == CAN_FROM_TIME) {
			put_time(in, with->wall, frame->data);
			continue;
		}
		uint64_t raw = raw_of(in, value_of(in, with));
		for (int k = 0; k < in->bytes; k++)
			frame->data[in->at + k] = (uint8_t)(raw >> 8 * (in->big ? in->bytes - 1 - k : k));
	}
	return FC_OK;
}

int can_bits_at_most(int extended, int len)
{
	/* ISO 11898-1: a stuff bit after five equal bits at worst after each four more, from start of frame to checksum. */
	int stuffed = (extended ? 54 : 34) + 8 * len;

	return (extended ? 67 : 47) + 8 * len + (stuffed - 1) / 4;
}
