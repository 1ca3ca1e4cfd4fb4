#include "control/hasher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "loop/aside.h"

enum { NICE = 10 };

struct piece {
	char password[PASSWORD_MAX + 1], hash[PASSWORD_HASH];
	int is_make, is_right;
	int rounds; /* of the time to be spent */
};

struct waiting {
	struct piece piece;
	hasher_done done; /* NULL: forgotten */
	void *user;
};

struct hasher {
	struct aside *aside;
	struct waiting list[HASHER_PIECES]; /* the first is under way */
	int count, rounds;
};

/* In the thread. */
static void work(void *data)
{
	struct piece *p = data;

	/* Of this thread alone on Linux: on one slow core the polls go first. */
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	if (p->is_make) {
		if (password_hash(p->password, p->hash))
			p->hash[0] = '\0';
	} else {
		p->is_right = password_is_right(p->password, p->hash);
		/* An own hash of that time, or none: the rest is made up. */
		if (password_rounds(p->hash)) {
			char unused[PASSWORD_HASH];

			(void)password_hash(p->password, unused);
			password_spend(p->rounds - password_rounds(p->hash));
		} else {
			password_spend(p->rounds);
		}
	}
	explicit_bzero(p->password, sizeof(p->password));
}

static struct waiting take_first(struct hasher *h)
{
	struct waiting first = h->list[0];

	h->count--;
	memmove(&h->list[0], &h->list[1], (size_t)h->count * sizeof(h->list[0]));
	return first;
}

/* FC_OK, FC_EIO: no thread to be had. */
static int start(struct hasher *h)
{
	void *data = aside_data(h->aside);

	if (!data)
		return FC_OK;
	memcpy(data, &h->list[0].piece, sizeof(struct piece));
	explicit_bzero(h->list[0].piece.password, sizeof(h->list[0].piece.password));
	if (!aside_start(h->aside))
		return FC_OK;
	explicit_bzero(data, sizeof(struct piece));
	log_error("control: no thread to check a password in");
	return FC_EIO;
}

static void ended(void *user, const void *data)
{
	struct hasher *h = user;
	struct piece p;
	struct waiting first = take_first(h);

	memcpy(&p, data, sizeof(p));
	while (h->count && start(h)) {
		struct waiting failed = take_first(h);

		if (failed.done)
			failed.done(failed.user, 0, "");
	}
	if (first.done)
		first.done(first.user, p.is_right, p.is_make ? p.hash : "");
}

struct hasher *hasher_new(struct loop *loop, struct error *err)
{
	struct hasher *h = calloc(1, sizeof(*h));

	if (h)
		h->aside = aside_new(loop, sizeof(struct piece), work, ended, h, err);
	if (!h || !h->aside) {
		free(h);
		(void)error_set(err, FC_ENOMEM, "control: no memory");
		return NULL;
	}
	return h;
}

void hasher_free(struct hasher *hasher)
{
	if (!hasher)
		return;
	aside_free(hasher->aside);
	explicit_bzero(hasher->list, sizeof(hasher->list));
	free(hasher);
}

void hasher_match(struct hasher *hasher, int rounds)
{
	hasher->rounds = rounds;
}

static int add(struct hasher *h, const char *password, const char *hash, hasher_done done, void *user)
{
	struct waiting *w = &h->list[h->count];

	if (strlen(password) > PASSWORD_MAX)
		return FC_EINVAL;
	if (h->count == HASHER_PIECES)
		return FC_EBUSY;
	*w = (struct waiting){.done = done, .user = user, .piece = {.is_make = !hash, .rounds = h->rounds}};
	(void)snprintf(w->piece.password, sizeof(w->piece.password), "%s", password);
	(void)snprintf(w->piece.hash, sizeof(w->piece.hash), "%s", hash ? hash : "");
	if (h->count++ || !start(h))
		return FC_OK;
	(void)take_first(h);
	return FC_EIO;
}

int hasher_check(struct hasher *hasher, const char *password, const char *hash, hasher_done done, void *user)
{
	return add(hasher, password, hash, done, user);
}

int hasher_make(struct hasher *hasher, const char *password, hasher_done done, void *user)
{
	return add(hasher, password, NULL, done, user);
}

int hasher_waiting(const struct hasher *hasher)
{
	return hasher->count;
}

void hasher_forget(struct hasher *hasher, const void *user)
{
	for (int i = 0; i < hasher->count; i++)
		if (hasher->list[i].user == user)
			hasher->list[i].done = NULL;
}
