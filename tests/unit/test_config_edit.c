/* core/config/edit: what an edit means is changed, and nothing else; hostile values; secrets out of a text and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/edit.h"
#include "config/uci.h"

static const char sample[] = "# A station\n"
			     "config gateway 'gw'\n"
			     "\toption operator_id '123456789' # ours\n"
			     "\n"
			     "config   bus  b1\n"
			     "    option kind tcp\n"
			     "    option host \"10.0.0.1\"\n"
			     "\n"
			     "# the second\n"
			     "config bus 'b2'\n"
			     "\toption kind 'rtu'\n"
			     "\t# spare\n"
			     "\n"
			     "config charger 'c1'\n"
			     "\toption bus 'b1'\n"
			     "\toption equipment_id 'E1'\n"
			     "config connector 'k1'\n"
			     "\toption charger 'c1'\n"
			     "\toption meter 'c1:2'\n"
			     "config platform 'p1'\n"
			     "\toption their_sig_secret 'geheim1'\n"
			     "\t#option their_sig_secret 'geheim0'\n"
			     "\tlist station 's1'\n"
			     "\tlist station 's2'";

static char *text_of(const struct edit *e)
{
	size_t len;
	char *text = edit_text(e, &len);

	assert_non_null(text);
	assert_int_equal(strlen(text), len);
	return text;
}

static void expect(struct edit *e, const char *wanted)
{
	char *text = text_of(e);

	assert_string_equal(text, wanted);
	free(text);
}

/* The sample with one piece replaced by another. */
static char *with(const char *from, const char *to)
{
	const char *at = strstr(sample, from);
	char *text = malloc(sizeof(sample) + strlen(to));

	assert_non_null(at);
	(void)sprintf(text, "%.*s%s%s", (int)(at - sample), sample, to, at + strlen(from));
	return text;
}

static struct edit *fresh(void)
{
	struct edit *e = edit_new(sample, strlen(sample), NULL);

	assert_non_null(e);
	return e;
}

static void expect_with(struct edit *e, const char *from, const char *to)
{
	char *wanted = with(from, to);

	expect(e, wanted);
	free(wanted);
	edit_free(e);
}

static void sets_in_place(void **state)
{
	struct edit *e = fresh();

	(void)state;
	expect(e, sample);
	assert_int_equal(edit_set(e, "gateway", "whatever", "operator_id", "987654321", NULL), FC_OK);
	expect_with(e, "'123456789'", "'987654321'");
	e = fresh();
	assert_int_equal(edit_set(e, "bus", "b1", "kind", "rtu", NULL), FC_OK);
	expect_with(e, "option kind tcp", "option kind rtu");
	e = fresh();
	assert_int_equal(edit_set(e, "bus", "b1", "host", "a\"b\\c", NULL), FC_OK);
	expect_with(e, "\"10.0.0.1\"", "\"a\\\"b\\\\c\"");
	e = fresh();
	assert_int_equal(edit_set(e, "bus", "b1", "kind", "two words", NULL), FC_OK);
	expect_with(e, "option kind tcp", "option kind 'two words'");
	e = fresh();
	assert_int_equal(edit_set(e, "bus", "b2", "baud", "9600", NULL), FC_OK);
	expect_with(e, "\toption kind 'rtu'\n", "\toption kind 'rtu'\n\toption baud '9600'\n");
	e = fresh();
	assert_int_equal(edit_set(e, "bus", "b1", "port", "503", NULL), FC_OK);
	expect_with(e, "\"10.0.0.1\"\n", "\"10.0.0.1\"\n    option port '503'\n");
	e = fresh();
	assert_int_equal(edit_unset(e, "bus", "b1", "host", NULL), FC_OK);
	expect_with(e, "    option host \"10.0.0.1\"\n", "");
}

static void sets_lists(void **state)
{
	static const char *const three[] = {"s1", "s3", "s4"}, *const one[] = {"s2"};
	struct edit *e = fresh();

	(void)state;
	assert_int_equal(edit_set_list(e, "platform", "p1", "station", three, 3, NULL), FC_OK);
	expect_with(e, "'s2'", "'s3'\n\tlist station 's4'\n");
	e = fresh();
	assert_int_equal(edit_set_list(e, "platform", "p1", "station", one, 1, NULL), FC_OK);
	expect_with(e, "\tlist station 's1'\n\tlist station 's2'", "\tlist station 's2'\n");
	e = fresh();
	assert_int_equal(edit_set_list(e, "platform", "p1", "station", NULL, 0, NULL), FC_OK);
	expect_with(e, "\tlist station 's1'\n\tlist station 's2'", "");
}

static void sections_come_and_go(void **state)
{
	struct error err = {0};
	struct edit *e = fresh();

	(void)state;
	assert_int_equal(edit_add(e, "bus", "b1", NULL, &err), FC_EEXIST);
	assert_int_equal(edit_add(e, "bus", "a b", NULL, &err), FC_EINVAL);
	assert_int_equal(edit_add(e, "bus", "b3", "none", &err), FC_ENOENT);
	expect(e, sample);
	assert_int_equal(edit_add(e, "bus", "b3", "b1", NULL), FC_OK);
	expect_with(e, "\toption kind 'rtu'\n",
		    "\toption kind 'rtu'\n\nconfig bus 'b3'\n    option kind tcp\n    option host \"10.0.0.1\"\n\n");
	e = fresh();
	assert_int_equal(edit_add(e, "listen", "l1", NULL, NULL), FC_OK);
	assert_int_equal(edit_set(e, "listen", "l1", "port", "8443", NULL), FC_OK);
	expect_with(e, "'s2'", "'s2'\n\nconfig listen 'l1'\n\toption port '8443'\n");
	e = fresh();
	assert_int_equal(edit_remove(e, "bus", "b2", NULL), FC_OK);
	expect_with(e, "config bus 'b2'\n\toption kind 'rtu'\n", "");
	e = fresh();
	assert_int_equal(edit_remove(e, "bus", "b1", NULL), FC_OK);
	expect_with(e, "config   bus  b1\n    option kind tcp\n    option host \"10.0.0.1\"\n\n", "");
}

static void a_rename_is_followed(void **state)
{
	struct edit *e = fresh();

	(void)state;
	assert_int_equal(edit_rename(e, "bus", "b1", "b2", NULL), FC_EEXIST);
	assert_int_equal(edit_rename(e, "bus", "b1", "line-1", NULL), FC_OK);
	char *text = text_of(e);
	assert_non_null(strstr(text, "config   bus  line-1\n"));
	assert_non_null(strstr(text, "\toption bus 'line-1'\n"));
	free(text);
	assert_int_equal(edit_rename(e, "bus", "line-1", "b1", NULL), FC_OK);
	expect(e, sample);
	assert_int_equal(edit_rename(e, "charger", "c1", "c9", NULL), FC_OK);
	text = text_of(e);
	assert_non_null(strstr(text, "\toption charger 'c9'\n\toption meter 'c9:2'\n"));
	assert_null(strstr(text, "c1"));
	free(text);
	edit_free(e);
}

static void hostile_values(void **state)
{
	static const char *const good[] = {"it's",
					   "'",
					   "''",
					   "\\",
					   "\\'",
					   "\"",
					   "# no comment",
					   "a'b\"c\\d",
					   " ",
					   "",
					   "$(reboot)",
					   "\xE6\x9C\x9D\xE9\x98\xB3",
					   "'; config gateway 'x"};
	static const char *const bad[] = {"a\nb", "a\rb", "\n", "\tx", "\x1b[31m", "\x7f"};
	static const char *const options[][3] = {
	    {"gateway", "gw", "operator_id"}, {"bus", "b1", "kind"}, {"bus", "b1", "host"}, {"bus", "b2", "new"}};
	static char lots[5000];

	(void)state;
	for (size_t k = 0; k < sizeof(options) / sizeof(options[0]); k++) {
		const char *const *o = options[k];

		for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
			struct edit *e = fresh();
			struct uci_file file;
			struct arena arena;

			assert_int_equal(edit_set(e, o[0], o[1], o[2], good[i], NULL), FC_OK);
			char *text = text_of(e);
			arena_init(&arena, 1 << 20);
			assert_int_equal(uci_parse(text, strlen(text), &arena, &file, NULL, NULL), 0);
			int seen = 0;
			for (struct uci_section *s = file.sections; s; s = s->next)
				if (!strcmp(s->type, o[0]) && !strcmp(s->name, o[1])) {
					assert_string_equal(uci_option(s, o[2])->values->text, good[i]);
					seen = 1;
				}
			assert_true(seen);
			assert_int_equal(file.count, 6);
			arena_fini(&arena);
			free(text);
			edit_free(e);
		}
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			struct edit *e = fresh();

			assert_int_equal(edit_set(e, o[0], o[1], o[2], bad[i], NULL), FC_EINVAL);
			expect(e, sample);
			edit_free(e);
		}
		struct edit *e = fresh();
		memset(lots, '\'', sizeof(lots) - 1);
		assert_int_equal(edit_set(e, o[0], o[1], o[2], lots, NULL), FC_EINVAL);
		expect(e, sample);
		edit_free(e);
	}
}

/* Property ----------------------------------------------------------------------------------------------------------------- */

/* What the text should say: as simple as can be. */
enum { MODEL_SECTIONS = 12, MODEL_OPTIONS = 8, MODEL_VALUES = 4 };
struct model {
	struct {
		char name[16];
		struct {
			char name[16];
			int is_list, count;
			char values[MODEL_VALUES][24];
		} options[MODEL_OPTIONS];
		int count;
	} sections[MODEL_SECTIONS];
	int count;
};

static uint64_t seed = 88172645463325252u;
static int roll(int below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int)(seed % (uint64_t)below);
}

static const char *const pieces[] = {"a", "'", "\"", "\\", " ", "#", "Z9", "\xE5\xBA\xA7", "=", "option x 'y'"};

static void make_value(char value[24])
{
	value[0] = '\0';
	for (int n = roll(4); n; n--)
		if (strlen(value) < 10)
			(void)strcat(value, pieces[roll(10)]);
}

static void write_value(FILE *to, const char *value)
{
	int style = roll(3);

	if (style == 2 && *value && strspn(value, "aZ9=") == strlen(value)) {
		fprintf(to, "%s", value);
		return;
	}
	fputc(style ? '"' : '\'', to);
	for (; *value; value++)
		if (style)
			fprintf(to, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
		else
			fprintf(to, *value == '\'' ? "'\\''" : "%c", *value);
	fputc(style ? '"' : '\'', to);
}

/* A text with comments, blank lines and all ways of quoting, and its model. Lines with MARK n are nobody's. */
static char *make_text(struct model *m, int *marks)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	*m = (struct model){.count = 1 + roll(5)};
	*marks = 0;
	for (int s = 0; s < m->count; s++) {
		if (roll(2))
			fprintf(to, "# MARK %d\n", (*marks)++);
		(void)snprintf(m->sections[s].name, 16, "s%d", s);
		const char *quote = roll(2) ? "'" : "", *blank = roll(2) ? "\n" : "";
		fprintf(to, "%sconfig thing %ss%d%s\n", blank, quote, s, quote);
		m->sections[s].count = roll(4);
		for (int o = 0; o < m->sections[s].count; o++) {
			int is_list = roll(3) == 0, count = is_list ? 1 + roll(3) : 1;

			(void)snprintf(m->sections[s].options[o].name, 16, "o%d", o);
			m->sections[s].options[o].is_list = is_list;
			m->sections[s].options[o].count = count;
			for (int v = 0; v < count; v++) {
				make_value(m->sections[s].options[o].values[v]);
				fprintf(to, "%s%s o%d ", roll(2) ? "\t" : "  ", is_list ? "list" : "option", o);
				write_value(to, m->sections[s].options[o].values[v]);
				if (!roll(4))
					fprintf(to, " # MARK %d", -1);
				fprintf(to, "\n");
			}
			if (!roll(3))
				fprintf(to, "\t# MARK %d\n", (*marks)++);
		}
	}
	(void)fclose(to);
	return text;
}

static int model_find(const struct model *m, const char *name)
{
	for (int i = 0; i < m->count; i++)
		if (!strcmp(m->sections[i].name, name))
			return i;
	return -1;
}

static void check_model(const struct model *m, const char *text)
{
	struct uci_file file;
	struct arena arena;
	int n = 0;

	arena_init(&arena, 1 << 20);
	if (uci_parse(text, strlen(text), &arena, &file, NULL, NULL))
		fail_msg("can't be read:\n%s", text);
	for (struct uci_section *s = file.sections; s; s = s->next, n++) {
		int at = model_find(m, s->name);

		if (at < 0)
			fail_msg("section %s:\n%s", s->name, text);
		assert_int_equal(s->count, m->sections[at].count);
		for (int o = 0; o < m->sections[at].count; o++) {
			const struct uci_option *given = uci_option(s, m->sections[at].options[o].name);
			int v = 0;

			assert_non_null(given);
			assert_int_equal(given->is_list, m->sections[at].options[o].is_list);
			for (const struct uci_value *value = given->values; value; value = value->next)
				assert_string_equal(value->text, m->sections[at].options[o].values[v++]);
			assert_int_equal(v, m->sections[at].options[o].count);
		}
	}
	assert_int_equal(n, m->count);
	arena_fini(&arena);
}

static void change_option(struct edit *e, struct model *m, int s)
{
	char value[MODEL_VALUES][24], name[8];
	const char *values[MODEL_VALUES];
	int is_list = roll(3) == 0, count = is_list ? 1 + roll(MODEL_VALUES) : 1, o;

	(void)snprintf(name, sizeof(name), "o%d", roll(6));
	for (o = 0; o < m->sections[s].count && strcmp(m->sections[s].options[o].name, name) != 0; o++)
		;
	if (roll(4) == 0) {
		int result = edit_unset(e, "thing", m->sections[s].name, name, NULL);

		assert_int_equal(result, o < m->sections[s].count ? FC_OK : FC_ENOENT);
		if (!result)
			m->sections[s].options[o] = m->sections[s].options[--m->sections[s].count];
		return;
	}
	for (int v = 0; v < count; v++) {
		make_value(value[v]);
		values[v] = value[v];
	}
	if (is_list)
		assert_int_equal(edit_set_list(e, "thing", m->sections[s].name, name, values, count, NULL), FC_OK);
	else
		assert_int_equal(edit_set(e, "thing", m->sections[s].name, name, value[0], NULL), FC_OK);
	if (o == m->sections[s].count)
		m->sections[s].count++;
	(void)snprintf(m->sections[s].options[o].name, 16, "%s", name);
	m->sections[s].options[o].is_list = is_list;
	m->sections[s].options[o].count = count;
	memcpy(m->sections[s].options[o].values, value, sizeof(value));
}

static void change(struct edit *e, struct model *m, int round)
{
	char name[16];
	int s = m->count ? roll(m->count) : -1;

	(void)snprintf(name, sizeof(name), "n%d", round);
	switch (s < 0 ? 0 : roll(8)) {
	case 0:
		if (m->count == MODEL_SECTIONS)
			return;
		assert_int_equal(edit_add(e, "thing", name, s >= 0 && roll(2) ? m->sections[s].name : NULL, NULL),
				 FC_OK);
		/* The copy: whether it was one can be seen. */
		m->sections[m->count].count = 0;
		char *text = text_of(e), key[40];
		(void)snprintf(key, sizeof(key), "config thing '%s'\n", name);
		const char *behind = strstr(text, key) + strlen(key);
		if (s >= 0 && (*behind == '\t' || *behind == ' '))
			m->sections[m->count] = m->sections[s];
		(void)snprintf(m->sections[m->count++].name, 16, "%s", name);
		free(text);
		return;
	case 1:
		assert_int_equal(edit_remove(e, "thing", m->sections[s].name, NULL), FC_OK);
		m->sections[s] = m->sections[--m->count];
		return;
	case 2:
		assert_int_equal(edit_rename(e, "thing", m->sections[s].name, name, NULL), FC_OK);
		(void)snprintf(m->sections[s].name, 16, "%s", name);
		return;
	default:
		change_option(e, m, s);
	}
}

/* Lines of before between what both texts begin with and what both end with: all else is as it was, byte by byte. */
static int lines_gone(const char *before, const char *after)
{
	size_t n = strlen(before), k = strlen(after), same = 0;
	int gone = 0;

	while (same < n && same < k && before[same] == after[same])
		same++;
	while (same && before[same - 1] != '\n')
		same--;
	while (n > same && k > same && before[n - 1] == after[k - 1])
		n--, k--;
	for (const char *c = before + same; c < before + n; c++)
		gone += *c == '\n' || c + 1 == before + n;
	return gone;
}

static void random_edits_mean_what_they_say(void **state)
{
	enum { TEXTS = 400, EDITS = 25 };

	(void)state;
	for (int i = 0; i < TEXTS; i++) {
		struct model m;
		int marks;
		char *text = make_text(&m, &marks), mark[24];
		struct edit *e = edit_new(text, strlen(text), NULL);

		check_model(&m, text);
		for (int k = 0; k < EDITS; k++) {
			char *before = text_of(e);

			change(e, &m, i * EDITS + k);
			char *after = text_of(e);
			check_model(&m, after);
			/* A set touches the lines of its option only: at most so many as it had values. A removed section has its
			 * options' lines, its own and a blank one. */
			assert_in_range(lines_gone(before, after), 0, MODEL_OPTIONS * MODEL_VALUES + 2);
			for (int n = 0; n < marks; n++) {
				(void)snprintf(mark, sizeof(mark), "# MARK %d\n", n);
				if (strstr(before, mark) && !strstr(after, mark)) {
					/* Only a comment inside of a section that was removed goes with it. */
					assert_true(strlen(after) < strlen(before));
				}
			}
			free(before);
			free(after);
		}
		edit_free(e);
		free(text);
	}
}

static void one_set_touches_one_line(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		struct model m;
		int marks;
		char *text = make_text(&m, &marks), value[24];
		struct edit *e = edit_new(text, strlen(text), NULL);
		int s = roll(m.count);

		make_value(value);
		if (m.sections[s].count && !m.sections[s].options[0].is_list) {
			assert_int_equal(edit_set(e, "thing", m.sections[s].name, "o0", value, NULL), FC_OK);
			char *after = text_of(e);
			assert_in_range(lines_gone(text, after), 0, 1);
			free(after);
			assert_int_equal(
			    edit_set(e, "thing", m.sections[s].name, "o0", m.sections[s].options[0].values[0], NULL),
			    FC_OK);
			after = text_of(e);
			check_model(&m, after);
			free(after);
		}
		edit_free(e);
		free(text);
	}
}

/* Lists of edits ------------------------------------------------------------------------------------------------------------ */

static struct value *edit_of(struct arena *a, const char *op, const char *type, const char *name, const char *option,
			     const char *value)
{
	struct value *o = value_object(a);

	(void)value_put(a, o, "op", value_string(a, op));
	(void)value_put(a, o, "type", value_string(a, type));
	(void)value_put(a, o, "name", value_string(a, name));
	if (option)
		(void)value_put(a, o, "option", value_string(a, option));
	if (value)
		(void)value_put(a, o, "value", value_string(a, value));
	return o;
}

static void a_list_is_taken_whole(void **state)
{
	struct error err = {0};
	struct arena a;
	struct edit *e = fresh();

	(void)state;
	arena_init(&a, 1 << 20);
	struct value *edits = value_array(&a);
	(void)value_push(edits, edit_of(&a, "set", "bus", "b1", "kind", "rtu"));
	(void)value_push(edits, edit_of(&a, "set", "platform", "p1", "their_sig_secret", EDIT_MASK));
	(void)value_push(edits, edit_of(&a, "set", "bus", "none", "kind", "rtu"));
	assert_int_equal(edit_apply(e, edits, &err), FC_ENOENT);
	assert_string_equal(err.text, "edit 3: there is no bus none");
	expect(e, sample);
	(void)value_push(edits, edit_of(&a, "rm", "bus", "b1", NULL, NULL));
	edits->first->next->next = edits->first->next->next->next;
	assert_int_equal(edit_apply(e, edits, &err), FC_EINVAL);
	edits->first->next->next = NULL;
	assert_int_equal(edit_apply(e, edits, &err), FC_OK);
	expect_with(e, "option kind tcp", "option kind rtu");
	arena_fini(&a);
}

/* Secrets ---------------------------------------------------------------------------------------------------------------------- */

static void secrets_go_and_come_back(void **state)
{
	size_t len;
	int line;
	struct error err = {0};
	char *masked = edit_mask(sample, strlen(sample), &len);

	(void)state;
	assert_non_null(masked);
	assert_null(strstr(masked, "geheim"));
	assert_non_null(strstr(masked, "\toption their_sig_secret '" EDIT_MASK "'\n"));
	struct edit *e = edit_new(masked, len, NULL);
	assert_int_equal(edit_unmask(e, sample, strlen(sample), &line, &err), FC_OK);
	expect(e, sample);
	edit_free(e);
	/* Another value of another option, a new secret, and one that is nowhere. */
	e = edit_new(masked, len, NULL);
	assert_int_equal(edit_set(e, "platform", "p1", "their_data_secret", EDIT_MASK, NULL), FC_OK);
	assert_int_equal(edit_unmask(e, sample, strlen(sample), &line, &err), FC_EINVAL);
	assert_int_equal(line, 25);
	assert_non_null(strstr(err.text, "platform.p1.their_data_secret"));
	edit_free(e);
	free(masked);
}

static void no_line_shows_a_secret(void **state)
{
	static const char *const lines[] = {
	    "option our_sig_secret geheim",
	    "option our_sig_secret 'geheim",
	    "option our_sig_secret \"geheim\" geheim",
	    "option our_sig_secret 'ge'heim",
	    "\toption  our_sig_secret 'a' # geheim",
	    "# option our_sig_secret 'geheim'",
	    "option remark 'x' # our_sig_secret 'geheim'",
	    "optoin our_sig_secret 'geheim'",
	    "our_sig_secret geheim",
	    "list our_sig_secret 'geheim'",
	    "config platform 'x' # our_data_secret geheim",
	    "option our_sig_secret ' geheim '",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		for (int k = 0; k < 3; k++) {
			char text[300];
			size_t len;

			(void)snprintf(text, sizeof(text), "%s%s\n",
				       k == 0   ? "config platform 'p'\n"
				       : k == 1 ? "config nothing 'p'\n"
						: "",
				       lines[i]);
			char *masked = edit_mask(text, strlen(text), &len);
			assert_non_null(masked);
			if (strstr(masked, "heim"))
				fail_msg("%s", masked);
			struct edit *e = edit_new(masked, len, NULL);
			int line;
			/* Whole again, but for a value that is a secret by its name alone in a section that is none. */
			if (!edit_unmask(e, text, strlen(text), &line, NULL) && k == 0)
				expect(e, text);
			edit_free(e);
			free(masked);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sets_in_place),
	    cmocka_unit_test(sets_lists),
	    cmocka_unit_test(sections_come_and_go),
	    cmocka_unit_test(a_rename_is_followed),
	    cmocka_unit_test(hostile_values),
	    cmocka_unit_test(random_edits_mean_what_they_say),
	    cmocka_unit_test(one_set_touches_one_line),
	    cmocka_unit_test(a_list_is_taken_whole),
	    cmocka_unit_test(secrets_go_and_come_back),
	    cmocka_unit_test(no_line_shows_a_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
