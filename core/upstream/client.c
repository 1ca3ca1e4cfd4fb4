#include "upstream/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/business.h"
#include "upstream/peer.h"

enum {
	IN_FLIGHT_MAX = 4,
	BUSINESS_CALLS = 4,
	ID_SIZE = 64,            /* config.h: ids have at most 26 characters */
	RESEND_GAP_MS = 500,     /* protocol.md 2.3: 0.5 s between messages */
	FIRST_HOLD_MS = 5000,    /* a charger that was not polled yet gets this long before it is told off line */
	HOUSEKEEPING_MS = 60000, /* dates and hours are looked at this often */
	STATS_AFTER_S = 300,     /* after midnight: the last readings of the day are in */
};

/* In the order in which they go when several are due. */
enum job_kind { JOB_INFO, JOB_STATUS, JOB_STATS };

static const char *const methods[] = {"notification_stationInfo", "notification_stationStatus",
				      "notification_station_stats"};

struct job {
	struct client *client;
	struct job *next;
	enum job_kind kind;
	char id[ID_SIZE]; /* of the connector or the station */
	int pending;      /* is to be sent at due_ms */
	int in_flight;
	int wanted;    /* client_apply: still configured */
	int gone;      /* no longer configured, freed when its call comes back */
	int lost;      /* given up while the platform was not reachable */
	int token_try; /* Ret 4002 was answered to it already */
	int failures;
	int64_t due_ms;
	uint64_t order;       /* first come, first served */
	int64_t told_changed; /* INFO: station_changed_wall of what was sent last; -1 none */
	int32_t day;          /* STATS: the day sent last; 0 none */
};

struct client {
	struct platform *platform;
	struct peer *peer;
	struct business *business; /* NULL without charges, */
	struct auth *auth;         /* and so are these */
	struct reconcile *reconcile;
	struct job *jobs, **tail;
	int in_flight;
	int outage; /* the platform was not reached the last time */
	uint64_t order;
	int64_t last_resend_ms;
	struct loop_timer timer;
};

static void pump(void *user);

static const struct message *job_message(const struct job *job)
{
	return message_find(methods[job->kind]);
}

static int job_enabled(const struct job *job)
{
	const struct platform *p = job->client->platform;

	return mapping_enabled(p->mapping, job_message(job), p->options);
}

static void wake(struct client *client, int64_t delay_ms)
{
	if (loop_timer_set(client->platform->loop, &client->timer, delay_ms > 0 ? delay_ms * 1000 : 1))
		log_error("upstream: %s: timer: no memory", client->platform->options->name);
}

static void want(struct job *job, int64_t due_ms)
{
	if (job->pending && job->due_ms <= due_ms)
		return;
	if (!job->pending)
		job->order = ++job->client->order;
	job->pending = 1;
	job->due_ms = due_ms;
}

/* Jobs ---------------------------------------------------------------------------------------------------------- */

static struct job *find_job(const struct client *client, enum job_kind kind, const char *id)
{
	for (struct job *job = client->jobs; job; job = job->next)
		if (job->kind == kind && !job->gone && !strcmp(job->id, id))
			return job;
	return NULL;
}

static int need_job(struct client *client, enum job_kind kind, const char *id)
{
	struct job *job = find_job(client, kind, id);

	if (job) {
		job->wanted = 1;
		return FC_OK;
	}
	if (strlen(id) >= ID_SIZE)
		return FC_EINVAL;
	job = calloc(1, sizeof(*job));
	if (!job)
		return FC_ENOMEM;
	job->client = client;
	job->kind = kind;
	(void)snprintf(job->id, sizeof(job->id), "%s", id);
	job->wanted = 1;
	job->told_changed = -1;
	*client->tail = job;
	client->tail = &job->next;
	if (kind == JOB_STATUS) {
		const struct connector *c = station_connector_find(client->platform->stations, id);

		/* Before the first poll a connector is off line only for want of knowledge. */
		want(job, clock_mono_ms() + (c && !c->changes ? FIRST_HOLD_MS : 0));
	}
	return FC_OK;
}

/* Frees the jobs that are no longer wanted; one under way waits for its answer. */
static void sweep(struct client *client)
{
	struct job **at = &client->jobs;

	client->tail = &client->jobs;
	while (*at) {
		struct job *job = *at;

		if (!job->wanted && !job->in_flight) {
			*at = job->next;
			free(job);
			continue;
		}
		if (!job->wanted) {
			job->gone = 1;
			job->pending = 0;
		}
		at = &job->next;
		client->tail = at;
	}
}

int client_apply(struct client *client, struct error *err)
{
	const struct config *config = station_set_config(client->platform->stations);
	const struct icomm view = platform_view(client->platform);
	int result = FC_OK;

	for (struct job *job = client->jobs; job; job = job->next)
		job->wanted = 0;
	for (int i = 0; config && i < config->station_count; i++) {
		if (!icomm_sees(&view, i))
			continue;
		if (need_job(client, JOB_INFO, config->stations[i].station_id) ||
		    need_job(client, JOB_STATS, config->stations[i].station_id))
			result = FC_ENOMEM;
	}
	for (int i = 0; config && i < config->connector_count; i++) {
		const struct config_connector *c = &config->connectors[i];

		if (icomm_sees(&view, config->chargers[c->charger].station) &&
		    need_job(client, JOB_STATUS, c->connector_id))
			result = FC_ENOMEM;
	}
	sweep(client);
	peer_changed(client->peer);
	wake(client, 0);
	return result
		   ? error_set(err, result, "upstream: platform %s: pushes: no memory", client->platform->options->name)
		   : FC_OK;
}

void client_status_changed(struct client *client, const struct connector *connector)
{
	struct job *job = find_job(client, JOB_STATUS, connector->config->connector_id);

	/* Not for this platform, or so new that client_apply will make its job. */
	if (!job)
		return;
	if (job->pending)
		client->platform->counters.push_superseded++;
	job->failures = 0;
	want(job, clock_mono_ms());
	wake(client, 0);
}

void client_wake(struct client *client)
{
	wake(client, 0);
}

/* What is to be told by itself ---------------------------------------------------------------------------------- */

static void look_at_info(struct client *client, int64_t now)
{
	const struct icomm view = platform_view(client->platform);

	for (struct job *job = client->jobs; job; job = job->next) {
		if (job->kind != JOB_INFO || job->gone)
			continue;
		int station = icomm_station(&view, job->id);
		if (station >= 0 && station_changed_wall(view.stations, station) != job->told_changed)
			want(job, now);
	}
}

static void look_at_stats(struct client *client, int64_t now)
{
	/* Which day was yesterday is known by the wall clock alone. */
	if (!clock_wall_trusted())
		return;
	int32_t yesterday = clock_day(clock_wall() - STATS_AFTER_S) - 1;
	for (struct job *job = client->jobs; job; job = job->next)
		if (job->kind == JOB_STATS && !job->gone && job->day != yesterday)
			want(job, now);
}

void client_resend(struct client *client)
{
	int64_t now = clock_mono_ms(), at = now;

	client->last_resend_ms = now;
	for (struct job *job = client->jobs; job; job = job->next) {
		if (job->kind != JOB_STATUS || job->gone)
			continue;
		want(job, at);
		at += RESEND_GAP_MS;
	}
	wake(client, 0);
}

/* Returns in how many ms to look again. */
static int64_t look_at_resend(struct client *client, int64_t now)
{
	const struct platform *p = client->platform;
	double hours = mapping_timing(p->mapping, TIMING_STATUS_RESEND_H, p->options->resend_all_h);
	double left_ms = hours * 3600e3 - (double)(now - client->last_resend_ms);

	if (!(hours > 0) || left_ms >= HOUSEKEEPING_MS)
		return HOUSEKEEPING_MS;
	if (left_ms >= 1)
		return (int64_t)left_ms;
	client_resend(client);
	return HOUSEKEEPING_MS;
}

/* The platform is back: what was given up in the meantime is told now. */
static void revive(struct client *client)
{
	for (struct job *job = client->jobs; job; job = job->next)
		if (job->lost) {
			job->lost = 0;
			want(job, clock_mono_ms());
		}
}

/* Sending ------------------------------------------------------------------------------------------------------- */

static void give_up(struct job *job)
{
	job->client->platform->counters.push_failed++;
	job->failures = 0;
	job->token_try = 0;
}

static void later(struct job *job, int reached)
{
	const struct config_platform *options = job->client->platform->options;

	if (++job->failures <= options->retry_count) {
		want(job, clock_mono_ms() + (int64_t)options->retry_s * 1000);
		return;
	}
	log_warning("upstream: %s: %s: %s: given up after %d attempts", options->name, methods[job->kind], job->id,
		    job->failures);
	give_up(job);
	job->lost = !reached;
}

static void confirmed(struct job *job, const struct value *answer)
{
	struct platform_counters *counters = &job->client->platform->counters;
	int64_t verdict = 0;

	job->failures = 0;
	job->token_try = 0;
	job->lost = 0;
	/* An answer without a verdict is taken for what Ret 0 says (protocol.md section 5, 7). */
	(void)message_verdict(job_message(job), answer, &verdict);
	if (verdict)
		log_info("upstream: %s: %s: %s: discarded by the platform (%lld)", job->client->platform->options->name,
			 methods[job->kind], job->id, (long long)verdict);
	switch (job->kind) {
	case JOB_STATUS:
		if (verdict)
			counters->status_discarded++;
		else
			counters->status_accepted++;
		break;
	case JOB_INFO:
		counters->info_pushed++;
		break;
	case JOB_STATS:
		counters->stats_pushed++;
		break;
	}
}

static void again_with_token(struct job *job)
{
	if (!job->token_try) {
		job->token_try = 1;
		want(job, clock_mono_ms());
		return;
	}
	peer_complain(job->client->peer, methods[job->kind], "refused: Ret 4002 also with a new token");
	give_up(job);
}

static void settle(struct job *job, enum peer_outcome outcome, const struct value *answer)
{
	struct client *client = job->client;

	switch (outcome) {
	case PEER_DONE:
		confirmed(job, answer);
		if (client->outage)
			revive(client);
		client->outage = 0;
		break;
	case PEER_UNREACHED:
		client->outage = 1;
		later(job, 0);
		break;
	case PEER_BUSY:
		later(job, 1);
		break;
	case PEER_TOKEN:
		again_with_token(job);
		break;
	case PEER_REFUSED:
		give_up(job);
		break;
	}
}

static void job_done(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct job *job = user;
	struct client *client = job->client;

	job->in_flight = 0;
	client->in_flight--;
	settle(job, outcome, answer);
	if (job->gone)
		sweep(client);
	wake(client, 0);
}

/* The message of this moment; NULL: there is nothing to tell any more, or no memory. */
static struct value *build(struct job *job, struct arena *arena)
{
	const struct platform *p = job->client->platform;
	const struct icomm view = platform_view(p);
	const struct connector *connector;
	int station = job->kind == JOB_STATUS ? -1 : icomm_station(&view, job->id);

	switch (job->kind) {
	case JOB_STATUS:
		connector = station_connector_find(p->stations, job->id);
		return connector ? icomm_push_status(connector, arena) : NULL;
	case JOB_INFO:
		if (station < 0)
			return NULL;
		job->told_changed = station_changed_wall(p->stations, station);
		return icomm_push_info(&view, station, arena);
	case JOB_STATS:
		if (station < 0)
			return NULL;
		job->day = clock_day(clock_wall() - STATS_AFTER_S) - 1;
		return icomm_push_stats(&view, station, job->day, arena);
	}
	return NULL;
}

static void start(struct job *job)
{
	struct client *client = job->client;
	struct error err = {0};
	struct arena arena;

	arena_init(&arena, PLATFORM_MEMORY_MAX);
	job->pending = 0;
	job->in_flight = 1;
	client->in_flight++;
	struct value *request = build(job, &arena);
	int result = request ? peer_call(client->peer, job_message(job), request, &arena, job_done, job, &err)
			     : error_set(&err, FC_ENOMEM, "nothing to tell");
	arena_fini(&arena);
	if (!result) {
		if (job->kind == JOB_STATUS)
			client->platform->counters.status_pushed++;
		return;
	}
	job->in_flight = 0;
	client->in_flight--;
	log_warning("upstream: %s: %s: %s: not sent: %s", client->platform->options->name, methods[job->kind], job->id,
		    err.text);
	later(job, 1);
}

/* The job that goes now, or NULL and *next_ms is when one will (INT64_MAX: none waits). */
static struct job *choose(const struct client *client, int64_t now, int64_t *next_ms)
{
	struct job *best = NULL;

	*next_ms = INT64_MAX;
	for (struct job *job = client->jobs; job; job = job->next) {
		if (!job->pending || job->in_flight || !job_enabled(job))
			continue;
		if (job->due_ms > now) {
			if (job->due_ms < *next_ms)
				*next_ms = job->due_ms;
			continue;
		}
		if (!best || job->kind < best->kind || (job->kind == best->kind && job->order < best->order))
			best = job;
	}
	return best;
}

static void pump(void *user)
{
	struct client *client = user;
	int64_t now = clock_mono_ms(), next_ms = INT64_MAX;
	struct job *job;

	look_at_info(client, now);
	look_at_stats(client, now);
	int64_t sleep_ms = look_at_resend(client, now);
	/* What money hangs on goes first. */
	if (client->business) {
		int64_t again_ms = business_pump(client->business, now);

		auth_pump(client->auth);
		sleep_ms = again_ms < sleep_ms ? again_ms : sleep_ms;
		again_ms = reconcile_pump(client->reconcile, now);
		sleep_ms = again_ms < sleep_ms ? again_ms : sleep_ms;
	}
	while (client->in_flight < IN_FLIGHT_MAX && peer_ready(client->peer) && (job = choose(client, now, &next_ms)))
		start(job);
	/* Answers and tokens wake by themselves; only the clock does not. */
	if (next_ms - now < sleep_ms)
		sleep_ms = next_ms - now;
	wake(client, sleep_ms);
}

static void on_ready(void *user)
{
	wake(user, 0);
}

static void on_resend(void *user)
{
	struct client *client = user;

	business_order(client->business);
}

static int serve_charges(struct client *client, auth_done decided, void *user, struct error *err)
{
	struct platform *p = client->platform;

	if (!p->charges)
		return FC_OK;
	client->business = business_new(p, client->peer, on_ready, client);
	client->auth = auth_new(p, client->peer, decided, user);
	client->reconcile = reconcile_new(p, client->peer, on_resend, client);
	return client->business && client->auth && client->reconcile
		   ? FC_OK
		   : error_set(err, FC_ENOMEM, "upstream: platform %s: no memory", p->options->name);
}

struct client *client_new(struct platform *platform, auth_done decided, void *user, struct error *err)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		(void)error_set(err, FC_ENOMEM, "upstream: platform %s: no memory", platform->options->name);
		return NULL;
	}
	client->platform = platform;
	client->tail = &client->jobs;
	client->last_resend_ms = clock_mono_ms();
	client->timer = (struct loop_timer){.fn = pump, .user = client};
	client->peer = peer_new(platform, IN_FLIGHT_MAX + BUSINESS_CALLS, on_ready, client, err);
	if (!client->peer || serve_charges(client, decided, user, err) || client_apply(client, err)) {
		client_free(client);
		return NULL;
	}
	return client;
}

void client_free(struct client *client)
{
	struct job *next;

	if (!client)
		return;
	peer_free(client->peer);
	business_free(client->business);
	auth_free(client->auth);
	reconcile_free(client->reconcile);
	loop_timer_cancel(client->platform->loop, &client->timer);
	for (struct job *job = client->jobs; job; job = next) {
		next = job->next;
		free(job);
	}
	free(client);
}

void client_charge(struct client *client, const struct charge_event *event)
{
	if (!client->business)
		return;
	if (event->kind == CHARGE_SETTLED)
		business_order(client->business);
	else if (!strcmp(event->order->platform, client->platform->options->name))
		business_event(client->business, event);
}

int client_ask(struct client *client, const struct charge_wish *wish)
{
	return client->auth ? auth_ask(client->auth, wish) : FC_ENOENT;
}

int client_reconcile(struct client *client, int32_t day, reconcile_done done, void *user, struct error *err)
{
	if (!client->reconcile)
		return error_set(err, FC_EINVAL, "upstream: %s: no orders go there", client->platform->options->name);
	return reconcile_start(client->reconcile, day, done, user, err);
}

void client_order(struct client *client)
{
	if (client->business)
		business_order(client->business);
}

struct peer *client_peer(const struct client *client)
{
	return client->peer;
}

int client_linked(const struct client *client)
{
	return peer_linked(client->peer);
}

uint32_t client_waiting(const struct client *client)
{
	uint32_t waiting = client->business ? business_waiting(client->business) : 0;

	for (const struct job *job = client->jobs; job; job = job->next)
		if (job->in_flight || (job->pending && job_enabled(job)))
			waiting++;
	return waiting;
}
