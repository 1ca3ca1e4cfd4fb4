/* Answers of every framing, in whatever pieces they come, after a request that is under way: Modbus/TCP, RTU, ASCII, DL/T 645.
 *
 * Checksums are made here, by code of this file alone, so that the fuzzer's bytes are frames and not noise. The first bytes are the
 * request; then come pieces, each with a byte that says what it is: bytes as they are, a PDU in a good frame, the same cut or
 * changed, the very answer, an echo, a pause. */
#include "bus/bus.h"
#include "bus/dlt645.h"
#include "bus/framing.h"
#include "bus/pdu.h"
#include "bytes.h"

enum { STREAM = 4096, ADU = 600, PIECES = 64, STATION = 6, SHORTEST = 3 };
enum piece { RAW, FRAME, OTHER_UNIT, CHANGED, CUT, ANSWER, ECHO, PAUSE, KINDS };

static uint8_t *edge; /* FRAMING_BUFFER bytes */
static const struct framing *const framings[] = {&framing_tcp, &framing_rtu, &framing_ascii, &framing_dlt645};

struct line {
	const struct framing *framing;
	struct framing_request request;
	struct bus_read read;
	uint8_t pdu[FRAMING_PDU_MAX], adu[FRAMING_ADU_MAX];
	uint8_t buffer[FRAMING_BUFFER];
	size_t len;
	int answers, broken;
	size_t taken;
};

/* Frames, made by the standards' words --------------------------------------------------------------------------------- */

/* Bit by bit, as in the standard's appendix; the gateway's goes by a table. */
static uint16_t slow_crc(const uint8_t *bytes, size_t len)
{
	uint16_t crc = 0xFFFF;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
	}
	return crc;
}

static size_t put_hex(uint8_t *out, unsigned byte)
{
	out[0] = (uint8_t) "0123456789ABCDEF"[byte >> 4 & 15];
	out[1] = (uint8_t) "0123456789ABCDEF"[byte & 15];
	return 2;
}

static size_t put_ascii(uint8_t unit, const uint8_t *pdu, size_t len, uint8_t *out)
{
	unsigned sum = unit;
	size_t n = 0;

	out[n++] = ':';
	n += put_hex(out + n, unit);
	for (size_t i = 0; i < len; i++) {
		n += put_hex(out + n, pdu[i]);
		sum += pdu[i];
	}
	n += put_hex(out + n, 0u - sum);
	out[n++] = '\r';
	out[n++] = '\n';
	return n;
}

/* Control byte and data as meant. */
static size_t put_meter(const uint8_t *station, const uint8_t *bytes, size_t len, uint8_t *out)
{
	unsigned sum = 0;
	size_t data = len ? len - 1 : 0, n = 0;

	data = data > DLT645_DATA_MAX ? DLT645_DATA_MAX : data;
	out[n++] = 0x68;
	memcpy(out + n, station, STATION);
	n += STATION;
	out[n++] = 0x68;
	out[n++] = len ? bytes[0] : 0x91;
	out[n++] = (uint8_t)data;
	for (size_t i = 0; i < data; i++)
		out[n++] = (uint8_t)(bytes[1 + i] + 0x33);
	for (size_t i = 0; i < n; i++)
		sum += out[i];
	out[n++] = (uint8_t)sum;
	out[n++] = 0x16;
	return n;
}

static size_t put_frame(const struct line *l, int other, const uint8_t *pdu, size_t len, uint8_t out[ADU])
{
	uint8_t unit = (uint8_t)(l->request.unit + other);
	uint16_t transaction = (uint16_t)(l->request.transaction + other);

	len = len > FRAMING_PDU_MAX ? FRAMING_PDU_MAX : len;
	if (l->framing == &framing_dlt645) {
		uint8_t station[STATION];

		memcpy(station, l->request.meter, STATION);
		station[0] = (uint8_t)(station[0] + other);
		return put_meter(station, pdu, len, out);
	}
	if (l->framing == &framing_ascii)
		return put_ascii(unit, pdu, len, out);
	if (l->framing == &framing_tcp) {
		const uint8_t head[7] = {(uint8_t)(transaction >> 8), (uint8_t)transaction, 0,   0,
					 (uint8_t)((len + 1) >> 8),   (uint8_t)(len + 1),   unit};

		memcpy(out, head, sizeof(head));
		memcpy(out + sizeof(head), pdu, len);
		return sizeof(head) + len;
	}
	out[0] = unit;
	memcpy(out + 1, pdu, len);
	uint16_t crc = slow_crc(out, 1 + len);
	fuzz_check(crc == framing_crc(out, 1 + len));
	out[1 + len] = (uint8_t)crc;
	out[2 + len] = (uint8_t)(crc >> 8);
	return len + 3;
}

/* The request ------------------------------------------------------------------------------------------------------- */

static void ask(struct line *l, struct fuzz_input *b)
{
	static const uint8_t functions[] = {1, 2, 3, 4, 5, 6, 15, 16};
	uint8_t flags = take_u8(b);
	struct bus_write write = {0};

	l->framing = framings[flags & 3];
	l->request.any_unit = flags >> 2 & 1;
	l->request.longer = flags >> 3 & 1;
	l->request.echo = flags >> 4 & 1;
	l->request.transaction = take_u16(b);
	l->request.unit = take_u8(b);
	l->request.identifier = take_u32(b);
	uint8_t function = functions[take_u8(b) & (l->framing == &framing_dlt645 ? 2 : 7)];
	function = l->framing == &framing_dlt645 ? 3 : function;
	uint16_t address = take_u16(b), count = (uint16_t)(1 + take_u8(b) % BUS_WRITE_WORDS_MAX);
	if (function <= 4) {
		count = (uint16_t)(1 + take_u8(b) % BUS_WORDS_MAX);
		l->read = (struct bus_read){.function = function, .address = address, .count = count};
		l->request.pdu_len = pdu_of_read(&l->read, l->pdu);
	} else {
		write = (struct bus_write){
		    .function = function, .address = address, .count = function < 15 ? (uint16_t)1 : count};
		for (int i = 0; i < write.count; i++)
			write.words[i] = take_u16(b);
		l->request.pdu_len = pdu_of_write(&write, l->pdu);
	}
	fuzz_check(l->request.pdu_len >= 5 && l->request.pdu_len <= FRAMING_PDU_MAX);
	fuzz_check(framing_request_len(l->pdu, l->request.pdu_len) == (int)l->request.pdu_len);
	l->request.pdu = l->pdu;
}

/* What the gateway sends is what the standards say. */
static void send_it(struct line *l)
{
	uint8_t expected[ADU];
	size_t len;

	l->request.adu_len = l->framing->build(&l->request, l->adu);
	l->request.adu = l->adu;
	fuzz_check(l->request.adu_len && l->request.adu_len <= sizeof(l->adu));
	if (l->framing == &framing_dlt645) {
		const uint8_t data[] = {DLT645_READ, (uint8_t)l->request.identifier,
					(uint8_t)(l->request.identifier >> 8), (uint8_t)(l->request.identifier >> 16),
					(uint8_t)(l->request.identifier >> 24)};

		len = put_frame(l, 0, data, sizeof(data), expected);
		fuzz_check(l->request.adu_len == len + DLT645_WAKE && !memcmp(l->adu + DLT645_WAKE, expected, len));
		return;
	}
	len = put_frame(l, 0, l->pdu, l->request.pdu_len, expected);
	fuzz_check(len == l->request.adu_len && !memcmp(l->adu, expected, len));
}

/* The very answer, of the fuzzer's values. */
static size_t put_answer(struct line *l, struct fuzz_input *b, uint8_t out[ADU])
{
	uint8_t pdu[FRAMING_PDU_MAX] = {0};
	size_t len = 5;

	if (l->framing == &framing_dlt645) {
		uint8_t data[1 + DLT645_DATA_MAX] = {DLT645_READ | DLT645_ANSWER};

		for (int i = 0; i < 4; i++)
			data[1 + i] = (uint8_t)(l->request.identifier >> 8 * i);
		len = 2u * l->read.count;
		len = len > DLT645_DATA_MAX - 4 ? DLT645_DATA_MAX - 4 : len;
		take_into(b, data + 5, len);
		return put_frame(l, 0, data, 5 + len, out);
	}
	memcpy(pdu, l->pdu, 5);
	if (pdu[0] <= 4) {
		pdu[1] = (uint8_t)(pdu[0] <= 2 ? (l->read.count + 7) / 8 : 2 * l->read.count);
		len = 2u + pdu[1];
		take_into(b, pdu + 2, pdu[1]);
	}
	return put_frame(l, 0, pdu, len, out);
}

/* What comes back --------------------------------------------------------------------------------------------------- */

static void look_at_words(const struct line *l, const struct framing_step *s)
{
	uint16_t words[BUS_WORDS_MAX] = {0};

	if (!l->read.count || s->pdu[0] & 0x80)
		return;
	pdu_take_words(&l->read, s->pdu, words);
	for (int i = 0; i < l->read.count; i++)
		fuzz_check(l->read.function <= 2 ? words[i] <= 1
						 : words[i] == (s->pdu[2 + 2 * i] << 8 | s->pdu[3 + 2 * i]));
}

/* As exchange.c does; nothing more can be said when it returns. */
static void take(struct line *l, int silent)
{
	struct framing_step s;

	while (!l->broken) {
		/* At the end of its memory: a read behind what has come is seen. */
		uint8_t *bytes = edge + FRAMING_BUFFER - l->len;

		memcpy(bytes, l->buffer, l->len);
		memset(&s, 0xA5, sizeof(s));
		l->framing->take(&l->request, bytes, l->len, silent, &s);
		fuzz_check(s.used <= l->len && framing_why_name(s.why)[0]);
		fuzz_check(!s.used == (s.verdict == FRAMING_MORE));
		if (s.verdict == FRAMING_MORE) {
			fuzz_check(l->len < FRAMING_BUFFER);
			fuzz_check(!silent || !l->len || l->framing == &framing_tcp);
			return;
		}
		fuzz_check(s.skipped <= s.used && (s.why == FRAMING_FITS) == (s.verdict == FRAMING_ANSWER));
		fuzz_check(s.verdict != FRAMING_BROKEN || l->framing == &framing_tcp);
		fuzz_check(s.verdict != FRAMING_WRONG || l->framing == &framing_tcp);
		if (s.verdict == FRAMING_ANSWER) {
			fuzz_check(s.pdu_len >= 2 && s.pdu_len <= FRAMING_PDU_MAX && s.used - s.skipped > s.pdu_len);
			fuzz_check(l->request.longer || framing_fits(&l->request, s.pdu, s.pdu_len) == FRAMING_FITS);
			look_at_words(l, &s);
			l->answers++;
		}
		l->broken = s.verdict == FRAMING_BROKEN;
		l->taken += s.used;
		l->len -= s.used;
		memmove(l->buffer, l->buffer + s.used, l->len);
	}
}

/* In pieces of that size; 0: as much as there is room for. */
static void bring(struct line *l, const uint8_t *bytes, size_t len, size_t piece)
{
	while (len && !l->broken) {
		size_t n = piece && piece < len ? piece : len;

		n = n < sizeof(l->buffer) - l->len ? n : sizeof(l->buffer) - l->len;
		memcpy(l->buffer + l->len, bytes, n);
		l->len += n;
		bytes += n;
		len -= n;
		take(l, 0);
	}
}

static size_t one_piece(struct line *l, enum piece kind, struct fuzz_input *b, uint8_t out[ADU])
{
	size_t want = take_u8(b), at, got;
	const uint8_t *bytes;

	if (kind == ANSWER)
		return put_answer(l, b, out);
	if (kind == ECHO) {
		memcpy(out, l->adu, l->request.adu_len);
		return l->request.adu_len;
	}
	at = kind == CHANGED || kind == CUT ? take_u8(b) : 0;
	bytes = fuzz_bytes(b, want, &got);
	if (kind == RAW) {
		memcpy(out, bytes, got);
		return got;
	}
	size_t len = put_frame(l, kind == OTHER_UNIT, bytes, got, out);
	if (kind == CUT)
		return at % len;
	if (kind == CHANGED)
		out[at % len] ^= (uint8_t)(1 + take_u8(b));
	return len;
}

/* An answer that comes when nothing else has come is taken, and for what it is; so is the last one behind a pause. */
static void answer_now(struct line *l, struct fuzz_input *b)
{
	uint8_t adu[ADU];
	size_t len;
	int before;

	take(l, 1);
	if (l->broken || l->len)
		return;
	before = l->answers;
	len = put_answer(l, b, adu);
	bring(l, adu, len, 1 + take_u8(b));
	take(l, 1);
	/* As an echo it may be meant, where the option says so; of a meter's long value only so much travels. */
	int is_echo = l->request.echo && len == l->request.adu_len && !memcmp(adu, l->adu, len);
	int is_long = l->framing == &framing_dlt645 && 2 * l->read.count > DLT645_DATA_MAX - 4;
	/* One byte of an RTU answer may begin a whole frame of another by accident: then there is none that fits. */
	fuzz_check(is_echo || is_long || l->framing == &framing_rtu || l->answers == before + 1);
}

static void meter_number(struct fuzz_input *b)
{
	char digits[13], again[13];
	uint8_t station[STATION], back[STATION];

	take_into(b, station, sizeof(station));
	dlt645_print_station(station, digits);
	fuzz_check(strlen(digits) == 12);
	if (strchr(digits, '?'))
		return;
	fuzz_check(!dlt645_parse_station(digits, back) && !memcmp(station, back, STATION));
	dlt645_print_station(back, again);
	fuzz_check(!strcmp(digits, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input b = {.data = data, .left = size};
	struct line line = {0}, whole;
	uint8_t meter[STATION], adu[ADU], stream[STREAM];
	size_t len = 0;

	if (size < SHORTEST)
		return -1;
	if (!edge)
		edge = copy_of(line.buffer, sizeof(line.buffer), 0);
	take_into(&b, meter, sizeof(meter));
	line.request.meter = meter;
	ask(&line, &b);
	send_it(&line);
	whole = line;
	whole.request.adu = whole.adu;
	whole.request.pdu = whole.pdu;
	for (int i = 0; i < PIECES && b.left; i++) {
		uint8_t what = take_u8(&b);
		enum piece kind = what % KINDS;

		if (kind == PAUSE) {
			take(&line, 1);
			continue;
		}
		size_t n = one_piece(&line, kind, &b, adu);
		bring(&line, adu, n, what / KINDS);
		if (len + n > sizeof(stream))
			break;
		memcpy(stream + len, adu, n);
		len += n;
	}
	/* Where frames say their own length, the pieces do not matter. */
	if (line.framing == &framing_tcp) {
		bring(&whole, stream, len, 0);
		fuzz_check(whole.broken == line.broken && (line.broken || whole.len == line.len));
		fuzz_check(whole.answers == line.answers);
	}
	answer_now(&line, &b);
	meter_number(&b);
	return 0;
}
