import { isTensor, type TorchTensor } from "../checkpoint/torch-value.ts";
import { Flow, STATE } from "./flow.ts";

/** What an operation of torch makes of its arguments; undefined: nothing that is known. */
type Operation = (args: readonly unknown[]) => unknown;

/** torch's names of activations whose constants are the usual ones. */
const plain: readonly (readonly [torch: string, name: string])[] = [
  ["relu", "relu"],
  ["tanh", "tanh"],
  ["sigmoid", "sigmoid"],
  ["silu", "swish"],
  ["mish", "mish"],
  ["selu", "selu"],
];

/** Activations with constants, and those that are meant by their names alone. */
const shaped: readonly (readonly [torch: string, name: string, constants: readonly unknown[]])[] = [
  ["elu", "elu", [1, 1, 1]],
  ["celu", "crelu", [1]],
  ["leaky_relu", "lrelu", [0.01]],
  ["softplus", "softplus", [1, 20]],
  ["gelu", "gelu", ["none"]],
];

/** The operations that the policies of robots are made of, by their names in torch. */
export const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ...plain.flatMap(([torch, name]) => both(torch, (args) => activated(args, name, []))),
  ...shaped.flatMap(([torch, name, constants]) =>
    both(torch, (args) => activated(args, name, constants)),
  ),
  ["linear", linear],
  ...both("sub", ([x, by, scale = 1]) => (scale === 1 ? through(x, by, "sub") : undefined)),
  ...both("div", ([x, by]) => through(x, by, "div")),
  ...both("add", ([a, b, scale = 1]) => (scale === 1 ? sum(a, b) : undefined)),
  ["sqrt", ([a]) => (isTensor(a) ? mapped(a, Math.sqrt) : undefined)],
  ...both("clamp", clamped),
  ...both("clip", clamped),
  ...["dropout", "dropout_", "alpha_dropout", "feature_dropout"].map(
    (name): [string, Operation] => [
      name,
      ([x, , training]) => (training === false ? x : undefined),
    ],
  ),
  ...["unsqueeze", "squeeze", "contiguous", "detach", "clone"].map((name): [string, Operation] => [
    name,
    ([x]) => (x instanceof Flow || x === STATE || isTensor(x) ? x : undefined),
  ]),
  // A view of the program's own memory, and what is written into it.
  ["slice", ([x, ...range]) => (isTensor(x) && isWhole(range) ? x : undefined)],
  ["copy_", ([to, from]) => (isTensor(to) && from === STATE ? STATE : undefined)],
  ["gru", ([x, state, weights]) => remembered(x, "gru", [state], weights)],
  ["lstm", ([x, states, weights]) => remembered(x, "lstm", states, weights)],
  ["unflatten", ([x]) => (x instanceof Flow ? x : undefined)],
  ["__not__", ([a]) => (typeof a === "boolean" ? !a : undefined)],
]);

/** Torch has most operations twice: `relu` and, in place, `relu_`. */
function both(name: string, operation: Operation): readonly [string, Operation][] {
  return [
    [name, operation],
    [`${name}_`, operation],
  ];
}

function activated([x, ...given]: readonly unknown[], name: string, usual: readonly unknown[]) {
  const numbers = given.filter((value) => typeof value === "number" || typeof value === "string");
  const odd = numbers.some((value, i) => value !== usual[i]);
  return x instanceof Flow && !odd ? x.after({ op: "activation", name }) : undefined;
}

function linear([x, weight, bias = null]: readonly unknown[]) {
  if (!(x instanceof Flow) || !isTensor(weight)) return undefined;
  if (bias !== null && !isTensor(bias)) return undefined;
  return x.after({ op: "linear", weight, bias });
}

function through(x: unknown, by: unknown, op: "sub" | "div") {
  if (x instanceof Flow && isTensor(by)) return x.after({ op, by });
  return undefined;
}

function sum(a: unknown, b: unknown): TorchTensor | undefined {
  const number = numberIn(b);
  if (isTensor(a) && number !== undefined) return mapped(a, (value) => value + number);
  return undefined;
}

/** Tracing turns the numbers of a program into arrays without an axis. */
function numberIn(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return isTensor(value) && value.shape.length === 0 ? Number(value.data[0]) : undefined;
}

function mapped({ shape, data }: TorchTensor, change: (value: number) => number): TorchTensor {
  const floats = Float32Array.from(data as Float32Array, (value) => change(Number(value)));
  return { shape, dtype: "float32", data: floats };
}

function clamped([x, low, high]: readonly unknown[]) {
  if (!(x instanceof Flow) || typeof low !== "number" || typeof high !== "number") return undefined;
  return x.after({ op: "clamp", low, high });
}

/** `[]`, or dimension, first, last, stride of a slice that leaves nothing out. */
function isWhole([, from = 0, to = null, stride = 1]: readonly unknown[]): boolean {
  const toEnd = to === null || (typeof to === "number" && to > 2 ** 31);
  return (from === 0 || from === null) && toEnd && stride === 1;
}

const PARTS = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

/** torch.gru and torch.lstm: outputs and the states behind them, from four arrays for each layer. */
function remembered(x: unknown, type: "gru" | "lstm", states: unknown, weights: unknown) {
  const held = Array.isArray(states) && states.every(isTensor);
  if (!(x instanceof Flow) || !held || !Array.isArray(weights)) return undefined;
  if (weights.length % PARTS.length !== 0 || !weights.every(isTensor)) return undefined;
  const named = weights.map(
    (weight, i) => [`${PARTS[i % 4]}_l${Math.floor(i / 4)}`, weight as TorchTensor] as const,
  );
  const next = x.after({ op: "rnn", type, weights: new Map(named) });
  return [next, ...states.map(() => STATE)];
}
