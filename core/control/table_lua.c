/* Commands: Lua files. */
#include <limits.h>

#include "control/command.h"
#include "control/lua.h"

enum { PAGE_MAX = 100 };

static const struct control_argument lua_item_arguments[] = {
    {"item", CONTROL_TEXT, 3, VERSION_ITEM - 1, 1},
    {0},
};

static const struct control_argument lua_text_arguments[] = {
    {"item", CONTROL_TEXT, 3, VERSION_ITEM - 1, 1},
    {"text", CONTROL_TEXT, 0, LUA_TEXT_MAX, 1},
    {0},
};

static const struct control_argument lua_save_arguments[] = {
    {"item", CONTROL_TEXT, 3, VERSION_ITEM - 1, 1},
    {"text", CONTROL_TEXT, 0, LUA_TEXT_MAX, 1},
    {"hash", CONTROL_TEXT, 0, SOURCE_HASH - 1, 0},
    {0},
};

static const struct control_argument lua_remove_arguments[] = {
    {"item", CONTROL_TEXT, 3, VERSION_ITEM - 1, 1},
    {"hash", CONTROL_TEXT, SOURCE_HASH - 1, SOURCE_HASH - 1, 1},
    {0},
};

static const struct control_argument lua_versions_arguments[] = {
    {"item", CONTROL_TEXT, 3, VERSION_ITEM - 1, 0},
    {"limit", CONTROL_INT, 1, PAGE_MAX, 0},
    {"after", CONTROL_INT, 1, INT_MAX, 0},
    {0},
};

static const struct control_argument lua_show_arguments[] = {
    {"item", CONTROL_TEXT, 3, VERSION_ITEM - 1, 1},
    {"version", CONTROL_TEXT, LUA_PREFIX_MIN, JOURNAL_VERSION - 1, 0},
    {"before", CONTROL_FLAG, 0, 1, 0},
    {0},
};

static const struct control_argument lua_rollback_arguments[] = {
    {"item", CONTROL_TEXT, 3, VERSION_ITEM - 1, 1},
    {"version", CONTROL_TEXT, LUA_PREFIX_MIN, JOURNAL_VERSION - 1, 0},
    {"modules", CONTROL_FLAG, 0, 1, 0},
    {0},
};

const struct control_command control_lua_files[] = {
    {"lua_files", CONTROL_VIEW, CONTROL_LOOK, "the Lua files, which of them are in force, and who uses them",
     command_lua_files, NULL},
    {"lua_read", CONTROL_OPERATE, CONTROL_LOOK, "a Lua file as it stands on the disk", command_lua_read,
     lua_item_arguments},
    {"lua_api", CONTROL_VIEW, CONTROL_LOOK, "what a Lua file can be made of: calls, messages, keys", command_lua_api,
     NULL},
    {"lua_check", CONTROL_INTEGRATE, CONTROL_LOOK,
     "tries a text as if it stood in its file: form, examples, and what uses it; nothing changes", command_lua_check,
     lua_text_arguments},
    {"lua_preview", CONTROL_INTEGRATE, CONTROL_LOOK,
     "what a text would change in the recorded messages and in the money of the last orders; nothing changes",
     command_lua_preview, lua_text_arguments},
    {"lua_save", CONTROL_INTEGRATE, CONTROL_ACT,
     "checks a text, puts it into its file and into force; `hash` is of the text that was read, none for a new file",
     command_lua_save, lua_save_arguments},
    {"lua_remove", CONTROL_INTEGRATE, CONTROL_ACT, "removes a Lua file that nobody uses", command_lua_remove,
     lua_remove_arguments},
    {"lua_versions", CONTROL_VIEW, CONTROL_LOOK,
     "the versions of Lua files that came into force, the newest first; `next` goes into `after`", command_lua_versions,
     lua_versions_arguments},
    {"lua_show", CONTROL_OPERATE, CONTROL_LOOK,
     "a version and its text: the one in force, the one named, or the one `before` that", command_lua_show,
     lua_show_arguments},
    {"lua_rollback", CONTROL_INTEGRATE, CONTROL_ACT,
     "puts an earlier version (the one before) into its file and into force; `modules`: with the modules it was made "
     "of",
     command_lua_rollback, lua_rollback_arguments},
    {"lua_reload", CONTROL_INTEGRATE, CONTROL_ACT, "loads all Lua files again", command_lua_reload, NULL},
    {0},
};
