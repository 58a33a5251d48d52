/**
 * Who owns the encoder: LAPO from pictures, the same flights and settings, four owners. Each piece (owner, seed) is
 * kept in bench/results/owners:
 *
 *     npm run bench -- owners --seeds 1,2,3,4,5 --updates 1500 --episodes 300
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { shippedTeacher } from "../src/algorithms/distillation/shipped-teacher.ts";
import { type EncoderOwner, encoderOwners } from "../src/algorithms/lapo/settings.ts";
import { runCommand } from "../src/engine/install/command.ts";
import { program, projectFolder } from "./children.ts";
import { keptPiece, spread } from "./pieces.ts";
import { type Bench, type BenchOptions, missing, type Row, type Say } from "./report.ts";
import { trainWatched } from "./training.ts";

const task = "quadcopter-camera";
const folder = join(projectFolder, "bench", "results", "owners");
/** Pixels of a side. */
const size = "env.camera.size=16";
const noise = "0.3";
const iterations = 10;
/** Updates at the end whose gradients are measured. */
const measuredLast = 20;
/** Flown by the judge: greedily, all by the last student. */
const judged = 100;
const widths = "[128,128,128]";
const rate = "1e-3";
const settings = [
  ...["actor", "critic", "vae"].map((name) => `algorithm.${name}_hidden_dims=${widths}`),
  ...["actor_lr", "critic_lr", "vae_lr"].map((name) => `algorithm.${name}=${rate}`),
  "algorithm.encoder_dim=128",
];
const patience = 4 * 3600;

/** Of one owner and seed. */
interface Piece {
  readonly return: number;
  readonly deaths: number;
  /** Of the last tenth of the updates. */
  readonly critic: number;
  readonly reconstruction: number;
  readonly seconds: number;
  /** Largest norm at the encoder, of each loss's gradient in the updates measured; null: cut. */
  readonly first: Norms;
  readonly last: Norms;
}

interface Norms {
  readonly critic: number | null;
  readonly vae: number | null;
}

interface Order {
  readonly owner: EncoderOwner;
  readonly seed: number;
  readonly updates: number;
  readonly dataset: string;
}

export const ownersBench: Bench = {
  title:
    "owners: LAPO from 16 × 16 pictures, by the owner of the encoder; mean ± 95 % over seeds; norms at the encoder " +
    "of the critic's and the VAE's gradient in the first updates and in the last",
  run: async (options) => {
    const { seeds, offline, say } = options;
    const { updates, episodes } = offline;
    const dataset = await flightsOf(episodes, say);
    const rows: Row[] = [];
    for (const owner of chosen(options)) {
      const pieces: Piece[] = [];
      for (const seed of seeds) {
        const name = `${owner}-seed${seed}-${updates}updates-${episodes}episodes.json`;
        const order = { owner, seed, updates, dataset };
        try {
          pieces.push(await keptPiece(join(folder, name), (logs) => measured(order, logs, say)));
        } catch (error) {
          rows.push(missing(`${owner}, seed ${seed}`, error));
        }
      }
      if (pieces.length > 0) rows.push(rowOf(owner, pieces));
    }
    return rows;
  },
};

function chosen({ offline: { only } }: BenchOptions): readonly EncoderOwner[] {
  const unknown = only.find((name) => !encoderOwners.some((owner) => owner === name));
  if (unknown !== undefined) {
    throw new Error(`--only ${unknown}: expected some of ${encoderOwners.join(",")}`);
  }
  return only.length === 0 ? encoderOwners : encoderOwners.filter((owner) => only.includes(owner));
}

async function flightsOf(episodes: number, say: Say): Promise<string> {
  const path = join(folder, `camera-${episodes}.hdf5`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  say(`recording ${episodes} episodes of ${task}`);
  const flown = ["--policy", shippedTeacher(task), "--noise", noise, "--seed", "7", size];
  const words = ["record", "--task", task, ...flown, "--episodes", String(episodes), "-o", path];
  await firstsolo(words);
  return path;
}

/** Trains, then looks at the gradients once more where the training came to. */
async function measured(order: Order, logs: string, say: Say): Promise<Piece> {
  const { owner, seed, updates, dataset } = order;
  say(`${owner}, seed ${seed}: ${updates} updates`);
  const each = Math.ceil(updates / iterations);
  const flags = {
    ...{ algorithm: "lapo", dataset, task, seed, encoder_owner: owner, num_envs: 50, threads: 1 },
    ...{ updates_per_iteration: each, max_iterations: iterations, save_interval: iterations },
    ...{ report_gradients: 3, device: "cpu" },
  };
  const words = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const flights = ["evaluation.interval=1000000", `evaluation.episodes=${judged}`];
  const orphans = owner === "vae" || owner === "none" ? ["--allow_orphans"] : [];
  const all = [...words, ...orphans, ...settings, ...flights, "evaluation.final_episodes=0", size];
  const { run } = await trainWatched(all, { seconds: patience, logs });
  const first = normsIn(run);
  const { return: flown, deaths, critic, reconstruction, seconds } = figuresIn(run);
  const longer = ["--max_iterations", String(iterations + 1), "evaluation.episodes=1"];
  const again = ["--report_gradients", String(measuredLast), "--ui", "none", ...orphans];
  await firstsolo(["train", "--resume", run, ...longer, ...again]);
  return { return: flown, deaths, critic, reconstruction, seconds, first, last: normsIn(run) };
}

async function firstsolo(words: readonly string[]): Promise<void> {
  const told = await runCommand(process.execPath, [program, ...words], {
    timeout: patience * 1000,
  });
  if (told.status === 0) return;
  throw new Error(told.stderr.trim().split("\n").at(-1) || `firstsolo ${words[0]} failed`);
}

function figuresIn(run: string): Omit<Piece, "first" | "last"> {
  const lines = readFileSync(join(run, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  const rows = lines.map((line) => JSON.parse(line) as Readonly<Record<string, number>>);
  const last = rows.at(-1)!;
  return {
    ...{ return: last["Eval/student_return"]!, deaths: last["Eval/death_share"]! },
    ...{ critic: last["Loss/critic"]!, reconstruction: last["Loss/reconstruction"]! },
    seconds: rows.reduce(
      (sum, row) => sum + row["Perf/read_time"]! + row["Perf/learning_time"]!,
      0,
    ),
  };
}

function normsIn(run: string): Norms {
  const { entries } = JSON.parse(readFileSync(join(run, "gradient_flow.json"), "utf8")) as {
    readonly entries: readonly {
      readonly update: string;
      readonly group: string;
      readonly gradient: number | null;
    }[];
  };
  const of = (update: string) =>
    entries.find((entry) => entry.update === update && entry.group === "encoder")?.gradient ?? null;
  return { critic: of("critic"), vae: of("vae") };
}

function rowOf(owner: EncoderOwner, pieces: readonly Piece[]): Row {
  const column = (pick: (piece: Piece) => number, digits: number) =>
    spread(pieces.map(pick), digits);
  const norms = (pick: (piece: Piece) => number | null) =>
    pieces.some((piece) => pick(piece) === null) ? "cut" : column((piece) => pick(piece)!, 4);
  return {
    what: owner,
    figures: {
      return: column((piece) => piece.return, 1),
      "deaths, %": column((piece) => 100 * piece.deaths, 0),
      "critic loss": column(({ critic }) => critic, 4),
      reconstruction: column(({ reconstruction }) => reconstruction, 3),
      "critic's gradient, first": norms(({ first }) => first.critic),
      last: norms(({ last }) => last.critic),
      "VAE's gradient, first": norms(({ first }) => first.vae),
      "last ": norms(({ last }) => last.vae),
      seconds: column(({ seconds }) => seconds, 0),
      seeds: pieces.length,
    },
  };
}
