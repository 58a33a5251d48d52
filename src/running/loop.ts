import type { Learner } from "../learning/learner.ts";
import type { GradientMeter } from "../learning/owners.ts";
import type { MetricSink, Metrics, RunEvent } from "../metrics/metric-sink.ts";
import type { Judge } from "./judge.ts";
import type { Entered, Plan, Planned } from "./plan.ts";
import type { RequestQueue } from "./requests.ts";
import type { Progress, RunState } from "./run-state.ts";
import type { Source } from "./source.ts";

/** `rescue`: the rollout broke off, and the simulator can no longer be asked for its state. */
export type CheckpointKind = "periodic" | "best" | "asked" | "rescue";

/** Looks at every row that was written; may throw to end the run. */
export interface Watch {
  observe(iteration: number, row: Metrics, planned: Planned): void;
  save(): unknown;
  load(state: unknown): void;
}

/** What takes part in a run. Which algorithm it is, nobody here knows. */
export interface TrainLoop {
  readonly plan: Plan;
  readonly source: Source;
  readonly learner: Learner;
  readonly judge: Judge;
  readonly sink: MetricSink;
  readonly requests: RequestQueue;
  /** Puts a state on disk, once for all `kinds`; says `done`, or why it couldn't. */
  readonly save: (kinds: readonly CheckpointKind[], state: RunState) => Promise<string>;
  /** Measures the updates of an iteration, where they are to be measured; `learned` follows them. */
  readonly meter?: (iteration: number) => GradientMeter | undefined;
  readonly learned?: (iteration: number) => Promise<void>;
  readonly watch?: Watch;
  readonly settings: {
    /** First part of the counters' names, e.g. `Distillation`. */
    readonly room: string;
    readonly max_iterations: number;
    readonly save_interval: number;
  };
}

/** The stage an iteration is in; said, where it is a new one. */
export function enter(
  { plan, sink }: Pick<TrainLoop, "plan" | "sink">,
  iteration: number,
): Planned {
  const planned = plan.at(iteration);
  const { entered, stage } = planned;
  if (entered) {
    const { name, index, of, iteration: done, length } = stage;
    const event: RunEvent = { ...entered, iteration, time: now() };
    sink.event({ ...event, stage: { name, index, of, iteration: done, length } });
  }
  return planned;
}

/** Makes events of what happened. */
export function tell(
  { sink }: Pick<TrainLoop, "sink">,
  iteration: number,
  happened: readonly Entered[],
): void {
  for (const event of happened) sink.event({ ...event, iteration, time: now() });
}

/** Everything that must be kept, as it is between two iterations. */
export async function stateOf(
  { plan, source, learner, watch }: Pick<TrainLoop, "plan" | "source" | "learner" | "watch">,
  progress: Progress,
): Promise<RunState> {
  const [sourceState, learnerState] = [await source.save(), await learner.save()];
  const state = { progress, plan: plan.save(), source: sourceState, learner: learnerState };
  return watch ? { ...state, watch: watch.save() } : state;
}

function now(): number {
  return Date.now() / 1000;
}
