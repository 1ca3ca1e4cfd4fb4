/* alarms: what is wrong, since when, and why. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/raw.h"
#include "cli/screen.h"
#include "cli/table.h"

/* By the cause's key, {x} being what its argument x says; English comes from the daemon. */
static const struct {
	const char *key, *chinese;
} causes[] = {
    {"fault.unknown", "充电桩报告故障"},
    {"fault.words", "充电桩报告：{words}"},
    {"fault.code", "充电桩报告故障代码 {code}"},
    {"fault.state", "充电桩处于状态 {code}"},
    {"offline.silent", "充电桩无应答"},
    {"offline.profile", "其配置文件 {profile} 未生效"},
    {"offline.bus", "其总线 {bus} 已断开"},
    {"offline.state", "充电桩有应答，但没有该接口的状态，或已停用"},
    {"value.stale", "{count} 个测点数据过期，如 {point}"},
    {"limit.refused", "充电桩拒绝限值 {limit} {unit}"},
    {"limit.not_taken", "限值 {limit} {unit} 已接受，但未生效（回读 {reads_back}）"},
    {"can.bus_off", "CAN 控制器处于总线关闭：检查接线、波特率、终端电阻"},
    {"bus.down", "未连接"},
    {"bus.down_why", "未连接：{why}"},
    {"bus.errors", "一分钟内 {percent} % 的应答丢失或损坏"},
    {"unit.silent", "{bus} 上的从站 {unit} 无应答"},
    {"orders.disputed", "平台对 {count} 个订单有争议"},
    {"orders.waiting", "{count} 个订单待平台确认，最久 {minutes} 分钟"},
    {"platform.down", "尚未连接"},
    {"platform.error", "未连接：{error}"},
    {"platform.name", "域名无法解析：{error}"},
    {"platform.connect", "无法连接：{error}"},
    {"platform.tls", "无法建立安全连接：{error}"},
    {"platform.certificate", "平台证书无效：{error}"},
    {"platform.silent", "平台应答超时：{error}"},
    {"platform.broken", "平台断开了连接：{error}"},
    {"platform.form", "平台应答无法识别：{error}"},
    {"platform.status", "平台仅返回 HTTP 状态：{error}"},
    {"platform.sig", "平台应答的签名错误：{error}"},
    {"platform.ret", "平台未接收报文：{error}"},
    {"script.refused", "{why}"},
    {"store.failing", "数据无法保存：{why}"},
    {"store.full", "数据库已占 {used} MB（上限 {most} MB），订单未确认或未核对，不可删除"},
    {"clock.untrusted", "时钟未校准：不能启动充电"},
    {"config.pending", "新配置等待确认"},
    {"bus.stuck", "其端口的驱动程序无返回，工作线程停滞"},
    {"bus.stuck_still", "其端口的驱动程序无返回，多次重启后仍未恢复，不再为此重启"},
    {"config.refused", "配置被拒绝，沿用上一份有效配置：{why}"},
    {"watchdog.unfed", "看门狗未喂：{why}"},
};
enum { CAUSES = sizeof(causes) / sizeof(causes[0]) };

int alarms_cause_is_known(const char *key)
{
	for (int i = 0; i < CAUSES; i++)
		if (!strcmp(causes[i].key, key))
			return 1;
	return 0;
}

static void fill(const char *pattern, const struct value *arguments, char *out, size_t size)
{
	size_t n = 0;
	char name[32];

	out[0] = '\0';
	for (const char *p = pattern; *p && n + 1 < size; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;

		if (!end || (size_t)(end - p) >= sizeof(name)) {
			out[n++] = *p;
			out[n] = '\0';
			continue;
		}
		(void)snprintf(name, sizeof(name), "%.*s", (int)(end - p - 1), p + 1);
		int more = snprintf(out + n, size - n, "%s", cli_text(arguments, name));
		n = more < 0 || (size_t)more >= size - n ? size - 1 : n + (size_t)more;
		p = end;
	}
}

static const char *cause_of(const struct cli *cli, const struct value *alarm, char *out, size_t size)
{
	for (int i = 0; cli->chinese && i < CAUSES; i++)
		if (!strcmp(causes[i].key, cli_text(alarm, "key"))) {
			fill(causes[i].chinese, value_get(alarm, "args"), out, size);
			return out;
		}
	return cli_text(alarm, "cause");
}

void cli_print_alarms(const struct cli *cli, const struct value *list)
{
	static const char *const names[] = {"level", "alarm", "object", "since", "cause"};
	char text[600], time[CLOCK_DATETIME_SIZE];
	struct table t;

	table_init(&t, 5, 0);
	for (int i = 0; i < 5; i++)
		table_cell(&t, say(cli, names[i]));
	value_each (a, list) {
		const char *object = cli_text(a, "object"), *name = cli_text(a, "name");

		clock_format_datetime(cli_int(a, "since"), time);
		table_cell(&t, say(cli, cli_text(a, "level")));
		table_cell(&t, say(cli, cli_text(a, "kind")));
		(void)snprintf(text, sizeof(text), "%s%s%s", object, *object && strcmp(object, name) != 0 ? " " : "",
			       strcmp(object, name) != 0 ? name : "");
		table_cell(&t, text);
		table_cell(&t, time);
		table_cell(&t, cause_of(cli, a, text, sizeof(text)));
	}
	table_print(&t, stdout);
	table_fini(&t);
}

/* As the daemon says it; for who shows it to people (LuCI), each cause beside that in Chinese as "text", where that is asked for. */
static int print_json(struct cli *cli, const struct value *answer, const struct value *list)
{
	enum { MOST = 1 << 20 };
	struct buffer out;
	char text[600];
	int failed = 0;

	if (!cli->chinese) {
		cli_print_raw(cli);
		return CLI_DONE;
	}
	value_each (a, list)
		failed |=
		    value_put(&cli->arena, a, "text", value_string(&cli->arena, cause_of(cli, a, text, sizeof(text))));
	buffer_init(&out, MOST);
	failed |= json_write(&out, answer);
	if (!failed) {
		screen_json((struct raw){out.data, out.len}, stdout);
		(void)fputc('\n', stdout);
	}
	buffer_fini(&out);
	return failed ? cli_fail(cli, CLI_REFUSED, "memory", NULL, "no memory") : CLI_DONE;
}

int cli_alarms(struct cli *cli)
{
	const struct value *answer;
	int result = cli_ask(cli, "alarms", NULL, &answer);

	if (result)
		return result;
	const struct value *list = value_get(answer, "alarms");
	if (cli->json)
		return print_json(cli, answer, list);
	if (list && list->first)
		cli_print_alarms(cli, list);
	else
		printf("%s\n", say(cli, "nothing is wrong"));
	return CLI_DONE;
}
