#include "cli/frame.h"

#include <stdio.h>
#include <string.h>

static const uint32_t extended = 0x80000000, remote = 0x40000000, error_frame = 0x20000000;

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int read_bytes(const char *hex, struct frame *f)
{
	size_t len = strlen(hex);

	if (len % 2 || len / 2 > sizeof(f->bytes))
		return -1;
	f->len = (uint16_t)(len / 2);
	for (size_t i = 0; i < len / 2; i++) {
		if (digit_of(hex[2 * i]) < 0 || digit_of(hex[2 * i + 1]) < 0)
			return -1;
		f->bytes[i] = (uint8_t)(digit_of(hex[2 * i]) << 4 | digit_of(hex[2 * i + 1]));
	}
	return 0;
}

static int read_kind(const char *name, enum trace_kind *kind)
{
	for (int i = TRACE_TCP; i <= TRACE_CAN; i++)
		if (!strcmp(name, trace_kind_name((enum trace_kind)i))) {
			*kind = (enum trace_kind)i;
			return 0;
		}
	return -1;
}

static int flag_of(const char *name)
{
	static const struct {
		const char *name;
		int flag;
	} names[] = {{"sent", TRACE_SENT}, {"thrown", TRACE_THROWN}, {"echo", TRACE_ECHO}, {"cut", TRACE_CUT}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i].name))
			return names[i].flag;
	return 0;
}

int frame_read(const struct value *o, struct frame *f)
{
	*f = (struct frame){.number = (uint64_t)cli_int(o, "number"),
			    .wall_us = cli_int(o, "wall_us"),
			    .mono_us = cli_int(o, "mono_us"),
			    .id = (uint32_t)cli_int(o, "id")};
	(void)snprintf(f->line, sizeof(f->line), "%s", cli_text(o, "line"));
	value_each (flag, value_get(o, "flags"))
		f->flags |= value_text(flag) ? flag_of(value_text(flag)) : 0;
	return read_kind(cli_text(o, "kind"), &f->kind) || read_bytes(cli_text(o, "data"), f) ? -1 : 0;
}

/* Modbus --------------------------------------------------------------------------------------------------------------- */

static const char *function_name(unsigned function)
{
	switch (function) {
	case 1:
		return "read coils";
	case 2:
		return "read discrete inputs";
	case 3:
		return "read holding registers";
	case 4:
		return "read input registers";
	case 5:
		return "write coil";
	case 6:
		return "write register";
	case 15:
		return "write coils";
	case 16:
		return "write registers";
	case 43:
		return "read identification";
	}
	return "function";
}

const char *frame_exception(unsigned code)
{
	static const char *const names[] = {NULL,
					    "function not known",
					    "no such register",
					    "value not allowed",
					    "device failure",
					    "acknowledged",
					    "busy",
					    "negative acknowledge",
					    "parity error in memory",
					    NULL,
					    "gateway has no path",
					    "gateway's target is silent"};

	return code < sizeof(names) / sizeof(names[0]) && names[code] ? names[code] : "code not known";
}

static unsigned word_at(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

/* The unit, then the PDU, without what the framing adds; their length. */
static size_t open_frame(const struct frame *f, uint8_t out[TRACE_BYTES_MAX])
{
	size_t n = 0;

	switch (f->kind) {
	case TRACE_TCP:
		n = f->len > 6 ? f->len - 6u : 0;
		memcpy(out, f->bytes + f->len - n, n);
		return n;
	case TRACE_RTU:
		n = f->len > 2 ? f->len - 2u : 0;
		memcpy(out, f->bytes, n);
		return n;
	case TRACE_ASCII:
		for (size_t i = 1; i + 1 < f->len; i += 2) {
			int high = digit_of((char)f->bytes[i]), low = digit_of((char)f->bytes[i + 1]);

			if (high < 0 || low < 0)
				break;
			out[n++] = (uint8_t)(high << 4 | low);
		}
		return n ? n - 1 : 0;
	case TRACE_DLT645:
	case TRACE_CAN:
		return 0;
	}
	return 0;
}

static void explain_request(const struct cli *cli, const uint8_t *pdu, size_t len, char *out, size_t size)
{
	if (len >= 5 && (pdu[0] == 5 || pdu[0] == 6))
		(void)snprintf(out, size, "%s %u = %u", say(cli, function_name(pdu[0])), word_at(pdu + 1),
			       word_at(pdu + 3));
	else if (len >= 5 && function_name(pdu[0]) != function_name(0) && pdu[0] != 43)
		(void)snprintf(out, size, "%s %u, %u", say(cli, function_name(pdu[0])), word_at(pdu + 1),
			       word_at(pdu + 3));
	else
		(void)snprintf(out, size, "%s %u", say(cli, function_name(pdu[0])), pdu[0]);
}

static void explain_answer(const struct cli *cli, const uint8_t *pdu, size_t len, char *out, size_t size)
{
	if (pdu[0] & 0x80 && len >= 2)
		(void)snprintf(out, size, "%s %u: %s", say(cli, "exception"), pdu[1],
			       say(cli, frame_exception(pdu[1])));
	else if ((pdu[0] == 3 || pdu[0] == 4) && len >= 2)
		(void)snprintf(out, size, "%s: %u %s", say(cli, "answer"), pdu[1] / 2u, say(cli, "registers"));
	else
		(void)snprintf(out, size, "%s: %s %u", say(cli, "answer"), say(cli, function_name(pdu[0])), pdu[0]);
}

static void explain_modbus(const struct cli *cli, const struct frame *f, char out[FRAME_MEANING])
{
	uint8_t adu[TRACE_BYTES_MAX];
	size_t len = open_frame(f, adu);
	char what[FRAME_MEANING / 2] = "";

	if (len < 2 || (f->flags & TRACE_THROWN)) {
		(void)snprintf(out, FRAME_MEANING, "%s", say(cli, f->flags & TRACE_THROWN ? "thrown away" : "torn"));
		return;
	}
	if (f->flags & (TRACE_SENT | TRACE_ECHO))
		explain_request(cli, adu + 1, len - 1, what, sizeof(what));
	else
		explain_answer(cli, adu + 1, len - 1, what, sizeof(what));
	(void)snprintf(out, FRAME_MEANING, "%s %u: %s%s%s", say(cli, "bus unit"), adu[0], what,
		       f->flags & TRACE_ECHO ? ", " : "", f->flags & TRACE_ECHO ? say(cli, "echo") : "");
}

/* CAN ------------------------------------------------------------------------------------------------------------------ */

/* GB/T 27930 (chargers.md 2.2): between charger (0x56) and vehicle (0xF4). */
static const char *gbt_name(uint32_t id)
{
	static const struct {
		uint8_t pf;
		const char *name;
	} names[] = {{0x26, "CHM"}, {0x27, "BHM"}, {0x01, "CRM"}, {0x02, "BRM"}, {0x06, "BCP"},   {0x07, "CTS"},
		     {0x08, "CML"}, {0x09, "BRO"}, {0x0A, "CRO"}, {0x10, "BCL"}, {0x11, "BCS"},   {0x12, "CCS"},
		     {0x13, "BSM"}, {0x15, "BMV"}, {0x16, "BMT"}, {0x17, "BSP"}, {0x19, "BST"},   {0x1A, "CST"},
		     {0x1C, "BSD"}, {0x1D, "CSD"}, {0x1E, "BEM"}, {0x1F, "CEM"}, {0xEC, "TP.CM"}, {0xEB, "TP.DT"}};
	uint32_t pair = id & 0xFFFF;

	for (size_t i = 0; (pair == 0x56F4 || pair == 0xF456) && i < sizeof(names) / sizeof(names[0]); i++)
		if ((id >> 16 & 0xFF) == names[i].pf)
			return names[i].name;
	return "";
}

void frame_id(const struct frame *f, char out[16])
{
	if (f->id & error_frame)
		(void)snprintf(out, 16, "error %X", f->id & 0x1FFFFFFF);
	else
		(void)snprintf(out, 16, f->id & extended ? "%08X" : "%03X", f->id & 0x1FFFFFFF);
}

void frame_explain(const struct cli *cli, const struct frame *f, char out[FRAME_MEANING])
{
	out[0] = '\0';
	switch (f->kind) {
	case TRACE_TCP:
	case TRACE_RTU:
	case TRACE_ASCII:
		explain_modbus(cli, f, out);
		return;
	case TRACE_CAN:
		if (f->id & error_frame)
			(void)snprintf(out, FRAME_MEANING, "%s", say(cli, "error frame"));
		else if (f->id & remote)
			(void)snprintf(out, FRAME_MEANING, "%s", say(cli, "remote frame"));
		else if (f->id & extended)
			(void)snprintf(out, FRAME_MEANING, "%s", gbt_name(f->id));
		return;
	case TRACE_DLT645:
		(void)snprintf(out, FRAME_MEANING, "%s", say(cli, f->flags & TRACE_THROWN ? "thrown away" : "meter"));
		return;
	}
}
