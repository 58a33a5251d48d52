import { z } from "zod";
import { nearest } from "../../protocol/nearest.ts";
import type { Algorithm } from "../algorithms/algorithm.ts";
import type { LeafNotes } from "./leaf.ts";
import { commonKeys, simulatorKeys } from "./schema.ts";

/** One key of the configuration that holds a value. */
export interface KnownKey extends LeafNotes {
  readonly schema: z.ZodType;
  readonly fallback: unknown;
}

/** What may be said to one algorithm. */
export interface AlgorithmKeys {
  readonly schema: z.ZodObject;
  /** Every key by its dotted name, in the order of the schema; `env` is one of them. */
  readonly keys: ReadonlyMap<string, KnownKey>;
  /** Names of the blocks: `policy`, `algorithm` … */
  readonly blocks: ReadonlySet<string>;
}

const made = new Map<string, AlgorithmKeys>();

export function keysOf(algorithm: Algorithm): AlgorithmKeys {
  const { name, keys: own, omits = [] } = algorithm;
  const known = made.get(name);
  if (known) return known;
  const kept = Object.entries(commonKeys).filter(([key]) => !omits.includes(key));
  const schema = z.strictObject({ ...Object.fromEntries(kept), ...own, ...simulatorKeys });
  const keys = new Map(leaves(schema, ""));
  const dotted = [...keys.keys()].filter((key) => key.includes("."));
  const blocks = new Set(dotted.map((key) => key.split(".")[0]!));
  const found = { schema, keys, blocks };
  made.set(name, found);
  return found;
}

function leaves(block: z.ZodObject, prefix: string): [string, KnownKey][] {
  return Object.entries(block.shape).flatMap(([name, schema]) => {
    if (schema instanceof z.ZodPrefault) {
      return leaves(schema.unwrap() as z.ZodObject, `${name}.`);
    }
    const leaf = schema as z.ZodType;
    const { expects, doc } = leaf.meta() as unknown as LeafNotes;
    return [[`${prefix}${name}`, { schema: leaf, expects, doc, fallback: leaf.parse(undefined) }]];
  });
}

/** The known key that was most likely meant, if one is near enough to be a slip. */
export function nearestKey(name: string, { keys }: AlgorithmKeys): string | undefined {
  const all = [...keys.keys()];
  const last = lastWord(name);
  const namesake = all.find((known) => lastWord(known) === last);
  if (namesake !== undefined) return namesake;
  const block = name.slice(0, name.lastIndexOf(".") + 1);
  const siblings = all.filter((known) => block !== "" && known.startsWith(block));
  const candidates = siblings.length > 0 ? siblings : all;
  const word = nearest(last, candidates.map(lastWord));
  return candidates.find((known) => lastWord(known) === word);
}

export function lastWord(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
