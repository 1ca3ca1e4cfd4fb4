// Configuration: forms made from the daemon's schema, the same as text, versions, backup. A change is checked, reviewed, and on trial
// until somebody says over a new connection that the gateway can still be reached.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { act, may } from "../api";
import { Change, Checked, Edit, Mistake, Schema, Section, Shown, edits, read } from "../config-model";
import type { PageProps } from "../main";
import { Button, Heading, Loading, Notice, Problem, Tabs, askLeave, confirm, toast, useLook, why } from "../parts";
import { go, href, useGuard } from "../router";
import { say } from "../text/config";
import { Backup } from "./config-backup";
import { Forms } from "./config-form";
import { Review, Wish } from "./config-review";
import { Trial, afterwards } from "./config-trial";
import { Versions } from "./config-versions";

const checkAfterMs = 700;

/** What the gateway says of the edits, a moment after the last key. */
function useCheck(wish: Wish | null): { mistakes: Mistake[]; changes: Change[]; problem: unknown; busy: boolean } {
  const [state, setState] = useState<{ mistakes: Mistake[]; changes: Change[]; problem: unknown; busy: boolean }>({ mistakes: [], changes: [], problem: null, busy: false });
  const key = JSON.stringify(wish);
  useEffect(() => {
    if (!wish || !may("integrator")) {
      setState({ mistakes: [], changes: [], problem: null, busy: false });
      return;
    }
    let gone = false;
    setState((before) => ({ ...before, busy: true }));
    const timer = setTimeout(() => {
      act<Checked>("config_check", { ...wish }).then(
        (found) => !gone && setState({ mistakes: found.mistakes, changes: found.changes, problem: null, busy: false }),
        (problem: unknown) => !gone && setState({ mistakes: [], changes: [], problem, busy: false }),
      );
    }, checkAfterMs);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [key]);
  return state;
}

function Text({ text, mistakes, writable, onChange }: { text: string; mistakes: Mistake[]; writable: boolean; onChange: (text: string) => void }) {
  const box = useRef<HTMLTextAreaElement>(null);
  const goTo = (line: number) => {
    const area = box.current!;
    const lines = area.value.split("\n");
    const begin = lines.slice(0, line - 1).reduce((n, one) => n + one.length + 1, 0);
    area.focus();
    area.setSelectionRange(begin, begin + (lines[line - 1]?.length ?? 0));
    area.scrollTop = (area.scrollHeight / lines.length) * Math.max(0, line - 5);
  };
  return (
    <section class="panel">
      <p class="help">{say("text_help")}</p>
      {mistakes.length > 0 && (
        <ul class="mistakes" aria-live="polite">
          {mistakes.map((m, i) => (
            <li key={i}>
              {m.line ? <button type="button" class="button quiet" onClick={() => goTo(m.line!)}>{say("line", { line: m.line })}</button> : null}
              {[m.type, m.name, m.option].filter(Boolean).join(".")} {m.text}
            </li>
          ))}
        </ul>
      )}
      <textarea ref={box} class="whole" aria-label={say("text_label")} spellcheck={false} rows={30} readOnly={!writable} value={text}
        aria-invalid={mistakes.length > 0} onInput={(event) => onChange((event.target as HTMLTextAreaElement).value)} />
    </section>
  );
}

export default function Config({ rest, query }: PageProps) {
  const schema = useLook<Schema>("config_schema");
  const shown = useLook<Shown>("config_show");
  const [model, setModel] = useState<Section[] | null>(null);
  const [text, setText] = useState<string | null>(null);
  const [base, setBase] = useState<Shown | null>(null);
  const [reviewing, setReviewing] = useState<Wish | null>(null);
  const [stale, setStale] = useState(false);
  const tab = rest[0] ?? "forms";
  const writable = may("integrator");

  // What was read is kept under the operator's edits until he has read anew.
  const before = useMemo(() => (base ? read(base) : []), [base]);
  const list: Edit[] = useMemo(() => (model && schema.data ? edits(before, model, schema.data) : []), [model, before, schema.data]);
  const isTextChanged = text !== null && base !== null && text !== base.text;
  const dirty = list.length > 0 || isTextChanged;
  useEffect(() => {
    if (!shown.data || (base && dirty && base.hash !== shown.data.hash)) {
      setStale(!!shown.data && !!base && dirty);
      return;
    }
    if (base?.hash === shown.data.hash && model) return;
    setBase(shown.data);
    setModel(read(shown.data));
    setText(null);
    setStale(false);
  }, [shown.data]);
  useGuard(dirty, askLeave);

  const wish: Wish | null = !base ? null : isTextChanged ? { text: text! } : list.length ? { edits: list } : null;
  const checked = useCheck(wish);
  const discard = () => {
    if (!shown.data) return;
    setBase(shown.data);
    setModel(read(shown.data));
    setText(null);
    setStale(false);
  };
  // Forms and text are two views of one change: whoever goes from one to the other with a change takes it along.
  const turn = async (to: string) => {
    if (to === "text" && list.length && base) {
      try {
        setText((await act<Checked>("config_check", { edits: list })).text);
        setModel(read(base));
      } catch (problem) {
        toast(why(problem), "bad");
        return;
      }
    }
    if (to === "forms" && isTextChanged) {
      if (!(await confirm({ title: say("discard"), text: say("text_label"), action: say("discard"), danger: true }))) return;
      setText(null);
    }
    go(href("config", to === "forms" ? [] : [to]));
  };
  useEffect(() => {
    const click = (event: MouseEvent) => {
      const link = (event.target as HTMLElement).closest?.<HTMLAnchorElement>(".page-config .views a");
      if (!link) return;
      event.preventDefault();
      void turn(link.hash.replace(/^#\/config\/?/, "").split("/")[0] || "forms");
    };
    document.addEventListener("click", click);
    return () => document.removeEventListener("click", click);
  });

  if (schema.problem !== null || (shown.problem !== null && !shown.data))
    return <><Heading>{say("title")}</Heading><Problem problem={schema.problem ?? shown.problem} again={() => { schema.again(); shown.again(); }} /></>;
  if (!schema.data || !shown.data || !base || !model) return <><Heading>{say("title")}</Heading><Loading /></>;

  const view = ["text", "versions", "backup"].includes(tab) ? tab : "forms";
  const tabs = [
    { id: "forms", label: say("forms"), href: href("config") },
    { id: "text", label: say("text"), href: href("config", "text") },
    { id: "versions", label: say("versions"), href: href("config", "versions") },
    ...(may("administrator") ? [{ id: "backup", label: say("backup"), href: href("config", "backup") }] : []),
  ];
  const pending = shown.data.pending;
  return (
    <>
      <Heading aside={wish && writable && !pending && (
        <>
          <span class="small muted" role="status">{checked.busy ? say("checking") : checked.mistakes.length ? say("mistakes", { n: checked.mistakes.length }) : say("changed", { n: checked.changes.length })}</span>
          <Button onClick={discard}>{say("discard")}</Button>
          <Button kind="primary" disabled={checked.busy || checked.mistakes.length > 0} onClick={() => setReviewing(wish)}>{say("review")}</Button>
        </>
      )}>{say("title")}</Heading>
      {pending && <Trial pending={pending} again={shown.again} wanted={query.get("keep") === "1"} from={query.get("from")} />}
      {!pending && afterwards(shown.data.last)}
      {!writable && <Notice kind="info">{say("read_only")}</Notice>}
      {stale && <Notice kind="warn" live>{say("changed_meanwhile")} <Button onClick={discard}>{say("read_again")}</Button></Notice>}
      {checked.problem !== null && <Notice kind="bad" live>{why(checked.problem)}</Notice>}
      <div class="views"><Tabs label={say("title")} tabs={tabs} current={view} /></div>
      {view === "forms" && <Forms schema={schema.data} model={model} before={before} mistakes={checked.mistakes} writable={writable && !pending && !isTextChanged}
        type={rest[0] === "section" ? rest[1] : undefined} onChange={setModel} />}
      {view === "text" && <Text text={text ?? base.text} mistakes={checked.mistakes} writable={writable && !pending} onChange={setText} />}
      {view === "versions" && <Versions hash={shown.data.hash} writable={writable && !pending && !dirty} onApply={setReviewing} />}
      {view === "backup" && may("administrator") && <Backup idle={!pending && !dirty} again={shown.again} />}
      {reviewing && <Review wish={reviewing} base={base} onClose={() => setReviewing(null)} onApplied={() => {
        setReviewing(null);
        setModel(null);
        setText(null);
        setBase(null);
        shown.again();
      }} />}
      {shown.problem !== null && <p class="small muted">{why(shown.problem)}</p>}
    </>
  );
}
