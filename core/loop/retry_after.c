#include "loop/retry_after.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DIGITS_MOST = 9 };

static int64_t seconds(const char *text)
{
	int64_t s = 0;

	if (strlen(text) > DIGITS_MOST)
		return 0;
	for (const char *c = text; *c; c++)
		s = s * 10 + (*c - '0');
	return s;
}

static int month_of(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *at = strstr(names, name);

	return at && (at - names) % 3 == 0 ? (int)(at - names) / 3 : -1;
}

int64_t retry_after_s(const char *text, int64_t now_wall)
{
	struct tm tm = {0};
	char month[4];
	int end = 0;

	if (*text && strspn(text, "0123456789") == strlen(text))
		return seconds(text);
	/* The one form that is to be sent: Sun, 06 Nov 1994 08:49:37 GMT. */
	if (!now_wall ||
	    sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month, &tm.tm_year,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) != 6 ||
	    !end || text[end] || strlen(month) != 3)
		return 0;
	tm.tm_mon = month_of(month);
	tm.tm_year -= 1900;
	int64_t left = tm.tm_mon < 0 ? 0 : (int64_t)timegm(&tm) - now_wall;
	return left > 0 ? left : 0;
}
