// What the daemon answers (core/main/stats.c builds it); numbers are plain, unknown values are left out.
export interface Point {
  quality: "good" | "stale" | "unknown";
  value?: number | string;
  age_ms?: number;
  unit: string;
}

export interface Connector {
  connector_id: string;
  name: string;
  station: string;
  charger: string;
  status: number;
  since: string;
  changes: number;
  today_wh: number;
  points: Record<string, Point>;
}

export interface Line {
  name: string;
  connected: number;
  units: number;
  units_slow: number;
  due: number;
  polls: number;
  ok: number;
  timeouts: number;
  exceptions: number;
  bad: number;
  missed: number;
  late: number;
  latency_mean_us: number;
  latency_max_us: number;
}

export interface Platform {
  name: string;
  linked: number;
  last_error: string;
  status_pushed: number;
  status_accepted: number;
  push_failed: number;
  answered: number;
  refused: number;
  answer_mean_us: number;
  answer_p99_us: number;
  waiting: number;
  mapping: string;
}

export interface Overview {
  time: string;
  uptime_s: number;
  rss_kb: number;
  polls: Line;
  buses: Line[];
  connectors: Connector[];
  platforms: Platform[];
}

export class LoggedOut extends Error {}

// A gateway that hangs answers nothing: figures older than this must not look alive.
const patienceMs = 3000;

export async function overview(): Promise<Overview> {
  const answer = await fetch("/api/overview", { cache: "no-store", signal: AbortSignal.timeout(patienceMs) });
  if (answer.status === 401) throw new LoggedOut();
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as Overview;
}

/** Logs in; the HTTP status of the refusal, or 200. */
export async function login(user: string, password: string): Promise<number> {
  const answer = await fetch("/api/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user, password }),
  });
  return answer.status;
}

export async function logout(): Promise<void> {
  await fetch("/api/logout", { method: "POST" });
}
