#include "control/tail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_number(const char *text, uint64_t *out)
{
	if (!text)
		return FC_OK;
	if (strspn(text, "0123456789") != strlen(text))
		return FC_EINVAL;
	errno = 0;
	*out = strtoull(text, NULL, 10);
	return errno ? FC_EINVAL : FC_OK;
}

int tail_begin(struct tail *t, const struct control_reply *reply, int preset, struct error *err)
{
	const char *after = control_text(reply, "after"), *before = control_text(reply, "before");

	*t = (struct tail){.forward = after != NULL, .before = UINT64_MAX};
	t->most = (int)control_int(reply, "limit", preset);
	if (after && before)
		return error_set(err, FC_EINVAL, "after or before, not both");
	if (read_number(after, &t->after))
		return error_set(err, FC_EINVAL, "after: is not what an earlier page gave as next");
	if (read_number(before, &t->before))
		return error_set(err, FC_EINVAL, "before: is not what an earlier page gave as earlier");
	return FC_OK;
}

static int is_in_range(const struct tail *t, uint64_t number)
{
	return number > t->after && number < t->before;
}

void tail_count(struct tail *t, uint64_t number)
{
	t->matches += is_in_range(t, number);
}

int tail_takes(struct tail *t, uint64_t number)
{
	if (!is_in_range(t, number))
		return 0;
	long long place = t->seen++, first = t->forward || t->matches < t->most ? 0 : t->matches - t->most;
	if (place < first || place >= first + t->most)
		return 0;
	if (!t->taken++)
		t->first = number;
	t->last = number;
	return 1;
}

void tail_end(const struct tail *t, struct maker *m, struct value *root, uint64_t oldest, uint64_t newest)
{
	int more = t->forward && t->taken < t->matches;
	/* A caller from before a restart has a number that was never given: it begins anew. */
	uint64_t next = more ? t->last : newest;
	char text[TAIL_NUMBER + 1];

	(void)snprintf(text, sizeof(text), "%" PRIu64, next);
	maker_text(m, root, "next", text);
	if (more)
		maker_flag(m, root, "more", 1);
	if (!t->forward && t->taken < t->matches) {
		(void)snprintf(text, sizeof(text), "%" PRIu64, t->first);
		maker_text(m, root, "earlier", text);
	}
	if (t->forward && t->after && oldest > t->after + 1)
		maker_int(m, root, "lost", (int64_t)(oldest - t->after - 1));
}
