// Every text a person reads, in both languages.
const texts = {
  user: ["User", "用户"],
  password: ["Password", "密码"],
  login: ["Log in", "登录"],
  logout: ["Log out", "退出"],
  refused: ["User or password wrong", "用户或密码错误"],
  wait: ["Too many attempts, wait a little", "尝试次数过多，请稍候"],
  lost: ["No connection to the gateway: what you see is old", "与网关的连接已断开：显示的数据不是最新的"],
  connectors: ["Connectors", "充电接口"],
  platforms: ["Platforms", "平台"],
  buses: ["Buses", "总线"],
  since: ["since", "自"],
  today: ["today", "今日"],
  changes: ["changes", "变化次数"],
  linked: ["linked", "已连接"],
  unlinked: ["not linked", "未连接"],
  accepted: ["pushes accepted", "推送已接受"],
  waiting: ["waiting", "等待"],
  failed: ["failed", "失败"],
  answered: ["questions answered", "已应答"],
  mean: ["mean", "平均"],
  mapping: ["mapping", "映射"],
  polls: ["polls", "轮询"],
  errors: ["errors", "错误"],
  missed: ["missed", "漏轮询"],
  slow: ["silent units", "无响应单元"],
  up: ["connected", "已连接"],
  down: ["not connected", "未连接"],
  uptime: ["up", "运行"],
  memory: ["memory", "内存"],
  none: ["none configured", "未配置"],
  s0: ["Off line", "离线"],
  s1: ["Idle", "空闲"],
  s2: ["Occupied", "占用（未充电）"],
  s3: ["Charging", "充电中"],
  s4: ["Reserved", "预约锁定"],
  s255: ["Fault", "故障"],
} as const;

export type TextKey = keyof typeof texts;
export type Language = "en" | "zh";

export function firstLanguage(): Language {
  const kept = localStorage.getItem("language");
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}

export function translator(language: Language): (key: TextKey) => string {
  const column = language === "zh" ? 1 : 0;
  return (key) => texts[key][column];
}
