/* log: the last lines of the daemon's log, and what comes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/screen.h"

enum { LIST = 100, PAGE = 500, LOOK_MS = 500, LEVEL_COLUMNS = 7 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static void put_text(struct cli *cli, struct value *o, const char *key, const char *text)
{
	if (text && *text)
		(void)value_add(&cli->arena, o, key, value_string(&cli->arena, text));
}

static void print_line(const struct value *line)
{
	char at[CLOCK_DATETIME_SIZE];

	clock_format_datetime(cli_int(line, "at"), at);
	printf("%s.%03lld  ", at, (long long)cli_int(line, "ms"));
	screen_print(cli_text(line, "level"), LEVEL_COLUMNS, stdout);
	printf("  ");
	screen_print(cli_text(line, "text"), 0, stdout);
	printf("\n");
}

/* One page; next: goes on from there, "" = the last lines. */
static int take_page(struct cli *cli, char next[24], int most, int *more)
{
	struct value *arguments = value_object(&cli->arena);
	const struct value *answer;
	size_t at = 0;

	put_text(cli, arguments, "level", cli->level);
	put_text(cli, arguments, "room", cli->room);
	put_text(cli, arguments, "search", cli->search);
	put_text(cli, arguments, "after", next);
	(void)value_add(&cli->arena, arguments, "limit", value_int(&cli->arena, most));
	int result = cli_ask(cli, "log", arguments, &answer);
	if (result)
		return result;
	if (value_get(answer, "off"))
		return cli_fail(cli, CLI_REFUSED, "off", NULL,
				"no lines of the log are kept (option log_kb of gateway)");
	if (cli_int(answer, "lost") && !cli->json)
		fprintf(stderr, say(cli, "%lld lines were overwritten before they could be shown\n"),
			(long long)cli_int(answer, "lost"));
	struct raw list = raw_member(cli_raw(cli), "lines");
	value_each (line, value_get(answer, "lines")) {
		struct raw text = raw_item(list, &at);

		if (!cli->json) {
			print_line(line);
			continue;
		}
		screen_json(text, stdout);
		(void)fputc('\n', stdout);
	}
	(void)snprintf(next, 24, "%s", cli_text(answer, "next"));
	*more = value_get(answer, "more") != NULL;
	return fflush(stdout) ? cli_fail(cli, CLI_REFUSED, "output", NULL, "the output can't be written") : CLI_DONE;
}

int cli_log(struct cli *cli)
{
	static const struct timespec moment = {.tv_nsec = LOOK_MS * 1000000L};
	const struct sigaction action = {.sa_handler = on_interrupt};
	int most = cli->limit ? atoi(cli->limit) : LIST, more = 0;
	char next[24] = "";

	if (cli->level && log_level_parse(cli->level) < 0)
		return cli_fail(cli, CLI_USAGE, "usage", cli->level,
				"is no level: error, warning, notice, info or debug");
	if (most > PAGE)
		most = PAGE;
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	int result = take_page(cli, next, most, &more);
	while (!result && cli->follow && !interrupted) {
		if (!more)
			(void)nanosleep(&moment, NULL);
		if (!interrupted)
			result = take_page(cli, next, PAGE, &more);
	}
	return result;
}
