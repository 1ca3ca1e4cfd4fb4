// Curves: power with SoC, voltage with current, one time axis; history from the store, what comes live appended.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { look } from "./api";
import { clock, dateTime, number, unknown, zone } from "./format";
import { gatewayNow } from "./live";
import { Choice, Notice, why } from "./parts";
import { language } from "./text";
import { say } from "./text/connector";
import { onTheme } from "./theme";

export type Range = "30m" | "6h" | "24h" | "7d" | "30d";
const ranges: Record<Range, number> = { "30m": 1800, "6h": 21600, "24h": 86400, "7d": 604800, "30d": 2592000 };
const rangeNames = Object.keys(ranges) as Range[];

type Series = (number | null)[];
interface History { from: number; step_s: number; count: number; power_w?: Series; voltage_dv?: Series; current_da?: Series; soc?: Series }

/** What is known now: kW, V, A, %. */
export interface Sample { power: number | null; voltage: number | null; current: number | null; soc: number | null }
type Name = keyof Sample;
const names: Name[] = ["power", "voltage", "current", "soc"];
const units: Record<Name, string> = { power: "kW", voltage: "V", current: "A", soc: "%" };
const digits: Record<Name, number> = { power: 1, voltage: 1, current: 1, soc: 0 };

type Data = { t: number[] } & Record<Name, Series>;

function dataOf(history: History): Data {
  const t = Array.from({ length: history.count }, (_, i) => history.from + i * history.step_s);
  const scaled = (from: Series | undefined, by: number) => t.map((_, i) => { const v = from?.[i]; return v == null ? null : v / by; });
  return { t, power: scaled(history.power_w, 1000), voltage: scaled(history.voltage_dv, 10), current: scaled(history.current_da, 10), soc: scaled(history.soc, 1) };
}

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function timeLabels(_: uPlot, splits: number[], __: number, ___: number, step: number): string[] {
  let day = "";
  return splits.map((at) => {
    const date = dateTime(at);
    const short = date.slice(0, language() === "zh" ? 10 : 5).replace(/^\d{4}./, "");
    const first = short !== day;
    day = short;
    if (step >= 86400) return short;
    return first && step >= 3600 ? short : clock(at, step < 60);
  });
}

function axis(name: Name, side: 1 | 3, grid: boolean): uPlot.Axis {
  return {
    scale: name, side, stroke: token(`--c-${name}`), font: "12px system-ui", size: 46, gap: 4, grid: { show: grid, stroke: token("--line"), width: 1 },
    ticks: { show: false }, values: (_, splits) => splits.map((v) => number(v, Number.isInteger(v) ? 0 : 1)), space: 34,
  };
}

const line = (name: Name, shown: boolean): uPlot.Series => ({
  scale: name, stroke: token(`--c-${name}`), width: 1.75, show: shown, points: { show: false }, spanGaps: false,
  dash: name === "soc" || name === "current" ? [6, 4] : undefined,
});

const startsAtZero = (_: uPlot, low: number | null, high: number | null): [number, number] =>
  [Math.min(0, low ?? 0), Math.max(1, (high ?? 1) * 1.08)];

function plot(box: HTMLElement, left: Name, right: Name, window: () => [number, number], shown: Record<Name, boolean>, last: boolean, onIndex: (index: number | null) => void): uPlot {
  const scale = (name: Name): uPlot.Scale => ({ range: name === "soc" ? [0, 100] : startsAtZero });
  return new uPlot({
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
    width: Math.max(200, box.clientWidth), height: last ? 178 : 160, legend: { show: false }, padding: [8, 0, 0, 0],
    cursor: { sync: { key: "curves", setSeries: false }, drag: { x: false, y: false }, points: { size: 7 }, y: false },
    scales: { x: { range: () => window() }, [left]: scale(left), [right]: scale(right) },
    axes: [
      { stroke: token("--muted"), font: "12px system-ui", grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line"), size: 4 }, values: timeLabels, space: 70, size: 28, ...(last ? {} : { values: () => [], size: 6 }) },
      axis(left, 3, true), axis(right, 1, false),
    ],
    series: [{}, line(left, shown[left]), line(right, shown[right])],
    hooks: { setCursor: [(u) => onIndex(u.cursor.idx ?? null)] },
  }, [[], [], []], box);
}

export function Curves({ connector, now }: { connector: string; now: Sample }) {
  const [range, setRange] = useState<Range>("30m");
  const [problem, setProblem] = useState<unknown>(null);
  const [shown, setShown] = useState<Record<Name, boolean>>({ power: true, voltage: true, current: true, soc: true });
  const [index, setIndex] = useState<number | null>(null);
  const [, draw] = useState({});
  const upper = useRef<HTMLDivElement>(null), lower = useRef<HTMLDivElement>(null);
  const plots = useRef<uPlot[]>([]);
  const data = useRef<Data | null>(null);
  const span = useRef(ranges[range]);
  span.current = ranges[range];

  const show = () => {
    const d = data.current;
    if (!d || plots.current.length === 0) return;
    plots.current[0]!.setData([d.t, d.power, d.soc]);
    plots.current[1]!.setData([d.t, d.voltage, d.current]);
  };

  // The plots are made anew when colours or language change: they are drawings.
  useEffect(() => {
    const window = (): [number, number] => { const end = gatewayNow(); return [end - span.current, end]; };
    const make = () => {
      plots.current.forEach((one) => one.destroy());
      plots.current = [
        plot(upper.current!, "power", "soc", window, shown, false, setIndex),
        plot(lower.current!, "voltage", "current", window, shown, true, setIndex),
      ];
      show();
    };
    make();
    const size = new ResizeObserver(() => {
      for (const one of plots.current) one.setSize({ width: Math.max(200, upper.current!.clientWidth), height: one.height });
    });
    size.observe(upper.current!);
    const off = onTheme(make);
    return () => {
      off();
      size.disconnect();
      plots.current.forEach((one) => one.destroy());
      plots.current = [];
    };
  }, [language()]);

  // History: at once, and anew when a step of the range has gone by.
  useEffect(() => {
    let gone = false;
    data.current = null;
    setProblem(null);
    const ask = () => {
      const end = gatewayNow();
      look<History>("history", { connector, from: end - ranges[range], to: end, points: 600 }).then((history) => {
        if (gone) return;
        data.current = dataOf(history);
        setProblem(null);
        show();
        draw({});
      }, (refused: unknown) => !gone && setProblem(refused));
    };
    ask();
    const timer = setInterval(ask, Math.max(60, ranges[range] / 600) * 1000);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [connector, range]);

  // What is live goes on at the end.
  useEffect(() => {
    const d = data.current;
    if (!d) return;
    const at = gatewayNow(), last = d.t.at(-1);
    const step = Math.max(1, ranges[range] / 1800);
    if (last !== undefined && at - last < step) return;
    d.t.push(at);
    for (const name of names) d[name].push(now[name]);
    while (d.t.length && d.t[0]! < at - ranges[range]) {
      d.t.shift();
      for (const name of names) d[name].shift();
    }
    show();
  }, [now]);

  useEffect(() => {
    const at: Record<Name, [number, number]> = { power: [0, 1], soc: [0, 2], voltage: [1, 1], current: [1, 2] };
    for (const name of names) plots.current[at[name][0]]?.setSeries(at[name][1], { show: shown[name] });
  }, [shown]);

  const d = data.current;
  const at = index !== null && d ? d.t[index] : undefined;
  const reading = (name: Name) => {
    const value = at === undefined ? now[name] : d?.[name][index!];
    return value == null ? unknown : `${number(value, digits[name])} ${units[name]}`;
  };
  const summary = (name: Name) => {
    const known = (d?.[name] ?? []).filter((v): v is number => v !== null);
    if (!known.length) return "";
    const low = known.reduce((a, b) => Math.min(a, b)), high = known.reduce((a, b) => Math.max(a, b));
    return say("chart_summary", { what: say(name), from: number(low, digits[name]), to: `${number(high, digits[name])} ${units[name]}`, now: reading(name) });
  };
  const described = (a: Name, b: Name) => `${say("chart_of", { what: `${say(a)}, ${say(b)}`, range: say(`range.${range}`) })}. ${summary(a)}. ${summary(b)}`;
  const empty = d && names.every((name) => d[name].every((v) => v === null));
  return (
    <section class="panel curves" aria-labelledby="curves">
      <div class="row">
        <h2 id="curves">{say("curves")}</h2>
        <Choice label={say("range")} value={range} onChange={(next) => setRange(next as Range)} choices={rangeNames.map((id) => ({ id, label: say(`range.${id}`) }))} />
        <span class="at muted small">{at !== undefined ? dateTime(at) : ""}</span>
      </div>
      <div class="legend">
        {names.map((name) => (
          <button key={name} type="button" class={`c-${name}`} aria-pressed={shown[name]} title={say("show_hide", { what: say(name) })}
            onClick={() => setShown({ ...shown, [name]: !shown[name] })}>
            <svg width="18" height="4" aria-hidden="true"><line x1="0" y1="2" x2="18" y2="2" stroke="currentColor" stroke-width="3" stroke-dasharray={name === "soc" || name === "current" ? "6 3" : undefined} /></svg>
            {say(name)} <b>{reading(name)}</b>
          </button>
        ))}
      </div>
      {problem !== null && <Notice kind="warn" live>{why(problem)}</Notice>}
      {empty && <p class="empty">{say("no_history")}</p>}
      <div ref={upper} class="plot" role="img" aria-label={described("power", "soc")} />
      <div ref={lower} class="plot" role="img" aria-label={described("voltage", "current")} />
    </section>
  );
}
