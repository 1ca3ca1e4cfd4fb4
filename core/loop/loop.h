/* Loop: the one thread on which everything is decided. Wraps the libwebsockets context: timers, wake-ups from
 * worker threads, adopted file descriptors, signals. No other room calls lws_* for these.
 *
 * A room registers in its x_start and leaves in its x_stop; no room knows another's timer. All calls are made on
 * the loop's thread but for loop_wake. */
#ifndef FC_LOOP_LOOP_H
#define FC_LOOP_LOOP_H

#include <stdint.h>

#include "base/error.h"

struct loop;

/* Owner frees with loop_free after everything registered has left. */
struct loop *loop_new(struct error *err);
void loop_free(struct loop *loop);
/* Runs until loop_stop. 0, or FC_EIO when libwebsockets gave up. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* The longest that a timer, waker or descriptor kept the loop, in microseconds: within the last LOOP_RECENT_S to twice that, and since
 * the start. */
enum { LOOP_RECENT_S = 10 };
struct loop_pauses {
	int64_t recent_us, longest_us;
};
void loop_get_pauses(struct loop *loop, struct loop_pauses *pauses);
/* One turn, waits at most timeout_ms (for tests and for draining at the end). */
int loop_step(struct loop *loop, int timeout_ms);

/* Timers. The caller owns the struct (zeroed before the first use); setting an armed timer moves it. One shot:
 * the callback re-arms if it wants to. A timer must be cancelled before its memory goes. */
struct loop_timer {
	void (*fn)(void *user);
	void *user;
	struct loop_timer_impl *impl; /* the loop's */
};
int loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_us);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

/* Wake-up: loop_wake may be called from any thread, and makes the loop call every registered waker soon (several
 * wakes may become one call). */
struct loop_waker {
	void (*fn)(void *user);
	void *user;
	struct loop_waker *next; /* the loop's */
};
void loop_waker_add(struct loop *loop, struct loop_waker *waker);
void loop_waker_remove(struct loop *loop, struct loop_waker *waker);
void loop_wake(struct loop *loop);

/* File descriptors (inotify, signalfd): fn is called when fd is readable. The loop takes fd over and closes it at
 * loop_fd_remove, which fn may call too, for its own. */
struct loop_fd;
struct loop_fd *loop_fd_add(struct loop *loop, int fd, void (*fn)(void *user, int fd), void *user, struct error *err);
void loop_fd_remove(struct loop_fd *lfd);

/* Memory of something that libwebsockets still refers to after its owner has freed it: fn frees it when libwebsockets has
 * let go of it (loop_remnant_gone), at the latest when the loop ends. Some vhosts go without a word. */
struct loop_remnant {
	void (*fn)(void *user);
	void *user;
	struct loop_remnant *next; /* the loop's */
};
void loop_remnant_leave(struct loop *loop, struct loop_remnant *remnant);
void loop_remnant_gone(struct loop *loop, struct loop_remnant *remnant);

/* For this room: a handshake may be over. What wolfSSL keeps of it (tls_trim) is given back within a second, or once eight connections
 * have ended: the next handshake of a storm finds it. ended: a connection has gone. */
void loop_trim_tls(struct loop *loop, int ended);

/* The libwebsockets context, for the HTTP files of this room only. */
struct lws_context *loop_lws(struct loop *loop);
/* A TLS client context that trusts nobody and connects nowhere, for the same. */
void *loop_idle_tls(struct loop *loop);

#endif
