import type { Port } from "../graph/policy-graph.ts";
import { elementsOf, type NamedArray, type NamedArrays } from "../named-array.ts";
import type { Memory } from "../policy.ts";
import { CheckpointError } from "../policy-error.ts";

/** Sizes of a policy with the inputs and outputs that rsl_rl and Isaac Lab give their exports. */
export interface ModelForm {
  readonly observationWidth: number;
  readonly actionWidth: number;
  /** Names of the states without `_in` and `_out`: `[]`, `["h"]` or `["h", "c"]`. */
  readonly states: readonly string[];
  /** Of each state: its layers and their width. */
  readonly layers: number;
  readonly width: number;
}

/**
 * @param where what to call the file in messages
 * @throws CheckpointError `not-a-policy` when a model has other inputs and outputs
 */
export function modelForm(
  inputs: readonly Port[],
  outputs: readonly Port[],
  where: string,
): ModelForm {
  const named = (ports: readonly Port[]) => new Map(ports.map(({ name, shape }) => [name, shape]));
  const [given, made] = [named(inputs), named(outputs)];
  const states = ["h", "c"].slice(0, inputs.length - 1);
  const wanted = [
    ["obs", ...states.map((s) => `${s}_in`)],
    ["actions", ...states.map((s) => `${s}_out`)],
  ];
  const found = [[...given.keys()], [...made.keys()]];
  const complete = wanted.every((names, i) => names.every((name) => found[i]!.includes(name)));
  if (!complete || found.some((names, i) => names.length !== wanted[i]!.length)) {
    throw notAPolicy(
      where,
      `it has the inputs ${found[0]!.join(", ") || "none"} and the outputs ${found[1]!.join(", ") || "none"}`,
    );
  }
  const observationWidth = sizeAt(given.get("obs")!, 1, 2, `${where}: obs`);
  const actionWidth = sizeAt(made.get("actions")!, 1, 2, `${where}: actions`);
  const [memory] = states.map((state) => given.get(`${state}_in`)!);
  const layers = memory ? sizeAt(memory, 0, 3, `${where}: h_in`) : 0;
  const width = memory ? sizeAt(memory, 2, 3, `${where}: h_in`) : 0;
  return { observationWidth, actionWidth, states, layers, width };
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
    ["actions", rows * form.actionWidth] as const,
    ...form.states.map((state) => [`${state}_out`, memory] as const),
  ];
  return wanted.every(([name, size]) => {
    const output = outputs[name];
    return output !== undefined && output.data.length === size && elementsOf(output.shape) === size;
  });
}

function sizeAt(shape: Port["shape"], axis: number, rank: number, where: string): number {
  const size = shape[axis];
  if (shape.length === rank && typeof size === "number" && size > 0 && size <= 2 ** 20) return size;
  throw notAPolicy(where, `is [${shape.join(", ")}]`);
}

function notAPolicy(where: string, what: string): CheckpointError {
  return new CheckpointError(
    "not-a-policy",
    `${where}: ${what}; expected the inputs obs [1, width], h_in and c_in [layers, 1, width] where there is memory, and the outputs actions, h_out, c_out`,
    "Give a policy.onnx as rsl_rl or Isaac Lab exports it.",
  );
}
