/* bus read, bus write: registers by hand, on a running line. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "cli/cli.h"
#include "cli/frame.h"
#include "cli/screen.h"
#include "cli/table.h"
#include "cli/words.h"

enum { UNIT_MAX = 255, ADDRESS_MAX = 65535, TIMEOUT_MIN = 10, TIMEOUT_MAX = 10000, VALUES_TEXT = 128 };

/* The words of the call, as numbers. */
struct hand {
	long unit, function, address, base, count;
	enum words_type type;
	int has_type, low_first;
};

static int wrong(const struct cli *cli, const char *object, const char *text)
{
	return cli_fail(cli, CLI_USAGE, "usage", object, text);
}

/* LINE UNIT FUNCTION ADDRESS and the options about values. */
static int read_call(const struct cli *cli, struct hand *h, long least, long most)
{
	*h = (struct hand){.count = 1};
	if (cli_number(cli->words[1], 0, UNIT_MAX, &h->unit))
		return wrong(cli, cli->words[1], "is no unit from 0 to 255");
	if (cli_number(cli->words[2], least, most, &h->function))
		return wrong(cli, cli->words[2],
			     least == 1 ? "is no function that reads: 1, 2, 3 or 4"
					: "is no function that writes: 5, 6, 15 or 16");
	if (cli->base && cli_number(cli->base, 0, 1000000, &h->base))
		return wrong(cli, cli->base, "is no base such as 40001");
	if (cli_number(cli->words[3], h->base, h->base + ADDRESS_MAX, &h->address))
		return wrong(cli, cli->words[3], "is no address from the base on");
	h->address -= h->base;
	h->has_type = cli->type != NULL;
	if (cli->type && words_type_of(cli->type, &h->type))
		return wrong(cli, cli->type, "is no type: u16 s16 u32 s32 u64 s64 f32 f64 text");
	if (cli->order && words_order_of(cli->order, &h->low_first))
		return wrong(cli, cli->order, "is no order: hi-lo or lo-hi");
	return CLI_DONE;
}

static void put_int(struct cli *cli, struct value *o, const char *key, long i)
{
	(void)value_add(&cli->arena, o, key, value_int(&cli->arena, i));
}

static struct value *arguments_of(struct cli *cli, const struct hand *h)
{
	struct value *o = value_object(&cli->arena);

	(void)value_add(&cli->arena, o, "line", value_string(&cli->arena, cli->words[0]));
	put_int(cli, o, "unit", h->unit);
	put_int(cli, o, "function", h->function);
	put_int(cli, o, "address", h->address);
	return o;
}

static int words_of(const struct value *answer, const char *key, uint16_t words[BUS_WORDS_MAX])
{
	int n = 0;

	value_each (word, value_get(answer, key)) {
		int64_t i = 0;

		if (n < BUS_WORDS_MAX && !value_to_int(word, &i))
			words[n++] = (uint16_t)i;
	}
	return n;
}

/* What the device said that was no answer to print. */
static int refused(const struct cli *cli, const struct value *answer)
{
	const char *status = cli_text(answer, "status");
	char text[80];

	if (!strcmp(status, "ok"))
		return CLI_DONE;
	if (strcmp(status, "exception") != 0)
		return cli_fail(cli, CLI_REFUSED, "bus", NULL, status);
	int code = (int)cli_int(answer, "exception");
	(void)snprintf(text, sizeof(text), "%s %d", say(cli, "exception"), code);
	return cli_fail(cli, CLI_REFUSED, "bus", text, frame_exception((unsigned)code));
}

/* Read ------------------------------------------------------------------------------------------------------------------ */

static void cell_long(struct table *t, long i)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%ld", i);
	table_cell(t, text);
}

static void cell_value(struct table *t, const uint16_t *words, int count, enum words_type type, int low_first)
{
	char text[WORDS_VALUE] = "";

	if (count >= words_count(type))
		words_show(words, count, type, low_first, text);
	table_cell(t, text);
}

/* Each word, and what it is together with the next: the right column tells the order. */
static void print_all(const struct cli *cli, const struct hand *h, const uint16_t *words, int count)
{
	static const char *const names[] = {"address",   "hex",       "u16",       "s16", "u32 hi-lo",
					    "u32 lo-hi", "f32 hi-lo", "f32 lo-hi", "text"};
	struct table t;
	char text[8];

	table_init(&t, 9, 0xFF);
	for (int i = 0; i < t.columns; i++)
		table_cell(&t, say(cli, names[i]));
	for (int i = 0; i < count; i++) {
		cell_long(&t, h->base + h->address + i);
		(void)snprintf(text, sizeof(text), "%04X", words[i]);
		table_cell(&t, text);
		cell_value(&t, words + i, 1, WORDS_U16, 0);
		cell_value(&t, words + i, 1, WORDS_S16, 0);
		cell_value(&t, words + i, count - i, WORDS_U32, 0);
		cell_value(&t, words + i, count - i, WORDS_U32, 1);
		cell_value(&t, words + i, count - i, WORDS_F32, 0);
		cell_value(&t, words + i, count - i, WORDS_F32, 1);
		cell_value(&t, words + i, 1, WORDS_TEXT, 0);
	}
	table_print(&t, stdout);
	table_fini(&t);
}

static void print_coils(const struct cli *cli, const struct hand *h, const uint16_t *words, int count)
{
	struct table t;

	table_init(&t, 2, 3);
	table_pair(&t, say(cli, "address"), say(cli, "value"));
	for (int i = 0; i < count; i++) {
		cell_long(&t, h->base + h->address + i);
		table_cell(&t, words[i] ? "1" : "0");
	}
	table_print(&t, stdout);
	table_fini(&t);
}

static void print_typed(const struct cli *cli, const struct hand *h, const uint16_t *words, int count)
{
	int step = h->type == WORDS_TEXT ? count : words_count(h->type);
	struct table t;

	table_init(&t, 2, 1);
	table_pair(&t, say(cli, "address"), cli->type);
	for (int i = 0; step && i + step <= count; i += step) {
		cell_long(&t, h->base + h->address + i);
		cell_value(&t, words + i, count - i, h->type, h->low_first);
	}
	table_print(&t, stdout);
	table_fini(&t);
}

static int ask_read(struct cli *cli, const struct hand *h, const struct value **answer)
{
	struct value *arguments = arguments_of(cli, h);
	long timeout;

	put_int(cli, arguments, "count", h->count);
	if (cli->force)
		(void)value_add(&cli->arena, arguments, "force", value_bool(&cli->arena, 1));
	if (cli->raw)
		(void)value_add(&cli->arena, arguments, "raw", value_bool(&cli->arena, 1));
	if (cli->timeout) {
		if (cli_number(cli->timeout, TIMEOUT_MIN, TIMEOUT_MAX, &timeout))
			return wrong(cli, cli->timeout, "is no time-out from 10 to 10000 ms");
		put_int(cli, arguments, "timeout_ms", timeout);
	}
	return cli_ask(cli, "bus_read", arguments, answer);
}

int cli_bus_read(struct cli *cli)
{
	const struct value *answer = NULL;
	uint16_t words[BUS_WORDS_MAX];
	struct hand h;
	int result = read_call(cli, &h, 1, 4);

	if (result)
		return result;
	h.count = h.has_type ? words_count(h.type) : 1;
	if (cli->word_count > 4 && cli_number(cli->words[4], 1, BUS_WORDS_MAX, &h.count))
		return wrong(cli, cli->words[4], "is no count from 1 to 125");
	result = ask_read(cli, &h, &answer);
	if (result)
		return result;
	if (cli->json) {
		cli_print_raw(cli);
		return strcmp(cli_text(answer, "status"), "ok") != 0 ? CLI_REFUSED : CLI_DONE;
	}
	result = refused(cli, answer);
	if (result)
		return result;
	int count = words_of(answer, "words", words);
	if (h.function <= 2)
		print_coils(cli, &h, words, count);
	else if (h.has_type)
		print_typed(cli, &h, words, count);
	else
		print_all(cli, &h, words, count);
	if (value_get(answer, "masked"))
		printf("%s\n",
		       say(cli, "personal data is masked (**); --raw shows it, and that is noted in the audit"));
	return CLI_DONE;
}

/* Write ----------------------------------------------------------------------------------------------------------------- */

/* The values behind ADDRESS as words with commas. */
static int read_values(const struct cli *cli, struct hand *h, char out[VALUES_TEXT])
{
	uint16_t words[4];
	size_t n = 0;

	out[0] = '\0';
	h->count = 0;
	for (int i = 4; i < cli->word_count; i++) {
		/* What a register holds may be thought of with a sign or without. */
		int count = words_make(cli->words[i], h->type, h->low_first, words);

		if (count < 0 && !h->has_type)
			count = words_make(cli->words[i], WORDS_S16, 0, words);
		if (count < 0)
			return wrong(cli, cli->words[i], "is no value of that type");
		for (int k = 0; k < count && n < VALUES_TEXT; k++, h->count++)
			n += (size_t)snprintf(out + n, VALUES_TEXT - n, "%s%u", n ? "," : "", words[k]);
	}
	if (h->count > BUS_WRITE_WORDS_MAX || n >= VALUES_TEXT)
		return wrong(cli, NULL, "at most 16 registers at a time");
	if ((h->function == 5 || h->function == 6) && h->count != 1)
		return wrong(cli, cli->words[2], "writes one register; 16 (15 for coils) writes several");
	return CLI_DONE;
}

/* Which charger, and what goes on there. Returns how many of its connectors charge. */
static int warn_of(const struct cli *cli, const struct value *charger)
{
	int charging = 0;

	(void)fputs("  ", stderr);
	screen_print(cli_text(charger, "charger"), 0, stderr);
	(void)fputs(" (", stderr);
	screen_print(cli_text(charger, "profile"), 0, stderr);
	(void)fputs(")", stderr);
	value_each (c, value_get(charger, "connectors")) {
		(void)fputs("  ", stderr);
		screen_print(cli_text(c, "connector"), 0, stderr);
		(void)fputs(": ", stderr);
		screen_print(say(cli, cli_text(c, "status_name")), 0, stderr);
		if (!*cli_text(c, "seq"))
			continue;
		charging++;
		(void)fputs(", ", stderr);
		fprintf(stderr, "%s ", say(cli, "order"));
		screen_print(cli_text(c, "seq"), 0, stderr);
	}
	(void)fputc('\n', stderr);
	if (*cli_text(charger, "denied")) {
		fprintf(stderr, "  %s ", say(cli, "denied by the profile:"));
		screen_print(cli_text(charger, "denied"), 0, stderr);
		(void)fputc('\n', stderr);
	}
	return charging;
}

/* What will be done, on standard error. */
static int warn(struct cli *cli, const struct hand *h, const char *values)
{
	struct value *arguments = arguments_of(cli, h);
	const struct value *unit;
	int charging = 0;

	put_int(cli, arguments, "count", h->count);
	int result = cli_ask(cli, "bus_unit", arguments, &unit);
	if (result || cli->json)
		return result;
	fprintf(stderr, say(cli, "writes %s to address %ld (zero-based) of unit %ld by function %ld\n"), values,
		h->address, h->unit, h->function);
	if (!value_get(unit, "chargers") || !value_get(unit, "chargers")->first)
		fprintf(stderr, "  %s\n", say(cli, "no charger of the configuration has this unit"));
	value_each (charger, value_get(unit, "chargers"))
		charging += warn_of(cli, charger);
	if (charging)
		fprintf(stderr, "  %s\n", say(cli, "a charge is under way there: what is written may end or spoil it"));
	return CLI_DONE;
}

/* CLI_DONE: go on. */
static int confirm(const struct cli *cli)
{
	char answer[16] = "";

	if (cli->yes)
		return CLI_DONE;
	if (!isatty(STDIN_FILENO) || cli->json)
		return cli_fail(cli, CLI_USAGE, "usage", NULL, "wants --yes where nobody can be asked");
	fprintf(stderr, "%s ", say(cli, "write? [y/N]"));
	(void)fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y'))
		return CLI_DONE;
	return cli_fail(cli, CLI_REFUSED, "not confirmed", NULL, "nothing was written");
}

/* "5 (0x0005), 6 (0x0006)" */
static void values_text(const struct value *answer, const char *key, char out[WORDS_VALUE])
{
	uint16_t words[BUS_WORDS_MAX];
	int count = words_of(answer, key, words);
	size_t n = 0;

	out[0] = '\0';
	for (int i = 0; i < count && n < WORDS_VALUE; i++)
		n += (size_t)snprintf(out + n, WORDS_VALUE - n, "%s%u (0x%04X)", i ? ", " : "", words[i], words[i]);
}

static void print_row(const struct cli *cli, struct table *t, const char *name, const struct value *answer,
		      const char *key)
{
	char text[WORDS_VALUE];

	values_text(answer, key, text);
	table_pair(t, say(cli, name), value_get(answer, key) ? text : say(cli, "unknown"));
}

/* What was sent is written when the device said so; not when it refused; else nobody knows. */
static void print_words(const struct cli *cli, struct table *t, const struct value *answer)
{
	const char *status = cli_text(answer, "status");

	if (!strcmp(status, "ok"))
		print_row(cli, t, "written", answer, "words");
	else
		table_pair(t, say(cli, "written"), say(cli, !strcmp(status, "exception") ? "no" : "unknown"));
}

static void print_written(const struct cli *cli, const struct value *answer)
{
	struct table t;
	int audited = 0;

	table_init(&t, 2, 0);
	(void)value_to_bool(value_get(answer, "audited"), &audited);
	print_row(cli, &t, "before", answer, "before");
	print_words(cli, &t, answer);
	print_row(cli, &t, "after", answer, "after");
	table_pair(&t, say(cli, "in the audit"), say(cli, audited ? "yes" : "no"));
	table_print(&t, stdout);
	table_fini(&t);
}

int cli_bus_write(struct cli *cli)
{
	const struct value *answer = NULL;
	char values[VALUES_TEXT];
	struct hand h;
	int result = read_call(cli, &h, 5, 16);

	if (!result && h.function > 6 && h.function < 15)
		result = wrong(cli, cli->words[2], "is no function that writes: 5, 6, 15 or 16");
	if (!result)
		result = read_values(cli, &h, values);
	if (!result)
		result = warn(cli, &h, values);
	if (!result)
		result = confirm(cli);
	if (result)
		return result;
	struct value *arguments = arguments_of(cli, &h);
	(void)value_add(&cli->arena, arguments, "values", value_string(&cli->arena, values));
	if (cli->force)
		(void)value_add(&cli->arena, arguments, "force", value_bool(&cli->arena, 1));
	result = cli_ask(cli, "bus_write", arguments, &answer);
	if (result)
		return result;
	if (cli->json) {
		cli_print_raw(cli);
		return strcmp(cli_text(answer, "status"), "ok") != 0 ? CLI_REFUSED : CLI_DONE;
	}
	print_written(cli, answer);
	return refused(cli, answer);
}
