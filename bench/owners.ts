/**
 * Who owns the encoder: LAPO from pictures, the same flights and settings, four owners. Latents are held close to those
 * of the data: by the authors' bound of 2 who learns features crashes. Each piece (owner, seed) is kept in bench/results/owners:
 *
 *     npm run bench -- owners --seeds 1,2,3,4,5 --updates 6000 --episodes 200
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { openMujoco } from "../sim-adapters/mujoco/open-mujoco.ts";
import { shippedTeacher } from "../src/algorithms/distillation/shipped-teacher.ts";
import { type EncoderOwner, encoderOwners } from "../src/algorithms/lapo/settings.ts";
import { runCommand } from "../src/engine/install/command.ts";
import { startEngine } from "../src/engine/start.ts";
import type { FlowRow } from "../src/learning/flow-row.ts";
import { program, projectFolder } from "./children.ts";
import { judgedIn } from "./offline-judge.ts";
import { learned } from "./own-learning.ts";
import { keptPiece, meanOf, spread } from "./pieces.ts";
import { type Bench, missing, namedOnly, type Row, type Say } from "./report.ts";

const task = "quadcopter-camera";
const folder = join(projectFolder, "bench", "results", "owners");
/** Pixels of a side. */
const size = 16;
const noise = "0.3";
/** Flown by the judge: greedily, by the last student. */
const episodes = 100;
const widths = "[128,128,128]";
const rate = "1e-3";
const latentBound = 0.25;
const settings = [
  `algorithm.max_latent_action=${latentBound}`,
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
  readonly cpuSeconds: number;
  /** Mean norm at the encoder of each loss's gradient, in the updates measured; null: cut. */
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
    const { updates, episodes: recorded } = offline;
    const dataset = await flightsOf(recorded, say);
    const rows: Row[] = [];
    for (const owner of namedOnly(options, encoderOwners) ?? encoderOwners) {
      const pieces: Piece[] = [];
      for (const seed of seeds) {
        const name = `${owner}-seed${seed}-${updates}updates-${recorded}episodes-latent${latentBound}.json`;
        const order = { owner, seed, updates, dataset };
        try {
          say(`${owner}, seed ${seed}: ${updates} updates`);
          pieces.push(await keptPiece(join(folder, name), () => measured(order)));
        } catch (error) {
          rows.push(missing(`${owner}, seed ${seed}`, error));
        }
      }
      if (pieces.length > 0) rows.push(rowOf(owner, pieces));
    }
    return rows;
  },
};

async function flightsOf(recorded: number, say: Say): Promise<string> {
  const path = join(folder, `camera-${recorded}.hdf5`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  say(`recording ${recorded} episodes of ${task}`);
  const flown = ["--policy", shippedTeacher(task), "--noise", noise, "--seed", "7"];
  const words = [
    "record",
    "--task",
    task,
    `env.camera.size=${size}`,
    ...flown,
    "--episodes",
    String(recorded),
    "-o",
    path,
  ];
  await firstsolo(words);
  return path;
}

async function measured({ owner, seed, updates, dataset }: Order): Promise<Piece> {
  await startEngine("cpu", { threads: 1 });
  const env = await openMujoco({ task, numEnvs: 50, settings: { "camera.size": size } });
  const words = ["algorithm.class_name=lapo", `dataset=${dataset}`, `task=${task}`, `seed=${seed}`];
  const owned = [`algorithm.encoder_owner=${owner}`, `env.camera.size=${size}`];
  const { assembled, figures, cpuSeconds, first, last } = await learned({
    ...{ env, updates, iterations: 10, measure: 3, words: [...words, ...owned, ...settings] },
  });
  const { learner, source } = assembled;
  try {
    const flown = await judgedIn(env, learner.policies.student!, { episodes, discount: 0.99 });
    return {
      ...{ return: flown.return, deaths: flown.deaths, cpuSeconds },
      ...{ critic: figures["Loss/critic"]!, reconstruction: figures["Loss/reconstruction"]! },
      ...{ first: normsIn(first), last: normsIn(last) },
    };
  } finally {
    learner.dispose();
    await source.close();
    await env.close();
  }
}

/** Largest of the measurements; undefined in all of them: the path is cut. */
function normsIn(rows: readonly FlowRow[]): Norms {
  const of = (name: string) => {
    const own = rows.filter(({ update, group }) => update === name && group === "encoder");
    const norms = own.flatMap(({ gradient }) => (gradient === null ? [] : [gradient]));
    return norms.length === 0 ? null : meanOf(norms);
  };
  return { critic: of("critic"), vae: of("vae") };
}

async function firstsolo(words: readonly string[]): Promise<void> {
  const told = await runCommand(process.execPath, [program, ...words], {
    timeout: patience * 1000,
  });
  if (told.status === 0) return;
  throw new Error(told.stderr.trim().split("\n").at(-1) || `firstsolo ${words[0]} failed`);
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
      "CPU s": column(({ cpuSeconds }) => cpuSeconds, 0),
      seeds: pieces.length,
    },
  };
}
