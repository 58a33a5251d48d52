import { readFile } from "node:fs/promises";
import type { FlightPlan } from "../../policies/checkpoint/load-teacher.ts";
import { type PpoBase, readPpoBase, writePpo } from "../../policies/checkpoint/ppo-write.ts";
import { readRslRl } from "../../policies/checkpoint/rsl-rl.ts";
import { CheckpointError, PolicyError } from "../../policies/policy-error.ts";
import type { Made, ModelRequest } from "./export-formats.ts";

interface PpoOptions {
  readonly version: number;
  /** Path of the PPO checkpoint whose critic and optimiser go along. */
  readonly base: string | undefined;
}

/** A policy as the actor of a PPO run. @throws CheckpointError, PolicyError `unsupported-version`, `not-written` */
export async function exportPpo(
  { checkpoint, plan }: Omit<ModelRequest, "batch">,
  { version, base: path }: PpoOptions,
): Promise<Made> {
  const layout = layoutOf(version);
  if (plan.head.kind === "tanh" || plan.head.kind === "clipped" || plan.actor.latent) {
    throw new PolicyError(
      "not-written",
      "what stands behind its last layer has no place in an actor of rsl_rl",
      "Export it as ONNX: --format onnx.",
    );
  }
  const base = path === undefined ? undefined : await baseAt(path);
  const bytes = writePpo(
    { actor: plan.actor, iteration: checkpoint.iteration, infos: infosOf(plan), base },
    layout,
  );
  // Whoever reads it finds what was read here, or hears of it.
  readRslRl(bytes, "the exported checkpoint");
  const alone = `without a critic: runner.load(path, load_cfg={"actor": True}); Isaac Lab's play and train load one as well, which --base FILE takes along`;
  return {
    files: [{ bytes }],
    defaultName: `rsl_rl-${version}-ppo/model_${checkpoint.iteration}.pt`,
    checked: "checked: it reads back",
    notes: [...plan.notes, configurationOf(plan, base), ...(base ? [] : [alone])],
  };
}

function layoutOf(version: number): "4" | "5" {
  if (version === 4 || version === 5) return `${version}`;
  throw new CheckpointError(
    "unsupported-version",
    `--as ppo with --checkpoint_version ${version}; expected 4 or 5`,
    "rsl_rl 2 and 3 keep actor and critic in one dict: fly the student there as exported/policy.onnx.",
  );
}

async function baseAt(path: string): Promise<PpoBase> {
  const bytes = await readFile(path).catch((cause: Error) => {
    const hint = "Name a model_N.pt of a PPO run.";
    throw new CheckpointError("no-such-file", `${path}: ${cause.message}`, hint, { cause });
  });
  return readPpoBase(bytes, path);
}

/** So that our own reader knows how it flies. */
function infosOf({ activation, head }: FlightPlan) {
  const facts = JSON.stringify({ actor: { activation, head } });
  return new Map([["firstsolo", new Map([["facts", facts]])]]);
}

/** The block of agent.yaml that makes the same network. */
function configurationOf({ actor, activation }: FlightPlan, base: PpoBase | undefined): string {
  const { hidden, rnn, normaliser, std } = actor;
  const stdType = base?.stdType ?? actor.stdType ?? "scalar";
  const memory = rnn
    ? `, rnn_type: ${rnn.type}, rnn_hidden_dim: ${rnn.width}, rnn_num_layers: ${rnn.layers}`
    : "";
  const noise = std
    ? `, distribution_cfg: {class_name: GaussianDistribution, std_type: ${stdType}}`
    : "";
  return `the network in a PPO configuration: actor: {class_name: ${rnn ? "RNNModel" : "MLPModel"}, hidden_dims: [${hidden.join(", ")}], activation: ${activation}, obs_normalization: ${normaliser !== undefined}${memory}${noise}}`;
}
