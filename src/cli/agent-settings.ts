import { algorithmNamed, algorithms } from "../algorithms/registry.ts";
import { keysOf } from "../config/algorithm-keys.ts";
import { ConfigError } from "../config/config-error.ts";
import { parseValue } from "../config/overrides.ts";
import type { Setting } from "../config/setting.ts";
import { wholeFlag } from "./number-flag.ts";
import { environmentOf, slateTask } from "./slate-task.ts";

/** Flags of `train_agent` by name, as they were typed. */
export interface AgentOptions {
  readonly agent: string;
  readonly env_name: string;
  readonly seed: string;
  readonly max_timesteps: string;
  readonly log_freq: string;
  readonly save_freq: string;
  readonly device: string;
  readonly batch_size?: string;
  readonly hidden_dim?: string;
  readonly learning_rate?: string;
  readonly alpha?: string;
  readonly discount?: string;
  readonly normalize_reward?: boolean;
  readonly layer_norm?: boolean;
  readonly belief: string;
  readonly belief_owner?: string;
  readonly log_root?: string;
  readonly ui?: string;
  readonly threads?: string;
  readonly online?: boolean;
  readonly num_envs?: string;
}

/** What `train` is told. */
export interface AgentRun {
  readonly algorithm: string;
  readonly task: string;
  /** As the folders of logs and checkpoints begin. */
  readonly name: string;
  readonly settings: readonly Setting[];
  /** Updates between two lines of its log. */
  readonly logFrequency: number;
  /** Flags that this agent has no use for, for people. */
  readonly idle: readonly string[];
}

/** Where a flag goes: the first of these keys that the agent's algorithm has, or all of them. */
const places: Readonly<Record<string, readonly string[]>> = {
  batch_size: ["batch_size"],
  alpha: ["alpha"],
  discount: ["discount"],
  learning_rate: [
    ...["learning_rate", "actor_learning_rate", "critic_learning_rate", "value_learning_rate"],
  ],
  hidden_dim: ["actor_hidden_dims", "critic_hidden_dims"],
  normalize_reward: ["normalize_reward"],
  layer_norm: ["layer_norm"],
};

/** Agents that act through a ranker. @throws ConfigError for one that there isn't, or values out of bounds */
export function agentRun(options: AgentOptions, ranker: { name: string; path: string }): AgentRun {
  const algorithm = agentNamed(options.agent);
  const task = slateTask(options.env_name);
  const steps = wholeFlag("--max_timesteps", options.max_timesteps);
  const logFrequency = wholeFlag("--log_freq", options.log_freq);
  const updates = updatesPerIteration(Math.min(logFrequency, steps));
  const iterations = (count: number) => Math.max(1, Math.ceil(count / updates));
  const save = iterations(wholeFlag("--save_freq", options.save_freq));
  const own = ownSettings(options, algorithm);
  const given = {
    ...{ "algorithm.class_name": algorithm, task, ranker: ranker.path, seed: options.seed },
    ...{ updates_per_iteration: updates, max_iterations: iterations(steps), save_interval: save },
    ...{ "belief.encoder": options.belief, "belief.owner": options.belief_owner },
    ...{ device: options.device, log_root: options.log_root, ui: options.ui },
    ...{ threads: options.threads, num_envs: options.num_envs },
    ...(options.online && { online_share: onlineAlone(algorithm) }),
    experiment_name: `${environmentOf(task)}_${ranker.name}_${algorithm}`,
  };
  const said = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [settingOf(name, value)],
  );
  const name = `${algorithm}_${environmentOf(task)}_${ranker.name}_seed${options.seed}`;
  const { settings, idle } = own;
  return { algorithm, task, name, settings: [...said, ...settings], logFrequency, idle };
}

/** @throws ConfigError `not-online` */
function onlineAlone(algorithm: string): number {
  const online = agentNames().filter((name) => {
    return keysOf(algorithmNamed(name)!).keys.has("online_share");
  });
  if (online.includes(algorithm)) return 1;
  throw new ConfigError(
    "not-online",
    `--online: ${algorithm} learns from recorded slates alone; agents that show their own are ${online.join(", ")}`,
    "Leave --online out, or take one of those.",
  );
}

/** Agents by name: every algorithm that can act through a ranker. @throws ConfigError `unknown-agent` */
export function agentNamed(name: string): string {
  const found = algorithmNamed(name);
  if (found && keysOf(found).keys.has("ranker")) return found.name;
  throw new ConfigError(
    "unknown-agent",
    `--agent is ${JSON.stringify(name)}; expected one of ${agentNames().join(", ")}`,
    found ? `${found.name} can't act through a ranker.` : "For example --agent td3_bc.",
  );
}

export function agentNames(): readonly string[] {
  return algorithms.filter((one) => keysOf(one).keys.has("ranker")).map(({ name }) => name);
}

function ownSettings(options: AgentOptions, algorithm: string) {
  const known = keysOf(algorithmNamed(algorithm)!).keys;
  const settings: Setting[] = [];
  const idle: string[] = [];
  for (const [flag, keys] of Object.entries(places)) {
    const value = options[flag as keyof AgentOptions];
    if (value === undefined) continue;
    const there = keys.map((key) => `algorithm.${key}`).filter((key) => known.has(key));
    // Rewards are normalised unless somebody says otherwise: nobody need hear that there are none.
    if (there.length === 0 && value !== true) idle.push(`--${flag} (${algorithm} has none)`);
    for (const key of there) {
      const wide = flag === "hidden_dim" ? layersOf(known.get(key)!.fallback, value) : value;
      settings.push(settingOf(key, wide, `--${flag}`));
    }
  }
  return { settings, idle };
}

/** As many layers as is usual, all this wide. */
function layersOf(usual: unknown, width: unknown): number[] {
  const value = wholeFlag("--hidden_dim", String(width));
  return (usual as readonly number[]).map(() => value);
}

function settingOf(name: string, value: unknown, origin = `--${name}`): Setting {
  if (typeof value !== "string") return { name, value, origin };
  return { name, value: parseValue(value, `${origin} ${value}`), raw: value, origin };
}

/** The largest number of at most 100 that goes into the steps between two lines of the log. */
function updatesPerIteration(steps: number): number {
  let updates = Math.min(100, steps);
  while (steps % updates !== 0) updates -= 1;
  return updates;
}
