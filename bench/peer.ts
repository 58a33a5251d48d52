/**
 * Firstsolo beside what its users come from: PyTorch for the step of an optimiser, rsl_rl's own
 * Distillation for a whole run on our simulator. Both sides are measured within minutes of each
 * other, so that ratios hold where times don't.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { shippedTeacher } from "../src/algorithms/distillation/shipped-teacher.ts";
import type { CompileMode } from "../src/engine/compile/compile.ts";
import { askChild, benchModule, benchScript } from "./children.ts";
import { askOnFleet, type Judgement, type PeerRun } from "./fleet.ts";
import { cases, type NetworkFigures, type NetworkJob, nameOf } from "./network-cases.ts";
import { peerPackages, pythonWith } from "./python.ts";
import { type Bench, type BenchOptions, type Figure, missing, type Row } from "./report.ts";
import { median } from "./timing.ts";
import { loopCpuSeconds, trainWatched } from "./training.ts";

/** 100 environments × 24 steps × these: 240, 480 and 960 thousand environment steps. */
const lengths = [100, 200, 400];
const stepsPerIteration = 2400;
/** Turns that each side has. */
const rounds = 3;

export const peerStepsBench: Bench = {
  title: "peer-steps: ours against PyTorch, in turns; a ratio below 1 is faster than PyTorch",
  run: async (options) => {
    const python = await pythonWith("peer", peerPackages, { say: options.say });
    const rows: Row[] = [];
    const found: Measured[] = [];
    for (const threads of new Set([1, availableParallelism()])) {
      try {
        const measured = await measureSteps(python, threads, options);
        found.push(measured);
        rows.push(...stepRows(label(threads), [measured]));
      } catch (error) {
        rows.push(missing(`network, ${label(threads)}`, error));
      }
    }
    return found.length < 2 ? rows : [...rows, ...stepRows("the better of both", found)];
  },
};

/**
 * Ours is judged as `train` leaves it, by its best checkpoint; rsl_rl keeps none, so theirs by its
 * last.
 */
export const peerRunsBench: Bench = {
  title:
    "peer-runs: ours against rsl_rl's Distillation on our simulator; seconds of the loop, " +
    "students flown greedily over 400 episodes",
  run: async (options) => {
    const python = await pythonWith("peer", peerPackages, { say: options.say });
    const rows: Row[] = [];
    for (const seed of options.seeds) rows.push(...(await runRows(python, seed, options)));
    return rows;
  },
};

type Side = "eager" | "compiled" | "peer";
type Measured = Record<Side, readonly NetworkFigures[]>;

async function measureSteps(
  python: string,
  threads: number,
  { say }: BenchOptions,
): Promise<Measured> {
  const job = { device: "cpu", threads, cases, seconds: 0.4 } as const;
  const ours = (compile: CompileMode): [string, string, NetworkJob] => [
    process.execPath,
    benchModule("network-child"),
    { ...job, compile },
  ];
  const sides: Record<Side, [command: string, file: string, job: NetworkJob]> = {
    eager: ours("off"),
    compiled: ours("on"),
    peer: [python, benchScript("peer_network"), { ...job, compile: "off" }],
  };
  const found: Record<Side, NetworkFigures[]> = { eager: [], compiled: [], peer: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [side, [command, file, task]] of Object.entries(sides)) {
      say(`${label(threads)}, ${side}, turn ${round + 1} of ${rounds}`);
      const figures = await askChild<NetworkFigures>(command, [file, JSON.stringify(task)], {
        seconds: 300,
      });
      found[side as Side].push(figures);
    }
  }
  return found;
}

function stepRows(what: string, found: readonly Measured[]): readonly Row[] {
  const engines = `${found[0]!.compiled[0]!.engine}; ${found[0]!.peer[0]!.engine}`;
  return cases.map((one, i) => {
    const row = stepRow(nameOf(one), what, found);
    return i === 0 ? { ...row, note: engines } : row;
  });
}

/** Of several counts of threads each side has the better. */
function stepRow(name: string, what: string, found: readonly Measured[]): Row {
  const of = (side: Side) =>
    Math.min(
      ...found.map((one) => median(one[side].map(({ milliseconds }) => milliseconds[name]!))),
    );
  const [eager, compiled, peer] = [of("eager"), of("compiled"), of("peer")];
  return {
    what: `${name}, ${what}`,
    figures: {
      "eager, ms": eager,
      "compiled, ms": compiled,
      "PyTorch, ms": peer,
      "compiled / PyTorch": compiled / peer,
    },
  };
}

function label(threads: number): string {
  return `${threads} thread${threads === 1 ? "" : "s"}`;
}

interface Reached {
  /** Of the loop: flying and learning, without start and evaluation. */
  readonly seconds: number;
  /** Of the process that learns, the simulator's not counted; undefined without /proc. */
  readonly cpuSeconds: number | undefined;
  readonly ratio: number | null;
}

type PeerCourse = PeerRun & Judgement;

async function runRows(
  python: string,
  seed: number,
  { say }: BenchOptions,
): Promise<readonly Row[]> {
  say(`seed ${seed}: rsl_rl`);
  const peer = await settle(() => flyPeer(python, seed));
  const rows: Row[] = [];
  for (const iterations of lengths) {
    say(`seed ${seed}: ours, ${iterations} iterations`);
    const ours = await settle(() => flyOurs(iterations, seed));
    const what = `seed ${seed}, ${(iterations * stepsPerIteration) / 1000} 000 environment steps`;
    const theirs = "error" in peer ? undefined : reachedBy(peer.value, iterations);
    rows.push(runRow(what, "error" in ours ? undefined : ours.value, theirs));
    if ("error" in ours) rows.push(missing(`${what}: ours`, ours.error));
  }
  if ("error" in peer) rows.push(missing(`seed ${seed}: rsl_rl`, peer.error));
  else rows.push({ what: `seed ${seed}`, figures: {}, note: peer.value.versions });
  return rows;
}

function runRow(what: string, ours?: Reached, peer?: Reached): Row {
  const side = (name: string, reached?: Reached): Record<string, Figure> =>
    reached
      ? {
          [`${name}, s`]: reached.seconds,
          ...(reached.cpuSeconds && { [`${name}, CPU s`]: reached.cpuSeconds }),
          [`${name}, student / teacher`]: reached.ratio?.toFixed(4) ?? "unknown",
        }
      : {};
  const figures = { ...side("ours", ours), ...side("rsl_rl", peer) };
  if (!ours || !peer) return { what, figures };
  const ratio = { "ours / rsl_rl, s": ours.seconds / peer.seconds };
  if (!ours.cpuSeconds || !peer.cpuSeconds) return { what, figures: { ...figures, ...ratio } };
  const cpuRatio = { "ours / rsl_rl, CPU s": ours.cpuSeconds / peer.cpuSeconds };
  return { what, figures: { ...figures, ...ratio, ...cpuRatio } };
}

type Settled<T> = { readonly value: T } | { readonly error: unknown };

async function settle<T>(action: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { value: await action() };
  } catch (error) {
    return { error };
  }
}

/** A run of that length with our defaults; the teacher flies the same quarter of it. */
async function flyOurs(iterations: number, seed: number): Promise<Reached> {
  const args = ["--seed", String(seed), "--max_iterations", String(iterations)];
  const phase1 = ["--phase1_iterations", String(iterations / 4)];
  const training = await trainWatched([...args, ...phase1], { seconds: 300 });
  const { summary } = training;
  return {
    seconds: summary.seconds,
    cpuSeconds: loopCpuSeconds(training),
    ratio: summary.student_vs_teacher,
  };
}

/** One run of theirs, and its student at each length. */
async function flyPeer(python: string, seed: number): Promise<PeerCourse> {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
  const task = "quadcopter-noisy";
  const crew = { teacher: shippedTeacher(task) };
  const order = { ...crew, seed, folder, iterations: lengths };
  try {
    const asked = { task, order, seconds: 600 };
    const flown = await askOnFleet<PeerRun>(python, "peer_distillation", asked);
    const checkpoints = flown.reached.map((one) => one.checkpoint);
    const judge = { ...crew, seed: 1000, episodes_each: 4, checkpoints };
    const judged = { task, order: judge, seconds: 300 };
    return { ...flown, ...(await askOnFleet<Judgement>(python, "judge_students", judged)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function reachedBy(course: PeerCourse, iterations: number): Reached | undefined {
  const look = course.reached.findIndex((one) => one.iterations === iterations);
  const found = course.reached[look];
  return (
    found && {
      seconds: found.seconds,
      cpuSeconds: found.cpu_seconds,
      ratio: course.student_returns[look]! / course.teacher_return,
    }
  );
}
