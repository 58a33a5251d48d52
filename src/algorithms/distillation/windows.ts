/** Consecutive steps of one pass: `from` inclusive, `to` exclusive. */
export interface StepSpan {
  readonly from: number;
  readonly to: number;
}

/** The steps behind one optimiser step. */
export type Window = readonly StepSpan[];

export interface WindowPlan {
  readonly steps: number;
  readonly epochs: number;
  readonly gradientLength: number;
  /** rsl_rl's habit: the steps after the last full window train nothing (see `leftoverWindow`). */
  readonly dropLeftover: boolean;
}

/**
 * Cuts `epochs` passes over `steps` into windows of `gradientLength`. Windows run on across the
 * border of two epochs, as rsl_rl's do; what is left at the end is a shorter window of its own.
 */
export function planWindows(plan: WindowPlan): Window[] {
  const total = plan.steps * plan.epochs;
  const windows: Window[] = [];
  for (let start = 0; start < total; start += plan.gradientLength) {
    const end = Math.min(start + plan.gradientLength, total);
    if (end - start < plan.gradientLength && plan.dropLeftover) break;
    windows.push(spansBetween(start, end, plan.steps));
  }
  return windows;
}

/** The steps after the last full window, of all epochs; none where nothing is left over. */
export function leftoverWindow(plan: Omit<WindowPlan, "dropLeftover">): Window | undefined {
  const total = plan.steps * plan.epochs;
  const start = total - (total % plan.gradientLength);
  return start < total ? spansBetween(start, total, plan.steps) : undefined;
}

export function windowSteps(window: Window): number {
  return window.reduce((sum, s) => sum + s.to - s.from, 0);
}

function spansBetween(start: number, end: number, steps: number): StepSpan[] {
  const out: StepSpan[] = [];
  for (let at = start; at < end; ) {
    const epoch = Math.floor(at / steps);
    const until = Math.min(end, (epoch + 1) * steps);
    out.push({ from: at - epoch * steps, to: until - epoch * steps });
    at = until;
  }
  return out;
}
