#include "bus/pcapng.h"

#include <string.h>

/* Numbers are written in the byte order of this machine, which the section header's magic tells (pcapng, 4.1). */
enum {
	SECTION = 0x0A0D0D0A,
	MAGIC = 0x1A2B3C4D,
	INTERFACE = 1,
	PACKET = 6,
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	IF_NAME = 2,
	EPB_FLAGS = 2,
	INBOUND = 1,
	OUTBOUND = 2,
};
enum { LINK_RAW_IP = 101, LINK_CAN = 227, LINK_UPPER_PDU = 252 };
/* Tags of an exported PDU (Wireshark, epan/exported_pdu.h): two bytes tag, two bytes length, high byte first. */
enum { TAG_END = 0, TAG_DISSECTOR = 12 };
enum { IP_HEAD = 20, TCP_HEAD = 20, HEADS = 64, MODBUS_PORT = 502, OUR_PORT = 50000, COMMENT_MAX = 240 };
enum { BLOCK_MAX = 128 + HEADS + TRACE_BYTES_MAX + COMMENT_MAX };

struct block {
	uint8_t bytes[BLOCK_MAX];
	size_t len;
};

static void add(struct block *b, const void *bytes, size_t len)
{
	if (len && b->len + len <= sizeof(b->bytes)) {
		memcpy(b->bytes + b->len, bytes, len);
		b->len += len;
	}
}

static void add16(struct block *b, unsigned n)
{
	uint16_t word = (uint16_t)n;

	add(b, &word, sizeof(word));
}

static void add32(struct block *b, uint32_t n)
{
	add(b, &n, sizeof(n));
}

static void pad(struct block *b)
{
	static const uint8_t zeros[4];

	add(b, zeros, (4 - b->len % 4) % 4);
}

static void add_option(struct block *b, unsigned code, const void *value, size_t len)
{
	add16(b, code);
	add16(b, (unsigned)len);
	add(b, value, len);
	pad(b);
}

static void begin(struct block *b, uint32_t type)
{
	b->len = 0;
	add32(b, type);
	add32(b, 0);
}

/* The length stands at both ends of a block. */
static int end(struct block *b, FILE *to)
{
	uint32_t len = (uint32_t)b->len + 4;

	add32(b, len);
	memcpy(b->bytes + 4, &len, sizeof(len));
	return fwrite(b->bytes, 1, b->len, to) == b->len ? 0 : -1;
}

int pcapng_begin(struct pcapng *p, FILE *to)
{
	struct block b;

	memset(p, 0, sizeof(*p));
	p->to = to;
	begin(&b, SECTION);
	add32(&b, MAGIC);
	add16(&b, 1); /* version 1.0 */
	add16(&b, 0);
	add32(&b, UINT32_MAX); /* the section's length is not told */
	add32(&b, UINT32_MAX);
	return end(&b, to);
}

static unsigned link_of(enum trace_kind kind)
{
	switch (kind) {
	case TRACE_TCP:
		return LINK_RAW_IP;
	case TRACE_CAN:
		return LINK_CAN;
	case TRACE_RTU:
	case TRACE_ASCII:
	case TRACE_DLT645:
		break;
	}
	return LINK_UPPER_PDU;
}

/* Of the line and kind; the first frame of one makes it. */
static struct pcapng_line *find_line(struct pcapng *p, const struct frame *f)
{
	struct block b;

	for (unsigned i = 0; i < p->line_count; i++)
		if (p->lines[i].kind == f->kind && !strcmp(p->lines[i].name, f->line))
			return &p->lines[i];
	if (p->line_count == PCAPNG_LINES)
		return NULL;
	struct pcapng_line *line = &p->lines[p->line_count++];
	*line = (struct pcapng_line){.kind = f->kind, .ours = 1, .theirs = 1};
	(void)snprintf(line->name, sizeof(line->name), "%s", f->line);
	begin(&b, INTERFACE);
	add16(&b, link_of(f->kind));
	add16(&b, 0);
	add32(&b, 0); /* no limit of length */
	add_option(&b, IF_NAME, line->name, strlen(line->name));
	add_option(&b, OPTION_END, NULL, 0);
	return end(&b, p->to) ? NULL : line;
}

/* What stands before the frame ------------------------------------------------------------------------------------------- */

static void put16(uint8_t *at, unsigned n)
{
	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
}

static void put32(uint8_t *at, uint32_t n)
{
	put16(at, n >> 16);
	put16(at + 2, n & 0xFFFF);
}

static uint32_t sum_of(const uint8_t *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

/* RFC 1071. */
static unsigned fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return ~sum & 0xFFFF;
}

static size_t put_tcp(struct pcapng_line *line, unsigned number, const struct frame *f, uint8_t head[HEADS])
{
	int sent = f->flags & TRACE_SENT;
	uint8_t *tcp = head + IP_HEAD, ours[4] = {192, 0, 2, 1}, theirs[4] = {192, 0, 2, (uint8_t)(10 + number)};
	uint32_t *from = sent ? &line->ours : &line->theirs, *to = sent ? &line->theirs : &line->ours;

	memset(head, 0, IP_HEAD + TCP_HEAD);
	head[0] = 0x45; /* IPv4, 20 bytes */
	put16(head + 2, IP_HEAD + TCP_HEAD + (unsigned)f->len);
	put16(head + 6, 0x4000); /* not to be cut */
	head[8] = 64;            /* time to live */
	head[9] = 6;             /* TCP */
	memcpy(head + 12, sent ? ours : theirs, 4);
	memcpy(head + 16, sent ? theirs : ours, 4);
	put16(head + 10, fold(sum_of(head, IP_HEAD, 0)));
	put16(tcp, sent ? OUR_PORT + number : MODBUS_PORT);
	put16(tcp + 2, sent ? MODBUS_PORT : OUR_PORT + number);
	put32(tcp + 4, *from);
	put32(tcp + 8, *to);
	tcp[12] = 0x50; /* 20 bytes */
	tcp[13] = 0x18; /* PSH, ACK */
	put16(tcp + 14, 65535);
	uint32_t sum = sum_of(head + 12, 8, 6 + TCP_HEAD + (uint32_t)f->len);
	put16(tcp + 16, fold(sum_of(f->bytes, f->len, sum_of(tcp, TCP_HEAD, sum))));
	*from += f->len;
	return IP_HEAD + TCP_HEAD;
}

static size_t put_dissector(const char *name, uint8_t head[HEADS])
{
	size_t len = strlen(name), padded = (len + 3) / 4 * 4;

	memset(head, 0, 8 + padded);
	put16(head, TAG_DISSECTOR);
	put16(head + 2, (unsigned)padded);
	for (size_t i = 0; i < len; i++)
		head[4 + i] = (uint8_t)name[i];
	put16(head + 4 + padded, TAG_END);
	return 8 + padded;
}

static size_t put_can(const struct frame *f, uint8_t head[HEADS])
{
	memset(head, 0, 8);
	put32(head, f->id);
	head[4] = (uint8_t)f->len;
	return 8;
}

static size_t put_head(struct pcapng *p, struct pcapng_line *line, const struct frame *f, uint8_t head[HEADS])
{
	switch (f->kind) {
	case TRACE_TCP:
		return put_tcp(line, (unsigned)(line - p->lines), f, head);
	case TRACE_RTU:
		return put_dissector("mbrtu", head);
	case TRACE_ASCII:
	case TRACE_DLT645:
		return put_dissector("data", head);
	case TRACE_CAN:
		return put_can(f, head);
	}
	return 0;
}

int pcapng_frame(struct pcapng *p, const struct frame *f, const char *comment)
{
	struct pcapng_line *line = find_line(p, f);
	uint32_t direction = f->flags & TRACE_SENT ? OUTBOUND : INBOUND;
	uint64_t at = (uint64_t)(f->wall_us > 0 ? f->wall_us : 0);
	uint8_t head[HEADS];
	struct block b;

	if (!line)
		return -1;
	size_t len = put_head(p, line, f, head);
	begin(&b, PACKET);
	add32(&b, (uint32_t)(line - p->lines));
	add32(&b, (uint32_t)(at >> 32));
	add32(&b, (uint32_t)at);
	add32(&b, (uint32_t)(len + f->len));
	add32(&b, (uint32_t)(len + f->len));
	add(&b, head, len);
	add(&b, f->bytes, f->len);
	pad(&b);
	add_option(&b, EPB_FLAGS, &direction, sizeof(direction));
	if (comment && *comment)
		add_option(&b, OPTION_COMMENT, comment,
			   strlen(comment) < COMMENT_MAX ? strlen(comment) : (size_t)COMMENT_MAX);
	add_option(&b, OPTION_END, NULL, 0);
	return end(&b, p->to);
}
