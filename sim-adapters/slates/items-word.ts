import { type CatalogueKey, variants } from "./items.ts";

const form = new RegExp(`^items:(${variants.join("|")}):(\\d{1,10})$`);

/**
 * The word among the capabilities by which a simulator says which items it shows, `items:diffuse:1`:
 * it travels with the specification and is kept in recorded flights and in checkpoints.
 */
export function itemsWord({ variant, seed }: CatalogueKey): string {
  return `items:${variant}:${seed}`;
}

/** Whose items a simulator or a recorded file shows; undefined: it shows none of ours. */
export function itemsOf(spec: { readonly capabilities: readonly string[] }) {
  for (const word of spec.capabilities) {
    const [, variant, seed] = form.exec(word) ?? [];
    if (variant === undefined) continue;
    return { variant, seed: Number(seed) } as CatalogueKey;
  }
  return undefined;
}
