#include "base/decimal.h"

#include <string.h>

#include "base/error.h"

enum { DECIMALS_MAX = 9, DIGITS_MAX = 20 };

static int64_t power_of_ten(int n)
{
	int64_t p = 1;

	while (n-- > 0)
		p *= 10;
	return p;
}

int64_t decimal_div_round(int64_t n, int64_t d)
{
	int64_t quotient = n / d;
	int64_t rest = n % d;

	/* Compared by subtraction: doubling the rest could overflow. */
	if (rest >= 0)
		return rest >= d - rest ? quotient + 1 : quotient;
	return -rest >= d + rest ? quotient - 1 : quotient;
}

int64_t decimal_rescale(int64_t scaled, int from, int to)
{
	int64_t result;

	if (from > to)
		return decimal_div_round(scaled, power_of_ten(from - to));
	if (__builtin_mul_overflow(scaled, power_of_ten(to - from), &result))
		return scaled < 0 ? INT64_MIN : INT64_MAX;
	return result;
}

int decimal_format(int64_t scaled, int decimals, char *out, size_t size)
{
	uint64_t rest = scaled < 0 ? 0 - (uint64_t)scaled : (uint64_t)scaled;
	char digits[2 + DIGITS_MAX]; /* from its end on: a sign, a point, at least one digit before it */
	size_t at = sizeof(digits);

	for (int i = 0; i < decimals; i++, rest /= 10)
		digits[--at] = (char)('0' + rest % 10);
	if (decimals > 0)
		digits[--at] = '.';
	do
		digits[--at] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (scaled < 0)
		digits[--at] = '-';
	size_t len = sizeof(digits) - at;
	if (len >= size)
		return FC_ELIMIT;
	memcpy(out, digits + at, len);
	out[len] = '\0';
	return (int)len;
}

static int push_digit(int64_t *value, char digit)
{
	return __builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, digit - '0', value);
}

int decimal_parse(const char *text, int decimals, int64_t *scaled)
{
	int negative = 0, seen = 0, fraction = 0;
	int64_t value = 0;

	if (!text || decimals < 0 || decimals > DECIMALS_MAX)
		return FC_EINVAL;
	if (*text == '+' || *text == '-')
		negative = *text++ == '-';
	for (; *text >= '0' && *text <= '9'; text++, seen = 1)
		if (push_digit(&value, *text))
			return FC_ELIMIT;
	int up = 0;
	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9'; text++, seen = 1, fraction++) {
			if (fraction < decimals && push_digit(&value, *text))
				return FC_ELIMIT;
			if (fraction == decimals)
				up = *text >= '5';
		}
	}
	if (!seen || *text)
		return FC_EINVAL;
	for (; fraction < decimals; fraction++)
		if (push_digit(&value, '0'))
			return FC_ELIMIT;
	if (up && __builtin_add_overflow(value, 1, &value))
		return FC_ELIMIT;
	*scaled = negative ? -value : value;
	return FC_OK;
}
