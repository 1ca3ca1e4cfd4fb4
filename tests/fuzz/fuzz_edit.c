/* Edits of a configuration: a text, a line of "%", and lines of edits: what is edited by the page and by programs.
 *
 * An edit that is refused leaves the text as it was, byte by byte, and says why. One that is taken does what it means: the option reads
 * back as the reader reads it, the section is there or gone, and doing the same again changes nothing. What is not meant stays. */
#include "base/error.h"
#include "bytes.h"
#include "config/edit.h"
#include "config/schema.h"
#include "config/uci.h"
#include "mutate.h"

enum { EDITS = 12, MEMORY = 8 << 20, LIST = 6 };

struct tree {
	struct arena arena;
	struct uci_file file;
	int mistakes;
};

static void read_tree(const char *text, size_t len, struct tree *t)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->arena, MEMORY);
	t->mistakes = uci_parse(text, len, &t->arena, &t->file, NULL, NULL);
}

static const struct uci_section *find(const struct tree *t, const char *type, const char *name)
{
	const struct schema_section *schema = schema_find(type);
	int is_single = schema && !schema->count;

	for (const struct uci_section *s = t->file.sections; s; s = s->next)
		if (!strcmp(s->type, type) && (is_single || !strcmp(s->name, name)))
			return s;
	return NULL;
}

static char *word_of(struct fuzz_input *in)
{
	/* A word up to a blank; an escape makes the characters that no line can hold. */
	char *line = fuzz_line(in);

	fuzz_check(line);
	return line;
}

struct change {
	unsigned op;
	char *type, *name, *option, *value;
};

static const char *const known_types[] = {"gateway",  "bus",     "charger", "connector",
					  "platform", "station", "admin",   "listen"};

/* Of one edit the values of a list; how many. */
static int list_of(const struct change *c, const char *list[LIST])
{
	const char *const all[LIST] = {c->value, c->name, c->value, c->option, "", c->type};

	memcpy(list, all, sizeof(all));
	return (int)(strlen(c->value) % (LIST + 1));
}

static int run_one(struct edit *e, const struct change *c, struct error *err)
{
	const char *list[LIST];
	int count = list_of(c, list);

	switch (c->op) {
	case 0:
		return edit_set(e, c->type, c->name, c->option, c->value, err);
	case 1:
		return edit_set_list(e, c->type, c->name, c->option, list, count, err);
	case 2:
		return edit_unset(e, c->type, c->name, c->option, err);
	case 3:
		return edit_add(e, c->type, c->name, *c->value ? c->value : NULL, err);
	case 4:
		return edit_remove(e, c->type, c->name, err);
	default:
		return edit_rename(e, c->type, c->name, c->value, err);
	}
}

static void check_done(const struct change *c, const struct tree *before, const struct tree *after)
{
	const struct uci_section *s = find(after, c->type, c->op == 5 ? c->value : c->name);
	const struct uci_option *o = s ? uci_option(s, c->option) : NULL;
	const char *list[LIST];
	int count, n = 0;

	/* A text with mistakes reads as something else than its lines say; then only that nothing grew. */
	if (before->mistakes)
		return;
	fuzz_check(!after->mistakes);
	switch (c->op) {
	case 0:
		fuzz_check(o && !o->is_list && !strcmp(o->values->text, c->value));
		break;
	case 1:
		count = list_of(c, list);
		fuzz_check(s && !o == !count && (!o || o->is_list));
		for (const struct uci_value *v = o ? o->values : NULL; v; v = v->next)
			fuzz_check(n < count && !strcmp(v->text, list[n++]));
		fuzz_check(n == count);
		break;
	case 2:
		fuzz_check(s && !o);
		break;
	case 3:
		fuzz_check(s && after->file.count == before->file.count + 1);
		break;
	case 4:
		fuzz_check(after->file.count == before->file.count - 1);
		break;
	default:
		fuzz_check(s && after->file.count == before->file.count);
		break;
	}
}

static void one_change(struct edit *e, const struct change *c)
{
	struct error err = {0};
	struct tree before, after;
	size_t len, new_len;
	char *text = edit_text(e, &len), *new_text;

	fuzz_check(text);
	int result = run_one(e, c, &err);
	new_text = edit_text(e, &new_len);
	fuzz_check(new_text && strlen(new_text) <= new_len);
	if (result) {
		fuzz_check(err.text[0] && err.code == result);
		fuzz_check(len == new_len && !memcmp(text, new_text, len));
	} else {
		read_tree(text, len, &before);
		read_tree(new_text, new_len, &after);
		check_done(c, &before, &after);
		/* The same again: a set is there already, what is gone is gone. */
		if (c->op <= 1) {
			size_t again_len;
			char *again;

			fuzz_check(!run_one(e, c, &err));
			again = edit_text(e, &again_len);
			fuzz_check(again && again_len == new_len && !memcmp(again, new_text, new_len));
			free(again);
		}
		arena_fini(&before.arena);
		arena_fini(&after.arena);
	}
	free(text);
	free(new_text);
}

/* All or none; through the form that the page sends. */
static void apply_together(const char *text, size_t len, const struct change *changes, int count)
{
	static const char *const ops[] = {"set", "set", "unset", "add", "remove", "rename"};
	struct error err = {0};
	struct arena a;
	size_t new_len;

	arena_init(&a, MEMORY);
	struct value *list = value_array(&a);
	for (int i = 0; i < count; i++) {
		const struct change *c = &changes[i];
		struct value *v = value_object(&a);

		(void)value_put(&a, v, "op", value_string(&a, ops[c->op]));
		(void)value_put(&a, v, "type", value_string(&a, c->type));
		(void)value_put(&a, v, "name", value_string(&a, c->name));
		(void)value_put(&a, v, "option", value_string(&a, c->option));
		(void)value_put(&a, v, c->op == 5 ? "to" : c->op == 3 ? "copy" : "value", value_string(&a, c->value));
		(void)value_push(list, v);
	}
	struct edit *e = edit_new(text, len, &err);
	fuzz_check(e);
	int result = edit_apply(e, list, &err);
	char *after = edit_text(e, &new_len);
	fuzz_check(after);
	if (result)
		fuzz_check(err.text[0] && new_len == len && !memcmp(after, text, len));
	free(after);
	edit_free(e);
	arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct change changes[EDITS] = {0};
	struct error err = {0};
	size_t len = size, out_len;
	int count = 0;

	fuzz_quiet();
	/* The text ends where a line is "%". */
	for (size_t i = 0; i + 2 < size; i++)
		if (data[i] == '\n' && data[i + 1] == '%' && data[i + 2] == '\n') {
			len = i + 1;
			break;
		}
	struct edit *e = edit_new((const char *)data, len, &err);
	if (!e) {
		fuzz_check(err.code && err.text[0]);
		return 0;
	}
	char *out = edit_text(e, &out_len);
	fuzz_check(out);
	struct fuzz_input in = {.data = data + len, .left = size - len};
	(void)fuzz_word(&in);
	while (in.left && count < EDITS) {
		struct change *c = &changes[count++];
		unsigned what = fuzz_byte(&in);

		c->op = what % 6;
		c->type = word_of(&in);
		c->name = word_of(&in);
		c->option = word_of(&in);
		c->value = word_of(&in);
		if (what & 0x80) {
			free(c->type);
			c->type = strdup(known_types[what >> 4 & 7]);
			fuzz_check(c->type);
		}
	}
	for (int i = 0; i < count; i++)
		one_change(e, &changes[i]);
	apply_together(out, out_len, changes, count);
	for (int i = 0; i < count; i++) {
		free(changes[i].type);
		free(changes[i].name);
		free(changes[i].option);
		free(changes[i].value);
	}
	free(out);
	edit_free(e);
	return 0;
}

static const char *const words[] = {
#include "words_uci.inc"
    NULL};

MUTATE_BY(lines, words)
