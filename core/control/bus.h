/* Bus commands: what they share. For this room only. */
#ifndef FC_CONTROL_BUS_H
#define FC_CONTROL_BUS_H

#include "control/command.h"

/* The index of the line that argument "line" names. FC_ENOENT and *err. */
int bus_find_line(struct control *control, const struct control_reply *reply, int *index, struct error *err);
const char *bus_line_name_at(const struct control *control, int index);
/* FC_EINVAL and *err when nothing on that line has registers: CAN, DL/T 645. */
int bus_may_be_asked(const struct control *control, const char *line, struct error *err);
/* "tcp:HOST:PORT", or a serial device, or a CAN interface; as the configuration says. "" where it is not there any more. */
void bus_endpoint(const struct control *control, const char *line, char *out, size_t size);
/* FC_EAUTH and *err when a charger of that unit has a profile that denies it. */
int bus_may(struct control *control, int index, unsigned unit, int write, unsigned address, unsigned count,
	    struct error *err);

#endif
