/* lua test: a file's examples one by one, all of them; or one function of it, tried with an input. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/tree.h"
#include "cli/lua_file.h"
#include "cli/screen.h"

static const size_t memory = (size_t)16 << 20, text_max = (size_t)4 << 20;

static void print_safe(const char *text)
{
	struct buffer safe;

	buffer_init(&safe, text_max);
	screen_add(&safe, text);
	printf("%s\n", safe.data ? safe.data : "");
	buffer_fini(&safe);
}

static void print_json_text(const char *text)
{
	struct buffer out;

	buffer_init(&out, text_max);
	if (!json_write(&out, &(struct value){.type = VALUE_STRING, .text = text, .len = strlen(text)}))
		(void)fputs(out.data, stdout);
	buffer_fini(&out);
}

/* The file's own examples ------------------------------------------------------------------------------------------ */

/* err NULL: it is as expected. The place of an example is said before: "FILE: examples[2]: ". */
static void print_example(const struct cli *cli, const char *path, const char *call, int number,
			  const struct error *err)
{
	char line[ERROR_TEXT_MAX + 200], head[200];
	const char *why = err ? err->text : "";

	int n = snprintf(head, sizeof(head), "%s: examples[%d]: ", path, number);
	if (n > 0 && !strncmp(why, head, (size_t)n))
		why += n;
	if (!cli->json) {
		(void)snprintf(line, sizeof(line), "examples[%d] %s: %s%s%s", number, call,
			       say(cli, err ? "differs" : "ok"), err ? ": " : "", why);
		print_safe(line);
		return;
	}
	printf("%s{\"example\":%d,\"call\":", number > 1 ? "," : "", number);
	print_json_text(call);
	printf(",\"ok\":%s", err ? "false" : "true");
	if (err) {
		(void)fputs(",\"error\":", stdout);
		print_json_text(why);
	}
	(void)fputs("}", stdout);
}

static int run_examples(struct cli *cli, struct script *script)
{
	const struct value *examples = value_get(script_table(script), "examples");
	int count = script_example_count(script), bad = 0;
	const struct value *example = count ? examples->first : NULL;

	for (int i = 1; i <= count; i++, example = example->next) {
		const char *call = value_text(value_get(example, "call"));
		struct error err = {0};
		int failed = script_run_one_example(script, i, &err);

		bad += failed != 0;
		print_example(cli, script_path(script), call ? call : "-", i, failed ? &err : NULL);
	}
	if (!cli->json)
		printf(say(cli, "%d examples, %d differ\n"), count, bad);
	return bad;
}

/* Those of a profile are registers, run by the device room: all or none. And a file may be wrong beside its examples. */
static int test_file(struct cli *cli)
{
	struct lua_file file;
	struct error err = {0};
	struct script *script = lua_file_script(&file, cli, cli->words[0], &err);
	int bad = 0;

	if (!script)
		return cli_fail(cli, CLI_REFUSED, "script", NULL, err.text);
	const char *kind = value_text(value_get(script_table(script), "kind"));
	if (cli->json)
		(void)fputs("{\"examples\":[", stdout);
	if (!kind || strcmp(kind, "profile") != 0)
		bad = run_examples(cli, script);
	script_free(script);
	if (cli->json)
		printf("],\"differ\":%d}\n", bad);
	if (bad)
		return CLI_REFUSED;
	if (lua_file_open(&file, cli, cli->words[0], &err)) {
		fprintf(stderr, "forecourt: %s\n", err.text);
		return CLI_REFUSED;
	}
	if (file.kind == LUA_PROFILE && !cli->json)
		printf(say(cli, "%s: good (%d examples)\n"), file.path, file.examples);
	lua_file_close(&file);
	return CLI_DONE;
}

/* One function ------------------------------------------------------------------------------------------------------- */

/* text NULL gives NULL. */
static int read_argument(struct cli *cli, const char *name, const char *text, struct value **out)
{
	char what[100];
	size_t at;

	*out = NULL;
	if (!text || !tree_read(text, strlen(text), TREE_AS_RECEIVED, &cli->arena, out, &at))
		return CLI_DONE;
	(void)snprintf(what, sizeof(what), "%s, byte %zu", name, at + 1);
	return cli_fail(cli, CLI_USAGE, "usage", what, "is no JSON");
}

static int call_function(struct cli *cli)
{
	struct lua_file file;
	struct value *input, *context, *out = NULL;
	struct error err = {0};
	struct buffer text;
	int result = read_argument(cli, "--input", cli->input, &input);

	if (!result)
		result = read_argument(cli, "--context", cli->context, &context);
	if (result)
		return result;
	/* What the script logs is what its writer wants to see now. */
	log_set_level(LOG_LEVEL_INFO);
	struct script *script = lua_file_script(&file, cli, cli->words[0], &err);
	if (!script)
		return cli_fail(cli, CLI_REFUSED, "script", NULL, err.text);
	buffer_init(&text, text_max);
	if (script_call(script, cli->call, input, context, &cli->arena, &out, &err))
		result = cli_fail(cli, CLI_REFUSED, "script", NULL, err.text);
	else if (out && json_write(&text, out))
		result = cli_fail(cli, CLI_REFUSED, "script", cli->call, "its result is too large");
	else {
		screen_json(out ? (struct raw){text.data, text.len} : (struct raw){"null", 4}, stdout);
		(void)fputc('\n', stdout);
	}
	buffer_fini(&text);
	script_free(script);
	return result;
}

int cli_lua_test(struct cli *cli)
{
	arena_fini(&cli->arena);
	arena_init(&cli->arena, memory);
	log_set_level(LOG_LEVEL_ERROR);
	if (!cli->call && (cli->input || cli->context))
		return cli_fail(cli, CLI_USAGE, "usage", "--call", "is missing");
	return cli->call ? call_function(cli) : test_file(cli);
}
