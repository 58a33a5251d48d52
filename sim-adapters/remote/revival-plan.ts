/** How long and how often a lost simulator is tried to get back. */
export interface RevivalPlan {
  /** Tries on end; after `calm` seconds of flying they count anew. */
  readonly attempts: number;
  /** Seconds without a simulator, all tries together. */
  readonly patience: number;
  /** Seconds before a try, from 1. */
  readonly pause: (attempt: number) => number;
}

/** Seconds after which an earlier loss is history. */
export const calm = 600;

/** A simulator of our own: started again at once, then after 1, 2, 4 … 30 s. */
export function restartOwn(restarts: number): RevivalPlan {
  return {
    attempts: restarts,
    patience: Number.POSITIVE_INFINITY,
    pause: (attempt) => (attempt === 1 ? 0 : Math.min(30, 2 ** (attempt - 2))),
  };
}

/** Somebody else's: waited for. */
export function waitForOther(seconds: number): RevivalPlan {
  return {
    attempts: seconds > 0 ? Number.POSITIVE_INFINITY : 0,
    patience: seconds,
    pause: (attempt) => (attempt === 1 ? 0 : 1),
  };
}

/** Codes after which the same simulator, started again, may do. */
const losses: ReadonlySet<unknown> = new Set([
  "simulator-lost",
  "epoch-changed",
  "closing",
  "not-reset",
  "simulator-failed",
  "not-started",
]);

/** Whether an error means that the simulator went away, and not that it refuses us or that nobody wants it any more. */
export function isLoss(error: unknown): error is Error {
  if (!(error instanceof Error) || error.name !== "RemoteError") return false;
  return losses.has((error as { code?: unknown }).code);
}

/** The seed of the episodes after a revival: another one each time, below 2^31. */
export function revivedSeed(seed: number, count: number): number {
  let mixed = (seed ^ Math.imul(count, 0x9e3779b1)) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) >>> 0;
  return (mixed ^ (mixed >>> 16)) >>> 1;
}
