/* What is played: clocks, station, devices, prices, peers, and the hooks of the charge room. */
#include <stdint.h>
#include <time.h>

/* Time is what a test says it is. */
int64_t played_us, played_s;
const int64_t played_set = 1800000000;

static int played_gettime(clockid_t clock, struct timespec *out)
{
	*out = clock == CLOCK_MONOTONIC ? (struct timespec){played_us / 1000000, played_us % 1000000 * 1000}
					: (struct timespec){played_s, 0};
	return 0;
}

static time_t played_time(time_t *out)
{
	(void)out;
	return played_s;
}

#define clock_gettime played_gettime
#define time(out)     played_time(out)
#include "base/clock.c"
#undef clock_gettime
#undef time

#include "world.h"

struct world *world;
const char *const world_ids[MODEL_CONNECTORS] = {"K0", "K1"};
const char *const world_names[MODEL_PLATFORMS] = {"city", "town"};
const char *const world_given[MODEL_SEQS] = {"987654321000000000000000001", "987654321000000000000000002"};

static int index_of(const struct connector *connector)
{
	return (int)(connector - world->stations.connector);
}

/* Station and devices, as far as charges ask them. */
void station_listen(struct station_set *set, struct station_listener *listener)
{
	set->listener = listener;
}

void station_unlisten(struct station_set *set, struct station_listener *listener)
{
	(void)listener;
	set->listener = NULL;
}

const struct connector *station_connector_find(const struct station_set *set, const char *connector_id)
{
	for (int k = 0; k < MODEL_CONNECTORS; k++)
		if (set->is_present[k] && !strcmp(world_ids[k], connector_id))
			return &set->connector[k];
	return NULL;
}

int station_unreserve(struct station_set *set, const char *connector_id, const char *who, const char *why,
		      struct error *err)
{
	(void)set, (void)connector_id, (void)who, (void)why, (void)err;
	return FC_ENOENT;
}

int energy_read(const struct connector *connector, const char *source, int64_t *wh, int64_t *read_us)
{
	int k = index_of(connector);

	(void)source;
	if (!world->stations.is_good[k])
		return FC_ENOENT;
	*wh = world->stations.wh[k];
	*read_us = world->stations.read_us[k];
	return FC_OK;
}

int energy_meter(const struct connector *connector, int64_t *wh, int64_t *read_us)
{
	return energy_read(connector, "", wh, read_us);
}

void energy_source(const struct connector *connector, char out[ENERGY_SOURCE])
{
	(void)connector;
	out[0] = '\0';
}

int energy_has(const struct connector *connector)
{
	(void)connector;
	return 1;
}

int connector_point(const struct connector *connector, const char *name, struct point_value *out)
{
	const char *card = world->stations.card[index_of(connector)];

	if (strcmp(name, "card") != 0 || !card)
		return FC_ENOENT;
	*out = (struct point_value){.quality = QUALITY_GOOD, .is_text = 1};
	(void)snprintf(out->text, sizeof(out->text), "%s", card);
	return FC_OK;
}

const struct profile *device_profile(const struct device *device)
{
	(void)device;
	return NULL;
}

int64_t device_status_read(const struct device *device, int number)
{
	(void)device, (void)number;
	return 0;
}

int device_can(const struct device *device, const char *command)
{
	(void)device, (void)command;
	return 1;
}

int device_command(struct device_set *set, struct device *device, int number, const char *command,
		   device_command_done done, void *user, struct error *err)
{
	int is_stop = strcmp(command, "stop") == 0;

	(void)set, (void)device, (void)err;
	world->stations.sent[number][is_stop].done = done;
	world->stations.sent[number][is_stop].user = user;
	return FC_OK;
}

struct prices *prices_load(const struct config *config, const struct script_host *host, struct error *err)
{
	(void)config, (void)host, (void)err;
	return malloc(1);
}

void prices_free(struct prices *prices)
{
	free(prices);
}

struct sources *prices_sources(const struct prices *prices, int index)
{
	(void)prices, (void)index;
	return NULL;
}

int prices_tariff(const struct prices *prices, const struct connector *connector, const char *platform,
		  const char *user_class, int days, struct tariff *out, struct error *err)
{
	(void)prices, (void)connector, (void)platform, (void)user_class, (void)days, (void)err;
	policy_free_of_charge(clock_wall(), out);
	if (world->rules->occupancy) {
		out->occupancy_minute_e4 = 100;
		out->occupancy_most_min = 60;
	}
	return FC_OK;
}

/* The peer of a platform. */
int peer_ready(const struct peer *peer)
{
	return !peer->done;
}

const struct peer_told *peer_told(const struct peer *peer)
{
	static const struct peer_told told = {.text = ""};

	(void)peer;
	return &told;
}

/* The shortest pause that it may take: how it is spread is test_backoff's. */
int64_t peer_pause_ms(struct peer *peer, int64_t pause_ms)
{
	(void)peer;
	return pause_ms;
}

int peer_call(struct peer *peer, const struct message *message, struct value *request, struct arena *arena,
	      peer_done done, void *user, struct error *err)
{
	const char *seq = value_text(value_get(request, "StartChargeSeq"));
	struct buffer text;

	(void)message, (void)arena, (void)err;
	assert_non_null(seq);
	*peer = (struct peer){.done = done, .user = user};
	(void)snprintf(peer->seq, sizeof(peer->seq), "%s", seq);
	buffer_init(&text, JSON_MAX);
	assert_int_equal(json_write(&text, request), FC_OK);
	for (int p = 0; p < MODEL_PLATFORMS; p++)
		for (int o = 0; o < MODEL_ORDERS; o++) {
			if (peer != &world->peer[p] || strcmp(world->seq[o], seq) != 0)
				continue;
			/* A repeat says the same, to the byte. */
			if (world->content[p][o])
				assert_string_equal(world->content[p][o], text.data);
			else
				world->content[p][o] = strdup(text.data);
		}
	buffer_fini(&text);
	return FC_OK;
}

int platform_sends_order(const struct platform *platform, const char *method)
{
	(void)platform, (void)method;
	return 1;
}

struct states *states_new(struct platform *platform, struct peer *peer)
{
	(void)platform, (void)peer;
	return malloc(1);
}

void states_free(struct states *states)
{
	free(states);
}

int64_t states_pump(struct states *states, int64_t now_ms)
{
	(void)states;
	return now_ms + 60000;
}

/* Hooks of the charge room. */
static int authorise(void *user, const struct charge_wish *wish)
{
	(void)user, (void)wish;
	return FC_OK;
}

static void on_charge(void *user, const struct charge_event *event)
{
	struct world *w = user;

	for (int p = 0; p < w->rules->platforms && event->kind == CHARGE_SETTLED; p++)
		business_order(w->business[p]);
}

static int recipients(void *user, const struct order *order, const struct connector *connector,
		      struct journal_recipient *list, int most)
{
	const struct world *w = user;

	(void)order, (void)connector, (void)most;
	for (int p = 0; p < w->rules->platforms; p++)
		list[p] = (struct journal_recipient){world_names[p], "notification_charge_order_info"};
	return w->rules->platforms;
}

void world_no_wake(void *user)
{
	(void)user;
}

struct charge_hooks world_hooks(struct world *w)
{
	return (struct charge_hooks){on_charge, w->rules->cards ? authorise : NULL, recipients, w};
}
