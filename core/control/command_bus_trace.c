/* The last frames of the lines, in pages. */
#include <stdlib.h>
#include <string.h>

#include "control/trace_walk.h"

enum { PAGE = 200 };

struct page {
	struct maker m;
	struct value *list;
};

static void put_flags(struct maker *m, struct value *o, int flags)
{
	static const struct {
		int flag;
		const char *name;
	} names[] = {{TRACE_SENT, "sent"}, {TRACE_THROWN, "thrown"}, {TRACE_ECHO, "echo"}, {TRACE_CUT, "cut"}};
	struct value *list = value_array(m->arena);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag)
			maker_push(m, list, value_string(m->arena, names[i].name));
	maker_put(m, o, "flags", list);
}

static void put_frame(void *user, const struct trace_entry *e, const char *name, int masked)
{
	struct page *p = user;
	struct value *o = value_object(p->m.arena);
	char hex[2 * TRACE_BYTES_MAX + 1] = "";

	for (size_t i = 0; i < e->len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02X", e->bytes[i]);
	maker_int(&p->m, o, "number", (int64_t)e->number);
	maker_int(&p->m, o, "wall_us", e->wall_us);
	maker_int(&p->m, o, "mono_us", e->mono_us);
	maker_text(&p->m, o, "line", name ? name : "");
	maker_text(&p->m, o, "kind", trace_kind_name((enum trace_kind)e->kind));
	put_flags(&p->m, o, e->flags);
	if (e->kind == TRACE_CAN)
		maker_int(&p->m, o, "id", e->can_id);
	if (masked)
		maker_flag(&p->m, o, "masked", 1);
	maker_text(&p->m, o, "data", hex);
	maker_push(&p->m, p->list, o);
}

static int is_number(const char *text)
{
	return !text || (text[strspn(text, "0123456789")] == '\0' && strlen(text) < 20);
}

/* NULL: who asks has had no page that ended there. */
static struct raw_reader *raw_reader_at(struct control *control, const char *who, uint64_t after)
{
	for (int i = 0; i < CONTROL_RAW_READERS; i++)
		if (control->raw_readers[i].next == after && !strcmp(control->raw_readers[i].who, who))
			return &control->raw_readers[i];
	return NULL;
}

static void note_raw(struct control *control, const char *who, struct raw_reader *reader, uint64_t next)
{
	if (!reader) {
		reader = &control->raw_readers[control->raw_oldest];
		control->raw_oldest = (control->raw_oldest + 1) % CONTROL_RAW_READERS;
	}
	(void)snprintf(reader->who, sizeof(reader->who), "%s", who);
	reader->next = next;
}

int command_bus_trace(struct control *control, struct control_reply *reply, struct error *err)
{
	struct trace_walk *walk = calloc(1, sizeof(*walk));
	struct page p = {.m = {.arena = &reply->arena}, .list = value_array(&reply->arena)};
	struct value *root = value_object(&reply->arena);
	const char *text = control_text(reply, "after");
	uint64_t newest = trace_newest(control->sources.trace), at = newest;
	char next[24];

	int raw = control_flag(reply, "raw");
	uint64_t after = text ? strtoull(text, NULL, 10) : 0;
	struct raw_reader *reader = raw && text ? raw_reader_at(control, reply->who, after) : NULL;

	/* Who looks at what is masked leaves no trace; who looks at all leaves one, with the page that does not go on where the one
	 * before it ended. */
	reply->is_quiet = !raw || reader;
	if (!walk)
		return error_set(err, FC_ENOMEM, "no memory");
	walk->control = control;
	walk->raw = raw;
	walk->most = (int)control_int(reply, "limit", PAGE);
	walk->put = put_frame;
	walk->user = &p;
	int result = is_number(text) ? trace_walk_filter(walk, reply, err)
				     : error_set(err, FC_EINVAL, "after: must be what `next` said");
	if (!result && !control_flag(reply, "newest") && trace_walk(walk, after > newest ? 0 : after, &at))
		result = error_set(err, FC_ENOMEM, "no memory");
	uint64_t lost = walk->lost;
	free(walk);
	if (result)
		return result;
	if (raw)
		note_raw(control, reply->who, reader, at);
	(void)snprintf(next, sizeof(next), "%llu", (unsigned long long)at);
	maker_put(&p.m, root, "frames", p.list);
	maker_text(&p.m, root, "next", next);
	maker_flag(&p.m, root, "more", at < newest);
	maker_int(&p.m, root, "lost", (int64_t)lost);
	maker_flag(&p.m, root, "off", trace_size_kb(control->sources.trace) == 0);
	reply->result = p.m.failed ? NULL : root;
	return FC_OK;
}
