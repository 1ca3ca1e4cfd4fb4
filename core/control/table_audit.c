/* Commands: who ordered what. */
#include <limits.h>

#include "control/command.h"

enum { PAGE_MAX = 100 };

static const struct control_argument audit_arguments[] = {
    {"limit", CONTROL_INT, 1, PAGE_MAX, 0},
    {"after", CONTROL_INT, 1, INT_MAX, 0},
    {0},
};

const struct control_command control_audit[] = {
    {"audit", CONTROL_OPERATE, CONTROL_LOOK,
     "who ordered what and how it ended, the newest first; `next` goes into `after`", command_audit, audit_arguments},
    {0},
};
