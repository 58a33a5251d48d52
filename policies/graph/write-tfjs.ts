import { elementsOf, type NamedArray } from "../named-array.ts";
import {
  type GraphNode,
  type NodeOf,
  type PolicyGraph,
  type Port,
  unaryNames,
} from "./policy-graph.ts";

/** The two files of a graph model of TensorFlow.js, to lie in one folder. */
export interface TfjsModel {
  /** `model.json`: text. */
  readonly modelJson: string;
  /** `weights.bin`: float32, little-endian, one array behind the other. */
  readonly weights: Uint8Array;
}

/** How a node of a GraphDef is written in JSON. */
interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, unknown>>;
}

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
  /** A whole buffer of its own. */
  readonly data: Float32Array | Int32Array;
}

const FLOAT = { T: { type: "DT_FLOAT" } };

/**
 * A model that `tf.loadGraphModel` of @tensorflow/tfjs loads and `predict` flies, with inputs and
 * outputs of the graph's names.
 *
 * @param metadata kept in the file for people
 */
export function writeTfjs(
  graph: PolicyGraph,
  metadata: Readonly<Record<string, string>>,
): TfjsModel {
  const translation = new Translation(graph);
  const manifest = translation.weights.map(({ name, shape, dtype }) => ({ name, shape, dtype }));
  const model = {
    format: "graph-model",
    generatedBy: "firstsolo",
    convertedBy: "firstsolo",
    signature: { inputs: signature(graph.inputs), outputs: signature(graph.outputs) },
    userDefinedMetadata: metadata,
    modelTopology: { node: translation.nodes, library: {}, versions: { producer: 1 } },
    weightsManifest: [{ paths: ["weights.bin"], weights: manifest }],
  };
  const bytes = translation.weights.map(({ data }) => new Uint8Array(data.buffer));
  return { modelJson: JSON.stringify(model), weights: new Uint8Array(Buffer.concat(bytes)) };
}

const BINARY = { add: "AddV2", sub: "Sub", mul: "Mul", div: "RealDiv" } as const;

class Translation {
  readonly nodes: NodeDef[] = [];
  readonly weights: Weight[] = [];

  constructor(graph: PolicyGraph) {
    for (const { name, shape } of graph.inputs) {
      const attr = { dtype: { type: "DT_FLOAT" }, shape: { shape: dims(shape) } };
      this.nodes.push({ name, op: "Placeholder", input: [], attr });
    }
    // The wasm backend adds biases wrongly to a product with a transposed matrix: turned here.
    const turned = new Set(graph.nodes.flatMap((n) => (n.op === "linear" ? [n.inputs[1]] : [])));
    const filters = new Set(
      graph.nodes.flatMap((n) => (n.op === "convolution" ? [n.inputs[1]] : [])),
    );
    for (const [name, array] of Object.entries(graph.constants)) {
      const flipped = turned.has(name) ? transposed(array) : array;
      const { shape, data } = filters.has(name) ? channelsLast(array) : flipped;
      this.#constant({ name, shape, dtype: "float32", data: Float32Array.from(data) });
    }
    for (const node of graph.nodes) this.nodes.push(...this.#translate(node));
  }

  #constant(weight: Weight): void {
    this.weights.push(weight);
    const { name, shape } = weight;
    const type = weight.dtype === "float32" ? "DT_FLOAT" : "DT_INT32";
    const value = { tensor: { dtype: type, tensorShape: dims(shape) } };
    this.nodes.push({ name, op: "Const", input: [], attr: { dtype: { type }, value } });
  }

  #translate(node: GraphNode): readonly NodeDef[] {
    const { op, inputs, output } = node;
    switch (op) {
      case "add":
      case "sub":
      case "mul":
      case "div":
        return [call(output, BINARY[op], inputs)];
      case "linear": {
        const [x, weight, bias] = inputs;
        const product = `${output}_product`;
        return [call(product, "MatMul", [x, weight]), call(output, "AddV2", [product, bias])];
      }
      case "picture":
        return [call(output, "Reshape", [...inputs, this.#indices(-1, ...node.shape)])];
      case "convolution":
        return this.#convolution(node);
      case "flat":
        return this.#flat(node);
      case "joined":
        return [call(output, "ConcatV2", [...inputs, this.#axis(1)], { N: { i: inputs.length } })];
      case "columns": {
        const begin = this.#indices(0, node.from);
        const size = this.#indices(-1, node.to - node.from);
        return [call(output, "Slice", [...inputs, begin, size])];
      }
      case "layer":
        return this.#layer(node);
      case "stack":
        return [call(output, "Pack", inputs, { axis: { i: 0 }, N: { i: inputs.length } })];
      case "leaky-relu":
        return [call(output, unaryNames[op], inputs, { alpha: { f: 0.01 } })];
      default:
        return [call(output, unaryNames[op], inputs)];
    }
  }

  #flat({ output, inputs, width }: NodeOf<"flat">): readonly NodeDef[] {
    const turned = `${output}_channels_first`;
    const order = this.#indices(0, 3, 1, 2);
    return [
      call(turned, "Transpose", [...inputs, order], { Tperm: { type: "DT_INT32" } }),
      call(output, "Reshape", [turned, this.#indices(-1, width)]),
    ];
  }

  #layer({ output, inputs, index, width }: NodeOf<"layer">): readonly NodeDef[] {
    const begin = this.#indices(index, 0, 0);
    const size = this.#indices(1, -1, width);
    const shape = this.#indices(-1, width);
    const slice = `${output}_slice`;
    return [
      call(slice, "Slice", [...inputs, begin, size]),
      call(output, "Reshape", [slice, shape]),
    ];
  }

  /** Pictures are channels-last here, as TensorFlow has them; filters were turned with the constants. */
  #convolution({ output, inputs, stride, pad }: NodeOf<"convolution">): readonly NodeDef[] {
    const [x, weight, bias] = inputs;
    const [rows, columns] = pad;
    const padded = `${output}_padded`;
    const margins = [0, 0, rows, rows, columns, columns, 0, 0];
    const edges = this.#whole(`pad_${rows}_${columns}`, [4, 2], margins);
    const attributes = {
      strides: { list: { i: [1, stride, stride, 1] } },
      dilations: { list: { i: [1, 1, 1, 1] } },
      padding: { s: Buffer.from("VALID").toString("base64") },
      data_format: { s: Buffer.from("NHWC").toString("base64") },
    };
    const product = `${output}_product`;
    return [
      call(padded, "Pad", [x, edges]),
      call(product, "Conv2D", [padded, weight], attributes),
      call(output, "AddV2", [product, bias]),
    ];
  }

  #axis(value: number): string {
    return this.#whole(`axis_${value}`, [], [value]);
  }

  /** The name of a constant vector of whole numbers. */
  #indices(...values: readonly number[]): string {
    const name = `index_${values.join("_").replaceAll("-", "n")}`;
    return this.#whole(name, [values.length], values);
  }

  /** Whole numbers that nodes refer to by this name: kept once. */
  #whole(name: string, shape: readonly number[], values: readonly number[]): string {
    if (!this.weights.some((weight) => weight.name === name)) {
      this.#constant({ name, shape, dtype: "int32", data: Int32Array.from(values) });
    }
    return name;
  }
}

function call(
  name: string,
  op: string,
  input: readonly string[],
  attr: Readonly<Record<string, unknown>> = {},
): NodeDef {
  return { name, op, input, attr: { ...FLOAT, ...attr } };
}

function transposed({ shape, data }: NamedArray): NamedArray {
  const [rows = 0, columns = 0] = shape;
  const turned = new Float32Array(elementsOf(shape));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = data[row * columns + column]!;
    }
  }
  return { shape: [columns, rows], data: turned };
}

function dims(shape: Port["shape"]) {
  return { dim: shape.map((size) => ({ size: size === "batch" ? "-1" : `${size}` })) };
}

function signature(ports: readonly Port[]) {
  return Object.fromEntries(
    ports.map(({ name, shape }) => [
      name,
      { name: `${name}:0`, dtype: "DT_FLOAT", tensorShape: dims(shape) },
    ]),
  );
}

/** Filters `[out, in, rows, columns]` as `[rows, columns, in, out]`. */
function channelsLast({ shape, data }: NamedArray): NamedArray {
  const [out = 0, inputs = 0, rows = 0, columns = 0] = shape;
  const turned = new Float32Array(data.length);
  let from = 0;
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let at = 0; at < rows * columns; at++) {
        turned[(at * inputs + i) * out + o] = data[from++]!;
      }
    }
  }
  return { shape: [rows, columns, inputs, out], data: turned };
}
