/* bus/framing: what is at the front of a buffer. Every frame of chargers.md 3.2 and of the issue threads that it was collected from
 * (table frames[]), every answer cut at every place, and the transport rows of chargers.md section 4 that are decided here. The
 * rows that need a line are in test_bus_rows.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus/framing.h"
#include "bus/pdu.h"

/* What we do with an answer. */
enum verdict {
	TAKEN,      /* it is the answer: the PDU expect */
	SAID_NO,    /* it is one, an exception: its code */
	WAITED_ON,  /* thrown away with the reason; expect is what is taken after it, if anything */
	REFUSED,    /* the answer to this request, but not what was asked for */
	NEVER_CAME, /* nothing to take */
};

struct frame_case {
	const char *reference, *what;
	const struct framing *framing;
	const char *request, *answer;
	enum verdict verdict;
	enum framing_why why;
	const char *expect; /* PDU */
};

/* chargers.md section 3.2 and the frames file beside it, each pair in its order. */
static const struct frame_case frames[] = {
    {"evcc-io/evcc#24812", "HYC200 connector 2 state", &framing_tcp, "013e00000006010400c80001",
     "013e000000050104020000", TAKEN, FRAMING_FITS, "04020000"},
    {"evcc-io/evcc#24812", "HYC200 connector 2 SoC", &framing_tcp, "013f00000006010400d00001", "013f000000050104020000",
     TAKEN, FRAMING_FITS, "04020000"},
    {"evcc-io/evcc#24812", "HYC200 connector 2 power limit", &framing_tcp, "014000000006010300c80002",
     "01400000000701030400024630", TAKEN, FRAMING_FITS, "030400024630"},
    {"evcc-io/evcc#24812", "HYC200 write limit 0", &framing_tcp, "01410000000b011000c800020400000000",
     "014100000006011000c80002", TAKEN, FRAMING_FITS, "1000c80002"},
    {"evcc-io/evcc#14890", "Delta time-out enable", &framing_rtu, "010300c900015434", "0103020000b844", TAKEN,
     FRAMING_FITS, "03020000"},
    {"evcc-io/evcc#14890", "Delta EVSE1 power", &framing_rtu, "010403ed0002e1ba", "01040400000000fb84", TAKEN,
     FRAMING_FITS, "040400000000"},
    {"evcc-io/evcc#14890", "Delta EVSE1 state", &framing_rtu, "010403e80001b1ba", "0104020003f931", TAKEN, FRAMING_FITS,
     "04020003"},
    {"evcc-io/evcc#14890", "Delta EVSE1 power limit", &framing_rtu, "010306400002c557", "01030400000564f888", TAKEN,
     FRAMING_FITS, "030400000564"},
    {"evcc-io/evcc#14890", "Delta EVSE1 RFID", &framing_rtu, "0104044c001430e2",
     "010428000000000000000000000000000000000000000000000000000000000000000000000000000000009556", TAKEN, FRAMING_FITS,
     "042800000000000000000000000000000000000000000000000000000000000000000000000000000000"},
    {"evcc-io/evcc#16866", "Heidelberg unit 1 standby (its request is not on record)", &framing_rtu,
     "011001020001020004b6b1", "011001020001a1f5", TAKEN, FRAMING_FITS, "1001020001"},
    {"evcc-io/evcc#16866", "Heidelberg unit 1 watchdog", &framing_rtu, "010301010001d436", "0103023a98ab4e", TAKEN,
     FRAMING_FITS, "03023a98"},
    {"evcc-io/evcc#16866", "Heidelberg unit 2 standby", &framing_rtu, "021001020001020004a241", "021001020001a1c6",
     TAKEN, FRAMING_FITS, "1001020001"},
    {"evcc-io/evcc#16866", "Heidelberg unit 2 watchdog: three bytes missing", &framing_rtu, "020301010001d405",
     "0203023a", WAITED_ON, FRAMING_DAMAGED, NULL},
    {"evcc-io/evcc#23133", "EM2GO write limit", &framing_tcp, "000100000009ff10005b000102003d",
     "000100000006ff10005b0001", TAKEN, FRAMING_FITS, "10005b0001"},
    {"evcc-io/evcc#23133", "EM2GO read back", &framing_tcp, "000200000006ff03005b0001", "000200000005ff0302003d", TAKEN,
     FRAMING_FITS, "0302003d"},
    {"evcc-io/evcc#32955", "Alfen power sum: no answer", &framing_tcp, "011200000006010301580002", "", NEVER_CAME,
     FRAMING_FITS, NULL},
    {"camueller/SmartApplianceEnabler#137", "KEBA answers four bytes for one register", &framing_tcp,
     "000100000006010303fc0001", "00010000000701030400000000", REFUSED, FRAMING_MISMATCH, NULL},
    {"things-go/go-modbus#12", "late answer to transaction 0x14", &framing_tcp, "001500000006010300000008",
     "0014000000130103100023094e000d000e000f001000000000", WAITED_ON, FRAMING_STALE, NULL},
    {"rossmann-engineering/EasyModbusTCP.NET#56", "two answers in one segment, the first is stale", &framing_tcp,
     "00100000000632030a8b0004", "000f000000133203103f73de373f7541b33f774c573f757a4500100000000b320308493113883a83126f",
     WAITED_ON, FRAMING_STALE, "0308493113883a83126f"},
    {"emelianov/modbus-esp8266#356", "the unit comes back as 255, exception 6", &framing_tcp,
     "00020000000601030000000a", "000200000003ff8306", WAITED_ON, FRAMING_FOREIGN, NULL},
    {"wills106/homeassistant-solax-modbus#1906", "gap register", &framing_tcp, "0001000000060103043a0001",
     "000100000003018302", SAID_NO, FRAMING_FITS, "8302"},
    {"wills106/homeassistant-solax-modbus#1906", "the same on the serial side", &framing_rtu, "0103043a0001a537",
     "018302c0f1", SAID_NO, FRAMING_FITS, "8302"},
    {"evcc-io/evcc#17712", "a proxy's socket broke", &framing_tcp, "001000000006010432d10002", "001000000003018404",
     SAID_NO, FRAMING_FITS, "8404"},
    {"stephane/libmodbus#606", "the transmitter was late: the head is lost", &framing_rtu, "010300000001840a",
     "02236e2098", WAITED_ON, FRAMING_NOISE, NULL},
};

static size_t from_hex(const char *text, uint8_t *out)
{
	size_t n = 0;

	for (; *text; text += 2) {
		unsigned byte;

		assert_int_equal(sscanf(text, "%2x", &byte), 1);
		out[n++] = (uint8_t)byte;
	}
	return n;
}

/* A request as it was on the wire, taken apart. */
struct asked {
	struct framing_request request;
	uint8_t adu[FRAMING_ADU_MAX], pdu[FRAMING_PDU_MAX];
};

static void ask(struct asked *a, const struct framing *framing, const char *hex)
{
	size_t len = from_hex(hex, a->adu), head = framing == &framing_tcp ? 7 : 1,
	       tail = framing == &framing_rtu ? 2 : 0;

	a->request = (struct framing_request){.unit = a->adu[head - 1], .pdu = a->pdu, .pdu_len = len - head - tail};
	a->request.adu = a->adu;
	a->request.adu_len = len;
	if (framing == &framing_tcp)
		a->request.transaction = (uint16_t)(a->adu[0] << 8 | a->adu[1]);
	memcpy(a->pdu, a->adu + head, a->request.pdu_len);
}

/* A receiver: bytes come in pieces, the framing is asked as exchange.c does it. */
struct receiver {
	const struct framing *framing;
	struct framing_request request;
	uint8_t bytes[FRAMING_BUFFER];
	size_t len;
	int dropped[FRAMING_ECHO + 1];
	size_t noise;
	struct framing_step answer; /* verdict MORE: none yet */
};

/* Nonzero when it is decided. */
static int look(struct receiver *r, int silent)
{
	struct framing_step step;

	for (;;) {
		r->framing->take(&r->request, r->bytes, r->len, silent, &step);
		if (step.verdict == FRAMING_MORE) {
			assert_int_equal(step.used, 0);
			return 0;
		}
		assert_true(step.used > 0 && step.used <= r->len && step.skipped <= step.used);
		r->noise += step.skipped + (step.why == FRAMING_NOISE ? step.used - step.skipped : 0);
		r->len -= step.used;
		memmove(r->bytes, r->bytes + step.used, r->len);
		if (step.verdict != FRAMING_DROP) {
			r->answer = step;
			return 1;
		}
		r->dropped[step.why]++;
		if (step.why == FRAMING_ECHO)
			r->request.echo = 0;
	}
}

static int feed(struct receiver *r, const uint8_t *bytes, size_t len)
{
	assert_true(r->len + len <= sizeof(r->bytes));
	memcpy(r->bytes + r->len, bytes, len);
	r->len += len;
	return look(r, 0);
}

static void check_case(const struct frame_case *c, const struct receiver *r)
{
	uint8_t expect[FRAMING_PDU_MAX];
	size_t len = c->expect ? from_hex(c->expect, expect) : 0;
	const struct framing_step *a = &r->answer;

	if (c->verdict == WAITED_ON && r->dropped[c->why] < 1)
		fail_msg("%s: %s: not noticed as %s", c->reference, c->what, framing_why_name(c->why));
	if (c->verdict == REFUSED) {
		assert_int_equal(a->verdict, FRAMING_WRONG);
		assert_int_equal(a->why, c->why);
	} else if (!c->expect) {
		if (a->verdict != FRAMING_MORE)
			fail_msg("%s: %s: taken", c->reference, c->what);
	} else if (a->verdict != FRAMING_ANSWER || a->pdu_len != len || memcmp(a->pdu, expect, len) != 0) {
		fail_msg("%s: %s: not taken", c->reference, c->what);
	}
	if (c->verdict == SAID_NO)
		assert_true(a->pdu[0] & 0x80 && a->pdu_len == 2);
}

/* cut: the answer comes in two pieces; 0 = in one. */
static void run_case(const struct frame_case *c, size_t cut)
{
	struct asked a;
	struct receiver r = {.framing = c->framing};
	uint8_t answer[FRAMING_BUFFER];
	size_t len = from_hex(c->answer, answer);

	ask(&a, c->framing, c->request);
	r.request = a.request;
	if (!feed(&r, answer, cut) && !feed(&r, answer + cut, len - cut))
		(void)look(&r, 1);
	check_case(c, &r);
}

static void every_frame_of_the_issues(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		run_case(&frames[i], 0);
}

/* Row 8 and row 17: where a read ends says nothing. */
static void row_08_and_17_every_answer_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		for (size_t cut = 0; cut <= strlen(frames[i].answer) / 2; cut++)
			run_case(&frames[i], cut);
}

static void every_answer_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		const struct frame_case *c = &frames[i];
		struct asked a;
		struct receiver r = {.framing = c->framing};
		uint8_t answer[FRAMING_BUFFER];
		size_t len = from_hex(c->answer, answer);
		int decided = 0;

		ask(&a, c->framing, c->request);
		r.request = a.request;
		for (size_t k = 0; k < len && !decided; k++)
			decided = feed(&r, answer + k, 1);
		if (!decided)
			(void)look(&r, 1);
		check_case(c, &r);
	}
}

/* The request's bytes are ours too: what we build is what was on the wire there. */
static void requests_are_built_as_they_were_seen(void **state)
{
	uint8_t out[FRAMING_ADU_MAX];
	struct asked a;

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		ask(&a, frames[i].framing, frames[i].request);
		size_t len = frames[i].framing->build(&a.request, out);
		if (len != a.request.adu_len || memcmp(out, a.adu, len) != 0)
			fail_msg("%s: %s: built otherwise", frames[i].reference, frames[i].what);
	}
}

/* --- all framings, over and over --- */

static const struct framing *const framings[] = {&framing_tcp, &framing_rtu, &framing_ascii};

struct pair {
	struct framing_request request;
	uint8_t pdu[FRAMING_PDU_MAX], adu[FRAMING_ADU_MAX];
	uint8_t answer_pdu[FRAMING_PDU_MAX], answer[FRAMING_ADU_MAX];
	size_t answer_pdu_len, answer_len;
};

/* Request and answer of a read of count words, made by the framing itself: the bytes were held against others' above. */
static void make_read(struct pair *p, const struct framing *framing, uint8_t unit, uint8_t function, uint16_t count)
{
	const struct bus_read read = {.unit = unit, .function = function, .address = 0x0300, .count = count};
	struct framing_request answer = {.transaction = 7, .unit = unit, .pdu = p->answer_pdu};
	size_t bytes = function <= 2 ? (count + 7u) / 8 : 2u * count;

	p->request = (struct framing_request){.transaction = 7, .unit = unit, .pdu = p->pdu, .adu = p->adu};
	p->request.pdu_len = pdu_of_read(&read, p->pdu);
	p->request.adu_len = framing->build(&p->request, p->adu);
	p->answer_pdu[0] = function;
	p->answer_pdu[1] = (uint8_t)bytes;
	for (size_t i = 0; i < bytes; i++)
		p->answer_pdu[2 + i] = (uint8_t)(i * 37 + 1);
	answer.pdu_len = p->answer_pdu_len = 2 + bytes;
	p->answer_len = framing->build(&answer, p->answer);
	assert_true(p->answer_len > 0);
}

static int got(const struct receiver *r, const struct pair *p)
{
	return r->answer.verdict == FRAMING_ANSWER && r->answer.pdu_len == p->answer_pdu_len &&
	       !memcmp(r->answer.pdu, p->answer_pdu, p->answer_pdu_len);
}

static void the_longest_answer_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t f = 0; f < 3; f++) {
		struct pair p;

		make_read(&p, framings[f], 17, 3, 125);
		for (size_t cut = 0; cut <= p.answer_len; cut++) {
			struct receiver r = {.framing = framings[f], .request = p.request};

			if (cut < p.answer_len)
				assert_int_equal(feed(&r, p.answer, cut), 0);
			else
				(void)feed(&r, p.answer, cut);
			if (cut < p.answer_len)
				assert_int_equal(feed(&r, p.answer + cut, p.answer_len - cut), 1);
			assert_true(got(&r, &p));
			assert_int_equal(r.len, 0);
		}
	}
}

/* Any damage of one byte, any loss of one byte: never another value. */
static void a_damaged_answer_is_never_taken(void **state)
{
	(void)state;
	for (size_t f = 1; f < 3; f++) {
		struct pair p;

		make_read(&p, framings[f], 3, 4, 9);
		for (size_t at = 0; at < p.answer_len; at++)
			for (int bit = 0; bit <= 8; bit++) {
				struct receiver r = {.framing = framings[f], .request = p.request};
				uint8_t bytes[FRAMING_ADU_MAX];
				size_t len = p.answer_len;

				memcpy(bytes, p.answer, len);
				if (bit < 8)
					bytes[at] ^= (uint8_t)(1u << bit);
				else
					memmove(bytes + at, bytes + at + 1, --len - at);
				if (!feed(&r, bytes, len))
					(void)look(&r, 1);
				/* A small letter for a capital one is the same digit. */
				if (r.answer.verdict == FRAMING_ANSWER)
					assert_true(framings[f] == &framing_ascii && got(&r, &p));
			}
	}
}

/* Deterministic noise: nothing is taken, nothing stays for ever, and the answer behind it is found. */
static void noise_before_the_answer_is_no_harm(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		const struct framing *framing = framings[1 + round % 2];
		struct pair p;
		struct receiver r = {.framing = framing};
		uint8_t noise[64];
		size_t len = (size_t)(round % 60) + 1;

		make_read(&p, framing, (uint8_t)(1 + round % 247), (uint8_t)(1 + round % 4),
			  (uint16_t)(1 + round % 40));
		r.request = p.request;
		for (size_t i = 0; i < len; i++) {
			random = random * 1664525u + 1013904223u;
			noise[i] = (uint8_t)(random >> 24);
		}
		if (feed(&r, noise, len))
			continue; /* it contained an answer: one in millions */
		if (!feed(&r, p.answer, p.answer_len))
			(void)look(&r, 1);
		assert_true(got(&r, &p));
		assert_true(r.noise + r.len <= len + FRAMING_ADU_MAX);
	}
}

static void hostile_bytes_never_run_wild(void **state)
{
	uint32_t random = 7;
	static uint8_t bytes[FRAMING_BUFFER];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		const struct framing *framing = framings[round % 3];
		struct framing_step step;
		struct pair p;
		size_t len = (size_t)(round * 7919) % sizeof(bytes);

		make_read(&p, framing, 1, 3, 4);
		p.request.echo = round & 8;
		p.request.longer = round & 16;
		p.request.any_unit = round & 32;
		for (size_t i = 0; i < len; i++) {
			random = random * 1664525u + 1013904223u;
			/* Mostly bytes that frames are made of. */
			bytes[i] =
			    random >> 30 ? (uint8_t) ":\r\n01\x01\x03\x08"[random >> 8 & 7] : (uint8_t)(random >> 16);
		}
		framing->take(&p.request, bytes, len, round & 64, &step);
		assert_true(step.used <= len && step.skipped <= step.used && step.pdu_len <= FRAMING_PDU_MAX);
		assert_true((step.verdict == FRAMING_MORE) == (step.used == 0));
		/* Silence leaves nothing behind but the beginning of a TCP frame. */
		if (step.verdict == FRAMING_MORE && round & 64)
			assert_true(framing == &framing_tcp || !len);
	}
}

/* --- the rows --- */

/* grid-x/modbus#26: one transaction behind: dropped, and the right one is still taken. */
static void row_01_an_older_transaction_is_dropped(void **state)
{
	struct pair p;
	struct receiver r = {.framing = &framing_tcp};

	(void)state;
	make_read(&p, &framing_tcp, 1, 3, 4);
	r.request = p.request;
	p.answer[1]--;
	assert_int_equal(feed(&r, p.answer, p.answer_len), 0);
	p.answer[1]++;
	assert_int_equal(feed(&r, p.answer, p.answer_len), 1);
	assert_true(got(&r, &p));
	assert_int_equal(r.dropped[FRAMING_STALE], 1);
}

/* NModbus#88: right transaction, other unit, function, byte count or exception of another function. */
static void row_04_unit_function_and_count_are_checked(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct pair p;
		struct receiver r = {.framing = &framing_tcp};

		make_read(&p, &framing_tcp, 1, 3, 4);
		r.request = p.request;
		switch (i) {
		case 0:
			p.answer[6] = 2;
			break;
		case 1:
			p.answer[7] = 4;
			break;
		case 2: /* the byte count says more than is there */
			p.answer[8] = 10;
			break;
		case 3: /* fewer words, length and count agreeing */
			p.answer[8] = 6;
			p.answer[5] = 9;
			p.answer_len -= 2;
			break;
		case 4:
			p.answer[7] = 0x84;
			p.answer[5] = 3;
			p.answer_len = 9;
			break;
		}
		(void)feed(&r, p.answer, p.answer_len);
		assert_int_not_equal(r.answer.verdict, FRAMING_ANSWER);
		assert_int_equal(r.answer.verdict, i ? FRAMING_WRONG : FRAMING_MORE);
		assert_int_equal(r.dropped[FRAMING_FOREIGN], i == 0);
		assert_int_equal(r.len, 0);
	}
}

/* The same where there is no transaction: the right answer may still come. */
static void row_04_without_transactions_waiting_goes_on(void **state)
{
	(void)state;
	for (size_t f = 1; f < 3; f++) {
		struct pair p, other;
		struct receiver r = {.framing = framings[f]};

		make_read(&p, framings[f], 1, 3, 4);
		make_read(&other, framings[f], 1, 3, 6);
		r.request = p.request;
		assert_int_equal(feed(&r, other.answer, other.answer_len), 0);
		make_read(&other, framings[f], 1, 4, 4);
		assert_int_equal(feed(&r, other.answer, other.answer_len), 0);
		assert_int_equal(feed(&r, p.answer, p.answer_len), 1);
		assert_true(got(&r, &p));
		assert_int_equal(r.dropped[FRAMING_MISMATCH], 2);
	}
}

/* evcc#10491: unit 2 answers while unit 1 is asked. */
static void row_06_another_units_answer_is_dropped_and_waited_on(void **state)
{
	(void)state;
	for (size_t f = 0; f < 3; f++) {
		struct pair p, other;
		struct receiver r = {.framing = framings[f]};

		make_read(&p, framings[f], 1, 3, 4);
		make_read(&other, framings[f], 2, 3, 4);
		r.request = p.request;
		assert_int_equal(feed(&r, other.answer, other.answer_len), 0);
		assert_int_equal(r.dropped[FRAMING_FOREIGN], 1);
		assert_int_equal(feed(&r, p.answer, p.answer_len), 1);
		assert_true(got(&r, &p));
	}
}

/* modbus-esp8266#356: unit 255 with exception 6, for unit 1: only where the option says so. */
static void row_07_any_unit_only_by_option(void **state)
{
	static const uint8_t answer[] = {0, 7, 0, 0, 0, 3, 255, 0x83, 6};

	(void)state;
	for (int option = 0; option <= 1; option++) {
		struct pair p;
		struct receiver r = {.framing = &framing_tcp};

		make_read(&p, &framing_tcp, 1, 3, 10);
		r.request = p.request;
		r.request.any_unit = option;
		assert_int_equal(feed(&r, answer, sizeof(answer)), option);
		assert_int_equal(r.answer.verdict, option ? FRAMING_ANSWER : FRAMING_MORE);
		if (option)
			assert_int_equal(r.answer.pdu[1], 6);
	}
}

/* evcc#16866: 4 of 7 bytes are no answer, and the three that come later make it one. */
static void row_09_a_torn_answer_waits_for_its_rest(void **state)
{
	static const uint8_t answer[] = {2, 3, 2, 0x3A, 0x98, 0xEF, 0x4E};
	struct asked a;
	struct receiver r = {.framing = &framing_rtu};

	(void)state;
	ask(&a, &framing_rtu, "020301010001d405");
	r.request = a.request;
	assert_int_equal(feed(&r, answer, 4), 0);
	assert_int_equal(r.len, 4);
	uint8_t whole[7];
	memcpy(whole, answer, 5);
	uint16_t crc = framing_crc(whole, 5);
	whole[5] = (uint8_t)crc;
	whole[6] = (uint8_t)(crc >> 8);
	assert_int_equal(feed(&r, whole + 4, 3), 1);
	assert_int_equal(r.answer.pdu[2], 0x3A);
}

/* neuron#2148: a foreign broadcast and another master's exchange before the answer shift nothing. */
static void foreign_frames_do_not_shift_the_framing(void **state)
{
	static const uint8_t broadcast_pdu[] = {16, 0, 1, 0, 2, 4, 1, 3, 4, 4};

	(void)state;
	for (size_t f = 1; f < 3; f++) {
		struct pair p, other;
		struct receiver r = {.framing = framings[f]};
		struct framing_request broadcast = {.pdu = broadcast_pdu, .pdu_len = sizeof(broadcast_pdu)};
		uint8_t stream[FRAMING_BUFFER];

		make_read(&p, framings[f], 1, 3, 4);
		make_read(&other, framings[f], 9, 3, 20);
		r.request = p.request;
		size_t len = framings[f]->build(&broadcast, stream);
		memcpy(stream + len, other.adu, other.request.adu_len);
		len += other.request.adu_len;
		memcpy(stream + len, other.answer, other.answer_len);
		len += other.answer_len;
		assert_int_equal(feed(&r, stream, len), 0);
		assert_int_equal(feed(&r, p.answer, p.answer_len), 1);
		assert_true(got(&r, &p));
		assert_int_equal(r.dropped[FRAMING_FOREIGN], 3);
		assert_int_equal(r.noise, 0);
	}
}

/* libmodbus#380: reads and writes whose request comes back first. */
static void row_16_the_echo_is_stripped_when_the_option_says_so(void **state)
{
	(void)state;
	for (size_t f = 1; f < 3; f++) {
		struct pair p;
		struct receiver r = {.framing = framings[f]};

		make_read(&p, framings[f], 1, 3, 1);
		r.request = p.request;
		r.request.echo = 1;
		assert_int_equal(feed(&r, p.adu, p.request.adu_len), 0);
		assert_int_equal(r.dropped[FRAMING_ECHO], 1);
		assert_int_equal(feed(&r, p.answer, p.answer_len), 1);
		assert_true(got(&r, &p));

		/* The answer to a write of one register looks just like its echo: the second copy is it. */
		const struct bus_write write = {.unit = 1, .function = 6, .address = 2, .count = 1, .words = {3}};
		uint8_t pdu[FRAMING_PDU_MAX], adu[FRAMING_ADU_MAX];
		struct framing_request w = {.unit = 1, .pdu = pdu, .pdu_len = pdu_of_write(&write, pdu), .adu = adu};
		w.adu_len = framings[f]->build(&w, adu);
		for (int echo = 0; echo <= 1; echo++) {
			struct receiver t = {.framing = framings[f], .request = w};

			t.request.echo = echo;
			assert_int_equal(feed(&t, adu, w.adu_len), !echo);
			if (echo)
				assert_int_equal(feed(&t, adu, w.adu_len), 1);
			assert_int_equal(t.answer.verdict, FRAMING_ANSWER);
		}
	}
}

/* SmartApplianceEnabler#137: more words than asked for, only where the profile says so; the first are taken. */
static void row_25_a_longer_answer_only_by_the_profile(void **state)
{
	const struct bus_read read = {.unit = 1, .function = 3, .address = 0x0300, .count = 1};

	(void)state;
	for (size_t f = 0; f < 3; f++)
		for (int longer = 0; longer <= 1; longer++) {
			struct pair asked, told;
			struct receiver r = {.framing = framings[f]};
			uint16_t words[BUS_WORDS_MAX] = {0};

			make_read(&asked, framings[f], 1, 3, 1);
			make_read(&told, framings[f], 1, 3, 2);
			r.request = asked.request;
			r.request.longer = longer;
			(void)feed(&r, told.answer, told.answer_len);
			assert_int_equal(r.answer.verdict, longer                        ? FRAMING_ANSWER
							   : framings[f] == &framing_tcp ? FRAMING_WRONG
											 : FRAMING_MORE);
			if (!longer)
				continue;
			pdu_take_words(&read, r.answer.pdu, words);
			assert_int_equal(words[0], 1 << 8 | 38);
			assert_int_equal(words[1], 0);
			/* Fewer than asked for is wrong in any case. */
			struct receiver s = {.framing = framings[f], .request = told.request};
			s.request.longer = 1;
			(void)feed(&s, asked.answer, asked.answer_len);
			assert_int_not_equal(s.answer.verdict, FRAMING_ANSWER);
		}
}

/* libmodbus#652: words are put together here, byte by byte; no helper of the library is in it. */
static void row_37_words_are_taken_byte_by_byte(void **state)
{
	const struct bus_read words = {.function = 3, .count = 3}, bits = {.function = 2, .count = 10};
	static const uint8_t word_pdu[] = {3, 6, 0x12, 0x34, 0x00, 0xFF, 0xFF, 0x00}, bit_pdu[] = {2, 2, 0x05, 0x02};
	static const uint16_t want[] = {1, 0, 1, 0, 0, 0, 0, 0, 0, 1};
	uint16_t out[BUS_WORDS_MAX];

	(void)state;
	pdu_take_words(&words, word_pdu, out);
	assert_int_equal(out[0], 0x1234);
	assert_int_equal(out[1], 0x00FF);
	assert_int_equal(out[2], 0xFF00);
	pdu_take_words(&bits, bit_pdu, out);
	assert_memory_equal(out, want, sizeof(want));
}

static void what_is_no_modbus_tcp_ends_the_connection(void **state)
{
	static const uint8_t cases[][8] = {{0, 7, 0, 1, 0, 5, 1, 3},
					   {0, 7, 0, 0, 0, 1, 1, 3},
					   {0, 7, 0, 0, 0, 255, 1, 3},
					   {'H', 'T', 'T', 'P', '/', '1', '.', '1'}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct pair p;
		struct receiver r = {.framing = &framing_tcp};

		make_read(&p, &framing_tcp, 1, 3, 1);
		r.request = p.request;
		assert_int_equal(feed(&r, cases[i], 8), 1);
		assert_int_equal(r.answer.verdict, FRAMING_BROKEN);
	}
}

/* Codes beyond the standard's are an answer of the device all the same; 0 is none. */
static void unknown_exception_codes(void **state)
{
	(void)state;
	for (unsigned code = 0; code <= 255; code++) {
		struct pair p;
		struct receiver r = {.framing = &framing_tcp};
		const uint8_t answer[] = {0, 7, 0, 0, 0, 3, 1, 0x83, (uint8_t)code};

		make_read(&p, &framing_tcp, 1, 3, 1);
		r.request = p.request;
		assert_int_equal(feed(&r, answer, sizeof(answer)), 1);
		assert_int_equal(r.answer.verdict, code ? FRAMING_ANSWER : FRAMING_WRONG);
	}
}

static void ascii_as_the_specification_has_it(void **state)
{
	/* "Modbus over serial line" V1.02, 2.5.2: colon, hexadecimal, LRC, CR LF. The LRC by hand: 01+03+03+00+00+04 = 0x0B. */
	struct pair p;
	struct receiver r = {.framing = &framing_ascii};

	(void)state;
	make_read(&p, &framing_ascii, 1, 3, 4);
	assert_int_equal(p.request.adu_len, 17);
	assert_memory_equal(p.adu, ":010303000004F5\r\n", 17);
	r.request = p.request;
	/* A torn frame, a colon in its middle, another bad one, then the answer in small letters. */
	assert_int_equal(feed(&r, (const uint8_t *)"xx:0103::01G3\r\n:", 15), 0);
	assert_int_equal(feed(&r, (const uint8_t *)":010308", 7), 0);
	for (size_t i = 0; i < p.answer_len; i++)
		if (p.answer[i] >= 'A' && p.answer[i] <= 'F')
			p.answer[i] |= 0x20;
	assert_int_equal(feed(&r, p.answer, p.answer_len), 1);
	assert_true(got(&r, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_frame_of_the_issues),
	    cmocka_unit_test(row_08_and_17_every_answer_cut_at_every_byte),
	    cmocka_unit_test(every_answer_byte_by_byte),
	    cmocka_unit_test(requests_are_built_as_they_were_seen),
	    cmocka_unit_test(the_longest_answer_cut_at_every_byte),
	    cmocka_unit_test(a_damaged_answer_is_never_taken),
	    cmocka_unit_test(noise_before_the_answer_is_no_harm),
	    cmocka_unit_test(hostile_bytes_never_run_wild),
	    cmocka_unit_test(row_01_an_older_transaction_is_dropped),
	    cmocka_unit_test(row_04_unit_function_and_count_are_checked),
	    cmocka_unit_test(row_04_without_transactions_waiting_goes_on),
	    cmocka_unit_test(row_06_another_units_answer_is_dropped_and_waited_on),
	    cmocka_unit_test(row_07_any_unit_only_by_option),
	    cmocka_unit_test(row_09_a_torn_answer_waits_for_its_rest),
	    cmocka_unit_test(foreign_frames_do_not_shift_the_framing),
	    cmocka_unit_test(row_16_the_echo_is_stripped_when_the_option_says_so),
	    cmocka_unit_test(row_25_a_longer_answer_only_by_the_profile),
	    cmocka_unit_test(row_37_words_are_taken_byte_by_byte),
	    cmocka_unit_test(what_is_no_modbus_tcp_ends_the_connection),
	    cmocka_unit_test(unknown_exception_codes),
	    cmocka_unit_test(ascii_as_the_specification_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
