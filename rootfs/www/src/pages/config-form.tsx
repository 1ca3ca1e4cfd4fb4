// Forms by the schema: a list of objects of each type, a field for each option.
import { useEffect, useState } from "preact/hooks";
import { Mistake, OptionRule, Schema, Section, SectionRule, Value, mask, rename, users, wrong } from "../config-model";
import { Button, Field, Notice, Tabs, confirm } from "../parts";
import { href } from "../router";
import { language } from "../text";
import { say } from "../text/config";

const words = (rule: { help: string; help_zh: string }): string => (language() === "zh" ? rule.help_zh : rule.help);
const titleOf = (rule: SectionRule): string => (language() === "zh" ? rule.title_zh : rule.title);
const isName = (name: string): boolean => /^[A-Za-z0-9_-]{1,60}$/.test(name);

interface FieldProps { rule: OptionRule; value: Value | undefined; all: Section[]; error: string | undefined; writable: boolean; set: (value: Value | undefined) => void }

function Secret({ rule, value, writable, set }: FieldProps) {
  const [was] = useState(value);
  const isKept = value === mask;
  return (
    <span class="secret">
      {isKept
        ? <><span class="muted">{say("secret_set")}</span>{writable && <Button aria-label={`${say("replace")}: ${rule.name}`} onClick={() => set("")}>{say("replace")}</Button>}</>
        : <><input type="password" autocomplete="new-password" value={typeof value === "string" ? value : ""} disabled={!writable} maxLength={rule.max} aria-label={rule.name}
            placeholder={was === mask ? say("secret_new") : say("secret_unset")} onInput={(e) => set((e.target as HTMLInputElement).value || (was === mask ? "" : undefined))} />
          {was === mask && <Button onClick={() => set(mask)}>{say("keep")}</Button>}</>}
    </span>
  );
}

function Control(props: FieldProps) {
  const { rule, value, all, writable, set } = props;
  const text = Array.isArray(value) ? value.join("\n") : value ?? "";
  if (rule.secret) return <Secret {...props} />;
  if (rule.list && rule.ref) {
    const chosen = Array.isArray(value) ? value : [];
    const names = [...new Set([...all.filter((s) => s.type === rule.ref).map((s) => s.name), ...chosen])];
    return (
      <span class="ticks">
        {names.map((name) => (
          <label key={name} class="tick"><input type="checkbox" checked={chosen.includes(name)} disabled={!writable}
            onChange={(e) => set((e.target as HTMLInputElement).checked ? [...chosen, name] : chosen.filter((one) => one !== name))} /> {name}</label>
        ))}
        {names.length === 0 && <span class="muted">{say("none")}</span>}
      </span>
    );
  }
  if (rule.list)
    return <textarea rows={2} disabled={!writable} value={text} onInput={(e) => {
      const lines = (e.target as HTMLTextAreaElement).value.split("\n").filter(Boolean);
      set(lines.length ? lines : undefined);
    }} />;
  const choices = rule.kind === "bool" ? ["1", "0"] : rule.words ?? (rule.ref ? all.filter((s) => s.type === rule.ref).map((s) => s.name) : null);
  if (choices) {
    const plain = rule.kind === "bool" ? { on: "1", yes: "1", true: "1", off: "0", no: "0", false: "0" }[text] ?? text : text;
    const shown = plain && !choices.includes(plain) ? [...choices, plain] : choices;
    const name = (one: string) => rule.kind !== "bool" ? one : language() === "zh" ? (one === "1" ? "是" : "否") : one === "1" ? "yes" : "no";
    return (
      <select disabled={!writable} value={plain} onChange={(e) => set((e.target as HTMLSelectElement).value || undefined)}>
        {!(rule.required && plain) && <option value="">{rule.default ? say("preset", { value: name(rule.default) }) : `– ${say("none")} –`}</option>}
        {shown.map((one) => <option key={one} value={one}>{name(one)}</option>)}
      </select>
    );
  }
  return <input type="text" inputMode={rule.kind === "int" ? "numeric" : rule.kind === "degrees" ? "decimal" : "text"} autocomplete="off" disabled={!writable}
    value={text} placeholder={rule.default ?? ""} onInput={(e) => set((e.target as HTMLInputElement).value || undefined)} />;
}

function OptionField(props: FieldProps) {
  const { rule, value } = props;
  const found = typeof value === "string" && !rule.words ? wrong(rule, value) : rule.required && value === undefined ? { key: "required" as const } : null;
  const error = found ? say(found.key, { min: found.min ?? 0, max: found.max ?? 0 }) : props.error;
  return (
    <Field label={<>{rule.name}{rule.required && <span class="muted" title={say("required")}> *</span>}</>} error={error}
      help={<>{words(rule)}{rule.restart && <span class="restarts" title={say("restarts")}> ↻</span>}{rule.list && !rule.ref ? ` (${say("one_a_line")})` : ""}</>}>
      <Control {...props} />
    </Field>
  );
}

function Body({ rule, section, all, mistakes, writable, set }: {
  rule: SectionRule; section: Section; all: Section[]; mistakes: Mistake[]; writable: boolean; set: (option: string, value: Value | undefined) => void;
}) {
  const error = (option: string) => mistakes.find((m) => m.option === option)?.text;
  const fields = (options: OptionRule[]) => (
    <div class="fields">
      {options.map((o) => <OptionField key={o.name} rule={o} value={section.options[o.name]} all={all} error={error(o.name)} writable={writable} set={(value) => set(o.name, value)} />)}
    </div>
  );
  const basic = rule.options.filter((o) => o.basic), advanced = rule.options.filter((o) => !o.basic);
  const setCount = advanced.filter((o) => section.options[o.name] !== undefined).length;
  const open = advanced.some((o) => error(o.name));
  const others = mistakes.filter((m) => !m.option || !rule.options.some((o) => o.name === m.option));
  return (
    <>
      {others.map((m, i) => <Notice key={i} kind="bad">{m.option ? `${m.option}: ` : ""}{m.text}</Notice>)}
      {fields(basic)}
      {advanced.length > 0 && <details open={open || undefined}><summary>{say("advanced", { n: setCount })}</summary>{fields(advanced)}</details>}
    </>
  );
}

// What tells objects of a type apart at a glance.
const telling: Record<string, string[]> = {
  listen: ["address", "port"], station: ["station_name", "station_id"], bus: ["kind", "host", "device", "port"], device: ["bus", "unit", "profile"],
  charger: ["bus", "unit", "profile", "equipment_id"], connector: ["charger", "connector_name", "connector_id"], platform: ["operator_id", "url"],
};

function Item({ rule, section, model, schema, mistakes, writable, isChanged, onChange }: {
  rule: SectionRule; section: Section; model: Section[]; schema: Schema; mistakes: Mistake[]; writable: boolean; isChanged: boolean; onChange: (model: Section[]) => void;
}) {
  const [open, setOpen] = useState(section.was === null || !rule.many);
  useEffect(() => { if (mistakes.length && isChanged) setOpen(true); }, [mistakes.length]);
  const set = (option: string, value: Value | undefined) => {
    const options = { ...section.options };
    if (value === undefined) delete options[option]; else options[option] = value;
    onChange(model.map((s) => (s === section ? { ...s, options } : s)));
  };
  const askName = async (title: string, first: string): Promise<string | null> => {
    const answer = await confirm({
      title, action: title, fields: [{ name: "name", label: say("name"), help: say("name_rule"), value: first, required: true }],
      run: async ({ name = "" }) => {
        if (!isName(name)) throw new Error(say("name_rule"));
        if (model.some((s) => s !== section && s.type === section.type && s.name === name)) throw new Error(say("name_taken"));
      },
    });
    return answer?.name ?? null;
  };
  const onRename = async () => {
    const name = await askName(say("rename"), section.name);
    if (name && name !== section.name) onChange(rename(model, schema, section, name));
  };
  const onCopy = async () => {
    const name = await askName(say("copy"), `${section.name}_2`);
    if (!name) return;
    if (name === section.name) return;
    const at = model.indexOf(section);
    const copy: Section = { type: section.type, name, was: null, ...(section.was !== null ? { copy: section.was } : section.copy ? { copy: section.copy } : {}), options: { ...section.options } };
    onChange([...model.slice(0, at + 1), copy, ...model.slice(at + 1)]);
  };
  const onRemove = async () => {
    const by = users(model, schema, section).map((s) => `${s.type} ${s.name}`);
    if (await confirm({ title: say("remove_ask", { name: section.name }), text: by.length ? say("remove_used", { by: by.slice(0, 8).join(", ") }) : undefined, action: say("remove"), danger: true }))
      onChange(model.filter((s) => s !== section));
  };
  const brief = (telling[rule.type] ?? []).map((o) => section.options[o]).filter(Boolean).join(" · ");
  const body = <Body rule={rule} section={section} all={model} mistakes={mistakes} writable={writable} set={set} />;
  if (!rule.many) return <section class="panel">{body}</section>;
  return (
    <details class={`panel object ${isChanged ? "changed" : ""}`} open={open} onToggle={(e) => setOpen((e.target as HTMLDetailsElement).open)}>
      <summary>
        <strong>{section.name}</strong> <span class="muted">{brief}</span>{" "}
        {mistakes.length > 0 && <span class="badge k-bad">{say("mistakes", { n: mistakes.length })}</span>}
      </summary>
      {open && (
        <>
          {writable && (
            <div class="row">
              <Button onClick={onRename}>{say("rename")}</Button>
              <Button onClick={onCopy}>{say("copy")}</Button>
              <Button kind="danger" onClick={onRemove}>{say("remove")}</Button>
              {section.copy && <span class="small muted">{say("copy_of", { name: section.copy })}</span>}
            </div>
          )}
          {body}
        </>
      )}
    </details>
  );
}

export function Forms({ schema, model, before, mistakes, writable, type, onChange }: {
  schema: Schema; model: Section[]; before: Section[]; mistakes: Mistake[]; writable: boolean; type: string | undefined; onChange: (model: Section[]) => void;
}) {
  const rule = schema.sections.find((s) => s.type === type) ?? schema.sections[0]!;
  const objects = model.filter((s) => s.type === rule.type);
  // The one of its kind has no name that matters.
  const of = (s: Section) => mistakes.filter((m) => m.type === s.type && (m.name === s.name || (!rule.many && s.type === rule.type)));
  const lost = mistakes.filter((m) => !m.type || !model.some((s) => s.type === m.type));
  const tabs = schema.sections.map((s) => {
    const n = model.filter((one) => one.type === s.type).length, bad = mistakes.filter((m) => m.type === s.type).length;
    return { id: s.type, href: href("config", ["section", s.type]), label: <>{titleOf(s)}{s.many && <span class="muted"> {n}</span>}{bad > 0 && <span class="bad" aria-label={say("mistakes", { n: bad })}> ●</span>}</> };
  });
  const onAdd = async () => {
    const answer = await confirm({
      title: `${say("add")}: ${titleOf(rule)}`, action: say("add"), fields: [{ name: "name", label: say("name"), help: say("name_rule"), required: true }],
      run: async ({ name = "" }) => {
        if (!isName(name)) throw new Error(say("name_rule"));
        if (objects.some((s) => s.name === name)) throw new Error(say("name_taken"));
      },
    });
    if (answer) onChange([...model, { type: rule.type, name: answer.name!, was: null, options: {} }]);
  };
  const isChanged = (s: Section) => JSON.stringify(before.find((one) => one.type === s.type && one.name === s.was)?.options ?? null) !== JSON.stringify(s.options) || s.was !== s.name;
  return (
    <>
      <Tabs label={say("forms")} tabs={tabs} current={rule.type} />
      {lost.map((m, i) => <Notice key={i} kind="bad">{m.line ? `${say("line", { line: m.line })}: ` : ""}{m.text}</Notice>)}
      {objects.length === 0 && <p class="empty">{say("none_yet")}</p>}
      {objects.map((s) => (
        <Item key={`${s.type} ${s.was ?? `+${s.name}`}`} rule={rule} section={s} model={model} schema={schema} mistakes={of(s)} writable={writable} isChanged={isChanged(s)} onChange={onChange} />
      ))}
      {writable && (rule.many ? objects.length < (rule.most ?? 1) : objects.length === 0) && <div><Button onClick={onAdd}>{say("add")}</Button></div>}
    </>
  );
}
