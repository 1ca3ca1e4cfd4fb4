// A configuration on trial: the count-down, the word that keeps it, and what came of the last one.
import { useEffect, useState } from "preact/hooks";
import { Refused, act, look, may } from "../api";
import { Last, Pending, Shown } from "../config-model";
import { dateTime, when } from "../format";
import { Button, Notice, toast, why } from "../parts";
import { say } from "../text/config";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Over a connection of its own: the gateway refuses those from before and closes them, so that the next try comes over a new one. */
async function keep(): Promise<void> {
  for (let turn = 0; ; turn++) {
    try {
      await act("config_confirm");
      return;
    } catch (refused) {
      const again = refused instanceof Refused && (refused.status === 409 || refused.status === 0) && turn < 12;
      if (!again) throw refused;
      await pause(turn < 8 ? 150 : 1000);
    }
  }
}

/** from: the port that the page was at before this change moved it. */
export function Trial({ pending, again, wanted, from }: { pending: Pending; again: () => void; wanted: boolean; from: string | null }) {
  const [now, setNow] = useState(pending);
  const [until, setUntil] = useState(() => Date.now() + (pending.left_s ?? pending.confirm_s) * 1000);
  const [, tick] = useState(0);
  const [lost, setLost] = useState(false);
  const [busy, setBusy] = useState("");
  useEffect(() => {
    let gone = false;
    const timer = setInterval(() => tick((n) => n + 1), 500);
    const follow = async () => {
      while (!gone) {
        try {
          const shown = await look<Shown>("config_show");
          if (gone) return;
          setLost(false);
          if (!shown.pending) {
            again();
            return;
          }
          setNow(shown.pending);
          if (shown.pending.left_s !== undefined) setUntil(Date.now() + shown.pending.left_s * 1000);
        } catch (refused) {
          if (!gone) setLost(refused instanceof Refused && refused.status === 0);
        }
        await pause(2000);
      }
    };
    void follow();
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, []);
  // Who was sent here to confirm finds the button under his fingers.
  useEffect(() => {
    if (wanted && now.state === "waiting") document.querySelector<HTMLElement>(".trial .keep")?.focus();
  }, [wanted, now.state]);
  const run = async (which: string, what: () => Promise<unknown>, done?: string) => {
    setBusy(which);
    try {
      await what();
      if (done) toast(done);
      again();
    } catch (refused) {
      toast(why(refused), "bad");
    }
    setBusy("");
  };
  const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const waiting = now.state === "waiting";
  return (
    <section class="panel trial" aria-label={say("counting")}>
      <h2>{waiting ? say("counting") : now.state === "returning" ? say("returning") : say("going")}</h2>
      {waiting && <p role="timer" aria-live="off"><strong class="left">{left} {say("seconds")}</strong> {say("counting_text", { s: left })}</p>}
      {waiting && <progress max={now.confirm_s} value={left} aria-label={say("counting")} />}
      <p class="small muted">{say("by", { who: now.who, at: when(now.since), changes: now.changes })}</p>
      {lost && (left === 0 && from && /^\d{1,5}$/.test(from)
        ? <Notice kind="warn" live title={say("out_expired")}>{say("moved_back")} <a href={`${location.protocol}//${location.hostname}:${from}/#/config`}>{say("go_back")}</a></Notice>
        : <Notice kind="warn" live>{say("cannot_reach")}</Notice>)}
      {waiting && may("integrator") && (
        <div class="row">
          <Button kind="primary" busy={busy === "keep"} disabled={busy !== ""} class="keep"
            onClick={() => run("keep", keep, say("kept"))}>{busy === "keep" ? say("confirming") : say("keep_it")}</Button>
          <Button busy={busy === "back"} disabled={busy !== ""} onClick={() => run("back", () => act("config_revert"))}>{say("take_back")}</Button>
        </div>
      )}
    </section>
  );
}

/** What came of the last change, when nobody asked for that. */
export function afterwards(last: Last | undefined) {
  if (!last || Date.now() / 1000 - last.at > 24 * 3600) return null;
  const at = dateTime(last.at);
  switch (last.outcome) {
    case "expired": return <Notice kind="warn" live title={say("out_expired")}>{say("out_expired_text", { at })}</Notice>;
    case "restarted": return <Notice kind="warn" live title={say("out_restarted")}>{say("out_restarted_text", { at })}</Notice>;
    case "refused": return <Notice kind="bad" live title={say("out_refused")}>{last.text}</Notice>;
    case "reverted": return <Notice kind="info">{say("out_reverted", { at })}</Notice>;
    default: return null;
  }
}
