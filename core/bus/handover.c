#include "bus/handover.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sys/timerfd.h>

#include "base/clock.h"

/* So many wake-ups within so long, and the loop looks by itself; so few results in so many looks, and it is woken again. What all lines of a
 * station bring at once (their first reads fall due together) is neither. */
enum { WAKES = 100, SPELL_US = 100000, LOOKS = 128, FEW = LOOKS / 2 };

static int set_timer(const struct handover *h, long us)
{
	const struct timespec every = {.tv_nsec = us * 1000};
	const struct itimerspec times = {.it_interval = every, .it_value = every};

	return timerfd_settime(h->timer_fd, 0, &times, NULL);
}

/* Without a timer it goes on as it was. */
static void begin_looking(struct handover *h)
{
	h->wakes = 0;
	if (set_timer(h, HANDOVER_LOOK_US))
		return;
	h->looks = h->taken = 0;
	atomic_store(&h->looking, 1);
}

static void end_looking(struct handover *h)
{
	(void)set_timer(h, 0);
	atomic_store(&h->looking, 0);
	/* Whoever saw that the loop looks had put its result before: it is there now. */
	h->arrived(h->user);
}

static void on_wake(void *user)
{
	struct handover *h = user;
	unsigned before = h->taken;

	h->arrived(h->user);
	if (atomic_load(&h->looking) || h->taken == before)
		return;
	int64_t now = clock_mono_us();
	if (now - h->since_us > SPELL_US) {
		h->since_us = now;
		h->wakes = 0;
	}
	if (++h->wakes == WAKES)
		begin_looking(h);
}

static void on_timer(void *user, int fd)
{
	struct handover *h = user;
	uint64_t ticks;

	if (read(fd, &ticks, sizeof(ticks)) != sizeof(ticks))
		return;
	h->arrived(h->user);
	if (++h->looks < LOOKS)
		return;
	if (h->taken < FEW)
		end_looking(h);
	h->looks = h->taken = 0;
}

int handover_start(struct handover *h, struct loop *loop, void (*arrived)(void *user), void *user, struct error *err)
{
	*h = (struct handover){.loop = loop, .arrived = arrived, .user = user, .timer_fd = -1};
	if (queue_init(&h->results, sizeof(struct bus_result), HANDOVER_MAX))
		return error_set(err, FC_ENOMEM, "bus: no memory");
	h->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (h->timer_fd < 0) {
		(void)error_set(err, FC_EIO, "bus: no timer: %s", strerror(errno));
		queue_fini(&h->results);
		return FC_EIO;
	}
	h->timer = loop_fd_add(loop, h->timer_fd, on_timer, h, err);
	if (!h->timer) {
		(void)close(h->timer_fd);
		queue_fini(&h->results);
		return FC_ENOMEM;
	}
	h->waker = (struct loop_waker){.fn = on_wake, .user = h};
	loop_waker_add(loop, &h->waker);
	return FC_OK;
}

void handover_stop(struct handover *h)
{
	if (!h->timer)
		return;
	loop_waker_remove(h->loop, &h->waker);
	loop_fd_remove(h->timer);
	h->timer = NULL;
	queue_fini(&h->results);
}

int handover_put(struct handover *h, const struct bus_result *result, int must)
{
	int full = result && queue_put(&h->results, result, must ? 0 : HANDOVER_RESERVED);

	if (full || must || (!result && !atomic_load(&h->looking)))
		loop_wake(h->loop);
	return full ? FC_EBUSY : FC_OK;
}

int handover_take(struct handover *h, struct bus_result *result)
{
	int none = queue_take(&h->results, result);

	h->taken += !none;
	return none;
}
