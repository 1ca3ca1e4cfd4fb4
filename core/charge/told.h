/* Told: what of a charge goes among the events (store/events.h). For this room only. */
#ifndef FC_CHARGE_TOLD_H
#define FC_CHARGE_TOLD_H

#include "charge/conduct.h"
#include "store/events.h"

/* A change of state, which begins or ends with an order's own writes. Returns the event's id, for events_forget. */
int64_t told_session(const struct charge *charge, const struct session_step *step, const struct order *order);
/* It goes on after a restart. */
void told_resumed(const struct charge *charge);
/* The order's record is to be closed. Returns the id. */
int64_t told_closed(const struct charge *charge, const struct journal_order *entry, int recipients);
/* A start or a stop was ordered; what: "start", "stop". Returns the id. */
int64_t told_command(struct store *store, const char *connector_id, const char *seq, const char *what, const char *who,
		     enum charge_refusal refusal);

#endif
