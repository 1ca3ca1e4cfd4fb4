/* lua check: files loaded as the gateway loads them. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/lua_file.h"
#include "cli/screen.h"

#define LUA_DIR "/usr/share/forecourt/lua" /* the option lua_dir's default */

struct checking {
	struct cli *cli;
	int files, bad;
};

static void print_json(const char *path, const struct lua_file *f, const struct error *err)
{
	struct buffer out;

	buffer_init(&out, 1 << 16);
	(void)json_write(&out, &(struct value){.type = VALUE_STRING, .text = path, .len = strlen(path)});
	printf("{\"file\":%s,\"good\":%s", out.data ? out.data : "\"\"", err ? "false" : "true");
	buffer_clear(&out);
	if (err)
		(void)json_write(&out,
				 &(struct value){.type = VALUE_STRING, .text = err->text, .len = strlen(err->text)});
	if (err)
		printf(",\"error\":%s}", out.data ? out.data : "\"\"");
	else
		printf(",\"examples\":%d}", f->examples);
	buffer_fini(&out);
}

static void check_file(struct checking *c, const char *path)
{
	struct lua_file file;
	struct error err = {0};
	int failed = lua_file_open(&file, c->cli, path, &err);
	struct buffer line;

	if (c->cli->json) {
		(void)fputs(c->files ? "," : "", stdout);
		print_json(path, &file, failed ? &err : NULL);
	} else {
		buffer_init(&line, 1 << 16);
		screen_add(&line, failed ? err.text : path);
		if (failed)
			printf("%s\n", line.data ? line.data : "");
		else
			printf(say(c->cli, "%s: good (%d examples)\n"), line.data ? line.data : "", file.examples);
		buffer_fini(&line);
	}
	c->files++;
	c->bad += failed != 0;
	lua_file_close(&file);
}

static int is_lua(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 4 && !strcmp(entry->d_name + n - 4, ".lua");
}

/* The Lua files in a folder, by name. FC_ENOENT when there is no such folder. */
static int check_folder(struct checking *c, const char *path)
{
	struct dirent **list;
	char file[SCRIPT_PATH_MAX];
	int n = scandir(path, &list, is_lua, alphasort);

	if (n < 0)
		return FC_ENOENT;
	for (int i = 0; i < n; i++) {
		int len = snprintf(file, sizeof(file), "%s/%s", path, list[i]->d_name);

		if (len > 0 && (size_t)len < sizeof(file))
			check_file(c, file);
		free(list[i]);
	}
	free(list);
	return FC_OK;
}

/* A whole lua folder. */
static int check_all(struct checking *c, const char *lua_dir)
{
	static const char *const folders[] = {"lib", "profiles", "operators", "policies"};
	char path[SCRIPT_PATH_MAX];
	int found = 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int len = snprintf(path, sizeof(path), "%s/%s", lua_dir, folders[i]);

		if (len > 0 && (size_t)len < sizeof(path))
			found |= !check_folder(c, path);
	}
	return found ? FC_OK : FC_ENOENT;
}

static int check_word(struct checking *c, const char *path)
{
	struct stat st;

	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		check_file(c, path);
		return FC_OK;
	}
	int before = c->files;
	int result = check_folder(c, path);
	/* A folder of folders. */
	return !result && c->files == before ? check_all(c, path) : result;
}

int cli_lua_check(struct cli *cli)
{
	struct checking c = {.cli = cli};
	const char *missing = NULL;

	log_set_level(LOG_LEVEL_ERROR);
	if (cli->json)
		(void)fputs("{\"files\":[", stdout);
	for (int i = 0; i < cli->word_count; i++)
		if (check_word(&c, cli->words[i]))
			missing = cli->words[i];
	if (!cli->word_count && check_all(&c, cli->lua_dir ? cli->lua_dir : LUA_DIR))
		missing = cli->lua_dir ? cli->lua_dir : LUA_DIR;
	if (cli->json)
		printf("],\"bad\":%d}\n", c.bad);
	if (missing) {
		fprintf(stderr, "forecourt: %s: %s\n", missing, say(cli, "there are no Lua files"));
		return CLI_REFUSED;
	}
	return c.bad ? CLI_REFUSED : CLI_DONE;
}
