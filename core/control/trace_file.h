/* Trace file: the last frames of the lines as a file for other programs. For this room only. */
#ifndef FC_CONTROL_TRACE_FILE_H
#define FC_CONTROL_TRACE_FILE_H

#include "control/trace_walk.h"

enum trace_form { TRACE_FORM_PCAPNG, TRACE_FORM_CANDUMP };

/* filter: control, line and unit of it are used. *bytes is the caller's to free. FC_OK, FC_ENOMEM, FC_EIO. */
int trace_file(const struct trace_walk *filter, enum trace_form form, char **bytes, size_t *len);

#endif
