// The page's live connection (rootfs/www/src/live-link.ts) in a world of its own: clock, timers and wires are made here.
// LINK is the module, bundled; test_live.py runs this with `node --test`.
import assert from "node:assert/strict";
import { test } from "node:test";

const { Link, merge, silenceMs, lastPauseMs } = await import(process.env.LINK);

class World {
  constructor() {
    this.time = 1_000_000;
    this.timers = new Map();
    this.wires = [];
    this.session = true;
    this.asked = 0;
    this.next = 1;
  }
  connect() {
    const wire = { onmessage: null, onclose: null, sent: [], closed: false };
    wire.send = (text) => wire.sent.push(JSON.parse(text));
    wire.close = () => { wire.closed = true; };
    this.wires.push(wire);
    return wire;
  }
  now() { return this.time; }
  later(fn, ms) { this.timers.set(this.next, { fn, at: this.time + ms }); return this.next++; }
  cancel(id) { this.timers.delete(id); }
  random() { return 0.5; }
  async alive() { this.asked++; return this.session; }
  async pass(ms) {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].fn();
      await new Promise((done) => setImmediate(done));
    }
    this.time = end;
  }
  get wire() { return this.wires.at(-1); }
  say(object) { this.wire.onmessage(JSON.stringify(object)); }
}

function begun() {
  const world = new World();
  const link = new Link(world);
  link.start();
  world.say({ seq: 7, all: { time: 1010, totals: { power_w: 1 }, connectors: { a: { status: 1 }, b: { status: 2 } } } });
  return { world, link };
}

test("merge patch as in RFC 7386, appendix A", () => {
  for (const [target, patch, result] of [
    [{ a: "b" }, { a: "c" }, { a: "c" }], [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }], [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }], [{ a: ["b"] }, { a: "c" }, { a: "c" }], [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }], [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [["a", "b"], ["c", "d"], ["c", "d"]], [{ a: "b" }, ["c"], ["c"]], [{ a: "foo" }, null, null], [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }], [[1, 2], { a: "b", c: null }, { a: "b" }], [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]) assert.deepEqual(merge(target, patch), result);
});

test("what does not change stays the same object", () => {
  const before = { a: { x: 1 }, b: { y: { z: 2 } } };
  const after = merge(before, { b: { y: { z: 3 } } });
  assert.equal(after.a, before.a);
  assert.notEqual(after.b, before.b);
  assert.equal(before.b.y.z, 2);
  assert.equal(merge(before, { a: { x: 1 } }), before);
  assert.equal(Object.getPrototypeOf(merge({}, JSON.parse('{"__proto__":{"bad":1}}'))), Object.prototype);
});

test("takes everything, then changes", () => {
  const { world, link } = begun();
  assert.equal(link.state.link, "live");
  const b = link.state.data.connectors.b;
  world.say({ seq: 8, patch: { connectors: { a: { status: 3, power_w: 60000 } } } });
  assert.deepEqual(link.state.data.connectors.a, { status: 3, power_w: 60000 });
  assert.equal(link.state.data.connectors.b, b);
  world.say({ seq: 9, patch: { connectors: { a: null } } });
  assert.deepEqual(Object.keys(link.state.data.connectors), ["b"]);
  world.say({ seq: 9, tick: 1015 });
  assert.equal(link.skewMs, 1_015_000 - world.time);
  assert.deepEqual(world.wire.sent, []);
});

test("a gap is noticed and asks for everything, once", () => {
  const { world, link } = begun();
  world.say({ seq: 9, patch: { totals: { power_w: 5 } } });
  assert.equal(link.state.data.totals.power_w, 1);
  world.say({ seq: 10, patch: { totals: { power_w: 6 } } });
  world.say({ seq: 10, tick: 1011 });
  assert.deepEqual(world.wire.sent, [{ resync: true }]);
  world.say({ seq: 10, all: { totals: { power_w: 6 } } });
  assert.equal(link.state.data.totals.power_w, 6);
  world.say({ seq: 12, tick: 1011 });
  assert.equal(world.wire.sent.length, 2);
  world.wire.onmessage("no JSON");
  assert.equal(world.wire.sent.length, 2);
});

test("a line that breaks is lost since the last word, and comes back by itself", async () => {
  const { world, link } = begun();
  await world.pass(3000);
  world.say({ seq: 7, tick: 1013 });
  const last = world.time;
  await world.pass(1000);
  world.wire.onclose(1006);
  assert.equal(link.state.link, "lost");
  assert.equal(link.state.lostSince, last);
  assert.ok(link.state.data);
  await world.pass(400);
  assert.equal(world.wires.length, 1);
  await world.pass(200);
  assert.equal(world.wires.length, 2);
  assert.equal(link.state.link, "lost");
  world.say({ seq: 3, all: { totals: { power_w: 2 } } });
  assert.equal(link.state.link, "live");
  assert.equal(link.state.lostSince, null);
});

test("tries later and later, never later than the last pause", async () => {
  const { world } = begun();
  const pauses = [];
  for (let i = 0; i < 9; i++) {
    const before = world.time, made = world.wires.length;
    world.wire.onclose(1006);
    while (world.wires.length === made) await world.pass(50);
    pauses.push(world.time - before);
  }
  assert.equal(pauses[0], 500);
  assert.ok(pauses.every((p, i) => i === 0 || p >= pauses[i - 1]));
  assert.equal(pauses.at(-1), lastPauseMs);
});

test("a dead line is noticed by its silence", async () => {
  const { world, link } = begun();
  await world.pass(silenceMs - 100);
  assert.equal(link.state.link, "live");
  await world.pass(200);
  assert.equal(link.state.link, "lost");
  assert.ok(world.wires[0].closed);
  await world.pass(1000);
  assert.equal(world.wires.length, 2);
  // One that never says anything counts as well.
  await world.pass(silenceMs + lastPauseMs);
  assert.ok(world.wires.length > 2);
});

test("a session that has ended is not tried again", async () => {
  const { world, link } = begun();
  world.session = false;
  world.wire.onclose(4401);
  await world.pass(60_000);
  assert.equal(world.asked, 1);
  assert.equal(world.wires.length, 1);
  assert.equal(link.state.link, "off");
  assert.equal(link.state.data, null);
});

test("a refused handshake asks for the session; no answer is no refusal", async () => {
  const world = new World();
  const link = new Link(world);
  link.start();
  assert.equal(link.state.link, "connecting");
  world.alive = () => Promise.reject(new Error("no line"));
  world.wire.onclose(1006);
  await world.pass(2000);
  assert.equal(world.wires.length, 2);
  assert.equal(link.state.link, "connecting");
});

test("stops when the page is hidden for long, and goes on at once when it is back", async () => {
  const { world, link } = begun();
  link.stop(true);
  assert.ok(world.wires[0].closed);
  assert.equal(link.state.link, "off");
  assert.ok(link.state.data);
  await world.pass(100_000);
  assert.equal(world.wires.length, 1);
  link.start();
  assert.equal(world.wires.length, 2);
  assert.equal(link.state.link, "lost"); // what is shown is old
  world.say({ seq: 1, all: {} });
  assert.equal(link.state.link, "live");
});

test("watches a connector, also over a new connection", async () => {
  const { world, link } = begun();
  let told = 0;
  link.subscribe(() => told++);
  link.watch("a");
  assert.deepEqual(world.wire.sent, [{ watch: "a" }]);
  world.say({ connector: { connector: "a", power_w: 1 } });
  assert.equal(link.state.connector.power_w, 1);
  assert.equal(told, 1);
  link.watch("b");
  assert.equal(link.state.connector, null);
  world.say({ connector: { connector: "a", power_w: 2 } });
  assert.equal(link.state.connector, null);
  world.wire.onclose(1006);
  await world.pass(1000);
  assert.deepEqual(world.wire.sent, []);
  world.say({ seq: 1, all: {} });
  assert.deepEqual(world.wire.sent, [{ watch: "b" }]);
  link.watch(null);
  assert.deepEqual(world.wire.sent, [{ watch: "b" }, { watch: null }]);
});
