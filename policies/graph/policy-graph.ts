import type { NamedArray } from "../named-array.ts";

/**
 * What a policy computes, as data: for writers of other formats. Values are named; every node makes
 * one value from earlier ones. All is float32; `[batch, columns]` but for memory as it comes and
 * goes.
 */
export interface PolicyGraph {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly constants: Readonly<Record<string, NamedArray>>;
  /** In an order in which they can be computed. */
  readonly nodes: readonly GraphNode[];
}

/** A value from or for the outside; `"batch"` stands for the number of rows. */
export interface Port {
  readonly name: string;
  readonly shape: readonly (number | "batch")[];
  /** Of its elements, where they are not float32. */
  readonly type?: string;
}

export type GraphNode = { readonly output: string } & (
  | { readonly op: UnaryOp; readonly inputs: readonly [string] }
  | { readonly op: "add" | "sub" | "mul" | "div"; readonly inputs: readonly [string, string] }
  /** x Wᵀ + b of values x, W `[outputs, inputs]`, b `[outputs]`, the last two constants. */
  | { readonly op: "linear"; readonly inputs: readonly [string, string, string] }
  /** Columns `from` up to `to`. */
  | {
      readonly op: "columns";
      readonly inputs: readonly [string];
      readonly from: number;
      readonly to: number;
    }
  /** Columns as pictures: `[batch, height, width, channels]` side by side to `[batch, channels, height, width]`. */
  | {
      readonly op: "picture";
      readonly inputs: readonly [string];
      readonly shape: readonly [height: number, width: number, channels: number];
    }
  /** A convolution of pictures, padded with zeros on both sides: x, W `[out, in, side, side]`, b `[out]`. */
  | {
      readonly op: "convolution";
      readonly inputs: readonly [string, string, string];
      readonly stride: number;
      readonly pad: readonly [rows: number, columns: number];
    }
  /** Pictures as rows `[batch, width]`, a channel after the other. */
  | { readonly op: "flat"; readonly inputs: readonly [string]; readonly width: number }
  /** Rows side by side. */
  | { readonly op: "joined"; readonly inputs: readonly string[] }
  /** `[batch, width]`, one of the layers of a memory `[layers, batch, width]`. */
  | {
      readonly op: "layer";
      readonly inputs: readonly [string];
      readonly index: number;
      readonly width: number;
    }
  /** The inverse: `[layers, batch, width]` from one value per layer. */
  | { readonly op: "stack"; readonly inputs: readonly string[]; readonly width: number }
);

export type UnaryOp =
  | "elu"
  | "selu"
  | "relu"
  /** Slope 0.01 below zero. */
  | "leaky-relu"
  | "tanh"
  | "sigmoid"
  | "softplus"
  | "erf"
  | "identity";

/** As ONNX and TensorFlow both call them. */
export const unaryNames: Readonly<Record<UnaryOp, string>> = {
  elu: "Elu",
  selu: "Selu",
  relu: "Relu",
  "leaky-relu": "LeakyRelu",
  tanh: "Tanh",
  sigmoid: "Sigmoid",
  softplus: "Softplus",
  erf: "Erf",
  identity: "Identity",
};

/** A node of a certain op. */
export type NodeOf<Op extends GraphNode["op"]> = Extract<GraphNode, { op: Op }>;

/** A node of any op, its output still to be named. */
export type Unnamed = GraphNode extends infer Node
  ? Node extends GraphNode
    ? Omit<Node, "output">
    : never
  : never;
