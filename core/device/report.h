/* Report: what a profile will do on the line, and what looks wrong with it though it loads. For the workshop; the daemon does not
 * need it. */
#ifndef FC_DEVICE_REPORT_H
#define FC_DEVICE_REPORT_H

#include "device/device.h"

/* Hears of every mistake of a file: place "points.power.type", what is wrong. */
struct profile_listener {
	void (*mistake)(void *user, const char *place, const char *what);
	void *user;
};
/* profile_load of a file anywhere. The listener may be NULL. */
struct profile *profile_load_file(const struct script_host *host, const char *path,
				  const struct profile_listener *listener, struct error *err);
/* An object in arena: name, points, connectors, poll_ms, blocks (unit, fc, address, words, period_ms, points), reads_per_s,
 * words_per_s, load_9600 (the share in percent of a line of 9600 baud 8E1 that its reads and keep-alives fill; of 2400 baud for a DL/T 645 meter), deny, commands
 * (name, steps), setpoint, keep_alives, hooks, line, warnings (place, what). NULL when there is no memory. */
struct value *profile_report(const struct profile *profile, uint32_t poll_ms, struct arena *arena);

#endif
