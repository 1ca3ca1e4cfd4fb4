// Which units of a line answer: one harmless read each, with pauses, so that the polls go on.
import { useEffect, useRef, useState } from "preact/hooks";
import { act } from "../api";
import { Button, Loading, Notice, Problem, Table } from "../parts";
import { say } from "../text/tools";
import { LineField, NumberField, useLines, whole } from "./common";

interface Probe { unit: number; status: string; exception?: number; latency_us: number; charger?: string; answered: boolean }

export function Scan() {
  const lines = useLines();
  const [line, setLine] = useState("");
  const [from, setFrom] = useState("1");
  const [to, setTo] = useState("32");
  const [timeout, setTimeoutMs] = useState("200");
  const [at, setAt] = useState<number | null>(null);
  const [asked, setAsked] = useState(0);
  const [found, setFound] = useState<Probe[]>([]);
  const [problem, setProblem] = useState<unknown>(null);
  const stopped = useRef(true);
  useEffect(() => () => { stopped.current = true; }, []);
  const chosen = line || lines.data?.lines[0]?.line || "";
  const range = { from: whole(from, 0, 255), to: whole(to, 0, 255), timeout: whole(timeout, 10, 10000) };
  const valid = !Object.values(range).some(Number.isNaN) && range.from <= range.to;

  const run = async () => {
    stopped.current = false;
    setFound([]);
    setAsked(0);
    setProblem(null);
    for (let unit = range.from; unit <= range.to && !stopped.current; unit++) {
      setAt(unit);
      try {
        const probe = await act<Probe>("bus_probe", { line: chosen, unit, timeout_ms: range.timeout });
        setAsked((n) => n + 1);
        if (probe.answered) setFound((before) => [...before, probe]);
        // A silent unit has cost the line its timeout: the polls get twice that.
        await new Promise((done) => setTimeout(done, probe.answered ? 20 : 2 * range.timeout));
      } catch (refused) {
        setProblem(refused);
        break;
      }
    }
    stopped.current = true;
    setAt(null);
  };

  if (!lines.data) return lines.problem ? <Problem problem={lines.problem} again={lines.again} /> : <Loading />;
  if (!lines.data.lines.length) return <Notice kind="info">{say("no_lines")}</Notice>;
  return (
    <>
      <form class="panel bar" onSubmit={(event) => { event.preventDefault(); if (at === null) void run(); }}>
        <LineField lines={lines.data.lines} value={chosen} onChange={setLine} />
        <NumberField label={say("from")} value={from} onChange={setFrom} />
        <NumberField label={say("to")} value={to} onChange={setTo} />
        <NumberField label={say("timeout")} value={timeout} onChange={setTimeoutMs} />
        {at === null
          ? <Button type="submit" kind="primary" disabled={!valid}>{say("begin")}</Button>
          : <Button kind="danger" onClick={() => { stopped.current = true; }}>{say("stop")}</Button>}
      </form>
      {problem !== null && <Problem problem={problem} />}
      {(at !== null || asked > 0) && (
        <section class="panel">
          {at !== null && <progress value={at - range.from} max={range.to - range.from + 1} aria-label={say("scan")} />}
          <p role="status">{at !== null ? say("progress", { unit: at, to: range.to, found: found.length }) : say("scan_done", { asked, found: found.length })}</p>
          <Table caption={say("scan")} rows={found} rowKey={(row) => row.unit} empty={say("nobody")} columns={[
            { id: "unit", label: say("unit"), cell: (row) => row.unit, numeric: true },
            { id: "answer", label: say("answer"), cell: (row) => row.exception === undefined ? row.status : `${row.status} ${row.exception}` },
            { id: "latency", label: say("latency"), cell: (row) => `${(row.latency_us / 1000).toFixed(1)} ms`, numeric: true },
            { id: "charger", label: say("charger"), cell: (row) => row.charger ?? "" },
          ]} />
        </section>
      )}
    </>
  );
}
