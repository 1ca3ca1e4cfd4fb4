// All that somebody elsewhere wants to know, as one file.
import { useState } from "preact/hooks";
import { act } from "../api";
import { Button, Notice, Problem } from "../parts";
import { say } from "../text/tools";
import { File, saveFile } from "./common";

export function Bundle() {
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState("");
  const [problem, setProblem] = useState<unknown>(null);
  const make = async () => {
    setBusy(true);
    setDone("");
    setProblem(null);
    try {
      const made = await act<File>("support_bundle");
      saveFile(made);
      setDone(made.file);
    } catch (refused) {
      setProblem(refused);
    }
    setBusy(false);
  };
  return (
    <section class="panel">
      <p>{say("bundle_help")}</p>
      <div class="row"><Button kind="primary" busy={busy} onClick={() => void make()}>{say("bundle_make")}</Button></div>
      {done && <Notice kind="ok" live>{say("bundle_done", { file: done })}</Notice>}
      {problem !== null && <Problem problem={problem} />}
    </section>
  );
}
