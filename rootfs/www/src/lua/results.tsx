// What a check found, what a preview shows, and differences of texts.
import type { ComponentChildren } from "preact";
import { Badge, Notice, Table } from "../parts";
import { dateTime, energy, money, number } from "../format";
import { href } from "../router";
import { say } from "../text/lua";
import { Line, diff, pieces } from "./diff";
import type { Checked, Difference, Period, Preview, Problem } from "./types";

export function DiffView({ before, after, label }: { before: string; after: string; label: string }) {
  const found = pieces(diff(before, after));
  if (found.length === 0) return <p class="empty">{say("no_difference")}</p>;
  const sign = { same: " ", gone: "−", new: "+" };
  const row = (line: Line) => (
    <tr key={`${line.before ?? ""}:${line.after ?? ""}`} class={line.kind}>
      <td class="n">{line.before ?? ""}</td><td class="n">{line.after ?? ""}</td>
      <td class="sign">{sign[line.kind]}</td>
      <td class="text"><code>{line.text}</code></td>
    </tr>
  );
  return (
    <div class="diff scroll" tabIndex={0} role="region" aria-label={label}>
      <table><caption class="unseen">{label}</caption>{found.map((piece, i) => <tbody key={i}>{piece.map(row)}</tbody>)}</table>
    </div>
  );
}

export function CheckView({ checked, item, goTo }: { checked: Checked; item: string; goTo: (line: number) => void }) {
  const { examples } = checked;
  const where = (problem: Problem): ComponentChildren => problem.file !== item
    ? <>{say("other_file", { file: problem.file })}{problem.line !== undefined && `:${problem.line}`}</>
    : problem.line !== undefined && <button type="button" class="link" onClick={() => goTo(problem.line!)}>{say("line", { line: problem.line })}</button>;
  const wrong = checked.problems.length + examples.failures.length;
  return (
    <div class="results">
      <Notice kind={checked.ok ? "ok" : "bad"} live title={checked.ok ? say("good") : say("bad", { n: wrong })}>
        {examples.run > 0 ? say("examples", { passed: examples.passed, run: examples.run }) : checked.ok && say("no_examples")}
      </Notice>
      {wrong > 0 && (
        <ul class="problems">
          {checked.problems.map((problem, i) => <li key={i}><span>{where(problem)}</span> <code>{problem.text}</code></li>)}
          {examples.failures.map((failure) => (
            <li key={`e${failure.example}`}><span>{say("example", { n: failure.example })} {failure.call && <code>{failure.call}</code>}</span> <code>{failure.text}</code></li>
          ))}
        </ul>
      )}
    </div>
  );
}

const signed = (e4: number): string => (e4 > 0 ? `+${money(e4)}` : money(e4));

function Values({ one }: { one: Difference }) {
  if (one.kind === "failed" || one.kind === "refused") return <code class="bad">{one.after}</code>;
  return <><del>{one.before || say("nothing")}</del> → <ins>{one.after || say("nothing")}</ins></>;
}

function Messages({ preview }: { preview: Preview["messages"] }) {
  if (preview.compared === 0) return <p class="empty">{say("messages_none")}</p>;
  return (
    <>
      <p>{say("messages_count", { changed: preview.changed, compared: preview.compared })}</p>
      {preview.failed ? <Notice kind="bad">{say("messages_failed", { n: preview.failed })}</Notice> : null}
      {preview.list.length > 0 && (
        <Table caption={say("messages")} rows={preview.list} rowKey={(one) => `${one.method}${one.part}${one.kind}${one.path}`} columns={[
          { id: "method", label: say("method"), cell: (one) => <><code>{one.method}</code> {say(one.part === "answer" ? "answer" : "request")}</> },
          { id: "kind", label: "", cell: (one) => <Badge kind={one.kind === "changed" || one.kind === "accepted" ? "info" : one.kind === "added" ? "ok" : "bad"}>{say(`kind_${one.kind}`)}</Badge> },
          { id: "field", label: say("field"), cell: (one) => <code>{one.path}</code> },
          { id: "values", label: `${say("before")} → ${say("after")}`, cell: (one) => <Values one={one} /> },
          { id: "count", label: say("count"), numeric: true, cell: (one) => number(one.messages) },
        ]} />
      )}
      {preview.left_out ? <p class="muted">{say("left_out", { n: preview.left_out })}</p> : null}
    </>
  );
}

function Orders({ preview }: { preview: Preview["orders"] }) {
  if (preview.compared === 0) return <p class="empty">{say("orders_none")}</p>;
  return (
    <>
      <p>{say("orders_count", { changed: preview.changed, compared: preview.compared })}</p>
      <dl class="money">
        <div><dt>{say("money_before")}</dt><dd data-money="before">{money(preview.money_before_e4)}</dd></div>
        <div><dt>{say("money_after")}</dt><dd data-money="after">{money(preview.money_after_e4)}</dd></div>
        <div><dt>{say("difference")}</dt><dd data-money="difference">{signed(preview.money_after_e4 - preview.money_before_e4)}</dd></div>
        {preview.money_billed_e4 !== preview.money_before_e4 && <div><dt>{say("billed")}</dt><dd>{money(preview.money_billed_e4)}</dd></div>}
      </dl>
      {preview.failed ? <Notice kind="bad">{say("orders_failed", { n: preview.failed })}</Notice> : null}
      {preview.without_trace ? <p class="muted">{say("orders_even", { n: preview.without_trace })}</p> : null}
      {preview.list.length > 0 && (
        <Table caption={say("orders")} rows={preview.list} rowKey={(one) => one.seq} columns={[
          { id: "seq", label: say("order"), cell: (one) => <a href={href("orders", one.seq)}><code>{one.seq.slice(-12)}</code></a> },
          { id: "at", label: say("started"), cell: (one) => dateTime(one.at) },
          { id: "energy", label: say("energy"), numeric: true, cell: (one) => energy(one.energy_wh) },
          { id: "before", label: say("money_before"), numeric: true, cell: (one) => money(one.before_e4) },
          { id: "after", label: say("money_after"), numeric: true, cell: (one) => one.failed ? <span class="bad">{one.failed}</span> : money(one.after_e4) },
          { id: "difference", label: say("difference"), numeric: true, cell: (one) => (one.after_e4 === undefined ? "–" : signed(one.after_e4 - one.before_e4)) },
        ]} />
      )}
      {preview.left_out ? <p class="muted">{say("left_out", { n: preview.left_out })}</p> : null}
    </>
  );
}

const clockOf = (s: number): string => `${String(Math.floor(s / 3600)).padStart(2, "0")}:${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}`;

function Prices({ prices }: { prices: { before: Period[]; after: Period[] } }) {
  const at = (list: Period[], s: number) => [...list].reverse().find((one) => one.from_s <= s);
  const starts = [...new Set([...prices.before, ...prices.after].map((one) => one.from_s))].sort((a, b) => a - b);
  const cell = (e4?: number) => (e4 === undefined ? "–" : number(e4 / 10000, 4));
  const both = (s: number, of: (p: Period) => number) => {
    const old = at(prices.before, s), now = at(prices.after, s);
    const a = old && of(old), b = now && of(now);
    return a === b ? cell(b) : <><del>{cell(a)}</del> → <ins>{cell(b)}</ins></>;
  };
  return (
    <Table caption={say("prices_today")} rows={starts} rowKey={(s) => s} columns={[
      { id: "from", label: say("from"), cell: (s) => clockOf(s) },
      { id: "elec", label: say("electricity"), numeric: true, cell: (s) => both(s, (p) => p.elec_e4) },
      { id: "service", label: say("service"), numeric: true, cell: (s) => both(s, (p) => p.service_e4) },
      { id: "total", label: say("total"), numeric: true, cell: (s) => both(s, (p) => p.elec_e4 + p.service_e4) },
    ]} />
  );
}

export function PreviewView({ preview, folder }: { preview: Preview; folder: string }) {
  return (
    <div class="results preview">
      <p class="unseen" role="status">
        {preview.messages.compared > 0 && say("messages_count", { changed: preview.messages.changed, compared: preview.messages.compared })}{" "}
        {preview.orders.compared > 0 && say("orders_count", { changed: preview.orders.changed, compared: preview.orders.compared })}
      </p>
      {preview.no_before && <Notice kind="warn">{say("no_before")}</Notice>}
      {preview.cut && <Notice kind="warn">{say("cut")}</Notice>}
      {(folder === "operators" || preview.messages.compared > 0) && <section><h3>{say("messages")}</h3><Messages preview={preview.messages} /></section>}
      {(folder === "policies" || preview.orders.compared > 0) && <section><h3>{say("orders")}</h3><Orders preview={preview.orders} /></section>}
      {preview.prices && <section><h3>{say("prices_today")}</h3><Prices prices={preview.prices} /></section>}
      {preview.table && (
        <section>
          <h3>{say("table")}</h3>
          <p class="muted">{say("profile_note")}</p>
          {preview.table.list.length === 0 ? <p class="empty">{say("profile_none")}</p> : (
            <Table caption={say("table")} rows={preview.table.list} rowKey={(one) => one.path} columns={[
              { id: "field", label: say("field"), cell: (one) => <code>{one.path}</code> },
              { id: "values", label: `${say("before")} → ${say("after")}`, cell: (one) => <Values one={one} /> },
            ]} />
          )}
          {preview.table.changed > preview.table.list.length && <p class="muted">{say("left_out", { n: preview.table.changed - preview.table.list.length })}</p>}
        </section>
      )}
      <p class="muted small">{say("took", { ms: preview.took_ms })}</p>
    </div>
  );
}
