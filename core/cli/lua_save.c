/* lua save: a text into a running gateway's Lua file, checked there and put in force. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/screen.h"

enum { TEXT_MAX = 256 << 10, HASH = 65, SHORT = 12 };

/* NULL and errno. */
static char *read_text(const char *path, size_t *len)
{
	FILE *in = fopen(path, "rbe");
	char *text = in ? malloc(TEXT_MAX + 1) : NULL;

	*len = text ? fread(text, 1, TEXT_MAX + 1, in) : 0;
	if (text && (ferror(in) || *len > TEXT_MAX)) {
		errno = ferror(in) ? errno : EFBIG;
		free(text);
		text = NULL;
	}
	if (in)
		(void)fclose(in);
	return text;
}

/* Of what stands there now: "" when there is no such file. */
static int ask_hash(struct cli *cli, const char *item, char hash[HASH])
{
	const struct value *answer;
	int result = cli_ask(cli, "lua_files", NULL, &answer);

	*hash = '\0';
	value_each (file, result ? NULL : value_get(answer, "files"))
		if (!strcmp(cli_text(file, "item"), item))
			(void)snprintf(hash, HASH, "%s", cli_text(file, "hash"));
	return result;
}

int cli_lua_save(struct cli *cli)
{
	const char *item = cli->words[0], *path = cli->words[1];
	const struct value *answer;
	char hash[HASH];
	size_t len;
	char version[SHORT + 1];
	int in_force = 0;
	char *text = read_text(path, &len);

	if (!text)
		return cli_fail(cli, CLI_REFUSED, "file", path, strerror(errno));
	int result = ask_hash(cli, item, hash);
	if (!result) {
		struct value *arguments = value_object(&cli->arena);

		(void)value_add(&cli->arena, arguments, "item", value_string(&cli->arena, item));
		(void)value_add(&cli->arena, arguments, "text", value_string_len(&cli->arena, text, len));
		if (*hash)
			(void)value_add(&cli->arena, arguments, "hash", value_string(&cli->arena, hash));
		result = cli_ask(cli, "lua_save", arguments, &answer);
	}
	free(text);
	if (result)
		return result;
	if (cli->json) {
		cli_print_raw(cli);
		return CLI_DONE;
	}
	(void)value_to_bool(value_get(answer, "in_force"), &in_force);
	screen_print(item, 0, stdout);
	(void)snprintf(version, sizeof(version), "%s", cli_text(answer, in_force ? "version" : "hash"));
	printf("  ");
	screen_print(version, 0, stdout);
	printf("  %s\n", say(cli, in_force ? "in force" : "written; nothing uses it"));
	return CLI_DONE;
}
