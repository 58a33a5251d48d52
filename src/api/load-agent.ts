import type { Agent } from "../algorithms/offline/slates/agent.ts";
import { loadAgent as load } from "../algorithms/offline/slates/load-agent.ts";
import { parseDevice, startEngine } from "../engine/start.ts";

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
 *
 * @throws CheckpointError, PolicyError, RunError `no-slates-agent`
 */
export async function loadAgent(path: string, options: AgentOptions = {}): Promise<Agent> {
  const { device = "cpu", ...choices } = options;
  await startEngine(parseDevice(device).device);
  return load(path, choices);
}
