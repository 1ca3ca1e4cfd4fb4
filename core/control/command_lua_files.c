/* lua_files, lua_read: the Lua files as they stand on the disk, and what each of them is to the gateway. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/lua.h"
#include "control/put_file.h"
#include "script/shelf.h"

enum { FILES_MAX = 1000 };

struct file {
	char item[VERSION_ITEM], hash[SOURCE_HASH];
	int64_t bytes;
	int is_read_only;
};

/* Looked through on the thread: flash is slow, and there may be many. */
struct listing {
	struct lua_work work; /* first */
	char lua_dir[SCRIPT_PATH_MAX];
	int folder; /* the next one */
	struct file *files;
	int count, next; /* to be read */
	int left_out, failed;
};

static struct listing *listing_of(struct lua_work *work)
{
	return (struct listing *)work;
}

static void release(struct lua_work *work)
{
	free(listing_of(work)->files);
	free(work);
}

static int is_lua(const struct dirent *entry)
{
	char name[SCRIPT_NAME_MAX + 1];

	return entry->d_name[0] != '.' && strstr(entry->d_name, ".lua") && !script_name_of(entry->d_name, name);
}

static void list_folder(struct listing *l, const char *folder)
{
	char path[SCRIPT_PATH_MAX + 16], name[SCRIPT_NAME_MAX + 1];
	struct dirent **entries;

	(void)snprintf(path, sizeof(path), "%s/%s", l->lua_dir, folder);
	int n = scandir(path, &entries, is_lua, alphasort);
	if (n < 0)
		return;
	struct file *files = realloc(l->files, (size_t)(l->count + n + 1) * sizeof(*files));
	l->failed |= !files;
	if (files)
		l->files = files;
	for (int i = 0; i < n; i++) {
		if (files && l->count < FILES_MAX && !script_name_of(entries[i]->d_name, name)) {
			l->files[l->count] = (struct file){0};
			(void)snprintf(l->files[l->count++].item, VERSION_ITEM, "%s/%s", folder, name);
		} else {
			l->left_out++;
		}
		free(entries[i]);
	}
	free(entries);
}

/* What is saved is a new file in its folder. */
static int is_read_only(const char *path)
{
	char folder[SCRIPT_PATH_MAX + 16];

	(void)snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	return access(path, W_OK) || access(folder, W_OK);
}

static void look_at(const struct listing *l, struct file *f)
{
	char path[SCRIPT_PATH_MAX + VERSION_ITEM + 8];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s.lua", l->lua_dir, f->item);
	f->bytes = stat(path, &st) ? -1 : (int64_t)st.st_size;
	f->is_read_only = is_read_only(path);
	put_file_hash(path, f->hash);
}

static int step(struct lua_work *work)
{
	struct listing *l = listing_of(work);

	if (lua_folder(l->folder))
		list_folder(l, lua_folder(l->folder++));
	else if (l->next < l->count)
		look_at(l, &l->files[l->next++]);
	return lua_folder(l->folder) || l->next < l->count;
}

struct users {
	struct maker *m;
	struct value *list;
};

static void add_user(void *user, const char *who)
{
	struct users *u = user;

	maker_push(u->m, u->list, value_string(u->m->arena, who));
}

static struct value *put_users(struct maker *m, const struct control *control, const char *item)
{
	struct users users = {m, value_array(m->arena)};

	lua_used_by(control, item, add_user, &users);
	return users.list;
}

static void put_state(struct maker *m, struct value *o, const struct control *control, const char *item,
		      const char *hash)
{
	const struct shelf *shelf = control->sources.lua.host->shelf;
	const struct in_force all = lua_in_force(control);
	const char *there = "", *version = in_force_of(&all, item, &there), *refusal = NULL;
	char folder[VERSION_ITEM];

	(void)snprintf(folder, sizeof(folder), "%s", item);
	char *slash = strchr(folder, '/');
	*slash = '\0';
	if (shelf)
		refusal = shelf_refusal(shelf, folder, slash + 1);
	maker_flag(m, o, "in_force", version && !strcmp(there, hash));
	maker_optional(m, o, "version", version ? version : "");
	if (refusal)
		maker_text(m, o, "refused", refusal);
	maker_put(m, o, "used_by", put_users(m, control, item));
}

static int tell(struct lua_work *work, struct error *err)
{
	struct listing *l = listing_of(work);
	struct maker m = {.arena = &work->reply->arena};
	struct value *root = value_object(m.arena), *list = value_array(m.arena);

	if (l->failed)
		return error_set(err, FC_ENOMEM, "no memory");
	for (int i = 0; i < l->count; i++) {
		const struct file *f = &l->files[i];
		struct value *o = value_object(m.arena);

		if (f->bytes < 0)
			continue;
		maker_text(&m, o, "item", f->item);
		maker_int(&m, o, "bytes", f->bytes);
		maker_text(&m, o, "hash", f->hash);
		if (f->is_read_only)
			maker_flag(&m, o, "read_only", 1);
		put_state(&m, o, work->control, f->item, f->hash);
		maker_push(&m, list, o);
	}
	maker_put(&m, root, "files", list);
	if (l->left_out)
		maker_int(&m, root, "left_out", l->left_out);
	work->reply->result = m.failed ? NULL : root;
	return FC_OK;
}

int command_lua_files(struct control *control, struct control_reply *reply, struct error *err)
{
	struct listing *l = calloc(1, sizeof(*l));

	if (!l)
		return error_set(err, FC_ENOMEM, "no memory");
	l->work = (struct lua_work){.control = control, .reply = reply, .step = step, .done = tell, .release = release};
	(void)snprintf(l->lua_dir, sizeof(l->lua_dir), "%s", control->sources.lua.host->lua_dir);
	return lua_work(&l->work, err);
}

int command_lua_read(struct control *control, struct control_reply *reply, struct error *err)
{
	const char *item = control_text(reply, "item");
	struct maker m = {.arena = &reply->arena};
	char path[SCRIPT_PATH_MAX], hash[SOURCE_HASH], *text = NULL;
	size_t len = 0;
	int result = lua_path(control, item, path, err);

	if (!result)
		result = lua_read_text(path, &text, &len, hash, err);
	if (result)
		return result;
	struct value *root = value_object(m.arena);
	maker_text(&m, root, "item", item);
	maker_text(&m, root, "hash", hash);
	if (is_read_only(path))
		maker_flag(&m, root, "read_only", 1);
	put_state(&m, root, control, item, hash);
	maker_put(&m, root, "text", value_string_len(m.arena, text, len));
	free(text);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}
