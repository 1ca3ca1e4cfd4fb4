/* The last frames of the lines, in pages. */
#include <stdlib.h>
#include <string.h>

#include "bus/trace.h"
#include "bus/trace_mask.h"
#include "control/bus.h"

/* A page looks at so many frames at most; what is masked depends on so many before it (a BRM takes some 20 of its own line). */
enum { PAGE = 200, LOOK_MAX = 2000, BEFORE = 500 };

/* An open line, by its number in the trace. */
struct known {
	uint32_t id;
	const char *name;
};

struct page {
	struct control *control;
	struct known *lines;
	int line_count;
	int crowded; /* the mask has no room for all that is personal */
	struct maker m;
	struct value *list;
	struct trace_mask mask;
	int raw;
	uint32_t line; /* 0 = all */
	int unit;      /* -1 = all */
	uint32_t mask_line;
};

/* All of them once: a page has hundreds of frames. FC_OK, FC_ENOMEM. */
static int find_lines(struct page *p)
{
	const struct device_set *devices = p->control->sources.devices;
	const char *name;
	int n = 0;

	while (bus_line_name_at(p->control, n))
		n++;
	p->lines = calloc((size_t)n + 1, sizeof(*p->lines));
	if (!p->lines)
		return FC_ENOMEM;
	for (; p->line_count < n && (name = bus_line_name_at(p->control, p->line_count)); p->line_count++)
		p->lines[p->line_count] = (struct known){device_line_id(devices, p->line_count), name};
	return FC_OK;
}

/* NULL: closed meanwhile. */
static const char *name_of(const struct page *p, uint32_t id)
{
	for (int i = 0; i < p->line_count; i++)
		if (p->lines[i].id == id)
			return p->lines[i].name;
	return NULL;
}

static void add_range(void *user, uint8_t unit, uint8_t function, uint16_t address, uint16_t words)
{
	struct page *p = user;

	trace_mask_add(&p->mask, p->mask_line, unit, function, address, words);
}

static void begin_mask(struct page *p)
{
	trace_mask_init(&p->mask);
	for (int i = 0; i < p->line_count; i++) {
		p->mask_line = p->lines[i].id;
		device_personal(p->control->sources.devices, i, add_range, p);
	}
	p->crowded = p->mask.all_registers;
}

/* What was personal on a line that a reload has closed nobody knows any more. */
static int mask(struct page *p, struct trace_entry *e)
{
	p->mask.all_registers = p->crowded || !name_of(p, e->line);
	return trace_mask_apply(&p->mask, e);
}

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

static void put_frame(struct page *p, const struct trace_entry *e, int masked)
{
	struct value *o = value_object(p->m.arena);
	char hex[2 * TRACE_BYTES_MAX + 1] = "";

	for (size_t i = 0; i < e->len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02X", e->bytes[i]);
	maker_int(&p->m, o, "number", (int64_t)e->number);
	maker_int(&p->m, o, "wall_us", e->wall_us);
	maker_int(&p->m, o, "mono_us", e->mono_us);
	const char *name = name_of(p, e->line);
	maker_text(&p->m, o, "line", name ? name : "");
	maker_text(&p->m, o, "kind", trace_kind_name((enum trace_kind)e->kind));
	put_flags(&p->m, o, e->flags);
	if (e->kind == TRACE_CAN)
		maker_int(&p->m, o, "id", e->can_id);
	if (masked)
		maker_put(&p->m, o, "masked", value_bool(p->m.arena, 1));
	maker_text(&p->m, o, "data", hex);
	maker_push(&p->m, p->list, o);
}

static int is_wanted(const struct page *p, const struct trace_entry *e)
{
	return (!p->line || e->line == p->line) && (p->unit < 0 || trace_unit(e) == p->unit);
}

/* From after on; returns the number of the last frame looked at. */
static uint64_t walk(struct page *p, uint64_t after, int most, uint64_t *lost)
{
	struct bus_trace *trace = p->control->sources.trace;
	uint64_t at = after > BEFORE ? after - BEFORE : 0, gap;
	struct trace_entry e;

	/* A frame behind after that is the first to be had: all between them is gone. */
	*lost = 0;
	for (int n = 0; n < LOOK_MAX + BEFORE && (int)p->list->count < most; n++) {
		if (trace_next(trace, at, &e, &gap))
			break;
		if (after && at <= after && e.number > after + 1)
			*lost += e.number - after - 1;
		else if (at > after)
			*lost += gap;
		at = e.number;
		int masked = !p->raw && mask(p, &e);
		if (e.number > after && is_wanted(p, &e))
			put_frame(p, &e, masked);
	}
	return at > after ? at : after;
}

static int read_page(struct control *control, const struct control_reply *reply, struct page *p, struct error *err)
{
	p->raw = control_flag(reply, "raw");
	p->unit = (int)control_int(reply, "unit", -1);
	if (!control_text(reply, "line"))
		return FC_OK;
	int index, result = bus_find_line(control, reply, &index, err);
	if (!result)
		p->line = device_line_id(control->sources.devices, index);
	return result || p->line ? result : error_set(err, FC_ENOENT, "the line is not open");
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
	struct page *p = calloc(1, sizeof(*p));
	struct value *root = value_object(&reply->arena);
	const char *text = control_text(reply, "after");
	uint64_t lost = 0, newest = trace_newest(control->sources.trace);
	char next[24];

	int raw = control_flag(reply, "raw");
	uint64_t after = text ? strtoull(text, NULL, 10) : 0;
	struct raw_reader *reader = raw && text ? raw_reader_at(control, reply->who, after) : NULL;

	/* Who looks at what is masked leaves no trace; who looks at all leaves one, with the page that does not go on where the one
	 * before it ended. */
	reply->is_quiet = !raw || reader;
	if (!p)
		return error_set(err, FC_ENOMEM, "no memory");
	p->control = control;
	p->m.arena = &reply->arena;
	p->list = value_array(p->m.arena);
	int result = is_number(text) ? read_page(control, reply, p, err)
				     : error_set(err, FC_EINVAL, "after: must be what `next` said");
	if (!result && find_lines(p))
		result = error_set(err, FC_ENOMEM, "no memory");
	if (result) {
		free(p);
		return result;
	}
	after = after > newest ? 0 : after;
	begin_mask(p);
	uint64_t at =
	    control_flag(reply, "newest") ? newest : walk(p, after, (int)control_int(reply, "limit", PAGE), &lost);
	if (raw)
		note_raw(control, reply->who, reader, at);
	(void)snprintf(next, sizeof(next), "%llu", (unsigned long long)at);
	maker_put(&p->m, root, "frames", p->list);
	maker_text(&p->m, root, "next", next);
	maker_put(&p->m, root, "more", value_bool(p->m.arena, at < newest));
	maker_int(&p->m, root, "lost", (int64_t)lost);
	maker_put(&p->m, root, "off", value_bool(p->m.arena, trace_size_kb(control->sources.trace) == 0));
	reply->result = p->m.failed ? NULL : root;
	free(p->lines);
	free(p);
	return FC_OK;
}
