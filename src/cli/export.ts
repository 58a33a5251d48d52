import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { planFlight } from "../../policies/checkpoint/load-teacher.ts";
import { actsThroughRanker } from "../../policies/checkpoint/own-facts.ts";
import type { RslRlCheckpoint } from "../../policies/checkpoint/rsl-rl.ts";
import { isOnnxPath } from "../../policies/onnx/onnx-policy.ts";
import { PolicyError } from "../../policies/policy-error.ts";
import { nearest } from "../../protocol/nearest.ts";
import { ConfigError } from "../config/config-error.ts";
import { makeFolder } from "../disk/make-folder.ts";
import { startEngine } from "../engine/start.ts";
import { writeAtomically } from "../runs/atomic-write.ts";
import { locateRun } from "../runs/locate-run.ts";
import { openRun } from "../runs/open-run.ts";
import { exportCheckpoint, exportOnnx, exportTfjs, type Made } from "./export-formats.ts";
import { exportPpo } from "./export-ppo.ts";
import { readAnyCheckpoint } from "./inspect-run.ts";

interface ExportOptions {
  readonly format: string;
  readonly output?: string;
  readonly checkpoint_version: string;
  readonly as: string;
  readonly base?: string;
  readonly batch: string;
  readonly role?: string;
  readonly activation?: string;
  readonly last?: boolean;
  readonly json?: boolean;
}

const formats = ["onnx", "rsl_rl", "tfjs"] as const;
const roles = ["student", "teacher"] as const;

export function registerExport(program: Command): void {
  program
    .command("export")
    .description("write a policy in a format that others fly")
    .argument(
      "[run]",
      "a run folder (its best checkpoint, else the last), or a checkpoint file; default: the newest run under logs/rsl_rl",
    )
    .requiredOption("--format <FORMAT>", formats.join(", "))
    .option("--output <PATH>", "file (folder for tfjs) to write; default: in RUN/exported/")
    .option("--checkpoint_version <N>", "rsl_rl's version, for --format rsl_rl: 2, 3, 4, 5", "5")
    .option(
      "--as <RUNNER>",
      "of rsl_rl that is to load it, for --format rsl_rl: distillation, or ppo with the student as its actor",
      "distillation",
    )
    .option(
      "--base <FILE>",
      "with --as ppo: the PPO checkpoint whose critic and optimiser go along, or none; default: the teacher's own",
    )
    .option("--batch <N>", "rows of the ONNX model: 1 as rsl_rl has it, or dynamic", "dynamic")
    .option("--role <ROLE>", "student or teacher, of a distillation checkpoint (default: student)")
    .option("--activation <NAME>", "activation of the network, where the checkpoint lacks it")
    .option("--last", "the last checkpoint of the run instead of the best one")
    .option("--json", "one JSON document")
    .addHelpText(
      "after",
      "\nonnx: opset 18, inputs obs [, h_in, c_in], outputs actions [, h_out, c_out], no clipping." +
        "\ntfjs: model.json and weights.bin for tf.loadGraphModel, with the same names." +
        "\nrsl_rl: a distillation checkpoint that its own runner loads and goes on from; --as ppo: one that" +
        "\n  Isaac Lab's play flies and its train goes on from by PPO, with a critic from the teacher's own PPO" +
        "\n  checkpoint or --base. Written to logs/rsl_rl/EXPERIMENT/NAME/model_N.pt it is found by --checkpoint latest." +
        "\nWhat is written is flown and compared with the policy itself.",
    )
    .action(exportCommand);
}

async function exportCommand(given: string | undefined, options: ExportOptions): Promise<void> {
  const format = choice("--format", formats, options.format);
  const batch = choice("--batch", ["1", "dynamic"], options.batch) === "1" ? 1 : "dynamic";
  const runner = choice("--as", ["distillation", "ppo"], options.as);
  refuseIdle(options, format, runner);
  const role = options.role === undefined ? undefined : choice("--role", roles, options.role);
  const path = given ?? locateRun(undefined);
  const { checkpoint: file } = await openRun(path, { prefer: options.last ? "latest" : "best" });
  refuseOnnx(file);
  const checkpoint = await readAnyCheckpoint(file);
  if (checkpoint.kind === "described") throw notExported(file, checkpoint.algorithm);
  if (actsThroughRanker(checkpoint.infos)) throw behindRanker(file);
  const { activation } = options;
  const plan = await planFlight(file, checkpoint, { activation, role });
  let made: Made;
  if (format === "rsl_rl") {
    const version = Number(options.checkpoint_version);
    const { base } = options;
    made =
      runner === "ppo"
        ? await exportPpo({ file, checkpoint, plan }, { version, base })
        : await exportCheckpoint(file, checkpoint, version);
  } else {
    // The one engine that is always there, and computes in whole float32 everywhere.
    await startEngine("wasm", { warn: (line) => console.error(line) });
    const request = { file, checkpoint, plan, batch } as const;
    made = await (format === "onnx" ? exportOnnx(request) : exportTfjs(request));
  }
  const written = await write(made, outputOf(file, made, options.output));
  report(written, { file, checkpoint, made, json: options.json === true });
}

function choice<const T extends string>(flag: string, known: readonly T[], given: string): T {
  const found = known.find((word) => word === given);
  if (found !== undefined) return found;
  throw new ConfigError(
    "bad-value",
    `${flag} is ${given}; expected one of ${known.join(", ")}`,
    `For example ${flag} ${nearest(given, known, { within: Infinity })}.`,
  );
}

function refuseIdle({ base }: ExportOptions, format: string, runner: string): void {
  const [flag, needs] =
    runner === "ppo" && format !== "rsl_rl"
      ? ["--as ppo", "--format rsl_rl"]
      : base !== undefined && runner !== "ppo"
        ? ["--base", "--as ppo"]
        : [];
  if (flag === undefined) return;
  throw new ConfigError("no-effect", `${flag} is for ${needs}`, `Add ${needs}, or drop ${flag}.`);
}

function refuseOnnx(file: string): void {
  if (!isOnnxPath(file)) return;
  throw new PolicyError(
    "already-onnx",
    `${file} is an ONNX model: its graph can be flown, not turned into another format`,
    "Export the .pt checkpoint that it was made from.",
  );
}

function behindRanker(file: string): PolicyError {
  return new PolicyError(
    "not-exported",
    `${file} acts through a belief and a ranker: its network alone turns a state into a latent, not into a slate`,
    'Load it whole in a program: import { loadAgent } from "firstsolo".',
  );
}

function notExported(file: string, algorithm: string): PolicyError {
  return new PolicyError(
    "not-exported",
    `${file} is a run of ${algorithm}: it acts by several networks and a choice among levels, which no format here holds`,
    "Fly it with firstsolo eval, or record its flights and imitate them with --algorithm bc, whose student is exported.",
  );
}

function outputOf(file: string, made: Made, output: string | undefined): string {
  if (output !== undefined) return resolve(output);
  const folder = dirname(file);
  const inside = folder.endsWith("/exported") ? folder : join(folder, "exported");
  return join(inside, made.defaultName);
}

function makeRoom(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    const hint = "Name another place with --output.";
    throw new PolicyError("not-writable", `${folder}: ${(cause as Error).message}`, hint, {
      cause,
    });
  }
}

/** One file, or several in a folder. Gives their paths. */
async function write({ files, manifest }: Made, path: string): Promise<readonly string[]> {
  const paths = files.map(({ name }) => (name === undefined ? path : join(path, name)));
  for (const [i, target] of paths.entries()) {
    makeRoom(dirname(target));
    await writeAtomically(target, files[i]!.bytes);
  }
  const more = join(dirname(path), "run.json");
  if (manifest === undefined || !/^model_\d+\.pt$/.test(basename(path)) || existsSync(more)) {
    return paths;
  }
  await writeAtomically(more, manifest);
  return [...paths, more];
}

interface Report {
  readonly file: string;
  readonly checkpoint: RslRlCheckpoint;
  readonly made: Made;
  readonly json: boolean;
}

function report(written: readonly string[], { file, checkpoint, made, json }: Report): void {
  const { iteration } = checkpoint;
  const { checked, maxError: max_error = null, notes } = made;
  if (json) {
    console.log(JSON.stringify({ from: file, iteration, written, checked, max_error, notes }));
    return;
  }
  console.log(`from ${file}, iteration ${iteration}`);
  for (const path of written) console.log(`wrote ${path}`);
  for (const note of notes) console.log(`note: ${note}`);
  console.log(checked);
}
