import { type ProtoBody, ProtoWriter } from "../../protocol/protobuf.ts";
import {
  type GraphNode,
  type NodeOf,
  type PolicyGraph,
  type Port,
  unaryNames,
} from "../graph/policy-graph.ts";
import type { NamedArray } from "../named-array.ts";

export interface OnnxOptions {
  /** 1 as rsl_rl exports it, or any number of rows. */
  readonly batch: 1 | "dynamic";
  /** Kept in the file for people, e.g. which observations it reads. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly producerVersion: string;
}

const OPSET = 18;
/** The version of the container that came with opset 18. */
const IR_VERSION = 8;
/** TensorProto.DataType. */
const FLOAT = 1;
const INT64 = 7;
/** AttributeProto.AttributeType. */
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

/** An ONNX model of opset 18, all weights within it. Equal graphs give equal bytes. */
export function writeOnnx(graph: PolicyGraph, options: OnnxOptions): Uint8Array {
  const model = new ProtoWriter()
    .varint(1, IR_VERSION)
    .string(2, "firstsolo")
    .string(3, options.producerVersion)
    .message(7, graphProto(graph, options.batch))
    .message(8, (set) => set.string(1, "").varint(2, OPSET));
  for (const [key, value] of Object.entries(options.metadata)) {
    model.message(14, (entry) => entry.string(1, key).string(2, value));
  }
  return model.finish();
}

function graphProto(graph: PolicyGraph, batch: 1 | "dynamic"): ProtoBody {
  const indices = new Map<string, ProtoBody>();
  const calls = graph.nodes.flatMap((node) => nodeProtos(node, indices));
  return (proto) => {
    for (const call of calls) proto.message(1, call);
    proto.string(2, "policy");
    for (const [name, array] of Object.entries(graph.constants)) {
      proto.message(5, floatTensor(name, array));
    }
    for (const tensor of indices.values()) proto.message(5, tensor);
    for (const port of graph.inputs) proto.message(11, valueInfo(port, batch));
    for (const port of graph.outputs) proto.message(12, valueInfo(port, batch));
  };
}

const BINARY = { add: "Add", sub: "Sub", mul: "Mul", div: "Div" } as const;

/** The name of a constant vector of whole numbers. */
type Index = (...values: readonly number[]) => string;

/** @param indices whole-number constants that nodes refer to by name; grows */
function nodeProtos(node: GraphNode, indices: Map<string, ProtoBody>): readonly ProtoBody[] {
  const { inputs, output, op } = node;
  const index: Index = (...values) => {
    const name = `index_${values.join("_").replaceAll("-", "n")}`;
    indices.set(name, int64Tensor(name, values));
    return name;
  };
  switch (op) {
    case "add":
    case "sub":
    case "mul":
    case "div":
      return [call(BINARY[op], inputs, output)];
    case "linear":
      return [call("Gemm", inputs, output, intAttribute("transB", 1))];
    case "picture":
      return picture(node, index);
    case "convolution":
      return [convolution(node)];
    case "flat":
      return [call("Reshape", [...inputs, index(-1, node.width)], output)];
    case "joined":
      return [call("Concat", inputs, output, intAttribute("axis", 1))];
    case "columns":
      return [call("Slice", [...inputs, index(node.from), index(node.to), index(1)], output)];
    case "layer":
      return layer(node, index);
    case "stack":
      return stack(node, index);
    case "leaky-relu":
      return [call(unaryNames[op], inputs, output, floatAttribute("alpha", 0.01))];
    default:
      return [call(unaryNames[op], inputs, output)];
  }
}

function picture({ inputs, output, shape }: NodeOf<"picture">, index: Index): readonly ProtoBody[] {
  const last = `${output}_channels_last`;
  return [
    call("Reshape", [...inputs, index(-1, ...shape)], last),
    call("Transpose", [last], output, intsAttribute("perm", [0, 3, 1, 2])),
  ];
}

function convolution({ inputs, output, stride, pad }: NodeOf<"convolution">): ProtoBody {
  const strides = intsAttribute("strides", [stride, stride]);
  return call("Conv", inputs, output, strides, intsAttribute("pads", [...pad, ...pad]));
}

function layer(node: NodeOf<"layer">, index: Index): readonly ProtoBody[] {
  const { inputs, output } = node;
  const from = [...inputs, index(node.index), index(node.index + 1), index(0)];
  const squeezed = `${output}_squeezed`;
  return [
    call("Slice", from, squeezed),
    call("Reshape", [squeezed, index(-1, node.width)], output),
  ];
}

function stack({ inputs, output, width }: NodeOf<"stack">, index: Index): readonly ProtoBody[] {
  const side = `${output}_side_by_side`;
  return [
    call("Concat", inputs, side, intAttribute("axis", 0)),
    call("Reshape", [side, index(inputs.length, -1, width)], output),
  ];
}

function call(
  type: string,
  inputs: readonly string[],
  output: string,
  ...attributes: readonly ProtoBody[]
): ProtoBody {
  return (proto) => {
    for (const input of inputs) proto.string(1, input);
    proto.string(2, output).string(3, `${type}_${output}`).string(4, type);
    for (const attribute of attributes) proto.message(5, attribute);
  };
}

function intAttribute(name: string, value: number): ProtoBody {
  return (proto) => proto.string(1, name).varint(3, value).varint(20, ATTRIBUTE_INT);
}

function intsAttribute(name: string, values: readonly number[]): ProtoBody {
  return (proto) => {
    proto.string(1, name);
    for (const value of values) proto.varint(8, value);
    proto.varint(20, ATTRIBUTE_INTS);
  };
}

function floatAttribute(name: string, value: number): ProtoBody {
  return (proto) => proto.string(1, name).float(2, value).varint(20, ATTRIBUTE_FLOAT);
}

function floatTensor(name: string, { shape, data }: NamedArray): ProtoBody {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return (proto) => tensor(proto, shape, FLOAT).string(8, name).bytes(9, bytes);
}

/** One axis. */
function int64Tensor(name: string, values: readonly number[]): ProtoBody {
  const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return (proto) => tensor(proto, [values.length], INT64).string(8, name).bytes(9, bytes);
}

function tensor(proto: ProtoWriter, shape: readonly number[], type: number): ProtoWriter {
  for (const size of shape) proto.varint(1, size);
  return proto.varint(2, type);
}

function valueInfo({ name, shape }: Port, batch: 1 | "dynamic"): ProtoBody {
  const dim = (size: Port["shape"][number]): ProtoBody => {
    if (size !== "batch") return (proto) => proto.varint(1, size);
    if (batch === "dynamic") return (proto) => proto.string(2, "batch");
    return (proto) => proto.varint(1, batch);
  };
  const dims: ProtoBody = (proto) => {
    for (const size of shape) proto.message(1, dim(size));
  };
  const tensorType: ProtoBody = (proto) => proto.varint(1, FLOAT).message(2, dims);
  return (proto) => proto.string(1, name).message(2, (type) => type.message(1, tensorType));
}
