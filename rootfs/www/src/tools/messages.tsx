// What passed between the station and its platforms: newest first, a body on demand, once more where that does no harm.
import { useRef, useState } from "preact/hooks";
import { act, look, may } from "../api";
import { bytes, clock, number, when } from "../format";
import { Badge, Button, Dialog, Field, Notice, Problem, Table, confirm, toast } from "../parts";
import { say } from "../text/tools";
import { usePoll } from "./common";

interface Message {
  id: number; at: number; ms: number; platform: string; direction: "in" | "out"; method: string; outcome: string; ret?: number; http?: number; is_test?: boolean;
  duration_us: number; request_bytes: number; answer_bytes?: number; why?: string; request?: string; answer?: string; request_standard?: string; answer_standard?: string;
}
interface Page { messages: Message[]; next: string; earlier?: string; off?: boolean }
const keep = 1000;

const pretty = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};
const isGood = (message: Message): boolean => message.outcome === "accepted" || message.outcome === "held";

function Body({ title, text }: { title: string; text?: string }) {
  return <><h3>{title}</h3>{text === undefined ? <p class="muted">{say("no_body")}</p> : <pre class="body" tabIndex={0}>{pretty(text)}</pre>}</>;
}

function Detail({ message, close }: { message: Message; close: () => void }) {
  const replay = () => confirm({
    title: `${say("replay")}: ${message.method}`,
    text: message.direction === "out" ? say("replay_out") : say("replay_in"),
    action: say("replay"),
    run: async () => {
      const done = await act<{ sent: boolean; ret?: number; why?: string; answer?: string; message?: Message }>("message_replay", { id: message.id });
      if (done.sent) toast(say("replayed", { outcome: done.message?.outcome ?? done.why ?? "" }), done.message && isGood(done.message) ? "ok" : "warn");
      else {
        await confirm({
          title: say("would", { ret: done.ret ?? "", why: done.why ?? "" }),
          text: <pre class="body" tabIndex={0}>{pretty(done.answer ?? "")}</pre>, action: "OK",
        });
      }
    },
  });
  return (
    <Dialog title={`${message.method} · ${message.platform}`} wide onClose={close}>
      <p>{when(message.at)} · {say(message.direction)} · {message.outcome} {message.ret !== undefined && `Ret ${message.ret}`} {message.why}</p>
      <Body title={say("request")} text={message.request} />
      {message.request_standard !== undefined && <Body title={`${say("request")}: ${say("standard")}`} text={message.request_standard} />}
      <Body title={say("answer_body")} text={message.answer} />
      {message.answer_standard !== undefined && <Body title={`${say("answer_body")}: ${say("standard")}`} text={message.answer_standard} />}
      {may("integrator") && !message.is_test && <footer><Button onClick={() => { close(); void replay(); }}>{say("replay")}</Button></footer>}
    </Dialog>
  );
}

export function Messages() {
  const [platform, setPlatform] = useState("");
  const [method, setMethod] = useState("");
  const [failed, setFailed] = useState(false);
  const [rows, setRows] = useState<Message[]>([]);
  const [known, setKnown] = useState<{ platforms: string[]; methods: string[] }>({ platforms: [], methods: [] });
  const [earlier, setEarlier] = useState<string | undefined>();
  const [follow, setFollow] = useState(true);
  const [off, setOff] = useState(false);
  const [open, setOpen] = useState<Message | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const next = useRef("");
  const turn = useRef(0);
  const filter = { platform, method, failed, brief: true };

  const take = (page: Page, older: boolean) => {
    setOff(page.off === true);
    setRows((before) => (older ? [...page.messages, ...before].slice(0, keep) : [...before, ...page.messages].slice(-keep)));
    setKnown((before) => ({
      platforms: [...new Set([...before.platforms, ...page.messages.map((m) => m.platform)])].sort(),
      methods: [...new Set([...before.methods, ...page.messages.map((m) => m.method)])].sort(),
    }));
  };
  const choose = (set: () => void) => { turn.current++; next.current = ""; setRows([]); setEarlier(undefined); set(); };
  usePoll(async () => {
    const mine = turn.current;
    try {
      const page = await look<Page>("messages", { ...filter, after: next.current, limit: 100 });
      if (mine !== turn.current) return;
      if (!next.current) setEarlier(page.earlier);
      next.current = page.next;
      take(page, false);
      setProblem(null);
    } catch (refused) {
      setProblem(refused);
    }
  }, 2000, follow || !next.current);

  const older = async () => {
    const page = await look<Page>("messages", { ...filter, before: earlier, limit: 100 });
    setEarlier(page.earlier);
    take(page, true);
  };
  const show = async (id: number) => {
    try {
      setOpen(await look<Message>("message", { id }));
    } catch (refused) {
      setProblem(refused);
    }
  };

  return (
    <>
      <div class="panel bar">
        <Field label={say("platform")}>
          <select value={platform} onChange={(event) => { const chosen = event.currentTarget.value; choose(() => setPlatform(chosen)); }}>
            <option value="">{say("all")}</option>
            {known.platforms.map((name) => <option key={name}>{name}</option>)}
          </select>
        </Field>
        <Field label={say("method")}>
          <select value={method} onChange={(event) => { const chosen = event.currentTarget.value; choose(() => setMethod(chosen)); }}>
            <option value="">{say("all")}</option>
            {known.methods.map((name) => <option key={name}>{name}</option>)}
          </select>
        </Field>
        <label class="tick"><input type="checkbox" checked={failed} onChange={(event) => { const chosen = event.currentTarget.checked; choose(() => setFailed(chosen)); }} /> {say("only_failed")}</label>
        <label class="tick"><input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /> {say("follow")}</label>
      </div>
      {off && <Notice kind="info">{say("off_messages")}</Notice>}
      {problem !== null && <Problem problem={problem} />}
      <section class="panel lines">
        <Table caption={say("messages")} rows={rows.slice().reverse()} rowKey={(m) => m.id} columns={[
          { id: "at", label: say("time"), cell: (m) => <span class="nowrap">{clock(m.at)}.{String(m.ms).padStart(3, "0")}</span> },
          { id: "platform", label: say("platform"), cell: (m) => m.platform },
          { id: "way", label: say("direction"), cell: (m) => <span class="nowrap">{m.direction === "out" ? "→" : "←"} {say(m.direction)}</span> },
          { id: "method", label: say("method"), cell: (m) => <button type="button" class="button quiet" onClick={() => void show(m.id)} aria-label={`${say("show")} ${m.method}`}>{m.method}</button> },
          { id: "ret", label: say("ret"), cell: (m) => <Badge kind={m.is_test ? "idle" : isGood(m) ? "ok" : "bad"}>{m.ret ?? m.http ?? m.outcome}</Badge> },
          { id: "took", label: say("latency"), cell: (m) => `${number(m.duration_us / 1000, 1)} ms`, numeric: true },
          { id: "size", label: say("size"), cell: (m) => `${bytes(m.request_bytes)} / ${bytes(m.answer_bytes)}`, numeric: true },
          { id: "why", label: say("why"), cell: (m) => <span class="wrap">{m.is_test ? say("test_call") : m.why}</span> },
        ]} />
        {earlier && <Button onClick={() => void older()}>{say("older")}</Button>}
      </section>
      {open && <Detail message={open} close={() => setOpen(null)} />}
    </>
  );
}
