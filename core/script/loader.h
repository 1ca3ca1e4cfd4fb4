/* Loader: the shelf's thread. It is given a job, tries each script of it, and says when it is done; and it frees what is let go. Jobs
 * and versions belong to one side at a time: to the thread from loader_put to loader_take, to the loop otherwise. For the shelf
 * only. */
#ifndef FC_SCRIPT_LOADER_H
#define FC_SCRIPT_LOADER_H

#include "base/arena.h"
#include "script/digest.h"
#include "script/shelf.h"

/* One loaded object. */
struct version {
	const struct shelf_kind *kind;
	void *object;
	int held; /* by rooms, and once by the entry whose version it is */
	struct digest digest;
	struct script_limits limits; /* under which it was good */
	struct script_instead
	    *instead; /* what it was loaded from in place of files, in one block; NULL: from its files */
	struct version *next;
};

/* One script of a job. The thread has it to itself until the job is done. */
struct task {
	int has_current, has_failed;
	struct digest current, failed; /* contents that are known; current only if its limits are those of now */
	struct error known;            /* what was wrong with failed */
	struct digest digest;          /* found */
	struct error error;
	struct version *version;
};

struct job {
	struct shelf_item *items;
	struct task *tasks;
	int count;
	struct script_host host; /* a copy: the loop's may change meanwhile */
	struct arena texts;
	int64_t took_us;
};

/* Work that a room has done beside the loop: shelf_run. */
struct chore {
	int (*step)(void *user);
	void (*done)(void *user, int finished);
	void *user;
	int finished;
	struct chore *next;
};

struct loader;

/* loop_wake(loop) says that a job is done. NULL: no thread. */
struct loader *loader_new(struct loop *loop);
/* Ends after the script under way, and gives back the job that was not taken, done or not; NULL when there is none. */
struct job *loader_stop(struct loader *loader);
/* After loader_stop. Frees what was let go. */
void loader_free(struct loader *loader);
/* One at a time. */
void loader_put(struct loader *loader, struct job *job);
/* The job that was put, once it is done, else NULL. */
struct job *loader_take(struct loader *loader);
/* Has a version freed. */
void loader_waste(struct loader *loader, struct version *version);
/* Has it done after all that came before; and those that are done, the first first: the caller's again. */
void loader_put_chore(struct loader *loader, struct chore *chore);
struct chore *loader_take_chores(struct loader *loader);
/* After loader_stop: all that were not taken. */
struct chore *loader_left_chores(struct loader *loader);
/* Does the job here. */
void loader_work(struct job *job);
/* Tries the failed item with these texts (copied). What is known of its files stays as it is. */
int loader_work_instead(struct job *job, int index, const struct script_instead *texts, struct error *err);
/* What came of the item: why it failed. */
void loader_fail(struct shelf_item *item, struct task *task, const struct error *why);

#endif
