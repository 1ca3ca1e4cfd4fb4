/* Modbus server of the simulator, written apart from the daemon's libmodbus: frames from a byte stream, TCP (MBAP) and
 * RTU (CRC-16). Modbus Application Protocol V1.1b3; Modbus over serial line V1.02. */
#ifndef FC_SIM_CHARGER_MODBUS_H
#define FC_SIM_CHARGER_MODBUS_H

#include <stddef.h>
#include <stdint.h>

#include "sim/charger_model.h"

enum { MODBUS_PDU_MAX = 253, MODBUS_FRAME_MAX = 260 };

/* Takes one whole request off the front of data (len bytes). Returns bytes used, 0 when more are needed, -1 when the stream
 * can't be understood. unit, transaction (TCP) and pdu are filled. */
int modbus_take_tcp(const uint8_t *data, size_t len, uint16_t *transaction, uint8_t *unit, uint8_t *pdu,
		    size_t *pdu_len);
/* RTU: the requests of functions 1 to 6, 15 and 16 (those not served are refused by modbus_answer). A bad checksum uses one byte up: it looks for the next frame. *good is 0
 * then. */
int modbus_take_rtu(const uint8_t *data, size_t len, uint8_t *unit, uint8_t *pdu, size_t *pdu_len, int *good);
/* The answer PDU of a charger; its length. exception: nonzero = answer that exception. */
size_t modbus_answer(struct model_charger *charger, const uint8_t *pdu, size_t len, int exception, uint8_t *out);
/* Frames; return the length. */
size_t modbus_frame_tcp(uint16_t transaction, uint8_t unit, const uint8_t *pdu, size_t len, uint8_t *out);
size_t modbus_frame_rtu(uint8_t unit, const uint8_t *pdu, size_t len, uint8_t *out);

#endif
