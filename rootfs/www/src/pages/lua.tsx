// Lua from the browser: the files, an editor, what a change would do, and the way back.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Refused, act, look, may, save } from "../api";
import { bytes, dateTime } from "../format";
import type { PageProps } from "../main";
import { Badge, Button, Choice, Heading, Loading, Notice, Problem as ProblemBox, Table, askLeave, confirm, toast, useDraw, useLook } from "../parts";
import { go, href, useGuard } from "../router";
import { Draft, create, dirtyItems, draftOf, edit, forget, isDirty, onDrafts, rebase, take, tell } from "../lua/draft";
import type { Editor } from "../lua/editor";
import { CheckView, DiffView, PreviewView } from "../lua/results";
import type { Api, Checked, LuaFile, LuaText, Preview, Problem, Saved, Version } from "../lua/types";
import { say } from "../text/lua";
import { language } from "../text";

const folders = ["operators", "policies", "profiles", "lib"] as const;
const mostBytes = 256 * 1024;
type Panel = "check" | "preview" | "changes" | "history";
type Folder = (typeof folders)[number];

const folderOf = (item: string): Folder => item.split("/")[0] as Folder;
const nameOf = (item: string): string => item.slice(item.indexOf("/") + 1);
const address = (item: string): string => href("lua", item.split("/"));
const isItem = (item: string): boolean => /^(operators|policies|profiles|lib)\/[a-z0-9_-]{1,63}$/.test(item);

/** "platform city" in words; a file's name stays. */
const users = (list: string[]): string => list.map((one) => {
  const [kind, ...name] = one.split(" ");
  return say.maybe(`user_${kind}`, { name: name.join(" ") }) ?? one;
}).join(say("user_and"));

let api: Promise<Api | null> | null = null;
const askApi = (): Promise<Api | null> => (api ??= look<Api>("lua_api").catch(() => { api = null; return null; }));

// ---- the tree ----

function Mark({ file, item }: { file: LuaFile | undefined; item: string }) {
  if (isDirty(draftOf(item))) return <span class="mark"><span class="k-warn">● {say("unsaved")}</span></span>;
  if (file?.refused) return <span class="mark"><span class="k-bad">{say("refused")}</span></span>;
  if (file?.in_force) return <span class="mark"><span class="k-ok">✓<span class="unseen"> {say("in_force")}</span></span></span>;
  if (file && file.used_by.length > 0) return <span class="mark"><span class="k-warn">{say("changed_file")}</span></span>;
  return null;
}

function Tree({ files, current }: { files: LuaFile[]; current: string }) {
  const [word, setWord] = useState("");
  const known = new Map(files.map((file) => [file.item, file]));
  const all = [...new Set([...known.keys(), ...dirtyItems()])].filter((item) => item === current || item.includes(word.toLowerCase()));
  // What is used comes first: the box has some seventy profiles, and a station needs three.
  const rank = (item: string) => ((known.get(item)?.used_by.length ?? 0) > 0 || isDirty(draftOf(item)) ? 0 : 1);
  return (
    <nav class="tree panel" aria-label={say("files")}>
      <input type="search" placeholder={say("search")} aria-label={say("search")} value={word} onInput={(event) => setWord((event.target as HTMLInputElement).value)} />
      {folders.map((folder) => {
        const items = all.filter((item) => folderOf(item) === folder).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
        return items.length > 0 && (
          <section key={folder}>
            <h2>{say(folder)}</h2>
            <ul>
              {items.map((item) => (
                <li key={item}>
                  <a href={address(item)} aria-current={item === current ? "page" : undefined} class={rank(item) ? "unused" : ""}>
                    {nameOf(item)} <Mark file={known.get(item)} item={item} />
                  </a>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </nav>
  );
}

// ---- history ----

/** The versions' times are the protocol's: UTC+8. */
const epoch = (text: string): number => Date.parse(`${text.replace(" ", "T")}+08:00`) / 1000;

function origin(word: string): string {
  return word.split(", ").map((one) => say.maybe(`origin_${one}`) ?? one).join(", ");
}

function History({ item, text, draft, onPreview, onChanged }: { item: string; text: string; draft: Draft; onPreview: (text: string) => void; onChanged: () => void }) {
  const versions = useLook<{ versions: Version[] }>("lua_versions", { item, limit: 100 });
  const [shown, setShown] = useState<Version | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const fetchText = (version: Version) => look<Version>("lua_show", { item, version: version.version });
  const show = (version: Version) => fetchText(version).then((found) => { setShown(found); setProblem(null); }, setProblem);
  const rollBack = async (version: Version) => {
    let then: Version;
    try {
      then = await fetchText(version);
    } catch (refused) {
      return setProblem(refused);
    }
    const done = await confirm({
      title: say("roll_back_title", { version: version.version.slice(0, 12) }),
      text: <><p>{say("roll_back_what")}</p><DiffView before={draft.base} after={then.text ?? ""} label={say("changes")} /></>,
      action: say("roll_back_action"), danger: true,
      run: () => act("lua_rollback", { item, version: version.version }),
    });
    if (!done) return;
    forget(item);
    toast(say("rolled_back", { version: version.version.slice(0, 12) }));
    onChanged();
  };
  if (versions.problem instanceof Refused && versions.problem.status === 404) return <p class="empty">{say("history_none")}</p>;
  if (versions.problem) return <ProblemBox problem={versions.problem} again={versions.again} />;
  if (!versions.data) return <Loading />;
  return (
    <div class="results">
      {problem !== null && <ProblemBox problem={problem} />}
      <Table caption={say("history")} rows={versions.data.versions} empty={say("history_none")} rowKey={(one) => `${one.version}${one.at}`} columns={[
        { id: "version", label: say("version"), cell: (one) => <><code>{one.version.slice(0, 12)}</code> {one.in_force && <Badge kind="ok">{say("in_force")}</Badge>}</> },
        { id: "at", label: say("since"), cell: (one) => dateTime(one.at === undefined ? undefined : epoch(one.at)) },
        { id: "origin", label: say("origin"), cell: (one) => origin(one.origin) },
        { id: "do", label: "", cell: (one) => (
          <div class="row">
            <Button onClick={() => void show(one)}>{say("show")}</Button>
            {may("integrator") && !one.in_force && (
              <>
                <Button onClick={() => void fetchText(one).then((found) => onPreview(found.text ?? ""), setProblem)}>{say("preview_version")}</Button>
                <Button kind="danger" onClick={() => void rollBack(one)}>{say("roll_back")}</Button>
              </>
            )}
          </div>
        ) },
      ]} />
      {shown && (
        <section>
          <h3>{say("compare_head", { version: shown.version.slice(0, 12) })}</h3>
          <DiffView before={shown.text ?? ""} after={text} label={say("changes")} />
        </section>
      )}
    </div>
  );
}

// ---- one file ----

/** "points.power.type: what": the line where that name is set, as far as it can be seen from outside. */
function withLine(problem: Problem, text: string): Problem {
  if (problem.line !== undefined) return problem;
  const name = /^([\w.[\]]+):/.exec(problem.text)?.[1]?.split(/[.[]/).filter((part) => /^[a-z_]\w*$/i.test(part)) ?? [];
  const lines = text.split("\n");
  let from = 0, found: number | undefined;
  for (const part of name) {
    const at = lines.findIndex((line, i) => i >= from && new RegExp(`(^|[^\\w.])${part}\\s*=`).test(line));
    if (at < 0) break;
    found = at + 1;
    from = at;
  }
  return found === undefined ? problem : { ...problem, line: found };
}

interface Conflict { theirs: LuaText }

function Work({ item, onChanged }: { item: string; onChanged: () => void }) {
  const draw = useDraw();
  const [problem, setProblem] = useState<unknown>(null);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [panel, setPanel] = useState<Panel>("check");
  const [checked, setChecked] = useState<Checked | null>(null);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [busy, setBusy] = useState<"check" | "preview" | null>(null);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const folder = folderOf(item);
  const locked = !may("integrator") || draft?.file?.read_only === true;

  const read = async () => {
    const kept = draftOf(item);
    if (kept?.hash === "") return setDraft({ ...kept });
    try {
      const file = await look<LuaText>("lua_read", { item });
      const taken = take(file);
      editor.current?.setText(taken.text);
      setDraft({ ...taken });
      setProblem(null);
    } catch (refused) {
      setProblem(refused);
    }
  };
  useEffect(() => void read(), [item]);

  const text = () => draftOf(item)?.text ?? "";
  const put = (next: string) => {
    edit(item, next);
    editor.current?.setText(next);
    draw();
  };

  const check = async (): Promise<Checked | null> => {
    if (new Blob([text()]).size > mostBytes) {
      toast(say("too_long", { kb: mostBytes / 1024 }), "bad");
      return null;
    }
    setPanel("check");
    setBusy("check");
    try {
      const found = await act<Checked>("lua_check", { item, text: text() });
      found.problems = found.problems.map((one) => (one.file === item ? withLine(one, text()) : one));
      setChecked(found);
      setProblem(null);
      editor.current?.mark(found.problems.filter((one) => one.file === item));
      return found;
    } catch (refused) {
      setProblem(refused);
      return null;
    } finally {
      setBusy(null);
    }
  };
  const tryOn = async (what: string) => {
    setPanel("preview");
    setBusy("preview");
    setPreview(null);
    try {
      setPreview(await act<Preview>("lua_preview", { item, text: what }));
      setProblem(null);
    } catch (refused) {
      setProblem(refused);
    } finally {
      setBusy(null);
    }
  };
  const landed = (saved: Saved, what: string) => {
    rebase(item, what, saved.hash);
    toast(say(saved.in_force ? "applied" : "saved", { item }));
    setConflict(null);
    void read();
    onChanged();
  };
  const apply = async () => {
    const now = draftOf(item);
    if (!now || locked) return;
    const found = await check();
    if (!found?.ok) return;
    if (!isDirty(now)) return toast(say("nothing_to_apply"), "info");
    const what = now.text;
    let clash: LuaText | null = null;
    await confirm({
      title: say("apply_title", { item }),
      text: (
        <>
          <p>{now.file && now.file.used_by.length > 0 ? <>{say("used_by", { who: users(now.file.used_by) })}<br />{say("apply_what")}</> : say("apply_unused")}</p>
          <DiffView before={now.base} after={what} label={say("changes")} />
        </>
      ),
      action: say("apply_action"),
      run: async () => {
        try {
          landed(await act<Saved>("lua_save", { item, text: what, hash: now.hash || undefined }), what);
        } catch (refused) {
          if (!(refused instanceof Refused) || refused.status !== 409 || refused.code === "busy") throw refused;
          clash = await look<LuaText>("lua_read", { item });
        }
      },
    });
    if (clash) setConflict({ theirs: clash });
  };
  const latest = useRef(apply);
  latest.current = apply;

  // The editor is its own chunk, and stays while the file does.
  const ready = draft !== null && draft.item === item;
  useEffect(() => {
    if (!ready || !place.current) return;
    let gone = false;
    void Promise.all([import("../lua/editor"), askApi()]).then(([module, found]) => {
      if (gone || !place.current) return;
      editor.current = module.openEditor({
        parent: place.current, text: text(), folder, label: say("editor", { item }), readOnly: locked, api: found,
        onChange: (next) => { edit(item, next); draw(); },
        onSave: () => void latest.current(),
      });
    }, setProblem);
    return () => {
      gone = true;
      editor.current?.close();
      editor.current = null;
    };
  }, [ready, item, locked, language()]);

  if (problem !== null && !ready) return <div class="work"><ProblemBox problem={problem} again={() => void read()} /></div>;
  if (!ready) return <div class="work"><Loading /></div>;
  const dirty = isDirty(draftOf(item));
  const file = draft.file;

  const discard = async () => {
    if (!await confirm({ title: say("revert_title"), text: <DiffView before={text()} after={draft.base} label={say("changes")} />, action: say("revert_action"), danger: true })) return;
    if (draft.hash === "") {
      forget(item);
      return go(href("lua"));
    }
    put(draft.base);
    setChecked(null);
    editor.current?.mark([]);
  };
  const remove = async () => {
    const done = await confirm({
      title: say("remove_title", { item }), text: say("remove_what"), action: say("remove_action"), danger: true,
      run: () => act("lua_remove", { item, hash: draft.hash }),
    });
    if (!done) return;
    forget(item);
    toast(say("removed", { item }));
    go(href("lua"));
    onChanged();
  };

  return (
    <div class="work">
      <div class="row">
        <h2 class="mono">{item}</h2>
        {file?.in_force && <Badge kind="ok">{say("in_force")}</Badge>}
        {file?.refused && <Badge kind="bad">{say("refused")}</Badge>}
        {file && !file.in_force && !file.refused && file.used_by.length === 0 && <Badge kind="off">{say("unused")}</Badge>}
        {file?.read_only && <Badge kind="off">{say("read_only")}</Badge>}
        {dirty && <Badge kind="warn">{say("unsaved")}</Badge>}
        <span class="muted small">{bytes(new Blob([text()]).size)}</span>
      </div>
      {draft.hash === "" && <Notice kind="info">{say("draft")}</Notice>}
      {file && <p class="muted">{file.used_by.length > 0 ? say("used_by", { who: users(file.used_by) }) : say("used_by_none")}</p>}
      {file?.refused && <Notice kind="bad">{say("refused_why", { why: file.refused })}</Notice>}
      {file && !file.refused && !file.in_force && file.version && <Notice kind="warn">{say("not_in_force")}</Notice>}
      {!may("integrator") && <Notice kind="info">{say("may_not")}</Notice>}
      {conflict && (
        <Notice kind="warn" live title={say("conflict")}>
          <p>{say("conflict_what")}</p>
          <DiffView before={conflict.theirs.text} after={text()} label={say("changes")} />
          <div class="row">
            <Button onClick={() => { rebase(item, conflict.theirs.text, conflict.theirs.hash); put(conflict.theirs.text); setConflict(null); void read(); }}>{say("take_theirs")}</Button>
            <Button kind="primary" onClick={() => { rebase(item, conflict.theirs.text, conflict.theirs.hash); setConflict(null); setDraft({ ...draftOf(item)! }); void latest.current(); }}>{say("keep_mine")}</Button>
          </div>
        </Notice>
      )}
      <div class="row">
        {may("integrator") && (
          <>
            <Button busy={busy === "check"} title={say("check_key")} onClick={() => void check()}>{say("check")}</Button>
            <Button busy={busy === "preview"} onClick={() => void tryOn(text())}>{say("preview")}</Button>
            <Button kind="primary" disabled={!dirty || locked || busy !== null} onClick={() => void apply()}>{say("apply")}</Button>
            {dirty && <Button onClick={() => void discard()}>{say("revert")}</Button>}
            <Button kind="quiet" onClick={() => void newFile(folder, nameOf(item), text())}>{say("copy")}</Button>
            {file && !file.read_only && file.used_by.length === 0 && <Button kind="quiet" onClick={() => void remove()}>{say("remove")}</Button>}
          </>
        )}
        <Button kind="quiet" onClick={() => save(`${nameOf(item)}.lua`, "text/x-lua", text())}>{say("download")}</Button>
      </div>
      <div class="editor" ref={place} />
      <p class="muted small">{say("editor_help")}</p>
      <Choice label={say("results")} value={panel} onChange={(id) => setPanel(id as Panel)} choices={[
        { id: "check", label: say("check") }, { id: "preview", label: say("preview") }, { id: "changes", label: say("changes") }, { id: "history", label: say("history") },
      ]} />
      <section class="panel" aria-label={say("results")}>
        {problem !== null && <ProblemBox problem={problem} />}
        {busy === "check" && <p class="loading" role="status">{say("checking")}</p>}
        {busy === "preview" && <p class="loading" role="status">{say("previewing")}</p>}
        {panel === "check" && busy === null && (checked ? <CheckView checked={checked} item={item} goTo={(line) => editor.current?.goTo(line)} /> : <p class="empty">{say("first_save")}</p>)}
        {panel === "preview" && busy === null && preview && <PreviewView preview={preview} folder={folder} />}
        {panel === "changes" && <DiffView before={draftOf(item)?.base ?? ""} after={text()} label={say("changes")} />}
        {panel === "history" && <History key={`${item}${draft.hash}`} item={item} text={text()} draft={draft} onPreview={(what) => void tryOn(what)} onChanged={() => { void read(); onChanged(); }} />}
      </section>
    </div>
  );
}

// ---- new files ----

const beginnings: Record<Folder, (name: string) => string> = {
  operators: (name) => `return {\n  forecourt = 1,\n  kind = "operator",\n  name = "${name}",\n  description = "",\n  map = {\n  },\n  examples = {\n  },\n}\n`,
  policies: (name) => `return {\n  forecourt = 1,\n  kind = "policy",\n  name = "${name}",\n  description = "",\n  prices = {\n    { start = "00:00", elec = 0.8, service = 0.4 }, -- yuan per kWh\n  },\n}\n`,
  profiles: (name) => `return {\n  forecourt = 1,\n  kind = "profile",\n  name = "${name}",\n  description = "",\n  points = {\n  },\n  examples = {\n  },\n}\n`,
  lib: () => "local module = {}\n\nreturn module\n",
};

let known: Set<string> = new Set();

/** from: the name in the copied file is the new one's. */
async function newFile(folder: Folder, from?: string, text?: string): Promise<void> {
  const values = await confirm({
    title: say("copy_title"), action: say("copy_action"),
    fields: [
      ...(text === undefined ? [{ name: "folder", label: say("copy_folder"), type: "select" as const, value: folder, choices: folders.map((one) => ({ value: one, label: say(one) })) }] : []),
      { name: "name", label: say("copy_name"), help: say("copy_help"), required: true, value: from ? `${from}-2` : "" },
    ],
    run: async (given) => {
      const item = `${given.folder ?? folder}/${given.name}`;
      if (!isItem(item)) throw new Error(say("copy_bad"));
      if (known.has(item) || draftOf(item)) throw new Error(say("copy_there"));
    },
  });
  if (!values) return;
  const into = (values.folder ?? folder) as Folder, item = `${into}/${values.name}`;
  create(item, text === undefined ? beginnings[into](values.name!) : text.replace(new RegExp(`(\\bname\\s*=\\s*["'])${from}(["'])`), `$1${values.name}$2`));
  go(address(item));
}

// ---- the page ----

export default function Lua({ rest }: PageProps) {
  const draw = useDraw();
  const files = useLook<{ files: LuaFile[]; left_out?: number }>("lua_files");
  const item = rest.join("/");
  useEffect(() => onDrafts(draw), []);
  useGuard(dirtyItems().length > 0, async () => {
    if (!await askLeave()) return false;
    for (const one of dirtyItems()) forget(one);
    tell();
    return true;
  });
  const list = useMemo(() => files.data?.files ?? [], [files.data]);
  known = new Set(list.map((file) => file.item));
  return (
    <>
      <Heading aside={may("integrator") && <Button onClick={() => void newFile("policies")}>{say("new_file")}</Button>}>{say("files")}</Heading>
      {files.problem !== null && <ProblemBox problem={files.problem} again={files.again} />}
      <div class="lua">
        {files.data ? <Tree files={list} current={item} /> : <Loading />}
        {isItem(item) ? <Work key={item} item={item} onChanged={files.again} /> : <p class="empty">{say("choose")}</p>}
      </div>
    </>
  );
}
