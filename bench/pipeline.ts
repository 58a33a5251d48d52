/** Learning while flying: what `--pipeline` brings, and what it costs the student. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askChild, benchModule, startServer } from "./children.ts";
import { type Bench, type Figure, missing, type Row } from "./report.ts";
import { median } from "./timing.ts";
import { type Training, trainWatched } from "./training.ts";

type Mode = "on" | "off";
const modes: readonly Mode[] = ["off", "on"];
const patience = { seconds: 600 };
/** One pilot, so that every iteration does the same. */
const teacherAlone = ["--max_iterations", "60", "--phase1_iterations", "60"];

export const pipelineBench: Bench = {
  title: "pipeline: a rollout is learned while the next one is flown",
  run: async ({ seeds, say }) => {
    const rows: Row[] = [];
    for (const seed of seeds) {
      say(`defaults, seed ${seed}`);
      rows.push(await attempt(`defaults, seed ${seed}`, () => wholeRuns(seed)));
    }
    say("a simulator that takes 4 ms a step");
    rows.push(await attempt("4 ms a step", slowRuns));
    for (const numEnvs of [100, 1000]) {
      say(`the thread that flies, N = ${numEnvs}`);
      const what = `blocked, N = ${numEnvs}`;
      rows.push(await attempt(what, () => blocked(numEnvs)));
    }
    return rows;
  },
};

async function attempt(what: string, measure: () => Promise<Record<string, Figure>>): Promise<Row> {
  try {
    return { what, figures: await measure() };
  } catch (error) {
    return missing(what, error);
  }
}

/** Both at the same time would take each other's cores: one after the other. */
async function wholeRuns(seed: number): Promise<Record<string, Figure>> {
  const args = ["--seed", String(seed)];
  const [off, on] = await each((mode) =>
    trainWatched([...args, "--pipeline", mode], patience).then(({ summary }) => summary),
  );
  return {
    "off, s": off!.seconds,
    "on, s": on!.seconds,
    "on / off": on!.seconds / off!.seconds,
    "student / teacher, off": off!.student_vs_teacher ?? "unknown",
    "student / teacher, on": on!.student_vs_teacher ?? "unknown",
  };
}

/** Per iteration, against the longer of simulating and learning, each as measured in the same run. */
async function slowRuns(): Promise<Record<string, Figure>> {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
  const endpoint = `ipc://${folder}/slow.ipc`;
  const server = await startServer(process.execPath, [benchModule("slow-server"), endpoint, "4"], {
    ready: /served/,
  });
  const args = ["--sim", endpoint, "--checkpoint", "hover", ...teacherAlone];
  args.push("evaluation.final_episodes=0", "--num_envs", "100");
  try {
    const [off, on] = await each(async (mode) => {
      const logs = join(folder, mode);
      return iterations(await trainWatched([...args, "--pipeline", mode], { ...patience, logs }));
    });
    return {
      "off, ms": off!.wall,
      "on, ms": on!.wall,
      "on / off": on!.wall / off!.wall,
      "simulating, ms": on!.simulating,
      "learning, ms": on!.learning,
      "flying, ms": on!.flying,
      "on / longer": on!.wall / Math.max(on!.simulating, on!.learning),
    };
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Medians of an iteration's milliseconds; the first ones, in which graphs are made, don't count. */
function iterations({ run }: Training) {
  const lines = readFileSync(join(run, "metrics.jsonl"), "utf8").trimEnd().split("\n").slice(10);
  const rows = lines.map((line) => JSON.parse(line) as Record<string, number>);
  const of = (value: (row: Record<string, number>) => number | undefined) =>
    1000 * median(rows.map((row) => value(row) ?? 0));
  return {
    wall: of((row) => row["Perf/collection_time"]! + row["Perf/learning_time"]!),
    flying: of((row) => row["Perf/collection_time"]),
    simulating: of((row) => row["Perf/simulation_time"]),
    learning: of((row) => row["Perf/update_time"] ?? row["Perf/learning_time"]),
  };
}

interface Blocked {
  readonly most: number;
  readonly worst: number;
}

/** How long one turn of the thread that flies, draws and listens takes, in which nothing else gets its own. */
async function blocked(numEnvs: number): Promise<Record<string, Figure>> {
  const logs = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
  const args = ["--log_root", logs, "--num_envs", String(numEnvs), ...teacherAlone];
  args.push("evaluation.final_episodes=0");
  try {
    const [off, on] = await each((mode) => {
      const all = [benchModule("blocked-child"), ...args, "--pipeline", mode];
      return askChild<Blocked>(process.execPath, all, patience);
    });
    return {
      "99 % off, ms": off!.most,
      "99 % on, ms": on!.most,
      "worst off, ms": off!.worst,
      "worst on, ms": on!.worst,
    };
  } finally {
    rmSync(logs, { recursive: true, force: true });
  }
}

async function each<T>(measure: (mode: Mode) => Promise<T>): Promise<T[]> {
  const measured: T[] = [];
  for (const mode of modes) measured.push(await measure(mode));
  return measured;
}
