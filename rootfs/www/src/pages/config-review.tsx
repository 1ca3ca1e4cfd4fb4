// Before applying: what would change, in the file and in the station, and how long the trial is to last.
import { useEffect, useState } from "preact/hooks";
import { act } from "../api";
import { Change, Checked, Edit, Shown, difference } from "../config-model";
import { Button, Dialog, Field, Loading, Notice, Problem, why } from "../parts";
import { say } from "../text/config";
import { say as shell } from "../text/shell";

export type Wish = { edits: Edit[] } | { text: string } | { version: number };

export function Difference({ before, after }: { before: string; after: string }) {
  const lines = difference(before, after);
  if (lines.length === 0) return <p class="muted">{say("same")}</p>;
  return (
    <pre class="difference" tabIndex={0}>
      {lines.map((line, i) => line === null ? <span key={i} class="gap">⋯{"\n"}</span>
        : <span key={i} class={line.kind === "-" ? "gone" : line.kind === "+" ? "new" : ""}>{line.kind} {line.text}{"\n"}</span>)}
    </pre>
  );
}

const actions: Record<string, "applied" | "restart" | "act_add" | "act_remove"> = { applied: "applied", restart: "restart", add: "act_add", remove: "act_remove" };

export const Changes = ({ changes }: { changes: Change[] }) => (
  <ul class="changes">
    {changes.map((c) => <li key={`${c.type} ${c.name}`}><strong>{c.type} {c.name}</strong>: {say(actions[c.action] ?? "applied")}</li>)}
    {changes.length === 0 && <li class="muted">{say("no_change")}</li>}
  </ul>
);

/** Where the page will be, if these changes move it; null: it stays. */
export function newAddress(after: string, before: string): string | null {
  const of = (text: string) => {
    const part = text.split(/^\s*config\s+/m).find((one) => /^admin\b/.test(one)) ?? "";
    const value = (name: string) => new RegExp(`^\\s*option\\s+${name}\\s+['"]?([^'"\\s#]*)`, "m").exec(part)?.[1];
    return { address: value("address") ?? "127.0.0.1", port: value("port") ?? "8443", tls: !/^(0|off|no|false)$/.test(value("tls") ?? "1") };
  };
  const then = of(before), now = of(after);
  if (then.address === now.address && then.port === now.port && then.tls === now.tls) return null;
  const anywhere = now.address === then.address || /^(|0\.0\.0\.0|::)$/.test(now.address);
  const host = anywhere ? location.hostname : now.address.includes(":") ? `[${now.address}]` : now.address;
  // Whoever does not confirm there finds the way back.
  const back = host === location.hostname && then.tls === now.tls ? `&from=${location.port || (now.tls ? 443 : 80)}` : "";
  return `${now.tls ? "https" : "http"}://${host}:${now.port}/#/config?keep=1${back}`;
}

export function Review({ wish, base, onClose, onApplied }: { wish: Wish; base: Shown; onClose: () => void; onApplied: () => void }) {
  const [checked, setChecked] = useState<Checked | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    act<Checked>("config_check", { ...wish, scripts: true }).then(setChecked, setProblem);
  }, []);
  const address = checked && newAddress(checked.text, base.text);
  const apply = async (event: Event) => {
    event.preventDefault();
    const seconds = Number(new FormData(event.target as HTMLFormElement).get("seconds"));
    setBusy(true);
    setProblem(null);
    try {
      await act("config_apply", { ...wish, hash: base.hash, confirm_s: seconds });
      onApplied();
      // The answer came before the page moved; there it goes on.
      if (address) setTimeout(() => location.assign(address), 2500);
    } catch (refused) {
      setProblem(refused);
      setBusy(false);
    }
  };
  return (
    <Dialog title={say("review_title")} onClose={() => !busy && onClose()} wide>
      {!checked && (problem !== null ? <div class="body"><Problem problem={problem} /></div> : <div class="body"><Loading /></div>)}
      {checked && (
        <form onSubmit={apply}>
          {checked.mistakes.length > 0 && (
            <Notice kind="bad" title={say("mistakes_first")}>
              <ul>{checked.mistakes.map((m, i) => <li key={i}>{[m.type, m.name, m.option].filter(Boolean).join(".")} {m.text}</li>)}</ul>
            </Notice>
          )}
          <div><h3>{say("what_happens")}</h3><Changes changes={checked.changes} /></div>
          {address && <Notice kind="warn">{say("moves", { address: address.replace(/#.*/, "") })}</Notice>}
          <div><h3>{say("what_changes")}</h3><Difference before={base.text} after={checked.text} /></div>
          <Field label={say("confirm_within")} unit={say("seconds")}>
            <input name="seconds" type="number" min={30} max={600} defaultValue="90" required />
          </Field>
          {problem !== null && <Notice kind="bad" live>{why(problem)}</Notice>}
          <footer>
            <Button onClick={onClose} disabled={busy}>{shell("cancel")}</Button>
            <Button type="submit" kind="primary" busy={busy} disabled={checked.mistakes.length > 0 || checked.text === base.text && checked.changes.length === 0}>{say("apply")}</Button>
          </footer>
        </form>
      )}
    </Dialog>
  );
}
