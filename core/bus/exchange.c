#include "bus/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <modbus.h>

enum { HEAD = 7, BITS_MAX = BUS_WORDS_MAX, USER_TIMEOUT_MS = 20000 };
/* Modbus exception codes: 1 to 11, libmodbus has each as MODBUS_ENOBASE + code. */
enum { EXCEPTION_BIT = 0x80 };

struct exchange {
	struct bus_line_config config;
	modbus_t *modbus;
	uint16_t transaction;
};

/* What differs between the kinds of lines. The two transfers return what was transferred, or -1 and errno. */
struct line_protocol {
	modbus_t *(*make)(const struct bus_line_config *config);
	void (*opened)(modbus_t *modbus);
	int64_t (*silence_us)(const struct bus_line_config *config);
	int (*read)(struct exchange *exchange, const struct bus_read *read, uint16_t *words);
	int (*write)(struct exchange *exchange, const struct bus_write *write);
};

static modbus_t *make_tcp(const struct bus_line_config *config)
{
	char service[8];

	(void)snprintf(service, sizeof(service), "%d", config->port);
	return modbus_new_tcp_pi(config->host, service);
}

/* A path that is dead without a word is an error of the socket after this time, not an endless row of time-outs. */
static void opened_tcp(modbus_t *modbus)
{
	unsigned user_timeout = USER_TIMEOUT_MS;

	(void)setsockopt(modbus_get_socket(modbus), IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof(user_timeout));
}

static int64_t silence_tcp(const struct bus_line_config *config)
{
	(void)config;
	return 0;
}

static void put_word(uint8_t *at, unsigned word)
{
	at[0] = (uint8_t)(word >> 8);
	at[1] = (uint8_t)word;
}

static unsigned get_word(const uint8_t *at)
{
	return (unsigned)(at[0] << 8 | at[1]);
}

static int bad_answer(void)
{
	errno = EMBBADDATA;
	return -1;
}

/* Sends what request holds behind its head (len bytes from the function on) and takes the answer of want bytes (also from
 * the function on). 0, or -1 and errno. */
static int transfer_tcp(struct exchange *x, uint8_t unit, uint8_t *request, size_t len, uint8_t *answer, size_t want)
{
	put_word(request, ++x->transaction);
	put_word(request + 2, 0);
	put_word(request + 4, (unsigned)len + 1);
	request[6] = unit;
	ssize_t sent = send(modbus_get_socket(x->modbus), request, HEAD + len, MSG_NOSIGNAL);
	if (sent != (ssize_t)(HEAD + len)) {
		errno = sent < 0 ? errno : EPIPE;
		return -1;
	}
	int got = modbus_receive_confirmation(x->modbus, answer);
	if (got < 0)
		return -1;
	if (got < HEAD + 2 || memcmp(answer, request, 4) != 0 || answer[6] != unit ||
	    get_word(answer + 4) != (unsigned)got - HEAD + 1)
		return bad_answer();
	uint8_t function = request[HEAD];
	if (answer[HEAD] == (function | EXCEPTION_BIT)) {
		errno = MODBUS_ENOBASE + answer[HEAD + 1];
		return -1;
	}
	return answer[HEAD] == function && (size_t)got == HEAD + want ? 0 : bad_answer();
}

static int read_tcp(struct exchange *x, const struct bus_read *read, uint16_t *words)
{
	uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH], answer[MODBUS_TCP_MAX_ADU_LENGTH];
	uint8_t *pdu = request + HEAD;
	const uint8_t *data = answer + HEAD + 2;
	int bits = read->function <= 2;
	size_t bytes = bits ? (read->count + 7u) / 8 : 2u * read->count;

	pdu[0] = read->function;
	put_word(pdu + 1, read->address);
	put_word(pdu + 3, read->count);
	if (transfer_tcp(x, read->unit, request, 5, answer, 2 + bytes))
		return -1;
	if (answer[HEAD + 1] != bytes)
		return bad_answer();
	for (unsigned i = 0; i < read->count; i++)
		words[i] = (uint16_t)(bits ? (unsigned)data[i / 8] >> i % 8 & 1 : get_word(data + 2 * i));
	return read->count;
}

static int write_tcp(struct exchange *x, const struct bus_write *write)
{
	uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH], answer[MODBUS_TCP_MAX_ADU_LENGTH];
	uint8_t *pdu = request + HEAD;
	size_t len = 5;

	pdu[0] = write->function;
	put_word(pdu + 1, write->address);
	if (write->function == 5) {
		put_word(pdu + 3, write->words[0] ? 0xFF00 : 0);
	} else if (write->function == 6) {
		put_word(pdu + 3, write->words[0]);
	} else {
		int bits = write->function == 15;
		size_t bytes = bits ? (write->count + 7u) / 8 : 2u * write->count;

		put_word(pdu + 3, write->count);
		pdu[5] = (uint8_t)bytes;
		memset(pdu + 6, 0, bytes);
		for (unsigned i = 0; i < write->count; i++)
			if (!bits)
				put_word(pdu + 6 + 2 * i, write->words[i]);
			else if (write->words[i])
				pdu[6 + i / 8] |= (uint8_t)(1u << i % 8);
		len = 6 + bytes;
	}
	if (transfer_tcp(x, write->unit, request, len, answer, 5))
		return -1;
	/* The answer repeats address and value, or address and count. */
	return memcmp(answer + HEAD, pdu, 5) != 0 ? bad_answer() : write->count;
}

static modbus_t *make_rtu(const struct bus_line_config *config)
{
	return modbus_new_rtu(config->device, config->baud, config->parity, config->data_bits, config->stop_bits);
}

static void opened_rtu(modbus_t *modbus)
{
	(void)modbus;
}

/* t3.5 of the serial line specification: fixed above 19200 baud. */
static int64_t silence_rtu(const struct bus_line_config *config)
{
	return config->baud > 19200 ? 1750 : (int64_t)35 * 11 * 100000 / config->baud;
}

static int read_rtu(struct exchange *x, const struct bus_read *read, uint16_t *words)
{
	uint8_t bits[BITS_MAX];
	int got = -1;

	(void)modbus_set_slave(x->modbus, read->unit);
	switch (read->function) {
	case 3:
		return modbus_read_registers(x->modbus, read->address, read->count, words);
	case 4:
		return modbus_read_input_registers(x->modbus, read->address, read->count, words);
	case 1:
		got = modbus_read_bits(x->modbus, read->address, read->count, bits);
		break;
	default:
		got = modbus_read_input_bits(x->modbus, read->address, read->count, bits);
		break;
	}
	for (int i = 0; i < got; i++)
		words[i] = bits[i];
	return got;
}

static int write_rtu(struct exchange *x, const struct bus_write *write)
{
	uint8_t bits[BUS_WRITE_WORDS_MAX];

	(void)modbus_set_slave(x->modbus, write->unit);
	switch (write->function) {
	case 5:
		return modbus_write_bit(x->modbus, write->address, write->words[0] != 0);
	case 6:
		return modbus_write_register(x->modbus, write->address, write->words[0]);
	case 15:
		for (int i = 0; i < write->count; i++)
			bits[i] = write->words[i] != 0;
		return modbus_write_bits(x->modbus, write->address, write->count, bits);
	default:
		return modbus_write_registers(x->modbus, write->address, write->count, write->words);
	}
}

static const struct line_protocol protocols[] = {
    [BUS_TCP] = {make_tcp, opened_tcp, silence_tcp, read_tcp, write_tcp},
    [BUS_RTU] = {make_rtu, opened_rtu, silence_rtu, read_rtu, write_rtu},
};

static void set_timeout(modbus_t *modbus, int64_t us)
{
	(void)modbus_set_response_timeout(modbus, (uint32_t)(us / 1000000), (uint32_t)(us % 1000000));
}

struct exchange *exchange_new(const struct bus_line_config *config)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->config = *config;
	x->modbus = protocols[config->kind].make(config);
	if (!x->modbus) {
		free(x);
		return NULL;
	}
	/* We own the reconnect (peers.md, row 12): the library only reports. */
	(void)modbus_set_error_recovery(x->modbus, MODBUS_ERROR_RECOVERY_NONE);
	return x;
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	modbus_free(x->modbus);
	free(x);
}

int exchange_connect(struct exchange *x)
{
	uint32_t byte_ms = (uint32_t)x->config.byte_timeout_ms;

	/* libmodbus takes its response time-out for connecting too. */
	set_timeout(x->modbus, (int64_t)x->config.connect_timeout_ms * 1000);
	if (modbus_connect(x->modbus))
		return -1;
	(void)modbus_set_byte_timeout(x->modbus, byte_ms / 1000, byte_ms % 1000 * 1000);
	protocols[x->config.kind].opened(x->modbus);
	return 0;
}

void exchange_close(struct exchange *x)
{
	modbus_close(x->modbus);
}

int64_t exchange_silence_us(const struct exchange *x)
{
	return protocols[x->config.kind].silence_us(&x->config);
}

int exchange_flush(struct exchange *x)
{
	int n = modbus_flush(x->modbus);

	return n > 0 ? n : 0;
}

static enum bus_status classify(int code, uint8_t *exception)
{
	if (code > MODBUS_ENOBASE && code < MODBUS_ENOBASE + MODBUS_EXCEPTION_MAX) {
		*exception = (uint8_t)(code - MODBUS_ENOBASE);
		return BUS_EXCEPTION;
	}
	switch (code) {
	case ETIMEDOUT:
		return BUS_TIMEOUT;
	case EMBBADCRC:
	case EMBBADDATA:
	case EMBBADEXC:
	case EMBUNKEXC:
	case EMBMDATA:
	case EMBBADSLAVE:
		return BUS_BAD_ANSWER;
	default:
		/* An exception code that the standard does not know. */
		return code > MODBUS_ENOBASE && code <= MODBUS_ENOBASE + UINT8_MAX ? BUS_BAD_ANSWER : BUS_DISCONNECTED;
	}
}

/* libmodbus gives what was asked for, or fails: anything else is no answer to this request. */
static enum bus_status conclude(int got, int wanted, uint8_t *exception)
{
	if (got == wanted)
		return BUS_OK;
	return got < 0 ? classify(errno, exception) : BUS_BAD_ANSWER;
}

enum bus_status exchange_read(struct exchange *x, const struct bus_read *read, int64_t timeout_us,
			      uint16_t words[BUS_WORDS_MAX], uint8_t *exception)
{
	set_timeout(x->modbus, timeout_us);
	return conclude(protocols[x->config.kind].read(x, read, words), read->count, exception);
}

enum bus_status exchange_write(struct exchange *x, const struct bus_write *write, int64_t timeout_us,
			       uint8_t *exception)
{
	set_timeout(x->modbus, timeout_us);
	return conclude(protocols[x->config.kind].write(x, write), write->count, exception);
}

void exchange_connect_error(const struct exchange *x, int code, char *out, size_t size)
{
	const struct bus_line_config *c = &x->config;
	const char *parity = c->parity == 'N' ? "none" : c->parity == 'E' ? "even" : "odd";

	if (c->kind == BUS_RTU)
		(void)snprintf(out, size, "open: %s (%d baud, parity %s): %s", c->device, c->baud, parity,
			       code == EINVAL ? "the driver refuses these settings" : modbus_strerror(code));
	else
		(void)snprintf(out, size, "connect: %s:%d: %s", c->host, c->port, modbus_strerror(code));
}
