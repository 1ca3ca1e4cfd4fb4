import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Connector, Line, LoggedOut, Overview, Platform, login, logout, overview } from "./api";
import { Language, TextKey, firstLanguage, translator } from "./text";

type Say = (key: TextKey) => string;

const refreshMs = 1000;
// What needs a person comes first.
const order = [255, 0, 3, 2, 4, 1];

function Login({ say, done }: { say: Say; done: () => void }) {
  const [problem, setProblem] = useState<TextKey | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const status = await login(String(form.get("user")), String(form.get("password"))).catch(() => 0);
    if (status === 200) done();
    else setProblem(status === 429 ? "wait" : status === 0 ? "lost" : "refused");
  };
  return (
    <form class="login" onSubmit={submit}>
      <h1>Forecourt</h1>
      <label>{say("user")}<input name="user" autocomplete="username" required /></label>
      <label>{say("password")}<input name="password" type="password" autocomplete="current-password" required /></label>
      <button>{say("login")}</button>
      {problem && <p class="problem" role="alert">{say(problem)}</p>}
    </form>
  );
}

function reading(connector: Connector, name: string, digits: number): string | null {
  const point = connector.points[name];
  if (!point || point.quality !== "good" || typeof point.value !== "number") return null;
  return `${point.value.toFixed(digits)} ${point.unit}`;
}

function Tile({ connector, say }: { connector: Connector; say: Say }) {
  const readings = [reading(connector, "power", 0), reading(connector, "soc", 0), reading(connector, "voltage_a", 0)];
  return (
    <article class={`tile s${connector.status}`}>
      <h3>{connector.name || connector.connector_id}</h3>
      <p class="status">{say(`s${connector.status}` as TextKey)}</p>
      <p>{readings.filter(Boolean).join(" · ") || "–"}</p>
      <p class="small">{say("today")} {(connector.today_wh / 1000).toFixed(1)} kWh</p>
      <p class="small">{connector.charger} · {say("since")} {connector.since.slice(5) || "–"}</p>
    </article>
  );
}

function PlatformRow({ platform, say }: { platform: Platform; say: Say }) {
  return (
    <tr class={platform.linked ? "good" : "bad"}>
      <td>{platform.name}</td>
      <td>{say(platform.linked ? "linked" : "unlinked")}{platform.last_error && `: ${platform.last_error}`}</td>
      <td>{say("accepted")} {platform.status_accepted}, {say("waiting")} {platform.waiting}, {say("failed")} {platform.push_failed}</td>
      <td>{say("answered")} {platform.answered}, {say("mean")} {(platform.answer_mean_us / 1000).toFixed(2)} ms, p99 {(platform.answer_p99_us / 1000).toFixed(2)} ms</td>
      <td>{say("mapping")} {platform.mapping}</td>
    </tr>
  );
}

function LineRow({ line, say }: { line: Line; say: Say }) {
  const errors = line.timeouts + line.exceptions + line.bad;
  return (
    <tr class={line.connected && !line.units_slow ? "good" : "bad"}>
      <td>{line.name}</td>
      <td>{say(line.connected ? "up" : "down")}</td>
      <td>{say("polls")} {line.polls}, {say("errors")} {errors}, {say("missed")} {line.missed}</td>
      <td>{say("slow")} {line.units_slow}/{line.units}</td>
      <td>{say("mean")} {(line.latency_mean_us / 1000).toFixed(1)} ms</td>
    </tr>
  );
}

function Station({ data, stale, say }: { data: Overview; stale: boolean; say: Say }) {
  const sorted = [...data.connectors].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  return (
    <main class={stale ? "stale" : ""}>
      {stale && <p class="problem" role="alert">{say("lost")}</p>}
      <h2>{say("connectors")}</h2>
      <section class="tiles">{sorted.map((c) => <Tile key={c.connector_id} connector={c} say={say} />)}</section>
      <h2>{say("platforms")}</h2>
      {data.platforms.length === 0 && <p>{say("none")}</p>}
      <table>{data.platforms.map((p) => <PlatformRow key={p.name} platform={p} say={say} />)}</table>
      <h2>{say("buses")}</h2>
      <table>{data.buses.map((l) => <LineRow key={l.name} line={l} say={say} />)}</table>
      <p class="small">{data.time} · {say("uptime")} {data.uptime_s} s · {say("memory")} {(data.rss_kb / 1024).toFixed(1)} MB</p>
    </main>
  );
}

function Page() {
  const [language, setLanguage] = useState<Language>(firstLanguage());
  const [inside, setInside] = useState(true);
  const [data, setData] = useState<Overview | null>(null);
  const [stale, setStale] = useState(false);
  const say = translator(language);

  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem("language", language);
  }, [language]);

  useEffect(() => {
    if (!inside) return;
    let timer = 0, ended = false;
    const look = async () => {
      try {
        setData(await overview());
        setStale(false);
      } catch (problem) {
        if (problem instanceof LoggedOut) return setInside(false);
        setStale(true);
      }
      if (!ended) timer = window.setTimeout(look, refreshMs);
    };
    void look();
    return () => { ended = true; clearTimeout(timer); };
  }, [inside]);

  return (
    <>
      <header>
        <b>Forecourt</b>
        <button onClick={() => setLanguage(language === "en" ? "zh" : "en")}>{language === "en" ? "中文" : "English"}</button>
        {inside && data && <button onClick={() => { void logout().finally(() => { setInside(false); setData(null); }); }}>{say("logout")}</button>}
      </header>
      {!inside ? <Login say={say} done={() => setInside(true)} /> : data && <Station data={data} stale={stale} say={say} />}
    </>
  );
}

render(<Page />, document.getElementById("page")!);
