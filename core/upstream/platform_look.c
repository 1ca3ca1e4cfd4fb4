/* What others look at, of a platform or of all: figures, recorded messages; and the tools that go with that. */
#include <stdio.h>
#include <string.h>

#include "upstream/client.h"
#include "upstream/conformance.h"
#include "upstream/peer_judge.h"
#include "upstream/platform_set.h"

struct platform *platform_find(const struct platform_set *set, const char *name)
{
	for (int i = 0; i < set->count; i++)
		if (!strcmp(set->platforms[i]->options->name, name))
			return set->platforms[i];
	return NULL;
}

const struct recorder *platform_set_recorder(const struct platform_set *set)
{
	return set->recorder;
}

const struct calls *platform_set_calls(const struct platform_set *set)
{
	return set->calls;
}

int platform_set_repeat(struct platform_set *set, const struct call *call, const char *body, size_t len,
			repeat_done done, void *user, struct error *err)
{
	struct platform *p = platform_find(set, call->platform);

	if (!p)
		return error_set(err, FC_ENOENT, "upstream: %s: there is no such platform now", call->platform);
	return repeat_call(p, call, body, len, done, user, err);
}

void platform_set_forget_repeat(struct platform_set *set, const void *user)
{
	for (int i = 0; i < set->count; i++)
		if (set->platforms[i]->client)
			repeat_forget(client_repeat(set->platforms[i]->client), user);
}

int platform_set_conformance(struct platform_set *set, const char *platform, const struct conformance_order *order,
			     struct error *err)
{
	struct platform *p = platform_find(set, platform);

	if (!p)
		return error_set(err, FC_ENOENT, "upstream: %.40s: there is no such platform, or it is switched off",
				 platform);
	return conformance_start(p, order, err);
}

const struct conformance *platform_set_conformance_of(const struct platform_set *set, const char *platform)
{
	const struct platform *p = platform_find(set, platform);

	return p ? p->conformance : NULL;
}

int platform_count(const struct platform_set *set)
{
	return set->count;
}

int platform_get_stats(const struct platform_set *set, int index, struct platform_stats *stats)
{
	if (index < 0 || index >= set->count)
		return FC_ENOENT;
	const struct platform *p = set->platforms[index];
	const struct platform_counters *c = &p->counters;
	*stats = (struct platform_stats){
	    .name = p->options->name,
	    .linked = p->client && client_linked(p->client),
	    .since_wall = p->since_wall,
	    .error_key = p->error_key ? p->error_key : "platform.error",
	    .error_words = peer_trouble_words(p->error_key ? p->error_key : "platform.error"),
	    .last_error_wall = p->last_error_wall,
	    .status_pushed = c->status_pushed,
	    .status_accepted = c->status_accepted,
	    .status_discarded = c->status_discarded,
	    .push_failed = c->push_failed,
	    .push_superseded = c->push_superseded,
	    .info_pushed = c->info_pushed,
	    .stats_pushed = c->stats_pushed,
	    .answered = c->answered,
	    .refused = c->refused,
	    .answer_mean_us = platform_times_mean(&p->times),
	    .answer_p99_us = platform_times_p99(&p->times),
	    .waiting = p->client ? client_waiting(p->client) : 0,
	};
	(void)snprintf(stats->last_error, sizeof(stats->last_error), "%s", p->last_error);
	if (p->mapping) {
		(void)snprintf(stats->mapping, sizeof(stats->mapping), "%s", mapping_name(p->mapping));
		(void)snprintf(stats->mapping_hash, sizeof(stats->mapping_hash), "%s", mapping_hash(p->mapping));
	}
	return FC_OK;
}

int platform_listen_port(const struct platform_set *set, const char *listen)
{
	return ports_number(&set->ports, listen);
}

struct sources *platform_set_sources(const struct platform_set *set, int index)
{
	for (int i = 0; i < set->count; i++)
		if (set->platforms[i]->mapping && !index--)
			return mapping_sources(set->platforms[i]->mapping);
	return NULL;
}
