// One connector: what it does now and did before, what its charger says, and what one can tell it.
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Since, useTicking } from "../age";
import { act, look, may, save } from "../api";
import { Curves, Sample } from "../curves";
import { dateTime, duration, energy, money, number, percent, unknown, when } from "../format";
import { LiveConnector, gatewayNow, useConnector, useLive } from "../live";
import { Machine, State, states } from "../machine";
import type { PageProps } from "../main";
import { Badge, Button, Column, Heading, Kind, Loading, Notice, Table, confirm, toast, why } from "../parts";
import { Qr, qrFile } from "../qr";
import { href } from "../router";
import { Detail, PointValue, detailOf, statusKind, statusName } from "../station";
import { eventWords, say } from "../text/connector";
import { causeWords, kindWords, say as words } from "../text/station";

interface Event { id: number; at: number; connector?: string; seq?: string; kind: string; from?: string; to?: string; text?: string; who?: string }
interface Events { events: Event[]; next?: number | string }

// ---- what one can tell it ----

function Actions({ id, tile, detail }: { id: string; tile: LiveConnector; detail: Detail | null }) {
  if (!may("operator")) return <span class="muted small">{say("viewer")}</span>;
  const name = tile.name || id, can = detail?.can;
  const charges = tile.status === 3 || ["starting", "charging", "stopping", "unknown"].includes(tile.session);
  const range = can?.limit ?? null;
  const order = async (ask: Parameters<typeof confirm>[0], done: string | ((values: Record<string, string>) => string)) => {
    const values = await confirm(ask);
    if (values) toast(typeof done === "string" ? done : done(values));
  };
  const start = () => order({ title: say("start_title", { name }), text: say("start_text"), action: say("start"), run: () => act("start", { connector: id }) }, say("start_done", { name }));
  const stop = () => order({ title: say("stop_title", { name }), text: say("stop_text"), action: say("stop"), danger: true, run: () => act("stop", { connector: id }) }, say("stop_done", { name }));
  const unlock = () => order({ title: say("unlock_title", { name }), text: say("unlock_text"), action: say("unlock"), danger: true, run: () => act("unlock", { connector: id }) }, say("unlock_done", { name }));
  const unit = range?.unit ?? tile.limit?.unit ?? "kW";
  const limit = () => order({
    title: say("limit_title", { name }), text: say("limit_text"), action: say("limit"),
    fields: [{
      name: "value", label: say("limit_value"), type: "number", unit, required: true, step: "any", value: detail?.operator_limit?.value !== undefined ? String(detail.operator_limit.value) : undefined,
      min: range?.pause !== undefined ? undefined : range?.min, max: range?.max,
      help: range && range.min !== undefined && range.max !== undefined
        ? say("limit_range", { min: number(range.min, 1), max: number(range.max, 1), unit }) + (range.pause !== undefined ? ` · ${say("limit_pause", { pause: range.pause, unit })}` : "")
        : undefined,
    }],
    run: (values) => act("limit", { connector: id, value: Number(values.value) }),
  }, (values) => say("limit_done", { name, limit: `${values.value} ${unit}` }));
  const release = () => order({ title: say("release_title", { name }), text: say("release_text"), action: say("release"), run: () => act("limit", { connector: id, release: true }) }, say("release_done", { name }));
  const reserve = () => order({
    title: say("reserve_title", { name }), text: say("reserve_text"), action: say("reserve"),
    fields: [
      { name: "minutes", label: say("reserve_minutes"), type: "number", unit: say("minutes"), min: 1, max: 1440, step: 1, required: true, value: "30" },
      { name: "note", label: say("note"), help: say("note_help") },
    ],
    run: (values) => act("reserve", { connector: id, minutes: Number(values.minutes), note: values.note || undefined }),
  }, (values) => say("reserve_done", { name, at: when(gatewayNow() + Number(values.minutes) * 60) }));
  const unreserve = () => order({ title: say("unreserve_title", { name }), text: say("unreserve_text"), action: say("unreserve"), run: () => act("unreserve", { connector: id }) }, say("unreserve_done", { name }));
  const off = (able: boolean | undefined) => (able === false ? { disabled: true, title: say("cant") } : {});
  const held = detail ? detail.operator_limit !== undefined : tile.limit !== undefined;
  return (
    <div class="row actions">
      {charges
        ? <Button kind="danger" onClick={stop} {...off(can?.stop)}>{say("stop")}</Button>
        : <Button kind="primary" onClick={start} {...off(can?.start)}>{say("start")}</Button>}
      {(!can || can.limit) && <Button onClick={limit}>{say("limit")}…</Button>}
      {held && <Button onClick={release}>{say("release")}</Button>}
      <Button onClick={unlock} {...off(can?.unlock)}>{say("unlock")}</Button>
      {tile.reserved_until !== undefined || tile.status === 4
        ? <Button onClick={unreserve}>{say("unreserve")}</Button>
        : <Button onClick={reserve} {...off(can?.reserve)}>{say("reserve")}…</Button>}
    </div>
  );
}

// ---- what it does now ----

/** The first good value of these names (a profile may count phases). */
function measured(points: PointValue[] | undefined, ...names: string[]): number | null {
  for (const name of names) {
    const point = points?.find((one) => one.name === name);
    if (point && point.quality === "good" && typeof point.value === "number") return point.value;
  }
  return null;
}

const Fact = ({ label, children }: { label: string; children: ComponentChildren }) => <div class="figure"><dt>{label}</dt><dd>{children}</dd></div>;

function Figures({ tile, sample }: { tile: LiveConnector; sample: Sample }) {
  const of = (value: number | null, digits: number, unit: string) => (value === null ? unknown : <>{number(value, digits)}<small> {unit}</small></>);
  return (
    <dl class="figures">
      <Fact label={say("power")}>{of(sample.power, 1, "kW")}</Fact>
      <Fact label={say("voltage")}>{of(sample.voltage, 1, "V")}</Fact>
      <Fact label={say("current")}>{of(sample.current, 1, "A")}</Fact>
      <Fact label={say("soc")}>{sample.soc === null ? unknown : percent(sample.soc)}</Fact>
      <Fact label={say("energy")}>{energy(tile.energy_wh)}</Fact>
      <Fact label={say("money")}>{money(tile.money_e4)}</Fact>
      <Fact label={say("time")}>{tile.started_at === undefined ? unknown : <Since at={tile.started_at} />}</Fact>
    </dl>
  );
}

function limitText(limit: NonNullable<LiveConnector["limit"]>): string {
  const state = words.maybe(`limit.${limit.state.replace(/ /g, "_")}`) ?? limit.state;
  return `${number(limit.value, 1)} ${limit.unit}${state ? ` (${state})` : ""}`;
}

function Identity({ id, tile, detail }: { id: string; tile: LiveConnector; detail: Detail | null }) {
  const station = useLive((state) => state.data?.stations[tile.station]?.name);
  const rows: [string, ComponentChildren][] = [[say("id"), <span class="mono">{id}</span>], [say("station"), station || tile.station], [say("charger"), tile.charger]];
  if (tile.park_no) rows.push([say("park"), tile.park_no]);
  if (tile.seq) rows.push([say("order"), <a class="mono" href={href("orders", tile.seq)}>{tile.seq}</a>]);
  if (tile.limit) rows.push([say("limited"), limitText(tile.limit)]);
  if (detail?.operator_limit?.state && detail.operator_limit.state !== "in force") rows.push([say("ordered"), `${number(detail.operator_limit.value, 1)} ${detail.operator_limit.unit ?? ""} (${words.maybe(`limit.${detail.operator_limit.state.replace(/ /g, "_")}`) ?? detail.operator_limit.state})`]);
  if (tile.reserved_until !== undefined) rows.push([say("reserved_until"), <>{dateTime(tile.reserved_until)}{detail?.reserved_note && <span class="muted"> {detail.reserved_note}</span>}</>]);
  return (
    <section class="panel identity">
      <dl class="facts">{rows.map(([label, value]) => <><dt>{label}</dt><dd>{value}</dd></>)}</dl>
      <div class="code">
        {detail?.qr ? <>
          <Qr text={detail.qr} label={`${say("qr")}: ${detail.qr}`} />
          <p class="mono small">{detail.qr}</p>
          <p class="row"><Button onClick={() => save(`${id}.svg`, "image/svg+xml", qrFile(detail.qr!))}>{say("download_svg")}</Button>
            <a class="button" href={href("stickers", id)}>{say("print")}</a></p>
        </> : detail && <p class="empty">{say("no_qr")}</p>}
      </div>
    </section>
  );
}

// ---- what went before ----

const eventKinds: Record<string, Kind> = { session: "busy", status: "unknown", command: "info", alarm: "warn", limit: "occupied", reserve: "reserved", message: "info", order: "ok", resend: "info" };

function stateWords(kind: string, state: string): string {
  if (kind === "session") return words.maybe(`session.${state}`) ?? state;
  const name = /^\d+$/.test(state) ? statusName(Number(state)) : state.replace(/ /g, "") === "offline" ? "offline" : state;
  return kind === "status" ? words.maybe(name) ?? state : kind === "alarm" ? kindWords(state) : eventWords(state);
}

const EventLine = ({ event }: { event: Event }) => (
  <li>
    <time title={dateTime(event.at)}>{when(event.at)}</time>
    <Badge kind={eventKinds[event.kind] ?? "unknown"}>{say.maybe(`event.${event.kind}`) ?? event.kind}</Badge>
    <span>{event.from ? `${stateWords(event.kind, event.from)} → ` : ""}{event.to ? <b>{stateWords(event.kind, event.to)}</b> : null}
      {event.text ? `${event.to || event.from ? ": " : ""}${eventWords(event.text)}` : ""}{event.who ? <span class="muted"> · {say("by", { who: event.who })}</span> : null}</span>
  </li>
);

/** When the charge of now came into each state: the last time, going back to where it was idle. */
function enteredOf(events: Event[], seq: string | undefined): Partial<Record<State, number>> {
  const entered: Partial<Record<State, number>> = {};
  for (const event of events) {
    if (event.kind !== "session" || (seq && event.seq && event.seq !== seq)) continue;
    const to = event.to as State;
    if (states.includes(to)) entered[to] ??= event.at;
    if (event.from === "idle") break;
  }
  return entered;
}

/** Events from the newest (or below `after`) on. The daemon looks at so many at a time: a page may be empty and not the last. */
async function tellEvents(connector: string, atLeast: number, after?: number | string): Promise<Events> {
  const events: Event[] = [];
  let next = after;
  for (let asked = 0; asked < 20 && (asked === 0 || (next && events.length < atLeast)); asked++) {
    const page = await look<Events>("events", { connector, limit: 100, after: next });
    events.push(...page.events);
    next = page.next || undefined;
  }
  return { events, next };
}

const eventsAtFirst = 20;

function useEvents(id: string, turn: string) {
  const [told, setTold] = useState<Events | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const busy = useRef(false);
  const gone = useRef(false);
  useEffect(() => () => { gone.current = true; }, []);
  const keep = (found: Events, older: boolean) => {
    if (gone.current) return;
    setProblem(null);
    setTold((before) => {
      if (!before) return found;
      if (older) return { events: [...before.events, ...found.events], next: found.next };
      const lowest = found.events.at(-1)?.id ?? Infinity;
      // What is between the two looks is there when they overlap; else what was told before is told anew.
      const overlap = before.events.some((event) => event.id >= lowest);
      return overlap ? { events: [...found.events, ...before.events.filter((event) => event.id < lowest)], next: before.next } : found;
    });
  };
  // Something happened: so there is an event of it, a moment later.
  useEffect(() => {
    const timer = setTimeout(() => void tellEvents(id, eventsAtFirst).then((found) => keep(found, false), (refused: unknown) => !gone.current && setProblem(refused)), told ? 400 : 0);
    return () => clearTimeout(timer);
  }, [id, turn]);
  const more = () => {
    if (busy.current) return;
    busy.current = true;
    tellEvents(id, 50, told?.next).then((found) => keep(found, true), (refused: unknown) => toast(why(refused), "bad")).finally(() => { busy.current = false; });
  };
  return { told, problem, more };
}

function Story({ id, tile }: { id: string; tile: LiveConnector }) {
  const { told, problem, more } = useEvents(id, `${tile.status} ${tile.session} ${tile.seq} ${tile.limit?.value} ${tile.limit?.state} ${tile.reserved_until} ${tile.fault}`);
  const all = told?.events ?? [];
  const state = (states as string[]).includes(tile.session) ? (tile.session as State) : "idle";
  const entered = useMemo(() => enteredOf(all, tile.seq), [told, tile.seq]);
  return (
    <section class="panel story" aria-labelledby="story">
      <h2 id="story">{say("session")}</h2>
      <Machine state={state} entered={entered} />
      <h2>{say("events")}</h2>
      {problem !== null && <Notice kind="warn" live>{why(problem)}</Notice>}
      {told && all.length === 0 && <p class="empty">{say("no_events")}</p>}
      <ol class="events" tabIndex={0} aria-label={say("events")}>{all.map((event) => <EventLine key={event.id} event={event} />)}</ol>
      {told?.next ? <Button onClick={more}>{say("older")}</Button> : null}
    </section>
  );
}

// ---- what its charger says ----

const qualityKind: Record<string, Kind> = { good: "ok", stale: "warn", unknown: "unknown" };

/** A value's age goes on while nothing new is told of it: the connector is told when something has changed. */
function PointAge({ age, heard }: { age: number; heard: number }) {
  return <>{useTicking(() => {
    const s = (age + performance.now() - heard) / 1000;
    return s < 10 ? `${number(s, 1)} s` : duration(s);
  })}</>;
}

function pointColumns(heard: number): Column<PointValue>[] {
  return [
    { id: "point", label: say("point"), cell: (p) => <><span class="mono">{p.name}</span>{p.from && <span class="muted small"> {say.maybe(`from.${p.from}`) ?? p.from}</span>}</> },
    { id: "value", label: say("value"), numeric: true, cell: (p) => (p.value === undefined ? unknown : <>{typeof p.value === "number" ? String(p.value) : p.value}{p.unit ? `\u00a0${p.unit}` : ""}{p.text && p.text !== p.value ? <span class="muted"> {p.text}</span> : null}</>) },
    { id: "quality", label: say("quality"), cell: (p) => <Badge kind={qualityKind[p.quality] ?? "unknown"}>{words.maybe(p.quality) ?? p.quality}</Badge> },
    { id: "age", label: say("age"), numeric: true, cell: (p) => (p.age_ms === undefined ? unknown : <PointAge age={p.age_ms} heard={heard} />) },
    { id: "register", label: say("register"), cell: (p) => <span class="mono small">{p.register ?? unknown}</span> },
  ];
}

function Points({ detail }: { detail: Detail | null }) {
  const [find, setFind] = useState("");
  const points = detail?.points ?? [];
  const heard = useMemo(() => performance.now(), [detail]);
  const wanted = find.trim().toLowerCase();
  return (
    <section class="panel points" aria-labelledby="points">
      <div class="row">
        <h2 id="points">{say("points")}</h2>
        {points.length > 15 && <input type="search" aria-label={say("search_points")} placeholder={say("search_points")} value={find} onInput={(event) => setFind(event.currentTarget.value)} />}
      </div>
      {detail ? <Table caption={say("points")} columns={pointColumns(heard)} rowKey={(p) => `${p.from ?? ""}/${p.name}`} empty={say("no_points")}
        rows={wanted ? points.filter((p) => `${p.name} ${p.register ?? ""} ${p.text ?? ""}`.toLowerCase().includes(wanted)) : points} /> : <Loading />}
    </section>
  );
}

function One({ id }: { id: string }) {
  const tile = useLive((state) => state.data?.connectors[id]);
  const known = useLive((state) => state.data !== null);
  const link = useLive((state) => state.link);
  const detail = detailOf(useConnector<unknown>(id));
  const sample = useMemo<Sample>(() => ({
    power: tile?.power_w === undefined ? null : tile.power_w / 1000,
    voltage: measured(detail?.points, "voltage", "voltage_a", "voltage_dc"),
    current: measured(detail?.points, "current", "current_a", "current_dc"),
    soc: tile?.soc ?? null,
  }), [detail, tile?.power_w, tile?.soc]);
  if (!tile) return known ? <Notice kind="warn">{say("gone", { id })} <a href={href("overview")}>{say("to_overview")}</a></Notice> : <Loading />;
  const name = statusName(tile.status);
  const alarms = <Alarms id={id} />;
  return (
    <>
      <Heading aside={<Actions id={id} tile={tile} detail={detail} />}>
        <a class="button up" href={href("overview")} aria-label={say("to_overview")}>‹</a> {tile.name || id}{" "}
        <Badge kind={statusKind(name)}>{words(name)}</Badge>{" "}
        {tile.since !== undefined && <small class="muted" title={dateTime(tile.since)}><Since at={tile.since} /></small>}
      </Heading>
      {link === "lost" && <Notice kind="bad" live>{words("lost")}</Notice>}
      {alarms}
      <div class={link === "lost" ? "lost body" : "body"}>
        <Figures tile={tile} sample={sample} />
        <div class="two">
          <div class="col"><Curves connector={id} now={sample} /><Story id={id} tile={tile} /></div>
          <div class="col"><Identity id={id} tile={tile} detail={detail} /><Points detail={detail} /></div>
        </div>
      </div>
    </>
  );
}

function Alarms({ id }: { id: string }) {
  const alarms = useLive((state) => state.data?.alarms);
  const mine = Object.entries(alarms ?? {}).filter(([, alarm]) => alarm.object === id);
  return <>{mine.map(([key, alarm]) => (
    <Notice key={key} kind={alarm.level === "error" ? "bad" : "warn"} title={kindWords(alarm.kind)}>
      {causeWords(alarm)} · {say("since", { at: when(alarm.since) })} · <Since at={alarm.since} />
      {words.maybe(`help.${alarm.kind}`) && <><br /><small class="muted">{words.maybe(`help.${alarm.kind}`)}</small></>}
    </Notice>
  ))}</>;
}

export default function ConnectorPage({ rest }: PageProps) {
  const id = rest[0] ?? "";
  return <One key={id} id={id} />;
}
