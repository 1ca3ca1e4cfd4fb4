/* Preloaded into the gateway by day.py: its clocks run DAY_SPEED times as fast, waits end as much earlier, and what it writes to
 * files below DAY_FOLDER is counted. The figures stand in DAY_FIGURES, two lines of numbers a file, made anew at each change by
 * a mapping that the reader sees: struct figures.
 *
 * bytes: what write and pwrite were given. blocks: 4 KiB pieces of a file that were touched between two syncs of it, each once: what
 * a file system of such blocks hands to the device at the sync. What was left unsynced for 30 s is taken as handed over then, as the
 * kernel does (vm.dirty_expire_centisecs), and counts again when it is touched once more. syncs: fsync and fdatasync. Mapped files
 * (SQLite's -shm) are not seen. */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 4096, BLOCK = 4096, BLOCKS = 1 << 16, LOG = 1 << 20 };
enum kind { OTHER, MAIN, WAL, KINDS };
static const int64_t left_ns = 30000000000;

struct figures {
	uint64_t bytes[KINDS], blocks[KINDS], syncs[KINDS];
	uint64_t frames; /* of the WAL, in log: the page of each; 0 a sync */
	uint32_t log[LOG];
};

struct file {
	int kind;         /* -1: none of ours */
	int64_t dirty_ns; /* since when something of it is touched, by the gateway's clock; 0: nothing is */
	unsigned char touched[BLOCKS / 8];
};

static struct figures *figures;
static struct file *files[FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t begun[2], speed = 1;
static const char *folder;

static int64_t real_ns(clockid_t id)
{
	struct timespec t = {0};

	(void)syscall(SYS_clock_gettime, id, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("DAY_FIGURES"), *times = getenv("DAY_SPEED");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0 || ftruncate(fd, sizeof(*figures)))
		abort();
	figures = mmap(NULL, sizeof(*figures), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (figures == MAP_FAILED)
		abort();
	close(fd);
	speed = times ? atoi(times) : 1;
	begun[0] = real_ns(CLOCK_REALTIME);
	begun[1] = real_ns(CLOCK_MONOTONIC);
	folder = getenv("DAY_FOLDER");
}

/* Clocks ---------------------------------------------------------------------------------------------------------------- */

int clock_gettime(clockid_t id, struct timespec *out)
{
	int64_t at = real_ns(id), from = id == CLOCK_REALTIME ? begun[0] : begun[1];

	if (id == CLOCK_REALTIME || id == CLOCK_MONOTONIC)
		at = from + (at - from) * speed;
	*out = (struct timespec){at / 1000000000, at % 1000000000};
	return 0;
}

time_t time(time_t *out)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	*out = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
	return 0;
}

static struct timespec sooner(const struct timespec *t)
{
	int64_t ns = (t->tv_sec * 1000000000LL + t->tv_nsec) / speed;

	return (struct timespec){ns / 1000000000, ns % 1000000000};
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	struct timespec t = sooner(time);

	return (int)syscall(SYS_nanosleep, &t, left);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *time, const sigset_t *mask)
{
	struct timespec t = time ? sooner(time) : (struct timespec){0, 0};

	return (int)syscall(SYS_ppoll, fds, n, time ? &t : NULL, mask, 8);
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	return ppoll(fds, n, ms < 0 ? NULL : &t, NULL);
}

int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size)
{
	(void)size;
	return poll(fds, n, ms);
}

int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *time, const sigset_t *mask, size_t size)
{
	(void)size;
	return ppoll(fds, n, time, mask);
}

/* The lines wait on the monotonic clock. */
int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict held,
			   const struct timespec *restrict until)
{
	int64_t at = begun[1] + (until->tv_sec * 1000000000LL + until->tv_nsec - begun[1]) / speed;
	struct timespec t = {at / 1000000000, at % 1000000000};

	return pthread_cond_clockwait(cond, held, CLOCK_MONOTONIC, &t);
}

/* Files ----------------------------------------------------------------------------------------------------------------- */

static int ends(const char *text, const char *tail)
{
	size_t n = strlen(text), t = strlen(tail);

	return n >= t && !strcmp(text + n - t, tail);
}

static struct file *file_of(int fd)
{
	char link[64], path[PATH_MAX];

	if (fd < 0 || fd >= FILES || !folder)
		return NULL;
	if (!files[fd]) {
		struct file *f = calloc(1, sizeof(*f));

		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, path, sizeof(path) - 1);
		path[n > 0 ? n : 0] = '\0';
		f->kind = strncmp(path, folder, strlen(folder)) != 0 ? -1
			  : ends(path, ".db-wal")                    ? WAL
			  : ends(path, ".db")                        ? MAIN
								     : OTHER;
		files[fd] = f;
	}
	return files[fd]->kind < 0 ? NULL : files[fd];
}

static void count_blocks(struct file *f)
{
	for (int i = 0; i < BLOCKS / 8; i++)
		figures->blocks[f->kind] += (uint64_t)__builtin_popcount(f->touched[i]);
	memset(f->touched, 0, sizeof(f->touched));
	f->dirty_ns = 0;
}

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void wrote(int fd, const void *data, size_t size, int64_t at)
{
	pthread_mutex_lock(&lock);
	struct file *f = file_of(fd);
	if (f && at < 0)
		at = syscall(SYS_lseek, fd, 0, SEEK_CUR) - (int64_t)size;
	if (f) {
		int64_t now = now_ns();

		if (f->dirty_ns && now - f->dirty_ns >= left_ns)
			count_blocks(f);
		if (!f->dirty_ns)
			f->dirty_ns = now;
		figures->bytes[f->kind] += size;
		for (int64_t b = at / BLOCK; b <= (at + (int64_t)size - 1) / BLOCK && b < BLOCKS; b++)
			f->touched[b / 8] |= (unsigned char)(1 << b % 8);
		if (f->kind == WAL && size == 24 && figures->frames < LOG) {
			const unsigned char *p = data;

			figures->log[figures->frames++] =
			    (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
		}
	}
	pthread_mutex_unlock(&lock);
}

static void synced(int fd)
{
	pthread_mutex_lock(&lock);
	struct file *f = file_of(fd);
	if (f) {
		count_blocks(f);
		figures->syncs[f->kind]++;
		if (f->kind == WAL && figures->frames < LOG)
			figures->log[figures->frames++] = 0;
	}
	pthread_mutex_unlock(&lock);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	ssize_t n = syscall(SYS_pwrite64, fd, data, size, at);

	if (n > 0)
		wrote(fd, data, (size_t)n, at);
	return n;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	return pwrite(fd, data, size, at);
}

ssize_t write(int fd, const void *data, size_t size)
{
	ssize_t n = syscall(SYS_write, fd, data, size);

	if (n > 0)
		wrote(fd, data, (size_t)n, -1);
	return n;
}

int fsync(int fd)
{
	synced(fd);
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	synced(fd);
	return (int)syscall(SYS_fdatasync, fd);
}

int close(int fd)
{
	pthread_mutex_lock(&lock);
	if (fd >= 0 && fd < FILES && files[fd]) {
		if (files[fd]->kind >= 0)
			count_blocks(files[fd]);
		free(files[fd]);
		files[fd] = NULL;
	}
	pthread_mutex_unlock(&lock);
	return (int)syscall(SYS_close, fd);
}
