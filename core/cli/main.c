/* forecourt: the gateway's command line. Reads the call, hands it to its command, tells by its exit code how it went. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/screen.h"
#include "config/config.h"

enum { LIMIT_MAX = 10000 };
/* Columns of the help. */
enum { CALL_AT = 2, ABOUT_AT = 6 };

/* Options of commands, as bits. */
enum {
	WITH_CLASS = 1 << 0,
	WITH_DAYS = 1 << 1,
	WITH_PLATFORM = 1 << 2,
	WITH_OPEN = 1 << 3,
	WITH_LIMIT = 1 << 4,
	WITH_REPORT = 1 << 5,
	WITH_LUA_DIR = 1 << 6,
	WITH_CALL = 1 << 7,
	WITH_RECORDS = 1 << 8,
	WITH_ORDERS = 1 << 9,
	WITH_MODULES = 1 << 10,
	WITH_CSV = 1 << 11,
	WITH_SCAN = 1 << 12,
	WITH_VALUE = 1 << 13,
	WITH_YES = 1 << 14,
	WITH_TRACE = 1 << 15,
	WITH_FORCE = 1 << 16,
	WITH_MESSAGE = 1 << 17,
	WITH_ACCOUNT = 1 << 18,
	WITH_DAYS_LEFT = 1 << 19,
	WITH_CONFIRM = 1 << 20,
	WITH_PASSPHRASE = 1 << 21,
	WITH_PUT_BACK = 1 << 22,
	WITH_LIFE = 1 << 23,
	WITH_RAW = 1 << 24,
	WITH_LOG = 1 << 25,
};

static const struct command {
	const char *name, *second; /* "orders", "list"; second NULL: none */
	const char *usage;
	int least, most; /* words */
	unsigned options;
	int (*run)(struct cli *cli);
	const char *english, *chinese;
} commands[] = {
    {"status", NULL, "", 0, 0, 0, cli_status, "how the gateway is", "网关状态"},
    {"connectors", NULL, "[CONNECTOR]", 0, 1, 0, cli_connectors, "all connectors, or all about one",
     "全部接口，或一个接口的详情"},
    {"start", NULL, "CONNECTOR [--class CLASS]", 1, 1, WITH_CLASS, cli_start,
     "starts a charge; its order is no platform's", "启动充电（订单不属于任何平台）"},
    {"stop", NULL, "CONNECTOR|ORDER", 1, 1, 0, cli_stop, "stops a charge", "停止充电"},
    {"alarms", NULL, "", 0, 0, 0, cli_alarms, "what is wrong, since when and why", "告警：何处、何时起、原因"},
    {"unlock", NULL, "CONNECTOR", 1, 1, 0, cli_unlock, "opens the connector's lock; not while it charges",
     "打开接口电子锁（充电中不可）"},
    {"limit", NULL, "CONNECTOR VALUE|release", 2, 2, 0, cli_limit,
     "limits a connector, in the unit of its profile, until another limit or release; kept over restarts",
     "限制接口功率或电流（单位见配置文件），直到更改或 release；重启后仍有效"},
    {"reserve", NULL, "CONNECTOR MINUTES [NOTE]", 2, 3, 0, cli_reserve,
     "keeps a connector for somebody: others can't start there; a day at most", "预约接口：他人不能启动充电，最长一天"},
    {"unreserve", NULL, "CONNECTOR", 1, 1, 0, cli_unreserve, "ends a reservation", "取消预约"},
    {"orders", "list", "[--from DATE] [--to DATE] [--platform NAME] [--open] [--limit N]", 0, 0,
     WITH_DAYS | WITH_PLATFORM | WITH_OPEN | WITH_LIMIT, cli_orders_list, "orders, the newest first (50)",
     "订单列表，最新在前（50 条）"},
    {"orders", "show", "ORDER [--life]", 1, 1, WITH_LIFE, cli_orders_show,
     "all about one order; --life: what happened about it, message by message",
     "订单详情；--life 查看全过程（逐条报文）"},
    {"orders", "resend", "ORDER [PLATFORM]", 1, 2, 0, cli_orders_resend, "tells an order to its platforms once more",
     "向平台重发订单"},
    {"orders", "export", "[--from DATE] [--to DATE] [--platform NAME]", 0, 0, WITH_DAYS | WITH_PLATFORM,
     cli_orders_export, "closed orders as CSV; with --json one object a line",
     "导出已结束订单：CSV，或 --json 每行一个对象"},
    {"reconcile", NULL, "PLATFORM [DATE] [--csv] [--last]", 1, 2, WITH_REPORT, cli_reconcile,
     "compares a day's orders (yesterday's) with the platform; --last: what came of it before",
     "与平台核对某日订单（默认昨日）；--last 查看上次结果"},
    {"lua", "check", "[FILE|FOLDER]... [--lua-dir DIR]", 0, CLI_WORDS, WITH_LUA_DIR, cli_lua_check,
     "checks Lua files as the gateway does at load; no daemon is asked",
     "像网关加载时一样检查 Lua 文件（不需守护进程）"},
    {"lua", "test", "FILE [--call PATH --input JSON [--context JSON]] [--lua-dir DIR]", 1, 1, WITH_CALL | WITH_LUA_DIR,
     cli_lua_test, "runs a file's examples one by one, or one function of it",
     "逐个运行文件中的示例，或调用其中一个函数"},
    {"lua", "record", "[FILE] [--orders N]", 0, 1, WITH_ORDERS, cli_lua_record,
     "writes the last messages and closed orders (200), masked, for replay",
     "写出最近的报文和已结束订单（200 个，已脱敏）供回放"},
    {"lua", "replay", "FILE --records FILE [--against OTHER] [--platform NAME] [--all] [--lua-dir DIR]", 1, 1,
     WITH_RECORDS | WITH_PLATFORM | WITH_LUA_DIR, cli_lua_replay,
     "what a changed mapping or policy would have made of recorded messages and orders",
     "修改后的映射或计价策略对已记录的报文和订单会有何不同"},
    {"profile", "check", "FILE...", 1, CLI_WORDS, 0, cli_profile_check,
     "checks charger profiles, runs their examples, shows what will be read and written; no daemon is asked",
     "检查充电桩配置文件、运行示例并显示读写计划（不需守护进程）"},
    {"profile", "skeleton", "FILE.csv", 1, 1, 0, cli_profile_skeleton,
     "a first draft of a profile from a register list (CSV)", "由寄存器表（CSV）生成充电桩配置文件草稿"},
    {"profile", "import", "FILE.dbc [--message NAME...]", 1, CLI_WORDS, WITH_MESSAGE, cli_profile_import,
     "a first draft of a profile from a CAN database (DBC); of the messages named, or of all",
     "由 CAN 数据库（DBC）生成配置文件草稿：指定的报文或全部"},
    {"lua", "versions", "[SCRIPT] [--limit N]", 0, 1, WITH_LIMIT, cli_lua_versions,
     "the versions of Lua files that came into force, the newest first (50)",
     "曾经生效的 Lua 文件版本，最新在前（50 条）"},
    {"lua", "show", "SCRIPT [VERSION]", 1, 2, 0, cli_lua_show, "the text of a version; that in force",
     "某个版本的文本（默认：生效中的）"},
    {"lua", "diff", "SCRIPT [VERSION [VERSION]]", 1, 3, 0, cli_lua_diff,
     "what changed between two versions; from the one before to the one in force",
     "两个版本的差异（默认：上一版与生效版）"},
    {"lua", "rollback", "SCRIPT [VERSION] [--modules]", 1, 2, WITH_MODULES, cli_lua_rollback,
     "puts a version (the one before) back into its file and into force; --modules: and the modules it was made of",
     "恢复某个版本（默认：上一版）并使其生效；--modules 连同其模块"},
    {"lua", "save", "SCRIPT FILE", 2, 2, 0, cli_lua_save,
     "checks FILE and puts it into the gateway's SCRIPT (operators/base) and into force, or changes nothing",
     "检查 FILE 并写入网关的脚本 SCRIPT（如 operators/base）使其生效，否则不作任何改动"},
    {"lua", "reload", "", 0, 0, 0, cli_lua_reload, "loads all Lua files again", "重新加载全部 Lua 文件"},
    {"bus", "stats", "[LINE] [--csv]", 0, 1, WITH_CSV, cli_bus_stats,
     "how the lines and their units do: answers, errors, times, load", "线路和从站状况：应答、错误、时延、负载"},
    {"bus", "scan",
     "LINE|--direct tcp:HOST:PORT|--direct DEVICE[,BAUD[,8N1]] [--framing tcp|rtu|ascii] [--units 1-247] [--timeout "
     "MS] [--function N] "
     "[--address N]",
     0, 1, WITH_SCAN, cli_bus_scan,
     "which units answer: one harmless read each, between the polls; --direct: a line that no daemon has open",
     "哪些从站有应答：每个只读一次，穿插在轮询之间；--direct：守护进程未打开的线路"},
    {"bus", "read",
     "LINE UNIT FUNCTION ADDRESS [COUNT] [--type u16|s16|u32|s32|u64|s64|f32|f64|text] [--order hi-lo|lo-hi] [--base "
     "N] "
     "[--timeout MS] [--force] [--raw]",
     4, 5, WITH_VALUE | WITH_FORCE | WITH_RAW, cli_bus_read,
     "reads registers or coils once; ADDRESS is zero-based, or counts from --base (40001); personal data is masked "
     "unless "
     "--raw",
     "读一次寄存器或线圈；地址从 0 起，或从 --base（如 40001）起；个人信息已脱敏，除非 --raw"},
    {"bus", "write",
     "LINE UNIT FUNCTION ADDRESS VALUE... [--type TYPE] [--order hi-lo|lo-hi] [--base N] [--yes] [--force]", 5,
     CLI_WORDS, WITH_VALUE | WITH_YES | WITH_FORCE, cli_bus_write,
     "writes registers or coils once, after asking; before and after go into the audit",
     "确认后写一次寄存器或线圈；写前写后的值记入操作记录"},
    {"bus", "trace", "[LINE] [--follow] [--seconds N] [--unit N] [--pcapng FILE|--candump FILE] [--raw]", 0, 1,
     WITH_TRACE, cli_bus_trace,
     "the last frames on the lines; personal data (VIN, card) is masked unless --raw; FILE may be - (standard output)",
     "线路上最近的报文；个人信息（VIN、卡号）已脱敏，除非 --raw；FILE 可为 -（标准输出）"},
    {"audit", NULL, "[--limit N]", 0, 0, WITH_LIMIT, cli_audit,
     "who ordered what and how it ended, the newest first (50)",
     "操作记录：谁、何时、做了什么、结果，最新在前（50 条）"},
    {"password", NULL, "", 0, 0, 0, cli_password,
     "the user and the one-time password of the first log-in, for root on the box",
     "首次登录的用户名和一次性密码（仅设备上的 root）"},
    {"account", "list", "", 0, 0, 0, cli_account_list, "who may use the page", "管理页面的账户"},
    {"account", "set", "NAME [--role viewer|operator|integrator|administrator] [--reset] [--disable|--enable]", 1, 1,
     WITH_ACCOUNT, cli_account_set,
     "adds an account or changes it; a new one, or --reset, gets a password that is shown once",
     "新增或修改账户；新账户或 --reset 会得到只显示一次的密码"},
    {"account", "remove", "NAME", 1, 1, 0, cli_account_remove, "removes an account", "删除账户"},
    {"token", "list", "", 0, 0, 0, cli_token_list, "the tokens of programs", "程序用的令牌"},
    {"token", "add", "NAME ROLE [--days N]", 2, 2, WITH_DAYS_LEFT, cli_token_add,
     "makes a token for a program (365 days); it is shown once", "为程序生成令牌（默认 365 天），只显示一次"},
    {"token", "remove", "NUMBER", 1, 1, 0, cli_token_remove, "revokes a token", "撤销令牌"},
    {"session", "list", "", 0, 0, 0, cli_session_list, "who is logged in", "已登录的会话"},
    {"session", "end", "NUMBER", 1, 1, 0, cli_session_end, "logs somebody out", "结束会话"},
    {"config", "show", "", 0, 0, 0, cli_config_show, "the configuration, its secrets masked", "显示配置（密钥已隐藏）"},
    {"config", "check", "FILE", 1, 1, 0, cli_config_check,
     "what is wrong with a configuration, and what it would change; FILE may be - (standard input)",
     "检查配置文件的错误及其将带来的变化；FILE 可为 -（标准输入）"},
    {"config", "apply", "FILE [--confirm SECONDS]", 1, 1, WITH_CONFIRM, cli_config_apply,
     "takes it over; unless it is confirmed within 90 s, the one before comes back",
     "应用配置；90 秒内未确认则自动恢复原配置"},
    {"config", "confirm", "", 0, 0, 0, cli_config_confirm, "keeps what was applied", "确认保留已应用的配置"},
    {"config", "revert", "", 0, 0, 0, cli_config_revert, "takes back what was applied", "撤销已应用的配置"},
    {"config", "versions", "[VERSION [--put-back [--confirm SECONDS]]]", 0, 1, WITH_PUT_BACK | WITH_CONFIRM,
     cli_config_versions, "the last configurations; what has changed since one; --put-back: applies it again",
     "历史配置；与某个版本的差异；--put-back 重新应用该版本"},
    {"config", "backup", "[FILE] [--passphrase-file FILE]", 0, 1, WITH_PASSPHRASE, cli_config_backup,
     "configuration, Lua files and certificates in one file, secrets encrypted",
     "备份配置、Lua 文件和证书为一个文件，密钥已加密"},
    {"config", "restore", "FILE [--passphrase-file FILE] [--confirm SECONDS]", 1, 1, WITH_PASSPHRASE | WITH_CONFIRM,
     cli_config_restore, "takes such a file over, to be confirmed like apply", "恢复备份文件，与 apply 一样需确认"},
    {"log", NULL, "[--level LEVEL] [--room ROOM] [--search TEXT] [--limit N] [--follow]", 0, 0, WITH_LOG | WITH_LIMIT,
     cli_log, "the last lines (100, at most 500) of the daemon's log; --follow: and what comes",
     "守护进程日志的最后若干行（100 行，最多 500）；--follow 持续显示"},
    {"help", NULL, "", 0, 0, 0, NULL, "this", "本帮助"},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct option {
	const char *name;
	unsigned bits; /* of the commands that have it; 0 = all */
	enum { FLAG, TEXT, DATE, LIMIT, COUNT } kind;
	size_t offset; /* in struct cli: an int, or a text */
} options[] = {
    {"--socket", 0, TEXT, offsetof(struct cli, socket_path)},
    {"--json", 0, FLAG, offsetof(struct cli, json)},
    {"--help", 0, FLAG, offsetof(struct cli, help)},
    {"--version", 0, FLAG, offsetof(struct cli, version)},
    {"--class", WITH_CLASS, TEXT, offsetof(struct cli, class)},
    {"--from", WITH_DAYS, DATE, offsetof(struct cli, from)},
    {"--to", WITH_DAYS, DATE, offsetof(struct cli, to)},
    {"--platform", WITH_PLATFORM, TEXT, offsetof(struct cli, platform)},
    {"--limit", WITH_LIMIT, LIMIT, offsetof(struct cli, limit)},
    {"--csv", WITH_REPORT | WITH_CSV, FLAG, offsetof(struct cli, csv)},
    {"--units", WITH_SCAN, TEXT, offsetof(struct cli, units)},
    {"--timeout", WITH_SCAN | WITH_VALUE, TEXT, offsetof(struct cli, timeout)},
    {"--function", WITH_SCAN, TEXT, offsetof(struct cli, function)},
    {"--address", WITH_SCAN, TEXT, offsetof(struct cli, address)},
    {"--direct", WITH_SCAN, TEXT, offsetof(struct cli, direct)},
    {"--framing", WITH_SCAN, TEXT, offsetof(struct cli, framing)},
    {"--type", WITH_VALUE, TEXT, offsetof(struct cli, type)},
    {"--order", WITH_VALUE, TEXT, offsetof(struct cli, order)},
    {"--base", WITH_VALUE, TEXT, offsetof(struct cli, base)},
    {"--yes", WITH_YES, FLAG, offsetof(struct cli, yes)},
    {"--force", WITH_FORCE, FLAG, offsetof(struct cli, force)},
    {"--follow", WITH_TRACE | WITH_LOG, FLAG, offsetof(struct cli, follow)},
    {"--seconds", WITH_TRACE, TEXT, offsetof(struct cli, seconds)},
    {"--unit", WITH_TRACE, TEXT, offsetof(struct cli, unit)},
    {"--pcapng", WITH_TRACE, TEXT, offsetof(struct cli, pcapng)},
    {"--candump", WITH_TRACE, TEXT, offsetof(struct cli, candump)},
    {"--raw", WITH_TRACE | WITH_RAW, FLAG, offsetof(struct cli, raw)},
    {"--level", WITH_LOG, TEXT, offsetof(struct cli, level)},
    {"--room", WITH_LOG, TEXT, offsetof(struct cli, room)},
    {"--search", WITH_LOG, TEXT, offsetof(struct cli, search)},
    {"--last", WITH_REPORT, FLAG, offsetof(struct cli, last)},
    {"--lua-dir", WITH_LUA_DIR, TEXT, offsetof(struct cli, lua_dir)},
    {"--call", WITH_CALL, TEXT, offsetof(struct cli, call)},
    {"--input", WITH_CALL, TEXT, offsetof(struct cli, input)},
    {"--context", WITH_CALL, TEXT, offsetof(struct cli, context)},
    {"--records", WITH_RECORDS, TEXT, offsetof(struct cli, records)},
    {"--against", WITH_RECORDS, TEXT, offsetof(struct cli, against)},
    {"--all", WITH_RECORDS, FLAG, offsetof(struct cli, all)},
    {"--orders", WITH_ORDERS, COUNT, offsetof(struct cli, orders)},
    {"--modules", WITH_MODULES, FLAG, offsetof(struct cli, modules)},
    {"--life", WITH_LIFE, FLAG, offsetof(struct cli, life)},
    {"--message", WITH_MESSAGE, FLAG, offsetof(struct cli, message)}, /* what follows are names: words like others */
    {"--confirm", WITH_CONFIRM, LIMIT, offsetof(struct cli, confirm)},
    {"--passphrase-file", WITH_PASSPHRASE, TEXT, offsetof(struct cli, passphrase_file)},
    {"--put-back", WITH_PUT_BACK, FLAG, offsetof(struct cli, put_back)},
    {"--open", WITH_OPEN, FLAG, offsetof(struct cli, open)},
    {"--role", WITH_ACCOUNT, TEXT, offsetof(struct cli, role)},
    {"--reset", WITH_ACCOUNT, FLAG, offsetof(struct cli, reset)},
    {"--disable", WITH_ACCOUNT, FLAG, offsetof(struct cli, disable)},
    {"--enable", WITH_ACCOUNT, FLAG, offsetof(struct cli, enable)},
    {"--days", WITH_DAYS_LEFT, TEXT, offsetof(struct cli, days)},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };
_Static_assert(OPTIONS <= 64, "what was given is noted in 64 bits");

static void usage(const struct cli *cli, FILE *to)
{
	fprintf(to, cli->chinese ? "用法：forecourt 命令 [--json] [--socket 路径]\n\n"
				 : "usage: forecourt COMMAND [--json] [--socket PATH]\n\n");
	for (int i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];

		char call[400];

		(void)snprintf(call, sizeof(call), "%s%s%s%s%s", c->name, c->second ? " " : "",
			       c->second ? c->second : "", *c->usage ? " " : "", c->usage);
		fprintf(to, "%*s", CALL_AT, "");
		screen_wrap(call, CALL_AT, CALL_AT + 8, to);
		fprintf(to, "%*s", ABOUT_AT, "");
		screen_wrap(cli->chinese ? c->chinese : c->english, ABOUT_AT, ABOUT_AT, to);
	}
	fprintf(to,
		cli->chinese ? "\n日期如 2026-01-31（含当日，按订单结束日）。\n"
			       "套接字默认 %s，或环境变量 FORECOURT_SOCKET。\n"
			       "退出码：0 完成，1 被拒绝或失败，2 用法错误，3 无法连接守护进程，\n"
			       "4 lua replay 发现差异。\n"
			     : "\nA DATE such as 2026-01-31 is inclusive; an order belongs to the day it ended.\n"
			       "PATH is %s unless FORECOURT_SOCKET says otherwise.\n"
			       "Exit codes: 0 done, 1 refused or failed, 2 wrong usage,\n"
			       "3 the daemon can't be reached, 4 lua replay found differences.\n",
		CONFIG_CONTROL_SOCKET);
}

static int help_json(void)
{
	const char *comma = "";

	(void)fputs("{\"commands\":[", stdout);
	for (int i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];

		printf("%s{\"command\":\"%s%s%s\",\"usage\":\"%s\",\"about\":\"%s\"}", comma, c->name,
		       c->second ? " " : "", c->second ? c->second : "", c->usage, c->english);
		comma = ",";
	}
	(void)fputs("]}\n", stdout);
	return CLI_DONE;
}

static int wrong(const struct cli *cli, const char *object, const char *text)
{
	return cli_fail(cli, CLI_USAGE, "usage", object, text);
}

/* The command that the first words name; its own words begin at *rest. */
static const struct command *find_command(char **words, int count, int *rest)
{
	for (int i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];
		int n = c->second ? 2 : 1;

		if (count < n || strcmp(words[0], c->name) != 0 || (c->second && strcmp(words[1], c->second) != 0))
			continue;
		*rest = n;
		return c;
	}
	return NULL;
}

static int wrong_call(const struct cli *cli, const struct command *c)
{
	char text[400];

	(void)snprintf(text, sizeof(text), "forecourt %s%s%s %s", c->name, c->second ? " " : "",
		       c->second ? c->second : "", c->usage);
	return wrong(cli, text, "is how to call it");
}

static const struct option *find_option(const char *word, size_t len)
{
	for (int i = 0; i < OPTIONS; i++)
		if (strlen(options[i].name) == len && !strncmp(options[i].name, word, len))
			return &options[i];
	return NULL;
}

static int check_value(const struct cli *cli, const struct option *o, const char *value)
{
	int32_t day;
	char *end;

	if (o->kind == DATE && clock_parse_date(value, &day))
		return wrong(cli, value, "is no date such as 2026-01-31");
	if (o->kind != LIMIT && o->kind != COUNT)
		return CLI_DONE;
	long n = strtol(value, &end, 10), least = o->kind == LIMIT;
	if (end != value && !*end && n >= least && n <= LIMIT_MAX)
		return CLI_DONE;
	return wrong(cli, value, least ? "is no number from 1 to 10000" : "is no number from 0 to 10000");
}

/* One option at argv[*i]; *given collects which there were: bit n is options[n]. */
static int read_option(struct cli *cli, int argc, char **argv, int *i, uint64_t *given)
{
	const char *word = argv[*i], *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct option *o = find_option(word, len);

	if (!o)
		return wrong(cli, word, "is no option");
	*given |= (uint64_t)1 << (o - options);
	if (o->kind == FLAG) {
		*(int *)(void *)((char *)cli + o->offset) = 1;
		return equals ? wrong(cli, word, "takes no value") : CLI_DONE;
	}
	const char *value = equals ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
	if (!value)
		return wrong(cli, word, "wants a value");
	*(const char **)(void *)((char *)cli + o->offset) = value;
	return check_value(cli, o, value);
}

/* Sorts argv into options and words (kept in front of argv). */
static int read_call(struct cli *cli, int argc, char **argv, int *words, uint64_t *given)
{
	int only_words = 0;

	*words = 0;
	for (int i = 1; i < argc; i++) {
		if (only_words || strncmp(argv[i], "-", 1) != 0) {
			argv[(*words)++] = argv[i];
			continue;
		}
		if (!strcmp(argv[i], "--")) {
			only_words = 1;
			continue;
		}
		int result = read_option(cli, argc, argv, &i, given);
		if (result)
			return result;
	}
	return CLI_DONE;
}

static int takes(const struct command *c, uint64_t given)
{
	for (int i = 0; i < OPTIONS; i++)
		if (given >> i & 1 && options[i].bits && !(options[i].bits & c->options))
			return 0;
	return 1;
}

static int run(struct cli *cli, int argc, char **argv)
{
	uint64_t given = 0;

	/* First, so that a mistake before it is told as it asks for. */
	for (int i = 1; i < argc; i++)
		cli->json |= !strcmp(argv[i], "--json");
	int words, rest = 0, result = read_call(cli, argc, argv, &words, &given);

	if (result)
		return result;
	if (cli->version) {
		printf(cli->json ? "{\"version\":\"%s\"}\n" : "forecourt %s\n", cli->program_version);
		return CLI_DONE;
	}
	const struct command *c = cli->help ? &commands[COMMANDS - 1] : find_command(argv, words, &rest);
	if (!c) {
		if (cli->json)
			return wrong(cli, words ? argv[0] : NULL, "no such command; try: forecourt help");
		usage(cli, stderr);
		return CLI_USAGE;
	}
	if (!c->run) {
		if (cli->json)
			return help_json();
		usage(cli, stdout);
		return CLI_DONE;
	}
	if (words - rest < c->least || words - rest > c->most || !takes(c, given))
		return wrong_call(cli, c);
	for (int i = 0; i < words - rest; i++) {
		if (!*argv[rest + i])
			return wrong_call(cli, c);
		cli->words[i] = argv[rest + i];
	}
	cli->word_count = words - rest;
	return c->run(cli);
}

int cli_main(int argc, char **argv, const char *version)
{
	const char *path = getenv("FORECOURT_SOCKET");
	struct cli cli;

	cli_init(&cli);
	cli.program_version = version;
	cli.socket_path = path && *path ? path : CONFIG_CONTROL_SOCKET;
	int result = run(&cli, argc, argv);
	if (fflush(stdout) || ferror(stdout))
		result = cli_fail(&cli, CLI_REFUSED, "output", NULL, "the output can't be written");
	cli_fini(&cli);
	return result;
}
