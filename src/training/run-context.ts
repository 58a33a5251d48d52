import type { Algorithm, Assembled } from "../algorithms/algorithm.ts";
import type { Config } from "../config/schema.ts";
import type { Compile } from "../engine/compile/program.ts";
import type { Engine } from "../engine/engine.ts";
import type { RequestQueue } from "../running/requests.ts";
import type { Progress } from "../running/run-state.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import type { Simulator } from "./open-simulator.ts";
import type { Sinks } from "./open-sinks.ts";
import type { SignalWatch } from "./signals.ts";

/** The parts of a run, and where it starts. */
export interface Prepared {
  readonly assembled: Assembled;
  readonly start: Progress;
  /** What the monitors of a resumed run had seen. */
  readonly watched?: unknown;
  /** How the resumed run goes on; absent for a new one. */
  readonly resumedFrom?: string;
}

/** A run with all that belongs to it. */
export interface RunContext extends Prepared {
  readonly config: Config;
  readonly algorithm: Algorithm;
  readonly run: RunFolder;
  readonly sinks: Sinks;
  /** Absent where an algorithm flies nowhere. */
  readonly simulator: Simulator | undefined;
  readonly engine: Engine;
  readonly compile: Compile;
  readonly signals: SignalWatch;
  readonly requests: RequestQueue;
  /** Updates of each kind that are measured in the first iteration of this session. */
  readonly measured: number;
}

/** Into the log of events, and to whoever watches. */
export function report(
  { sinks }: Pick<RunContext, "sinks">,
  type: string,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  iteration = sinks.nextIteration(),
): void {
  sinks.event({ ...details, type, iteration, time: Date.now() / 1000, message });
}
