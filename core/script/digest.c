#include "script/digest.h"

#include <wolfssl/options.h>

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/wolfcrypt/sha256.h>

enum { READ_MAX = 512 * 1024 + 1, MODULES_MAX = 128, NAME_SIZE = 65 };

/* The modules found so far; each is read in its turn. */
struct walk {
	const char *lib_dir;
	const struct script_instead *instead;
	char names[MODULES_MAX][NAME_SIZE];
	int count;
	int all; /* all of lib/ is in names */
	wc_Sha256 hash;
	char *text;
	int failed;
};

static void feed(struct walk *walk, const void *bytes, size_t len)
{
	if (wc_Sha256Update(&walk->hash, bytes, (word32)len))
		walk->failed = 1;
}

static void add_module(struct walk *walk, const char *name, size_t len)
{
	if (!len || len >= NAME_SIZE || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") < len)
		return;
	for (int i = 0; i < walk->count; i++)
		if (!strncmp(walk->names[i], name, len) && !walk->names[i][len])
			return;
	if (walk->count < MODULES_MAX)
		(void)snprintf(walk->names[walk->count++], NAME_SIZE, "%.*s", (int)len, name);
}

static int is_module(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 4 && n - 4 < NAME_SIZE && !strcmp(entry->d_name + n - 4, ".lua");
}

/* In the order of their names. */
static void add_all(struct walk *walk)
{
	struct dirent **list = NULL;
	int n = walk->all ? 0 : scandir(walk->lib_dir, &list, is_module, alphasort);

	walk->all = 1;
	for (int i = 0; i < n; i++) {
		add_module(walk, list[i]->d_name, strlen(list[i]->d_name) - 4);
		free(list[i]);
	}
	free(list);
}

static int in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static const char *skip_space(const char *at)
{
	while (isspace((unsigned char)*at))
		at++;
	return at;
}

/* at: behind the word require. */
static void take_require(struct walk *walk, const char *at)
{
	at = skip_space(at);
	int in_brackets = *at == '(';
	if (in_brackets)
		at = skip_space(at + 1);
	size_t n = *at == '"' || *at == '\'' ? strcspn(at + 1, "\"'\\\n") : 0;
	/* The whole argument is this text. */
	if (n && at[1 + n] == *at && (!in_brackets || *skip_space(at + n + 2) == ')'))
		add_module(walk, at + 1, n);
	else
		add_all(walk);
}

static void find_modules(struct walk *walk)
{
	static const char word[] = "require";
	const size_t len = sizeof(word) - 1;

	for (const char *at = walk->text; (at = strstr(at, word)); at += len)
		if ((at == walk->text || !in_name(at[-1])) && !in_name(at[len]))
			take_require(walk, at + len);
}

/* The file's bytes, READ_MAX at most. Zero when there is none. */
static int read_bytes(struct walk *walk, const char *path, size_t *len)
{
	for (const struct script_instead *i = walk->instead; i && i->path; i++)
		if (!strcmp(i->path, path)) {
			*len = i->len < READ_MAX ? i->len : READ_MAX;
			memcpy(walk->text, i->text, *len);
			return 1;
		}
	FILE *in = fopen(path, "rb");
	*len = in ? fread(walk->text, 1, READ_MAX, in) : 0;
	if (in)
		(void)fclose(in);
	return in != NULL;
}

static void read_file(struct walk *walk, const char *path)
{
	size_t len;
	int is_there = read_bytes(walk, path, &len);
	/* An empty file and none are not the same. */
	const unsigned char head[] = {is_there != 0, (unsigned char)len, (unsigned char)(len >> 8),
				      (unsigned char)(len >> 16)};

	feed(walk, head, sizeof(head));
	feed(walk, walk->text, len);
	/* A zero byte hides nothing behind it. */
	for (size_t i = 0; i < len; i++)
		if (!walk->text[i])
			walk->text[i] = ' ';
	walk->text[len] = '\0';
	find_modules(walk);
}

static void read_all(struct walk *walk, const char *lua_dir, const char *folder, const char *name)
{
	char path[640];

	(void)snprintf(path, sizeof(path), "%s/%s/%s.lua", lua_dir, folder, name);
	read_file(walk, path);
	for (int i = 0; i < walk->count; i++) {
		feed(walk, walk->names[i], strlen(walk->names[i]) + 1);
		(void)snprintf(path, sizeof(path), "%s/%s.lua", walk->lib_dir, walk->names[i]);
		read_file(walk, path);
	}
}

int digest_script(const char *lua_dir, const char *folder, const char *name, struct digest *out)
{
	return digest_instead(lua_dir, folder, name, NULL, out);
}

int digest_instead(const char *lua_dir, const char *folder, const char *name, const struct script_instead *instead,
		   struct digest *out)
{
	char lib_dir[512];
	struct walk *walk = calloc(1, sizeof(*walk));

	memset(out, 0, sizeof(*out));
	if (walk)
		walk->text = malloc(READ_MAX + 1);
	if (!walk || !walk->text) {
		free(walk);
		return FC_ENOMEM;
	}
	(void)snprintf(lib_dir, sizeof(lib_dir), "%s/lib", lua_dir);
	walk->lib_dir = lib_dir;
	walk->instead = instead;
	walk->failed = wc_InitSha256(&walk->hash) != 0;
	if (!walk->failed)
		read_all(walk, lua_dir, folder, name);
	if (!walk->failed)
		walk->failed = wc_Sha256Final(&walk->hash, out->bytes) != 0;
	wc_Sha256Free(&walk->hash);
	int failed = walk->failed;
	free(walk->text);
	free(walk);
	return failed ? FC_EIO : FC_OK;
}
