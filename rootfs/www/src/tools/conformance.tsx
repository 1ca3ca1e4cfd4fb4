// A run over every message with a platform's test system; its report to print, or to hand in as a file.
import { useEffect, useState } from "preact/hooks";
import { Refused, act, download, look, may } from "../api";
import { dateTime, number, unknown } from "../format";
import { Badge, Button, Field, Kind, Loading, Notice, Problem, Table, confirm, useLook } from "../parts";
import { language } from "../text";
import { say } from "../text/tools";
import { NumberField, usePoll, whole } from "./common";

type Verdict = "passed" | "failed" | "not_exercised";
interface Exercised {
  method: string; caller: "station" | "platform"; enabled: boolean; verdict: Verdict; count: number; accepted: number; ret?: number; mean_ms?: number; max_ms?: number; limit_ms: number;
  reason?: string; findings: { level: "defect" | "note"; text: string }[];
}
interface Report {
  platform: string; platform_id: string; operator_id: string; version: string; mapping?: string; state: "running" | "ended"; step: string; began_at: number; ended_at?: number; ended?: "complete" | "deadline";
  verdict?: "passed" | "failed" | "incomplete"; trial_seq?: string; trial?: string; stations: { name: string; station_id: string }[];
  messages: Exercised[]; checks: { check: string; verdict: Verdict; text?: string }[]; totals: { passed: number; failed: number; not_exercised: number };
}
const kinds: Record<Verdict | "incomplete", Kind> = { passed: "ok", failed: "bad", not_exercised: "unknown", incomplete: "warn" };
const ms = (value?: number): string => (value === undefined ? unknown : `${number(value)} ms`);

function Result({ report }: { report: Report }) {
  return (
    <section class="panel">
      <h2>{say("conformance")}: {report.platform} {report.verdict && <Badge kind={kinds[report.verdict]}>{say(report.verdict)}</Badge>}</h2>
      <dl class="facts">
        <dt>{say("station")}</dt><dd>{report.stations.map((station) => `${station.name} (${station.station_id})`).join(", ")}</dd>
        <dt>{say("platform")}</dt><dd>{report.platform} ({report.platform_id})</dd>
        <dt>{say("version")}</dt><dd>{report.version}</dd>
        <dt>{say("mapping")}</dt><dd>{report.mapping ?? unknown}</dd>
        <dt>{say("began")}</dt><dd>{dateTime(report.began_at)}</dd>
        <dt>{say("ended")}</dt><dd role="status">{report.state === "running" ? say("running", { step: report.step }) : `${dateTime(report.ended_at)} ${report.ended === "deadline" ? say("at_deadline") : ""}`}</dd>
        <dt>{say("verdict")}</dt><dd>{say("totals", { passed: report.totals.passed, failed: report.totals.failed, missing: report.totals.not_exercised })}</dd>
      </dl>
      {report.trial && <Notice kind="warn">{report.trial}</Notice>}
      <h3>{say("messages")}</h3>
      <Table caption={say("messages")} rows={report.messages} rowKey={(m) => m.method + m.caller} columns={[
        { id: "method", label: say("method"), cell: (m) => <span class="mono">{m.method}</span> },
        { id: "caller", label: say("caller"), cell: (m) => say(m.caller === "station" ? "by_station" : "by_platform") },
        { id: "verdict", label: say("verdict"), cell: (m) => <Badge kind={kinds[m.verdict]}>{say(m.verdict)}</Badge> },
        { id: "count", label: say("accepted"), cell: (m) => `${m.accepted}/${m.count}`, numeric: true },
        { id: "mean", label: say("mean"), cell: (m) => ms(m.mean_ms), numeric: true },
        { id: "max", label: say("max"), cell: (m) => ms(m.max_ms), numeric: true },
        { id: "limit", label: say("limit"), cell: (m) => ms(m.limit_ms), numeric: true },
        { id: "findings", label: say("findings"), cell: (m) => (
          <div class="wrap">{m.reason}{m.findings.map((finding) => <div key={finding.text}>{say(finding.level)}: {finding.text}</div>)}</div>
        ) },
      ]} />
      <h3>{say("checks")}</h3>
      <Table caption={say("checks")} rows={report.checks} rowKey={(check) => check.check} columns={[
        { id: "check", label: say("check"), cell: (check) => say.maybe(check.check) ?? check.check },
        { id: "verdict", label: say("verdict"), cell: (check) => <Badge kind={kinds[check.verdict]}>{say(check.verdict)}</Badge> },
        { id: "text", label: say("findings"), cell: (check) => <span class="wrap">{check.text}</span> },
      ]} />
    </section>
  );
}

export function Conformance() {
  const status = useLook<{ platforms: { name: string }[] }>("status");
  const [platform, setPlatform] = useState("");
  const [connector, setConnector] = useState("");
  const [seconds, setSeconds] = useState("120");
  const [report, setReport] = useState<Report | null>(null);
  const [none, setNone] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const chosen = platform || status.data?.platforms[0]?.name || "";

  const take = async () => {
    if (!chosen) return;
    try {
      setReport(await look<Report>("conformance_report", { platform: chosen }));
      setNone(false);
      setProblem(null);
    } catch (refused) {
      setReport(null);
      if (refused instanceof Refused && refused.status === 404) setNone(true);
      else setProblem(refused);
    }
  };
  useEffect(() => { void take(); }, [chosen]);
  usePoll(take, 1000, report?.state === "running");

  const begin = () => confirm({
    title: say("con_sure", { platform: chosen }),
    text: <><p>{say("con_help")}</p>{connector && <Notice kind="warn">{say("con_trial", { connector })}</Notice>}</>,
    action: say("con_start"),
    danger: connector !== "",
    run: async () => {
      await act("conformance", { platform: chosen, connector: connector || undefined, seconds: whole(seconds, 5, 3600) });
      await take();
    },
  });

  if (!status.data) return status.problem ? <Problem problem={status.problem} again={status.again} /> : <Loading />;
  return (
    <>
      <p class="small muted">{say("con_help")}</p>
      <div class="panel bar">
        <Field label={say("platform")}>
          <select value={chosen} onChange={(event) => setPlatform(event.currentTarget.value)}>
            {status.data.platforms.map((one) => <option key={one.name}>{one.name}</option>)}
          </select>
        </Field>
        <Field label={say("trial")}><input value={connector} maxLength={26} onInput={(event) => setConnector(event.currentTarget.value.trim())} /></Field>
        <NumberField label={say("seconds")} value={seconds} onChange={setSeconds} />
        {may("integrator")
          ? <Button kind="primary" disabled={!chosen || report?.state === "running" || Number.isNaN(whole(seconds, 5, 3600))} onClick={() => void begin()}>{say("con_start")}</Button>
          : <p class="muted">{say("need", { role: say("integrator") })}</p>}
      </div>
      {problem !== null && <Problem problem={problem} again={() => void take()} />}
      {none && <p class="empty">{say("none_yet")}</p>}
      {report && (
        <>
          <div class="row">
            <Button onClick={() => print()}>{say("print")}</Button>
            <Button onClick={() => download("conformance_report", { platform: chosen, form: "html", language: language() })}>{say("save_html")}</Button>
            <Button onClick={() => download("conformance_report", { platform: chosen, form: "text", language: language() })}>{say("save_text")}</Button>
          </div>
          <Result report={report} />
        </>
      )}
    </>
  );
}
