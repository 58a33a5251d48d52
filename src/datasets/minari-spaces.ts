import type { Dtype, EnvSpec, TensorSpec } from "../../protocol/spec.ts";
import { pythonJson } from "./json-text.ts";

/** A space of Gymnasium, in the form that Minari keeps it. */
type Space =
  | {
      readonly type: "Box";
      readonly dtype: string;
      readonly shape: readonly number[];
      readonly low: Nested;
      readonly high: Nested;
    }
  | { readonly type: "Dict"; readonly subspaces: Readonly<Record<string, Space>> };
type Nested = number | readonly Nested[];

const RANGES: Readonly<Record<Dtype, readonly [name: string, low: number, high: number]>> = {
  "<f4": ["float32", Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  "|u1": ["uint8", 0, 255],
  "<i4": ["int32", -(2 ** 31), 2 ** 31 - 1],
};

/** `policy` alone is a plain array, to Minari and to us; anything else keeps its names in a Dict. */
export function isPlain(groups: readonly string[]): boolean {
  return groups.length === 1 && groups[0] === "policy";
}

/** The text of `observation_space` in Minari's metadata. */
export function observationSpace(groups: Readonly<Record<string, TensorSpec>>): string {
  const names = Object.keys(groups);
  if (isPlain(names)) return pythonJson(unbounded(groups.policy!));
  return pythonJson(dict(Object.entries(groups).map(([name, spec]) => [name.split("/"), spec])));
}

/** The text of `action_space` in Minari's metadata. */
export function actionSpace({ action }: EnvSpec): string {
  const { dtype, shape, low, high } = action;
  const box = { type: "Box", dtype: RANGES[dtype][0], shape } as const;
  return pythonJson({ ...box, low: nested(low, shape), high: nested(high, shape) });
}

/** A group `camera/rgb` is `rgb` in `camera`, as HDF5 has it. */
function dict(entries: readonly (readonly [path: readonly string[], spec: TensorSpec])[]): Space {
  const inner = new Map<string, (readonly [readonly string[], TensorSpec])[]>();
  const subspaces: Record<string, Space> = {};
  for (const [[head = "", ...rest], spec] of entries) {
    if (rest.length === 0) subspaces[head] = unbounded(spec);
    else inner.set(head, [...(inner.get(head) ?? []), [rest, spec]]);
  }
  for (const [head, below] of inner) subspaces[head] = dict(below);
  return { type: "Dict", subspaces };
}

function unbounded({ dtype, shape }: TensorSpec): Space {
  const [name, low, high] = RANGES[dtype];
  const size = shape.reduce((product, axis) => product * axis, 1);
  const all = (bound: number) => nested(Array<number>(size).fill(bound), shape);
  return { type: "Box", dtype: name, shape, low: all(low), high: all(high) };
}

function nested(values: readonly number[], shape: readonly number[]): Nested {
  if (shape.length === 0) return values[0] ?? 0;
  if (shape.length === 1) return values;
  const [count = 0, ...rest] = shape;
  const size = values.length / count;
  return Array.from({ length: count }, (_, i) =>
    nested(values.slice(i * size, (i + 1) * size), rest),
  );
}
