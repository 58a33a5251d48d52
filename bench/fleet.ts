/** Python scripts that fly our simulator. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askChild, benchScript, program, startServer } from "./children.ts";
import { pythonPath } from "./python.ts";

export interface FleetJob {
  readonly task: string;
  /** What the script is told, besides the `endpoint` of the fleet. */
  readonly order: object;
  /** Patience. */
  readonly seconds: number;
}

/** A fleet of 100 for as long as the script runs; the answer is the JSON it prints last. */
export async function askOnFleet<T>(python: string, script: string, job: FleetJob): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
  const endpoint = `ipc://${folder}/sim.ipc`;
  const sim = ["sim", "--task", job.task, "--num_envs", "100", "--exit-with-stdin"];
  const args = [program, ...sim, "--bind", endpoint];
  try {
    const server = await startServer(process.execPath, args, { ready: /^sim: ready/ });
    try {
      const asked = [benchScript(script), JSON.stringify({ ...job.order, endpoint })];
      return await askChild<T>(python, asked, { seconds: job.seconds, env: pythonPath });
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `peer_distillation.py`: one run of rsl_rl's; seconds are the loop's, since its start. */
export interface PeerRun {
  readonly versions: string;
  readonly reached: readonly {
    readonly iterations: number;
    readonly seconds: number;
    readonly cpu_seconds: number;
    readonly checkpoint: string;
  }[];
}

/** `judge_students.py`: greedy, undiscounted returns, one for each checkpoint. */
export interface Judgement {
  readonly teacher_return: number;
  readonly student_returns: readonly number[];
}
