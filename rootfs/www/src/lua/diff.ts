// Two texts line by line: the shortest way from one to the other (Myers 1986), in pieces with a few lines around them.
export interface Line {
  kind: "same" | "gone" | "new";
  text: string;
  /** Its number in the text before and after. */
  before?: number;
  after?: number;
}

// Texts that differ in more lines than this are told as replaced as a whole: a diff of them helps nobody, and takes long.
const mostEdits = 1500;

function path(a: string[], b: string[]): number[][] | null {
  const most = Math.min(a.length + b.length, mostEdits);
  const ends: Record<number, number> = { 1: 0 };
  const trace: number[][] = [];
  for (let d = 0; d <= most; d++) {
    const row: number[] = [];
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && ends[k - 1]! < ends[k + 1]!) ? ends[k + 1]! : ends[k - 1]! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      ends[k] = x;
      row[(k + d) / 2] = x;
      if (x >= a.length && x - k >= b.length) {
        trace.push(row);
        return trace;
      }
    }
    trace.push(row);
  }
  return null;
}

function walk(a: string[], b: string[], trace: number[][]): Line[] {
  const lines: Line[] = [];
  let x = a.length, y = b.length;
  for (let d = trace.length - 1; d > 0; d--) {
    const row = trace[d - 1]!;
    const end = (k: number) => row[(k + d - 1) / 2] ?? -1;
    const k = x - y;
    const down = k === -d || (k !== d && end(k - 1) < end(k + 1));
    const k0 = down ? k + 1 : k - 1;
    const x0 = end(k0), y0 = x0 - k0;
    while (x > x0 && y > y0 && x > 0 && y > 0 && a[x - 1] === b[y - 1]) {
      lines.push({ kind: "same", text: a[--x]!, before: x + 1, after: y-- });
    }
    if (down) lines.push({ kind: "new", text: b[--y]!, after: y + 1 });
    else lines.push({ kind: "gone", text: a[--x]!, before: x + 1 });
  }
  while (x > 0) lines.push({ kind: "same", text: a[--x]!, before: x + 1, after: y-- });
  return lines.reverse();
}

export function diff(before: string, after: string): Line[] {
  const a = before === "" ? [] : before.replace(/\n$/, "").split("\n");
  const b = after === "" ? [] : after.replace(/\n$/, "").split("\n");
  const trace = path(a, b);
  if (trace) return walk(a, b, trace);
  return [
    ...a.map((text, i): Line => ({ kind: "gone", text, before: i + 1 })),
    ...b.map((text, i): Line => ({ kind: "new", text, after: i + 1 })),
  ];
}

/** The changed lines with some around them; each list is a piece of its own. */
export function pieces(lines: Line[], around = 3): Line[][] {
  const kept = new Set<number>();
  lines.forEach((line, i) => {
    if (line.kind === "same") return;
    for (let k = i - around; k <= i + around; k++) kept.add(k);
  });
  const out: Line[][] = [];
  lines.forEach((line, i) => {
    if (!kept.has(i)) return;
    if (kept.has(i - 1) && out.length) out[out.length - 1]!.push(line);
    else out.push([line]);
  });
  return out;
}
