import { PbfWriter } from "pbf";
import type { Attribute, Binding } from "./native-backend.ts";
import type { Constant, Source } from "./recording.ts";

/** An attribute in the binding's terms, or with a constant tensor as its value. */
export type NodeAttribute = Attribute | { readonly name: string; readonly tensor: Constant };

export interface Node {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly Source[];
  readonly attributes: readonly NodeAttribute[];
}

/** The binding's numbers for kinds of attributes. */
export type Kinds = Pick<
  Binding,
  | "TF_ATTR_STRING"
  | "TF_ATTR_INT"
  | "TF_ATTR_FLOAT"
  | "TF_ATTR_BOOL"
  | "TF_ATTR_TYPE"
  | "TF_ATTR_SHAPE"
>;

/** TensorFlow's `DataType`. */
export const dataTypes = { float32: 1, int32: 3, bool: 10 } as const;

/** Of TensorFlow 2.4: any later library reads it. */
const producer = 561;

/** The bytes of a `saved_model.pb` that holds this graph under the tag `serve`, and nothing else. */
export function savedModel(nodes: readonly Node[], kinds: Kinds): Uint8Array {
  const out = new PbfWriter();
  out.writeVarintField(1, 1);
  out.writeMessage(2, writeMetaGraph, { nodes, kinds });
  return out.finish();
}

interface Graph {
  readonly nodes: readonly Node[];
  readonly kinds: Kinds;
}

function writeMetaGraph(graph: Graph, out: PbfWriter): void {
  out.writeMessage(1, (tag, info) => info.writeStringField(4, tag), "serve");
  out.writeMessage(2, writeGraph, graph);
}

function writeGraph({ nodes, kinds }: Graph, out: PbfWriter): void {
  const writers = writersBy(kinds);
  for (const node of nodes) out.writeMessage(1, writeNode, { node, writers, kinds });
  out.writeMessage(4, (version, it) => it.writeVarintField(1, version), producer);
}

interface Writing {
  readonly writers: ReadonlyMap<number, Write>;
  readonly kinds: Kinds;
}

function writeNode({ node, ...writing }: Writing & { readonly node: Node }, out: PbfWriter): void {
  out.writeStringField(1, node.name);
  out.writeStringField(2, node.op);
  for (const input of node.inputs) out.writeStringField(3, input);
  for (const attribute of node.attributes) {
    out.writeMessage(5, writeAttribute, { attribute, ...writing });
  }
}

/** An entry of a map from names to `AttrValue`. */
function writeAttribute(
  { attribute, writers, kinds }: Writing & { readonly attribute: NodeAttribute },
  out: PbfWriter,
): void {
  out.writeStringField(1, attribute.name);
  if ("tensor" in attribute) {
    out.writeMessage(2, (one, it) => it.writeMessage(8, writeTensor, one), attribute.tensor);
    return;
  }
  const { type, value } = attribute;
  const write = writers.get(type);
  if (write === undefined) throw new RangeError(`an attribute of the unknown kind ${type}`);
  const isList = Array.isArray(value) && type !== kinds.TF_ATTR_SHAPE;
  out.writeMessage(2, isList ? writeList : writeOne, { value, write });
}

type Written = { readonly value: unknown; readonly write: Write };

function writeOne({ value, write }: Written, out: PbfWriter): void {
  write(out, value);
}

function writeList({ value, write }: Written, out: PbfWriter): void {
  const writeAll = (all: readonly unknown[], list: PbfWriter) => {
    for (const one of all) write(list, one);
  };
  out.writeMessage(1, writeAll, value as readonly unknown[]);
}

type Write = (out: PbfWriter, value: unknown) => void;

/** Fields 2 to 7 of `AttrValue`, and of its `ListValue`, by the binding's number of the kind. */
function writersBy(kinds: Kinds): ReadonlyMap<number, Write> {
  return new Map<number, Write>([
    [kinds.TF_ATTR_STRING, (out, value) => out.writeStringField(2, value as string)],
    [kinds.TF_ATTR_INT, (out, value) => out.writeVarintField(3, value as number)],
    [kinds.TF_ATTR_FLOAT, (out, value) => out.writeFloatField(4, value as number)],
    [kinds.TF_ATTR_BOOL, (out, value) => out.writeBooleanField(5, value as boolean)],
    [kinds.TF_ATTR_TYPE, (out, value) => out.writeVarintField(6, value as number)],
    [kinds.TF_ATTR_SHAPE, (out, value) => out.writeMessage(7, writeShape, value as number[])],
  ]);
}

function writeShape(shape: readonly number[], out: PbfWriter): void {
  for (const size of shape) out.writeMessage(2, (one, it) => it.writeVarintField(1, one), size);
}

/** `TensorProto`; an array of one number, over and over, is that number. */
function writeTensor({ shape, dtype, values }: Constant, out: PbfWriter): void {
  out.writeVarintField(1, dtype);
  out.writeMessage(2, writeShape, shape);
  const [first = 0] = values;
  const uniform = values.length > 16 && values.every((value) => Object.is(value, first));
  if (!uniform) {
    out.writeBytesField(4, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  } else if (dtype === dataTypes.float32) out.writePackedFloat(5, [first]);
  else if (dtype === dataTypes.int32) out.writePackedVarint(7, [first]);
  else out.writePackedBoolean(11, [first !== 0]);
}
