/* Client and server while there is no memory for one thing that libwebsockets asks for. */
#include "loop/http_client_job.h"
#include "loop_fixture.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

struct fixture {
	struct loop *loop;
	struct http_client *client;
	int listener, peer; /* one that is not ours, and answers when the test says so */
	int requests;
	struct told told[3];
};

static const char
    *none_for; /* how libwebsockets names what it wants the memory for begins so; NULL: there is some for all */
static int no_addresses, refused;

/* What libwebsockets has its memory from. */
static void *give(void *memory, size_t size, const char *what)
{
	if (!size) {
		free(memory);
		return NULL;
	}
	if (none_for && what && !strncmp(what, none_for, strlen(none_for))) {
		refused++;
		return NULL;
	}
	return realloc(memory, size);
}

/* Of the C library's, whose memory it is. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	typedef int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	void *of = dlsym(RTLD_NEXT, "getaddrinfo");
	real ask_it;

	if (no_addresses)
		return EAI_MEMORY;
	memcpy(&ask_it, &of, sizeof(ask_it));
	return ask_it(name, service, hints, found);
}

static int set_up(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	assert_non_null(f);
	lws_set_allocator(give);
	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(f->listener >= 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(f->listener, 4), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &len), 0);
	const struct http_client_config config = {
	    .name = "asks", .host = "127.0.0.1", .port = ntohs(address.sin_port), .max_in_flight = 2};

	f->client = http_client_new(f->loop, &config, &err);
	assert_non_null(f->client);
	f->peer = -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	none_for = NULL;
	no_addresses = 0;
	http_client_free(f->client);
	loop_free(f->loop);
	(void)close(f->listener);
	(void)close(f->peer);
	free(f);
	return 0;
}

/* Turns the loop until the peer has that many whole requests. */
static void hear(struct fixture *f, int requests)
{
	const int64_t end = clock_mono_ms() + PATIENCE_MS;
	char text[4096];

	while (f->requests < requests) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
		if (f->peer < 0)
			f->peer = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK);
		if (f->peer < 0)
			continue;
		const ssize_t n = read(f->peer, text, sizeof(text) - 1);

		text[n > 0 ? n : 0] = '\0';
		f->requests += strstr(text, "END") != NULL;
	}
}

static void answer(struct fixture *f)
{
	static const char text[] = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

	assert_int_equal(write(f->peer, text, sizeof(text) - 1), sizeof(text) - 1);
}

/* libwebsockets frees it with no other word than that of the error, and the next request looks at all connections that the client knows. */
static void one_that_fails_while_it_waits_is_forgotten(void **state)
{
	struct fixture *f = *state;

	post(f->client, "END", &f->told[0]);
	hear(f, 1);
	assert_int_equal(f->client->connection_count, 1);

	none_for = "ah ";
	post(f->client, "END", &f->told[1]);
	turn_until(f->loop, &refused, 1);
	turn_until(f->loop, &f->client->connection_count, 2);

	/* The first connection goes, and it is the second one's turn; it gets no address. */
	no_addresses = 1;
	none_for = NULL;
	answer(f);
	turn_until(f->loop, &f->told[0].done, 1);
	assert_int_equal(f->told[1].done, 0);
	assert_int_equal(close(f->peer), 0);
	f->peer = -1;
	turn_until(f->loop, &f->told[1].done, 1);
	no_addresses = 0;
	assert_int_equal(f->told[0].status, 200);
	assert_int_equal(f->told[1].status, 0);
	assert_int_equal(f->client->connection_count, 0);

	post(f->client, "END", &f->told[2]);
	hear(f, 2);
	answer(f);
	turn_until(f->loop, &f->told[2].done, 1);
	assert_int_equal(f->told[2].status, 200);
	assert_int_equal(f->client->connection_count, 1);
}

/* There is none, and an error; or one that the first connection does not end. */
static void a_listener_without_memory_is_none(void **state)
{
	static const struct {
		const char *what, *file;
	} parts[] = {
	    {"lws_create_vhost", NULL}, {"vh paths", "/dev/null"}, {"vhost-specific", NULL}, {"same vh list", NULL}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct http_server_config config = {
		    .name = "test", .address = "127.0.0.1", .certificate = parts[i].file, .key = parts[i].file};
		struct seen seen = {0};
		struct error err = {0};

		none_for = parts[i].what;
		refused = 0;
		assert_null(http_server_new(f->loop, &config, seen_handler, &seen, &err));
		none_for = NULL;
		assert_int_equal(refused, 1);
		assert_int_not_equal(err.code, FC_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(one_that_fails_while_it_waits_is_forgotten, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_listener_without_memory_is_none, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
