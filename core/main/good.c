#include "main/good.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "config/trial.h"
#include "config/uci.h"
#include "script/sources.h"

static const char head[] = "# The last configuration of forecourtd that was in force. Not to be edited. sha256 ";
enum { HEAD_MAX = sizeof(head) + SOURCE_HASH + 2 };

struct text {
	char *bytes; /* NULL: there is none */
	size_t len;
};

struct good {
	const char *path;
	char copy[GOOD_PATH];
	struct text read;     /* last, of the configuration */
	struct text in_force; /* to be kept */
	int is_kept;          /* the copy is that of in_force */
	int is_instead;       /* in_force is the copy, not the configuration */
	int said_failed;
	char why[ERROR_TEXT_MAX]; /* the configuration is not what is in force; "" = it is */
};

static void drop(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

static int is_same(const struct text *a, const struct text *b)
{
	return a->bytes && b->bytes && a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* FC_OK, FC_EIO, FC_ENOMEM. */
static int slurp(const char *path, size_t most, struct text *text, struct error *err)
{
	FILE *in = fopen(path, "rb");

	*text = (struct text){0};
	if (!in)
		return error_set(err, FC_EIO, "config: open: %s: %s", path, strerror(errno));
	text->bytes = malloc(most + 1);
	text->len = text->bytes ? fread(text->bytes, 1, most + 1, in) : 0;
	int code = ferror(in) ? errno : 0;
	(void)fclose(in);
	if (!text->bytes)
		return error_set(err, FC_ENOMEM, "config: no memory");
	if (!code && text->len <= most) {
		/* The rest goes back to the box. */
		char *fitting = realloc(text->bytes, text->len + 1);

		if (fitting)
			text->bytes = fitting;
		return FC_OK;
	}
	drop(text);
	if (code)
		return error_set(err, FC_EIO, "config: read: %s: %s", path, strerror(code));
	return error_set(err, FC_ELIMIT, "config: %s: is larger than 1 MiB", path);
}

static int name_copy(struct good *g, const char *copy)
{
	const char *slash = strrchr(g->path, '/'), *name = slash ? slash + 1 : g->path;
	int n;

	if (copy)
		n = snprintf(g->copy, sizeof(g->copy), "%s", copy);
	else if (!strcmp(g->path, "/etc/config/forecourt"))
		n = snprintf(g->copy, sizeof(g->copy), "/etc/forecourt/forecourt.good");
	else
		n = snprintf(g->copy, sizeof(g->copy), "%.*s.%s.good", (int)(name - g->path), g->path, name);
	return n < 0 || (size_t)n >= sizeof(g->copy) - 8 ? -1 : 0;
}

struct good *good_new(const char *path, const char *copy, struct error *err)
{
	struct good *g = calloc(1, sizeof(*g));

	if (!g) {
		(void)error_set(err, FC_ENOMEM, "main: no memory");
		return NULL;
	}
	g->path = path;
	if (!name_copy(g, copy))
		return g;
	free(g);
	(void)error_set(err, FC_EINVAL, "main: %.100s: this path is too long", copy ? copy : path);
	return NULL;
}

void good_free(struct good *g)
{
	if (!g)
		return;
	drop(&g->read);
	drop(&g->in_force);
	free(g);
}

static void print_mistake(void *user, const struct config_mistake *mistake)
{
	(void)user;
	fprintf(stderr, "%s\n", mistake->text);
}

struct config *good_read(struct good *g, struct error *err)
{
	drop(&g->read);
	if (slurp(g->path, UCI_FILE_MAX, &g->read, err))
		return NULL;
	return config_parse(g->path, g->read.bytes, g->read.len, print_mistake, NULL, err);
}

/* The copy's text, without its head. FC_ENOENT: there is none; FC_EIO: it can't be read, or is damaged. */
static int read_copy(const struct good *g, struct text *text, struct error *err)
{
	char hash[SOURCE_HASH];
	const size_t at = strlen(head);

	if (access(g->copy, F_OK) && errno == ENOENT)
		return error_set(err, FC_ENOENT, "%s: there is no last good configuration", g->copy);
	int result = slurp(g->copy, UCI_FILE_MAX + HEAD_MAX, text, err);
	if (result)
		return result;
	const size_t body = at + SOURCE_HASH;
	if (text->len >= body && !memcmp(text->bytes, head, at) && text->bytes[body - 1] == '\n') {
		sources_digest(text->bytes + body, text->len - body, hash);
		if (!memcmp(hash, text->bytes + at, SOURCE_HASH - 1)) {
			text->len -= body;
			memmove(text->bytes, text->bytes + body, text->len);
			return FC_OK;
		}
	}
	drop(text);
	return error_set(err, FC_EIO, "%s: the last good configuration is damaged", g->copy);
}

struct config *good_instead(struct good *g, const struct error *why, struct error *err)
{
	struct text text = {0};

	if (read_copy(g, &text, err))
		return NULL;
	if (is_same(&text, &g->read)) {
		drop(&text);
		(void)error_set(err, FC_EEXIST, "%s: the last good configuration is the same", g->copy);
		return NULL;
	}
	/* What an older version of this program took may be wrong by now. */
	struct config *config = config_parse(g->copy, text.bytes, text.len, NULL, NULL, err);
	if (!config) {
		drop(&text);
		return NULL;
	}
	drop(&g->in_force);
	g->in_force = text;
	g->is_kept = g->is_instead = 1;
	good_refuse(g, why);
	return config;
}

void good_refuse(struct good *g, const struct error *why)
{
	(void)snprintf(g->why, sizeof(g->why), "%s", why->text);
}

int good_is_instead(const struct good *g)
{
	return g->is_instead;
}

static int write_copy(const struct good *g)
{
	char hash[SOURCE_HASH], start[HEAD_MAX], next[GOOD_PATH];

	sources_digest(g->in_force.bytes, g->in_force.len, hash);
	int n = snprintf(start, sizeof(start), "%s%s\n", head, hash);
	if (n < 0 || (size_t)n >= sizeof(start) ||
	    (size_t)snprintf(next, sizeof(next), "%s.next", g->copy) >= sizeof(next)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)unlink(next);
	int fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	ssize_t put = write(fd, start, (size_t)n);
	int failed = put == n ? disk_write(fd, g->in_force.bytes, g->in_force.len) : -1;
	int code = put >= 0 && put < n ? ENOSPC : errno;
	if (close(fd) && !failed) {
		failed = -1;
		code = errno;
	}
	if (!failed && (rename(next, g->copy) || disk_sync_folder(g->copy))) {
		failed = -1;
		code = errno;
	}
	if (failed)
		(void)unlink(next);
	errno = code;
	return failed;
}

/* Of one on trial nobody knows yet whether it is good. */
static void keep(struct good *g)
{
	struct text there = {0};

	if (g->is_kept || !g->in_force.bytes || trial_is_open(g->path))
		return;
	/* Flash is not written for what it has. */
	if (!read_copy(g, &there, NULL) && is_same(&there, &g->in_force)) {
		g->is_kept = 1;
	} else if (!write_copy(g)) {
		g->is_kept = 1;
		log_info("main: %s: the configuration is kept as the last good one", g->copy);
	} else if (!g->said_failed) {
		log_warning("main: the last good configuration can't be kept: %s: %s", g->copy, strerror(errno));
	}
	g->said_failed = !g->is_kept;
	drop(&there);
}

void good_accept(struct good *g)
{
	if (!g->read.bytes)
		return;
	if (g->is_instead)
		log_notice("main: %s: good again, and in force", g->path);
	g->is_instead = 0;
	g->why[0] = '\0';
	g->is_kept = g->is_kept && is_same(&g->read, &g->in_force);
	drop(&g->in_force);
	g->in_force = g->read;
	g->read = (struct text){0};
	keep(g);
}

void good_tend(struct good *g)
{
	struct text now = {0};

	keep(g);
	if (!*g->why || slurp(g->path, UCI_FILE_MAX, &now, NULL))
		return;
	if (is_same(&now, &g->in_force)) {
		g->why[0] = '\0';
		g->is_instead = 0;
		log_notice("main: %s: is what is in force again", g->path);
	}
	drop(&now);
}

void good_see(void *user, struct alarms *alarms, int64_t now_us)
{
	const struct good *g = user;

	(void)now_us;
	if (!*g->why)
		return;
	char cause[ALARM_CAUSE];
	(void)snprintf(cause, sizeof(cause), "the configuration is refused, the last good one is in force: %.*s",
		       ALARM_ARGUMENT, g->why);
	alarms_say(alarms, &(struct alarm_fault){.kind = ALARM_CONFIG_REFUSED,
						 .object = "",
						 .name = "configuration",
						 .key = "config.refused",
						 .cause = cause,
						 .arguments = {{"why", g->why}}});
}
