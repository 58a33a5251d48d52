/** What the screen knows about a run. */
import type { Metrics } from "../../metrics/metric-sink.ts";
import type { StagePlace } from "../../metrics/read-description.ts";
import type { Headline, RunDescription } from "../../metrics/run-description.ts";
import type { Level, Mark } from "./marks.ts";
import { noRun, type RunFacts } from "./run-facts.ts";
import { cutAt, emptySeries, type Series } from "./series.ts";
import type { Progression } from "./verdict.ts";

/** `judging`: its students fly for the record; `quiet`: the files of a run that nobody seems to fly. */
export type Status =
  | "waiting"
  | "flying"
  | "paused"
  | "judging"
  | "lost"
  | "failed"
  | "landed"
  | "quiet";

/** Seconds that the parts of one of the latest iterations took. */
export interface Recent {
  readonly iteration: number;
  /** Of the steps in the simulator, all of it; undefined where there was none. */
  readonly collection: number | undefined;
  readonly learning: number;
  readonly inference: number;
  readonly simulation: number;
  readonly wire: number;
  /** Recorded flights from their file. */
  readonly read: number;
}

/** A headline of the run as curves. */
export interface HeadlineCurves {
  readonly series: Series;
  /** What it is measured against. */
  readonly against: Series;
}

/** What nothing can be seen of but its end. */
export interface Awaited {
  readonly what: string;
  /** Unix seconds. */
  readonly since: number;
  /** Episodes to fly, where it is that. */
  readonly episodes: number | undefined;
}

/** Something that happened, as one line tells it. */
export interface HappenedLine {
  readonly type: string;
  readonly iteration: number;
  /** Unix seconds. */
  readonly time: number;
  readonly message: string;
  /** Of a checkpoint. */
  readonly kind: string;
  readonly level: Level | undefined;
}

export interface ScreenState {
  readonly run: RunFacts;
  readonly status: Status;
  readonly awaited: Awaited | undefined;
  /** The last whole iteration. */
  readonly iteration: number | undefined;
  readonly stage: StagePlace;
  /** The iteration that `stage` counts from. */
  readonly stageAt: number;
  readonly latest: Metrics;
  /** The latest of each headline figure: a run may not evaluate in every iteration. */
  readonly figures: Metrics;
  /** One for each headline. */
  readonly curves: readonly HeadlineCurves[];
  readonly recent: readonly Recent[];
  /** The latest iterations as the verdict needs them: those with a result, and those with a loss. */
  readonly evaluated: readonly Progression[];
  readonly losses: readonly Progression[];
  readonly marks: readonly Mark[];
  readonly events: readonly HappenedLine[];
  readonly best: BestStudent | undefined;
  readonly paths: { readonly best?: string; readonly last?: string };
  /** What the last flight of both pilots found: the `landed` event. */
  readonly summary: Readonly<Record<string, unknown>> | undefined;
  /** Unix seconds of the last row. */
  readonly lastRow: number | undefined;
  /** Unix seconds. */
  readonly now: number;
}

/** As the flight saw it. */
export interface BestStudent {
  readonly iteration: number;
  readonly result: number | undefined;
  readonly against: number | undefined;
}

export const initialState: ScreenState = {
  run: noRun,
  status: "waiting",
  awaited: undefined,
  iteration: undefined,
  stage: { index: 0, name: undefined, iteration: undefined, length: undefined },
  stageAt: 0,
  latest: {},
  figures: {},
  curves: noCurves(noRun.description),
  recent: [],
  evaluated: [],
  losses: [],
  marks: [],
  events: [],
  best: undefined,
  paths: {},
  summary: undefined,
  lastRow: undefined,
  now: 0,
};

export function noCurves({ headline }: RunDescription): readonly HeadlineCurves[] {
  return headline.map(() => ({ series: emptySeries, against: emptySeries }));
}

/** Which headline says how well the student flies, and which stands beside it. */
export interface Roles {
  /** The one that is measured against another, else the first on a linear scale. */
  readonly result: Headline | undefined;
  readonly other: Headline | undefined;
}

export function rolesOf({ headline }: RunDescription): Roles {
  const result =
    headline.find(({ against }) => against !== undefined) ??
    headline.find(({ scale }) => scale === "linear");
  return { result, other: headline.find((one) => one !== result) };
}

/** The state as it was before that iteration, which is going to be flown again. */
export function rewind(state: ScreenState, iteration: number): ScreenState {
  const before = (item: { readonly iteration: number }) => item.iteration < iteration;
  return {
    ...state,
    iteration: undefined,
    curves: state.curves.map(({ series, against }) => ({
      series: cutAt(series, iteration),
      against: cutAt(against, iteration),
    })),
    recent: state.recent.filter(before),
    evaluated: state.evaluated.filter(before),
    losses: state.losses.filter(before),
    marks: state.marks.filter(({ iteration: at }) => at <= iteration),
  };
}
