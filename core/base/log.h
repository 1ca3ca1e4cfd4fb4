/* Log: one line a fact, "room: object: what: cause".
 *
 * Levels: error (someone must act), warning (it healed or may not), notice (life of the daemon), info (life of a
 * session), debug. Secrets never reach a log: no function here takes one, and personal data goes through
 * log_mask(). Thread-safe: a line is one write(2) or one syslog(3) call.
 *
 * The last lines are also kept in memory (log_keep), for whoever looks from afar: those that passed the level, wherever they
 * went. */
#ifndef FC_BASE_LOG_H
#define FC_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Until called, lines go to standard error from notice up. to_syslog also opens the system log as ident. */
void log_init(const char *ident, enum log_level level, int to_syslog);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* "error" ... "debug" to the level; -1 when the word is not one of them. */
int log_level_parse(const char *word);
const char *log_level_name(enum log_level level); /* "error" ... */

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* A line that is kept. */
struct log_kept {
	uint64_t number; /* 1.., without gaps */
	int64_t wall_ms; /* milliseconds since 1970 UTC; as good as the clock was then */
	enum log_level level;
	const char *text; /* without time and level, not ended by a zero byte; valid during the call */
	size_t len;
};
/* Memory for the last lines: bytes, 0 = none; a line takes its own and 24. What was kept and still has room stays. FC_OK, FC_ENOMEM
 * (nothing changed). */
int log_keep(size_t bytes);
/* Every line behind number after (0: all), the oldest first, until fn returns nonzero. The log waits meanwhile: fn must be quick
 * and must not log. */
void log_each_kept(uint64_t after, int (*fn)(void *user, const struct log_kept *line), void *user);
/* The number of the newest line; 0 when there was none. */
uint64_t log_newest(void);

/* Personal data for a log: keeps the first 3 and last 2 characters, stars between; "***" when shorter than 8.
 * Writes at most size bytes to out, always terminated; returns out. */
const char *log_mask(const char *text, char *out, size_t size);

#endif
