import { MessageChannel } from "node:worker_threads";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import type {
  Algorithm,
  Assembled,
  LearnerOrder,
  SavedRun,
  Site,
} from "../../src/algorithms/algorithm.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import type { Config } from "../../src/config/schema.ts";
import { Calls } from "../../src/learning/pipeline/calls.ts";
import { learnElsewhere } from "../../src/learning/pipeline/pipelined-learner.ts";
import { serveLearner } from "../../src/learning/pipeline/serve-learner.ts";
import type { Metrics, RunEvent } from "../../src/metrics/metric-sink.ts";
import type { TrainLoop } from "../../src/running/loop.ts";
import { RequestQueue } from "../../src/running/requests.ts";
import type { Progress, RunState } from "../../src/running/run-state.ts";
import { train } from "../../src/running/train-loop.ts";
import { prepareRun } from "../../src/training/assemble.ts";

/** Seconds of work: 12 environments, of which 8 train and 4 measure. */
const small = [
  "num_envs=12",
  "max_iterations=6",
  "num_steps_per_env=10",
  "algorithm.phase1_iterations=3",
  "algorithm.num_learning_epochs=2",
  "policy.student_hidden_dims=[16,16]",
  "evaluation.env_share=0.34",
  "evaluation.window=2",
  "save_interval=1000",
];

/** One update older in every stage. */
const late = ["pipeline=on"];

/** A run in this process, on the embedded simulator, that leaves nothing on disk. */
export interface SmallRun {
  readonly assembled: Assembled;
  readonly env: VectorEnv;
  readonly config: Config;
  readonly start: Progress;
  readonly requests: RequestQueue;
}

type Line = NonNullable<NonNullable<Parameters<typeof prepareRun>[2]>["thread"]>;

export interface SetUp {
  readonly saved?: SavedRun;
  /** Between the run and its simulator. */
  readonly wrap?: (env: VectorEnv) => VectorEnv;
  readonly record?: Site["record"];
  readonly compile?: Site["compile"];
  /** Learns at the other end of a line, as it would in another thread. */
  readonly pipelined?: boolean;
  /** Learns there. */
  readonly thread?: Line;
}

export async function setUp(overrides: string[] = [], options: SetUp = {}): Promise<SmallRun> {
  const { config, algorithm } = resolveConfig({
    overrides: [...small, ...(options.pipelined || options.thread ? late : []), ...overrides],
  });
  const real = await openMujoco({
    ...{ task: config.task, numEnvs: config.num_envs, settings: config.env },
  });
  const env = options.wrap?.(real) ?? real;
  const { saved, record, pipelined, thread = pipelined ? lineTo(algorithm) : undefined } = options;
  const compiling = options.compile && { compile: options.compile };
  const site = { config, env, saved, record, say: () => {}, ...compiling };
  const prepared = await prepareRun(algorithm, site, { thread });
  return { ...prepared, env, config, requests: new RequestQueue() };
}

/** The two ends of a line between threads, in one. */
function lineTo(algorithm: Algorithm): Line {
  const { port1, port2 } = new MessageChannel();
  serveLearner(port2, (order) => algorithm.learner!(order as LearnerOrder));
  const calls = new Calls(port1);
  port1.unref();
  port2.unref();
  return {
    learner: (local, order) =>
      learnElsewhere(calls, local, { order, always: order.config.pipeline === "on" }),
  };
}

export interface Log {
  readonly rows: Metrics[];
  readonly events: RunEvent[];
  readonly saved: { readonly kinds: readonly string[]; readonly state: RunState }[];
  readonly progress: Progress;
}

/** Runs to the end, and keeps what a run folder would keep. */
export async function runOf(run: SmallRun, changes: Partial<TrainLoop> = {}): Promise<Log> {
  const log: Omit<Log, "progress"> = { rows: [], events: [], saved: [] };
  const { assembled, config, requests } = run;
  const { max_iterations, save_interval } = config;
  const loop: TrainLoop = {
    ...assembled,
    requests,
    sink: {
      write: (_, metrics) => void log.rows.push(timeless(metrics)),
      event: (event) => void log.events.push(event),
      close: async () => {},
    },
    save: async (kinds, state) => {
      const { source, ...plain } = state;
      log.saved.push({ kinds, state: { ...structuredClone(plain), source } });
      return "done";
    },
    settings: { room: "Distillation", max_iterations, save_interval },
    ...changes,
  };
  return { ...log, progress: await train(loop, run.start) };
}

/** Puts the parts of a fresh run where another one was. */
export async function goOn(run: SmallRun, state: RunState): Promise<SmallRun> {
  run.assembled.learner.load(state.learner);
  run.assembled.plan.load(state.plan);
  await run.assembled.source.load(state.source, state.progress.iteration);
  return { ...run, start: state.progress };
}

/** Seconds differ from run to run; everything else must not. */
export function timeless(metrics: Metrics): Metrics {
  const kept = Object.entries(metrics).filter(
    ([name]) => !name.startsWith("Perf/") && name !== "Distillation/seconds",
  );
  return Object.fromEntries(kept);
}
