/* Clocks. Durations come from the monotonic clock; the wall clock is only for what people and platforms read,
 * and it may jump (DESIGN.md, rule 6). */
#ifndef FC_BASE_CLOCK_H
#define FC_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Microseconds of CLOCK_MONOTONIC; never goes back. */
int64_t clock_mono_us(void);
/* Milliseconds of the same clock. */
int64_t clock_mono_ms(void);
/* Seconds since 1970 UTC of the wall clock. */
int64_t clock_wall(void);
/* The same in milliseconds, for who looks at what happened. */
int64_t clock_wall_ms(void);
/* Nonzero when the wall clock is not before the day this program was built. */
int clock_wall_trusted(void);
/* The same of a time that was taken earlier. */
int clock_trusted(int64_t wall);

/* The protocol's local time is Asia/Shanghai, UTC+8 with no daylight saving since 1991 (protocol.md 1.3),
 * whatever the box's own zone is. wall: seconds since 1970 UTC. */
#define CLOCK_CST_OFFSET_S (8 * 3600)
enum { CLOCK_COMPACT_SIZE = 15, CLOCK_DATETIME_SIZE = 20, CLOCK_DATE_SIZE = 11 };
/* "yyyyMMddHHmmss", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd"; out must hold the sizes above. */
void clock_format_compact(int64_t wall, char out[CLOCK_COMPACT_SIZE]);
void clock_format_datetime(int64_t wall, char out[CLOCK_DATETIME_SIZE]);
void clock_format_date(int64_t wall, char out[CLOCK_DATE_SIZE]);
/* Day number (days since 1970-01-01) of a wall time in protocol local time, and the text of a day number. */
int32_t clock_day(int64_t wall);
void clock_format_day(int32_t day, char out[CLOCK_DATE_SIZE]);
/* Reads "yyyy-M-d" or "yyyy-M-d H:m:s" (digits need not be padded: test vector V5 is not).
 * 0 and *wall set, or FC_EINVAL. clock_parse_date wants no time part and gives the day number. */
int clock_parse_datetime(const char *text, int64_t *wall);
int clock_parse_date(const char *text, int32_t *day);

#endif
