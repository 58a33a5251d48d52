import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { sameShape, shapeText } from "../../../policies/named-array.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import type { Arrays } from "../experience.ts";
import type { Learner } from "../learner.ts";
import type { Draws, GivenDraws } from "../offline/draws.ts";
import type { OfflineSite } from "../offline/site.ts";
import {
  arrayNamed,
  arraysUnder,
  badFile,
  compareArrays,
  compareFigures,
  keepsWeights,
  numberNamed,
  type ParityKind,
  type ReferenceFile,
  type ReplayOptions,
  setting,
  type UpdateError,
} from "./reference.ts";

/** CORL's files of test/data/offline_rl: absolute for weights, relative to max(1, |x|) for figures. */
export const offlineTolerance = { weights: 1e-5, metrics: 1e-5 } as const;

/** The random numbers of a file in the order in which they were drawn. */
export class RecordedDraws implements Draws {
  readonly #file: ReferenceFile;
  #update = 0;
  #index = 0;

  constructor(file: ReferenceFile) {
    this.#file = file;
  }

  /** What is drawn from now on belongs to the next update. */
  next(): void {
    this.#update += 1;
    this.#index = 0;
  }

  normal(shape: readonly number[]): tf.Tensor {
    return this.#take(shape);
  }

  uniform(shape: readonly number[]): tf.Tensor {
    return this.#take(shape);
  }

  #take(shape: readonly number[]): tf.Tensor {
    const prefix = `draw${this.#update}.${this.#index}.`;
    this.#index += 1;
    const name = Object.keys(this.#file.arrays).find((key) => key.startsWith(prefix));
    if (name === undefined) throw badFile(this.#file, `holds no '${prefix}…'`);
    const drawn = arrayNamed(this.#file, name);
    if (!sameShape(drawn.shape, shape)) {
      const [is, wanted] = [shapeText(drawn.shape), shapeText(shape)];
      throw badFile(this.#file, `holds '${name}' of shape ${is}; this update draws ${wanted}`);
    }
    return tf.tensor(drawn.data, [...shape]);
  }
}

export interface SiteOptions extends Pick<ReplayOptions, "compile"> {
  readonly maxAction: number;
}

/** Sizes of the first batch, as a simulator would say them. */
export function siteOf(file: ReferenceFile, { maxAction, compile }: SiteOptions): OfflineSite {
  const [, observationWidth = 0] = arrayNamed(file, "batch1.observations").shape;
  const [, actionWidth = 0] = arrayNamed(file, "batch1.actions").shape;
  const high = new Array<number>(actionWidth).fill(maxAction);
  const action = { low: high.map((bound) => -bound), high };
  return { reads: ["policy"], observationWidth, action, seed: 0, compile };
}

/** Widths of the hidden layers of a network, from the arrays themselves. */
export function hiddenOf(file: ReferenceFile, prefix: string): number[] {
  const weights = Object.entries(arraysUnder(file, `initial.${prefix}.`))
    .map(([name, { shape }]) => ({ layer: /^(\d+)\.weight$/.exec(name)?.[1], shape }))
    .filter(({ layer, shape }) => layer !== undefined && shape.length === 2)
    .sort((a, b) => Number(a.layer) - Number(b.layer));
  if (weights.length === 0) throw badFile(file, `holds no weights 'initial.${prefix}.…'`);
  return weights.slice(0, -1).map(({ shape }) => shape[0]!);
}

/** What sets one algorithm of CORL apart from another. */
export interface OfflineKind<Settings> {
  /** As the files call it: `algorithm`. */
  readonly name: string;
  /** The settings of a file. @throws ParityError for what can't be repeated */
  settingsOf(file: ReferenceFile): Settings;
  /** The bound of its actions; default: what it says. */
  maxActionOf?(file: ReferenceFile): number;
  create(settings: Settings, site: OfflineSite, given: GivenDraws): Learner;
  figuresOf(settings: Settings): OfflineReplay["figures"];
}

/** A kind of files of CORL. */
export function offlineKind<Settings>(kind: OfflineKind<Settings>): ParityKind {
  const { name, maxActionOf = (file) => numberNamed(file, "max_action") } = kind;
  return {
    name,
    tolerance: offlineTolerance,
    recognises: ({ metadata }) => metadata.algorithm === name,
    async replay(file, { compile }) {
      const settings = knownSettings(file, kind);
      const draws = new RecordedDraws(file);
      const maxAction = maxActionOf(file);
      const given = { weights: arraysUnder(file, "initial."), maxAction, draws };
      const learner = kind.create(settings, siteOf(file, { maxAction, compile }), given);
      return replayOffline(file, { learner, draws, figures: kind.figuresOf(settings) });
    },
  };
}

function knownSettings<Settings>(file: ReferenceFile, { settingsOf }: OfflineKind<Settings>) {
  try {
    return settingsOf(file);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const { path, message } = error.issues[0]!;
    throw badFile(file, `has a setting out of range, ${path.join(".")}: ${message}`);
  }
}

export interface OfflineReplay {
  readonly learner: Learner;
  readonly draws: RecordedDraws;
  /** The learner's name of each figure of the file; a number where the learner has none, and it is that. */
  readonly figures: Readonly<Record<string, string | number>>;
}

const stage = {
  ...{ name: "offline", index: 0, of: 1, iteration: 0, length: 1, progress: 0 },
  settings: {},
};

/** Repeats all updates of a file, one batch each. Disposes of the learner. */
export async function replayOffline(
  file: ReferenceFile,
  { learner, draws, figures }: OfflineReplay,
): Promise<readonly UpdateError[]> {
  const expected = figuresIn(file);
  const weighed = expected.map((_, i) => keepsWeights(file, `after${i + 1}.`));
  if (!weighed.includes(true)) throw badFile(file, "holds no weights behind any update");
  const errors: UpdateError[] = [];
  try {
    for (const [i, reference] of expected.entries()) {
      draws.next();
      const metrics = await learner.update(experienceOf(file, i + 1), stage);
      const after = arraysUnder(file, `after${i + 1}.`);
      errors.push({
        update: i + 1,
        metrics: compareFigures(renamed(file, metrics, { figures, reference }), reference),
        ...(weighed[i] && {
          weights: compareArrays(await weightsOf(learner), after),
        }),
      });
    }
  } finally {
    learner.dispose();
  }
  return errors;
}

/** What the reference program logged of each update. */
function figuresIn(file: ReferenceFile): readonly Readonly<Record<string, number>>[] {
  const figures = setting<unknown>(file, "metrics");
  const known = z.array(z.record(z.string(), z.number())).min(1).safeParse(figures);
  if (known.success) return known.data;
  const { path, message } = known.error.issues[0]!;
  throw badFile(file, `says no figures of its updates in 'metrics': ${path.join(".")} ${message}`);
}

function experienceOf(file: ReferenceFile, number: number) {
  const array = (name: string) => arrayNamed(file, `batch${number}.${name}`).data;
  const [numEnvs = 0] = arrayNamed(file, `batch${number}.rewards`).shape;
  const next = `batch${number}.next_actions`;
  const arrays: Arrays = {
    "obs/policy": array("observations"),
    "next/policy": array("next_observations"),
    actions: array("actions"),
    rewards: array("rewards"),
    terminated: flagsIn(file, `batch${number}.terminals`),
    truncated: new Uint8Array(numEnvs),
    ...(Object.hasOwn(file.arrays, next) && { "notes/next_actions": arrayNamed(file, next).data }),
  };
  return { steps: 1, numEnvs, arrays };
}

/** 0 or 1 each. */
function flagsIn(file: ReferenceFile, name: string): Uint8Array {
  const { data } = arrayNamed(file, name);
  const other = data.find((value) => value !== 0 && value !== 1);
  if (other === undefined) return Uint8Array.from(data);
  throw badFile(file, `holds ${other} in '${name}', expected 0 or 1`);
}

interface Names {
  readonly figures: OfflineReplay["figures"];
  readonly reference: Readonly<Record<string, number>>;
}

function renamed(file: ReferenceFile, metrics: Metrics, { figures, reference }: Names) {
  const entries = Object.keys(reference).map((name) => {
    const own = figures[name];
    if (own === undefined) throw badFile(file, `reports a figure '${name}' that is not known`);
    return [name, typeof own === "number" ? own : metrics[own]];
  });
  return Object.fromEntries(entries) as Record<string, number | undefined>;
}

async function weightsOf(learner: Learner) {
  const { arrays } = await learner.save();
  const weights = Object.entries(arrays).filter(([name]) => name.startsWith("parameters/"));
  return Object.fromEntries(weights.map(([name, array]) => [name.split("/")[2]!, array]));
}
