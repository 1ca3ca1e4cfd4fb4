/* Command trace_file: the last frames of the lines as a file for Wireshark or for can-utils; masked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/candump.h"
#include "bus/pcapng.h"
#include "control/bytes.h"
#include "control/trace_file.h"

enum { FRAMES = 4000 }; /* some 600 kB of pcapng at most */

struct writer {
	FILE *to;
	enum trace_form form;
	struct pcapng pcapng;
	int failed;
};

static void put(void *user, const struct trace_entry *e, const char *line, int masked)
{
	struct writer *w = user;
	struct frame f = {.number = e->number,
			  .wall_us = e->wall_us,
			  .mono_us = e->mono_us,
			  .kind = (enum trace_kind)e->kind,
			  .flags = e->flags,
			  .id = e->can_id,
			  .len = e->len};

	(void)masked;
	(void)snprintf(f.line, sizeof(f.line), "%s", line ? line : "");
	memcpy(f.bytes, e->bytes, e->len);
	if (w->form == TRACE_FORM_CANDUMP)
		w->failed |= candump_frame(w->to, &f) < 0;
	else
		w->failed |= pcapng_frame(&w->pcapng, &f, f.flags & TRACE_THROWN ? "thrown away" : NULL) != 0;
}

int trace_file(const struct trace_walk *filter, enum trace_form form, char **bytes, size_t *len)
{
	struct trace_walk *walk = calloc(1, sizeof(*walk));
	struct writer *w = calloc(1, sizeof(*w));
	uint64_t newest = trace_newest(filter->control->sources.trace), at;
	int result = FC_ENOMEM;

	*bytes = NULL;
	*len = 0;
	if (walk && w)
		w->to = open_memstream(bytes, len);
	if (w && w->to) {
		w->form = form;
		w->failed = form == TRACE_FORM_PCAPNG && pcapng_begin(&w->pcapng, w->to);
		*walk = (struct trace_walk){.control = filter->control,
					    .line = filter->line,
					    .unit = filter->unit,
					    .most = FRAMES,
					    .put = put,
					    .user = w};
		result = trace_walk(walk, newest > FRAMES ? newest - FRAMES : 0, &at);
		w->failed |= fclose(w->to) != 0;
		if (!result && w->failed)
			result = FC_EIO;
	}
	if (result) {
		free(*bytes);
		*bytes = NULL;
	}
	free(walk);
	free(w);
	return result;
}

int command_trace_file(struct control *control, struct control_reply *reply, struct error *err)
{
	struct trace_walk *filter = calloc(1, sizeof(*filter));
	const char *form = control_text(reply, "form");
	int is_candump = form && !strcmp(form, "candump");
	struct maker m = {.arena = &reply->arena};
	char *bytes = NULL;
	size_t len = 0;

	/* Masked, as bus_trace without raw. */
	reply->is_quiet = 1;
	if (!filter)
		return error_set(err, FC_ENOMEM, "no memory");
	filter->control = control;
	int result = form && !is_candump && strcmp(form, "pcapng") != 0
			 ? error_set(err, FC_EINVAL, "form: must be pcapng or candump")
			 : trace_walk_filter(filter, reply, err);
	if (!result && trace_file(filter, is_candump ? TRACE_FORM_CANDUMP : TRACE_FORM_PCAPNG, &bytes, &len))
		result = error_set(err, FC_EIO, "the file can't be made: no memory, or too many lines");
	free(filter);
	if (result || !bytes)
		return result;
	struct value *root = value_object(m.arena);
	maker_text(&m, root, "file", is_candump ? "trace.log" : "trace.pcapng");
	maker_text(&m, root, "type", is_candump ? "text/plain;charset=utf-8" : "application/x-pcapng");
	if (is_candump)
		maker_put(&m, root, "text", value_string_len(m.arena, bytes, len));
	else
		maker_put(&m, root, "base64", bytes_base64_value(m.arena, bytes, len));
	free(bytes);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}
