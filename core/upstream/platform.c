#include "upstream/platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "upstream/client.h"
#include "upstream/platform_set.h"
#include "upstream/server.h"
#include "upstream/sync.h"

static const char order_method[] = "notification_charge_order_info";
static const char bonus_method[] = "notification_charge_order_info_for_bonus";

/* What an apply is going to do with one platform. */
struct plan {
	const struct config_platform *options;
	struct platform *platform; /* one that stays, or a new one */
	int fresh;
	struct mapping *mapping; /* for one that stays: what replaces its mapping, or NULL */
};

/* Mappings ------------------------------------------------------------------------------------------------------ */

static struct mapping *take_mapping(const struct platform_set *set, const struct config_platform *options,
				    struct error *err)
{
	return shelf_take(set->host, &mapping_kind, options->mapping, options->name, err);
}

/* After a start with a broken file. */
static int goes_without(const struct platform_set *set, const struct config_platform *options)
{
	return shelf_lacks(set->host, &mapping_kind, options->mapping, options->name);
}

static void replace_mapping(const struct platform_set *set, struct platform *p, struct mapping *mapping)
{
	shelf_return(set->host, &mapping_kind, p->mapping);
	p->mapping = mapping;
}

/* The mapping is not the platform's to free. */
static void drop_platform(const struct platform_set *set, struct platform *p)
{
	struct mapping *mapping = p ? p->mapping : NULL;

	if (p)
		p->mapping = NULL;
	platform_free(p);
	shelf_return(set->host, &mapping_kind, mapping);
}

/* Events -------------------------------------------------------------------------------------------------------- */

static void on_station_event(void *user, const struct station_event *event)
{
	struct platform_set *set = user;

	/* While a new configuration is taken over the stations have it and the platforms not yet: nothing is sent from
	 * here, the clients look again in the loop's next turn. */
	for (int i = 0; i < set->count; i++) {
		struct client *client = set->platforms[i]->client;

		if (!client)
			continue;
		switch (event->kind) {
		case STATION_CONNECTOR_STATUS:
			client_status_changed(client, event->connector);
			break;
		case STATION_INFO_CHANGED:
			client_wake(client);
			break;
		}
	}
}

static void on_request(void *user, const char *listen, const struct http_request *request,
		       struct http_response *response)
{
	const struct platform_set *set = user;
	const struct server_routes routes = {
	    .platforms = set->platforms, .count = set->count, .listen = listen, .reader = set->reader};

	server_answer(&routes, request, response);
}

struct platform_set *platform_set_new(struct loop *loop, struct station_set *stations, const struct script_host *host,
				      struct error *err)
{
	struct platform_set *set = calloc(1, sizeof(*set));

	if (set)
		set->reader = json_reader_new(0);
	if (!set || !set->reader) {
		free(set);
		(void)error_set(err, FC_ENOMEM, "upstream: no memory");
		return NULL;
	}
	set->loop = loop;
	set->stations = stations;
	set->host = host;
	set->listener = (struct station_listener){.fn = on_station_event, .user = set};
	ports_init(&set->ports, loop, on_request, set);
	station_listen(stations, &set->listener);
	return set;
}

void platform_set_free(struct platform_set *set)
{
	if (!set)
		return;
	station_unlisten(set->stations, &set->listener);
	ports_fini(&set->ports);
	for (int i = 0; i < set->count; i++)
		platform_unwatch(set->platforms[i]);
	for (int i = 0; i < set->count; i++)
		drop_platform(set, set->platforms[i]);
	free(set->platforms);
	recorder_free(set->recorder);
	calls_free(set->calls);
	json_reader_free(set->reader);
	free(set);
}

/* Comparison ---------------------------------------------------------------------------------------------------- */

static int same_keys(const struct config_keys *a, const struct config_keys *b)
{
	return !strcmp(a->operator_secret, b->operator_secret) && !strcmp(a->data_secret, b->data_secret) &&
	       !strcmp(a->data_secret_iv, b->data_secret_iv) && !strcmp(a->sig_secret, b->sig_secret);
}

/* Identity, secrets and the way there: with a change in these nothing of the old life is worth keeping. All other
 * options are read where they are used. */
static int same_life(const struct config_platform *a, const struct config_platform *b)
{
	return !strcmp(a->operator_id, b->operator_id) && !strcmp(a->url, b->url) && !strcmp(a->ca, b->ca) &&
	       !strcmp(a->certificate, b->certificate) && !strcmp(a->key, b->key) && a->verify == b->verify &&
	       same_keys(&a->ours, &b->ours) && same_keys(&a->theirs, &b->theirs);
}

/* Reload ------------------------------------------------------------------------------------------------------ */

static void refresh_client(struct platform *p)
{
	struct error err = {0};

	if (p->client && client_apply(p->client, &err))
		log_error("%s", err.text);
}

/* From the shelf another version is another object; loaded here it is always one. */
static int is_same(const struct platform_set *set, const struct mapping *a, const struct mapping *b)
{
	return a == b || (a && !set->host->shelf && !strcmp(mapping_hash(a), mapping_hash(b)));
}

int platform_set_reload_mappings(struct platform_set *set, struct error *err)
{
	int replaced = 0, result = 0;

	for (int i = 0; i < set->count; i++) {
		struct platform *p = set->platforms[i];
		struct error why = {0};

		if (goes_without(set, p->options))
			continue;
		struct mapping *mapping = take_mapping(set, p->options, &why);
		if (!mapping) {
			log_error("upstream: %s: mapping %s stays as it was: %s", p->options->name, p->options->mapping,
				  why.text);
			result = error_set(err, why.code ? why.code : FC_EINVAL, "%s", why.text);
			continue;
		}
		if (is_same(set, p->mapping, mapping)) {
			shelf_return(set->host, &mapping_kind, mapping);
			continue;
		}
		replace_mapping(set, p, mapping);
		refresh_client(p);
		replaced++;
	}
	return result ? result : replaced;
}

/* Wishes on site ----------------------------------------------------------------------------------------------------- */

/* Asks the platforms in turn, from one place on; without any left the answer is no. */
static void ask_from(struct platform_set *set, int first, const struct charge_wish *wish)
{
	for (int i = first; i < set->count; i++)
		if (set->platforms[i]->client && !client_ask(set->platforms[i]->client, wish))
			return;
	charge_decide(set->charges, wish->connector_id, wish->number, &(struct charge_grant){0});
}

static void on_decided(void *user, struct platform *platform, const struct charge_wish *wish,
		       const struct charge_grant *grant)
{
	struct platform_set *set = user;
	int next = 0;

	if (grant) {
		charge_decide(set->charges, wish->connector_id, wish->number, grant);
		return;
	}
	while (next < set->count && set->platforms[next++] != platform)
		;
	ask_from(set, next, wish);
}

int platform_set_authorise(struct platform_set *set, const struct charge_wish *wish)
{
	ask_from(set, 0, wish);
	return FC_OK;
}

/* Apply --------------------------------------------------------------------------------------------------------- */

static int plan_fresh(struct platform_set *set, const struct config *config, struct plan *plan, struct error *err)
{
	plan->platform = platform_new(set->loop, set->stations, set->reader, config, plan->options, NULL, err);
	if (!plan->platform)
		return FC_EINVAL;
	plan->fresh = 1;
	if (!goes_without(set, plan->options)) {
		plan->platform->mapping = take_mapping(set, plan->options, err);
		if (!plan->platform->mapping)
			return FC_ESCRIPT;
	}
	plan->platform->charges = set->charges;
	plan->platform->store = set->store;
	if (!platform_can_push(plan->options))
		return FC_OK;
	plan->platform->client = client_new(plan->platform, on_decided, set, err);
	return plan->platform->client ? FC_OK : FC_EINVAL;
}

static int plan_one(struct platform_set *set, const struct config *config, struct plan *plan, struct error *err)
{
	struct platform *running = platform_find(set, plan->options->name);

	if (!running || !same_life(running->options, plan->options))
		return plan_fresh(set, config, plan, err);
	plan->platform = running;
	if (!set->host->shelf && !strcmp(running->options->mapping, plan->options->mapping))
		return FC_OK;
	if (goes_without(set, plan->options))
		return FC_OK;
	plan->mapping = take_mapping(set, plan->options, err);
	return plan->mapping ? FC_OK : FC_ESCRIPT;
}

static void drop_plans(const struct platform_set *set, struct plan *plans, int count)
{
	for (int i = 0; i < count; i++) {
		if (plans[i].fresh)
			drop_platform(set, plans[i].platform);
		shelf_return(set->host, &mapping_kind, plans[i].mapping);
	}
}

static int make_plans(struct platform_set *set, const struct config *config, struct plan *plans, int *count, char *used,
		      struct error *err)
{
	for (int i = 0; i < config->platform_count; i++) {
		const struct config_platform *options = &config->platforms[i];

		if (!options->enabled)
			continue;
		plans[*count].options = options;
		int result = plan_one(set, config, &plans[(*count)++], err);
		if (result)
			return result;
		if (platform_can_answer(options))
			used[options->listen] = 1;
	}
	return FC_OK;
}

static int is_dropped(const struct platform *p, const struct plan *plans, int count)
{
	for (int i = 0; i < count; i++)
		if (plans[i].platform == p)
			return 0;
	return 1;
}

/* A call's two bodies take about so much. */
static int calls_for(int record_kb)
{
	enum { LEAST = 16, MOST = 2048 };

	return record_kb < LEAST ? LEAST : record_kb > MOST ? MOST : record_kb;
}

/* Another size begins with nothing: who changes it is not in the middle of a trial. */
static void apply_recorder(struct platform_set *set, const struct config *config)
{
	size_t bytes = (size_t)config->gateway.record_kb << 10;

	if (bytes != recorder_bytes(set->recorder)) {
		recorder_free(set->recorder);
		calls_free(set->calls);
		set->recorder = bytes ? recorder_new(bytes) : NULL;
		set->calls = set->recorder ? calls_new(calls_for(config->gateway.record_kb)) : NULL;
		if (bytes && (!set->recorder || !set->calls))
			log_warning("upstream: messages are not recorded: no memory");
	}
	for (int i = 0; i < set->count; i++) {
		set->platforms[i]->recorder = set->recorder;
		set->platforms[i]->calls = set->calls;
	}
}

/* Nothing in here can fail. next: room for the plans' platforms, taken over. */
static void commit(struct platform_set *set, const struct config *config, struct plan *plans, int count,
		   struct platform **next)
{
	/* Who watches may stop a charge with that, of which all platforms are told: all of them must still be there. */
	for (int i = 0; i < set->count; i++)
		if (is_dropped(set->platforms[i], plans, count))
			platform_unwatch(set->platforms[i]);
	for (int i = 0; i < set->count; i++)
		if (is_dropped(set->platforms[i], plans, count))
			drop_platform(set, set->platforms[i]);
	free(set->platforms);
	for (int i = 0; i < count; i++) {
		struct platform *p = plans[i].platform;

		next[i] = p;
		if (plans[i].fresh)
			continue;
		p->config = config;
		p->options = plans[i].options;
		token_server_options(&p->tokens, p->options->token_lifetime_s, p->options->keep_old_tokens);
		p->tokens.any_case = p->options->token_any_case;
		if (plans[i].mapping)
			replace_mapping(set, p, plans[i].mapping);
		refresh_client(p);
	}
	set->platforms = next;
	set->count = count;
	set->config = config;
	apply_recorder(set, config);
	for (int i = 0; i < count; i++) {
		int hub = next[i]->options->exchange;

		next[i]->hub = hub >= 0 ? platform_find(set, config->platforms[hub].name) : next[i];
		if (!next[i]->hub)
			next[i]->hub = next[i];
	}
}

int platform_set_apply(struct platform_set *set, const struct config *config, struct error *err)
{
	struct plan *plans = calloc((size_t)config->platform_count + 1, sizeof(*plans));
	struct platform **next = calloc((size_t)config->platform_count + 1, sizeof(struct platform *));
	char *used = calloc((size_t)config->listen_count + 1, 1);
	int count = 0, result;

	if (!plans || !next || !used)
		result = error_set(err, FC_ENOMEM, "upstream: no memory for %d platforms", config->platform_count);
	else
		result = make_plans(set, config, plans, &count, used, err);
	/* Ports last: they are the one thing that has to be given up before it can be had again. */
	if (!result)
		result = ports_apply(&set->ports, set->config, config, used, err);
	if (!result) {
		commit(set, config, plans, count, next);
	} else {
		drop_plans(set, plans, count);
		free(next);
	}
	free(plans);
	free(used);
	return result;
}

/* Business ------------------------------------------------------------------------------------------------------ */

void platform_set_serve(struct platform_set *set, struct charge_set *charges, struct store *store)
{
	set->charges = charges;
	set->store = store;
}

void platform_set_charge(struct platform_set *set, const struct charge_event *event)
{
	for (int i = 0; i < set->count; i++) {
		struct platform *p = set->platforms[i];

		/* Who waits for it with an open connection need not be told once more. */
		if (!strcmp(event->order->platform, p->options->name) && sync_event(p, event))
			continue;
		if (p->client)
			client_charge(p->client, event);
	}
}

/* Cities want every charge of the stations that they see, whoever started it (protocol.md 2.16). */
static int wants_all(const struct platform *p, const struct connector *connector)
{
	const struct icomm view = platform_view(p);

	return platform_can_push(p->options) && platform_sends_order(p, bonus_method) && connector &&
	       icomm_station(&view, connector->station->station_id) >= 0;
}

int platform_set_recipients(struct platform_set *set, const struct order *order, const struct connector *connector,
			    struct journal_recipient *list, int most)
{
	const struct platform *starter = platform_find(set, order->platform);
	int count = 0;

	/* Also while it is not configured or switched off: it waits in the outbox. */
	if (order->platform[0] && count < most && (!starter || platform_sends_order(starter, order_method)))
		list[count++] = (struct journal_recipient){order->platform, order_method};
	for (int i = 0; i < set->count && count < most; i++)
		if (wants_all(set->platforms[i], connector))
			list[count++] = (struct journal_recipient){set->platforms[i]->options->name, bonus_method};
	return count;
}

int platform_set_reconcile(struct platform_set *set, const char *platform, int32_t day, platform_checked done,
			   void *user, struct error *err)
{
	struct platform *p = platform_find(set, platform);

	if (!p || !p->client)
		return error_set(err, FC_ENOENT, "upstream: %s: there is no such platform, or it is not called",
				 platform);
	return client_reconcile(p->client, day, done, user, err);
}

int platform_set_order_again(struct platform_set *set, const char *name)
{
	const struct platform *p = platform_find(set, name);

	if (!p || !p->client)
		return FC_ENOENT;
	client_order_again(p->client);
	return FC_OK;
}
