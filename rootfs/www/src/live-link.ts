// The live connection, without browser and without Preact: connects, takes changes over, tells when the line is lost, comes
// back by itself. live.ts gives it a world; the test (tests/web/unit_live.mjs) another one.

/** What is asked or told beside the overview; see core/admin/README.md, "Live". */
export interface LinkState<T> {
  /** off: nobody is logged in, or the page is hidden; connecting: nothing was there yet; lost: what is there is old. */
  link: "off" | "connecting" | "live" | "lost";
  /** When the last word came before the line was lost (ms); null unless lost. */
  lostSince: number | null;
  data: T | null;
  /** The connector that is watched, as command `connectors` tells it; null until it is there. */
  connector: unknown;
}

export interface Wire {
  onmessage: ((text: string) => void) | null;
  /** code as in RFC 6455; opened: the handshake had gone through. */
  onclose: ((code: number) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface World {
  connect(): Wire;
  now(): number;
  later(fn: () => void, ms: number): unknown;
  cancel(timer: unknown): void;
  random(): number;
  /** Asks whether the session still lives; rejects when there is no answer. */
  alive(): Promise<boolean>;
}

/** A word comes every 5 s at least. */
export const silenceMs = 12_000;
export const firstPauseMs = 500;
export const lastPauseMs = 10_000;

type Tree = { [name: string]: unknown };
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

/** RFC 7386. What does not change stays the same object, so that readers see by identity what did. */
export function merge(target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  const from: Tree = isTree(target) ? target : {};
  let to: Tree | null = isTree(target) ? null : {};
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) {
      if (!Object.hasOwn(from, name)) continue;
      to ??= { ...from };
      delete to[name];
      continue;
    }
    const before = Object.hasOwn(from, name) ? from[name] : undefined;
    const after = merge(before, change);
    if (after === before) continue;
    to ??= { ...from };
    Object.defineProperty(to, name, { value: after, enumerable: true, writable: true, configurable: true });
  }
  return to ?? from;
}

export class Link<T> {
  state: LinkState<T> = { link: "off", lostSince: null, data: null, connector: null };
  /** The gateway's clock less ours, ms. */
  skewMs = 0;
  private readers = new Set<() => void>();
  private wire: Wire | null = null;
  private wanted = false;
  private seq = 0;
  private pauseMs = firstPauseMs;
  private retry: unknown = null;
  private silence: unknown = null;
  private heardAt = 0;
  private spoke = false; // this connection has said something
  private asked = false; // for everything anew
  private watched: string | null = null;

  constructor(private world: World) {}

  subscribe(reader: () => void): () => void {
    this.readers.add(reader);
    return () => void this.readers.delete(reader);
  }

  /** Which connector's detail is wanted; null: none. */
  watch(id: string | null): void {
    if (id === this.watched) return;
    this.watched = id;
    if (this.state.connector !== null) this.become({ connector: null });
    if (this.spoke) this.wire?.send(JSON.stringify({ watch: id }));
  }

  /** Wants to be connected; at once, if it waits to try again. */
  start(): void {
    this.wanted = true;
    this.pauseMs = firstPauseMs;
    if (this.wire) return;
    this.world.cancel(this.retry);
    this.open();
  }

  /** keep: what was there stays to be looked at. */
  stop(keep = false): void {
    this.wanted = false;
    this.world.cancel(this.retry);
    this.drop();
    this.become({ link: "off", lostSince: null, ...(keep ? {} : { data: null, connector: null }) });
  }

  private become(change: Partial<LinkState<T>>): void {
    this.state = { ...this.state, ...change };
    for (const reader of [...this.readers]) reader();
  }

  private drop(): void {
    this.world.cancel(this.silence);
    const wire = this.wire;
    this.wire = null;
    if (!wire) return;
    wire.onmessage = wire.onclose = null;
    wire.close();
  }

  private open(): void {
    this.spoke = this.asked = false;
    if (this.state.link === "off") this.become({ link: this.state.data ? "lost" : "connecting", lostSince: this.state.data ? this.heardAt : null });
    this.wire = this.world.connect();
    this.wire.onmessage = (text) => this.hear(text);
    this.wire.onclose = (code) => this.lost(code);
    this.listen();
  }

  /** A line that says nothing is dead, whatever the browser thinks of it. */
  private listen(): void {
    this.world.cancel(this.silence);
    this.silence = this.world.later(() => this.lost(0), silenceMs);
  }

  private lost(code: number): void {
    const refused = code === 4401 || (!this.spoke && code !== 0);
    this.drop();
    if (this.state.link !== "lost") this.become(this.state.data ? { link: "lost", lostSince: this.heardAt } : { link: "connecting" });
    if (!this.wanted) return;
    const pause = this.pauseMs * (0.5 + this.world.random());
    this.pauseMs = Math.min(2 * this.pauseMs, lastPauseMs);
    this.retry = this.world.later(() => void this.again(refused), Math.min(pause, lastPauseMs));
  }

  /** The browser does not say why a handshake was refused: with a session that has ended there is no use in trying. */
  private async again(refused: boolean): Promise<void> {
    if (refused && !(await this.world.alive().catch(() => true))) {
      this.stop();
      return;
    }
    if (this.wanted && !this.wire) this.open();
  }

  private hear(text: string): void {
    let said: unknown;
    try {
      said = JSON.parse(text);
    } catch {
      said = null;
    }
    this.heardAt = this.world.now();
    this.listen();
    if (!isTree(said)) return this.resync();
    if (!this.spoke) {
      this.spoke = true;
      if (this.watched !== null) this.wire?.send(JSON.stringify({ watch: this.watched }));
    }
    if (isTree(said.connector)) {
      // One that was watched before may still be on its way.
      if (said.connector.connector === this.watched) this.become({ connector: said.connector });
      return;
    }
    const seq = typeof said.seq === "number" ? said.seq : -1;
    if (isTree(said.all)) {
      this.seq = seq;
      this.asked = false;
      this.pauseMs = firstPauseMs;
      this.clock(said.all.time);
      this.become({ link: "live", lostSince: null, data: said.all as T });
    } else if (isTree(said.patch)) {
      if (seq !== this.seq + 1 || !this.state.data) return this.resync();
      this.seq = seq;
      this.clock(said.patch.time);
      this.become({ data: merge(this.state.data, said.patch) as T });
    } else if ("tick" in said) {
      this.clock(said.tick);
      if (seq !== this.seq) this.resync();
    }
  }

  private clock(epoch: unknown): void {
    if (typeof epoch === "number") this.skewMs = epoch * 1000 - this.world.now();
  }

  /** Something is missing: everything anew, once. */
  private resync(): void {
    if (this.asked) return;
    this.asked = true;
    this.wire?.send(JSON.stringify({ resync: true }));
  }
}
