#include "loop/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <linux/watchdog.h>

#include "base/clock.h"
#include "base/log.h"

enum { TICK_US = 1000000, FEEDS_A_TIMEOUT = 4, FEED_SELDOM_S = 5 };

struct watchdog {
	struct loop *loop;
	watchdog_check check;
	void *user;
	struct loop_timer tick;
	char device[WATCHDOG_DEVICE];
	int timeout_s, real_s; /* asked for; as the device has it */
	int fd;                /* -1: not open */
	int has_ended;
	int64_t open_at_us, feed_at_us;
	uint64_t feeds;
	char still[WATCHDOG_WHY];   /* what makes no progress, "" = all does */
	char trouble[WATCHDOG_WHY]; /* the device's own, "" = none */
};

/* Of what comes again and again only the first is told. */
static void note_trouble(struct watchdog *w, const char *what, int code)
{
	char text[WATCHDOG_WHY];

	(void)snprintf(text, sizeof(text), "%s: %s: %s", what, w->device, strerror(code));
	if (!strcmp(text, w->trouble))
		return;
	memcpy(w->trouble, text, sizeof(text));
	/* That of the box's own system, which lets go of it soon (rootfs/README.md). */
	if (code == EBUSY)
		log_notice("loop: watchdog: %s", text);
	else
		log_error("loop: watchdog: %s", text);
}

static void feed(struct watchdog *w, int64_t now_us)
{
	int period_s = w->real_s / FEEDS_A_TIMEOUT;

	if (w->fd < 0 || now_us < w->feed_at_us)
		return;
	/* Any byte but the magic one. */
	if (write(w->fd, ".", 1) != 1) {
		note_trouble(w, "write", errno);
		return;
	}
	w->feeds++;
	w->trouble[0] = '\0';
	w->feed_at_us = now_us + (int64_t)(period_s < FEED_SELDOM_S ? period_s : FEED_SELDOM_S) * 1000000;
}

/* What a request is, is the C library's choice. */
static int ask(int fd, unsigned long request, int *value)
{
#ifdef __GLIBC__
	return ioctl(fd, request, value);
#else
	return ioctl(fd, (int)request, value);
#endif
}

static void set_timeout(struct watchdog *w)
{
	int wanted = w->timeout_s, real = wanted;

	w->real_s = wanted;
	if (ask(w->fd, WDIOC_SETTIMEOUT, &real)) {
		int code = errno;

		/* What it has may be less. */
		if (!ask(w->fd, WDIOC_GETTIMEOUT, &real) && real > 0)
			w->real_s = real;
		log_warning("loop: watchdog: %s: the time-out can't be set to %d s (%s): fed all the same", w->device,
			    wanted, strerror(code));
	} else if (real > 0 && real != wanted) {
		w->real_s = real;
		log_notice("loop: watchdog: %s: the time-out is %d s instead of %d s", w->device, real, wanted);
	}
}

/* What is fed is written to: a file that somebody has named would be the worse for it, and the journal is one. */
static int is_device(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode));
}

static void open_device(struct watchdog *w, int64_t now_us)
{
	if (!*w->device || w->fd >= 0 || w->has_ended || now_us < w->open_at_us)
		return;
	/* Not blocking: a stand-in may be a FIFO. */
	w->fd = open(w->device, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (w->fd >= 0 && !is_device(w->fd)) {
		(void)close(w->fd);
		w->fd = -1;
		errno = ENODEV;
	}
	if (w->fd < 0) {
		note_trouble(w, "open", errno);
		w->open_at_us = now_us + (int64_t)WATCHDOG_AGAIN_S * 1000000;
		return;
	}
	w->trouble[0] = '\0';
	w->feed_at_us = now_us;
	set_timeout(w);
	log_notice("loop: watchdog: %s: armed, %d s", w->device, w->real_s);
}

static void look(struct watchdog *w, int64_t now_us)
{
	char why[WATCHDOG_WHY] = "";
	int stands_still = w->check && w->check(w->user, now_us, why, sizeof(why));

	if (stands_still && !*w->still)
		log_error("loop: watchdog: %s%s", why, w->fd >= 0 ? ": it is not fed any more" : "");
	if (!stands_still && *w->still)
		log_notice("loop: watchdog: all makes progress again");
	(void)snprintf(w->still, sizeof(w->still), "%s", stands_still ? *why ? why : "something stands still" : "");
}

static void on_tick(void *user)
{
	struct watchdog *w = user;
	int64_t now = clock_mono_us();

	look(w, now);
	open_device(w, now);
	if (!*w->still)
		feed(w, now);
	if (loop_timer_set(w->loop, &w->tick, TICK_US))
		log_error("loop: watchdog: no memory for a timer");
}

static void close_device(struct watchdog *w)
{
	if (w->fd < 0)
		return;
	/* A driver that was told never to stop (nowayout) goes on; so does one of the hardware. */
	if (write(w->fd, "V", 1) != 1)
		log_error("loop: watchdog: %s: can't be disarmed: %s", w->device, strerror(errno));
	else
		log_notice("loop: watchdog: %s: disarmed", w->device);
	(void)close(w->fd);
	w->fd = -1;
}

void watchdog_set(struct watchdog *w, const char *device, int timeout_s)
{
	int is_other = strcmp(w->device, device) != 0;

	if (is_other) {
		close_device(w);
		w->trouble[0] = '\0';
		w->open_at_us = 0;
		(void)snprintf(w->device, sizeof(w->device), "%s", device);
	}
	if (!is_other && w->timeout_s == timeout_s)
		return;
	w->timeout_s = timeout_s;
	if (w->fd >= 0)
		set_timeout(w);
	else
		open_device(w, clock_mono_us());
}

void watchdog_end(struct watchdog *w)
{
	w->has_ended = 1;
	close_device(w);
}

struct watchdog *watchdog_new(struct loop *loop, watchdog_check check, void *user, struct error *err)
{
	struct watchdog *w = calloc(1, sizeof(*w));

	if (!w) {
		(void)error_set(err, FC_ENOMEM, "loop: no memory for the watchdog");
		return NULL;
	}
	*w = (struct watchdog){.loop = loop, .check = check, .user = user, .fd = -1};
	w->tick = (struct loop_timer){.fn = on_tick, .user = w};
	if (loop_timer_set(loop, &w->tick, TICK_US)) {
		free(w);
		(void)error_set(err, FC_ENOMEM, "loop: no memory for the watchdog");
		return NULL;
	}
	return w;
}

void watchdog_free(struct watchdog *w)
{
	if (!w)
		return;
	loop_timer_cancel(w->loop, &w->tick);
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w);
}

void watchdog_get_state(const struct watchdog *w, struct watchdog_state *state)
{
	*state = (struct watchdog_state){.device = w->device,
					 .is_open = w->fd >= 0,
					 .timeout_s = w->real_s,
					 .feeds = w->feeds,
					 .why = *w->still ? w->still : w->trouble};
}
