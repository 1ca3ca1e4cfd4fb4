/* Reads, probes and writes by hand, on a running line, between its polls. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/bus.h"

/* How long a request may wait for its turn, and for its answer (a charger may take seconds over a write). */
enum { TURN_MS = 20000, PROBE_TURN_MS = 60000, READ_ONE = 1, READ_MANY = 3 };

/* Outlives the reply when the room ends first. */
struct hand {
	struct control *control;
	struct control_reply *reply; /* NULL: the room has ended */
	int line;                    /* its index, as long as it is ... */
	uint32_t id;                 /* ... this one: a reload may make another of it */
	struct bus_read read;
	struct bus_write write;
	int look; /* what is to be written may be read, before and after */
	struct bus_result written;
	char before[AUDIT_TEXT], after[AUDIT_TEXT];
	int has_before, has_after;
	uint16_t before_words[BUS_WRITE_WORDS_MAX], after_words[BUS_WRITE_WORDS_MAX];
	int raw;       /* personal data too */
	int64_t audit; /* 0: could not be kept */
};

static void on_cancel(void *user)
{
	((struct hand *)user)->reply = NULL;
}

static struct hand *new_hand(struct control *control, struct control_reply *reply, struct error *err)
{
	struct hand *h = calloc(1, sizeof(*h));

	if (!h) {
		(void)error_set(err, FC_ENOMEM, "no memory");
		return NULL;
	}
	h->control = control;
	h->reply = reply;
	if (bus_find_line(control, reply, &h->line, err) ||
	    bus_may_be_asked(control, bus_line_name_at(control, h->line), err)) {
		free(h);
		return NULL;
	}
	h->id = device_line_id(control->sources.devices, h->line);
	return h;
}

static int ask(struct hand *h, const struct bus_read *read, const struct bus_write *write, device_asked done,
	       struct error *err)
{
	struct device_set *devices = h->control->sources.devices;

	if (device_line_id(devices, h->line) != h->id)
		return error_set(err, FC_ENOENT, "the line was closed meanwhile");
	return device_ask(devices, h->line, read, write, done, h, err);
}

/* The charger's own registers, or those of another one that shares the unit: whose card or VIN they hold is for people with `raw`. */
struct veil {
	const struct bus_read *read;
	uint16_t *words;
	int masked;
};
enum { VEIL = 0x2A2A }; /* "**", as in the trace */

static void veil_range(void *user, uint8_t unit, uint8_t function, uint16_t address, uint16_t words)
{
	struct veil *v = user;

	(void)function;
	if (unit != v->read->unit || v->read->function < READ_MANY)
		return;
	for (unsigned i = 0; i < v->read->count; i++) {
		unsigned at = v->read->address + i;

		/* That there is nothing is nobody's data. */
		if (at < address || at >= (unsigned)address + words || !v->words[i])
			continue;
		v->words[i] = VEIL;
		v->masked = 1;
	}
}

/* Nonzero when something was masked. words: as many as were asked for. */
static int veil(const struct hand *h, uint16_t *words)
{
	struct veil v = {&h->read, words, 0};

	if (!h->raw)
		device_personal(h->control->sources.devices, h->line, veil_range, &v);
	return v.masked;
}

static int wait_for(struct control_reply *reply, struct hand *h, int result)
{
	if (result) {
		free(h);
		return result;
	}
	reply->cancel = on_cancel;
	reply->cancel_user = h;
	return CONTROL_LATER;
}

static void put_words(struct maker *m, struct value *o, const char *key, const uint16_t *words, unsigned count)
{
	struct value *list = value_array(m->arena);

	for (unsigned i = 0; i < count; i++)
		maker_push(m, list, value_int(m->arena, words[i]));
	maker_put(m, o, key, list);
}

static void put_answer(struct maker *m, struct value *o, const struct bus_result *r)
{
	maker_text(m, o, "status", bus_status_name((enum bus_status)r->status));
	if (r->status == BUS_EXCEPTION)
		maker_int(m, o, "exception", r->exception);
	maker_int(m, o, "latency_us", r->latency_us);
}

/* Read, probe ---------------------------------------------------------------------------------------------------------- */

static void on_read(void *user, const struct bus_result *r)
{
	struct hand *h = user;
	struct control_reply *reply = h->reply;

	if (reply) {
		struct maker m = {.arena = &reply->arena};
		struct value *o = value_object(m.arena);

		maker_int(&m, o, "unit", h->read.unit);
		maker_int(&m, o, "function", h->read.function);
		maker_int(&m, o, "address", h->read.address);
		put_answer(&m, o, r);
		const struct device *d = device_at_unit(h->control->sources.devices, h->line, h->read.unit, 0);
		maker_optional(&m, o, "charger", d ? device_name(d) : "");
		maker_flag(&m, o, "answered", bus_unit_answered(r));
		struct bus_result shown = *r;
		if (r->status == BUS_OK) {
			if (veil(h, shown.words))
				maker_flag(&m, o, "masked", 1);
			put_words(&m, o, "words", shown.words, shown.count);
		}
		reply->result = m.failed ? NULL : o;
		control_finish(reply, FC_OK, "");
	}
	free(h);
}

int command_bus_read(struct control *control, struct control_reply *reply, struct error *err)
{
	struct hand *h = new_hand(control, reply, err);

	/* Who reads what is personal is in the audit with it. */
	reply->is_quiet = !control_flag(reply, "raw");
	if (!h)
		return err->code;
	h->raw = control_flag(reply, "raw");
	h->read = (struct bus_read){.unit = (uint8_t)control_int(reply, "unit", 0),
				    .function = (uint8_t)control_int(reply, "function", READ_MANY),
				    .address = (uint16_t)control_int(reply, "address", 0),
				    .count = (uint16_t)control_int(reply, "count", 1),
				    .period_ms = TURN_MS,
				    .timeout_ms = (uint32_t)control_int(reply, "timeout_ms", 0)};
	int result = control_flag(reply, "force")
			 ? FC_OK
			 : bus_may(control, h->line, h->read.unit, 0, h->read.address, h->read.count, err);
	if (!result)
		result = ask(h, &h->read, NULL, on_read, err);
	return wait_for(reply, h, result);
}

/* What is read of that unit anyway; else what is read first of another charger on the line, most likely one of the same kind. */
static void choose_probe(const struct control *control, struct hand *h)
{
	struct device_set *devices = control->sources.devices;
	const struct device *d = device_at_unit(devices, h->line, h->read.unit, 0);

	h->read.function = READ_MANY;
	h->read.address = 0;
	if (d && !device_first_read(d, &h->read.function, &h->read.address))
		return;
	for (unsigned unit = 0; unit <= UINT8_MAX; unit++) {
		d = device_at_unit(devices, h->line, unit, 0);
		if (d && !device_first_read(d, &h->read.function, &h->read.address))
			return;
	}
}

int command_bus_probe(struct control *control, struct control_reply *reply, struct error *err)
{
	struct hand *h = new_hand(control, reply, err);

	reply->is_quiet = 1;
	if (!h)
		return err->code;
	h->read.unit = (uint8_t)control_int(reply, "unit", 0);
	choose_probe(control, h);
	h->read.function = (uint8_t)control_int(reply, "function", h->read.function);
	h->read.address = (uint16_t)control_int(reply, "address", h->read.address);
	h->read.count = 1;
	h->read.period_ms = PROBE_TURN_MS;
	h->read.timeout_ms = (uint32_t)control_int(reply, "timeout_ms", 0);
	int result = bus_may(control, h->line, h->read.unit, 0, h->read.address, 1, err);
	if (!result)
		result = ask(h, &h->read, NULL, on_read, err);
	return wait_for(reply, h, result);
}

/* Write: look, write, look ---------------------------------------------------------------------------------------------- */

static void as_text(const uint16_t *words, unsigned count, char out[AUDIT_TEXT])
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < count && n + 6 < AUDIT_TEXT; i++)
		n += (size_t)snprintf(out + n, AUDIT_TEXT - n, "%s0x%04X", i ? " " : "", words[i]);
}

static void how_it_ended(const struct hand *h, char *out, size_t size)
{
	if (h->written.status == BUS_EXCEPTION)
		(void)snprintf(out, size, "exception %u", h->written.exception);
	else
		(void)snprintf(out, size, "%s",
			       h->written.status == BUS_OK ? "done"
							   : bus_status_name((enum bus_status)h->written.status));
}

static void end_write(struct hand *h)
{
	struct control_reply *reply = h->reply;
	char how[80];

	how_it_ended(h, how, sizeof(how));
	if (h->audit)
		(void)audit_finish(h->control->sources.store, h->audit, h->before, h->after, how, NULL);
	/* That the question was answered is not what the log is to say. */
	reply->is_quiet = 1;
	log_notice("control: %s: %s", reply->what, how);
	struct maker m = {.arena = &reply->arena};
	struct value *o = value_object(m.arena);
	maker_int(&m, o, "unit", h->write.unit);
	maker_int(&m, o, "function", h->write.function);
	maker_int(&m, o, "address", h->write.address);
	put_answer(&m, o, &h->written);
	put_words(&m, o, "words", h->write.words, h->write.count);
	if (h->has_before)
		put_words(&m, o, "before", h->before_words, h->write.count);
	if (h->has_after)
		put_words(&m, o, "after", h->after_words, h->write.count);
	maker_flag(&m, o, "audited", h->audit != 0);
	reply->result = m.failed ? NULL : o;
	control_finish(reply, FC_OK, "");
	free(h);
}

static void on_after(void *user, const struct bus_result *r)
{
	struct hand *h = user;

	if (!h->reply) {
		free(h);
		return;
	}
	if (r->status == BUS_OK && r->count == h->write.count) {
		h->has_after = 1;
		memcpy(h->after_words, r->words, sizeof(uint16_t) * h->write.count);
		(void)veil(h, h->after_words);
		as_text(h->after_words, h->write.count, h->after);
	}
	end_write(h);
}

static void on_written(void *user, const struct bus_result *r)
{
	struct hand *h = user;

	if (!h->reply) {
		free(h);
		return;
	}
	h->written = *r;
	/* Also after a failure: a write without an answer may have arrived. */
	if (!h->look || ask(h, &h->read, NULL, on_after, &(struct error){0}))
		end_write(h);
}

/* The row is on the disk before the write is on the line. */
static int keep_audit(struct hand *h)
{
	const struct control_reply *reply = h->reply;
	struct audit_entry entry = {.at_wall = reply->at_wall};

	(void)snprintf(entry.who, sizeof(entry.who), "%s", reply->who);
	(void)snprintf(entry.command, sizeof(entry.command), "%s", reply->command->name);
	(void)snprintf(entry.arguments, sizeof(entry.arguments), "%s", reply->arguments_text);
	(void)snprintf(entry.before, sizeof(entry.before), "%s", h->before);
	return audit_add(h->control->sources.store, &entry, &h->audit, &(struct error){0});
}

static int begin_write(struct hand *h, struct error *err)
{
	if (keep_audit(h))
		return error_set(err, FC_EIO, "the audit can't be written");
	int result = ask(h, NULL, &h->write, on_written, err);
	if (result)
		(void)audit_finish(h->control->sources.store, h->audit, h->before, "", err->text, NULL);
	return result;
}

static void on_before(void *user, const struct bus_result *r)
{
	struct hand *h = user;
	struct error err = {0};

	if (h->reply && r->status == BUS_OK && r->count == h->write.count) {
		h->has_before = 1;
		memcpy(h->before_words, r->words, sizeof(uint16_t) * h->write.count);
		(void)veil(h, h->before_words);
		as_text(h->before_words, h->write.count, h->before);
	}
	if (!h->reply) {
		free(h);
	} else if (begin_write(h, &err)) {
		control_finish(h->reply, err.code, err.text);
		free(h);
	}
}

/* "1,0x10,-5": words; for coils 0 and not 0. How many; 0 when it is no such list. */
static unsigned read_words(const char *text, uint16_t words[BUS_WRITE_WORDS_MAX])
{
	unsigned n = 0;
	char *end;

	for (const char *at = text; n < BUS_WRITE_WORDS_MAX; at = end + 1) {
		if (!strchr("-0123456789", *at))
			return 0;
		long i = strtol(at, &end, 0);
		if (end == at || i < INT16_MIN || i > UINT16_MAX)
			return 0;
		words[n++] = (uint16_t)i;
		if (!*end)
			return n;
		if (*end != ',')
			return 0;
	}
	return 0;
}

static int prepare_write(struct control_reply *reply, struct hand *h, struct error *err)
{
	struct bus_write *w = &h->write;

	*w = (struct bus_write){.unit = (uint8_t)control_int(reply, "unit", 0),
				.function = (uint8_t)control_int(reply, "function", 0),
				.address = (uint16_t)control_int(reply, "address", 0),
				.deadline_ms = TURN_MS};
	int coils = w->function == 5 || w->function == 15, many = w->function == 15 || w->function == 16;
	if (!coils && !many && w->function != 6)
		return error_set(err, FC_EINVAL, "function: 5, 6, 15 or 16 writes");
	w->count = (uint16_t)read_words(control_text(reply, "values"), w->words);
	if (!w->count || (!many && w->count > 1))
		return error_set(err, FC_EINVAL, "values: %s of -32768 to 65535, with commas between them",
				 many ? "1 to 16 numbers" : "one number");
	h->read = (struct bus_read){.unit = w->unit,
				    .function = coils ? READ_ONE : READ_MANY,
				    .address = w->address,
				    .count = w->count,
				    .period_ms = TURN_MS};
	return FC_OK;
}

int command_bus_write(struct control *control, struct control_reply *reply, struct error *err)
{
	struct hand *h = new_hand(control, reply, err);

	if (!h)
		return err->code;
	int result = prepare_write(reply, h, err);
	if (!result && !control_flag(reply, "force"))
		result = bus_may(control, h->line, h->write.unit, 1, h->write.address, h->write.count, err);
	if (!result) {
		h->look =
		    !bus_may(control, h->line, h->write.unit, 0, h->write.address, h->write.count, &(struct error){0});
		result = h->look ? ask(h, &h->read, NULL, on_before, err) : begin_write(h, err);
		reply->has_audit = h->audit != 0 || !result;
	}
	return wait_for(reply, h, result);
}
