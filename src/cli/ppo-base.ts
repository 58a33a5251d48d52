import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { type PpoBase, readPpoBase } from "../../policies/checkpoint/ppo-write.ts";
import { CheckpointError } from "../../policies/policy-error.ts";

/** A critic and an optimiser, where there are some, and where they come from or why there are none. */
export interface FoundBase {
  readonly base?: PpoBase;
  readonly note?: string;
}

/**
 * What goes along with the student in `file`: the critic of the checkpoint at `given`, none for `none`, else that of
 * the teacher's own PPO checkpoint, which the run's params/agent.yaml names: it judges the same observations.
 *
 * @throws CheckpointError `no-such-file`, `no-critic` for a checkpoint that was named
 */
export async function findPpoBase(file: string, given: string | undefined): Promise<FoundBase> {
  if (given === "none") return {};
  if (given !== undefined) return { base: await baseAt(given) };
  const teacher = await teacherOf(file);
  if (teacher === undefined) return {};
  try {
    const note = `critic and optimiser are those of the teacher's own checkpoint, ${teacher}; --base none leaves them out`;
    return { base: await baseAt(teacher), note };
  } catch (error) {
    return { note: `the teacher's checkpoint lends no critic: ${(error as Error).message}` };
  }
}

async function baseAt(path: string): Promise<PpoBase> {
  const bytes = await readFile(path).catch((cause: Error) => {
    const hint = "Name a model_N.pt of a PPO run, or none.";
    throw new CheckpointError("no-such-file", `${path}: ${cause.message}`, hint, { cause });
  });
  return readPpoBase(bytes, path);
}

/** The `checkpoint` of the run's resolved configuration; undefined for a file that lies in no run of ours. */
async function teacherOf(file: string): Promise<string | undefined> {
  try {
    const agent: unknown = parse(
      await readFile(join(dirname(file), "params", "agent.yaml"), "utf8"),
    );
    const path = (agent as { readonly checkpoint?: unknown } | null)?.checkpoint;
    return typeof path === "string" && /\.(pt|pth)$/.test(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The run.json by which Isaac Lab's `--checkpoint latest|best` finds an exported actor in a folder of its
 * logs/rsl_rl/EXPERIMENT: as a run of PPO on the task that the student was distilled in. Undefined where the file's own
 * run does not say the task.
 */
export async function playManifest(file: string, now: Date): Promise<string | undefined> {
  try {
    const text = await readFile(join(dirname(file), "run.json"), "utf8");
    const { task } = JSON.parse(text) as { readonly task?: unknown };
    if (typeof task !== "string") return undefined;
    const created_at = now.toISOString().replace("Z", "+00:00");
    const metadata = { agent: "rsl_rl_cfg_entry_point" };
    return `${JSON.stringify({ version: 1, library: "rsl_rl", task, created_at, metadata })}\n`;
  } catch {
    return undefined;
  }
}
