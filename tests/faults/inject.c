/* Preloaded into a program: makes its allocations and its calls to the file system fail, each place once a way.
 *
 * A place is a kind of call and the addresses that it came from: the innermost `depth` of them, a recursion counted once. The table of places
 * stands in a file that the test shares (FORECOURT_INJECT), so that it outlives the program: what has failed in one run is not failed again
 * in the next. inject.py has the same layout, says what is to fail and when, and reads what did.
 *
 * What is left alone: allocations that shrink (their callers may rely on it, and malloc keeps its word), files that are no regular ones
 * (sockets, terminals), and the first three descriptors. What stdio writes by itself is not seen: the gateway's store and its own files
 * are written by calls. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

enum { FRAMES = 24, PLACES = 1 << 16, MODULES = 64, NAME = 120 };

/* OPEN: to read; CREATE: to write; NAMING: rename, unlink, mkdir. */
enum kind { MALLOC, REALLOC, WRITE, SYNC, OPEN, CREATE, NAMING, TRUNCATE, KINDS };

/* Ways to fail, as bits; a kind has some of them. */
/* STARVED: and whatever is asked for in the next moment. SHORT: half is written, and told. TORN: and the next write to the file finds it full. */
enum way { NO_MEMORY, STARVED, IO, NO_SPACE, READ_ONLY, SHORT, TORN, MANY_FILES, WAYS };
static const uint32_t ways_of[KINDS] = {
    [MALLOC] = 1U << NO_MEMORY | 1U << STARVED,
    [REALLOC] = 1U << NO_MEMORY | 1U << STARVED,
    [WRITE] = 1U << IO | 1U << NO_SPACE | 1U << SHORT | 1U << TORN,
    [SYNC] = 1U << IO | 1U << NO_SPACE,
    [OPEN] = 1U << IO | 1U << MANY_FILES,
    [CREATE] = 1U << IO | 1U << NO_SPACE | 1U << READ_ONLY | 1U << MANY_FILES,
    [NAMING] = 1U << IO | 1U << NO_SPACE | 1U << READ_ONLY,
    [TRUNCATE] = 1U << IO | 1U << READ_ONLY,
};
static const int error_of[WAYS] = {ENOMEM, ENOMEM, EIO, ENOSPC, EROFS, 0, ENOSPC, EMFILE};

struct place {
	uint64_t hash; /* 0: free */
	uint32_t kind, calls;
	uint32_t failed; /* ways that were tried */
	uint32_t depth;
	int64_t failed_us[WAYS]; /* wall clock; when each way was */
	uint64_t frames[FRAMES]; /* module << 48 | offset in it, innermost first */
};

struct control {
	uint32_t kinds;    /* bits: which may fail now; 0: places are only recorded */
	uint32_t ways;     /* bits: and in which ways */
	uint32_t depth;    /* of a place */
	uint32_t pause_ms; /* at least between two faults */
	uint32_t
	    last_ms; /* from a fault on, all of its kind that could fail the same way do, for so long; 0: that one call alone */
	uint32_t most; /* faults still allowed, not those because one lasts */
	uint32_t unused;
	uint32_t places; /* known */
	uint32_t modules;
	uint32_t overflow; /* places that found no room */
	uint64_t faults;   /* new ones; and calls that failed because one lasts */
	uint64_t lasted;
	int64_t last_us, until_us; /* the last new fault, monotonic; and until when it lasts */
	uint32_t last_place, last_way;
	char module[MODULES][NAME];
	struct place table[PLACES];
};

static struct control *shared;
static int lock;
static __thread int is_inside __attribute__((tls_model("initial-exec")));
static __thread int torn_fd __attribute__((tls_model("initial-exec"))) = -1;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t align, size_t size);

static int64_t now_us(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Modules: where they stand in this process, and which number the table has for them. */
struct mapped {
	uintptr_t begin, end, base;
	uint32_t number;
};
static struct mapped mapped[MODULES];
static uint32_t mapped_count;
static uintptr_t own_begin, own_end;

static uint32_t number_of(const char *path)
{
	for (uint32_t i = 0; i < shared->modules; i++)
		if (!strcmp(shared->module[i], path))
			return i;
	if (shared->modules == MODULES)
		return MODULES - 1;
	(void)snprintf(shared->module[shared->modules], NAME, "%s", path);
	return shared->modules++;
}

static int note_module(struct dl_phdr_info *info, size_t size, void *program)
{
	const char *path = *info->dlpi_name ? info->dlpi_name : program;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum && mapped_count < MODULES; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
			continue;
		struct mapped *m = &mapped[mapped_count++];
		m->base = info->dlpi_addr;
		m->begin = info->dlpi_addr + part->p_vaddr;
		m->end = m->begin + part->p_memsz;
		m->number = number_of(path);
		if ((uintptr_t)&note_module >= m->begin && (uintptr_t)&note_module < m->end) {
			own_begin = m->begin;
			own_end = m->end;
		}
	}
	return 0;
}

static void note_modules(void)
{
	char program[NAME] = "";

	(void)!readlink("/proc/self/exe", program, sizeof(program) - 1);
	mapped_count = 0;
	(void)dl_iterate_phdr(note_module, program);
}

static uint64_t name_frame(uintptr_t at)
{
	for (uint32_t i = 0; i < mapped_count; i++)
		if (at >= mapped[i].begin && at < mapped[i].end)
			return (uint64_t)mapped[i].number << 48 | (at - mapped[i].base);
	return (uint64_t)0xffff << 48; /* a library that came later, such as a resolver's */
}

struct walk {
	uint64_t frames[FRAMES];
	uint32_t depth, limit;
};

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *user)
{
	struct walk *walk = user;
	uintptr_t at = _Unwind_GetIP(context);

	if (!at)
		return _URC_END_OF_STACK;
	if (at >= own_begin && at < own_end)
		return _URC_NO_REASON;
	uint64_t frame = name_frame(at);
	for (uint32_t i = walk->depth; i && i + 4 > walk->depth; i--)
		if (walk->frames[i - 1] == frame)
			return _URC_NO_REASON;
	walk->frames[walk->depth++] = frame;
	return walk->depth == walk->limit ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* Its entry; NULL when the table is full. The lock is held. */
static struct place *find(enum kind kind, const struct walk *walk)
{
	uint64_t hash = 1469598103934665603ULL + (uint64_t)kind;

	for (uint32_t i = 0; i < walk->depth; i++)
		hash = (hash ^ walk->frames[i]) * 1099511628211ULL ^ hash >> 29;
	hash |= 1;
	for (uint32_t i = 0; i < PLACES / 2; i++) {
		struct place *p = &shared->table[(hash + i) % PLACES];

		if (p->hash == hash)
			return p;
		if (p->hash)
			continue;
		if (shared->places >= PLACES / 2)
			break;
		p->kind = kind;
		p->depth = walk->depth;
		memcpy(p->frames, walk->frames, sizeof(p->frames));
		p->hash = hash;
		shared->places++;
		return p;
	}
	shared->overflow++;
	return NULL;
}

enum { STARVED_MS = 20 };

/* The lock is held. */
static int pick(struct place *p, int64_t now)
{
	uint32_t left = ways_of[p->kind] & shared->ways & ~p->failed;

	if (!(shared->kinds >> p->kind & 1) || !left || !shared->most ||
	    now - shared->last_us < (int64_t)shared->pause_ms * 1000)
		return -1;
	int way = __builtin_ctz(left);
	p->failed |= 1U << way;
	p->failed_us[way] = now_us(CLOCK_REALTIME);
	shared->last_us = now;
	shared->last_place = (uint32_t)(p - shared->table);
	shared->last_way = (uint32_t)way;
	shared->until_us = now + (int64_t)(way == STARVED ? STARVED_MS : shared->last_ms) * 1000;
	shared->faults++;
	shared->most--;
	return way;
}

/* A fault that lasts fails whatever comes after it of its kind; one of the disk, all that such a disk refuses. */
static int lasts(enum kind kind, int64_t now)
{
	if (now >= shared->until_us || !(shared->kinds >> kind & 1))
		return -1;
	enum kind begun = (enum kind)shared->table[shared->last_place].kind;
	enum way way = (enum way)shared->last_way;
	if ((begun != kind && !(way == NO_SPACE || way == READ_ONLY || way == STARVED)) || !(ways_of[kind] >> way & 1))
		return -1;
	shared->lasted++;
	return (int)way;
}

/* How this call is to fail; -1: it is not. */
static int ask(enum kind kind)
{
	if (!shared || is_inside)
		return -1;
	is_inside = 1;
	int saved = errno, way = -1;
	struct walk walk = {.limit = shared->depth && shared->depth < FRAMES ? shared->depth : FRAMES};
	(void)_Unwind_Backtrace(step, &walk);
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		;
	int64_t now = now_us(CLOCK_MONOTONIC);
	struct place *p = find(kind, &walk);
	if (p) {
		p->calls++;
		way = lasts(kind, now);
		if (way < 0)
			way = pick(p, now);
	}
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	errno = saved;
	is_inside = 0;
	return way;
}

static int refuses(enum kind kind)
{
	int way = ask(kind);

	if (way < 0)
		return 0;
	errno = error_of[way];
	return 1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FORECOURT_INJECT");
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	struct control *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (c == MAP_FAILED)
		abort();
	shared = c;
	is_inside = 1;
	note_modules();
	is_inside = 0;
}

/* Memory ---------------------------------------------------------------------------------------------------------------------------- */

void *malloc(size_t size)
{
	return refuses(MALLOC) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return refuses(MALLOC) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	if (old && size <= malloc_usable_size(old))
		return __libc_realloc(old, size);
	return refuses(REALLOC) ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return refuses(MALLOC) ? NULL : __libc_memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
	void *p = refuses(MALLOC) ? NULL : __libc_memalign(align, size);

	if (p)
		*out = p;
	return p ? 0 : ENOMEM;
}

/* Files ----------------------------------------------------------------------------------------------------------------------------- */

#define REAL(type, name, ...)                                        \
	static type (*real)(__VA_ARGS__);                            \
	if (!real) {                                                 \
		is_inside++;                                         \
		real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name); \
		is_inside--;                                         \
	}

static int is_ours(int fd)
{
	struct stat st;
	int saved = errno, is_file = shared && !is_inside && fd > 2 && !fstat(fd, &st) && S_ISREG(st.st_mode);

	errno = saved;
	return is_file;
}

/* How many bytes of len are to be written; or -1, errno: none, and that is told. */
static ssize_t allowed(int fd, size_t len)
{
	if (!is_ours(fd))
		return (ssize_t)len;
	if (torn_fd == fd) {
		torn_fd = -1;
		errno = ENOSPC;
		return -1;
	}
	torn_fd = -1;
	int way = ask(WRITE);
	if (way < 0)
		return (ssize_t)len;
	if (len > 1 && (way == SHORT || way == TORN)) {
		torn_fd = way == TORN ? fd : -1;
		return (ssize_t)(len / 2);
	}
	errno = error_of[way] ? error_of[way] : EIO;
	return -1;
}

ssize_t write(int fd, const void *data, size_t len)
{
	REAL(ssize_t, "write", int, const void *, size_t)
	ssize_t n = allowed(fd, len);

	return n < 0 ? -1 : real(fd, data, (size_t)n);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	REAL(ssize_t, "pwrite", int, const void *, size_t, off_t)
	ssize_t n = allowed(fd, len);

	return n < 0 ? -1 : real(fd, data, (size_t)n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	return pwrite(fd, data, len, at);
}

int fsync(int fd)
{
	REAL(int, "fsync", int)
	return refuses(SYNC) ? -1 : real(fd);
}

int fdatasync(int fd)
{
	REAL(int, "fdatasync", int)
	return refuses(SYNC) ? -1 : real(fd);
}

int ftruncate(int fd, off_t len)
{
	REAL(int, "ftruncate", int, off_t)
	return is_ours(fd) && refuses(TRUNCATE) ? -1 : real(fd, len);
}

int ftruncate64(int fd, off64_t len)
{
	return ftruncate(fd, len);
}

static int may_open(int flags)
{
	return !refuses((flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT) ? OPEN : CREATE);
}

int open(const char *path, int flags, ...)
{
	REAL(int, "open", const char *, int, ...)
	va_list list;
	va_start(list, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
	va_end(list);
	return may_open(flags) ? real(path, flags, mode) : -1;
}

int open64(const char *path, int flags, ...)
{
	va_list list;
	va_start(list, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
	va_end(list);
	return open(path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
	REAL(FILE *, "fopen", const char *, const char *)
	return may_open(strpbrk(mode, "wa+") ? O_RDWR | O_CREAT : O_RDONLY) ? real(path, mode) : NULL;
}

FILE *fopen64(const char *path, const char *mode)
{
	return fopen(path, mode);
}

int rename(const char *from, const char *to)
{
	REAL(int, "rename", const char *, const char *)
	return refuses(NAMING) ? -1 : real(from, to);
}

int unlink(const char *path)
{
	REAL(int, "unlink", const char *)
	return refuses(NAMING) ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode)
{
	REAL(int, "mkdir", const char *, mode_t)
	return refuses(NAMING) ? -1 : real(path, mode);
}
