// Every page as it looks: pictures in both languages, for a desk and a phone, light and dark, into build/web; none may have a
// serious finding of axe, or be wider than the phone. The pictures are for people to look at.
import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Browser, Station, findings, output, until } from "./station.mjs";

const password = "correct horse 7 battery";
const patience = 90_000;
const options = { timeout: 600_000 };
const sizes = { desk: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } };
const dark = new Set(["login", "overview", "connector", "order", "lua-file", "config"]); // of these dark pictures, too

let station, browser, page;
// Where the way to the pages is barred there is nothing to look at.
let barred = false;
const look = (name, does) => test(name, options, async (t) => {
  if (barred) return t.skip("what leads there failed");
  barred = true;
  await does();
  barred = false;
});
const wait = (fn, what) => until(fn, what, patience);
const pictures = [], found = [], wide = [];

before(async () => {
  for (const old of readdirSync(output)) if (/^look-.*\.png$/.test(old)) rmSync(join(output, old));
  station = await Station.start("--speed", 1);
  browser = await Browser.start();
  page = browser.page;
  page.setDefaultTimeout(patience);
}, options);

after(async () => {
  await browser?.stop();
  await station?.stop();
}, options);

const simulator = async (line) => assert.equal(await station.do("chargers", { line }), "ok", line);
const api = (path) => page.evaluate(async (to) => (await fetch(to)).json(), path);

/** A page is there when its words are, and nothing is being fetched. */
async function settle(ready) {
  await page.locator(ready).first().waitFor();
  await wait(async () => (await page.locator(".loading").count()) === 0, `${ready}: loaded`);
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null))));
}

async function shoot(name, ready) {
  for (const language of ["en", "zh"]) {
    if (!(await page.evaluate(() => document.documentElement.lang)).startsWith(language)) {
      await page.getByRole("button", { name: language === "zh" ? "中文" : "English", exact: true }).click();
      await wait(() => page.evaluate((to) => document.documentElement.lang.startsWith(to), language), language);
    }
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.setViewportSize(viewport);
      for (const scheme of dark.has(name) && language === "en" ? ["light", "dark"] : ["light"]) {
        await page.emulateMedia({ colorScheme: scheme });
        await settle(ready);
        const file = `look-${name}-${language}-${size}${scheme === "dark" ? "-dark" : ""}.png`;
        await page.screenshot({ path: join(output, file), fullPage: true });
        pictures.push(file);
        found.push(...(await findings(page)).map((one) => `${file}: ${one}`));
        const over = await page.evaluate(() => {
          const room = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= room) return null;
          const box = (one) => one.getBoundingClientRect();
          const held = (one) => { for (let up = one.parentElement; up; up = up.parentElement) if (getComputedStyle(up).overflowX !== "visible") return true; return false; };
          const worst = [...document.querySelectorAll("body *")].filter((one) => box(one).right > room + 1 && !held(one)).slice(0, 3);
          return `${document.documentElement.scrollWidth} px: ${worst.map((one) => `${one.tagName}.${one.className}`).join(" ")}`;
        });
        if (over) wide.push(`${file}: ${over}`);
      }
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(sizes.desk);
}

look("the log-in", async () => {
  await page.goto(station.url);
  await shoot("login", "input[name=user]");
  await page.fill("input[name=user]", "admin");
  await page.fill("input[name=password]", station.password);
  await page.locator("form button[type=submit]").click();
  await page.locator("input[name=old]").waitFor();
  await shoot("password", "input[name=old]");
  await page.fill("input[name=old]", station.password);
  await page.fill("input[name=next]", password);
  await page.fill("input[name=repeat]", password);
  await page.locator("form button[type=submit]").click();
  await page.locator("li.tile").first().waitFor();
});

// A station at work: one charge of a platform is over and confirmed, another runs, one charger is silent, one connector faulty,
// one reserved and limited, one order waits.
look("the station gets to work", async () => {
  await station.do("stop_platform");
  await station.do("start_platform", { options: ["--charges", "2", "--charge-seconds", "3600", "--leave-every", "1"] });
  await simulator("plug 0 1");
  const status = async (id) => (await api("/api/overview")).connectors[id];
  const first = await wait(async () => { const at = await status(station.connectors[0]); return at.status === 3 && at.energy_wh > 200 && at; }, "a charge runs");
  await simulator("stop 0 1");
  await wait(async () => (await api(`/api/order?seq=${first.seq}`)).told?.[0]?.state === "confirmed", "its order is confirmed");
  station.order = first.seq;
  await simulator("unplug 0 1");
  await simulator("plug 1 1");
  await wait(async () => (await status(station.connectors[2])).energy_wh > 100, "another charge runs");
  await simulator("fault 0 2 17");
  await simulator("mute 3");
  const said = await station.do("cli", { words: ["reserve", station.connectors[4], "60", "fleet 7"] });
  assert.equal(said.code, 0, said.err);
  await station.do("cli", { words: ["limit", station.connectors[4], "20"] });
  await wait(async () => Object.keys((await api("/api/overview")).alarms ?? {}).length >= 3, "alarms");
});

// Name of the picture, address, what is there when the page is.
const places = [
  ["overview", () => "#/overview", "li.tile.k-busy"],
  ["connector", () => `#/connector/${station.connectors[2]}`, ".points td"],
  ["connector-fault", () => `#/connector/${station.connectors[1]}`, ".points td"],
  ["stickers", () => "#/stickers", "main svg path"],
  ["orders", () => "#/orders", "main table td"],
  ["orders-report", () => "#/orders/report", "main form"],
  ["order", () => `#/orders/${station.order}`, "ol.life"],
  ["lua", () => "#/lua", "nav.tree a"],
  ["lua-file", () => "#/lua/policies/test", ".cm-content"],
  ["config", () => "#/config", "main input, main select"],
  ...["messages", "log", "bus", "registers", "scan", "trace", "conformance", "bundle"].map((tab) => [`tools-${tab}`, () => `#/tools/${tab}`, "main .tabs"]),
  ...[["own", "form"], ["accounts", "td"], ["tokens", "button"], ["sessions", "td"], ["audit", "td"]].map(([tab, ready]) => [`accounts-${tab}`, () => `#/accounts/${tab}`, `main ${ready}`]),
];
for (const [name, hash, ready] of places)
  test(name, options, async (t) => {
    if (barred) return t.skip("what leads there failed");
    await page.evaluate((to) => { location.hash = to; }, hash());
    await shoot(name, ready);
  });

test("what the pictures showed", (t) => {
  t.diagnostic(`measured: ${pictures.length} pictures in build/web, ${found.length} findings of axe, ${wide.length} wider than the window`);
  assert.deepEqual(found, []);
  assert.deepEqual(wide, []);
  assert.deepEqual(browser.problems, []);
  assert.equal(pictures.length, (places.length + 2) * 4 + dark.size * 2);
});
