#include "cli/format.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/decimal.h"

static const char *decimal(int64_t scaled, int decimals, char out[FORMAT_SIZE])
{
	if (decimal_format(scaled, decimals, out, FORMAT_SIZE) < 0)
		out[0] = '\0';
	return out;
}

const char *format_money(int64_t money_e4, char out[FORMAT_SIZE])
{
	return decimal(decimal_rescale(money_e4, 4, 2), 2, out);
}

const char *format_price(int64_t money_e4, char out[FORMAT_SIZE])
{
	return decimal(money_e4, 4, out);
}

const char *format_kwh(int64_t wh, char out[FORMAT_SIZE])
{
	return decimal(wh, 3, out);
}

const char *format_point(int64_t milli, char out[FORMAT_SIZE])
{
	int decimals = 3;

	for (; decimals && milli % 10 == 0; decimals--)
		milli /= 10;
	return decimal(milli, decimals, out);
}

const char *format_kw(int64_t w, char out[FORMAT_SIZE])
{
	return decimal(decimal_rescale(w, 3, 1), 1, out);
}

const char *format_duration(int64_t s, char out[FORMAT_SIZE])
{
	int n = 0;

	if (s >= 86400)
		n = snprintf(out, FORMAT_SIZE, "%" PRId64 "d ", s / 86400);
	(void)snprintf(out + n, (size_t)(FORMAT_SIZE - n), "%02d:%02d:%02d", (int)(s % 86400 / 3600),
		       (int)(s % 3600 / 60), (int)(s % 60));
	return out;
}

const char *format_megabytes(int64_t bytes, char out[FORMAT_SIZE])
{
	return decimal(bytes / 100000, 1, out);
}

const char *format_int(int64_t i, char out[FORMAT_SIZE])
{
	(void)snprintf(out, FORMAT_SIZE, "%" PRId64, i);
	return out;
}
