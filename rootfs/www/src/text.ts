// Both languages. A page brings its own table (text/<page>.ts): const say = texts({ en… }, { zh… }). The type checker
// finds a key that one of them lacks. "{name}" takes an argument, "{n#order|orders}" chooses by the number n.
export type Language = "en" | "zh";
export type TextArguments = Record<string, string | number>;

let current: Language = firstLanguage();
const watchers = new Set<() => void>();

function firstLanguage(): Language {
  const kept = localStorage.getItem("language");
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}

export const language = (): Language => current;

export function setLanguage(next: Language): void {
  current = next;
  localStorage.setItem("language", next);
  apply();
  for (const watcher of watchers) watcher();
}

export function onLanguage(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

function apply(): void {
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
}
apply();

function fill(text: string, args?: TextArguments): string {
  if (!args) return text;
  return text.replace(/\{(\w+)(?:#([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = args[name];
    if (one !== undefined) return Number(value) === 1 ? one : (many as string);
    return value === undefined ? whole : String(value);
  });
}

export type Say<K extends string> = ((key: K, args?: TextArguments) => string) & {
  /** The text of a key that the daemon sent; undefined if this table has none. */
  maybe: (key: string, args?: TextArguments) => string | undefined;
};

export function texts<K extends string>(en: Record<K, string>, zh: Record<NoInfer<K>, string>): Say<K> {
  const find = (key: string): string | undefined => (current === "zh" ? zh : en)[key as K];
  const say = ((key: K, args?: TextArguments) => fill(find(key) ?? key, args)) as Say<K>;
  say.maybe = (key, args) => {
    const text = Object.hasOwn(en, key) ? find(key) : undefined;
    return text === undefined ? undefined : fill(text, args);
  };
  return say;
}
