/* Commands: accounts, tokens and sessions of the page. */
#include <limits.h>

#include "control/command.h"
#include "control/password.h"
#include "store/accounts.h"

enum { DAYS_MAX = 3650 };

static const struct control_argument account_set_arguments[] = {
    {"name", CONTROL_TEXT, 1, ACCOUNT_NAME - 1, 1},
    {"role", CONTROL_TEXT, 1, ACCOUNT_ROLE - 1, 0},
    {"password", CONTROL_SECRET, 1, PASSWORD_MAX, 0},
    {"reset", CONTROL_FLAG, 0, 1, 0},
    {"disabled", CONTROL_FLAG, 0, 1, 0},
    {0},
};

static const struct control_argument account_remove_arguments[] = {
    {"name", CONTROL_TEXT, 1, ACCOUNT_NAME - 1, 1},
    {0},
};

static const struct control_argument token_add_arguments[] = {
    {"name", CONTROL_TEXT, 1, ACCOUNT_NAME - 1, 1},
    {"role", CONTROL_TEXT, 1, ACCOUNT_ROLE - 1, 1},
    {"days", CONTROL_INT, 1, DAYS_MAX, 0},
    {0},
};

static const struct control_argument id_arguments[] = {
    {"id", CONTROL_INT, 1, INT_MAX, 1},
    {0},
};

const struct control_command control_accounts[] = {
    {"accounts", CONTROL_ADMINISTER, CONTROL_LOOK, "who may use the page", command_accounts, NULL},
    {"account_set", CONTROL_ADMINISTER, CONTROL_ACT,
     "adds an account or changes it; a new one, or `reset`, without `password` gets one that is told once; who was "
     "given a "
     "password sets an own one at the next log-in",
     command_account_set, account_set_arguments},
    {"account_remove", CONTROL_ADMINISTER, CONTROL_ACT, "removes an account and ends its sessions",
     command_account_remove, account_remove_arguments},
    {"tokens", CONTROL_ADMINISTER, CONTROL_LOOK, "the tokens of programs", command_tokens, NULL},
    {"token_add", CONTROL_ADMINISTER, CONTROL_ACT,
     "makes a token for a program, with a role, for so many days (365); it is told once", command_token_add,
     token_add_arguments},
    {"token_remove", CONTROL_ADMINISTER, CONTROL_ACT, "revokes a token", command_token_remove, id_arguments},
    {"sessions", CONTROL_ADMINISTER, CONTROL_LOOK, "who is logged in", command_sessions, NULL},
    {"session_end", CONTROL_ADMINISTER, CONTROL_ACT, "logs a session out", command_session_end, id_arguments},
    {0},
};
