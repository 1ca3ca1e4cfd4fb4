/* Commands: the lines. */
#include "control/command.h"

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
    {"raw", CONTROL_FLAG, 0, 1, 0},
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

const struct control_command control_bus[] = {
    {"bus_stats", CONTROL_VIEW, CONTROL_LOOK, "how the lines and their units do: answers, errors, times, load",
     command_bus_stats, bus_stats_arguments},
    {"bus_unit", CONTROL_VIEW, CONTROL_LOOK,
     "the chargers of a unit, their charges, and whether their profile denies those registers", command_bus_unit,
     bus_unit_arguments},
    {"bus_probe", CONTROL_INTEGRATE, CONTROL_ACT, "one harmless read of a unit, in the plan or not: does it answer?",
     command_bus_probe, bus_probe_arguments},
    {"bus_read", CONTROL_INTEGRATE, CONTROL_ACT,
     "reads registers (coils) of a unit once, between the polls; personal data masked unless `raw`", command_bus_read,
     bus_read_arguments},
    {"bus_write", CONTROL_INTEGRATE, CONTROL_ACT,
     "writes `values` (numbers with commas) once, with a look before and after; `force`: also what the profile denies",
     command_bus_write, bus_write_arguments},
    {"bus_trace", CONTROL_INTEGRATE, CONTROL_ACT,
     "the last frames on the lines, personal data masked unless `raw`; `next` goes into `after`; `newest`: where it is "
     "now",
     command_bus_trace, bus_trace_arguments},
    {0},
};
