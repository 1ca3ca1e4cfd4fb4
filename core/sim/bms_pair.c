#include "sim/bms_pair.h"

#include <string.h>

enum { FOREIGN_MS = 500 };
#define FOREIGN_ID 0x0070f4b5u /* seen on a real bus, chargers.md 2.7 */

void pair_init(struct pair *p, struct bus *bus, double speed)
{
	*p = (struct pair){.bus = bus, .speed = speed, .edition = 2015, .next_edition = 2015};
	p->car.soc = 40;
	p->car.kwh = 60;
	p->car.volts = 380;
	p->car.amperes = 100;
	memcpy(p->car.vin, "LSIM0000000000001", VIN_LENGTH);
}

int pair_due(const struct pair *p, double *next, double period_ms)
{
	if (p->now < *next)
		return 0;
	/* By the plan, not by when it was done; but what was missed is not made up for. */
	*next = *next + period_ms > p->now ? *next + period_ms : p->now + period_ms;
	return 1;
}

static void deliver(struct pair *p, uint32_t pgn, int from_car, const uint8_t *data, size_t len)
{
	if (from_car && !p->charger.silent) {
		if (pgn == PGN_TP_CM || pgn == PGN_TP_DT)
			tp_charger_hears(p, pgn, data, len);
		else
			charger_hear(p, pgn, data, len);
	} else if (!from_car && p->car.plugged) {
		if (pgn == PGN_TP_CM)
			tp_car_hears(p, data, len);
		else
			car_hear(p, pgn, data, len);
	}
}

static int hidden(struct pair *p, uint32_t pgn, int from_car)
{
	if (p->hide_acks && !from_car && pgn == PGN_TP_CM)
		return 1;
	if (p->lose && from_car && pgn == PGN_TP_DT) {
		p->lose--;
		return 1;
	}
	return 0;
}

void pair_send(struct pair *p, int priority, uint32_t pgn, int from_car, const uint8_t *data, size_t len)
{
	struct bus_frame f = {.len = (uint8_t)len};
	uint32_t to = from_car ? CHARGER_ADDRESS : CAR_ADDRESS, from = from_car ? CAR_ADDRESS : CHARGER_ADDRESS;

	if (from_car ? p->car.silent : p->charger.silent)
		return;
	f.id = (uint32_t)priority << 26 | pgn << 8 | to << 8 | from;
	memcpy(f.data, data, len);
	if (!hidden(p, pgn, from_car)) {
		p->sent++;
		bus_send(p->bus, &f);
	}
	deliver(p, pgn, from_car, data, len);
}

void pair_step(struct pair *p, double now)
{
	p->now = now;
	tp_step(p);
	charger_step(p);
	if (p->car.plugged)
		car_step(p);
	if (p->foreign && pair_due(p, &p->foreign_next, FOREIGN_MS)) {
		struct bus_frame f = {.id = FOREIGN_ID, .len = 8, .data = {1, 2, 3, 4, 5, 6, 7, 8}};

		p->sent++;
		bus_send(p->bus, &f);
	}
}

void pair_plug(struct pair *p)
{
	p->car.plugged = 1;
	p->car.tp.state = TP_IDLE;
	car_enter(p, CAR_IDLE);
}

void pair_unplug(struct pair *p)
{
	p->car.plugged = 0;
	p->car.tp.state = TP_IDLE;
	car_enter(p, CAR_IDLE);
	p->charger.tp = (struct tp_receiver){0};
	charger_enter(p, CHARGER_IDLE);
}

int pair_start(struct pair *p)
{
	if (!p->car.plugged || p->charger.state != CHARGER_IDLE)
		return 0;
	p->edition = p->next_edition;
	p->charger.attempts = p->car.attempts = 0;
	p->charger.stopping = p->car.stopping = 0;
	p->charger.wh = p->charger.minutes = 0;
	p->car.tp.tries = 0;
	car_enter(p, CAR_IDLE);
	charger_enter(p, p->edition == 2015 ? CHARGER_HANDSHAKE : CHARGER_ASKS);
	return 1;
}

int pair_stop(struct pair *p, const char *reason)
{
	uint8_t bytes[4];
	int by_car;

	if (!reason_bytes(reason, &by_car, bytes))
		return 0;
	if (by_car ? p->car.state != CAR_CHARGES : p->charger.state != CHARGER_CHARGES)
		return 0;
	if (by_car) {
		memcpy(p->car.bst, bytes, sizeof(bytes));
		p->car.stopping = 1;
	} else {
		memcpy(p->charger.cst, bytes, sizeof(bytes));
		p->charger.stopping = 1;
	}
	return 1;
}
