// Completion from what the gateway says of itself (lua_api): calls, methods, message fields, the keys of each kind of file.
import { CompletionContext, CompletionResult, Completion, snippetCompletion } from "@codemirror/autocomplete";
import type { Api } from "./types";

const keywords = ["and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not", "or",
  "repeat", "return", "then", "true", "until", "while"];
const library = ["assert", "error", "ipairs", "next", "pairs", "pcall", "select", "tonumber", "tostring", "type", "math", "string", "table", "utf8"];

/** Classes of lua/types/files.lua by folder; the first is the file itself. */
const classes: Record<string, string> = { operators: "forecourt.mapping", policies: "forecourt.policy", profiles: "forecourt.profile" };

function info(text: string, what?: string): Completion["info"] {
  return () => {
    const dom = document.createElement("div");
    const call = document.createElement("code");
    call.textContent = text;
    dom.append(call);
    if (what) dom.append(document.createElement("br"), what);
    return dom;
  };
}

function snippet(method: string, part: string): Completion {
  return snippetCompletion(`${method} = {\n  ${part} = function(message, ctx)\n    \${}\n    return message\n  end,\n},`, {
    label: `${method}.${part}`, detail: "map", type: "function", boost: -1,
  });
}

export function options(api: Api, folder: string): Completion[] {
  const list: Completion[] = [...keywords.map((label) => ({ label, type: "keyword" })), ...library.map((label) => ({ label, type: "variable" }))];
  for (const one of api.calls) {
    const label = one.call.replace(/\(.*/, "");
    list.push({ label, type: one.call.includes("(") ? "function" : "constant", detail: one.gives ?? "", info: info(one.call, one.what), boost: 2 });
  }
  for (const [name, keys] of Object.entries(api.types ?? {})) {
    if (!classes[folder] || !(name === "forecourt.example" || name.startsWith(classes[folder]!))) continue;
    for (const key of keys) list.push({ label: key.name, type: "property", detail: name.replace("forecourt.", ""), info: info(`${key.name}: ${key.type}`, key.what), boost: 1 });
  }
  if (folder === "operators") {
    const fields = new Set<string>();
    for (const message of api.messages) {
      list.push({ label: message.method, type: "property", detail: message.caller });
      list.push(snippet(message.method, "request"), snippet(message.method, "answer"));
      for (const field of [...message.request, ...message.answer]) fields.add(field);
    }
    for (const field of fields) list.push({ label: field, type: "property" });
    for (const name of api.timing) list.push({ label: name, type: "property", detail: "timing" });
  }
  const seen = new Set<string>();
  return list.filter((one) => !seen.has(one.label + one.type) && seen.add(one.label + one.type));
}

export function source(list: Completion[]): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const word = context.matchBefore(/[\w.:]+/);
    if (!word || (word.from === word.to && !context.explicit)) return context.explicit ? { from: context.pos, options: list } : null;
    const line = context.state.doc.lineAt(context.pos).text.slice(0, context.pos - context.state.doc.lineAt(context.pos).from);
    if (/^\s*--|--[^[]*$/.test(line) && !context.explicit) return null;
    // What stands behind a dot or colon and is no call of the API is a field or a method.
    const dot = Math.max(word.text.lastIndexOf("."), word.text.lastIndexOf(":"));
    const known = list.some((one) => one.label.startsWith(word.text));
    return { from: dot >= 0 && !known ? word.from + dot + 1 : word.from, options: list, validFor: /^[\w.:]*$/ };
  };
}
