/** Who was learned from operations under the PID, at 50 patients whom nobody has seen: ours, and LightZero's MuZero. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ClinicalFigures, clinicalFigures } from "../sim-adapters/patient/clinical-figures.ts";
import { stateReadings } from "../sim-adapters/patient/monitor.ts";
import { meanWithInterval } from "../src/running/tally.ts";
import { askChild, benchScript, program, projectFolder, startServer } from "./children.ts";
import { pythonPath, pythonWith, wirePackages } from "./python.ts";
import { type Bench, type BenchOptions, namedOnly, type Row } from "./report.ts";

const task = "anaesthesia";
const patients = 50;
/** s */
const period = 10;
const recorded = 240;
const epochs = 30;
/** Of the peer, of 128 windows each: its search in every batch makes one of them cost as much as fifty of ours. */
const peerUpdates = 1500;
/** Seconds that any of them may take. */
const patience = 4 * 3600;
const peerPackages = ["lightzero==0.2.0", "h5py", ...wirePackages];

/** The same patients for all of ours. */
const judged = ["--episodes", `${patients}`, "--num_envs", `${patients}`, "--seed", "1000"];

const methods = ["pid", "bc", "policy", "one_step", "mcts", "lightzero"] as const;
type Method = (typeof methods)[number];

export const closedLoopBench: Bench = {
  title:
    `closed-loop: ${patients} unseen patients with an operation each, control period ${period} s, learned from ` +
    `${recorded} operations under the PID; ± 95 % over patients`,
  run: async (options) => {
    const rows: Row[] = [];
    for (const seed of options.seeds) {
      for (const method of chosen(options)) rows.push(await rowOf(method, seed, options));
    }
    return rows;
  },
};

function chosen(options: BenchOptions): readonly Method[] {
  const { peer } = options;
  return namedOnly(options, methods) ?? methods.filter((method) => peer || method !== "lightzero");
}

interface Piece {
  readonly figures: Readonly<Record<string, number>>;
  readonly note: string;
}

/** As it was measured before, or now. */
async function rowOf(method: Method, seed: number, options: BenchOptions): Promise<Row> {
  const folder = join(projectFolder, "bench/results/closed-loop", `seed-${seed}`);
  mkdirSync(folder, { recursive: true });
  const kept = join(folder, `${method}.json`);
  if (!existsSync(kept)) {
    options.say(`${method}, seed ${seed}`);
    const piece = await pieceOf(method, { seed, folder, options });
    writeFileSync(kept, `${JSON.stringify(piece)}\n`);
  }
  const piece = JSON.parse(readFileSync(kept, "utf8")) as Piece;
  return { what: `${method}, seed ${seed}`, ...piece };
}

interface Site {
  readonly seed: number;
  readonly folder: string;
  readonly options: BenchOptions;
}

async function pieceOf(method: Method, site: Site): Promise<Piece> {
  const dataset = await recordedUnder(site);
  if (method === "lightzero") return peerPiece(dataset, site);
  const figures = await flying(["eval", ...(await wordsOf(method, dataset, site)), ...judged]);
  const of = (name: string) => Number(figures[name] ?? figures[`student_${name}`]);
  return {
    figures: {
      ...{ return: of("return"), "± 95 %": of("return_ci95") },
      ...{
        "in 40–60, %": 100 * of("time_in_40_60"),
        "± 95 % of it": 100 * of("time_in_40_60_ci95"),
      },
      ...{ MDAPE: of("mdape"), wobble: of("wobble"), nadir: of("bis_nadir") },
    },
    note: `${figures.episodes} episodes`,
  };
}

async function wordsOf(method: Method, dataset: string, site: Site): Promise<readonly string[]> {
  if (method === "pid") return ["pid", "--task", task];
  if (method === "bc") return [await trained("bc", dataset, site)];
  const run = await trained("world_model", dataset, site);
  return method === "policy" ? [run] : [run, "--planner", method];
}

/** The last line of a command of ours, as JSON. */
async function flying(words: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  return askChild(process.execPath, [program, ...words, "--json"], { seconds: patience });
}

/** A command of ours that has no last line for us. */
async function silently(words: readonly string[]): Promise<void> {
  const line = ["-c", '"$@" >&2 && echo null', "bash", process.execPath, program, ...words];
  await askChild("bash", line, { seconds: patience });
}

async function recordedUnder({ folder, seed }: Site): Promise<string> {
  const dataset = join(folder, "cases.hdf5");
  if (existsSync(dataset)) return dataset;
  const words = ["--task", task, "--policy", "pid", "--episodes", `${recorded}`];
  await silently(["record", ...words, "--seed", `${seed}`, "-o", dataset]);
  return dataset;
}

async function trained(learner: string, dataset: string, { folder, seed }: Site): Promise<string> {
  const logs = join(folder, learner);
  const own = learner === "bc" ? [] : ["--plan", "recommended", "--max_iterations", `${epochs}`];
  if (!existsSync(logs)) {
    const words = ["--algorithm", learner, "--dataset", dataset, "--seed", `${seed}`, ...own];
    const told = ["train", ...words, "--ui", "none", "--log_root", logs];
    await silently(told);
  }
  const runs = join(logs, `${task}_${learner}`);
  return join(runs, readdirSync(runs)[0]!);
}

/** What the peer's script says. */
interface Found {
  /** Of an update. */
  readonly milliseconds: number;
  /** By patient. */
  readonly returns: readonly number[];
  /** True BIS, `[patients, steps]`. */
  readonly record: readonly (readonly number[])[];
}

async function peerPiece(dataset: string, { seed, folder, options }: Site): Promise<Piece> {
  const { say } = options;
  const answer = join(folder, "lightzero-answer.json");
  const python = await pythonWith("lightzero", peerPackages, { say });
  const { stop, ready } = await startServer(
    process.execPath,
    [program, "sim", "--task", task, "--num_envs", `${patients}`, "--bind", "tcp://127.0.0.1:*"],
    { ready: /ready at/ },
  );
  try {
    const endpoint = /tcp:\/\/\S+?(?=[,:]?\s|: )/.exec(ready)![0];
    const told = {
      ...{ dataset, group: "policy", endpoint, settings: {}, period, seed, env_seed: 1000 + seed },
      ...{ record: ["state", stateReadings.findIndex(({ name }) => name === "bis_true")] },
      ...{ updates: peerUpdates, batch_size: 128, reanalyze: 0.3, simulations: 50 },
      ...{ levels: 10, window: 8, threads: 1, answer },
    };
    const script = [benchScript("peer_world_model"), JSON.stringify(told)];
    await askChild<null>(python, script, { seconds: patience, env: pythonPath });
    // 50 operations are too long for a line of output.
    const found = JSON.parse(readFileSync(answer, "utf8")) as Found;
    return {
      figures: peerFigures(found),
      note: `${peerUpdates} updates of ${found.milliseconds.toFixed(0)} ms`,
    };
  } finally {
    await stop();
  }
}

function peerFigures({ returns, record }: Found): Piece["figures"] {
  const all = record.map((bis) => clinicalFigures({ bis, period }));
  const flown = meanWithInterval(returns);
  const within = meanWithInterval(all.map(({ timeInRange }) => timeInRange));
  const mean = (pick: (one: ClinicalFigures) => number) => meanWithInterval(all.map(pick)).mean;
  return {
    ...{ return: flown.mean, "± 95 %": flown.ci95 },
    ...{ "in 40–60, %": 100 * within.mean, "± 95 % of it": 100 * within.ci95 },
    MDAPE: mean(({ mdape }) => mdape),
    wobble: mean(({ wobble }) => wobble),
    nadir: mean(({ nadir }) => nadir),
  };
}
