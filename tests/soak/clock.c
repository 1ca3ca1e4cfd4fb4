/* Preloaded into every process of a run: one clock for all of them, which goes as fast as they keep up.
 *
 * The time stands in the file of SOAK_CLOCK (struct shared; clock.py has the same layout) and is moved on by whoever asks for it.
 * It never goes slower than real time and never faster than `most` times that; in between it is held back by who is busy: each
 * thread that ever waited here has a limit, and beyond the lowest of all limits the time goes only as fast as real time does.
 *
 *   waits for a moment          that moment and `window` more: who overslept is waited for
 *   works                       `answer` after it woke
 *   waits for an answer         the same after it began to: a charger's (a poll on another thread than the first), a platform's (a
 *                               connection that the first thread has made, written to, and heard nothing from)
 *   waits for nobody knows how long   none
 *
 * So a machine that is slow or has much else to do makes the run slower and changes nothing of what is seen in it: a time-out ends
 * before its answer comes only if the answer takes longer than that in real seconds. By how much moments were
 * overslept is counted, by the clock of the run (struct process). What the kernel times by itself runs in real time: TCP, locks of files. */
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 8192, OUTSIDE = 16, PROCESSES = 1024, LATE_STEPS = 8, DESCRIPTORS = 65536 };
static const int64_t second = 1000000000, never = INT64_MAX;
static const int64_t late_steps_ms[LATE_STEPS] = {10, 30, 100, 300, 1000, 3000, 10000, INT64_MAX};

struct process {
	atomic_int pid; /* 0: free */
	int unused;
	_Atomic int64_t waits, late_max_ns, late[LATE_STEPS]; /* waits for a moment, by how much it was overslept */
};

struct shared {
	_Atomic int64_t real_ns, mono_ns; /* when the time was moved on last, and what it is */
	_Atomic int64_t speed_e3;         /* mean of some 0.2 s, for those who sleep */
	_Atomic int64_t seen_real_ns, seen_mono_ns;
	int64_t wall_ns; /* wall clock - mono_ns */
	int64_t most, window_ns, answer_ns;
	atomic_int used; /* slots that were ever taken; the first OUTSIDE are for who has no clock.c (clock.py) */
	int unused;
	_Atomic int64_t limits[SLOTS];
	atomic_int owners[SLOTS]; /* pid; 0: free */
	struct process processes[PROCESSES];
};

static struct shared *all;
static struct process *own;
static pthread_key_t gone;
static _Thread_local int slot = -1;
static _Atomic unsigned char
    asked[DESCRIPTORS];    /* connections of the first thread: 1 = made, 3 = an answer is awaited */
static atomic_int answers; /* ... how many are */

/* The C library's, which needs no system call: the gateway asks a thousand times in a second of the run. */
static int (*real_clock)(clockid_t id, struct timespec *out);

static int64_t real_ns(void)
{
	struct timespec t = {0};

	if (real_clock)
		(void)real_clock(CLOCK_MONOTONIC, &t);
	else
		(void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return t.tv_sec * second + t.tv_nsec;
}

static void leave(void *at)
{
	int n = (int)(intptr_t)at - 1;

	atomic_store(&all->limits[n], never);
	atomic_store(&all->owners[n], 0);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("SOAK_CLOCK");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	all = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (all == MAP_FAILED || pthread_key_create(&gone, leave))
		abort();
	close(fd);
	*(void **)&real_clock = dlsym(RTLD_NEXT, "clock_gettime");
	/* Naps are as short as a poll's answer: 50 us more each would be a third of a run. Threads inherit it. */
	(void)prctl(PR_SET_TIMERSLACK, 1);
	for (int i = 0; i < PROCESSES && !own; i++) {
		int nobody = 0;

		if (atomic_compare_exchange_strong(&all->processes[i].pid, &nobody, getpid()))
			own = &all->processes[i];
	}
}

/* The time ------------------------------------------------------------------------------------------------------------------ */

static int64_t lowest_limit(void)
{
	int64_t least = never;
	int n = atomic_load_explicit(&all->used, memory_order_relaxed);

	for (int i = 0; i < n; i++) {
		int64_t limit = atomic_load_explicit(&all->limits[i], memory_order_relaxed);

		least = limit < least ? limit : least;
	}
	return least;
}

static void note_speed(int64_t real, int64_t mono)
{
	int64_t seen = atomic_load(&all->seen_real_ns), before = atomic_load(&all->seen_mono_ns);

	if (real - seen < 5000000 || !atomic_compare_exchange_strong(&all->seen_real_ns, &seen, real))
		return;
	atomic_store(&all->seen_mono_ns, mono);
	int64_t now = (mono - before) * 1000 / (real - seen), old = atomic_load(&all->speed_e3);
	atomic_store(&all->speed_e3, old + (now - old) / 32);
}

static int64_t mono_ns(void)
{
	int64_t real = real_ns(), last = atomic_load(&all->real_ns), mono = atomic_load(&all->mono_ns);

	/* Whoever moves the mark has the time between to give. */
	if (real - last < 20000 || !atomic_compare_exchange_strong(&all->real_ns, &last, real))
		return mono;
	int64_t passed = real - last, fast = passed * all->most, room = lowest_limit() - mono;
	if (fast > room)
		fast = room;
	mono = atomic_fetch_add(&all->mono_ns, fast > passed ? fast : passed) + (fast > passed ? fast : passed);
	note_speed(real, mono);
	return mono;
}

static struct timespec spec(int64_t ns)
{
	return (struct timespec){ns / second, ns % second};
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	if (id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID)
		return (int)syscall(SYS_clock_gettime, id, out);
	*out = spec(mono_ns() + (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? all->wall_ns : 0));
	return 0;
}

time_t time(time_t *out)
{
	time_t t = (mono_ns() + all->wall_ns) / second;

	if (out)
		*out = t;
	return t;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec t = spec(mono_ns() + all->wall_ns);

	(void)zone;
	*out = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
	return 0;
}

/* Waiting ------------------------------------------------------------------------------------------------------------------- */

static int is_first_thread(void)
{
	static _Thread_local int is_first = -1;

	if (is_first < 0)
		is_first = getpid() == (int)syscall(SYS_gettid);
	return is_first;
}

static void limit(int64_t at)
{
	for (int i = OUTSIDE; slot < 0; i = i + 1 < SLOTS ? i + 1 : OUTSIDE) {
		int nobody = 0;

		if (!atomic_compare_exchange_strong(&all->owners[i], &nobody, getpid()))
			continue;
		for (int used = atomic_load(&all->used); used <= i;)
			(void)atomic_compare_exchange_weak(&all->used, &used, i + 1);
		slot = i;
		(void)pthread_setspecific(gone, (void *)(intptr_t)(i + 1));
	}
	atomic_store(&all->limits[slot], at);
}

/* until: a moment, or never. for_answer: somebody else's work is waited for. */
static void wait_begins(int64_t now, int64_t until, int for_answer)
{
	if (for_answer && now < until)
		limit(now + all->answer_ns);
	else
		limit(until == never ? never : until + all->window_ns);
}

static void wait_ends(int64_t now, int64_t until)
{
	limit(now + all->answer_ns);
	if (now < until || !own)
		return;
	int64_t late = now - until, most = atomic_load(&own->late_max_ns);
	int step = 0;

	while (late / 1000000 >= late_steps_ms[step])
		step++;
	atomic_fetch_add(&own->waits, 1);
	atomic_fetch_add(&own->late[step], 1);
	while (late > most && !atomic_compare_exchange_weak(&own->late_max_ns, &most, late))
		;
}

/* So long in real time before it is worth another look, were the time to go four times as fast as it lately did on the average: it goes in
 * leaps, and sleeping too long holds the others up. Looks too often leave no time for anybody's work: 500 gateways whose sleepers
 * went by the fastest leap switched 73 000 times a second. Half of the window may be overslept, that holds up nobody. */
static int64_t nap(int64_t left)
{
	int64_t speed = 4 * atomic_load_explicit(&all->speed_e3, memory_order_relaxed), ns, most;

	if (left == never)
		return never;
	most = 20000000 * (1 + atomic_load_explicit(&all->used, memory_order_relaxed) / 128);
	ns = (left + all->window_ns / 2) / (speed > 1000 ? speed : 1000) * 1000;
	return ns < 100000 ? 100000 : ns > most ? most : ns;
}

static int64_t later(int64_t now, int64_t ns)
{
	return ns < 0 ? never : now + ns;
}

/* ns < 0: for ever. */
static int wait_for_files(struct pollfd *fds, nfds_t n, int64_t ns, const sigset_t *mask)
{
	if (!ns)
		return (int)syscall(SYS_ppoll, fds, n, &(struct timespec){0, 0}, mask, 8);
	int64_t now = mono_ns(), until = later(now, ns);
	int result, for_answer = is_first_thread() ? atomic_load(&answers) > 0 : 1;

	wait_begins(now, until, for_answer);
	do {
		int64_t real = nap(until == never ? never : until - now);
		struct timespec t = spec(real == never ? 0 : real);

		result = (int)syscall(SYS_ppoll, fds, n, real == never ? NULL : &t, mask, 8);
		now = mono_ns();
	} while (!result && now < until);
	wait_ends(now, result ? never : until);
	return result;
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *time, const sigset_t *mask)
{
	return wait_for_files(fds, n, time ? time->tv_sec * second + time->tv_nsec : -1, mask);
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
	return wait_for_files(fds, n, ms < 0 ? -1 : ms * 1000000LL, NULL);
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

int nanosleep(const struct timespec *time, struct timespec *left)
{
	int64_t now = mono_ns(), until = now + time->tv_sec * second + time->tv_nsec;

	(void)left;
	wait_begins(now, until, 0);
	while (now < until) {
		struct timespec t = spec(nap(until - now));

		(void)syscall(SYS_nanosleep, &t, NULL);
		now = mono_ns();
	}
	wait_ends(now, until);
	return 0;
}

static int wait_for_condition(pthread_cond_t *cond, pthread_mutex_t *held, int64_t until)
{
	int64_t now = mono_ns();
	int result;

	wait_begins(now, until, 0);
	do {
		struct timespec t = spec(real_ns() + (until == never ? 3600 * second : nap(until - now)));

		result = pthread_cond_clockwait(cond, held, CLOCK_MONOTONIC, &t);
		now = mono_ns();
	} while (result && now < until);
	wait_ends(now, result ? until : never);
	return result;
}

/* The lines wait on the monotonic clock. */
int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict held,
			   const struct timespec *restrict until)
{
	return wait_for_condition(cond, held, until->tv_sec * second + until->tv_nsec);
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *held)
{
	return wait_for_condition(cond, held, never);
}

/* Platforms ----------------------------------------------------------------------------------------------------------------- */

static void await(int fd, int on)
{
	if (fd < 0 || fd >= DESCRIPTORS || !(atomic_load_explicit(&asked[fd], memory_order_relaxed) & 1))
		return;
	if (atomic_exchange(&asked[fd], on ? 3 : 1) != (on ? 3 : 1))
		atomic_fetch_add(&answers, on ? 1 : -1);
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	if (fd >= 0 && fd < DESCRIPTORS && (to->sa_family == AF_INET || to->sa_family == AF_INET6) &&
	    is_first_thread()) {
		atomic_store(&asked[fd], 1);
		await(fd, 1);
	}
	return (int)syscall(SYS_connect, fd, to, len);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	await(fd, 1);
	return syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}

ssize_t write(int fd, const void *data, size_t size)
{
	await(fd, 1);
	return syscall(SYS_write, fd, data, size);
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	ssize_t n = syscall(SYS_recvfrom, fd, data, size, flags, NULL, NULL);

	if (n > 0)
		await(fd, 0);
	return n;
}

ssize_t read(int fd, void *data, size_t size)
{
	ssize_t n = syscall(SYS_read, fd, data, size);

	if (n > 0)
		await(fd, 0);
	return n;
}

int close(int fd)
{
	await(fd, 0);
	if (fd >= 0 && fd < DESCRIPTORS)
		atomic_store(&asked[fd], 0);
	return (int)syscall(SYS_close, fd);
}
