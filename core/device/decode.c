#include "device/decode.h"

#include <math.h>
#include <string.h>

/* Bytes inside a register are always big-endian; the order of the registers is the point's. */
static uint64_t join(const struct point *point, const uint16_t *words)
{
	uint64_t raw = 0;

	for (int i = 0; i < point->words; i++)
		raw = raw << 16 | words[point->low_first ? point->words - 1 - i : i];
	return raw;
}

static int decode_text(const struct point *point, const uint16_t *words, struct point_value *out)
{
	size_t n = 0;

	out->is_text = 1;
	for (int i = 0; i < point->words && n + 2 < sizeof(out->text); i++) {
		char high = (char)(words[i] >> 8), low = (char)(words[i] & 0xFF);

		out->text[n++] = point->swap ? low : high;
		out->text[n++] = point->swap ? high : low;
	}
	out->text[n] = '\0';
	/* Devices fill up with zero bytes, blanks or 0xFF; what else can't be shown ends the text. */
	n = 0;
	while (out->text[n] >= 0x20 && out->text[n] < 0x7F)
		n++;
	while (n && out->text[n - 1] == ' ')
		n--;
	out->text[n] = '\0';
	return FC_OK;
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
	case POINT_U16:
	case POINT_U32:
	case POINT_U64:
	case POINT_TEXT:
	case POINT_BOOL:
		break;
	}
	return (double)raw;
}

/* Whole numbers in whole units stay exact: a double would lose low bits of a 64-bit word of flags. 0: not such a one. */
static int exact_milli(const struct point *point, uint64_t raw, int64_t *milli)
{
	int is_signed = point->type == POINT_S16 || point->type == POINT_S32 || point->type == POINT_S64;

	if (point->type == POINT_F32 || point->type == POINT_F64 || point->scale < 1 || point->scale > 1 ||
	    fabs(point->offset) > 0 || (!is_signed && raw > INT64_MAX))
		return 0;
	int64_t whole = is_signed ? sign_extend(raw, point->words * 16) : (int64_t)raw;
	return !__builtin_mul_overflow(whole, (int64_t)1000, milli);
}

int decode_point(const struct point *point, const uint16_t *words, struct point_value *out)
{
	if (point->type == POINT_TEXT)
		return decode_text(point, words, out);
	uint64_t raw = join(point, words);
	for (int i = 0; i < point->invalid_count; i++)
		if (raw == point->invalid[i])
			return FC_EINVAL;
	raw >>= point->shift;
	if (point->mask)
		raw &= point->mask;
	double value = as_double(point, raw) * point->scale + point->offset;
	if (!isfinite(value) || (point->has_range && (value < point->min || value > point->max)))
		return FC_EINVAL;
	out->is_text = 0;
	if (exact_milli(point, raw, &out->milli))
		return FC_OK;
	double milli = value * 1000;
	if (fabs(milli) >= 9.2e18)
		return FC_EINVAL;
	out->milli = llround(milli);
	return FC_OK;
}

static int is_fault(const struct status_fault *fault, const struct point_value *v)
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
		if (is_fault(&rules->faults[i], &values[rules->faults[i].point]))
			return CONNECTOR_FAULT;
	const struct point_value *v = &values[rules->point];
	for (int i = 0; i < rules->state_count; i++) {
		const struct status_state *s = &rules->states[i];

		if (s->is_text ? v->is_text && !strcmp(v->text, s->text) : !v->is_text && v->milli == s->number * 1000)
			return s->status;
	}
	return rules->otherwise;
}
