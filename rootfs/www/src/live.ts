// The station as it is now, kept by one WebSocket for the whole page: readers take what they need by useLive, and are drawn
// again when that has changed.
import { useEffect, useState } from "preact/hooks";
import { onSession, session, who } from "./api";
import { Link, LinkState, Wire } from "./live-link";

export type Status = 0 | 1 | 2 | 3 | 4 | 255;

export interface Alarm {
  level: "error" | "warning";
  kind: string;
  object_kind: "connector" | "charger" | "platform" | "bus" | "lua" | "store" | "gateway" | "config";
  object: string;
  name?: string;
  since: number;
  /** English words; key is for translation, with args. */
  cause: string;
  key?: string;
  args?: Record<string, string | number>;
}

/** What is not known is left out. */
export interface LiveConnector {
  /** Its place in the configuration. */
  n: number;
  name: string;
  station: string;
  charger: string;
  park_no?: string;
  status: Status;
  since?: number;
  session: string;
  seq?: string;
  power_w?: number;
  soc?: number;
  energy_wh?: number;
  money_e4?: number;
  started_at?: number;
  limit?: { value: number; unit: string; state: string };
  reserved_until?: number;
  quality: "good" | "stale" | "unknown";
  read_at?: number;
  fault?: string;
}

export interface LivePlatform {
  linked: boolean;
  since?: number;
  outbox: number;
  oldest_at?: number;
  last_error?: string;
  last_error_at?: number;
  mapping?: string;
  push_failed: number;
  answered: number;
  answer_mean_us: number;
  answer_p99_us: number;
}

export interface LiveBus {
  kind: "tcp" | "rtu" | "can";
  up: boolean;
  since?: number;
  /** Thousandths of its time. */
  load: number;
  polls: number;
  errors: number;
  units: number;
  silent: number;
  latency_us: number;
}

export interface Overview {
  time: number;
  gateway: { operator_id: string; version: string; uptime_s: number; rss_kb: number; config_pending: boolean };
  /** What is not set up yet; nothing when all is. */
  setup?: Partial<Record<"operator_id" | "station" | "bus" | "charger" | "platform" | "clock" | "certificate", { needed: boolean }>>;
  totals: {
    connectors: number; charging: number; idle: number; occupied: number; reserved: number; fault: number; offline: number;
    /** Missing while no connector's power is known. */
    power_w?: number; today_wh: number; today_money_e4: number; today_orders: number; today_unseen_wh?: number;
  };
  /** By id; there may be none of it. */
  alarms?: Record<string, Alarm>;
  stations: Record<string, { name: string; station_id: string }>;
  connectors: Record<string, LiveConnector>;
  platforms: Record<string, LivePlatform>;
  buses: Record<string, LiveBus>;
}

export type Live = LinkState<Overview>;

// Whoever comes back to the page within this time finds it as it was.
const hiddenMs = 60_000;

function wire(): Wire {
  const socket = new WebSocket(`${location.protocol === "http:" ? "ws" : "wss"}://${location.host}/api/live`);
  const made: Wire = {
    onmessage: null,
    onclose: null,
    send: (text) => { if (socket.readyState === WebSocket.OPEN) socket.send(text); },
    close: () => socket.close(),
  };
  socket.onmessage = (event) => made.onmessage?.(String(event.data));
  socket.onclose = (event) => made.onclose?.(event.code);
  return made;
}

const link = new Link<Overview>({
  connect: wire,
  now: () => Date.now(),
  later: (fn, ms) => setTimeout(fn, ms),
  cancel: (timer) => clearTimeout(timer as number | undefined),
  random: () => Math.random(),
  alive: async () => (await session()) !== null,
});

/** What is known now. */
export const live = (): Live => link.state;
export const onLive = (reader: () => void): (() => void) => link.subscribe(reader);
/** The gateway's clock, seconds since 1970: for ages of what it says. */
export const gatewayNow = (): number => Math.round((Date.now() + link.skewMs) / 1000);

/** Draws again when what select takes has changed. Parts that did not change are the same objects. */
export function useLive<R>(select: (live: Live) => R): R {
  const now = select(link.state);
  const [, draw] = useState<unknown>(null);
  useEffect(() => {
    let last = select(link.state);
    if (!Object.is(last, now)) draw({});
    return onLive(() => {
      const next = select(link.state);
      if (Object.is(next, last)) return;
      last = next;
      draw({});
    });
  }, []);
  return now;
}

/** The answer of command `connectors` for one connector, new every second while it is looked at; null until it is there. */
export function useConnector<T>(id: string): T | null {
  useEffect(() => {
    link.watch(id);
    return () => link.watch(null);
  }, [id]);
  return useLive((state) => state.connector) as T | null;
}

function follow(): void {
  const now = who();
  if (now && !now.must_change && !document.hidden) link.start();
  else if (!now || now.must_change) link.stop();
}

if (typeof document !== "undefined") {
  let hiding: ReturnType<typeof setTimeout> | undefined;
  onSession(follow);
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(() => link.stop(true), hiddenMs);
    else follow();
  });
  addEventListener("online", follow);
  follow();
}
