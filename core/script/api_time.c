/* Time for scripts: the moment of the call, and the calendar of the station's zone (UTC+8, as the protocol). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "script/api.h"

enum { DAY_S = 86400, MS = 1000, WEEK = 7, COMPACT_DATE = 8 };

/* What four digits of a year can say, in seconds since 1970. */
static const int64_t first = -CLOCK_CST_OFFSET_S, last = 253402300799 - CLOCK_CST_OFFSET_S;

static int now(lua_State *L)
{
	lua_pushinteger(L, api_of(L)->wall);
	return 1;
}

static int64_t check_time(lua_State *L, int index)
{
	lua_Integer t = luaL_checkinteger(L, index);

	if (t < first || t > last)
		luaL_error(L, "time: %I is not within the years 1970 to 9999", (LUAI_UACINT)t);
	return t;
}

static int32_t check_day(lua_State *L, int index)
{
	size_t len;
	const char *text = luaL_checklstring(L, index, &len);
	int32_t day = 0;

	if (len >= CLOCK_DATE_SIZE || clock_parse_date(text, &day))
		luaL_error(L, "time: \"%s\" is no date such as 2026-10-01", len < CLOCK_DATETIME_SIZE ? text : "...");
	return day;
}

static int date(lua_State *L)
{
	char text[CLOCK_DATE_SIZE];

	clock_format_date(check_time(L, 1), text);
	lua_pushstring(L, text);
	return 1;
}

static int datetime(lua_State *L)
{
	char text[CLOCK_DATETIME_SIZE];

	clock_format_datetime(check_time(L, 1), text);
	lua_pushstring(L, text);
	return 1;
}

static int compact(lua_State *L)
{
	char text[CLOCK_COMPACT_SIZE];

	clock_format_compact(check_time(L, 1), text);
	lua_pushstring(L, text);
	return 1;
}

/* "20261001" or "20261001120000" with what is missing put in. */
static int parse_compact(const char *text, int64_t *wall)
{
	char full[CLOCK_DATETIME_SIZE + 1];

	if (strlen(text) == COMPACT_DATE)
		(void)snprintf(full, sizeof(full), "%.4s-%.2s-%.2s", text, text + 4, text + 6);
	else
		(void)snprintf(full, sizeof(full), "%.4s-%.2s-%.2s %.2s:%.2s:%.2s", text, text + 4, text + 6, text + 8,
			       text + 10, text + 12);
	return clock_parse_datetime(full, wall);
}

static int parse(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	size_t digits = len < CLOCK_DATETIME_SIZE ? strspn(text, "0123456789") : 0;
	int64_t wall = 0;
	int bad;

	if (digits == len && (len == COMPACT_DATE || len == CLOCK_COMPACT_SIZE - 1))
		bad = parse_compact(text, &wall);
	else
		bad = strlen(text) != len || len >= CLOCK_DATETIME_SIZE || clock_parse_datetime(text, &wall);
	if (!bad) {
		lua_pushinteger(L, wall);
		return 1;
	}
	lua_pushnil(L);
	lua_pushfstring(L, "\"%s\" is no time such as 2026-10-01, 2026-10-01 12:00:00 or 20261001120000",
			len < CLOCK_DATETIME_SIZE ? text : "...");
	return 2;
}

/* 1 = Monday; day 0 was a Thursday. */
static int weekday_of(int32_t day)
{
	return (day % WEEK + WEEK + 3) % WEEK + 1;
}

static void set(lua_State *L, const char *key, int64_t value)
{
	lua_pushinteger(L, value);
	lua_setfield(L, -2, key);
}

static int parts(lua_State *L)
{
	int64_t t = check_time(L, 1);
	time_t local = (time_t)(t + CLOCK_CST_OFFSET_S);
	struct tm tm;

	if (!gmtime_r(&local, &tm))
		return luaL_error(L, "time: %I is no time", (LUAI_UACINT)t);
	lua_createtable(L, 0, 8);
	set(L, "year", tm.tm_year + 1900);
	set(L, "month", tm.tm_mon + 1);
	set(L, "day", tm.tm_mday);
	set(L, "hour", tm.tm_hour);
	set(L, "min", tm.tm_min);
	set(L, "sec", tm.tm_sec);
	set(L, "weekday", weekday_of(clock_day(t)));
	set(L, "yearday", tm.tm_yday + 1);
	return 1;
}

static int weekday(lua_State *L)
{
	lua_pushinteger(L, weekday_of(check_day(L, 1)));
	return 1;
}

static int add_days(lua_State *L)
{
	char text[CLOCK_DATE_SIZE];
	int64_t day = check_day(L, 1);
	lua_Integer n = luaL_checkinteger(L, 2);
	const int64_t most = clock_day(last);

	if (n > most - day || n < -day)
		return luaL_error(L, "time: %I days from %s is not within the years 1970 to 9999", (LUAI_UACINT)n,
				  lua_tostring(L, 1));
	clock_format_day((int32_t)(day + n), text);
	lua_pushstring(L, text);
	return 1;
}

static int days_between(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)check_day(L, 2) - check_day(L, 1));
	return 1;
}

static int ms(lua_State *L)
{
	lua_pushinteger(L, check_time(L, 1) * MS);
	return 1;
}

static int from_ms(lua_State *L)
{
	lua_Integer t = luaL_checkinteger(L, 1);

	lua_pushinteger(L, t / MS - (t % MS < 0));
	return 1;
}

static const struct api_entry entries[] = {
    {"forecourt.now()", "seconds since 1970", "the time of this call, the same as often as it is asked", now},
    {"forecourt.time.date(t)", "`\"2026-10-01\"`", "the day of a time", date},
    {"forecourt.time.datetime(t)", "`\"2026-10-01 12:00:00\"`", "a time as the standard writes it", datetime},
    {"forecourt.time.compact(t)", "`\"20261001120000\"`", "a time without signs between", compact},
    {"forecourt.time.parse(text)", "seconds, or nil and a reason", "reads these three forms, and `\"20261001\"`",
     parse},
    {"forecourt.time.parts(t)", "table",
     "`year`, `month`, `day`, `hour`, `min`, `sec`, `weekday` (1 is Monday), `yearday`", parts},
    {"forecourt.time.weekday(date)", "1 to 7", "1 is Monday", weekday},
    {"forecourt.time.add_days(date, n)", "date", "the date n days later, or earlier", add_days},
    {"forecourt.time.days_between(a, b)", "integer", "days from date a to date b", days_between},
    {"forecourt.time.ms(t)", "milliseconds since 1970", "for platforms that write times so", ms},
    {"forecourt.time.from_ms(ms)", "seconds since 1970", "the second in which it lies", from_ms},
    {NULL, NULL, NULL, NULL}};

const struct api_subject api_time_subject = {
    .title = "Time and calendar",
    .text = "Times are whole seconds since 1970 (UTC); dates and texts are those of the station's zone, UTC+8 as in "
	    "the protocol. A date is a "
	    "text such as `\"2026-10-01\"`.",
    .entries = entries,
    .example = "local time = forecourt.time\n"
	       "local t = time.parse(\"2026-10-01 12:00:00\")\n"
	       "assert(t == 1790827200 and time.compact(t) == \"20261001120000\" and time.ms(t) == 1790827200000)\n"
	       "assert(time.weekday(\"2026-10-01\") == 4 and time.add_days(\"2026-02-28\", 1) == \"2026-03-01\")\n"
	       "assert(time.parts(t).hour == 12 and time.days_between(\"2026-10-01\", \"2026-10-08\") == 7)\n"
	       "local none, why = time.parse(\"tomorrow\")\n"
	       "assert(none == nil and why)",
};
