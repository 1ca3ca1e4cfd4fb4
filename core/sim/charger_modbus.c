#include "sim/charger_modbus.h"

#include <string.h>

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint16_t crc16(const uint8_t *data, size_t len)
{
	uint16_t crc = 0xFFFF;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
	}
	return crc;
}

int modbus_take_tcp(const uint8_t *data, size_t len, uint16_t *transaction, uint8_t *unit, uint8_t *pdu,
		    size_t *pdu_len)
{
	if (len < 7)
		return 0;
	size_t body = get16(data + 4);
	if (get16(data + 2) != 0 || body < 2 || body > MODBUS_PDU_MAX + 1)
		return -1;
	if (len < 6 + body)
		return 0;
	*transaction = get16(data);
	*unit = data[6];
	*pdu_len = body - 1;
	memcpy(pdu, data + 7, *pdu_len);
	return (int)(6 + body);
}

int modbus_take_rtu(const uint8_t *data, size_t len, uint8_t *unit, uint8_t *pdu, size_t *pdu_len, int *good)
{
	size_t body;

	*good = 0;
	if (len < 2)
		return 0;
	switch (data[1]) {
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
		body = 6;
		break;
	case 15:
	case 16:
		if (len < 7)
			return 0;
		body = 7 + (size_t)data[6];
		break;
	default:
		return 1;
	}
	if (body > MODBUS_PDU_MAX + 1)
		return 1;
	if (len < body + 2)
		return 0;
	if (crc16(data, body) != (uint16_t)(data[body] | data[body + 1] << 8))
		return 1;
	*good = 1;
	*unit = data[0];
	*pdu_len = body - 1;
	memcpy(pdu, data + 1, *pdu_len);
	return (int)(body + 2);
}

static size_t refuse(uint8_t function, int exception, uint8_t *out)
{
	out[0] = (uint8_t)(function | 0x80);
	out[1] = (uint8_t)exception;
	return 2;
}

static size_t answer_read(const struct model_charger *charger, const uint8_t *pdu, uint8_t *out)
{
	uint16_t address = get16(pdu + 1), count = get16(pdu + 3), value = 0;

	if (count < 1 || count > 125)
		return refuse(pdu[0], 3, out);
	for (uint16_t i = 0; i < count; i++) {
		int exception = model_read(charger, (uint16_t)(address + i), &value);

		if (exception)
			return refuse(pdu[0], exception, out);
		put16(out + 2 + 2 * i, value);
	}
	out[0] = pdu[0];
	out[1] = (uint8_t)(2 * count);
	return 2 + 2 * (size_t)count;
}

static size_t answer_write(struct model_charger *charger, const uint8_t *pdu, size_t len, uint8_t *out)
{
	int many = pdu[0] == 16;
	uint16_t count = many ? get16(pdu + 3) : 1;
	const uint8_t *values = many ? pdu + 6 : pdu + 3;

	if (many && (len < 6 || count < 1 || count > 123 || pdu[5] != 2 * count || len != 6 + 2 * (size_t)count))
		return refuse(pdu[0], 3, out);
	/* V1.1b3, figures 18 and 22: the whole range is checked before the first register changes. */
	for (uint16_t i = 0; i < count; i++)
		if (!model_writable(charger, (uint16_t)(get16(pdu + 1) + i)))
			return refuse(pdu[0], 2, out);
	for (uint16_t i = 0; i < count; i++) {
		int exception = model_write(charger, (uint16_t)(get16(pdu + 1) + i), get16(values + 2 * i));

		if (exception)
			return refuse(pdu[0], exception, out);
	}
	memcpy(out, pdu, 5);
	return 5;
}

size_t modbus_answer(struct model_charger *charger, const uint8_t *pdu, size_t len, int exception, uint8_t *out)
{
	if (exception)
		return refuse(pdu[0], exception, out);
	switch (pdu[0]) {
	case 3:
	case 4:
		return len < 5 ? refuse(pdu[0], 3, out) : answer_read(charger, pdu, out);
	case 6:
	case 16:
		return len < 5 ? refuse(pdu[0], 3, out) : answer_write(charger, pdu, len, out);
	default:
		return refuse(pdu[0], 1, out);
	}
}

size_t modbus_frame_tcp(uint16_t transaction, uint8_t unit, const uint8_t *pdu, size_t len, uint8_t *out)
{
	put16(out, transaction);
	put16(out + 2, 0);
	put16(out + 4, (uint16_t)(len + 1));
	out[6] = unit;
	memcpy(out + 7, pdu, len);
	return len + 7;
}

size_t modbus_frame_rtu(uint8_t unit, const uint8_t *pdu, size_t len, uint8_t *out)
{
	out[0] = unit;
	memcpy(out + 1, pdu, len);
	uint16_t crc = crc16(out, len + 1);
	out[len + 1] = (uint8_t)crc;
	out[len + 2] = (uint8_t)(crc >> 8);
	return len + 3;
}
