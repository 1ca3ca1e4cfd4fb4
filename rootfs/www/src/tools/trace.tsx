// The last frames on the lines, and what comes; masked by the gateway.
import { useRef, useState } from "preact/hooks";
import { act } from "../api";
import { stamp } from "../format";
import { Button, Field, Loading, Notice, Problem, Table, why, toast } from "../parts";
import { say } from "../text/tools";
import { File, LineField, NumberField, saveFile, useLines, usePoll, whole } from "./common";

interface Frame { number: number; wall_us: number; line: string; kind: string; flags: string[]; id?: number; masked?: boolean; data: string }
interface Page { frames: Frame[]; next: string; more: boolean; lost: number; off: boolean }
const keep = 500;

const at = (us: number): string => {
  return `${stamp(Math.floor(us / 1e6)).slice(11)}.${String(us % 1_000_000).padStart(6, "0")}`;
};
const pairs = (hex: string): string => hex.replace(/../g, "$& ").trim();
const flagWords = { thrown: "thrown", echo: "echo", cut: "cut", sent: "sent" } as const;

export function Trace() {
  const lines = useLines();
  const [line, setLine] = useState("");
  const [unit, setUnit] = useState("");
  const [words, setWords] = useState("");
  const [paused, setPaused] = useState(false);
  const [frames, setFrames] = useState<Frame[]>([]);
  const [lost, setLost] = useState(0);
  const [off, setOff] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const next = useRef("");

  const begin = () => { next.current = ""; setFrames([]); setLost(0); };
  usePoll(async () => {
    try {
      const page = await act<Page>("bus_trace", {
        line: line || undefined, unit: Number.isNaN(whole(unit, 0, 255)) ? undefined : whole(unit, 0, 255), after: next.current || undefined,
      });
      next.current = page.next;
      setOff(page.off);
      setLost((n) => n + page.lost);
      if (page.frames.length) setFrames((before) => [...before, ...page.frames].slice(-keep));
      setProblem(null);
    } catch (refused) {
      setProblem(refused);
    }
  }, 1000, !paused);

  const download = async (form: "pcapng" | "candump") => {
    try {
      saveFile(await act<File>("trace_file", { form, line: line || undefined }));
    } catch (refused) {
      toast(why(refused), "bad");
    }
  };

  if (!lines.data) return lines.problem ? <Problem problem={lines.problem} again={lines.again} /> : <Loading />;
  const wanted = words.replace(/\s/g, "").toUpperCase();
  const shown = frames.filter((frame) => !wanted || frame.data.includes(wanted) || frame.line.toUpperCase().includes(wanted));
  return (
    <>
      <div class="panel bar">
        <LineField all lines={lines.data.lines} value={line} onChange={(chosen) => { setLine(chosen); begin(); }} />
        <NumberField label={say("unit")} value={unit} onChange={(chosen) => { setUnit(chosen); begin(); }} />
        <Field label={say("filter")} help={say("filter_help")}><input value={words} onInput={(event) => setWords(event.currentTarget.value)} /></Field>
      </div>
      <div class="row">
        <Button kind="primary" onClick={() => setPaused(!paused)} aria-pressed={paused}>{paused ? say("go_on") : say("pause")}</Button>
        <Button onClick={() => setFrames([])}>{say("clear")}</Button>
        <Button onClick={() => void download("pcapng")}>{say("pcapng")}</Button>
        <Button onClick={() => void download("candump")}>{say("candump")}</Button>
        {lost > 0 && <span class="muted">{say("lost", { n: lost })}</span>}
      </div>
      {off && <Notice kind="warn">{say("off_trace")}</Notice>}
      {problem !== null && <Problem problem={problem} />}
      <section class="panel lines">
        <Table caption={say("trace")} rows={shown.slice().reverse()} rowKey={(frame) => frame.number} empty={say("no_frames")} columns={[
          { id: "at", label: say("time"), cell: (frame) => <span class="nowrap">{at(frame.wall_us)}</span> },
          { id: "line", label: say("line"), cell: (frame) => frame.line },
          { id: "way", label: say("direction"), cell: (frame) => (frame.flags.includes("sent") ? "→" : "←") },
          { id: "kind", label: say("kind"), cell: (frame) => `${frame.kind}${frame.id === undefined ? "" : ` ${(frame.id & 0x1fffffff).toString(16).toUpperCase()}`}` },
          { id: "data", label: say("bytes"), cell: (frame) => (
            <span class="mono">{pairs(frame.data)} <span class="muted">{[...frame.flags.filter((flag) => flag !== "sent").map((flag) => say.maybe(flagWords[flag as keyof typeof flagWords] ?? flag) ?? flag), ...(frame.masked ? [say("masked")] : [])].join(", ")}</span></span>
          ) },
        ]} />
      </section>
    </>
  );
}
