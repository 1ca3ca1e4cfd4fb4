// The third of bench_iserv: the same answers by Node.js, as one would write them there: its own https module, its own crypto (AES-128-CBC,
// HMAC-MD5), maps in memory. Same checks (token, form, signature, a TimeStamp and Seq once), same renaming of keys, same envelope, same
// TLS cipher; no store, no record, no Lua.
//
//   node answer_node.mjs PORT CERTIFICATE KEY CALLERS      CALLERS: as bench_iserv reads them
import crypto from "node:crypto";
import fs from "node:fs";
import https from "node:https";

const [port, certificate, key, callersFile] = process.argv.slice(2);
const platforms = new Map();
const charges = new Map();

for (const line of fs.readFileSync(callersFile, "utf8").trim().split("\n")) {
  const [path, operatorId, token, dataSecret, dataIv, sigSecret, plugged, charging, seq] = line.split(" ");
  platforms.set(path, { operatorId, token, dataSecret, dataIv, sigSecret, connectors: new Set([plugged, charging]), seen: new Map() });
  charges.set(seq, { connector: charging, platform: operatorId, started: new Date(), voltage: 390, current: 12.5, soc: 40, wh: 0 });
}

const fixed = (n, digits) => n.toFixed(digits);
const stamp = (d) => new Date(d.getTime() + 8 * 3600e3).toISOString().slice(0, 19).replace("T", " ");
const tariff = [["000000", 0.32], ["070000", 0.68], ["100000", 1.05], ["110000", 1.05], ["130000", 0.68], ["170000", 1.05], ["220000", 0.68], ["230000", 0.32]];

// JSON.stringify can't say 0.3200: what must have its digits is put in as a text with marks that are taken off afterwards.
const number = (n, digits) => `#${fixed(n, digits)}#`;
const toJson = (o) => JSON.stringify(o).replace(/"#(-?[\d.]+)#"/g, "$1");

const answers = {
  query_equip_auth: (p, m) => {
    const ok = p.connectors.has(m.ConnectorID);
    return { ConnectorID: m.ConnectorID, EquipAuthSeq: m.EquipAuthSeq, FailReason: ok ? 0 : 1, SuccStat: ok ? 0 : 1 };
  },
  query_equip_business_policy: (p, m) => ({
    ConnectorID: m.ConnectorID, EquipBizSeq: m.EquipBizSeq, FailReason: 0,
    PolicyInfos: tariff.map(([start, price]) => ({ ElecPrice: number(price, 4), SevicePrice: number(0.45, 4), StartTime: start })),
    SuccStat: 0, SumPeriod: tariff.length,
  }),
  query_equip_charge_status: (p, m) => {
    const c = charges.get(m.StartChargeSeq);
    if (!c) return null;
    const money = (c.wh * 1.5) / 1000, now = stamp(new Date()), started = stamp(c.started);
    return {
      ChargeDetails: [{ DetailElecMoney: number(money, 2), DetailEndTime: now, DetailPower: number(c.wh / 1000, 2), DetailSeviceMoney: number(0, 2),
        DetailStartTime: started, ElecPrice: number(1.05, 4), SevicePrice: number(0.45, 4) }],
      ConnectorID: c.connector, ConnectorStatus: 3, CurrentA: number(c.current, 1), ElecMoney: number(money, 2), EndTime: now, SeviceMoney: number(0, 2),
      Soc: number(c.soc, 1), StartChargeSeq: m.StartChargeSeq, StartChargeSeqStat: 2, StartTime: started, SumPeriod: 1, TotalMoney: number(money, 2),
      TotalPower: number(c.wh / 1000, 2), VoltageA: number(c.voltage, 1),
    };
  },
  query_start_charge: (p, m) => {
    const c = charges.get(m.StartChargeSeq);
    return { ConnectorID: m.ConnectorID, FailReason: c ? 0 : 1, StartChargeSeq: m.StartChargeSeq, StartChargeSeqStat: c ? 2 : 5, SuccStat: c ? 0 : 1 };
  },
};

const special = { qrCode: "QRCode" };
const upper = (k) => special[k] ?? k[0].toUpperCase() + k.slice(1);
function renameKeys(value) {
  if (Array.isArray(value)) return value.map(renameKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [upper(k), renameKeys(v)]));
}

const sign = (p, text) => crypto.createHmac("md5", p.sigSecret).update(text).digest("hex").toUpperCase();

function reply(p, ret, msg, data) {
  let secret = "";
  if (data) {
    const cipher = crypto.createCipheriv("aes-128-cbc", p.dataSecret, p.dataIv);
    secret = cipher.update(toJson(data), "utf8", "base64") + cipher.final("base64");
  }
  return JSON.stringify({ Ret: ret, Msg: msg, Data: secret, Sig: sign(p, `${ret}${msg}${secret}`) });
}

// The bytes of a question may come once; questions sealed once and repeated are what bench_iserv asks, so only a start is held to that, as
// the gateway has it.
function isRepeat(p, method, body) {
  if (method !== "query_start_charge") return false;
  const id = body.TimeStamp + body.Seq, now = Date.now();
  if (p.seen.has(id)) return true;
  p.seen.set(id, now);
  if (p.seen.size > 4096) p.seen.delete(p.seen.keys().next().value);
  return false;
}

function answer(path, method, authorization, text) {
  const p = platforms.get(path);
  const body = JSON.parse(text);
  if (authorization?.length !== 7 + p.token.length || !crypto.timingSafeEqual(Buffer.from(authorization.slice(7)), Buffer.from(p.token)))
    return reply(p, 4002, "token");
  const { OperatorID, Data, TimeStamp, Seq, Sig } = body;
  if (typeof Data !== "string" || typeof Sig !== "string" || OperatorID !== p.operatorId || !/^\d{12,17}$/.test(TimeStamp) || !/^\d{1,10}$/.test(Seq))
    return reply(p, 4003, "form");
  const expected = sign(p, OperatorID + Data + TimeStamp + Seq);
  if (Sig.length !== expected.length || !crypto.timingSafeEqual(Buffer.from(Sig.toUpperCase()), Buffer.from(expected)))
    return reply(p, 4001, "signature");
  if (isRepeat(p, method, body)) return reply(p, 4003, "repeated");
  const decipher = crypto.createDecipheriv("aes-128-cbc", p.dataSecret, p.dataIv);
  const message = renameKeys(JSON.parse(decipher.update(Data, "base64", "utf8") + decipher.final("utf8")));
  const data = answers[method]?.(p, message);
  return data ? reply(p, 0, "", { ...data, gateway: "forecourt" }) : reply(p, 4004, "unknown");
}

const server = https.createServer({
  cert: fs.readFileSync(certificate), key: fs.readFileSync(key), minVersion: "TLSv1.2", ciphers: "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
  keepAliveTimeout: 60000,
}, (request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const at = request.url.lastIndexOf("/");
    let text;
    try {
      text = answer(request.url.slice(0, at), request.url.slice(at + 1), request.headers.authorization, Buffer.concat(parts).toString());
    } catch {
      response.writeHead(400).end();
      return;
    }
    response.writeHead(200, { "Content-Type": "application/json;charset=utf-8", "Content-Length": Buffer.byteLength(text) }).end(text);
  });
});
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));
process.on("SIGTERM", () => process.exit(0));
