/* Recorded messages through a changed mapping: by message what would differ, in all which fields. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/lua_replay.h"
#include "upstream/differ.h"
#include "upstream/rerun.h"

enum { FIELDS = 500, SHOWN = 20 };

/* One field of one method that differs in the same way. */
struct field_total {
	const char *method;
	enum difference_kind kind;
	char field[DIFFER_PATH];
	int messages;
	int last; /* line of the last message counted */
};

struct replay_messages {
	struct replay *replay;
	struct field_total fields[FIELDS];
	int field_count, fields_left_out;
	int by_form; /* messages with places that could only be compared by their form */
	/* The message that is being compared. */
	const struct replay_line *line;
	const struct message *message;
	int shown;
};

struct replay_messages *replay_messages_new(struct replay *replay)
{
	struct replay_messages *m = calloc(1, sizeof(*m));

	if (m)
		m->replay = replay;
	if (m && replay->cli->json)
		(void)fputs("{\"messages\":[", stdout);
	return m;
}

/* Which ones --------------------------------------------------------------------------------------------------------- */

static const struct value *platform_of(const struct replay *r, const char *name)
{
	value_each (platform, value_get(r->header, "platforms"))
		if (!strcmp(cli_text(platform, "name"), name))
			return platform;
	return NULL;
}

/* The platform's mapping when it was recorded, or the one that it has. */
static int is_wanted(const struct replay *r, const struct value *tree)
{
	const char *name = cli_text(tree, "platform");

	if (r->cli->platform)
		return !strcmp(r->cli->platform, name);
	return !strcmp(cli_text(tree, "mapping"), r->file.name) ||
	       !strcmp(cli_text(platform_of(r, name), "mapping"), r->file.name);
}

/* What becomes of one --------------------------------------------------------------------------------------------------- */

/* What was recorded as the result. */
static int take_recorded(const struct rerun *p, const struct replay_line *line, struct value *before,
			 struct rerun_outcome *out)
{
	const struct value *refused = value_get(line->tree, "refused");

	memset(out, 0, sizeof(*out));
	if (!value_get(line->tree, "after")) {
		rerun_pass(p, NULL, before, out);
		return FC_OK;
	}
	out->tree = value_get(line->tree, "after");
	if (value_text(refused))
		(void)error_set(&out->refused, FC_EINVAL, "%s", value_text(refused));
	return FC_OK;
}

/* Telling ------------------------------------------------------------------------------------------------------------- */

static void print_head(struct replay_messages *m)
{
	const struct value *t = m->line->tree;
	char text[300];

	if (m->shown++)
		return;
	if (m->replay->cli->json) {
		printf("%s{\"line\":%d,\"number\":%lld,\"time\":", m->replay->comma, m->line->number,
		       (long long)cli_int(t, "number"));
		replay_print_json(cli_text(t, "time"));
		(void)fputs(",\"platform\":", stdout);
		replay_print_json(cli_text(t, "platform"));
		printf(",\"method\":\"%s\",\"part\":\"%s\",\"direction\":\"%s\"", m->message->method,
		       strcmp(cli_text(t, "part"), "answer") == 0 ? "answer" : "request",
		       strcmp(cli_text(t, "direction"), "in") == 0 ? "in" : "out");
		m->replay->comma = ",\n";
		return;
	}
	(void)snprintf(text, sizeof(text), "#%lld  %s  %s  %s  %s %s", (long long)cli_int(t, "number"),
		       cli_text(t, "time"), cli_text(t, "platform"), m->message->method, cli_text(t, "part"),
		       cli_text(t, "direction"));
	replay_print(text);
	(void)fputc('\n', stdout);
}

static void print_remark(struct replay_messages *m, const char *key, const char *english, const char *text)
{
	print_head(m);
	if (m->replay->cli->json) {
		printf(",\"%s\":", key);
		replay_print_json(text);
		return;
	}
	printf("    %s: ", say(m->replay->cli, english));
	replay_print(text);
	(void)fputc('\n', stdout);
}

static void count_field(struct replay_messages *m, const struct difference *d)
{
	struct field_total *f = m->fields;

	while (f < m->fields + m->field_count &&
	       (f->method != m->message->method || f->kind != d->kind || strcmp(f->field, d->field) != 0))
		f++;
	if (f == m->fields + FIELDS) {
		m->fields_left_out++;
		return;
	}
	if (f == m->fields + m->field_count) {
		m->field_count++;
		f->method = m->message->method;
		f->kind = d->kind;
		(void)snprintf(f->field, sizeof(f->field), "%s", d->field);
	}
	f->messages += f->last != m->line->number;
	f->last = m->line->number;
}

struct telling {
	struct replay_messages *m;
	int count;
};

static void on_difference(void *user, const struct difference *d)
{
	struct telling *t = user;
	struct replay_messages *m = t->m;

	count_field(m, d);
	print_head(m);
	t->count++;
	if (m->replay->cli->json) {
		printf("%s{\"kind\":\"%s\",\"path\":", t->count == 1 ? ",\"differences\":[" : ",",
		       difference_name(d->kind));
		replay_print_json(d->path);
		(void)fputs(",\"before\":", stdout);
		replay_print_json(d->before);
		(void)fputs(",\"after\":", stdout);
		replay_print_json(d->after);
		(void)fputs("}", stdout);
		return;
	}
	if (t->count > SHOWN)
		return;
	(void)fputs("    ", stdout);
	replay_print(*d->path ? d->path : ".");
	(void)fputs(": ", stdout);
	replay_print(d->kind == DIFFERENCE_ADDED ? say(m->replay->cli, "nothing") : d->before);
	(void)fputs(" -> ", stdout);
	replay_print(d->kind == DIFFERENCE_LOST ? say(m->replay->cli, "nothing") : d->after);
	(void)fputc('\n', stdout);
}

static void compare(struct replay_messages *m, const struct rerun *p, const struct personal_ids *ids,
		    const struct rerun_outcome *was, const struct rerun_outcome *is)
{
	struct replay *r = m->replay;
	struct telling telling = {.m = m};
	struct differ differ = {.schema = message_schema(p->message, p->part),
				.ids = ids,
				.masked = !r->against.path,
				.fn = on_difference,
				.user = &telling};
	int differs = !was->refused.code != !is->refused.code;

	m->shown = 0;
	r->compared++;
	if (is->failed.code) {
		r->failed++;
		print_remark(m, "failed", "fails", is->failed.text);
	}
	if (differs && is->refused.code)
		print_remark(m, "refused", "would be refused", is->refused.text);
	if (differs && was->refused.code)
		print_remark(m, "accepted", "would no more be refused", was->refused.text);
	/* What is refused is not looked at any further, by the gateway too. */
	if (!was->refused.code && !is->refused.code)
		differ_run(&differ, was->tree, is->tree);
	if (telling.count && r->cli->json)
		(void)fputs("]", stdout);
	if (telling.count > SHOWN && !r->cli->json)
		printf(say(r->cli, "    and %d more\n"), telling.count - SHOWN);
	if (m->shown && r->cli->json)
		(void)fputs("}", stdout);
	r->differ += differs || telling.count;
	m->by_form += differ.by_form != 0;
}

int replay_message(struct replay_messages *m, const struct replay_line *line, struct error *err)
{
	struct replay *r = m->replay;
	const struct value *t = line->tree, *platform = platform_of(r, cli_text(t, "platform"));
	struct personal_ids ids = {.count = 0};
	struct rerun_outcome was, is;
	struct value *before, *copy;
	size_t at;

	if (!is_wanted(r, t))
		return FC_OK;
	struct rerun p = {.message = message_find(cli_text(t, "method")),
			  .part = strcmp(cli_text(t, "part"), "answer") ? MESSAGE_REQUEST : MESSAGE_ANSWER,
			  .direction = strcmp(cli_text(t, "direction"), "in") ? MAPPING_OUT : MAPPING_IN,
			  .context = {.operator_id = cli_text(r->header, "operator_id"),
				      .platform_id = cli_text(platform, "operator_id"),
				      .platform = cli_text(t, "platform")},
			  .wall = cli_int(t, "wall"),
			  .arena = line->arena};
	struct raw raw = raw_member((struct raw){line->text, line->len}, "before");
	if (!p.message)
		return error_set(err, FC_EINVAL, "%s: no such method", cli_text(t, "method"));
	if (!raw.text || tree_read(raw.text, raw.len, p.direction == MAPPING_IN ? TREE_AS_RECEIVED : TREE_AS_MADE,
				   line->arena, &before, &at))
		return error_set(err, FC_EINVAL, "%s", "has no message before the mapping");
	m->line = line;
	m->message = p.message;
	personal_learn(&ids, message_schema(p.message, p.part), value_get(t, "before"));
	personal_learn(&ids, message_schema(p.message, p.part), value_get(t, "after"));
	/* Each works on its own: shaping and checking change a tree. */
	copy = value_copy(line->arena, before);
	if (!copy)
		return error_set(err, FC_ELIMIT, "%s", "is too large");
	if (r->against.path)
		rerun_pass(&p, r->against.mapping, copy, &was);
	else
		(void)take_recorded(&p, line, copy, &was);
	rerun_pass(&p, r->file.mapping, before, &is);
	compare(m, &p, &ids, &was, &is);
	return FC_OK;
}

/* Totals -------------------------------------------------------------------------------------------------------------- */

static void print_field(const struct replay_messages *m, const struct field_total *f)
{
	static const char *const formats[] = {
	    [DIFFERENCE_CHANGED] = "%d messages differ in field %s (%s)\n",
	    [DIFFERENCE_LOST] = "%d messages lose field %s (%s)\n",
	    [DIFFERENCE_ADDED] = "%d messages gain field %s (%s)\n",
	};
	char text[DIFFER_PATH + 200];

	(void)snprintf(text, sizeof(text), say(m->replay->cli, formats[f->kind]), f->messages, f->field, f->method);
	text[strcspn(text, "\n")] = '\0';
	replay_print(text);
	(void)fputc('\n', stdout);
}

void replay_messages_end(struct replay_messages *m)
{
	struct replay *r = m->replay;

	if (r->cli->json) {
		(void)fputs("],\"fields\":[", stdout);
		for (int i = 0; i < m->field_count; i++) {
			printf("%s{\"kind\":\"%s\",\"method\":\"%s\",\"field\":", i ? "," : "",
			       difference_name(m->fields[i].kind), m->fields[i].method);
			replay_print_json(m->fields[i].field);
			printf(",\"messages\":%d}", m->fields[i].messages);
		}
		printf("],\"totals\":{\"messages\":%d,\"differ\":%d,\"failed\":%d,\"compared_by_form\":%d,"
		       "\"bad_lines\":%d}}\n",
		       r->compared, r->differ, r->failed, m->by_form, r->bad_lines);
		free(m);
		return;
	}
	if (r->differ || r->failed)
		(void)fputc('\n', stdout);
	for (int i = 0; i < m->field_count; i++)
		print_field(m, &m->fields[i]);
	if (m->fields_left_out)
		(void)fputs(say(r->cli, "and more fields than can be counted\n"), stdout);
	if (r->failed)
		printf(say(r->cli, "%d messages on which a function fails\n"), r->failed);
	if (m->by_form)
		printf(say(r->cli, "%d messages hold personal data, which was masked: compared by its form\n"),
		       m->by_form);
	if (r->compared)
		printf(say(r->cli, "%d messages differ, of %d\n"), r->differ, r->compared);
	free(m);
}
