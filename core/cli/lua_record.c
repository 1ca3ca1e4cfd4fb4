/* lua record: what the gateway has recorded, as lines of JSON, into a file or to standard output. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

/* What is written stays readable to its owner only: it is the station's traffic, masked or not. */
static FILE *open_output(const char *path)
{
	if (!path)
		return stdout;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (fd >= 0 && !to)
		close(fd);
	return to;
}

static int write_lines(const struct value *result, FILE *to, int64_t *lines)
{
	value_each (line, value_get(result, "lines")) {
		const char *text = value_text(line);

		if (!text || fwrite(text, 1, line->len, to) != line->len || fputc('\n', to) == EOF)
			return -1;
		(*lines)++;
	}
	return 0;
}

int cli_lua_record(struct cli *cli)
{
	const struct value *result;
	char after[100] = "";
	int64_t lines = 0;
	FILE *to = NULL;

	do {
		struct value *arguments = value_object(&cli->arena);

		if (cli->orders)
			(void)value_add(&cli->arena, arguments, "orders",
					value_int(&cli->arena, strtoll(cli->orders, NULL, 10)));
		if (*after)
			(void)value_add(&cli->arena, arguments, "after", value_string(&cli->arena, after));
		int failed = cli_ask(cli, "record", arguments, &result);
		/* No file is touched before there is something for it. */
		if (!failed && !to) {
			to = open_output(cli->words[0]);
			if (!to)
				return cli_fail(cli, CLI_REFUSED, "output", cli->words[0], strerror(errno));
		}
		if (!failed && write_lines(result, to, &lines))
			failed = cli_fail(cli, CLI_REFUSED, "output", NULL, "the output can't be written");
		if (failed) {
			if (to && to != stdout)
				(void)fclose(to);
			return failed;
		}
		(void)snprintf(after, sizeof(after), "%s", cli_text(result, "next"));
	} while (*after);
	if (to == stdout)
		return CLI_DONE;
	if (fclose(to))
		return cli_fail(cli, CLI_REFUSED, "output", cli->words[0], "the output can't be written");
	if (cli->json)
		printf("{\"lines\":%lld}\n", (long long)lines);
	else
		printf(say(cli, "%lld lines\n"), (long long)lines);
	return CLI_DONE;
}
