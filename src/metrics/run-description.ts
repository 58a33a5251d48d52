/** One chart of a run, and what is said first about it. */
export interface Headline {
  /** As rows name it, e.g. `Loss/behavior`. On a log scale less is better, on a linear one more. */
  readonly metric: string;
  /** For people: "Return". */
  readonly label: string;
  readonly scale: "log" | "linear";
  /** A metric drawn beside it, dashed: what it is measured against, e.g. the teacher's. */
  readonly against?: string;
}

export interface StageLabel {
  readonly name: string;
  /** For people: "teacher flies". */
  readonly label: string;
}

/** What a run says of itself in its `start` event: whoever shows it needs to know no algorithm. */
export interface RunDescription {
  /** E.g. "distillation", "td3_bc". */
  readonly algorithm: string;
  /** First part of its counters: `Distillation` for `Distillation/seconds`. */
  readonly room: string;
  /** One or two charts. */
  readonly headline: readonly Headline[];
  /** In order; with a single one there are no phases to speak of. */
  readonly stages: readonly StageLabel[];
  /** False: its student is none that `export` can write. */
  readonly exports?: boolean;
}
