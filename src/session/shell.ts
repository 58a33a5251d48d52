import type { OwnSinkMaker } from "../metrics/own-sink.ts";
import type { RequestQueue } from "../running/requests.ts";
import type { Notices } from "../training/messages.ts";
import type { SignalWatch } from "../training/signals.ts";

/** Whoever trains: a terminal, or a program. */
export interface Shell {
  readonly requests: RequestQueue;
  readonly signals: SignalWatch;
  readonly notices: Notices;
  readonly version: string;
  /** Who else is told of every row and event. */
  readonly observers?: readonly OwnSinkMaker[];
}
