import { texts, language } from "../text";

export const say = texts(
  {
    gone: "The gateway knows no connector {id}.", to_overview: "All connectors", start: "Start", stop: "Stop", limit: "Limit", release: "Release limit",
    unlock: "Unlock", reserve: "Reserve", unreserve: "End reservation", qr: "QR code", cant: "The charger can't be told to", ordered: "Ordered limit", viewer: "Your role may look, not act.",
    start_title: "Start a charge at {name}?", start_text: "The gateway starts it for the operator, with the price in force now. A car must be plugged in.",
    start_done: "{name}: the charge is starting", stop_title: "Stop the charge at {name}?", stop_text: "The charge ends and its order is closed. It can't be taken up again.",
    stop_done: "{name}: the charge is stopping", unlock_title: "Unlock {name}?", unlock_text: "The plug can be taken out then. Do it only for somebody who stands there.",
    unlock_done: "{name}: unlocked", limit_title: "Limit {name}", limit_text: "Holds until it is released, also over a restart.", limit_value: "No more than",
    limit_range: "{min} to {max} {unit}", limit_pause: "{pause} {unit} pauses the charge", limit_done: "{name}: limited to {limit}",
    release_title: "Release the limit of {name}?", release_text: "The charger may give what it can again.", release_done: "{name}: limit released",
    reserve_title: "Reserve {name}", reserve_text: "Nobody but the operator can start there meanwhile.", reserve_minutes: "For how long", minutes: "min", note: "Note",
    note_help: "For whom or why; it stands in the audit.", reserve_done: "{name}: reserved until {at}", unreserve_title: "End the reservation of {name}?",
    unreserve_text: "Whoever comes can charge there.", unreserve_done: "{name}: no longer reserved",
    power: "Power", voltage: "Voltage", current: "Current", soc: "SoC", energy: "Session energy", money: "Session money", time: "Charging for", order: "Order",
    status: "State", since: "since {at}", limited: "Limit", reserved_until: "Reserved until", park: "Place", charger: "Charger", station: "Station", id: "ConnectorID", read: "Read",
    curves: "Curves", range: "Time range", "range.30m": "30 min", "range.6h": "6 h", "range.24h": "24 h", "range.7d": "7 d", "range.30d": "30 d",
    no_history: "Nothing was recorded in this time.", chart_summary: "{what}: {from} to {to}, now {now}", chart_of: "{what} over {range}", show_hide: "Show or hide {what}",
    session: "Session", machine: "What a charge goes through. Now: {state}.", entered: "entered {at}", events: "Events", no_events: "Nothing has happened yet.", older: "Older ones",
    points: "Values", point: "Point", value: "Value", quality: "Quality", age: "Age", register: "Register", no_points: "The charger's profile has no values, or it is not in force.",
    "from.meter": "meter", "from.bms": "car", "from.charger": "charger", search_points: "Find a value", download_svg: "Download SVG", print: "Print",
    no_qr: "The gateway gives no QR code for it: set the operator_id in the configuration.", scan: "Scan to charge",
    "event.session": "session", "event.status": "state", "event.command": "command", "event.alarm": "alarm", "event.limit": "limit", "event.reserve": "reservation",
    "event.message": "message", "event.order": "order", "event.resend": "resend", by: "by {who}",
  },
  {
    gone: "网关中没有充电接口 {id}。", to_overview: "所有接口", start: "启动", stop: "停止", limit: "限功率", release: "解除限值",
    unlock: "解锁", reserve: "预约", unreserve: "取消预约", qr: "二维码", cant: "充电桩不支持该命令", ordered: "已下令的限值", viewer: "您的角色只能查看，不能操作。",
    start_title: "在 {name} 启动充电？", start_text: "由网关代运营商启动，按当前价格计费。须已插枪。",
    start_done: "{name}：正在启动充电", stop_title: "停止 {name} 的充电？", stop_text: "充电将结束，订单随之关闭，不能继续。",
    stop_done: "{name}：正在停止充电", unlock_title: "解锁 {name}？", unlock_text: "解锁后可拔枪。请仅在现场有人时操作。",
    unlock_done: "{name}：已解锁", limit_title: "限制 {name}", limit_text: "在解除前一直有效，重启后仍然有效。", limit_value: "不超过",
    limit_range: "{min} 至 {max} {unit}", limit_pause: "{pause} {unit} 表示暂停充电", limit_done: "{name}：已限制为 {limit}",
    release_title: "解除 {name} 的限值？", release_text: "充电桩可恢复到其最大能力。", release_done: "{name}：已解除限值",
    reserve_title: "预约 {name}", reserve_text: "预约期间只有运营商可以在此启动充电。", reserve_minutes: "时长", minutes: "分钟", note: "备注",
    note_help: "为谁或为何预约，将记入审计日志。", reserve_done: "{name}：已预约至 {at}", unreserve_title: "取消 {name} 的预约？",
    unreserve_text: "取消后任何人都可以充电。", unreserve_done: "{name}：预约已取消",
    power: "功率", voltage: "电压", current: "电流", soc: "SoC", energy: "本次电量", money: "本次金额", time: "充电时长", order: "订单",
    status: "状态", since: "自 {at}", limited: "限值", reserved_until: "预约至", park: "车位", charger: "充电桩", station: "充电站", id: "接口编码", read: "读取",
    curves: "曲线", range: "时间范围", "range.30m": "30 分钟", "range.6h": "6 小时", "range.24h": "24 小时", "range.7d": "7 天", "range.30d": "30 天",
    no_history: "这段时间没有记录。", chart_summary: "{what}：{from} 至 {to}，当前 {now}", chart_of: "{range}内的{what}", show_hide: "显示或隐藏{what}",
    session: "充电过程", machine: "充电过程的各个状态，当前：{state}。", entered: "进入时间 {at}", events: "事件", no_events: "还没有事件。", older: "更早的事件",
    points: "数据点", point: "名称", value: "数值", quality: "质量", age: "数据时间", register: "寄存器", no_points: "充电桩的型号文件没有数据点，或未生效。",
    "from.meter": "电表", "from.bms": "车辆", "from.charger": "充电桩", search_points: "查找数据点", download_svg: "下载 SVG", print: "打印",
    no_qr: "网关没有给出二维码：请在配置中设置 operator_id。", scan: "扫码充电",
    "event.session": "充电过程", "event.status": "状态", "event.command": "命令", "event.alarm": "告警", "event.limit": "限值", "event.reserve": "预约",
    "event.message": "报文", "event.order": "订单", "event.resend": "重发", by: "操作者 {who}",
  },
);

// What the session machine says (core/charge/session.c); the page's list of events would be half English without it.
const because: Record<string, string> = {
  "asked for on site": "现场请求充电", "car or charger ended it": "车辆或充电桩结束", "current flows": "已有电流", fault: "故障",
  "fault while starting": "启动时故障", "fault while stopping": "停止时故障", "given up": "已放弃", granted: "鉴权通过", "heard again, faulty": "恢复通信，存在故障",
  "heard again, gone": "恢复通信，车辆已离开", "heard again, over": "恢复通信，充电已结束", "heard again, still charging": "恢复通信，仍在充电",
  "no current in time": "限时内无电流", "nobody answered": "无人应答", "not heard for a day": "一天未收到数据", refused: "被拒绝", reserved: "已预约",
  "silent while stopping": "停止时无应答", "start command": "启动命令", "stop command": "停止命令", stopped: "已停止", "stopped and unplugged": "已停止并拔枪",
  "stopped before current was seen": "出现电流前已停止", "the charger began again by itself": "充电桩自行再次启动", "the charger began by itself": "充电桩自行启动",
  "the charger ignores the stop": "充电桩未执行停止", "the charger went silent": "充电桩失去通信", "time is up": "超时", "told to stop once more": "再次下发停止",
  accepted: "已接受", open: "进行中", closed: "已关闭", settling: "结算中", start: "启动", stop: "停止", unlock: "解锁", limit: "限功率", reserve: "预约", unreserve: "取消预约",
  "stopped on site": "现场停止", "stopped by command": "命令停止", "ended by car or charger": "车辆或充电桩结束", "the charger did not come back": "充电桩未恢复通信",
  "went by unseen, nobody's": "未见期间的电量，无主", "did not start": "未能启动", "began on site, not authorised": "现场启动，未授权", "began on site, the connector was reserved": "现场启动，接口已被预约",
  unplugged: "已拔枪", "unplugged while starting": "启动时拔枪",
};

/** The words of an event: translated where they are the gateway's own, as they are where they are the charger's. */
export const eventWords = (text: string): string => (language() === "zh" ? because[text] ?? text : text);
