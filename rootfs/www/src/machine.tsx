// What a charge goes through (core/charge/session.c), drawn: where it is now, and when it came through the others.
import { useEffect, useState } from "preact/hooks";
import { clock } from "./format";
import { say } from "./text/connector";
import { say as words } from "./text/station";

export type State = "idle" | "authorising" | "starting" | "charging" | "stopping" | "unknown" | "ended";
export const states: State[] = ["idle", "authorising", "starting", "charging", "stopping", "unknown", "ended"];

type Spot = [x: number, y: number];
interface Layout { width: number; height: number; at: Record<State, Spot> }

// Middle of each box; a narrow one for phones, so that the words stay readable.
const wide: Layout = { width: 760, height: 176, at: { idle: [58, 88], authorising: [186, 32], starting: [314, 88], charging: [446, 88], stopping: [578, 32], unknown: [578, 144], ended: [702, 88] } };
const narrow: Layout = { width: 330, height: 406, at: { idle: [90, 28], authorising: [250, 98], starting: [90, 168], charging: [90, 248], stopping: [250, 298], unknown: [250, 378], ended: [90, 338] } };
const boxWidth = 104, boxHeight = 46;

const edges: [State, State][] = [
  ["idle", "authorising"], ["idle", "starting"], ["authorising", "starting"], ["starting", "charging"], ["charging", "stopping"], ["charging", "ended"],
  ["charging", "unknown"], ["unknown", "ended"], ["stopping", "ended"],
];

/** From the edge of one box to the edge of the other. */
function between([ax, ay]: Spot, [bx, by]: Spot): string {
  const dx = bx - ax, dy = by - ay;
  const cut = (gap: number) => Math.min(1, Math.min((boxWidth / 2 + gap) / Math.abs(dx || 1e-9), (boxHeight / 2 + gap) / Math.abs(dy || 1e-9)));
  const a = cut(1), b = cut(3);
  return `M${ax + dx * a} ${ay + dy * a}L${bx - dx * b} ${by - dy * b}`;
}

function useNarrow(): boolean {
  const [media] = useState(() => matchMedia("(max-width: 699px)"));
  const [now, set] = useState(media.matches);
  useEffect(() => {
    const changed = () => set(media.matches);
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, []);
  return now;
}

/** entered: when the charge of now came into each state (epoch seconds). */
export function Machine({ state, entered }: { state: State; entered: Partial<Record<State, number>> }) {
  const layout = useNarrow() ? narrow : wide;
  const name = (one: State) => words(`session.${one}`);
  const went = (from: State, to: State) => entered[to] !== undefined && (from === "idle" || entered[from] !== undefined) && state !== "idle";
  return (
    <svg class="machine" viewBox={`0 0 ${layout.width} ${layout.height}`} role="img" aria-label={say("machine", { state: name(state) })}>
      <defs>
        {["", "-went"].map((kind) => (
          <marker key={kind} id={`arrow${kind}`} class={`arrow${kind}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" /></marker>
        ))}
      </defs>
      {edges.map(([from, to]) => {
        const kind = went(from, to) ? "-went" : "";
        return <path key={from + to} class={`edge${kind}`} d={between(layout.at[from], layout.at[to])} marker-end={`url(#arrow${kind})`} />;
      })}
      {states.map((one) => {
        const [x, y] = layout.at[one], at = entered[one], now = one === state;
        return (
          <g key={one} class={`node ${now ? "now" : at !== undefined && state !== "idle" ? "went" : ""}`}>
            <rect x={x - boxWidth / 2} y={y - boxHeight / 2} width={boxWidth} height={boxHeight} rx="5" />
            <text x={x} y={y - (at !== undefined ? 2 : -5)}>{now ? "● " : ""}{name(one)}</text>
            {at !== undefined && <text class="at" x={x} y={y + 15}>{clock(at)}</text>}
          </g>
        );
      })}
    </svg>
  );
}
