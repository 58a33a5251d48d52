import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeAtomically } from "./atomic-write.ts";
import { RunError } from "./run-error.ts";

/** `model_<iteration>.pt`, or the best student so far; the latter sorts before all others by Isaac Lab's rule. */
export type CheckpointName = `model_${number}.pt` | "best_model.pt";

/** The folder of one run; its layout is rsl_rl's. What a checkpoint holds is not its business. */
export class RunFolder {
  /** 8 of [a-z0-9], the same in every session of the run. */
  readonly id: string;
  /** Absolute path of the run folder. */
  readonly path: string;

  constructor(path: string, id: string) {
    this.path = path;
    this.id = id;
  }

  /** As people call it: the folder's own name. */
  get name(): string {
    return basename(this.path);
  }

  /** The configuration the run was started with. */
  get agentYamlPath(): string {
    return join(this.path, "params", "agent.yaml");
  }

  get metricsPath(): string {
    return join(this.path, "metrics.jsonl");
  }

  get eventsPath(): string {
    return join(this.path, "events.jsonl");
  }

  /** What the simulator's own process prints. */
  get simLogPath(): string {
    return join(this.path, "sim.log");
  }

  get summaryPath(): string {
    return join(this.path, "summary.json");
  }

  /** All or nothing: whatever fails, an older file of that name stays whole. Gives the path. @throws RunError */
  async saveCheckpoint(name: CheckpointName, bytes: Uint8Array): Promise<string> {
    if (!/^(model_\d+|best_model)\.pt$/.test(name)) {
      const hint = "Use model_<iteration>.pt or best_model.pt.";
      throw new RunError("bad-name", `${JSON.stringify(name)} names no checkpoint`, hint);
    }
    const path = join(this.path, name);
    await writeAtomically(path, bytes);
    return path;
  }

  /** Path of the checkpoint with the highest iteration. */
  async latestCheckpoint(): Promise<string | undefined> {
    const names = await this.#names();
    const iterations = names.flatMap((name) => /^model_(\d+)\.pt$/.exec(name)?.[1] ?? []);
    if (iterations.length === 0) return undefined;
    return join(this.path, `model_${iterations.sort((a, b) => Number(a) - Number(b)).at(-1)}.pt`);
  }

  /** Path of the best student. */
  async bestCheckpoint(): Promise<string | undefined> {
    const names = await this.#names();
    return names.includes("best_model.pt") ? join(this.path, "best_model.pt") : undefined;
  }

  /** @param name `agent`: the configuration, `env`: the simulator's specification and settings. */
  async saveParams(name: "agent" | "env", yaml: string): Promise<void> {
    await writeAtomically(join(this.path, "params", `${name}.yaml`), yaml);
  }

  async saveSummary(summary: Readonly<Record<string, unknown>>): Promise<void> {
    await writeAtomically(this.summaryPath, `${JSON.stringify(summary, null, 2)}\n`);
  }

  async #names(): Promise<readonly string[]> {
    return readdir(this.path);
  }
}
