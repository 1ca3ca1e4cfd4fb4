#include "loop/loop.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/clock.h"
#include "base/log.h"
#include "loop/resolve.h"
#include "loop/tls.h"

/* lws takes tables of this many descriptors at start; more than any station opens. */
enum { DESCRIPTORS_MAX = 2048 };
/* A storm of handshakes makes the tables once for so many, not for each (3.8 ms of the processor, with them 1.3). */
enum { TRIM_US = 1000000, TRIM_HANDSHAKES = 8 };

struct loop {
	struct lws_context *lws;
	void *idle_tls;                         /* client context of the vhosts that are no clients */
	struct lws_vhost *vhost;                /* of descriptors and wake-ups; listens nowhere */
	struct loop_waker *wakers, *next_waker; /* the latter while they are called: any may leave meanwhile */
	struct loop_remnant *remnants;
	struct loop_fd *called;          /* whose function is at work; NULL when it has removed itself */
	int64_t longest_us;              /* that a callback took */
	int64_t period_us, recent_us[2]; /* the same for this period and the one before */
	volatile int stopped;
	atomic_int woken; /* the wakers are about to be called */
	/* What wolfSSL keeps of handshakes is given back soon (loop_trim_tls). */
	lws_sorted_usec_list_t trim;
	int trim_is_set, handshakes, ending;
};

struct loop_timer_impl {
	lws_sorted_usec_list_t sul; /* first: the callback gets its address */
	struct loop *loop;
	struct loop_timer *timer;
};

struct loop_fd {
	struct lws *wsi;
	int fd;
	void (*fn)(void *user, int fd);
	void *user;
};

static void start_period(struct loop *loop, int64_t now_us)
{
	const int64_t period_us = (int64_t)LOOP_RECENT_S * 1000000;

	if (now_us - loop->period_us < period_us)
		return;
	loop->recent_us[1] = now_us - loop->period_us < 2 * period_us ? loop->recent_us[0] : 0;
	loop->recent_us[0] = 0;
	loop->period_us = now_us;
}

/* A callback that began then has returned. */
static void account(struct loop *loop, int64_t begun_us)
{
	int64_t now = clock_mono_us(), took = now - begun_us;

	start_period(loop, now);
	if (took > loop->recent_us[0])
		loop->recent_us[0] = took;
	if (took > loop->longest_us)
		loop->longest_us = took;
}

void loop_get_pauses(struct loop *loop, struct loop_pauses *pauses)
{
	start_period(loop, clock_mono_us());
	pauses->recent_us = loop->recent_us[0] > loop->recent_us[1] ? loop->recent_us[0] : loop->recent_us[1];
	pauses->longest_us = loop->longest_us;
}

static int loop_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct loop_fd *lfd;
	struct loop *loop = lws_context_user(lws_get_context(wsi));
	int64_t begun = clock_mono_us();

	(void)user;
	(void)in;
	(void)len;
	switch (reason) {
	case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
		atomic_store(&loop->woken, 0);
		for (struct loop_waker *w = loop->wakers; w; w = loop->next_waker) {
			loop->next_waker = w->next;
			w->fn(w->user);
		}
		account(loop, begun);
		return 0;
	case LWS_CALLBACK_RAW_RX_FILE:
		lfd = lws_get_opaque_user_data(wsi);
		if (!lfd)
			return -1;
		loop->called = lfd;
		lfd->fn(lfd->user, lfd->fd);
		account(loop, begun);
		/* Removed by its own function: libwebsockets still holds it, and closes it behind us. */
		int gone = !loop->called;
		loop->called = NULL;
		return gone ? -1 : 0;
	default:
		return 0;
	}
}

static const struct lws_protocols loop_protocols[] = {{.name = "forecourt-loop", .callback = loop_callback}, {0}};

/* lws speaks of its own inner life at notice; what matters is said by our callbacks. */
static void lws_to_log(int level, const char *line)
{
	size_t n = strlen(line);

	while (n && line[n - 1] == '\n')
		n--;
	if (level & (LLL_ERR | LLL_WARN))
		log_debug("loop: libwebsockets: %.*s", (int)n, line);
}

struct loop *loop_new(struct error *err)
{
	struct lws_context_creation_info info = {0};
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop) {
		(void)error_set(err, FC_ENOMEM, "loop: no memory");
		return NULL;
	}
	if (resolve_prepare(err)) {
		free(loop);
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	lws_set_log_level(LLL_ERR | LLL_WARN, lws_to_log);
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	info.gid = -1;
	info.uid = -1;
	info.user = loop;
	info.fd_limit_per_thread = DESCRIPTORS_MAX;
	loop->lws = lws_create_context(&info);
	/* After libwebsockets has started wolfSSL. */
	loop->idle_tls = tls_client_new(&(struct tls_client){.no_verify = 1}, NULL);
	if (loop->lws && loop->idle_tls) {
		info.options = 0; /* no TLS */
		info.protocols = loop_protocols;
		info.vhost_name = "loop";
		loop->vhost = lws_create_vhost(loop->lws, &info);
	}
	if (!loop->lws || !loop->vhost) {
		(void)error_set(err, FC_EIO, "loop: libwebsockets can't start");
		loop_free(loop);
		return NULL;
	}
	return loop;
}

static void trim_tls(struct loop *loop)
{
	tls_trim();
	loop->handshakes = 0;
}

static void trim_fired(lws_sorted_usec_list_t *sul)
{
	struct loop *loop = lws_container_of(sul, struct loop, trim);

	loop->trim_is_set = 0;
	trim_tls(loop);
#ifdef __GLIBC__
	/* The tables lay among what stays: a storm of handshakes would have cost the box 9 MB until the heap's next turn (main/daemon.c). */
	(void)malloc_trim(0);
#endif
}

void loop_trim_tls(struct loop *loop, int ended)
{
	loop->handshakes += ended;
	if (loop->ending || loop->handshakes >= TRIM_HANDSHAKES) {
		trim_tls(loop);
		return;
	}
	if (!loop->trim_is_set)
		lws_sul_schedule(loop->lws, 0, &loop->trim, trim_fired, TRIM_US);
	loop->trim_is_set = 1;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	loop->ending = 1;
	if (loop->lws && loop->trim_is_set)
		lws_sul_schedule(loop->lws, 0, &loop->trim, NULL, LWS_SET_TIMER_USEC_CANCEL);
	if (loop->lws)
		lws_context_destroy(loop->lws);
	while (loop->remnants)
		loop_remnant_gone(loop, loop->remnants);
	tls_client_free(loop->idle_tls);
	free(loop);
}

int loop_run(struct loop *loop)
{
	while (!loop->stopped)
		if (lws_service(loop->lws, 0) < 0)
			return FC_EIO;
	return FC_OK;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = 1;
	lws_cancel_service(loop->lws);
}

/* The time may be over before libwebsockets begins to wait, on a machine with much else to do always with 0: it would wait for the next
 * timer that there is. */
static void wait_no_more(void *user)
{
	struct loop *loop = user;

	lws_cancel_service(loop->lws);
}

int loop_step(struct loop *loop, int timeout_ms)
{
	struct loop_timer limit = {.fn = wait_no_more, .user = loop};

	if (loop_timer_set(loop, &limit, (int64_t)timeout_ms * 1000))
		return FC_ENOMEM;
	int result = lws_service(loop->lws, 0);
	loop_timer_cancel(loop, &limit);
	return result < 0 ? FC_EIO : FC_OK;
}

static void timer_fired(lws_sorted_usec_list_t *sul)
{
	struct loop_timer_impl *impl = (struct loop_timer_impl *)(void *)sul;

	/* The timer may be gone when it returns. */
	struct loop *loop = impl->loop;
	int64_t begun = clock_mono_us();

	impl->timer->fn(impl->timer->user);
	account(loop, begun);
}

int loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_us)
{
	if (!timer->impl) {
		timer->impl = calloc(1, sizeof(*timer->impl));
		if (!timer->impl)
			return FC_ENOMEM;
		timer->impl->loop = loop;
		timer->impl->timer = timer;
	}
	lws_sul_schedule(loop->lws, 0, &timer->impl->sul, timer_fired, delay_us > 0 ? delay_us : 1);
	return FC_OK;
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	if (!timer->impl)
		return;
	lws_sul_schedule(loop->lws, 0, &timer->impl->sul, NULL, LWS_SET_TIMER_USEC_CANCEL);
	free(timer->impl);
	timer->impl = NULL;
}

void loop_waker_add(struct loop *loop, struct loop_waker *waker)
{
	waker->next = loop->wakers;
	loop->wakers = waker;
}

void loop_waker_remove(struct loop *loop, struct loop_waker *waker)
{
	for (struct loop_waker **at = &loop->wakers; *at; at = &(*at)->next) {
		if (*at != waker)
			continue;
		*at = waker->next;
		if (loop->next_waker == waker)
			loop->next_waker = waker->next;
		return;
	}
}

void loop_wake(struct loop *loop)
{
	/* Whoever is told already will look at everything. */
	if (!atomic_exchange(&loop->woken, 1))
		lws_cancel_service(loop->lws);
}

struct loop_fd *loop_fd_add(struct loop *loop, int fd, void (*fn)(void *user, int fd), void *user, struct error *err)
{
	struct loop_fd *lfd = calloc(1, sizeof(*lfd));
	/* lws closes what it adopted, when it likes: it gets a copy. */
	lws_sock_file_fd_type copy = {.filefd = dup(fd)};

	if (!lfd || copy.filefd < 0) {
		(void)error_set(err, FC_ENOMEM, "loop: descriptor: %s", strerror(errno));
		if (copy.filefd >= 0)
			close(copy.filefd);
		free(lfd);
		return NULL;
	}
	lfd->fd = fd;
	lfd->fn = fn;
	lfd->user = user;
	lfd->wsi = lws_adopt_descriptor_vhost(loop->vhost, LWS_ADOPT_RAW_FILE_DESC, copy, "forecourt-loop", NULL);
	if (!lfd->wsi) {
		(void)error_set(err, FC_EIO, "loop: descriptor can't be watched");
		free(lfd);
		return NULL;
	}
	lws_set_opaque_user_data(lfd->wsi, lfd);
	return lfd;
}

void loop_fd_remove(struct loop_fd *lfd)
{
	if (!lfd)
		return;
	struct loop *loop = lws_context_user(lws_get_context(lfd->wsi));

	lws_set_opaque_user_data(lfd->wsi, NULL);
	if (loop->called == lfd)
		loop->called = NULL;
	else
		lws_set_timeout(lfd->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
	close(lfd->fd);
	free(lfd);
}

void loop_remnant_leave(struct loop *loop, struct loop_remnant *remnant)
{
	remnant->next = loop->remnants;
	loop->remnants = remnant;
}

void loop_remnant_gone(struct loop *loop, struct loop_remnant *remnant)
{
	for (struct loop_remnant **at = &loop->remnants; *at; at = &(*at)->next) {
		if (*at != remnant)
			continue;
		*at = remnant->next;
		remnant->fn(remnant->user);
		return;
	}
}

void *loop_idle_tls(struct loop *loop)
{
	return loop->idle_tls;
}

struct lws_context *loop_lws(struct loop *loop)
{
	return loop->lws;
}
