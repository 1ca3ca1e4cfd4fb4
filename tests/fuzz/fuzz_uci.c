/* The configuration as a whole: any text as /etc/config/forecourt: the reader, the schema, the rules.
 *
 * A text with a mistake gives no configuration and says file, line and what; the same text is read the same way twice; two equal
 * configurations need no change; one that is taken, with its secrets masked and put back, is the same again. */
#include "base/error.h"
#include "bytes.h"
#include "config/config.h"
#include "config/edit.h"
#include "config/schema.h"
#include "mutate.h"

enum { MISTAKES = 200 };

struct heard {
	int count;
	int lines;
};

static void on_mistake(void *user, const struct config_mistake *m)
{
	struct heard *h = user;
	char place[32];

	h->count++;
	fuzz_check(h->count <= MISTAKES);
	fuzz_check(m->line >= 1 && m->line <= h->lines);
	fuzz_check(m->what[0] && m->type && m->name && m->option);
	(void)snprintf(place, sizeof(place), "t:%d: ", m->line);
	fuzz_check(!strncmp(m->text, place, strlen(place)));
	fuzz_check(strstr(m->text, m->what));
	fuzz_check(!strchr(m->text, '\n'));
}

static void on_change(void *user, const struct config_change *change)
{
	(void)user;
	fuzz_failed(change->name, __FILE__, __LINE__);
}

static void on_added(void *user, const struct config_change *change)
{
	int *count = user;

	fuzz_check(change->action == CONFIG_ADD && change->name && schema_find(change->type));
	(*count)++;
}

/* Every field is what its option allows: what else of the gateway relies on it. */
static void check_object(const struct schema_section *s, const char *object, const struct config *c)
{
	for (const struct schema_option *o = s->options; o->name; o++) {
		const void *field = object + o->offset;
		int number;

		switch (o->kind) {
		case SCHEMA_BOOL:
			number = *(const int *)field;
			fuzz_check(number == 0 || number == 1);
			break;
		case SCHEMA_REFERENCE:
			number = *(const int *)field;
			fuzz_check(number >= -1 && number < schema_count(schema_find(o->ref), c));
			fuzz_check(!o->required || number >= 0);
			break;
		case SCHEMA_REFERENCES:
			for (int i = 0; i < *(const int *)(const void *)(object + o->count_offset); i++) {
				number = (*(const int *const *)field)[i];
				fuzz_check(number >= 0 && number < schema_count(schema_find(o->ref), c));
			}
			break;
		case SCHEMA_TEXTS:
			for (int i = 0; i < *(const int *)(const void *)(object + o->count_offset); i++)
				fuzz_check((*(const char *const *const *)field)[i]);
			break;
		case SCHEMA_INT:
		case SCHEMA_WORD:
		case SCHEMA_DEGREES:
			break;
		case SCHEMA_TEXT:
		case SCHEMA_ID:
		case SCHEMA_DIGITS:
		case SCHEMA_OPERATOR:
		case SCHEMA_SECRET:
		case SCHEMA_URL:
		case SCHEMA_PREFIX:
		case SCHEMA_DATE:
			fuzz_check(*(const char *const *)field);
			fuzz_check(!o->required || **(const char *const *)field);
			break;
		}
	}
}

static void check_config(const struct config *c)
{
	int objects = 0, added = 0;

	for (const struct schema_section *s = schema_sections; s->type; s++)
		for (int i = 0; i < schema_count(s, c); i++)
			check_object(s, schema_object(s, c, i), c);
	for (int i = 0; i < config_unit_count(c); i++) {
		struct config_unit u = config_unit(c, i);

		fuzz_check(u.name[0] && u.profile[0] && u.unit >= 0 && u.unit <= 255);
		objects++;
	}
	fuzz_check(config_compare(NULL, c, on_added, &added) == added);
	fuzz_check(added >= objects);
}

static void on_counted(void *user, const struct config_change *change)
{
	int *counts = user;

	fuzz_check(change->action >= CONFIG_APPLY && change->action <= CONFIG_REMOVE && schema_find(change->type));
	fuzz_check(config_action_name(change->action)[0] && change->name);
	counts[change->action]++;
}

/* Without its last section, if that is a configuration too: what one way is added is removed the other way. */
static void check_shorter(const char *text, size_t len, const struct config *c)
{
	int there[CONFIG_REMOVE + 1] = {0}, back[CONFIG_REMOVE + 1] = {0};
	struct error err = {0};
	size_t cut = 0;

	for (size_t i = 0; i + 8 < len; i++)
		if (!memcmp(text + i, "\nconfig ", 8))
			cut = i + 1;
	struct config *shorter = cut ? config_parse("t", text, cut, NULL, NULL, &err) : NULL;
	if (!shorter)
		return;
	int changes = config_compare(shorter, c, on_counted, there);
	fuzz_check(config_compare(c, shorter, on_counted, back) == changes);
	fuzz_check(there[CONFIG_ADD] == back[CONFIG_REMOVE] && there[CONFIG_REMOVE] == back[CONFIG_ADD]);
	fuzz_check(there[CONFIG_APPLY] == back[CONFIG_APPLY] && there[CONFIG_RESTART] == back[CONFIG_RESTART]);
	fuzz_check(there[CONFIG_ADD] <= 1 && !there[CONFIG_REMOVE]);
	config_free(shorter);
}

/* A secret is in no text that is masked, unless lines that are none of a secret say the same word. */
static void check_gone(const char *text, size_t len, const char *masked, const char *secret)
{
	char *rest = copy_of(text, len, 1);
	int elsewhere = 0;

	if (strlen(secret) >= 8) {
		for (char *save = NULL, *line = strtok_r(rest, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			elsewhere |= strstr(line, secret) && !strstr(line, "secret");
		fuzz_check(elsewhere || !strstr(masked, secret));
	}
	free(rest);
}

/* Masked, the text is one of as many sections, and holds no secret; unmasked by itself it is what it was. */
static void check_mask(const char *text, size_t len, const struct config *c)
{
	struct error err = {0};
	size_t masked_len, back_len;
	int line;
	char *masked = edit_mask(text, len, &masked_len);

	fuzz_check(masked);
	for (int i = 0; i < c->platform_count; i++) {
		const struct config_platform *p = &c->platforms[i];

		check_gone(text, len, masked, p->ours.data_secret);
		check_gone(text, len, masked, p->theirs.data_secret);
		check_gone(text, len, masked, p->theirs.sig_secret);
	}
	struct edit *edit = edit_new(masked, masked_len, &err);
	fuzz_check(edit);
	if (!edit_unmask(edit, text, len, &line, &err)) {
		char *back = edit_text(edit, &back_len);
		struct config *again;

		fuzz_check(back);
		again = config_parse("t", back, back_len, NULL, NULL, &err);
		if (!again)
			fuzz_failed(err.text, __FILE__, __LINE__);
		fuzz_check(!config_compare(c, again, on_change, NULL));
		config_free(again);
		free(back);
	} else {
		fuzz_failed(err.text, __FILE__, __LINE__);
	}
	edit_free(edit);
	free(masked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard heard = {.lines = 2};
	struct error err = {0}, err2 = {0};
	char *text = copy_of(data, size, 0);

	fuzz_quiet();
	for (size_t i = 0; i < size; i++)
		heard.lines += data[i] == '\n';
	struct config *c = config_parse("t", text, size, on_mistake, &heard, &err);
	struct config *again = config_parse("t", text, size, NULL, NULL, &err2);

	fuzz_check(!c == !again && !strcmp(err.text, err2.text));
	if (c) {
		fuzz_check(!heard.count && !err.code);
		check_config(c);
		fuzz_check(!config_compare(c, again, on_change, NULL));
		check_mask(text, size, c);
		check_shorter(text, size, c);
	} else {
		fuzz_check(err.code && err.text[0] && heard.count);
		fuzz_check(strstr(err.text, "t:"));
	}
	config_free(again);
	config_free(c);
	free(text);
	return 0;
}

static const char *const words[] = {
#include "words_uci.inc"
    NULL};

MUTATE_BY(lines, words)
