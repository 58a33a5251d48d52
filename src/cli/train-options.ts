import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import type { Flag } from "../algorithms/algorithm.ts";
import { algorithms } from "../algorithms/registry.ts";
import { ConfigError } from "../config/config-error.ts";
import { parseValue } from "../config/overrides.ts";
import type { ResolveInput } from "../config/resolve.ts";
import type { Setting } from "../config/setting.ts";
import type { ResumeRequest, TeacherRequest, TrainInput } from "../session/train-input.ts";
import { hintForFlag } from "./foreign-flags.ts";
import { flagHelp, helpByAlgorithm } from "./train-help.ts";

/** Flags that set one key of the configuration; their help is the key's own. */
const commonFlags: readonly Flag[] = [
  ["--algorithm", "NAME", "algorithm.class_name"],
  ["--task", "NAME", "task"],
  ["--num_envs", "N", "num_envs"],
  ["--seed", "N", "seed"],
  ["--num_steps_per_env", "N", "num_steps_per_env"],
  ["--max_iterations", "N", "max_iterations"],
  ["--save_interval", "N", "save_interval"],
  ["--keep_checkpoints", "N", "keep_checkpoints"],
  ["--checkpoint_budget", "MB", "checkpoint_budget"],
  ["--report_gradients", "N", "checks.report_gradients"],
  ["--on_divergence", "WHAT", "checks.on_divergence"],
  ["--checkpoint_version", "N", "checkpoint_version"],
  ["--experiment_name", "NAME", "experiment_name"],
  ["--run_name", "NAME", "run_name"],
  ["--log_root", "FOLDER", "log_root"],
  ["--logger", "NAME", "logger"],
  ["--log_project_name", "NAME", "log_project_name"],
  ["--wandb_mode", "NAME", "wandb_mode"],
  ["--metric_names", "VERSION", "metric_names"],
  ["--metrics_port", "PORT", "metrics_port"],
  ["--ui", "NAME", "ui"],
  ["--device", "NAME", "device"],
  ["--threads", "N", "threads"],
  ["--compile", "on|off", "compile"],
  ["--pipeline", "on|off|auto", "pipeline"],
  ["--sim", "ENDPOINT", "sim.endpoint"],
  ["--sim_restarts", "N", "sim.restarts"],
  ["--sim_wait", "SECONDS", "sim.wait"],
  ["--record_wire", "FILE", "sim.record_wire"],
  ["--shared_memory", "auto|on|off", "sim.shared_memory"],
];

/** Flags without a value that set a key to true. */
const switches: readonly (readonly [flag: string, key: string])[] = [
  ["--listen", "sim.listen"],
  ["--insecure", "sim.insecure"],
  ["--allow_leaks", "checks.allow_leaks"],
  ["--allow_orphans", "checks.allow_orphans"],
  ["--allow_starved", "checks.allow_starved"],
  ["--use_mcts", "algorithm.use_mcts"],
];

/** Those of every algorithm, each once, whichever algorithm has it. */
const configFlags: readonly Flag[] = [
  ...new Map(
    [...commonFlags, ...algorithms.flatMap(({ flags = [] }) => flags)].map((flag) => [
      flag[0],
      flag,
    ]),
  ).values(),
];

/** Flags of Isaac Lab's train.py that ask for what there isn't. */
const refused: readonly (readonly [flag: string, name: string, why: string, hint: string])[] = [
  ["--video", "video", "the runner renders no videos", "Record in the simulator's own process."],
  ["--video_length <n>", "video_length", "no video is recorded", "Drop it."],
  ["--video_interval <n>", "video_interval", "no video is recorded", "Drop it."],
  [
    "--distributed",
    "distributed",
    "one process trains",
    "Use more environments instead: --num_envs.",
  ],
];

/** Flags of Isaac Lab's training commands that ask for nothing that there is here, and why that is no loss. */
const idle: readonly (readonly [flag: string, why: string])[] = [
  ["--agent <entry>", "Isaac Lab's name for a configuration; give its file: --config agent.yaml"],
  ["--rl_library <name>", "the student is trained here"],
  ["--enable_cameras", "cameras belong to the simulator's own process"],
  ["--livestream <mode>", "it belongs to the simulator's own process"],
  ["--viz [kinds]", "it belongs to the simulator's own process"],
  ["--visualizer [kinds]", "it belongs to the simulator's own process"],
  ["--kit_args <args>", "it belongs to the simulator's own process"],
  ["--experience <file>", "it belongs to the simulator's own process"],
  ["--rendering_mode <mode>", "it belongs to the simulator's own process"],
  ["--disable_fabric", "it belongs to the simulator's own process"],
  ["--export_io_descriptors", "it belongs to the simulator's own process"],
];

/** What commander parsed: flags by name, as they were typed. */
export type ParsedOptions = Readonly<Record<string, string | boolean | undefined>>;

/** Declares the flags of `train` and the overrides behind them. */
export function addTrainOptions(command: Command): Command {
  hintAtFlags(command);
  command.argument(
    "[overrides...]",
    "KEY=VALUE: agent.KEY or KEY of the runner, env.KEY of the simulator",
  );
  for (const [flag, value, key] of configFlags) {
    command.option(`${flag} <${value}>`, flagHelp(key));
  }
  for (const [flag, key] of switches) command.option(flag, flagHelp(key));
  command
    .option("--config <FILE>", "YAML file with the same keys, e.g. an agent.yaml of Isaac Lab")
    .option("--print_config", "print the whole configuration before the start")
    .option(
      "--dry_run",
      "check everything and say what would be flown; nothing is flown or written",
    )
    .option("--record <FILE>", "keep what is flown in training: FILE.hdf5, or a folder")
    .option(
      "--resume [RUN]",
      "go on with a run: its folder, or a checkpoint in it; True goes on with the run that --load_run names, False starts a new one, as Isaac Lab has it",
    )
    .option(
      "--load_run <REGEX>",
      "name of a run folder, as Isaac Lab has it: with --resume of the run to go on with, else of the teacher's; FOLDER/REGEX looks in another folder than LOG_ROOT/EXPERIMENT_NAME; --checkpoint REGEX is then the file in it (default: the best one of a teacher, the last one to resume)",
    )
    .option(
      "--strict",
      "with --resume: no older checkpoint is taken where the newest is damaged or its rows are lost",
    )
    .option(
      "--allow_sinks",
      "with --resume: run the sinks that the run's own configuration names; they are code",
    )
    .option("--headless", "accepted: nothing opens a window");
  for (const [flag] of [...refused, ...idle]) command.addOption(new Option(flag).hideHelp());
  return helpByAlgorithm(
    command,
    new Map([...configFlags.map(([f, , key]) => [f, key] as const), ...switches]),
  );
}

/** Whoever mistypes a flag, or knows it from elsewhere, is told which one is meant. */
function hintAtFlags(command: Command): void {
  command.exitOverride((error) => {
    const [, flag] = /unknown option '(--?[^']+)'$/.exec(error.message) ?? [];
    const hint = flag === undefined ? undefined : hintForFlag(flag, command.opts().algorithm);
    throw hint === undefined
      ? error
      : new ConfigError("unknown-flag", `unknown option '${flag}'`, hint);
  });
}

/** From what commander parsed to what `resolveConfig` takes. @throws ConfigError */
export function trainInput(overrides: readonly string[], options: ParsedOptions): TrainInput {
  refuseUnavailable(options);
  const { resume, swallowed } = resumeOf(options);
  const flags = settingsOf(options, resume !== undefined || options.load_run !== undefined);
  const config: ResolveInput = {
    ...(typeof options.config === "string" ? { file: options.config } : {}),
    flags,
    overrides: [...swallowed, ...overrides],
  };
  const told = idleText(options);
  const more = {
    strict: options.strict === true,
    allowSinks: options.allow_sinks === true,
    ...(typeof options.record === "string" ? { record: options.record } : {}),
    ...(options.print_config === true ? { printConfig: true } : {}),
    ...(options.dry_run === true ? { dryRun: true } : {}),
    ...(told.length > 0 ? { notices: told } : {}),
  };
  if (resume !== undefined) return { config, resume, ...more };
  const teacher = teacherOf(options);
  return teacher === undefined ? { config, ...more } : { config, teacher, ...more };
}

/** An override behind a flag whose value may be left out is not that value. */
function isOverrideIn(value: unknown): value is string {
  return typeof value === "string" && value.includes("=") && !existsSync(value);
}

function idleText(options: ParsedOptions): readonly string[] {
  const given = idle.flatMap(([declared, why]) => {
    const flag = declared.split(" ")[0]!;
    return options[flag.slice(2)] === undefined ? [] : [`${flag} (${why})`];
  });
  return given.length > 0 ? [`No effect here: ${given.join("; ")}`] : [];
}

function refuseUnavailable(options: ParsedOptions): void {
  for (const [, name, why, hint] of refused) {
    if (options[name] !== undefined)
      throw new ConfigError("unavailable", `--${name}: ${why}`, hint);
  }
  if (options.logger === "neptune") {
    const hint = "Use --logger wandb, or --logger tensorboard.";
    throw new ConfigError("unavailable", "--logger neptune: there is no sink for Neptune", hint);
  }
}

/** `--resume key=value`: the override behind a bare `--resume` is not the name of a run. */
function resumeOf(options: ParsedOptions): { resume?: ResumeRequest; swallowed: string[] } {
  const { resume, load_run, checkpoint, viz, visualizer } = options;
  const behind = [resume, viz, visualizer].filter(isOverrideIn);
  if (resume === undefined || isNo(resume)) return { swallowed: behind };
  const named = typeof resume === "string" && !isOverrideIn(resume) && !isYes(resume);
  if (typeof checkpoint === "string" && /[\\/]/.test(checkpoint)) {
    throw new ConfigError(
      "ambiguous-checkpoint",
      `--checkpoint ${checkpoint} with --resume: there it names a file in the run folder`,
      "Name that file alone, e.g. model_100.pt, or --resume FILE; a run keeps its teacher.",
    );
  }
  return {
    resume: {
      ...(named ? { path: resume } : {}),
      ...(typeof load_run === "string" ? { load_run } : {}),
      ...(typeof checkpoint === "string" ? { checkpoint } : {}),
    },
    swallowed: behind,
  };
}

/** Python's words, as Isaac Lab's own flag takes them. */
function isYes(word: unknown): boolean {
  return typeof word === "string" && /^(true|1|yes)$/i.test(word) && !existsSync(word);
}

function isNo(word: unknown): boolean {
  return typeof word === "string" && /^(false|0|no|none)$/i.test(word) && !existsSync(word);
}

/** Beside --load_run a --checkpoint is a pattern for the file, as in Isaac Lab. */
function teacherOf({ load_run, checkpoint }: ParsedOptions): TeacherRequest | undefined {
  if (typeof load_run !== "string") return undefined;
  if (typeof checkpoint !== "string") return { load_run };
  if (!/[\\/]/.test(checkpoint)) return { load_run, checkpoint };
  throw new ConfigError(
    "ambiguous-checkpoint",
    `--checkpoint ${checkpoint} with --load_run: there it is a pattern for a file in the run folder`,
    "Give the path alone: --checkpoint FILE.",
  );
}

function settingsOf(options: ParsedOptions, patterns: boolean): readonly Setting[] {
  const settings = configFlags.flatMap(([flag, , key]): Setting[] => {
    const raw = options[flag.slice(2)];
    if (typeof raw !== "string" || (patterns && key === "checkpoint")) return [];
    return [{ name: key, value: parseValue(raw, `${flag} ${raw}`), raw, origin: flag }];
  });
  const on = switches.filter(([flag]) => options[flag.slice(2)] === true);
  return [...settings, ...on.map(([flag, name]) => ({ name, value: true, origin: flag }))];
}
