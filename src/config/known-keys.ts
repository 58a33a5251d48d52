import { z } from "zod";
import { nearest } from "../../protocol/nearest.ts";
import type { LeafNotes } from "./leaf.ts";
import { configSchema } from "./schema.ts";

/** One key of the configuration that holds a value. */
export interface KnownKey extends LeafNotes {
  readonly schema: z.ZodType;
  readonly fallback: unknown;
}

/** Every key by its dotted name, in the order of the schema; `env` is one of them. */
export const knownKeys: ReadonlyMap<string, KnownKey> = new Map(leaves(configSchema, ""));

/** Names of the blocks: `policy`, `algorithm` … */
export const knownBlocks: ReadonlySet<string> = new Set(
  [...knownKeys.keys()].flatMap((name) => (name.includes(".") ? [name.split(".")[0]!] : [])),
);

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
export function nearestKey(name: string): string | undefined {
  const all = [...knownKeys.keys()];
  const last = lastWord(name);
  const namesake = all.find((known) => lastWord(known) === last);
  if (namesake !== undefined) return namesake;
  const block = name.slice(0, name.lastIndexOf(".") + 1);
  const siblings = all.filter((known) => block !== "" && known.startsWith(block));
  const candidates = siblings.length > 0 ? siblings : all;
  const word = nearest(last, candidates.map(lastWord));
  return candidates.find((known) => lastWord(known) === word);
}

function lastWord(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
