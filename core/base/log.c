#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/log_ring.h"

/* The level and the target are the process's: there is one log as there is one standard error. */
static atomic_int current_level = LOG_LEVEL_NOTICE;
static atomic_int use_syslog;

/* So is what is kept of it. Any thread may log. */
static struct log_ring ring;
static pthread_mutex_t ring_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const level_words[] = {"error", "warning", "notice", "info", "debug"};
static const int level_syslog[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};
enum { LEVELS = sizeof(level_words) / sizeof(level_words[0]) };

void log_init(const char *ident, enum log_level level, int to_syslog)
{
	atomic_store(&current_level, (int)level);
	if (to_syslog && !atomic_load(&use_syslog))
		openlog(ident, LOG_PID, LOG_DAEMON);
	atomic_store(&use_syslog, to_syslog);
}

void log_set_level(enum log_level level)
{
	atomic_store(&current_level, (int)level);
}

enum log_level log_get_level(void)
{
	return (enum log_level)atomic_load(&current_level);
}

int log_level_parse(const char *word)
{
	for (int i = 0; i < LEVELS; i++)
		if (!strcmp(word, level_words[i]))
			return i;
	return -1;
}

const char *log_level_name(enum log_level level)
{
	return (unsigned)level < LEVELS ? level_words[level] : "unknown";
}

/* Bytes of a character that steers a terminal or turns the order of what follows: C1 controls, marks of direction, lines of Unicode's own. */
static size_t hostile_at(const char *text, size_t left)
{
	const unsigned char *p = (const unsigned char *)text;

	if (left >= 2 && p[0] == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F)
		return 2;
	if (left < 3)
		return 0;
	if (p[0] == 0xE2 && p[1] == 0x80 && ((p[2] >= 0x8B && p[2] <= 0x8F) || (p[2] >= 0xA8 && p[2] <= 0xAE)))
		return 3;
	if (p[0] == 0xE2 && p[1] == 0x81 && p[2] >= 0xA0 && p[2] <= 0xAF)
		return 3;
	return p[0] == 0xEF && p[1] == 0xBB && p[2] == 0xBF ? 3 : 0;
}

/* A line break inside a text from outside would forge a second line; other characters a second look of it on root's terminal. */
static void flatten(char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t n = hostile_at(line + i, len - i);

		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			n = 1;
		if (n)
			memset(line + i, ' ', n);
	}
}

int log_keep(size_t bytes)
{
	pthread_mutex_lock(&ring_lock);
	int result = log_ring_resize(&ring, bytes);
	pthread_mutex_unlock(&ring_lock);
	return result;
}

void log_each_kept(uint64_t after, int (*fn)(void *user, const struct log_kept *line), void *user)
{
	pthread_mutex_lock(&ring_lock);
	log_ring_each(&ring, after, fn, user);
	pthread_mutex_unlock(&ring_lock);
}

uint64_t log_newest(void)
{
	pthread_mutex_lock(&ring_lock);
	uint64_t newest = ring.newest;
	pthread_mutex_unlock(&ring_lock);
	return newest;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list args;
	struct timespec now;
	size_t head = 0;
	int n;

	if ((int)level > atomic_load(&current_level))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	if (!atomic_load(&use_syslog)) {
		struct tm tm;

		gmtime_r(&now.tv_sec, &tm);
		head = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
		n = snprintf(line + head, sizeof(line) - head, ".%03ldZ %-7s ", now.tv_nsec / 1000000,
			     level_words[level]);
		if (n > 0)
			head += (size_t)n;
	}
	va_start(args, fmt);
	n = vsnprintf(line + head, sizeof(line) - head - 1, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	size_t len = head + (size_t)n;
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	flatten(line, len);
	line[len] = '\0';
	pthread_mutex_lock(&ring_lock);
	log_ring_put(&ring, level, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, line + head, len - head);
	pthread_mutex_unlock(&ring_lock);
	if (atomic_load(&use_syslog)) {
		syslog(level_syslog[level], "%s", line);
		return;
	}
	line[len++] = '\n';
	/* Nothing can be done about a log that can't be written. */
	ssize_t written = write(STDERR_FILENO, line, len);
	(void)written;
}

const char *log_mask(const char *text, char *out, size_t size)
{
	size_t len = text ? strlen(text) : 0;

	if (!size)
		return out;
	if (len < 8) {
		(void)snprintf(out, size, "***");
		return out;
	}
	size_t kept = len < size ? len : size - 1;
	for (size_t i = 0; i < kept; i++)
		out[i] = i < 3 || i + 2 >= len ? text[i] : '*';
	out[kept] = '\0';
	return out;
}
