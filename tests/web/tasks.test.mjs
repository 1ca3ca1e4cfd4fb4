// Whole tasks of an operator, in one browser on one station, in the order of a day: each test goes on where the one before ended.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { Browser, Station, until } from "./station.mjs";

const password = "correct horse 7 battery";
const patience = Number(process.env.PATIENCE_MS ?? 90_000); // of one wait: a slow machine may take its time
const options = { timeout: 300_000 };

let station, browser, page;
/** The order that the platform began. */
let order;

before(async () => {
  station = await Station.start("--speed", 1);
  browser = await Browser.start();
  page = browser.page;
  page.setDefaultTimeout(patience);
}, options);

after(async () => {
  await browser?.stop();
  await station?.stop();
}, options);

// Where one task has failed, the next can't begin.
let fell = false;
const task = (name, does) => test(name, options, async (t) => {
  if (fell) return t.skip("the task before it failed");
  fell = true;
  await does();
  fell = false;
});

const wait = (fn, what) => until(fn, what, patience);
const open = (hash) => page.evaluate((to) => { location.hash = to; }, hash);
const button = (name) => page.getByRole("button", { name, exact: true });
const dialog = () => page.locator("dialog[open]");
const toastOf = (text) => page.locator(".toast", { hasText: text }).first();
const tile = (id) => page.locator("li.tile", { has: page.locator(`a[href="#/connector/${id}"]`) });
const alarm = (text) => page.locator("li.alarm", { hasText: text });
const showsSoon = (locator, pattern, what) => wait(async () => (await locator.count()) > 0 && pattern.test(await locator.first().innerText()), what ?? `${pattern}`);
const simulator = async (line) => assert.equal(await station.do("chargers", { line }), "ok", line);

async function login(user, secret, limits = {}) {
  await page.fill("input[name=user]", user, limits);
  await page.fill("input[name=password]", secret, limits);
  await button("Log in").click(limits);
}

/** Asks the API with the page's own cookie; the answer's status and its JSON. */
const api = (path, init) => page.evaluate(async ([to, what]) => {
  const answer = await fetch(to, what);
  return { status: answer.status, said: await answer.json().catch(() => null) };
}, [path, init]);

async function chooseLanguage(word, lang) {
  await button(word).click();
  await wait(() => page.evaluate((to) => document.documentElement.lang === to, lang), `language ${lang}`);
}

/** Opens a connector's page and waits until its values are there. */
async function openConnector(id) {
  await open(`#/connector/${id}`);
  await page.locator(".points td").first().waitFor();
}

task("the one-time password opens the page once, and must be changed", async () => {
  await page.goto(station.url);
  await login("admin", "not the password");
  await showsSoon(page.locator(".notice"), /User or password is wrong/);
  // Whoever tried wrongly waits a moment; the page says so, and gives the button back.
  await wait(async () => {
    if (await page.locator("input[name=old]").isVisible()) return true;
    // Between two looks the page may have gone on, and there is no such button, or no such field, any more: looked at again.
    const soon = { timeout: 1000 };
    if (await button("Log in").isEnabled(soon).catch(() => false)) await login("admin", station.password, soon).catch(() => {});
    return false;
  }, "the page lets one in");
  await page.fill("input[name=old]", station.password);
  await page.fill("input[name=next]", "short");
  await page.fill("input[name=repeat]", "another");
  await button("Change password").click();
  await showsSoon(page.locator("form"), /At least 10 characters, please[^]*not the same/);
  // Before the change nothing else is to be had.
  assert.equal((await api("/api/overview")).status, 403);
  await page.fill("input[name=next]", password);
  await page.fill("input[name=repeat]", password);
  await button("Change password").click();
  await tile(station.connectors[0]).waitFor();

  const again = await api("/api/login", { method: "POST", credentials: "omit", headers: { "content-type": "application/json" }, body: JSON.stringify({ user: "admin", password: station.password }) });
  assert.deepEqual([again.status, again.said.key], [403, "login.wrong"]);
  assert.equal((await api("/api/session")).said.user, "admin");
});

task("the overview shows every connector, its state, and what is around", async () => {
  await wait(async () => (await page.locator("li.tile.k-idle").count()) === station.connectors.length, "every connector idle");
  for (const id of station.connectors) assert.equal(await tile(id).count(), 1, id);
  await showsSoon(page.locator(".heading"), /Live \d\d:\d\d:\d\d/);
  await showsSoon(page.locator(".figures"), /Power now\s+0\.0 kW\s+Charging\s+0\s+of 8/);
  await showsSoon(page.locator("section[aria-labelledby=platforms]"), /p1\s[^]*connected/);
  await showsSoon(page.locator("section[aria-labelledby=buses]"), /tcp0[^]*up[^]*line0[^]*up/);
  await showsSoon(page.locator(".alarms"), /No alarms/);
});

task("a charge begins and ends under one's eyes", async () => {
  const id = station.connectors[0];
  // A platform that starts a charge wherever a car has come, and leaves its end to the car.
  await station.do("stop_platform");
  await station.do("start_platform", { options: ["--charges", "1", "--charge-seconds", "3600", "--leave-every", "1"] });
  await simulator("plug 0 1");
  await showsSoon(tile(id), /Occupied|Charging/);
  await showsSoon(tile(id), /Charging[^]*\d+\.\d kW/, "the tile charges, with its power");
  await showsSoon(tile(id), /\d+ %/);
  await showsSoon(page.locator(".figures"), /Charging\s+1\s+of 8/);
  await showsSoon(tile(id), /0\.[1-9]\d? kWh · ¥0\.[1-9]/, "energy and money grow");
  order = (await api("/api/overview")).said.connectors[id].seq;
  assert.match(order, /^\d{27}$/);
  const then = await tile(id).innerText();
  await wait(async () => (await tile(id).innerText()) !== then, "the tile goes on");

  await simulator("stop 0 1");
  await wait(async () => /Occupied/.test(await tile(id).innerText()) && !/kW(?!h)/.test(await tile(id).innerText()), "the charge has ended, and gives no power");
  await showsSoon(page.locator(".figures"), /Today's money\s+¥\d+\.\d\d\s+Today's energy\s+\d+\.\d\d kWh\s+Today's charges\s+1/, "the day's sums");
  await simulator("unplug 0 1");
  await showsSoon(tile(id), /Idle/);
});

task("an order is followed from its start to its confirmation, and taken away as CSV", async () => {
  await wait(async () => (await api(`/api/order?seq=${order}`)).said?.told?.[0]?.state === "confirmed", "the platform confirms");
  await open("#/orders");
  const row = page.locator("tr", { has: page.locator(`a[href="#/orders/${order}"]`) });
  await showsSoon(row, /p1[^]*kWh[^]*¥[^]*confirmed/);
  const file = page.waitForEvent("download");
  await button("Export CSV").click();
  const lines = readFileSync(await (await file).path(), "utf8").trim().split("\n");
  assert.ok(lines.length >= 2 && lines[0].includes(","), lines[0]);
  const found = lines.filter((line) => line.includes(order));
  assert.ok(found.length >= 1 && found.every((line) => line.includes(station.connectors[0])), lines.join("\n"));

  await page.fill("input[name=search]", order.slice(-6));
  await button("Search").click();
  await wait(() => page.evaluate(() => location.hash.includes("search=")), "the search stands in the address");
  await row.locator(`a[href="#/orders/${order}"]`).click();
  const whole = (await api(`/api/order?seq=${order}`)).said;
  await showsSoon(page.locator("h1"), new RegExp(order));
  const money = `¥${(Math.floor(whole.money_e4 / 100 + 0.5) / 100).toFixed(2)}`;
  await showsSoon(page.locator(".panel", { hasText: "Bill" }), new RegExp(`Total\\s+${money.replace(".", "\\.")}`), `the total ${money}`);
  const details = page.locator(".panel", { hasText: "Detail lines by tariff period" }).locator("tbody tr");
  assert.equal(await details.count(), whole.lines.length);
  await showsSoon(details, /kWh\s+1(\.0+)?\s+0\.5/, "the prices of the period");

  // Its life, in this order.
  const life = page.locator("ol.life");
  await life.waitFor();
  const told = await life.innerText();
  let from = 0;
  for (const step of ["query_start_charge", "starting", "charging", "notification_start_charge_result", "notification_charge_order_info", "confirmed"]) {
    const at = told.indexOf(step, from);
    assert.ok(at >= 0, `${step} is missing, or too early, in:\n${told}`);
    from = at;
  }
  assert.match(told, /Ret 0/);
  assert.match(told, /\d ms/);
});

task("start and stop by the page, after a question", async () => {
  // The platform must not be quicker: this one does no business.
  await station.do("stop_platform");
  await station.do("start_platform");
  const id = station.connectors[2];
  await simulator("plug 1 1");
  await openConnector(id);
  await showsSoon(page.locator("h1"), /Occupied/);
  await button("Start").click();
  await showsSoon(dialog(), /Start a charge at 02A\?/);
  await dialog().getByRole("button", { name: "Cancel" }).click();
  await dialog().waitFor({ state: "detached" });
  assert.doesNotMatch(await page.locator("h1").innerText(), /Charging/);
  await button("Start").click();
  await dialog().getByRole("button", { name: "Start", exact: true }).click();
  await toastOf("02A: the charge is starting").waitFor();
  await showsSoon(page.locator("h1"), /Charging/);
  await showsSoon(page.locator(".figures"), /Power\s+[1-9]\d*\.\d kW[^]*Session energy\s+0\.\d*[1-9]\d* kWh/);
  await showsSoon(page.locator("ol.events"), /starting → charging/);
  await button("Stop").click();
  await showsSoon(dialog(), /can't be taken up again/);
  await dialog().getByRole("button", { name: "Stop", exact: true }).click();
  await toastOf("02A: the charge is stopping").waitFor();
  await showsSoon(page.locator("h1"), /Occupied/);
  await showsSoon(page.locator("ol.events"), /stopping/);
  await button("Start").waitFor();
  await simulator("unplug 1 1");
  await showsSoon(page.locator("h1"), /Idle/);
});

task("a start that is refused says why, in both languages", async () => {
  await openConnector(station.connectors[3]);
  await button("Start").click();
  await dialog().getByRole("button", { name: "Start", exact: true }).click();
  await showsSoon(dialog().locator(".notice"), /^No car is plugged in\.$/);
  await dialog().getByRole("button", { name: "Cancel" }).click();
  await chooseLanguage("中文", "zh-CN");
  await button("启动").click();
  await dialog().getByRole("button", { name: "启动", exact: true }).click();
  await showsSoon(dialog().locator(".notice"), /^未插枪。$/);
  await dialog().getByRole("button", { name: "取消" }).click();
  await chooseLanguage("English", "en");
});

task("a limit and a reservation by the page are seen at the tile, and taken back", async () => {
  const id = station.connectors[2];
  await openConnector(id);
  await button("Limit…").click();
  await dialog().locator("input[name=value]").fill("100000");
  await dialog().getByRole("button", { name: "Limit", exact: true }).click();
  assert.equal(await dialog().locator("input[name=value]").evaluate((input) => input.validity.rangeOverflow), true);
  await dialog().locator("input[name=value]").fill("30");
  await dialog().getByRole("button", { name: "Limit", exact: true }).click();
  await toastOf("02A: limited to 30 kW").waitFor();
  await button("Reserve…").click();
  await dialog().locator("input[name=minutes]").fill("20");
  await dialog().locator("input[name=note]").fill("fleet 7");
  await dialog().getByRole("button", { name: "Reserve", exact: true }).click();
  await toastOf("02A: reserved until").waitFor();
  await showsSoon(page.locator(".identity"), /Reserved until[^]*fleet 7/);
  await open("#/overview");
  await showsSoon(tile(id), /Reserved[^]*until \d\d:\d\d/);
  await showsSoon(tile(id), /limit 30 kW/);
  // The charger has it, too.
  const points = (await api(`/api/connectors?connector=${id}`)).said.connectors[0].points;
  await wait(async () => (await api(`/api/connectors?connector=${id}`)).said.connectors[0].points.find((one) => one.name === "limit_kw").value === 30, `the charger's limit in ${JSON.stringify(points)}`);

  await openConnector(id);
  await button("Release limit").click();
  await dialog().getByRole("button", { name: "Release limit", exact: true }).click();
  await toastOf("02A: limit released").waitFor();
  await button("End reservation").click();
  await dialog().getByRole("button", { name: "End reservation", exact: true }).click();
  await toastOf("02A: no longer reserved").waitFor();
  await open("#/overview");
  await wait(async () => /Idle/.test(await tile(id).innerText()) && !/limit/.test(await tile(id).innerText()), "the tile is as before");
});

task("a charger that falls silent is an alarm with cause and time, and ends by itself", async () => {
  // One of two on a line: the line itself is well.
  const of = [station.connectors[6], station.connectors[7]];
  await simulator("mute 3");
  const silent = alarm("Unit silent");
  await showsSoon(silent, /Unit 2 on line0 does not answer[^]*\d\d:\d\d/);
  for (const id of of) await showsSoon(tile(id), /Off line[^]*\d+ (s|min) old/, "off line, with the age of what was last read");
  await showsSoon(alarm("04A"), /Off line[^]*The charger does not answer[^]*\d\d:\d\d/);
  const since = await silent.locator("time").innerText();
  await page.locator(".filter a", { hasText: "Off line" }).click();
  await wait(async () => (await page.locator("li.tile").count()) === of.length, "only the two that are off line");
  await page.locator(".filter a", { hasText: "All" }).click();
  await page.locator("li.tile").nth(station.connectors.length - 1).waitFor();
  assert.equal(await silent.locator("time").innerText(), since);
  await simulator("unmute 3");
  await showsSoon(page.locator(".alarms"), /No alarms/);
  for (const id of of) await showsSoon(tile(id), /Idle/);
});

task("a faulty connector says what it has, in both languages", async () => {
  const id = station.connectors[1];
  await simulator("fault 0 2 17");
  await showsSoon(tile(id), /Fault[^]*The charger reports fault 17/);
  await showsSoon(alarm("01B"), /Fault[^]*The charger reports fault 17/);
  await chooseLanguage("中文", "zh-CN");
  await showsSoon(tile(id), /故障[^]*充电桩上报故障码 17/);
  await chooseLanguage("English", "en");
  await simulator("clear 0 2");
  await showsSoon(tile(id), /Idle/);
  await showsSoon(page.locator(".alarms"), /No alarms/);
});

task("a gateway that hangs: connection lost, and back by itself", async () => {
  await station.do("freeze");
  try {
    await showsSoon(page.locator(".lostbar"), /Connection lost[^]*No word from the gateway since/);
  } finally {
    await station.do("thaw");
  }
  await page.locator(".lostbar").waitFor({ state: "detached" });
  await showsSoon(page.locator(".heading"), /Live/);
  await wait(async () => (await page.locator("li.tile.k-idle").count()) === station.connectors.length, "every connector idle again");
});

task("a gateway that is started anew asks for the log-in, and the place is kept", async () => {
  await open(`#/orders/${order}`);
  await showsSoon(page.locator("h1"), new RegExp(order));
  await open("#/overview");
  await showsSoon(page.locator(".heading"), /Live/);
  await station.do("kill");
  await showsSoon(page.locator(".lostbar"), /Connection lost/);
  await open(`#/connector/${station.connectors[4]}`);
  await station.do("restart");
  await showsSoon(page.locator("main.gate"), /The session has ended/);
  await login("admin", password);
  await page.locator(".points td").first().waitFor();
  assert.equal(await page.evaluate(() => location.hash), `#/connector/${station.connectors[4]}`);
  // Nothing was lost.
  await open(`#/orders/${order}`);
  await showsSoon(page.locator(".panel", { hasText: "Told to platforms" }), /confirmed/);
});

task("an account that may only look sees no button to act, and the API refuses it", async () => {
  await open("#/accounts/accounts");
  await button("Add an account").click();
  await dialog().locator("input[name=name]").fill("guest");
  await dialog().locator("select[name=role]").selectOption("viewer");
  await dialog().getByRole("button", { name: "Add", exact: true }).click();
  const secret = (await page.locator("dialog .told").innerText()).trim();
  await dialog().getByRole("button", { name: "Close" }).last().click();
  await showsSoon(page.locator("tr", { hasText: "guest" }), /viewer[^]*must set a password/);

  const other = await Browser.start();
  try {
    const guest = other.page;
    guest.setDefaultTimeout(patience);
    await guest.goto(`${station.url}#/connector/${station.connectors[2]}`);
    await guest.fill("input[name=user]", "guest");
    await guest.fill("input[name=password]", secret);
    await guest.getByRole("button", { name: "Log in" }).click();
    await guest.fill("input[name=old]", secret);
    await guest.fill("input[name=next]", "only looking 123");
    await guest.fill("input[name=repeat]", "only looking 123");
    await guest.getByRole("button", { name: "Change password" }).click();
    await guest.locator(".points td").first().waitFor();
    await wait(async () => /Your role may look, not act/.test(await guest.locator("main").innerText()), "it is said");
    for (const name of ["Start", "Stop", "Limit…", "Unlock", "Reserve…"]) assert.equal(await guest.getByRole("button", { name, exact: true }).count(), 0, name);
    const refused = await guest.evaluate(async (connector) => {
      const { csrf, role } = await (await fetch("/api/session")).json();
      const answers = [];
      for (const [command, args] of [["start", { connector }], ["account_set", { name: "guest", role: "administrator" }], ["config_revert", {}]]) {
        const answer = await fetch(`/api/${command}`, { method: "POST", headers: { "content-type": "application/json", "x-forecourt-csrf": csrf }, body: JSON.stringify(args) });
        answers.push(answer.status);
      }
      return { role, answers, audit: (await fetch("/api/audit")).status };
    }, station.connectors[2]);
    assert.deepEqual(refused, { role: "viewer", answers: [403, 403, 403], audit: 403 });
    await guest.goto(`${station.url}#/accounts/accounts`);
    await wait(async () => /Your role may not do this/.test(await guest.locator("main").innerText()), "accounts are not for guests");
    assert.deepEqual(other.problems, []);
  } finally {
    await other.stop();
  }
});

task("after the log-out neither the back button nor the API shows anything", async () => {
  await open("#/overview");
  await showsSoon(page.locator(".heading"), /Live/);
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await showsSoon(page.locator("main.gate"), /You are logged out/);
  const nothing = async () => {
    const text = await page.locator("body").innerText();
    for (const word of ["02A", order, "Alarms", "guest"]) assert.ok(!text.includes(word), `${word} is shown after the log-out`);
  };
  await page.goBack();
  await page.locator("input[name=password]").waitFor();
  await nothing();
  await page.reload();
  await page.locator("input[name=password]").waitFor();
  await nothing();
  for (const path of ["/api/overview", "/api/orders", `/api/order?seq=${order}`, "/api/config_show", "/api/session"]) assert.equal((await api(path)).status, 401, path);
  const wire = await page.evaluate(() => new Promise((done) => {
    const socket = new WebSocket(`wss://${location.host}/api/live`);
    socket.onopen = () => done("opened");
    socket.onerror = () => done("refused");
  }));
  assert.equal(wire, "refused");
});

test("nobody else was asked, nothing was thrown, the content policy held", () => {
  assert.deepEqual(browser.problems, []);
});
