import { z } from "zod";
import type { SettingValue } from "../../protocol/settings.ts";
import {
  flag,
  folderName,
  type LeafNotes,
  maybeOneOf,
  maybeText,
  maybeWhole,
  million,
  notNegative,
  oneOf,
  oneOfNumbers,
  positive,
  text,
  whole,
} from "./leaf.ts";

const sim = z.strictObject({
  endpoint: maybeText("ipc:// or tcp:// address of a simulator; null: start the one built in"),
  listen: flag(false, "Wait at that address for a simulator that dials in"),
  startup_timeout: positive(300, "Seconds a simulator may take to be there and ready"),
  step_timeout: positive(60, "Seconds a simulator may take for one step"),
  reset_timeout: positive(
    60,
    "Seconds it may take for a reset or a snapshot, more while it says that it works",
  ),
  restarts: whole(
    5,
    { least: 0, most: 1000 },
    "Times on end that a lost simulator of our own is started again",
  ),
  wait: notNegative(300, "Seconds a lost simulator that others started is waited for; 0: not"),
  threads: maybeWhole(
    { least: 1, most: 64 },
    "Cores of the simulator built in, same bits with any number; null: two where that is worthwhile",
  ),
  shared_memory: oneOf(
    ["auto", "on", "off"],
    "off",
    "Arrays through memory that both processes share; auto: where the simulator runs on this machine and can; on: or not at all",
  ),
  insecure: flag(
    false,
    "Fly a simulator beyond this machine without encryption: whoever is in the network can take part",
  ),
  record_wire: maybeText(
    "File that gets a copy of all that goes over the wire, for `firstsolo replay`",
  ),
  curve_server_key_file: maybeText("File with the simulator's public CURVE key; null: unencrypted"),
  curve_client_key_file: maybeText("File with our own secret CURVE key"),
});

/** Sinks of one's own: see src/metrics/own-sink.ts for what they are handed. */
const sinks = z
  .array(
    z.strictObject({
      module: z.string().min(1),
      export: z.string().min(1).default("openSink"),
      options: z.record(z.string(), z.json()).default({}),
    }),
  )
  .max(16)
  .default([])
  .meta({
    expects: "a list of {module: FILE, export: NAME, options: {…}}",
    doc: "Metric sinks of your own: ES modules with a function or class that takes (options, run)",
  } satisfies LeafNotes);

/** Keys of every algorithm, with default, bounds and meaning; names are rsl_rl's where it has one. */
export const commonKeys = {
  task: text("quadcopter-noisy", "Task the simulator is asked for"),
  num_envs: whole(100, { least: 1, most: million }, "Environments flown side by side"),
  seed: whole(42, { least: 0, most: 2 ** 32 - 1 }, "Seed of weights, noise and simulator"),
  device: oneOf(["auto", "cuda", "cpu", "webgpu", "wasm"], "auto", "Where TensorFlow computes"),
  threads: maybeWhole({ least: 1, most: 1024 }, "Threads of TensorFlow; null: its own choice"),
  compile: oneOf(["on", "off"], "on", "Whether an update's operations are made one call"),
  pipeline: oneOf(
    ["on", "off", "auto"],
    "auto",
    "Whether a rollout is learned in a thread of its own while the next one is flown, by a student one update older; auto: where two cores are, and that costs nothing",
  ),
  num_steps_per_env: whole(24, { least: 1, most: 100_000 }, "Control steps of one iteration"),
  max_iterations: whole(400, { least: 1, most: 10 * million }, "Iterations of the whole run"),
  save_interval: whole(50, { least: 1, most: 10 * million }, "Iterations between checkpoints"),
  keep_checkpoints: maybeWhole(
    { least: 1, most: million },
    "Latest checkpoints that are kept, besides the best one; null: all",
  ),
  checkpoint_budget: maybeWhole(
    { least: 1, most: 1000 * million },
    "Megabytes (2^20) that the run's checkpoints may take: older ones go, the latest and the best stay; null: any",
  ),
  checkpoint_version: whole(
    5,
    { least: 2, most: 5 },
    "Layout of the checkpoints: rsl_rl's of version 2 (2.3), 3, 4 or 5",
  ),
  experiment_name: folderName("", "Folder of the runs; empty: the task's name and the algorithm's"),
  run_name: folderName("", "Put behind the time in the run folder's name"),
  log_root: text("logs/rsl_rl", "Folder of all experiments"),
  logger: oneOf(["none", "wandb", "tensorboard"], "none", "Where figures go besides the files"),
  log_project_name: maybeText("Project in W&B; null: WANDB_PROJECT, else firstsolo"),
  wandb_mode: maybeOneOf(
    ["offline", "online", "disabled"],
    "online uploads while it flies; null: WANDB_MODE, else offline",
  ),
  metric_names: oneOfNumbers(
    [2, 3, 5],
    5,
    "rsl_rl's names of figures: of version 2.0 to 3.1, 3.2 to 4.x, or 5; metrics.jsonl keeps 5",
  ),
  metrics_port: maybeWhole(
    { least: 0, most: 65535 },
    "Port on this machine with a page of figures for Prometheus; 0: any free one",
  ),
  sinks,
  ui: oneOf(["auto", "tui", "plain", "jsonl", "none"], "auto", "What the terminal shows"),
} as const;

const checks = z.strictObject({
  report_gradients: whole(
    3,
    { least: 0, most: 1000 },
    "First updates of each kind whose gradients are measured against their claims; 0: none",
  ),
  allow_leaks: flag(false, "Go on where a gradient arrives or moves what it should not"),
  allow_orphans: flag(false, "Go on where a gradient arrives that nobody steps"),
  allow_starved: flag(false, "Go on where an owner steps without a gradient"),
  on_divergence: oneOf(["warn", "stop"], "warn", "What an alarm of a monitor does to the run"),
});

/** Monitors and the way to the simulator, behind the keys of the algorithm. */
export const simulatorKeys = {
  checks: checks.prefault({}),
  sim: sim.prefault({}),
  env: z.record(z.string(), z.custom<SettingValue>()).default({}).meta({
    expects: "settings of the simulator",
    doc: "Settings handed to the simulator, by dotted name",
  }),
} as const;

export type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

type Output<Shape extends z.ZodRawShape> = Frozen<z.output<z.ZodObject<Shape>>>;

/** What every algorithm's configuration has: checked, complete, deeply frozen. */
export type Config = Output<typeof commonKeys> &
  Output<typeof simulatorKeys> & {
    readonly algorithm: { readonly class_name: string };
    readonly evaluation: { readonly final_episodes: number };
  };

/** Of one algorithm, by the blocks of keys that are its own. */
export type ConfigOf<Blocks extends z.ZodRawShape> = Config & Output<Blocks>;
