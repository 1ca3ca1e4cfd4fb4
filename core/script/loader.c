#include "script/loader.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/usage.h"
#include "loop/loop.h"

/* As much as the loop's thread has: Lua lets a script nest 200 C calls before it refuses, and those of gsub that call gsub take over
 * 1.5 MiB. What is not used takes no memory. */
enum { STACK = 8 * 1024 * 1024, TRIES = 3 };

struct loader {
	struct loop *loop;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	struct job *todo, *done;
	struct version *waste; /* to be freed */
	struct chore *chores, *chores_done;
	int stop;
};

/* One script --------------------------------------------------------------------------------------------------------- */

static int same(const struct digest *a, const struct digest *b)
{
	return !memcmp(a, b, sizeof(*a));
}

void loader_fail(struct shelf_item *item, struct task *task, const struct error *why)
{
	item->state = SHELF_FAILED;
	task->error = *why;
	(void)snprintf(item->error, sizeof(item->error), "%s", why->text);
	item->again = task->has_failed && same(&task->digest, &task->failed) && !strcmp(why->text, task->known.text);
}

static const struct error no_memory = {FC_ENOMEM, "script: no memory"};

static void try_to_load(const struct job *job, struct shelf_item *item, struct task *task)
{
	struct version *version = calloc(1, sizeof(*version));
	struct error why = {0};

	if (!version) {
		loader_fail(item, task, &no_memory);
		return;
	}
	version->object = item->kind->load(&job->host, item->name, item->space, &why);
	if (!version->object) {
		free(version);
		loader_fail(item, task, &why);
		return;
	}
	version->kind = item->kind;
	version->limits = job->host.limits;
	version->digest = task->digest;
	task->version = version;
	item->state = SHELF_LOADED;
	item->object = version->object;
	(void)snprintf(item->hash, sizeof(item->hash), "%s", item->kind->hash(version->object));
}

/* The digest is taken first: whatever comes later shows as a change. One that failed is tried again: the machine may have been
 * too busy. A file that was bad and has changed meanwhile was caught
 * half-written. */
static void work_on(const struct job *job, struct shelf_item *item, struct task *task)
{
	struct digest now;

	for (int i = 0; i < TRIES; i++) {
		if (digest_script(job->host.lua_dir, item->kind->folder, item->name, &task->digest)) {
			loader_fail(item, task, &no_memory);
			return;
		}
		if (task->has_current && same(&task->digest, &task->current)) {
			item->state = SHELF_SAME;
			item->again = task->has_failed;
			return;
		}
		try_to_load(job, item, task);
		if (item->state != SHELF_FAILED ||
		    digest_script(job->host.lua_dir, item->kind->folder, item->name, &now) || same(&now, &task->digest))
			return;
	}
}

/* List and texts in one block. NULL: no memory. */
static struct script_instead *copy_texts(const struct script_instead *texts)
{
	size_t count = 0, bytes = 0;

	for (; texts[count].path; count++)
		bytes += strlen(texts[count].path) + 1 + texts[count].len;
	struct script_instead *copy = malloc((count + 1) * sizeof(*copy) + bytes);
	if (!copy)
		return NULL;
	char *at = (char *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(texts[i].path) + 1;

		memcpy(at, texts[i].path, n);
		memcpy(at + n, texts[i].text, texts[i].len);
		copy[i] = (struct script_instead){at, at + n, texts[i].len};
		at += n + texts[i].len;
	}
	copy[count] = (struct script_instead){0};
	return copy;
}

int loader_work_instead(struct job *job, int index, const struct script_instead *texts, struct error *err)
{
	struct shelf_item *item = &job->items[index];
	struct version *version = calloc(1, sizeof(*version));
	struct script_instead *instead = copy_texts(texts);
	struct script_host host = job->host;

	if (!version || !instead) {
		free(version);
		free(instead);
		return error_set(err, FC_ENOMEM, "script: no memory");
	}
	host.instead = instead;
	*version = (struct version){.kind = item->kind, .limits = job->host.limits, .instead = instead};
	/* The digest of the good files: once they are on the disk again, they are what is in force already. */
	int result = digest_instead(host.lua_dir, item->kind->folder, item->name, instead, &version->digest);
	if (result)
		(void)error_set(err, result, "script: no memory");
	else
		version->object = item->kind->load(&host, item->name, item->space, err);
	if (!version->object) {
		free(version);
		free(instead);
		return result ? result : FC_ESCRIPT;
	}
	job->tasks[index].version = version;
	item->state = SHELF_LOADED;
	item->object = version->object;
	(void)snprintf(item->hash, sizeof(item->hash), "%s", item->kind->hash(version->object));
	return FC_OK;
}

/* The thread --------------------------------------------------------------------------------------------------------- */

static int is_stopping(struct loader *loader)
{
	if (!loader)
		return 0;
	pthread_mutex_lock(&loader->lock);
	int stop = loader->stop;
	pthread_mutex_unlock(&loader->lock);
	return stop;
}

/* loader NULL: on the caller's thread, to the end. */
static void work_through(struct loader *loader, struct job *job)
{
	int64_t begin = clock_mono_us();

	for (int i = 0; i < job->count && !is_stopping(loader); i++)
		work_on(job, &job->items[i], &job->tasks[i]);
	job->took_us = clock_mono_us() - begin;
}

void loader_work(struct job *job)
{
	work_through(NULL, job);
}

static void free_versions(struct version *list)
{
	while (list) {
		struct version *next = list->next;

		list->kind->release(list->object);
		free(list->instead);
		free(list);
		list = next;
	}
}

/* Locked. */
static void append(struct chore **list, struct chore *chore)
{
	while (*list)
		list = &(*list)->next;
	chore->next = NULL;
	*list = chore;
}

static void work_chore(struct loader *loader, struct chore *chore)
{
	int more = 1;

	while (more && !is_stopping(loader))
		more = chore->step(chore->user);
	chore->finished = !more;
}

static void *work(void *user)
{
	struct loader *loader = user;

	usage_spare_thread();
	pthread_mutex_lock(&loader->lock);
	while (!loader->stop) {
		struct version *waste = loader->waste;
		struct job *job = loader->todo;
		struct chore *chore = job ? NULL : loader->chores;

		if (!waste && !job && !chore) {
			pthread_cond_wait(&loader->wake, &loader->lock);
			continue;
		}
		loader->waste = NULL;
		loader->todo = NULL;
		if (chore)
			loader->chores = chore->next;
		pthread_mutex_unlock(&loader->lock);
		free_versions(waste);
		if (job)
			work_through(loader, job);
		if (chore)
			work_chore(loader, chore);
		pthread_mutex_lock(&loader->lock);
		if (job)
			loader->done = job;
		if (chore)
			append(&loader->chores_done, chore);
		if (job || chore)
			loop_wake(loader->loop);
	}
	pthread_mutex_unlock(&loader->lock);
	return NULL;
}

static int start_thread(struct loader *loader)
{
	pthread_attr_t attributes;

	if (pthread_attr_init(&attributes))
		return -1;
	int failed =
	    pthread_attr_setstacksize(&attributes, STACK) || pthread_create(&loader->thread, &attributes, work, loader);
	(void)pthread_attr_destroy(&attributes);
	return failed ? -1 : 0;
}

struct loader *loader_new(struct loop *loop)
{
	struct loader *loader = calloc(1, sizeof(*loader));

	if (!loader)
		return NULL;
	loader->loop = loop;
	if (pthread_mutex_init(&loader->lock, NULL) || pthread_cond_init(&loader->wake, NULL) || start_thread(loader)) {
		free(loader);
		return NULL;
	}
	return loader;
}

struct job *loader_stop(struct loader *loader)
{
	pthread_mutex_lock(&loader->lock);
	loader->stop = 1;
	pthread_cond_signal(&loader->wake);
	pthread_mutex_unlock(&loader->lock);
	(void)pthread_join(loader->thread, NULL);
	return loader->todo ? loader->todo : loader->done;
}

void loader_free(struct loader *loader)
{
	free_versions(loader->waste);
	(void)pthread_cond_destroy(&loader->wake);
	(void)pthread_mutex_destroy(&loader->lock);
	free(loader);
}

void loader_put(struct loader *loader, struct job *job)
{
	pthread_mutex_lock(&loader->lock);
	loader->todo = job;
	pthread_cond_signal(&loader->wake);
	pthread_mutex_unlock(&loader->lock);
}

struct job *loader_take(struct loader *loader)
{
	pthread_mutex_lock(&loader->lock);
	struct job *job = loader->done;
	loader->done = NULL;
	pthread_mutex_unlock(&loader->lock);
	return job;
}

void loader_put_chore(struct loader *loader, struct chore *chore)
{
	pthread_mutex_lock(&loader->lock);
	append(&loader->chores, chore);
	pthread_cond_signal(&loader->wake);
	pthread_mutex_unlock(&loader->lock);
}

struct chore *loader_take_chores(struct loader *loader)
{
	pthread_mutex_lock(&loader->lock);
	struct chore *done = loader->chores_done;
	loader->chores_done = NULL;
	pthread_mutex_unlock(&loader->lock);
	return done;
}

struct chore *loader_left_chores(struct loader *loader)
{
	while (loader->chores) {
		struct chore *chore = loader->chores;

		loader->chores = chore->next;
		append(&loader->chores_done, chore);
	}
	return loader->chores_done;
}

void loader_waste(struct loader *loader, struct version *version)
{
	pthread_mutex_lock(&loader->lock);
	version->next = loader->waste;
	loader->waste = version;
	pthread_cond_signal(&loader->wake);
	pthread_mutex_unlock(&loader->lock);
}
