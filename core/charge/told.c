#include "charge/told.h"

#include <stdio.h>

#include "charge/words.h"

/* That an event can't be kept is no reason for anything: there was no memory, and the log has the change, too. */
static int64_t add(struct store *store, const struct event *event)
{
	return events_add(store, event, NULL) ? 0 : events_newest(store);
}

int64_t told_session(const struct charge *c, const struct session_step *step, const struct order *order)
{
	return add(c->conductor->store, &(struct event){.kind = EVENT_SESSION,
							.connector = c->connector_id,
							.seq = order ? order->seq : NULL,
							.from = session_state_name(c->state),
							.to = session_state_name(step->next),
							.text = step->why});
}

void told_resumed(const struct charge *c)
{
	(void)add(c->conductor->store, &(struct event){.kind = EVENT_SESSION,
						       .connector = c->connector_id,
						       .seq = c->order->seq,
						       .to = session_state_name(c->state),
						       .text = "taken up again after a restart"});
}

int64_t told_closed(const struct charge *c, const struct journal_order *entry, int recipients)
{
	char detail[160];

	(void)snprintf(detail, sizeof(detail), "{\"energy_wh\":%lld,\"money_e4\":%lld,\"reason\":%d,\"recipients\":%d}",
		       (long long)entry->wh, (long long)entry->money_e4, entry->reason, recipients);
	return add(c->conductor->store, &(struct event){.kind = EVENT_ORDER,
							.connector = c->connector_id,
							.seq = entry->seq,
							.from = "open",
							.to = "closed",
							.text = words_reason(entry->reason),
							.detail = detail});
}

int64_t told_command(struct store *store, const char *connector_id, const char *seq, const char *what, const char *who,
		     enum charge_refusal refusal)
{
	return add(store, &(struct event){.kind = EVENT_COMMAND,
					  .connector = connector_id,
					  .seq = seq,
					  .to = what,
					  .who = who,
					  .text = charge_refusal_text(refusal)});
}
