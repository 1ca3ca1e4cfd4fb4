/* profile: `profile check`, `profile skeleton` and `profile import`, the workshop for charger models. Nothing of it asks the daemon. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/dbc_profile.h"
#include "cli/place.h"
#include "cli/screen.h"
#include "cli/skeleton.h"
#include "cli/table.h"
#include "device/report.h"

enum { POLL_MS = 1000, FOLDER = 500 };
static const size_t file_max = (size_t)1 << 20, report_max = (size_t)4 << 20;

struct check {
	struct cli *cli;
	struct arena *a;
	const char *path, *source; /* source NULL: not readable */
	struct value *mistakes;
};

static void note(struct check *c, const char *place, const char *what)
{
	struct value *m = value_object(c->a);
	int line = c->source ? place_line(c->source, place) : 0;

	(void)value_add(c->a, m, "place", value_string(c->a, place));
	if (line)
		(void)value_add(c->a, m, "line", value_int(c->a, line));
	(void)value_add(c->a, m, "what", value_string(c->a, what));
	(void)value_push(c->mistakes, m);
}

static void hear(void *user, const char *place, const char *what)
{
	note(user, place, what);
}

static char *read_file(const char *path, size_t *len)
{
	FILE *in = fopen(path, "rb");
	char *text = in ? malloc(file_max + 1) : NULL;

	*len = text ? fread(text, 1, file_max, in) : 0;
	if (text)
		text[*len] = '\0';
	if (in && (ferror(in) || !feof(in))) {
		free(text);
		text = NULL;
		errno = errno ? errno : EFBIG;
	}
	if (in)
		(void)fclose(in);
	return text;
}

/* Modules lie in lib/ beside the folder of the file. */
static void lua_folder(const char *path, char folder[FOLDER])
{
	char copy[FOLDER], up[FOLDER];

	(void)snprintf(copy, sizeof(copy), "%s", path);
	(void)snprintf(up, sizeof(up), "%s", dirname(copy));
	if (strchr(up, '/') && strcmp(strrchr(up, '/'), "/..") != 0)
		(void)snprintf(folder, FOLDER, "%s", dirname(up));
	else
		(void)snprintf(folder, FOLDER, "%.490s/..", up);
}

/* "file: examples[2].expect.power: ...": the place within the text of an error. */
static void note_error(struct check *c, const char *text)
{
	size_t n = strlen(c->path);
	const char *rest = !strncmp(text, c->path, n) && !strncmp(text + n, ": ", 2) ? text + n + 2 : text;
	const char *colon = strstr(rest, ": ");
	char place[120];

	if (strncmp(rest, "examples[", 9) != 0 || !colon || colon - rest >= (long)sizeof(place)) {
		note(c, "", rest);
		return;
	}
	(void)snprintf(place, sizeof(place), "%.*s", (int)(colon - rest), rest);
	note(c, place, colon + 2);
}

/* An object {file, ok, mistakes, report}; *ok too. */
static struct value *check_file(struct cli *cli, struct arena *a, const char *path, int *ok)
{
	struct check c = {.cli = cli, .a = a, .path = path, .mistakes = value_array(a)};
	const struct profile_listener listener = {.mistake = hear, .user = &c};
	struct value *out = value_object(a);
	struct error err = {0};
	char folder[FOLDER];
	size_t len;
	char *source = read_file(path, &len);

	c.source = source;
	lua_folder(path, folder);
	struct profile *profile = profile_load_file(&(struct script_host){.lua_dir = folder}, path, &listener, &err);
	if (!profile && !c.mistakes->count)
		note_error(&c, err.text);
	*ok = profile != NULL;
	(void)value_add(a, out, "file", value_string(a, path));
	(void)value_add(a, out, "ok", value_bool(a, *ok));
	(void)value_add(a, out, "mistakes", c.mistakes);
	if (profile)
		(void)value_add(a, out, "report", profile_report(profile, POLL_MS, a));
	profile_free(profile);
	free(source);
	return out;
}

static void print_line(const char *text)
{
	struct buffer out;

	buffer_init(&out, report_max);
	screen_add(&out, text);
	(void)puts(out.data ? out.data : "");
	buffer_fini(&out);
}

static void print_mistakes(const char *path, const struct value *mistakes)
{
	char text[600];

	value_each (m, mistakes) {
		int64_t line = cli_int(m, "line");
		const char *place = cli_text(m, "place");
		char number[24] = "";

		if (line)
			(void)snprintf(number, sizeof(number), "%lld:", (long long)line);
		(void)snprintf(text, sizeof(text), "%s:%s %s%s%s", path, number, place, *place ? ": " : "",
			       cli_text(m, "what"));
		print_line(text);
	}
}

static void join(const struct value *list, char *text, size_t size)
{
	text[0] = '\0';
	value_each (v, list)
		(void)snprintf(text + strlen(text), size - strlen(text), "%s%s", *text ? " " : "", value_text(v));
}

static void print_blocks(const struct cli *cli, const struct value *blocks)
{
	static const char *const names[] = {"unit", "fc", "address", "words", "ms", "points"};
	static const char *const keys[] = {"unit", "fc", "address", "words", "period_ms"};
	struct table table;
	char text[2000];

	table_init(&table, 6, 0x1F);
	for (int i = 0; i < 6; i++)
		table_cell(&table, i ? say(cli, names[i]) : say(cli, "bus unit"));
	value_each (b, blocks) {
		for (int i = 0; i < 5; i++) {
			(void)snprintf(text, sizeof(text), "%lld", (long long)cli_int(b, keys[i]));
			/* A meter is asked for identifiers, which manuals say in hex. */
			if (i == 2 && value_get(b, "identifier"))
				(void)snprintf(text, sizeof(text), "%08llX", (long long)cli_int(b, "identifier"));
			table_cell(&table, text);
		}
		join(value_get(b, "points"), text, sizeof(text));
		table_cell(&table, *text ? text : say(cli, "keep-alive"));
	}
	table_print(&table, stdout);
	table_fini(&table);
}

static void print_ranges(const struct cli *cli, const char *title, const struct value *list)
{
	char text[600] = "";

	value_each (pair, list)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " %lld-%lld",
			       (long long)pair->first->i, (long long)pair->last->i);
	if (*text)
		printf("%s:%s\n", say(cli, title), text);
}

static void print_writes(const struct cli *cli, const struct value *report)
{
	char text[1200];

	value_each (c, value_get(report, "commands")) {
		const char *indent = say(cli, "command"), *name = cli_text(c, "name");

		value_each (step, value_get(c, "steps")) {
			(void)snprintf(text, sizeof(text), "%s %s: %s", indent, name, value_text(step));
			print_line(text);
			indent = "  +";
		}
	}
	value_each (k, value_get(report, "keep_alives")) {
		(void)snprintf(text, sizeof(text), "%s: %s", say(cli, "keep-alive"), value_text(k));
		print_line(text);
	}
	if (*cli_text(report, "setpoint")) {
		(void)snprintf(text, sizeof(text), "%s: %s", say(cli, "setpoint"), cli_text(report, "setpoint"));
		print_line(text);
	}
}

/* Tenths as they are. */
static double tenths(const struct value *report, const char *key)
{
	double d = 0;

	(void)value_to_double(value_get(report, key), &d);
	return d;
}

/* Of a device on a CAN bus: what it is asked, and what it says by itself. */
static void print_requests(const struct cli *cli, const struct value *report)
{
	static const char *const names[] = {"request", "frame", "items", "ms", "points"};
	struct table table;
	char text[2000];

	table_init(&table, 5, 0xC);
	for (int i = 0; i < 5; i++)
		table_cell(&table, say(cli, names[i]));
	value_each (r, value_get(report, "requests")) {
		table_cell(&table, cli_text(r, "name"));
		table_cell(&table, cli_text(r, "frame"));
		(void)snprintf(text, sizeof(text), "%lld", (long long)cli_int(r, "items"));
		table_cell(&table, cli_int(r, "items") ? text : "");
		(void)snprintf(text, sizeof(text), "%lld", (long long)cli_int(r, "period_ms"));
		table_cell(&table, text);
		join(value_get(r, "points"), text, sizeof(text));
		table_cell(&table, text);
	}
	value_each (m, value_get(report, "messages")) {
		table_cell(&table, cli_text(m, "name"));
		table_cell(&table, say(cli, "comes by itself"));
		table_cell(&table, "");
		(void)snprintf(text, sizeof(text), "%lld", (long long)cli_int(m, "period_ms"));
		table_cell(&table, text);
		table_cell(&table, "");
	}
	table_print(&table, stdout);
	table_fini(&table);
}

static void print_can(const struct cli *cli, const struct value *report)
{
	printf("%s %lld: %s %.1f", say(cli, "poll_ms"), (long long)cli_int(report, "poll_ms"),
	       say(cli, "frames a second"), tenths(report, "frames_per_s"));
	if (cli_int(report, "bitrate"))
		printf(", %s %lld: %.1f %%", say(cli, "of a bus of bit/s"), (long long)cli_int(report, "bitrate"),
		       tenths(report, "load"));
	(void)putchar('\n');
	print_requests(cli, report);
}

static void print_modbus(const struct cli *cli, const struct value *report)
{
	const struct value *blocks = value_get(report, "blocks");
	int is_meter = blocks && blocks->first && value_get(blocks->first, "identifier");

	printf("%s %lld: %s %.1f, %s %.1f, %s %.1f %%\n", say(cli, "poll_ms"), (long long)cli_int(report, "poll_ms"),
	       say(cli, "reads a second"), tenths(report, "reads_per_s"), say(cli, "words a second"),
	       tenths(report, "words_per_s"), say(cli, is_meter ? "of a line of 2400 baud" : "of a line of 9600 baud"),
	       tenths(report, "load_9600"));
	print_blocks(cli, value_get(report, "blocks"));
	print_ranges(cli, "never touched", value_get(report, "deny"));
	print_ranges(cli, "never written", value_get(report, "deny_write"));
}

static void print_report(const struct cli *cli, const char *path, const struct value *report)
{
	char text[600];

	(void)snprintf(text, sizeof(text), "%s: %s", path, say(cli, "ok"));
	print_line(text);
	printf("%s %lld, %s %lld, %s %lld, %s %lld\n", say(cli, "points"), (long long)cli_int(report, "points"),
	       say(cli, "connectors"), (long long)cli_int(report, "connectors"), say(cli, "examples"),
	       (long long)cli_int(report, "examples"), say(cli, "hooks"), (long long)cli_int(report, "hooks"));
	/* Who only listens has neither. */
	if (value_get(report, "requests"))
		print_can(cli, report);
	else if (value_get(report, "blocks"))
		print_modbus(cli, report);
	print_writes(cli, report);
	value_each (w, value_get(report, "warnings")) {
		(void)snprintf(text, sizeof(text), "%s: %s: %s", say(cli, "warning"), cli_text(w, "place"),
			       say(cli, cli_text(w, "what")));
		print_line(text);
	}
}

static void print_json(const struct value *v)
{
	struct buffer out;

	buffer_init(&out, report_max);
	if (!json_write(&out, v) && out.data)
		screen_json((struct raw){out.data, out.len}, stdout);
	(void)putchar('\n');
	buffer_fini(&out);
}

int cli_profile_check(struct cli *cli)
{
	int result = CLI_DONE;

	for (int i = 0; i < cli->word_count; i++) {
		struct arena a;
		int ok = 0;

		arena_init(&a, report_max);
		const struct value *out = check_file(cli, &a, cli->words[i], &ok);
		if (cli->json) {
			print_json(out);
		} else {
			if (i)
				(void)putchar('\n');
			print_mistakes(cli->words[i], value_get(out, "mistakes"));
			if (ok)
				print_report(cli, cli->words[i], value_get(out, "report"));
		}
		result = ok ? result : CLI_REFUSED;
		arena_fini(&a);
	}
	return result;
}

static void tell_row(void *user, int line, const char *what)
{
	const struct cli *cli = user;

	fprintf(stderr, "%s:%d: %s\n", cli->words[0], line, say(cli, what));
}

int cli_profile_skeleton(struct cli *cli)
{
	size_t len;
	char *text = read_file(cli->words[0], &len);
	struct buffer out;
	struct error err = {0};

	if (!text)
		return cli_fail(cli, CLI_REFUSED, "file", cli->words[0], strerror(errno));
	buffer_init(&out, report_max);
	int bad = skeleton_make(cli->words[0], text, len, tell_row, cli, &out, &err);
	free(text);
	if (bad < 0)
		bad = -cli_fail(cli, CLI_REFUSED, "skeleton", cli->words[0], err.text);
	else if (cli->json)
		print_json(value_string(&cli->arena, out.data));
	else
		(void)fputs(out.data, stdout);
	buffer_fini(&out);
	return bad ? CLI_REFUSED : CLI_DONE;
}

int cli_profile_import(struct cli *cli)
{
	size_t len;
	char *text = read_file(cli->words[0], &len);
	struct buffer out;
	struct error err = {0};
	struct dbc dbc;

	if (!text)
		return cli_fail(cli, CLI_REFUSED, "file", cli->words[0], strerror(errno));
	buffer_init(&out, report_max);
	int result = dbc_read(&dbc, text, len, tell_row, cli, &err);
	if (!result)
		result = dbc_profile_make(cli->words[0], &dbc, cli->words + 1, cli->word_count - 1, &out, &err);
	if (result)
		(void)cli_fail(cli, CLI_REFUSED, "import", cli->words[0], err.text);
	else if (cli->json)
		print_json(value_string(&cli->arena, out.data));
	else
		(void)fputs(out.data, stdout);
	result = result || dbc.left_out ? CLI_REFUSED : CLI_DONE;
	dbc_fini(&dbc);
	buffer_fini(&out);
	free(text);
	return result;
}
