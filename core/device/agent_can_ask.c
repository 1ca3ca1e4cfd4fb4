/* What a CAN device is asked again and again, and what it must hear: requests and keep-alives. */
#include "device/agent_can.h"

static const int64_t never = INT64_MAX;
static const int64_t retry_us = 1000000; /* after an answer that did not come, unless the request is due before */

static int64_t sooner(int64_t x, int64_t y)
{
	return x < y ? x : y;
}

static int64_t period_us(const struct can_agent *a, const struct can_request *r)
{
	return (int64_t)(r->period_ms ? r->period_ms : a->poll_ms) * 1000;
}

static int places(const struct can_agent *a, int send)
{
	return a->plan->sends[send].per_number ? a->count : 1;
}

void can_ask_begin(struct can_agent *a)
{
	for (int r = 0; r < CAN_REQUESTS_MAX; r++)
		for (int i = 0; i < PROFILE_CONNECTORS_MAX; i++)
			a->slots[r][i] = (struct can_slot){.due_us = a->now_us};
	for (int k = 0; k < CAN_KEEP_ALIVES_MAX; k++)
		for (int i = 0; i < PROFILE_CONNECTORS_MAX; i++)
			a->keep_due_us[k][i] = a->now_us;
	for (int i = 0; i < PROFILE_CONNECTORS_MAX; i++)
		a->slow_us[i] = a->now_us;
	a->asked.request = NULL;
}

void can_ask_back(struct can_agent *a, int place)
{
	for (int r = 0; r < a->plan->request_count; r++) {
		int at = a->plan->sends[a->plan->requests[r].send].per_number ? place : 0;
		struct can_slot *slot = &a->slots[r][at];

		slot->due_us = sooner(slot->due_us, a->now_us);
	}
}

static int is_silent(const struct can_agent *a, int place)
{
	return a->now_us - a->heard_us[place] > (int64_t)a->plan->timeout_ms * 1000;
}

static struct can_slot *slot_asked(struct can_agent *a)
{
	return &a->slots[a->asked.request - a->plan->requests][a->asked.place < 0 ? 0 : a->asked.place];
}

/* The item, or the whole request, is done with; when it is due again. */
static void go_on(struct can_agent *a, int answered)
{
	const struct can_request *r = a->asked.request;
	struct can_slot *slot = slot_asked(a);

	a->asked.request = NULL;
	a->gap_us = a->now_us + (int64_t)a->plan->gap_ms * 1000;
	if (r->items && ++slot->item < r->items)
		return;
	slot->item = 0;
	slot->due_us += period_us(a, r);
	/* Late: from now on, not a heap of them at once. */
	if (slot->due_us < a->now_us)
		slot->due_us = a->now_us + (answered || r->items ? period_us(a, r) : 0);
	if (!answered && !r->items)
		slot->due_us = a->now_us + sooner(period_us(a, r), retry_us);
}

void can_ask_heard(struct can_agent *a, int message, int place, const struct can_frame *frame)
{
	const struct can_request *r = a->asked.request;
	const struct can_message *m = &a->plan->messages[message];
	uint64_t mux;

	if (!r || !(r->answers >> message & 1) || (place >= 0 && a->asked.place >= 0 && place != a->asked.place))
		return;
	if (r->items && m->mux.bits &&
	    (can_take(&m->mux, frame->data, frame->len, &mux) ||
	     mux != a->plan->items[r->first_item + slot_asked(a)->item]))
		return;
	int at = a->asked.place < 0 ? 0 : a->asked.place;
	if (r->has_last && !can_fits(&r->last, frame, a->units[at], a->numbers[at]))
		return;
	go_on(a, 1);
}

static int holds(struct can_agent *a, int match, int place)
{
	return match && profile_match_holds(&a->profile->matches[match - 1], can_agent_values(a, place));
}

/* When the slot may be asked: a silent place only every slow_ms, one request after the other. */
static int64_t due_at(const struct can_agent *a, int request, int place)
{
	int64_t due = a->slots[request][place].due_us;

	return is_silent(a, place) && a->slow_us[place] > due ? a->slow_us[place] : due;
}

/* The one that waits the longest; *next: when, if none is due. */
static int pick(const struct can_agent *a, int *request, int *place, int64_t *next)
{
	int64_t oldest = never;
	int found = 0;

	*next = never;
	for (int r = 0; r < a->plan->request_count; r++)
		for (int i = 0; i < places(a, a->plan->requests[r].send); i++) {
			int64_t due = due_at(a, r, i);

			*next = sooner(*next, due);
			if (due > a->now_us || a->slots[r][i].due_us >= oldest)
				continue;
			oldest = a->slots[r][i].due_us;
			*request = r;
			*place = i;
			found = 1;
		}
	return found;
}

static int64_t ask(struct can_agent *a, int request, int place)
{
	const struct can_request *r = &a->plan->requests[request];
	struct can_slot *slot = &a->slots[request][place];
	int per_number = a->plan->sends[r->send].per_number;

	if (holds(a, r->unless, place)) {
		slot->due_us = a->now_us + period_us(a, r);
		return a->now_us;
	}
	int result = can_agent_send(a, r->send, place, r->items ? a->plan->items[r->first_item + slot->item] : 0, NULL);
	if (result == FC_EINVAL) { /* no time to tell yet */
		slot->due_us = a->now_us + sooner(period_us(a, r), retry_us);
		return a->now_us;
	}
	if (result) {
		a->gap_us = a->now_us + can_agent_again_us(result);
		return a->gap_us;
	}
	a->slow_us[place] = a->now_us + (int64_t)a->plan->slow_ms * 1000;
	a->asked.request = r;
	a->asked.place = per_number ? place : -1;
	a->asked.until_us = a->now_us + (int64_t)r->timeout_ms * 1000;
	return a->asked.until_us;
}

static int64_t run_requests(struct can_agent *a)
{
	int64_t next = never;
	int request = 0, place = 0;

	if (a->asked.request && a->now_us >= a->asked.until_us)
		go_on(a, 0);
	if (a->asked.request)
		return a->asked.until_us;
	/* Conditions may pass over some: each at most once. */
	for (int turn = 0; turn < CAN_REQUESTS_MAX * PROFILE_CONNECTORS_MAX; turn++) {
		if (a->now_us < a->gap_us)
			return a->gap_us;
		if (!pick(a, &request, &place, &next))
			return next;
		next = ask(a, request, place);
		if (next > a->now_us)
			return next;
	}
	return a->now_us + retry_us;
}

static int64_t run_keep_alives(struct can_agent *a)
{
	int64_t next = never;

	for (int k = 0; k < a->plan->keep_alive_count; k++) {
		const struct can_keep_alive *keep = &a->plan->keep_alives[k];

		for (int i = 0; i < places(a, keep->send); i++) {
			int64_t *due = &a->keep_due_us[k][i];

			if (a->now_us >= *due) {
				int result =
				    holds(a, keep->unless, i) ? FC_OK : can_agent_send(a, keep->send, i, 0, NULL);

				*due += (int64_t)keep->period_ms * 1000;
				if (*due <= a->now_us)
					*due = a->now_us + (int64_t)keep->period_ms * 1000;
				if (result == FC_EBUSY || result == FC_EIO)
					*due = a->now_us + can_agent_again_us(result);
			}
			next = sooner(next, *due);
		}
	}
	return next;
}

int64_t can_ask_run(struct can_agent *a)
{
	int64_t next = run_keep_alives(a);

	return sooner(next, run_requests(a));
}
