import type { Port } from "../graph/policy-graph.ts";
import { elementsOf, type NamedArray, type NamedArrays } from "../named-array.ts";
import type { Memory } from "../policy.ts";
import { CheckpointError } from "../policy-error.ts";

/** Sizes and names of a policy in a model. */
export interface ModelForm {
  /** Names of the input that takes the observations and of the output that is the actions. */
  readonly observations: string;
  readonly actions: string;
  readonly observationWidth: number;
  readonly actionWidth: number;
  /** Names of the states without `_in` and `_out`: `[]`, `["h"]` or `["h", "c"]`. */
  readonly states: readonly string[];
  /** Of each state: its layers and their width. */
  readonly layers: number;
  readonly width: number;
  /** Inputs that the policy was told to leave alone: they are held at 0. */
  readonly held: readonly Port[];
}

/** Which of several inputs and outputs are meant. */
export interface PortChoice {
  readonly input?: string | undefined;
  readonly output?: string | undefined;
}

/** Names that actions go by where a model puts out more: rsl_rl's, Unity's, brax's, Stable-Baselines'. */
const ACTIONS = ["actions", "action", "continuous_actions", "mean", "mu"];
const WIDEST = 2 ** 20;

/**
 * What of a model is the policy: the input with observations `[1 or N, width]` and the output with actions,
 * whatever they are called where there is one of each; memory by the names that rsl_rl and Isaac Lab give it.
 *
 * @param where what to call the file in messages
 * @throws CheckpointError `not-a-policy` when a model has other inputs and outputs, `which-port` when it has several
 */
export function modelForm(
  inputs: readonly Port[],
  outputs: readonly Port[],
  where: string,
  choice: PortChoice = {},
): ModelForm {
  const states = ["h", "c"].filter((s) => inputs.some(({ name }) => name === `${s}_in`));
  const isState = ({ name }: Port, end: string) => states.some((s) => name === `${s}_${end}`);
  const seen = inputs.filter((port) => !isState(port, "in"));
  const made = outputs.filter((port) => !isState(port, "out"));
  const refuse = (what: string) =>
    notAPolicy(
      where,
      `${what}it has the inputs ${names(inputs)} and the outputs ${names(outputs)}`,
    );
  for (const s of states) {
    if (!outputs.some(({ name }) => name === `${s}_out`)) throw refuse("");
  }
  const input = pick(seen, { chosen: choice.input, usual: ["obs"], flag: "--onnx_input", where });
  const output = pick(made, {
    chosen: choice.output,
    usual: ACTIONS,
    flag: "--onnx_output",
    where,
  });
  if (input === undefined) throw refuse(formOf(seen));
  if (output === undefined) throw refuse(formOf(made));
  const held = seen.filter((port) => port !== input);
  if (held.length > 0 && choice.input === undefined) throw whichPort(where, seen, "--onnx_input");
  return {
    observations: input.name,
    actions: output.name,
    observationWidth: input.shape[1] as number,
    actionWidth: output.shape[1] as number,
    ...memoryOf(inputs, states, where),
    held,
  };
}

function memoryOf(inputs: readonly Port[], states: readonly string[], where: string) {
  const memory = inputs.find(({ name }) => name === `${states[0]}_in`);
  if (!memory) return { states, layers: 0, width: 0 };
  const size = (axis: number) => sizeAt(memory.shape, axis, `${where}: h_in`);
  return { states, layers: size(0), width: size(2) };
}

interface Pick {
  readonly chosen: string | undefined;
  readonly usual: readonly string[];
  readonly flag: string;
  readonly where: string;
}

/** The port that is named, or that goes by a usual name, or that is the only one of a policy's shape. */
function pick(ports: readonly Port[], { chosen, usual, flag, where }: Pick): Port | undefined {
  const fitting = ports.filter(isRow);
  if (chosen !== undefined) {
    const found = fitting.find(({ name }) => name === chosen);
    if (found) return found;
    const there = ports.some(({ name }) => name === chosen);
    const what = there ? "is no [1, width] of float32" : "is not there";
    throw whichPort(where, fitting, flag, `${chosen.slice(0, 80)} ${what}`);
  }
  if (fitting.length <= 1) return fitting[0];
  const known = usual.map((name) => fitting.find((port) => port.name === name));
  const found = known.find((port) => port !== undefined);
  if (found) return found;
  throw whichPort(where, fitting, flag);
}

function isRow({ shape, type = "float32" }: Port): boolean {
  const [rows, width] = shape;
  const wide = typeof width === "number" && width > 0 && width <= WIDEST;
  return type === "float32" && shape.length === 2 && (rows === 1 || rows === "batch") && wide;
}

function whichPort(
  where: string,
  ports: readonly Port[],
  flag: string,
  what = `it has several ${flag.endsWith("input") ? "inputs" : "outputs"}`,
): CheckpointError {
  const [first] = ports;
  return new CheckpointError(
    "which-port",
    `${where}: ${what}: ${list(ports)}`,
    first
      ? `Say which one is meant, e.g. ${flag} ${first.name.slice(0, 80)}.`
      : "Give another model.",
  );
}

function names(ports: readonly Port[]): string {
  return (
    ports
      .slice(0, 8)
      .map(({ name }) => name.slice(0, 60))
      .join(", ") || "none"
  );
}

/** What the only one there is has instead of the form of a policy's. */
function formOf([port, ...more]: readonly Port[]): string {
  if (port === undefined || more.length > 0) return "";
  const { name, shape, type } = port;
  return `${name.slice(0, 60)}: is [${shape.slice(0, 6).join(", ")}]${type ? ` of ${type}` : ""}; `;
}

/** `obs [batch, 12], time [1, 1]`. */
function list(ports: readonly Port[]): string {
  const shown = ports.slice(0, 8).map(({ name, shape, type }) => {
    return `${name.slice(0, 60)} [${shape.slice(0, 6).join(", ")}]${type ? ` of ${type}` : ""}`;
  });
  return shown.join(", ") || "none";
}

/** `[rows, width]` per layer of each state, as policies keep it. */
export function memoryWidths({ states, layers, width }: ModelForm): number[] {
  return Array.from({ length: states.length * layers }, () => width);
}

/** Some rows of a policy's memory as inputs of a model: `[layers, rows, width]` each. */
export function memoryInputs(
  { states, layers, width }: ModelForm,
  memory: Memory,
  { from, rows }: { readonly from: number; readonly rows: number },
): NamedArrays {
  const inputs = states.map((state, s): readonly [string, NamedArray] => {
    const data = new Float32Array(layers * rows * width);
    for (let layer = 0; layer < layers; layer++) {
      const part = memory[s * layers + layer]!.subarray(from * width, (from + rows) * width);
      data.set(part, layer * rows * width);
    }
    return [`${state}_in`, { shape: [layers, rows, width], data }];
  });
  return Object.fromEntries(inputs);
}

/** Puts what a model gave for some rows into a policy's memory. */
export function storeMemory(
  { states, layers, width }: ModelForm,
  memory: Memory,
  outputs: NamedArrays,
  { from, rows }: { readonly from: number; readonly rows: number },
): void {
  for (const [s, state] of states.entries()) {
    const { data } = outputs[`${state}_out`]!;
    for (let layer = 0; layer < layers; layer++) {
      const part = data.subarray(layer * rows * width, (layer + 1) * rows * width);
      memory[s * layers + layer]!.set(part, from * width);
    }
  }
}

/** Whether outputs have the sizes that were announced. */
export function hasForm(form: ModelForm, outputs: NamedArrays, rows: number): boolean {
  const memory = form.layers * rows * form.width;
  const wanted = [
    [form.actions, rows * form.actionWidth] as const,
    ...form.states.map((state) => [`${state}_out`, memory] as const),
  ];
  return wanted.every(([name, size]) => {
    const output = outputs[name];
    return output !== undefined && output.data.length === size && elementsOf(output.shape) === size;
  });
}

function sizeAt(shape: Port["shape"], axis: number, where: string): number {
  const size = shape[axis];
  if (shape.length === 3 && typeof size === "number" && size > 0 && size <= WIDEST) return size;
  throw notAPolicy(where, `is [${shape.slice(0, 6).join(", ")}]`);
}

function notAPolicy(where: string, what: string): CheckpointError {
  return new CheckpointError(
    "not-a-policy",
    `${where}: ${what}; expected an input of observations [1, width], h_in and c_in [layers, 1, width] where there is memory, and an output of actions [1, width]`,
    "Give a policy.onnx as rsl_rl, Isaac Lab or another learner exports it.",
  );
}
