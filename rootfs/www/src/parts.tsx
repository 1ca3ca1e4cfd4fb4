// What pages are made of. Everything here works by keyboard and with a screen reader; texts come in by properties.
import type { ComponentChildren, ComponentType, FunctionComponent, JSX } from "preact";
import { Component, createElement } from "preact";
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Arguments, Refused, look } from "./api";
import { Icon, Shape } from "./icons";
import { language } from "./text";
import { refusalWords } from "./text/refusals";
import { say } from "./text/shell";

/** A component drawn again only when a property is another object, or the language changed. */
export function memo<P extends object>(inner: FunctionComponent<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    private drawnIn = language();
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const now = this.props as Record<string, unknown>, then = next as Record<string, unknown>;
      if (this.drawnIn !== language()) return true;
      for (const name in then) if (then[name] !== now[name]) return true;
      for (const name in now) if (!(name in then)) return true;
      return false;
    }
    override render(): JSX.Element {
      this.drawnIn = language();
      return createElement(inner, this.props as P & JSX.IntrinsicAttributes);
    }
  };
}

// ---- words for what went wrong ----

/** A refusal in the chosen language, one line. */
export function why(problem: unknown): string {
  if (!(problem instanceof Refused)) return String(problem instanceof Error ? problem.message : problem);
  const { title, detail } = refusalWords(problem.status, problem.key, problem.text);
  return detail ? `${title}: ${detail}` : title;
}

// ---- buttons, badges, notices ----

export interface ButtonProps extends Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, "icon"> {
  kind?: "primary" | "danger" | "plain" | "quiet";
  busy?: boolean;
}

export function Button({ kind = "plain", busy = false, disabled, children, class: extra, ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} class={`button ${kind} ${extra ?? ""}`} disabled={disabled || busy} aria-busy={busy}>
      {children}
    </button>
  );
}

export type Kind = "ok" | "info" | "warn" | "bad" | "busy" | "idle" | "occupied" | "reserved" | "off" | "unknown";

export const Badge = ({ kind, children }: { kind: Kind; children: ComponentChildren }) => (
  <span class={`badge k-${kind}`}><Icon shape={kind as Shape} /> {children}</span>
);

/** A box with a message; live: read out when it appears. */
export const Notice = ({ kind, live = false, title, children }: { kind: Kind; live?: boolean; title?: ComponentChildren; children?: ComponentChildren }) => (
  <div class={`notice k-${kind}`} role={live ? (kind === "bad" ? "alert" : "status") : undefined}>
    <Icon shape={kind as Shape} />
    <div>{title && <strong>{title}</strong>}{title && children ? <br /> : null}{children}</div>
  </div>
);

export const Loading = () => <p class="loading" role="status">{say("loading")}</p>;

export const Problem = ({ problem, again }: { problem: unknown; again?: () => void }) => (
  <Notice kind="bad" live title={say("failed")}>
    {why(problem)} {again && <Button onClick={again}>{say("again")}</Button>}
  </Notice>
);

// ---- what has just happened, in a corner and for the screen reader ----

interface Toast { id: number; kind: Kind; text: string }
let toasts: Toast[] = [];
let toastId = 0;
const toastWatchers = new Set<() => void>();
const tellToasts = () => toastWatchers.forEach((watcher) => watcher());

/** Says what happened; problems stay until dismissed. */
export function toast(text: string, kind: Kind = "ok"): void {
  const id = ++toastId;
  toasts = [...toasts.slice(-3), { id, kind, text }];
  tellToasts();
  if (kind === "ok" || kind === "info") setTimeout(() => dismiss(id), 6000);
}

function dismiss(id: number): void {
  toasts = toasts.filter((one) => one.id !== id);
  tellToasts();
}

export function Toasts() {
  const draw = useDraw();
  useEffect(() => {
    toastWatchers.add(draw);
    return () => void toastWatchers.delete(draw);
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map((one) => (
        <div key={one.id} class={`toast k-${one.kind}`}>
          <Icon shape={one.kind as Shape} /><span>{one.text}</span>
          <button type="button" class="close" aria-label={say("dismiss")} onClick={() => dismiss(one.id)}>×</button>
        </div>
      ))}
    </div>
  );
}

// ---- dialogs ----

/** A modal dialog: the browser's own, so focus stays inside and Escape closes. */
export function Dialog({ title, onClose, children, wide = false }: { title: ComponentChildren; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  const label = useId();
  useLayoutEffect(() => {
    const dialog = box.current!;
    dialog.showModal();
    return () => dialog.close(); // which gives the focus back
  }, []);
  return (
    <dialog ref={box} class={wide ? "wide" : ""} aria-labelledby={label}
      onCancel={(event) => { event.preventDefault(); onClose(); }}>
      <header>
        <h2 id={label}>{title}</h2>
        <button type="button" class="close" aria-label={say("close")} onClick={onClose}>×</button>
      </header>
      {children}
    </dialog>
  );
}

export interface Ask {
  title: string;
  text?: ComponentChildren;
  /** The word on the button. */
  action: string;
  danger?: boolean;
  fields?: {
    name: string; label: string; help?: string; type?: "text" | "number" | "password" | "datetime-local" | "select"; value?: string;
    min?: number; max?: number; step?: number | "any"; required?: boolean; unit?: string; choices?: { value: string; label: string }[];
  }[];
  /** Done while the dialog is open: a refusal is shown in it, with its reason, and one can try again. */
  run?: (values: Record<string, string>) => Promise<unknown>;
}

let openAsk: { ask: Ask; done: (values: Record<string, string> | null) => void } | null = null;
const askWatchers = new Set<() => void>();

/** Asks before something is done; the values of the fields, or null: cancelled. */
export function confirm(ask: Ask): Promise<Record<string, string> | null> {
  openAsk?.done(null);
  return new Promise((resolve) => {
    openAsk = {
      ask,
      done: (values) => {
        openAsk = null;
        askWatchers.forEach((watcher) => watcher());
        resolve(values);
      },
    };
    askWatchers.forEach((watcher) => watcher());
  });
}

function AskDialog({ ask, done }: { ask: Ask; done: (values: Record<string, string> | null) => void }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    const values: Record<string, string> = {};
    new FormData(event.target as HTMLFormElement).forEach((value, name) => { values[name] = String(value); });
    if (!ask.run) return done(values);
    setBusy(true);
    setProblem(null);
    try {
      await ask.run(values);
      done(values);
    } catch (refused) {
      setProblem(refused);
      setBusy(false);
    }
  };
  return (
    <Dialog title={ask.title} onClose={() => !busy && done(null)}>
      <form onSubmit={submit}>
        {ask.text && <div class="ask">{ask.text}</div>}
        {ask.fields?.map((field) => (
          <Field key={field.name} label={field.label} help={field.help} unit={field.unit}>
            {field.type === "select"
              ? <select name={field.name} value={field.value}>{field.choices?.map((c) => <option key={c.value} value={c.value}>{c.label}</option>)}</select>
              : <input name={field.name} type={field.type ?? "text"} defaultValue={field.value} min={field.min} max={field.max}
                step={field.step} required={field.required} autocomplete="off" />}
          </Field>
        ))}
        {problem !== null && <Notice kind="bad" live>{why(problem)}</Notice>}
        <footer>
          <Button onClick={() => done(null)} disabled={busy}>{say("cancel")}</Button>
          <Button type="submit" kind={ask.danger ? "danger" : "primary"} busy={busy}>{busy ? say("working") : ask.action}</Button>
        </footer>
      </form>
    </Dialog>
  );
}

export function Asks() {
  const draw = useDraw();
  useEffect(() => {
    askWatchers.add(draw);
    return () => void askWatchers.delete(draw);
  }, []);
  return openAsk && <AskDialog key={openAsk.ask.title} ask={openAsk.ask} done={openAsk.done} />;
}

/** For useGuard of the router: whether to leave unsaved work. */
export const askLeave = async (): Promise<boolean> =>
  (await confirm({ title: say("unsaved_title"), text: say("unsaved"), action: say("leave"), danger: true })) !== null;

// ---- forms ----

/** A label with its one control (the child); the error is tied to it for the screen reader. */
export function Field({ label, help, error, unit, children }: { label: ComponentChildren; help?: ComponentChildren; error?: ComponentChildren; unit?: string; children: JSX.Element | JSX.Element[] }) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const control = box.current!.querySelector<HTMLElement>("input,select,textarea");
    if (!control) return;
    control.id ||= `${id}c`;
    box.current!.querySelector("label")!.htmlFor = control.id;
    if (error) control.setAttribute("aria-invalid", "true"); else control.removeAttribute("aria-invalid");
    const said = [help && `${id}h`, error && `${id}e`].filter(Boolean).join(" ");
    if (said) control.setAttribute("aria-describedby", said); else control.removeAttribute("aria-describedby");
  });
  return (
    <div class={`field ${error ? "wrong" : ""}`} ref={box}>
      <label>{label}</label>
      <div class="control">{children}{unit && <span class="unit">{unit}</span>}</div>
      {help && <p class="help" id={`${id}h`}>{help}</p>}
      {error && <p class="error" id={`${id}e`}>{error}</p>}
    </div>
  );
}

// ---- tables and tabs ----

export interface Column<Row> {
  /** Stable name of the column. */
  id: string;
  label: ComponentChildren;
  cell: (row: Row) => ComponentChildren;
  /** Numbers stand right. */
  numeric?: boolean;
}

/** A table that scrolls sideways on a phone. `caption` is read by screen readers. */
export function Table<Row>({ columns, rows, rowKey, caption, empty, rowClass }: {
  columns: Column<Row>[]; rows: readonly Row[]; rowKey: (row: Row) => string | number; caption: string; empty?: ComponentChildren; rowClass?: (row: Row) => string;
}) {
  if (rows.length === 0) return <p class="empty">{empty ?? say("nothing")}</p>;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={caption}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead><tr>{columns.map((c) => <th key={c.id} scope="col" class={c.numeric ? "n" : ""}>{c.label}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} class={rowClass?.(row)}>
              {columns.map((c) => <td key={c.id} class={c.numeric ? "n" : ""}>{c.cell(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Tabs as links: each has an address, so the browser's back works. */
export function Tabs({ label, tabs, current }: { label: string; tabs: { id: string; label: ComponentChildren; href: string }[]; current: string }) {
  const bar = useInView(current);
  return (
    <nav ref={bar} class="tabs" aria-label={label}>
      {tabs.map((tab) => <a key={tab.id} href={tab.href} aria-current={tab.id === current ? "page" : undefined}>{tab.label}</a>)}
    </nav>
  );
}

/** A row of links that scrolls sideways on a phone shows the one of now. */
function useInView(current: string) {
  const bar = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const show = () => {
      const row = bar.current, one = row?.querySelector<HTMLElement>("[aria-current]");
      if (!row || !one) return;
      const left = one.offsetLeft - row.offsetLeft, over = left + one.offsetWidth - row.clientWidth;
      if (left < row.scrollLeft) row.scrollLeft = left;
      else if (over > row.scrollLeft) row.scrollLeft = over;
    };
    show();
    addEventListener("resize", show);
    return () => removeEventListener("resize", show);
  }, [current, language()]);
  return bar;
}

/** A choice of few, as buttons side by side. */
export const Choice = ({ label, choices, value, onChange }: { label: string; choices: { id: string; label: ComponentChildren }[]; value: string; onChange: (id: string) => void }) => (
  <div class="choice" role="group" aria-label={label}>
    {choices.map((c) => <button key={c.id} type="button" aria-pressed={c.id === value} onClick={() => onChange(c.id)}>{c.label}</button>)}
  </div>
);

/** The page's heading: takes the focus when one comes to the page. */
export function Heading({ children, aside }: { children: ComponentChildren; aside?: ComponentChildren }) {
  return <div class="heading"><h1 tabIndex={-1}>{children}</h1>{aside && <div class="aside">{aside}</div>}</div>;
}

// ---- data ----

/** Draws the component again. */
export function useDraw(): () => void {
  const [, set] = useState(0);
  return useCallback(() => set((n) => n + 1), []);
}

export interface Looked<T> { data: T | null; problem: unknown; busy: boolean; again: () => void }

/** A look whose answer is kept while the next one is under way; asked again when the arguments change, or by again(). */
export function useLook<T>(command: string | null, args: Arguments = {}): Looked<T> {
  const key = command + JSON.stringify(args);
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState<{ data: T | null; problem: unknown; busy: boolean; command: string | null }>({ data: null, problem: null, busy: true, command });
  useEffect(() => {
    if (command === null) return;
    let gone = false;
    setState((before) => ({ ...before, data: before.command === command ? before.data : null, busy: true, command }));
    look<T>(command, args).then(
      (data) => !gone && setState({ data, problem: null, busy: false, command }),
      (problem: unknown) => !gone && setState((before) => ({ ...before, problem, busy: false })),
    );
    return () => { gone = true; };
  }, [key, turn]);
  return { data: state.data, problem: state.problem, busy: state.busy, again: useCallback(() => setTurn((n) => n + 1), []) };
}

/** The time in epoch seconds, drawn again every so often. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(() => Math.floor(Date.now() / 1000));
  useEffect(() => {
    const timer = setInterval(() => setNow(Math.floor(Date.now() / 1000)), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
