import type { ActorEntries } from "./actor-state.ts";
import { isTensor, type TorchDict, type TorchTensor, type TorchValue } from "./torch-value.ts";

/** rl_games cuts normalised observations to ± this. */
const CLAMP = 5;
/** Added to the variance there, under the root. */
const EPSILON = 1e-5;
const NETWORK = "a2c_network.";

/** What learns beside the actor: the critic, its statistics, and AMP's discriminator and encoder. */
const OTHERS =
  /^(a2c_network\.(value\.|critic_|sigma\.(weight|bias)$|_disc|_enc)|value_mean_std\.|reward_mean_std\.|amp_input_mean_std\.|central_value)/;

/**
 * The actor of an rl_games checkpoint under rsl_rl 5's names: its MLP, the Linear `mu` behind it, the
 * logarithm of its noise, and statistics with which (x − mean) / √(variance + 1e-5) is cut to ±5
 * (`RunningMeanStd.forward` there). A GRU or LSTM is taken where it sits before the MLP.
 */
export function rlGamesEntries(state: TorchDict): ActorEntries {
  const values = new Map<string, { readonly key: string; readonly value: TorchValue }>();
  const last = lastLayer(state);
  for (const [key, value] of state) {
    if (typeof key !== "string" || OTHERS.test(key)) continue;
    const name = nameOf(key, last);
    values.set(name, { key, value });
  }
  addStatistics(values);
  return { values, name: "a2c_network", doubled: false };
}

/** Whether an rl_games network remembers behind its MLP, as it does unless `before_mlp` says otherwise. */
export function remembersLate(state: TorchDict): boolean {
  const first = state.get(`${NETWORK}actor_mlp.0.weight`);
  const hidden = state.get(`${NETWORK}rnn.rnn.weight_hh_l0`);
  if (!isTensor(first) || !isTensor(hidden)) return false;
  return first.shape[1] !== hidden.shape[1];
}

function nameOf(key: string, last: number): string {
  if (key === `${NETWORK}sigma`) return "log_std";
  const statistics = /^running_mean_std\.(running_mean|running_var|count)$/.exec(key);
  if (statistics) return `obs_normalizer.${statistics[1]!.replace("running", "")}`;
  const layer = /^a2c_network\.actor_mlp\.(.+)$/.exec(key);
  if (layer) return `mlp.${layer[1]}`;
  const mu = /^a2c_network\.mu\.(weight|bias)$/.exec(key);
  if (mu) return `mlp.${last + 2}.${mu[1]}`;
  const memory = /^a2c_network\.rnn\.(rnn\..+)$/.exec(key);
  return memory ? `rnn.${memory[1]}` : key;
}

function lastLayer(state: TorchDict): number {
  const layers = [...state.keys()].map((key) =>
    Number(/^a2c_network\.actor_mlp\.(\d{1,3})\.weight$/.exec(String(key))?.[1] ?? -2),
  );
  return Math.max(-2, ...layers);
}

function addStatistics(values: Map<string, { readonly key: string; readonly value: TorchValue }>) {
  const variance = values.get("obs_normalizer._var");
  if (variance === undefined || !isTensor(variance.value)) return;
  const { shape, data } = variance.value;
  const std = Float64Array.from(data as Float64Array, (v) => Math.sqrt(Number(v) + EPSILON));
  const { key } = variance;
  const scalar = (value: number): TorchTensor => ({
    shape: [],
    dtype: "float32",
    data: Float32Array.of(value),
  });
  values.set("obs_normalizer._std", { key, value: { shape, dtype: "float64", data: std } });
  values.set("obs_normalizer._epsilon", { key, value: scalar(0) });
  values.set("obs_normalizer._clamp", { key, value: scalar(CLAMP) });
}
