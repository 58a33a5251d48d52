import type { NamedOperation } from "./fused.ts";
import type { Kinds } from "./graph-def.ts";
import type { Recording, Source } from "./recording.ts";

/**
 * TensorFlow rewrites these when it takes in a graph, to what comes to other bits: who reads, and what.
 * x / √y becomes x · 1/√y, x · σ(x) is a kernel of its own, sums of sums are made one, which begins with whichever
 * of its parts it may write over.
 */
const rewritten: readonly (readonly [reader: string, read: string])[] = [
  ["RealDiv", "Sqrt"],
  ["Mul", "Sigmoid"],
  ...["Add", "AddV2"].flatMap((by) => ["Add", "AddV2"].map((what) => [by, what] as const)),
];

interface Known {
  readonly kinds: Kinds;
  readonly shapes: Recording["shapes"];
}

/** The operations with a wall in between wherever TensorFlow would make one of two. */
export function guarded(
  operations: readonly NamedOperation[],
  known: Known,
): readonly NamedOperation[] {
  const plain = operations.flatMap(inTheirOrder);
  const byNode = new Map(plain.map((one) => [one.node, one]));
  const walls = new Map<Source, NamedOperation>();
  const behind = (reader: NamedOperation, source: Source): Source => {
    const read = byNode.get(source);
    if (read === undefined) return source;
    if (!makesOne(reader, read)) return source;
    const wall = walls.get(source) ?? wallBehind(read, known);
    walls.set(source, wall);
    return wall.node;
  };
  const out = plain.map((one) => {
    return { ...one, inputs: one.inputs.map((source) => behind(one, source)) };
  });
  return [...out, ...walls.values()];
}

function makesOne(reader: NamedOperation, read: NamedOperation): boolean {
  // A convolution with its bias takes along what is behind, with other bits; of NaN relu gives 0 there.
  if (read.name === "BiasAdd") return true;
  return rewritten.some(([by, what]) => by === reader.name && what === read.name);
}

/** A sum of many begins, in a graph, with whichever of them it may write over. */
function inTheirOrder(one: NamedOperation): readonly NamedOperation[] {
  const { name, node, inputs } = one;
  if (name !== "AddN" || inputs.length < 3) return [one];
  const attributes = one.attributes.filter((attribute) => attribute.name === "T");
  const last = inputs.length - 2;
  const sumOf = (i: number) => (i === last ? node : `${node}s${i}`);
  return inputs.slice(1).map((source, i) => ({
    ...{ name: "AddV2", attributes, node: sumOf(i) },
    inputs: [i === 0 ? inputs[0]! : sumOf(i - 1), source],
  }));
}

/** Gives what it gets. It could as well be fed, so that no rewriting looks through it. */
function wallBehind({ node, inputs, attributes }: NamedOperation, { kinds, shapes }: Known) {
  const type = attributes.find(({ name }) => name === "T")!;
  // A part of a sum of many is known by what is added to it.
  const extent = shapes.get(node) ?? shapes.get(inputs.at(-1)!)!;
  const shape = { name: "shape", type: kinds.TF_ATTR_SHAPE, value: extent };
  const own = { inputs: [node], attributes: [{ ...type, name: "dtype" }, shape] };
  return { name: "PlaceholderWithDefault", ...own, node: `${node}w` };
}
