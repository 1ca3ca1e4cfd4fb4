/* Commands: what an operator does to a connector beside starts and stops, and what is wrong. */
#include "control/command.h"

static const struct control_argument unlock_arguments[] = {
    {"connector", CONTROL_TEXT, 1, ORDER_ID - 1, 1},
    {0},
};

static const struct control_argument limit_arguments[] = {
    {"connector", CONTROL_TEXT, 1, ORDER_ID - 1, 1},
    {"value", CONTROL_DECIMAL, -10000000, 10000000, 0},
    {"release", CONTROL_FLAG, 0, 0, 0},
    {0},
};

static const struct control_argument reserve_arguments[] = {
    {"connector", CONTROL_TEXT, 1, ORDER_ID - 1, 1},
    {"until", CONTROL_TIME, 0, 0, 0},
    {"minutes", CONTROL_INT, 1, STATION_RESERVE_MAX_S / 60, 0},
    {"note", CONTROL_TEXT, 0, STATION_RESERVE_NOTE - 1, 0},
    {0},
};

static const struct control_argument unreserve_arguments[] = {
    {"connector", CONTROL_TEXT, 1, ORDER_ID - 1, 1},
    {0},
};

const struct control_command control_acts[] = {
    {"alarms", CONTROL_VIEW, CONTROL_LOOK, "what is wrong now, since when and why", command_alarms, NULL},
    {"unlock", CONTROL_OPERATE, CONTROL_ACT, "opens the connector's lock; not while it charges", command_unlock,
     unlock_arguments},
    {"limit", CONTROL_OPERATE, CONTROL_ACT,
     "limits the connector to `value` (in the unit of its profile) until another limit or `release`", command_limit,
     limit_arguments},
    {"reserve", CONTROL_OPERATE, CONTROL_ACT,
     "keeps the connector for somebody, for `minutes` or `until` (seconds since 1970), a day at most", command_reserve,
     reserve_arguments},
    {"unreserve", CONTROL_OPERATE, CONTROL_ACT, "ends a reservation", command_unreserve, unreserve_arguments},
    {0},
};
