import type { z } from "zod";
import { ConfigError } from "../../config/config-error.ts";
import { type Idle, idleWhere } from "../../config/idle.ts";
import type { BatchLearner } from "../../learning/offline/batch-learner.ts";
import type { OfflineSite } from "../../learning/offline/site.ts";
import type { Headline } from "../../metrics/run-description.ts";
import type { Algorithm, Flag, Wish } from "../algorithm.ts";
import { type LearnerMaker, type OfflineConfig, offlineKeys } from "./keys.ts";
import { SEEN, USER } from "./slates/groups.ts";

/** What is an algorithm's own, of one that learns from recorded flights. */
export interface OfflineAlgorithm<Own extends z.ZodRawShape> {
  readonly name: string;
  readonly summary: string;
  readonly settings: z.ZodObject<Own>;
  readonly flags?: readonly Flag[];
  /** Its loss that is shown first. */
  readonly loss: string;
  readonly lossLabel: string;
  /** It can learn from its own flights beside the recorded ones: `--online_share`. */
  readonly online?: boolean;
  /** It can act through a ranker, in a latent space: `--ranker`. Default: true. */
  readonly ranked?: boolean;
  /** It has an encoder: what a person should know of it and these observations. */
  readonly encoder?: (
    settings: z.output<z.ZodObject<Own>>,
    site: OfflineSite,
  ) => string | undefined;
  /** What a person should know who chooses it, for recorded flights alone. */
  readonly warning?: string;
  create(settings: z.output<z.ZodObject<Own>>, site: OfflineSite): Promise<BatchLearner>;
}

const flags: readonly Flag[] = [
  ["--dataset", "FILE", "dataset"],
  ["--dataset_format", "NAME", "dataset_format"],
  ["--updates_per_iteration", "N", "updates_per_iteration"],
  ["--batch_size", "N", "algorithm.batch_size"],
];

const onlineFlags: readonly Flag[] = [
  ["--online_share", "X", "online_share"],
  ["--online_noise", "X", "online_noise"],
  ["--online_steps", "N", "online_steps"],
  ["--online_buffer", "N", "online_buffer"],
];

/** As such an algorithm is registered. */
export interface OfflineMission extends Algorithm<OfflineConfig> {
  readonly maker: LearnerMaker;
}

export function isOfflineMission(algorithm: Algorithm): algorithm is OfflineMission & Algorithm {
  return "maker" in algorithm;
}

/** The whole of such an algorithm: data in, one stage, flights to judge it by. */
export function offlineAlgorithm<Own extends z.ZodRawShape>(
  own: OfflineAlgorithm<Own>,
): OfflineMission {
  const loss: Headline = { metric: own.loss, label: own.lossLabel, scale: "log" };
  const maker = makerOf(own);
  const { ranked = true } = own;
  return {
    name: own.name,
    summary: own.summary,
    description: {
      room: "Offline",
      headline: [loss, { metric: "Eval/student_return", label: "Return", scale: "linear" }],
      stages: [{ name: "offline", label: "learns from recorded flights" }],
    },
    keys: offlineKeys(own.name, own.settings, { online: own.online ?? false, ranked }),
    omits: ["num_steps_per_env", "checkpoint_version"],
    flags: [...flags, ...(own.online ? onlineFlags : []), ...(own.flags ?? [])],
    // The data set itself may have moved: that it is the same one, its flights tell.
    keptKeys: [
      ...["dataset_format", "dataset_memory", "obs_groups.student", "algorithm"],
      ...(ranked ? ["belief"] : []),
    ],
    collects: false,
    flies: ({ task, sim }) => task !== "" || sim.endpoint !== null,
    wishes,
    complete: async (config) => (await import("./complete.ts")).complete(config),
    check,
    remarks: ({ online_share = 0 }) =>
      own.warning === undefined || online_share > 0 ? [] : [`${own.name}: ${own.warning}`],
    // Whether anything is flown, the data set has a say in: `assemble` tells.
    idle,
    exports: ({ ranker }) => !ranker,
    maker,
    assemble: async (site) => (await import("./assemble.ts")).assemble(site, maker),
    read: async (path) => (await import("./run-checkpoint.ts")).readRun(path),
    policies: async (saved, spec) => (await import("./run-checkpoint.ts")).policiesOf(saved, spec),
  };
}

/** Its settings are those of the configuration that its keys were checked with. */
function makerOf<Own extends z.ZodRawShape>({
  create,
  encoder,
}: OfflineAlgorithm<Own>): LearnerMaker {
  const settingsOf = ({ algorithm }: OfflineConfig) =>
    algorithm as unknown as z.output<z.ZodObject<Own>>;
  return {
    create: (config, site) => create(settingsOf(config), site),
    ...(encoder && { encoder: (config, site) => encoder(settingsOf(config), site) }),
  };
}

function wishes({ obs_groups, ranker, belief }: OfflineConfig): readonly Wish[] {
  if (ranker) return [{ groups: [belief?.encoder === "user" ? USER : SEEN] }];
  return obs_groups.student ? [{ groups: obs_groups.student }] : [];
}

function idle({ online_share, ranker, belief }: OfflineConfig): readonly Idle[] {
  const recorded = "online_share is 0: nothing but recorded flights is learned from";
  const bare = "there is no ranker: observations are the state";
  const seen = "the user whom nobody sees is the state";
  return idleWhere([
    [/^online_(noise|steps|buffer)$/, online_share === 0, recorded],
    [/^belief\./, !ranker, bare],
    [/^belief\.(turns|hidden_dim|state_dim|owner)$/, belief?.encoder === "user", seen],
    [/^obs_groups\./, !!ranker, "belief.encoder says what is seen before a ranker"],
  ]);
}

function check({ dataset, algorithm }: OfflineConfig): void {
  if (dataset === null) {
    throw new ConfigError(
      "no-dataset",
      `${algorithm.class_name} learns from recorded flights, and none are named`,
      "Name them: --dataset FILE.hdf5. `firstsolo record` makes some.",
    );
  }
  if (algorithm.bc_fraction !== 0) return;
  throw new ConfigError(
    "bad-value",
    "algorithm.bc_fraction is 0: no episode would be learned from; expected a number above 0, at most 1",
    "For example --bc_fraction 0.1, the best tenth.",
  );
}
