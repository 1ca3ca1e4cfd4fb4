// Texts that are being edited. They outlive a change of the file, and are asked about when one leaves the page.
import type { LuaText } from "./types";

export interface Draft {
  item: string;
  /** The file as it was read; hash "" of a new one. */
  base: string;
  hash: string;
  text: string;
  file: LuaText | null;
}

const drafts = new Map<string, Draft>();
const watchers = new Set<() => void>();

export const tell = (): void => watchers.forEach((watcher) => watcher());
export function onDrafts(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

export const draftOf = (item: string): Draft | undefined => drafts.get(item);
export const isDirty = (draft: Draft | undefined): boolean => draft !== undefined && (draft.text !== draft.base || draft.hash === "");
export const dirtyItems = (): string[] => [...drafts.values()].filter(isDirty).map((one) => one.item);

/** The file as it was just read; what was edited stays. */
export function take(file: LuaText): Draft {
  const kept = drafts.get(file.item);
  const draft = isDirty(kept) ? { ...kept!, file } : { item: file.item, base: file.text, hash: file.hash, text: file.text, file };
  drafts.set(file.item, draft);
  return draft;
}

export function create(item: string, text: string): void {
  drafts.set(item, { item, base: "", hash: "", text, file: null });
  tell();
}

export function edit(item: string, text: string): void {
  const draft = drafts.get(item);
  if (!draft) return;
  const was = isDirty(draft);
  draft.text = text;
  if (was !== isDirty(draft)) tell();
}

/** What is edited stands on that file from now on. */
export function rebase(item: string, base: string, hash: string): void {
  const draft = drafts.get(item);
  if (draft) Object.assign(draft, { base, hash });
  tell();
}

export function forget(item: string): void {
  drafts.delete(item);
  tell();
}
