import { ConfigError } from "../../config/config-error.ts";
import { idleWhere } from "../../config/idle.ts";
import type { Algorithm } from "../algorithm.ts";
import { describeWorld } from "./describe.ts";
import { type WorldModelConfig, worldModelKeys } from "./keys.ts";
import { planFacts, stageLabels } from "./plans.ts";

/** A model of the world and a policy in it, trained in stages (after MuZero, 2020, and RL-DITR, 2023). */
export const worldModel: Algorithm<WorldModelConfig> = {
  name: "world_model",
  summary: "a model of the world, and a policy that may plan in it, from recorded flights",
  description: {
    room: "World",
    headline: [
      { metric: "Loss/world", label: "World loss", scale: "log" },
      { metric: "Loss/loss_action", label: "Action loss", scale: "log" },
    ],
    stages: stageLabels,
  },
  keys: worldModelKeys,
  omits: ["num_steps_per_env", "checkpoint_version"],
  flags: [
    ["--dataset", "FILE", "dataset"],
    ["--dataset_format", "NAME", "dataset_format"],
    ["--updates_per_iteration", "N", "updates_per_iteration"],
    ["--batch_size", "N", "algorithm.batch_size"],
    ["--discount", "X", "algorithm.discount"],
    ["--plan", "NAME", "algorithm.plan"],
    ["--warmup_epochs", "N", "algorithm.warmup_epochs"],
    ["--env_loss_weight", "X", "algorithm.env_loss_weight"],
    ["--policy_loss_weight", "X", "algorithm.policy_loss_weight"],
    ["--freeze", "WHAT", "algorithm.freeze"],
  ],
  keptKeys: ["dataset_format", "dataset_memory", "obs_groups.student", "algorithm"],
  collects: false,
  flies: ({ task, sim }) => task !== "" || sim.endpoint !== null,
  wishes: ({ obs_groups }) => (obs_groups.student ? [{ groups: obs_groups.student }] : []),
  complete: async (config) => (await import("../offline/complete.ts")).complete(config),
  check,
  remarks: ({ max_iterations: length, algorithm }) => {
    const { name, warmup } = planFacts(algorithm);
    if (warmup < length) return [];
    return [
      `the plan '${name}' warms up for ${warmup} of ${length} iterations: no policy is learned. Set --warmup_epochs or --max_iterations`,
    ];
  },
  idle: ({ algorithm: { use_mcts, heads } }) =>
    idleWhere([
      [
        /^algorithm\.(bc_share|search_share)$/,
        !use_mcts,
        "nothing searches in training: --use_mcts",
      ],
      [/^algorithm\.head_bins$/, heads === "scalar", "heads are scalar"],
    ]),
  assemble: async (site) => (await import("./assemble.ts")).assemble(site),
  read: async (path) => (await import("./run-checkpoint.ts")).readRun(path),
  describe: describeWorld,
  exports: () => false,
  planners: ["mcts", "one_step"],
  policies: async (saved, spec, acting) =>
    (await import("./run-checkpoint.ts")).policiesOf(saved, spec, acting),
};

function check({ dataset }: WorldModelConfig): void {
  if (dataset !== null) return;
  throw new ConfigError(
    "no-dataset",
    "world_model learns from recorded flights, and none are named",
    "Name them: --dataset FILE.hdf5. `firstsolo record` makes some.",
  );
}
