#include "config/uci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct arena *arena;
	struct uci_file *file;
	uci_mistake mistake;
	void *user;
	int line;
	int mistakes;
	int full; /* the arena was too small */
	int skip; /* the section line above was a mistake: its options belong to nobody */
};

static void wrong(struct reader *r, const char *what)
{
	r->mistakes++;
	if (r->mistake)
		r->mistake(r->user, r->line, what);
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

int uci_word(const char **at, char out[UCI_LINE_MAX], const char **begin)
{
	const char *p = *at;
	size_t n = 0;

	while (is_blank(*p))
		p++;
	*begin = p;
	if (!*p || *p == '#') {
		*at = p;
		return 0;
	}
	while (*p && !is_blank(*p)) {
		char quote = *p == '\'' || *p == '"' ? *p++ : '\0';

		if (!quote) {
			if (*p == '\\' && p[1])
				p++;
			out[n++] = *p++;
			continue;
		}
		while (*p && *p != quote) {
			if (quote == '"' && *p == '\\' && p[1])
				p++;
			out[n++] = *p++;
		}
		if (!*p)
			return quote;
		p++;
	}
	out[n] = '\0';
	*at = p;
	return 1;
}

/* 1 a word, 0 the line's end or a comment, -1 a mistake, said already. */
static int next_word(struct reader *r, const char **at, char out[UCI_LINE_MAX])
{
	const char *begin;
	int got = uci_word(at, out, &begin);

	if (got <= 1)
		return got;
	wrong(r, got == '"' ? "a double quote is not closed on its line" : "a single quote is not closed on its line");
	return -1;
}

int uci_is_name(const char *text)
{
	return *text &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(text);
}

static char *keep(struct reader *r, const char *text)
{
	char *copy = arena_copy(r->arena, text, strlen(text));

	if (!copy)
		r->full = 1;
	return copy;
}

static void add_section(struct reader *r, const char *type, const char *name)
{
	struct uci_section *s = arena_alloc(r->arena, sizeof(*s));

	if (!s) {
		r->full = 1;
		return;
	}
	s->type = keep(r, type);
	s->name = keep(r, name);
	s->line = r->line;
	if (r->full)
		return;
	if (r->file->last)
		r->file->last->next = s;
	else
		r->file->sections = s;
	r->file->last = s;
	r->file->count++;
}

static void add_value(struct reader *r, int is_list, const char *name, const char *text)
{
	struct uci_section *s = r->file->last;
	struct uci_option *o = NULL;
	char what[160];

	for (struct uci_option *old = s->options; old; old = old->next)
		if (!strcmp(old->name, name))
			o = old;
	if (o && (!is_list || !o->is_list)) {
		(void)snprintf(what, sizeof(what), "%.64s is given twice (first on line %d)", name, o->line);
		wrong(r, what);
		return;
	}
	struct uci_value *v = arena_alloc(r->arena, sizeof(*v));
	if (v) {
		v->text = keep(r, text);
		v->line = r->line;
	}
	if (o && v) {
		o->last_value->next = v;
		o->last_value = v;
		return;
	}
	if (s->count == UCI_OPTIONS_MAX) {
		wrong(r, "too many options in one section");
		r->skip = 1;
		return;
	}
	o = arena_alloc(r->arena, sizeof(*o));
	if (!o || !v) {
		r->full = 1;
		return;
	}
	o->name = keep(r, name);
	o->is_list = is_list;
	o->line = r->line;
	o->values = v;
	o->last_value = v;
	if (r->full)
		return;
	if (s->last)
		s->last->next = o;
	else
		s->options = o;
	s->last = o;
	s->count++;
}

/* Words of one line: keyword and up to two more. */
struct words {
	int count;
	char text[3][UCI_LINE_MAX];
};

static int split(struct reader *r, const char *line, struct words *w)
{
	char extra[UCI_LINE_MAX];

	for (w->count = 0; w->count < 3; w->count++) {
		int got = next_word(r, &line, w->text[w->count]);

		if (got < 0)
			return -1;
		if (!got)
			return 0;
	}
	int got = next_word(r, &line, extra);
	if (got > 0)
		wrong(r, "something stands behind the value: a value with blanks needs quotes");
	return got ? -1 : 0;
}

static void read_config(struct reader *r, const struct words *w)
{
	const char *name = w->count > 2 ? w->text[2] : "";

	r->skip = 1;
	if (w->count < 2 || !uci_is_name(w->text[1]))
		wrong(r, "config wants a type (letters, digits, _ and -) and perhaps a name");
	else if (*name && !uci_is_name(name))
		wrong(r, "a section's name may have only letters, digits, _ and -");
	else if (r->file->count >= UCI_SECTIONS_MAX)
		wrong(r, "too many sections");
	else {
		r->skip = 0;
		add_section(r, w->text[1], name);
	}
}

static void read_option(struct reader *r, const struct words *w, int is_list)
{
	if (w->count < 3)
		wrong(r, is_list ? "list wants a name and a value" : "option wants a name and a value");
	else if (!uci_is_name(w->text[1]))
		wrong(r, "an option's name may have only letters, digits, _ and -");
	else if (r->skip)
		return;
	else if (!r->file->last)
		wrong(r, "an option before the first config line");
	else
		add_value(r, is_list, w->text[1], w->text[2]);
}

static void read_line(struct reader *r, const char *line, struct words *w)
{
	char what[128];

	int failed = split(r, line, w);
	const char *keyword = w->count ? w->text[0] : "";

	if (failed)
		r->skip |= !strcmp(keyword, "config");
	if (failed || !w->count)
		return;
	if (!strcmp(keyword, "config"))
		read_config(r, w);
	else if (!strcmp(keyword, "option"))
		read_option(r, w, 0);
	else if (!strcmp(keyword, "list"))
		read_option(r, w, 1);
	else if (strcmp(keyword, "package") != 0) {
		(void)snprintf(what, sizeof(what), "\"%.40s\" is not config, option, list or package", keyword);
		wrong(r, what);
	}
}

int uci_parse(const char *text, size_t len, struct arena *arena, struct uci_file *file, uci_mistake mistake, void *user)
{
	struct reader r = {.arena = arena, .file = file, .mistake = mistake, .user = user};
	struct words *w = malloc(sizeof(*w));
	char line[UCI_LINE_MAX];
	const char *end = text + len;

	*file = (struct uci_file){0};
	if (!w)
		return FC_ENOMEM;
	while (text < end && !r.full) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);

		r.line++;
		if (n >= sizeof(line)) {
			wrong(&r, "the line is longer than 4095 bytes");
		} else if (memchr(text, '\0', n)) {
			wrong(&r, "the line holds a zero byte: this is no text file");
		} else {
			memcpy(line, text, n);
			line[n] = '\0';
			read_line(&r, line, w);
		}
		text += n + 1;
	}
	free(w);
	return r.full ? FC_ENOMEM : r.mistakes;
}

struct uci_option *uci_option(const struct uci_section *section, const char *name)
{
	for (struct uci_option *o = section->options; o; o = o->next)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}
