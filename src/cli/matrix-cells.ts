import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { linesOf } from "../disk/lines.ts";
import { putWholeSync } from "../disk/whole-file.ts";
import { parseObject } from "../metrics/files/jsonl-row.ts";
import { openRun } from "../runs/open-run.ts";
import { RunError } from "../runs/run-error.ts";
import type { Cell } from "./matrix-table.ts";
import { type RankerWords, wholeWords } from "./ranker-words.ts";

/** What makes a cell another one when it changes. */
export interface CellOrder {
  readonly env: string;
  readonly agent: string;
  /** Null: a pilot flies. */
  readonly ranker: RankerWords | null;
  readonly seed: number;
  readonly episodes: number;
  /** Arguments of `train_agent` besides. */
  readonly args: readonly string[];
}

export interface Bench {
  /** Folder of the whole matrix. */
  readonly folder: string;
  readonly program: string;
  /** Of the logged slates of an environment. */
  readonly datasetOf: (env: string) => string;
}

interface Kept {
  readonly order: ReturnType<typeof toldOrder>;
  readonly cell: Cell;
}

/** As it stands in a file. */
function toldOrder({ env, agent, ranker, seed, episodes, args }: CellOrder) {
  return { env, agent, ranker: ranker?.label ?? null, seed, episodes, args };
}

/** As it was finished before, by the same order; undefined: it is to be flown. */
export function keptCell(order: CellOrder, { folder }: Bench): Cell | undefined {
  try {
    const kept = JSON.parse(readFileSync(pathOf(order, folder), "utf8")) as Kept;
    return JSON.stringify(kept.order) === JSON.stringify(toldOrder(order)) ? kept.cell : undefined;
  } catch {
    return undefined;
  }
}

export function keepCell(order: CellOrder, cell: Cell, { folder }: Bench): void {
  mkdirSync(join(folder, "cells"), { recursive: true });
  const kept: Kept = { order: toldOrder(order), cell };
  putWholeSync(pathOf(order, folder), `${JSON.stringify(kept, null, 2)}\n`);
}

function pathOf(order: CellOrder, folder: string): string {
  return join(folder, "cells", `${nameOf(order)}.json`);
}

export function nameOf({ env, agent, ranker, seed }: CellOrder): string {
  return [env, agent, ...(ranker === null ? [] : [ranker.label]), `seed${seed}`].join("_");
}

/** A cell in which an agent flies through a ranker. */
type AgentOrder = CellOrder & { readonly ranker: RankerWords };

/** Trains and evaluates an agent in processes of its own. @throws RunError `cell-failed` */
export async function flyCell(order: AgentOrder, bench: Bench): Promise<Cell> {
  const { env, agent, ranker, seed, episodes, args } = order;
  const { folder, datasetOf } = bench;
  const name = nameOf(order);
  const logs = join(folder, "runs", name);
  // A folder of rankers may hold those of other items too.
  const words = ["--ranker", wholeWords(ranker), "--ranker_root", join(folder, "rankers")];
  const named = ["--agent", agent, "--env_name", env, ...words, "--seed", `${seed}`];
  const places = {
    ...{ dataset: datasetOf(env), log_root: logs, log_dir: join(folder, "logs") },
    ...{ checkpoint_dir: join(folder, "checkpoints"), ui: "none" },
  };
  const flags = Object.entries(places).flatMap(([flag, value]) => [`--${flag}`, value]);
  // It is judged below, with as many episodes as were asked for.
  const training = ["train_agent", ...named, ...flags, "evaluation.final_episodes=0", ...args];
  await runChild(training, { ...bench, name });
  const run = (await openRun(join(logs, `${env}_${ranker.label}_${agent}`))).run.path;
  const said = await runChild(["eval", run, "--episodes", `${episodes}`, "--json"], {
    ...{ ...bench, name },
  });
  const { student_return, student_return_ci95, episodes: flown } = JSON.parse(said);
  return {
    ...{
      env,
      agent,
      ranker: ranker.label,
      seed,
      meanReturn: student_return,
      ci95: student_return_ci95,
    },
    ...{ episodes: flown, ...(await healthOf(run)), run: resolve(run) },
  };
}

/** What its rows and events say of its values. */
async function healthOf(run: string): Promise<Pick<Cell, "largestValue" | "alarm">> {
  let largestValue: number | null = null;
  for await (const { text } of linesOf(join(run, "metrics.jsonl"))) {
    const value = parseObject(text)?.["Value/q_abs_mean"];
    if (typeof value === "number") largestValue = Math.max(largestValue ?? value, value);
  }
  let alarm = false;
  for await (const { text } of linesOf(join(run, "events.jsonl"))) {
    const { type, level } = parseObject(text) ?? {};
    alarm ||= type === "monitor" && level === "alarm";
  }
  return { largestValue, alarm };
}

/** What it said on its standard output; the rest goes into the cell's log. @throws RunError `cell-failed` */
export async function runChild(
  args: readonly string[],
  { program, folder, name }: Pick<Bench, "program" | "folder"> & { readonly name: string },
): Promise<string> {
  mkdirSync(join(folder, "logs"), { recursive: true });
  const log = join(folder, "logs", `${name}.txt`);
  const file = openSync(log, "a");
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", file] });
  let said = "";
  child.stdout?.on("data", (data: Buffer) => {
    said += data;
  });
  const [code] = await once(child, "close");
  closeSync(file);
  if (code === 0) return said;
  throw new RunError(
    "cell-failed",
    `firstsolo ${args[0]} of ${name} ended with ${code === null ? "a signal" : `exit code ${code}`}`,
    `Its words are in ${log}; what was finished before is kept: start the same matrix again.`,
  );
}
