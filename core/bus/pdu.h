/* PDU: a read or a write as Modbus puts it (Application Protocol V1.1b3, section 6), and the words of an answer. For this room
 * only. Pure. */
#ifndef FC_BUS_PDU_H
#define FC_BUS_PDU_H

#include <stddef.h>

#include "bus/bus.h"
#include "bus/framing.h"

/* The request's bytes from the function on; their number. */
size_t pdu_of_read(const struct bus_read *read, uint8_t out[FRAMING_REQUEST_PDU_MAX]);
size_t pdu_of_write(const struct bus_write *write, uint8_t out[FRAMING_REQUEST_PDU_MAX]);
/* The first read->count words (or bits, one a word) of an answer that fits (framing_fits). */
void pdu_take_words(const struct bus_read *read, const uint8_t *pdu, uint16_t words[BUS_WORDS_MAX]);

#endif
