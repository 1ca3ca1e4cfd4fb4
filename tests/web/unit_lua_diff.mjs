// The differences that the Lua page shows (rootfs/www/src/lua/diff.ts): right, and the shortest. DIFF is the module, bundled;
// tests/system/test_lua_web.py runs this with `node --test`.
import assert from "node:assert/strict";
import { test } from "node:test";

const { diff, pieces } = await import(process.env.DIFF);
const side = (lines, kind) => lines.filter((one) => one.kind === "same" || one.kind === kind).map((one) => one.text);
const split = (text) => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

/** By hand: the length of the longest common subsequence, by the table that everybody knows. */
function common(a, b) {
  const rows = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++)
    for (let k = 1; k <= b.length; k++) rows[i][k] = a[i - 1] === b[k - 1] ? rows[i - 1][k - 1] + 1 : Math.max(rows[i - 1][k], rows[i][k - 1]);
  return rows[a.length][b.length];
}

function check(before, after) {
  const lines = diff(before, after), a = split(before), b = split(after);
  assert.deepEqual(side(lines, "gone"), a);
  assert.deepEqual(side(lines, "new"), b);
  assert.equal(lines.filter((one) => one.kind === "same").length, common(a, b));
  let x = 0, y = 0;
  for (const line of lines) {
    if (line.kind !== "new") assert.equal(line.before, ++x);
    if (line.kind !== "gone") assert.equal(line.after, ++y);
  }
}

test("small ones", () => {
  for (const [before, after] of [["", ""], ["a\n", "a\n"], ["", "a\nb\n"], ["a\nb\n", ""], ["a\nb\nc\n", "a\nx\nc\n"], ["a", "b"], ["a\na\na\n", "a\na\n"]]) check(before, after);
  assert.deepEqual(diff("a\nb\nc\n", "a\nx\nc\n").map((one) => one.kind), ["same", "gone", "new", "same"]);
});

test("many at random", () => {
  let seed = 7;
  const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
  for (let i = 0; i < 500; i++) {
    const text = () => Array.from({ length: random(30) }, () => "abcd"[random(4)]).map((one) => `${one}\n`).join("");
    check(text(), text());
  }
});

test("pieces hold every change, with three lines around it", () => {
  const before = Array.from({ length: 100 }, (_, i) => `line ${i}`).join("\n");
  const found = pieces(diff(before, before.replace("line 20", "x").replace("line 70", "y")));
  assert.equal(found.length, 2);
  assert.deepEqual(found[0].map((one) => one.before ?? one.after), [18, 19, 20, 21, 21, 22, 23, 24]);
  assert.equal(pieces(diff(before, before)).length, 0);
});

test("two that have nothing in common, and are long, end soon", () => {
  const long = (word) => Array.from({ length: 8000 }, (_, i) => `${word} ${i}`).join("\n");
  const lines = diff(long("a"), long("b"));
  assert.equal(lines.length, 16000);
});
