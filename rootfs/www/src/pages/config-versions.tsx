// The last configurations: what has changed since, and putting one back.
import { useState } from "preact/hooks";
import { look } from "../api";
import { dateTime } from "../format";
import { Badge, Button, Dialog, Loading, Problem, Table, toast, useLook, why } from "../parts";
import { say } from "../text/config";
import type { Wish } from "./config-review";

interface Version { id: number; at: number; who?: string; place?: string; origin: string; hash: string; in_force: boolean }

const how = (origin: string): string => {
  const [word = "", number] = origin.split(" ");
  const known = { start: "o_start", file: "o_file", apply: "o_apply", restore: "o_restore", version: "o_version" } as const;
  return word in known ? `${say(known[word as keyof typeof known])}${number ? ` (${number})` : ""}` : origin;
};

export function Versions({ hash, writable, onApply }: { hash: string; writable: boolean; onApply: (wish: Wish) => void }) {
  const list = useLook<{ versions: Version[] }>("config_versions", {});
  const [open, setOpen] = useState<(Version & { diff: string }) | null>(null);
  const [seen, setSeen] = useState(hash);
  if (seen !== hash) {
    setSeen(hash);
    list.again();
  }
  if (list.problem !== null && !list.data) return <Problem problem={list.problem} again={list.again} />;
  if (!list.data) return <Loading />;
  const show = (id: number) => look<Version & { diff: string }>("config_version", { id }).then(setOpen, (refused: unknown) => toast(why(refused), "bad"));
  return (
    <section class="panel">
      <Table caption={say("versions")} rows={list.data.versions} rowKey={(v) => v.id} columns={[
        { id: "id", label: say("version"), numeric: true, cell: (v) => v.id },
        { id: "at", label: say("when"), cell: (v) => <span class="nowrap">{dateTime(v.at)}</span> },
        { id: "origin", label: say("origin"), cell: (v) => how(v.origin) },
        { id: "who", label: say("whoo"), cell: (v) => [v.who, v.place].filter(Boolean).join(" · ") || "–" },
        { id: "do", label: "", cell: (v) => v.in_force ? <Badge kind="ok">{say("in_force")}</Badge> : (
          <span class="row"><Button onClick={() => show(v.id)}>{say("show")}</Button>
            {writable && <Button onClick={() => onApply({ version: v.id })}>{say("put_back")}</Button>}</span>
        ) },
      ]} />
      <p class="help">{say("put_back_text")}</p>
      {open && (
        <Dialog title={`${say("version")} ${open.id}: ${say("show")}`} onClose={() => setOpen(null)} wide>
          <div class="body">
            <pre class="difference" tabIndex={0}>
              {open.diff ? open.diff.split("\n").map((line, i) => <span key={i} class={line[0] === "-" ? "gone" : line[0] === "+" ? "new" : line[0] === "@" ? "gap" : ""}>{line}{"\n"}</span>) : say("same")}
            </pre>
          </div>
        </Dialog>
      )}
    </section>
  );
}
