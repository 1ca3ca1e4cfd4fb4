/* GB/T 27930: the tables, and what a listener has heard. For gbt*.c only. */
#ifndef FC_DEVICE_GBT_STATE_H
#define FC_DEVICE_GBT_STATE_H

#include "device/gbt27930.h"

enum gbt_id {
	CHM,
	BHM,
	CRM,
	BRM,
	BCP,
	CTS,
	CML,
	BRO,
	CRO,
	BCL,
	BCS,
	CCS,
	BSM,
	BMV,
	BMT,
	BSP,
	BST,
	CST,
	BSD,
	CSD,
	BEM,
	CEM,
	MESSAGES,
	NO_MESSAGE = MESSAGES, /* of a signal that is worked out */
};

struct gbt_row {
	const char *name;
	uint32_t pgn;
	uint8_t from_car;
	uint16_t least, most; /* bytes that make sense; what is longer is cut */
	uint16_t period_ms;
	enum gbt_phase phase; /* it belongs to */
};
extern const struct gbt_row gbt_rows[MESSAGES];

/* struct gbt_place: form */
enum gbt_form {
	GBT_NUMBER,   /* bits, from the lowest: raw * scale + offset; all ones: not said */
	GBT_CODE,     /* the same, but all ones has a meaning */
	GBT_CHOICE,   /* 1 to most */
	GBT_FLAG,     /* 2 bits: 0 and 1; the others are not said */
	GBT_LEVEL,    /* 2 bits: 0, 1 and 2 */
	GBT_HELD,     /* 2 bits: 0 and 1; 2: unknown, what was said before stands */
	GBT_READY,    /* a byte: 0, 0xaa; 0xff and others are not said */
	GBT_ASCII,    /* bytes */
	GBT_VERSION,  /* 3 bytes: 01 01 00 is V1.1 */
	GBT_DATE,     /* year since 1985, month, day */
	GBT_CLOCK,    /* BCD: second, minute, hour, day, month, year */
	GBT_SOFTWARE, /* number, day, month, year */
	GBT_BATTERY,  /* battery type as text */
	GBT_COUNT,
	GBT_LOWEST,
	GBT_HIGHEST, /* of a list of cells or sensors */
	GBT_PAUSE,
	GBT_POWER, /* worked out of several fields */
	GBT_OF_PHASE,
	GBT_OF_PHASE_NAME,
	GBT_OF_EDITION,
	GBT_OF_SESSIONS,
	GBT_OF_RESTARTS,
	GBT_STOP_CODE,
	GBT_STOP_REASON,
	GBT_STOP_BY,
	GBT_STOP_FAULT,
	GBT_ERROR_CODE,
	GBT_ERROR_REASON,
	GBT_WAIT_CODE,
	GBT_WAIT_TEXT,
};

/* Seen in this attempt, that is since the last CHM or CRM began it. */
struct gbt_heard {
	int64_t first_us, last_us;
	uint32_t count;
	uint16_t len;
	uint8_t *data;
};

enum { HELD_FIELDS = 4, POOL = 1024, WAITS = 20 };

/* What BST, CST, BEM, CEM and BSM said since the last start: a bit a flag (gbt_reason.c). */
struct gbt_told {
	uint32_t bst, cst, bem, cem, bsm;
	uint8_t heard_bst, heard_cst, car_first;
	uint8_t silent, replaced; /* it ended without a word; another began without an end */
};

struct gbt {
	void (*event)(void *user, const struct gbt_event *event);
	void *user;
	struct j1939 transport;
	int64_t now_us, heard_us; /* of the last frame between the two */
	int64_t listening_us;     /* since when; 0: not yet */
	int64_t look_us;          /* nothing can be overdue before */
	struct gbt_heard heard[MESSAGES];
	uint64_t counts[MESSAGES];
	int64_t lasts[MESSAGES];
	uint8_t pool[POOL];

	enum gbt_phase phase;
	int64_t phase_us;                 /* since */
	int64_t settled_us;               /* when a stop or an error was last said */
	int64_t stop_us;                  /* when the first BST or CST came */
	int64_t pause_us;                 /* since when the car forbids; 0: it does not */
	int64_t known_us, bro_us, cro_us; /* when CRM, BRO and CRO first said 0xaa */
	int64_t held_us[HELD_FIELDS];
	uint32_t attempts; /* restarts of this session */
	int watched;       /* the bus was heard to be silent before this session */
	enum gbt_edition edition;
	int evidence; /* how strong, see gbt_session.c */
	struct gbt_told told;
	const struct gbt_reason *stop, *error;
	const struct gbt_wait *waited;
	int64_t waited_us;
	int64_t fired[WAITS]; /* what each wait counted from when it was told */
	uint32_t changes;
	int whole; /* the message that the frame now taken made whole, or -1 */
	struct gbt_stats stats;
};

/* gbt_decode.c: a field of bits as it was heard; 0: it was not, or not so long, or all ones (not for GBT_CODE). */
int gbt_raw(const struct gbt *g, int signal, uint32_t *raw);

/* gbt_session.c. What was heard is in g->heard already. */
void gbt_session_message(struct gbt *g, enum gbt_id message);
void gbt_session_opened(struct gbt *g, uint32_t pgn, unsigned length);
void gbt_session_silent(struct gbt *g, int64_t when_us);
void gbt_session_deaf(struct gbt *g);
void gbt_tell(struct gbt *g, const struct gbt_event *event);

/* gbt_wait.c */
void gbt_wait_look(struct gbt *g, int64_t now_us);
/* A CCS came: does current flow though it should have stopped? */
void gbt_wait_current(struct gbt *g);

/* gbt_reason.c */
void gbt_reason_note(struct gbt *g, enum gbt_id message);
void gbt_reason_update(struct gbt *g);

#endif
