/* Cap: the operator's limit of a connector, above what the profile's own commands do with the setpoint.
 *
 * Many chargers are started by writing their limit and stopped by writing 0 to the same register (steps `limit` and `pause`). There an
 * operator's limit must neither start a charge nor be lost with the next start: it is the most that a step may write, and is
 * written at once only while the charger is meant to run. Everywhere else it is the limit, written at once. Released, the charger is told
 * what the steps wanted, else the profile's initial value, else its max: it does not stay at the operator's.
 * For this room only; others see device.h. */
#ifndef FC_DEVICE_CAP_H
#define FC_DEVICE_CAP_H

#include "device/instance.h"

/* A step `limit` of a command wants milli: what it may write. It is remembered that the charger is meant to run. */
int64_t cap_step(struct device *device, int number, int64_t milli);
/* A step `pause`. */
void cap_pause(struct device *device, int number);
/* Nonzero, and *milli is to be held now: the charger was found running and has not been told the cap yet. */
int cap_due(struct device *device, int number, int64_t *milli);
/* Nonzero when commands of the profile write the setpoint. */
int cap_has_steps(const struct profile *profile);
/* What is held without an operator's limit. */
int64_t cap_full(const struct device *device, int number);
/* As far as steps tell, else by the connector's status. */
int cap_is_running(const struct device *device, int number);
/* The setpoint is another one now: what was in its unit counts no more. */
void cap_drop(struct device *device);

#endif
