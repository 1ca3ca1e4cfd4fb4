// What the page costs: its weight, the first view over a poor line, what a busy station sends. Bytes and round trips are held
// against their limits; times are printed, for they are the machine's too.
import assert from "node:assert/strict";
import { X509Certificate, createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Browser, Station, output, root, sleep, until } from "./station.mjs";

const password = "a long enough word";
const weightLimit = 300_000; // bytes, gzip'd
const trafficLimit = 10_000; // bytes a second
const connectors = 64;
const figures = [];
let station, browser, page, session;

/** Chromium that takes the station's certificate as good (one that a browser refuses first costs each connection a second one). */
function trusting() {
  const certificate = new X509Certificate(readFileSync(join(station.folder, "certs/server.pem")));
  const key = createHash("sha256").update(certificate.publicKey.export({ type: "spki", format: "der" })).digest("base64");
  return Browser.start({ args: [`--ignore-certificate-errors-spki-list=${key}`] });
}

const measured = (text) => {
  figures.push(text);
  console.log(`measured: ${text}`);
};
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const kb = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

before(async () => {
  station = await Station.start("--tcp", 16, "--line", 0, "--connectors", 4, "--speed", 1);
  browser = await trusting();
  page = browser.page;
  await page.goto(station.url);
  await page.getByLabel("User").fill(station.user);
  await page.getByLabel("Password", { exact: true }).fill(station.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("One-time password").fill(station.password);
  await page.getByLabel("New password", { exact: true }).fill(password);
  await page.getByLabel("New password again").fill(password);
  await page.getByRole("button", { name: "Change password" }).click();
  await page.locator(".tile").nth(connectors - 1).waitFor();
  session = await browser.context.newCDPSession(page);
  await session.send("Network.enable");
});

after(async () => {
  writeFileSync(join(output, "measured.txt"), `${figures.join("\n")}\n`);
  await browser?.stop();
  await station?.stop();
});

const www = () => join(station.build, "www");
const files = () => ["", "assets"].flatMap((folder) => readdirSync(join(www(), folder)).map((name) => join(www(), folder, name)))
  .filter((path) => statSync(path).isFile() && !/\/\.[^/]*$/.test(path));

test("the weight of the page", () => {
  const all = files();
  for (const path of all) assert.ok(path.endsWith(".gz"), `${path} is not gzip'd`);
  const bytes = all.reduce((sum, path) => sum + statSync(path).size, 0);
  measured(`weight of the page: ${kb(bytes)} gzip'd in ${all.length} files (limit ${kb(weightLimit)})`);
  assert.ok(bytes <= weightLimit, `${bytes} bytes`);
});

test("the editor is fetched when a Lua file is opened, not before", async () => {
  const meta = JSON.parse(readFileSync(join(root, "build/www-work/meta.json"), "utf8"));
  // Whatever holds CodeMirror.
  const chunks = Object.entries(meta.outputs).filter(([, one]) => Object.keys(one.inputs).some((input) => input.includes("@codemirror/view")))
    .map(([path]) => path.replace(/.*\//, ""));
  assert.equal(chunks.length, 1, "the editor is one chunk");
  assert.ok(files().some((path) => path.endsWith(`${chunks[0]}.gz`)), "meta.json is of this build");
  const asked = [];
  const note = (request) => asked.push(new URL(request.url()).pathname);
  page.on("request", note);
  await page.goto("about:blank");
  await page.goto(station.url);
  for (const place of ["orders", "config", "tools", "accounts", "stickers", `connector/${station.connectors[0]}`, "lua"]) {
    await page.evaluate((hash) => { location.hash = hash; }, `#/${place}`);
    await page.locator(`main.page-${place.split("/")[0]} h1`).waitFor();
    await sleep(300);
  }
  assert.ok(asked.some((path) => path.includes("/assets/lua-")), "the Lua page is a chunk of its own");
  assert.ok(!asked.some((path) => path.endsWith(chunks[0])), "the editor came too early");
  await page.evaluate(() => { location.hash = "#/lua/policies/test"; });
  await page.getByRole("textbox", { name: /Lua/ }).waitFor();
  assert.ok(asked.some((path) => path.endsWith(chunks[0])), "the editor came");
  page.off("request", note);
  await page.goto("about:blank");
});

/** A poor line to the gateway: TCP passes through here, later and slower. Unlike the browser's own throttle, which delays requests
 * only, it makes TLS handshakes wait too, and a connection costs the round trip that SYN and its answer take. (TCP's slow start it
 * does not have: the kernel is near at both ends.) */
class Line {
  sockets = new Set();
  connections = 0;
  down = 0; // bytes
  #free = [0, 0]; // when each direction has sent what it was given, ms

  static async start(port, { latencyMs, bitsPerSecond }) {
    const way = Object.assign(new Line(), { latencyMs, bitsPerSecond });
    way.server = createServer((near) => way.#join(near, connect(port, "127.0.0.1")));
    way.server.listen(0, "127.0.0.1");
    await new Promise((done) => way.server.on("listening", done));
    way.port = way.server.address().port;
    return way;
  }

  #join(near, far) {
    this.connections++;
    const open = performance.now() + this.latencyMs;
    for (const [from, to, n] of [[near, far, 0], [far, near, 1]]) {
      from.setNoDelay(true);
      this.sockets.add(from);
      from.on("data", (bytes) => {
        if (n) this.down += bytes.length;
        const now = performance.now();
        this.#free[n] = Math.max(now, n ? 0 : open, this.#free[n]) + (this.bitsPerSecond ? (bytes.length * 8000) / this.bitsPerSecond : 0);
        setTimeout(() => to.destroyed || to.write(bytes), this.#free[n] + this.latencyMs / 2 - now);
      });
      from.on("error", () => to.destroy());
      from.on("close", () => { this.sockets.delete(from); setTimeout(() => to.end(), this.latencyMs); });
    }
  }

  /** Who comes next has to connect. */
  cut() {
    for (const socket of this.sockets) socket.destroy();
    this.connections = 0;
  }

  stop() {
    this.cut();
    this.server.close();
  }
}

/** One first view with nothing in the cache: when all tiles were there, and what came when. */
async function firstView(page, address) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.clearBrowserCache");
  await session.detach();
  await page.goto(address, { waitUntil: "commit" });
  // By the page's own clock, which begins with the navigation, when the frame that shows them has been drawn.
  return page.evaluate((wanted) => new Promise((done) => {
    const look = () => {
      if (document.querySelectorAll(".tile").length < wanted) return void requestAnimationFrame(look);
      requestAnimationFrame(() => setTimeout(() => done({
        ms: performance.now(),
        waterfall: [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((one) => ({
          name: new URL(one.name).pathname, by: one.nextHopProtocol, start: one.startTime, sent: one.requestStart, first: one.responseStart,
          end: one.responseEnd, bytes: one.transferSize,
        })),
      })));
    };
    look();
  }), connectors);
}

async function views(page, address, begin) {
  const runs = [];
  for (let i = 0; i < 5; i++) {
    await page.goto("about:blank"); // the page before would open connections again
    await begin?.();
    runs.push(await firstView(page, address));
  }
  runs.sort((a, b) => a.ms - b.ms);
  const middle = runs[2];
  for (const w of middle.waterfall)
    console.log(`  ${w.name.padEnd(28)} ${w.by} asked ${w.start.toFixed(0)} sent ${w.sent.toFixed(0)} first byte ${w.first.toFixed(0)} end ${w.end.toFixed(0)} ms, ${w.bytes} bytes`);
  return { ...middle, list: `median of ${runs.map((run) => run.ms.toFixed(0)).join(", ")}` };
}

/** What was asked for only when something before it had come: each such step is a round trip on the line. */
function steps(waterfall) {
  let count = 0, end = -1;
  for (const one of [...waterfall].sort((a, b) => a.start - b.start)) {
    if (one.start < end) { end = Math.min(end, one.end); continue; }
    count++;
    end = one.end;
  }
  return count;
}

test("the first view of 64 connectors over 3 Mbit/s and 100 ms", async () => {
  const slow = { offline: false, latency: 100, downloadThroughput: 3e6 / 8, uploadThroughput: 3e6 / 8 };
  await session.send("Network.emulateNetworkConditions", slow);
  const throttled = await views(page, station.url);
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  measured(`first view of ${connectors} connectors, 3 Mbit/s, 100 ms by Chromium's throttle, which delays requests but neither TCP nor TLS: ` +
    `${throttled.ms.toFixed(0)} ms (goal 1000 ms; ${throttled.list})`);

  const line = await Line.start(new URL(station.url).port, { latencyMs: 100, bitsPerSecond: 3e6 });
  const wary = await Browser.start();
  try {
    const address = `https://localhost:${line.port}/`;
    await wary.context.addCookies(await browser.context.cookies());
    for (const [whose, where] of [["a certificate it trusts", page], ["a certificate it was told to bear, for which it connects twice", wary.page]]) {
      const real = await views(where, address, () => line.cut());
      measured(`first view over a line that delays all bytes, TCP and TLS too; ${whose}: ${real.ms.toFixed(0)} ms (${real.list}; ${line.connections} connections)`);
    }
  } finally {
    await wary.stop();
    line.stop();
  }
  const bytes = throttled.waterfall.reduce((sum, one) => sum + one.bytes, 0);
  measured(`first view: ${throttled.waterfall.length} requests, ${kb(bytes)}, ${steps(throttled.waterfall)} steps one after another`);
  // The page; then all at once; the icon after it. And what it weighs on the line.
  assert.ok(steps(throttled.waterfall.filter((one) => one.name !== "/icon.svg")) <= 2, JSON.stringify(throttled.waterfall, null, 1));
  assert.ok(bytes <= 80_000, `${bytes} bytes`);
});

const tile = (connector) => `.tile:has(a[href="#/connector/${connector}"])`;

test("from a plugged car to its tile", async () => {
  await page.goto(station.url);
  const list = [];
  for (let i = 0; i < 5; i++) {
    const seen = page.evaluate((selector) => new Promise((done) => {
      const look = () => (document.querySelector(selector) ? done(Date.now()) : void requestAnimationFrame(look));
      look();
    }), `${tile(station.connectors[i])}.k-occupied`);
    const at = Date.now();
    assert.equal(await station.do("chargers", { line: `plug ${Math.floor(i / 4)} ${(i % 4) + 1}` }), "ok");
    list.push((await seen) - at);
  }
  measured(`from a plugged car to its tile (polls every 500 ms, at most one message a second): median ${median(list)} ms of ${list.join(", ")}`);
});

test("what 64 connectors that charge send", async () => {
  const line = await Line.start(new URL(station.url).port, { latencyMs: 0, bitsPerSecond: 0 });
  try {
    for (const [i, connector] of station.connectors.entries()) {
      if (i >= 5) await station.do("chargers", { line: `plug ${Math.floor(i / 4)} ${(i % 4) + 1}` });
      await until(async () => (await page.locator(`${tile(connector)}.k-occupied`).count()) === 1, `the car at ${connector}`);
      const done = await station.do("cli", { words: ["start", connector] });
      assert.equal(done.code, 0, done.err);
    }
    await page.goto(`https://localhost:${line.port}/`);
    await until(async () => (await page.locator(".tile.k-busy").count()) === connectors, "all to charge", 60_000);
    await sleep(3000);
    let payload = 0, messages = 0, requests = 0;
    const frame = ({ response }) => { payload += Buffer.byteLength(response.payloadData); messages++; };
    const request = () => { requests++; };
    session.on("Network.webSocketFrameReceived", frame);
    page.on("request", request);
    const from = line.down, begun = performance.now();
    await sleep(20_000);
    const seconds = (performance.now() - begun) / 1000, wire = (line.down - from) / seconds;
    session.off("Network.webSocketFrameReceived", frame);
    page.off("request", request);
    payload /= seconds;
    measured(`live traffic of ${connectors} charging connectors: ${kb(payload)}/s of JSON in ${messages} messages, ${kb(wire)}/s on the line with TLS ` +
      `(limit ${kb(trafficLimit)}/s), over ${seconds.toFixed(0)} s`);
    assert.ok(messages >= 10, `${messages} messages: they must live`);
    assert.equal(await page.locator(".tile.k-busy").count(), connectors, "all still charge");
    assert.equal(requests, 0, "the page polls");
    assert.ok(payload <= trafficLimit, `${payload} bytes of JSON a second`);
    assert.ok(wire <= trafficLimit, `${wire} bytes a second on the line`);
  } finally {
    await page.goto("about:blank");
    line.stop();
  }
});

test("nothing was thrown, nothing was asked of others, the content policy held", () => {
  assert.deepEqual(browser.problems, []);
});
