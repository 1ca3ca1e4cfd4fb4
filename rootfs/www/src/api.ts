// The daemon's API: every command of core/control (its README has the table) and the log-in. Looks are GET, acts are
// POST with the session's CSRF token. An answer is the command's result; anything else is thrown as Refused.

export type Role = "viewer" | "operator" | "integrator" | "administrator";
export type Argument = string | number | boolean | null | undefined | object;
export type Arguments = Record<string, Argument>;

export interface Session {
  user: string;
  role: Role;
  csrf: string;
  must_change: boolean;
  source: "page" | "configuration" | "token";
}

/** Why something was not done. status 0: no answer came (line lost, or it took too long). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    /** Stable id of the reason, for translation; empty if there is none. */
    readonly key: string,
    /** English words of the daemon. */
    readonly text: string,
    /** Seconds to wait before trying again, if the daemon said so. */
    readonly wait: number = 0,
  ) {
    super(text);
  }
}

// A gateway that hangs answers nothing, and a charger may take its time to take a command.
const lookPatienceMs = 10_000;
const actPatienceMs = 60_000;

let current: Session | null = null;
const watchers = new Set<(session: Session | null) => void>();

/** Who is logged in; null: nobody (yet). */
export const who = (): Session | null => current;

/** Calls back whenever somebody logs in or out, or the session ends on the daemon's side. */
export function onSession(watcher: (session: Session | null) => void): () => void {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

function become(session: Session | null): void {
  if (session === null && current === null) return;
  current = session;
  for (const watcher of watchers) watcher(session);
}

/** The session has ended, as the live connection found out. */
export const sessionEnded = (): void => become(null);

async function ask(path: string, init: RequestInit, patienceMs: number): Promise<Response> {
  try {
    return await fetch(path, { ...init, signal: AbortSignal.timeout(patienceMs) });
  } catch (problem) {
    const late = problem instanceof DOMException && problem.name === "TimeoutError";
    throw new Refused(0, late ? "timeout" : "lost", late ? "net.timeout" : "net.lost",
      late ? "the gateway did not answer in time" : "no connection to the gateway");
  }
}

async function refusal(answer: Response): Promise<Refused> {
  const said = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  const word = (name: string) => (typeof said[name] === "string" ? (said[name] as string) : "");
  const wait = Number(answer.headers.get("retry-after") ?? said.retry_after_s ?? said.wait_s ?? 0);
  return new Refused(answer.status, word("code") || `http_${answer.status}`, word("key"),
    word("error") || `HTTP ${answer.status}`, Number.isFinite(wait) ? wait : 0);
}

async function read<T>(answer: Response): Promise<T> {
  if (!answer.ok) {
    if (answer.status === 401) become(null);
    throw await refusal(answer);
  }
  try {
    return (await answer.json()) as T;
  } catch {
    throw new Refused(0, "lost", "net.lost", "the answer broke off");
  }
}

function query(args: Arguments): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(args)) {
    if (value === undefined || value === null || value === false || value === "") continue;
    words.set(name, value === true ? "1" : typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  const text = words.toString();
  return text && `?${text}`;
}

function body(args: Arguments): string {
  return JSON.stringify(args, (_, value) => (value === null ? undefined : value));
}

const post = (path: string, args: Arguments, patienceMs: number): Promise<Response> =>
  ask(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...(current ? { "x-forecourt-csrf": current.csrf } : {}) },
    body: body(args),
  }, patienceMs);

/** Asks: changes nothing. */
export async function look<T>(command: string, args: Arguments = {}): Promise<T> {
  return read<T>(await ask(`/api/${command}${query(args)}`, {}, lookPatienceMs));
}

/** Orders: the daemon writes it to the audit log. */
export async function act<T>(command: string, args: Arguments = {}): Promise<T> {
  const order = async () => read<T>(await post(`/api/${command}`, args, actPatienceMs));
  const before = current;
  try {
    return await order();
  } catch (refused) {
    if (!(refused instanceof Refused) || refused.status !== 403) throw refused;
    // Somebody logged in anew in another window: the cookie is that session's, our token the old one's. Nothing was done.
    if (refused.key !== "csrf" && refused.key !== "account.must_change") throw refused;
    const now = await session();
    if (refused.key !== "csrf" || now?.user !== before?.user || now?.csrf === before?.csrf) throw refused;
    return order();
  }
}

/** Who is logged in, asked of the daemon; null: nobody. */
export async function session(): Promise<Session | null> {
  const answer = await ask("/api/session", {}, lookPatienceMs);
  if (answer.status === 401) {
    become(null);
    return null;
  }
  const found = await read<Session>(answer);
  become(found);
  return found;
}

export async function login(user: string, password: string): Promise<Session> {
  const answer = await post("/api/login", { user, password }, lookPatienceMs);
  if (!answer.ok) throw await refusal(answer);
  await answer.json().catch(() => null);
  const found = await session();
  if (!found) throw new Refused(0, "cookie", "net.cookie", "the browser did not keep the session cookie");
  return found;
}

export async function logout(): Promise<void> {
  try {
    await post("/api/logout", {}, lookPatienceMs);
  } finally {
    become(null);
  }
}

/** Changes one's own password; the daemon may end the session and begin a new one. */
export async function changePassword(old: string, next: string): Promise<void> {
  await read<unknown>(await post("/api/password", { old, new: next }, lookPatienceMs));
  await session();
}

const ranks: Role[] = ["viewer", "operator", "integrator", "administrator"];

/** Whether who is logged in has at least this role. The daemon checks again: this is for what the page offers. */
export function may(role: Role): boolean {
  return current !== null && ranks.indexOf(current.role) >= ranks.indexOf(role);
}

function click(href: string, name: string): void {
  const anchor = document.createElement("a");
  anchor.href = href;
  anchor.download = name;
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}

/** Saves the answer of a look that is a file (file, type, text) under the name the daemon gives it. */
export function download(command: string, args: Arguments = {}): void {
  click(`/api/${command}${query({ ...args, download: true })}`, "");
}

/** Saves a text that the page has made, or that an act answered. */
export function save(name: string, type: string, content: string | Uint8Array<ArrayBuffer>): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  click(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
