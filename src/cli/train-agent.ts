import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { beliefKinds } from "../../policies/beliefs/belief.ts";
import { rankerNames } from "../../policies/rankers/ranker.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import type { OwnSinkMaker } from "../metrics/own-sink.ts";
import type { TrainInput } from "../session/train-input.ts";
import { warn } from "../training/messages.ts";
import { agentLog } from "./agent-log.ts";
import { type AgentOptions, agentNames, agentRun } from "./agent-settings.ts";
import { chooseRanker } from "./choose-ranker.ts";
import { wholeFlag } from "./number-flag.ts";
import { rankerWords } from "./ranker-words.ts";
import { slateTask } from "./slate-task.ts";
import { startTraining } from "./train.ts";
import { rankerRoot } from "./train-ranker.ts";

export interface TrainAgentOptions extends AgentOptions {
  readonly ranker: string;
  readonly ranker_checkpoint?: string;
  readonly ranker_root: string;
  readonly dataset?: string;
  readonly log_dir: string;
  readonly checkpoint_dir: string;
  readonly resume?: string;
}

export function registerTrainAgent(program: Command): void {
  const command = program
    .command("train_agent")
    .description("train an agent on logged slates, acting in the latent space of a ranker")
    .argument(
      "[overrides...]",
      "KEY=VALUE as `firstsolo train` takes them, e.g. algorithm.tau=0.01",
    )
    .requiredOption("--agent <NAME>", `one of ${agentNames().join(", ")}`)
    .requiredOption("--env_name <NAME>", "e.g. diffuse_topdown: the slates' environment")
    .option("--dataset <FILE>", "logged slates (default: those the ranker learned from)")
    .option(
      "--ranker <NAME>",
      `one of ${rankerNames.join(", ")}; TopK:ideal takes the simulator's own items`,
      "GeMS",
    )
    .option("--ranker_checkpoint <FILE>", "its ranker.pt (default: the newest; else it is trained)")
    .option("--ranker_root <FOLDER>", "folder of all rankers", rankerRoot);
  addNumbers(command)
    .option("--no_normalize_reward", "rewards as they are")
    .option("--layer_norm", "LayerNorm in the critics (default: as the agent has it)")
    .option("--no_layer_norm", "critics without LayerNorm: their values may explode")
    .addOption(
      new Option("--belief <KIND>", "what makes states of what was seen")
        .choices([...beliefKinds])
        .default("gru"),
    )
    .option(
      "--online",
      "learn from slates of its own alone; the logged ones gave the ranker, and the scale of rewards (a share of both: online_share=0.5)",
    )
    .option("--belief_owner <WHO>", "critic or actor: whose loss moves the belief");
  addPlaces(command)
    .option("--ui <NAME>", "auto, tui, plain, jsonl, none")
    .action(async (overrides: string[], options: Record<string, unknown>) => {
      const said = booleans(options) as unknown as TrainAgentOptions;
      process.exitCode = await trainAgent(overrides, said, program.version() ?? "0");
    });
}

function addNumbers(command: Command): Command {
  return command
    .option("--seed <N>", "of weights, batches and users", "0")
    .option("--max_timesteps <N>", "updates of the whole run", "10000")
    .option("--log_freq <N>", "updates between two lines of train.log", "1000")
    .option("--save_freq <N>", "updates between two checkpoints", "5000")
    .option("--device <NAME>", "where TensorFlow computes", "auto")
    .option("--threads <N>", "threads of TensorFlow")
    .option("--num_envs <N>", "users who are served side by side where the agent is judged")
    .option("--batch_size <N>", "transitions of one update")
    .option("--learning_rate <X>", "step size of every owner's Adam")
    .option("--hidden_dim <N>", "width of all hidden layers")
    .option("--alpha <X>", "weight of the value against imitation: larger is weaker imitation")
    .option("--discount <X>", "weight of the next turn's value")
    .option("--normalize_reward", "rewards scaled by the span of the returns (default)");
}

function addPlaces(command: Command): Command {
  return command
    .option("--log_dir <FOLDER>", "gets AGENT_…/train.log", "experiments/logs")
    .option("--checkpoint_dir <FOLDER>", "gets AGENT_…/final", "experiments/checkpoints")
    .option("--log_root <FOLDER>", "folder of all runs (default: logs/rsl_rl)")
    .option("--resume <RUN>", "go on with a run: its folder, or a checkpoint in it");
}

/** Commander knows `--no-flag` alone: with underscores both are flags of their own. */
function booleans(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { no_normalize_reward, no_layer_norm, layer_norm, ...rest } = options;
  const normed = layer_norm === true ? true : no_layer_norm === true ? false : undefined;
  return {
    ...rest,
    normalize_reward: no_normalize_reward !== true,
    ...(normed !== undefined && { layer_norm: normed }),
  };
}

export async function trainAgent(
  overrides: readonly string[],
  options: TrainAgentOptions,
  version: string,
): Promise<number> {
  const { input, log } = await agentInput(overrides, options);
  return startTraining(() => input, { version, observers: [log] });
}

async function agentInput(
  overrides: readonly string[],
  options: TrainAgentOptions,
): Promise<{ readonly input: TrainInput; readonly log: OwnSinkMaker }> {
  const { device, threads = "1", dataset, resume } = options;
  // What is wrong is said before a ranker is trained.
  agentRun(options, { name: rankerWords(options.ranker).label, path: "" });
  const task = slateTask(options.env_name);
  await startEngine(parseDevice(device).device, { threads: wholeFlag("--threads", threads), warn });
  const { ranker, ranker_checkpoint: checkpoint, ranker_root: root } = options;
  const wish = { ranker, checkpoint, task, dataset, root, say: warn };
  const chosen = await chooseRanker(wish);
  const run = agentRun(options, chosen);
  const file = resolve(chosen.dataset);
  const learned = { name: "dataset", value: file, raw: file, origin: "--dataset" };
  const { name, logFrequency: every } = run;
  const { log_dir: logDir, checkpoint_dir: checkpointDir } = options;
  const input: TrainInput = {
    config: { flags: [...run.settings, learned], overrides: [...overrides] },
    notices: run.idle.length > 0 ? [`No effect here: ${run.idle.join("; ")}`] : [],
    ...(resume !== undefined && { resume: { path: resume } }),
    ...{ strict: false, allowSinks: false },
  };
  return { input, log: agentLog({ name, every, logDir, checkpointDir }) };
}
