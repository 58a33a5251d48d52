/**
 * Simulators that nobody here made, from PyPI, by the examples in sim-adapters/python/examples: do they keep the protocol,
 * how fast do they fly, and how near does a student come to their teacher? That is a controller of the example, or a
 * policy that the simulator's own `train` makes first. Each in a virtual environment of its own (gigabytes, once); what
 * does not install is a row that says so.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { conform } from "../sim-adapters/conform/conform.ts";
import { runCommand } from "../src/engine/install/command.ts";
import { projectFolder, startServer } from "./children.ts";
import { pythonPath, pythonWith, wirePackages } from "./python.ts";
import { type Bench, type Figure, missing, type Row, type Say } from "./report.ts";
import { trainWatched } from "./training.ts";

interface Foreign {
  readonly name: string;
  /** In sim-adapters/python/examples. */
  readonly example: string;
  readonly packages: readonly string[];
  /** The Python that its packages need; absent: any. */
  readonly version?: string;
  readonly words?: readonly string[];
  /** Of `python -m`: its own program, which leaves a model_N.pt somewhere below the folder it is started in. */
  readonly teacher?: readonly string[];
  /** How the teacher is distilled. */
  readonly train: readonly string[];
}

/** Where Isaac Lab's assets lie; absent: it fetches its own. */
const assets = process.env.ISAACLAB_ASSETS;

const simulators: readonly Foreign[] = [
  {
    name: "PyFlyt 0.29",
    example: "pyflyt_hover.py",
    packages: ["pyflyt==0.29.0", "gymnasium>=1.1"],
    words: ["--num_envs", "16"],
    // Some hundred steps a second: each is learned from more often.
    train: [...length(100, 40), "algorithm.num_learning_epochs=8", judged(32)],
  },
  {
    name: "crazyflow 0.4",
    example: "crazyflow_reach.py",
    packages: ["crazyflow==0.4.0", "gymnasium>=1.1"],
    train: [
      ...[...length(300, 100), "--num_envs", "64"],
      "obs_groups.student=[difference_to_goal,quat,vel,ang_vel]",
    ],
  },
  {
    name: "EnvPool 1.2",
    example: "envpool_task.py",
    packages: ["envpool==1.2.5", "gymnasium>=1.1"],
    train: [...length(300, 100), "--num_envs", "64"],
  },
  {
    name: "mjlab 1.6",
    example: "mjlab_task.py",
    packages: ["mjlab==1.6.0", "gymnasium>=1.1"],
    version: "3.12",
    // A pole that stands for 50 s tells little; one that the student let fall tells more.
    train: [...length(150, 10), "obs_groups.student=[actor]", judged(32)],
  },
  {
    name: "Isaac Lab 3.0",
    example: "isaaclab_cartpole.py",
    packages: ["isaaclab==3.0.0"],
    version: "3.12",
    words: ["--num_envs", "16", ...(assets === undefined ? [] : ["--assets", assets])],
    teacher: [
      ...["isaaclab", "train", "--rl_library", "rsl_rl", "--task", "Isaac-Cartpole-Direct"],
      ...["--num_envs", "16", "--max_iterations", "150", "--device", "cpu", "--viz", "none"],
      ...["physics=newton_mjwarp", "agent.device=cpu", ...isaacAssets()],
    ],
    train: [...length(100, 35), judged(32)],
  },
];

function length(iterations: number, first: number): string[] {
  return ["--max_iterations", `${iterations}`, "--phase1_iterations", `${first}`];
}

/** Episodes of the last flight, where a step takes long. */
function judged(episodes: number): string {
  return `evaluation.final_episodes=${episodes}`;
}

/** As the example does with `--assets`. */
function isaacAssets(): string[] {
  if (assets === undefined) return [];
  const paths = { cartpole: "cartpole.usda", ground: "ground.usda" };
  const words = Object.entries(paths).map(
    ([what, name]) => `env.scene.${what}.spawn.usd_path=${join(assets, name)}`,
  );
  return [...words, "env.scene.ground.spawn.color=null"];
}

/** Seconds until one serves: JAX and Warp compile, some for minutes. */
const patience = 900;

/** Seconds for a training, theirs or ours. */
const flight = 3000;

export const foreignBench: Bench = {
  title: "foreign: simulators of others, by the examples of the Python package",
  run: async ({ offline, say }) => {
    const chosen = simulators.filter(
      ({ name }) =>
        offline.only.length === 0 || offline.only.some((word) => name.toLowerCase().includes(word)),
    );
    const rows: Row[] = [];
    for (const simulator of chosen) {
      say(simulator.name);
      try {
        rows.push({ what: simulator.name, figures: await flown(simulator, say) });
      } catch (error) {
        rows.push(missing(simulator.name, error));
      }
    }
    return rows;
  },
};

async function flown(simulator: Foreign, say: Say): Promise<Record<string, Figure>> {
  const { name, example, packages, words = [], version } = simulator;
  const python = await pythonWith(
    `foreign-${example.replace(".py", "")}`,
    [...wirePackages, "pyyaml", ...packages],
    { say, ...(version === undefined ? {} : { version }) },
  );
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
  try {
    const teacher = await teacherOf(simulator, { python, folder, say });
    const endpoint = `ipc://${folder}/sim.ipc`;
    const path = join(projectFolder, "sim-adapters/python/examples", example);
    const server = await startServer(python, ["-u", path, "--bind", endpoint, ...words], {
      ready: /^ready /,
      env: pythonPath,
      cwd: folder,
      seconds: patience,
    });
    try {
      say(`${name}: serves; conform`);
      const laws = await conform({ endpoint, startupTimeout: patience });
      const count = (verdict: string) => laws.filter((law) => law.verdict === verdict).length;
      say(`${name}: distillation`);
      const figures = await distilled(endpoint, [...simulator.train, "--checkpoint", teacher]);
      return { "laws held": count("holds"), broken: count("broken"), ...figures };
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly python: string;
  readonly folder: string;
  readonly say: Say;
}

/** For `--checkpoint`. @throws Error with the last line of a training that failed. */
async function teacherOf(
  { name, teacher }: Foreign,
  { python, folder, say }: Place,
): Promise<string> {
  if (teacher === undefined) return "simulator";
  say(`${name}: a teacher by its own training`);
  const options = { cwd: folder, timeout: flight * 1000 };
  const result = await runCommand(python, ["-m", ...teacher], options);
  const { status, stderr, stdout } = result;
  const models = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .flatMap((path) => {
      const iteration = /(?:^|\/)model_(\d+)\.pt$/.exec(path)?.[1];
      return iteration === undefined ? [] : [{ path, iteration: Number(iteration) }];
    })
    .sort((a, b) => b.iteration - a.iteration);
  if (status === 0 && models[0]) return join(folder, models[0].path);
  const line = `${stdout}${stderr}`.trim().split("\n").at(-1);
  throw new Error(
    `its own training ended with ${status ?? result.stopped ?? result.signal}: ${line ?? "it said nothing"}`,
  );
}

async function distilled(endpoint: string, more: readonly string[]) {
  const args = ["--sim", endpoint, ...more, "algorithm.buffer_size=200000"];
  const { summary } = await trainWatched(args, { seconds: flight });
  const { student_return, teacher_return, student_vs_teacher } = summary;
  return {
    "steps/s": Math.round(summary.environment_steps / summary.seconds),
    student: student_return ?? "unknown",
    teacher: teacher_return ?? "unknown",
    share: student_vs_teacher?.toFixed(4) ?? "unknown",
    episodes: summary.episodes,
  };
}
