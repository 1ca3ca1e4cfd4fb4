/* Command: what a command is, for those who write one; and for those who carry and document them, read-only. */
#ifndef FC_CONTROL_COMMAND_H
#define FC_CONTROL_COMMAND_H

#include "base/json_read.h"
#include "base/maker.h"
#include "control/backup.h"
#include "control/control.h"
#include "store/audit.h"
#include "store/earned.h"
#include "store/journal_list.h"

enum control_kind {
	CONTROL_TEXT, /* min..max bytes; of one that may be longer than CONTROL_SHORT the log and the audit have its length only */
	CONTROL_DATE, /* "2026-01-31" */
	CONTROL_INT,  /* min..max */
	CONTROL_FLAG,
	CONTROL_SECRET,  /* a text that reaches no log and no audit */
	CONTROL_LIST,    /* min..max items; what they are is the command's to check */
	CONTROL_DECIMAL, /* a number, min..max, thousandths count */
	CONTROL_TIME,    /* seconds since 1970 */
};

/* Whether it changes something: who called it and how it ended is in the audit then. */
enum control_deed { CONTROL_LOOK, CONTROL_ACT };

struct control_argument {
	const char *name;
	enum control_kind kind;
	int min, max;
	int required;
};

struct control_command {
	const char *name;
	enum control_right right;
	enum control_deed deed;
	const char *about;
	/* Fills reply->result and returns FC_OK; or says why not in *err and returns its code; or CONTROL_LATER. */
	int (*run)(struct control *control, struct control_reply *reply, struct error *err);
	const struct control_argument *arguments; /* ends with a NULL name; NULL = none. They are checked before run. */
};

/* "2026-01-31" and such. */
enum { CONTROL_LATER = 1, CONTROL_DATE_MAX = 10, CONTROL_SHORT = 4096 };

struct control_reply {
	struct arena arena;            /* for the result */
	const struct value *arguments; /* while run runs */
	struct value *result;
	const char *key; /* of a refusal (struct control_result); NULL = none */
	/* A command that answers later must be told when there is nobody left to answer to: the control room ends. */
	void (*cancel)(void *user);
	void *cancel_user;
	/* The room's own. */
	struct control *control;
	const struct control_command *command;
	control_done done; /* NULL: forgotten */
	void *user;
	char what[320]; /* for the log */
	/* For the audit. A command that comes often and changes nothing sets is_quiet as it begins: neither the log nor the audit
	 * hears of it. One that writes its own row sets has_audit. */
	int is_quiet, has_audit;
	enum control_right right; /* the caller's */
	int64_t connected_us;     /* and when he connected; control.h */
	int64_t at_wall;
	char who[AUDIT_WHO], place[AUDIT_PLACE], arguments_text[AUDIT_TEXT];
	char before[AUDIT_TEXT],
	    after[AUDIT_TEXT]; /* an action may say what was there and what is now; never a secret */
	struct control_reply *next;
};

struct apply;

/* WORKS: what is tried or packed beside the loop for those who asked; each holds a text of up to 1 MB, whether they wait or not. */
enum { CONTROL_RAW_READERS = 16, CONTROL_PARTS_MAX = 8, CONTROL_WORKS_MAX = 8 };

/* What the overview asks the journal, and not each second. */
struct control_ledger {
	int64_t asked_us; /* 0 = never */
	int32_t day;
	struct earned today; /* of orders that ended */
	int64_t wh;          /* counted at the meters */
	struct control_ledger_platform {
		char name[JOURNAL_NAME];
		int64_t waiting, oldest_wall;
	} * platforms; /* owned */
	int platform_count;
};

struct aside;

struct control {
	struct control_sources sources;
	const struct control_command *const *tables; /* those below; a test may have its own */
	struct json_reader *reader;                  /* of orders' records */
	struct control_reply *replies;
	int is_writing_lua; /* a Lua file is tried, and not written yet */
	int is_previewing_lua;
	int works;            /* under way */
	struct aside *bundle; /* a support bundle is being packed */
	/* Who reads the trace raw, and is in the audit with it: how far they have come. */
	struct raw_reader {
		char who[AUDIT_WHO];
		uint64_t next;
	} raw_readers[CONTROL_RAW_READERS];
	int raw_oldest;
	struct apply *apply; /* of the configuration: apply.h */
	/* What other rooms have in a backup (backup.h); of a restore that waits for its confirmation: theirs, as JSON. */
	const struct control_part *parts[CONTROL_PARTS_MAX];
	int part_count;
	struct control_part accounts; /* one of them */
	char *restored_parts;
	struct control_ledger ledger;
	struct control_page page;
};

/* One more work beside the loop begins, and ends. FC_OK, FC_EBUSY: there are too many. */
int control_work_begin(struct control *control, struct error *err);
void control_work_end(struct control *control);
/* Ends a command that answered CONTROL_LATER, never before its run has returned: code and text as from run, and the result in the
 * reply. The reply is gone. */
void control_finish(struct control_reply *reply, int code, const char *text);

/* Arguments, as checked: the text or NULL, the number or preset, 0 or 1. */
const char *control_text(const struct control_reply *reply, const char *name);
int64_t control_int(const struct control_reply *reply, const char *name, int64_t preset);
/* Thousandths; preset where it is not given. */
int64_t control_milli(const struct control_reply *reply, const char *name, int64_t preset);
int control_flag(const struct control_reply *reply, const char *name);
/* In the log and the audit stands this (JSON) in place of the arguments, which hold secrets, or are long. To be called as run begins. */
void control_say_arguments(struct control_reply *reply, const char *json);
/* From the first second of argument "from" to the last of "to"; all time where they are not given. */
void control_days(const struct control_reply *reply, int64_t *first, int64_t *last);
/* A time as a text; nothing at all for 0. */
void control_put_time(struct maker *m, struct value *object, const char *key, int64_t wall);
/* Member "page" (page.c): its addresses, and its certificate's fingerprint. Nothing while there is no page. */
void control_put_page(const struct control *control, struct maker *m, struct value *root);
/* Member "setup" (setup.c): what is not set up yet, "needed" or not; overview.h names the keys. Nothing when nothing is missing. */
void control_put_setup(const struct control *control, struct maker *m, struct value *root);
/* Member "alarms": what is wrong now. */
void control_put_alarms(const struct control *control, struct maker *m, struct value *root);
/* Members of a connector: "reserved_until" and the operator's limit; and all that is only told of one: points, QR code, what can be done. */
void control_put_acts(struct maker *m, struct value *object, const struct connector *connector);
void control_put_detail(const struct control *control, struct maker *m, struct value *object,
			const struct connector *connector);
/* The text of a connector's QR code, "" when it does not fit. protocol.md 4.1 */
enum { CONTROL_QR = 128 };
void control_qr(const struct config *config, const struct connector *connector, char out[CONTROL_QR]);
/* A refusal with its key: returns code. */
int control_refuse(struct control_reply *reply, struct error *err, int code, const char *key, const char *text);
/* The members that describe an order's whole bill, its tariff and its repairs. */
void control_put_order(struct maker *m, struct value *object, const struct order *order);

/* A page of orders, as the arguments of the reply choose them. */
struct control_list {
	int details, oldest_first, most;
	struct journal_place *place; /* moved behind the page */
};
/* An array in *out, or NULL when the arena is full. 1 when there may be more, 0, or a code. */
int control_list_orders(struct control *control, const struct control_reply *reply, const struct control_list *list,
			struct arena *arena, struct value **out, struct error *err);
/* Argument "after"; FC_OK, FC_EINVAL. */
int control_read_place(const struct control_reply *reply, struct journal_place *place, struct error *err);
/* Member "next", which goes into "after". */
void control_put_next(struct maker *m, struct value *root, const struct journal_place *place);

/* The tables, in the order in which they are told: each ends with a NULL name, the last with NULL. */
extern const struct control_command *const control_tables[];
/* The ith command of all tables, or NULL. */
const struct control_command *control_command_at(const struct control_command *const *tables, int i);

extern const struct control_command control_station[]; /* table_station.c ... */
extern const struct control_command control_orders[];
extern const struct control_command control_bus[];
extern const struct control_command control_lua_files[];
extern const struct control_command control_history[];
extern const struct control_command control_audit[];
extern const struct control_command control_accounts[];
extern const struct control_command control_configuration[];
extern const struct control_command control_acts[];
extern const struct control_command control_tools[];

int command_overview(struct control *control, struct control_reply *reply, struct error *err);
int command_status(struct control *control, struct control_reply *reply, struct error *err);
int command_connectors(struct control *control, struct control_reply *reply, struct error *err);
int command_start(struct control *control, struct control_reply *reply, struct error *err);
int command_stop(struct control *control, struct control_reply *reply, struct error *err);
int command_alarms(struct control *control, struct control_reply *reply, struct error *err);
int command_unlock(struct control *control, struct control_reply *reply, struct error *err);
int command_limit(struct control *control, struct control_reply *reply, struct error *err);
int command_reserve(struct control *control, struct control_reply *reply, struct error *err);
int command_unreserve(struct control *control, struct control_reply *reply, struct error *err);
int command_orders(struct control *control, struct control_reply *reply, struct error *err);
int command_order(struct control *control, struct control_reply *reply, struct error *err);
int command_reconcile(struct control *control, struct control_reply *reply, struct error *err);
int command_check(struct control *control, struct control_reply *reply, struct error *err);
int command_record(struct control *control, struct control_reply *reply, struct error *err);
int command_resend(struct control *control, struct control_reply *reply, struct error *err);
int command_orders_csv(struct control *control, struct control_reply *reply, struct error *err);
int command_checks(struct control *control, struct control_reply *reply, struct error *err);
int command_history(struct control *control, struct control_reply *reply, struct error *err);
int command_events(struct control *control, struct control_reply *reply, struct error *err);
int command_order_life(struct control *control, struct control_reply *reply, struct error *err);
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
int command_config_schema(struct control *control, struct control_reply *reply, struct error *err);
int command_config_show(struct control *control, struct control_reply *reply, struct error *err);
int command_config_check(struct control *control, struct control_reply *reply, struct error *err);
int command_config_apply(struct control *control, struct control_reply *reply, struct error *err);
int command_config_confirm(struct control *control, struct control_reply *reply, struct error *err);
int command_config_revert(struct control *control, struct control_reply *reply, struct error *err);
int command_config_versions(struct control *control, struct control_reply *reply, struct error *err);
int command_config_version(struct control *control, struct control_reply *reply, struct error *err);
int command_backup(struct control *control, struct control_reply *reply, struct error *err);
int command_restore(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_files(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_read(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_api(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_check(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_preview(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_save(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_remove(struct control *control, struct control_reply *reply, struct error *err);
int command_lua_reload(struct control *control, struct control_reply *reply, struct error *err);
int command_accounts(struct control *control, struct control_reply *reply, struct error *err);
int command_account_set(struct control *control, struct control_reply *reply, struct error *err);
int command_account_remove(struct control *control, struct control_reply *reply, struct error *err);
int command_tokens(struct control *control, struct control_reply *reply, struct error *err);
int command_token_add(struct control *control, struct control_reply *reply, struct error *err);
int command_token_remove(struct control *control, struct control_reply *reply, struct error *err);
int command_sessions(struct control *control, struct control_reply *reply, struct error *err);
int command_session_end(struct control *control, struct control_reply *reply, struct error *err);
int command_log(struct control *control, struct control_reply *reply, struct error *err);
int command_messages(struct control *control, struct control_reply *reply, struct error *err);
int command_message(struct control *control, struct control_reply *reply, struct error *err);
int command_message_replay(struct control *control, struct control_reply *reply, struct error *err);
int command_conformance(struct control *control, struct control_reply *reply, struct error *err);
int command_conformance_report(struct control *control, struct control_reply *reply, struct error *err);
int command_trace_file(struct control *control, struct control_reply *reply, struct error *err);
int command_support_bundle(struct control *control, struct control_reply *reply, struct error *err);

#endif
