import { existsSync } from "node:fs";
import type { SavedRun } from "../algorithms/algorithm.ts";
import type { OfflineConfig } from "../algorithms/offline/keys.ts";
import { isOfflineMission } from "../algorithms/offline/offline-algorithm.ts";
import type { Agent } from "../algorithms/offline/slates/agent.ts";
import { agentLearner } from "../algorithms/offline/slates/agent-learner.ts";
import { loadAgent as load } from "../algorithms/offline/slates/load-agent.ts";
import { resolveConfig } from "../config/resolve.ts";
import { compileWith } from "../engine/compile/compile.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import type { BatchLearner } from "../learning/offline/batch-learner.ts";
import { openRun } from "../runs/open-run.ts";

export interface AgentOptions {
  /** Deviation of the noise of `select_action(state, false)`, in halves of the latents' range. Default: 0.1. */
  readonly noise?: number;
  /** Of that noise. Default: 0. */
  readonly seed?: number;
  /** Where TensorFlow computes, for the whole process. Default: `cpu`. */
  readonly device?: string;
}

/**
 * The agent of a run on slates: its folder, a checkpoint in it, or the link `…/final` to one.
 *
 *     const agent = await loadAgent("experiments/checkpoints/td3_bc_…/final");
 *     const latent = await agent.select_action(state); // Float32Array of get_config().latentWidth numbers
 *     const slate = await agent.policy.parts.ranker.rank(latent);
 *     const turns = await recordedTurns(agent, "topdown.hdf5"); // it goes on learning
 *     const figures = await agent.train_step(turns.draw(1)); // `Loss/critic` …
 *
 * @throws CheckpointError, PolicyError, RunError `no-slates-agent`
 */
export async function loadAgent(path: string, options: AgentOptions = {}): Promise<Agent> {
  const { device = "cpu", ...choices } = options;
  await startEngine(parseDevice(device).device);
  return load(path, { ...choices, revive });
}

/** By the configuration beside the checkpoint; undefined where there is none. */
async function revive(saved: SavedRun): Promise<BatchLearner | undefined> {
  const { agentYamlPath } = (await openRun(saved.path)).run;
  if (!existsSync(agentYamlPath)) return undefined;
  const { config, algorithm } = resolveConfig({ base: agentYamlPath });
  if (!isOfflineMission(algorithm)) return undefined;
  const compile = compileWith(config.compile);
  const { maker } = algorithm;
  return agentLearner(saved, { config: config as OfflineConfig, maker, compile });
}
