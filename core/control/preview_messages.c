#include <stdio.h>
#include <string.h>

#include "base/tree.h"
#include "control/preview.h"
#include "upstream/rerun.h"

static const size_t message_memory = (size_t)8 << 20;

/* A difference of the message at hand: the first of its kind is kept, others are counted. */
static void note(struct preview_messages *p, const char *kind, const char *path, const char *before, const char *after)
{
	const char *method = p->m->message->method, *part = message_part_name(p->m->part);
	struct preview_field *f = p->first;

	p->is_changed = 1;
	while (f && (f->method != method || f->part != part || f->kind != kind || strcmp(f->path, path) != 0))
		f = f->next;
	if (!f) {
		f = p->fields < PREVIEW_LIST_MAX ? arena_alloc(p->arena, sizeof(*f)) : NULL;
		if (!f) {
			p->left_out++;
			return;
		}
		*f = (struct preview_field){.method = method,
					    .part = part,
					    .kind = kind,
					    .at = p->m->wall,
					    .platform = arena_copy(p->arena, p->m->platform, strlen(p->m->platform)),
					    .path = arena_copy(p->arena, path, strlen(path)),
					    .before = arena_copy(p->arena, before, strlen(before)),
					    .after = arena_copy(p->arena, after, strlen(after))};
		if (!f->platform || !f->path || !f->before || !f->after) {
			p->left_out++;
			return;
		}
		if (p->last)
			p->last->next = f;
		else
			p->first = f;
		p->last = f;
		p->fields++;
	}
	f->messages += f->last != p->number;
	f->last = p->number;
}

static void on_difference(void *user, const struct difference *d)
{
	note(user, difference_name(d->kind), d->field, d->before, d->after);
}

static void compare(struct preview_messages *p, const struct rerun *rerun, const struct personal_ids *ids,
		    const struct rerun_outcome *was, const struct rerun_outcome *is)
{
	struct differ differ = {
	    .schema = message_schema(rerun->message, rerun->part), .ids = ids, .fn = on_difference, .user = p};

	p->compared++;
	p->is_changed = 0;
	p->failed += is->failed.code != 0;
	if (is->failed.code && !was->failed.code)
		note(p, "failed", "", "", is->failed.text);
	if (!was->refused.code && is->refused.code)
		note(p, "refused", "", "", is->refused.text);
	if (was->refused.code && !is->refused.code)
		note(p, "accepted", "", was->refused.text, "");
	/* What is refused is not looked at any further, by the gateway too. */
	if (!was->refused.code && !is->refused.code)
		differ_run(&differ, was->tree, is->tree);
	p->changed += p->is_changed;
}

void preview_message(struct preview_messages *p, const struct recorded *m, const char *operator_id,
		     const char *platform_id, struct mapping *was, struct mapping *is)
{
	enum tree_form form = m->direction == MAPPING_IN ? TREE_AS_RECEIVED : TREE_AS_MADE;
	struct personal_ids ids = {.count = 0};
	struct rerun_outcome then, now;
	struct value *before, *copy;
	struct arena arena;
	size_t at;

	arena_init(&arena, message_memory);
	const struct rerun rerun = {.message = m->message,
				    .part = m->part,
				    .direction = m->direction,
				    .context = {operator_id, platform_id, m->platform},
				    .wall = m->wall,
				    .arena = &arena};
	/* Each works on its own: shaping and checking change a tree. */
	if (m->message && !tree_read(m->before, m->before_len, form, &arena, &before, &at) &&
	    (copy = value_copy(&arena, before))) {
		p->m = m;
		p->number++;
		personal_learn(&ids, message_schema(m->message, m->part), before);
		rerun_pass(&rerun, was, copy, &then);
		rerun_pass(&rerun, is, before, &now);
		compare(p, &rerun, &ids, &then, &now);
	}
	arena_fini(&arena);
}

struct value *preview_put_messages(struct maker *m, const struct preview_messages *p)
{
	struct value *o = value_object(m->arena), *list = value_array(m->arena);

	maker_int(m, o, "compared", p->compared);
	maker_int(m, o, "changed", p->changed);
	if (p->failed)
		maker_int(m, o, "failed", p->failed);
	for (const struct preview_field *f = p->first; f; f = f->next) {
		struct value *d = value_object(m->arena);

		maker_text(m, d, "method", f->method);
		maker_text(m, d, "part", f->part);
		maker_text(m, d, "platform", f->platform);
		maker_int(m, d, "at", f->at);
		maker_text(m, d, "kind", f->kind);
		maker_text(m, d, "path", f->path);
		maker_text(m, d, "before", f->before);
		maker_text(m, d, "after", f->after);
		maker_int(m, d, "messages", f->messages);
		maker_push(m, list, d);
	}
	maker_put(m, o, "list", list);
	if (p->left_out)
		maker_int(m, o, "left_out", p->left_out);
	return o;
}
