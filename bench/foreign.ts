/**
 * Simulators that nobody here made, from PyPI, by the examples in sim-adapters/python/examples: do they keep the protocol,
 * how fast do they fly, and how near does a student come to their own teacher? Each in a virtual environment of its own
 * (gigabytes, once); what does not install is a row that says so.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { conform } from "../sim-adapters/conform/conform.ts";
import { projectFolder, startServer } from "./children.ts";
import { pythonPath, pythonWith, wirePackages } from "./python.ts";
import { type Bench, type Figure, missing, type Row, type Say } from "./report.ts";
import { trainWatched } from "./training.ts";

interface Foreign {
  readonly name: string;
  /** In sim-adapters/python/examples. */
  readonly example: string;
  readonly packages: readonly string[];
  readonly words?: readonly string[];
  /** How its own teacher is distilled; absent: it has none. */
  readonly train?: readonly string[];
}

const simulators: readonly Foreign[] = [
  {
    name: "PyFlyt 0.29",
    example: "pyflyt_hover.py",
    packages: ["pyflyt==0.29.0", "gymnasium>=1.1"],
    words: ["--num_envs", "16"],
    train: ["--num_envs", "16"],
  },
  {
    name: "crazyflow 0.4",
    example: "crazyflow_reach.py",
    packages: ["crazyflow==0.4.0", "gymnasium>=1.1"],
    train: [...["--num_envs", "64"], "obs_groups.student=[difference_to_goal,quat,vel,ang_vel]"],
  },
  {
    name: "EnvPool 1.2",
    example: "envpool_go1.py",
    packages: ["envpool==1.2.5", "gymnasium>=1.1"],
  },
  { name: "mjlab 1.6", example: "mjlab_task.py", packages: ["mjlab==1.6.0", "gymnasium>=1.1"] },
  {
    name: "Isaac Lab 3.0",
    example: "isaaclab_cartpole.py",
    packages: ["isaaclab==3.0.0"],
    words: [
      "--num_envs",
      "16",
      ...(process.env.ISAACLAB_ASSETS ? ["--assets", process.env.ISAACLAB_ASSETS] : []),
    ],
  },
];

/** Seconds until one serves: JAX and Warp compile, some for minutes. */
const patience = 600;

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
  const { name, example, packages, words = [], train } = simulator;
  const python = await pythonWith(
    `foreign-${example.replace(".py", "")}`,
    [...wirePackages, "pyyaml", ...packages],
    say,
  );
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
  const endpoint = `ipc://${folder}/sim.ipc`;
  const path = join(projectFolder, "sim-adapters/python/examples", example);
  const server = await startServer(python, ["-u", path, "--bind", endpoint, ...words], {
    ready: /^ready /,
    env: pythonPath,
    seconds: patience,
  });
  try {
    const laws = await conform({ endpoint, startupTimeout: patience });
    const count = (verdict: string) => laws.filter((law) => law.verdict === verdict).length;
    const kept = { "laws held": count("holds"), broken: count("broken") };
    return train === undefined ? kept : { ...kept, ...(await distilled(endpoint, train, name)) };
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function distilled(endpoint: string, more: readonly string[], name: string) {
  const length = ["--max_iterations", "300", "--phase1_iterations", "100"];
  const args = ["--sim", endpoint, "--checkpoint", "simulator", ...length, ...more];
  const kept = ["algorithm.buffer_size=200000", "--experiment_name", name.replace(/\W+/g, "_")];
  const { summary } = await trainWatched([...args, ...kept], { seconds: 900 });
  return {
    "steps/s": Math.round(summary.environment_steps / summary.seconds),
    "student / teacher": summary.student_vs_teacher?.toFixed(4) ?? "unknown",
    episodes: summary.episodes,
  };
}
