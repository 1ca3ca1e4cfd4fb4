#include "bus/can_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "bus/can_port.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static const char *skip_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

static int at_end(const char *at)
{
	return *at == '\0' || *at == '\n' || *at == '\r';
}

/* 3 digits are a standard identifier, 8 an extended one or an error frame. */
static int parse_id(const char **text, struct can_frame *frame, struct error *err)
{
	const char *at = *text;
	uint32_t id = 0;
	int digits = 0;

	for (; digits < 9 && digit(at[digits]) >= 0; digits++)
		id = id << 4 | (uint32_t)digit(at[digits]);
	if (digits != 3 && digits != 8)
		return error_set(err, FC_EINVAL, "an identifier has 3 or 8 hexadecimal digits");
	*text = at + digits;
	if (digits == 3) {
		if (id > CAN_ID_STANDARD_MAX)
			return error_set(err, FC_EINVAL, "identifier %03X is over 7FF", id);
	} else if (id & CAN_WIRE_ERROR) {
		frame->error = 1;
		id &= CAN_ID_EXTENDED_MAX;
	} else {
		/* candump prints the bit of an extended frame in no log, other programs do. */
		id &= ~CAN_WIRE_EXTENDED;
		if (id > CAN_ID_EXTENDED_MAX)
			return error_set(err, FC_EINVAL, "identifier %08X is over 1FFFFFFF", id);
		frame->extended = 1;
	}
	frame->id = id;
	return FC_OK;
}

static int parse_byte(const char **text, struct can_frame *frame, struct error *err)
{
	const char *at = *text;
	int high = digit(at[0]), low = high < 0 ? -1 : digit(at[1]);

	if (low < 0)
		return error_set(err, FC_EINVAL, "a byte has two hexadecimal digits");
	if (frame->len == CAN_DATA_MAX)
		return error_set(err, FC_EINVAL, "over 8 bytes");
	frame->data[frame->len++] = (uint8_t)(high << 4 | low);
	*text = at + 2;
	return FC_OK;
}

/* From the identifier on, as in a log; *text is then behind the frame. */
static int parse_compact(const char **text, struct can_frame *frame, struct error *err)
{
	int result = parse_id(text, frame, err);
	const char *at = *text;

	if (result)
		return result;
	if (*at++ != '#')
		return error_set(err, FC_EINVAL, "no # behind the identifier");
	if (*at == '#')
		return error_set(err, FC_EINVAL, "a CAN FD frame (##): classic CAN only");
	if (*at == 'R' || *at == 'r') {
		if (frame->error)
			return error_set(err, FC_EINVAL, "an error frame asks for nothing");
		frame->remote = 1;
		if (digit(*++at) >= 0) {
			if (digit(*at) > CAN_DATA_MAX)
				return error_set(err, FC_EINVAL, "over 8 bytes");
			frame->len = (uint8_t)digit(*at++);
		}
		*text = at;
		return FC_OK;
	}
	while (!at_end(at) && *at != ' ' && *at != '\t' && *at != '_') {
		if (*at == '.' && frame->len)
			at++;
		result = parse_byte(&at, frame, err);
		if (result)
			return result;
	}
	/* "_9" to "_F": a length code over 8, which means 8 bytes too. */
	if (*at == '_' && frame->len == CAN_DATA_MAX && digit(at[1]) > CAN_DATA_MAX)
		at += 2;
	*text = at;
	return FC_OK;
}

/* From the length on, as on a screen: "[3]  01 01 00", "[4]  remote request", "[8]  20 00 ...   ERRORFRAME". */
static int parse_screen(const char *at, struct can_frame *frame, struct error *err)
{
	int length = at[0] == '[' ? digit(at[1]) : -1;

	if (length < 0 || at[2] != ']')
		return error_set(err, FC_EINVAL, "no length like [8] behind the identifier");
	if (length > CAN_DATA_MAX)
		return error_set(err, FC_EINVAL, "over 8 bytes");
	at = skip_blanks(at + 3);
	if (!strncmp(at, "remote request", strlen("remote request"))) {
		if (frame->error)
			return error_set(err, FC_EINVAL, "an error frame asks for nothing");
		frame->remote = 1;
		frame->len = (uint8_t)length;
		return FC_OK;
	}
	while (frame->len < length) {
		int result = parse_byte(&at, frame, err);

		if (result)
			return result;
		if (!at_end(at) && *at != ' ')
			return error_set(err, FC_EINVAL, "a byte has two hexadecimal digits");
		at = skip_blanks(at);
	}
	/* What follows is for the eye: the bytes as characters, words of an error. */
	if (digit(at[0]) >= 0 && digit(at[1]) >= 0 && (at_end(at + 2) || at[2] == ' '))
		return error_set(err, FC_EINVAL, "more bytes than [%d]", length);
	return FC_OK;
}

int can_frame_parse(const char *text, struct can_frame *frame, struct error *err)
{
	memset(frame, 0, sizeof(*frame));
	int result = parse_compact(&text, frame, err);

	if (!result && *text)
		return error_set(err, FC_EINVAL, "more text behind the frame");
	return result;
}

const char *can_frame_format(const struct can_frame *frame, char out[CAN_TEXT_SIZE])
{
	uint32_t id = frame->id | (frame->error ? CAN_WIRE_ERROR : 0);
	int n = snprintf(out, CAN_TEXT_SIZE, frame->extended || frame->error ? "%08X#" : "%03X#", (unsigned)id);

	if (frame->remote) {
		(void)snprintf(out + n, (size_t)(CAN_TEXT_SIZE - n), frame->len ? "R%u" : "R", (unsigned)frame->len);
		return out;
	}
	for (int i = 0; i < frame->len && i < CAN_DATA_MAX; i++)
		n += snprintf(out + n, (size_t)(CAN_TEXT_SIZE - n), "%02X", (unsigned)frame->data[i]);
	return out;
}

/* "(1436509052.249713)", seconds up to a year that a clock may show, one to nine digits behind the point. */
static int parse_time(const char **text, int64_t *us, struct error *err)
{
	const char *at = *text + 1;
	int64_t seconds = 0, unit = 1000000;
	int whole = 0, part = 0;

	for (; isdigit((unsigned char)*at) && whole < 12; at++, whole++)
		seconds = seconds * 10 + (*at - '0');
	*us = seconds * 1000000;
	if (*at == '.')
		for (at++; isdigit((unsigned char)*at) && part < 9; at++, part++) {
			unit /= 10;
			*us += unit * (*at - '0');
		}
	if (!whole || *at != ')')
		return error_set(err, FC_EINVAL, "a time is (SECONDS.MICROSECONDS)");
	*text = at + 1;
	return FC_OK;
}

int can_log_parse(const char *line, struct can_log_line *out, struct error *err)
{
	const char *at = skip_blanks(line);
	int result;

	memset(out, 0, sizeof(*out));
	if (at_end(at) || *at == '#')
		return FC_ENOENT;
	if (*at == '(') {
		result = parse_time(&at, &out->frame.wall_us, err);
		if (result)
			return result;
		out->timed = 1;
		at = skip_blanks(at);
	}
	size_t n = strcspn(at, " \t\r\n");

	if (n == 0 || n >= sizeof(out->interface))
		return error_set(err, FC_EINVAL, "an interface's name has 1 to 15 characters");
	memcpy(out->interface, at, n);
	at = skip_blanks(at + n);
	/* The direction, with candump -x. */
	if (!strncmp(at, "RX ", 3) || !strncmp(at, "TX ", 3)) {
		out->sent = at[0] == 'T';
		at = skip_blanks(at + 3);
		while ((at[0] == '-' || at[0] == 'B' || at[0] == 'E') && at[1] == ' ')
			at = skip_blanks(at + 2);
	}
	const char *id_end = at + strspn(at, "0123456789abcdefABCDEF");

	if (*id_end == ' ' || *id_end == '\t') {
		result = parse_id(&at, &out->frame, err);
		return result ? result : parse_screen(skip_blanks(at), &out->frame, err);
	}
	result = parse_compact(&at, &out->frame, err);
	if (result)
		return result;
	at = skip_blanks(at);
	if ((*at == 'T' || *at == 'R') && at_end(at + 1)) {
		out->sent = *at == 'T';
		at++;
	}
	return at_end(at) ? FC_OK : error_set(err, FC_EINVAL, "more text behind the frame");
}
