import type { Floats } from "./search-model.ts";

/** What a planner did for a batch. */
export interface Planned {
  /** Rows of the batch. */
  readonly batch: number;
  /** `[searched]`: value that the plan promises, for each row that was searched. */
  readonly planned: Floats;
  /** `[searched]`: value of what was really done there. */
  readonly logged: Floats;
}

/** By how much a plan must beat what was done to count. */
export const activationMargin = 0.1;

/** Share of the batch that was searched. */
export function coverage({ batch, planned }: Planned): number {
  return batch === 0 ? 0 : planned.length / batch;
}

/** Share of what was searched where the plan beats the logged action's value by the margin; NaN of nothing. */
export function activation({ planned, logged }: Planned): number {
  let beaten = 0;
  for (let i = 0; i < planned.length; i += 1) {
    if (planned[i]! - logged[i]! > activationMargin) beaten += 1;
  }
  return planned.length === 0 ? Number.NaN : beaten / planned.length;
}
