// Orders: found, followed from start to confirmation, told again, compared with the platforms, exported.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { act, look, may, save } from "../api";
import { duration, energy, money, number, stamp, unknown } from "../format";
import type { PageProps } from "../main";
import { Badge, Button, Column, Field, Heading, Kind, Loading, Notice, Problem, Table, Tabs, confirm, toast, useLook, why } from "../parts";
import { go, href } from "../router";
import { eventWords } from "../text/connector";
import { say, word } from "../text/orders";

interface Told { platform: string; state: string; attempts: number; next?: string; answer?: number; mapping_version?: string }
interface Order {
  seq: string; connector: string; platform: string; mode_name: string; start?: string; end?: string; energy_wh: number; money_e4: number;
  reason?: number; reason_name?: string; session: string; told: Told[]; damaged?: string;
}
interface Line { start: string; end: string; energy_wh: number; elec_e4: number; service_e4: number; elec_money_e4: number; service_money_e4: number }
interface Whole extends Order {
  user?: string; user_class?: string; vin?: string; soc_start?: number; soc_end?: number; cause?: string; cause_code?: string; meter?: string;
  elec_money_e4?: number; service_money_e4?: number; occupied_s?: number; start_register_wh?: number; end_register_wh?: number;
  profile?: string; repairs?: string[]; lines?: Line[]; tariff?: { policy: string; version: string };
}
interface Happening {
  id: number; at: number; kind: string; from?: string; to?: string; text?: string; who?: string; platform?: string; direction?: "in" | "out"; method?: string; ret?: number;
  answer?: string; attempt?: number; duration_ms?: number; count?: number; failed?: number; first_at?: number; energy_wh?: number; money_e4?: number;
}
interface Check { platform: string; date: string; at: number; orders: number; energy_wh: number; money_e4: number; differences: number }
interface Difference { seq: string; reason: number; reason_name: string; our_energy_wh?: number; our_money_e4?: number; their_energy_wh?: number; their_money_e4?: number }

const list = <T,>(items: T[] | object | undefined): T[] => (Array.isArray(items) ? items : []);
const price = (e4: number): string => number(e4 / 10000, 4);
// The times of an order are the protocol's, UTC+8, wherever the browser stands: what happened about it must not have others.
const stationTime = stamp;
const stationDay = (at: number): string => stationTime(at).slice(0, 10);
const stationClock = (at: number): string => stationTime(at).slice(11);
const toldKind = (state: string): Kind => (({ waiting: "warn", confirmed: "ok", disputed: "bad", dropped: "off" }) as Record<string, Kind>)[state] ?? "info";
const stateWord = (state: string): string => say.maybe(state) ?? state;

const ToldBadges = ({ told }: { told: Told[] | undefined }) => {
  const all = list<Told>(told);
  if (!all.length) return <span class="muted">{say("nobody")}</span>;
  return <>{all.map((one, i) => <Badge key={i} kind={toldKind(one.state)}>{all.length > 1 ? `${one.platform}: ` : ""}{stateWord(one.state)}</Badge>)}</>;
};

// ---- the list ----

const states = ["", "open", "waiting", "disputed", "confirmed"];
const filters = ["search", "state", "from", "to", "platform", "connector"] as const;
type Filter = Partial<Record<(typeof filters)[number], string>>;

const filterOf = (query: URLSearchParams): Filter => {
  const filter: Filter = {};
  for (const name of filters) {
    const value = query.get(name);
    if (value) filter[name] = value;
  }
  if (filter.state && !states.includes(filter.state)) delete filter.state;
  return filter;
};

async function exportCsv(filter: Filter, tell: (kB: number) => void): Promise<string> {
  let text = "", after: string | undefined, file = "orders.csv", type = "text/csv";
  do {
    const page: { file: string; type: string; text: string; next?: string } = await look("orders_csv", { ...filter, after });
    if (!after) ({ file, type } = page);
    text += page.text;
    after = page.next;
    tell(Math.round(text.length / 1000));
  } while (after);
  save(file, type, text);
  return file;
}

function Search({ filter }: { filter: Filter }) {
  const [exporting, setExporting] = useState<number | null>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const words: Filter = {};
    new FormData(event.target as HTMLFormElement).forEach((value, name) => { if (value) words[name as keyof Filter] = String(value).trim(); });
    go(href("orders", [], { ...words, platform: filter.platform, connector: filter.connector }));
  };
  const download = async () => {
    setExporting(0);
    try {
      toast(say("csv_done", { file: await exportCsv(filter.state === "open" ? { ...filter, state: undefined } : filter, setExporting) }));
    } catch (refused) {
      toast(why(refused), "bad");
    }
    setExporting(null);
  };
  return (
    <form class="search" onSubmit={submit} role="search" key={JSON.stringify(filter)}>
      <div class="wide"><Field label={say("search")}><input type="search" name="search" maxLength={40} defaultValue={filter.search} autocomplete="off" /></Field></div>
      <Field label={say("state")}>
        <select name="state">{states.map((state) => <option key={state} value={state} selected={state === (filter.state ?? "")}>{say.maybe(state || "any")}</option>)}</select>
      </Field>
      <Field label={say("from")}><input type="date" name="from" defaultValue={filter.from} /></Field>
      <Field label={say("to")}><input type="date" name="to" defaultValue={filter.to} /></Field>
      <Button type="submit" kind="primary">{say("find")}</Button>
      <Button onClick={download} busy={exporting !== null}>{exporting === null ? say("csv") : say("csv_busy", { n: exporting })}</Button>
    </form>
  );
}

interface Kept { oldest?: string; days: number; used: number; share: number }

/** How far back there are orders, and why not further. */
function HowLong({ kept: k }: { kept: Kept }) {
  const words = [
    k.oldest ? say("kept_oldest", { at: k.oldest }) : "", k.days ? say("kept_days", { days: k.days }) : say("kept_always"),
    k.share ? say("kept_room", { most: number(k.share / 1e6, 1), used: number(k.used / 1e6, 1) }) : say("kept_any"),
  ];
  return <p class="muted small">{words.filter(Boolean).join(" ")}</p>;
}

function List({ query }: { query: URLSearchParams }) {
  const filter = filterOf(query);
  const after = query.get("after") ?? undefined;
  const { data, problem, busy, again } = useLook<{ orders: Order[]; next?: string; kept?: Kept }>("orders", { ...filter, after, limit: 50 });
  const running = useLook<{ orders: Order[] }>(filter.state || after ? null : "orders", { ...filter, state: "open", limit: 100 });
  const rows = [...(filter.state || after ? [] : list<Order>(running.data?.orders)), ...list<Order>(data?.orders)];
  const columns: Column<Order>[] = [
    { id: "seq", label: say("seq"), cell: (o) => <a class="mono" href={href("orders", o.seq)}>{o.seq}</a> },
    { id: "connector", label: say("connector"), cell: (o) => <a href={href("connector", o.connector)}>{o.connector}</a> },
    { id: "platform", label: say("platform"), cell: (o) => o.platform || unknown },
    { id: "start", label: say("start"), cell: (o) => <span class="nowrap">{o.start ?? unknown}</span> },
    { id: "end", label: say("end"), cell: (o) => (o.end && o.session === "closed" ? <span class="nowrap">{o.end}</span> : <Badge kind="busy">{word(o.session)}</Badge>) },
    { id: "energy", label: say("energy"), numeric: true, cell: (o) => energy(o.energy_wh) },
    { id: "money", label: say("money"), numeric: true, cell: (o) => money(o.money_e4) },
    { id: "reason", label: say("reason"), cell: (o) => (o.reason_name ? word(o.reason_name) : "") },
    { id: "told", label: say("told"), cell: (o) => (o.session === "closed" ? <ToldBadges told={o.told} /> : null) },
  ];
  const page = (next?: string) => href("orders", [], { ...filter, after: next });
  return (
    <>
      <Search filter={filter} />
      {problem !== null && <Problem problem={problem} again={again} />}
      {!data ? (busy && <Loading />) : (
        <section class="panel" aria-busy={busy}>
          <Table columns={columns} rows={rows} rowKey={(o) => o.seq} caption={say("caption")} empty={say("none_found")} />
          <div class="row">
            {after && <a class="button" href={page()}>{say("newest")}</a>}
            {data.next && <a class="button" href={page(data.next)}>{say("older")}</a>}
          </div>
          {data.kept && <HowLong kept={data.kept} />}
        </section>
      )}
    </>
  );
}

// ---- one order ----

const kindOf = (e: Happening): Kind => {
  if (e.kind === "message") return e.ret !== undefined && e.ret !== 0 ? "bad" : e.text ? "warn" : e.answer?.startsWith("disputed") ? "bad" : "ok";
  return ({ order: "info", resend: "warn", command: "busy", alarm: "bad" } as Record<string, Kind>)[e.kind] ?? "idle";
};

function Moment({ event: e, day }: { event: Happening; day: boolean }) {
  const small = [
    e.direction && e.platform ? say(e.direction === "in" ? "in" : "out", { who: e.platform }) : e.who ? say("by", { who: word(e.who) }) : "",
    e.ret !== undefined ? say("ret", { ret: e.ret }) : "", e.attempt && e.attempt > 1 ? say("attempt", { n: e.attempt }) : "",
    e.duration_ms !== undefined ? say("took", { ms: number(e.duration_ms) }) : "",
    e.count ? say("times", { count: e.count, failed: e.failed ?? 0, first: e.first_at === undefined ? unknown : stationClock(e.first_at) }) : "",
    e.energy_wh !== undefined ? energy(e.energy_wh) : "", e.money_e4 !== undefined ? money(e.money_e4) : "",
  ].filter(Boolean);
  const what = [e.method, e.from && e.to ? `${word(e.from)} → ${word(e.to)}` : e.to ? word(e.to) : "", e.answer ? word(e.answer) : ""].filter(Boolean).join(": ");
  const text = e.text ? (word(e.text) !== e.text ? word(e.text) : eventWords(e.text)) : "";
  return (
    <li class={`k-${kindOf(e)}`}>
      <time dateTime={new Date(e.at * 1000).toISOString()}>{day ? stationTime(e.at) : stationClock(e.at)}</time>
      <span class="muted">{say.maybe(`kind.${e.kind}`) ?? e.kind} </span><b>{what}</b>{text && `${what ? ": " : ""}${text}`}
      {small.length > 0 && <div class="more">{small.join(" · ")}</div>}
    </li>
  );
}

function Life({ seq }: { seq: string }) {
  const { data, problem, again } = useLook<{ events: Happening[]; cut?: boolean }>("order_life", { seq });
  const events = list<Happening>(data?.events);
  return (
    <section class="panel">
      <h2>{say("life")}</h2>
      <p class="muted small">{say("zone")}</p>
      {problem !== null ? <Problem problem={problem} again={again} /> : !data ? <Loading /> : null}
      {data?.cut && <p class="muted">{say("cut")}</p>}
      {data && (events.length ? (
        <ol class="life">{events.map((e, i) => <Moment key={e.id} event={e} day={i === 0 || stationDay(e.at) !== stationDay(events[i - 1]!.at)} />)}</ol>
      ) : <p class="muted">{say("no_life")}</p>)}
    </section>
  );
}

function Outbox({ order, again }: { order: Whole; again: () => void }) {
  const resend = async (platform: string) => {
    const done = await confirm({
      title: say("resend_title", { seq: order.seq, platform }), text: say("resend_text"), action: say("resend"),
      run: () => act("resend", { seq: order.seq, platform }),
    });
    if (!done) return;
    toast(say("resend_done", { platform }));
    setTimeout(again, 1000);
  };
  const columns: Column<Told>[] = [
    { id: "platform", label: say("platform"), cell: (t) => t.platform },
    { id: "state", label: say("state"), cell: (t) => <Badge kind={toldKind(t.state)}>{stateWord(t.state)}</Badge> },
    { id: "resend", label: "", cell: (t) => may("operator") && <Button onClick={() => void resend(t.platform)}>{say("resend")}</Button> },
    { id: "attempts", label: say("attempts"), numeric: true, cell: (t) => t.attempts },
    { id: "answer", label: say("answer"), numeric: true, cell: (t) => (t.answer === undefined || t.answer < 0 ? "" : t.answer) },
    { id: "next", label: say("next"), cell: (t) => t.next ?? "" },
    { id: "mapping", label: say("mapping"), cell: (t) => <span class="mono">{t.mapping_version?.slice(0, 12)}</span> },
  ];
  return (
    <section class="panel">
      <h2>{say("outbox")}</h2>
      <Table columns={columns} rows={list<Told>(order.told)} rowKey={(t) => t.platform} caption={say("outbox")} empty={say("no_outbox")} />
    </section>
  );
}

const lineColumns = (): Column<Line>[] => [
  { id: "from", label: say("line_from"), cell: (l) => <span class="nowrap">{l.start}</span> },
  { id: "to", label: say("line_to"), cell: (l) => <span class="nowrap">{l.end}</span> },
  { id: "energy", label: say("energy"), numeric: true, cell: (l) => energy(l.energy_wh) },
  { id: "ep", label: say("elec_price"), numeric: true, cell: (l) => price(l.elec_e4) },
  { id: "sp", label: say("service_price"), numeric: true, cell: (l) => price(l.service_e4) },
  { id: "em", label: say("elec"), numeric: true, cell: (l) => money(l.elec_money_e4) },
  { id: "sm", label: say("service"), numeric: true, cell: (l) => money(l.service_money_e4) },
];

function Facts({ order: o }: { order: Whole }) {
  const facts: [string, ComponentChildren][] = [
    [say("connector"), <a href={href("connector", o.connector)}>{o.connector}</a>], [say("platform"), o.platform || say("nobody")], [say("mode"), word(o.mode_name)], [say("user"), o.user], [say("class"), o.user_class],
    [say("start"), o.start], [say("end"), o.session === "closed" ? o.end : say("running", { session: word(o.session) })],
    [say("evidence"), o.reason_name && `${word(o.reason_name)} (${o.reason})`], [say("cause"), o.cause && `${o.cause}${o.cause_code ? ` (${o.cause_code})` : ""}`],
    [say("vin"), o.vin], [say("soc"), o.soc_start !== undefined && o.soc_end !== undefined ? `${number(o.soc_start, 1)} % – ${number(o.soc_end, 1)} %` : undefined],
    [say("register"), o.start_register_wh !== undefined ? `${number(o.start_register_wh / 1000, 3)} – ${number((o.end_register_wh ?? 0) / 1000, 3)} kWh` : undefined],
    [say("meter"), o.meter], [say("occupied"), o.occupied_s ? duration(o.occupied_s) : undefined], [say("repairs"), list<string>(o.repairs).map(word).join("; ")],
    [say("policy"), o.tariff?.policy], [say("profile"), o.profile],
  ];
  return <dl class="facts">{facts.map(([name, value]) => value && <><dt key={name}>{name}</dt><dd>{value}</dd></>)}</dl>;
}

function One({ seq }: { seq: string }) {
  const { data: order, problem, again } = useLook<Whole>("order", { seq });
  return (
    <>
      <p><a href={href("orders")}>{say("back")}</a></p>
      {problem !== null ? <Problem problem={problem} again={again} /> : !order ? <Loading /> : (
        <>
          {order.damaged && <Notice kind="bad" title={say("damaged")}>{order.damaged}</Notice>}
          <div class="grid">
            <section class="panel"><h2>{say("seq")}</h2><Facts order={order} /></section>
            <section class="panel">
              <h2>{say("bill")}</h2>
              <dl class="facts">
                <dt>{say("energy")}</dt><dd>{energy(order.energy_wh)}</dd>
                <dt>{say("elec")}</dt><dd>{money(order.elec_money_e4)}</dd>
                <dt>{say("service")}</dt><dd>{money(order.service_money_e4)}</dd>
                <dt>{say("total")}</dt><dd><b>{money(order.money_e4)}</b></dd>
              </dl>
            </section>
          </div>
          <section class="panel">
            <h2>{say("lines")}</h2>
            <Table columns={lineColumns()} rows={list<Line>(order.lines)} rowKey={(l) => l.start} caption={say("lines")} empty={say("no_lines")} />
          </section>
          <Outbox order={order} again={again} />
        </>
      )}
      <Life seq={seq} key={order ? order.session + order.told.map((t) => t.state + t.attempts).join() : seq} />
    </>
  );
}

// ---- comparison with platforms ----

const yesterday = (): string => new Date(Date.now() + 8 * 3600e3 - 86400e3).toISOString().slice(0, 10);

function Differences({ platform, date }: { platform: string; date: string }) {
  const { data, problem, again } = useLook<Check & { differences: Difference[] }>("check", { platform, date });
  const sums = (wh?: number, e4?: number) => (wh === undefined && e4 === undefined ? unknown : `${energy(wh)}, ${money(e4)}`);
  const columns: Column<Difference>[] = [
    { id: "seq", label: say("seq"), cell: (d) => <a class="mono" href={href("orders", d.seq)}>{d.seq}</a> },
    { id: "reason", label: say("difference"), cell: (d) => <span class="nowrap">{word(d.reason_name)} ({d.reason})</span> },
    { id: "ours", label: say("ours"), numeric: true, cell: (d) => sums(d.our_energy_wh, d.our_money_e4) },
    { id: "theirs", label: say("theirs"), numeric: true, cell: (d) => sums(d.their_energy_wh, d.their_money_e4) },
  ];
  return (
    <section class="panel">
      <h2>{platform}, {date}</h2>
      {problem !== null ? <Problem problem={problem} again={again} /> : !data ? <Loading />
        : <Table columns={columns} rows={list<Difference>(data.differences)} rowKey={(d) => d.seq + d.reason} caption={`${say("differences")} ${date}`} empty={say("agree")} />}
    </section>
  );
}

function Report({ query }: { query: URLSearchParams }) {
  const { data, problem, again } = useLook<{ checks: Check[] }>("checks", { limit: 100 });
  const state = useLook<{ platforms?: { name: string }[] }>("status");
  const [day, setDay] = useState(yesterday);
  const [chosen, setChosen] = useState("");
  const checks = list<Check>(data?.checks);
  const platforms = [...new Set([...list<{ name: string }>(state.data?.platforms).map((p) => p.name), ...checks.map((c) => c.platform)])];
  const platform = chosen || platforms[0] || "";
  const open = query.get("check"), of = query.get("of");
  const compare = async () => {
    let found = 0;
    const done = await confirm({
      title: say("compare_title", { date: day, platform }), text: say("compare_text", { date: day, platform }), action: say("compare"),
      run: async () => { found = list((await act<{ differences?: Difference[] }>("reconcile", { platform, date: day })).differences).length; },
    });
    if (!done) return;
    toast(`${say("compare_done", { platform, date: day, n: found })} ${found || say("compare_all")}`, found ? "warn" : "ok");
    again();
    go(href("orders", "report", { check: day, of: platform }));
  };
  const columns: Column<Check>[] = [
    { id: "date", label: say("day"), cell: (c) => <a class="nowrap" href={href("orders", "report", { check: c.date, of: c.platform })}>{c.date}</a> },
    { id: "platform", label: say("platform"), cell: (c) => c.platform },
    { id: "at", label: say("compared"), cell: (c) => <span class="nowrap">{stationTime(c.at)}</span> },
    { id: "orders", label: say("orders_n"), numeric: true, cell: (c) => number(c.orders) },
    { id: "energy", label: say("energy"), numeric: true, cell: (c) => energy(c.energy_wh) },
    { id: "money", label: say("money"), numeric: true, cell: (c) => money(c.money_e4) },
    { id: "differences", label: say("differences"), numeric: true, cell: (c) => <Badge kind={c.differences ? "bad" : "ok"}>{c.differences}</Badge> },
  ];
  return (
    <>
      {may("operator") && (platforms.length > 0 ? (
        <form class="search" onSubmit={(event) => { event.preventDefault(); void compare(); }}>
          <Field label={say("platform")}>
            <select value={platform} onChange={(event) => setChosen(event.currentTarget.value)}>{platforms.map((name) => <option key={name} value={name}>{name}</option>)}</select>
          </Field>
          <Field label={say("day")} help={say("yesterday_help")}><input type="date" value={day} required onInput={(event) => setDay(event.currentTarget.value)} /></Field>
          <Button type="submit" kind="primary">{say("compare")}</Button>
        </form>
      ) : <p class="muted">{say("no_platforms")}</p>)}
      {open && of && <Differences platform={of} date={open} key={`${of} ${open} ${checks.find((c) => c.date === open && c.platform === of)?.at ?? ""}`} />}
      <section class="panel">
        {problem !== null ? <Problem problem={problem} again={again} /> : !data ? <Loading />
          : <Table columns={columns} rows={checks} rowKey={(c) => c.date + c.platform} caption={say("checks_caption")} empty={say("no_checks")} />}
      </section>
    </>
  );
}

export default function Orders({ rest, query }: PageProps) {
  const at = rest[0] ?? "";
  const seq = at && at !== "report" ? at : "";
  return (
    <div class="page-orders">
      <Heading>{seq ? `${say("seq")} ${seq}` : say(at === "report" ? "report" : "list")}</Heading>
      {!seq && <Tabs label={say("list")} current={at === "report" ? "report" : "list"} tabs={[
        { id: "list", label: say("list"), href: href("orders") }, { id: "report", label: say("report"), href: href("orders", "report") }]} />}
      {seq ? <One seq={seq} key={seq} /> : at === "report" ? <Report query={query} /> : <List query={query} />}
    </div>
  );
}
