/* start, stop. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/screen.h"

/* StartChargeSeq has so many characters, and a ConnectorID at most one less (protocol.md 2.1, 2.8). */
enum { SEQ_LEN = 27 };

static void put(struct cli *cli, struct value *arguments, const char *key, const char *text)
{
	if (text)
		(void)value_add(&cli->arena, arguments, key, value_string(&cli->arena, text));
}

static int tell(struct cli *cli, const char *command, const struct value *arguments)
{
	const struct value *answer;
	int result = cli_ask(cli, command, arguments, &answer);

	if (result)
		return result;
	if (cli->json) {
		cli_print_raw(cli);
		return CLI_DONE;
	}
	screen_print(cli_text(answer, "connector"), 0, stdout);
	printf("  ");
	screen_print(cli_text(answer, "seq"), 0, stdout);
	printf("  ");
	screen_print(say(cli, cli_text(answer, "session")), 0, stdout);
	printf("\n");
	return CLI_DONE;
}

int cli_start(struct cli *cli)
{
	struct value *arguments = value_object(&cli->arena);

	put(cli, arguments, "connector", cli->words[0]);
	put(cli, arguments, "class", cli->class);
	return tell(cli, "start", arguments);
}

int cli_stop(struct cli *cli)
{
	struct value *arguments = value_object(&cli->arena);

	put(cli, arguments, strlen(cli->words[0]) == SEQ_LEN ? "seq" : "connector", cli->words[0]);
	return tell(cli, "stop", arguments);
}
