/* WebSockets on the HTTP server, over plain sockets on loopback; the client's half is written here from RFC 6455. */
#include "loop_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/websocket.h"

enum { GUESTS = 8, MAX_MESSAGE = 100, READ_AHEAD_BYTES = 2000 };

struct fixture;
struct guest {
	struct fixture *f;
	struct websocket *socket;
	int messages, drained, closed;
	char text[MAX_MESSAGE + 1];
};

struct fixture {
	struct loop *loop;
	struct http_server *server;
	struct websocket_service service;
	struct seen seen;
	struct guest guests[GUESTS];
	int guest_count, refuse;
	char cookie[64], authorization[64], origin[64];
	int descriptors;
};

static int accept_guest(void *user, const struct http_request *request, struct websocket *socket, void **guest)
{
	struct fixture *f = user;

	(void)snprintf(f->cookie, sizeof(f->cookie), "%s", request->cookie);
	(void)snprintf(f->authorization, sizeof(f->authorization), "%s", request->authorization);
	(void)snprintf(f->origin, sizeof(f->origin), "%s", request->origin);
	if (f->refuse)
		return f->refuse;
	assert_true(f->guest_count < GUESTS);
	struct guest *g = &f->guests[f->guest_count++];
	g->f = f;
	g->socket = socket;
	*guest = g;
	return 0;
}

static void message(void *guest, const char *text, size_t len)
{
	struct guest *g = guest;

	assert_true(len <= MAX_MESSAGE);
	assert_int_equal(text[len], 0);
	memcpy(g->text, text, len + 1);
	g->messages++;
}

static void drained(void *guest)
{
	((struct guest *)guest)->drained++;
}

static void closed(void *guest)
{
	((struct guest *)guest)->closed++;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct http_server_config config = {.name = "test", .address = "127.0.0.1", .max_connections = 2};
	struct error err = {0};

	assert_non_null(f);
	f->descriptors = open_descriptors();
	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	f->service = (struct websocket_service){.path = "/live",
						.max = 3,
						.max_message = MAX_MESSAGE,
						.user = f,
						.accept = accept_guest,
						.message = message,
						.drained = drained,
						.closed = closed};
	config.websocket = &f->service;
	f->server = http_server_new(f->loop, &config, seen_handler, &f->seen, &err);
	assert_non_null(f->server);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	http_server_free(f->server);
	loop_free(f->loop);
	for (int i = 0; i < f->guest_count; i++)
		assert_int_equal(f->guests[i].closed, 1);
	int left = open_descriptors() - f->descriptors;
	free(f);
	return left;
}

/* A client ----------------------------------------------------------------------------------------------------------- */

struct client {
	struct fixture *f;
	int fd;
	char *in;
	size_t len, size;
};

static void dial(struct fixture *f, struct client *c, int receive_buffer)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)http_server_port(f->server)),
				      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};

	*c = (struct client){.f = f, .fd = socket(AF_INET, SOCK_STREAM, 0), .size = 1 << 20};
	c->in = malloc(c->size);
	assert_non_null(c->in);
	assert_true(c->fd >= 0);
	if (receive_buffer)
		assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer)), 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
}

static void hang_up(struct client *c)
{
	close(c->fd);
	free(c->in);
}

static void say(struct client *c, const void *data, size_t len)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (len) {
		ssize_t n = write(c->fd, data, len);

		if (n > 0) {
			data = (const char *)data + n;
			len -= (size_t)n;
		} else if (n < 0 && errno != EAGAIN) {
			return; /* the other side may have had enough */
		}
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(c->f->loop, 5), FC_OK);
	}
}

/* Reads until there are so many bytes. 1: the other side closed. */
static int hear(struct client *c, size_t want)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (c->len < want) {
		ssize_t n = read(c->fd, c->in + c->len, c->size - c->len);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return 1;
		if (n > 0) {
			c->len += (size_t)n;
			continue;
		}
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(c->f->loop, 5), FC_OK);
	}
	return 0;
}

static void forget(struct client *c, size_t len)
{
	c->len -= len;
	memmove(c->in, c->in + len, c->len);
}

/* The status of the answer; what follows its head stays. */
static int ask(struct client *c, const char *path, const char *headers)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "GET %s HTTP/1.1\r\nHost: box:8443\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
			 path, headers);
	char *end = NULL;

	say(c, text, (size_t)n);
	while (!end) {
		assert_int_equal(hear(c, c->len + 1), 0);
		assert_true(c->len < c->size);
		c->in[c->len] = '\0';
		end = strstr(c->in, "\r\n\r\n");
	}
	int status = atoi(c->in + strlen("HTTP/1.1 "));
	if (status == 101) /* RFC 6455, 1.3: the example's key and its answer */
		assert_non_null(strstr(c->in, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	forget(c, (size_t)(end + 4 - c->in));
	return status;
}

static struct guest *join(struct fixture *f, struct client *c, int receive_buffer)
{
	int before = f->guest_count;

	dial(f, c, receive_buffer);
	assert_int_equal(ask(c, "/live", "Origin: https://box:8443\r\n"), 101);
	assert_int_equal(f->guest_count, before + 1);
	return &f->guests[before];
}

/* A frame with a mask, as a client must. opcode with the FIN bit. */
static void say_frame(struct client *c, int opcode, const char *text, size_t len)
{
	unsigned char out[1024] = {(unsigned char)opcode};
	const unsigned char mask[4] = {1, 2, 3, 4};
	size_t at = 2;

	assert_true(len < 900);
	out[1] = (unsigned char)(0x80 | (len < 126 ? len : 126));
	if (len >= 126) {
		out[at++] = (unsigned char)(len >> 8);
		out[at++] = (unsigned char)len;
	}
	memcpy(out + at, mask, 4);
	at += 4;
	for (size_t i = 0; i < len; i++)
		out[at + i] = (unsigned char)text[i] ^ mask[i % 4];
	say(c, out, at + len);
}

static void say_text(struct client *c, const char *text)
{
	say_frame(c, 0x81, text, strlen(text));
}

/* The next frame's opcode (with FIN), and its payload at the front of in until the next call; -1: closed without one. */
static int hear_frame(struct client *c, size_t *len)
{
	size_t head = 2;

	if (hear(c, head))
		return -1;
	const unsigned char *in = (unsigned char *)c->in;
	int opcode = in[0];
	*len = in[1];
	assert_true(*len < 127);
	if (*len == 126) {
		head += 2;
		assert_int_equal(hear(c, head), 0);
		*len = (size_t)(in[2] << 8 | in[3]);
	}
	assert_int_equal(hear(c, head + *len), 0);
	forget(c, head);
	return opcode;
}

/* A whole message, put together; its length. */
static size_t hear_message(struct client *c, char *out, size_t size)
{
	size_t at = 0, len;

	for (int first = 1;; first = 0) {
		int opcode = hear_frame(c, &len);

		assert_int_equal(opcode & 0x7f, first ? 1 : 0);
		assert_true(at + len < size);
		memcpy(out + at, c->in, len);
		at += len;
		forget(c, len);
		if (opcode & 0x80)
			break;
	}
	out[at] = '\0';
	return at;
}

/* The code of the close frame that comes next. */
static int hear_close(struct client *c)
{
	size_t len;

	assert_int_equal(hear_frame(c, &len), 0x88);
	assert_true(len >= 2);
	int code = (unsigned char)c->in[0] << 8 | (unsigned char)c->in[1];
	forget(c, len);
	return code;
}

static struct websocket_message *made(const char *text, size_t repeat)
{
	struct buffer b;

	buffer_init(&b, 1 << 20);
	for (size_t i = 0; i < repeat; i++)
		(void)buffer_text(&b, text);
	struct websocket_message *m = websocket_message_new(&b);
	assert_non_null(m);
	return m;
}

/* Tests -------------------------------------------------------------------------------------------------------------- */

static void test_both_ways(void **state)
{
	struct fixture *f = *state;
	struct client c;
	char text[200];

	dial(f, &c, 0);
	assert_int_equal(
	    ask(&c, "/live", "Origin: https://BOX:8443\r\nCookie: forecourt=abc\r\nAuthorization: Bearer t\r\n"), 101);
	assert_string_equal(f->cookie, "forecourt=abc");
	assert_string_equal(f->authorization, "Bearer t");
	struct guest *g = &f->guests[0];
	say_text(&c, "{\"watch\":null}");
	turn_until(f->loop, &g->messages, 1);
	assert_string_equal(g->text, "{\"watch\":null}");
	/* In two frames, with a ping between them. */
	say_frame(&c, 0x01, "one ", 4);
	say_frame(&c, 0x89, "p", 1);
	say_frame(&c, 0x80, "text", 4);
	turn_until(f->loop, &g->messages, 2);
	assert_string_equal(g->text, "one text");
	size_t len;
	assert_int_equal(hear_frame(&c, &len), 0x8a); /* the pong */
	forget(&c, len);
	say_text(&c, "");
	turn_until(f->loop, &g->messages, 3);
	assert_string_equal(g->text, "");
	struct websocket_message *m = made("hello", 1);
	assert_int_equal(websocket_send(g->socket, m), FC_OK);
	websocket_message_free(m);
	assert_int_equal(hear_message(&c, text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(g->drained > 0, 1);
	/* It goes as the browser wants it. */
	say_frame(&c, 0x88, "\x03\xe8", 2);
	assert_int_equal(hear_close(&c), 1000);
	turn_until(f->loop, &g->closed, 1);
	hang_up(&c);
}

static void test_who_may(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *path, *headers;
		int refuse, status;
	} cases[] = {
	    {"/live", "Origin: https://evil.example\r\n", 0, 403},
	    {"/live", "Origin: https://box:8443.evil.example\r\n", 0, 403},
	    {"/live", "Origin: https://box\r\n", 0, 403}, /* another port is another origin */
	    {"/live", "Origin: null\r\n", 0, 403},
	    {"/other", "", 0, 404},
	    {"/live", "", 401, 401},
	    {"/live", "", 429, 429},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client c;

		f->refuse = cases[i].refuse;
		dial(f, &c, 0);
		assert_int_equal(ask(&c, cases[i].path, cases[i].headers), cases[i].status);
		while (!hear(&c, c.len + 1)) /* the rest, then the end */
			;
		hang_up(&c);
	}
	assert_int_equal(f->guest_count, 0);
	/* A program sends no Origin: whoever is asked may say no to that. */
	struct client c;
	f->refuse = 0;
	dial(f, &c, 0);
	assert_int_equal(ask(&c, "/live", ""), 101);
	assert_string_equal(f->origin, "");
	hang_up(&c);
	turn_until(f->loop, &f->guests[0].closed, 1);
}

/* They have a number of their own, and leave that of the HTTP connections alone. */
static void test_limits_of_connections(void **state)
{
	struct fixture *f = *state;
	struct client c[4], http;
	static const char request[] = "GET /x HTTP/1.1\r\nHost: box\r\n\r\n";

	for (int i = 0; i < 3; i++)
		(void)join(f, &c[i], 0);
	dial(f, &c[3], 0);
	assert_int_equal(ask(&c[3], "/live", ""), 503);
	dial(f, &http, 0);
	say(&http, request, strlen(request));
	assert_int_equal(hear(&http, 12), 0);
	assert_memory_equal(http.in, "HTTP/1.1 200", 12);
	assert_int_equal(f->seen.requests, 1);
	hang_up(&http);
	hang_up(&c[0]);
	turn_until(f->loop, &f->guests[0].closed, 1);
	hang_up(&c[3]);
	(void)join(f, &c[3], 0);
	for (int i = 1; i < 4; i++)
		hang_up(&c[i]);
	for (int i = 0; i < 4; i++)
		turn_until(f->loop, &f->guests[i].closed, 1);
	/* They have left nothing behind: the third is one too many. */
	for (int i = 0; i < 3; i++)
		dial(f, &c[i], 0);
	assert_int_equal(hear(&c[2], 1), 1);
	assert_int_equal(recv(c[0].fd, c[0].in, 1, MSG_DONTWAIT),
			 -1); /* not since all of them were idle for too long */
	assert_int_equal(errno, EAGAIN);
	for (int i = 0; i < 3; i++)
		hang_up(&c[i]);
}

static void check_refused(struct fixture *f, int opcode, const char *text, size_t len, int code)
{
	struct client c;
	struct guest *g = join(f, &c, 0);

	say_frame(&c, opcode, text, len);
	assert_int_equal(hear_close(&c), code);
	assert_int_equal(g->messages, 0);
	say_frame(&c, 0x88, "\x03\xe8", 2);
	turn_until(f->loop, &g->closed, 1);
	hang_up(&c);
}

static void test_what_may_come_in(void **state)
{
	struct fixture *f = *state;
	char large[MAX_MESSAGE + 2];
	struct client c;

	memset(large, 'x', sizeof(large));
	check_refused(f, 0x82, "binary", 6, WEBSOCKET_NOT_TEXT);
	check_refused(f, 0x81, large, MAX_MESSAGE + 1, WEBSOCKET_TOO_BIG);
	/* One that says only that it will be huge is not waited for. */
	static const unsigned char heads[][15] = {
	    {0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 'x'},             /* beyond 32 bits, and 0 in them */
	    {0x81, 0xff, 0, 1, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4, 'x'},             /* the same, and little in them */
	    {0x81, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 'x'}, /* all that 32 bits can say */
	};
	unsigned char more[READ_AHEAD_BYTES];
	struct guest *g;
	memset(more, 'x', sizeof(more));
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		g = join(f, &c, 0);
		say(&c, heads[i], sizeof(heads[i]));
		say(&c, more, sizeof(more));
		assert_int_equal(hear_close(&c), WEBSOCKET_TOO_BIG);
		hang_up(&c);
		turn_until(f->loop, &g->closed, 1);
	}
	/* Nor is one of small frames without an end. */
	g = join(f, &c, 0);
	say_frame(&c, 0x01, large, 60);
	say_frame(&c, 0x00, large, 60);
	assert_int_equal(hear_close(&c), WEBSOCKET_TOO_BIG);
	hang_up(&c);
	turn_until(f->loop, &g->closed, 1);
}

static void test_a_flood_is_ended(void **state)
{
	struct fixture *f = *state;
	struct client c;
	struct guest *g = join(f, &c, 0);

	/* More than may ever come at once, however slow this machine is: they come in one piece. */
	unsigned char out[7 * 200];
	static const unsigned char frame[7] = {0x81, 0x81, 0, 0, 0, 0, 'x'};
	for (size_t i = 0; i < sizeof(out); i += sizeof(frame))
		memcpy(out + i, frame, sizeof(frame));
	say(&c, out, sizeof(out));
	assert_int_equal(hear_close(&c), WEBSOCKET_POLICY);
	assert_true(g->messages >= WEBSOCKET_BURST);
	assert_true(g->messages < 200);
	hang_up(&c);
	turn_until(f->loop, &g->closed, 1);
}

/* One message for two; one of them reads nothing at first. */
static void test_slow_and_shared(void **state)
{
	struct fixture *f = *state;
	struct client quick, slow;
	struct guest *q = join(f, &quick, 0), *s = join(f, &slow, 4096);
	enum { REPEAT = 30000, LEN = 10 * REPEAT };
	char *text = malloc(LEN + 1);
	struct websocket_message *m = made("0123456789", REPEAT);
	int sent = 0;

	assert_non_null(text);
	assert_int_equal(websocket_message_len(m), LEN);
	/* The kernel takes some of it, and then it waits. */
	while (sent < 100) {
		if (websocket_send(s->socket, m))
			break;
		sent++;
		turn_for(f->loop, 20);
	}
	assert_int_equal(websocket_send(s->socket, m), FC_EBUSY);
	assert_int_equal(websocket_waiting(s->socket), WEBSOCKET_QUEUE);
	/* Nobody else notices. */
	assert_int_equal(websocket_send(q->socket, m), FC_OK);
	assert_int_equal(hear_message(&quick, text, LEN + 1), LEN);
	assert_memory_equal(text + LEN - 10, "0123456789", 10);
	websocket_message_free(m);
	for (int i = 0; i < sent; i++) {
		assert_int_equal(hear_message(&slow, text, LEN + 1), LEN);
		for (size_t k = 0; k < LEN; k++)
			assert_int_equal(text[k], '0' + k % 10);
	}
	turn_until(f->loop, &s->drained, 1);
	assert_int_equal(websocket_waiting(s->socket), 0);
	free(text);
	hang_up(&quick);
	hang_up(&slow);
}

static void test_end(void **state)
{
	struct fixture *f = *state;
	struct client c;
	struct guest *g = join(f, &c, 0);
	struct websocket_message *m = made("never", 1);

	websocket_end(g->socket, WEBSOCKET_LOGGED_OUT);
	assert_int_equal(g->closed, 0); /* not within the call */
	assert_int_equal(websocket_send(g->socket, m), FC_EBUSY);
	websocket_message_free(m);
	assert_int_equal(hear_close(&c), 4401);
	say_frame(&c, 0x88, "\x11\x31", 2);
	turn_until(f->loop, &g->closed, 1);
	hang_up(&c);
	/* One that does not answer is not waited for. */
	g = join(f, &c, 0);
	websocket_end(g->socket, WEBSOCKET_LOGGED_OUT);
	turn_until(f->loop, &g->closed, 1);
	hang_up(&c);
}

/* A server goes, and its connections with it (tear_down looks at the rest). */
static void test_server_goes(void **state)
{
	struct fixture *f = *state;
	struct client c[2];

	struct guest *g = join(f, &c[0], 0);
	(void)join(f, &c[1], 0);
	struct websocket_message *m = made("waits", 1);
	assert_int_equal(websocket_send(g->socket, m), FC_OK);
	websocket_message_free(m);
	websocket_end(f->guests[1].socket, WEBSOCKET_GOING_AWAY);
	http_server_free(f->server);
	f->server = NULL;
	assert_int_equal(f->guests[0].closed, 1);
	assert_int_equal(f->guests[1].closed, 1);
	turn_for(f->loop, 20);
	hang_up(&c[0]);
	hang_up(&c[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_both_ways, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_who_may, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_limits_of_connections, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_what_may_come_in, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_a_flood_is_ended, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_slow_and_shared, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_end, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_server_goes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
