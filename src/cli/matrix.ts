import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { isSlatePilot, slatePilots } from "../../policies/pilots/slates.ts";
import { ConfigError } from "../config/config-error.ts";
import { putWholeSync } from "../disk/whole-file.ts";
import { warn } from "../training/messages.ts";
import { agentNamed } from "./agent-settings.ts";
import {
  type Bench,
  type CellOrder,
  flyCell,
  keepCell,
  keptCell,
  nameOf,
  runChild,
} from "./matrix-cells.ts";
import { flyPilot } from "./matrix-pilots.ts";
import { type Cell, csvOf, markdownOf } from "./matrix-table.ts";
import { wholeFlag } from "./number-flag.ts";
import { rankerWords } from "./ranker-words.ts";
import { environmentOf, slateTask } from "./slate-task.ts";

interface Options {
  readonly agents: string;
  readonly rankers: string;
  readonly envs: string;
  readonly seeds: string;
  readonly pilots: string;
  readonly dataset?: string;
  readonly logged: string;
  readonly episodes: string;
  readonly max_timesteps: string;
  readonly belief: string;
  readonly device: string;
  readonly output: string;
}

export function registerMatrix(program: Command): void {
  program
    .command("matrix")
    .description("train and evaluate agents with rankers, all with all, and write a table")
    .argument("[overrides...]", "KEY=VALUE for every training, e.g. algorithm.tau=0.01")
    .requiredOption("--agents <NAMES>", "e.g. td3_bc,iql,cql,rebrac,bc")
    .requiredOption("--rankers <NAMES>", "e.g. GeMS,WkNN,Softmax,TopK,TopK:ideal")
    .requiredOption("--envs <NAMES>", "e.g. diffuse_topdown,focused_topdown")
    .option("--seeds <NUMBERS>", "of agents and of their evaluation", "0")
    .option("--pilots <NAMES>", "who flies beside them, without training", slatePilots.join(","))
    .option(
      "--dataset <FILE>",
      "logged slates, {env} being the environment's name (default: recorded)",
    )
    .option("--logged <N>", "episodes that are recorded where there are none", "2000")
    .option("--episodes <N>", "whole episodes of each evaluation", "200")
    .option("--max_timesteps <N>", "updates of each agent", "10000")
    .option("--belief <KIND>", "gru or user, of all agents", "gru")
    .option("--device <NAME>", "where TensorFlow computes", "auto")
    .option(
      "-o, --output <FOLDER>",
      "matrix.csv, matrix.md, and what is kept",
      "experiments/matrix",
    )
    .addHelpText("after", "\nStopped, the same command goes on: cells that are finished are kept.")
    .action((overrides: string[], options: Options) => matrix(overrides, options));
}

async function matrix(overrides: readonly string[], options: Options): Promise<void> {
  const orders = ordersOf(overrides, options);
  const folder = resolve(options.output);
  mkdirSync(folder, { recursive: true });
  const bench: Bench = {
    ...{ folder, program: process.argv[1]! },
    datasetOf: (env) =>
      resolve(options.dataset?.replaceAll("{env}", env) ?? join(folder, `${env}.hdf5`)),
  };
  const cells: Cell[] = [];
  for (const [i, order] of orders.entries()) {
    const kept = keptCell(order, bench);
    const place = `${i + 1}/${orders.length} ${nameOf(order)}`;
    if (kept === undefined) warn(`${place}: begins`);
    const cell = kept ?? (await fly(order, bench, options));
    if (kept === undefined) keepCell(order, cell, bench);
    cells.push(cell);
    warn(
      `${place}: ${cell.meanReturn.toFixed(1)} ± ${cell.ci95.toFixed(1)}${kept ? ", kept" : ""}`,
    );
    putWholeSync(join(folder, "matrix.csv"), csvOf(cells));
    putWholeSync(join(folder, "matrix.md"), markdownOf(cells));
  }
  console.log(`${markdownOf(cells)}\n${join(folder, "matrix.csv")}\n${join(folder, "matrix.md")}`);
}

async function fly(order: CellOrder, bench: Bench, options: Options): Promise<Cell> {
  const { ranker } = order;
  if (ranker === null) return flyPilot(order);
  await recorded(order.env, bench, options);
  return flyCell({ ...order, ranker }, bench);
}

/** Slates to learn from are recorded once, where nobody names any. */
async function recorded(env: string, bench: Bench, { dataset, logged }: Options): Promise<void> {
  const path = bench.datasetOf(env);
  if (existsSync(path)) return;
  if (dataset !== undefined) {
    const hint = `Record it: firstsolo record --task ${slateTask(env)} --policy logging -o ${path}.`;
    throw new ConfigError("no-dataset", `${path} is not there`, hint);
  }
  const episodes = wholeFlag("--logged", logged);
  warn(`${path}: ${episodes} episodes of the logging policy are recorded first`);
  const flown = ["--policy", "logging", "--episodes", `${episodes}`, "--seed", "0", "-o", path];
  await runChild(["record", "--task", slateTask(env), ...flown], {
    ...bench,
    name: `${env}_record`,
  });
}

/** Pilots first, what all others are held against; then one seed of all cells after the other. */
function ordersOf(overrides: readonly string[], options: Options): readonly CellOrder[] {
  const { belief, device } = options;
  const steps = wholeFlag("--max_timesteps", options.max_timesteps);
  const episodes = wholeFlag("--episodes", options.episodes);
  const envs = listed(options.envs).map((env) => environmentOf(slateTask(env)));
  const agents = listed(options.agents).map(agentNamed);
  const rankers = listed(options.rankers).map((word) => rankerWords(word));
  const seeds = listed(options.seeds).map((seed) => wholeFlag("--seeds", seed, { least: 0 }));
  const pilots = listed(options.pilots).map(pilotNamed);
  const given = { max_timesteps: `${steps}`, belief, device };
  const args = [
    ...Object.entries(given).flatMap(([flag, value]) => [`--${flag}`, value]),
    ...overrides,
  ];
  const flown = envs.flatMap((env) =>
    pilots.map((agent) => ({ env, agent, ranker: null, seed: seeds[0]!, episodes, args: [] })),
  );
  const trained = seeds.flatMap((seed) =>
    envs.flatMap((env) =>
      agents.flatMap((agent) =>
        rankers.map((ranker) => ({ env, agent, ranker, seed, episodes, args })),
      ),
    ),
  );
  return [...flown, ...trained];
}

function listed(text: string): readonly string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function pilotNamed(name: string): string {
  if (isSlatePilot(name)) return name;
  throw new ConfigError(
    "bad-value",
    `--pilots names ${JSON.stringify(name)}; expected some of ${slatePilots.join(", ")}`,
    "For example --pilots random,greedy.",
  );
}
