/** Python scripts that fly our simulator. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askChild, benchScript, program, startServer } from "./children.ts";
import { pythonPath } from "./python.ts";

export interface FleetJob {
  readonly task: string;
  /** Default: 100. */
  readonly numEnvs?: number;
  /** What the script is told, besides the `endpoint` of the fleet. */
  readonly order: object;
  /** Patience. */
  readonly seconds: number;
}

/** A fleet for as long as the script runs; the answer is the JSON it prints last. */
export async function askOnFleet<T>(python: string, script: string, job: FleetJob): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
  const endpoint = `ipc://${folder}/sim.ipc`;
  const { task, numEnvs = 100 } = job;
  const sim = ["sim", "--task", task, "--num_envs", String(numEnvs), "--exit-with-stdin"];
  const args = [program, ...sim, "--bind", endpoint];
  try {
    const server = await startServer(process.execPath, args, { ready: /^sim: ready/ });
    try {
      const asked = [
        benchScript(script),
        JSON.stringify({ ...job.order, endpoint, num_envs: numEnvs }),
      ];
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
  /** The most memory it held, MB (10⁶ bytes). */
  readonly peak_mb: number;
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
