// Light or dark: as the system, or as chosen; kept in the browser.
export type Theme = "system" | "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const watchers = new Set<() => void>();

export const theme = (): Theme => {
  const kept = localStorage.getItem("theme");
  return kept === "light" || kept === "dark" ? kept : "system";
};

export const dark = (): boolean => document.documentElement.dataset.theme === "dark";

function apply(): void {
  const chosen = theme();
  document.documentElement.dataset.theme = chosen === "system" ? (system.matches ? "dark" : "light") : chosen;
  for (const watcher of watchers) watcher();
}

export function setTheme(next: Theme): void {
  localStorage.setItem("theme", next);
  apply();
}

/** Calls back when the colours have changed (charts and editors draw with them). */
export function onTheme(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

system.addEventListener("change", apply);
apply();
