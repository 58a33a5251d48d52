import * as tf from "@tensorflow/tfjs-core";
import type { GraphOptions } from "../../../policies/graph/build-graph.ts";
import type { NamedArray } from "../../../policies/named-array.ts";
import type { Normaliser } from "../../../policies/networks/normaliser.ts";
import type { Policy } from "../../../policies/policy.ts";
import type { Random, RandomState } from "../../../policies/random.ts";
import { eagerly } from "../../engine/compile/program.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import { checkFinite, letOthersRun } from "../between-updates.ts";
import { checkOwners } from "../check-owners.ts";
import type { Experience } from "../experience.ts";
import type { Learner, LearnerState, Needs } from "../learner.ts";
import { LearningError } from "../learning-error.ts";
import type { GradientMeter, ParameterGroup, Update } from "../owners.ts";
import { arraysUnder, loadParameters, readParameters } from "../parameters.ts";
import type { Stage } from "../stage.ts";
import type { BatchAlgorithm, UpdateContext } from "./batch-algorithm.ts";
import { BatchProgram, type Noted } from "./batch-program.ts";
import { believe, withBeliefClaims } from "./belief.ts";
import { Figures, Sheet } from "./figures.ts";
import type { OfflineSite } from "./site.ts";
import type { TrainedBelief } from "./trained-belief.ts";
import {
  disposeTransitions,
  type Transitions,
  type TransitionView,
  transitionsAt,
} from "./transitions.ts";

const NORMALISER = "normalisers/observations/";
const PREFIX = "obs_normalizer.";

type Place = Partial<Pick<OfflineSite, "belief" | "surround" | "compile">>;

const divergedHint =
  "Keep the LayerNorm of the critic, normalise actions, lower alpha, discount or learning rates, or scale the rewards; resume from the last checkpoint.";

/** One update for each batch of `numEnvs` rows of an experience. */
export class BatchLearner implements Learner {
  readonly needs: Needs;
  readonly groups: readonly ParameterGroup[];
  readonly updates: readonly Update[];
  readonly losses: readonly string[];
  readonly policies: Readonly<Record<string, Policy>>;
  /** See `BatchAlgorithm`: with what surrounds it. */
  readonly explorer: ((random: Random) => Policy) | undefined;
  readonly #algorithm: BatchAlgorithm;
  readonly #program: BatchProgram;
  readonly #belief: TrainedBelief | undefined;
  readonly #explorers: Policy[] = [];
  #view: TransitionView;
  #number = 0;

  /**
   * @param place what surrounds the algorithm: a belief, whose groups are among its own, and who compiles
   * @throws LearningError when its claims don't hold together, see `checkOwners`
   */
  constructor(algorithm: BatchAlgorithm, place: Place = {}) {
    const { view, groups, losses } = algorithm;
    const { belief, surround, compile = eagerly } = place;
    const notes = view.nextActions ? ["next_actions"] : [];
    const { reads, rewardsToGo } = view;
    const sums = rewardsToGo === undefined ? {} : { rewardsToGo };
    const successors = view.imitates ? [] : reads;
    this.needs = { groups: reads, successors, notes, ...sums };
    this.groups = groups;
    this.updates = withBeliefClaims(algorithm.updates, groups);
    this.losses = losses;
    this.policies = surrounded(algorithm, surround);
    const { explorer } = algorithm;
    this.explorer =
      explorer &&
      ((random) => {
        const drawing = explorer(random);
        this.#explorers.push(drawing);
        return placed(drawing, surround, algorithm);
      });
    this.#algorithm = algorithm;
    this.#belief = belief;
    this.#view = view;
    // Whether an orphan may fly is the run's to say.
    checkOwners(this, undefined, { onOrphan: () => {} });
    this.#program = new BatchProgram({ ...algorithm, belief }, compile);
  }

  /**
   * Means over the updates of what the algorithm notes; values are in units of scaled rewards, where
   * `Value/reward_scale` says so. `Train/updates`: their number so far.
   *
   * @throws LearningError `diverged`, `no-statistics`, `missing-array`, `array-size`
   */
  async update(experience: Experience, stage: Stage, meter?: GradientMeter): Promise<Metrics> {
    checkStatistics(this.#view.normaliser);
    const figures = new Figures();
    let prepared: Metrics = {};
    try {
      for (let step = 0; step < experience.steps; step += 1) {
        const batch = transitionsAt(experience, step, this.#view);
        this.#number += 1;
        prepared = this.#algorithm.prepare?.(this.#number, stage.progress) ?? {};
        this.#learn(batch, figures, meter);
        disposeTransitions(batch);
        await letOthersRun();
      }
      const metrics = await figures.read();
      checkFinite(metrics, divergedHint);
      const { scale } = this.#view.reward;
      const units = scale === 1 ? {} : { "Value/reward_scale": scale };
      return { ...metrics, ...prepared, ...units, "Train/updates": this.#number };
    } finally {
      figures.dispose();
    }
  }

  #learn(batch: Transitions, figures: Figures, meter: GradientMeter | undefined): void {
    const { form: formOf, draw, view } = this.#algorithm;
    const form = formOf?.(this.#number) ?? [];
    const drawn = draw?.({ rows: batch.rows, actionWidth: view.actionWidth }, form) ?? [];
    // Measured updates are calls of their own, and slow.
    const { names, values } =
      meter && this.updates.some((update) => meter.wants(update))
        ? this.#measured(batch, { drawn, form }, meter)
        : this.#program.run(batch, drawn, form);
    figures.add(names, values);
    tf.dispose(drawn);
  }

  /** A meter looks at parameters between the steps: they are calls of their own. */
  #measured(
    batch: Transitions,
    given: Pick<UpdateContext, "drawn" | "form">,
    meter: GradientMeter,
  ): Noted {
    const { owners, groups } = this.#algorithm;
    const figures = new Sheet();
    tf.tidy(() => {
      const believed = believe(batch, { belief: this.#belief, groups });
      this.#algorithm.learn(believed.batch, {
        ...{ ...given, figures },
        step: ({ name }, of) => {
          const update = this.updates.find((one) => one.name === name)!;
          const owner = owners.find((one) => one.name === update.owner)!;
          const loss = () => of(believed.seenBy(owner.name));
          meter.measure(update, loss, () => owner.step(loss)).dispose();
        },
      });
    });
    return { names: figures.names, values: figures.take() };
  }

  /** The student for exports: inputs `obs`, outputs `actions` in the simulator's units. */
  graph(): Promise<GraphOptions> {
    return this.#algorithm.graph();
  }

  async save(): Promise<LearnerState> {
    const { owners, random } = this.#algorithm;
    const arrays: Record<string, NamedArray> = { ...(await readParameters(this.groups)) };
    const counters: Record<string, unknown> = {
      updates: this.#number,
      random: random.save(),
      reward: this.#view.reward,
    };
    for (const owner of owners) {
      const state = await owner.save();
      Object.assign(arrays, state.arrays);
      Object.assign(counters, state.counters);
    }
    for (const [name, array] of Object.entries(this.#view.normaliser?.save() ?? {})) {
      arrays[NORMALISER + name.slice(PREFIX.length)] = array;
    }
    return { arrays, counters };
  }

  load(state: LearnerState): void {
    const { owners, random } = this.#algorithm;
    loadParameters(this.groups, state.arrays);
    for (const owner of owners) owner.load(state);
    this.#view.normaliser?.load(statisticsIn(state));
    const { counters } = state;
    this.#number = counters.updates as number;
    random.load(counters.random as RandomState);
    this.#view = { ...this.#view, reward: counters.reward as TransitionView["reward"] };
  }

  dispose(): void {
    this.#program.dispose();
    for (const explorer of this.#explorers) explorer.dispose();
    for (const owner of this.#algorithm.owners) owner.dispose();
    for (const { parameters } of this.groups) for (const { value } of parameters) value.dispose();
    this.#view.normaliser?.dispose();
  }
}

function surrounded(
  algorithm: Pick<BatchAlgorithm, "policies" | "critic" | "library">,
  surround: Place["surround"],
): Readonly<Record<string, Policy>> {
  const all = Object.entries(algorithm.policies).map(
    ([name, policy]) => [name, placed(policy, surround, algorithm)] as const,
  );
  return Object.fromEntries(all);
}

function placed(
  policy: Policy,
  surround: Place["surround"],
  { critic, library }: Pick<BatchAlgorithm, "critic" | "library">,
): Policy {
  return surround ? surround(policy, { critic, library }) : policy;
}

function statisticsIn({ arrays }: LearnerState): Record<string, NamedArray> {
  const own = Object.entries(arraysUnder(NORMALISER, arrays));
  return Object.fromEntries(own.map(([name, array]) => [PREFIX + name, array]));
}

function checkStatistics(normaliser: Normaliser | undefined): void {
  if (normaliser === undefined || normaliser.count > 0) return;
  throw new LearningError(
    "no-statistics",
    "States are to be normalised, and neither the data nor a checkpoint gave their mean and deviation.",
    "Hand on the dataset's statistics, load a checkpoint, or set normalize_states to false.",
  );
}
