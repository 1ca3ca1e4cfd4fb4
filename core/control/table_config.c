/* Commands: the configuration. */
#include <limits.h>

#include "config/edit.h"
#include "config/uci.h"
#include "control/apply.h"
#include "control/backup.h"
#include "control/command.h"
#include "script/sources.h"

static const struct control_argument check_arguments[] = {
    {"text", CONTROL_TEXT, 1, UCI_FILE_MAX, 0},
    {"edits", CONTROL_LIST, 0, EDIT_LIST_MAX, 0},
    {"version", CONTROL_INT, 1, INT_MAX, 0},
    {"scripts", CONTROL_FLAG, 0, 1, 0},
    {0},
};

static const struct control_argument apply_arguments[] = {
    {"text", CONTROL_TEXT, 1, UCI_FILE_MAX, 0},
    {"edits", CONTROL_LIST, 0, EDIT_LIST_MAX, 0},
    {"version", CONTROL_INT, 1, INT_MAX, 0},
    {"hash", CONTROL_TEXT, SOURCE_HASH - 1, SOURCE_HASH - 1, 1},
    {"confirm_s", CONTROL_INT, APPLY_CONFIRM_MIN_S, APPLY_CONFIRM_MAX_S, 0},
    {0},
};

static const struct control_argument version_arguments[] = {
    {"id", CONTROL_INT, 1, INT_MAX, 1},
    {0},
};

static const struct control_argument backup_arguments[] = {
    {"passphrase", CONTROL_SECRET, BACKUP_PASSPHRASE_MIN, BACKUP_PASSPHRASE_MAX, 1},
    {0},
};

static const struct control_argument restore_arguments[] = {
    {"file", CONTROL_TEXT, 2, BACKUP_FILE_MAX, 1},
    {"passphrase", CONTROL_SECRET, 1, BACKUP_PASSPHRASE_MAX, 1},
    {"confirm_s", CONTROL_INT, APPLY_CONFIRM_MIN_S, APPLY_CONFIRM_MAX_S, 0},
    {"only_check", CONTROL_FLAG, 0, 1, 0},
    {0},
};

const struct control_command control_configuration[] = {
    {"config_schema", CONTROL_VIEW, CONTROL_LOOK, "every section and option of the configuration, for forms",
     command_config_schema, NULL},
    {"config_show", CONTROL_OPERATE, CONTROL_LOOK,
     "the configuration, its secrets as `********`; what is `pending`, and how the `last` change ended",
     command_config_show, NULL},
    {"config_check", CONTROL_INTEGRATE, CONTROL_ACT,
     "what is wrong with a `text`, `edits` or a `version`, and what would change; `scripts`: also the Lua it needs",
     command_config_check, check_arguments},
    {"config_apply", CONTROL_INTEGRATE, CONTROL_ACT,
     "takes it over for `confirm_s` (90): then the one before comes back, unless it is confirmed; `hash` of what was "
     "read",
     command_config_apply, apply_arguments},
    {"config_confirm", CONTROL_INTEGRATE, CONTROL_ACT, "keeps it; over a connection that is newer than the change",
     command_config_confirm, NULL},
    {"config_revert", CONTROL_INTEGRATE, CONTROL_ACT, "takes it back at once", command_config_revert, NULL},
    {"config_versions", CONTROL_OPERATE, CONTROL_LOOK, "the last configurations, without secrets, the newest first",
     command_config_versions, NULL},
    {"config_version", CONTROL_OPERATE, CONTROL_LOOK, "the text of one, and what has changed since",
     command_config_version, version_arguments},
    {"backup", CONTROL_ADMINISTER, CONTROL_ACT,
     "configuration, Lua files and certificates as one file, secrets encrypted with the `passphrase`", command_backup,
     backup_arguments},
    {"restore", CONTROL_ADMINISTER, CONTROL_ACT,
     "checks such a file and takes it over like `config_apply`; `only_check`: says what would change", command_restore,
     restore_arguments},
    {0},
};
