// Why the daemon refused: by its stable key where it gives one, else by the code of the answer.
import { texts } from "../text";

const say = texts(
  {
    "net.lost": "No connection to the gateway. Nothing is known of whether it was done.",
    "net.timeout": "The gateway did not answer in time. Look at the state before you try again.",
    "net.cookie": "The browser did not keep the session cookie. Allow cookies for this address and use https.",
    "charge.no_connector": "There is no such connector.", "charge.offline": "The charger is off line.", "charge.stopped_already": "It has stopped already.",
    "charge.not_plugged": "No car is plugged in.", "charge.occupied": "Another charge is under way.", "charge.faulty": "The connector is faulty.",
    "charge.no_command": "The charger can't be told to.", "charge.no_time": "The gateway's clock is not set.", "charge.no_journal": "The order can't be recorded.",
    "charge.no_price": "The pricing policy fails.", "charge.other_order": "The number belongs to another charge.",
    "charge.came_to_nothing": "It was accepted, but the charger did not do it.", "charge.reserved": "The connector is reserved.",
    "charge.no_order": "There is no such order.", "charge.none": "No charge is under way.", "unlock.failed": "The charger did not unlock.",
    "unlock.no_command": "The charger has no lock that can be opened from afar.", "unlock.charging": "A charge is under way: stop it, then unlock.",
    "limit.none": "The charger takes no limit.", "limit.range": "Outside of what the charger takes", "reserve.range": "The end must lie ahead, a day at most.",
    "reserve.none": "The connector is not reserved.",
    "config.changed_meanwhile": "Somebody else changed the configuration meanwhile. Read it again.",
    "config.new_connection": "The gateway wants to be asked over a new connection.",
    "login.wrong": "User or password is wrong.", "login.wait": "Too many attempts. Try again in a while.", "account.configured": "This account's password is set in the configuration, not here.",
    "account.must_change": "Choose a password of your own first.", "password.weak": "At least 10 characters, not one that others try first, and not like the name.", "password.wrong": "The old password is wrong.", "password.same": "The new password is the old one.",
    csrf: "The session has changed in another window. Try again.", foreign: "The browser says that this came from another page.", role: "Your role may not do this.",
    invalid: "The gateway did not understand this", session: "The session has ended", auth: "Your role may not do this",
    missing: "There is no such thing", busy: "Not possible now", exists: "It is there already", limit: "Too large",
    too_many: "Too many requests, wait a little", io: "The gateway could not do it", other: "The gateway refused",
  },
  {
    "net.lost": "与网关的连接已断开，无法确定操作是否已执行。",
    "net.timeout": "网关未及时应答。重试前请先查看当前状态。",
    "net.cookie": "浏览器未保存会话 Cookie。请允许此地址使用 Cookie，并使用 https 访问。",
    "charge.no_connector": "没有这个充电接口。", "charge.offline": "充电桩离线。", "charge.stopped_already": "已经停止。",
    "charge.not_plugged": "未插枪。", "charge.occupied": "已有充电正在进行。", "charge.faulty": "接口故障。",
    "charge.no_command": "充电桩不支持该命令。", "charge.no_time": "网关时钟未校准。", "charge.no_journal": "订单无法保存。",
    "charge.no_price": "计费策略执行失败。", "charge.other_order": "该编号属于另一笔充电。",
    "charge.came_to_nothing": "命令已接受，但充电桩未执行。", "charge.reserved": "接口已被预约。",
    "charge.no_order": "没有这个订单。", "charge.none": "当前没有充电。", "unlock.failed": "充电桩未能解锁。",
    "unlock.no_command": "充电桩没有可远程打开的枪锁。", "unlock.charging": "正在充电：请先停止，再解锁。",
    "limit.none": "充电桩不支持限功率。", "limit.range": "超出充电桩允许的范围", "reserve.range": "结束时间须在未来 24 小时内。",
    "reserve.none": "接口未被预约。",
    "config.changed_meanwhile": "配置已被他人修改，请重新读取。",
    "config.new_connection": "请通过新的连接确认。",
    "login.wrong": "用户名或密码错误。", "login.wait": "尝试次数过多，请稍后重试。", "account.configured": "此账户的密码在配置文件中设置，不能在此修改。",
    "account.must_change": "请先设置自己的密码。", "password.weak": "至少 10 个字符，不能是常见密码，也不能与名称相近。", "password.wrong": "旧密码错误。", "password.same": "新密码与旧密码相同。",
    csrf: "会话已在其他窗口中更改，请重试。", foreign: "浏览器表明该请求来自其他页面。", role: "您的角色无权执行此操作。",
    invalid: "网关无法识别该请求", session: "会话已结束", auth: "您的角色无权执行此操作",
    missing: "对象不存在", busy: "当前无法执行", exists: "已存在", limit: "内容过大",
    too_many: "请求过多，请稍候", io: "网关执行失败", other: "网关拒绝了请求",
  },
);

const byStatus: Record<number, Parameters<typeof say>[0]> = {
  400: "invalid", 401: "session", 403: "auth", 404: "missing", 409: "busy", 413: "limit", 429: "too_many", 503: "io", 500: "io",
};

/** Words for a refusal: { title, detail }; the detail is the daemon's English when there is no translation. */
export function refusalWords(status: number, key: string, text: string): { title: string; detail: string } {
  const known = say.maybe(key);
  if (known) return { title: known, detail: key.endsWith(".range") && status === 400 ? text : "" };
  return { title: say(byStatus[status] ?? "other"), detail: text };
}
