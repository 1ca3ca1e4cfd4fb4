/* Order: one charge from its start to its settled bill, and its form in the journal. Everything that is needed to go on after a
 * power cut is in it: the pinned tariff, the split so far, who started it. */
#ifndef FC_CHARGE_ORDER_H
#define FC_CHARGE_ORDER_H

#include "base/buffer.h"
#include "base/json_read.h"
#include "charge/bill.h"
#include "charge/trace.h"
#include "device/device.h"
#include "station/energy.h"
#include "store/journal.h"

enum { ORDER_ID = 28, ORDER_USER = 40, ORDER_VIN = 18, ORDER_CAUSE = 24, ORDER_RECORD_MAX = 65536 };

/* ChargeModel, protocol.md 2.11. */
enum order_mode { ORDER_UNKNOWN_MODE, ORDER_BY_PLATFORM, ORDER_BY_CARD, ORDER_OTHER };

struct order {
	char seq[JOURNAL_SEQ];
	char connector_id[ORDER_ID];
	char platform[JOURNAL_NAME]; /* that started it, "" = none */
	char user_class[32];
	char user[ORDER_USER]; /* the card, or whatever the platform calls its user; personal data: masked in logs */
	enum order_mode mode;
	char profile[64], profile_version[65]; /* that read the charger at the start; "" = not known */
	struct tariff tariff;
	/* Of what went by unseen and was found when the next charge had its order: that one's number. It is closed later. "": none had. */
	char during[JOURNAL_SEQ];
	char meter[ENERGY_SOURCE]; /* whose register counts, from its start to its end; "" = the charger's own */
	/* What the car said, by its charger or a BMS listener; "" and has_soc 0: nothing. */
	char vin[ORDER_VIN]; /* personal data: masked in logs and lists */
	int has_soc;
	int64_t soc_start_milli, soc_end_milli; /* thousandths of a percent: the first and the last */
	char cause_code[ORDER_CAUSE];           /* why car or charger ended it: stable, for rules ... */
	char cause[DEVICE_TEXT_MAX];            /* ... and in words */
	int has_idle;                           /* the register was known before current flowed ... */
	int64_t idle_wh;                        /* ... and stood there */
	int stopping;                           /* a stop was accepted ... */
	int stop_reason;                        /* ... whose StopReason this is */
	int failed;   /* the start was told as a failure; what flows all the same is stopped */
	int asking;   /* it began on site, and somebody is being asked who vouches for it */
	int unwanted; /* nobody does, or the place was kept for somebody: the StopReason with which it is stopped as soon as it can be; 0: not so */
	int began;    /* the start was told as a success */
	int metered;  /* current was seen: split is begun */
	struct split split;
	struct trace trace; /* of split; goes into the record once it has ended, not with every note: flash wears out */
	int64_t start_wall; /* of the command, and of the current once it was seen */
	int64_t end_wall;   /* 0 while it runs */
	int64_t occupied_s; /* after the end */
	int reason;         /* StopReason, once it has ended */
};

/* As it goes into the journal; record is what order_write made and must live as long. Money is what the bill says now. */
struct journal_order order_entry(const struct order *order, const char *record);
/* Appends the record as JSON. FC_OK, FC_ENOMEM, FC_ELIMIT. */
int order_write(const struct order *order, struct buffer *out);
/* Calls fn with the order as it goes into the journal. What fn returns, or FC_ENOMEM, FC_ELIMIT and *err. */
int order_record(const struct order *order, int (*fn)(void *user, const struct journal_order *entry, struct error *err),
		 void *user, struct error *err);
/* Takes back what order_write and order_entry made. FC_OK, FC_EINVAL with what is missing, FC_ENOMEM. */
int order_read(struct json_reader *reader, const struct journal_order *entry, struct order *order, struct error *err);
/* The order was begun by a clock that was not set, and all its times are by seconds too early: moves them, and takes the prices
 * of the time that it really is. What was delivered stays, spread evenly over the time so far. */
void order_move(struct order *order, int64_t by, const struct tariff *tariff);
/* The bill as it stands. */
void order_bill(const struct order *order, struct bill *bill);

#endif
