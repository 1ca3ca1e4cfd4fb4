// Ages that grow: one timer for all of them, and only what reads differently is drawn again.
import { useEffect, useState } from "preact/hooks";
import { duration } from "./format";
import { gatewayNow } from "./live";
import { language } from "./text";

const ticks = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function onTick(fn: () => void): () => void {
  ticks.add(fn);
  timer ??= setInterval(() => ticks.forEach((one) => one()), 1000);
  return () => {
    ticks.delete(fn);
    if (ticks.size) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** A text made of the gateway's time; drawn when the text changes. */
export function useTicking(make: (now: number) => string): string {
  const text = make(gatewayNow());
  const [, draw] = useState("");
  useEffect(() => {
    let shown = text;
    return onTick(() => {
      const next = make(gatewayNow());
      if (next === shown) return;
      shown = next;
      draw(next);
    });
  });
  return text;
}

/** How long since: "3 min". */
export const Since = ({ at }: { at: number }) => <>{useTicking((now) => language() && duration(now - at))}</>;
