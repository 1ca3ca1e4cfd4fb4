/* The table of commands. */
#include <limits.h>

#include "control/command.h"
#include "control/lua.h"

enum { PAGE_MAX = 100, RECORD_ORDERS_MAX = 10000 };

static const struct control_argument connectors_arguments[] = {
    {"connector", CONTROL_TEXT, 1, ORDER_ID - 1, 0},
    {0},
};

static const struct control_argument start_arguments[] = {
    {"connector", CONTROL_TEXT, 1, ORDER_ID - 1, 1},
    {"class", CONTROL_TEXT, 0, sizeof(((struct order *)0)->user_class) - 1, 0},
    {0},
};

/* One of the two. */
static const struct control_argument stop_arguments[] = {
    {"connector", CONTROL_TEXT, 1, ORDER_ID - 1, 0},
    {"seq", CONTROL_TEXT, 1, JOURNAL_SEQ - 1, 0},
    {0},
};

static const struct control_argument orders_arguments[] = {
    {"open", CONTROL_FLAG, 0, 1, 0},
    {"platform", CONTROL_TEXT, 0, JOURNAL_NAME - 1, 0},
    {"from", CONTROL_DATE, 8, CONTROL_DATE_MAX, 0},
    {"to", CONTROL_DATE, 8, CONTROL_DATE_MAX, 0},
    {"oldest_first", CONTROL_FLAG, 0, 1, 0},
    {"details", CONTROL_FLAG, 0, 1, 0},
    {"limit", CONTROL_INT, 1, PAGE_MAX, 0},
    {"after", CONTROL_TEXT, 1, 48, 0},
    {0},
};

static const struct control_argument order_arguments[] = {
    {"seq", CONTROL_TEXT, 1, JOURNAL_SEQ - 1, 1},
    {0},
};

static const struct control_argument resend_arguments[] = {
    {"seq", CONTROL_TEXT, 1, JOURNAL_SEQ - 1, 1},
    {"platform", CONTROL_TEXT, 1, JOURNAL_NAME - 1, 0},
    {0},
};

static const struct control_argument reconcile_arguments[] = {
    {"platform", CONTROL_TEXT, 1, JOURNAL_NAME - 1, 1},
    {"date", CONTROL_DATE, 8, CONTROL_DATE_MAX, 0},
    {0},
};

static const struct control_argument record_arguments[] = {
    {"orders", CONTROL_INT, 0, RECORD_ORDERS_MAX, 0},
    {"after", CONTROL_TEXT, 1, 80, 0},
    {0},
};

static const struct control_argument audit_arguments[] = {
    {"limit", CONTROL_INT, 1, PAGE_MAX, 0},
    {"after", CONTROL_INT, 1, INT_MAX, 0},
    {0},
};

#define LINE_MAX_LEN (BUS_NAME_MAX - 1)

static const struct control_argument bus_stats_arguments[] = {
    {"line", CONTROL_TEXT, 1, LINE_MAX_LEN, 0},
    {0},
};

static const struct control_argument bus_unit_arguments[] = {
    {"line", CONTROL_TEXT, 1, LINE_MAX_LEN, 1},  {"unit", CONTROL_INT, 0, 255, 1},
    {"function", CONTROL_INT, 1, 16, 0},         {"address", CONTROL_INT, 0, 65535, 0},
    {"count", CONTROL_INT, 1, BUS_WORDS_MAX, 0}, {0},
};

static const struct control_argument bus_probe_arguments[] = {
    {"line", CONTROL_TEXT, 1, LINE_MAX_LEN, 1}, {"unit", CONTROL_INT, 0, 255, 1},
    {"function", CONTROL_INT, 1, 4, 0},         {"address", CONTROL_INT, 0, 65535, 0},
    {"timeout_ms", CONTROL_INT, 10, 10000, 0},  {0},
};

static const struct control_argument bus_read_arguments[] = {
    {"line", CONTROL_TEXT, 1, LINE_MAX_LEN, 1},
    {"unit", CONTROL_INT, 0, 255, 1},
    {"function", CONTROL_INT, 1, 4, 1},
    {"address", CONTROL_INT, 0, 65535, 1},
    {"count", CONTROL_INT, 1, BUS_WORDS_MAX, 0},
    {"timeout_ms", CONTROL_INT, 10, 10000, 0},
    {"force", CONTROL_FLAG, 0, 1, 0},
    {0},
};

static const struct control_argument bus_write_arguments[] = {
    {"line", CONTROL_TEXT, 1, LINE_MAX_LEN, 1},
    {"unit", CONTROL_INT, 0, 255, 1},
    {"function", CONTROL_INT, 5, 16, 1},
    {"address", CONTROL_INT, 0, 65535, 1},
    {"values", CONTROL_TEXT, 1, 127, 1},
    {"force", CONTROL_FLAG, 0, 1, 0},
    {0},
};

static const struct control_argument bus_trace_arguments[] = {
    {"line", CONTROL_TEXT, 1, LINE_MAX_LEN, 0},
    {"unit", CONTROL_INT, 0, 255, 0},
    {"after", CONTROL_TEXT, 1, 20, 0},
    {"newest", CONTROL_FLAG, 0, 1, 0},
    {"raw", CONTROL_FLAG, 0, 1, 0},
    {"limit", CONTROL_INT, 1, 200, 0},
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

const struct control_command control_commands[] = {
    {"status", CONTROL_READ, "how the gateway is", command_status, NULL},
    {"connectors", CONTROL_READ, "all connectors; one of them with its points", command_connectors,
     connectors_arguments},
    {"start", CONTROL_ACT, "starts a charge for the operator", command_start, start_arguments},
    {"stop", CONTROL_ACT, "stops the charge of a connector, or of a number", command_stop, stop_arguments},
    {"orders", CONTROL_READ, "a page of the orders; `next` goes into `after`", command_orders, orders_arguments},
    {"order", CONTROL_READ, "all about one order", command_order, order_arguments},
    {"resend", CONTROL_ACT, "tells an order again: to whom it was told, or to one of them", command_resend,
     resend_arguments},
    {"reconcile", CONTROL_ACT, "compares a day's orders (yesterday's) with the platform that started them",
     command_reconcile, reconcile_arguments},
    {"check", CONTROL_READ, "what came of the last comparison of that day", command_check, reconcile_arguments},
    {"record", CONTROL_READ, "the last messages and orders as lines to replay, masked; `next` goes into `after`",
     command_record, record_arguments},
    {"audit", CONTROL_READ, "who ordered what and how it ended, the newest first; `next` goes into `after`",
     command_audit, audit_arguments},
    {"bus_stats", CONTROL_READ, "how the lines and their units do: answers, errors, times, load", command_bus_stats,
     bus_stats_arguments},
    {"bus_unit", CONTROL_READ,
     "the chargers of a unit, their charges, and whether their profile denies those registers", command_bus_unit,
     bus_unit_arguments},
    {"bus_probe", CONTROL_ACT, "one harmless read of a unit, in the plan or not: does it answer?", command_bus_probe,
     bus_probe_arguments},
    {"bus_read", CONTROL_ACT, "reads registers (coils) of a unit once, between the polls", command_bus_read,
     bus_read_arguments},
    {"bus_write", CONTROL_ACT,
     "writes `values` (numbers with commas) once, with a look before and after; `force`: also what the profile denies",
     command_bus_write, bus_write_arguments},
    {"bus_trace", CONTROL_ACT,
     "the last frames on the lines, personal data masked unless `raw`; `next` goes into `after`; `newest`: where it is "
     "now",
     command_bus_trace, bus_trace_arguments},
    {"lua_versions", CONTROL_READ,
     "the versions of Lua files that came into force, the newest first; `next` goes into `after`", command_lua_versions,
     lua_versions_arguments},
    {"lua_show", CONTROL_READ, "a version and its text: the one in force, the one named, or the one `before` that",
     command_lua_show, lua_show_arguments},
    {"lua_rollback", CONTROL_ACT,
     "puts an earlier version (the one before) into its file and into force; `modules`: with the modules it was made "
     "of",
     command_lua_rollback, lua_rollback_arguments},
    {"lua_reload", CONTROL_ACT, "loads all Lua files again", command_lua_reload, NULL},
};
const int control_command_count = sizeof(control_commands) / sizeof(control_commands[0]);
