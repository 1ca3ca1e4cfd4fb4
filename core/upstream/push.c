#include "upstream/push.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	IN_FLIGHT_MAX = PUSH_CALLS,
	ID_SIZE = 64, /* config.h: ids have at most 26 characters */
	OUTAGE_GAP_MS =
	    1000, /* a platform that is away is looked for by one call at a time, and no sooner than this after the last */
	RESEND_GAP_MS = 500,     /* protocol.md 2.3: 0.5 s between messages */
	FIRST_HOLD_MS = 5000,    /* a charger that was not polled yet gets this long before it is told off line */
	HOUSEKEEPING_MS = 60000, /* dates and hours are looked at this often */
	LOOK_MS = 60000,         /* between two looks for a platform that is away, at least */
	STATS_AFTER_S = 300,     /* after midnight: the last readings of the day are in */
};

/* In the order in which they go when several are due. */
enum job_kind { JOB_INFO, JOB_STATUS, JOB_STATS };

static const char *const methods[] = {"notification_stationInfo", "notification_stationStatus",
				      "notification_station_stats"};

struct job {
	struct push *push;
	struct job *next;
	enum job_kind kind;
	char id[ID_SIZE]; /* of the connector or the station */
	int pending;      /* is to be sent at due_ms */
	int in_flight;
	int wanted;    /* push_apply: still configured */
	int gone;      /* no longer configured, freed when its call comes back */
	int lost;      /* given up while the platform was not reachable */
	int token_try; /* Ret 4002 was answered to it already */
	int failures;
	int64_t due_ms;
	uint64_t order;       /* first come, first served */
	int64_t told_changed; /* INFO: station_changed_wall of what was sent last; -1 none */
	int32_t day;          /* STATS: the day sent last; 0 none */
};

struct push {
	struct platform *platform;
	struct peer *peer;
	void (*wake)(void *user);
	void *user;
	struct job *jobs, **tail;
	int in_flight;
	int outage;        /* the platform was not reached the last time, */
	int64_t outage_ms; /* which was then */
	uint64_t order;
	int64_t last_resend_ms;
};

static const struct message *job_message(const struct job *job)
{
	return message_find(methods[job->kind]);
}

static int job_enabled(const struct job *job)
{
	const struct platform *p = job->push->platform;

	return mapping_enabled(p->mapping, job_message(job), p->options);
}

static void want(struct job *job, int64_t due_ms)
{
	if (job->pending && job->due_ms <= due_ms)
		return;
	if (!job->pending)
		job->order = ++job->push->order;
	job->pending = 1;
	job->due_ms = due_ms;
}

/* Jobs ---------------------------------------------------------------------------------------------------------- */

static struct job *find_job(const struct push *push, enum job_kind kind, const char *id)
{
	for (struct job *job = push->jobs; job; job = job->next)
		if (job->kind == kind && !job->gone && !strcmp(job->id, id))
			return job;
	return NULL;
}

static int need_job(struct push *push, enum job_kind kind, const char *id)
{
	struct job *job = find_job(push, kind, id);

	if (job) {
		job->wanted = 1;
		return FC_OK;
	}
	if (strlen(id) >= ID_SIZE)
		return FC_EINVAL;
	job = calloc(1, sizeof(*job));
	if (!job)
		return FC_ENOMEM;
	job->push = push;
	job->kind = kind;
	(void)snprintf(job->id, sizeof(job->id), "%s", id);
	job->wanted = 1;
	job->told_changed = -1;
	*push->tail = job;
	push->tail = &job->next;
	if (kind == JOB_STATUS) {
		const struct connector *c = station_connector_find(push->platform->stations, id);

		/* Before the first poll a connector is off line only for want of knowledge. */
		want(job, clock_mono_ms() + (c && !c->changes ? FIRST_HOLD_MS : 0));
	}
	return FC_OK;
}

/* Frees the jobs that are no longer wanted; one under way waits for its answer. */
static void sweep(struct push *push)
{
	struct job **at = &push->jobs;

	push->tail = &push->jobs;
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
		push->tail = at;
	}
}

int push_apply(struct push *push, struct error *err)
{
	const struct config *config = station_set_config(push->platform->stations);
	const struct icomm view = platform_view(push->platform);
	int result = FC_OK;

	for (struct job *job = push->jobs; job; job = job->next)
		job->wanted = 0;
	for (int i = 0; config && i < config->station_count; i++) {
		if (!icomm_sees(&view, i))
			continue;
		if (need_job(push, JOB_INFO, config->stations[i].station_id) ||
		    need_job(push, JOB_STATS, config->stations[i].station_id))
			result = FC_ENOMEM;
	}
	for (int i = 0; config && i < config->connector_count; i++) {
		const struct config_connector *c = &config->connectors[i];

		if (icomm_sees(&view, config->chargers[c->charger].station) &&
		    need_job(push, JOB_STATUS, c->connector_id))
			result = FC_ENOMEM;
	}
	sweep(push);
	push->wake(push->user);
	return result
		   ? error_set(err, result, "upstream: platform %s: pushes: no memory", push->platform->options->name)
		   : FC_OK;
}

void push_status_changed(struct push *push, const struct connector *connector)
{
	struct job *job = find_job(push, JOB_STATUS, connector->config->connector_id);

	/* Not for this platform, or so new that push_apply will make its job. */
	if (!job)
		return;
	if (job->pending)
		push->platform->counters.push_superseded++;
	job->failures = 0;
	want(job, clock_mono_ms());
	push->wake(push->user);
}

/* What is to be told by itself ---------------------------------------------------------------------------------- */

static void look_at_info(struct push *push, int64_t now)
{
	const struct icomm view = platform_view(push->platform);

	for (struct job *job = push->jobs; job; job = job->next) {
		if (job->kind != JOB_INFO || job->gone)
			continue;
		int station = icomm_station(&view, job->id);
		if (station >= 0 && station_changed_wall(view.stations, station) != job->told_changed)
			want(job, now);
	}
}

static void look_at_stats(struct push *push, int64_t now)
{
	/* Which day was yesterday is known by the wall clock alone. */
	if (!clock_wall_trusted())
		return;
	int32_t yesterday = clock_day(clock_wall() - STATS_AFTER_S) - 1;
	for (struct job *job = push->jobs; job; job = job->next)
		if (job->kind == JOB_STATS && !job->gone && job->day != yesterday)
			want(job, now);
}

void push_resend(struct push *push)
{
	int64_t now = clock_mono_ms(), at = now;

	push->last_resend_ms = now;
	for (struct job *job = push->jobs; job; job = job->next) {
		if (job->kind != JOB_STATUS || job->gone)
			continue;
		want(job, at);
		at += RESEND_GAP_MS;
	}
	push->wake(push->user);
}

/* Returns in how many ms to look again. */
static int64_t look_at_resend(struct push *push, int64_t now)
{
	const struct platform *p = push->platform;
	double hours = mapping_timing(p->mapping, TIMING_STATUS_RESEND_H, p->options->resend_all_h);
	double left_ms = hours * 3600e3 - (double)(now - push->last_resend_ms);

	if (!(hours > 0) || left_ms >= HOUSEKEEPING_MS)
		return HOUSEKEEPING_MS;
	if (left_ms >= 1)
		return (int64_t)left_ms;
	push_resend(push);
	return HOUSEKEEPING_MS;
}

/* The platform is back: what was given up in the meantime is told now, and what waits for another try waits no longer. */
static void revive(struct push *push)
{
	for (struct job *job = push->jobs; job; job = job->next)
		if (job->lost || (job->pending && job->failures)) {
			job->lost = 0;
			want(job, clock_mono_ms());
		}
}

/* Another kind of call, or the log-in, went through since the outage was noticed: it may be back. One job asks at once, and not only when its
 * pause is over, which may be a minute and a half. */
static void look_again(struct push *push, int64_t now)
{
	if (!push->outage || push->in_flight || peer_through_ms(push->peer) <= push->outage_ms)
		return;
	for (struct job *job = push->jobs; job; job = job->next)
		if ((job->lost || (job->pending && job->failures)) && job_enabled(job)) {
			want(job, now);
			return;
		}
}

/* Sending ------------------------------------------------------------------------------------------------------- */

static void give_up(struct job *job)
{
	job->push->platform->counters.push_failed++;
	job->failures = 0;
	job->token_try = 0;
}

static int somebody_asks(const struct push *push)
{
	for (const struct job *job = push->jobs; job; job = job->next)
		if (job->in_flight || (job->pending && job_enabled(job)))
			return 1;
	return 0;
}

/* The platform is not reached, and all have given up: one goes on, so that its return is noticed and told to the others also where nothing
 * happens for hours. */
static void keep_asking(struct job *job)
{
	int64_t retry_ms = (int64_t)job->push->platform->options->retry_s * 1000;

	if (!somebody_asks(job->push))
		want(job, clock_mono_ms() + peer_pause_ms(job->push->peer, retry_ms > LOOK_MS ? retry_ms : LOOK_MS));
}

static void later(struct job *job, int reached)
{
	const struct config_platform *options = job->push->platform->options;

	if (job->lost && !reached) {
		keep_asking(job);
		return;
	}

	if (++job->failures <= options->retry_count) {
		want(job, clock_mono_ms() + peer_pause_ms(job->push->peer, (int64_t)options->retry_s * 1000));
		return;
	}
	log_warning("upstream: %s: %s: %s: given up after %d attempts", options->name, methods[job->kind], job->id,
		    job->failures);
	give_up(job);
	job->lost = !reached;
	if (job->lost)
		keep_asking(job);
}

static void confirmed(struct job *job, const struct value *answer)
{
	struct platform_counters *counters = &job->push->platform->counters;
	int64_t verdict = 0;

	job->failures = 0;
	job->token_try = 0;
	job->lost = 0;
	/* An answer without a verdict is taken for what Ret 0 says (protocol.md section 5, 7). */
	(void)message_verdict(job_message(job), answer, &verdict);
	if (verdict)
		log_info("upstream: %s: %s: %s: discarded by the platform (%lld)", job->push->platform->options->name,
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
	peer_complain(job->push->peer, methods[job->kind], "refused: Ret 4002 also with a new token");
	give_up(job);
}

static void settle(struct job *job, enum peer_outcome outcome, const struct value *answer)
{
	struct push *push = job->push;

	/* Whatever it says, it is there. Who was lost because it was not must not wait for one that will be given up now. */
	if (push->outage && outcome != PEER_UNREACHED) {
		push->outage = 0;
		job->lost = 0;
		revive(push);
	}
	switch (outcome) {
	case PEER_DONE:
		confirmed(job, answer);
		break;
	case PEER_UNREACHED:
		push->outage = 1;
		push->outage_ms = clock_mono_ms();
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
	struct push *push = job->push;

	job->in_flight = 0;
	push->in_flight--;
	settle(job, outcome, answer);
	if (job->gone)
		sweep(push);
	push->wake(push->user);
}

/* The message of this moment; NULL: there is nothing to tell any more, or no memory. */
static struct value *build(struct job *job, struct arena *arena)
{
	const struct platform *p = job->push->platform;
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
	struct push *push = job->push;
	struct error err = {0};
	struct arena arena;

	arena_init(&arena, PLATFORM_MEMORY_MAX);
	job->pending = 0;
	job->in_flight = 1;
	push->in_flight++;
	struct value *request = build(job, &arena);
	int result = request ? peer_call(push->peer, job_message(job), request, &arena, job_done, job, &err)
			     : error_set(&err, FC_ENOMEM, "nothing to tell");
	arena_fini(&arena);
	if (!result) {
		if (job->kind == JOB_STATUS)
			push->platform->counters.status_pushed++;
		return;
	}
	job->in_flight = 0;
	push->in_flight--;
	log_warning("upstream: %s: %s: %s: not sent: %s", push->platform->options->name, methods[job->kind], job->id,
		    err.text);
	later(job, 1);
}

/* The job that goes now, or NULL and *next_ms is when one will (INT64_MAX: none waits). */
static struct job *choose(const struct push *push, int64_t now, int64_t *next_ms)
{
	struct job *best = NULL;

	*next_ms = INT64_MAX;
	for (struct job *job = push->jobs; job; job = job->next) {
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

/* Each connector has something to tell, and each call would cost both sides a handshake that comes to nothing: with several platforms away
 * that alone would keep those waiting that are there. */
static int may_start(const struct push *push, int64_t now)
{
	return push->outage ? !push->in_flight && now - push->outage_ms >= OUTAGE_GAP_MS
			    : push->in_flight < IN_FLIGHT_MAX;
}

int64_t push_pump(struct push *push, int64_t now)
{
	int64_t next_ms = INT64_MAX;
	struct job *job;

	look_at_info(push, now);
	look_at_stats(push, now);
	look_again(push, now);
	int64_t next = now + look_at_resend(push, now);
	if (push->outage && push->outage_ms + OUTAGE_GAP_MS > now)
		next_ms = push->outage_ms + OUTAGE_GAP_MS;
	while (may_start(push, now) && peer_ready(push->peer) && (job = choose(push, now, &next_ms)))
		start(job);
	/* Answers and tokens wake by themselves; only the clock does not. */
	return next_ms < next ? next_ms : next;
}

struct push *push_new(struct platform *platform, struct peer *peer, void (*wake)(void *user), void *user)
{
	struct push *push = calloc(1, sizeof(*push));

	if (!push)
		return NULL;
	push->platform = platform;
	push->peer = peer;
	push->wake = wake;
	push->user = user;
	push->tail = &push->jobs;
	push->last_resend_ms = clock_mono_ms();
	return push;
}

void push_free(struct push *push)
{
	struct job *next;

	if (!push)
		return;
	for (struct job *job = push->jobs; job; job = next) {
		next = job->next;
		free(job);
	}
	free(push);
}

uint32_t push_waiting(const struct push *push)
{
	uint32_t waiting = 0;

	for (const struct job *job = push->jobs; job; job = job->next)
		if (job->in_flight || (job->pending && job_enabled(job)))
			waiting++;
	return waiting;
}
