import type { NormaliserState } from "../normaliser.ts";
import type { RslRlActorState } from "./rsl-rl-actor.ts";
import { OrderedDict, type TorchTensor, type TorchValue, torchDict } from "./torch-value.ts";

/**
 * What `state_dict()` of a model of rsl_rl 5 gives, in the order of its modules: normaliser,
 * distribution, MLP, recurrent part.
 */
export function stateDict(actor: RslRlActorState): OrderedDict {
  const dict = new OrderedDict();
  for (const [name, value] of normaliserEntries(actor.normaliser)) dict.set(name, value);
  for (const [name, value] of noiseEntries(actor)) dict.set(name, value);
  for (const [name, { shape, data }] of Object.entries(actor.layers)) {
    dict.set(name, floats(shape, data));
  }
  if (dict.size > 0) dict.attributes = torchDict({ _metadata: modulesOf(dict, actor) });
  return dict;
}

type Entry = readonly [string, TorchTensor];

function normaliserEntries(state: NormaliserState | undefined): readonly Entry[] {
  if (state === undefined) return [];
  const row = [1, state.mean.length];
  const count = BigInt64Array.of(BigInt(state.count));
  return [
    ["obs_normalizer._mean", floats(row, state.mean)],
    ["obs_normalizer._var", floats(row, state.variance)],
    ["obs_normalizer._std", floats(row, state.std)],
    ["obs_normalizer.count", { shape: [], dtype: "int64", data: count }],
  ];
}

function noiseEntries({ std, stdType }: RslRlActorState): readonly Entry[] {
  if (std === undefined) return [];
  if (stdType !== "log") return [["distribution.std_param", floats([std.length], std)]];
  return [["distribution.log_std_param", floats([std.length], std.map(Math.log))]];
}

function floats(shape: readonly number[], data: Float32Array): TorchTensor {
  return { shape, dtype: "float32", data };
}

/**
 * Names of all modules, as torch keeps them beside the weights: a distribution without parameters
 * is found by its name only.
 */
function modulesOf(dict: OrderedDict, { std, doubled }: RslRlActorState): OrderedDict {
  const names = new Set<string>(["", "obs_normalizer"]);
  if (std !== undefined || doubled === true) names.add("distribution");
  for (const key of dict.keys()) {
    const parts = String(key).split(".").slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) names.add(parts.slice(0, depth).join("."));
  }
  const entries = [...names].map((name): [string, TorchValue] => [name, torchDict({ version: 1 })]);
  return new OrderedDict(entries);
}
