/** Time of LAPO's update with pictures beside PyTorch doing the same, one after the other in one run. */
import { availableParallelism } from "node:os";
import { askChild, benchModule, benchScript } from "./children.ts";
import { pythonWith } from "./python.ts";
import type { Bench, BenchOptions, Row } from "./report.ts";

export interface LapoCase {
  /** Pixels of a picture's side. */
  readonly size: number;
  readonly channels: number;
  /** Beside the picture. */
  readonly numbers: number;
  readonly actions: number;
  /** Of each of three hidden layers in every network. */
  readonly width: number;
  /** That the encoder gives. */
  readonly features: number;
  /** Of a batch. */
  readonly rows: number;
  /** PyTorch's fused Adam and slow copies; ours doesn't ask. */
  readonly fused: boolean;
}

export interface LapoJob {
  readonly threads: number;
  readonly cases: readonly LapoCase[];
  /** For each case. */
  readonly seconds: number;
}

export interface LapoFigures {
  readonly engine: string;
  /** Milliseconds of an update, in the order of the cases. */
  readonly figures: readonly { readonly wall: number; readonly cpu: number }[];
}

const peer = ["torch", "numpy"];
const rounds = 2;
const seconds = 2;

/** As on `quadcopter-camera`, with the algorithm's own sizes. */
function caseOf(size: number, rows: number): LapoCase {
  const widths = { channels: 2, numbers: 9, actions: 4, width: 256, features: 256 };
  return { size, rows, ...widths, fused: false };
}
const cases = [caseOf(16, 100), caseOf(32, 100)];

type Side = "ours" | "PyTorch" | "fused";

export const lapoSpeedBench: Bench = {
  title:
    "lapo-speed: milliseconds of LAPO's update with pictures, beside PyTorch as it is usually written and with " +
    "fused optimisers; of each side the best round of its better number of threads",
  run: async (options) => {
    const python = await pythonWith("lapo", peer, options);
    const found = await inRounds(python, options);
    return cases.flatMap((one, i) => [
      rowOf(`${nameOf(one)}, clock`, found, { i, kind: "wall" }),
      rowOf(`${nameOf(one)}, processor`, found, { i, kind: "cpu" }),
    ]);
  },
};

function nameOf({ size, rows }: LapoCase): string {
  return `${size} × ${size} × 2, batch ${rows}`;
}

type Found = Readonly<Record<Side, readonly (readonly LapoFigures[])[]>>;

/** By side, then by number of threads, then by round: in turns, so that all wait for others alike. */
async function inRounds(python: string, { say }: BenchOptions): Promise<Found> {
  const threads = [...new Set([1, Math.min(2, availableParallelism())])];
  const found: Record<Side, LapoFigures[][]> = { ours: [], PyTorch: [], fused: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [t, count] of threads.entries()) {
      for (const side of Object.keys(found) as Side[]) {
        say(`round ${round + 1} of ${rounds}: ${side}, ${count} thread(s)`);
        const told = await ask(side, python, count);
        found[side][t] = [...(found[side][t] ?? []), told];
      }
    }
  }
  return found;
}

function ask(side: Side, python: string, threads: number): Promise<LapoFigures> {
  const own = cases.map((one) => ({ ...one, fused: side === "fused" }));
  const job: LapoJob = { threads, cases: own, seconds };
  const [command, script] =
    side === "ours"
      ? [process.execPath, benchModule("lapo-child")]
      : [python, benchScript("peer_lapo")];
  return askChild<LapoFigures>(command, [script, JSON.stringify(job)], { seconds: 600 });
}

function rowOf(
  what: string,
  found: Found,
  { i, kind }: { readonly i: number; readonly kind: "wall" | "cpu" },
): Row {
  const best = (side: Side) =>
    Math.min(...found[side].flatMap((told) => told.map(({ figures }) => figures[i]![kind])));
  const [ours, usual, fused] = [best("ours"), best("PyTorch"), best("fused")];
  return {
    what,
    figures: {
      ...{ "ours, ms": ours, "PyTorch, ms": usual, "ours / PyTorch": ours / usual },
      ...{ "PyTorch fused, ms": fused, "ours / fused": ours / fused },
    },
    note: found.PyTorch[0]![0]!.engine,
  };
}
