import type { Head } from "../checkpoint/actor.ts";
import type { RslRlActor } from "../checkpoint/actor-state.ts";
import { readActor } from "../checkpoint/rsl-rl-actor.ts";
import type { TorchReader } from "../checkpoint/torch-reader.ts";
import { isDict, Opaque, type TorchTensor, type TorchValue } from "../checkpoint/torch-value.ts";
import { CheckpointError } from "../policy-error.ts";
import type { Flow, Step } from "./flow.ts";
import { readClasses } from "./script-code.ts";
import { type Program, shortName, traceProgram, UnknownProgram } from "./trace-program.ts";

/** What a program turned out to be. */
export interface ProgramPolicy {
  readonly actor: RslRlActor;
  /** Between its layers; absent: it has one layer only. */
  readonly activation?: string;
  /** Where it puts out two numbers per action. */
  readonly head?: Head;
}

/** Modules that a message names. */
const NAMED = 12;
const DEPTH = 16;

/**
 * An exported TorchScript program as a policy: what it does to its observations is found out from the text
 * of its code, and nothing of it is run. Read are an MLP, a normaliser before it, and a GRU or LSTM between
 * the two, as Isaac Lab, rsl_rl, legged_gym and unitree_rl_gym export them.
 *
 * @throws CheckpointError `torchscript` for another program, with the names of its modules
 */
export function readProgram(reader: TorchReader, where: string): ProgramPolicy {
  const root = reader.readProgram();
  try {
    if (!(root instanceof Opaque)) throw new UnknownProgram("belongs to no module");
    const program: Program = { classes: readClasses(reader.code()), constants: reader.constants() };
    const flow = traceProgram(root, program);
    return policyOf(flow, program.seen, where);
  } catch (error) {
    if (!(error instanceof UnknownProgram)) throw error;
    const modules = [...moduleNames(root, 0)].slice(0, NAMED).join(", ") || "none";
    throw new CheckpointError(
      "torchscript",
      `${where}: it is an exported TorchScript program that can't be flown: its code ${error.message}; its modules are ${modules}`,
      "Give the model_*.pt of the run, or the policy.onnx that was exported with it.",
    );
  }
}

function policyOf(flow: Flow, seen: number | undefined, where: string): ProgramPolicy {
  const steps = [...flow.steps];
  const values = new Map<string, { readonly key: string; readonly value: TorchValue }>();
  const put = (key: string, value: TorchValue) => values.set(key, { key, value });
  normaliser(steps, { put, seen: seen ?? 1 });
  if (steps[0]?.op === "rnn") {
    const { weights } = steps.shift() as Step & { op: "rnn" };
    for (const [name, value] of weights) put(`rnn.rnn.${name}`, value);
  }
  const activation = layers(steps, put);
  const [last, ...more] = steps;
  if (more.length > 0) throw new UnknownProgram(`goes on with ${last!.op} and ${more[0]!.op}`);
  const head = headOf(last);
  const doubled = head !== undefined;
  const actor = readActor({ values, name: "the program's", doubled }, where);
  return {
    actor,
    ...(activation !== undefined && { activation }),
    ...(head && { head }),
  };
}

type Put = (key: string, value: TorchValue) => void;

/** (x − mean) / divisor, perhaps cut to ±c, at the beginning; taken off the steps. */
function normaliser(steps: Step[], { put, seen }: { readonly put: Put; readonly seen: number }) {
  const [first, second] = steps;
  if (first?.op !== "sub" || second?.op !== "div") return;
  steps.splice(0, 2);
  const scalar = (value: number): TorchTensor => ({
    shape: [],
    dtype: "float32",
    data: Float32Array.of(value),
  });
  const { shape, data } = second.by;
  const variance = Float32Array.from(data as Float32Array, (value) => Number(value) ** 2);
  put("obs_normalizer._mean", first.by);
  put("obs_normalizer._std", second.by);
  put("obs_normalizer._var", { shape, dtype: "float32", data: variance });
  put("obs_normalizer._epsilon", scalar(0));
  put("obs_normalizer.count", scalar(seen));
  const third = steps[0];
  if (third?.op !== "clamp" || third.low !== -third.high) return;
  steps.shift();
  put("obs_normalizer._clamp", scalar(third.high));
}

/** Linear, activation, Linear …; taken off the steps. Gives the activation, where there is one. */
function layers(steps: Step[], put: Put): string | undefined {
  let activation: string | undefined;
  for (let index = 0; ; index += 2) {
    const layer = steps.shift();
    if (layer?.op !== "linear")
      throw new UnknownProgram(`has ${layer?.op ?? "nothing"} where a Linear layer is expected`);
    const [width = 0] = layer.weight.shape;
    const none: TorchTensor = { shape: [width], dtype: "float32", data: new Float32Array(width) };
    put(`mlp.${index}.weight`, layer.weight);
    put(`mlp.${index}.bias`, layer.bias ?? none);
    if (steps[0]?.op !== "activation") return activation;
    if (steps[1] === undefined)
      throw new UnknownProgram(`puts ${steps[0].name} behind its last layer`);
    const { name } = steps.shift() as Step & { op: "activation" };
    if (activation !== undefined && activation !== name) {
      throw new UnknownProgram(`has the activations ${activation} and ${name}`);
    }
    activation = name;
  }
}

function headOf(step: Step | undefined): Head | undefined {
  if (step === undefined) return undefined;
  if (step.op === "first-half") return { kind: "mean-and-noise" };
  if (step.op === "beta") return { kind: "beta", low: step.low, high: step.high };
  throw new UnknownProgram(`goes on with ${step.op} behind its last layer`);
}

function moduleNames(value: unknown, depth: number, names = new Set<string>()): Set<string> {
  if (!(value instanceof Opaque) || depth > DEPTH) return names;
  if (value.name.startsWith("__torch__.")) names.add(shortName(value.name).slice(0, 60));
  if (!isDict(value.state)) return names;
  for (const part of value.state.values()) moduleNames(part, depth + 1, names);
  return names;
}
