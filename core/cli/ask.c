/* Asking the daemon: one line there, one line back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/screen.h"

/* Longer than the slowest command takes: one that waits for a platform. */
enum { PATIENCE_S = 180 };
static const size_t answer_max = (size_t)16 << 20, memory_max = (size_t)64 << 20;

void cli_init(struct cli *cli)
{
	*cli = (struct cli){.fd = -1, .chinese = text_wants_chinese()};
	arena_init(&cli->arena, memory_max);
	buffer_init(&cli->answer, answer_max);
}

void cli_fini(struct cli *cli)
{
	if (cli->fd >= 0)
		close(cli->fd);
	json_reader_free(cli->reader);
	arena_fini(&cli->arena);
	buffer_fini(&cli->answer);
}

const char *cli_text(const struct value *object, const char *key)
{
	const char *text = value_text(value_get(object, key));

	return text ? text : "";
}

int64_t cli_int(const struct value *object, const char *key)
{
	int64_t i = 0;

	(void)value_to_int(value_get(object, key), &i);
	return i;
}

static void print_failure(const char *code, const char *text)
{
	struct buffer out;
	struct arena a;

	arena_init(&a, memory_max);
	buffer_init(&out, answer_max);
	struct value *v = value_object(&a);
	(void)value_add(&a, v, "ok", value_bool(&a, 0));
	(void)value_add(&a, v, "code", value_string(&a, code));
	(void)value_add(&a, v, "error", value_string(&a, text));
	if (!json_write(&out, v)) {
		screen_json((struct raw){out.data, out.len}, stdout);
		printf("\n");
	}
	buffer_fini(&out);
	arena_fini(&a);
}

int cli_fail(const struct cli *cli, int exit_code, const char *code, const char *object, const char *text)
{
	char what[600];
	struct buffer safe;

	buffer_init(&safe, answer_max);
	(void)snprintf(what, sizeof(what), "%s%s%s", object ? object : "", object ? ": " : "", say(cli, text));
	screen_add(&safe, what);
	fprintf(stderr, "forecourt: %s\n", safe.data ? safe.data : "");
	buffer_fini(&safe);
	if (!cli->json)
		return exit_code;
	/* Scripts get the same words in every language. */
	(void)snprintf(what, sizeof(what), "%s%s%s", object ? object : "", object ? ": " : "", text);
	print_failure(code, what);
	return exit_code;
}

static int away(const struct cli *cli, const char *why)
{
	return cli_fail(cli, CLI_AWAY, "unreachable", cli->socket_path, why);
}

/* NULL when it is open, else why not. */
static const char *try_socket(struct cli *cli)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(cli->socket_path) >= sizeof(address.sun_path))
		return "is too long for a socket's path";
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", cli->socket_path);
	cli->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!cli->reader)
		cli->reader = json_reader_new(memory_max);
	if (cli->fd < 0 || !cli->reader)
		return "no memory";
	(void)setsockopt(cli->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(cli->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (!connect(cli->fd, (struct sockaddr *)&address, sizeof(address)))
		return NULL;
	if (errno == ENOENT || errno == ECONNREFUSED)
		return "no daemon listens there";
	if (errno == EACCES || errno == EPERM)
		return "no permission: only root and the daemon's own user may";
	return strerror(errno);
}

static int open_socket(struct cli *cli)
{
	const char *why = try_socket(cli);

	return why ? away(cli, why) : CLI_DONE;
}

int cli_is_up(struct cli *cli)
{
	if (cli->fd >= 0 || !try_socket(cli))
		return 1;
	/* One that is there and does not hear us is up: whoever asks it next is told why it does not. */
	int up = errno != ENOENT && errno != ECONNREFUSED;

	if (cli->fd >= 0)
		close(cli->fd);
	cli->fd = -1;
	return up;
}

int cli_number(const char *text, long least, long most, long *out)
{
	char *end;

	if (!text || !*text || !strchr("-0123456789", *text))
		return -1;
	errno = 0;
	*out = strtol(text, &end, 0);
	return errno || *end || *out < least || *out > most ? -1 : 0;
}

static void send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

/* One line, its newline taken off. */
static int receive_line(struct cli *cli)
{
	char part[16384];
	ssize_t n;

	buffer_clear(&cli->answer);
	for (;;) {
		n = recv(cli->fd, part, sizeof(part), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || buffer_add(&cli->answer, part, (size_t)n))
			return -1;
		/* Nothing comes behind the line: we have asked once. */
		if (part[n - 1] == '\n')
			break;
	}
	cli->answer.data[--cli->answer.len] = '\0';
	return 0;
}

static int exchange(struct cli *cli, const char *command, const struct value *arguments)
{
	struct value *request = value_object(&cli->arena);
	struct buffer line;

	buffer_init(&line, answer_max);
	int failed = value_add(&cli->arena, request, "command", value_string(&cli->arena, command));
	if (arguments)
		failed |= value_add(&cli->arena, request, "arguments", value_copy(&cli->arena, arguments));
	failed |= json_write(&line, request) | buffer_text(&line, "\n");
	if (!failed) {
		/* A daemon that refuses us says why and hangs up, perhaps before it has read all of this: what it said counts. */
		send_all(cli->fd, line.data, line.len);
		failed = receive_line(cli);
	}
	buffer_fini(&line);
	return failed ? away(cli, "the daemon did not answer") : CLI_DONE;
}

struct raw cli_raw(const struct cli *cli)
{
	return raw_member((struct raw){cli->answer.data, cli->answer.len}, "result");
}

void cli_print_raw(const struct cli *cli)
{
	screen_json(cli_raw(cli), stdout);
	(void)fputc('\n', stdout);
}

int cli_ask(struct cli *cli, const char *command, const struct value *arguments, const struct value **result)
{
	struct value *answer;
	int ok = 0, failed = cli->fd < 0 ? open_socket(cli) : CLI_DONE;

	*result = NULL;
	if (!failed)
		failed = exchange(cli, command, arguments);
	if (failed)
		return failed;
	arena_fini(&cli->arena);
	if (json_read(cli->reader, cli->answer.data, cli->answer.len, &cli->arena, &answer, NULL))
		return away(cli, "the daemon's answer can't be read");
	(void)value_to_bool(value_get(answer, "ok"), &ok);
	if (!ok)
		return cli_fail(cli, CLI_REFUSED, cli_text(answer, "code"), NULL, cli_text(answer, "error"));
	const struct value *of_it = value_get(answer, "result");
	/* What the commands count on; what is in it, each looks for itself. */
	if (!value_is_object(of_it))
		return away(cli, "the daemon's answer can't be read");
	*result = of_it;
	return CLI_DONE;
}
