/* A CAN database file (DBC) to the draft of a profile: whatever the file is, the draft loads (cli/dbc_profile.h).
 *
 * Signals lie within their messages, places are places, lines are lines of the file; names of messages in a first line "%NAME" pick some. */
#include "base/error.h"
#include "bytes.h"
#include "cli/dbc.h"
#include "cli/dbc_profile.h"
#include "device/can_plan.h"
#include "device/report.h"
#include "lua_text.h"

enum { DRAFT = 1 << 20, MESSAGES = 1000, SIGNALS = 4000 };

static int lines, told;

static void left_out(void *user, int line, const char *what)
{
	(void)user;
	fuzz_check(line >= 1 && line <= lines && what[0]);
	told++;
}

static void check_dbc(const struct dbc *d)
{
	fuzz_check(d->message_count >= 1 && d->message_count <= MESSAGES && d->signal_count <= SIGNALS);
	for (int i = 0; i < d->message_count; i++) {
		const struct dbc_message *m = &d->messages[i];

		fuzz_check(m->name[0] && strnlen(m->name, DBC_NAME) < DBC_NAME);
		fuzz_check(m->id <= (m->extended ? 0x1fffffffu : 0x7ffu) && m->bytes >= 0 && m->bytes <= 8);
		fuzz_check(m->mux >= -1 && m->mux < d->signal_count && m->line >= 1 && m->line <= lines);
		fuzz_check(m->mux < 0 || (d->signals[m->mux].message == i && d->signals[m->mux].kind == DBC_MUX));
	}
	for (int i = 0; i < d->signal_count; i++) {
		const struct dbc_signal *s = &d->signals[i];

		fuzz_check(s->name[0] && strnlen(s->name, DBC_NAME) < DBC_NAME &&
			   strnlen(s->unit, DBC_UNIT) < DBC_UNIT);
		fuzz_check(s->message >= 0 && s->message < d->message_count && s->line >= 1 && s->line <= lines);
		fuzz_check(s->bits >= 1 && s->bits <= 64 && s->start >= 0 && s->start < 64);
		fuzz_check(s->form == DBC_WHOLE || s->bits == (s->form == DBC_FLOAT ? 32 : 64));
		fuzz_check(s->scale == s->scale && s->offset == s->offset && s->min == s->min && s->max == s->max);
		fuzz_check(!s->value_count || s->values);
	}
}

/* Bit by bit, as the format says it: of an Intel signal the start is the lowest bit, of a Motorola one the highest, and its next lower one
 * is the next lower of the byte, or the highest of the next byte. 0: it lies beyond the bytes. */
static int take_plainly(const struct can_place *at, const uint8_t *data, int len, uint64_t *raw)
{
	int byte = at->first / 8, bit = at->first % 8;

	*raw = 0;
	for (int i = 0; i < at->bits; i++) {
		if (byte >= len)
			return 0;
		uint64_t one = data[byte] >> bit & 1;
		if (at->big) {
			*raw = *raw * 2 + one;
			bit--;
		} else {
			*raw += one * ((uint64_t)1 << i);
			bit++;
		}
		byte += bit < 0 || bit > 7;
		bit = bit < 0 ? 7 : bit % 8;
	}
	return 1;
}

/* Each point is where a signal is. */
static void check_places(const struct dbc *d, const struct profile *p)
{
	static const uint8_t data[] = {0x5a, 0xc3, 0x01, 0xf8, 0x96, 0x2d, 0xe1, 0x7b};

	for (int i = 0; i < p->point_count; i++) {
		const struct can_place *at = &p->can->points[i].place;
		uint64_t plainly, raw;
		int found = 0;

		for (int k = 0; k < d->signal_count; k++)
			found |= d->signals[k].start == at->first && d->signals[k].bits == at->bits &&
				 !d->signals[k].big == !at->big;
		fuzz_check(found);
		for (int len = 0; len <= 8; len++) {
			int there = take_plainly(at, data, len, &plainly);

			fuzz_check(there == (can_take(at, data, len, &raw) == FC_OK) && (!there || raw == plainly));
		}
	}
}

static void check_draft(const struct dbc *d, const char *name)
{
	struct buffer out;
	struct error err = {0};

	buffer_init(&out, DRAFT);
	int result = dbc_profile_make("a.dbc", d, &name, name ? 1 : 0, &out, &err);
	if (result) {
		fuzz_check((result == FC_ENOENT || result == FC_ELIMIT) && err.text[0]);
	} else {
		struct profile *p = lua_text_draft(&out);

		check_places(d, p);
		profile_free(p);
	}
	buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {.data = data, .left = size};
	struct dbc dbc;
	struct error err = {0};
	char *name = size && data[0] == '%' ? fuzz_line(&in) : NULL;
	char *text = copy_of(in.data, in.left, 1);

	fuzz_quiet();
	lines = 1;
	told = 0;
	for (size_t i = 0; i < in.left; i++)
		lines += in.data[i] == '\n';
	int result = dbc_read(&dbc, text, in.left, left_out, NULL, &err);
	fuzz_check(result == FC_OK || result == FC_EINVAL || result == FC_ELIMIT);
	if (result) {
		fuzz_check(err.code == result && err.text[0]);
	} else {
		fuzz_check(told == dbc.left_out);
		check_dbc(&dbc);
		check_draft(&dbc, name ? name + 1 : NULL);
	}
	dbc_fini(&dbc);
	free(text);
	free(name);
	return 0;
}
