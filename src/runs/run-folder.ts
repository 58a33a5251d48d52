import { existsSync, readFileSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeAtomically } from "./atomic-write.ts";
import { makeFolders } from "./make-folders.ts";
import { RunError } from "./run-error.ts";
import type { RunLock } from "./run-lock.ts";

/** `model_<iteration>.pt`, or the best student so far; the latter sorts before all others by Isaac Lab's rule. */
export type CheckpointName = `model_${number}.pt` | "best_model.pt";

/** Who flies a run. */
export interface Holder {
  /** Asked before every write. */
  readonly lock: Pick<RunLock, "check">;
  /** Told when the folder had to be made anew. */
  readonly say: (line: string) => void;
}

/**
 * The folder of one run; its layout is rsl_rl's. What a checkpoint holds is not its business. Its files are its
 * owner's alone.
 */
export class RunFolder {
  /** 8 of [a-z0-9], the same in every session of the run. */
  readonly id: string;
  /** Absolute path of the run folder. */
  readonly path: string;
  /** Small files that make the folder a run, as they were written: it may vanish in flight. */
  readonly #kept = new Map<string, string>();
  #holder: Holder | undefined;

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
    await this.#makeWhole();
    return this.#write(name, bytes);
  }

  /** From now on by one flight, which has to hold it for every write. */
  heldBy(holder: Holder): void {
    this.#holder = holder;
    for (const name of ["run.json", join("params", "env.yaml")]) {
      const path = join(this.path, name);
      if (existsSync(path)) this.#kept.set(name, readFileSync(path, "utf8"));
    }
  }

  /** Path of the checkpoint with the highest iteration. */
  async latestCheckpoint(): Promise<string | undefined> {
    return (await this.checkpoints())[0];
  }

  /** Paths of all but the best one, the latest first. */
  async checkpoints(): Promise<readonly string[]> {
    const names = await this.#names();
    const iterations = names.flatMap((name) => /^model_(\d+)\.pt$/.exec(name)?.[1] ?? []);
    const latestFirst = iterations.sort((a, b) => Number(b) - Number(a));
    return latestFirst.map((iteration) => join(this.path, `model_${iteration}.pt`));
  }

  /**
   * Leaves the best one and the latest: at most `count`, and as many as have room in `bytes` beside it. The
   * very latest always stays. Gives the names of those that went.
   */
  async dropOldCheckpoints({ count = Infinity, bytes = Infinity }): Promise<readonly string[]> {
    const best = await this.bestCheckpoint();
    let room = bytes - (best === undefined ? 0 : await sizeOf(best));
    const old: string[] = [];
    for (const [i, path] of (await this.checkpoints()).entries()) {
      room -= await sizeOf(path);
      if (i >= count || (i > 0 && room < 0)) old.push(path);
    }
    for (const path of old) await rm(path, { force: true });
    return old.map((path) => basename(path));
  }

  async bestCheckpoint(): Promise<string | undefined> {
    const names = await this.#names();
    return names.includes("best_model.pt") ? join(this.path, "best_model.pt") : undefined;
  }

  /** @param name `agent`: the configuration, `env`: the simulator's specification and settings. */
  async saveParams(name: "agent" | "env", yaml: string): Promise<void> {
    await this.#keep(join("params", `${name}.yaml`), yaml);
  }

  /** By which it is known, and found again. */
  async saveIdentity(identity: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#keep("run.json", `${JSON.stringify(identity)}\n`);
  }

  async saveSummary(summary: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#makeWhole();
    await this.#write(basename(this.summaryPath), `${JSON.stringify(summary, null, 2)}\n`);
  }

  async #keep(name: string, text: string): Promise<void> {
    this.#kept.set(name, text);
    await this.#write(name, text);
  }

  /** A folder that was deleted or renamed in flight is made anew, with what makes it a run. */
  async #makeWhole(): Promise<void> {
    if (!this.#holder) return;
    const missing = [...this.#kept].filter(([name]) => !existsSync(join(this.path, name)));
    if (missing.length === 0) return;
    makeFolders(this.path, 0o700);
    for (const [name, text] of missing) await this.#write(name, text);
    const names = missing.map(([name]) => name).join(", ");
    this.#holder.say(`${this.path} had lost ${names}: made anew, and the run goes on there`);
  }

  async #write(name: string, data: Uint8Array | string): Promise<string> {
    this.#holder?.lock.check();
    const path = join(this.path, name);
    // The run's own folder is made anew by whoever knows what belongs into it.
    if (dirname(name) !== ".") makeFolders(dirname(path));
    await writeAtomically(path, data, 0o600);
    return path;
  }

  /** None where its folder is gone. */
  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
