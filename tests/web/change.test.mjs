// What an integrator changes from a browser, and how it comes back: prices (tried on real orders, applied, rolled back), the
// configuration (on trial, back by itself), a backup; and the tools that look for a fault.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { Browser, Station, until } from "./station.mjs";

const password = "a long enough word";
const passphrase = "a passphrase of the test";
let station, browser, page;

before(async () => {
  station = await Station.start("--tcp", 2, "--line", 0, "--connectors", 1, "--speed", 60);
  browser = await Browser.start();
  page = browser.page;
  page.setDefaultTimeout(15_000);
  await page.goto(station.url);
  await page.getByLabel("User").fill(station.user);
  await page.getByLabel("Password", { exact: true }).fill(station.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("One-time password").fill(station.password);
  await page.getByLabel("New password", { exact: true }).fill(password);
  await page.getByLabel("New password again").fill(password);
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByRole("link", { name: "Lua" }).waitFor();
});

// What one leaves undone does not stop the next.
beforeEach(async () => {
  await page.goto("about:blank");
  await page.goto(station.url);
  await page.getByRole("link", { name: "Lua" }).waitFor();
});

after(async () => {
  await browser?.stop();
  await station?.stop();
});

const goTo = (place) => page.evaluate((hash) => { location.hash = hash; }, `#/${place}`);
const button = (name, scope = page) => scope.getByRole("button", { name, exact: true });
const dialog = () => page.getByRole("dialog");

/** A look, asked as the page does. */
const look = (command, args = {}) => page.evaluate(async ([path]) => {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}, [Object.keys(args).length ? `/api/${command}?${new URLSearchParams(args)}` : `/api/${command}`]);

/** Everything that a file must not say. */
async function secrets() {
  const found = [...(await station.do("config")).matchAll(/option (?:our|their)_\w*secret\w* '([^']+)'/g)].map((one) => one[1]);
  assert.ok(found.length >= 8, "the configuration has secrets");
  return found;
}

/** As it is, in hex, and in base64 wherever in a text it begins. */
function disguises(secret) {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    return whole.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + bytes.length) * 4) / 3));
  });
  return [secret, bytes.toString("hex"), bytes.toString("hex").toUpperCase(), ...base64];
}

function holdsNoSecret(text, list, what) {
  for (const secret of list) for (const one of disguises(secret)) assert.ok(!text.includes(one), `${what} holds a secret: ${one}`);
}

test("a secret would be found", async () => {
  const text = await station.do("config"), list = await secrets();
  for (const before of ["", "1", "12"])
    for (const form of ["latin1", "hex", "base64"])
      for (const secret of list) assert.throws(() => holdsNoSecret(Buffer.from(before + text).toString(form), [secret], form), /holds a secret/);
});

/** The file that a click on the page leads to. */
async function downloaded(click) {
  const [file] = await Promise.all([page.waitForEvent("download"), click()]);
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}

/** A car comes, charges so much, and goes; its closed order. */
async function charge(charger = 0) {
  const connector = station.connectors[charger];
  const tile = async () => (await look("overview")).connectors[connector];
  await station.do("chargers", { line: `plug ${charger} 1` });
  await until(async () => (await tile()).status === 2, "the car to be seen");
  const seq = (await station.do("cli", { words: ["start", connector] })).out.split(/\s+/)[1];
  await until(async () => ((await tile()).energy_wh ?? 0) >= 100, "some energy");
  assert.equal((await station.do("cli", { words: ["stop", connector] })).code, 0);
  const order = await until(async () => (await look("orders", { search: seq })).orders.find((one) => one.session === "closed"), "the order");
  await station.do("chargers", { line: `unplug ${charger} 1` });
  await until(async () => (await tile()).status === 1, "the car to leave");
  return order;
}

/** Yuan a kWh times Wh, each part rounded half up to the fen, in hundredths of a fen: by hand, in whole numbers. */
const price = (wh, elecE4, serviceE4) => [elecE4, serviceE4].reduce((sum, e4) => sum + Math.floor((wh * e4 + 50_000) / 100_000) * 100, 0);
const yuan = (e4) => `¥${(e4 / 10_000).toFixed(2)}`;

/** What the order's own page says. */
async function shownMoney(order) {
  await goTo(`orders/${order.seq}`);
  await page.getByText(order.seq).first().waitFor();
  await until(async () => (await page.locator("main").innerText()).includes(yuan(order.money_e4)), `${yuan(order.money_e4)} on the order's page`);
}

const editor = () => page.getByRole("textbox", { name: "Lua text of policies/test" });
const results = () => page.getByRole("region", { name: "Results" });

async function openPolicy() {
  await goTo("lua/policies/test");
  await editor().waitFor();
}

/** In the editor, with keys only: the first word is marked and written over. */
async function overwrite(text, word, by) {
  const lines = text.slice(0, text.indexOf(word)).split("\n");
  await editor().focus();
  await page.keyboard.press("Control+Home");
  for (let i = 1; i < lines.length; i++) await page.keyboard.press("ArrowDown");
  for (let i = 0; i < lines.at(-1).length; i++) await page.keyboard.press("ArrowRight");
  for (let i = 0; i < word.length; i++) await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.type(by);
}

test("a tariff is changed, tried on what really happened, applied, and rolled back", async () => {
  const orders = [await charge(0), await charge(1)];
  for (const order of orders) assert.equal(order.money_e4, price(order.energy_wh, 10_000, 5_000), `${order.energy_wh} Wh`);
  const { text } = await look("lua_read", { item: "policies/test" });

  await openPolicy();
  await overwrite(text, "1.0", "2.5");
  await page.locator(".work").getByText("unsaved", { exact: true }).waitFor();
  await button("Check").first().click();
  await results().getByText("No problems.").waitFor();

  await button("Preview").first().click();
  const sum = (elec) => orders.reduce((all, order) => all + price(order.energy_wh, elec, 5_000), 0);
  const money = async (which) => (await results().locator(`[data-money=${which}]`).innerText()).trim();
  await results().locator("[data-money=before]").waitFor();
  assert.equal(await money("before"), yuan(sum(10_000)));
  assert.equal(await money("after"), yuan(sum(25_000)));
  assert.equal(await money("difference"), `+${yuan(sum(25_000) - sum(10_000))}`);
  for (const order of orders) {
    const row = results().getByRole("row").filter({ hasText: order.seq.slice(-12) });
    const words = await row.innerText();
    assert.ok(words.includes(yuan(price(order.energy_wh, 10_000, 5_000))) && words.includes(yuan(price(order.energy_wh, 25_000, 5_000))), words);
  }
  assert.equal((await look("lua_read", { item: "policies/test" })).text, text, "a preview changes nothing");

  await button("Apply…").click();
  await dialog().getByText("elec = 2.5").waitFor();
  await button("Apply", dialog()).click();
  await page.getByText("policies/test is in force.").waitFor();

  const dear = await charge(0);
  assert.equal(dear.money_e4, price(dear.energy_wh, 25_000, 5_000), `${dear.energy_wh} Wh`);
  await shownMoney(dear);

  await openPolicy();
  await button("History").click();
  const first = results().getByRole("row").filter({ hasNotText: "in force" }).filter({ has: page.getByRole("button") });
  await first.first().waitFor();
  assert.equal(await first.count(), 1);
  await button("Compare", first).click();
  await results().locator("tr.gone").getByText("elec = 1.0").waitFor();
  await results().locator("tr.new").getByText("elec = 2.5").waitFor();
  await button("Roll back…", first).click();
  await dialog().locator("tr.new").getByText("elec = 1.0").waitFor();
  await button("Roll back", dialog()).click();
  await page.getByText(/^Version \w{12} is in force\.$/).waitFor();
  await until(async () => (await editor().innerText()).includes("elec = 1.0"), "the old text in the editor");
  assert.equal((await look("lua_read", { item: "policies/test" })).text, text);

  const cheap = await charge(0);
  assert.equal(cheap.money_e4, price(cheap.energy_wh, 10_000, 5_000), `${cheap.energy_wh} Wh`);
  await shownMoney(cheap);
  assert.equal((await look("order", { seq: dear.seq })).money_e4 ?? dear.money_e4, dear.money_e4, "what is billed is billed");
});

test("a broken Lua text is refused with its line, and nothing changes", async () => {
  const then = await look("lua_read", { item: "policies/test" });
  await openPolicy();
  await overwrite(then.text, "service = 0.5", "service = = 0.5");
  await button("Check").first().click();
  await results().getByText("1 problem").waitFor();
  await results().getByRole("button", { name: "line 2" }).waitFor();
  await button("Apply…").click();
  await until(async () => !(await button("Check").first().isDisabled()), "the check before applying");
  assert.equal(await dialog().count(), 0, "what is broken is not even offered");
  // Nor may a program.
  const status = await page.evaluate(async ([hash]) => {
    const { csrf } = await (await fetch("/api/session")).json();
    const answer = await fetch("/api/lua_save", {
      method: "POST", headers: { "content-type": "application/json", "x-forecourt-csrf": csrf },
      body: JSON.stringify({ item: "policies/test", text: "return {\n  = 1\n}\n", hash }),
    });
    return `${answer.status} ${await answer.text()}`;
  }, [then.hash]);
  assert.match(status, /^400 .*:2: /);
  const now = await look("lua_read", { item: "policies/test" });
  assert.equal(now.text, then.text);
  assert.equal(now.hash, then.hash);
  await button("Discard changes").click();
  await button("Discard", dialog()).click();
});

// ---- configuration ----

const object = (name) => page.locator("details.object").filter({ has: page.locator("summary strong", { hasText: new RegExp(`^${name}$`) }) });
const field = (name, option) => object(name).locator(".field").filter({ has: page.locator("label", { hasText: new RegExp(`^${option}( \\*)?$`) }) });

async function openObject(type, name) {
  await goTo("config");
  await goTo(`config/section/${type}`);
  await object(name).locator("summary").click();
}

async function setOption(type, name, option, value) {
  await openObject(type, name);
  await field(name, option).locator("input").fill(value);
}

async function apply() {
  await button("Review and apply").click();
  await dialog().getByRole("spinbutton").fill("30");
  await button("Apply", dialog()).click();
  await page.getByRole("heading", { name: "The new configuration is on trial" }).waitFor();
}

const kept = async () => {
  await button("Keep it").click();
  await page.getByText("The new configuration is kept.").waitFor();
};
const onDisk = (option) => station.do("config").then((text) => new RegExp(`option ${option} '([^']*)'`).exec(text)?.[1]);

test("a mistake is shown at its field", async () => {
  await setOption("bus", "tcp0", "port", "99999");
  await field("tcp0", "port").getByText("1 to 65535").waitFor();
  assert.equal(await field("tcp0", "port").locator("input").getAttribute("aria-invalid"), "true");
  await until(() => button("Review and apply").isDisabled(), "the button to be closed");
  await button("Discard changes").click();
  // And what only the gateway knows: two connectors of one number.
  await setOption("connector", "c1n1", "connector_id", station.connectors[0]);
  await field("c1n1", "connector_id").locator(".error").waitFor();
  assert.ok(await button("Review and apply").isDisabled());
  await button("Discard changes").click();
});

test("the text shows the line of a mistake", async () => {
  await goTo("config/text");
  const area = page.getByLabel("The configuration as text");
  const text = await area.inputValue();
  holdsNoSecret(text, await secrets(), "the text");
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.includes("option kind 'tcp'"));
  lines[at] = lines[at].replace("tcp", "tpc");
  await area.fill(lines.join("\n"));
  await button(`line ${at + 1}`).click();
  const marked = await area.evaluate((box) => box.value.slice(box.selectionStart, box.selectionEnd));
  assert.equal(marked, lines[at]);
  assert.ok(await button("Review and apply").isDisabled());
  await button("Discard changes").click();
  assert.equal(await area.inputValue(), text);
});

let backup;

test("a backup holds no secret in clear", async () => {
  await goTo("config/backup");
  await page.getByLabel("Passphrase", { exact: true }).first().fill(passphrase);
  await page.getByLabel("Passphrase again").fill(passphrase);
  backup = await downloaded(() => button("Save the backup").click());
  const text = backup.bytes.toString();
  assert.match(text, /"forecourt/);
  const key = readFileSync(join(station.folder, "certs/server.key"), "utf8").split("\n")[1];
  holdsNoSecret(text, [...(await secrets()), passphrase, key], "the backup");
});

let changedAt;

test("a right change that is confirmed stays", async () => {
  assert.equal(await onDisk("service_tel"), "4000000000");
  await setOption("station", "s1", "service_tel", "4001112222");
  await apply();
  changedAt = Date.now();
  await kept();
  assert.equal(await onDisk("service_tel"), "4001112222");
});

test("a charger that is not there any more: the configuration comes back by itself", async () => {
  const then = await station.do("config");
  const port = /config bus 'tcp0'[^]*?option port '(\d+)'/.exec(then)[1];
  await setOption("bus", "tcp0", "port", "1");
  await apply();
  assert.ok((await station.do("config")).includes("option port '1'\n"));
  await until(async () => (await look("overview")).connectors[station.connectors[0]].status === 0, "the charger to be lost");
  await page.getByText("The change was taken back", { exact: true }).waitFor({ timeout: 60_000 });
  await page.getByText(/Nobody confirmed it in time/).waitFor();
  assert.equal(await station.do("config"), then);
  await openObject("bus", "tcp0");
  assert.equal(await field("tcp0", "port").locator("input").inputValue(), port);
  await until(async () => (await look("overview")).connectors[station.connectors[0]].status === 1, "the charger to be back");
  assert.ok(Date.now() - changedAt > 30_000);
  assert.equal(await onDisk("service_tel"), "4001112222", "what was confirmed stays");
});

async function freePort() {
  const socket = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => socket.on("listening", done));
  const { port } = socket.address();
  await new Promise((done) => socket.close(done));
  return port;
}

/** The admin page moves to another port, on trial for 30 s. */
async function move(port) {
  await goTo("config");
  await goTo("config/section/admin");
  await page.locator(".field").filter({ has: page.locator("label", { hasText: /^port( \*)?$/ }) }).locator("input").fill(String(port));
  await button("Review and apply").click();
  await dialog().getByText(`https://localhost:${port}/`).waitFor();
  await dialog().getByRole("spinbutton").fill("30");
  await button("Apply", dialog()).click();
  await until(async () => (await station.do("config")).includes(`option port '${port}'`), "the page to move");
}

test("an admin page that has moved where the browser finds nothing comes back", async () => {
  const then = await station.do("config"), port = await freePort();
  await browser.context.route((url) => url.port === String(port), (route) => route.abort("connectionrefused")); // as behind a firewall
  await move(port);
  await until(async () => (await station.do("config")) === then, "the configuration to come back", 60_000);
  await browser.context.unrouteAll();
  await until(() => page.goto(`${station.url}#/config`).then(() => true, () => false), "the page at its old place");
  await page.reload();
  await page.getByText("The change was taken back", { exact: true }).waitFor();
});

test("an admin page that has moved, and nobody confirms it, comes back and says where", async () => {
  const then = await station.do("config"), port = await freePort();
  await move(port);
  await page.waitForURL((url) => url.port === String(port));
  await button("Keep it").waitFor();
  await page.getByRole("link", { name: "Go there" }).click({ timeout: 60_000 });
  await page.waitForURL((url) => url.origin === new URL(station.url).origin);
  await page.getByText("The change was taken back", { exact: true }).waitFor();
  assert.equal(await station.do("config"), then);
});

test("a backup is restored", async () => {
  await goTo("config/backup");
  const form = page.locator("section").filter({ has: page.getByRole("heading", { name: "Restore a backup" }) });
  await form.locator("input[type=file]").setInputFiles({ name: backup.name, mimeType: "application/json", buffer: backup.bytes });
  await form.getByLabel("Passphrase").fill("not the right passphrase");
  await button("Check", form).click();
  await form.getByRole("alert").waitFor();
  await form.getByLabel("Passphrase").fill(passphrase);
  await button("Check", form).click();
  await form.getByText("station s1").waitFor();
  const list = await secrets();
  await button("Restore", form).click();
  await page.getByRole("heading", { name: "The new configuration is on trial" }).waitFor();
  await kept();
  assert.equal(await onDisk("service_tel"), "4000000000");
  assert.deepEqual(await secrets(), list);
});

// ---- tools ----

test("the registers of a charger", async () => {
  await station.do("chargers", { line: "plug 0 1" });
  await goTo("tools/registers");
  await page.getByLabel("Line", { exact: true }).selectOption("tcp0");
  await page.getByLabel("Unit").fill("1");
  await page.getByLabel("Address", { exact: true }).fill("0");
  await page.getByLabel("Count").fill("10");
  await button("Read").click();
  const rows = page.getByRole("group", { name: "Registers" }).getByRole("row");
  await rows.nth(10).waitFor();
  assert.equal(await rows.count(), 11);
  const words = async (i) => (await rows.nth(i + 1).innerText()).split(/\s+/);
  assert.deepEqual((await words(0)).slice(0, 3), ["0", "0001", "1"], "plugged");
  assert.deepEqual((await words(1)).slice(0, 3), ["1", "0000", "0"], "no fault");
  await station.do("chargers", { line: "unplug 0 1" });
});

test("the trace of a line", async () => {
  await goTo("tools/trace");
  const rows = page.getByRole("group", { name: "Bus trace" }).getByRole("row");
  await rows.filter({ hasText: "→" }).first().waitFor();
  await rows.filter({ hasText: "←" }).first().waitFor();
  const file = await downloaded(() => button("Download pcapng").click());
  assert.equal(file.bytes.readUInt32BE(0), 0x0a0d0d0a, file.name);
  assert.ok(file.bytes.length > 1000);
});

test("what was told to a platform", async () => {
  await goTo("tools/messages");
  const rows = page.getByRole("group", { name: "Messages" }).getByRole("row").filter({ hasText: "notification_stationStatus" });
  // The last hundred are shown, and other tests were busy: something to see.
  await station.do("chargers", { line: "plug 0 1" });
  await rows.first().waitFor();
  // A list that grows at its head moves under the pointer: whoever wants to read one stops it first.
  await page.getByLabel("Method", { exact: true }).selectOption("notification_stationStatus");
  await rows.first().waitFor();
  await page.getByLabel("Follow").uncheck();
  await rows.first().getByRole("button").click();
  await dialog().getByText(station.connectors[0]).or(dialog().getByText(station.connectors[1])).first().waitFor();
  holdsNoSecret(await dialog().innerText(), await secrets(), "a message");
  await button("Close", dialog()).click();
  await station.do("chargers", { line: "unplug 0 1" });
});

test("a conformance run ends with a report", async () => {
  await goTo("tools/conformance");
  await page.getByLabel("At most, seconds").fill("20");
  await button("Begin the run").click();
  await button("Begin the run", dialog()).click();
  const report = await until(async () => {
    const now = await look("conformance_report", { platform: "p1" });
    return now.state === "ended" && now;
  }, "the run to end", 60_000);
  await page.getByText(`${report.totals.passed} passed, ${report.totals.failed} failed, ${report.totals.not_exercised} not exercised`).waitFor();
  assert.ok(report.totals.passed > 0);
  // The simulated platform answers a comparison of orders with nothing: the run has to find that, and nothing else.
  const failed = [...report.messages, ...report.checks].filter((one) => one.verdict === "failed");
  assert.deepEqual(failed.map((one) => one.method ?? one.check), ["check_charge_orders"]);
  for (const finding of failed[0].findings) await page.getByText(`defect: ${finding.text}`).waitFor();
  const html = (await downloaded(() => button("Save as HTML").click())).bytes.toString();
  for (const { method } of report.messages) assert.ok(html.includes(method), method);
  holdsNoSecret(html, await secrets(), "the report");
});

test("the support bundle holds no secret", async () => {
  await goTo("tools/bundle");
  const file = await downloaded(() => button("Make and download").click());
  await page.getByText(`Saved: ${file.name}`).waitFor();
  const text = gunzipSync(file.bytes).toString("latin1");
  assert.match(text, /config platform/);
  holdsNoSecret(text, [...(await secrets()), password, passphrase], "the bundle");
});

test("nothing was thrown, nothing was asked of others, the content policy held", () => {
  assert.deepEqual(browser.problems, []);
});
