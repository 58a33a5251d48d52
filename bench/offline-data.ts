/** Flights to learn from, recorded once and kept beside the results. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { shippedTeacher } from "../src/algorithms/distillation/shipped-teacher.ts";
import { openFlights } from "../src/datasets/open-flights.ts";
import { runCommand } from "../src/engine/install/command.ts";
import { meanWithInterval } from "../src/running/tally.ts";
import { program, projectFolder } from "./children.ts";
import type { Say } from "./report.ts";
import { trainWatched } from "./training.ts";

export const task = "quadcopter";
export const resultsFolder = join(projectFolder, "bench", "results", "offline");

/** Of the section `offline`. */
export const dataNames = ["narrow", "mixture"] as const;
/**
 * `expert`: the teacher shipped for the task with noise of 0.05 on its actions; `narrow`: of 0.3. `mixture`: half of
 * the episodes by that teacher, half by a poor pilot, the student of eight iterations of a distillation,
 * which hardly flies; noise of 0.3 on both.
 */
export type DataName = (typeof dataNames)[number] | "expert";

const poorIterations = "8";

/** The file of these flights; made where it is not there yet. @throws Error with the last line of what failed */
export async function flightsOf(name: DataName, episodes: number, say: Say): Promise<string> {
  const path = join(resultsFolder, `${name}-${episodes}.hdf5`);
  if (existsSync(path)) return path;
  mkdirSync(resultsFolder, { recursive: true });
  const good = shippedTeacher(task);
  const crew = name === "narrow" ? [good] : [`${good}@0.5`, `${await poorPilot(say)}@0.5`];
  say(`recording ${name}: ${episodes} episodes`);
  const pilots = crew.flatMap((who) => ["--policy", who]);
  const noise = name === "expert" ? "0.05" : "0.3";
  const words = [
    ...pilots,
    "--noise",
    noise,
    "--episodes",
    String(episodes),
    "--seed",
    "7",
    "-o",
    path,
  ];
  const told = await runCommand(process.execPath, [program, "record", "--task", task, ...words], {
    timeout: 1_800_000,
  });
  if (told.status === 0) return path;
  throw new Error(told.stderr.trim().split("\n").at(-1) || "nothing could be recorded");
}

async function poorPilot(say: Say): Promise<string> {
  const logs = join(resultsFolder, "poor-pilot");
  const length = ["--max_iterations", poorIterations, "--phase1_iterations", poorIterations];
  const flown = ["--task", task, "--seed", "7", "evaluation.final_episodes=0"];
  say(`a poor pilot: a distillation of ${poorIterations} iterations`);
  const { run } = await trainWatched([...flown, ...length], { seconds: 600, logs });
  return join(run, `model_${Number(poorIterations) - 1}.pt`);
}

export interface DataFigures {
  readonly episodes: number;
  readonly steps: number;
  readonly mean: number;
  /** Half the width of the interval in which the mean lies with 95 %. */
  readonly ci95: number;
  readonly best: number;
  readonly worst: number;
  /** `[episodes, width]`: what each starts with. */
  readonly starts: Float32Array;
  readonly width: number;
}

export async function figuresOf(path: string): Promise<DataFigures> {
  const flights = await openFlights(path);
  try {
    const returns = [...flights.episodes.returns];
    const [count, width] = [returns.length, flights.spec.groups.policy!.width];
    const starts = new Float32Array(count * width);
    for (let episode = 0; episode < count; episode += 1) {
      flights.read("obs/policy", { episode, from: 0, count: 1 }, starts, episode * width);
    }
    return {
      ...{ episodes: count, steps: flights.steps, starts, width },
      ...meanWithInterval(returns),
      best: returns.reduce((a, b) => Math.max(a, b)),
      worst: returns.reduce((a, b) => Math.min(a, b)),
    };
  } finally {
    flights.close();
  }
}
