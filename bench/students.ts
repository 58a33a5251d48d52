/**
 * What a student can learn that sees less: our runs beside rsl_rl's on the tasks of the built-in
 * simulator, with an MLP and with a GRU. Checkpoints of both sides are flown by one judge over the same
 * episodes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askOnFleet, type PeerRun } from "./fleet.ts";
import { peerPackages, pythonWith } from "./python.ts";
import { type Bench, type BenchOptions, missing, type Row } from "./report.ts";
import { type Crew, crewOf, rnnWidth, sharesOf } from "./shares.ts";
import { trainWatched } from "./training.ts";

const tasks = ["quadcopter-noisy", "quadcopter-blind", "quadcopter-random"] as const;
const students = { MLP: null, GRU: "gru" } as const;
/** Of 100 environments × 24 steps. */
const stepsPerIteration = 2400;
const iterations = 400;
/** Iterations between two looks at a student, and when they are. */
const every = 40;
const looks = Array.from({ length: iterations / every }, (_, i) => (i + 1) * every);

type Student = keyof typeof students;

interface Case {
  readonly task: string;
  readonly student: Student;
  readonly seed: number;
}

/** With what it is flown by, and a folder for its files. */
interface Flight extends Case {
  readonly python: string;
  readonly folder: string;
}

/** A student's way: its share of the teacher's return at each look. */
interface Course {
  readonly shares: readonly number[];
  /** Of the loop: flying and learning, without start and evaluation. */
  readonly seconds: number;
}

export const studentsBench: Bench = {
  title:
    "students: return as a share of the teacher's after 960 000 environment steps, ours against rsl_rl's; " +
    "on the way there: half way, the steps to 90 %, and the lowest since",
  run: async (options) => {
    const python = await pythonWith("peer", peerPackages, { say: options.say });
    const rows: Row[] = [];
    for (const task of tasks) {
      for (const student of Object.keys(students) as Student[]) {
        const flown: Sides[] = [];
        for (const seed of options.seeds) {
          flown.push(await flySides(python, { task, student, seed }, options));
        }
        rows.push(...sideNames.flatMap((side) => sideRows(flown.map((sides) => sides[side]))));
      }
    }
    return rows;
  },
};

/** How ours are trained: by the defaults, or with less of the teacher's flying and more of what was seen before. */
const recipes = {
  ours: [],
  "ours, DAgger": [
    ...["--phase1_iterations", "20", "algorithm.buffer_size=480000"],
    "algorithm.learning_rate=2e-3",
  ],
} as const;
type Recipe = keyof typeof recipes;

const sideNames = [...(Object.keys(recipes) as Recipe[]), "rsl_rl"] as const;
type Sides = Readonly<Record<(typeof sideNames)[number], Row>>;

async function flySides(python: string, one: Case, { say }: BenchOptions): Promise<Sides> {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
  const flight = { ...one, python, folder };
  const what = `${one.task.replace("quadcopter-", "")}, ${one.student}`;
  const fly = async (side: string, measure: () => Promise<Row["figures"]>): Promise<Row> => {
    const name = `${what}, ${side}, seed ${one.seed}`;
    say(name);
    return measure().then(
      (figures) => ({ what: name, figures }),
      (error) => missing(name, error),
    );
  };
  try {
    return {
      ours: await fly("ours", async () => ({
        ...courseFigures(await flyOurs(flight, "ours")),
        ...(one.task === "quadcopter-noisy" && { "% of a run of 480 k": await flyHalf(flight) }),
      })),
      "ours, DAgger": await fly("ours, DAgger", async () =>
        courseFigures(await flyOurs(flight, "ours, DAgger")),
      ),
      rsl_rl: await fly("rsl_rl", async () => courseFigures(await flyPeer(flight))),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Those of one side, and behind them what they come to. */
function sideRows(rows: readonly Row[]): readonly Row[] {
  const measured = rows.filter((row) => Object.keys(row.figures).length > 0);
  if (measured.length < 2) return rows;
  const sums = { mean, worst };
  const over = (name: keyof typeof sums): Row => ({
    what: measured[0]!.what.replace(/seed \d+$/, name),
    figures: Object.fromEntries(
      Object.keys(measured[0]!.figures).map((column) => {
        const figures = measured.map((row) => row.figures[column]);
        const known = figures.filter((figure) => typeof figure === "number");
        return [column, known.length < figures.length ? "" : sums[name](known, column)];
      }),
    ),
  });
  return [...rows, over("mean"), over("worst")];
}

function mean(figures: readonly number[]): number {
  return figures.reduce((a, b) => a + b) / figures.length;
}

function worst(figures: readonly number[], column: string): number {
  const lessIsBetter = column === "s" || column.includes("steps to");
  return lessIsBetter ? Math.max(...figures) : Math.min(...figures);
}

function courseFigures({ shares, seconds }: Course): Row["figures"] {
  const arrived = shares.findIndex((share) => share >= 0.9);
  const there = arrived >= 0;
  return {
    "%": 100 * shares.at(-1)!,
    "% half way": 100 * shares[shares.length / 2 - 1]!,
    "k steps to 90 %": there ? (looks[arrived]! * stepsPerIteration) / 1000 : "never",
    "lowest since": there ? 100 * Math.min(...shares.slice(arrived)) : "",
    s: seconds,
  };
}

/** The one that counts from 0 has flown an iteration more than its name says. */
async function flyOurs(flight: Flight, recipe: Recipe): Promise<Course> {
  const logs = join(flight.folder, recipe);
  const often = ["--save_interval", String(every)];
  const args = [...argsOf(flight, iterations), ...often, ...recipes[recipe]];
  const { summary, run } = await trainWatched(args, { seconds: 900, logs });
  const names = looks.map((flown) => `model_${Math.min(flown, iterations - 1)}.pt`);
  const shares = await judge(
    flight,
    names.map((name) => join(run, name)),
  );
  return { shares, seconds: summary.seconds };
}

/** %, of a run of half the steps: its learning rate and its phases end with it. */
async function flyHalf(flight: Flight): Promise<number> {
  const logs = join(flight.folder, "half");
  const { run } = await trainWatched(argsOf(flight, iterations / 2), { seconds: 900, logs });
  const [share] = await judge(flight, [join(run, `model_${iterations / 2 - 1}.pt`)]);
  return 100 * share!;
}

function argsOf({ task, student, seed }: Case, length: number): readonly string[] {
  const args = ["--task", task, "--seed", String(seed), "--max_iterations", String(length)];
  const phases = ["--phase1_iterations", String(length / 4), "evaluation.final_episodes=0"];
  const type = students[student];
  const memory = [`policy.rnn_type=${type}`, `policy.rnn_hidden_dim=${rnnWidth}`];
  return [...args, ...phases, ...(type === null ? [] : memory)];
}

async function flyPeer(flight: Flight): Promise<Course> {
  const { python, folder, task, seed } = flight;
  const order = { ...crewOf(crewFor(flight)), seed, folder, iterations: looks };
  const job = { task, order, seconds: 1200 };
  const { reached } = await askOnFleet<PeerRun>(python, "peer_distillation", job);
  const shares = await judge(
    flight,
    reached.map((one) => one.checkpoint),
  );
  return { shares, seconds: reached.at(-1)!.seconds };
}

function crewFor({ task, student }: Case): Crew {
  return { task, rnnType: students[student] };
}

function judge(flight: Flight, checkpoints: readonly string[]): Promise<readonly number[]> {
  return sharesOf(flight.python, crewFor(flight), checkpoints);
}
