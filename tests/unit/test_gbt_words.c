/* lua/gbt27930.md, the integrator's list of signals and reasons, against the tables. FORECOURT_WRITE=1 writes it anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device/gbt27930.h"

enum { TEXT_MAX = 65536 };

static const char path[] = "lua/gbt27930.md";

static void say_place(FILE *out, const struct gbt *g, const struct gbt_place *p)
{
	struct gbt_message m;

	if (gbt_get_message(g, p->message, &m)) {
		fprintf(out, "worked out");
		return;
	}
	fprintf(out, "%s byte %d", m.name, p->byte);
	if (p->bits % 8)
		fprintf(out, ".%d, %d bits", p->bit, p->bits);
	else
		fprintf(out, ", %d byte%s", p->bits / 8, p->bits == 8 ? "" : "s");
	if (p->bits_2011)
		fprintf(out, " (2011: byte %d, %d)", p->byte_2011, p->bits_2011 / 8);
}

static void say_signals(FILE *out, const struct gbt *g)
{
	int count;
	const struct gbt_signal *s = gbt_signals(&count);

	fprintf(out, "| signal | unit | is | said | where |\n|---|---|---|---|---|\n");
	for (int i = 0; i < count; i++, s++) {
		fprintf(out, "| `%s` | %s | %s%s | ", s->name, s->unit, s->is_text ? "text" : "number",
			s->personal ? ", personal" : "");
		if (s->period_ms)
			fprintf(out, "every %u ms | ", s->period_ms);
		else
			fprintf(out, "once | ");
		say_place(out, g, &s->place);
		fprintf(out, " |\n");
	}
}

static void say_reasons(FILE *out)
{
	int count;
	const struct gbt_reason *r = gbt_reasons(&count);

	fprintf(out, "| `stop.code` | `stop.by` | `stop.fault` | English | 中文 |\n|---|---|---|---|---|\n");
	for (int i = 0; i < count; i++, r++)
		fprintf(out, "| `%s` | %s | %d | %s | %s |\n", r->code,
			r->by == GBT_BY_UNKNOWN ? "" : gbt_by_name(r->by), r->fault, r->en, r->zh);
}

static char *make(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct gbt *g = gbt_new(NULL, NULL);

	assert_non_null(out);
	assert_non_null(g);
	fprintf(out, "# GB/T 27930: what a listening profile can show\n\n"
		     "Made from the tables by `tests/unit/test_gbt_words.c` (`FORECOURT_WRITE=1` writes it anew). "
		     "Names for `signal` in a profile with\n"
		     "`listen = \"gbt27930\"`; `profiles/gbt27930.lua` is one. Currents are positive while the battery "
		     "is charged. What is not said, or all ones,\n"
		     "is unknown, never zero. What is said once stands for the session.\n\n"
		     "`phase` is 0 idle, 1 handshake, 2 identification, 3 configuration, 4 charging, 5 stopping, 6 "
		     "ended, 7 error. Flags of 2 bits: 0 no, 1 yes;\n"
		     "`BSM.cell_voltage_state` and `BSM.soc_state`: 0 well, 1 too high, 2 too low. `BCL.mode`: 1 "
		     "constant voltage, 2 constant current.\n\n"
		     "## Signals\n");
	say_signals(out, g);
	fprintf(out,
		"\n## Why a charge stopped\n"
		"The first of this list that either side said. `error.code` has those of BEM and CEM (`no_...`).\n\n");
	say_reasons(out);
	gbt_free(g);
	(void)fclose(out);
	return text;
}

static void test_the_list_is_the_tables(void **state)
{
	char *made = make(), *is = calloc(1, TEXT_MAX);
	FILE *f;

	(void)state;
	assert_non_null(is);
	if (getenv("FORECOURT_WRITE")) {
		f = fopen(path, "we");
		assert_non_null(f);
		assert_true(fputs(made, f) >= 0);
		(void)fclose(f);
	}
	f = fopen(path, "re");
	assert_non_null(f);
	assert_true(fread(is, 1, TEXT_MAX - 1, f) > 0);
	(void)fclose(f);
	assert_string_equal(is, made);
	free(is);
	free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_list_is_the_tables)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
