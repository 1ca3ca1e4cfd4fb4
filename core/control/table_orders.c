/* Commands: orders and what was told of them. */
#include "control/command.h"

enum { PAGE_MAX = 100, RECORD_ORDERS_MAX = 10000, SEARCH_MAX = 40 };

static const struct control_argument orders_arguments[] = {
    {"open", CONTROL_FLAG, 0, 1, 0},
    {"platform", CONTROL_TEXT, 0, JOURNAL_NAME - 1, 0},
    {"connector", CONTROL_TEXT, 1, JOURNAL_NAME - 1, 0},
    {"search", CONTROL_TEXT, 1, SEARCH_MAX, 0},
    {"state", CONTROL_TEXT, 1, JOURNAL_NAME - 1, 0},
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

const struct control_command control_orders[] = {
    {"orders", CONTROL_VIEW, CONTROL_LOOK, "a page of the orders; `next` goes into `after`", command_orders,
     orders_arguments},
    {"order", CONTROL_VIEW, CONTROL_LOOK, "all about one order", command_order, order_arguments},
    {"resend", CONTROL_OPERATE, CONTROL_ACT, "tells an order again: to whom it was told, or to one of them",
     command_resend, resend_arguments},
    {"reconcile", CONTROL_OPERATE, CONTROL_ACT,
     "compares a day's orders (yesterday's) with the platform that started them", command_reconcile,
     reconcile_arguments},
    {"check", CONTROL_VIEW, CONTROL_LOOK, "what came of the last comparison of that day", command_check,
     reconcile_arguments},
    {"record", CONTROL_OPERATE, CONTROL_LOOK,
     "the last messages and orders as lines to replay, masked; `next` goes into `after`", command_record,
     record_arguments},
    {0},
};
