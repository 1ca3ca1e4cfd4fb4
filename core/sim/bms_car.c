/* The car's half: what its BMS says in each state, what it waits for, and for how long (chargers.md 2.2, 2.5). */
#include <string.h>

#include "sim/bms_pair.h"

enum {
	FAST_MS = 10,
	BCL_MS = 50,
	PERIOD_MS = 250,
	SLOW_MS = 500,
	CELLS_MS = 10000,
	WAIT_MS = 5000,
	WAIT_CCS_MS = 1000,
	WAIT_CRO_MS = 60000,
	WAIT_END_MS = 10000,
	WAIT_AGAIN_MS = 30000,
	PREPARE_MS = 1000,
	STOP_MS = 100,
	END_MS = 1000,
	ZERO_CURRENT = 4000,
	CELLS = 96,
	SENSORS = 16,
	BMS_SPARE = 16,
	CELL_CENTIVOLTS = 410,
	DEGREES = 50 + 28,
	BRM_2015 = 49,
	BRM_2011 = 41,
	BCP_LENGTH = 13,
	BCS_LENGTH = 9,
};
static const char *const names[] = {"idle",  "greets",  "identifies", "configures", "prepares",
				    "ready", "charges", "stops",      "ends",       "error"};
enum { BCL_AT, BSM_AT, BCS_AT, BMV_AT, BMT_AT, BSP_AT };

const char *car_state_name(enum car_state state)
{
	return names[state];
}

void car_enter(struct pair *p, enum car_state state)
{
	struct car *c = &p->car;

	c->state = state;
	c->since = c->heard_ccs = p->now;
	for (size_t i = 0; i < sizeof(c->next) / sizeof(c->next[0]); i++)
		c->next[i] = p->now;
	if (state == CAR_CHARGES) {
		c->heard_ccs += WAIT_MS; /* patience for the first */
		for (int i = BMV_AT; i <= BSP_AT; i++)
			c->next[i] = p->now + 1000 * (i - BMV_AT + 1);
	}
	if (state == CAR_GREETS || state == CAR_IDENTIFIES) {
		c->cro_ready = 0;
		c->heard_cst = c->heard_csd = -1;
	}
}

static void put16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static unsigned tenths(double value)
{
	return (unsigned)(value * 10 + 0.5);
}

static int waited(const struct pair *p, double since, double ms)
{
	return p->now - since >= ms;
}

static void fail(struct pair *p, int byte, uint8_t bit)
{
	memcpy(p->car.bem, (uint8_t[]){0xf0, 0xf0, 0xf0, 0xfc}, sizeof(p->car.bem));
	p->car.bem[byte] = (uint8_t)(p->car.bem[byte] | bit);
	car_enter(p, CAR_ERROR);
}

static void send_brm(struct pair *p)
{
	uint8_t d[BRM_2015];

	memset(d, 0xff, sizeof(d));
	memcpy(d, p->edition == 2015 ? (uint8_t[]){1, 1, 0} : (uint8_t[]){0, 1, 0}, 3);
	d[3] = 3; /* lithium iron phosphate */
	put16(d + 4, tenths(p->car.kwh * 1000 / p->car.volts));
	put16(d + 6, tenths(p->car.volts));
	memcpy(d + 8, "SIMU", 4);
	put16(d + 12, 4711);
	put16(d + 14, 0);
	d[16] = 2021 - 1985;
	d[17] = 6;
	d[18] = 15;
	put16(d + 19, 321);
	d[21] = 0;
	d[22] = 1;
	memcpy(d + 24, p->car.vin, VIN_LENGTH);
	memcpy(d + 41, (uint8_t[]){7, 1, 6, 0xe5, 0x07}, 5);
	(void)tp_begin(p, PGN_BRM, d, p->edition == 2015 ? BRM_2015 : BRM_2011);
}

static void send_bcp(struct pair *p)
{
	const struct car *c = &p->car;
	uint8_t d[BCP_LENGTH];

	put16(d, 430);
	put16(d + 2, ZERO_CURRENT - tenths(c->amperes));
	put16(d + 4, tenths(c->kwh));
	put16(d + 6, tenths(c->volts + 60));
	d[8] = 50 + 55;
	put16(d + 9, tenths(c->soc));
	put16(d + 11, tenths(c->volts + c->soc * 0.4));
	(void)tp_begin(p, PGN_BCP, d, sizeof(d));
}

static void send_bcl(struct pair *p)
{
	const struct car *c = &p->car;
	uint8_t d[5];

	put16(d, tenths(c->volts + 50));
	put16(d + 2, ZERO_CURRENT - tenths(c->paused ? 0 : c->amperes));
	d[4] = 2;
	pair_send(p, 6, PGN_BCL, 1, d, sizeof(d));
}

static int send_bcs(struct pair *p)
{
	const struct car *c = &p->car;
	uint8_t d[BCS_LENGTH];
	double kw = p->charger.volts * p->charger.amperes / 1000;
	double left = kw > 0 ? (100 - c->soc) / 100 * c->kwh / kw * 60 : 600;

	put16(d, tenths(p->charger.volts));
	put16(d + 2, ZERO_CURRENT - tenths(p->charger.amperes));
	put16(d + 4, CELL_CENTIVOLTS | 1u << 12);
	d[6] = (uint8_t)c->soc;
	put16(d + 7, left > 600 ? 600 : (unsigned)left);
	return tp_begin(p, PGN_BCS, d, sizeof(d));
}

static void send_bsm(struct pair *p)
{
	uint8_t d[7] = {11, DEGREES + 3, 2, DEGREES, 7, 0x00, 0x00};

	d[6] = p->car.paused ? 0xc0 : 0xd0;
	pair_send(p, 6, PGN_BSM, 1, d, sizeof(d));
}

static int send_cells(struct pair *p)
{
	uint8_t d[CELLS * 2];

	for (unsigned i = 0; i < CELLS; i++)
		put16(d + 2 * (size_t)i, (CELL_CENTIVOLTS - i % 5) | 1u << 12);
	return tp_begin(p, PGN_BMV, d, sizeof(d));
}

static int send_temperatures(struct pair *p)
{
	uint8_t d[SENSORS];

	for (unsigned i = 0; i < SENSORS; i++)
		d[i] = (uint8_t)(DEGREES + i % 4);
	return tp_begin(p, PGN_BMT, d, sizeof(d));
}

static int send_spare(struct pair *p)
{
	uint8_t d[BMS_SPARE];

	memset(d, 0xff, sizeof(d));
	return tp_begin(p, PGN_BSP, d, sizeof(d));
}

static void charge(struct pair *p)
{
	struct car *c = &p->car;

	if (p->bcl_late_ms > 0) {
		c->next[BCL_AT] = p->now + p->bcl_late_ms;
		p->bcl_late_ms = 0;
	}
	if (pair_due(p, &c->next[BCL_AT], BCL_MS))
		send_bcl(p);
	if (pair_due(p, &c->next[BSM_AT], PERIOD_MS))
		send_bsm(p);
	/* One message at a time: what finds the transport busy is tried again at once. */
	if (p->now >= c->next[BCS_AT] && send_bcs(p))
		c->next[BCS_AT] = p->now + PERIOD_MS;
	else if (p->now >= c->next[BMV_AT] && send_cells(p))
		c->next[BMV_AT] = p->now + CELLS_MS;
	else if (p->now >= c->next[BMT_AT] && send_temperatures(p))
		c->next[BMT_AT] = p->now + CELLS_MS;
	else if (p->now >= c->next[BSP_AT] && send_spare(p))
		c->next[BSP_AT] = p->now + CELLS_MS;
	if (c->state != CAR_CHARGES)
		return;
	if (c->soc >= 100 && !c->stopping)
		(void)pair_stop(p, "soc");
	if (c->stopping || c->heard_cst >= 0) {
		if (!c->stopping)
			memcpy(c->bst, (uint8_t[]){0x40, 0x00, 0x00, 0x00}, sizeof(c->bst));
		c->stopping = 0;
		car_enter(p, CAR_STOPS);
	} else if (waited(p, c->heard_ccs, WAIT_CCS_MS)) {
		fail(p, 2, 0x01);
	}
}

static void stop(struct pair *p)
{
	struct car *c = &p->car;

	if (pair_due(p, &c->next[0], FAST_MS))
		pair_send(p, 4, PGN_BST, 1, c->bst, sizeof(c->bst));
	if (c->heard_cst >= 0 && waited(p, c->since, STOP_MS))
		car_enter(p, CAR_ENDS);
	else if (c->heard_cst < 0 && waited(p, c->since, WAIT_MS))
		fail(p, 2, 0x04);
}

static void finish(struct pair *p)
{
	struct car *c = &p->car;
	uint8_t d[7] = {0, 0, 0, 0, 0, DEGREES, DEGREES + 3};

	d[0] = (uint8_t)c->soc;
	put16(d + 1, CELL_CENTIVOLTS - 4);
	put16(d + 3, CELL_CENTIVOLTS);
	if (pair_due(p, &c->next[0], PERIOD_MS))
		pair_send(p, 6, PGN_BSD, 1, d, sizeof(d));
	if (c->heard_csd >= 0 && waited(p, c->since, END_MS))
		car_enter(p, CAR_IDLE);
	else if (c->heard_csd < 0 && waited(p, c->since, WAIT_END_MS))
		fail(p, 3, 0x01);
}

void car_step(struct pair *p)
{
	struct car *c = &p->car;

	switch (c->state) {
	case CAR_IDLE:
		break;
	case CAR_GREETS:
		if (pair_due(p, &c->next[0], PERIOD_MS)) {
			uint8_t d[2];

			put16(d, tenths(c->volts + 60));
			pair_send(p, 6, PGN_BHM, 1, d, sizeof(d));
		}
		if (waited(p, c->since, WAIT_AGAIN_MS))
			fail(p, 0, 0x01);
		break;
	case CAR_IDENTIFIES:
		if (p->now >= c->next[0] && c->tp.state == TP_IDLE) {
			c->next[0] = p->now + PERIOD_MS;
			send_brm(p);
		}
		if (waited(p, c->since, WAIT_MS))
			fail(p, 0, 0x04);
		break;
	case CAR_CONFIGURES:
		if (p->now >= c->next[0] && c->tp.state == TP_IDLE) {
			c->next[0] = p->now + SLOW_MS;
			send_bcp(p);
		}
		if (waited(p, c->since, WAIT_MS))
			fail(p, 1, 0x01);
		break;
	case CAR_PREPARES:
		if (pair_due(p, &c->next[0], PERIOD_MS))
			pair_send(p, 4, PGN_BRO, 1, (uint8_t[]){0x00}, 1);
		if (waited(p, c->since, PREPARE_MS))
			car_enter(p, CAR_READY);
		break;
	case CAR_READY:
		if (pair_due(p, &c->next[0], PERIOD_MS))
			pair_send(p, 4, PGN_BRO, 1, (uint8_t[]){0xaa}, 1);
		if (c->cro_ready)
			car_enter(p, CAR_CHARGES);
		else if (waited(p, c->since, WAIT_CRO_MS))
			fail(p, 1, 0x04);
		break;
	case CAR_CHARGES:
		charge(p);
		break;
	case CAR_STOPS:
		stop(p);
		break;
	case CAR_ENDS:
		finish(p);
		break;
	case CAR_ERROR:
		if (c->bem[0] && pair_due(p, &c->next[0], PERIOD_MS))
			pair_send(p, 2, PGN_BEM, 1, c->bem, sizeof(c->bem));
		if (waited(p, c->since, WAIT_AGAIN_MS))
			car_enter(p, CAR_IDLE);
		break;
	}
}

static void hear_crm(struct pair *p, uint8_t known)
{
	struct car *c = &p->car;

	if (!known && (c->state == CAR_IDLE || c->state == CAR_GREETS || c->state == CAR_ERROR)) {
		memset(c->bem, 0, sizeof(c->bem));
		c->tp.state = TP_IDLE;
		car_enter(p, CAR_IDENTIFIES);
	} else if (known == 0xaa && c->state == CAR_IDENTIFIES) {
		car_enter(p, CAR_CONFIGURES);
	}
}

void car_hear(struct pair *p, uint32_t pgn, const uint8_t *data, size_t len)
{
	struct car *c = &p->car;

	if (pgn == PGN_CHM && c->state == CAR_IDLE) {
		car_enter(p, CAR_GREETS);
	} else if (pgn == PGN_CRM && len) {
		hear_crm(p, data[0]);
	} else if (pgn == PGN_CML && c->state == CAR_CONFIGURES) {
		car_enter(p, CAR_PREPARES);
	} else if (pgn == PGN_CRO && len && data[0] == 0xaa) {
		c->cro_ready = 1;
	} else if (pgn == PGN_CCS) {
		c->heard_ccs = p->now;
	} else if (pgn == PGN_CST && (c->state == CAR_CHARGES || c->state == CAR_STOPS)) {
		c->heard_cst = p->now;
	} else if (pgn == PGN_CSD && c->state == CAR_ENDS) {
		c->heard_csd = p->now;
	} else if (pgn == PGN_CEM && c->state != CAR_IDLE && c->state != CAR_ERROR) {
		memset(c->bem, 0, sizeof(c->bem)); /* the charger says it: nothing to add */
		car_enter(p, CAR_ERROR);
	}
}
