import type { NamedArrays } from "../named-array.ts";

/**
 * Weights of a network that puts out two numbers per action without those rows of its last layer
 * that make the noise: the means come first.
 */
export function meanLayers(layers: NamedArrays): NamedArrays {
  const last = Object.keys(layers)
    .filter((name) => /^mlp\.\d+\.bias$/.test(name))
    .at(-1)
    ?.slice(0, -"bias".length);
  const kept = Object.entries(layers).map(([name, array]) => {
    if (last === undefined || !name.startsWith(last)) return [name, array] as const;
    const [rows = 0, ...row] = array.shape;
    const data = array.data.slice(0, array.data.length / 2);
    return [name, { shape: [rows / 2, ...row], data }] as const;
  });
  return Object.fromEntries(kept);
}
