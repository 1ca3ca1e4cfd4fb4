#include "script/shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/loader.h"

enum { JOB_TEXTS = 1 << 20 };

/* What is, or was, wanted. */
struct entry {
	const struct shelf_kind *kind;
	char *name, *space;
	struct version *current; /* what shelf_take gives, or NULL */
	struct version *before;  /* while something is put forward: what it gave */
	int forward;             /* before is to be gone back to, or to go */
	int has_failed;          /* its content as it was tried last is bad */
	int is_lacking;          /* rooms go on without it while there is no current */
	struct digest failed;
	struct error error;
	struct entry *next;
};

struct shelf {
	struct loop *loop;
	const struct script_host *host;
	void (*ready)(void *user);
	void *user;
	struct loop_waker waker;
	struct entry *entries;
	struct version *versions; /* all that live */
	struct job *job;          /* the last one that was done */
	int busy;
	struct loader *loader;
};

/* Versions: the loop's ---------------------------------------------------------------------------------------------- */

static void let_go(struct shelf *shelf, struct version *version)
{
	if (!version || --version->held)
		return;
	for (struct version **at = &shelf->versions; *at; at = &(*at)->next)
		if (*at == version) {
			*at = version->next;
			break;
		}
	loader_waste(shelf->loader, version);
}

/* Those that nobody put forward. */
static void drop_versions(struct shelf *shelf, struct job *job)
{
	for (int i = 0; job->tasks && i < job->count; i++) {
		if (!job->tasks[i].version)
			continue;
		job->tasks[i].version->held = 1;
		let_go(shelf, job->tasks[i].version);
		job->tasks[i].version = NULL;
		job->items[i].object = NULL;
	}
}

static void free_job(struct shelf *shelf, struct job *job)
{
	if (!job)
		return;
	drop_versions(shelf, job);
	arena_fini(&job->texts);
	free(job->items);
	free(job->tasks);
	free(job);
}

static struct entry *find_entry(const struct shelf *shelf, const struct shelf_kind *kind, const char *name,
				const char *space)
{
	for (struct entry *e = shelf->entries; e; e = e->next)
		if (e->kind == kind && !strcmp(e->name, name) && !strcmp(e->space, space))
			return e;
	return NULL;
}

static struct entry *add_entry(struct shelf *shelf, const struct shelf_item *item)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->kind = item->kind;
	e->name = strdup(item->name);
	e->space = strdup(item->space);
	if (!e->name || !e->space) {
		free(e->name);
		free(e->space);
		free(e);
		return NULL;
	}
	e->next = shelf->entries;
	shelf->entries = e;
	return e;
}

static void free_entry(struct shelf *shelf, struct entry *e)
{
	let_go(shelf, e->current);
	let_go(shelf, e->before);
	free(e->name);
	free(e->space);
	free(e);
}

/* What was found out is remembered, whatever is done with it. */
static void note_results(struct shelf *shelf, struct job *job)
{
	for (int i = 0; i < job->count; i++) {
		const struct shelf_item *item = &job->items[i];
		struct entry *e = find_entry(shelf, item->kind, item->name, item->space);

		if (!e)
			e = add_entry(shelf, item);
		if (!e)
			continue;
		e->has_failed = item->state == SHELF_FAILED;
		e->failed = job->tasks[i].digest;
		e->error = job->tasks[i].error;
	}
}

static void take_done(void *user)
{
	struct shelf *shelf = user;

	/* Whoever is told may have the next one done at once. */
	for (struct chore *next, *c = loader_take_chores(shelf->loader); c; c = next) {
		next = c->next;
		c->done(c->user, c->finished);
		free(c);
	}
	struct job *job = loader_take(shelf->loader);
	if (!job)
		return;
	shelf->job = job;
	shelf->busy = 0;
	note_results(shelf, job);
	shelf->ready(shelf->user);
}

struct shelf *shelf_new(struct loop *loop, const struct script_host *host, void (*ready)(void *user), void *user,
			struct error *err)
{
	struct shelf *shelf = calloc(1, sizeof(*shelf));

	if (!shelf) {
		(void)error_set(err, FC_ENOMEM, "script: no memory");
		return NULL;
	}
	shelf->loop = loop;
	shelf->host = host;
	shelf->ready = ready;
	shelf->user = user;
	shelf->waker = (struct loop_waker){.fn = take_done, .user = shelf};
	shelf->loader = loader_new(loop);
	if (!shelf->loader) {
		free(shelf);
		(void)error_set(err, FC_ENOMEM, "script: no thread to load with");
		return NULL;
	}
	loop_waker_add(loop, &shelf->waker);
	return shelf;
}

void shelf_free(struct shelf *shelf)
{
	if (!shelf)
		return;
	loop_waker_remove(shelf->loop, &shelf->waker);
	struct job *left = loader_stop(shelf->loader);
	free_job(shelf, shelf->job);
	free_job(shelf, left);
	for (struct chore *next, *c = loader_left_chores(shelf->loader); c; c = next) {
		next = c->next;
		c->done(c->user, 0);
		free(c);
	}
	while (shelf->entries) {
		struct entry *next = shelf->entries->next;

		free_entry(shelf, shelf->entries);
		shelf->entries = next;
	}
	loader_free(shelf->loader);
	free(shelf);
}

/* Jobs --------------------------------------------------------------------------------------------------------------- */

static int fill_task(const struct shelf *shelf, struct job *job, int i, const struct shelf_want *want)
{
	struct shelf_item *item = &job->items[i];
	struct task *task = &job->tasks[i];

	item->kind = want->kind;
	item->name = arena_copy(&job->texts, want->name, strlen(want->name));
	item->space = arena_copy(&job->texts, want->space, strlen(want->space));
	if (!item->name || !item->space)
		return FC_ENOMEM;
	const struct entry *e = find_entry(shelf, want->kind, want->name, want->space);
	if (!e)
		return FC_OK;
	task->has_failed = e->has_failed;
	task->failed = e->failed;
	task->known = e->error;
	item->running = e->current != NULL;
	item->lacking = !e->current && e->is_lacking;
	if (!e->current)
		return FC_OK;
	(void)snprintf(item->hash, sizeof(item->hash), "%s", e->kind->hash(e->current->object));
	const struct script_limits *was = &e->current->limits, *is = &job->host.limits;
	task->has_current =
	    was->memory == is->memory && was->instructions == is->instructions && was->time_ms == is->time_ms;
	task->current = e->current->digest;
	return FC_OK;
}

static struct job *make_job(const struct shelf *shelf, const struct shelf_want *wants, int count)
{
	struct job *job = calloc(1, sizeof(*job));
	int failed = !job;

	if (job) {
		arena_init(&job->texts, JOB_TEXTS);
		job->host = *shelf->host;
		job->host.shelf = NULL;
		job->items = calloc((size_t)count + 1, sizeof(*job->items));
		job->tasks = calloc((size_t)count + 1, sizeof(*job->tasks));
		job->count = count;
		failed = !job->items || !job->tasks;
	}
	for (int i = 0; i < count && !failed; i++)
		failed = fill_task(shelf, job, i, &wants[i]) != FC_OK;
	if (!failed)
		return job;
	if (job) {
		arena_fini(&job->texts);
		free(job->items);
		free(job->tasks);
	}
	free(job);
	return NULL;
}

int shelf_want(struct shelf *shelf, const struct shelf_want *wants, int count)
{
	if (shelf->busy)
		return FC_EBUSY;
	struct job *job = make_job(shelf, wants, count);
	if (!job)
		return FC_ENOMEM;
	free_job(shelf, shelf->job);
	shelf->job = NULL;
	shelf->busy = 1;
	loader_put(shelf->loader, job);
	return FC_OK;
}

int shelf_load(struct shelf *shelf, const struct shelf_want *wants, int count)
{
	if (shelf->busy)
		return FC_EBUSY;
	struct job *job = make_job(shelf, wants, count);
	if (!job)
		return FC_ENOMEM;
	free_job(shelf, shelf->job);
	shelf->job = job;
	loader_work(job);
	note_results(shelf, job);
	return FC_OK;
}

int shelf_load_instead(struct shelf *shelf, int index, const struct script_instead *texts,
		       int (*fits)(void *user, const void *object, struct error *err), void *user, struct error *err)
{
	struct task *task = &shelf->job->tasks[index];
	struct shelf_item *item = &shelf->job->items[index];
	int result = loader_work_instead(shelf->job, index, texts, err);

	if (result)
		return result;
	result = fits ? fits(user, item->object, err) : FC_OK;
	if (!result)
		return FC_OK;
	task->version->held = 1;
	let_go(shelf, task->version);
	task->version = NULL;
	item->object = NULL;
	item->state = SHELF_FAILED;
	item->hash[0] = '\0';
	return result;
}

void shelf_do_without(struct shelf *shelf, int index)
{
	const struct shelf_item *item = &shelf->job->items[index];
	struct entry *e = find_entry(shelf, item->kind, item->name, item->space);

	if (e)
		e->is_lacking = 1;
}

int shelf_lacks(const struct script_host *host, const struct shelf_kind *kind, const char *name, const char *space)
{
	const struct entry *e = host->shelf ? find_entry(host->shelf, kind, name, space) : NULL;

	return e && e->is_lacking && !e->current;
}

static int is_refused(const struct entry *e)
{
	return e->has_failed && (e->current || e->is_lacking);
}

/* A mapping is there for each platform that uses it: it counts once. */
static int is_first_refused(const struct shelf *shelf, const struct entry *e)
{
	if (!is_refused(e))
		return 0;
	for (const struct entry *o = shelf->entries; o != e; o = o->next)
		if (is_refused(o) && o->kind == e->kind && !strcmp(o->name, e->name))
			return 0;
	return 1;
}

int shelf_refused_count(const struct shelf *shelf)
{
	int count = 0;

	for (const struct entry *e = shelf->entries; e; e = e->next)
		count += is_first_refused(shelf, e);
	return count;
}

int shelf_refused(const struct shelf *shelf, int index, const char **folder, const char **name, const char **why)
{
	for (const struct entry *e = shelf->entries; e; e = e->next) {
		if (!is_first_refused(shelf, e) || index--)
			continue;
		*folder = e->kind->folder;
		*name = e->name;
		*why = e->error.text;
		return FC_OK;
	}
	return FC_ENOENT;
}

int shelf_run(struct shelf *shelf, int (*step)(void *user), void (*done)(void *user, int finished), void *user)
{
	struct chore *chore = calloc(1, sizeof(*chore));

	if (!chore)
		return FC_ENOMEM;
	*chore = (struct chore){.step = step, .done = done, .user = user};
	loader_put_chore(shelf->loader, chore);
	return FC_OK;
}

const char *shelf_refusal(const struct shelf *shelf, const char *folder, const char *name)
{
	for (const struct entry *e = shelf->entries; e; e = e->next)
		if (e->has_failed && !strcmp(e->kind->folder, folder) && !strcmp(e->name, name))
			return e->error.text;
	return NULL;
}

const struct shelf_item *shelf_items(const struct shelf *shelf, int *count)
{
	if (count)
		*count = shelf->job ? shelf->job->count : 0;
	return shelf->job ? shelf->job->items : NULL;
}

int64_t shelf_load_us(const struct shelf *shelf)
{
	return shelf->job ? shelf->job->took_us : 0;
}

void shelf_refuse(struct shelf *shelf, int index, const struct error *why)
{
	struct shelf_item *item = &shelf->job->items[index];
	struct task *task = &shelf->job->tasks[index];
	struct entry *e = find_entry(shelf, item->kind, item->name, item->space);

	if (item->state == SHELF_LOADED) {
		task->version->held = 1;
		let_go(shelf, task->version);
		task->version = NULL;
		item->object = NULL;
	}
	loader_fail(item, task, why);
	(void)snprintf(item->hash, sizeof(item->hash), "%s", e && e->current ? e->kind->hash(e->current->object) : "");
	if (!e)
		return;
	e->has_failed = 1;
	e->failed = task->digest;
	e->error = *why;
}

void shelf_drop(struct shelf *shelf)
{
	if (shelf->job)
		drop_versions(shelf, shelf->job);
}

/* In force -------------------------------------------------------------------------------------------------------------- */

int shelf_put_forward(struct shelf *shelf)
{
	struct job *job = shelf->job;

	for (int i = 0; job && i < job->count; i++) {
		struct version *version = job->tasks[i].version;
		struct shelf_item *item = &job->items[i];
		struct entry *e = find_entry(shelf, item->kind, item->name, item->space);

		if (!version)
			continue;
		if (!e)
			e = add_entry(shelf, item);
		if (!e) {
			shelf_withdraw(shelf);
			return FC_ENOMEM;
		}
		job->tasks[i].version = NULL;
		version->held = 1;
		version->next = shelf->versions;
		shelf->versions = version;
		e->before = e->current;
		e->current = version;
		e->forward = 1;
	}
	return FC_OK;
}

static int is_wanted(const struct shelf *shelf, const struct entry *e)
{
	for (int i = 0; shelf->job && i < shelf->job->count; i++) {
		const struct shelf_item *item = &shelf->job->items[i];

		if (item->kind == e->kind && !strcmp(item->name, e->name) && !strcmp(item->space, e->space))
			return 1;
	}
	return 0;
}

void shelf_accept(struct shelf *shelf)
{
	for (struct entry **at = &shelf->entries; *at;) {
		struct entry *e = *at;

		if (e->forward)
			let_go(shelf, e->before);
		if (e->current)
			e->is_lacking = 0;
		e->before = NULL;
		e->forward = 0;
		if ((e->current && e->current->held > 1) || is_wanted(shelf, e)) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		free_entry(shelf, e);
	}
}

void shelf_withdraw(struct shelf *shelf)
{
	for (struct entry *e = shelf->entries; e; e = e->next) {
		if (!e->forward)
			continue;
		struct version *version = e->current;
		e->current = e->before;
		e->before = NULL;
		e->forward = 0;
		let_go(shelf, version);
	}
}

void *shelf_take(const struct script_host *host, const struct shelf_kind *kind, const char *name, const char *space,
		 struct error *err)
{
	if (!host->shelf)
		return kind->load(host, name, space, err);
	struct entry *e = find_entry(host->shelf, kind, name, space);
	if (!e || !e->current) {
		(void)error_set(err, FC_ENOENT, "%s", e && *e->error.text ? e->error.text : "script: not loaded");
		return NULL;
	}
	e->current->held++;
	return e->current->object;
}

void shelf_return(const struct script_host *host, const struct shelf_kind *kind, void *object)
{
	if (!object)
		return;
	if (!host->shelf) {
		kind->release(object);
		return;
	}
	for (struct version *v = host->shelf->versions; v; v = v->next)
		if (v->object == object) {
			let_go(host->shelf, v);
			return;
		}
}

int shelf_version_count(const struct shelf *shelf)
{
	int n = 0;

	for (const struct version *v = shelf->versions; v; v = v->next)
		n++;
	return n;
}
