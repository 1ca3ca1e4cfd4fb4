/* Car: what the vehicle said during a charge, and why it ended, from points that a charger or a BMS listener has: "vin", "soc", and of
 * the end "stop_by" (car, charger or person), "stop_fault" (0, 1), "stop_code" and "stop_reason" (words). For this room only. */
#ifndef FC_CHARGE_CAR_H
#define FC_CHARGE_CAR_H

#include "charge/conduct.h"

/* An order is opened. */
void car_begin(struct charge *charge);
/* Once a second: the running order takes what is known by now. A closed one never changes. */
void car_look(struct charge *charge);
/* The end's StopReason by what car and charger said of it since the charge began, kept on the order in words. It tells apart what the
 * status alone can't (ended: by whom); what someone ordered (platform, card) and what was never begun stays as it is. */
int car_reason(struct charge *charge, int reason);
/* The same when the end is written, seconds later: what was known at the end (end_reason), unless more is being said of it now. */
int car_end(struct charge *charge);

#endif
