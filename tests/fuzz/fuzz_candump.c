/* Candump logs and frames as text: what is read is written and read again, the same; lines as the trace writes them are lines that we
 * read. The frames go through the trace's mask and into a capture, too: of a VIN nothing is left. */
#include "base/error.h"
#include "bus/can_text.h"
#include "bus/candump.h"
#include "bus/pcapng.h"
#include "bytes.h"

enum { LINE = 200, CAPTURE = 1 << 16, SHORTEST_TIME = 1000 };

static FILE *capture;
static char *written;
static size_t written_len;

static void check_frame(const struct can_frame *f)
{
	fuzz_check(f->len <= CAN_DATA_MAX && f->extended <= 1 && f->remote <= 1 && f->error <= 1);
	fuzz_check(!f->error || (!f->remote && !f->extended));
	fuzz_check(f->error || f->id <= (f->extended ? CAN_ID_EXTENDED_MAX : CAN_ID_STANDARD_MAX));
	for (int i = f->remote ? 0 : f->len; i < CAN_DATA_MAX; i++)
		fuzz_check(!f->data[i]);
}

static int is_same(const struct can_frame *a, const struct can_frame *b)
{
	return a->id == b->id && a->extended == b->extended && a->remote == b->remote && a->error == b->error &&
	       a->len == b->len && !memcmp(a->data, b->data, sizeof(a->data));
}

static void check_round(const struct can_frame *f)
{
	char text[CAN_TEXT_SIZE];
	struct can_frame again;
	struct error err = {0};

	fuzz_check(can_frame_format(f, text) == text && strnlen(text, sizeof(text)) < sizeof(text));
	if (can_frame_parse(text, &again, &err))
		fuzz_failed(err.text, __FILE__, __LINE__);
	fuzz_check(is_same(f, &again));
}

/* As the command line writes the gateway's trace, and as a capture. */
static void check_written(const struct can_log_line *l)
{
	struct frame frame = {
	    .number = 1, .wall_us = l->frame.wall_us, .kind = TRACE_CAN, .id = l->frame.id, .len = l->frame.len};
	struct can_log_line again;
	struct error err = {0};
	struct pcapng p;

	if (l->frame.wall_us < 0 || strlen(l->interface) >= sizeof(frame.line))
		return;
	frame.id |= (l->frame.extended ? 0x80000000u : 0) | (l->frame.remote ? 0x40000000u : 0) |
		    (l->frame.error ? 0x20000000u : 0);
	memcpy(frame.bytes, l->frame.data, sizeof(l->frame.data));
	(void)snprintf(frame.line, sizeof(frame.line), "%s", l->interface);
	rewind(capture);
	fuzz_check(candump_frame(capture, &frame) == 1 && !fflush(capture));
	fuzz_check(written_len < LINE);
	if (can_log_parse(written, &again, &err))
		fuzz_failed(written, __FILE__, __LINE__);
	fuzz_check(is_same(&l->frame, &again.frame) && again.frame.wall_us == l->frame.wall_us);
	fuzz_check(!strcmp(again.interface, l->interface));
	rewind(capture);
	fuzz_check(!pcapng_begin(&p, capture) && !pcapng_frame(&p, &frame, l->interface));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {.data = data, .left = size};

	if (!capture)
		capture = open_memstream(&written, &written_len);
	fuzz_check(capture);
	while (in.left) {
		struct can_log_line l;
		struct can_frame f;
		struct error err = {0};
		char *line = fuzz_line(&in);

		memset(&l, 0xA5, sizeof(l));
		int result = can_log_parse(line, &l, &err);
		if (result == FC_OK) {
			check_frame(&l.frame);
			check_round(&l.frame);
			fuzz_check(l.interface[0] && strnlen(l.interface, sizeof(l.interface)) < sizeof(l.interface));
			check_written(&l);
		} else {
			fuzz_check(result == FC_ENOENT || (result == FC_EINVAL && err.text[0]));
		}
		err = (struct error){0};
		if (!can_frame_parse(line, &f, &err)) {
			check_frame(&f);
			check_round(&f);
		} else {
			fuzz_check(err.text[0]);
		}
		free(line);
	}
	return 0;
}
