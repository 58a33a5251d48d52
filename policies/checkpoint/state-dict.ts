import type { NormaliserState } from "../networks/normaliser.ts";
import type { RslRlActorState } from "./actor-state.ts";
import { OrderedDict, type TorchTensor, type TorchValue, torchDict } from "./torch-value.ts";

/**
 * What `state_dict()` of a model of rsl_rl 4 or 5 gives, in the order of its modules: normaliser,
 * distribution (which 4 hasn't: its noise comes first), MLP, recurrent part.
 */
export function stateDict(actor: RslRlActorState, version: "4" | "5" = "5"): OrderedDict {
  const { std, doubled, normaliser, layers, latent } = actor;
  const statistics = normaliserEntries(normaliser, "obs_normalizer", actor);
  const noise = noiseEntries(actor, version === "5" ? ["distribution.", "_param"] : ["", ""]);
  const weights = Object.entries(layers).map(
    ([name, { shape, data }]): Entry => [name, floats(shape, data)],
  );
  if (latent) weights.push(["latent_scale", floats([], Float32Array.of(latent.scale))]);
  const distribution = version === "5" && (std !== undefined || doubled === true);
  const entries =
    version === "5" ? [...statistics, ...noise, ...weights] : [...noise, ...statistics, ...weights];
  return torchModule(entries, ["obs_normalizer", ...(distribution ? ["distribution"] : [])]);
}

type Entry = readonly [string, TorchTensor];

export function normaliserEntries(
  state: NormaliserState | undefined,
  module: string,
  { inputClamp }: Pick<RslRlActorState, "inputClamp"> = {},
): readonly Entry[] {
  if (state === undefined) return [];
  const row = [1, state.mean.length];
  const count = BigInt64Array.of(BigInt(state.count));
  const prefix = module === "" ? "" : `${module}.`;
  return [
    [`${prefix}_mean`, floats(row, state.mean)],
    [`${prefix}_var`, floats(row, state.variance)],
    [`${prefix}_std`, floats(row, state.std)],
    [`${prefix}count`, { shape: [], dtype: "int64", data: count }],
    ...(state.epsilon === undefined
      ? []
      : [[`${prefix}_epsilon`, floats([], Float32Array.of(state.epsilon))] as const]),
    ...(inputClamp === undefined
      ? []
      : [[`${prefix}_clamp`, floats([], Float32Array.of(inputClamp))] as const]),
  ];
}

function noiseEntries(
  { std, stdType }: RslRlActorState,
  [before, after]: readonly [string, string],
): readonly Entry[] {
  if (std === undefined) return [];
  if (stdType !== "log") return [[`${before}std${after}`, floats([std.length], std)]];
  return [[`${before}log_std${after}`, floats([std.length], std.map(Math.log))]];
}

export function floats(shape: readonly number[], data: Float32Array): TorchTensor {
  return { shape, dtype: "float32", data };
}

/**
 * A state_dict with the names of all modules beside the weights, as torch keeps them: one without
 * weights is found by its name only.
 */
export function torchModule(entries: readonly Entry[], modules: readonly string[]): OrderedDict {
  const dict = new OrderedDict(entries);
  if (dict.size === 0) return dict;
  const names = new Set<string>(["", ...modules]);
  for (const [key] of entries) {
    const parts = key.split(".").slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) names.add(parts.slice(0, depth).join("."));
  }
  const metadata = [...names].map((name): [string, TorchValue] => [
    name,
    torchDict({ version: 1 }),
  ]);
  dict.attributes = torchDict({ _metadata: new OrderedDict(metadata) });
  return dict;
}
