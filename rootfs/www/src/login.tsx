// The log-in, and the change of a one-time password. The address in the browser stays: after it one is where one was.
import { useEffect, useRef, useState } from "preact/hooks";
import { Refused, Session, changePassword, login } from "./api";
import { duration } from "./format";
import { Button, Field, Notice, why } from "./parts";
import { say } from "./text/shell";

export const shortestPassword = 10;

/** Seconds left of a wait the daemon asked for; draws every second. */
function useWait(): [number, (seconds: number) => void] {
  const [until, setUntil] = useState(0);
  const [, tick] = useState(0);
  const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
  useEffect(() => {
    if (!left) return;
    const timer = setTimeout(() => tick((n) => n + 1), 250);
    return () => clearTimeout(timer);
  });
  return [left, (seconds) => setUntil(performance.now() + seconds * 1000)];
}

/** reason: what led here, when one was inside before. */
export function Login({ why: reason }: { why: "session_ended" | "logged_out" | null }) {
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [seen, setSeen] = useState(false);
  const [wait, setWait] = useWait();
  const first = useRef<HTMLInputElement>(null);
  const secret = useRef<HTMLInputElement>(null);
  useEffect(() => first.current!.focus(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (wait) return;
    setBusy(true);
    setProblem(null);
    try {
      await login(first.current!.value, secret.current!.value);
    } catch (refused) {
      setProblem(refused);
      if (refused instanceof Refused && refused.wait > 0) setWait(refused.wait);
      setBusy(false);
      secret.current?.select();
    }
  };
  const words = () => {
    if (wait) return say("login_wait", { wait: duration(wait) });
    if (problem instanceof Refused && problem.status === 429) return problem.wait ? null : say("login_wait_unknown");
    if (problem instanceof Refused && (problem.key === "login.wrong" || problem.status === 401)) return say("login_refused");
    return problem === null ? null : why(problem);
  };
  const told = words();
  return (
    <main class="gate" id="content">
      <form onSubmit={submit}>
        <h1><img src="icon.svg" alt="" width="28" height="28" /> Forecourt</h1>
        {reason && problem === null && <Notice kind="info" live>{say(reason)}</Notice>}
        <Field label={say("user")}>
          <input ref={first} name="user" autocomplete="username" autocapitalize="none" spellcheck={false} required />
        </Field>
        <Field label={say("password")}>
          <input ref={secret} name="password" type={seen ? "text" : "password"} autocomplete="current-password" required />
        </Field>
        <label class="tick"><input type="checkbox" checked={seen} onChange={() => setSeen(!seen)} /> {say("show_password")}</label>
        {told && <Notice kind={wait ? "warn" : "bad"} live>{told}</Notice>}
        <Button type="submit" kind="primary" busy={busy} disabled={wait > 0}>{say("login")}</Button>
        <p class="help">{say("one_time")}</p>
      </form>
    </main>
  );
}

export function NewPassword({ session }: { session: Session }) {
  const [wrong, setWrong] = useState<{ next?: string; repeat?: string }>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current!.focus(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const [old, next, repeat] = ["old", "next", "repeat"].map((name) => String(form.get(name))) as [string, string, string];
    const found: typeof wrong = {};
    if ([...next].length < shortestPassword) found.next = say("password_short");
    else if (next === old) found.next = say("password_same");
    if (next !== repeat) found.repeat = say("password_differs");
    setWrong(found);
    setProblem(null);
    if (found.next || found.repeat) return;
    setBusy(true);
    try {
      await changePassword(old, next);
    } catch (refused) {
      setProblem(refused);
    }
    setBusy(false);
  };
  return (
    <main class="gate" id="content">
      <form onSubmit={submit}>
        <h1>{say("change_title")}</h1>
        <p>{say("change_why")}</p>
        <input type="hidden" name="username" value={session.user} autocomplete="username" />
        <Field label={say("old_password")}><input ref={first} name="old" type="password" autocomplete="current-password" required /></Field>
        <Field label={say("new_password")} help={say("password_rule")} error={wrong.next}>
          <input name="next" type="password" autocomplete="new-password" required />
        </Field>
        <Field label={say("repeat_password")} error={wrong.repeat}><input name="repeat" type="password" autocomplete="new-password" required /></Field>
        {problem !== null && <Notice kind="bad" live>{why(problem)}</Notice>}
        <Button type="submit" kind="primary" busy={busy}>{say("change")}</Button>
      </form>
    </main>
  );
}
