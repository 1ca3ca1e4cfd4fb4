/* Commands: what the station does. */
#include "control/command.h"

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

const struct control_command control_station[] = {
    {"overview", CONTROL_VIEW, CONTROL_LOOK, "everything at a glance, as the page keeps it live", command_overview,
     NULL},
    {"status", CONTROL_VIEW, CONTROL_LOOK, "how the gateway is", command_status, NULL},
    {"connectors", CONTROL_VIEW, CONTROL_LOOK, "all connectors; one of them with its points", command_connectors,
     connectors_arguments},
    {"start", CONTROL_OPERATE, CONTROL_ACT, "starts a charge for the operator", command_start, start_arguments},
    {"stop", CONTROL_OPERATE, CONTROL_ACT, "stops the charge of a connector, or of a number", command_stop,
     stop_arguments},
    {0},
};
