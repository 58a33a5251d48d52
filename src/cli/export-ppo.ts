import type { FlightPlan } from "../../policies/checkpoint/load-teacher.ts";
import { type PpoBase, writePpo } from "../../policies/checkpoint/ppo-write.ts";
import { readRslRl } from "../../policies/checkpoint/rsl-rl.ts";
import { CheckpointError, PolicyError } from "../../policies/policy-error.ts";
import type { Made, ModelRequest } from "./export-formats.ts";
import { findPpoBase, playManifest } from "./ppo-base.ts";

interface PpoOptions {
  readonly version: number;
  /** Path of the PPO checkpoint whose critic and optimiser go along, or `none`; default: the teacher's. */
  readonly base: string | undefined;
}

/** A policy as the actor of a PPO run. @throws CheckpointError, PolicyError `unsupported-version`, `not-written` */
export async function exportPpo(
  { file, checkpoint, plan }: Omit<ModelRequest, "batch">,
  { version, base: given }: PpoOptions,
): Promise<Made> {
  const layout = layoutOf(version);
  if (plan.head.kind === "tanh" || plan.head.kind === "clipped" || plan.actor.latent) {
    throw new PolicyError(
      "not-written",
      "what stands behind its last layer has no place in an actor of rsl_rl",
      "Export it as ONNX: --format onnx.",
    );
  }
  const { base, note } = await findPpoBase(file, given);
  const bytes = writePpo(
    { actor: plan.actor, iteration: checkpoint.iteration, infos: infosOf(plan), base },
    layout,
  );
  // Whoever reads it finds what was read here, or hears of it.
  readRslRl(bytes, "the exported checkpoint");
  const manifest = await playManifest(file, new Date());
  return {
    files: [{ bytes }],
    ...(manifest === undefined ? {} : { manifest }),
    defaultName: `rsl_rl-${version}-ppo/model_${checkpoint.iteration}.pt`,
    checked: "checked: it reads back",
    notes: [
      ...plan.notes,
      ...(note === undefined ? [] : [note]),
      ...configurationOf(plan, base),
      ...(base ? [] : [alone]),
    ],
  };
}

const alone = `without a critic: runner.load(path, load_cfg={"actor": True}); Isaac Lab's play and train load critic and optimiser as well, strictly, and stop where they are missing: --base FILE takes those of a PPO run of the task along`;

function layoutOf(version: number): "4" | "5" {
  if (version === 4 || version === 5) return `${version}`;
  throw new CheckpointError(
    "unsupported-version",
    `--as ppo with --checkpoint_version ${version}; expected 4 or 5`,
    "rsl_rl 2 and 3 keep actor and critic in one dict: fly the student there as exported/policy.onnx.",
  );
}

/** So that our own reader knows how it flies. */
function infosOf({ activation, head }: FlightPlan) {
  const facts = JSON.stringify({ actor: { activation, head } });
  return new Map([["firstsolo", new Map([["facts", facts]])]]);
}

/** The block of agent.yaml that makes the same network, and the words that do so in Isaac Lab. */
function configurationOf({ actor, activation }: FlightPlan, base: PpoBase | undefined): string[] {
  const { hidden, rnn, normaliser, std } = actor;
  const stdType = base?.stdType ?? actor.stdType ?? "scalar";
  const memory = rnn
    ? `, rnn_type: ${rnn.type}, rnn_hidden_dim: ${rnn.width}, rnn_num_layers: ${rnn.layers}`
    : "";
  const noise = std
    ? `, distribution_cfg: {class_name: GaussianDistribution, std_type: ${stdType}}`
    : "";
  const words = {
    hidden_dims: `[${hidden.join(",")}]`,
    activation,
    obs_normalization: normaliser !== undefined,
    ...(rnn && { class_name: "RNNModel", rnn_type: rnn.type }),
    ...(rnn && { rnn_hidden_dim: rnn.width, rnn_num_layers: rnn.layers }),
  };
  const overrides = Object.entries(words).map(([key, value]) => `agent.actor.${key}=${value}`);
  return [
    `the network in a PPO configuration: actor: {class_name: ${rnn ? "RNNModel" : "MLPModel"}, hidden_dims: [${hidden.join(", ")}], activation: ${activation}, obs_normalization: ${normaliser !== undefined}${memory}${noise}}`,
    `as words for Isaac Lab's play and train: ${overrides.join(" ")}`,
  ];
}
