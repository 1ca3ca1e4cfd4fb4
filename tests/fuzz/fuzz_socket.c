/* The local socket's framing, on a whole station (world.h): the first byte is how the bytes that follow are cut in pieces, and when the
 * caller takes what is answered. What a command does is fuzz_control's. Every answer is one line of JSON that says whether it is good, and
 * there are no more of them than lines. */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json_read.h"
#include "control/command.h"
#include "control/socket.h"
#include "world.h"

enum { ANSWERS_MAX = 16 << 20, QUIET = 6, TURNS_MAX = 400 };

static struct json_reader *reader;

static int connected(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	fuzz_check(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	return fd;
}

/* 1: something came; 0: nothing now; -1: they have closed it. */
static int take(int fd, struct buffer *answers)
{
	char piece[65536];
	ssize_t n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);

	if (n > 0)
		(void)buffer_add(answers, piece, (size_t)n);
	return n > 0 ? 1 : n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static int check_line(const char *line, size_t len)
{
	struct value *answer = NULL;
	struct arena arena;
	int ok = -1;

	arena_init(&arena, ANSWERS_MAX);
	fuzz_check(json_read(reader, line, len, &arena, &answer, NULL) == FC_OK);
	fuzz_check(value_to_bool(value_get(answer, "ok"), &ok) == FC_OK);
	if (!ok)
		fuzz_check(value_text(value_get(answer, "code")) && value_text(value_get(answer, "error")));
	arena_fini(&arena);
	return ok;
}

/* The whole lines among them, and how many. */
static int check_answers(const struct buffer *answers)
{
	const char *at = answers->data, *end = at ? at + answers->len : NULL, *newline;
	int count = 0;

	while (at && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		int ok = check_line(at, (size_t)(newline - at));

		if (fuzz_shows())
			fprintf(stderr, "  %s %.*s\n", ok ? "ok" : "no", (int)(newline - at > 200 ? 200 : newline - at),
				at);
		at = newline + 1;
		count++;
	}
	return count;
}

static int lines_in(const uint8_t *data, size_t size)
{
	int count = 0;

	for (size_t i = 0; i < size; i++)
		count += data[i] == '\n';
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_get();
	struct fuzz_input in = {data, size};
	struct error err = {0};
	struct buffer answers;
	int state = 0, quiet = 0;

	if (!reader)
		reader = json_reader_new((size_t)4 * ANSWERS_MAX);
	struct control_socket *s = control_socket_new(w->loop, w->control, w->config, &err);
	fuzz_check(s);
	int fd = connected(w->config->gateway.control_socket);
	buffer_init(&answers, ANSWERS_MAX);
	unsigned how = fuzz_byte(&in);
	int lines = lines_in(in.data, in.left);
	while (in.left && state >= 0) {
		size_t len, most = how & 15 ? (how & 15) * 8 : in.left;
		const uint8_t *piece = fuzz_bytes(&in, most, &len);

		if (send(fd, piece, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
			break;
		(void)loop_step(w->loop, 0);
		if (how & 16)
			state = take(fd, &answers);
	}
	if (how & 32)
		(void)shutdown(fd, SHUT_WR);
	for (int i = 0; i < TURNS_MAX && state >= 0 && quiet < QUIET; i++) {
		(void)loop_step(w->loop, w->control->replies ? 1 : 0);
		state = take(fd, &answers);
		quiet = state > 0 || w->control->replies ? 0 : quiet + 1;
	}
	/* One more: of a line that is too long. */
	fuzz_check(check_answers(&answers) <= lines + 1);
	if (how & 64)
		control_socket_free(s);
	close(fd);
	(void)loop_step(w->loop, 0);
	if (!(how & 64))
		control_socket_free(s);
	buffer_fini(&answers);
	world_settle(w);
	return 0;
}
