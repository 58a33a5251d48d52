/**
 * The family of learners on three sets of recorded flights, beside d3rlpy where it has the algorithm: the same files,
 * sizes, rates and number of updates, one judge. Each piece is kept in bench/results/offline:
 *
 *     npm run bench -- family --peer --seeds 1,2,3 --updates 2000 --episodes 100 [--only narrow,iql,d3rlpy-iql]
 */
import { join } from "node:path";
import { openMujoco } from "../sim-adapters/mujoco/open-mujoco.ts";
import { startEngine } from "../src/engine/start.ts";
import { askChild, benchScript } from "./children.ts";
import {
  type DataFigures,
  type DataName,
  figuresOf,
  flightsOf,
  resultsFolder,
  task,
} from "./offline-data.ts";
import { type Judged, judged, judgedIn, peerStudent } from "./offline-judge.ts";
import { startValue } from "./offline-value.ts";
import { learned } from "./own-learning.ts";
import { keptPiece, meanOf, spread } from "./pieces.ts";
import { pythonWith } from "./python.ts";
import { type Bench, type BenchOptions, missing, namedOnly, type Row, type Say } from "./report.ts";

const dataSets: readonly DataName[] = ["expert", "narrow", "mixture"];
const discount = 0.99;
const [batch, hidden, rate] = [256, [128, 128], 1e-3];
/** What each is weighed with, on both sides; LayerNorm in the critics where it is ours by default. */
const own = {
  bc: { layer_norm: false },
  td3_bc: { layer_norm: true, alpha: 2.5 },
  rebrac: { layer_norm: true, betas: [1, 1] },
  iql: { layer_norm: false },
  cql: { layer_norm: false, alpha: 10 },
  sac: { layer_norm: false },
  reinforce: { layer_norm: false },
} as const;
type Learner = keyof typeof own;
const learners = Object.keys(own) as Learner[];
/** d3rlpy has no such thing. */
const ours: ReadonlySet<Learner> = new Set<Learner>(["reinforce"]);
type PeerLearner = `d3rlpy-${Learner}`;
const theirs = learners
  .filter((name) => !ours.has(name))
  .map((name): PeerLearner => `d3rlpy-${name}`);
const peerPackages = ["d3rlpy==2.8.1", "torch", "h5py", "numpy"];
const patience = 4 * 3600;

interface Piece extends Judged {
  /** Where episodes start: Q(s, π(s)), of IQL here V(s); null: nothing is valued. */
  readonly value: number | null;
  /** Of all updates together, reading included. */
  readonly cpuSeconds: number;
  readonly note?: string;
}

interface Order {
  readonly data: DataName;
  readonly path: string;
  readonly figures: DataFigures;
  readonly learner: Learner;
  readonly peer: boolean;
  readonly seed: number;
  readonly updates: number;
  readonly episodes: number;
  readonly say: Say;
}

export const familyBench: Bench = {
  title:
    "family: what students that never flew return, mean ± 95 % over seeds; their values where episodes start " +
    "beside the discounted return that is true there; processor seconds of all updates",
  run: async (options) => {
    const rows: Row[] = [];
    const chosen = chosenOf(options);
    for (const data of chosen.data) rows.push(...(await rowsOf(data, chosen.sides, options)));
    return rows;
  },
};

async function rowsOf(
  data: DataName,
  sides: readonly Side[],
  options: BenchOptions,
): Promise<readonly Row[]> {
  const { say, seeds, offline } = options;
  const { updates, episodes } = offline;
  const path = await flightsOf(data, episodes, say);
  const figures = await figuresOf(path);
  const rows: Row[] = [dataRow(data, figures)];
  for (const { learner, peer } of sides) {
    const what = `${data}, ${peer ? "d3rlpy's " : ""}${learner}`;
    const pieces: Piece[] = [];
    for (const seed of seeds) {
      try {
        const order = { data, path, figures, learner, peer, seed, updates, episodes, say };
        pieces.push(await pieceOf(order));
      } catch (error) {
        rows.push(missing(`${what}, seed ${seed}`, error));
      }
    }
    if (pieces.length > 0) rows.push(learnerRow(what, pieces));
  }
  return rows;
}

type Side = Pick<Order, "learner" | "peer">;

/** Data and learners that are named, of each kind all where none is; d3rlpy's where named, or with `--peer`. */
function chosenOf(options: BenchOptions) {
  const everybody = [...learners, ...theirs];
  const named: readonly string[] = namedOnly(options, [...dataSets, ...everybody]) ?? [];
  const data = dataSets.filter((name) => named.includes(name));
  const some = everybody.filter((name) => named.includes(name));
  const all = options.peer ? everybody : learners;
  const names: readonly string[] = some.length > 0 ? some : all;
  const sides = learners.flatMap((learner) =>
    [false, true]
      .filter((peer) => names.includes(peer ? `d3rlpy-${learner}` : learner))
      .map((peer): Side => ({ learner, peer })),
  );
  return { data: data.length > 0 ? data : dataSets, sides };
}

function pieceOf(order: Order): Promise<Piece> {
  const { data, learner, peer, seed, updates, episodes, say } = order;
  const who = `${peer ? "d3rlpy-" : ""}${learner}`;
  const name = `family-${data}-${who}-seed${seed}-${updates}updates-${episodes}episodes.json`;
  return keptPiece(join(resultsFolder, name), (folder) => {
    say(`${data}, ${who}, seed ${seed}: ${updates} updates`);
    return peer ? peerPiece(order, folder) : ourPiece(order);
  });
}

async function ourPiece(order: Order): Promise<Piece> {
  const { path, figures, learner: name, seed, updates, episodes } = order;
  await startEngine("cpu", { threads: 1 });
  const env = await openMujoco({ task, numEnvs: Math.min(100, episodes) });
  const words = [`algorithm.class_name=${name}`, `dataset=${path}`, `seed=${seed}`];
  const { assembled, config, cpuSeconds } = await learned({
    ...{ env, updates, iterations: 20, words: [...words, ...settingsOf(name)] },
  });
  const { learner, source } = assembled;
  try {
    const value = await startValue(config, await learner.save(), figures);
    const flown = await judgedIn(env, learner.policies.student!, { episodes, discount });
    return { ...flown, value, cpuSeconds };
  } finally {
    learner.dispose();
    await source.close();
    await env.close();
  }
}

/** As on the command line. */
function settingsOf(learner: Learner): readonly string[] {
  const set = (key: string, value: unknown) => `algorithm.${key}=${JSON.stringify(value)}`;
  const all = [`task=${task}`, set("batch_size", batch), set("actor_hidden_dims", hidden)];
  if (learner === "bc" || learner === "reinforce") return [...all, set("learning_rate", rate)];
  const rates = ["actor", "critic", ...(learner === "iql" ? ["value"] : [])];
  return [
    ...all,
    ...[set("critic_hidden_dims", hidden), set("discount", discount)],
    ...rates.map((name) => set(`${name}_learning_rate`, rate)),
    ...[set("layer_norm", own[learner].layer_norm), set("normalize_states", true)],
    ...(learner === "td3_bc" ? [set("alpha", own.td3_bc.alpha)] : []),
    ...(learner === "cql" ? [set("cql_alpha", own.cql.alpha)] : []),
    ...(learner === "rebrac"
      ? ["actor", "critic"].map((name, i) => set(`${name}_bc_coef`, own.rebrac.betas[i]))
      : []),
  ];
}

async function peerPiece(order: Order, folder: string): Promise<Piece> {
  const { path, learner, seed, updates, episodes, say } = order;
  const python = await pythonWith("offline", peerPackages, { say });
  const weights = join(folder, "actor.json");
  const told = {
    ...{ algorithm: learner, dataset: path, seed, updates, weights, threads: 1 },
    ...{ batch_size: batch, hidden, discount, learning_rate: rate, ...own[learner] },
  };
  const { versions, value, cpuSeconds } = await askChild<{
    readonly versions: string;
    readonly value: number | null;
    readonly cpuSeconds: number;
  }>(python, [benchScript("peer_offline"), JSON.stringify(told)], { seconds: patience });
  await startEngine("cpu", { threads: 1 });
  const flown = await judged(peerStudent(weights), episodes, discount);
  return { ...flown, value, cpuSeconds, note: versions };
}

function dataRow(data: DataName, { episodes, steps, mean, best, worst }: DataFigures): Row {
  const note = `${episodes} episodes, ${steps} steps, ${worst.toFixed(1)} to ${best.toFixed(1)}`;
  return { what: `${data}, the data`, figures: { return: mean.toFixed(1) }, note };
}

function learnerRow(what: string, pieces: readonly Piece[]): Row {
  const valued = pieces.every(({ value }) => value !== null);
  const note = pieces.find((piece) => piece.note !== undefined)?.note;
  return {
    what,
    figures: {
      return: spread(
        pieces.map((piece) => piece.return),
        1,
      ),
      "deaths, %": (100 * meanOf(pieces.map(({ deaths }) => deaths))).toFixed(1),
      ...(valued && {
        "value at the start": spread(
          pieces.map(({ value }) => value!),
          2,
        ),
      }),
      "true, discounted": spread(
        pieces.map(({ discounted }) => discounted),
        1,
      ),
      "CPU s": meanOf(pieces.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1),
      seeds: pieces.length,
    },
    ...(note !== undefined && { note }),
  };
}
