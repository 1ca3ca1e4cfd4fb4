/* CLI: what the files of the program `forecourt` share: the call as it was typed, the daemon's answer, the language. */
#ifndef FC_CLI_CLI_H
#define FC_CLI_CLI_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json_read.h"
#include "base/value.h"
#include "cli/raw.h"

/* Exit codes; a promise to scripts. */
enum { CLI_DONE, CLI_REFUSED, CLI_USAGE, CLI_AWAY, CLI_DIFFERS };
enum { CLI_WORDS = 256 };

struct cli {
	const char *socket_path, *program_version;
	int json, chinese, help, version;
	/* As typed; NULL where not. */
	const char *words[CLI_WORDS]; /* behind the command */
	int word_count;
	const char *class, *from, *to, *platform, *limit;
	int open, csv, last, modules, message, life;
	const char *lua_dir, *call, *input, *context, *records, *against, *orders; /* lua */
	int all;
	const char *units, *timeout, *function, *address, *direct, *type, *order, *base, *unit, *seconds, *framing,
	    *pcapng, *candump; /* bus */
	int yes, force, follow, raw;
	const char *role, *days; /* account, token */
	int reset, disable, enable;
	const char *confirm, *passphrase_file; /* config */
	int put_back;
	const char *level, *room, *search; /* log */
	/* The daemon. */
	int fd; /* -1 = not connected yet */
	struct json_reader *reader;
	struct arena arena;   /* arguments before, the answer's tree behind an ask */
	struct buffer answer; /* its text */
};

/* All of `forecourt`: reads the call, hands it to its command; the exit code. */
int cli_main(int argc, char **argv, const char *version);

void cli_init(struct cli *cli);
void cli_fini(struct cli *cli);
/* Asks the daemon. arguments: in cli->arena, which is emptied; may be NULL. CLI_DONE and *result, which lasts until the next ask;
 * else the exit code, and the reason has been told. */
int cli_ask(struct cli *cli, const char *command, const struct value *arguments, const struct value **result);
/* 0 when no daemon listens there; 1 when one does, though it may not hear us: cli_ask says so then. Nothing is told. */
int cli_is_up(struct cli *cli);
/* A whole number of an argument, decimal or 0x..: 0, or -1. */
int cli_number(const char *text, long least, long most, long *out);
/* The result's own text. */
struct raw cli_raw(const struct cli *cli);
/* The result as it stands on a line: what --json prints. */
void cli_print_raw(const struct cli *cli);
/* Tells on standard error that it did not work, with --json also as an object on standard output. object: what it is about, or
 * NULL; text is translated. Returns exit_code. */
int cli_fail(const struct cli *cli, int exit_code, const char *code, const char *object, const char *text);

/* The text in the user's language: text.c. */
const char *say(const struct cli *cli, const char *english);
/* Nonzero when LC_ALL, LC_MESSAGES or LANG, whichever is set first, asks for Chinese. */
int text_wants_chinese(void);
/* Nonzero when there is a Chinese text for it (tests). */
int text_is_known(const char *english);

/* Members of the daemon's objects: "" or 0 when they are not there. */
const char *cli_text(const struct value *object, const char *key);
int64_t cli_int(const struct value *object, const char *key);

/* A list of alarms as a table. */
void cli_print_alarms(const struct cli *cli, const struct value *list);
/* Nonzero when the cause of that key has its Chinese words (tests). */
int alarms_cause_is_known(const char *key);

/* The commands. Each returns the exit code. */
int cli_status(struct cli *cli);
int cli_connectors(struct cli *cli);
int cli_start(struct cli *cli);
int cli_stop(struct cli *cli);
int cli_alarms(struct cli *cli);
int cli_unlock(struct cli *cli);
int cli_limit(struct cli *cli);
int cli_reserve(struct cli *cli);
int cli_unreserve(struct cli *cli);
int cli_orders_list(struct cli *cli);
int cli_orders_show(struct cli *cli);
/* What cli_orders_show does with --life; arguments as for cli_ask. */
int cli_order_life(struct cli *cli, const struct value *arguments);
int cli_orders_resend(struct cli *cli);
int cli_orders_export(struct cli *cli);
int cli_reconcile(struct cli *cli);
int cli_lua_check(struct cli *cli);
int cli_lua_test(struct cli *cli);
int cli_lua_replay(struct cli *cli);
int cli_lua_record(struct cli *cli);
int cli_profile_check(struct cli *cli);
int cli_profile_skeleton(struct cli *cli);
int cli_profile_import(struct cli *cli);
int cli_lua_versions(struct cli *cli);
int cli_lua_show(struct cli *cli);
int cli_lua_diff(struct cli *cli);
int cli_lua_rollback(struct cli *cli);
int cli_lua_save(struct cli *cli);
int cli_lua_reload(struct cli *cli);
int cli_audit(struct cli *cli);
int cli_config_show(struct cli *cli);
int cli_config_check(struct cli *cli);
int cli_config_apply(struct cli *cli);
int cli_config_confirm(struct cli *cli);
int cli_config_revert(struct cli *cli);
int cli_config_versions(struct cli *cli);
int cli_config_backup(struct cli *cli);
int cli_config_restore(struct cli *cli);
int cli_bus_stats(struct cli *cli);
int cli_bus_scan(struct cli *cli);
int cli_bus_read(struct cli *cli);
int cli_bus_write(struct cli *cli);
int cli_bus_trace(struct cli *cli);
int cli_account_list(struct cli *cli);
int cli_password(struct cli *cli);
int cli_account_set(struct cli *cli);
int cli_account_remove(struct cli *cli);
int cli_token_list(struct cli *cli);
int cli_token_add(struct cli *cli);
int cli_token_remove(struct cli *cli);
int cli_session_list(struct cli *cli);
int cli_session_end(struct cli *cli);
int cli_log(struct cli *cli);

#endif
