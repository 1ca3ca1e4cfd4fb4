// Who may use the page: one's own password, accounts, tokens of programs, who is logged in, who did what.
import { useEffect, useRef, useState } from "preact/hooks";
import { Role, act, changePassword, look, may, who } from "../api";
import { dateTime, duration } from "../format";
import { shortestPassword } from "../login";
import type { PageProps } from "../main";
import { Badge, Button, Column, Dialog, Field, Heading, Loading, Looked, Notice, Problem, Table, Tabs, confirm, toast, useLook, why } from "../parts";
import { href } from "../router";
import { say } from "../text/accounts";
import { say as shell } from "../text/shell";

interface Account {
  name: string; role: Role; source: "page" | "configuration";
  disabled?: boolean; must_change?: boolean; hidden?: boolean; created_at?: number; login_at?: number; login_place?: string;
}
interface Token { id: number; name: string; role: Role; by: string; created_at?: number; expires_at?: number; used_at?: number }
interface LoggedIn { id: number; name: string; place: string; begun_at?: number; idle_s: number }
interface Deed { id: number; at: string; who: string; place?: string; command: string; arguments: string; before?: string; after?: string; result: string }

const roles: Role[] = ["viewer", "operator", "integrator", "administrator"];
const choices = () => roles.map((role) => ({ value: role, label: `${shell(role)} – ${say(`${role}_can`)}` }));

/** What the daemon tells once. */
interface Told { title: string; secret: string }

function ToldDialog({ told, onClose }: { told: Told; onClose: () => void }) {
  const [copied, setCopied] = useState<boolean | null>(null);
  const copy = () => {
    const task = navigator.clipboard?.writeText(told.secret) ?? Promise.reject(new Error());
    task.then(() => setCopied(true), () => setCopied(false));
  };
  return (
    <Dialog title={told.title} onClose={onClose}>
      <div class="body">
        <p>{say("told_text")}</p>
        <p class="told">{told.secret}</p>
        <p role="status">{copied === null ? "" : copied ? say("copied") : say("copy_failed")}</p>
        <footer>
          <Button onClick={copy}>{say("copy")}</Button>
          <Button kind="primary" onClick={onClose}>{shell("close")}</Button>
        </footer>
      </div>
    </Dialog>
  );
}

/** What has come of a look: nothing yet, a refusal, or the list. */
function Shown<T>({ looked, children }: { looked: Looked<T>; children: (data: T) => preact.JSX.Element }) {
  if (looked.data) return <>{looked.problem !== null && <Problem problem={looked.problem} again={looked.again} />}{children(looked.data)}</>;
  return looked.problem !== null ? <Problem problem={looked.problem} again={looked.again} /> : <Loading />;
}

// ---- accounts ----

function Accounts({ tell }: { tell: (told: Told) => void }) {
  const looked = useLook<{ accounts: Account[] }>("accounts");
  const change = (args: Record<string, string | boolean>) => async () => {
    const made = await act<{ name: string; password?: string }>("account_set", args);
    looked.again();
    if (made.password) tell({ title: say("told_password", { name: made.name }), secret: made.password });
  };
  const add = () => confirm({
    title: say("add_account"), text: say("add_text"), action: say("add"),
    fields: [
      { name: "name", label: say("name"), help: say("name_help"), required: true },
      { name: "role", label: say("role"), type: "select", value: "viewer", choices: choices() },
    ],
    run: (values) => change({ name: values.name!.trim(), role: values.role! })(),
  });
  const setRole = async ({ name, role }: Account) => {
    const values = await confirm({
      title: say("role_of", { name }), text: say("role_text", { name }), action: say("save"),
      fields: [{ name: "role", label: say("role"), type: "select", value: role, choices: choices() }],
      run: (chosen) => change({ name, role: chosen.role! })(),
    });
    if (values) toast(say("done_role", { name, role: shell(values.role as Role) }));
  };
  const reset = ({ name }: Account) => confirm({
    title: say("reset_title", { name }), text: say("reset_text", { name }), action: say("reset_do"), danger: true, run: change({ name, reset: true }),
  });
  const disable = async ({ name }: Account) => {
    const done = await confirm({ title: say("disable_title", { name }), text: say("disable_text", { name }), action: say("disable"), danger: true, run: change({ name, disabled: true }) });
    if (done) toast(say("done_disable", { name }));
  };
  const enable = ({ name }: Account) => change({ name, disabled: false })().then(() => toast(say("enabled", { name })), (refused) => toast(why(refused), "bad"));
  const remove = async ({ name }: Account) => {
    const done = await confirm({
      title: say("remove_title", { name }), text: say("remove_text"), action: say("remove"), danger: true,
      run: async () => { await act("account_remove", { name }); looked.again(); },
    });
    if (done) toast(say("done_remove", { name }));
  };
  const state = (a: Account) => a.source === "configuration" ? <Badge kind="info">{say("of_config")}</Badge>
    : a.disabled ? <Badge kind="off">{say("disabled")}</Badge>
    : a.hidden ? <Badge kind="warn">{say("hidden")}</Badge>
    : a.must_change ? <Badge kind="warn">{say("must_change")}</Badge>
    : <Badge kind="ok">{say("good")}</Badge>;
  const own = (a: Account) => a.name === who()?.user;
  const columns: Column<Account>[] = [
    { id: "name", label: say("name"), cell: (a) => <strong>{a.name}</strong> },
    { id: "role", label: say("role"), cell: (a) => shell(a.role) },
    { id: "state", label: say("state"), cell: state },
    { id: "login", label: say("last_login"), cell: (a) => a.source === "configuration" ? "" : a.login_at ? <>{dateTime(a.login_at)}<br /><span class="muted">{a.login_place}</span></> : say("never") },
    {
      id: "actions", label: say("actions"), cell: (a) => a.source === "configuration" ? null : (
        <div class="row">
          <Button aria-label={`${say("change_role")}: ${a.name}`} onClick={() => void setRole(a)}>{say("change_role")}</Button>
          {!own(a) && <Button aria-label={`${say("reset")}: ${a.name}`} onClick={() => void reset(a)}>{say("reset")}</Button>}
          {a.disabled ? <Button aria-label={`${say("enable")}: ${a.name}`} onClick={() => void enable(a)}>{say("enable")}</Button>
            : !own(a) && <Button aria-label={`${say("disable")}: ${a.name}`} onClick={() => void disable(a)}>{say("disable")}</Button>}
          {!own(a) && <Button kind="danger" aria-label={`${say("remove")}: ${a.name}`} onClick={() => void remove(a)}>{say("remove")}</Button>}
        </div>
      ),
    },
  ];
  return (
    <>
      <div class="row"><Button kind="primary" onClick={() => void add()}>{say("add_account")}</Button></div>
      <Shown looked={looked}>{(data) => <Table columns={columns} rows={data.accounts} rowKey={(a) => a.source + a.name} caption={say("accounts")} />}</Shown>
    </>
  );
}

// ---- tokens ----

function Tokens({ tell }: { tell: (told: Told) => void }) {
  const looked = useLook<{ tokens: Token[] }>("tokens");
  const add = () => confirm({
    title: say("add_token"), text: say("token_text"), action: say("make"),
    fields: [
      { name: "name", label: say("token_for"), help: say("name_help"), required: true },
      { name: "role", label: say("role"), type: "select", value: "viewer", choices: choices() },
      { name: "days", label: say("days"), type: "number", value: "365", min: 1, max: 3650, step: 1, unit: say("days_unit"), required: true },
    ],
    run: async (values) => {
      const made = await act<{ name: string; token: string }>("token_add", { name: values.name!.trim(), role: values.role, days: Number(values.days) });
      looked.again();
      tell({ title: say("told_token", { name: made.name }), secret: made.token });
    },
  });
  const revoke = async ({ id, name }: Token) => {
    const done = await confirm({
      title: say("revoke_title", { name }), text: say("revoke_text"), action: say("revoke"), danger: true,
      run: async () => { await act("token_remove", { id }); looked.again(); },
    });
    if (done) toast(say("done_revoke", { name }));
  };
  const over = (t: Token) => t.expires_at !== undefined && t.expires_at * 1000 <= Date.now();
  const columns: Column<Token>[] = [
    { id: "name", label: say("token_for"), cell: (t) => <strong>{t.name}</strong> },
    { id: "role", label: say("role"), cell: (t) => shell(t.role) },
    { id: "by", label: say("made_by"), cell: (t) => t.by },
    { id: "ends", label: say("ends"), cell: (t) => over(t) ? <Badge kind="off">{say("ended")}</Badge> : dateTime(t.expires_at) },
    { id: "used", label: say("last_used"), cell: (t) => t.used_at ? dateTime(t.used_at) : say("never") },
    { id: "actions", label: say("actions"), cell: (t) => <Button kind="danger" aria-label={`${say("revoke")}: ${t.name}`} onClick={() => void revoke(t)}>{say("revoke")}</Button> },
  ];
  return (
    <>
      <div class="row"><Button kind="primary" onClick={() => void add()}>{say("add_token")}</Button></div>
      <Shown looked={looked}>{(data) => <Table columns={columns} rows={data.tokens} rowKey={(t) => t.id} caption={say("tokens")} empty={say("no_tokens")} />}</Shown>
    </>
  );
}

// ---- who is logged in ----

function Sessions() {
  const looked = useLook<{ sessions: LoggedIn[] }>("sessions");
  const end = async ({ id, name, place }: LoggedIn) => {
    const done = await confirm({
      title: say("end_title", { name }), text: say("end_text", { place }), action: say("end"), danger: true,
      run: async () => { await act("session_end", { id }); looked.again(); },
    });
    if (done) toast(say("done_end", { name }));
  };
  const columns: Column<LoggedIn>[] = [
    { id: "name", label: say("name"), cell: (s) => <strong>{s.name}</strong> },
    { id: "from", label: say("from"), cell: (s) => s.place },
    { id: "since", label: say("since"), cell: (s) => dateTime(s.begun_at) },
    { id: "idle", label: say("idle"), cell: (s) => duration(s.idle_s) },
    { id: "actions", label: say("actions"), cell: (s) => <Button aria-label={`${say("end")}: ${s.name}, ${s.place}`} onClick={() => void end(s)}>{say("end")}</Button> },
  ];
  return <Shown looked={looked}>{(data) => <Table columns={columns} rows={data.sessions} rowKey={(s) => s.id} caption={say("sessions")} />}</Shown>;
}

// ---- who did what ----

const pageOfDeeds = 100;

function Audit() {
  const [deeds, setDeeds] = useState<Deed[]>([]);
  const [next, setNext] = useState<number | null>(null);
  const [busy, setBusy] = useState(true);
  const [problem, setProblem] = useState<unknown>(null);
  const [words, setWords] = useState("");
  const gone = useRef(false);
  const load = (after: number | null) => {
    setBusy(true);
    setProblem(null);
    look<{ audit: Deed[]; next?: number }>("audit", { limit: pageOfDeeds, after }).then((page) => {
      if (gone.current) return;
      setDeeds((before) => after === null ? page.audit : [...before, ...page.audit]);
      setNext(page.next ?? null);
      setBusy(false);
    }, (refused: unknown) => {
      if (gone.current) return;
      setProblem(refused);
      setBusy(false);
    });
  };
  useEffect(() => {
    load(null);
    return () => { gone.current = true; };
  }, []);
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (d: Deed) => {
    const all = [d.at, d.who, d.place, d.command, d.arguments, d.before, d.after, d.result].join(" ").toLowerCase();
    return wanted.every((word) => all.includes(word));
  };
  const result = (d: Deed) => d.result === "done" ? <Badge kind="ok">{say("done")}</Badge>
    : d.result === "begun; its end is not known" ? <Badge kind="warn">{say("begun")}</Badge> : d.result;
  const columns: Column<Deed>[] = [
    { id: "at", label: say("time"), cell: (d) => <span class="nowrap">{d.at}</span> },
    { id: "who", label: say("who"), cell: (d) => <>{d.who}{d.place && <><br /><span class="muted">{d.place}</span></>}</> },
    { id: "what", label: say("what"), cell: (d) => <code>{d.command}</code> },
    { id: "with", label: say("arguments"), cell: (d) => d.arguments === "{}" ? "" : <code>{d.arguments}</code> },
    { id: "was", label: say("was"), cell: (d) => d.before ?? "" },
    { id: "is", label: say("is"), cell: (d) => d.after ?? "" },
    { id: "result", label: say("result"), cell: result },
  ];
  return (
    <>
      <div class="filter">
        <Field label={say("filter")} help={say("filter_help")}>
          <input type="search" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
        </Field>
      </div>
      {problem !== null && <Problem problem={problem} again={() => load(next)} />}
      {busy && deeds.length === 0 ? <Loading />
        : <Table columns={columns} rows={deeds.filter(fits)} rowKey={(d) => d.id} caption={say("audit")} empty={wanted.length && next !== null ? say("nothing_found") : undefined} />}
      {next !== null && <div class="row"><Button busy={busy} onClick={() => load(next)}>{say("more")}</Button></div>}
    </>
  );
}

// ---- one's own password ----

function Own() {
  const [wrong, setWrong] = useState<{ next?: string; repeat?: string }>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const me = who();
  if (!me) return null;
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const values = new FormData(form);
    const [old, next, repeat] = ["old", "next", "repeat"].map((name) => String(values.get(name))) as [string, string, string];
    const found: typeof wrong = {};
    if (new TextEncoder().encode(next).length < shortestPassword) found.next = say("short");
    else if (next === old) found.next = say("same");
    if (next !== repeat) found.repeat = say("differs");
    setWrong(found);
    setProblem(null);
    if (found.next || found.repeat) return;
    setBusy(true);
    try {
      await changePassword(old, next);
      form.reset();
      toast(say("changed"));
    } catch (refused) {
      setProblem(refused);
    }
    setBusy(false);
  };
  const intro = <p>{say("own_text", { user: me.user, role: shell(me.role) })}</p>;
  if (me.source !== "page") return <>{intro}<Notice kind="info">{say("own_config")}</Notice></>;
  return (
    <form class="panel own" onSubmit={submit}>
      {intro}
      <input type="hidden" name="username" value={me.user} autocomplete="username" />
      <Field label={say("old")}><input name="old" type="password" autocomplete="current-password" required /></Field>
      <Field label={say("next")} help={say("rule")} error={wrong.next}><input name="next" type="password" autocomplete="new-password" required /></Field>
      <Field label={say("repeat")} error={wrong.repeat}><input name="repeat" type="password" autocomplete="new-password" required /></Field>
      {problem !== null && <Notice kind="bad" live>{why(problem)}</Notice>}
      <div class="row"><Button type="submit" kind="primary" busy={busy}>{say("change")}</Button></div>
    </form>
  );
}

// ---- the page ----

const tabs = ["own", "accounts", "tokens", "sessions", "audit"] as const;
type Tab = (typeof tabs)[number];
const wants: Record<Tab, Role> = { own: "viewer", accounts: "administrator", tokens: "administrator", sessions: "administrator", audit: "operator" };

export default function AccountsPage({ rest }: PageProps) {
  const [told, setTold] = useState<Told | null>(null);
  const open = tabs.filter((tab) => may(wants[tab]));
  const preset: Tab = may("administrator") ? "accounts" : "own";
  const asked = rest[0] as Tab | undefined;
  const current = asked && open.includes(asked) ? asked : preset;
  return (
    <>
      <Heading>{shell("accounts")}</Heading>
      <Tabs label={shell("accounts")} current={current} tabs={open.map((tab) => ({ id: tab, label: say(tab), href: href("accounts", tab) }))} />
      {asked && !open.includes(asked) && tabs.includes(asked) && <Notice kind="warn">{shell("not_allowed")}</Notice>}
      {current === "own" ? <Own /> : current === "accounts" ? <Accounts tell={setTold} /> : current === "tokens" ? <Tokens tell={setTold} />
        : current === "sessions" ? <Sessions /> : <Audit />}
      {told && <ToldDialog told={told} onClose={() => setTold(null)} />}
    </>
  );
}
