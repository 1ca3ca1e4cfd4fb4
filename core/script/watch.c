#include "script/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { FOLDERS_MAX = 16, QUIET_US = 150000 };

struct folder {
	int descriptor;
	char *path;
	int changed;
};

struct watch {
	struct loop *loop;
	void (*changed)(void *user, const char *folder);
	void *user;
	int fd;
	struct loop_fd *loop_fd;
	struct loop_timer quiet;
	struct folder folders[FOLDERS_MAX];
	int count;
};

/* Things are quiet: say which folders changed. */
static void tell(void *user)
{
	struct watch *watch = user;

	for (int i = 0; i < watch->count; i++) {
		if (!watch->folders[i].changed)
			continue;
		watch->folders[i].changed = 0;
		watch->changed(watch->user, watch->folders[i].path);
	}
}

static int ends_in_lua(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && !strcmp(name + n - 4, ".lua");
}

static void take(struct watch *watch, const struct inotify_event *event)
{
	/* The kernel's queue overflowed: anything may have changed. */
	int all = event->mask & IN_Q_OVERFLOW;

	if (!all && (!event->len || !ends_in_lua(event->name)))
		return;
	for (int i = 0; i < watch->count; i++)
		if (all || watch->folders[i].descriptor == event->wd)
			watch->folders[i].changed = 1;
	if (loop_timer_set(watch->loop, &watch->quiet, QUIET_US))
		tell(watch);
}

static void readable(void *user, int fd)
{
	struct watch *watch = user;
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while ((n = read(fd, events, sizeof(events))) > 0) {
		for (char *at = events; at < events + n;) {
			const struct inotify_event *event = (const struct inotify_event *)(const void *)at;

			take(watch, event);
			at += sizeof(*event) + event->len;
		}
	}
}

struct watch *watch_new(struct loop *loop, void (*changed)(void *user, const char *folder), void *user,
			struct error *err)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch) {
		(void)error_set(err, FC_ENOMEM, "watch: no memory");
		return NULL;
	}
	watch->loop = loop;
	watch->changed = changed;
	watch->user = user;
	watch->quiet = (struct loop_timer){.fn = tell, .user = watch};
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0) {
		(void)error_set(err, FC_EIO, "watch: inotify: %s", strerror(errno));
		free(watch);
		return NULL;
	}
	watch->loop_fd = loop_fd_add(loop, watch->fd, readable, watch, err);
	if (!watch->loop_fd) {
		close(watch->fd);
		free(watch);
		return NULL;
	}
	return watch;
}

int watch_add(struct watch *watch, const char *folder, struct error *err)
{
	if (watch->count == FOLDERS_MAX)
		return error_set(err, FC_ELIMIT, "watch: %s: more than %d folders", folder, FOLDERS_MAX);
	int descriptor =
	    inotify_add_watch(watch->fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR);
	if (descriptor < 0)
		return error_set(err, FC_EIO, "watch: %s: %s", folder, strerror(errno));
	struct folder *f = &watch->folders[watch->count];
	f->path = strdup(folder);
	if (!f->path)
		return error_set(err, FC_ENOMEM, "watch: no memory");
	f->descriptor = descriptor;
	watch->count++;
	return FC_OK;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	loop_timer_cancel(watch->loop, &watch->quiet);
	loop_fd_remove(watch->loop_fd);
	for (int i = 0; i < watch->count; i++)
		free(watch->folders[i].path);
	free(watch);
}
