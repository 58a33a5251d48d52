import { randomInt } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { writeAtomically, writeError } from "./atomic-write.ts";
import { readCodeState } from "./code-state.ts";
import { makeFolders } from "./make-folders.ts";
import { RunError } from "./run-error.ts";
import { RunFolder } from "./run-folder.ts";

export interface NewRun {
  readonly log_root: string;
  readonly experiment_name: string;
  readonly run_name: string;
}

/** By these Isaac Lab 3 finds a run: `--checkpoint latest|best` of its own commands. */
export interface RunManifest {
  /** Whose checkpoints they are: `rsl_rl` where its runner can load them. */
  readonly library: string;
  readonly task: string;
  /** Entry point of the configuration that a task has for such runs. */
  readonly agent?: string;
}

export interface CreateRunOptions {
  /** The resolved configuration, for `params/agent.yaml`. */
  readonly agentYaml: string;
  /** What whoever finds it must know, in Isaac Lab's words. */
  readonly manifest?: RunManifest;
  /** Whose code is recorded in `git/`. Default: the working directory. */
  readonly codeFolder?: string;
  /** Default: a new one. */
  readonly id?: string;
  /** Default: now. */
  readonly startedAt?: Date;
}

/**
 * Makes `<log_root>/<experiment_name>/<YYYY-MM-DD_HH-MM-SS>[_<run_name>]` (local time) with
 * `params/agent.yaml`, `run.json` and, inside a git repository, `git/<repository>.diff`. Runs that
 * start in the same second get `_2`, `_3` … behind the name. @throws RunError
 */
export async function createRun(run: NewRun, options: CreateRunOptions): Promise<RunFolder> {
  const startedAt = options.startedAt ?? new Date();
  const experiment = resolve(run.log_root, run.experiment_name);
  const name = [timestamp(startedAt), run.run_name].filter((part) => part !== "").join("_");
  const path = await makeRunFolder(experiment, name).catch(refused);
  const folder = new RunFolder(path, options.id ?? newRunId());
  await folder.saveParams("agent", options.agentYaml);
  await folder.saveIdentity(identityOf(folder.id, startedAt, options.manifest));
  await saveCodeState(path, options.codeFolder ?? process.cwd());
  return folder;
}

/** Our own keys, and those of Isaac Lab's manifest. */
function identityOf(id: string, startedAt: Date, manifest: RunManifest | undefined) {
  const time = startedAt.toISOString();
  const own = { id, started_at: time };
  if (manifest === undefined) return own;
  const { library, task, agent } = manifest;
  return {
    ...own,
    version: 1,
    library,
    // Without Gymnasium's namespace.
    task: task.split(":").at(-1),
    // Pythons before 3.11 know no Z.
    created_at: time.replace("Z", "+00:00"),
    metadata: agent === undefined ? {} : { agent },
  };
}

/** Nothing was flown yet: the folder is one that the person chose. */
function refused(error: RunError): never {
  if (error.code !== "not-writable") throw error;
  throw new RunError("no-place", error.message, error.hint, { cause: error.cause });
}

async function makeRunFolder(experiment: string, name: string): Promise<string> {
  makeFolders(experiment);
  for (let attempt = 1; attempt <= 100; attempt += 1) {
    const path = join(experiment, attempt === 1 ? name : `${name}_${attempt}`);
    try {
      // What is in it may tell of its owner's work, and steers it: nobody else's.
      await mkdir(path, 0o700);
      return path;
    } catch (cause) {
      const error = cause as NodeJS.ErrnoException;
      if (error.code !== "EEXIST") throw writeError(path, 0, error);
    }
  }
  const message = `${join(experiment, name)} and 99 others of that name are there already`;
  throw new RunError("too-many-runs", message, "Choose another --run_name.");
}

/** Best effort: a run is worth more than the record of its code. */
async function saveCodeState(path: string, codeFolder: string): Promise<void> {
  const state = await readCodeState(codeFolder);
  if (!state) return;
  makeFolders(join(path, "git"));
  await writeAtomically(join(path, "git", `${state.repository}.diff`), state.text, 0o600);
}

/** `YYYY-MM-DD_HH-MM-SS`, local time. */
export function timestamp(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day}_${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join("-")}`;
}

/** Eight letters and digits by which a run is known, also to W&B and to its simulator. */
export function newRunId(): string {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join("");
}
