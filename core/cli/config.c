/* config show, check, apply, confirm, revert, versions, backup, restore: the configuration of a running gateway. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/screen.h"
#include "cli/table.h"

enum { FILE_MAX = 1 << 20, PASSPHRASE_MAX = 200, WAIT_S = 60, ACTION_COLUMNS = 8 };

/* Reading and writing ------------------------------------------------------------------------------------------------------- */

/* The whole file ("-": standard input), in out. CLI_DONE, or told. */
static int read_file(struct cli *cli, const char *path, struct buffer *out)
{
	int is_stdin = !strcmp(path, "-");
	FILE *in = is_stdin ? stdin : fopen(path, "rb");
	char part[8192];
	size_t n;

	if (!in)
		return cli_fail(cli, CLI_REFUSED, "file", path, strerror(errno));
	while ((n = fread(part, 1, sizeof(part), in)) > 0)
		if (buffer_add(out, part, n))
			break;
	int failed = ferror(in);
	if (!is_stdin)
		(void)fclose(in);
	if (failed)
		return cli_fail(cli, CLI_REFUSED, "file", path, "can't be read");
	if (out->failed)
		return cli_fail(cli, CLI_REFUSED, "limit", path, "is larger than 1 MiB");
	return CLI_DONE;
}

static void put_text(struct cli *cli, struct value *o, const char *key, const char *text, size_t len)
{
	(void)value_add(&cli->arena, o, key, value_string_len(&cli->arena, text ? text : "", len));
}

/* Lines of a text, safe on a terminal; as they are into a file or a pipe. */
static void print_lines(const char *text)
{
	if (!isatty(STDOUT_FILENO)) {
		(void)fputs(text, stdout);
		return;
	}
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *line = strndup(text, n);
		struct buffer safe;

		buffer_init(&safe, FILE_MAX * 2);
		for (char *c = line; c && *c; c++)
			*c = *c == '\t' ? ' ' : *c;
		if (line)
			screen_add(&safe, line);
		printf("%s\n", safe.data ? safe.data : "");
		buffer_fini(&safe);
		free(line);
		text += n + (text[n] == '\n');
	}
}

/* Show ----------------------------------------------------------------------------------------------------------------------- */

static void print_pending(const struct cli *cli, const struct value *answer)
{
	const struct value *pending = value_get(answer, "pending"), *last = value_get(answer, "last");

	if (pending) {
		screen_print(say(cli, cli_text(pending, "state")), 0, stdout);
		printf(": ");
		screen_print(cli_text(pending, "changes"), 0, stdout);
		printf("\n");
		if (!strcmp(cli_text(pending, "state"), "waiting"))
			printf(say(cli, "It goes back by itself in %d s, unless: forecourt config confirm\n"),
			       (int)cli_int(pending, "left_s"));
	} else if (last) {
		screen_print(say(cli, cli_text(last, "outcome")), 0, stdout);
		printf(": ");
		screen_print(say(cli, cli_text(last, "text")), 0, stdout);
		printf("\n");
	}
}

int cli_config_show(struct cli *cli)
{
	const struct value *answer;
	int result = cli_ask(cli, "config_show", NULL, &answer);

	if (result)
		return result;
	if (cli->json) {
		cli_print_raw(cli);
		return CLI_DONE;
	}
	print_lines(cli_text(answer, "text"));
	/* The text may go into a file. */
	if (isatty(STDOUT_FILENO))
		print_pending(cli, answer);
	return CLI_DONE;
}

/* Check ------------------------------------------------------------------------------------------------------------------------ */

static void print_mistake(const char *path, const struct value *m)
{
	const char *type = cli_text(m, "type"), *name = cli_text(m, "name"), *option = cli_text(m, "option");
	char text[700];

	if (cli_int(m, "line"))
		printf("%s:%d: ", path, (int)cli_int(m, "line"));
	(void)snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", type, *name ? "." : "", name, *option ? "." : "", option,
		       *type ? ": " : "", cli_text(m, "text"));
	screen_print(text, 0, stdout);
	printf("\n");
}

static void print_changes(const struct cli *cli, const struct value *changes)
{
	value_each (change, changes) {
		printf("  ");
		screen_print(say(cli, cli_text(change, "action")), ACTION_COLUMNS, stdout);
		printf(" ");
		screen_print(cli_text(change, "type"), 0, stdout);
		printf(" ");
		screen_print(cli_text(change, "name"), 0, stdout);
		printf("\n");
	}
}

int cli_config_check(struct cli *cli)
{
	struct value *arguments = value_object(&cli->arena);
	const struct value *answer;
	struct buffer text;

	buffer_init(&text, FILE_MAX);
	int result = read_file(cli, cli->words[0], &text);
	if (!result) {
		put_text(cli, arguments, "text", text.data, text.len);
		(void)value_add(&cli->arena, arguments, "scripts", value_bool(&cli->arena, 1));
		result = cli_ask(cli, "config_check", arguments, &answer);
	}
	buffer_fini(&text);
	if (result)
		return result;
	const struct value *mistakes = value_get(answer, "mistakes"), *changes = value_get(answer, "changes");
	int is_bad = mistakes && mistakes->count;
	if (cli->json) {
		cli_print_raw(cli);
		return is_bad ? CLI_REFUSED : CLI_DONE;
	}
	value_each (m, mistakes)
		print_mistake(cli->words[0], m);
	if (!is_bad) {
		printf(say(cli, "good; %d object(s) would be touched\n"), changes ? (int)changes->count : 0);
		print_changes(cli, changes);
	}
	return is_bad ? CLI_REFUSED : CLI_DONE;
}

/* Apply ------------------------------------------------------------------------------------------------------------------------ */

/* Moved sockets, a slow box: until it is in force, or is not. */
static int wait_for_it(struct cli *cli, const struct value **answer)
{
	int result = CLI_DONE;

	for (int i = 0; i < WAIT_S; i++) {
		const struct value *pending = value_get(*answer, "pending");
		const char *state = cli_text(pending, "state");

		if (!pending || !strcmp(state, "waiting") || !strcmp(state, "returning"))
			return CLI_DONE;
		(void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
		result = cli_ask(cli, "config_show", NULL, answer);
		if (result)
			return result;
	}
	return CLI_DONE;
}

static int end_apply(struct cli *cli, const struct value *answer)
{
	int result = wait_for_it(cli, &answer);

	if (result)
		return result;
	const int says = value_get(answer, "pending") || value_get(answer, "last");
	if (cli->json)
		cli_print_raw(cli);
	else if (says)
		print_pending(cli, answer);
	else
		return cli_fail(cli, CLI_REFUSED, "refused", NULL, "the daemon's answer can't be read");
	return value_get(answer, "pending") ? CLI_DONE : CLI_REFUSED;
}

static void put_confirm(struct cli *cli, struct value *arguments)
{
	if (cli->confirm)
		(void)value_add(&cli->arena, arguments, "confirm_s", value_int(&cli->arena, atoi(cli->confirm)));
}

static int apply(struct cli *cli, struct value *arguments)
{
	const struct value *answer;
	int result = cli_ask(cli, "config_apply", arguments, &answer);

	return result ? result : end_apply(cli, answer);
}

static int hash_of(struct cli *cli, char hash[80])
{
	const struct value *answer;
	int result = cli_ask(cli, "config_show", NULL, &answer);

	if (!result)
		(void)snprintf(hash, 80, "%.79s", cli_text(answer, "hash"));
	return result;
}

int cli_config_apply(struct cli *cli)
{
	struct buffer text;
	char hash[80] = "";

	buffer_init(&text, FILE_MAX);
	int result = read_file(cli, cli->words[0], &text);
	if (!result)
		result = hash_of(cli, hash);
	if (!result) {
		struct value *arguments = value_object(&cli->arena);

		put_text(cli, arguments, "text", text.data, text.len);
		put_text(cli, arguments, "hash", hash, strlen(hash));
		put_confirm(cli, arguments);
		result = apply(cli, arguments);
	}
	buffer_fini(&text);
	return result;
}

static int order(struct cli *cli, const char *command)
{
	const struct value *answer;
	int result = cli_ask(cli, command, NULL, &answer);

	if (result)
		return result;
	if (cli->json)
		cli_print_raw(cli);
	else
		print_pending(cli, answer);
	return CLI_DONE;
}

int cli_config_confirm(struct cli *cli)
{
	return order(cli, "config_confirm");
}

int cli_config_revert(struct cli *cli)
{
	return order(cli, "config_revert");
}

/* Versions --------------------------------------------------------------------------------------------------------------------- */

static void put_version(const struct cli *cli, struct table *t, const struct value *v)
{
	time_t at = (time_t)cli_int(v, "at");
	char when[40] = "", id[24];
	struct tm tm;
	int in_force = 0;

	(void)value_to_bool(value_get(v, "in_force"), &in_force);
	if (localtime_r(&at, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	(void)snprintf(id, sizeof(id), "%d", (int)cli_int(v, "id"));
	table_cell(t, in_force ? "*" : " ");
	table_cell(t, id);
	table_cell(t, when);
	table_cell(t, say(cli, cli_text(v, "origin")));
	table_cell(t, cli_text(v, "who"));
	table_cell(t, cli_text(v, "place"));
}

static int show_version(struct cli *cli)
{
	struct value *arguments = value_object(&cli->arena);
	const struct value *answer;
	long id;

	if (cli_number(cli->words[0], 1, 2147483647, &id))
		return cli_fail(cli, CLI_USAGE, "usage", cli->words[0], "is no number of a version");
	(void)value_add(&cli->arena, arguments, "id", value_int(&cli->arena, id));
	int result = cli_ask(cli, "config_version", arguments, &answer);
	if (result)
		return result;
	if (cli->json)
		cli_print_raw(cli);
	else
		print_lines(*cli_text(answer, "diff") ? cli_text(answer, "diff") : say(cli, "the same as now\n"));
	return CLI_DONE;
}

/* Put back: what is in force is another one by now, so its hash is asked for. */
static int put_back(struct cli *cli)
{
	char hash[80];
	long id;

	if (cli_number(cli->words[0], 1, 2147483647, &id))
		return cli_fail(cli, CLI_USAGE, "usage", cli->words[0], "is no number of a version");
	int result = hash_of(cli, hash);
	if (result)
		return result;
	struct value *arguments = value_object(&cli->arena);
	(void)value_add(&cli->arena, arguments, "version", value_int(&cli->arena, id));
	put_text(cli, arguments, "hash", hash, strlen(hash));
	put_confirm(cli, arguments);
	return apply(cli, arguments);
}

int cli_config_versions(struct cli *cli)
{
	static const char *const names[] = {" ", "version", "time", "origin", "who", "from"};
	const struct value *answer;
	struct table t;

	if (cli->put_back && !cli->words[0])
		return cli_fail(cli, CLI_USAGE, "usage", "--put-back", "wants a version");
	if (cli->words[0])
		return cli->put_back ? put_back(cli) : show_version(cli);
	int result = cli_ask(cli, "config_versions", NULL, &answer);
	if (result)
		return result;
	if (cli->json) {
		cli_print_raw(cli);
		return CLI_DONE;
	}
	table_init(&t, 6, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		table_cell(&t, say(cli, names[i]));
	value_each (v, value_get(answer, "versions"))
		put_version(cli, &t, v);
	table_print(&t, stdout);
	table_fini(&t);
	return CLI_DONE;
}

/* Backup and restore ------------------------------------------------------------------------------------------------------------- */

/* Never an argument: those are seen by everybody on the box. One line of a file, or typed without being shown. */
static int read_passphrase(struct cli *cli, char out[PASSPHRASE_MAX + 2])
{
	struct termios before, quiet;
	FILE *in = cli->passphrase_file ? fopen(cli->passphrase_file, "rb") : stdin;
	int is_typed = !cli->passphrase_file && isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &before);

	if (!in)
		return cli_fail(cli, CLI_REFUSED, "file", cli->passphrase_file, strerror(errno));
	if (is_typed) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fprintf(stderr, "%s: ", say(cli, "passphrase"));
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	if (!fgets(out, PASSPHRASE_MAX + 2, in))
		out[0] = '\0';
	if (is_typed) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fprintf(stderr, "\n");
	}
	if (cli->passphrase_file)
		(void)fclose(in);
	out[strcspn(out, "\r\n")] = '\0';
	return *out ? CLI_DONE : cli_fail(cli, CLI_USAGE, "usage", NULL, "a passphrase is wanted");
}

static int write_file(struct cli *cli, const char *path, const char *text)
{
	/* Sealed, but nobody else's business. */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "wb");

	if (!to) {
		if (fd >= 0)
			close(fd);
		return cli_fail(cli, CLI_REFUSED, "file", path, strerror(errno));
	}
	int failed = fputs(text, to) < 0;
	failed |= fclose(to) != 0;
	return failed ? cli_fail(cli, CLI_REFUSED, "file", path, "can't be written") : CLI_DONE;
}

int cli_config_backup(struct cli *cli)
{
	char passphrase[PASSPHRASE_MAX + 2];
	const struct value *answer;
	int result = read_passphrase(cli, passphrase);

	if (result)
		return result;
	struct value *arguments = value_object(&cli->arena);
	put_text(cli, arguments, "passphrase", passphrase, strlen(passphrase));
	result = cli_ask(cli, "backup", arguments, &answer);
	if (result)
		return result;
	const int is_named = cli->words[0] != NULL;
	const char *path = is_named ? cli->words[0] : cli_text(answer, "file");
	/* Who calls may write more than the daemon may: it says no place. */
	if (!is_named && (!*path || *path == '.' || strchr(path, '/')))
		return cli_fail(cli, CLI_REFUSED, "file", path, "is no name of a file here");
	result = write_file(cli, path, cli_text(answer, "text"));
	if (result)
		return result;
	if (cli->json) {
		printf("{\"file\":");
		screen_quoted(path, stdout);
		printf("}\n");
		return CLI_DONE;
	}
	screen_print(path, 0, stdout);
	printf("\n");
	return CLI_DONE;
}

int cli_config_restore(struct cli *cli)
{
	char passphrase[PASSPHRASE_MAX + 2];
	const struct value *answer;
	struct buffer text;

	buffer_init(&text, FILE_MAX);
	int result = read_file(cli, cli->words[0], &text);
	if (!result)
		result = read_passphrase(cli, passphrase);
	if (!result) {
		struct value *arguments = value_object(&cli->arena);

		put_text(cli, arguments, "file", text.data, text.len);
		put_text(cli, arguments, "passphrase", passphrase, strlen(passphrase));
		put_confirm(cli, arguments);
		result = cli_ask(cli, "restore", arguments, &answer);
	}
	buffer_fini(&text);
	return result ? result : end_apply(cli, answer);
}
