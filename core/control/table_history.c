/* Commands: what happened: curves, events, the life of an order. */
#include <limits.h>

#include "control/command.h"
#include "store/events.h"

enum { EVENTS_PAGE_MAX = 200, SEARCH_MAX = 40 };

static const struct control_argument history_arguments[] = {
    {"connector", CONTROL_TEXT, 1, JOURNAL_NAME - 1, 1},
    {"from", CONTROL_INT, 0, INT_MAX, 1},
    {"to", CONTROL_INT, 1, INT_MAX, 1},
    {"points", CONTROL_INT, 1, SAMPLER_POINTS_MAX, 0},
    {0},
};

static const struct control_argument events_arguments[] = {
    {"connector", CONTROL_TEXT, 1, JOURNAL_NAME - 1, 0},
    {"seq", CONTROL_TEXT, 1, JOURNAL_SEQ - 1, 0},
    {"kind", CONTROL_TEXT, 1, EVENT_NAME - 1, 0},
    {"limit", CONTROL_INT, 1, EVENTS_PAGE_MAX, 0},
    {"after", CONTROL_INT, 1, INT_MAX, 0},
    {0},
};

static const struct control_argument order_life_arguments[] = {
    {"seq", CONTROL_TEXT, 1, JOURNAL_SEQ - 1, 1},
    {0},
};

static const struct control_argument orders_csv_arguments[] = {
    {"platform", CONTROL_TEXT, 0, JOURNAL_NAME - 1, 0},
    {"connector", CONTROL_TEXT, 1, JOURNAL_NAME - 1, 0},
    {"search", CONTROL_TEXT, 1, SEARCH_MAX, 0},
    {"state", CONTROL_TEXT, 1, JOURNAL_NAME - 1, 0},
    {"from", CONTROL_DATE, 8, CONTROL_DATE_MAX, 0},
    {"to", CONTROL_DATE, 8, CONTROL_DATE_MAX, 0},
    {"after", CONTROL_TEXT, 1, 48, 0},
    {0},
};

static const struct control_argument checks_arguments[] = {
    {"platform", CONTROL_TEXT, 1, JOURNAL_NAME - 1, 0},
    {"limit", CONTROL_INT, 1, EVENTS_PAGE_MAX, 0},
    {0},
};

const struct control_command control_history[] = {
    {"history", CONTROL_VIEW, CONTROL_LOOK,
     "how power, voltage, current and state of charge went, as equal steps; null where nothing was seen",
     command_history, history_arguments},
    {"events", CONTROL_VIEW, CONTROL_LOOK, "what happened, the newest first; `next` goes into `after`", command_events,
     events_arguments},
    {"order_life", CONTROL_VIEW, CONTROL_LOOK, "all that happened about one order, the oldest first",
     command_order_life, order_life_arguments},
    {"orders_csv", CONTROL_VIEW, CONTROL_LOOK, "closed orders as a CSV file, 100 at a time; `next` goes into `after`",
     command_orders_csv, orders_csv_arguments},
    {"checks", CONTROL_VIEW, CONTROL_LOOK, "the comparisons with platforms that were made, the newest first",
     command_checks, checks_arguments},
    {0},
};
