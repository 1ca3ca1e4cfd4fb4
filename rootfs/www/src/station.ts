// One connector whole, as command `connectors {connector}` tells it (the overview's types are in live.ts), and how states
// are drawn. Unknown values are left out.

export interface PointValue {
  name: string;
  unit?: string;
  value?: number | string;
  quality: "good" | "stale" | "unknown";
  age_ms?: number;
  /** "holding 4100.2"; of a CAN point its message. */
  register?: string;
  /** The words of a number that stands for a state. */
  text?: string;
  /** Where it comes from when not the charger: its meter, its car. */
  from?: string;
}

/** What its charger can be told at all, and within which bounds; whether it may be now, it says when it is asked. */
export interface Can {
  start?: boolean;
  stop?: boolean;
  unlock?: boolean;
  reserve?: boolean;
  limit?: { min?: number; max?: number; unit?: string; pause?: number };
}

export interface Detail {
  connector: string;
  name: string;
  station_name?: string;
  session?: string;
  order?: { seq: string; platform: string; energy_wh?: number; money_e4?: number };
  points?: PointValue[];
  qr?: string;
  can?: Can;
  /** What an operator has ordered; the limit beside it in the overview is what the charger was told. */
  operator_limit?: { value: number; unit?: string; state?: string };
  reserved_until?: number;
  reserved_note?: string;
}

/** The command's answer holds a list of one; its events on the live connection are the same. */
export const detailOf = (answer: unknown): Detail | null => {
  const list = (answer as { connectors?: Detail[] } | null)?.connectors;
  return list ? list[0] ?? null : (answer as Detail | null);
};

export type StatusName = "offline" | "idle" | "occupied" | "charging" | "reserved" | "fault";
export const statuses: StatusName[] = ["fault", "offline", "charging", "occupied", "reserved", "idle"];

export const statusName = (status: number): StatusName | "unknown" =>
  ({ 0: "offline", 1: "idle", 2: "occupied", 3: "charging", 4: "reserved", 255: "fault" } as Record<number, StatusName>)[status] ?? "unknown";

/** The shape and colour of a state (icons.tsx). */
export const statusKind = (name: StatusName | "unknown") =>
  ({ offline: "off", idle: "idle", occupied: "occupied", charging: "busy", reserved: "reserved", fault: "bad", unknown: "unknown" } as const)[name];
