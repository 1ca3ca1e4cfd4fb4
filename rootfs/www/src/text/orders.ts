// Words of the orders page: also what the daemon says of an order (core/charge/words.c, core/upstream/life.c), whose
// English is the key.
import { language, texts } from "../text";

export const say = texts(
  {
    list: "Orders", report: "Comparison with platforms", search: "Number, connector or platform", state: "State", from: "From", to: "To", find: "Search",
    any: "all", open: "under way", waiting: "waiting", confirmed: "confirmed", disputed: "disputed", dropped: "dropped", sending: "sending",
    seq: "Order", connector: "Connector", platform: "Platform", start: "Began", end: "Ended", energy: "Energy", money: "Money", reason: "Why it ended", told: "Told",
    nobody: "nobody", newest: "Newest", older: "Older", csv: "Export CSV", csv_busy: "{n} kB …", csv_done: "{file} saved", none_found: "No orders fit.",
    kept_oldest: "The oldest order kept ended {at}.", kept_days: "Orders are kept for {days} days,", kept_always: "Orders are kept", kept_room: "and within {most} MB ({used} MB now): what is not confirmed stays. Export in time what is needed longer.", kept_any: "as long as there is room: what is not confirmed stays.",
    caption: "Orders, the newest first", back: "All orders", not_found: "There is no order {seq}.", running: "Under way: {session}",
    bill: "Bill", elec: "Electricity", service: "Service", total: "Total", lines: "Detail lines by tariff period", line_from: "From", line_to: "To",
    elec_price: "Electricity ¥/kWh", service_price: "Service ¥/kWh", no_lines: "Nothing was delivered.", mode: "Started by", user: "User", class: "User class",
    vin: "Vehicle", soc: "State of charge", register: "Register", meter: "Metered by", cause: "Said car or charger", occupied: "Place taken after the end", repairs: "Repaired",
    policy: "Prices", profile: "Profile", damaged: "Its record is damaged", evidence: "Why it ended",
    outbox: "Told to platforms", attempts: "Tries", answer: "Answer", next: "Next try", mapping: "Mapping", resend: "Resend", no_outbox: "It is told to nobody.",
    resend_title: "Send order {seq} again to {platform}?", resend_text: "The same number and figures are sent again: a platform that has it already makes no second order of it.",
    resend_done: "{platform}: order is sent again",
    life: "Life", no_life: "No events of it are kept any more.", in: "from {who}", out: "to {who}", ret: "Ret {ret}", attempt: "try {n}", took: "{ms} ms", by: "by {who}", times: "{count} times, {failed} of them failed, from {first} on",
    cut: "Only its newest events are shown.",
    "kind.session": "session", "kind.command": "command", "kind.message": "message", "kind.order": "order", "kind.resend": "resend", "kind.status": "state", "kind.alarm": "alarm", "kind.limit": "limit", "kind.reserve": "reservation",
    day: "Day", compare: "Compare", compare_text: "The orders of {date} are compared with {platform} now. Orders unknown there are sent again.", compare_title: "Compare {date} with {platform}?",
    compare_done: "{platform}, {date}: {n#difference|differences}", compare_all: "all agree", compared: "Compared", orders_n: "Orders", differences: "Differences", no_checks: "Nothing was compared yet.", checks_caption: "Comparisons, the newest day first",
    difference: "Difference", ours: "Here", theirs: "There", agree: "All orders of the day agree.", details: "Details", no_platforms: "No platform is configured.", yesterday_help: "Days are of the protocol's time, UTC+8.", zone: "Times are the station's, UTC+8.",
  },
  {
    list: "订单", report: "与平台核对", search: "订单号、接口或平台", state: "状态", from: "从", to: "至", find: "查询",
    any: "全部", open: "进行中", waiting: "待确认", confirmed: "已确认", disputed: "有争议", dropped: "不再发送", sending: "发送中",
    seq: "订单号", connector: "接口", platform: "平台", start: "开始", end: "结束", energy: "电量", money: "金额", reason: "结束原因", told: "上报",
    nobody: "无", newest: "最新", older: "更早", csv: "导出 CSV", csv_busy: "{n} kB …", csv_done: "已保存 {file}", none_found: "没有符合条件的订单。",
    kept_oldest: "现存最早的订单结束于 {at}。", kept_days: "订单保留 {days} 天，", kept_always: "订单保存", kept_room: "总量不超过 {most} MB（现为 {used} MB）；未确认的订单不会删除。需长期保存的请及时导出。", kept_any: "空间允许时一直保留；未确认的订单不会删除。",
    caption: "订单，最新在前", back: "所有订单", not_found: "没有订单 {seq}。", running: "进行中：{session}",
    bill: "账单", elec: "电费", service: "服务费", total: "合计", lines: "分时段明细", line_from: "从", line_to: "至",
    elec_price: "电价 元/kWh", service_price: "服务费 元/kWh", no_lines: "没有充入电量。", mode: "启动方式", user: "用户", class: "用户类别",
    vin: "车辆", soc: "SoC", register: "电表读数", meter: "计量", cause: "车辆或充电桩给出的原因", occupied: "结束后占位", repairs: "已修正",
    policy: "价格", profile: "型号文件", damaged: "记录已损坏", evidence: "结束原因",
    outbox: "上报平台", attempts: "次数", answer: "答复", next: "下次尝试", mapping: "映射", resend: "重发", no_outbox: "该订单不上报任何平台。",
    resend_title: "向 {platform} 重发订单 {seq}？", resend_text: "将以相同的订单号和数据再次发送，平台若已有该订单不会重复生成。",
    resend_done: "{platform}：正在重发订单",
    life: "全过程", no_life: "该订单的事件已不再保存。", in: "来自 {who}", out: "发往 {who}", ret: "Ret {ret}", attempt: "第 {n} 次", took: "{ms} 毫秒", by: "操作者 {who}", times: "共 {count} 次，失败 {failed} 次，自 {first} 起",
    cut: "仅显示最新的事件。",
    "kind.session": "充电过程", "kind.command": "命令", "kind.message": "报文", "kind.order": "订单", "kind.resend": "重发", "kind.status": "状态", "kind.alarm": "告警", "kind.limit": "限值", "kind.reserve": "预约",
    day: "日期", compare: "核对", compare_text: "现在与 {platform} 核对 {date} 的订单，平台没有的订单会重新发送。", compare_title: "与 {platform} 核对 {date}？",
    compare_done: "{platform}，{date}：差异", compare_all: "全部一致", compared: "核对时间", orders_n: "订单数", differences: "差异数", no_checks: "还没有核对过。", checks_caption: "核对结果，最新在前",
    difference: "差异", ours: "本地", theirs: "平台", agree: "当日订单全部一致。", details: "详情", no_platforms: "没有配置平台。", yesterday_help: "日期按协议时间（UTC+8）。", zone: "时间为站点时间（UTC+8）。",
  },
);

const words: Record<string, string> = {
  "stopped on site": "现场停止", "stopped by command": "命令停止", "ended by car or charger": "车辆或充电桩结束", "the charger did not come back": "充电桩未恢复通信", "did not start": "未能启动",
  "began on site, not authorised": "现场启动，未授权", fault: "故障", unplugged: "拔枪", unknown: "未知", platform: "平台", card: "刷卡", "operator or on site": "运营商或现场",
  "the register went back: counted on from its new value": "读数回退：从新值继续计量", "the register jumped: not counted": "读数跳变：未计入", "no readings for a while: periods are interpolated": "一段时间无读数：时段按插值",
  "went by while the gateway or the charger was away": "网关或充电桩离线期间的电量", "the meter could not be read at the start: counted from its first reading": "开始时读不到电表：从首次读数计量",
  "another meter took over: what went by between is not counted": "更换电表：其间电量未计入", "more periods than there is room for: the last line holds several": "时段过多：末行合并多个时段",
  "the meter could not be read from start to end: the energy is not known": "全程读不到电表：电量未知", "went by unseen, nobody's": "未见期间的电量，无主", nobody: "无主",
  "missing there": "平台缺失", "missing here": "本地缺失", "not confirmed": "未确认", other: "其他", TotalMoney: "金额不一致", TotalPower: "电量不一致",
  open: "进行中", closed: "已结束", start: "启动", stop: "停止", accepted: "已接受", confirmed: "已确认", taken: "已接收", "discarded by the platform": "被平台丢弃", "answered when the result is known": "有结果后答复",
  "taken up again after a restart": "重启后继续", "unknown there": "平台缺失", reconciliation: "核对", "the charger is off line": "充电桩离线", "there is no such connector": "没有该接口", "stopped already": "已停止",
  "no car is plugged in": "未插枪", "another charge is under way": "正在充电", "the connector is faulty": "接口故障", "the charger can't be told to": "充电桩不支持", "the clock is not set": "时钟未校准",
  "the order can't be recorded": "订单无法保存", "the pricing policy fails": "计价策略出错", "the charger did not do it": "充电桩未执行", "the number belongs to another charge": "订单号属于其他充电",
  "the mapping has it switched off": "映射已关闭该报文", idle: "空闲", occupied: "占用", charging: "充电中", reserved: "已预约", offline: "离线",
  authorising: "鉴权中", starting: "启动中", stopping: "停止中", ended: "已结束",
};

/** The daemon's own words in the chosen language; what is somebody else's stays as it is. */
export const word = (text: string): string => {
  if (language() !== "zh") return text;
  const disputed = /^disputed \((\d+)\)$/.exec(text);
  return disputed ? `有争议（${disputed[1]}）` : words[text] ?? text;
};
