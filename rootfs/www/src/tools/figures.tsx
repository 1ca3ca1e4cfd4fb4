// How the lines and their units do.
import { bytes, number, percent, unknown } from "../format";
import { Badge, Button, Loading, Problem, Table } from "../parts";
import { say } from "../text/tools";
import { BusLine, BusUnit, useLines, usePoll } from "./common";

const ms = (us?: number): string => (us === undefined ? unknown : `${number(us / 1000, 1)} ms`);

function Line({ line }: { line: BusLine }) {
  return (
    <section class="panel">
      <h2>{line.line} <Badge kind={line.connected ? "ok" : "bad"}>{line.connected ? say("connected") : say("closed")}</Badge></h2>
      <p class="muted">{line.endpoint} · {say("load")} {percent(line.load / 10, 1)} · {say("missed")} {number(line.missed)}</p>
      <Table caption={line.line} rows={line.units} rowKey={(unit: BusUnit) => unit.unit} columns={[
        { id: "unit", label: say("unit"), cell: (unit) => unit.unit, numeric: true },
        { id: "charger", label: say("charger"), cell: (unit) => unit.chargers.join(", ") },
        { id: "requests", label: say("requests"), cell: (unit) => number(unit.requests), numeric: true },
        { id: "answers", label: say("answers"), cell: (unit) => number(unit.answers), numeric: true },
        { id: "timeouts", label: say("timeouts"), cell: (unit) => number(unit.timeouts), numeric: true },
        { id: "bad", label: say("bad"), cell: (unit) => number(unit.bad), numeric: true },
        { id: "exceptions", label: say("exceptions"), cell: (unit) => number(unit.exceptions), numeric: true },
        { id: "p50", label: say("p50"), cell: (unit) => ms(unit.latency_p50_us), numeric: true },
        { id: "p99", label: say("p99"), cell: (unit) => ms(unit.latency_p99_us), numeric: true },
      ]} />
    </section>
  );
}

export function Figures() {
  const lines = useLines();
  usePoll(async () => lines.again(), 5000, true);
  if (!lines.data) return lines.problem ? <Problem problem={lines.problem} again={lines.again} /> : <Loading />;
  return (
    <>
      <div class="row"><Button onClick={lines.again}>{say("refresh")}</Button><span class="muted">{say("trace")}: {bytes(lines.data.trace_kb * 1024)}</span></div>
      {lines.data.lines.map((line) => <Line key={line.line} line={line} />)}
    </>
  );
}
