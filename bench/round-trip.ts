/**
 * There and back: rsl_rl trains a teacher by PPO over our Python client on our simulator, Firstsolo
 * distils it, rsl_rl loads the student and flies it over the same client.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../src/engine/install/command.ts";
import { benchScript, program } from "./children.ts";
import { askOnFleet } from "./fleet.ts";
import { peerPackages, pythonPath, pythonWith } from "./python.ts";
import type { Bench, BenchOptions, Row } from "./report.ts";

const task = "quadcopter-noisy";
const teacherIterations = 200;
const teacherEnvs = 2048;

export const roundTripBench: Bench = {
  title: "round-trip: PPO in rsl_rl → Firstsolo → rsl_rl, greedy returns over whole episodes",
  run: async (options) => {
    const python = await pythonWith("peer", peerPackages, { say: options.say });
    const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
    try {
      return await roundTrip(python, folder, options);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function roundTrip(
  python: string,
  folder: string,
  { say, seeds }: BenchOptions,
): Promise<readonly Row[]> {
  const teacher = join(folder, "teacher.pt");
  say(`rsl_rl trains a teacher: ${teacherIterations} iterations of ${teacherEnvs} environments`);
  const ppo = ["--task", task, "--out", teacher, "--num_envs", String(teacherEnvs)];
  const length = ["--iterations", String(teacherIterations), "--seed", String(seeds[0])];
  await must(python, [benchScript("train_teacher"), ...ppo, ...length], 1800);
  const { note } = JSON.parse(readFileSync(teacher.replace(/pt$/, "json"), "utf8"));
  say("Firstsolo distils it");
  const logs = join(folder, "logs");
  const flags = [
    "--checkpoint",
    teacher,
    "--activation",
    "elu",
    "--log_root",
    logs,
    "--ui",
    "none",
  ];
  const run = ["--task", task, "--experiment_name", "e", "--seed", String(seeds[0])];
  await must(process.execPath, [program, "train", ...run, ...flags], 900);
  const runFolder = join(logs, "e", readdirSync(join(logs, "e")).sort().at(-1)!);
  const summary = JSON.parse(readFileSync(join(runFolder, "summary.json"), "utf8"));
  say("rsl_rl flies the student");
  const order = { checkpoint: join(runFolder, "best_model.pt"), num_envs: 100, seed: 7 };
  const back = await askOnFleet<FlownBack>(python, "fly_student", { task, order, seconds: 300 });
  return [
    { what: "teacher, by rsl_rl's PPO", figures: { return: summary.teacher_return }, note },
    { what: "student, flown by Firstsolo", figures: { return: summary.student_return } },
    {
      what: "student, loaded and flown by rsl_rl",
      figures: { return: back.student_return },
      note: `${back.episodes} episodes, ${back.versions}`,
    },
    {
      what: "theirs / ours",
      figures: { return: back.student_return / summary.student_return },
    },
  ];
}

interface FlownBack {
  readonly student_return: number;
  readonly episodes: number;
  readonly versions: string;
}

async function must(command: string, args: readonly string[], seconds: number): Promise<string> {
  const result = await runCommand(command, args, { env: pythonPath, timeout: seconds * 1000 });
  if (result.status === 0) return result.stdout;
  throw new Error(result.stderr.trim().split("\n").slice(-3).join(" | ") || `${command} failed`);
}
