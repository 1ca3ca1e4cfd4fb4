/* What a platform's server sends in answer to a POST of ours, byte by byte through libwebsockets to our callbacks (loop/http_client.h): the
 * first byte is how it is cut in pieces and how it ends, the rest are its bytes. libwebsockets itself is not looked at by the fuzzer, its
 * callers are. A request ends once, with a status or a reason. */
#include "fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/http_client.h"

enum { BODY_MOST = 4096, POSTS = 2, TURNS = 30, PATIENCE = 2000 };

static struct loop *loop;
static int listener, port;

struct post {
	int ends;
};

static void on_done(void *user, const struct http_result *result)
{
	struct post *post = user;

	fuzz_check(post->ends++ == 0);
	if (fuzz_shows())
		fprintf(stderr, "  %d %s %.100s\n", result->status, result->err.text, result->body);
	fuzz_check(result->body && result->body[result->body_len] == '\0' && result->body_len <= BODY_MOST);
	fuzz_check(result->status ? result->status >= 100 && result->status < 1000 : result->err.text[0] != '\0');
}

static void open_all(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	struct error err = {0};

	fuzz_quiet();
	loop = loop_new(&err);
	fuzz_check(loop);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	fuzz_check(listener >= 0 && bind(listener, (struct sockaddr *)&at, len) == 0 && listen(listener, 16) == 0);
	fuzz_check(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
	port = ntohs(at.sin_port);
}

/* The connection that our client makes, once it has asked; -1: it does not. */
static int asked(const struct post *posts)
{
	const struct linger gone = {1, 0};
	char request[4096];
	int fd = -1;

	for (int i = 0; i < PATIENCE && fd < 0 && !posts[0].ends; i++) {
		(void)loop_step(loop, 1);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	}
	if (fd < 0)
		return -1;
	fuzz_check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &gone, sizeof(gone)) == 0);
	for (int i = 0; i < PATIENCE && recv(fd, request, sizeof(request), 0) < 0 && !posts[0].ends; i++)
		(void)loop_step(loop, 1);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct post posts[POSTS] = {0};
	struct error err = {0};
	char more[4096];

	if (!loop)
		open_all();
	const struct http_client_config config = {
	    .name = "fuzz", .host = "127.0.0.1", .port = port, .max_in_flight = 1, .max_body = BODY_MOST};
	unsigned how = fuzz_byte(&in);
	struct http_client *client = http_client_new(loop, &config, &err);
	fuzz_check(client);
	for (int i = 0; i < POSTS; i++)
		fuzz_check(http_client_post(client, "/x", how & 128 ? "Bearer x" : NULL, "application/json", "{}", 2,
					    60000, on_done, &posts[i], &err) == FC_OK);
	int fd = asked(posts);
	while (fd >= 0 && in.left) {
		size_t len, most = how & 15 ? (how & 15) * 16 : in.left;
		const uint8_t *piece = fuzz_bytes(&in, most, &len);

		if (send(fd, piece, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
			break;
		(void)loop_step(loop, 0);
		(void)!recv(fd, more, sizeof(more), MSG_DONTWAIT);
	}
	for (int i = 0; i < 4 && fd >= 0; i++)
		(void)loop_step(loop, 0);
	if (fd >= 0 && how & 16)
		(void)shutdown(fd, SHUT_WR);
	for (int i = 0; i < TURNS && !posts[0].ends && how & 16; i++)
		(void)loop_step(loop, 0);
	if (fd >= 0)
		close(fd);
	(void)loop_step(loop, 0);
	/* What still waits ends with its client. */
	http_client_free(client);
	for (int i = 0; i < POSTS; i++)
		fuzz_check(posts[i].ends == 1);
	/* Connections that were made meanwhile. */
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
	(void)loop_step(loop, 0);
	return 0;
}
