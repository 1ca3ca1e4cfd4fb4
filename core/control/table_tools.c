/* Commands: looking for a fault from afar. */
#include <limits.h>

#include "control/tail.h"

enum { PAGE_MAX = 500 };

static const struct control_argument log_arguments[] = {
    {"level", CONTROL_TEXT, 1, 16, 0},
    {"room", CONTROL_TEXT, 1, 32, 0},
    {"search", CONTROL_TEXT, 0, 100, 0},
    {"after", CONTROL_TEXT, 1, TAIL_NUMBER, 0},
    {"before", CONTROL_TEXT, 1, TAIL_NUMBER, 0},
    {"limit", CONTROL_INT, 1, PAGE_MAX, 0},
    {0},
};

#define PLATFORM_MAX (CALL_PLATFORM - 1)

static const struct control_argument messages_arguments[] = {
    {"platform", CONTROL_TEXT, 1, PLATFORM_MAX, 0},
    {"method", CONTROL_TEXT, 1, 64, 0},
    {"direction", CONTROL_TEXT, 2, 3, 0},
    {"failed", CONTROL_FLAG, 0, 1, 0},
    {"brief", CONTROL_FLAG, 0, 1, 0},
    {"after", CONTROL_TEXT, 1, TAIL_NUMBER, 0},
    {"before", CONTROL_TEXT, 1, TAIL_NUMBER, 0},
    {"limit", CONTROL_INT, 1, PAGE_MAX, 0},
    {0},
};

static const struct control_argument message_arguments[] = {
    {"id", CONTROL_INT, 1, INT_MAX, 1},
    {0},
};

static const struct control_argument conformance_arguments[] = {
    {"platform", CONTROL_TEXT, 1, PLATFORM_MAX, 1},
    {"connector", CONTROL_TEXT, 1, ORDER_ID - 1, 0},
    {"seconds", CONTROL_INT, CONFORMANCE_SECONDS_MIN, CONFORMANCE_SECONDS_MAX, 0},
    {"trial_s", CONTROL_INT, 1, CONFORMANCE_SECONDS_MAX, 0},
    {0},
};

static const struct control_argument report_arguments[] = {
    {"platform", CONTROL_TEXT, 1, PLATFORM_MAX, 1},
    {"form", CONTROL_TEXT, 1, 8, 0},
    {"language", CONTROL_TEXT, 1, 8, 0},
    {0},
};

static const struct control_argument trace_file_arguments[] = {
    {"form", CONTROL_TEXT, 1, 8, 0},
    {"line", CONTROL_TEXT, 1, BUS_NAME_MAX - 1, 0},
    {"unit", CONTROL_INT, 0, 255, 0},
    {0},
};

const struct control_command control_tools[] = {
    {"log", CONTROL_OPERATE, CONTROL_LOOK,
     "the last lines of the log, of `level` and worse, of one `room`; `next` goes into `after`, `earlier` into "
     "`before`",
     command_log, log_arguments},
    {"messages", CONTROL_OPERATE, CONTROL_LOOK,
     "the last calls to and from the platforms, bodies masked (without them: `brief`), only those that `failed`; pages "
     "as "
     "of `log`",
     command_messages, messages_arguments},
    {"message", CONTROL_OPERATE, CONTROL_LOOK, "one of them", command_message, message_arguments},
    {"message_replay", CONTROL_INTEGRATE, CONTROL_ACT,
     "what we sent: once more, as it is now, where that does no harm; what we were asked: what our server would answer",
     command_message_replay, message_arguments},
    {"conformance", CONTROL_INTEGRATE, CONTROL_ACT,
     "begins a run over every message with a platform's test system; `connector`: with a trial charge there; ends by "
     "itself",
     command_conformance, conformance_arguments},
    {"conformance_report", CONTROL_OPERATE, CONTROL_LOOK,
     "how far it is, and what it found; `form` html or text: as a file, `language` en or zh",
     command_conformance_report, report_arguments},
    {"trace_file", CONTROL_INTEGRATE, CONTROL_ACT,
     "the last frames on the lines, masked, as a file: `form` pcapng or candump", command_trace_file,
     trace_file_arguments},
    {"support_bundle", CONTROL_INTEGRATE, CONTROL_ACT,
     "all that somebody elsewhere wants to know of this gateway, masked, as one file", command_support_bundle, NULL},
    {0},
};
