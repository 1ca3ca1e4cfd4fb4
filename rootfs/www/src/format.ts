// Numbers, amounts and times as people read them. Unknown (undefined, null) is "–", never 0.
import { language } from "./text";

export const unknown = "–";
type Maybe = number | null | undefined;

/** Times are the station's, and its platforms': UTC+8, wherever the browser is. */
export const zone = "Asia/Shanghai";
const zoneSeconds = 8 * 3600;

const locale = (): string => (language() === "zh" ? "zh-CN" : "en-GB");
const formats = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numberFormat(digits: number): Intl.NumberFormat {
  const key = `${locale()}${digits}`;
  let format = formats.get(key) as Intl.NumberFormat | undefined;
  if (!format) {
    format = new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(key, format);
  }
  return format;
}

export const number = (value: Maybe, digits = 0): string => (value == null ? unknown : numberFormat(digits).format(value));

/** W as kW. */
export const power = (watt: Maybe): string => (watt == null ? unknown : `${number(watt / 1000, 1)} kW`);

/** Wh as kWh, from 1 MWh as MWh. */
export function energy(wh: Maybe): string {
  if (wh == null) return unknown;
  return Math.abs(wh) < 1e6 ? `${number(wh / 1000, wh < 1e5 ? 2 : 1)} kWh` : `${number(wh / 1e6, 2)} MWh`;
}

/** 1/10 000 yuan as yuan and fen. */
export const money = (e4: Maybe): string => (e4 == null ? unknown : `¥${number(Math.round(e4 / 100) / 100, 2)}`);

export const percent = (value: Maybe, digits = 0): string => (value == null ? unknown : `${number(value, digits)} %`);

function dateFormat(kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale() + kind;
  let format = formats.get(key) as Intl.DateTimeFormat | undefined;
  if (!format) {
    format = new Intl.DateTimeFormat(locale(), { hourCycle: "h23", timeZone: zone, ...options });
    formats.set(key, format);
  }
  return format;
}

/** Epoch seconds as date and time. */
export const dateTime = (at: Maybe): string => (at == null ? unknown : dateFormat("dt", {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
}).format(at * 1000));

/** Epoch seconds as time of day. */
export const clock = (at: Maybe, seconds = true): string => (at == null ? unknown : dateFormat(seconds ? "hms" : "hm", {
  hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}),
}).format(at * 1000));

/** Epoch seconds as "2026-01-31 08:00:00": the form in which platforms and orders have it. */
export const stamp = (at: number): string => new Date((at + zoneSeconds) * 1000).toISOString().slice(0, 19).replace("T", " ");

const dayOf = (at: number): string => stamp(at).slice(0, 10);

/** The time of day, with the date when it is not today. */
export function when(at: Maybe, now = Date.now() / 1000): string {
  if (at == null) return unknown;
  if (dayOf(at) === dayOf(now)) return clock(at, false);
  return dateFormat("mdhm", { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }).format(at * 1000);
}

const steps: [number, string, string][] = [[86400, "d", "天"], [3600, "h", "小时"], [60, "min", "分"], [1, "s", "秒"]];

/** Seconds in the two largest units that matter: "3 min", "2 h 05 min", "4 d 3 h". */
export function duration(seconds: Maybe): string {
  if (seconds == null) return unknown;
  const left = Math.max(0, Math.round(seconds));
  const zh = language() === "zh";
  const i = Math.max(0, steps.findIndex(([size]) => left >= size));
  const step = left === 0 ? steps[3]! : steps[i]!;
  const unit = (s: [number, string, string], n: number) => (zh ? `${n}${s[2]}` : `${n} ${s[1]}`);
  const whole = Math.floor(left / step[0]);
  const next = steps[steps.indexOf(step) + 1];
  const rest = next ? Math.floor((left % step[0]) / next[0]) : 0;
  if (!next || rest === 0 || next[0] === 1) return unit(step, whole);
  return `${unit(step, whole)}${zh ? "" : " "}${unit(next, rest)}`;
}

/** Bytes as kB, MB. */
export function bytes(count: Maybe): string {
  if (count == null) return unknown;
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${number(count / 1000, 1)} kB` : `${number(count / 1e6, 1)} MB`;
}
