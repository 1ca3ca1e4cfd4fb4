/* control/socket: hostile input, slow readers, clients that vanish; and the place: a stale socket replaced, a live one never taken. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "control/place.h"
#include "control/socket.h"
#include "control_fixture.h"

enum { PATIENCE_MS = 30000 };

struct home {
	struct fixture *f;
	struct loop *loop;
	struct control_socket *socket;
	struct config config;
	char path[100];
};

static int open_home(void **state)
{
	struct home *h = calloc(1, sizeof(*h));
	void *inner;

	assert_non_null(h);
	assert_int_equal(set_up(&inner), 0);
	h->f = inner;
	h->loop = loop_new(&h->f->err);
	(void)snprintf(h->path, sizeof(h->path), "%s/run/control.sock", h->f->folder);
	h->config.gateway.control_socket = h->path;
	h->socket = control_socket_new(h->loop, h->f->control, &h->config, &h->f->err);
	assert_true(h->loop && h->socket);
	*state = h;
	return 0;
}

static int close_home(void **state)
{
	struct home *h = *state;
	void *inner = h->f;

	control_socket_free(h->socket);
	assert_int_equal(access(h->path, F_OK), -1);
	assert_int_equal(tear_down(&inner), 0);
	loop_free(h->loop);
	free(h);
	return 0;
}

static void turn(struct home *h)
{
	assert_int_equal(loop_step(h->loop, 5), FC_OK);
}

static int try_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int join(struct home *h)
{
	int fd = try_connect(h->path);

	assert_true(fd >= 0);
	return fd;
}

static void put(int fd, const char *text, size_t len)
{
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* The same of more than the socket takes at once. */
static void put_long(struct home *h, int fd, const char *text, size_t len)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (len && clock_mono_ms() < end) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			turn(h);
			continue;
		}
		text += n;
		len -= (size_t)n;
	}
	assert_int_equal(len, 0);
}

/* Turns the loop until a whole line came; its length without the newline, or -1 at the end. */
static int get_line(struct home *h, int fd, char *out, int size)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	int n = 0;

	while (clock_mono_ms() < end) {
		ssize_t got = recv(fd, out + n, 1, 0);

		if (got == 1 && out[n] == '\n') {
			out[n] = '\0';
			return n;
		}
		if (got == 1) {
			n++;
			assert_true(n < size);
		} else if (!got || errno != EAGAIN) {
			return -1;
		} else {
			turn(h);
		}
	}
	fail_msg("no line");
	return -1;
}

static void ask(struct home *h, int fd, const char *line, const char *want)
{
	static char answer[1 << 20];

	put(fd, line, strlen(line));
	assert_true(get_line(h, fd, answer, sizeof(answer)) > 0);
	if (!strstr(answer, want))
		fail_msg("%s: %.300s", line, answer);
}

static const char status[] = "{\"command\":\"status\"}\n";

static void one_line_there_one_back(void **state)
{
	struct home *h = *state;
	int fd = join(h);
	struct stat st;

	assert_int_equal(stat(h->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	for (int i = 0; i < 3; i++)
		ask(h, fd, status, "{\"ok\":true,\"result\":{\"version\":\"v1\"");
	ask(h, fd, "{\"command\":\"start\",\"arguments\":{\"connector\":\"C12\"}}\n", "\"ok\":true");
	assert_int_equal(world.starts, 1);
	world.refusal = CHARGE_OCCUPIED;
	ask(h, fd, "{\"command\":\"start\",\"arguments\":{\"connector\":\"C12\"}}\n",
	    "{\"ok\":false,\"code\":\"busy\",\"error\":\"refused\",\"key\":\"charge.refused\"}");
	/* Byte by byte. */
	for (size_t i = 0; i + 1 < sizeof(status) - 1; i++) {
		put(fd, &status[i], 1);
		turn(h);
	}
	ask(h, fd, "\n", "\"ok\":true");
	/* No control character of somebody's error reaches a terminal by way of us. */
	ask(h, fd, status, "it \\\"said\\\" no\\u001b[2J");
	close(fd);
}

static void what_is_no_request(void **state)
{
	static const char *const bad[] = {
	    "\n",
	    "{}\n",
	    "[]\n",
	    "null\n",
	    "1\n",
	    "\"status\"\n",
	    "{\"command\":1}\n",
	    "{\"command\":\"\"}\n",
	    "{\"command\":\"status\",\"arguments\":[1]}\n",
	    "{\"command\":\"status\",\"arguments\":\"x\"}\n",
	    "{\"command\":\"\\u001b[31mred\"}\n",
	    "{\"command\":\"status\"\n",
	    "status\n",
	    "GET / HTTP/1.1\r\n",
	    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
	};
	struct home *h = *state;
	int fd = join(h);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ask(h, fd, bad[i], "{\"ok\":false,\"code\":\"");
	put(fd, "\0\0\xff\xfe{}", 6);
	ask(h, fd, "\n", "\"ok\":false");
	ask(h, fd, status, "\"ok\":true");
	close(fd);
}

static void a_line_without_end(void **state)
{
	static char line[CONTROL_LINE_MAX];
	struct home *h = *state;
	int fd = join(h);
	char answer[200];

	/* The longest that fits, and one byte more. */
	memset(line, ' ', sizeof(line));
	memcpy(line, status, sizeof(status) - 2);
	line[sizeof(line) - 1] = '\n';
	put_long(h, fd, line, sizeof(line));
	static char large[1 << 20];
	assert_true(get_line(h, fd, large, sizeof(large)) > 0);
	assert_non_null(strstr(large, "\"ok\":true"));
	line[sizeof(line) - 1] = ' ';
	put_long(h, fd, line, sizeof(line));
	assert_true(get_line(h, fd, answer, sizeof(answer)) > 0);
	assert_non_null(strstr(answer, "too long"));
	assert_int_equal(get_line(h, fd, answer, sizeof(answer)), -1);
	close(fd);
}

static void the_ninth_is_sent_away(void **state)
{
	struct home *h = *state;
	int fds[CONTROL_CONNECTIONS_MAX];
	char answer[200];

	for (int i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
		fds[i] = join(h);
		ask(h, fds[i], status, "\"ok\":true");
	}
	int ninth = join(h);
	assert_true(get_line(h, ninth, answer, sizeof(answer)) > 0);
	assert_non_null(strstr(answer, "too many"));
	assert_int_equal(get_line(h, ninth, answer, sizeof(answer)), -1);
	close(ninth);
	ask(h, fds[7], status, "\"ok\":true");
	close(fds[0]);
	turn(h);
	turn(h);
	fds[0] = join(h);
	ask(h, fds[0], status, "\"ok\":true");
	for (int i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		close(fds[i]);
}

/* Sends and never reads: no command is run whose answer finds no room, and others are served meanwhile. */
static void a_reader_that_does_not_read(void **state)
{
	static const char start[] = "{\"command\":\"start\",\"arguments\":{\"connector\":\"C12\"}}\n";
	struct home *h = *state;
	int deaf = join(h), other = join(h), sent = 0;

	for (int i = 0; i < 20000; i++) {
		if (send(deaf, start, sizeof(start) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(start) - 1)
			break;
		sent++;
		if (i % 50 == 0)
			turn(h);
	}
	for (int i = 0; i < 200; i++)
		turn(h);
	int run = world.starts;
	print_message("%d sent, %d run\n", sent, run);
	assert_true(sent < 20000 && run < sent && run > 0);
	ask(h, other, status, "\"ok\":true");
	for (int i = 0; i < 50; i++)
		turn(h);
	assert_int_equal(world.starts, run);
	/* As soon as it reads it goes on, line by line. */
	char answer[300];
	for (int i = 0; i < sent; i++) {
		assert_true(get_line(h, deaf, answer, sizeof(answer)) > 0);
		assert_non_null(strstr(answer, "\"ok\":true"));
	}
	assert_int_equal(world.starts, sent);
	close(deaf);
	close(other);
}

/* Several lines at once, and the end right behind them: each is answered, half a line is not. */
static void lines_in_one_go(void **state)
{
	struct home *h = *state;
	static char answer[1 << 20];
	int fd = join(h);

	for (int i = 0; i < 20; i++)
		put(fd, status, sizeof(status) - 1);
	put(fd, "{\"command\":\"sta", 15);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	for (int i = 0; i < 20; i++)
		assert_true(get_line(h, fd, answer, sizeof(answer)) > 0);
	assert_int_equal(get_line(h, fd, answer, sizeof(answer)), -1);
	close(fd);
}

/* Commands that answer later. */
static struct control_reply *held;

static int hold(struct control *control, struct control_reply *reply, struct error *err)
{
	(void)control;
	(void)err;
	held = reply;
	return CONTROL_LATER;
}

static const struct control_command slow[] = {{"hold", CONTROL_VIEW, CONTROL_LOOK, "", hold, NULL}, {0}};
static const struct control_command *const slow_tables[] = {slow, NULL};

static void a_client_that_vanishes(void **state)
{
	static const char line[] = "{\"command\":\"hold\"}\n";
	struct home *h = *state;
	char answer[200];

	h->f->control->tables = slow_tables;
	for (int i = 0; i < 2; i++) {
		int fd = join(h);

		held = NULL;
		put(fd, line, sizeof(line) - 1);
		while (!held)
			turn(h);
		if (i) {
			close(fd);
			for (int k = 0; k < 20; k++)
				turn(h);
		}
		held->result = value_object(&held->arena);
		control_finish(held, FC_OK, "");
		if (i)
			continue;
		assert_true(get_line(h, fd, answer, sizeof(answer)) > 0);
		assert_string_equal(answer, "{\"ok\":true,\"result\":{}}");
		close(fd);
	}
	/* Nonsense, cut off at any byte. */
	unsigned seed = 5;
	for (int round = 0; round < 300; round++) {
		char junk[600];
		int fd = join(h), n = (int)(seed % sizeof(junk));

		for (int i = 0; i < n; i++) {
			seed = seed * 1664525u + 1013904223u;
			junk[i] = (char)(seed >> 16);
			if (seed % 37 == 0)
				junk[i] = '\n';
		}
		if (n)
			put(fd, junk, (size_t)n);
		turn(h);
		close(fd);
		seed += 13;
	}
	turn(h);
}

/* Seen by the kernel, not said by them: also who finds the socket open to all is sent away. */
static void another_user(void **state)
{
	struct home *h = *state;
	char answer[200] = "";

	if (geteuid()) {
		print_message("not root: nothing to show\n");
		return;
	}
	assert_int_equal(chmod(h->path, 0666) | chmod(h->f->folder, 0755), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(2);
		int fd = try_connect(h->path);
		struct pollfd pollfd = {.fd = fd, .events = POLLIN};

		if (fd < 0 || poll(&pollfd, 1, PATIENCE_MS) != 1)
			_exit(3);
		_exit(recv(fd, answer, sizeof(answer) - 1, 0) > 0 && strstr(answer, "\"code\":\"not proven\"") ? 0 : 4);
	}
	int code = -1;
	while (!waitpid(child, &code, WNOHANG))
		turn(h);
	assert_int_equal(code, 0);
}

/* The place ----------------------------------------------------------------------------------------------------------- */

static void a_live_socket_is_never_taken(void **state)
{
	struct home *h = *state;
	struct error err = {0};
	struct place place;
	char path[160];
	int fd = join(h);

	assert_int_equal(place_open(&place, h->path, &err), FC_EEXIST);
	assert_non_null(strstr(err.text, "another daemon"));
	/* Also of somebody who takes no lock. */
	(void)snprintf(path, sizeof(path), "%s.lock", h->path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(place_open(&place, h->path, &err), FC_EEXIST);
	assert_non_null(strstr(err.text, "someone listens"));
	ask(h, fd, status, "\"ok\":true");
	close(fd);
	fd = join(h);
	ask(h, fd, status, "\"ok\":true");
	close(fd);
}

static void a_stale_socket_is_replaced(void **state)
{
	struct home *h = *state;
	struct error err = {0};
	struct place place;
	char path[160];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/other.sock", h->f->folder);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(place_open(&place, path, &err) ? 1 : 0); /* and crashes */
	int code;
	assert_int_equal(waitpid(child, &code, 0), child);
	assert_int_equal(code, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(place_open(&place, path, &err), FC_OK);
	int fd = try_connect(path);
	assert_true(fd >= 0);
	close(fd);
	/* Somebody else's file at the end is left alone. */
	assert_int_equal(unlink(path), 0);
	int file = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(file >= 0);
	close(file);
	place_close(&place);
	assert_int_equal(stat(path, &st), 0);
	/* And what is no socket is never removed. */
	assert_int_equal(place_open(&place, path, &err), FC_EEXIST);
	assert_non_null(strstr(err.text, "no socket"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(place_open(&place, "/proc/nowhere/x.sock", &err), FC_EIO);
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(place_open(&place, path, &err), FC_EINVAL);
}

static void another_path(void **state)
{
	struct home *h = *state;
	struct config next = {0};
	char path[160];
	int old = join(h);

	ask(h, old, status, "\"ok\":true");
	next.gateway.control_socket = "/proc/nowhere/x.sock";
	assert_int_equal(control_socket_apply(h->socket, &next, &h->f->err), FC_EIO);
	ask(h, old, status, "\"ok\":true");
	(void)snprintf(path, sizeof(path), "%s/next.sock", h->f->folder);
	next.gateway.control_socket = path;
	assert_int_equal(control_socket_apply(h->socket, &next, &h->f->err), FC_OK);
	assert_int_equal(access(h->path, F_OK), -1);
	/* Who is there already may stay. */
	ask(h, old, status, "\"ok\":true");
	close(old);
	int fd = try_connect(path);
	ask(h, fd, status, "\"ok\":true");
	close(fd);
	next.gateway.control_socket = "";
	assert_int_equal(control_socket_apply(h->socket, &next, &h->f->err), FC_OK);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(control_socket_apply(h->socket, &h->config, &h->f->err), FC_OK);
	fd = join(h);
	ask(h, fd, status, "\"ok\":true");
	close(fd);
}

#define T(test) cmocka_unit_test_setup_teardown(test, open_home, close_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(one_line_there_one_back),
	    T(what_is_no_request),
	    T(a_line_without_end),
	    T(the_ninth_is_sent_away),
	    T(a_reader_that_does_not_read),
	    T(lines_in_one_go),
	    T(a_client_that_vanishes),
	    T(another_user),
	    T(a_live_socket_is_never_taken),
	    T(a_stale_socket_is_replaced),
	    T(another_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
