/* What comes in on a port, byte by byte through libwebsockets to our callbacks (loop/http_server.h, loop/websocket.h): the first byte is how
 * it is cut in pieces, the rest are the bytes of one connection. libwebsockets itself is not looked at by the fuzzer, its callers are.
 *
 * A handler gets nothing but whole requests, of plain paths and within their limits, and whoever is accepted is let go of once. */
#include "fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/http_server.h"
#include "loop/websocket.h"

enum { BODY_MOST = 4096, BODY_LEAST = 64, TEXT_MOST = 128, STEPS = 40, TICKETS = 4 };

static struct loop *loop;
static struct http_server *server;
static struct http_ticket *tickets[TICKETS];
static int guests, requests;

static void check_text(const char *text)
{
	fuzz_check(text && !strpbrk(text, "\r\n"));
}

static size_t limit(void *user, const struct http_request *head)
{
	(void)user;
	fuzz_check(head->path && head->path[0] == '/');
	return strstr(head->path, "small") ? BODY_LEAST : BODY_MOST;
}

static void handle(void *user, const struct http_request *request, struct http_response *response)
{
	(void)user;
	requests++;
	const char *path = request->path;
	fuzz_check(path[0] == '/' && !strstr(path, "/../") && !strstr(path, "//"));
	fuzz_check(strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
	const char *const texts[] = {request->method,        request->query,      request->authorization,
				     request->content_type,  request->cookie,     request->host,
				     request->origin,        request->fetch_site, request->csrf,
				     request->if_none_match, request->peer,       request->peer_name};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_text(texts[i]);
	fuzz_check(request->body && request->body[request->body_len] == '\0');
	fuzz_check(request->body_len <= limit(NULL, request));
	for (int i = 0; i < TICKETS && strstr(path, "later"); i++)
		if (!tickets[i] && (tickets[i] = http_defer(request)))
			return;
	if (strstr(path, "close"))
		response->close = 1;
	if (strstr(path, "head"))
		response->headers = "cache-control: no-store\r\nx-more: 1\r\n";
	if (strstr(path, "large"))
		for (int i = 0; i < 2000; i++)
			(void)buffer_text(&response->body, "0123456789012345678901234567890123456789");
	(void)buffer_add(&response->body, request->body, request->body_len);
}

static int on_accept(void *user, const struct http_request *request, struct websocket *socket, void **guest)
{
	(void)user, (void)socket;
	check_text(request->cookie);
	if (strstr(request->query, "no"))
		return 403;
	*guest = socket;
	guests++;
	return 0;
}

/* Every text is answered by itself. */
static void on_message(void *guest, const char *text, size_t len)
{
	struct buffer copy;

	fuzz_check(len <= TEXT_MOST && text[len] == '\0');
	buffer_init(&copy, 1024);
	(void)buffer_text(&copy, "> ");
	(void)buffer_add(&copy, text, len);
	struct websocket_message *message = websocket_message_new(&copy);
	(void)websocket_send(guest, message);
	websocket_message_free(message);
	if (len && text[0] == 'q')
		websocket_end(guest, WEBSOCKET_GOING_AWAY);
}

static void on_closed(void *guest)
{
	(void)guest;
	fuzz_check(guests-- > 0);
}

static void open_server(void)
{
	static const struct websocket_service service = {.path = "/live",
							 .max = 4,
							 .max_message = TEXT_MOST,
							 .accept = on_accept,
							 .message = on_message,
							 .closed = on_closed};
	const struct http_server_config config = {.name = "fuzz",
						  .address = "127.0.0.1",
						  .max_body = BODY_MOST,
						  .websocket = &service,
						  .headers = "x-all: 1\r\n",
						  .body_limit = limit};
	struct error err = {0};

	fuzz_quiet();
	loop = loop_new(&err);
	fuzz_check(loop);
	server = http_server_new(loop, &config, handle, NULL, &err);
	fuzz_check(server);
}

static int connected(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct linger gone = {1, 0}; /* no port waits behind it */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_port = htons((uint16_t)http_server_port(server));
	fuzz_check(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	fuzz_check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &gone, sizeof(gone)) == 0);
	return fd;
}

/* 0: they have closed it. */
static int turn(int fd)
{
	char answer[4096];
	ssize_t n;

	(void)loop_step(loop, 0);
	while ((n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0)
		if (fuzz_shows())
			(void)fwrite(answer, 1, (size_t)n, stderr);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void answer_later(void)
{
	for (int i = 0; i < TICKETS; i++) {
		struct http_response response = {.status = 200, .content_type = "text/plain"};

		if (!tickets[i])
			continue;
		buffer_init(&response.body, 64);
		(void)buffer_text(&response.body, "later\n");
		(void)http_answer(tickets[i], &response);
		tickets[i] = NULL;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};

	if (!loop)
		open_server();
	unsigned how = fuzz_byte(&in);
	int fd = connected(), is_open = 1;
	(void)loop_step(loop, 0);
	while (in.left && is_open) {
		size_t len, most = how & 15 ? (how & 15) * 16 : in.left;
		const uint8_t *piece = fuzz_bytes(&in, most, &len);

		if (send(fd, piece, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
			break;
		is_open = turn(fd);
		if (how & 16)
			answer_later();
	}
	for (int i = 0; i < 3 && is_open; i++)
		is_open = turn(fd);
	if (how & 32)
		answer_later();
	if (is_open)
		(void)turn(fd);
	close(fd);
	answer_later();
	for (int i = 0; i < STEPS && (i < 3 || guests); i++)
		(void)loop_step(loop, 0);
	fuzz_check(!guests);
	return 0;
}
