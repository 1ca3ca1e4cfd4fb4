#include "device/decode.h"

#include <math.h>
#include <string.h>

#include "device/decode_text.h"

/* Bytes inside a register are always big-endian unless the point says where each byte belongs; the order of the registers is the
 * point's. */
uint64_t decode_raw(const struct point *point, const uint16_t *words)
{
	uint64_t raw = 0;
	int bytes = point->words * 2;

	if (point->permuted) {
		for (int i = 0; i < bytes; i++) {
			uint64_t byte = i % 2 ? words[i / 2] & 0xFFu : (uint64_t)words[i / 2] >> 8;

			raw |= byte << 8 * (bytes - 1 - point->order[i]);
		}
		return raw;
	}
	for (int i = 0; i < point->words; i++)
		raw = raw << 16 | words[point->low_first ? point->words - 1 - i : i];
	return raw;
}

static int64_t sign_extend(uint64_t raw, int bits)
{
	if (bits > 0 && bits < 64 && raw >> (bits - 1) & 1)
		raw |= ~(uint64_t)0 << bits;
	return (int64_t)raw;
}

static double as_double(const struct point *point, uint64_t raw)
{
	switch (point->type) {
	case POINT_F32: {
		uint32_t bits = (uint32_t)raw;
		float f;

		memcpy(&f, &bits, sizeof(f));
		return (double)f;
	}
	case POINT_F64: {
		double d;

		memcpy(&d, &raw, sizeof(d));
		return d;
	}
	case POINT_S16:
	case POINT_S32:
	case POINT_S64:
		return (double)sign_extend(raw, point->words * 16);
	case POINT_SBCD:
		return (double)(int64_t)raw;
	case POINT_U16:
	case POINT_U32:
	case POINT_U64:
	case POINT_TEXT:
	case POINT_BOOL:
	case POINT_BITS:
	case POINT_BCD:
	case POINT_HEX:
	case POINT_RAW:
		break;
	}
	return (double)raw;
}

/* Whole numbers in whole units stay exact: a double would lose low bits of a 64-bit word of flags. 0: not such a one. */
static int exact_milli(const struct point *point, uint64_t raw, int64_t *milli)
{
	int is_bcd = point->type == POINT_SBCD;
	int is_signed = is_bcd || point->type == POINT_S16 || point->type == POINT_S32 || point->type == POINT_S64;

	if (point->type == POINT_F32 || point->type == POINT_F64 || point->scale < 1 || point->scale > 1 ||
	    fabs(point->offset) > 0 || (!is_signed && raw > INT64_MAX))
		return 0;
	int64_t whole = is_signed && !is_bcd ? sign_extend(raw, point->words * 16) : (int64_t)raw;
	return !__builtin_mul_overflow(whole, (int64_t)1000, milli);
}

/* Decimal digits, four bits each. 0: one of them is none. */
static int from_bcd(uint64_t *raw)
{
	uint64_t value = 0;

	for (int shift = 60; shift >= 0; shift -= 4) {
		uint64_t digit = *raw >> shift & 0xF;

		if (digit > 9)
			return 0;
		value = value * 10 + digit;
	}
	*raw = value;
	return 1;
}

/* The highest bit of the highest digit is the sign: 0x80 0x12 is -12. The value comes out in two's complement. */
static int from_signed_bcd(const struct point *point, uint64_t *raw)
{
	int bytes = point->bytes ? point->bytes : point->words * 2;
	uint64_t sign = (uint64_t)1 << (bytes > 0 ? bytes * 8 - 1 : 0);
	int negative = (*raw & sign) != 0;

	*raw &= ~sign;
	if (!from_bcd(raw))
		return 0;
	if (negative)
		*raw = (uint64_t) - (int64_t)*raw;
	return 1;
}

static int decode_number(const struct point *point, uint64_t raw, double factor, struct point_value *out)
{
	int scaled = factor < 1 || factor > 1;
	double value = as_double(point, raw) * point->scale * factor + point->offset;

	/* The range is of what a hook makes of it. */
	if (!isfinite(value) || (point->has_range && !point->hook && (value < point->min || value > point->max)))
		return FC_EINVAL;
	out->is_text = 0;
	if (!scaled && exact_milli(point, raw, &out->milli))
		return FC_OK;
	double milli = value * 1000;
	if (fabs(milli) >= 9.2e18)
		return FC_EINVAL;
	out->milli = llround(milli);
	return FC_OK;
}

int decode_scaled(const struct point *point, const uint16_t *words, int number, double factor, struct point_value *out)
{
	out->is_text = 1;
	if (point->type == POINT_TEXT) {
		decode_text(point, words, out->text, sizeof(out->text));
		return FC_OK;
	}
	uint64_t raw = point->words <= 4 ? decode_raw(point, words) : 0;
	for (int i = 0; i < point->invalid_count; i++)
		if (raw == point->invalid[i])
			return FC_EINVAL;
	if (point->type == POINT_HEX) {
		decode_hex(point, words, out->text, sizeof(out->text));
		return FC_OK;
	}
	if (point->type == POINT_BITS || point->type == POINT_RAW)
		return FC_OK;
	raw >>= point->shift + (number > 1 ? (number - 1) * point->shift_stride : 0);
	if (point->mask)
		raw &= point->mask;
	if (point->type == POINT_BCD && !from_bcd(&raw))
		return FC_EINVAL;
	if (point->type == POINT_SBCD && !from_signed_bcd(point, &raw))
		return FC_EINVAL;
	return decode_number(point, raw, factor, out);
}

int decode_point(const struct point *point, const uint16_t *words, struct point_value *out)
{
	return decode_scaled(point, words, 1, 1, out);
}

int decode_is_fault(const struct status_fault *fault, const struct point_value *v)
{
	if (v->quality != QUALITY_GOOD || v->is_text)
		return 0;
	int64_t number = v->milli / 1000;
	if (fault->mask)
		return ((uint64_t)number & fault->mask) != 0;
	return fault->negated ? number != fault->number : number == fault->number;
}

enum connector_status decode_status(const struct status_rules *rules, const struct point_value *values)
{
	if (rules->point < 0 || values[rules->point].quality != QUALITY_GOOD)
		return CONNECTOR_OFFLINE;
	for (int i = 0; i < rules->fault_count; i++)
		if (decode_is_fault(&rules->faults[i], &values[rules->faults[i].point]))
			return CONNECTOR_FAULT;
	const struct point_value *v = &values[rules->point];
	for (int i = 0; i < rules->state_count; i++) {
		const struct status_state *s = &rules->states[i];

		if (s->is_text ? v->is_text && !strcmp(v->text, s->text) : !v->is_text && v->milli == s->number * 1000)
			return s->status;
	}
	return rules->otherwise;
}
