// Words for what stands in the station: states, alarms and their causes, what can be done about them.
import { texts } from "../text";
import type { Alarm } from "../live";

export const say = texts(
  {
    offline: "Off line", idle: "Idle", occupied: "Occupied", charging: "Charging", reserved: "Reserved", fault: "Fault", unknown: "Unknown",
    "session.idle": "idle", "session.authorising": "authorising", "session.starting": "starting", "session.charging": "charging",
    "session.stopping": "stopping", "session.unknown": "unknown", "session.ended": "ended",
    good: "good", stale: "old", error: "Error", warning: "Warning", lost: "Connection to the gateway lost. What you see is old; it connects again by itself.",
    "limit.held": "waiting to be told", "limit.taken": "kept",
    "limit.not_taken": "accepted, but not kept", "limit.refused": "refused", "limit.not_in_force": "not in force", "limit.from_the_next_start": "from the next start", "limit.in_force": "in force",

    "object.store_failing": "store", "object.store_full": "store", "object.clock_untrusted": "clock", "object.config_pending": "configuration",
    "object.config_refused": "configuration", "object.watchdog_unfed": "watchdog",
    "kind.connector_fault": "Fault", "kind.connector_offline": "Off line", "kind.value_stale": "Old values", "kind.platform_down": "Platform not connected",
    "kind.outbox_waiting": "Orders wait", "kind.order_disputed": "Orders disputed", "kind.bus_down": "Bus down", "kind.bus_errors": "Bus errors",
    "kind.unit_silent": "Unit silent", "kind.can_bus_off": "CAN bus-off", "kind.script_refused": "Script refused", "kind.store_failing": "Store failing",
    "kind.clock_untrusted": "Clock not set", "kind.limit_not_taken": "Limit not kept", "kind.config_pending": "Configuration unconfirmed",
    "kind.bus_stuck": "Bus stands still", "kind.watchdog_unfed": "Watchdog not fed", "kind.config_refused": "Configuration refused", "kind.store_full": "Store full",

    "fault.unknown": "The charger reports a fault", "fault.words": "The charger reports: {words}", "fault.code": "The charger reports fault {code}",
    "fault.state": "The charger is in state {code}", "offline.silent": "The charger does not answer",
    "offline.profile": "The profile {profile} of its charger is not in force", "offline.bus": "Its bus {bus} is down",
    "offline.state": "The charger answers, but says nothing of the connector's state, or that it is out of service",
    "value.stale": "{count} of its values {count#is|are} old, {point} among them", "limit.refused_why": "The charger refuses the limit of {limit} {unit}",
    "limit.not_taken_why": "The limit of {limit} {unit} was accepted, but {reads_back} counts",
    "can.bus_off": "The CAN controller is bus-off: wiring, bit rate or termination", "bus.down": "No connection", "bus.down_why": "No connection: {why}",
    "bus.errors": "{percent} % of the answers were lost or torn within a minute", "unit.silent": "Unit {unit} on {bus} does not answer",
    "orders.disputed": "{count} {count#order is|orders are} disputed by the platform",
    "orders.waiting": "{count} {count#order waits|orders wait} for the platform's confirmation, the oldest for {minutes} min",
    "platform.name": "Its name can't be looked up: {error}", "platform.connect": "No connection to it: {error}",
    "platform.tls": "No secure connection to it: {error}", "platform.certificate": "Its certificate is not good: {error}",
    "platform.silent": "It does not answer in time: {error}", "platform.broken": "It closes the connection: {error}",
    "platform.form": "Its answers can't be read: {error}", "platform.status": "It answers with an HTTP status alone: {error}",
    "platform.sig": "The signature of its answers is wrong: {error}", "platform.ret": "It does not take what is sent: {error}",
    "platform.error": "Not connected: {error}", "platform.down": "Not connected yet", "script.refused": "{why}", "store.failing": "Nothing can be kept: {why}",
    "store.full": "The database takes {used} MB, its share is {most} MB, and no order may be deleted: they are not confirmed or not compared",
    "clock.untrusted": "The clock is not set: no charge can be started", "config.pending": "A new configuration runs on trial and goes back by itself unless confirmed",
    "bus.stuck": "The driver of its port does not come back: its worker stands still",
    "bus.stuck_still": "The driver of its port does not come back, nor did it after restarts of the box: it is not restarted again", "watchdog.unfed": "The watchdog is not fed: {why}",
    "config.refused": "The configuration is refused, the last good one is in force: {why}",

    "do.connector_fault": "Look at the connector", "do.connector_offline": "Look at the connector", "do.value_stale": "See which values",
    "do.platform_down": "See the messages", "do.outbox_waiting": "See the orders", "do.order_disputed": "See the orders", "do.bus_down": "Test the bus",
    "do.bus_errors": "Trace the bus", "do.unit_silent": "Test the unit", "do.can_bus_off": "Trace the bus", "do.script_refused": "Open the script",
    "do.store_failing": "See the log", "do.clock_untrusted": "See the configuration", "do.limit_not_taken": "Look at the connector", "do.config_pending": "Confirm or go back",
    "do.bus_stuck": "See the log", "do.watchdog_unfed": "See the log", "do.config_refused": "Mend the configuration", "do.store_full": "See the orders",

    "help.connector_fault": "Send somebody if it stays: emergency stop, cooling, insulation. A car there can be unlocked.",
    "help.connector_offline": "Power and cable of the charger; other units on the same line tell whether it is the line.",
    "help.value_stale": "Old values are neither billed nor sent.",
    "help.platform_down": "Charging goes on; orders are kept and sent when the platform is back.",
    "help.outbox_waiting": "Nothing is lost. Sent again by itself; can be sent by hand.",
    "help.order_disputed": "Compare the order with the platform, then resend it.",
    "help.bus_down": "Cable, power and address of the converter; charges that run go on in the charger.",
    "help.bus_errors": "Termination, shielding, baud rate, two devices with one address.",
    "help.unit_silent": "It is asked rarely until it answers; the others are not delayed.",
    "help.can_bus_off": "Both terminations, bit rate, a short between the wires.",
    "help.script_refused": "The version before stays in force.",
    "help.store_failing": "No new charge begins without a store: free space, replace the flash.",
    "help.clock_untrusted": "Check the time server and the way to it.",
    "help.limit_not_taken": "The charger takes more than it should: watch the supply.",
    "help.config_pending": "If you can read this, the address works: confirm it.",
    "help.bus_stuck": "Pull the adapter out and plug it in again. With a watchdog the box starts anew by itself.",
    "help.store_full": "Have the orders confirmed that wait or are disputed, export them, or give the database more room.",
    "help.config_refused": "Charging goes on as before. Mend the file and load it again.",
    "help.watchdog_unfed": "While it is not fed, the box starts anew by itself, or is not watched at all.",
  },
  {
    offline: "离线", idle: "空闲", occupied: "占用（未充电）", charging: "充电中", reserved: "已预约", fault: "故障", unknown: "未知",
    "session.idle": "空闲", "session.authorising": "鉴权中", "session.starting": "启动中", "session.charging": "充电中",
    "session.stopping": "停止中", "session.unknown": "未知", "session.ended": "已结束",
    good: "有效", stale: "过期", error: "错误", warning: "警告", lost: "与网关的连接已断开，当前显示的是旧数据，连接会自动恢复。",
    "limit.held": "等待下发", "limit.taken": "已生效",
    "limit.not_taken": "已接受但未生效", "limit.refused": "被拒绝", "limit.not_in_force": "未生效", "limit.from_the_next_start": "下次启动时生效", "limit.in_force": "已生效",

    "object.store_failing": "存储", "object.store_full": "存储", "object.clock_untrusted": "时钟", "object.config_pending": "配置",
    "object.config_refused": "配置", "object.watchdog_unfed": "看门狗",
    "kind.connector_fault": "故障", "kind.connector_offline": "离线", "kind.value_stale": "数据过期", "kind.platform_down": "平台未连接",
    "kind.outbox_waiting": "订单待确认", "kind.order_disputed": "订单有争议", "kind.bus_down": "总线断开", "kind.bus_errors": "总线错误",
    "kind.unit_silent": "设备无应答", "kind.can_bus_off": "CAN 总线关闭", "kind.script_refused": "脚本被拒", "kind.store_failing": "存储故障",
    "kind.clock_untrusted": "时钟未校准", "kind.limit_not_taken": "限功率未生效", "kind.config_pending": "配置待确认",
    "kind.bus_stuck": "总线停滞", "kind.watchdog_unfed": "看门狗未喂", "kind.config_refused": "配置被拒绝", "kind.store_full": "存储已满",

    "fault.unknown": "充电桩上报故障", "fault.words": "充电桩上报：{words}", "fault.code": "充电桩上报故障码 {code}",
    "fault.state": "充电桩处于状态 {code}", "offline.silent": "充电桩无应答",
    "offline.profile": "充电桩的型号文件 {profile} 未生效", "offline.bus": "所在总线 {bus} 已断开",
    "offline.state": "充电桩有应答，但未给出接口状态，或已停用",
    "value.stale": "{count} 个数据已过期，包括 {point}", "limit.refused_why": "充电桩拒绝了 {limit} {unit} 的限值",
    "limit.not_taken_why": "{limit} {unit} 的限值已接受，但实际为 {reads_back}",
    "can.bus_off": "CAN 控制器已关闭总线：检查接线、波特率或终端电阻", "bus.down": "无连接", "bus.down_why": "无连接：{why}",
    "bus.errors": "一分钟内 {percent}% 的应答丢失或损坏", "unit.silent": "{bus} 上的 {unit} 号设备无应答",
    "orders.disputed": "{count} 个订单被平台提出争议",
    "orders.waiting": "{count} 个订单等待平台确认，最久的已等待 {minutes} 分钟",
    "platform.name": "域名无法解析：{error}", "platform.connect": "无法连接：{error}", "platform.tls": "无法建立安全连接：{error}",
    "platform.certificate": "平台证书无效：{error}", "platform.silent": "平台应答超时：{error}", "platform.broken": "平台断开了连接：{error}",
    "platform.form": "平台应答无法识别：{error}", "platform.status": "平台仅返回 HTTP 状态：{error}", "platform.sig": "平台应答的签名错误：{error}",
    "platform.ret": "平台未接收报文：{error}",
    "platform.error": "未连接：{error}", "platform.down": "尚未连接", "script.refused": "{why}", "store.failing": "无法保存数据：{why}",
    "store.full": "数据库已占 {used} MB（上限 {most} MB），订单未确认或未核对，不可删除",
    "clock.untrusted": "时钟未校准：不能启动充电", "config.pending": "新配置正在试运行，若不确认将自动回滚",
    "bus.stuck": "其端口的驱动程序无返回，工作线程停滞",
    "bus.stuck_still": "其端口的驱动程序无返回，多次重启后仍未恢复，不再为此重启", "watchdog.unfed": "看门狗未喂：{why}",
    "config.refused": "配置被拒绝，沿用上一份有效配置：{why}",

    "do.connector_fault": "查看接口", "do.connector_offline": "查看接口", "do.value_stale": "查看数据",
    "do.platform_down": "查看报文", "do.outbox_waiting": "查看订单", "do.order_disputed": "查看订单", "do.bus_down": "测试总线",
    "do.bus_errors": "跟踪总线", "do.unit_silent": "测试设备", "do.can_bus_off": "跟踪总线", "do.script_refused": "打开脚本",
    "do.store_failing": "查看日志", "do.clock_untrusted": "查看配置", "do.limit_not_taken": "查看接口", "do.config_pending": "确认或回滚",
    "do.bus_stuck": "查看日志", "do.watchdog_unfed": "查看日志", "do.config_refused": "修正配置", "do.store_full": "查看订单",

    "help.connector_fault": "若持续存在请派人现场检查：急停、冷却、绝缘。车辆仍连接时可解锁。",
    "help.connector_offline": "检查充电桩的电源和通信线；同线其他设备是否正常可判断是否线路问题。",
    "help.value_stale": "过期数据不计费，也不上送。",
    "help.platform_down": "充电不受影响；订单已保存，平台恢复后补传。",
    "help.outbox_waiting": "数据不会丢失，系统会自动重发，也可手动重发。",
    "help.order_disputed": "与平台核对订单后重新发送。",
    "help.bus_down": "检查线缆、转换器的电源和地址；充电桩内正在进行的充电会继续。",
    "help.bus_errors": "检查终端电阻、屏蔽、波特率，以及是否有重复地址。",
    "help.unit_silent": "恢复前降低询问频率，不影响其他设备。",
    "help.can_bus_off": "检查两端终端电阻、波特率以及线间短路。",
    "help.script_refused": "上一版本继续有效。",
    "help.store_failing": "存储恢复前不会开始新的充电：清理空间或更换闪存。",
    "help.clock_untrusted": "检查时间服务器及网络。",
    "help.limit_not_taken": "充电桩功率超出限值，请注意供电。",
    "help.config_pending": "能看到此页说明地址有效，请确认。",
    "help.bus_stuck": "请重新插拔转换器；启用看门狗时设备会自动重启。",
    "help.store_full": "请让待确认或有争议的订单得到确认，导出订单，或为数据库提供更多空间。",
    "help.config_refused": "充电照常进行。请修正文件并重新加载。",
    "help.watchdog_unfed": "未喂狗期间设备可能自动重启，或处于无看护状态。",
  },
);

/** Why, in the chosen language; the daemon's English where there is no translation. */
export function causeWords(alarm: Alarm): string {
  const key = alarm.key?.startsWith("limit.") ? `${alarm.key}_why` : alarm.key ?? "";
  const lacks = alarm.key === "limit.not_taken" && !alarm.args?.reads_back;
  return (lacks ? undefined : say.maybe(key, alarm.args ?? {})) ?? alarm.cause;
}

/** What an alarm is about: by its own name, or one of the gateway's parts. */
export const objectWords = (alarm: Pick<Alarm, "kind" | "name" | "object">): string =>
  say.maybe(`object.${alarm.kind}`) ?? (alarm.name || alarm.object);

export const kindWords = (kind: string): string => say.maybe(`kind.${kind}`) ?? kind.replace(/_/g, " ");
