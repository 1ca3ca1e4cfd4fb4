// The page's own arithmetic and addresses (rootfs/www/src/format.ts, router.ts, text.ts), without a browser.
// PARTS is a module that exports the three, bundled; test_www.py runs this with `node --test`.
import assert from "node:assert/strict";
import { test } from "node:test";

const kept = new Map();
globalThis.localStorage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
globalThis.document = { documentElement: { lang: "", dataset: {} } };
globalThis.location = { hash: "" };
globalThis.addEventListener = () => {};
kept.set("language", "en");

const { format, router, text } = await import(process.env.PARTS);

test("what is not known is a dash, never 0", () => {
  for (const one of ["power", "energy", "money", "percent", "number", "duration", "dateTime", "clock", "when", "bytes"]) {
    assert.equal(format[one](undefined), "–", one);
    assert.equal(format[one](null), "–", one);
  }
  assert.equal(format.power(0), "0.0 kW");
});

test("amounts", () => {
  assert.equal(format.power(62449), "62.4 kW");
  assert.equal(format.energy(12345), "12.35 kWh");
  assert.equal(format.energy(999_949), "999.9 kWh");
  assert.equal(format.energy(1_234_567), "1.23 MWh");
  assert.equal(format.money(183_449), "¥18.34");
  assert.equal(format.money(183_450), "¥18.35"); // half up, as the gateway rounds
  assert.equal(format.money(12_345_678_900), "¥1,234,567.89");
});

test("durations", () => {
  const cases = [[0, "0 s", "0秒"], [59, "59 s", "59秒"], [60, "1 min", "1分"], [3599, "59 min", "59分"], [7500, "2 h 5 min", "2小时5分"], [90000, "1 d 1 h", "1天1小时"]];
  for (const [seconds, en, zh] of cases) {
    text.setLanguage("en");
    assert.equal(format.duration(seconds), en);
    text.setLanguage("zh");
    assert.equal(format.duration(seconds), zh);
  }
  text.setLanguage("en");
});

test("an address comes back as it went", () => {
  const there = router.parse(router.href("lua", "operators/a b#?%", { line: "rs485/1", none: undefined }));
  assert.equal(there.page, "lua");
  assert.deepEqual(there.rest, ["operators/a b#?%"]);
  assert.equal(there.query.get("line"), "rs485/1");
  assert.equal(there.query.has("none"), false);
  assert.equal(router.parse("").page, "overview");
  assert.deepEqual(router.parse("#/orders/%E0%A4%A").rest, ["%E0%A4%A"]); // broken, but no reason to fall
});

test("texts take arguments, and numbers choose their words", () => {
  const say = text.texts({ a: "{n} {n#order|orders} of {who}", b: "x" }, { a: "{who} 的 {n} 个订单", b: "y" });
  assert.equal(say("a", { n: 1, who: "A" }), "1 order of A");
  assert.equal(say("a", { n: 2, who: "{n}" }), "2 orders of {n}");
  text.setLanguage("zh");
  assert.equal(say("a", { n: 2, who: "A" }), "A 的 2 个订单");
  assert.equal(document.documentElement.lang, "zh-CN");
  assert.equal(say.maybe("constructor"), undefined);
  text.setLanguage("en");
});
