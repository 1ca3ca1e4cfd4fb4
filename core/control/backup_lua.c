#include "control/backup_lua.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "control/bytes.h"

static const char *const folders[] = {"lib", "operators", "policies", "profiles"};
enum { FOLDERS = sizeof(folders) / sizeof(folders[0]), LINE = 100, PATH_SIZE = 600 };

/* "folder/name": what a configuration may name. */
static int is_item(const char *item)
{
	const char *slash = strchr(item, '/');

	if (!slash || strlen(slash + 1) > 60 || !slash[1])
		return 0;
	for (int i = 0; i < FOLDERS; i++)
		if (strlen(folders[i]) == (size_t)(slash - item) && !strncmp(item, folders[i], (size_t)(slash - item)))
			return slash[1] != '.' &&
			       strspn(slash + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
				   strlen(slash + 1);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct backup_lua_file *)a)->item, ((const struct backup_lua_file *)b)->item);
}

static int read_file(struct backup_lua_file *file, const char *lua_dir, size_t room, struct arena *arena,
		     struct error *err)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%.400s/%s.lua", lua_dir, file->item);
	FILE *in = fopen(path, "rb");
	char *text = in ? malloc(room + 1) : NULL;
	size_t n = text ? fread(text, 1, room + 1, in) : 0;
	int failed = !in || !text || ferror(in), why = errno;
	if (in)
		(void)fclose(in);
	if (!failed && n <= room) {
		file->text = arena_copy(arena, text, n);
		file->len = n;
	}
	free(text);
	if (failed)
		return error_set(err, FC_EIO, "%s: %s", path, strerror(why));
	if (n > room)
		return error_set(err, FC_ELIMIT, "%s: the Lua files are too large for a backup", path);
	return file->text ? FC_OK : error_set(err, FC_ENOMEM, "no memory");
}

static int list_folder(struct backup_lua *lua, const char *lua_dir, const char *folder, struct error *err)
{
	char path[PATH_SIZE];
	struct dirent *entry;

	(void)snprintf(path, sizeof(path), "%.400s/%s", lua_dir, folder);
	DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? FC_OK : error_set(err, FC_EIO, "%s: %s", path, strerror(errno));
	int result = FC_OK;
	while (!result && (entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);
		char item[PATH_SIZE];

		if (n < 5 || strcmp(entry->d_name + n - 4, ".lua") != 0)
			continue;
		(void)snprintf(item, sizeof(item), "%s/%.*s", folder, (int)(n - 4), entry->d_name);
		if (!is_item(item))
			continue;
		if (lua->count == BACKUP_LUA_FILES)
			result = error_set(err, FC_ELIMIT, "more than %d Lua files", BACKUP_LUA_FILES);
		else
			(void)snprintf(lua->files[lua->count++].item, sizeof(lua->files->item), "%.79s", item);
	}
	(void)closedir(dir);
	return result;
}

int backup_lua_read(struct backup_lua *lua, const char *lua_dir, struct arena *arena, struct error *err)
{
	size_t used = 0;
	int result = FC_OK;

	lua->count = 0;
	for (int i = 0; i < FOLDERS && !result; i++)
		result = list_folder(lua, lua_dir, folders[i], err);
	qsort(lua->files, (size_t)lua->count, sizeof(*lua->files), compare);
	for (int i = 0; i < lua->count && !result; i++) {
		result = read_file(&lua->files[i], lua_dir, BACKUP_LUA_BYTES - used, arena, err);
		used += lua->files[i].len;
	}
	return result;
}

int backup_lua_pack(const struct backup_lua *lua, char **list, char **data, struct error *err)
{
	size_t bytes = 0, at = 0, line = 0;
	uLongf packed_len;

	for (int i = 0; i < lua->count; i++)
		bytes += lua->files[i].len;
	packed_len = compressBound((uLong)bytes);
	unsigned char *whole = malloc(bytes + 1), *packed = malloc(packed_len);
	*list = malloc((size_t)lua->count * LINE + 1);
	*data = NULL;
	if (*list)
		**list = '\0';
	for (int i = 0; whole && *list && i < lua->count; i++) {
		const struct backup_lua_file *f = &lua->files[i];

		memcpy(whole + at, f->text, f->len);
		at += f->len;
		line += (size_t)snprintf(*list + line, LINE, "%s %zu\n", f->item, f->len);
	}
	if (whole && packed && *list && compress2(packed, &packed_len, whole, (uLong)bytes, 9) == Z_OK)
		*data = bytes_to_base64(packed, packed_len);
	free(whole);
	free(packed);
	if (*data)
		return FC_OK;
	free(*list);
	*list = NULL;
	return error_set(err, FC_ENOMEM, "no memory");
}

/* Names and lengths; their sum in *bytes. */
static int read_list(struct backup_lua *lua, const char *list, size_t *bytes)
{
	lua->count = 0;
	*bytes = 0;
	while (*list) {
		size_t n = strcspn(list, "\n");
		struct backup_lua_file *f = &lua->files[lua->count];
		char line[LINE];
		unsigned long len;

		if (lua->count == BACKUP_LUA_FILES || n >= sizeof(line) || !list[n])
			return -1;
		(void)snprintf(line, sizeof(line), "%.*s", (int)n, list);
		if (sscanf(line, "%79s %lu", f->item, &len) != 2 || !is_item(f->item) || len > BACKUP_LUA_BYTES)
			return -1;
		/* As they are written. Of two of one name the first would be tried and the last one written. */
		if (lua->count && compare(f - 1, f) >= 0)
			return -1;
		f->len = len;
		*bytes += len;
		lua->count++;
		if (*bytes > BACKUP_LUA_BYTES)
			return -1;
		list += n + 1;
	}
	return 0;
}

int backup_lua_unpack(struct backup_lua *lua, const char *list, const char *data, struct arena *arena,
		      struct error *err)
{
	size_t bytes, packed_len = 0, at = 0;
	int bad = read_list(lua, list, &bytes);
	unsigned char *packed = bad ? NULL : bytes_from_base64(data, strlen(data), &packed_len);
	unsigned char *whole = bad ? NULL : malloc(bytes + 1);
	uLongf whole_len = (uLongf)bytes;

	/* No more than was announced is ever unpacked. */
	if (!packed || !whole || uncompress(whole, &whole_len, packed, (uLong)packed_len) != Z_OK || whole_len != bytes)
		bad = 1;
	for (int i = 0; i < lua->count && !bad; i++) {
		lua->files[i].text = arena_copy(arena, (const char *)whole + at, lua->files[i].len);
		at += lua->files[i].len;
		bad = !lua->files[i].text;
	}
	free(packed);
	free(whole);
	return bad ? error_set(err, FC_EINVAL, "the backup's Lua files are damaged") : FC_OK;
}
