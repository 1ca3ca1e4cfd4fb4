/* Command: what a command is, for those who write one. For this room only. */
#ifndef FC_CONTROL_COMMAND_H
#define FC_CONTROL_COMMAND_H

#include "base/maker.h"
#include "control/control.h"
#include "script/json.h"
#include "store/audit.h"

enum control_kind {
	CONTROL_TEXT, /* min..max bytes */
	CONTROL_DATE, /* "2026-01-31" */
	CONTROL_INT,  /* min..max */
	CONTROL_FLAG,
};

struct control_argument {
	const char *name;
	enum control_kind kind;
	int min, max;
	int required;
};

struct control_command {
	const char *name;
	enum control_right right;
	const char *about;
	/* Fills reply->result and returns FC_OK; or says why not in *err and returns its code; or CONTROL_LATER. */
	int (*run)(struct control *control, struct control_reply *reply, struct error *err);
	const struct control_argument *arguments; /* ends with a NULL name; NULL = none. They are checked before run. */
};

/* "2026-01-31" and such. */
enum { CONTROL_LATER = 1, CONTROL_DATE_MAX = 10 };

struct control_reply {
	struct arena arena;            /* for the result */
	const struct value *arguments; /* while run runs */
	struct value *result;
	/* A command that answers later must be told when there is nobody left to answer to: the control room ends. */
	void (*cancel)(void *user);
	void *cancel_user;
	/* The room's own. */
	struct control *control;
	const struct control_command *command;
	control_done done; /* NULL: forgotten */
	void *user;
	char what[240]; /* for the log */
	/* For the audit. A command that comes often and changes nothing sets is_quiet as it begins: neither the log nor the audit
	 * hears of it. One that writes its own row sets has_audit. */
	int is_quiet, has_audit;
	int64_t at_wall;
	char who[AUDIT_WHO], arguments_text[AUDIT_TEXT];
	struct control_reply *next;
};

enum { CONTROL_RAW_READERS = 16 };

struct control {
	struct control_sources sources;
	const struct control_command *commands; /* the table below; a test may have its own */
	int command_count;
	struct json_reader *reader; /* of orders' records */
	struct control_reply *replies;
	int is_rolling_back; /* a rollback is tried, and not written yet */
	/* Who reads the trace raw, and is in the audit with it: how far they have come. */
	struct raw_reader {
		char who[AUDIT_WHO];
		uint64_t next;
	} raw_readers[CONTROL_RAW_READERS];
	int raw_oldest;
};

/* Ends a command that answered CONTROL_LATER, never before its run has returned: code and text as from run, and the result in the
 * reply. The reply is gone. */
void control_finish(struct control_reply *reply, int code, const char *text);

/* Arguments, as checked: the text or NULL, the number or preset, 0 or 1. */
const char *control_text(const struct control_reply *reply, const char *name);
int64_t control_int(const struct control_reply *reply, const char *name, int64_t preset);
int control_flag(const struct control_reply *reply, const char *name);
/* From the first second of argument "from" to the last of "to"; all time where they are not given. */
void control_days(const struct control_reply *reply, int64_t *first, int64_t *last);
/* A time as a text; nothing at all for 0. */
void control_put_time(struct maker *m, struct value *object, const char *key, int64_t wall);
/* The members that describe an order's whole bill, its tariff and its repairs. */
void control_put_order(struct maker *m, struct value *object, const struct order *order);

/* The table, in the order in which they are told. */
extern const struct control_command control_commands[];
extern const int control_command_count;

int command_status(struct control *control, struct control_reply *reply, struct error *err);
int command_connectors(struct control *control, struct control_reply *reply, struct error *err);
int command_start(struct control *control, struct control_reply *reply, struct error *err);
int command_stop(struct control *control, struct control_reply *reply, struct error *err);
int command_orders(struct control *control, struct control_reply *reply, struct error *err);
int command_order(struct control *control, struct control_reply *reply, struct error *err);
int command_reconcile(struct control *control, struct control_reply *reply, struct error *err);
int command_check(struct control *control, struct control_reply *reply, struct error *err);
int command_record(struct control *control, struct control_reply *reply, struct error *err);
int command_resend(struct control *control, struct control_reply *reply, struct error *err);
int command_audit(struct control *control, struct control_reply *reply, struct error *err);
int command_bus_stats(struct control *control, struct control_reply *reply, struct error *err);
int command_bus_unit(struct control *control, struct control_reply *reply, struct error *err);
int command_bus_probe(struct control *control, struct control_reply *reply, struct error *err);
int command_bus_read(struct control *control, struct control_reply *reply, struct error *err);
int command_bus_write(struct control *control, struct control_reply *reply, struct error *err);
int command_bus_trace(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_versions(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_show(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_rollback(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_reload(struct control *control, struct control_reply *reply, struct error *err);

#endif
