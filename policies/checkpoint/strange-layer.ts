import { describe, isTensor, type TorchValue } from "./torch-value.ts";

type Values = ReadonlyMap<string, { readonly value: TorchValue }>;

/** What a layer of an MLP is that is no Linear, where its arrays show it: completes "actor.1.weight …". */
export function strangeLayer(name: string, value: TorchValue, all: Values): string | undefined {
  const layer = /^(mlp\.\d{1,3})\.(\w+)$/.exec(name);
  if (layer === null) return undefined;
  const [, place, part] = layer;
  if (part === "running_mean" || part === "running_var" || part === "num_batches_tracked") {
    return "is no Linear layer but a normalising one (BatchNorm), which can't be flown";
  }
  if (part !== "weight" || !isTensor(value)) return undefined;
  const axes = value.shape.length;
  if (axes === 2) return undefined;
  if (axes === 1) {
    if (!followsLayerOf(value.shape[0]!, place!, all)) return undefined;
    const name = all.has(`${place}.running_mean`) ? "BatchNorm" : "LayerNorm";
    return `${text(value)} is no Linear layer but a normalising one (${name}), which can't be flown`;
  }
  return `${text(value)} is no Linear layer but ${axes > 2 ? "a convolution" : "a number"}, which can't be flown`;
}

/** One number per output of the Linear layer before it, perhaps with an activation between. */
function followsLayerOf(width: number, place: string, all: Values): boolean {
  const index = Number(place.slice("mlp.".length));
  return [index - 1, index - 2].some((before) => {
    const weight = all.get(`mlp.${before}.weight`)?.value;
    return isTensor(weight) && weight.shape.length === 2 && weight.shape[0] === width;
  });
}

function text(value: TorchValue): string {
  return `(${describe(value)})`;
}
