// Backup and restore: one file, its secrets sealed with a passphrase.
import { useState } from "preact/hooks";
import { act, save } from "../api";
import type { Change } from "../config-model";
import { Button, Field, Notice, toast, why } from "../parts";
import { say } from "../text/config";
import { Changes } from "./config-review";

const least = 10;

function Make() {
  const [one, setOne] = useState("");
  const [two, setTwo] = useState("");
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const make = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const made = await act<{ file: string; type: string; text: string }>("backup", { passphrase: one });
      save(made.file, made.type, made.text);
      toast(say("saved"));
      setOne("");
      setTwo("");
    } catch (refused) {
      setProblem(refused);
    }
    setBusy(false);
  };
  return (
    <section class="panel">
      <h2>{say("backup_make")}</h2>
      <p>{say("backup_text")}</p>
      <form onSubmit={make} class="narrow">
        <Field label={say("passphrase")} error={one && one.length < least ? say("passphrase_rule") : undefined} help={say("passphrase_rule")}>
          <input type="password" autocomplete="new-password" value={one} maxLength={200} onInput={(e) => setOne((e.target as HTMLInputElement).value)} />
        </Field>
        <Field label={say("passphrase_again")} error={two && one !== two ? say("passphrase_differs") : undefined}>
          <input type="password" autocomplete="new-password" value={two} maxLength={200} onInput={(e) => setTwo((e.target as HTMLInputElement).value)} />
        </Field>
        {problem !== null && <Notice kind="bad" live>{why(problem)}</Notice>}
        <div><Button type="submit" kind="primary" busy={busy} disabled={one.length < least || one !== two}>{say("save_backup")}</Button></div>
      </form>
    </section>
  );
}

function Restore({ idle, again }: { idle: boolean; again: () => void }) {
  const [file, setFile] = useState("");
  const [passphrase, setPassphrase] = useState("");
  const [found, setFound] = useState<{ changes: Change[]; files: string[] } | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const take = async (event: Event) => {
    setFound(null);
    const chosen = (event.target as HTMLInputElement).files?.[0];
    setFile(chosen ? await chosen.text() : "");
  };
  const run = async (only_check: boolean) => {
    setBusy(true);
    setProblem(null);
    try {
      const answer = await act<{ changes: Change[]; files: string[] }>("restore", { file, passphrase, ...(only_check ? { only_check } : {}) });
      if (only_check) setFound(answer);
      else {
        setPassphrase("");
        again();
      }
    } catch (refused) {
      setFound(null);
      setProblem(refused);
    }
    setBusy(false);
  };
  return (
    <section class="panel">
      <h2>{say("restore")}</h2>
      <p>{say("restore_text")}</p>
      <form class="narrow" onSubmit={(event) => { event.preventDefault(); void run(true); }}>
        <Field label={say("file")}><input type="file" accept="application/json,.json" onChange={take} /></Field>
        <Field label={say("passphrase")}>
          <input type="password" autocomplete="off" value={passphrase} maxLength={200} onInput={(e) => { setFound(null); setPassphrase((e.target as HTMLInputElement).value); }} />
        </Field>
        {problem !== null && <Notice kind="bad" live>{why(problem)}</Notice>}
        {found && (
          <div>
            <h3>{say("what_happens")}</h3>
            <Changes changes={found.changes} />
            <h3>{say("files")}</h3>
            <ul>{found.files.map((one) => <li key={one}><code>{one}</code></li>)}</ul>
          </div>
        )}
        <div class="row">
          <Button type="submit" busy={busy} disabled={!file || !passphrase || busy}>{say("check")}</Button>
          <Button kind="primary" disabled={!found || busy || !idle} onClick={() => run(false)}>{say("restore_go")}</Button>
        </div>
      </form>
    </section>
  );
}

export const Backup = ({ idle, again }: { idle: boolean; again: () => void }) => <><Make /><Restore idle={idle} again={again} /></>;
