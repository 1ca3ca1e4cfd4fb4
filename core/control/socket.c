#include "control/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/json_read.h"
#include "base/log.h"
#include "control/place.h"

enum {
	TICK_US = 5000000,
	RETRY_TICKS = 2,
	READER_MEMORY = 4 * CONTROL_LINE_MAX,
	TREE_MEMORY = 3 * CONTROL_LINE_MAX,
	LINE_FIRST = 8192,
	EVENTS = 16
};
/* An answer is bounded by what its tree may hold; escapes make it longer. */
static const size_t answer_max = CONTROL_MEMORY;
/* Kept for the next answer; what is larger goes back to the box. */
static const size_t keep_max = 64 << 10;

struct connection {
	struct control_socket *owner;
	struct connection *next;
	int fd;
	char who[48];
	char *line; /* of line_size bytes: grows for a long line, and is small again behind it */
	size_t line_size;
	size_t used;
	struct buffer out; /* the answer on its way */
	size_t sent;
	int answering;               /* a command is under way ... */
	struct control_reply *reply; /* ... and answers later */
	int ended;                   /* they send no more */
	int last;                    /* nothing is heard after this answer */
	int gone;                    /* to be freed */
	int64_t moved_ms;            /* when a byte went either way */
	int64_t connected_us;
};

struct control_socket {
	struct loop *loop;
	struct control *control;
	struct json_reader *reader;
	struct place place;
	int wanted;      /* a path is configured ... */
	char path[512];  /* ... this one */
	int complained;  /* that it can't be had */
	int retry_ticks; /* until it is tried again */
	int deaf;        /* nobody is let in until the next tick */
	/* One descriptor for the loop, all others behind it: libwebsockets closes by itself what hangs up, and waits for no
	 * room to write. */
	int epoll;
	struct loop_fd *lfd;
	struct loop_timer tick;
	struct connection *connections;
};

/* Answers ------------------------------------------------------------------------------------------------------------ */

/* To an empty out. Escaped by way of a tree, whatever is in the text; without memory for that it says so. */
static void write_error(struct buffer *out, int code, const char *text, const char *key)
{
	struct arena arena;

	arena_init(&arena, TREE_MEMORY);
	struct value *v = value_object(&arena);
	if (value_add(&arena, v, "ok", value_bool(&arena, 0)) ||
	    value_add(&arena, v, "code", value_string(&arena, error_name(code))) ||
	    value_add(&arena, v, "error", value_string(&arena, text)) ||
	    (key && *key && value_add(&arena, v, "key", value_string(&arena, key))) || json_write(out, v)) {
		buffer_clear(out);
		(void)buffer_text(out, "{\"ok\":false,\"code\":\"no memory\",\"error\":\"no memory\"}");
	}
	arena_fini(&arena);
}

static void answer(struct connection *c, const struct control_result *result)
{
	if (result->code) {
		write_error(&c->out, result->code, result->error, result->key);
	} else {
		(void)buffer_text(&c->out, "{\"ok\":true,\"result\":");
		(void)json_write(&c->out, result->result);
		(void)buffer_text(&c->out, "}");
	}
	if (c->out.failed) {
		buffer_clear(&c->out);
		write_error(&c->out, FC_ELIMIT, "the answer is too large", NULL);
	}
	(void)buffer_text(&c->out, "\n");
	/* Not even that. */
	c->gone |= c->out.failed;
	c->answering = 0;
	c->moved_ms = clock_mono_ms();
}

static void refuse(struct connection *c, int code, const char *text)
{
	answer(c, &(struct control_result){.code = code, .error = text});
}

/* What the kernel tells us of: to read while nothing is under way, to write while there is something. */
static void watch(struct connection *c)
{
	int out = c->out.len > 0, busy = out || c->answering;
	int in_line = !c->last && memchr(c->line, '\n', c->used) != NULL;
	struct epoll_event event = {.data.ptr = c};

	/* The next line was read already: what takes it is that there is room to write. */
	if (out || (in_line && !busy))
		event.events |= EPOLLOUT;
	if (!busy && !in_line && !c->ended && !c->last)
		event.events |= EPOLLIN;
	if (epoll_ctl(c->owner->epoll, EPOLL_CTL_MOD, c->fd, &event))
		c->gone = 1;
}

static void on_done(void *user, const struct control_result *result)
{
	struct connection *c = user;

	c->reply = NULL;
	answer(c, result);
	watch(c);
}

static void run_line(struct connection *c, size_t len)
{
	const struct control_caller caller = {
	    .name = c->who, .right = CONTROL_ADMINISTER, .connected_us = c->connected_us};
	struct error err = {0};
	struct value *request;
	struct arena arena;

	arena_init(&arena, TREE_MEMORY);
	c->answering = 1;
	int result = json_read(c->owner->reader, c->line, len, &arena, &request, &err);
	const char *command = result ? NULL : value_text(value_get(request, "command"));
	if (result)
		refuse(c, result, err.text);
	else if (!command)
		refuse(c, FC_EINVAL, "wants {\"command\":\"...\",\"arguments\":{...}}");
	else
		c->reply =
		    control_call(c->owner->control, &caller, command, value_get(request, "arguments"), on_done, c);
	arena_fini(&arena);
}

/* Nonzero when there is more room. */
static int grow_line(struct connection *c)
{
	size_t size = c->line_size * 2 < CONTROL_LINE_MAX ? c->line_size * 2 : CONTROL_LINE_MAX;
	char *more = size > c->line_size ? realloc(c->line, size) : NULL;

	if (!more)
		return 0;
	c->line = more;
	c->line_size = size;
	return 1;
}

/* At most one line: the loop has others to serve. */
static void take_line(struct connection *c)
{
	char *newline = memchr(c->line, '\n', c->used);

	if (c->answering || c->out.len || c->last)
		return;
	if (!newline) {
		if (c->used == c->line_size && !grow_line(c)) {
			c->last = 1;
			refuse(c, FC_ELIMIT, "the line is too long");
		}
		return;
	}
	size_t len = (size_t)(newline - c->line);
	run_line(c, len);
	c->used -= len + 1;
	memmove(c->line, newline + 1, c->used);
	if (c->used <= LINE_FIRST && c->line_size > LINE_FIRST) {
		char *less = realloc(c->line, LINE_FIRST);

		if (less) {
			c->line = less;
			c->line_size = LINE_FIRST;
		}
	}
}

/* Connections -------------------------------------------------------------------------------------------------------- */

static void receive(struct connection *c)
{
	/* No room with a whole line in it: not before that is done. */
	if (c->ended || c->used == c->line_size)
		return;
	ssize_t n = recv(c->fd, c->line + c->used, c->line_size - c->used, MSG_DONTWAIT);
	if (n > 0) {
		c->used += (size_t)n;
		c->moved_ms = clock_mono_ms();
	} else if (!n) {
		c->ended = 1; /* half a line is none */
	} else if (errno != EAGAIN && errno != EINTR) {
		c->gone = 1;
	}
}

static void flush(struct connection *c)
{
	if (!c->out.len)
		return;
	ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0) {
		c->gone |= errno != EAGAIN && errno != EINTR;
		return;
	}
	c->sent += (size_t)n;
	if (n)
		c->moved_ms = clock_mono_ms();
	if (c->sent < c->out.len)
		return;
	c->sent = 0;
	if (c->out.size > keep_max)
		buffer_fini(&c->out);
	else
		buffer_clear(&c->out);
	c->gone |= c->last;
}

static void serve(struct connection *c, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP))
		c->gone = 1; /* nobody is there to answer to */
	if (!c->gone && events & EPOLLIN)
		receive(c);
	if (!c->gone && events & EPOLLOUT)
		flush(c);
	if (!c->gone) {
		take_line(c);
		flush(c);
	}
	if (c->ended && !c->answering && !c->out.len && !memchr(c->line, '\n', c->used))
		c->gone = 1;
	if (!c->gone)
		watch(c);
}

static void free_connection(struct connection *c)
{
	control_forget(c->reply);
	buffer_fini(&c->out);
	close(c->fd);
	free(c->line);
	free(c);
}

static void sweep(struct control_socket *s)
{
	struct connection **at = &s->connections;

	while (*at) {
		struct connection *c = *at;

		if (!c->gone) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		free_connection(c);
	}
}

static int count(const struct control_socket *s)
{
	int n = 0;

	for (const struct connection *c = s->connections; c; c = c->next)
		n++;
	return n;
}

/* Why the one at the other end of fd is not heard, and who it is; NULL when it is. */
static const char *check_peer(const struct control_socket *s, int fd, struct connection *c, int *code)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	*code = FC_EAUTH;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return "nobody knows who you are";
	(void)snprintf(c->who, sizeof(c->who), "user %u (process %d)", (unsigned)peer.uid, (int)peer.pid);
	if (peer.uid && peer.uid != geteuid()) {
		log_warning("control: %s: refused", c->who);
		return "only root and the daemon's own user may";
	}
	*code = FC_EBUSY;
	return count(s) >= CONTROL_CONNECTIONS_MAX ? "too many connections" : NULL;
}

static void take_connection(struct control_socket *s, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct epoll_event event = {.events = EPOLLIN};
	int code;

	if (c)
		c->line = malloc(LINE_FIRST);
	if (!c || !c->line) {
		free(c);
		close(fd);
		return;
	}
	c->line_size = LINE_FIRST;
	c->owner = s;
	c->fd = fd;
	c->moved_ms = clock_mono_ms();
	c->connected_us = clock_mono_us();
	buffer_init(&c->out, answer_max);
	const char *refusal = check_peer(s, fd, c, &code);
	if (refusal) {
		/* One try: a fresh socket takes so little at once. */
		refuse(c, code, refusal);
		flush(c);
		free_connection(c);
		return;
	}
	event.data.ptr = c;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event)) {
		free_connection(c);
		return;
	}
	c->next = s->connections;
	s->connections = c;
}

/* The listener in or out of what is watched. */
static void hear(struct control_socket *s, int fd, int on)
{
	struct epoll_event event = {.events = on ? EPOLLIN : 0}; /* no connection: the listener */

	s->deaf = epoll_ctl(s->epoll, EPOLL_CTL_MOD, fd, &event) ? 1 : !on;
}

static void accept_one(struct control_socket *s)
{
	int fd = accept4(s->place.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		take_connection(s, fd);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		hear(s, s->place.fd, 0); /* no descriptors left: it would be ready for ever */
}

static void on_ready(void *user, int epoll)
{
	struct control_socket *s = user;
	struct epoll_event events[EVENTS];
	int n = epoll_wait(epoll, events, EVENTS, 0);

	for (int i = 0; i < n; i++) {
		struct connection *c = events[i].data.ptr;

		if (c)
			serve(c, events[i].events);
		else
			accept_one(s);
	}
	sweep(s);
}

/* The place ---------------------------------------------------------------------------------------------------------- */

static int listen_at(struct control_socket *s, const char *path, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct place next;
	int result = place_open(&next, path, err);

	if (result)
		return result;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, next.fd, &event)) {
		place_close(&next);
		return error_set(err, FC_EIO, "control: %s: can't be watched", path);
	}
	place_close(&s->place);
	s->place = next;
	s->deaf = 0;
	s->complained = 0;
	log_notice("control: listens on %s", path);
	return FC_OK;
}

static void try_again(struct control_socket *s)
{
	struct error err = {0};

	if (!s->wanted || s->place.fd >= 0 || s->retry_ticks-- > 0)
		return;
	s->retry_ticks = RETRY_TICKS;
	if (!listen_at(s, s->path, &err))
		return;
	if (!s->complained)
		log_error("%s (the command line can't reach this daemon; tried again)", err.text);
	s->complained = 1;
}

static void on_tick(void *user)
{
	struct control_socket *s = user;
	int64_t now = clock_mono_ms();

	for (struct connection *c = s->connections; c; c = c->next)
		if (!c->answering && now - c->moved_ms > CONTROL_IDLE_S * 1000)
			c->gone = 1;
	sweep(s);
	if (s->deaf && s->place.fd >= 0)
		hear(s, s->place.fd, 1);
	try_again(s);
	(void)loop_timer_set(s->loop, &s->tick, TICK_US);
}

static void want(struct control_socket *s, const char *path)
{
	s->wanted = *path != '\0';
	(void)snprintf(s->path, sizeof(s->path), "%s", path);
}

int control_socket_apply(struct control_socket *s, const struct config *config, struct error *err)
{
	const char *path = config->gateway.control_socket;

	if (!strcmp(s->path, path))
		return FC_OK;
	if (!*path) {
		place_close(&s->place);
	} else {
		int result = listen_at(s, path, err);

		if (result)
			return result;
	}
	want(s, path);
	return FC_OK;
}

struct control_socket *control_socket_new(struct loop *loop, struct control *control, const struct config *config,
					  struct error *err)
{
	struct control_socket *s = calloc(1, sizeof(*s));

	if (!s) {
		(void)error_set(err, FC_ENOMEM, "control: no memory");
		return NULL;
	}
	s->loop = loop;
	s->control = control;
	s->place = (struct place){.fd = -1, .lock = -1};
	s->tick = (struct loop_timer){.fn = on_tick, .user = s};
	s->reader = json_reader_new(READER_MEMORY);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll >= 0)
		s->lfd = loop_fd_add(loop, s->epoll, on_ready, s, err);
	if (!s->reader || !s->lfd || loop_timer_set(loop, &s->tick, TICK_US)) {
		(void)error_set(err, FC_ENOMEM, "control: no memory for the socket");
		control_socket_free(s);
		return NULL;
	}
	want(s, config->gateway.control_socket);
	try_again(s);
	return s;
}

void control_socket_free(struct control_socket *s)
{
	if (!s)
		return;
	while (s->connections) {
		struct connection *c = s->connections;

		s->connections = c->next;
		free_connection(c);
	}
	place_close(&s->place);
	if (s->lfd)
		loop_fd_remove(s->lfd); /* closes it */
	else if (s->epoll >= 0)
		close(s->epoll);
	loop_timer_cancel(s->loop, &s->tick);
	json_reader_free(s->reader);
	free(s);
}
