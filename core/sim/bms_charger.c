/* The charger's half: what it says in each state, what it waits for, and for how long (chargers.md 2.2, 2.5). */
#include <string.h>
#include <time.h>

#include "sim/bms_pair.h"

enum {
	FAST_MS = 10,
	CCS_MS = 50,
	PERIOD_MS = 250,
	SLOW_MS = 500,
	WAIT_MS = 5000,
	WAIT_BCL_MS = 1000,
	WAIT_BRO_MS = 60000,
	WAIT_END_MS = 10000,
	ISOLATION_MS = 1000,
	CHECK_MS = 2000,
	STOP_MS = 200,
	END_MS = 1500,
	ERROR_MS = 2000,
	ZERO_CURRENT = 4000,
	MOST_VOLTS = 7500,
	LEAST_VOLTS = 2000,
	MOST_AMPERES = 2500,
	NUMBER = 1234567,
};
static const char *const names[] = {"idle",  "handshake", "asks",  "knows", "offers", "checks",
				    "ready", "charges",   "stops", "ends",  "error"};

const char *charger_state_name(enum charger_state state)
{
	return names[state];
}

void charger_enter(struct pair *p, enum charger_state state)
{
	struct charger *c = &p->charger;

	c->state = state;
	c->since = c->heard_bcl = c->heard_bcs = p->now;
	for (size_t i = 0; i < sizeof(c->next) / sizeof(c->next[0]); i++)
		c->next[i] = p->now;
	if (state == CHARGER_HANDSHAKE || state == CHARGER_ASKS) {
		c->greeted = c->bro_ready = 0;
		c->heard_bst = c->heard_bsd = -1;
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

static unsigned current(double amperes)
{
	return ZERO_CURRENT - tenths(amperes);
}

/* A time that was waited for in vain: the byte of CEM that says so. */
static void fail(struct pair *p, int byte, uint8_t bit)
{
	memcpy(p->charger.cem, (uint8_t[]){0xfc, 0xf0, 0xc0, 0xfc}, sizeof(p->charger.cem));
	p->charger.cem[byte] = (uint8_t)(p->charger.cem[byte] | bit);
	charger_enter(p, CHARGER_ERROR);
}

static int waited(const struct pair *p, double since, double ms)
{
	return p->now - since >= ms;
}

static void send_crm(struct pair *p, uint8_t known)
{
	static const uint8_t region[3] = {'B', 'J', '1'};
	uint8_t d[8] = {known, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (p->edition == 2015) {
		put16(d + 1, NUMBER & 0xffff);
		put16(d + 3, NUMBER >> 16);
		memcpy(d + 5, region, sizeof(region));
	} else {
		d[1] = NUMBER & 0xff;
		memcpy(d + 2, region, sizeof(region));
	}
	pair_send(p, 6, PGN_CRM, 0, d, sizeof(d));
}

static uint8_t bcd(int value)
{
	return (uint8_t)(value / 10 % 10 * 16 + value % 10);
}

static void send_cts(struct pair *p)
{
	time_t now = time(NULL);
	struct tm t;
	uint8_t d[7];

	(void)gmtime_r(&now, &t);
	d[0] = bcd(t.tm_sec);
	d[1] = bcd(t.tm_min);
	d[2] = bcd(t.tm_hour);
	d[3] = bcd(t.tm_mday);
	d[4] = bcd(t.tm_mon + 1);
	d[5] = bcd(t.tm_year % 100);
	d[6] = bcd(19 + t.tm_year / 100);
	pair_send(p, 6, PGN_CTS, 0, d, sizeof(d));
}

static void send_cml(struct pair *p)
{
	uint8_t d[8];

	put16(d, MOST_VOLTS);
	put16(d + 2, LEAST_VOLTS);
	put16(d + 4, ZERO_CURRENT - MOST_AMPERES);
	put16(d + 6, ZERO_CURRENT);
	pair_send(p, 6, PGN_CML, 0, d, p->edition == 2015 ? 8 : 6);
}

static void send_ccs(struct pair *p)
{
	struct charger *c = &p->charger;
	uint8_t d[8];

	put16(d, tenths(c->volts));
	put16(d + 2, current(c->amperes));
	put16(d + 4, (unsigned)c->minutes);
	d[6] = c->amperes > 0 ? 0xfd : 0xfc;
	d[7] = 0xff;
	pair_send(p, 6, PGN_CCS, 0, d, p->edition == 2015 ? 8 : 6);
}

static void send_csd(struct pair *p)
{
	struct charger *c = &p->charger;
	uint8_t d[8];

	put16(d, (unsigned)c->minutes);
	put16(d + 2, (unsigned)(c->wh / 100));
	put16(d + 4, NUMBER & 0xffff);
	put16(d + 6, NUMBER >> 16);
	pair_send(p, 6, PGN_CSD, 0, d, p->edition == 2015 ? 8 : 5);
}

/* The power that flows since the last CCS. */
static void flow(struct pair *p, double ms)
{
	struct charger *c = &p->charger;
	struct car *car = &p->car;

	c->volts = car->volts + car->soc * 0.4;
	c->amperes = car->paused || !car->amperes ? 0 : car->amperes;
	double wh = c->volts * c->amperes * ms / 3600e3;
	c->wh += wh;
	c->minutes += ms / 60e3;
	car->soc += wh / (car->kwh * 10);
	if (car->soc > 100)
		car->soc = 100;
}

static void charge(struct pair *p)
{
	struct charger *c = &p->charger;

	if (pair_due(p, &c->next[0], CCS_MS)) {
		flow(p, CCS_MS);
		send_ccs(p);
	}
	if (c->stopping || c->heard_bst >= 0) {
		if (!c->stopping)
			memcpy(c->cst, (uint8_t[]){0x40, 0x00, 0xf0, 0xf0}, sizeof(c->cst));
		c->stopping = 0;
		charger_enter(p, CHARGER_STOPS);
	} else if (waited(p, c->heard_bcl, WAIT_BCL_MS)) {
		fail(p, 2, 0x04);
	} else if (waited(p, c->heard_bcs, WAIT_MS)) {
		fail(p, 2, 0x01);
	}
}

static void stop(struct pair *p)
{
	struct charger *c = &p->charger;

	if (pair_due(p, &c->next[0], FAST_MS))
		pair_send(p, 4, PGN_CST, 0, c->cst, sizeof(c->cst));
	if (c->heard_bsd >= 0 && waited(p, c->since, STOP_MS))
		charger_enter(p, CHARGER_ENDS);
	else if (c->heard_bst < 0 && waited(p, c->since, WAIT_MS))
		fail(p, 2, 0x10);
	else if (waited(p, c->since, WAIT_END_MS))
		fail(p, 3, 0x01);
}

static void again(struct pair *p)
{
	if (++p->charger.attempts < TRIES)
		charger_enter(p, CHARGER_ASKS);
	else
		charger_enter(p, CHARGER_IDLE);
}

static void offer(struct pair *p)
{
	struct charger *c = &p->charger;

	if (pair_due(p, &c->next[0], SLOW_MS))
		send_cts(p);
	if (pair_due(p, &c->next[1], PERIOD_MS))
		send_cml(p);
	if (c->bro_ready)
		charger_enter(p, CHARGER_CHECKS);
	else if (waited(p, c->since, WAIT_BRO_MS))
		fail(p, 1, 0x04);
}

void charger_step(struct pair *p)
{
	struct charger *c = &p->charger;
	int due = c->state != CHARGER_IDLE && c->state != CHARGER_CHARGES && c->state != CHARGER_STOPS &&
		  c->state != CHARGER_OFFERS && pair_due(p, &c->next[0], PERIOD_MS);

	switch (c->state) {
	case CHARGER_IDLE:
		break;
	case CHARGER_HANDSHAKE:
		if (due)
			pair_send(p, 6, PGN_CHM, 0, (uint8_t[]){1, 1, 0}, 3);
		if (c->greeted && waited(p, c->since, ISOLATION_MS))
			charger_enter(p, CHARGER_ASKS);
		else if (waited(p, c->since, WAIT_BRO_MS))
			charger_enter(p, CHARGER_IDLE);
		break;
	case CHARGER_ASKS:
		if (due)
			send_crm(p, 0x00);
		if (waited(p, c->since, WAIT_MS))
			fail(p, 0, 0x01);
		break;
	case CHARGER_KNOWS:
		if (due)
			send_crm(p, 0xaa);
		if (waited(p, c->since, WAIT_MS))
			fail(p, 1, 0x01);
		break;
	case CHARGER_OFFERS:
		offer(p);
		break;
	case CHARGER_CHECKS:
		if (due)
			pair_send(p, 4, PGN_CRO, 0, (uint8_t[]){0x00}, 1);
		if (waited(p, c->since, CHECK_MS))
			charger_enter(p, CHARGER_READY);
		break;
	case CHARGER_READY:
		if (due)
			pair_send(p, 4, PGN_CRO, 0, (uint8_t[]){0xaa}, 1);
		if (waited(p, c->since, WAIT_MS))
			fail(p, 2, 0x04);
		break;
	case CHARGER_CHARGES:
		charge(p);
		break;
	case CHARGER_STOPS:
		stop(p);
		break;
	case CHARGER_ENDS:
		if (due)
			send_csd(p);
		if (waited(p, c->since, END_MS))
			charger_enter(p, CHARGER_IDLE);
		break;
	case CHARGER_ERROR:
		if (due)
			pair_send(p, 2, PGN_CEM, 0, c->cem, sizeof(c->cem));
		if (waited(p, c->since, ERROR_MS))
			again(p);
		break;
	}
}

void charger_hear_long(struct pair *p, uint32_t pgn)
{
	struct charger *c = &p->charger;

	if (pgn == PGN_BRM && c->state == CHARGER_ASKS)
		charger_enter(p, CHARGER_KNOWS);
	else if (pgn == PGN_BCP && c->state == CHARGER_KNOWS)
		charger_enter(p, CHARGER_OFFERS);
	else if (pgn == PGN_BCS)
		c->heard_bcs = p->now;
}

void charger_hear(struct pair *p, uint32_t pgn, const uint8_t *data, size_t len)
{
	struct charger *c = &p->charger;

	if (pgn == PGN_BHM) {
		c->greeted = 1;
	} else if (pgn == PGN_BRO && len && data[0] == 0xaa) {
		c->bro_ready = 1;
	} else if (pgn == PGN_BCL) {
		c->heard_bcl = p->now;
		if (c->state == CHARGER_READY) {
			p->charges++;
			charger_enter(p, CHARGER_CHARGES);
		}
	} else if (pgn == PGN_BST && (c->state == CHARGER_CHARGES || c->state == CHARGER_STOPS)) {
		c->heard_bst = p->now;
	} else if (pgn == PGN_BSD && c->state == CHARGER_STOPS) {
		c->heard_bsd = p->now;
	} else if (pgn == PGN_BEM && c->state > CHARGER_ASKS && c->state < CHARGER_ERROR) {
		again(p);
	}
}
