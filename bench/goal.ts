/**
 * How soon a student is as good as its teacher, by the size of the fleet: ours and rsl_rl's, on the same simulator, of
 * the same networks, from the same teacher. Each run is kept in bench/results/goal:
 *
 *     npm run bench -- goal --seeds 1,2,3,4,5 [--only recipe,plain,rsl_rl]
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { recipe } from "../src/algorithms/distillation/two-stages.ts";
import { projectFolder } from "./children.ts";
import { askOnFleet, type PeerRun } from "./fleet.ts";
import { keptPiece, meanOf } from "./pieces.ts";
import { peerPackages, pythonWith } from "./python.ts";
import { type Bench, type BenchOptions, missing, namedOnly, type Row } from "./report.ts";
import { crewOf, sharesOf } from "./shares.ts";
import { processFigures, trainWatched } from "./training.ts";

const task = "quadcopter-noisy";
const crew = { task, rnnType: null } as const;
const stepsPerIteration = 24;
/** Looks at a student, evenly over its run. */
const looks = 25;
const goals = [90, 95, 98] as const;

interface Fleet {
  readonly numEnvs: number;
  /** Long enough that all sides arrive. */
  readonly iterations: number;
  /** Of PyTorch; the better number of two. */
  readonly threads: number;
}
const fleets: readonly Fleet[] = [
  { numEnvs: 16, iterations: 1000, threads: 1 },
  { numEnvs: 100, iterations: 400, threads: 1 },
  { numEnvs: 1000, iterations: 100, threads: 2 },
  { numEnvs: 4096, iterations: 50, threads: 2 },
];

/** As `--task distillation` gives it; without past rollouts, the teacher flying for a third of the run. */
const recipes = {
  recipe: Object.entries(recipe("distillation")).map(([key, value]) => `${key}=${value}`),
  plain: ["algorithm.use_two_stage_training=true"],
} as const;
type Recipe = keyof typeof recipes;
const sides = ["recipe", "plain", "rsl_rl"] as const;
type Side = (typeof sides)[number];

/** One run: at each look the loop's seconds so far, without start and evaluation, and the share of the teacher. */
interface Course {
  readonly seconds: readonly number[];
  readonly shares: readonly number[];
  /** The most that the process held that flies and learns, MB; null where the system doesn't tell. */
  readonly peakMb: number | null;
}

interface Order {
  readonly fleet: Fleet;
  readonly side: Side;
  readonly seed: number;
  readonly python: string;
}

export const goalBench: Bench = {
  title:
    "goal: seconds of the loop, and thousands of environment steps, to the first look at 90, 95, 98 % of the teacher; " +
    "mean (worst) over seeds",
  run: async (options) => {
    const python = await pythonWith("peer", peerPackages, { say: options.say });
    const rows: Row[] = [];
    const kept = new Map<string, Course[]>();
    const chosen = namedOnly(options, sides) ?? sides;
    for (const seed of options.seeds) {
      for (const fleet of fleets) {
        for (const side of chosen) {
          const what = nameOf(fleet, side);
          try {
            const course = await courseOf({ fleet, side, seed, python }, options);
            kept.set(what, [...(kept.get(what) ?? []), course]);
          } catch (error) {
            rows.push(missing(`${what}, seed ${seed}`, error));
          }
        }
      }
    }
    const measured = fleets.flatMap((fleet) =>
      chosen.flatMap((side) => {
        const what = nameOf(fleet, side);
        const courses = kept.get(what) ?? [];
        return courses.length === 0 ? [] : [rowOf(what, fleet, courses)];
      }),
    );
    return [...measured, ...rows];
  },
};

function nameOf({ numEnvs }: Fleet, side: Side): string {
  return `N = ${numEnvs}, ${side}`;
}

function courseOf(order: Order, { say }: Pick<BenchOptions, "say">): Promise<Course> {
  const { fleet, side, seed } = order;
  const name = `${side}-${fleet.numEnvs}envs-${fleet.iterations}iterations-seed${seed}.json`;
  return keptPiece(join(projectFolder, "bench", "results", "goal", name), (folder) => {
    say(`N = ${fleet.numEnvs}, ${side}, seed ${seed}`);
    return side === "rsl_rl" ? flyPeer(order, folder) : flyOurs({ ...order, side }, folder);
  });
}

async function flyOurs(
  { fleet, side, seed, python }: Order & { readonly side: Recipe },
  folder: string,
): Promise<Course> {
  const { numEnvs, iterations } = fleet;
  const every = iterations / looks;
  const sizes = ["--num_envs", String(numEnvs), "--max_iterations", String(iterations)];
  const words = ["--task", task, "--seed", String(seed), ...sizes, ...recipes[side]];
  const often = ["--save_interval", String(every), "evaluation.final_episodes=0"];
  const training = await trainWatched([...words, ...often], { seconds: 1800, logs: folder });
  const lines = readFileSync(join(training.run, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  // The one named k is written behind iteration k, counted from 0.
  const seen = looksOf(fleet).map((flown) => Math.min(flown, iterations - 1));
  const checkpoints = seen.map((k) => join(training.run, `model_${k}.pt`));
  const peak = processFigures(training)["runner peak MB"];
  return {
    seconds: seen.map((k) => JSON.parse(lines[k]!)["Distillation/seconds"]),
    shares: await sharesOf(python, crew, checkpoints),
    peakMb: peak ?? null,
  };
}

async function flyPeer({ fleet, seed, python }: Order, folder: string): Promise<Course> {
  const { numEnvs, threads } = fleet;
  const order = { ...crewOf(crew), seed, folder, threads, iterations: looksOf(fleet) };
  const job = { task, numEnvs, order, seconds: 1800 };
  const { reached, peak_mb } = await askOnFleet<PeerRun>(python, "peer_distillation", job);
  const checkpoints = reached.map(({ checkpoint }) => checkpoint);
  return {
    seconds: reached.map(({ seconds }) => seconds),
    shares: await sharesOf(python, crew, checkpoints),
    peakMb: peak_mb,
  };
}

function looksOf({ iterations }: Fleet): readonly number[] {
  return Array.from({ length: looks }, (_, i) => ((i + 1) * iterations) / looks);
}

function rowOf(what: string, fleet: Fleet, courses: readonly Course[]): Row {
  const each = (fleet.iterations / looks) * fleet.numEnvs * stepsPerIteration;
  const figures: Record<string, string | number> = { seeds: courses.length };
  for (const goal of goals) {
    const arrived = courses.map(({ shares }) => shares.findIndex((share) => 100 * share >= goal));
    const seconds = courses.map((course, i) => course.seconds[arrived[i]!]);
    figures[`s to ${goal} %`] = meanAndWorst(seconds, 1);
    const steps = arrived.map((at) => (at < 0 ? undefined : ((at + 1) * each) / 1000));
    figures[`k steps to ${goal} %`] = meanAndWorst(steps, 0);
  }
  const ends = courses.map(({ shares }) => 100 * shares.at(-1)!);
  figures["% at the end"] = `${meanOf(ends).toFixed(1)} (${Math.min(...ends).toFixed(1)})`;
  figures["s in all"] = meanOf(courses.map(({ seconds }) => seconds.at(-1)!));
  const peaks = courses.flatMap(({ peakMb }) => (peakMb === null ? [] : [peakMb]));
  if (peaks.length > 0) figures["peak MB"] = Math.round(Math.max(...peaks));
  return { what, figures };
}

/** Of those that arrived, and how many did where not all. */
function meanAndWorst(values: readonly (number | undefined)[], digits: number): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return "never";
  const text = `${meanOf(known).toFixed(digits)} (${Math.max(...known).toFixed(digits)})`;
  return known.length === values.length ? text : `${text}, ${known.length} of ${values.length}`;
}
