/* Text: what people read, in Chinese too. English is the key, so that the code reads as what it prints; the daemon's own texts
 * are looked up the same way. What is not here is shown in English. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
	const char *english, *chinese;
} texts[] = {
    /* Names of figures and columns. */
    {"attempts", "尝试次数"},
    {"began", "开始"},
    {"bus", "总线"},
    {"charger", "充电桩"},
    {"clock", "时钟"},
    {"configuration", "配置文件"},
    {"connector", "接口"},
    {"connectors", "接口"},
    {"electricity", "电费"},
    {"electricity/kWh", "电价/kWh"},
    {"ended", "结束"},
    {"energy", "电量"},
    {"failed", "失败"},
    {"free disk", "可用磁盘"},
    {"from", "从"},
    {"kW", "kW"},
    {"kWh", "kWh"},
    {"last error", "最近错误"},
    {"line", "线路"},
    {"linked", "连接"},
    {"meter", "电表"},
    {"meter kWh", "电表 kWh"},
    {"name", "名称"},
    {"next try", "下次尝试"},
    {"number", "订单号"},
    {"day", "日期"},
    {"compared", "核对时间"},
    {"difference", "差异"},
    {"differences", "差异数"},
    {"kWh here", "本地 kWh"},
    {"kWh there", "平台 kWh"},
    {"yuan here", "本地元"},
    {"yuan there", "平台元"},
    {"user", "用户"},
    {"order", "订单"},
    {"orders", "订单"},
    {"orders waiting", "待确认订单"},
    {"disputed orders", "争议订单"},
    {"platform", "平台"},
    {"platform's answer", "平台答复"},
    {"point", "测点"},
    {"polls", "轮询"},
    {"power", "功率"},
    {"price version", "价格版本"},
    {"prices", "价格"},
    {"quality", "质量"},
    {"reason", "停止原因"},
    {"register", "电表读数"},
    {"repaired", "修正"},
    {"running since", "运行自"},
    {"service", "服务费"},
    {"service/kWh", "服务费/kWh"},
    {"session", "会话"},
    {"since", "自"},
    {"SOC %", "SOC %"},
    {"started by", "启动方"},
    {"state", "状态"},
    {"station", "站点"},
    {"status", "状态"},
    {"time", "时间"},
    {"to", "至"},
    {"told to", "上报"},
    {"total", "合计"},
    {"silent", "无响应"},
    {"units", "设备"},
    {"unit", "单位"},
    {"user class", "用户类别"},
    {"value", "数值"},
    {"version", "版本"},
    {"waiting", "等待"},
    {"yuan", "元"},
    {"idle time after the end", "结束后占用"},
    {"per minute", "每分钟"},
    {"occupancy per minute", "占用费每分钟"},
    {"minimum", "最低"},
    {"maximum", "最高"},
    {"free energy", "免费电量"},
    {"damaged", "损坏"},
    {"script", "脚本"},
    {"profile", "设备模板"},
    {"profile version", "设备模板版本"},
    {"mapping", "映射版本"},
    {"origin", "来源"},
    /* Words. */
    {"start", "启动"},
    {"file", "文件"},
    {"signal", "信号"},
    {"command", "命令"},
    {"rollback to", "恢复到"},
    {"unchanged", "未变"},
    {"new version", "新版本"},
    {"refused", "被拒绝"},
    {"in force", "已生效"},
    {"written; nothing uses it", "已写入；当前无人使用"},
    {"has changed since that version; to roll it back too", "在该版本之后已变更；如需一并恢复"},
    {"written", "已写入"},
    {"yes", "是"},
    {"no", "否"},
    {"not set", "未校准"},
    {"set", "正常"},
    {"open", "进行中"},
    {"all", "全部"},
    {"offline", "离线"},
    {"idle", "空闲"},
    {"occupied", "占用（未充电）"},
    {"charging", "充电中"},
    {"reserved", "预约"},
    {"fault", "故障"},
    {"authorising", "鉴权中"},
    {"starting", "启动中"},
    {"stopping", "停止中"},
    {"unknown", "未知"},
    {"closed", "已结束"},
    {"confirmed", "已确认"},
    {"disputed", "有争议"},
    {"sending", "正在发送"},
    {"good", "有效"},
    {"dropped", "已取消"},
    {"missing there", "平台缺少"},
    {"missing here", "本地缺少"},
    {"not confirmed", "未确认"},
    {"TotalMoney", "金额不符"},
    {"TotalPower", "电量不符"},
    {"other", "其他"},
    {"stale", "过期"},
    {"card", "刷卡"},
    {"operator or on site", "运营人员或现场"},
    {"stopped on site", "现场停止"},
    {"began on site, not authorised", "现场启动，未获授权"},
    {"stopped by command", "指令停止"},
    {"ended by car or charger", "车辆或充电桩结束"},
    {"unplugged", "拔枪"},
    {"the charger did not come back", "充电桩失联"},
    {"did not start", "未启动"},
    {"the register went back: counted on from its new value", "电表读数回退：按新读数继续计量"},
    {"the register jumped: not counted", "电表读数跳变：未计入"},
    {"went by while the gateway or the charger was away", "网关停机或充电桩失联期间的电量"},
    {"no readings for a while: periods are interpolated", "一段时间无读数：分时电量为插值"},
    {"more periods than there is room for: the last line holds several", "时段过多：最后一行合并多个时段"},
    /* What went wrong. */
    {"no daemon listens there", "没有守护进程在此监听"},
    {"no permission: only root and the daemon's own user may", "无权限：仅限 root 和守护进程用户"},
    {"the daemon did not answer", "守护进程没有应答"},
    {"the daemon's answer can't be read", "无法解析守护进程的应答"},
    {"only root and the daemon's own user may", "仅限 root 和守护进程用户"},
    {"too many connections", "连接过多"},
    {"there is no such connector", "没有这个接口"},
    {"there is no such order", "没有这个订单"},
    {"the charger is off line", "充电桩离线"},
    {"stopped already", "已经停止"},
    {"no car is plugged in", "未插枪"},
    {"another charge is under way", "正在进行另一次充电"},
    {"the connector is faulty", "接口故障"},
    {"the charger can't be told to", "该充电桩不支持此指令"},
    {"the clock is not set", "时钟未校准"},
    {"the order can't be recorded", "订单无法保存"},
    {"the pricing policy fails", "计价策略出错"},
    {"the number belongs to another charge", "该订单号属于另一次充电"},
    {"the charger did not do it", "充电桩没有执行"},
    {"that day was not compared", "该日尚未核对"},
    {"no charge is under way", "没有正在进行的充电"},
    {"the charge is still under way", "充电仍在进行"},
    {"the order was never to be sent to that platform", "该订单无需上报此平台"},
    {"the order was never to be sent to anyone", "该订单无需上报任何平台"},
    {"the journal can't be read", "无法读取订单库"},
    {"the output can't be written", "无法写出"},
    {"no memory", "内存不足"},
    {"is no option", "不是有效选项"},
    {"takes no value", "不带参数"},
    {"wants a value", "需要参数"},
    {"is no date such as 2026-01-31", "不是 2026-01-31 格式的日期"},
    {"is no number from 1 to 10000", "不是 1 到 10000 的整数"},
    {"is how to call it", "是正确的用法"},
    {"no such command; try: forecourt help", "没有这个命令；请用 forecourt help"},
    {"is too long for a socket's path", "套接字路径过长"},
};

static const char *find(const char *english)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strcmp(texts[i].english, english))
			return texts[i].chinese;
	return NULL;
}

int text_is_known(const char *english)
{
	return find(english) != NULL;
}

const char *say(const struct cli *cli, const char *english)
{
	const char *chinese = cli->chinese ? find(english) : NULL;

	return chinese ? chinese : english;
}

int text_wants_chinese(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return !strncmp(value, "zh", 2);
	}
	return 0;
}
