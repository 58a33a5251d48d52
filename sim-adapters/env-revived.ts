import { CodedError } from "../protocol/coded-error.ts";
import type { Frame } from "../protocol/frame.ts";

export interface Revival {
  /** What to act on next, in the simulator that is there now. */
  readonly frame: Frame;
  /** `frame` is the one of the last `remember`: the same steps can be flown again. Else all episodes are new. */
  readonly restored: boolean;
  /** Which one it is in this run, from 1. */
  readonly count: number;
  /** Seconds from the call that failed to this frame. */
  readonly outage: number;
  /** What had happened to the old one. */
  readonly cause: Error;
}

/**
 * The simulator was lost and is there again, so the step that was asked for has not happened: what was recorded since
 * the last whole rollout goes away, as do half episodes and the memory of the policies, and flying goes on from `frame`.
 */
export class EnvRevived extends CodedError implements Revival {
  override readonly name = "EnvRevived";
  readonly frame: Frame;
  readonly restored: boolean;
  readonly count: number;
  readonly outage: number;
  override readonly cause: Error;

  constructor({ frame, restored, count, outage, cause }: Revival) {
    const message = `the simulator is back after ${outage.toFixed(1)} s (${cause.message})`;
    super("env-revived", message, "Fly on from its frame: `flownWhole` does.");
    this.frame = frame;
    this.restored = restored;
    this.count = count;
    this.outage = outage;
    this.cause = cause;
  }
}

/**
 * Flies `once` from a frame until it comes through whole: a rollout, or a series of episodes.
 *
 * @param onRevived is called before it is flown again: forget half episodes and memories there, and tell the person.
 * @throws what `once` throws, but for EnvRevived
 */
export async function flownWhole<T>(
  once: (start: Frame) => Promise<T>,
  start: Frame,
  { onRevived }: { readonly onRevived: (revival: Revival) => void | Promise<void> },
): Promise<T> {
  for (let frame = start; ; ) {
    try {
      return await once(frame);
    } catch (error) {
      if (!(error instanceof EnvRevived)) throw error;
      await onRevived(error);
      frame = error.frame;
    }
  }
}
