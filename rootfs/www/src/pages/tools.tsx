// Tools of the person who looks for a fault from afar: each a tab with an address of its own.
import type { ComponentType } from "preact";
import { may, Role } from "../api";
import type { PageProps } from "../main";
import { Heading, Notice, Tabs } from "../parts";
import { href } from "../router";
import { say } from "../text/tools";
import { Bundle } from "../tools/bundle";
import { Conformance } from "../tools/conformance";
import { Figures } from "../tools/figures";
import { Log } from "../tools/log";
import { Messages } from "../tools/messages";
import { Registers } from "../tools/registers";
import { Scan } from "../tools/scan";
import { Trace } from "../tools/trace";

type TabName = "messages" | "log" | "bus" | "registers" | "scan" | "trace" | "conformance" | "bundle";
const tabs: { id: TabName; role: Role; body: ComponentType }[] = [
  { id: "messages", role: "operator", body: Messages },
  { id: "log", role: "operator", body: Log },
  { id: "bus", role: "viewer", body: Figures },
  { id: "registers", role: "integrator", body: Registers },
  { id: "scan", role: "integrator", body: Scan },
  { id: "trace", role: "integrator", body: Trace },
  { id: "conformance", role: "operator", body: Conformance },
  { id: "bundle", role: "integrator", body: Bundle },
];

export default function Tools({ rest }: PageProps) {
  const tab = tabs.find((one) => one.id === rest[0]) ?? tabs.find((one) => may(one.role)) ?? tabs[0]!;
  const Body = tab.body;
  return (
    <>
      <Heading>{say("tools")}</Heading>
      <Tabs label={say("tools")} current={tab.id}
        tabs={tabs.map((one) => ({ id: one.id, label: say(one.id), href: href("tools", one.id) }))} />
      {may(tab.role) ? <Body key={tab.id} /> : <Notice kind="info">{say("need", { role: say(tab.role as "operator" | "integrator") })}</Notice>}
    </>
  );
}
