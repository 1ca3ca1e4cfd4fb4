// A new box in a browser: what the overview says is missing, the forms it leads to, made from nothing; in both languages, on a phone.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Browser, Station, output, until } from "./station.mjs";

const password = "correct horse 7 battery";
const patience = Number(process.env.PATIENCE_MS ?? 90_000); // of one wait: a slow machine may take its time
const options = { timeout: 300_000 };

let station, browser, page;

before(async () => {
  station = await Station.start("--empty", "--tcp", 1, "--line", 0, "--connectors", 1);
  browser = await Browser.start();
  page = browser.page;
  page.setDefaultTimeout(patience);
}, options);

after(async () => {
  await browser?.stop();
  await station?.stop();
}, options);

const wait = (fn, what) => until(fn, what, patience);
const open = (hash) => page.evaluate((to) => { location.hash = to; }, hash);
const button = (name) => page.getByRole("button", { name, exact: true });
const step = (name) => page.locator(`.setup li[data-step=${name}]`);
const fieldOf = (form, option) => form.locator(".field").filter({ has: page.locator("label", { hasText: new RegExp(`^${option}( \\*)?$`) }) });
const steps = () => page.$$eval(".setup li", (all) => Object.fromEntries(all.map((one) => [one.dataset.step, one.className])));

/** Adds a section by the form, as a person does: the name is asked, then the fields are there. */
async function add(type, name, values) {
  await open(`#/config/section/${type}`);
  await button("Add").click();
  await page.locator("dialog[open] input[name=name]").fill(name);
  await page.locator("dialog[open]").getByRole("button", { name: "Add", exact: true }).click();
  const form = page.locator("details.object", { has: page.locator("summary strong", { hasText: new RegExp(`^${name}$`) }) });
  for (const [option, value] of Object.entries(values)) {
    const control = fieldOf(form, option).locator("input, select").first();
    if (await control.evaluate((one) => one.tagName) === "SELECT") await control.selectOption(String(value));
    else await control.fill(String(value));
  }
}

/** Reviews, applies, and says that it is to be kept. */
async function keep() {
  await wait(async () => button("Review and apply").isEnabled().catch(() => false), "nothing is wrong with it");
  await button("Review and apply").click();
  await page.locator("dialog[open]").getByRole("button", { name: "Apply", exact: true }).click();
  await page.getByRole("heading", { name: "The new configuration is on trial" }).waitFor();
  await button("Keep it").click();
  await page.getByText("The new configuration is kept.").waitFor();
}

test("the first password opens it, and the overview says what is missing", options, async () => {
  await page.goto(station.url);
  await page.fill("input[name=user]", "admin");
  await page.fill("input[name=password]", station.password);
  await button("Log in").click();
  await page.fill("input[name=old]", station.password);
  await page.fill("input[name=next]", password);
  await page.fill("input[name=repeat]", password);
  await button("Change password").click();
  await step("operator_id").waitFor();
  assert.deepEqual(await steps(), {
    operator_id: "k-warn", station: "k-warn", bus: "k-warn", charger: "k-warn", platform: "k-warn", certificate: "k-idle",
  });
  assert.match(await page.locator(".setup h2").innerText(), /Setting up this gateway\s+5 missing/);
  await page.screenshot({ path: join(output, "box.png"), fullPage: true });
  for (const [name, form] of [["operator_id", "gateway"], ["station", "station"], ["bus", "bus"], ["charger", "charger"], ["platform", "platform"], ["certificate", "admin"]])
    assert.equal(await step(name).locator("a.button").getAttribute("href"), `#/config/section/${form}`);
});

test("both languages, and a phone: nothing is cut off", options, async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const [word, lang, title] of [["中文", "zh", "设置本网关"], ["English", "en", "Setting up this gateway"]]) {
    await button(word).click();
    await wait(async () => (await page.locator(".setup h2").innerText()).includes(title), title);
    const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide[0] <= wide[1], `${lang}: ${wide}`);
    const small = await page.$$eval(".setup a.button", (all) => all.map((one) => one.getBoundingClientRect()).filter((r) => r.height < 24 || r.right > innerWidth).length);
    assert.equal(small, 0);
    await page.screenshot({ path: join(output, `box-phone-${lang}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
});

test("who may only look sees what is missing, and nothing to press", options, async () => {
  const secret = await page.evaluate(async () => {
    const { csrf } = await (await fetch("/api/session")).json();
    const answer = await fetch("/api/account_set", { method: "POST", headers: { "content-type": "application/json", "x-forecourt-csrf": csrf }, body: JSON.stringify({ name: "guest", role: "viewer" }) });
    return (await answer.json()).password;
  });
  const other = await Browser.start();
  try {
    const guest = other.page;
    guest.setDefaultTimeout(patience);
    await guest.goto(station.url);
    await guest.fill("input[name=user]", "guest");
    await guest.fill("input[name=password]", secret);
    await guest.getByRole("button", { name: "Log in", exact: true }).click();
    await guest.fill("input[name=old]", secret);
    await guest.fill("input[name=next]", "only looking 123");
    await guest.fill("input[name=repeat]", "only looking 123");
    await guest.getByRole("button", { name: "Change password", exact: true }).click();
    await guest.locator(".setup li[data-step=platform]").waitFor();
    assert.equal(await guest.locator(".setup li").count(), 6);
    assert.equal(await guest.locator(".setup a.button").count(), 0);
    assert.deepEqual(other.problems, []);
  } finally {
    await other.stop();
  }
});

test("each step has its form, made from nothing; what is done is ticked, and the panel goes", options, async () => {
  const site = station.site;
  await step("operator_id").locator("a.button").click();
  await fieldOf(page.locator("body"), "operator_id").locator("input").fill(site.operator_id);
  await add("station", "north", { station_id: "110105000100001", station_name: "North", area_code: "110105", address: "Road 1", service_tel: "4000000000", station_lng: "116.480881", station_lat: "39.989410" });
  await add("bus", "tcp0", { kind: "tcp", host: "127.0.0.1", port: site.charger_port });
  await keep();
  await open("#/overview");
  await wait(async () => (await steps()).bus === "k-ok", "the bus is ticked");
  assert.deepEqual(await steps(), { operator_id: "k-ok", station: "k-ok", bus: "k-ok", charger: "k-warn", platform: "k-warn", certificate: "k-idle" });
  await page.screenshot({ path: join(output, "box-half.png"), fullPage: true });

  // A charger and its connector are one change.
  await step("charger").locator("a.button").click();
  await add("charger", "c0", { station: "north", bus: "tcp0", profile: "forecourt-sim", equipment_id: "1101050001001" });
  await add("connector", "c0n1", { charger: "c0", connector_id: site.connector_id, power_w: 120000 });
  const [theirs] = [site.theirs];
  await add("platform", "city", {
    operator_id: site.platform_id, url: site.platform_url, their_operator_secret: theirs[0], their_data_secret: theirs[1], their_data_secret_iv: theirs[2], their_sig_secret: theirs[3],
  });
  await keep();
  await open("#/overview");
  await page.locator("li.tile.k-idle").waitFor();
  await wait(async () => (await page.locator(".setup").count()) === 0, "the panel is gone");
  await page.screenshot({ path: join(output, "box-done.png"), fullPage: true });
  assert.deepEqual(browser.problems, []);
});

test("a file that was spoilt by hand: said in both languages, with what is in force meanwhile", options, async () => {
  await station.do("spoil_config");
  const alarm = page.locator("li.alarm", { hasText: "nonsense" });
  await alarm.waitFor();
  assert.match(await alarm.innerText(), /configuration[^]*The configuration is refused, the last good one is in force: [^]*there is no such option/);
  assert.match(await alarm.locator("a.button").innerText(), /Mend the configuration/);
  await page.screenshot({ path: join(output, "box-refused.png"), fullPage: true });
  await button("中文").click();
  await wait(async () => /配置[^]*配置被拒绝，沿用上一份有效配置/.test(await alarm.innerText()), "the same in Chinese");
  assert.doesNotMatch(await alarm.locator("b").innerText(), /[a-z]/);
  await button("English").click();
  await alarm.locator("a.button").click();
  await page.locator("main h1").waitFor();
  await station.do("spoil_config", { spoilt: false });
  await open("#/overview");
  await wait(async () => (await page.locator("li.alarm", { hasText: "nonsense" }).count()) === 0, "the alarm is over");
  assert.deepEqual(browser.problems, []);
});

test("a platform that can't call in is asked by the form, too", options, async () => {
  await open("#/config/section/platform");
  const form = page.locator("details.object", { hasText: "city" });
  const field = fieldOf(form, "pull_s");
  await form.locator("summary").first().click();
  await form.locator("details summary").first().click();
  await field.waitFor();
  assert.match(await field.innerText(), /pull_s[^]*fetched so many seconds apart/);
  await field.locator("input").fill("99999");
  await wait(async () => /pull_s[^]*3600/.test(await field.innerText()), "the range");
  await page.screenshot({ path: join(output, "box-pull.png"), fullPage: true });
});
