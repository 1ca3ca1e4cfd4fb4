/* Pulse: whether the gateway makes progress: its loop by the timer that looks, each bus worker by what its line says
 * (bus_line_stuck_us). Feeds the watchdog while it does (loop/watchdog.h), and says as alarms which line stands still and why the
 * watchdog's device is not fed. After restarts that did not help (main/restarts.h) a line that stands still is an alarm and nothing
 * more. Lines that were closed or are no longer configured do not count. On the loop's thread. */
#ifndef FC_MAIN_PULSE_H
#define FC_MAIN_PULSE_H

#include "base/error.h"
#include "config/config.h"
#include "control/alarms.h"
#include "device/device.h"
#include "loop/loop.h"
#include "loop/watchdog.h"

struct pulse;

/* devices is borrowed. Nothing is fed before pulse_apply. NULL: no memory. */
struct pulse *pulse_new(struct loop *loop, const struct device_set *devices, struct error *err);
/* The gateway's options watchdog and watchdog_s; of data_dir the first. */
void pulse_apply(struct pulse *pulse, const struct config *config);
/* From now on alarms says what is wrong. They look no more once pulse is freed. FC_OK, FC_ENOMEM. */
int pulse_tell(struct pulse *pulse, struct alarms *alarms);
/* The end that somebody asked for: the watchdog is disarmed at once, since what follows may take as long as the slowest line. */
void pulse_end(struct pulse *pulse);
/* NULL is allowed. */
void pulse_free(struct pulse *pulse);
/* NULL: one that nothing was made of yet. */
void pulse_get_state(const struct pulse *pulse, struct watchdog_state *state);

#endif
