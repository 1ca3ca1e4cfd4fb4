// Registers of one unit: read, seen in the forms that people need, written after asking.
import { useState } from "preact/hooks";
import { act } from "../api";
import { Button, Choice, Field, Loading, Notice, Problem, Table, confirm, toast } from "../parts";
import { say } from "../text/tools";
import { LineField, NumberField, useLines, whole } from "./common";

interface Answer { unit: number; function: number; address: number; status: string; exception?: number; latency_us: number; words?: number[]; before?: number[]; after?: number[] }
type Order = "hi_lo" | "lo_hi";

/** Two words as 32 bits. */
function pair(words: number[], at: number, order: Order): DataView | null {
  if (at + 1 >= words.length) return null;
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(order === "hi_lo" ? 0 : 2, words[at]!);
  view.setUint16(order === "hi_lo" ? 2 : 0, words[at + 1]!);
  return view;
}

const character = (code: number): string => (code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "·");

export function Registers() {
  const lines = useLines();
  const [line, setLine] = useState("");
  const [unit, setUnit] = useState("1");
  const [fn, setFn] = useState("3");
  const [address, setAddress] = useState("0");
  const [count, setCount] = useState("10");
  const [order, setOrder] = useState<Order>("hi_lo");
  const [force, setForce] = useState(false);
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const chosen = line || lines.data?.lines[0]?.line || "";
  const wanted = { unit: whole(unit, 0, 255), address: whole(address, 0, 65535), count: whole(count, 1, 125) };
  const isBits = fn === "1" || fn === "2";

  const read = async () => {
    setBusy(true);
    setProblem(null);
    try {
      setAnswer(await act<Answer>("bus_read", { line: chosen, ...wanted, function: Number(fn), force: force || undefined }));
    } catch (refused) {
      setProblem(refused);
    }
    setBusy(false);
  };

  const write = (at: number, before: number) => confirm({
    title: say("write_title"),
    text: say("write_text", { line: chosen, unit: wanted.unit, address: at, before }),
    action: say("write"),
    danger: true,
    fields: [{ name: "values", label: say("write_values"), value: String(before), required: true }],
    run: async ({ values = "" }) => {
      const many = values.includes(",");
      const done = await act<Answer>("bus_write", {
        line: chosen, unit: wanted.unit, function: isBits ? (many ? 15 : 5) : (many ? 16 : 6), address: at, values: values.replaceAll(" ", ""), force: force || undefined,
      });
      const list = (words?: number[]) => words?.join(", ") ?? say("not_known");
      toast(say("written", { before: list(done.before), after: list(done.after), status: done.status }), done.status === "ok" ? "ok" : "warn");
      void read();
    },
  });

  if (!lines.data) return lines.problem ? <Problem problem={lines.problem} again={lines.again} /> : <Loading />;
  if (!lines.data.lines.length) return <Notice kind="info">{say("no_lines")}</Notice>;
  const words = answer?.words ?? [];
  const rows = words.map((word, i) => ({ at: answer!.address + i, word, i }));
  const valid = !Object.values(wanted).some(Number.isNaN);
  return (
    <>
      <form class="panel bar" onSubmit={(event) => { event.preventDefault(); void read(); }}>
        <LineField lines={lines.data.lines} value={chosen} onChange={setLine} />
        <NumberField label={say("unit")} value={unit} onChange={setUnit} />
        <Field label={say("fn")}>
          <select value={fn} onChange={(event) => setFn(event.currentTarget.value)}>
            {(["fn1", "fn2", "fn3", "fn4"] as const).map((key, i) => <option key={key} value={i + 1}>{say(key)}</option>)}
          </select>
        </Field>
        <NumberField label={say("address")} value={address} onChange={setAddress} help={say("address_help")} />
        <NumberField label={say("count")} value={count} onChange={setCount} />
        <label class="tick"><input type="checkbox" checked={force} onChange={(event) => setForce(event.currentTarget.checked)} /> {say("force")}</label>
        <Button type="submit" kind="primary" busy={busy} disabled={!valid}>{busy ? say("reading") : say("read")}</Button>
      </form>
      {problem !== null && <Problem problem={problem} />}
      {answer && (
        <section class="panel">
          <div class="row">
            <span role="status">{say("took", { ms: (answer.latency_us / 1000).toFixed(1), status: answer.status })} {answer.exception !== undefined && say("exception", { code: answer.exception })}</span>
            {!isBits && <Choice label={say("order")} value={order} onChange={(id) => setOrder(id as Order)} choices={[{ id: "hi_lo", label: say("hi_lo") }, { id: "lo_hi", label: say("lo_hi") }]} />}
          </div>
          <Table caption={say("registers")} rows={rows} rowKey={(row) => row.at} columns={[
            { id: "at", label: say("address"), cell: (row) => row.at, numeric: true },
            { id: "hex", label: say("hex"), cell: (row) => <code>{row.word.toString(16).toUpperCase().padStart(isBits ? 1 : 4, "0")}</code> },
            { id: "dec", label: say("decimal"), cell: (row) => row.word, numeric: true },
            ...(isBits ? [] : [
              { id: "signed", label: say("signed"), cell: (row: typeof rows[number]) => (row.word << 16) >> 16, numeric: true },
              { id: "u32", label: say("u32"), cell: (row: typeof rows[number]) => pair(words, row.i, order)?.getUint32(0) ?? "", numeric: true },
              { id: "float", label: say("float"), cell: (row: typeof rows[number]) => { const f = pair(words, row.i, order)?.getFloat32(0); return f === undefined ? "" : Number(f.toPrecision(7)).toString(); }, numeric: true },
              { id: "text", label: say("text"), cell: (row: typeof rows[number]) => <code>{character(row.word >> 8)}{character(row.word & 255)}</code> },
            ]),
            { id: "write", label: "", cell: (row) => (fn === "3" || fn === "1") && <Button onClick={() => void write(row.at, row.word)} aria-label={`${say("write")} ${row.at}`}>{say("write")}</Button> },
          ]} />
        </section>
      )}
    </>
  );
}
