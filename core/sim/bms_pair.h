/* A simulated charger and a car's BMS on one CAN bus, as GB/T 27930 has them speak (2015 and 2011). For sim-bms only; written from
 * chargers.md 2.1 to 2.7 and from nothing of the decoder.
 *
 * Times are milliseconds of the simulation's clock, which runs `speed` times as fast as the real one. */
#ifndef FC_SIM_BMS_PAIR_H
#define FC_SIM_BMS_PAIR_H

#include <stddef.h>
#include <stdint.h>

#include "sim/bms_bus.h"

enum { CHARGER_ADDRESS = 0x56, CAR_ADDRESS = 0xf4, TP_LONGEST = 512, VIN_LENGTH = 17, TRIES = 3 };

enum pgn {
	PGN_CHM = 0x2600,
	PGN_BHM = 0x2700,
	PGN_CRM = 0x0100,
	PGN_BRM = 0x0200,
	PGN_BCP = 0x0600,
	PGN_CTS = 0x0700,
	PGN_CML = 0x0800,
	PGN_BRO = 0x0900,
	PGN_CRO = 0x0a00,
	PGN_BCL = 0x1000,
	PGN_BCS = 0x1100,
	PGN_CCS = 0x1200,
	PGN_BSM = 0x1300,
	PGN_BMV = 0x1500,
	PGN_BMT = 0x1600,
	PGN_BSP = 0x1700,
	PGN_BST = 0x1900,
	PGN_CST = 0x1a00,
	PGN_BSD = 0x1c00,
	PGN_CSD = 0x1d00,
	PGN_BEM = 0x1e00,
	PGN_CEM = 0x1f00,
	PGN_DM1 = 0x2000,
	PGN_TP_CM = 0xec00,
	PGN_TP_DT = 0xeb00,
};

enum charger_state {
	CHARGER_IDLE,
	CHARGER_HANDSHAKE,
	CHARGER_ASKS,
	CHARGER_KNOWS,
	CHARGER_OFFERS,
	CHARGER_CHECKS,
	CHARGER_READY,
	CHARGER_CHARGES,
	CHARGER_STOPS,
	CHARGER_ENDS,
	CHARGER_ERROR,
};
enum car_state {
	CAR_IDLE,
	CAR_GREETS,
	CAR_IDENTIFIES,
	CAR_CONFIGURES,
	CAR_PREPARES,
	CAR_READY,
	CAR_CHARGES,
	CAR_STOPS,
	CAR_ENDS,
	CAR_ERROR
};

enum tp_state { TP_IDLE, TP_ASKED, TP_SENDING, TP_SENT };

/* A message of more than 8 bytes on its way from the car. */
struct tp_sender {
	enum tp_state state;
	uint32_t pgn;
	uint8_t data[TP_LONGEST];
	size_t len;
	unsigned packets, next;
	double due;
	int tries;
};

/* What the charger makes of it. */
struct tp_receiver {
	uint32_t pgn;
	size_t len;
	unsigned packets, next;
	int answer; /* control byte that is owed at due, or 0 */
	double due;
};

struct charger {
	enum charger_state state;
	double since;   /* in this state */
	double next[4]; /* when its messages of this state are due */
	double heard_bcl, heard_bcs, heard_bst, heard_bsd;
	int greeted, bro_ready, attempts, silent;
	uint8_t cst[4], cem[4];
	int stopping; /* it wants to stop, with cst */
	struct tp_receiver tp;
	double volts, amperes, wh, minutes;
};

struct car {
	enum car_state state;
	int plugged, silent, cro_ready, attempts, paused;
	double since;
	double next[6];
	double heard_ccs, heard_cst, heard_csd;
	uint8_t bst[4], bem[4];
	int stopping;
	struct tp_sender tp;
	char vin[VIN_LENGTH + 1];
	double soc, kwh, volts, amperes; /* battery; what it asks for */
};

struct pair {
	struct bus *bus;
	double now, speed;
	int edition, next_edition; /* 2011 or 2015; the next from the next start on */
	int no_ack, hide_acks, foreign;
	int abort_next, lose; /* faults that happen once, or so often */
	double foreign_next, bcl_late_ms;
	unsigned long sent, charges;
	struct charger charger;
	struct car car;
};

void pair_init(struct pair *p, struct bus *bus, double speed);
/* Does all that is due by now. */
void pair_step(struct pair *p, double now);
/* To the bus, and to the other half of the pair. */
void pair_send(struct pair *p, int priority, uint32_t pgn, int from_car, const uint8_t *data, size_t len);

/* The car takes its place, with the battery as it is; the charger begins to talk; the car is gone. */
void pair_plug(struct pair *p);
int pair_start(struct pair *p); /* 0 when there is no car, or the charge runs already */
void pair_unplug(struct pair *p);
/* For a reason by name (bms_reasons.c); 0 when there is none of that name, or nothing to stop. */
int pair_stop(struct pair *p, const char *reason);
/* By which side the reason is given, and its four bytes; 0 when the name is unknown. */
int reason_bytes(const char *name, int *by_car, uint8_t bytes[4]);

void charger_enter(struct pair *p, enum charger_state state);
void charger_step(struct pair *p);
void charger_hear(struct pair *p, uint32_t pgn, const uint8_t *data, size_t len);
/* A message that came whole over the transport protocol. */
void charger_hear_long(struct pair *p, uint32_t pgn);
void car_enter(struct pair *p, enum car_state state);
void car_step(struct pair *p);
void car_hear(struct pair *p, uint32_t pgn, const uint8_t *data, size_t len);

/* bms_tp.c: the transport protocol between the two. */
int tp_begin(struct pair *p, uint32_t pgn, const uint8_t *data, size_t len); /* 0: busy */
void tp_step(struct pair *p);
void tp_car_hears(struct pair *p, const uint8_t *data, size_t len);
void tp_charger_hears(struct pair *p, uint32_t pgn, const uint8_t *data, size_t len);

/* When *next has come: moves it on by the period, and says so. */
int pair_due(const struct pair *p, double *next, double period_ms);
const char *charger_state_name(enum charger_state state);
const char *car_state_name(enum car_state state);

/* bms_command.c */
int command_listen(const char *path);
/* Takes one connection, answers its line. 1: told to quit. */
int command_serve(struct pair *p, int listener);

#endif
