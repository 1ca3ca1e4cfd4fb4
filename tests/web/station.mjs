// A station to test the page on (station.py), and a browser: Debian's Chromium, driven by playwright-core from the page's own build
// folder. Whatever a test starts ends with it.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "../..");
const work = createRequire(join(root, "build/www-work/package.json"));
const { chromium } = work("playwright-core");

/** Pictures and figures: build output. */
export const output = join(root, "build/web");
mkdirSync(output, { recursive: true });

export class Station {
  #child;
  #waiting = [];

  /** options: words for station.py, such as "--auto". */
  static async start(...options) {
    const station = new Station();
    const child = spawn("/usr/bin/python3", ["-B", join(here, "station.py"), ...options.map(String)], { stdio: ["pipe", "pipe", "inherit"] });
    station.#child = child;
    createInterface({ input: child.stdout }).on("line", (line) => station.#waiting.shift()?.(JSON.parse(line)));
    child.on("exit", () => station.#waiting.splice(0).forEach((done) => done({ problem: "the station ended" })));
    const ready = await station.#next();
    if (ready.problem) throw new Error(ready.problem);
    return Object.assign(station, ready);
  }

  #next() {
    return new Promise((done) => this.#waiting.push(done));
  }

  /** A command of station.py: do("chargers", { line: "plug 0 1" }). */
  async do(name, args = {}) {
    const answer = this.#next();
    this.#child.stdin.write(`${JSON.stringify({ do: name, ...args })}\n`);
    const { answer: said, problem } = await answer;
    if (problem) throw new Error(`${name}: ${problem}`);
    return said;
  }

  async stop() {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((done) => this.#child.on("exit", done));
    this.#child.stdin.end();
    await gone;
  }
}

export class Browser {
  /** size: { width, height }; language "en-US" or "zh-CN"; dark; args: more of Chromium's own words. */
  static async start({ language = "en-US", size = { width: 1280, height: 900 }, dark = false, touch = false, args = [] } = {}) {
    const browser = new Browser();
    browser.profile = mkdtempSync(join(tmpdir(), "forecourt-web-"));
    browser.context = await chromium.launchPersistentContext(browser.profile, {
      executablePath: "/usr/bin/chromium",
      headless: true,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", ...args],
      ignoreHTTPSErrors: true,
      locale: language,
      viewport: size,
      hasTouch: touch,
      colorScheme: dark ? "dark" : "light",
      acceptDownloads: true,
    });
    browser.page = browser.context.pages()[0] ?? await browser.context.newPage();
    // What a page must never do: speak to somebody else, throw, break its own content policy.
    browser.problems = [];
    browser.watch(browser.page);
    return browser;
  }

  watch(page) {
    page.on("pageerror", (problem) => this.problems.push(`threw: ${problem.message}`));
    page.on("console", (line) => {
      if (line.type() === "error" && !/Failed to load resource|WebSocket connection to/.test(line.text())) this.problems.push(`console: ${line.text()}`);
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (!["localhost", "127.0.0.1"].includes(url.hostname) && !["data:", "blob:", "about:"].includes(url.protocol))
        this.problems.push(`asked ${url.origin}`);
    });
  }

  async stop() {
    await this.context.close();
    rmSync(this.profile, { recursive: true, force: true });
  }
}

/** The serious findings of axe on what is shown now, as texts. */
export async function findings(page) {
  const axe = readFileSync(work.resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 4).join(" | ")}`);
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until fn gives something true, and answers it. */
export async function until(fn, what, ms = 30_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await fn();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${ms / 1000} s for ${what}`);
    await sleep(100);
  }
}
