#include "script/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { QUIET_US = 150000, PATIENCE_US = 2000000, PATH_SIZE = 512, GUARDS_MAX = 32 };

static const uint32_t file_events =
    IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;
static const uint32_t guard_events = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;

/* A name on the way to a folder: another thing of that name, another folder. */
struct guard {
	int descriptor;
	char *name;
};

struct folder {
	char *path;
	int descriptor; /* -1: it can't be watched now */
	struct guard guards[GUARDS_MAX];
	int guard_count;
	uint64_t looks; /* how it looked last: names, sizes, times */
	dev_t device;
	ino_t inode;
};

struct watch {
	struct loop *loop;
	void (*changed)(void *user);
	void *user;
	int fd; /* -1: no inotify */
	struct loop_fd *loop_fd;
	struct loop_timer quiet, look;
	int64_t since_us; /* the first event that was not told yet, or 0 */
	int astray;       /* the watches may be on what was there before */
	struct folder *folders;
	int count;
};

/* Looks -------------------------------------------------------------------------------------------------------------- */

static int ends_in_lua(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && !strcmp(name + n - 4, ".lua");
}

static uint64_t mix(uint64_t hash, uint64_t x)
{
	hash = (hash ^ x) * 1099511628211u;
	return hash ^ hash >> 29;
}

/* In any order; links are followed. Also tells which folder it is that has the path now. */
static uint64_t look_at(const struct folder *f, dev_t *device, ino_t *inode)
{
	struct stat st;
	uint64_t sum = 0;
	const struct dirent *entry;
	DIR *dir = opendir(f->path);

	*device = 0;
	*inode = 0;
	if (!dir)
		return 0;
	if (!fstat(dirfd(dir), &st)) {
		*device = st.st_dev;
		*inode = st.st_ino;
	}
	while ((entry = readdir(dir))) {
		uint64_t hash = 14695981039346656037u;

		if (!ends_in_lua(entry->d_name) || fstatat(dirfd(dir), entry->d_name, &st, 0))
			continue;
		for (const char *c = entry->d_name; *c; c++)
			hash = mix(hash, (unsigned char)*c);
		hash = mix(hash, (uint64_t)st.st_size);
		hash = mix(hash, (uint64_t)st.st_ino);
		hash = mix(hash, (uint64_t)st.st_mtim.tv_sec);
		sum += mix(hash, (uint64_t)st.st_mtim.tv_nsec);
	}
	(void)closedir(dir);
	return sum + 1;
}

/* inotify ------------------------------------------------------------------------------------------------------------ */

static int is_link(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISLNK(st.st_mode);
}

/* The folder that holds name is watched for what becomes of it. */
static void add_guard(struct watch *watch, struct folder *f, const char *holder, const char *name)
{
	struct guard *guard = &f->guards[f->guard_count];

	if (f->guard_count == GUARDS_MAX)
		return;
	guard->descriptor =
	    inotify_add_watch(watch->fd, *holder ? holder : "/", guard_events | IN_ONLYDIR | IN_MASK_ADD);
	guard->name = guard->descriptor >= 0 ? strdup(name) : NULL;
	f->guard_count += guard->name != NULL;
}

/* The folder's own name and the one above it are guarded, and all that are links, with what the links name. What happens further
 * up is found by looking. */
static void guard_way(struct watch *watch, struct folder *f, const char *path, int depth)
{
	char way[PATH_SIZE], target[PATH_SIZE];
	int names = 0;

	if (snprintf(way, sizeof(way), "%s", path) >= (int)sizeof(way))
		return;
	for (char *slash; (slash = strrchr(way, '/')); names++) {
		char holder[PATH_SIZE], next[2 * PATH_SIZE + 2];
		int link = is_link(way);
		ssize_t n = link && depth ? readlink(way, target, sizeof(target) - 1) : -1;

		(void)snprintf(holder, sizeof(holder), "%.*s", (int)(slash - way), way);
		if (slash[1] && (names < 2 || link))
			add_guard(watch, f, holder, slash + 1);
		if (n > 0) {
			target[n] = '\0';
			(void)snprintf(next, sizeof(next), "%s%s%s", *target == '/' ? "" : holder,
				       *target == '/' ? "" : "/", target);
			guard_way(watch, f, next, depth - 1);
		}
		*slash = '\0';
	}
}

static void forget_guards(struct folder *f)
{
	while (f->guard_count)
		free(f->guards[--f->guard_count].name);
}

static void place_watches(struct watch *watch, struct folder *f)
{
	forget_guards(f);
	f->descriptor =
	    watch->fd < 0 ? -1 : inotify_add_watch(watch->fd, f->path, file_events | IN_ONLYDIR | IN_MASK_ADD);
	int code = errno;
	if (watch->fd >= 0)
		guard_way(watch, f, f->path, 4);
	errno = code;
}

static void readable(void *user, int fd);

static int open_inotify(struct watch *watch, struct error *err)
{
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0)
		return error_set(err, FC_EIO, "watch: inotify: %s", strerror(errno));
	watch->loop_fd = loop_fd_add(watch->loop, watch->fd, readable, watch, err);
	if (watch->loop_fd)
		return FC_OK;
	close(watch->fd);
	watch->fd = -1;
	return FC_EIO;
}

/* Watches follow the thing, not its name: new ones, and none is left on what went. */
static void place_anew(struct watch *watch)
{
	if (watch->loop_fd)
		loop_fd_remove(watch->loop_fd);
	watch->loop_fd = NULL;
	watch->fd = -1;
	(void)open_inotify(watch, NULL);
	for (int i = 0; i < watch->count; i++)
		place_watches(watch, &watch->folders[i]);
	watch->astray = 0;
}

/* Telling ------------------------------------------------------------------------------------------------------------ */

/* Things are quiet. */
static void tell(void *user)
{
	struct watch *watch = user;

	if (watch->astray)
		place_anew(watch);
	watch->since_us = 0;
	for (int i = 0; i < watch->count; i++) {
		struct folder *f = &watch->folders[i];

		f->looks = look_at(f, &f->device, &f->inode);
	}
	watch->changed(watch->user);
}

/* Waits for quiet; not for ever, when someone writes without an end. */
static void note_change(struct watch *watch)
{
	int64_t now = clock_mono_us();

	if (!watch->since_us)
		watch->since_us = now;
	int64_t left = watch->since_us + PATIENCE_US - now;
	if (loop_timer_set(watch->loop, &watch->quiet, left < QUIET_US ? left : QUIET_US))
		tell(watch);
}

static void look(void *user)
{
	struct watch *watch = user;

	for (int i = 0; i < watch->count; i++) {
		struct folder *f = &watch->folders[i];
		dev_t device;
		ino_t inode;
		uint64_t looks = look_at(f, &device, &inode);

		if (device != f->device || inode != f->inode)
			watch->astray = 1;
		if (looks != f->looks || watch->astray)
			note_change(watch);
		f->looks = looks;
		f->device = device;
		f->inode = inode;
	}
	(void)loop_timer_set(watch->loop, &watch->look, (int64_t)WATCH_LOOK_S * 1000000);
}

/* A file that is made is not written yet, but a link is all there is of it. */
static int is_whole(const struct folder *f, const char *name)
{
	char path[2 * PATH_SIZE];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", f->path, name);
	return !lstat(path, &st) && (S_ISLNK(st.st_mode) || st.st_nlink > 1);
}

static void take_file(struct watch *watch, const struct folder *f, const struct inotify_event *event)
{
	if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) {
		watch->astray = 1;
		note_change(watch);
		return;
	}
	if (!event->len || !ends_in_lua(event->name))
		return;
	/* Still being written: that prolongs the wait but is no change yet. */
	if (event->mask & IN_MODIFY ? watch->since_us != 0 : !(event->mask & IN_CREATE) || is_whole(f, event->name))
		note_change(watch);
}

static void take_guarded(struct watch *watch, const struct folder *f, const struct inotify_event *event)
{
	for (int i = 0; event->len && i < f->guard_count; i++)
		if (f->guards[i].descriptor == event->wd && !strcmp(f->guards[i].name, event->name)) {
			watch->astray = 1;
			note_change(watch);
			return;
		}
}

static void take(struct watch *watch, const struct inotify_event *event)
{
	/* The kernel's queue overflowed: anything may have happened. */
	if (event->mask & IN_Q_OVERFLOW) {
		watch->astray = 1;
		note_change(watch);
	}
	for (int i = 0; i < watch->count; i++) {
		struct folder *f = &watch->folders[i];

		if (f->descriptor == event->wd)
			take_file(watch, f, event);
		take_guarded(watch, f, event);
	}
}

static void readable(void *user, int fd)
{
	struct watch *watch = user;
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	/* Once: whoever writes faster than we read does not keep the loop from its work. */
	ssize_t n = read(fd, events, sizeof(events));

	for (char *at = events; n > 0 && at < events + n;) {
		const struct inotify_event *event = (const struct inotify_event *)(const void *)at;

		take(watch, event);
		at += sizeof(*event) + event->len;
	}
}

/* Life --------------------------------------------------------------------------------------------------------------- */

struct watch *watch_new(struct loop *loop, void (*changed)(void *user), void *user, struct error *err)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (watch) {
		watch->loop = loop;
		watch->changed = changed;
		watch->user = user;
		watch->fd = -1;
		watch->quiet = (struct loop_timer){.fn = tell, .user = watch};
		watch->look = (struct loop_timer){.fn = look, .user = watch};
	}
	if (!watch || loop_timer_set(loop, &watch->look, (int64_t)WATCH_LOOK_S * 1000000)) {
		free(watch);
		(void)error_set(err, FC_ENOMEM, "watch: no memory");
		return NULL;
	}
	/* Without it the folders are looked at; watch_add says so. */
	(void)open_inotify(watch, NULL);
	return watch;
}

int watch_add(struct watch *watch, const char *folder, struct error *err)
{
	struct folder *folders = realloc(watch->folders, ((size_t)watch->count + 1) * sizeof(*folders));

	if (!folders)
		return error_set(err, FC_ENOMEM, "watch: no memory");
	watch->folders = folders;
	struct folder *f = &folders[watch->count];
	*f = (struct folder){.path = strdup(folder), .descriptor = -1};
	if (!f->path)
		return error_set(err, FC_ENOMEM, "watch: no memory");
	watch->count++;
	place_watches(watch, f);
	int code = watch->fd < 0 ? EMFILE : errno;
	f->looks = look_at(f, &f->device, &f->inode);
	if (f->descriptor >= 0 || (watch->fd >= 0 && (code == ENOENT || code == ENOTDIR)))
		return FC_OK;
	return error_set(err, FC_EIO, "watch: %s: %s", folder, strerror(code));
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	loop_timer_cancel(watch->loop, &watch->quiet);
	loop_timer_cancel(watch->loop, &watch->look);
	if (watch->loop_fd)
		loop_fd_remove(watch->loop_fd);
	for (int i = 0; i < watch->count; i++) {
		forget_guards(&watch->folders[i]);
		free(watch->folders[i].path);
	}
	free(watch->folders);
	free(watch);
}
