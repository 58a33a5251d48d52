/** Why nothing of a file is repeated here, and where it is held against ours; undefined: it should be repeated. */
export function heldElsewhere(keys: readonly string[], document: unknown): string | undefined {
  if (keys.length === 1 && keys[0] === "item_embeddings") {
    return "holds the items that the traces beside it are about: it is read with them";
  }
  const { environments } = (document ?? {}) as { environments?: Readonly<Record<string, unknown>> };
  const first = Object.values(environments ?? {})[0];
  if (typeof first !== "object" || first === null) return undefined;
  if ("parameters" in first) {
    return "holds means over drawn users of another program's simulator: npm run bench -- sardine flies them again through it";
  }
  const figure = Object.values(first)[0];
  if (typeof figure !== "object" || figure === null || !("by_catalogue" in figure))
    return undefined;
  return "holds means over drawn users, which agree within intervals alone: test/slates/statistics.test.ts holds our simulator against them";
}
