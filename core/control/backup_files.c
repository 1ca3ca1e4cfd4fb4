#include "control/backup_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/maker.h"

enum { PATHS_MAX = 256 };

struct seen {
	const char *paths[PATHS_MAX];
	int count;
};

static void add(struct seen *seen, const char *path)
{
	for (int i = 0; i < seen->count; i++)
		if (!strcmp(seen->paths[i], path))
			return;
	if (*path && seen->count < PATHS_MAX)
		seen->paths[seen->count++] = path;
}

static void collect(const struct config *c, struct seen *seen)
{
	seen->count = 0;
	add(seen, c->admin.certificate);
	add(seen, c->admin.key);
	for (int i = 0; i < c->listen_count; i++) {
		add(seen, c->listens[i].certificate);
		add(seen, c->listens[i].key);
		add(seen, c->listens[i].client_ca);
	}
	for (int i = 0; i < c->platform_count; i++) {
		add(seen, c->platforms[i].ca);
		add(seen, c->platforms[i].certificate);
		add(seen, c->platforms[i].key);
	}
}

void backup_files_each(const struct config *config, void (*fn)(void *user, const char *path), void *user)
{
	struct seen seen;

	collect(config, &seen);
	for (int i = 0; i < seen.count; i++)
		fn(user, seen.paths[i]);
}

/* Blocks --------------------------------------------------------------------------------------------------------------- */

static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ";
static const char coded[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

/* The next line without its end, and without blanks behind it; NULL: there is none. */
static const char *take_line(const char **at, size_t *len)
{
	const char *line = *at;

	if (!*line)
		return NULL;
	*len = strcspn(line, "\n");
	*at = line + *len + (line[*len] == '\n');
	while (*len && strchr(" \t\r", line[*len - 1]))
		--*len;
	return line;
}

/* "-----BEGIN LABEL-----", word being BEGIN or END: the length of the label, 0 = it is no such line. */
static size_t label_of(const char *line, size_t len, const char *word, const char **label)
{
	char begin[16];
	int n = snprintf(begin, sizeof(begin), "-----%s ", word);
	size_t head = (size_t)n;

	if (len < head + 6 || strncmp(line, begin, head) != 0 || strncmp(line + len - 5, "-----", 5) != 0)
		return 0;
	*label = line + head;
	size_t n_label = len - head - 5;
	return strspn(*label, capitals) >= n_label ? n_label : 0;
}

/* One line behind BEGIN: base64, or (in_head) what says how a key is encrypted. */
static int is_inside(const char *line, size_t len, int *in_head)
{
	static const char *const heads[] = {"Proc-Type: 4,ENCRYPTED", "DEK-Info: "};

	for (size_t i = 0; *in_head && i < sizeof(heads) / sizeof(heads[0]); i++)
		if (len < 80 && !strncmp(line, heads[i], strlen(heads[i])) &&
		    strspn(line + strlen(heads[i]), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-,") >= len - strlen(heads[i]))
			return 1;
	if (!len)
		return *in_head;
	*in_head = 0;
	return len <= 76 && strspn(line, coded) >= len;
}

/* Copies the block that begins behind *at; 0 when it is none. */
static int copy_block(const char **at, const char *label, size_t label_len, char *out, size_t *used)
{
	const char *line, *end_label;
	size_t len;
	int in_head = 1;

	*used += (size_t)sprintf(out + *used, "-----BEGIN %.*s-----\n", (int)label_len, label);
	while ((line = take_line(at, &len))) {
		if (label_of(line, len, "END", &end_label) == label_len && !strncmp(end_label, label, label_len)) {
			*used += (size_t)sprintf(out + *used, "-----END %.*s-----\n", (int)label_len, label);
			return 1;
		}
		if (!is_inside(line, len, &in_head))
			return 0;
		*used += (size_t)sprintf(out + *used, "%.*s\n", (int)len, line);
	}
	return 0;
}

char *backup_files_pem(const char *text, size_t len, size_t *pem_len)
{
	const char *at = text, *line, *label;
	/* Each line may gain an end that it did not have. */
	char *out = strlen(text) == len ? malloc(len + 2) : NULL;
	size_t used = 0, n;

	while (out && (line = take_line(&at, &n))) {
		size_t label_len = label_of(line, n, "BEGIN", &label);

		if (label_len && !copy_block(&at, label, label_len, out, &used)) {
			free(out);
			return NULL;
		}
	}
	if (out && !used) {
		free(out);
		return NULL;
	}
	*pem_len = used;
	return out;
}

static int is_pem(const char *text, size_t len)
{
	size_t unused;
	char *pem = backup_files_pem(text, len, &unused);

	free(pem);
	return pem != NULL;
}

/* Files ---------------------------------------------------------------------------------------------------------------- */

char *backup_files_text(const char *path, size_t *len)
{
	struct stat st;
	FILE *in = !stat(path, &st) && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
	char *text = in ? malloc(BACKUP_PEM_MAX + 2) : NULL;

	*len = text ? fread(text, 1, BACKUP_PEM_MAX + 1, in) : 0;
	if (in)
		(void)fclose(in);
	if (text)
		text[*len] = '\0';
	if (text && *len <= BACKUP_PEM_MAX && is_pem(text, *len))
		return text;
	free(text);
	return NULL;
}

struct value *backup_files_read(const struct config *config, struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *list = value_array(arena);
	struct seen seen;

	collect(config, &seen);
	for (int i = 0; i < seen.count; i++) {
		size_t len;
		char *text = backup_files_text(seen.paths[i], &len);
		struct value *o = text ? value_object(arena) : NULL;

		if (!text)
			continue;
		maker_text(&m, o, "path", seen.paths[i]);
		maker_put(&m, o, "text", value_string_len(arena, text, len));
		maker_push(&m, list, o);
		free(text);
	}
	return m.failed ? NULL : list;
}

int backup_files_check(const struct config *config, const struct value *files, struct error *err)
{
	struct seen seen;

	collect(config, &seen);
	value_each (file, files) {
		const struct value *text = value_get(file, "text"), *name = value_get(file, "path");
		const char *path = value_text(name);
		int named = 0;
		size_t len;

		for (int i = 0; path && i < seen.count; i++)
			named |= strlen(path) == name->len && !strcmp(seen.paths[i], path);
		if (!named || *path != '/' || strstr(path, "/../"))
			return error_set(err, FC_EINVAL,
					 "the backup holds a file that its configuration does not name");
		if (!value_text(text) || text->len > BACKUP_PEM_MAX || !is_pem(text->text, text->len))
			return error_set(err, FC_EINVAL, "%.100s: what the backup has is no certificate and no key",
					 path);
		char *there = access(path, F_OK) ? NULL : backup_files_text(path, &len);
		int is_other = !there && !access(path, F_OK);
		free(there);
		if (is_other)
			return error_set(err, FC_EINVAL, "%.100s: what is there is no certificate and no key", path);
	}
	return FC_OK;
}
