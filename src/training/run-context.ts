import type { Config } from "../config/schema.ts";
import type { Engine } from "../engine/engine.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import type { FlightDeck } from "./assemble.ts";
import type { Simulator } from "./open-simulator.ts";
import type { Sinks } from "./open-sinks.ts";
import type { SignalWatch } from "./signals.ts";

/** A flight with all that belongs to it. */
export interface Conducted {
  readonly config: Config;
  readonly deck: FlightDeck;
  readonly run: RunFolder;
  readonly sinks: Sinks;
  readonly simulator: Simulator;
  readonly engine: Engine;
  readonly signals: SignalWatch;
}

/** Into the log of events, and to whoever watches. */
export function report(
  { sinks }: Conducted,
  type: string,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  iteration = sinks.nextIteration(),
): void {
  sinks.event({ ...details, type, iteration, time: Date.now() / 1000, message });
}
