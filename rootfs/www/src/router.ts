// Where one is: `#/page/part/part?name=value`. What a page wants to keep over a reload or a log-in stands there.
import { useEffect, useState } from "preact/hooks";

export interface Place {
  page: string;
  /** The parts after the page, decoded. */
  rest: string[];
  query: URLSearchParams;
}

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

export function parse(hash: string): Place {
  const [path, words = ""] = hash.replace(/^#?\/?/, "").split("?", 2) as [string, string?];
  const [page, ...rest] = path.split("/").map(decode);
  return { page: page || "overview", rest: rest.filter(Boolean), query: new URLSearchParams(words) };
}

/** The address of a place, for links: href("connector", id), href("orders", "", { state: "open" }). */
export function href(page: string, rest: string | string[] = [], words: Record<string, string | undefined> = {}): string {
  const parts = (Array.isArray(rest) ? rest : [rest]).filter(Boolean).map(encodeURIComponent);
  const query = new URLSearchParams(Object.entries(words).filter((pair): pair is [string, string] => !!pair[1])).toString();
  return `#/${[page, ...parts].join("/")}${query && `?${query}`}`;
}

/** Goes there; replace: without a step in the browser's history. */
export function go(address: string, replace = false): void {
  if (replace) {
    history.replaceState(null, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = address;
}

export const place = (): Place => parse(location.hash);

export function usePlace(): Place {
  const [now, setNow] = useState(place);
  useEffect(() => onPlace(setNow), []);
  return now;
}

// One listener for all, so that a page with unsaved work is asked before anybody moves.
const watchers = new Set<(place: Place) => void>();
let guard: (() => Promise<boolean>) | null = null;
let last = location.hash;
let returning = false;

function moved(): void {
  if (returning) {
    returning = false;
    return;
  }
  const next = location.hash;
  if (guard && parse(next).page !== parse(last).page) {
    const asked = guard;
    returning = next !== last;
    location.hash = last;
    void asked().then((leave) => {
      if (!leave) return;
      guard = null;
      location.hash = next;
    });
    return;
  }
  last = next;
  const now = parse(next);
  for (const watcher of watchers) watcher(now);
}
addEventListener("hashchange", moved);
addEventListener("beforeunload", (event) => {
  if (guard) event.preventDefault();
});

function onPlace(watcher: (place: Place) => void): () => void {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

/** While dirty, leaving the page asks first (`ask` answers true to leave). */
export function useGuard(dirty: boolean, ask: () => Promise<boolean>): void {
  useEffect(() => {
    if (!dirty) return;
    guard = ask;
    return () => {
      if (guard === ask) guard = null;
    };
  });
}
