// What the Lua commands answer (core/control/README.md).
export interface LuaFile {
  item: string;
  bytes: number;
  hash: string;
  in_force: boolean;
  version?: string;
  refused?: string;
  read_only?: boolean;
  used_by: string[];
}

export interface LuaText extends Omit<LuaFile, "bytes"> {
  text: string;
}

export interface Problem {
  file: string;
  line?: number;
  text: string;
}

export interface Checked {
  ok: boolean;
  problems: Problem[];
  examples: { run: number; passed: number; failures: { example: number; call?: string; text: string }[] };
}

export interface Difference {
  method?: string;
  part?: string;
  platform?: string;
  at?: number;
  kind: "changed" | "lost" | "added" | "failed" | "refused" | "accepted";
  path: string;
  before: string;
  after: string;
  messages?: number;
}

export interface Period {
  from_s: number;
  elec_e4: number;
  service_e4: number;
}

export interface Preview {
  messages: { compared: number; changed: number; failed?: number; list: Difference[]; left_out?: number };
  orders: {
    compared: number; changed: number; failed?: number; without_trace?: number; unread?: number; left_out?: number;
    money_billed_e4: number; money_before_e4: number; money_after_e4: number;
    list: { seq: string; at: number; platform?: string; energy_wh: number; before_e4: number; after_e4?: number; failed?: string }[];
  };
  prices?: { before: Period[]; after: Period[] };
  table?: { changed: number; list: Difference[] };
  no_before?: boolean;
  cut?: boolean;
  took_ms: number;
}

export interface Saved {
  item: string;
  hash: string;
  before: string;
  version?: string;
  in_force: boolean;
}

export interface Version {
  item: string;
  version: string;
  hash: string;
  at?: string;
  origin: string;
  in_force: boolean;
  text?: string;
}

export interface Key {
  name: string;
  type: string;
  what?: string;
}

export interface Api {
  calls: { call: string; gives?: string; what: string; subject: string }[];
  messages: { method: string; caller: "we" | "they" | "both"; request: string[]; answer: string[] }[];
  timing: string[];
  types?: Record<string, Key[]>;
}
