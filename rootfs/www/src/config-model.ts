// The configuration as the page works on it: what is there, what the operator changed, and the edits that lead from one to the other.
export interface OptionRule {
  name: string; kind: string; allowed: string; min?: number; max?: number; default?: string; words?: string[]; ref?: string;
  required?: boolean; secret?: boolean; list?: boolean; restart?: boolean; basic?: boolean; help: string; help_zh: string;
}
export interface SectionRule { type: string; title: string; title_zh: string; many: boolean; required: boolean; most?: number; options: OptionRule[] }
export interface Schema { sections: SectionRule[] }

export type Value = string | string[];
export interface Shown {
  text: string; hash: string; sections: { type: string; name: string; line: number; options?: Record<string, Value> }[];
  pending?: Pending; last?: Last;
}
export interface Pending { state: string; left_s?: number; confirm_s: number; since: number; who: string; place?: string; changes: string }
export interface Last { outcome: string; text: string; at: number }
export interface Mistake { line?: number; type?: string; name?: string; option?: string; text: string }
export interface Change { type: string; name: string; action: string }
export interface Checked { mistakes: Mistake[]; changes: Change[]; text: string; hash: string }

export interface Section {
  type: string;
  name: string;
  /** As it is called in the file; null: it is new. */
  was: string | null;
  /** New: the section (by its name in the file) whose options it was given. */
  copy?: string;
  options: Record<string, Value>;
}

export type Edit = { op: string; type: string; name: string; option?: string; value?: string; values?: string[]; to?: string; copy?: string };

export const mask = "********";

export const read = (shown: Shown): Section[] =>
  shown.sections.map((s) => ({ type: s.type, name: s.name, was: s.name, options: { ...s.options } }));

const same = (a: Value | undefined, b: Value | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);

/** From what was shown to what is wanted. References follow a rename by the gateway's own doing: those are no edits. */
export function edits(before: Section[], after: Section[], schema: Schema): Edit[] {
  const found: Edit[] = [];
  const renamed = new Map<string, string>();
  const old = (type: string, was: string) => before.find((s) => s.type === type && s.name === was);
  for (const s of before)
    if (!after.some((t) => t.type === s.type && t.was === s.name)) found.push({ op: "remove", type: s.type, name: s.name });
  for (const s of after)
    if (s.was !== null && s.was !== s.name) {
      found.push({ op: "rename", type: s.type, name: s.was, to: s.name });
      renamed.set(`${s.type} ${s.was}`, s.name);
    }
  const follow = (type: string, option: string, value: Value | undefined): Value | undefined => {
    const ref = schema.sections.find((s) => s.type === type)?.options.find((o) => o.name === option)?.ref;
    const one = (text: string) => {
      if (ref) return renamed.get(`${ref} ${text}`) ?? text;
      if (type !== "connector" || (option !== "meter" && option !== "bms")) return text;
      const [name = "", number] = text.split(":");
      const now = renamed.get(`device ${name}`) ?? renamed.get(`charger ${name}`) ?? name;
      return number === undefined ? now : `${now}:${number}`;
    };
    return value === undefined ? undefined : Array.isArray(value) ? value.map(one) : one(value);
  };
  for (const s of after) {
    const from = s.was !== null ? old(s.type, s.was) : s.copy ? old(s.type, s.copy) : undefined;
    if (s.was === null) found.push({ op: "add", type: s.type, name: s.name, ...(s.copy ? { copy: after.find((t) => t.type === s.type && t.was === s.copy)?.name ?? s.copy } : {}) });
    const names = new Set([...Object.keys(from?.options ?? {}), ...Object.keys(s.options)]);
    for (const option of names) {
      const now = s.options[option], then = follow(s.type, option, from?.options[option]);
      if (same(now, then)) continue;
      if (now === undefined || (Array.isArray(now) && now.length === 0)) found.push({ op: "unset", type: s.type, name: s.name, option });
      else if (Array.isArray(now)) found.push({ op: "set", type: s.type, name: s.name, option, values: now });
      else found.push({ op: "set", type: s.type, name: s.name, option, value: now });
    }
  }
  return found;
}

/** Renames it, and what refers to it as the gateway will. */
export function rename(all: Section[], schema: Schema, section: Section, name: string): Section[] {
  return all.map((s) => {
    if (s === section) return { ...s, name };
    const options = { ...s.options };
    const rules = schema.sections.find((r) => r.type === s.type)?.options ?? [];
    for (const [option, value] of Object.entries(options)) {
      const ref = rules.find((o) => o.name === option)?.ref;
      const besides = s.type === "connector" && (option === "meter" || option === "bms") && (section.type === "device" || section.type === "charger");
      const one = (text: string) => ref === section.type && text === section.name ? name
        : besides && text.split(":")[0] === section.name ? name + text.slice(section.name.length) : text;
      options[option] = Array.isArray(value) ? value.map(one) : one(value);
    }
    return { ...s, options };
  });
}

/** Who refers to it. */
export function users(all: Section[], schema: Schema, section: Section): Section[] {
  return all.filter((s) => s !== section && rename([s], schema, section, "\u0000")[0] !== s
    && JSON.stringify(rename([s], schema, section, "\u0000")[0]!.options).includes("\\u0000"));
}

export type Wrong = { key: "not_number" | "range" | "too_long" | "too_short" | "exactly" | "bad_id" | "bad_digits" | "bad_operator" | "bad_url" | "bad_prefix" | "bad_date" | "bad_degrees" | "bad_secret" | "bad_control" | "required"; min?: number; max?: number };

const characters = (text: string): number => [...text].length;

/** What the schema itself says of a text, while it is typed; the gateway has the last word. */
export function wrong(rule: OptionRule, text: string): Wrong | null {
  const { min = 0, max = 0 } = rule;
  if (text === "") return rule.required ? { key: "required" } : null;
  const length = (): Wrong | null => {
    const n = characters(text);
    if (min === max && n !== max) return { key: "exactly", max };
    return n > max ? { key: "too_long", max } : n < min ? { key: "too_short", min } : null;
  };
  switch (rule.kind) {
    case "int":
      if (!/^-?\d+$/.test(text)) return { key: "not_number" };
      return Number(text) < min || Number(text) > max ? { key: "range", min, max } : null;
    case "degrees":
      return !/^-?\d+(\.\d{1,6})?$/.test(text) || Number(text) < min || Number(text) > max ? { key: "bad_degrees", min, max } : null;
    case "id": return /^[\w.:-]+$/.test(text) ? length() : { key: "bad_id" };
    case "digits": return /^\d+$/.test(text) ? length() : { key: "bad_digits" };
    case "operator": return /^([0-9A-Z]{9}|[0-9A-Z]{18})$/.test(text) ? null : { key: "bad_operator" };
    case "secret": return text === mask ? null : /^[\x21-\x7e]+$/.test(text) ? length() : { key: "bad_secret" };
    case "url": return /^https?:\/\/[\w.:-]+?(:\d{1,5})?(\/[\w.~/-]*[\w.~-])?$/.test(text) ? length() : { key: "bad_url" };
    case "prefix": return /^\/[\w.~/-]*[\w.~-]$/.test(text) && !text.includes("//") ? length() : { key: "bad_prefix" };
    case "date": return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? null : { key: "bad_date" };
    case "text": return /[\x00-\x1f\x7f]/.test(text) ? { key: "bad_control" } : length();
    default: return null;
  }
}

/** Lines of two texts beside each other: kept, gone, new; long stretches of kept ones left out (null). */
export function difference(a: string, b: string): ({ kind: " " | "-" | "+"; text: string } | null)[] {
  const x = a.split("\n"), y = b.split("\n");
  let head = 0, tail = 0;
  while (head < x.length && head < y.length && x[head] === y[head]) head++;
  while (tail < x.length - head && tail < y.length - head && x[x.length - 1 - tail] === y[y.length - 1 - tail]) tail++;
  const m = x.slice(head, x.length - tail), n = y.slice(head, y.length - tail);
  const out: { kind: " " | "-" | "+"; text: string }[] = x.slice(0, head).map((text) => ({ kind: " ", text }));
  if (m.length * n.length > 4_000_000) {
    out.push(...m.map((text) => ({ kind: "-" as const, text })), ...n.map((text) => ({ kind: "+" as const, text })));
  } else {
    // Longest common subsequence, from the end.
    const width = n.length + 1, longest = new Uint32Array((m.length + 1) * width);
    for (let i = m.length - 1; i >= 0; i--)
      for (let k = n.length - 1; k >= 0; k--)
        longest[i * width + k] = m[i] === n[k] ? longest[(i + 1) * width + k + 1]! + 1
          : Math.max(longest[(i + 1) * width + k]!, longest[i * width + k + 1]!);
    let i = 0, k = 0;
    while (i < m.length || k < n.length) {
      if (i < m.length && k < n.length && m[i] === n[k]) { out.push({ kind: " ", text: m[i++]! }); k++; }
      else if (i < m.length && (k === n.length || longest[(i + 1) * width + k]! >= longest[i * width + k + 1]!)) out.push({ kind: "-", text: m[i++]! });
      else out.push({ kind: "+", text: n[k++]! });
    }
  }
  out.push(...x.slice(x.length - tail).map((text) => ({ kind: " " as const, text })));
  const near = 3, shown: (typeof out[number] | null)[] = [];
  out.forEach((line, at) => {
    const close = line.kind !== " " || out.slice(Math.max(0, at - near), at + near + 1).some((l) => l.kind !== " ");
    if (close) shown.push(line);
    else if (shown[shown.length - 1] !== null) shown.push(null);
  });
  return shown;
}
