#include "base/wide.h"

static const uint64_t low_half = 0xFFFFFFFFu;

struct wide wide_product(uint64_t a, uint64_t b)
{
	uint64_t al = a & low_half, ah = a >> 32, bl = b & low_half, bh = b >> 32;
	uint64_t low = al * bl, cross = ah * bl + (low >> 32), other = al * bh + (cross & low_half);

	return (struct wide){ah * bh + (cross >> 32) + (other >> 32), other << 32 | (low & low_half)};
}

int wide_scale(struct wide *w, uint32_t m)
{
	struct wide low = wide_product(w->low, m), high = wide_product(w->high, m);

	if (high.high || __builtin_add_overflow(high.low, low.high, &high.low))
		return -1;
	*w = (struct wide){high.low, low.low};
	return 0;
}

uint32_t wide_shrink(struct wide *w, uint32_t d)
{
	uint64_t parts[] = {w->high >> 32, w->high & low_half, w->low >> 32, w->low & low_half}, rest = 0;

	for (int i = 0; i < 4; i++) {
		uint64_t n = rest << 32 | parts[i];

		parts[i] = n / d;
		rest = n % d;
	}
	*w = (struct wide){parts[0] << 32 | parts[1], parts[2] << 32 | parts[3]};
	return (uint32_t)rest;
}

uint64_t wide_divide(struct wide *w, uint64_t d)
{
	struct wide quotient = {0, 0};
	uint64_t rest = 0;

	/* Bit by bit, as on paper. */
	for (int i = 127; i >= 0; i--) {
		uint64_t bit = (i >= 64 ? w->high >> (i - 64) : w->low >> i) & 1;

		rest = rest << 1 | bit;
		quotient.high = quotient.high << 1 | quotient.low >> 63;
		quotient.low <<= 1;
		if (rest < d)
			continue;
		rest -= d;
		quotient.low |= 1;
	}
	*w = quotient;
	return rest;
}

int wide_increase(struct wide *w)
{
	if (++w->low)
		return 0;
	return ++w->high ? 0 : -1;
}

int wide_compare(struct wide a, struct wide b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return a.low < b.low ? -1 : a.low > b.low;
}

struct wide wide_sum(struct wide a, struct wide b)
{
	uint64_t low = a.low + b.low;

	return (struct wide){a.high + b.high + (low < a.low), low};
}

struct wide wide_difference(struct wide a, struct wide b)
{
	return (struct wide){a.high - b.high - (a.low < b.low), a.low - b.low};
}
