/* bus trace: the last frames on the lines: on the screen, as JSON, or into a file for other programs. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "bus/candump.h"
#include "bus/pcapng.h"
#include "cli/frame.h"
#include "cli/screen.h"

enum { LOOK_MS = 200, SECONDS_MAX = 864000, LINES = 64 };
static const int64_t answers_within_us = 10000000;

struct tracer {
	struct cli *cli;
	FILE *file; /* of pcapng or candump; NULL: the screen */
	struct pcapng pcapng;
	char next[24];
	long long frames, lost;
	int unwritten; /* a frame could not be written */
	/* When each line was last asked something, for the time that an answer took. */
	struct {
		char line[FRAME_LINE];
		int64_t sent_us;
	} lines[LINES];
	int line_count;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

/* 0 = nothing was asked, or long ago. */
static int64_t latency_of(struct tracer *t, const struct frame *f)
{
	int i = 0;

	while (i < t->line_count && strcmp(t->lines[i].line, f->line) != 0)
		i++;
	if (i == LINES || f->kind == TRACE_CAN)
		return 0;
	if (i == t->line_count) {
		(void)snprintf(t->lines[i].line, sizeof(t->lines[i].line), "%s", f->line);
		t->lines[i].sent_us = 0;
		t->line_count++;
	}
	int64_t took = t->lines[i].sent_us ? f->mono_us - t->lines[i].sent_us : 0;
	if (f->flags & TRACE_SENT)
		t->lines[i].sent_us = f->mono_us;
	else if (!(f->flags & (TRACE_THROWN | TRACE_ECHO)))
		t->lines[i].sent_us = 0;
	return f->flags & (TRACE_SENT | TRACE_ECHO) || took > answers_within_us ? 0 : took;
}

static void print_frame(struct tracer *t, const struct frame *f)
{
	char at[CLOCK_DATETIME_SIZE], meaning[FRAME_MEANING], id[16] = "", took[24] = "";
	int64_t latency = latency_of(t, f);
	struct buffer safe;

	clock_format_datetime(f->wall_us / 1000000, at);
	frame_explain(t->cli, f, meaning);
	if (f->kind == TRACE_CAN)
		frame_id(f, id);
	if (latency > 0)
		(void)snprintf(took, sizeof(took), "  (%lld.%01lld ms)", (long long)latency / 1000,
			       (long long)latency % 1000 / 100);
	buffer_init(&safe, 400);
	screen_add(&safe, f->line);
	printf("%s.%06lld  %s  %s  %s%s", at + 11, (long long)(f->wall_us % 1000000), safe.data ? safe.data : "",
	       f->flags & TRACE_SENT ? "->" : "<-", id, *id ? "  " : "");
	printf("%s%s%s", meaning, took, f->len ? "  |" : "");
	for (int i = 0; i < f->len; i++)
		printf(" %02X", f->bytes[i]);
	printf("%s\n", f->flags & TRACE_CUT ? " ..." : "");
	buffer_fini(&safe);
}

static void put_frame(struct tracer *t, const struct value *object, struct raw text)
{
	char meaning[FRAME_MEANING] = "";
	struct frame f;

	if (!t->file && t->cli->json) {
		screen_json(text, stdout);
		(void)fputc('\n', stdout);
		t->frames++;
		return;
	}
	if (frame_read(object, &f))
		return;
	if (!t->file) {
		print_frame(t, &f);
		t->frames++;
		return;
	}
	if (t->cli->candump) {
		int n = candump_frame(t->file, &f);

		t->frames += n > 0;
		t->unwritten |= n < 0;
		return;
	}
	/* What Wireshark can't know by the bytes. */
	if (f.flags & ~TRACE_SENT || f.kind == TRACE_ASCII || f.kind == TRACE_DLT645)
		frame_explain(t->cli, &f, meaning);
	t->unwritten |= pcapng_frame(&t->pcapng, &f, meaning) != 0;
	t->frames++;
}

static struct value *arguments_of(struct tracer *t, long unit, int newest)
{
	struct cli *cli = t->cli;
	struct value *o = value_object(&cli->arena);

	if (cli->word_count)
		(void)value_add(&cli->arena, o, "line", value_string(&cli->arena, cli->words[0]));
	if (unit >= 0)
		(void)value_add(&cli->arena, o, "unit", value_int(&cli->arena, unit));
	if (*t->next)
		(void)value_add(&cli->arena, o, "after", value_string(&cli->arena, t->next));
	if (newest)
		(void)value_add(&cli->arena, o, "newest", value_bool(&cli->arena, 1));
	if (cli->raw)
		(void)value_add(&cli->arena, o, "raw", value_bool(&cli->arena, 1));
	return o;
}

/* One page; *more: there is another. */
static int take_page(struct tracer *t, long unit, int newest, int *more)
{
	const struct value *answer;
	struct cli *cli = t->cli;
	int off = 0, result = cli_ask(cli, "bus_trace", arguments_of(t, unit, newest), &answer);
	size_t at = 0;

	if (result)
		return result;
	(void)value_to_bool(value_get(answer, "off"), &off);
	if (off)
		return cli_fail(cli, CLI_REFUSED, "off", NULL, "the trace is off (option trace_kb of gateway)");
	if (cli_int(answer, "lost") && !cli->json)
		fprintf(stderr, say(cli, "%lld frames were overwritten before they could be shown\n"),
			(long long)cli_int(answer, "lost"));
	t->lost += cli_int(answer, "lost");
	struct raw list = raw_member(cli_raw(cli), "frames");
	value_each (frame, value_get(answer, "frames"))
		put_frame(t, frame, raw_item(list, &at));
	(void)snprintf(t->next, sizeof(t->next), "%s", cli_text(answer, "next"));
	*more = 0;
	(void)value_to_bool(value_get(answer, "more"), more);
	if (t->unwritten || fflush(t->file ? t->file : stdout))
		return cli_fail(cli, CLI_REFUSED, "output", NULL, "the output can't be written");
	return CLI_DONE;
}

static int run(struct tracer *t, long unit, long seconds)
{
	static const struct timespec moment = {.tv_nsec = LOOK_MS * 1000000L};
	int64_t until = clock_mono_ms() + seconds * 1000;
	int more = 0, result = CLI_DONE;

	/* From now on; else from the oldest that is kept. */
	if (seconds && !t->cli->follow)
		result = take_page(t, unit, 1, &more);
	while (!result && !interrupted) {
		result = take_page(t, unit, 0, &more);
		if (result || more)
			continue;
		if (seconds ? clock_mono_ms() >= until : !t->cli->follow)
			break;
		(void)nanosleep(&moment, NULL);
	}
	return result;
}

static int open_file(struct tracer *t)
{
	const char *name = t->cli->pcapng ? t->cli->pcapng : t->cli->candump;

	if (!name)
		return CLI_DONE;
	t->file = strcmp(name, "-") != 0 ? fopen(name, "wbe") : stdout;
	if (!t->file)
		return cli_fail(t->cli, CLI_REFUSED, "output", name, "can't be made");
	if (t->cli->pcapng && pcapng_begin(&t->pcapng, t->file))
		return cli_fail(t->cli, CLI_REFUSED, "output", name, "the output can't be written");
	return CLI_DONE;
}

static int close_file(struct tracer *t, int result)
{
	const char *name = t->cli->pcapng ? t->cli->pcapng : t->cli->candump;

	if (!t->file || t->file == stdout)
		return result;
	if (fclose(t->file) && !result)
		return cli_fail(t->cli, CLI_REFUSED, "output", name, "the output can't be written");
	if (!result && t->cli->json)
		printf("{\"frames\":%lld,\"lost\":%lld}\n", t->frames, t->lost);
	else if (!result)
		printf(say(t->cli, "%lld frames\n"), t->frames);
	return result;
}

int cli_bus_trace(struct cli *cli)
{
	const struct sigaction action = {.sa_handler = on_interrupt};
	long unit = -1, seconds = 0;
	struct tracer *t;

	if (cli->unit && cli_number(cli->unit, 0, 255, &unit))
		return cli_fail(cli, CLI_USAGE, "usage", cli->unit, "is no unit from 0 to 255");
	if (cli->seconds && cli_number(cli->seconds, 1, SECONDS_MAX, &seconds))
		return cli_fail(cli, CLI_USAGE, "usage", cli->seconds, "is no number of seconds");
	if (cli->pcapng && cli->candump)
		return cli_fail(cli, CLI_USAGE, "usage", NULL, "either --pcapng or --candump");
	t = calloc(1, sizeof(*t));
	if (!t)
		return cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory");
	t->cli = cli;
	if (cli->raw)
		fprintf(stderr, "%s\n", say(cli, "not masked: may hold personal data (VIN, card numbers)"));
	/* What was written until then is whole. */
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	int result = open_file(t);
	if (!result)
		result = run(t, unit, seconds);
	result = close_file(t, result);
	free(t);
	return result;
}
