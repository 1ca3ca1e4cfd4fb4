// The last lines of the daemon's log, and what comes.
import { useRef, useState } from "preact/hooks";
import { look } from "../api";
import { clock, when } from "../format";
import { Badge, Button, Field, Kind, Notice, Problem, Table } from "../parts";
import { say } from "../text/tools";
import { usePoll } from "./common";

type Level = "error" | "warning" | "notice" | "info" | "debug";
interface Line { id: number; at: number; ms: number; level: Level; text: string }
interface Page { lines: Line[]; next: string; earlier?: string; lost?: number; off?: boolean }
const levels: Level[] = ["error", "warning", "notice", "info", "debug"];
const kinds: Record<Level, Kind> = { error: "bad", warning: "warn", notice: "info", info: "idle", debug: "off" };
const keep = 2000;

export function Log() {
  const [level, setLevel] = useState<Level>("debug");
  const [room, setRoom] = useState("");
  const [search, setSearch] = useState("");
  const [follow, setFollow] = useState(true);
  const [lines, setLines] = useState<Line[]>([]);
  const [earlier, setEarlier] = useState<string | undefined>();
  const [lost, setLost] = useState(0);
  const [off, setOff] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const next = useRef("");
  const turn = useRef(0);
  const filter = { level, room, search };
  const choose = (set: () => void) => { turn.current++; next.current = ""; setLines([]); setEarlier(undefined); setLost(0); set(); };

  usePoll(async () => {
    const mine = turn.current;
    try {
      const page = await look<Page>("log", { ...filter, after: next.current, limit: 200 });
      if (mine !== turn.current) return;
      if (!next.current) setEarlier(page.earlier);
      next.current = page.next;
      setOff(page.off === true);
      setLost((n) => n + (page.lost ?? 0));
      if (page.lines.length) setLines((before) => [...before, ...page.lines].slice(-keep));
      setProblem(null);
    } catch (refused) {
      setProblem(refused);
    }
  }, 1500, follow || !next.current);

  const older = async () => {
    const page = await look<Page>("log", { ...filter, before: earlier, limit: 200 });
    setEarlier(page.earlier);
    setLines((before) => [...page.lines, ...before].slice(0, keep));
  };

  return (
    <>
      <div class="panel bar">
        <Field label={say("level")}>
          <select value={level} onChange={(event) => { const chosen = event.currentTarget.value as Level; choose(() => setLevel(chosen)); }}>
            {levels.map((one) => <option key={one} value={one}>{say(one)}</option>)}
          </select>
        </Field>
        <Field label={say("room")}><input value={room} maxLength={32} onInput={(event) => { const chosen = event.currentTarget.value.trim(); choose(() => setRoom(chosen)); }} /></Field>
        <Field label={say("search")}><input type="search" value={search} maxLength={100} onInput={(event) => { const chosen = event.currentTarget.value; choose(() => setSearch(chosen)); }} /></Field>
        <label class="tick"><input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /> {say("follow")}</label>
      </div>
      {off && <Notice kind="info">{say("off_log")}</Notice>}
      {lost > 0 && <p class="muted">{say("lost", { n: lost })}</p>}
      {problem !== null && <Problem problem={problem} />}
      <section class="panel lines">
        <Table caption={say("log")} rows={lines.slice().reverse()} rowKey={(line) => line.id} columns={[
          { id: "at", label: say("time"), cell: (line) => <span class="nowrap" title={when(line.at)}>{clock(line.at)}.{String(line.ms).padStart(3, "0")}</span> },
          { id: "level", label: say("level"), cell: (line) => <Badge kind={kinds[line.level]}>{say(line.level)}</Badge> },
          { id: "text", label: say("message"), cell: (line) => <span class="mono">{line.text}</span> },
        ]} />
        {earlier && <Button onClick={() => void older()}>{say("older")}</Button>}
      </section>
    </>
  );
}
