// The shell: who is logged in, which page, the menu. Pages but the overview are fetched when they are opened.
import { ComponentType, render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Refused, Session, logout, onSession, session, who } from "./api";
import { Login, NewPassword } from "./login";
import Overview from "./pages/overview";
import { Asks, Button, Loading, Notice, Problem, Toasts, useDraw } from "./parts";
import { Place, href, usePlace } from "./router";
import { language, onLanguage, setLanguage } from "./text";
import { say } from "./text/shell";
import { Theme, setTheme, theme } from "./theme";

/** What a page is given: the parts of the address after its name, and what follows the question mark. */
export interface PageProps {
  rest: string[];
  query: URLSearchParams;
}

type Page = ComponentType<PageProps>;
type PageName = "overview" | "connector" | "stickers" | "orders" | "lua" | "config" | "tools" | "accounts";

const loaders: Record<Exclude<PageName, "overview">, () => Promise<{ default: Page }>> = {
  connector: () => import("./pages/connector"),
  stickers: () => import("./pages/stickers"),
  orders: () => import("./pages/orders"),
  lua: () => import("./pages/lua"),
  config: () => import("./pages/config"),
  tools: () => import("./pages/tools"),
  accounts: () => import("./pages/accounts"),
};
const loaded: Partial<Record<PageName, Page>> = { overview: Overview };
const menu: PageName[] = ["overview", "orders", "lua", "config", "tools", "accounts"];

function LazyPage({ place }: { place: Place }) {
  const draw = useDraw();
  const [failed, setFailed] = useState(false);
  const name = place.page as PageName;
  const Found = Object.hasOwn(loaded, name) ? loaded[name] : undefined;
  useEffect(() => {
    const load = Object.hasOwn(loaders, name) ? loaders[name as keyof typeof loaders] : undefined;
    if (Found || !load) return;
    setFailed(false);
    load().then((module) => { loaded[name] = module.default; draw(); }, () => setFailed(true));
  }, [name]);
  if (Found) return <Found rest={place.rest} query={place.query} />;
  if (failed) return <Notice kind="bad" live>{say("chunk_failed")} <Button onClick={() => location.reload()}>{say("reload")}</Button></Notice>;
  if (Object.hasOwn(loaders, name)) return <Loading />;
  return <Notice kind="warn">{say("page_missing")} <a href={href("overview")}>{say("to_overview")}</a></Notice>;
}

const themes: Theme[] = ["system", "light", "dark"];

function Switches() {
  const draw = useDraw();
  const now = theme();
  const next = themes[(themes.indexOf(now) + 1) % themes.length]!;
  const word = (one: Theme) => say(`to_${one}`);
  return (
    <>
      <Button kind="quiet" class="theme" data-now={now} aria-label={say("theme", { now: word(now), next: word(next) })}
        title={say("theme", { now: word(now), next: word(next) })} onClick={() => { setTheme(next); draw(); }}>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.6" />
          {now === "system" ? <path d="M8 2a6 6 0 010 12z" fill="currentColor" /> : now === "dark" && <circle cx="8" cy="8" r="6" fill="currentColor" />}
        </svg>
      </Button>
      <Button kind="quiet" lang={language() === "en" ? "zh-CN" : "en"} onClick={() => setLanguage(language() === "en" ? "zh" : "en")}>
        {say("other_language")}
      </Button>
    </>
  );
}

// Whether the session ended by one's own wish.
let left = false;

function leave(): void {
  left = true;
  void logout().catch(() => undefined);
}

function Header({ session, place }: { session: Session | null; place: Place }) {
  return (
    <header class="top">
      <a class="brand" href={href("overview")}><img src="icon.svg" alt="" width="20" height="20" /> Forecourt</a>
      {session && !session.must_change && (
        <nav class="menu" aria-label={say("menu")}>
          {menu.map((name) => (
            <a key={name} href={href(name)} aria-current={place.page === name ? "page" : undefined}>{say(name)}</a>
          ))}
        </nav>
      )}
      <div class="switches">
        <Switches />
        {session && (
          <>
            <span class="who" title={say("logged_in_as", { user: session.user, role: say(session.role) })}>{session.user}</span>
            <Button kind="quiet" onClick={leave}>{say("logout")}</Button>
          </>
        )}
      </div>
    </header>
  );
}

function App() {
  const draw = useDraw();
  const [started, setStarted] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const place = usePlace();
  const was = useRef<{ page: string | null; inside: boolean }>({ page: null, inside: false });
  const now = who();

  const start = () => {
    setProblem(null);
    session().then(() => setStarted(true), (refused) => setProblem(refused instanceof Refused ? refused : new Refused(0, "lost", "net.lost", String(refused))));
  };
  useEffect(() => onSession((session) => { if (session) left = false; draw(); }), []);
  useEffect(() => onLanguage(draw), []);
  useEffect(start, []);

  const inside = now !== null && !now.must_change;
  useEffect(() => {
    const title = Object.hasOwn(loaders, place.page) || place.page === "overview" ? say(place.page as PageName) : "";
    document.title = inside && title ? `${title} · Forecourt` : "Forecourt";
  });
  // Whoever goes to another page by keyboard or with a screen reader starts at its heading.
  useEffect(() => {
    const moved = was.current.page !== null && (was.current.page !== place.page || was.current.inside !== inside);
    if (inside) was.current = { page: place.page, inside };
    else was.current.inside = false;
    if (!moved || !inside) return;
    scrollTo(0, 0);
    requestAnimationFrame(() => (document.querySelector<HTMLElement>("#content h1") ?? document.getElementById("content"))?.focus({ preventScroll: true }));
  });

  return (
    <>
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById("content")?.focus(); }}>{say("skip")}</a>
      <Header session={now} place={place} />
      {problem !== null ? <main class="gate" id="content"><Problem problem={problem} again={start} /></main>
        : !started ? null
        : now === null ? <Login why={left ? "logged_out" : was.current.page !== null ? "session_ended" : null} />
        : now.must_change ? <NewPassword session={now} />
        : <main id="content" tabIndex={-1} class={`page-${place.page}`}><LazyPage place={place} /></main>}
      <Toasts />
      <Asks />
    </>
  );
}

render(<App />, document.getElementById("page")!);
