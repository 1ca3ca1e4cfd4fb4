/* lua_api: what a Lua file can be made of, for an editor's completion: the calls of the API from the tables that they are made
 * from, the messages from their schemas, the keys of each kind of file from lua/types/files.lua where that stands beside it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/lua.h"
#include "script/describe.h"
#include "upstream/timing.h"

enum { TYPES_MAX = 64 << 10 };

struct api {
	struct maker m;
	struct value *list;
};

static void add_call(void *user, const char *subject, const char *call, const char *gives, const char *what)
{
	struct api *a = user;
	struct value *o = value_object(a->m.arena);

	maker_text(&a->m, o, "call", call);
	maker_optional(&a->m, o, "gives", gives);
	maker_text(&a->m, o, "what", what);
	maker_text(&a->m, o, "subject", subject);
	maker_push(&a->m, a->list, o);
}

/* Messages --------------------------------------------------------------------------------------------------------------- */

static struct value *put_fields(struct api *a, const struct schema *schema)
{
	struct value *list = value_array(a->m.arena);

	for (int i = 0; schema && i < schema->count; i++)
		maker_push(&a->m, list, value_string(a->m.arena, schema->fields[i].name));
	return list;
}

static struct value *put_messages(struct api *a)
{
	struct value *list = value_array(a->m.arena);

	for (int i = 0; i < message_count(); i++) {
		const struct message *message = message_at(i);
		struct value *o = value_object(a->m.arena);

		maker_text(&a->m, o, "method", message->method);
		maker_text(&a->m, o, "caller",
			   message->caller == MESSAGE_WE_CALL     ? "we"
			   : message->caller == MESSAGE_WE_ANSWER ? "they"
								  : "both");
		maker_put(&a->m, o, "request", put_fields(a, message->request));
		maker_put(&a->m, o, "answer", put_fields(a, message->answer));
		maker_push(&a->m, list, o);
	}
	return list;
}

/* Keys ------------------------------------------------------------------------------------------------------------------- */

/* "---@field name? type what" */
static void add_key(struct api *a, struct value *list, char *line)
{
	struct value *o = value_object(a->m.arena);
	char *name = line, *type = name + strcspn(name, " \t");
	int depth = 0;

	if (*type)
		*type++ = '\0';
	type += strspn(type, " \t");
	/* A type may hold blanks within its brackets, and behind a colon. */
	char *what = type;
	for (; *what && (depth || *what != ' ' || (what > type && strchr(":,|", what[-1]))); what++)
		depth += strchr("<({[", *what) ? 1 : strchr(">)}]", *what) ? -1 : 0;
	if (*what)
		*what++ = '\0';
	size_t n = strlen(name);
	if (n && name[n - 1] == '?')
		name[n - 1] = '\0';
	maker_text(&a->m, o, "name", name);
	maker_text(&a->m, o, "type", type);
	maker_optional(&a->m, o, "what", what);
	maker_push(&a->m, list, o);
}

/* Classes by their names: "forecourt.policy" ... */
static struct value *read_types(struct api *a, char *text)
{
	static const char class[] = "---@class ", field[] = "---@field ";
	struct value *types = value_object(a->m.arena), *list = NULL;

	for (char *rest, *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (!strncmp(line, class, strlen(class))) {
			char *name = line + strlen(class);

			name[strcspn(name, " :\t")] = '\0';
			list = value_array(a->m.arena);
			maker_put(&a->m, types, name, list);
		} else if (list && !strncmp(line, field, strlen(field)) && line[strlen(field)] != '[') {
			add_key(a, list, line + strlen(field));
		}
	}
	return types;
}

static void put_types(struct api *a, const struct control *control, struct value *root)
{
	char path[SCRIPT_PATH_MAX + 32], hash[SOURCE_HASH], *text = NULL;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/types/files.lua", control->sources.lua.host->lua_dir);
	if (lua_read_text(path, &text, &len, hash, NULL))
		return;
	if (len <= TYPES_MAX)
		maker_put(&a->m, root, "types", read_types(a, text));
	free(text);
}

int command_lua_api(struct control *control, struct control_reply *reply, struct error *err)
{
	struct api a = {.m = {.arena = &reply->arena}, .list = value_array(&reply->arena)};
	struct value *root = value_object(&reply->arena), *timing = value_array(&reply->arena);

	(void)err;
	script_describe_each(add_call, &a);
	maker_put(&a.m, root, "calls", a.list);
	maker_put(&a.m, root, "messages", put_messages(&a));
	for (int i = 0; i < TIMING_COUNT; i++)
		maker_push(&a.m, timing, value_string(a.m.arena, timing_name((enum timing)i)));
	maker_put(&a.m, root, "timing", timing);
	put_types(&a, control, root);
	reply->result = a.m.failed ? NULL : root;
	return FC_OK;
}
