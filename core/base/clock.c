#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"

#define DAY_S 86400

int64_t clock_mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall(void)
{
	return (int64_t)time(NULL);
}

/* Days since 1970-01-01 of a date of the Gregorian calendar, any month 1..12. Years are counted from March, so that
 * the leap day is the last of its year. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

int clock_trusted(int64_t wall)
{
	/* __DATE__ would make builds differ; a fixed day before the first release serves the same purpose. */
	return wall >= days_from_civil(2026, 1, 1) * DAY_S;
}

int clock_wall_trusted(void)
{
	return clock_trusted(clock_wall());
}

static void local_tm(int64_t wall, struct tm *tm)
{
	time_t t = (time_t)(wall + CLOCK_CST_OFFSET_S);

	if (!gmtime_r(&t, tm))
		memset(tm, 0, sizeof(*tm));
}

void clock_format_compact(int64_t wall, char out[CLOCK_COMPACT_SIZE])
{
	struct tm tm;

	local_tm(wall, &tm);
	if (!strftime(out, CLOCK_COMPACT_SIZE, "%Y%m%d%H%M%S", &tm))
		out[0] = '\0';
}

void clock_format_datetime(int64_t wall, char out[CLOCK_DATETIME_SIZE])
{
	struct tm tm;

	local_tm(wall, &tm);
	if (!strftime(out, CLOCK_DATETIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm))
		out[0] = '\0';
}

void clock_format_date(int64_t wall, char out[CLOCK_DATE_SIZE])
{
	struct tm tm;

	local_tm(wall, &tm);
	if (!strftime(out, CLOCK_DATE_SIZE, "%Y-%m-%d", &tm))
		out[0] = '\0';
}

int32_t clock_day(int64_t wall)
{
	int64_t t = wall + CLOCK_CST_OFFSET_S;

	return (int32_t)(t >= 0 ? t / DAY_S : -((-t + DAY_S - 1) / DAY_S));
}

void clock_format_day(int32_t day, char out[CLOCK_DATE_SIZE])
{
	clock_format_date((int64_t)day * DAY_S - CLOCK_CST_OFFSET_S, out);
}

/* Reads 1 to max digits; the value, or -1. */
static int digits(const char **at, int max)
{
	int value = 0, n = 0;

	while (n < max && **at >= '0' && **at <= '9') {
		value = value * 10 + (**at - '0');
		(*at)++;
		n++;
	}
	return n ? value : -1;
}

static int days_in_month(int y, int m)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0))
		return 29;
	return days[m - 1];
}

static int parse_day(const char **at, int64_t *day)
{
	int y = digits(at, 4);

	if (y < 1970 || *(*at)++ != '-')
		return FC_EINVAL;
	int m = digits(at, 2);
	if (m < 1 || m > 12 || *(*at)++ != '-')
		return FC_EINVAL;
	int d = digits(at, 2);
	if (d < 1 || d > days_in_month(y, m))
		return FC_EINVAL;
	*day = days_from_civil(y, m, d);
	return FC_OK;
}

int clock_parse_date(const char *text, int32_t *day)
{
	int64_t d;

	if (!text || parse_day(&text, &d) || *text)
		return FC_EINVAL;
	*day = (int32_t)d;
	return FC_OK;
}

int clock_parse_datetime(const char *text, int64_t *wall)
{
	int64_t day;
	int h = 0, m = 0, s = 0;

	if (!text || parse_day(&text, &day))
		return FC_EINVAL;
	if (*text) {
		if (*text++ != ' ')
			return FC_EINVAL;
		h = digits(&text, 2);
		if (h < 0 || h > 23 || *text++ != ':')
			return FC_EINVAL;
		m = digits(&text, 2);
		if (m < 0 || m > 59 || *text++ != ':')
			return FC_EINVAL;
		s = digits(&text, 2);
		if (s < 0 || s > 59 || *text)
			return FC_EINVAL;
	}
	*wall = day * DAY_S + h * 3600 + m * 60 + s - CLOCK_CST_OFFSET_S;
	return FC_OK;
}
