// What the tabs share.
import { useEffect, useRef } from "preact/hooks";
import { save } from "../api";
import { Field, useLook } from "../parts";
import { say } from "../text/tools";

export interface File { file: string; type: string; text?: string; base64?: string }

/** Saves what an act answered as a file. */
export function saveFile(made: File): void {
  save(made.file, made.type, made.base64 === undefined ? made.text ?? "" : Uint8Array.from(atob(made.base64), (c) => c.charCodeAt(0)));
}

export interface BusUnit {
  unit: number; chargers: string[]; slow: boolean; requests: number; answers: number; timeouts: number; bad: number; exceptions: number;
  latency_p50_us?: number; latency_p99_us?: number; answer_age_us?: number;
}
export interface BusLine {
  line: string; endpoint?: string; connected: boolean; load: number; polls: number; timeouts: number; bad: number; exceptions: number; missed: number; units: BusUnit[];
}

export const useLines = () => useLook<{ lines: BusLine[]; trace_kb: number }>("bus_stats");

export function LineField({ lines, value, onChange, all = false }: { lines: BusLine[]; value: string; onChange: (line: string) => void; all?: boolean }) {
  return (
    <Field label={say("line")}>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {all && <option value="">{say("all")}</option>}
        {lines.map((one) => <option key={one.line} value={one.line}>{one.line}{one.endpoint ? ` (${one.endpoint})` : ""}</option>)}
      </select>
    </Field>
  );
}

export function NumberField({ label, value, onChange, min, max, help }: { label: string; value: string; onChange: (value: string) => void; min?: number; max?: number; help?: string }) {
  return (
    <Field label={label} help={help}>
      <input inputMode="numeric" value={value} min={min} max={max} onInput={(event) => onChange(event.currentTarget.value)} />
    </Field>
  );
}

/** A whole number as people write it, decimal or 0x…; NaN where it is none, or out of range. */
export function whole(text: string, min: number, max: number): number {
  const n = /^\s*(\d+|0x[0-9a-f]+)\s*$/i.test(text) ? Number(text) : NaN;
  return n >= min && n <= max ? n : NaN;
}

/** Calls fn every so often while on, one call at a time, not while the window is hidden. */
export function usePoll(fn: () => Promise<unknown>, everyMs: number, on: boolean): void {
  const latest = useRef(fn);
  latest.current = fn;
  useEffect(() => {
    if (!on) return;
    let gone = false;
    let timer = 0;
    const turn = async () => {
      if (document.visibilityState === "visible") await latest.current().catch(() => undefined);
      if (!gone) timer = setTimeout(turn, everyMs);
    };
    void turn();
    return () => { gone = true; clearTimeout(timer); };
  }, [everyMs, on]);
}
