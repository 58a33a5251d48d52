import type { Kinds } from "./graph-def.ts";
import { countUses, type Operation, type Recording, type Source } from "./recording.ts";

/** An operation and the name others read its result by. */
export interface NamedOperation extends Operation {
  readonly node: Source;
}

/**
 * TensorFlow's two kinds of products add up in the same order from so many rows on, over so many columns, and
 * where the result is no single column: outside of that bits differ (measured, one and two threads).
 */
const leastRows = 16;
const leastColumns = 2;
const mostSummed = 384;

const sums: ReadonlySet<string> = new Set(["Add", "AddV2"]);

/**
 * The operations, where a product of two matrices is one of matrices (tfjs calls each one of batches) and takes
 * along the bias that is added to it: one pass over the result instead of two.
 */
export function fused(recording: Recording, kinds: Kinds): readonly NamedOperation[] {
  const { operations, shapes } = recording;
  const named = operations.map((operation, i) => {
    const one = { ...operation, node: `n${i}` };
    return isMatrixProduct(one, shapes) ? asMatMul(one, kinds) : one;
  });
  const products = new Map(named.filter(isMatMul).map((one) => [one.node, one]));
  const uses = countUses(recording);
  const taken = new Set<Source>();
  const out = named.map((one) => {
    const product = products.get(one.inputs[0]!);
    if (!sums.has(one.name) || product === undefined || uses.get(product.node) !== 1) return one;
    const bias = one.inputs[1]!;
    if (shapes.get(bias)?.join() !== `${shapes.get(product.node)![1]}`) return one;
    taken.add(product.node);
    return { ...withBias(product, bias, kinds), node: one.node };
  });
  return out.filter(({ node }) => !taken.has(node));
}

function isMatMul({ name }: Operation): boolean {
  return name === "MatMul";
}

function isMatrixProduct(
  { name, inputs, attributes, node }: NamedOperation,
  shapes: Recording["shapes"],
): boolean {
  if (name !== "BatchMatMulV2") return false;
  if (attributes.some((one) => one.name === "adj_x" && one.value === true)) return false;
  const [first, second] = inputs.map((source) => shapes.get(source));
  if (first?.length !== 2 || second?.length !== 2) return false;
  const columns = shapes.get(node)?.[1] ?? 0;
  return first[0]! >= leastRows && first[1]! <= mostSummed && columns >= leastColumns;
}

function asMatMul(one: NamedOperation, kinds: Kinds): NamedOperation {
  const attribute = (name: string) => one.attributes.find((other) => other.name === name)!;
  const type = kinds.TF_ATTR_BOOL;
  const attributes = [
    attribute("T"),
    { name: "transpose_a", type, value: attribute("adj_x").value },
    { name: "transpose_b", type, value: attribute("adj_y").value },
  ];
  return { ...one, name: "MatMul", attributes };
}

function withBias(product: NamedOperation, bias: Source, kinds: Kinds): Operation {
  const attributes = [
    ...product.attributes,
    { name: "num_args", type: kinds.TF_ATTR_INT, value: 1 },
    { name: "fused_ops", type: kinds.TF_ATTR_STRING, value: ["BiasAdd"] },
  ];
  return { name: "_FusedMatMul", inputs: [...product.inputs, bias], attributes };
}
