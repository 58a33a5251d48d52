/** What a policy costs in flight and an optimiser step on the ground, on every engine there is. */
import { availableParallelism } from "node:os";
import { askChild, benchModule } from "./children.ts";
import { cases, lightCases, type NetworkFigures, type NetworkJob } from "./network-cases.ts";
import { type Bench, type Figure, missing, type Row } from "./report.ts";

interface Variant {
  readonly column: string;
  readonly job: NetworkJob;
}

function variants(): readonly Variant[] {
  const cores = availableParallelism();
  const seconds = 0.7;
  const modes = ["off", "on"] as const;
  const native = (device: "cpu" | "cuda", threads: number): Variant[] =>
    modes.map((compile) => {
      const where = device === "cuda" ? "cuda" : `${threads} thread${threads === 1 ? "" : "s"}`;
      const how = compile === "on" ? "compiled" : "eager";
      return { column: `${where}, ${how}, ms`, job: { device, threads, compile, cases, seconds } };
    });
  const light = { compile: "off", cases: lightCases, seconds } as const;
  return [
    ...native("cpu", 1),
    ...(cores > 1 ? native("cpu", cores) : []),
    ...native("cuda", 1),
    { column: "wasm, ms", job: { device: "wasm", threads: 1, ...light } },
  ];
}

export const networkBench: Bench = {
  title:
    "network: act() with its readback, and an Adam step with clipping, 12 – h – h – h – 4, elu",
  run: async ({ say }) => {
    const found = new Map<string, Record<string, Figure>>();
    const notes: Row[] = [];
    for (const { column, job } of variants()) {
      say(column.replace(", ms", ""));
      try {
        const { engine, milliseconds } = await measure(job);
        for (const [name, figure] of Object.entries(milliseconds)) {
          found.set(name, { ...found.get(name), [column]: figure });
        }
        notes.push({ what: column.replace(", ms", ""), figures: {}, note: engine });
      } catch (error) {
        notes.push(missing(column.replace(", ms", ""), error));
      }
    }
    return [...[...found].map(([what, figures]) => ({ what, figures })), ...notes];
  },
};

/** Threads are fixed when the library loads: each engine in a process of its own. */
export function measure(job: NetworkJob): Promise<NetworkFigures> {
  const args = [benchModule("network-child"), JSON.stringify(job)];
  return askChild<NetworkFigures>(process.execPath, args, { seconds: 180 });
}
