#include "bus/pdu.h"

#include <string.h>

/* The longest is a write of as many words as we ever write. */
_Static_assert((int)FRAMING_REQUEST_PDU_MAX == 6 + 2 * BUS_WRITE_WORDS_MAX, "room for a request");

enum { COIL_ON = 0xFF00 };

static void put_word(uint8_t *at, unsigned word)
{
	at[0] = (uint8_t)(word >> 8);
	at[1] = (uint8_t)word;
}

size_t pdu_of_read(const struct bus_read *read, uint8_t out[FRAMING_REQUEST_PDU_MAX])
{
	out[0] = read->function;
	put_word(out + 1, read->address);
	put_word(out + 3, read->count);
	return 5;
}

static size_t put_many(const struct bus_write *write, uint8_t *out)
{
	int bits = write->function == 15;
	size_t bytes = bits ? (write->count + 7u) / 8 : 2u * write->count;

	put_word(out, write->count);
	out[2] = (uint8_t)bytes;
	memset(out + 3, 0, bytes);
	for (unsigned i = 0; i < write->count; i++)
		if (!bits)
			put_word(out + 3 + 2 * i, write->words[i]);
		else if (write->words[i])
			out[3 + i / 8] |= (uint8_t)(1u << i % 8);
	return 3 + bytes;
}

size_t pdu_of_write(const struct bus_write *write, uint8_t out[FRAMING_REQUEST_PDU_MAX])
{
	out[0] = write->function;
	put_word(out + 1, write->address);
	if (write->function > 6)
		return 3 + put_many(write, out + 3);
	put_word(out + 3, write->function == 6 ? write->words[0] : write->words[0] ? COIL_ON : 0u);
	return 5;
}

void pdu_take_words(const struct bus_read *read, const uint8_t *pdu, uint16_t words[BUS_WORDS_MAX])
{
	const uint8_t *data = pdu + 2;
	int bits = read->function <= 2;

	for (unsigned i = 0; i < read->count; i++)
		words[i] = (uint16_t)(bits ? (unsigned)data[i / 8] >> i % 8 & 1
					   : (unsigned)(data[2 * i] << 8 | data[2 * i + 1]));
}
