import { join } from "node:path";
import type { Command } from "commander";
import type { RslRlActor } from "../../policies/checkpoint/actor-state.ts";
import { type FlightPlan, planFlight, teacherIn } from "../../policies/checkpoint/load-teacher.ts";
import type { RslRlCheckpoint } from "../../policies/checkpoint/rsl-rl.ts";
import { isOnnxPath } from "../../policies/onnx/onnx-policy.ts";
import { PolicyError } from "../../policies/policy-error.ts";
import { isFlightsPath } from "../datasets/open-flights.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { findCheckpoint } from "../runs/find-checkpoint.ts";
import { inspectDataset } from "./inspect-dataset.ts";
import {
  actionsOf,
  type Example,
  largestDifference,
  nested,
  readExample,
} from "./inspect-example.ts";
import { inspectOnnx } from "./inspect-onnx.ts";
import { inspectRanker, rankerIn } from "./inspect-ranker.ts";
import { checkpointOr, describedRun, inspectRun } from "./inspect-run.ts";

interface InspectOptions {
  readonly onnx_input?: string;
  readonly onnx_output?: string;
  readonly act?: string;
  readonly activation?: string;
  readonly device: string;
  readonly json?: boolean;
}

/** What flying an example gave. */
interface Comparison {
  readonly actions: readonly Float32Array[];
  /** Absent where the example has no outputs; NaN where an action is. */
  readonly error?: number;
}

export function registerInspect(program: Command): void {
  program
    .command("inspect")
    .description("show what a checkpoint holds, and what it does with given observations")
    .argument(
      "<file>",
      "a checkpoint of rsl_rl 2.3 to 5, rl_games or Firstsolo, an exported policy.pt, an ONNX policy, a ranker, recorded flights (HDF5); or a folder (its best checkpoint, else the last), latest, best or a pattern",
    )
    .option("--act <file>", "JSON with inputs to fly on, and perhaps outputs to compare with")
    .option("--activation <name>", "activation of the network, which checkpoints do not hold")
    .option("--onnx_input <name>", "input of an ONNX model with the observations, of several")
    .option("--onnx_output <name>", "output of an ONNX model with the actions, of several")
    .option("--device <device>", "auto, cuda, cpu, webgpu or wasm; matters to --act", "auto")
    .option("--json", "one JSON document")
    .action(async (path: string, options: InspectOptions) => {
      if (isFlightsPath(path)) return console.log(await inspectDataset(path, options));
      const file = await findCheckpoint(path, { logRoot: join("logs", "rsl_rl") });
      const example = options.act === undefined ? undefined : await readExample(options.act);
      if (isOnnxPath(file)) return inspectOnnx(file, example, options);
      const other = async () => (await rankerIn(file)) ?? describedRun(file);
      const checkpoint = await checkpointOr(file, other);
      if ("ranker" in checkpoint) return inspectRanker(file, checkpoint, options);
      if (checkpoint.kind === "described") return inspectRun(file, checkpoint, options);
      const plan = await planOf(file, checkpoint, options, example);
      const flown = example && (await fly({ file, checkpoint, plan }, example, options));
      const report = { file, checkpoint, plan, example, flown };
      console.log(options.json ? JSON.stringify(asJson(report)) : asText(report));
      if (flown?.error !== undefined && !(flown.error <= (example?.tolerance ?? 0))) {
        process.exitCode = 1;
      }
    });
}

type Source = FlightPlan["activationFrom"] | "example";
type Plan = Omit<FlightPlan, "activationFrom"> & { readonly activationFrom: Source };

/** The activation an example was made with is a better guess than the default. */
async function planOf(
  file: string,
  checkpoint: RslRlCheckpoint,
  { activation }: InspectOptions,
  example: Example | undefined,
): Promise<Plan> {
  const plan = await planFlight(file, checkpoint, { activation });
  if (plan.activationFrom !== "default" || example?.activation === undefined) return plan;
  const again = await planFlight(file, checkpoint, { activation: example.activation });
  return { ...again, activationFrom: "example" };
}

async function fly(
  { file, checkpoint, plan }: Pick<Report, "file" | "checkpoint" | "plan">,
  example: Example,
  options: InspectOptions,
): Promise<Comparison> {
  checkForm(plan.actor, example, options.act ?? "");
  const { device, gpu } = parseDevice(options.device);
  const warn = (line: string) => console.error(line);
  await startEngine(device, { warn, ...(gpu !== undefined && { gpu }) });
  const { policy } = await teacherIn(checkpoint, file, { activation: plan.activation });
  const actions = await actionsOf(policy, example);
  policy.dispose();
  return example.outputs === undefined
    ? { actions }
    : { actions, error: largestDifference(actions, example.outputs) };
}

function checkForm(actor: RslRlActor, example: Example, path: string): void {
  const wrong = (what: string) =>
    new PolicyError(
      "bad-example",
      `${path}: ${what}`,
      "Give observations of the task that the checkpoint was trained on.",
    );
  if (example.width !== actor.inputWidth) {
    throw wrong(`inputs have ${example.width} components, the network reads ${actor.inputWidth}`);
  }
  if (example.outputWidth !== undefined && example.outputWidth !== actor.actionWidth) {
    throw wrong(
      `outputs have ${example.outputWidth} components, the network has ${actor.actionWidth} actions`,
    );
  }
  if (actor.rnn !== undefined && !example.sequence) {
    throw wrong("the network has memory: inputs are to be [step][environment][component]");
  }
}

interface Report {
  readonly file: string;
  readonly checkpoint: RslRlCheckpoint;
  readonly plan: Plan;
  readonly example: Example | undefined;
  readonly flown: Comparison | undefined;
}

function networksOf(checkpoint: RslRlCheckpoint): readonly (readonly [string, RslRlActor])[] {
  if (checkpoint.kind !== "distillation") return [["actor", checkpoint.actor]];
  const { student, teacher } = checkpoint;
  // A run that was taught by the hover controller has no teacher to show.
  if (teacher.actionWidth === 0) return [["student", student]];
  return [
    ["student", student],
    ["teacher", teacher],
  ];
}

function asJson({ file, checkpoint, plan, example, flown }: Report) {
  const networks = networksOf(checkpoint).map(([name, actor]) => [name, networkJson(actor)]);
  return {
    file,
    version: checkpoint.version,
    kind: checkpoint.kind,
    ...(checkpoint.origin && { origin: checkpoint.origin }),
    iteration: checkpoint.iteration,
    networks: Object.fromEntries(networks),
    flies: plan.role,
    activation: plan.activation,
    activation_from: plan.activationFrom,
    ...(plan.configured && { groups: plan.configured.groups }),
    notes: plan.notes,
    ...(flown && {
      actions: nested(flown.actions, plan.actor.actionWidth, example?.sequence ?? false),
    }),
    ...(flown?.error !== undefined && {
      max_abs_error: flown.error,
      tolerance: example?.tolerance,
    }),
  };
}

function networkJson(actor: RslRlActor) {
  const { normaliser, std } = actor;
  return {
    observation_width: actor.inputWidth,
    action_width: actor.actionWidth,
    output_width: actor.outputWidth,
    hidden: actor.hidden,
    rnn: actor.rnn ?? null,
    pictures: actor.pictures ?? null,
    parameters: parametersOf(actor),
    layers: Object.fromEntries(
      Object.entries(actor.layers).map(([name, { shape }]) => [name, shape]),
    ),
    normaliser: normaliser
      ? {
          count: normaliser.count,
          mean: Array.from(normaliser.mean),
          std: Array.from(normaliser.std),
        }
      : null,
    std: std ? Array.from(std) : null,
    std_type: actor.stdType ?? null,
  };
}

function asText({ file, checkpoint, plan, example, flown }: Report): string {
  const lines = [`${file}: ${kindText(checkpoint)}, iteration ${checkpoint.iteration}`];
  for (const [name, actor] of networksOf(checkpoint)) lines.push(...networkText(name, actor));
  lines.push(row("activation", `${plan.activation} (${SOURCES[plan.activationFrom]})`));
  if (plan.configured) lines.push(row("groups", plan.configured.groups.join(", ")));
  for (const note of plan.notes) lines.push(row("note", note));
  if (flown) lines.push(...flownText(flown, plan.actor.actionWidth, example));
  return lines.join("\n");
}

function kindText({ kind, version, origin }: RslRlCheckpoint): string {
  if (origin !== undefined) return origin;
  if (kind === "policy") return "a policy of firstsolo";
  return `rsl_rl ${version}, ${kind === "ppo" ? "PPO" : "distillation"}`;
}

const SOURCES: Readonly<Record<Source, string>> = {
  option: "from --activation",
  checkpoint: "from the checkpoint",
  "agent.yaml": "from the run's configuration",
  example: "from the example file",
  none: "not needed: one layer",
  default: "assumed",
};

function networkText(name: string, actor: RslRlActor): string[] {
  const { rnn, normaliser, std, stdType, encoder, latent, pictures = [] } = actor;
  const eyes = pictures.length > 0 ? [`convolutions of ${pictures.join(" and ")}`] : [];
  const memory = rnn ? [`${rnn.type.toUpperCase()} ${rnn.width} × ${rnn.layers}`] : [];
  const features = encoder ? [...encoder.hidden, `features ${encoder.width}`] : [];
  const decoder = latent ? [`latent ${latent.width}`, ...latent.hidden] : [];
  // What comes out of the convolutions is what the layers behind them read.
  const before = [...eyes, actor.inputWidth, ...features, ...memory];
  const widths = [...before, ...actor.hidden, ...decoder, actor.outputWidth];
  const noise = std ? `${Array.from(std, (s) => s.toPrecision(3)).join(" ")} (${stdType})` : "none";
  return [
    row(name, `${widths.join(" → ")}, ${parametersOf(actor)} parameters`),
    row("  normaliser", normaliser ? `after ${normaliser.count} observations` : "none"),
    row("  noise std", noise),
  ];
}

function flownText(flown: Comparison, width: number, example: Example | undefined): string[] {
  const rows = flown.actions.flatMap((step, i) =>
    nested([step], width, false).map((values) => {
      const numbers = (values as readonly number[]).map((v) => v.toFixed(6).padStart(10)).join(" ");
      return row(example?.sequence ? `step ${i}` : "actions", numbers);
    }),
  );
  if (flown.error === undefined) return rows;
  const tolerance = example?.tolerance ?? 0;
  const verdict = flown.error <= tolerance ? "equal" : "DIFFERENT";
  const error = `${flown.error.toExponential(1)}, tolerance ${tolerance.toExponential()}: ${verdict}`;
  return [...rows, row("largest error", error)];
}

function parametersOf(actor: RslRlActor): number {
  return Object.values(actor.layers).reduce((sum, { data }) => sum + data.length, 0);
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(14)} ${text}`;
}
