/* The loop's timers, wake-ups and descriptors, and client and server over plain HTTP on loopback. */
#include "loop/peer.h"
#include "loop_fixture.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	struct seen seen;
	int descriptors; /* open before the test */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	assert_non_null(f);
	f->descriptors = open_descriptors();
	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	http_client_free(f->client);
	http_server_free(f->server);
	loop_free(f->loop);
	int left = open_descriptors() - f->descriptors;
	free(f);
	if (left)
		print_error("%d descriptors left open\n", left);
	return left;
}

static void serve(struct fixture *f, struct http_server_config config)
{
	struct error err = {0};

	config.name = "test";
	config.address = "127.0.0.1";
	f->server = http_server_new(f->loop, &config, seen_handler, &f->seen, &err);
	if (!f->server)
		fail_msg("%s", err.text);
}

static struct http_client *ask(struct fixture *f, const char *host, int port, struct http_client_config config)
{
	struct error err = {0};

	config.name = "asks";
	config.host = host;
	config.port = port;
	f->client = http_client_new(f->loop, &config, &err);
	if (!f->client)
		fail_msg("%s", err.text);
	return f->client;
}

static void both(struct fixture *f, struct http_server_config server, struct http_client_config client)
{
	serve(f, server);
	(void)ask(f, "127.0.0.1", http_server_port(f->server), client);
}

/* A server that is not ours, on the same loop: counts connections, answers by hand. */
struct raw {
	struct loop *loop;
	struct loop_fd *listener, *connections[32];
	int port, accepted, requests;
	int silent;        /* never answers; nor does it anybody whose request says SLOW */
	int close_after;   /* closes a connection that has carried so many answers; 0 = never */
	const char *reply; /* NULL = an empty object */
	int carried[32];
	int closed;
};

static void raw_readable(void *user, int fd)
{
	struct raw *raw = user;
	char data[8192];
	int at = 0;
	ssize_t n = read(fd, data, sizeof(data) - 1);
	const char *reply = raw->reply ? raw->reply : "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

	while (at < raw->accepted && !(raw->connections[at] && raw->carried[at] >> 16 == fd))
		at++;
	assert_true(at < raw->accepted);
	if (n > 0) {
		data[n] = '\0';
		/* A request of these tests ends in its body, "END". */
		if (!strstr(data, "END"))
			return;
		raw->requests++;
		if (raw->silent || strstr(data, "SLOW"))
			return;
		assert_int_equal(write(fd, reply, strlen(reply)), strlen(reply));
		raw->carried[at]++;
		if (!raw->close_after || (raw->carried[at] & 0xFFFF) < raw->close_after)
			return;
	}
	loop_fd_remove(raw->connections[at]);
	raw->connections[at] = NULL;
	raw->closed++;
}

static void raw_accept(void *user, int fd)
{
	struct raw *raw = user;
	int c = accept(fd, NULL, NULL);

	assert_true(c >= 0);
	assert_true(raw->accepted < 32);
	raw->carried[raw->accepted] = c << 16;
	raw->connections[raw->accepted] = loop_fd_add(raw->loop, c, raw_readable, raw, NULL);
	assert_non_null(raw->connections[raw->accepted++]);
}

static int listening(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void raw_start(struct raw *raw, struct loop *loop)
{
	raw->loop = loop;
	raw->listener = loop_fd_add(loop, listening(&raw->port), raw_accept, raw, NULL);
	assert_non_null(raw->listener);
}

static void raw_stop(struct raw *raw)
{
	for (int i = 0; i < raw->accepted; i++)
		loop_fd_remove(raw->connections[i]);
	loop_fd_remove(raw->listener);
}

/* A client that is not ours. */
static int dial(int port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Reads until want is in the text, or (want NULL) until the other side closes. Returns 1 when it closed. */
static int hear(struct loop *loop, int fd, char *text, size_t size, const char *want)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	size_t len = 0;

	text[0] = '\0';
	for (;;) {
		ssize_t n = read(fd, text + len, size - len - 1);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return 1;
		if (n > 0)
			text[len += (size_t)n] = '\0';
		if (want && strstr(text, want))
			return 0;
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(loop, 10), FC_OK);
	}
}

static void count(void *user)
{
	++*(int *)user;
}

static void test_timers(void **state)
{
	struct fixture *f = *state;
	int fired = 0, never = 0;
	struct loop_timer soon = {.fn = count, .user = &fired}, cancelled = {.fn = count, .user = &never},
			  moved = {.fn = count, .user = &never};

	assert_int_equal(loop_timer_set(f->loop, &soon, 1000), FC_OK);
	assert_int_equal(loop_timer_set(f->loop, &cancelled, 1000), FC_OK);
	assert_int_equal(loop_timer_set(f->loop, &moved, 1000), FC_OK);
	assert_int_equal(loop_timer_set(f->loop, &moved, 3600LL * 1000000), FC_OK);
	loop_timer_cancel(f->loop, &cancelled);
	loop_timer_cancel(f->loop, &cancelled);
	turn_until(f->loop, &fired, 1);
	turn_for(f->loop, 50);
	assert_int_equal(fired, 1); /* one shot */
	assert_int_equal(never, 0);
	assert_int_equal(loop_timer_set(f->loop, &soon, 0), FC_OK);
	turn_until(f->loop, &fired, 2);
	loop_timer_cancel(f->loop, &soon);
	loop_timer_cancel(f->loop, &moved);
}

struct again {
	struct loop *loop;
	struct loop_timer timer;
	int fired;
};

static void fire_again(void *user)
{
	struct again *a = user;

	if (++a->fired < 5)
		assert_int_equal(loop_timer_set(a->loop, &a->timer, 1000), FC_OK);
	else
		loop_timer_cancel(a->loop, &a->timer); /* from its own callback */
}

static void test_timer_rearms(void **state)
{
	struct fixture *f = *state;
	struct again a = {.loop = f->loop, .timer = {.fn = fire_again}};

	a.timer.user = &a;
	assert_int_equal(loop_timer_set(f->loop, &a.timer, 1000), FC_OK);
	turn_until(f->loop, &a.fired, 5);
	turn_for(f->loop, 30);
	assert_int_equal(a.fired, 5);
}

static void *wake_from_thread(void *user)
{
	loop_wake(user);
	return NULL;
}

static void test_wakers(void **state)
{
	struct fixture *f = *state;
	int first = 0, second = 0, gone = 0;
	struct loop_waker a = {.fn = count, .user = &first}, b = {.fn = count, .user = &second},
			  c = {.fn = count, .user = &gone};
	pthread_t thread;

	loop_waker_add(f->loop, &a);
	loop_waker_add(f->loop, &b);
	loop_waker_add(f->loop, &c);
	loop_waker_remove(f->loop, &c);
	assert_int_equal(pthread_create(&thread, NULL, wake_from_thread, f->loop), 0);
	turn_until(f->loop, &first, 1);
	turn_until(f->loop, &second, 1);
	assert_int_equal(gone, 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	loop_waker_remove(f->loop, &a);
	loop_waker_remove(f->loop, &b);
}

struct remover {
	struct loop *loop;
	struct loop_waker own, *other;
	int called;
};

static void remove_other(void *user)
{
	struct remover *r = user;

	r->called++;
	if (r->other) {
		loop_waker_remove(r->loop, r->other);
		free(r->other);
		r->other = NULL;
	}
}

/* A callback may take another one out (a client that ends frees another). */
static void test_waker_removes_another(void **state)
{
	struct fixture *f = *state;
	int gone = 0, last = 0;
	struct remover r = {.loop = f->loop, .own = {.fn = remove_other}, .other = calloc(1, sizeof(*r.other))};
	struct loop_waker end = {.fn = count, .user = &last};

	assert_non_null(r.other);
	r.own.user = &r;
	*r.other = (struct loop_waker){.fn = count, .user = &gone};
	loop_waker_add(f->loop, &end);
	loop_waker_add(f->loop, r.other);
	loop_waker_add(f->loop, &r.own); /* the newest is called first */
	loop_wake(f->loop);
	turn_until(f->loop, &last, 1);
	assert_int_equal(r.called, 1);
	assert_int_equal(gone, 0);
	loop_waker_remove(f->loop, &r.own);
	loop_waker_remove(f->loop, &end);
}

static void drain(void *user, int fd)
{
	uint64_t n;

	assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
	*(int *)user += (int)n;
}

struct leaver {
	struct loop_fd *lfd;
	int calls;
};

static void leave(void *user, int fd)
{
	struct leaver *l = user;

	(void)fd; /* not even read: it is readable for ever */
	l->calls++;
	loop_fd_remove(l->lfd);
}

static void test_a_descriptor_removes_itself(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	for (int i = 0; i < 20; i++) {
		struct leaver l = {0};
		int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC), got = 0;

		l.lfd = loop_fd_add(f->loop, fd, leave, &l, &err);
		assert_non_null(l.lfd);
		turn_until(f->loop, &l.calls, 1);
		assert_int_equal(fcntl(fd, F_GETFD), -1);
		/* The next one has its number and is none the worse for it. */
		int next = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
		struct loop_fd *lfd = loop_fd_add(f->loop, next, drain, &got, &err);
		assert_non_null(lfd);
		turn_until(f->loop, &got, 1);
		assert_int_equal(l.calls, 1);
		loop_fd_remove(lfd);
	}
}

static void test_descriptors(void **state)
{
	struct fixture *f = *state;
	int got = 0, fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct error err = {0};
	struct loop_fd *lfd = loop_fd_add(f->loop, fd, drain, &got, &err);

	assert_non_null(lfd);
	turn_for(f->loop, 20);
	assert_int_equal(got, 0);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(eventfd_write(fd, 1), 0);
		turn_until(f->loop, &got, i);
	}
	loop_fd_remove(lfd);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed */
	turn_for(f->loop, 20);
	assert_null(loop_fd_add(f->loop, -1, drain, &got, &err));
	assert_int_not_equal(err.code, FC_OK);
}

static void stop(void *user)
{
	loop_stop(user);
}

static void test_run_and_stop(void **state)
{
	struct fixture *f = *state;
	struct loop_timer timer = {.fn = stop, .user = f->loop};

	assert_int_equal(loop_timer_set(f->loop, &timer, 1000), FC_OK);
	assert_int_equal(loop_run(f->loop), FC_OK);
	loop_timer_cancel(f->loop, &timer);
}

static void test_request_arrives(void **state)
{
	struct fixture *f = *state;
	struct told told = {0};

	both(f, (struct http_server_config){0}, (struct http_client_config){0});
	f->seen.status = 201;
	post(f->client, "{\"a\":1}", &told);
	assert_int_equal(told.done, 0); /* always later */
	turn_until(f->loop, &told.done, 1);
	assert_int_equal(told.status, 201);
	assert_int_equal(told.err.code, FC_OK);
	assert_int_equal(told.len, 2);
	assert_string_equal(f->seen.path, "/evcs/v1/x");
	assert_string_equal(f->seen.authorization, "Bearer SECRET");
	assert_string_equal(f->seen.content_type, "application/json;charset=utf-8");
	assert_string_equal(f->seen.body_start, "{\"a\":1}");
	assert_int_equal(f->seen.body_len, 7);
	assert_string_equal(f->seen.peer, "127.0.0.1");
	assert_string_equal(f->seen.peer_name, "");
}

static void test_empty_body(void **state)
{
	struct fixture *f = *state;
	struct told told = {0};

	both(f, (struct http_server_config){0}, (struct http_client_config){0});
	post(f->client, "", &told);
	turn_until(f->loop, &told.done, 1);
	assert_int_equal(told.status, 200);
	assert_int_equal(f->seen.body_len, 0);
	post(f->client, "after", &told);
	turn_until(f->loop, &told.done, 2);
	assert_int_equal(told.status, 200);
}

static void test_large_answer(void **state)
{
	struct fixture *f = *state;
	struct told told = {0};

	both(f, (struct http_server_config){0}, (struct http_client_config){0});
	f->seen.answer_len = 500000;
	for (int i = 1; i <= 3; i++) {
		post(f->client, "{}", &told);
		turn_until(f->loop, &told.done, i);
		assert_int_equal(told.status, 200);
		assert_int_equal(told.len, 500000);
		assert_true(told.filled);
	}
}

static void test_answer_too_large(void **state)
{
	struct fixture *f = *state;
	struct told told = {0};

	both(f, (struct http_server_config){0}, (struct http_client_config){.max_body = 1000});
	f->seen.answer_len = 1001;
	post(f->client, "{}", &told);
	turn_until(f->loop, &told.done, 1);
	assert_int_equal(told.status, 0);
	assert_int_equal(told.err.code, FC_ELIMIT);
	f->seen.answer_len = 999;
	post(f->client, "{}", &told);
	turn_until(f->loop, &told.done, 2);
	assert_int_equal(told.status, 200);
	assert_int_equal(told.len, 999);
}

static char *text_of(size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, 'y', len);
	text[len] = '\0';
	return text;
}

static void test_body_at_the_limit(void **state)
{
	struct fixture *f = *state;
	struct told told = {0};
	char *fits = text_of(100000);

	both(f, (struct http_server_config){.max_body = 100000}, (struct http_client_config){0});
	post(f->client, fits, &told);
	turn_until(f->loop, &told.done, 1);
	assert_int_equal(told.status, 200);
	assert_int_equal(f->seen.body_len, 100000);
	free(fits);
}

/* Also when all of the body is under way already: the answer must not be lost in a reset. */
static void test_body_too_large(void **state)
{
	static const size_t sizes[] = {1001, 20000, 400000, 4000000};
	struct fixture *f = *state;
	struct told told = {0};

	both(f, (struct http_server_config){.max_body = 1000}, (struct http_client_config){0});
	for (int i = 0; i < (int)(sizeof(sizes) / sizeof(sizes[0])); i++) {
		char *large = text_of(sizes[i]);

		post(f->client, large, &told);
		turn_until(f->loop, &told.done, i + 1);
		if (told.status != 413)
			fail_msg("%zu bytes: status %d, %s", sizes[i], told.status, told.err.text);
		free(large);
	}
	assert_int_equal(f->seen.requests, 0);
}

static void test_chunked_too_large(void **state)
{
	struct fixture *f = *state;
	char text[4096];

	serve(f, (struct http_server_config){.max_body = 100});
	int fd = dial(http_server_port(f->server));
	say(fd, "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n"
		"0123456789012345678901234567890123456789012345678901234567890123\r\n40\r\n"
		"0123456789012345678901234567890123456789012345678901234567890123\r\n0\r\n\r\n");
	assert_int_equal(hear(f->loop, fd, text, sizeof(text), NULL), 1);
	assert_int_equal(f->seen.requests, 0);
	close(fd);
}

static void test_paths(void **state)
{
	static const char *const bad[] = {"/../etc/passwd", "/a/../../b", "/%2e%2e/x", "/a/%2e%2e/%2e%2e/x"};
	struct fixture *f = *state;
	char text[4096], line[200];

	serve(f, (struct http_server_config){0});
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = dial(http_server_port(f->server));

		f->seen.path[0] = '\0';
		(void)snprintf(line, sizeof(line), "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", bad[i]);
		say(fd, line);
		(void)hear(f->loop, fd, text, sizeof(text), NULL);
		assert_null(strstr(f->seen.path, ".."));
		close(fd);
	}
	int fd = dial(http_server_port(f->server));
	say(fd, "GET /a%20b?c=%20d&e=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	(void)hear(f->loop, fd, text, sizeof(text), NULL);
	assert_non_null(strstr(text, " 200 "));
	assert_string_equal(f->seen.path, "/a b");
	/* Several arguments are several, and one that holds an encoded & is one. */
	assert_string_equal(f->seen.query, "c=%20d&e=1");
	close(fd);
	fd = dial(http_server_port(f->server));
	say(fd, "GET /?a=b%26c%3Dd&e=%25%2B+f%2fg;h=%E4%BD%A0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	(void)hear(f->loop, fd, text, sizeof(text), NULL);
	assert_string_equal(f->seen.query, "a=b%26c=d&e=%25%2B%20f/g&h=%E4%BD%A0");
	close(fd);
}

/* What an earlier request of the connection asked is no part of this one: behind a proxy it was somebody else's. */
static void test_query_of_the_request_before(void **state)
{
	struct fixture *f = *state;
	char text[4096];

	serve(f, (struct http_server_config){0});
	int fd = dial(http_server_port(f->server));
	say(fd, "GET /?first=0123456789&secret=abcdef HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(hear(f->loop, fd, text, sizeof(text), "{}"), 0);
	assert_string_equal(f->seen.query, "first=0123456789&secret=abcdef");
	say(fd, "GET /?a=1&&b=2& HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(hear(f->loop, fd, text, sizeof(text), "{}"), 0);
	assert_int_equal(f->seen.requests, 2);
	assert_null(strstr(f->seen.query, "secret"));
	assert_null(strstr(f->seen.query, "0"));
	close(fd);
}

/* Where a request ends must be the same to whoever forwards it and to us: a length that is told two ways would let one sender put
 * another's request behind his own. */
static void test_a_body_in_chunks_is_refused(void **state)
{
	static const char *const requests[] = {
	    "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "24\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n",
	    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "24\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n",
	    "GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "24\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n",
	    "GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 37\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
	    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 40\r\n\r\n"
	    "24\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
	};
	struct fixture *f = *state;
	char text[4096];

	serve(f, (struct http_server_config){0});
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		int fd = dial(http_server_port(f->server));

		say(fd, requests[i]);
		/* Whatever is answered, the connection ends. */
		assert_int_equal(hear(f->loop, fd, text, sizeof(text), NULL), 1);
		assert_non_null(strstr(text, " 400 "));
		close(fd);
	}
	assert_int_equal(f->seen.requests, 0);
}

/* The system keeps little of what is not read yet. */
static int dial_narrow(int port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	const int small = 65536;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* Longer than libwebsockets gives an answer by itself; but who takes nothing at all is let go, also behind a POST. */
static void test_a_long_answer_over_a_slow_link(void **state)
{
	enum { LEN = 3 << 20, SLOW_MS = 13000 };
	struct fixture *f = *state;
	static char part[65536];
	int64_t begin = clock_mono_ms();
	size_t all = 0;

	serve(f, (struct http_server_config){0});
	f->seen.answer_len = LEN;
	int fd = dial_narrow(http_server_port(f->server));
	say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	while (all < LEN) {
		/* As much as the time that has passed allows. */
		int64_t due = (clock_mono_ms() - begin) * LEN / SLOW_MS;
		ssize_t n = (int64_t)all < due ? read(fd, part, sizeof(part)) : -1;

		assert_int_not_equal(n, 0);
		if (n > 0)
			all += (size_t)n;
		assert_true(clock_mono_ms() - begin < SLOW_MS + PATIENCE_MS);
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
	}
	close(fd);
}

static void test_who_takes_nothing_is_let_go(void **state)
{
	struct fixture *f = *state;
	int64_t begin = clock_mono_ms();
	char text[64];
	int is_taken = 0;

	serve(f, (struct http_server_config){.max_connections_peer = 1});
	f->seen.answer_len = 14 << 20;
	int fd = dial_narrow(http_server_port(f->server));
	say(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
	turn_for(f->loop, 500);
	assert_int_equal(f->seen.requests, 1);
	/* His place is free again. */
	while (!is_taken) {
		assert_true(clock_mono_ms() - begin < 2 * PATIENCE_MS);
		int next = dial(http_server_port(f->server));
		turn_for(f->loop, 500);
		is_taken = read(next, text, sizeof(text)) < 0 && errno == EAGAIN;
		close(next);
	}
	assert_true(clock_mono_ms() - begin > 5000);
	close(fd);
}

/* Nor does it help to send a byte now and then. Each by its own time, and nobody who has said all. */
static void test_a_request_must_be_whole_in_time(void **state)
{
	static const char begun[] = "POST /begun HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\n";
	static const char whole[] = "POST /whole HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
	/* libwebsockets itself lets go who sends nothing for five seconds. */
	enum { SLOW = 2, TURN_MS = 250, SILENCE_MS = 4500, REQUEST_MS = 10000 };
	struct fixture *f = *state;
	char text[4096];
	int fds[SLOW], open = SLOW;
	int64_t begin[SLOW], last, silence = 0;

	serve(f, (struct http_server_config){0});
	int kept = dial(http_server_port(f->server));
	say(kept, whole);
	assert_int_equal(hear(f->loop, kept, text, sizeof(text), "{}"), 0);
	for (int i = 0; i < SLOW; i++) {
		fds[i] = dial(http_server_port(f->server));
		begin[i] = last = clock_mono_ms();
		say(fds[i], begun);
		turn_for(f->loop, TURN_MS);
	}
	while (open && silence < SILENCE_MS) {
		assert_true(clock_mono_ms() - begin[0] < REQUEST_MS + PATIENCE_MS);
		for (int i = 0; i < SLOW; i++) {
			if (fds[i] < 0)
				continue;
			(void)send(fds[i], "x", 1, MSG_NOSIGNAL);
			turn_for(f->loop, TURN_MS);
			if (read(fds[i], text, sizeof(text)) < 0 && errno == EAGAIN)
				continue;
			/* A machine that is too busy to send: whose time it was can't be told. */
			assert_true(clock_mono_ms() - begin[i] >= REQUEST_MS ||
				    clock_mono_ms() - last >= SILENCE_MS / 2);
			close(fds[i]);
			fds[i] = -1;
			open--;
		}
		silence = clock_mono_ms() - last > silence ? clock_mono_ms() - last : silence;
		last = clock_mono_ms();
	}
	for (int i = 0; i < SLOW; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (open) {
		printf("SKIPPED: this machine took %lld ms for one turn\n", (long long)silence);
		close(kept);
		return;
	}
	say(kept, whole);
	assert_int_equal(hear(f->loop, kept, text, sizeof(text), "{}"), 0);
	assert_int_equal(f->seen.requests, 2);
	close(kept);
}

static void test_server_keeps_connection(void **state)
{
	struct fixture *f = *state;
	char text[4096];

	serve(f, (struct http_server_config){0});
	int fd = dial(http_server_port(f->server));
	for (int i = 1; i <= 20; i++) {
		say(fd, i % 2 ? "GET /one HTTP/1.1\r\nHost: a\r\n\r\n"
			      : "POST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
		assert_int_equal(hear(f->loop, fd, text, sizeof(text), "{}"), 0);
		assert_int_equal(f->seen.requests, i);
		assert_string_equal(f->seen.path, i % 2 ? "/one" : "/two");
		assert_int_equal(f->seen.body_len, i % 2 ? 0 : 3);
	}
	close(fd);
}

/* Without waiting for the answers. libwebsockets 4.1 as it comes goes round for ever in the second (boards/deps.sh). */
static void test_requests_in_one_piece(void **state)
{
	static const char piece[] = "GET /one HTTP/1.1\r\nHost: a\r\n\r\n"
				    "POST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
				    "POST /three HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd"
				    "POST /four HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde";
	struct fixture *f = *state;
	char text[4096];
	int answers = 0;

	serve(f, (struct http_server_config){0});
	for (size_t cut = 1; cut < sizeof(piece) - 1; cut += 7) {
		char first[sizeof(piece)];
		int fd = dial(http_server_port(f->server));

		(void)snprintf(first, sizeof(first), "%.*s", (int)cut, piece);
		say(fd, first);
		(void)loop_step(f->loop, 1);
		say(fd, piece + cut);
		while (f->seen.requests < answers + 4)
			(void)loop_step(f->loop, 10);
		answers += 4;
		assert_string_equal(f->seen.path, "/four");
		assert_string_equal(f->seen.body_start, "abcde");
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		assert_int_equal(hear(f->loop, fd, text, sizeof(text), NULL), 1);
		int found = 0;
		for (const char *at = text; (at = strstr(at, "\r\n\r\n{}")); at++)
			found++;
		assert_int_equal(found, 4);
		close(fd);
	}
	assert_int_equal(f->seen.requests, answers);
}

/* Else each answer would wait for the other side's delayed acknowledgement. */
static void test_no_delay(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in ours = {0}, peer;
	socklen_t len = sizeof(ours);
	char text[4096];
	int found = 0;

	serve(f, (struct http_server_config){0});
	int fd = dial(http_server_port(f->server));
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ours, &len), 0);
	say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(hear(f->loop, fd, text, sizeof(text), "{}"), 0);
	for (int other = 0; other < 256; other++) {
		int on = 0;

		len = sizeof(peer);
		if (getpeername(other, (struct sockaddr *)&peer, &len) || peer.sin_family != AF_INET ||
		    peer.sin_port != ours.sin_port)
			continue;
		len = sizeof(on);
		assert_int_equal(getsockopt(other, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
		assert_true(on);
		found++;
	}
	assert_int_equal(found, 1);
	close(fd);
}

static void test_client_keeps_connection(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {0};
	struct told told = {0};

	raw_start(&raw, f->loop);
	(void)ask(f, "127.0.0.1", raw.port, (struct http_client_config){0});
	for (int i = 1; i <= 20; i++) {
		post(f->client, "END", &told);
		turn_until(f->loop, &told.done, i);
		assert_int_equal(told.status, 200);
	}
	assert_int_equal(raw.requests, 20);
	assert_int_equal(raw.accepted, 1);
	raw_stop(&raw);
}

/* At once: no more connections than may be in flight, and these carry all. */
/* Found by fuzz_reply: libwebsockets went where the answer said, with token and body, and looked the name up on the loop. */
static void test_client_follows_nobody(void **state)
{
	struct fixture *f = *state;
	struct raw here = {0}, there = {0};
	struct told told = {0};
	char reply[160];

	raw_start(&here, f->loop);
	raw_start(&there, f->loop);
	(void)ask(f, "127.0.0.1", here.port, (struct http_client_config){0});
	static const int statuses[] = {301, 302, 303, 307, 308};
	for (int i = 0; i < 5; i++) {
		(void)snprintf(reply, sizeof(reply),
			       "HTTP/1.1 %d x\r\nLocation: http://127.0.0.1:%d/\r\ncontent-length: 0\r\n\r\n",
			       statuses[i], there.port);
		here.reply = reply;
		post(f->client, "END", &told);
		turn_until(f->loop, &told.done, i + 1);
		assert_int_equal(told.status, statuses[i]);
	}
	assert_int_equal(here.requests, 5);
	assert_int_equal(there.accepted, 0);
	raw_stop(&here);
	raw_stop(&there);
}

/* Found by fuzz_reply: it was no answer, and there was no reason for it. */
static void test_an_answer_without_a_status_is_none(void **state)
{
	static const char *const replies[] = {"HTTP/1.1 \r\n\r\n", "HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n",
					      "HTTP/1.1 -200 OK\r\ncontent-length: 0\r\n\r\n",
					      "HTTP/1.1 20000 OK\r\ncontent-length: 0\r\n\r\n"};
	struct fixture *f = *state;
	struct raw raw = {0};
	struct told told = {0};

	raw_start(&raw, f->loop);
	(void)ask(f, "127.0.0.1", raw.port, (struct http_client_config){0});
	for (int i = 0; i < 4; i++) {
		raw.reply = replies[i];
		post(f->client, "END", &told);
		turn_until(f->loop, &told.done, i + 1);
		assert_int_equal(told.failed, i + 1);
		assert_string_equal(told.err.text, "loop: asks: the answer has no HTTP status");
	}
	raw_stop(&raw);
}

static void test_client_bounded(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {0};
	struct told told = {0};

	raw_start(&raw, f->loop);
	(void)ask(f, "localhost", raw.port, (struct http_client_config){.max_in_flight = 3});
	for (int i = 0; i < 40; i++)
		post(f->client, "END", &told);
	turn_until(f->loop, &told.done, 40);
	assert_int_equal(told.failed, 0);
	assert_int_equal(raw.requests, 40);
	assert_in_range(raw.accepted, 1, 3);
	raw_stop(&raw);
}

static void test_too_many_wait(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {.silent = 1};
	struct told told = {0};
	struct error err = {0};
	int taken = 0;

	raw_start(&raw, f->loop);
	(void)ask(f, "127.0.0.1", raw.port, (struct http_client_config){0});
	while (taken < 1000 &&
	       !http_client_post(f->client, "/", NULL, "text/plain", "END", 3, PATIENCE_MS, told_done, &told, &err))
		taken++;
	assert_int_equal(taken, 256);
	assert_int_equal(err.code, FC_ELIMIT);
	http_client_free(f->client);
	f->client = NULL;
	assert_int_equal(told.done, 256);
	raw_stop(&raw);
}

/* The peer closes kept connections after each answer, without having said so: a request that met the close is sent again. */
static void test_peer_closes(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {.close_after = 2};
	struct told told = {0};

	raw_start(&raw, f->loop);
	(void)ask(f, "127.0.0.1", raw.port, (struct http_client_config){0});
	for (int i = 1; i <= 12; i++) {
		post(f->client, "END", &told);
		turn_until(f->loop, &told.done, i);
		if (told.status != 200)
			fail_msg("request %d: %s", i, told.err.text);
	}
	assert_int_equal(raw.requests, 12);
	assert_int_equal(raw.accepted, 6);
	raw_stop(&raw);
}

/* A peer that resets the connection in the moment in which the first answer was whole. */
struct resets {
	struct told told;
	int fd, accepted;
};

static void done_and_reset(void *user, const struct http_result *result)
{
	const struct linger gone = {1, 0};
	struct resets *r = user;

	told_done(&r->told, result);
	if (r->told.done > 1)
		return;
	assert_int_equal(setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &gone, sizeof(gone)), 0);
	close(r->fd);
	r->fd = -1;
}

static void reset_then_answer(struct fixture *f, int listener, struct resets *r)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
	char data[4096];
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (r->told.done < 2) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
		if (r->fd < 0) {
			r->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			r->accepted += r->fd >= 0;
		}
		ssize_t n = r->fd >= 0 ? read(r->fd, data, sizeof(data) - 1) : -1;
		if (n <= 0)
			continue;
		data[n] = '\0';
		if (strstr(data, "END"))
			say(r->fd, reply);
	}
}

/* Found by fuzz_reply: libwebsockets frees the request that it can't write there, and went on with it; what is freed is overwritten here, so
 * that this does not go unnoticed. */
static void test_reset_as_the_next_goes_out(void **state)
{
	struct fixture *f = *state;
	struct resets r = {.fd = -1};
	struct error err = {0};
	int port, listener = listening(&port);

	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	(void)mallopt(M_PERTURB, 0x5a);
	(void)ask(f, "127.0.0.1", port, (struct http_client_config){.max_in_flight = 1});
	for (int i = 0; i < 2; i++)
		assert_int_equal(http_client_post(f->client, "/", NULL, "text/plain", "END", 3, PATIENCE_MS,
						  done_and_reset, &r, &err),
				 FC_OK);
	reset_then_answer(f, listener, &r);
	(void)mallopt(M_PERTURB, 0);
	assert_int_equal(r.told.failed, 0);
	assert_int_equal(r.accepted, 2);
	close(r.fd);
	close(listener);
}

/* Where another connection rests, or may be made, nobody waits behind one whose answer takes its time. */
static void test_a_slow_answer_holds_up_no_other(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {0};
	struct told slow = {0}, told = {0};

	raw_start(&raw, f->loop);
	(void)ask(f, "127.0.0.1", raw.port, (struct http_client_config){0});
	post(f->client, "SLOW END", &slow);
	post(f->client, "END", &told);
	turn_until(f->loop, &told.done, 1);
	for (int i = 2; i <= 12; i++) {
		post(f->client, "END", &told);
		turn_until(f->loop, &told.done, i);
	}
	/* More at once than there are connections. */
	for (int i = 13; i <= 40; i++)
		post(f->client, "END", &told);
	turn_until(f->loop, &told.done, 40);
	assert_int_equal(told.failed, 0);
	assert_int_equal(slow.done, 0);
	assert_in_range(raw.accepted, 2, 4);
	http_client_free(f->client);
	f->client = NULL;
	assert_int_equal(slow.done, 1);
	raw_stop(&raw);
}

static pthread_t loops_thread;
static int looked_up_on_the_loop;

/* Of the C library's: who asks it for a name stands still until there is an answer. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	typedef int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	unsigned char binary[16];
	void *of = dlsym(RTLD_NEXT, "getaddrinfo");
	real ask_it;

	memcpy(&ask_it, &of, sizeof(ask_it));
	if (name && inet_pton(AF_INET, name, binary) != 1 && inet_pton(AF_INET6, name, binary) != 1)
		looked_up_on_the_loop += pthread_equal(pthread_self(), loops_thread) != 0;
	return ask_it(name, service, hints, found);
}

/* A peer of HTTP/1.0, whose connections carry one request each: each next one finds one that it can't have. */
static void test_no_name_is_looked_up_on_the_loop(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {.reply = "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}"};
	struct told told = {0};

	loops_thread = pthread_self();
	looked_up_on_the_loop = 0;
	raw_start(&raw, f->loop);
	(void)ask(f, "localhost", raw.port, (struct http_client_config){0});
	for (int i = 1; i <= 6; i++) {
		post(f->client, "END", &told);
		post(f->client, "END", &told);
		turn_until(f->loop, &told.done, 2 * i);
	}
	assert_int_equal(told.failed, 0);
	assert_int_equal(looked_up_on_the_loop, 0);
	raw_stop(&raw);
}

/* What was for one platform goes to nobody else because an answer says so: sealed, but with its token. */
static void test_a_redirect_is_not_followed(void **state)
{
	static const char *const heads[] = {"301 Moved Permanently", "302 Found", "303 See Other",
					    "307 Temporary Redirect", "308 Permanent Redirect"};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * sizeof(heads) / sizeof(heads[0]); i++) {
		struct raw raw = {.close_after = (int)(i % 2)}, other = {0};
		struct told told = {0};
		char reply[200];

		raw_start(&raw, f->loop);
		raw_start(&other, f->loop);
		(void)snprintf(reply, sizeof(reply),
			       "HTTP/1.1 %s\r\nlocation: http://127.0.0.1:%d/\r\ncontent-length: 2\r\n\r\n{}",
			       heads[i / 2], other.port);
		(void)ask(f, "127.0.0.1", raw.port, (struct http_client_config){0});
		/* On a connection of its own, and on one that has carried a request. */
		for (size_t k = 0; k < 1 - i % 2; k++) {
			post(f->client, "END", &told);
			turn_until(f->loop, &told.done, 1);
			assert_int_equal(told.status, 200);
			told = (struct told){0};
		}
		raw.reply = reply;
		post(f->client, "END", &told);
		turn_until(f->loop, &told.done, 1);
		/* It is an answer like another: what it is worth is the caller's to say. */
		if (told.status != atoi(heads[i / 2]) && told.err.code != FC_EIO)
			fail_msg("%s: status %d, %s", heads[i / 2], told.status, told.err.text);
		assert_int_equal(other.accepted, 0);
		assert_int_equal(raw.requests, 2 - (int)(i % 2));
		http_client_free(f->client);
		f->client = NULL;
		raw_stop(&raw);
		raw_stop(&other);
	}
}

static void test_bad_answers(void **state)
{
	static const char *const replies[] = {"nonsense\r\n\r\n",
					      "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		struct raw raw = {.reply = replies[i], .close_after = 1};
		struct told told = {0};

		raw_start(&raw, f->loop);
		(void)ask(f, "127.0.0.1", raw.port, (struct http_client_config){0});
		post(f->client, "END", &told);
		turn_until(f->loop, &told.done, 1);
		if (told.status)
			fail_msg("reply %zu was taken for an answer, status %d", i, told.status);
		assert_int_equal(told.err.code, FC_EIO);
		http_client_free(f->client);
		f->client = NULL;
		raw_stop(&raw);
	}
}

/* Whole without a body, on a connection that stays open; and a redirection is an answer, nobody is asked elsewhere. */
static void test_answers_without_a_body(void **state)
{
	static const struct {
		int status;
		const char *reply;
	} rows[] = {
	    {204, "HTTP/1.1 204 No Content\r\n\r\n"},
	    {304, "HTTP/1.1 304 Not Modified\r\n\r\n"},
	    {100, "HTTP/1.1 100 Continue\r\n\r\n"},
	    {302, "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"},
	    {307, "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct raw raw = {.reply = rows[i].reply};
		struct told told = {0};

		raw_start(&raw, f->loop);
		(void)ask(f, "127.0.0.1", raw.port, (struct http_client_config){0});
		post(f->client, "END", &told);
		turn_until(f->loop, &told.done, 1);
		assert_int_equal(told.status, rows[i].status);
		assert_int_equal(raw.requests, 1);
		http_client_free(f->client);
		f->client = NULL;
		raw_stop(&raw);
	}
}

/* A name with two addresses, of which the first (::1, where the machine has it so) refuses. */
static void test_the_next_address(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		struct told told = {0};

		both(f, (struct http_server_config){0}, (struct http_client_config){0});
		http_client_free(f->client);
		(void)ask(f, "localhost", http_server_port(f->server), (struct http_client_config){0});
		post(f->client, "END", &told);
		post(f->client, "END", &told);
		turn_until(f->loop, &told.done, 2);
		assert_int_equal(told.failed, 0);
		assert_string_equal(f->seen.body_start, "END");
		http_client_free(f->client);
		f->client = NULL;
		http_server_free(f->server);
		f->server = NULL;
	}
}

/* What the server asks for is of its answer alone, not of the next on the same connection. */
static void test_retry_after(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {.reply = "HTTP/1.1 503 Busy\r\nRetry-After: 37\r\ncontent-length: 2\r\n\r\n{}"};
	struct told told = {0};

	raw_start(&raw, f->loop);
	(void)ask(f, "127.0.0.1", raw.port, (struct http_client_config){0});
	post(f->client, "END", &told);
	turn_until(f->loop, &told.done, 1);
	assert_int_equal(told.status, 503);
	assert_int_equal(told.retry_after_s, 37);
	raw.reply = NULL;
	post(f->client, "END", &told);
	turn_until(f->loop, &told.done, 2);
	assert_int_equal(told.status, 200);
	assert_int_equal(told.retry_after_s, 0);
	assert_int_equal(raw.accepted, 1);
	raw_stop(&raw);
}

static void test_timeout(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {.silent = 1};
	struct told told = {0};
	struct error err = {0};

	raw_start(&raw, f->loop);
	(void)ask(f, "127.0.0.1", raw.port, (struct http_client_config){.max_in_flight = 1});
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(
		    http_client_post(f->client, "/", NULL, "text/plain", "END", 3, 300, told_done, &told, &err), FC_OK);
		turn_until(f->loop, &told.done, i);
		assert_int_equal(told.status, 0);
		assert_int_equal(told.err.code, FC_ETIMEOUT);
		assert_non_null(strstr(told.err.text, "no answer in time"));
	}
	/* The next one does not get stuck behind the dead ones. */
	raw.silent = 0;
	post(f->client, "END", &told);
	turn_until(f->loop, &told.done, 3);
	assert_int_equal(told.status, 200);
	raw_stop(&raw);
}

static void test_connection_refused(void **state)
{
	struct fixture *f = *state;
	struct told told = {0};
	int port, fd = listening(&port);

	close(fd);
	(void)ask(f, "127.0.0.1", port, (struct http_client_config){0});
	post(f->client, "END", &told);
	turn_until(f->loop, &told.done, 1);
	assert_int_equal(told.status, 0);
	assert_int_equal(told.err.code, FC_EIO);
	assert_non_null(strstr(told.err.text, "127.0.0.1"));
}

static void test_unknown_name(void **state)
{
	struct fixture *f = *state;
	struct told told = {0};

	/* RFC 6761: .invalid never exists. */
	(void)ask(f, "nobody.invalid", 80, (struct http_client_config){0});
	post(f->client, "END", &told);
	post(f->client, "END", &told);
	turn_until(f->loop, &told.done, 2);
	assert_int_equal(told.failed, 2);
	assert_int_equal(told.err.code, FC_EIO);
	assert_non_null(strstr(told.err.text, "nobody.invalid"));
}

static void test_limit_per_peer(void **state)
{
	struct fixture *f = *state;
	char text[4096];
	int fds[3];

	serve(f, (struct http_server_config){.max_connections_peer = 3});
	for (int i = 0; i < 3; i++) {
		fds[i] = dial(http_server_port(f->server));
		say(fds[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
		assert_int_equal(hear(f->loop, fds[i], text, sizeof(text), "{}"), 0);
	}
	int fd = dial(http_server_port(f->server));
	assert_int_equal(hear(f->loop, fd, text, sizeof(text), NULL), 1);
	assert_string_equal(text, "");
	close(fd);
	/* A place that gets free can be taken. */
	close(fds[0]);
	turn_for(f->loop, 100);
	fds[0] = dial(http_server_port(f->server));
	say(fds[0], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(hear(f->loop, fds[0], text, sizeof(text), "{}"), 0);
	assert_int_equal(f->seen.requests, 4);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void test_a_network_is_one_peer(void **state)
{
	static const char *const same[][2] = {
	    {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"},
	    {"::ffff:192.0.2.1", "192.0.2.1"},
	    {"fe80::1%eth0", "fe80::2%eth0"},
	};
	static const char *const other[][2] = {
	    {"2001:db8:1:2::1", "2001:db8:1:3::1"},
	    {"192.0.2.1", "192.0.2.2"},
	    {"::ffff:192.0.2.1", "::ffff:192.0.2.2"},
	};
	char a[PEER_TEXT], b[PEER_TEXT];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		peer_network(same[i][0], a);
		peer_network(same[i][1], b);
		assert_string_equal(a, b);
		peer_network(other[i][0], a);
		peer_network(other[i][1], b);
		assert_string_not_equal(a, b);
	}
}

/* Connections that ask nothing, and as many as there may be: whoever comes then is served, and who has a request under way stays. */
static void test_those_at_rest_give_way(void **state)
{
	struct fixture *f = *state;
	char text[4096];
	int fds[4];

	serve(f, (struct http_server_config){.max_connections = 4});
	for (int i = 0; i < 4; i++)
		fds[i] = dial(http_server_port(f->server));
	say(fds[0], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
	turn_for(f->loop, 100);
	int fd = dial(http_server_port(f->server));
	/* They have only just come. */
	assert_int_equal(hear(f->loop, fd, text, sizeof(text), NULL), 1);
	close(fd);
	turn_for(f->loop, 2500);
	fd = dial(http_server_port(f->server));
	say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(hear(f->loop, fd, text, sizeof(text), "{}"), 0);
	say(fds[0], "bc");
	assert_int_equal(hear(f->loop, fds[0], text, sizeof(text), "{}"), 0);
	close(fd);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

static void test_port_in_use(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	serve(f, (struct http_server_config){0});
	struct http_server_config config = {
	    .name = "second", .address = "127.0.0.1", .port = http_server_port(f->server)};
	assert_null(http_server_new(f->loop, &config, seen_handler, &f->seen, &err));
	assert_int_equal(err.code, FC_EIO);
	/* The port changes hands at once, also with a connection that stands. */
	int fd = dial(config.port);
	char text[4096];

	say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(hear(f->loop, fd, text, sizeof(text), "{}"), 0);
	http_server_free(f->server);
	f->server = http_server_new(f->loop, &config, seen_handler, &f->seen, &err);
	if (!f->server)
		fail_msg("%s", err.text);
	assert_int_equal(http_server_port(f->server), config.port);
	close(fd);
}

/* In every state: waiting for the name, connecting, sent, being answered. */
static void test_client_freed_under_way(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {.silent = 1};
	static const char *const hosts[] = {"localhost", "127.0.0.1"};

	raw_start(&raw, f->loop);
	for (int steps = 0; steps < 16; steps++) {
		struct told told = {0};

		(void)ask(f, hosts[steps % 2], raw.port, (struct http_client_config){.max_in_flight = 1});
		post(f->client, "END", &told);
		post(f->client, "END", &told);
		for (int i = 0; i < steps / 2; i++)
			(void)loop_step(f->loop, 20);
		http_client_free(f->client);
		f->client = NULL;
		assert_int_equal(told.done, 2);
		assert_int_equal(told.failed, 2);
		turn_for(f->loop, 20);
		assert_int_equal(told.done, 2);
	}
	raw_stop(&raw);
}

static void test_server_freed_under_way(void **state)
{
	struct fixture *f = *state;

	for (int steps = 0; steps < 16; steps++) {
		struct told told = {0};

		both(f, (struct http_server_config){0}, (struct http_client_config){.max_body = 16 << 20});
		f->seen.answer_len = 12 << 20;
		post(f->client, "END", &told);
		for (int i = 0; i < steps; i++)
			(void)loop_step(f->loop, 20);
		assert_int_equal(told.done, 0);
		http_server_free(f->server);
		f->server = NULL;
		turn_until(f->loop, &told.done, 1);
		assert_int_equal(told.status, 0);
		assert_int_equal(told.err.code, FC_EIO);
		http_client_free(f->client);
		f->client = NULL;
	}
}

/* Answers that are owed: given later, given when nobody is there any more, given after the server went. */
struct owing {
	struct http_ticket *tickets[5];
	int count;
};

static void owe(void *user, const struct http_request *request, struct http_response *response)
{
	struct owing *owing = user;

	(void)response;
	owing->tickets[owing->count] = http_defer(request);
	assert_non_null(owing->tickets[owing->count++]);
	assert_null(http_defer(request)); /* one for a request */
}

static int give(struct http_ticket *ticket, const char *text)
{
	struct http_response response = {.status = 200, .content_type = "text/plain"};

	buffer_init(&response.body, 1 << 16);
	assert_int_equal(buffer_text(&response.body, text), FC_OK);
	return http_answer(ticket, &response);
}

static void wait_for(struct fixture *f, const int *count, int least)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (*count < least) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
	}
}

static void test_an_answer_may_be_owed(void **state)
{
	static const char request[] = "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nEND";
	const struct http_server_config config = {.name = "owes", .address = "127.0.0.1"};
	struct fixture *f = *state;
	struct owing owing = {0};
	struct error err = {0};
	char text[2048];

	f->server = http_server_new(f->loop, &config, owe, &owing, &err);
	assert_non_null(f->server);
	int fd = dial(http_server_port(f->server));
	say(fd, request);
	wait_for(f, &owing.count, 1);
	assert_int_equal(give(owing.tickets[0], "late"), 0);
	assert_int_equal(hear(f->loop, fd, text, sizeof(text), "late"), 0);
	/* The connection goes on; an empty answer is one too. */
	say(fd, request);
	wait_for(f, &owing.count, 2);
	assert_int_equal(give(owing.tickets[1], ""), 0);
	assert_int_equal(hear(f->loop, fd, text, sizeof(text), "ength: 0"), 0);
	/* The caller hangs up. */
	say(fd, request);
	wait_for(f, &owing.count, 3);
	close(fd);
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
	assert_int_not_equal(give(owing.tickets[2], "nobody"), 0);
	/* The caller does not wait: its connection ends, and no request is answered twice. */
	fd = dial(http_server_port(f->server));
	say(fd, request);
	wait_for(f, &owing.count, 4);
	say(fd, request);
	assert_int_equal(hear(f->loop, fd, text, sizeof(text), NULL), 1);
	assert_int_equal(owing.count, 4);
	assert_int_not_equal(give(owing.tickets[3], "nobody"), 0);
	close(fd);
	/* The server goes. */
	fd = dial(http_server_port(f->server));
	say(fd, request);
	wait_for(f, &owing.count, 5);
	http_server_free(f->server);
	f->server = NULL;
	assert_int_not_equal(give(owing.tickets[4], "nobody"), 0);
	close(fd);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(test_timers),
	    T(test_timer_rearms),
	    T(test_wakers),
	    T(test_waker_removes_another),
	    T(test_descriptors),
	    T(test_a_descriptor_removes_itself),
	    T(test_run_and_stop),
	    T(test_request_arrives),
	    T(test_empty_body),
	    T(test_large_answer),
	    T(test_answer_too_large),
	    T(test_body_at_the_limit),
	    T(test_body_too_large),
	    T(test_chunked_too_large),
	    T(test_paths),
	    T(test_query_of_the_request_before),
	    T(test_a_body_in_chunks_is_refused),
	    T(test_a_long_answer_over_a_slow_link),
	    T(test_who_takes_nothing_is_let_go),
	    T(test_a_request_must_be_whole_in_time),
	    T(test_server_keeps_connection),
	    T(test_requests_in_one_piece),
	    T(test_no_delay),
	    T(test_client_keeps_connection),
	    T(test_client_follows_nobody),
	    T(test_an_answer_without_a_status_is_none),
	    T(test_client_bounded),
	    T(test_too_many_wait),
	    T(test_peer_closes),
	    T(test_reset_as_the_next_goes_out),
	    T(test_a_slow_answer_holds_up_no_other),
	    T(test_no_name_is_looked_up_on_the_loop),
	    T(test_bad_answers),
	    T(test_a_redirect_is_not_followed),
	    T(test_answers_without_a_body),
	    T(test_the_next_address),
	    T(test_retry_after),
	    T(test_timeout),
	    T(test_connection_refused),
	    T(test_unknown_name),
	    T(test_limit_per_peer),
	    T(test_an_answer_may_be_owed),
	    T(test_a_network_is_one_peer),
	    T(test_those_at_rest_give_way),
	    T(test_port_in_use),
	    T(test_client_freed_under_way),
	    T(test_server_freed_under_way),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
