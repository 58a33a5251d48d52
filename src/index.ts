/**
 * Firstsolo from a program of one's own: `import { train, loadPolicy } from "firstsolo"`.
 *
 * Whatever is wrong is thrown as an Error with a `code` for programs and a `hint`, the next step, for people.
 * Sockets and TensorFlow's threads keep a process alive: a program that is done calls `process.exit()`.
 */
export type { Flown, Memory, Policy } from "../policies/policy.ts";
export type { Frame, ObservationArray, Observations, StepResult } from "../protocol/frame.ts";
export type { ActionSpec, Capability, EnvSpec, TensorSpec } from "../protocol/spec.ts";
export type { RemoteEnv, RemoteOptions } from "../sim-adapters/remote/remote-env.ts";
/**
 * A simulator in another process, as an environment: `(await connect({ endpoint: "ipc:///tmp/sim.ipc" })).reset(0)`.
 * Observations are `[numEnvs, …]` by group, actions `[numEnvs, actionWidth]`, both row-major.
 */
export { connectRemote as connect } from "../sim-adapters/remote/remote-env.ts";
export type {
  EnvServer,
  OpenRequest,
  ServedEnv,
  ServeOptions,
} from "../sim-adapters/serve/serve-env.ts";
/** Serves an environment of one's own to a runner: `serve({ open: async () => env, bind: "ipc:///tmp/sim.ipc" })`. */
export { serveEnv as serve } from "../sim-adapters/serve/serve-env.ts";
export type { VectorEnv } from "../sim-adapters/vector-env.ts";
export type { Agent, AgentConfig } from "./algorithms/offline/slates/agent.ts";
export type {
  RecordedOptions,
  RecordedTurns,
} from "./algorithms/offline/slates/recorded-batches.ts";
/** Logged slates as an agent learns from them: `agent.train_step((await recordedTurns(agent, FILE)).draw(1))`. */
export { recordedTurns } from "./algorithms/offline/slates/recorded-batches.ts";
export type { EvaluateOptions, Figures } from "./api/evaluate.ts";
/** Flies a run's student and its teacher, greedily, over whole episodes. */
export { evaluate } from "./api/evaluate.ts";
export type { AgentOptions } from "./api/load-agent.ts";
/** The agent of a run on slates, ready to act in its ranker's latent space. */
export { loadAgent } from "./api/load-agent.ts";
export type { LoadOptions } from "./api/load-policy.ts";
/** A policy from whatever file holds one, ready to act. */
export { loadPolicy } from "./api/load-policy.ts";
export type { Settings } from "./api/settings.ts";
export type { Trained, TrainOptions } from "./api/train.ts";
/** Trains a student from the first step to the summary. */
export { train } from "./api/train.ts";
export type { Metrics, RunEvent } from "./metrics/metric-sink.ts";
