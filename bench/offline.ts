/**
 * Learning from recorded flights: BC and TD3+BC beside d3rlpy's TD3+BC, on the same files, with the same
 * settings and number of updates, flown by one judge. Each piece (data, method, seed) is kept in
 * bench/results/offline, so that a measurement can be cut into many and go on where it was:
 *
 *     npm run bench -- offline --peer --only d3rlpy --seeds 3 --updates 100000
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startEngine } from "../src/engine/start.ts";
import { askChild, benchScript } from "./children.ts";
import {
  type DataFigures,
  type DataName,
  dataNames,
  figuresOf,
  flightsOf,
  resultsFolder,
  task,
} from "./offline-data.ts";
import { type Judged, judged, ourStudent, peerStudent } from "./offline-judge.ts";
import { ourValue } from "./offline-value.ts";
import { interval, keptPiece } from "./pieces.ts";
import { pythonWith } from "./python.ts";
import { type Bench, type BenchOptions, missing, namedOnly, type Row, type Say } from "./report.ts";
import { median } from "./timing.ts";
import { trainWatched } from "./training.ts";

const settings = {
  ...{ batch_size: 256, hidden: [256, 256], alpha: 2.5, discount: 0.99, learning_rate: 3e-4 },
};
/** Of each side: with more, those of PyTorch wait for each other wherever somebody else works too. */
const threads = 1;
/** Whose critics have a LayerNorm says so. */
const methods = ["bc", "td3_bc", "td3_bc+norm", "d3rlpy", "d3rlpy+norm"] as const;
type Method = (typeof methods)[number];
const peerPackages = ["d3rlpy==2.8.1", "torch", "h5py", "numpy"];
/** Hours of patience for one piece. */
const patience = 6 * 3600;

/** What is kept of one. */
interface Piece extends Judged {
  /** Q(s, π(s)) over what episodes start with; null where nothing is valued. */
  readonly value: number | null;
  /** Of one update. */
  readonly milliseconds: number;
  readonly note?: string;
}

interface Order {
  readonly data: DataName;
  readonly path: string;
  readonly figures: DataFigures;
  readonly method: Method;
  readonly seed: number;
  readonly updates: number;
  readonly episodes: number;
  readonly say: Say;
}

export const offlineBench: Bench = {
  title:
    "offline: what students that never flew return, mean ± 95 % over seeds; Q(s, π(s)) where episodes " +
    "start beside the discounted return that is true there",
  run: async (options) => {
    const rows: Row[] = [];
    for (const data of dataNames) rows.push(...(await rowsOf(data, options)));
    return rows;
  },
};

async function rowsOf(data: DataName, options: BenchOptions): Promise<readonly Row[]> {
  const { say, seeds, offline } = options;
  const { updates, episodes } = offline;
  const path = await flightsOf(data, episodes, say);
  const figures = await figuresOf(path);
  const rows: Row[] = [dataRow(data, figures)];
  for (const method of chosen(options)) {
    const pieces: Piece[] = [];
    for (const seed of seeds) {
      const order = { data, path, figures, method, seed, updates, episodes, say };
      try {
        pieces.push(await pieceOf(order));
      } catch (error) {
        rows.push(missing(`${data}, ${method}, seed ${seed}`, error));
      }
    }
    if (pieces.length > 0) rows.push(methodRow(`${data}, ${method}`, pieces));
  }
  return rows;
}

function chosen(options: BenchOptions): readonly Method[] {
  const { peer } = options;
  return namedOnly(options, methods) ?? methods.filter((method) => peer || !isPeer(method));
}

function isPeer(method: Method): boolean {
  return method.startsWith("d3rlpy");
}

/** As it was measured before, or now. */
async function pieceOf(order: Order): Promise<Piece> {
  const { data, method, seed, updates, episodes, say } = order;
  const name = `${data}-${method}-seed${seed}-${updates}updates-${episodes}episodes.json`;
  return keptPiece(join(resultsFolder, name), (folder) => {
    say(`${data}, ${method}, seed ${seed}: ${updates} updates`);
    return (isPeer(method) ? peerPiece : ourPiece)(order, folder);
  });
}

async function ourPiece(order: Order, logs: string): Promise<Piece> {
  const { path, figures, method, seed, updates, episodes } = order;
  const iterations = 20;
  const each = Math.max(1, Math.ceil(updates / iterations));
  const valued = method !== "bc";
  const flags = {
    ...{ algorithm: valued ? "td3_bc" : "bc", dataset: path, task, seed, num_envs: 8 },
    ...{ updates_per_iteration: each, max_iterations: Math.ceil(updates / each) },
    ...{ report_gradients: 0, batch_size: settings.batch_size, threads, device: "cpu" },
  };
  const words = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const { run } = await trainWatched([...words, ...ownSettings(method)], {
    seconds: patience,
    logs,
  });
  const checkpoint = join(run, `model_${flags.max_iterations - 1}.pt`);
  await startEngine("cpu");
  const value = await ourValue(run, checkpoint, figures);
  const flown = await judged(await ourStudent(checkpoint), episodes, settings.discount);
  return { ...flown, value, milliseconds: updateTime(run, each) };
}

/** The last student is judged, as theirs is; no flights on the way. */
function ownSettings(method: Method): readonly string[] {
  const [widths, rate] = [JSON.stringify(settings.hidden), settings.learning_rate];
  const flown = [
    "evaluation.interval=1000000",
    "evaluation.episodes=8",
    "evaluation.final_episodes=0",
  ];
  const own = [...flown, `algorithm.actor_hidden_dims=${widths}`];
  if (method === "bc") return [...own, `algorithm.learning_rate=${rate}`];
  return [
    ...own,
    `algorithm.critic_hidden_dims=${widths}`,
    ...[`algorithm.actor_learning_rate=${rate}`, `algorithm.critic_learning_rate=${rate}`],
    ...[`algorithm.alpha=${settings.alpha}`, `algorithm.discount=${settings.discount}`],
    `algorithm.layer_norm=${method.endsWith("+norm")}`,
  ];
}

/** Reading included; of the first iteration nothing counts. */
function updateTime(run: string, updates: number): number {
  const lines = readFileSync(join(run, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  const times = lines.map((line) => {
    const row = JSON.parse(line) as Readonly<Record<string, number>>;
    return (1000 * (row["Perf/read_time"]! + row["Perf/learning_time"]!)) / updates;
  });
  return median(times.length > 1 ? times.slice(1) : times);
}

async function peerPiece(order: Order, folder: string): Promise<Piece> {
  const { path, method, seed, updates, episodes, say } = order;
  const python = await pythonWith("offline", peerPackages, { say });
  const weights = join(folder, "actor.json");
  const told = {
    algorithm: "td3_bc",
    ...{ ...settings, dataset: path, seed, updates, weights },
    ...{ layer_norm: method.endsWith("+norm"), threads },
  };
  const { versions, value, milliseconds } = await askChild<{
    readonly versions: string;
    readonly value: number;
    readonly milliseconds: number;
  }>(python, [benchScript("peer_offline"), JSON.stringify(told)], { seconds: patience });
  await startEngine("cpu");
  const flown = await judged(peerStudent(weights), episodes, settings.discount);
  return { ...flown, value, milliseconds, note: versions };
}

function dataRow(data: DataName, { episodes, steps, mean, ci95, best, worst }: DataFigures): Row {
  const note = `${episodes} episodes, ${steps} steps, ${worst.toFixed(1)} to ${best.toFixed(1)}`;
  return { what: `${data}, the data`, figures: { return: mean, "± 95 %": ci95 }, note };
}

function methodRow(what: string, pieces: readonly Piece[]): Row {
  const mean = (pick: (piece: Piece) => number) =>
    pieces.reduce((sum, piece) => sum + pick(piece), 0) / pieces.length;
  const valued = pieces.every(({ value }) => value !== null);
  const [value, truth] = [mean((piece) => piece.value ?? 0), mean((piece) => piece.discounted)];
  const note = pieces.find((piece) => piece.note !== undefined)?.note;
  return {
    what,
    figures: {
      return: mean((piece) => piece.return),
      "± 95 %": pieces.length > 1 ? interval(pieces.map((piece) => piece.return)) : "one seed",
      "deaths, %": 100 * mean((piece) => piece.deaths),
      ...(valued && { "Q(s, π(s))": value }),
      "true, discounted": truth,
      ...(valued && { "Q / true": value / truth }),
      "update, ms": median(pieces.map((piece) => piece.milliseconds)),
      seeds: pieces.length,
    },
    ...(note !== undefined && { note }),
  };
}
