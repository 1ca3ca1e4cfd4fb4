// The overview: is the station earning, what is broken, since when, why, what can I do. Live; patches draw what they change.
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Since, useTicking } from "../age";
import { look, may, onSession } from "../api";
import { bytes, clock, dateTime, duration, energy, money, number, percent, power, unknown, when } from "../format";
import { Icon } from "../icons";
import { Alarm, LiveBus, LiveConnector, LivePlatform, Overview, gatewayNow, live, useLive } from "../live";
import { Badge, Button, Heading, Notice, memo, useDraw } from "../parts";
import { href, usePlace } from "../router";
import { StatusName, statusKind, statusName, statuses } from "../station";
import { say } from "../text/overview";
import { causeWords, kindWords, objectWords, say as words } from "../text/station";

// The first answer comes with the page's files (index.html asks for it), before the live connection stands. It is taken at
// once: an answer that is left lying would be given to a later question, and before a log-in it is a refusal.
let first: Promise<Overview | null> | null = look<Overview>("overview").catch(() => null);
let seed: Overview | null = null;
onSession((session) => {
  if (!session) seed = first = null;
});

function useSeed(): void {
  const draw = useDraw();
  useEffect(() => {
    const asked = first ?? Promise.resolve(null);
    first = null;
    if (live().data) return;
    void asked.then((early) => early ?? look<Overview>("overview")).then((found) => {
      if (live().data) return;
      seed = found;
      draw();
    }, () => undefined);
  }, []);
}

function useStation<R>(select: (overview: Overview | null) => R): R {
  return useLive((state) => select(state.data ?? seed));
}

// ---- the line ----

function LinkState() {
  const link = useLive((state) => state.link);
  const at = useTicking((now) => clock(now));
  const known = useStation((o) => o !== null);
  if (link === "lost") return <Badge kind="bad">{say("lost")}</Badge>;
  if (link !== "live") return <Badge kind="unknown">{known ? say("live") : say("connecting")}</Badge>;
  return <Badge kind="ok">{say("live")} {at}</Badge>;
}

function Lost() {
  const since = useLive((state) => state.lostSince);
  const link = useLive((state) => state.link);
  const known = useStation((o) => o !== null);
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 4000);
    return () => clearTimeout(timer);
  }, []);
  // The words are read out once; the time that grows is not.
  if (link === "lost" && since !== null) return <LostSince at={since / 1000} />;
  if (!known) return late ? <Notice kind="bad" live>{say("still_connecting")}</Notice> : <p class="loading" role="status">{say("connecting")}</p>;
  return null;
}

function LostSince({ at }: { at: number }) {
  const ago = useTicking(() => duration(Date.now() / 1000 - at));
  return (
    <div class="lostbar notice k-bad">
      <Icon shape="bad" />
      <div>
        <strong role="alert">{say("lost")}</strong><br />
        {say("lost_long", { at: clock(at), ago })}
      </div>
    </div>
  );
}

// ---- figures ----

const Figure = ({ label, value, aside }: { label: string; value: string; aside?: ComponentChildren }) => {
  const [amount, unit] = /^(.*\d)\s(\S+)$/.exec(value)?.slice(1) ?? [value, ""];
  return <div class="figure"><dt>{label}</dt><dd>{amount}{unit && <small> {unit}</small>}</dd>{aside && <dd class="aside">{aside}</dd>}</div>;
};

function Figures() {
  const totals = useStation((o) => o?.totals);
  if (!totals) return null;
  return (
    <dl class="figures">
      <Figure label={say("power_now")} value={power(totals.power_w)} />
      <Figure label={say("charging_of")} value={number(totals.charging)} aside={say("of", { all: number(totals.connectors) })} />
      <Figure label={say("today_money")} value={money(totals.today_money_e4)} />
      <Figure label={say("today_energy")} value={energy(totals.today_wh)}
        aside={totals.today_unseen_wh ? say("today_unseen", { energy: energy(totals.today_unseen_wh) }) : undefined} />
      <Figure label={say("today_orders")} value={number(totals.today_orders)}
        aside={totals.today_orders ? say("per_order", { money: money(totals.today_money_e4 / totals.today_orders) }) : undefined} />
    </dl>
  );
}

// ---- what a new box lacks ----

type Step = keyof NonNullable<Overview["setup"]>;
/** In the order in which one needs the other; the form of each. */
const steps: [Step, string | null][] = [
  ["clock", null], ["operator_id", "gateway"], ["station", "station"], ["bus", "bus"], ["charger", "charger"], ["platform", "platform"], ["certificate", "admin"],
];

function Setup() {
  const setup = useStation((o) => o?.setup);
  const at = useTicking((now) => dateTime(now));
  const needed = Object.values(setup ?? {}).filter((one) => one.needed).length;
  if (!setup || needed === 0) return null;
  const shown = steps.filter(([step]) => step !== "clock" && step !== "certificate" || setup[step]);
  return (
    <section class="panel setup" aria-labelledby="setup">
      <h2 id="setup">{say("setup")} <Badge kind="warn">{say("setup_n", { n: needed })}</Badge></h2>
      <p class="help">{say("setup_help")}</p>
      <ol>
        {shown.map(([step, form]) => {
          const lacks = setup[step];
          const kind = !lacks ? "ok" : lacks.needed ? "warn" : "idle";
          return (
            <li key={step} class={`k-${kind}`} data-step={step}>
              <Icon shape={kind} />
              <span><b>{say(`setup_${step}`)}</b>{!lacks && <span class="unseen"> {say("setup_done")}</span>}
                {lacks && <small>{say(`setup_${step}_help`, { at })}</small>}</span>
              {lacks && form && may("integrator") && <a class="button" href={href("config", ["section", form])}>{say("setup_go")}<span class="unseen">: {say(`setup_${step}`)}</span></a>}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

// ---- alarms ----

const shownAtFirst = 6;

/** Where one can do something about it. */
function remedy(alarm: Alarm): { address: string; label: string } {
  const label = words.maybe(`do.${alarm.kind}`) ?? "";
  const bus = (line: string, unit?: string) => href("tools", "bus", { line, unit });
  switch (alarm.kind) {
    case "connector_offline":
      if (alarm.key === "offline.bus" && alarm.args?.bus) return { address: bus(String(alarm.args.bus)), label: words("do.bus_down") };
      return { address: href("connector", alarm.object), label };
    case "connector_fault": case "value_stale": case "limit_not_taken": return { address: href("connector", alarm.object), label };
    case "platform_down": return { address: href("tools", "messages", { platform: alarm.object }), label };
    case "outbox_waiting": return { address: href("orders", [], { state: "waiting", platform: alarm.object }), label };
    case "order_disputed": return { address: href("orders", [], { state: "disputed", platform: alarm.object }), label };
    case "store_full": return { address: href("orders", [], { state: "waiting" }), label };
    case "bus_down": return { address: bus(alarm.object), label };
    case "bus_errors": case "can_bus_off": return { address: href("tools", "trace", { line: alarm.object }), label };
    case "unit_silent": {
      const [line, unit] = alarm.object.split("/");
      return { address: bus(line!, unit), label };
    }
    case "script_refused": return { address: href("lua", alarm.object), label };
    case "store_failing": case "bus_stuck": case "watchdog_unfed": return { address: href("tools", "log"), label };
    default: return { address: href("config"), label };
  }
}

const AlarmRow = memo(({ alarm }: { alarm: Alarm & { count?: number } }) => {
  const kind = alarm.level === "error" ? "bad" : "warn";
  const todo = remedy(alarm);
  const help = words.maybe(`help.${alarm.kind}`);
  return (
    <li class={`alarm k-${kind}`}>
      <span class="what"><Icon shape={kind} /> <span class="unseen">{words(alarm.level)}: </span><b>{objectWords(alarm)}</b> <span class="kind">{kindWords(alarm.kind)}</span></span>
      <span class="why">{causeWords(alarm)}{help && <small>{help}</small>}</span>
      <span class="when" title={dateTime(alarm.since)}><time>{when(alarm.since)}</time> <small><Since at={alarm.since} />{alarm.count && alarm.count > 1 ? ` · ${say("times", { n: alarm.count })}` : ""}</small></span>
      <a class="button" href={todo.address}>{todo.label}<span class="unseen">: {objectWords(alarm)}</span></a>
    </li>
  );
});

/** Tells a screen reader what came and what went, not what stands. */
function AlarmsTold({ alarms }: { alarms: Record<string, Alarm> }) {
  const before = useRef<Record<string, Alarm> | null>(null);
  const [told, setTold] = useState("");
  useEffect(() => {
    const last = before.current;
    before.current = alarms;
    if (!last) return;
    const came = Object.entries(alarms).filter(([id]) => !(id in last)).slice(0, 3)
      .map(([, a]) => say("new_alarm", { name: objectWords(a), cause: causeWords(a) }));
    const went = Object.entries(last).filter(([id]) => !(id in alarms)).slice(0, 3)
      .map(([, a]) => say("over_alarm", { name: objectWords(a), kind: kindWords(a.kind) }));
    if (came.length + went.length) setTold([...came, ...went].join(". "));
  }, [alarms]);
  return <p class="unseen" role="status">{told}</p>;
}

const noAlarms: Record<string, Alarm> = {};

function Alarms() {
  const alarms = useStation((o) => (o ? o.alarms ?? noAlarms : null));
  const pending = useStation((o) => o?.gateway.config_pending ?? false);
  const [all, setAll] = useState(false);
  const list = useMemo(() => Object.entries(alarms ?? {}).sort(([, a], [, b]) =>
    (a.level === b.level ? a.since - b.since : a.level === "error" ? -1 : 1)), [alarms]);
  if (!alarms) return null;
  const errors = list.filter(([, a]) => a.level === "error").length;
  const shown = all ? list : list.slice(0, shownAtFirst);
  return (
    <section class="panel alarms" aria-labelledby="alarms">
      <h2 id="alarms">{say("alarms")}
        {errors > 0 && <Badge kind="bad">{say("errors_n", { n: errors })}</Badge>}
        {list.length > errors && <Badge kind="warn">{say("warnings_n", { n: list.length - errors })}</Badge>}
      </h2>
      {pending && !Object.values(alarms).some((a) => a.kind === "config_pending") &&
        <Notice kind="warn">{say("pending")} <a href={href("config")}>{say("to_config")}</a></Notice>}
      <AlarmsTold alarms={alarms} />
      {list.length === 0
        ? <p class="calm k-ok"><Icon shape="ok" /> {say("no_alarms")}</p>
        : <ul>{shown.map(([id, alarm]) => <AlarmRow key={id} alarm={alarm} />)}</ul>}
      {list.length > shownAtFirst && <Button onClick={() => setAll(!all)} aria-expanded={all}>{all ? say("fewer") : say("more", { n: list.length - shownAtFirst })}</Button>}
    </section>
  );
}

// ---- connectors ----

// The daemon tells the time of a good value every ten seconds.
const freshS = 15;

function DataAge({ quality, at }: { quality: string; at?: number }) {
  const text = useTicking((now) => (at === undefined ? say("never_read") : now - at < freshS ? say("fresh") : say("age", { ago: duration(now - at) })));
  const old = quality !== "good" || at === undefined || gatewayNow() - at >= 2 * freshS;
  return <span class={`age ${old ? "old" : ""}`} title={say("age_of")}>{old && <Icon shape="warn" />} <span class="unseen">{say("age_of")} </span>{text}</span>;
}

function limitWords(limit: NonNullable<LiveConnector["limit"]>): string {
  const state = words.maybe(`limit.${(limit.state ?? "").replace(/ /g, "_")}`);
  return say("limited", { limit: `${number(limit.value, 1).replace(/\.0$/, "")} ${limit.unit ?? ""}` }) + (limit.state === "taken" || !state ? "" : ` (${state})`);
}

/** fault: why it is broken, in the chosen language. */
const TileView = memo(({ id, tile, fault }: { id: string; tile: LiveConnector; fault: string | undefined }) => {
  const name = statusName(tile.status);
  const charges = tile.power_w !== undefined && (name === "charging" || tile.power_w >= 50);
  const session = tile.energy_wh !== undefined || tile.money_e4 !== undefined;
  // The charger may still tell the battery of the car that left.
  const soc = name === "occupied" || name === "charging" ? tile.soc : undefined;
  const other = tile.session && !["idle", "charging", "ended"].includes(tile.session) ? words.maybe(`session.${tile.session}`) : undefined;
  return (
    <li class={`tile k-${statusKind(name)} ${tile.quality !== "good" ? "dim" : ""}`}>
      <p class="head"><a href={href("connector", id)}>{tile.name || id}</a> {tile.park_no && <span class="park">{tile.park_no}</span>}</p>
      <p class="state"><Icon shape={statusKind(name)} /> <b>{words(name)}</b>{other && <span> · {other}</span>}
        {tile.since !== undefined && <span class="since" title={dateTime(tile.since)}><Since at={tile.since} /></span>}</p>
      {charges || soc !== undefined ? (
        <p class="now">
          <span class="power">{charges ? power(tile.power_w) : ""}</span>
          {soc !== undefined && <span class="soc"><i><i ref={(bar) => { if (bar) bar.style.width = `${Math.min(100, Math.max(0, soc))}%`; }} /></i><span class="unseen">{say("soc")} </span>{percent(soc)}</span>}
        </p>
      ) : fault ? <p class="fault">{fault}</p>
        : tile.reserved_until !== undefined ? <p class="now">{say("until", { at: when(tile.reserved_until) })}</p> : null}
      <p class="foot">
        {session ? <span>{energy(tile.energy_wh)} · {money(tile.money_e4)}</span> : tile.limit ? null : <span />}
        {tile.limit && <span class="limit">{limitWords(tile.limit)}</span>}
        <DataAge quality={tile.quality} at={tile.read_at} />
      </p>
    </li>
  );
});

const searchFrom = 24;

function Connectors() {
  const connectors = useStation((o) => o?.connectors);
  const stations = useStation((o) => o?.stations);
  const totals = useStation((o) => o?.totals);
  const alarms = useStation((o) => o?.alarms ?? noAlarms);
  const { query } = usePlace();
  const [search, setSearch] = useState("");
  const chosen = statuses.find((one) => one === query.get("state")) ?? null;
  // Places don't change with the state: an operator finds a connector where it was.
  const ids = useMemo(() => Object.keys(connectors ?? {}).sort((a, b) => connectors![a]!.n - connectors![b]!.n), [connectors]);
  if (!connectors || !totals) return null;
  const faults = new Map(Object.values(alarms).filter((a) => a.kind === "connector_fault").map((a) => [a.object, causeWords(a)]));
  const find = search.trim().toLowerCase();
  const shown = ids.filter((id) => {
    const tile = connectors[id]!;
    return (!chosen || statusName(tile.status) === chosen) && (!find || `${id} ${tile.name} ${tile.park_no ?? ""} ${tile.charger}`.toLowerCase().includes(find));
  });
  const groups = new Map<string, string[]>();
  for (const id of shown) groups.set(connectors[id]!.station, [...(groups.get(connectors[id]!.station) ?? []), id]);
  const several = Object.keys(stations ?? {}).length > 1;
  return (
    <section class="connectors" aria-labelledby="connectors">
      <div class="bar">
        <h2 id="connectors">{say("connectors")}</h2>
        <nav class="filter" aria-label={say("filter")}>
          <a href={href("overview")} aria-current={chosen ? undefined : "true"}>{say("all")} {totals.connectors}</a>
          {statuses.filter((one) => totals[one as StatusName] > 0 || chosen === one).map((one) => (
            <a key={one} class={`k-${statusKind(one)}`} href={href("overview", [], { state: one })} aria-current={chosen === one ? "true" : undefined}>
              <Icon shape={statusKind(one)} /> {words(one)} {totals[one]}
            </a>
          ))}
        </nav>
        {ids.length > searchFrom && <input type="search" class="search" aria-label={say("search")} placeholder={say("search")} value={search}
          onInput={(event) => setSearch(event.currentTarget.value)} />}
        <a class="small" href={href("stickers")}>{say("stickers")}</a>
      </div>
      {ids.length === 0 && <p class="empty">{say("none_connectors")}</p>}
      {ids.length > 0 && shown.length === 0 && <p class="empty" role="status">{say("none_match")}</p>}
      {[...groups].map(([section, members]) => (
        <div key={section} class="group">
          {several && <h3>{stations?.[section]?.name || section} <span class="muted">{stations?.[section]?.station_id}</span></h3>}
          <ul class="tiles">{members.map((id) => <TileView key={id} id={id} tile={connectors[id]!} fault={faults.get(id) ?? connectors[id]!.fault} />)}</ul>
        </div>
      ))}
    </section>
  );
}

// ---- platforms and buses ----

const ms = (us: number, digits = 1): string => number(us / 1000, digits);

const PlatformRow = memo(({ name, platform }: { name: string; platform: LivePlatform }) => (
  <tr>
    <th scope="row">{name}<small>{platform.mapping}</small></th>
    <td><Badge kind={platform.linked ? "ok" : "bad"}>{say(platform.linked ? "linked" : "unlinked")}</Badge>
      {platform.since !== undefined && <small title={dateTime(platform.since)}>{say("since", { at: when(platform.since) })}</small>}</td>
    <td class="n">{platform.outbox > 0 ? <a href={href("orders", [], { state: "waiting", platform: name })}>{number(platform.outbox)}</a> : number(platform.outbox)}
      {platform.oldest_at !== undefined && <small>{say("oldest", { ago: duration(gatewayNow() - platform.oldest_at) })}</small>}</td>
    <td class="n">{number(platform.answered)}{platform.answered > 0 && <small title={say("answer_times", { mean: ms(platform.answer_mean_us), p99: ms(platform.answer_p99_us) })}>p99 {ms(platform.answer_p99_us)} ms</small>}</td>
    <td class="error">{platform.last_error ? <>{platform.last_error}<small>{when(platform.last_error_at)}</small></> : unknown}</td>
  </tr>
));

const BusRow = memo(({ name, bus }: { name: string; bus: LiveBus }) => (
  <tr>
    <th scope="row"><a href={href("tools", "bus", { line: name })}>{name}</a><small>{bus.kind}</small></th>
    <td><Badge kind={bus.up ? "ok" : "bad"}>{say(bus.up ? "up" : "down")}</Badge>
      {bus.since !== undefined && !bus.up && <small title={dateTime(bus.since)}>{say("since", { at: when(bus.since) })}</small>}</td>
    <td class="n"><span class="load"><i ref={(bar) => { if (bar) bar.style.width = `${Math.min(100, bus.load / 10)}%`; }} /></span>{percent(bus.load / 10)}</td>
    <td class="n">{number(bus.errors)}{bus.errors > 0 && bus.polls > 0 && <small title={say("of_polls", { polls: number(bus.polls) })}>{percent((100 * bus.errors) / bus.polls, 2)}</small>}</td>
    <td class="n">{number(bus.units)}{bus.silent > 0 && <small class="bad"><Icon shape="warn" /> {say("silent", { n: bus.silent })}</small>}</td>
    <td class="n">{bus.latency_us ? `${ms(bus.latency_us)} ms` : unknown}</td>
  </tr>
));

function Frame({ id, title, heads, children, none }: { id: string; title: string; heads: [string, boolean][]; children: ComponentChildren[]; none: string }) {
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children.length === 0 ? <p class="empty">{none}</p> : (
        <div class="scroll" tabIndex={0} role="group" aria-labelledby={id}>
          <table class="dense"><thead><tr>{heads.map(([head, numeric]) => <th key={head} scope="col" class={numeric ? "n" : ""}>{head}</th>)}</tr></thead><tbody>{children}</tbody></table>
        </div>
      )}
    </section>
  );
}

function Platforms() {
  const platforms = useStation((o) => o?.platforms);
  if (!platforms) return null;
  return (
    <Frame id="platforms" title={say("platforms")} none={say("none_platforms")}
      heads={[[say("platform"), false], [say("state"), false], [say("waiting"), true], [say("answers"), true], [say("last_error"), false]]}>
      {Object.entries(platforms).map(([name, platform]) => <PlatformRow key={name} name={name} platform={platform} />)}
    </Frame>
  );
}

function Buses() {
  const buses = useStation((o) => o?.buses);
  if (!buses) return null;
  return (
    <Frame id="buses" title={say("buses")} none={say("none_buses")}
      heads={[[say("bus"), false], [say("state"), false], [say("load"), true], [say("errors"), true], [say("units"), true], [say("answer"), true]]}>
      {Object.entries(buses).map(([name, bus]) => <BusRow key={name} name={name} bus={bus} />)}
    </Frame>
  );
}

function Gateway() {
  const gateway = useStation((o) => o?.gateway);
  if (!gateway) return null;
  return (
    <p class="muted small">{say("gateway_line", {
      operator: gateway.operator_id || unknown, version: gateway.version || unknown,
      uptime: duration(gateway.uptime_s), memory: bytes(gateway.rss_kb * 1024),
    })}</p>
  );
}

export default function OverviewPage() {
  const lost = useLive((state) => state.link === "lost");
  useSeed();
  const one = useStation((o) => (o && Object.keys(o.stations).length === 1 ? Object.values(o.stations)[0]! : null));
  return (
    <div class={`overview ${lost ? "lost" : ""}`}>
      <Heading aside={<LinkState />}>{one?.name || <Stations />}</Heading>
      <Lost />
      <Setup />
      <Figures />
      <Alarms />
      <div class="columns">
        <Connectors />
        <div class="side"><Platforms /><Buses /><Gateway /></div>
      </div>
    </div>
  );
}

function Stations() {
  const count = useStation((o) => Object.keys(o?.stations ?? {}).length);
  return <>{count ? say("stations", { n: count }) : say("overview")}</>;
}
