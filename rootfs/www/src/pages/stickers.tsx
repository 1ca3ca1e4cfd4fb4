// Stickers to print: the QR code of each connector with its names, in both languages; #/stickers/<connector> is one alone.
import { useEffect, useState } from "preact/hooks";
import { look, save } from "../api";
import { useLive } from "../live";
import type { PageProps } from "../main";
import { Button, Choice, Heading, Loading, Problem } from "../parts";
import { Qr, qrFile } from "../qr";
import { href } from "../router";
import { Detail, detailOf } from "../station";
import { say } from "../text/connector";
import { say as shell } from "../text/shell";
import { say as sticker } from "../text/stickers";

const atOnce = 4;

/** The codes as the gateway makes them, a few at a time. */
function useCodes(ids: string[] | null): { codes: Map<string, Detail>; problem: unknown; done: boolean } {
  const [codes, setCodes] = useState(new Map<string, Detail>());
  const [problem, setProblem] = useState<unknown>(null);
  const key = ids?.join() ?? null;
  useEffect(() => {
    if (!ids) return;
    let gone = false;
    const left = [...ids], found = new Map<string, Detail>();
    const work = async () => {
      for (let id = left.shift(); id && !gone; id = left.shift()) {
        const detail = detailOf(await look("connectors", { connector: id }));
        if (detail) found.set(id, detail);
        if (!gone && (found.size % 16 === 0 || left.length === 0)) setCodes(new Map(found));
      }
    };
    void Promise.all(Array.from({ length: atOnce }, work)).then(() => !gone && setCodes(new Map(found)), (refused: unknown) => !gone && setProblem(refused));
    return () => { gone = true; };
  }, [key]);
  return { codes, problem, done: ids !== null && codes.size >= ids.length };
}

export default function Stickers({ rest }: PageProps) {
  const connectors = useLive((state) => state.data?.connectors);
  const stations = useLive((state) => state.data?.stations);
  const [size, setSize] = useState("small");
  const one = rest[0];
  const ids = one ? [one] : connectors ? Object.keys(connectors).sort((a, b) => connectors[a]!.n - connectors[b]!.n) : null;
  const { codes, problem, done } = useCodes(ids);
  const lacking = done ? ids!.filter((id) => !codes.get(id)?.qr).length : 0;
  return (
    <>
      <Heading aside={<>
        <Choice label={sticker("size")} value={size} onChange={setSize} choices={[{ id: "small", label: sticker("small") }, { id: "large", label: sticker("large") }]} />
        {one && codes.get(one)?.qr && <Button onClick={() => save(`${one}.svg`, "image/svg+xml", qrFile(codes.get(one)!.qr!))}>{say("download_svg")}</Button>}
        <Button kind="primary" disabled={!done} onClick={() => print()}>{say("print")}</Button>
        <a href={one ? href("connector", one) : href("overview")}>{one ? connectors?.[one]?.name || one : say("to_overview")}</a>
      </>}>{shell("stickers")}</Heading>
      {problem !== null && <Problem problem={problem} />}
      {!done && problem === null && <Loading />}
      {lacking > 0 && <p class="empty">{say("no_qr")}</p>}
      <ul class={`stickers ${size}`}>
        {ids?.map((id) => {
          const code = codes.get(id)?.qr, tile = connectors?.[id];
          return code && (
            <li key={id}>
              <p class="scan"><b lang="zh-CN">扫码充电</b> <span lang="en">Scan to charge</span></p>
              <Qr text={code} label={`${say("qr")} ${tile?.name || id}: ${code}`} />
              <p class="name">{tile?.name || codes.get(id)?.name || id}{tile?.park_no && <span> · {tile.park_no}</span>}</p>
              <p class="id">{id}</p>
              <p class="station">{(tile && stations?.[tile.station]?.name) || codes.get(id)?.station_name}</p>
            </li>
          );
        })}
      </ul>
    </>
  );
}
