import * as tf from "@tensorflow/tfjs-core";
import type { NamedArray, NamedArrays } from "../../policies/named-array.ts";
import { LearningError } from "./learning-error.ts";
import { Optimiser, type OptimiserState, type Terms } from "./optimiser.ts";
import { isSteppedBy, type ParameterGroup } from "./owners.ts";
import type { RuleName } from "./rules.ts";

export interface OwnerSettings {
  readonly learningRate: number;
  /** Default: adam. */
  readonly rule?: RuleName;
  /** Norm to which the gradient of all its groups together is clipped; null, the default: not at all. */
  readonly maxGradNorm?: number | null;
  /** What the rate is multiplied by for some of its groups, by their names. Default: 1. */
  readonly rateScales?: Readonly<Record<string, number>>;
}

/** What an owner must keep: moments `optimisers/OWNER/MOMENT/PARAMETER`, and `{ rule, step, learningRate }`. */
export interface OwnerState {
  readonly arrays: NamedArrays;
  readonly counters: Readonly<Record<string, unknown>>;
}

/** One optimiser and the groups that it moves, with a rate and a clip of its own. */
export class Owner {
  readonly name: string;
  readonly groups: readonly ParameterGroup[];
  readonly #optimiser: Optimiser;
  readonly #maxGradNorm: number | null;

  /**
   * @param groups of the learner: those that name this owner become its own
   * @throws LearningError `starved` when none does
   */
  constructor(name: string, groups: readonly ParameterGroup[], settings: OwnerSettings) {
    const { learningRate, rule = "adam", maxGradNorm = null, rateScales = {} } = settings;
    this.name = name;
    this.groups = groups.filter((group) => isSteppedBy(group, name));
    if (this.groups.length === 0) {
      throw new LearningError(
        "starved",
        `starved: no group names the owner '${name}'; owners named are ${groups.map((g) => g.owner).join(", ")}.`,
        "Give a group to this owner, or do without it.",
      );
    }
    const parameters = this.groups.flatMap((group) => group.parameters);
    const scales = this.groups.flatMap((group) =>
      group.parameters.map(() => rateScales[group.name] ?? 1),
    );
    this.#optimiser = new Optimiser(rule, parameters, learningRate, { scales });
    this.#maxGradNorm = maxGradNorm;
  }

  get learningRate(): number {
    return this.#optimiser.learningRate;
  }

  set learningRate(rate: number) {
    this.#optimiser.learningRate = rate;
  }

  /**
   * One step of all its groups against the gradient of `loss`; gives its value, to be disposed by the
   * caller.
   *
   * @throws LearningError `starved` when the loss reaches none of them
   */
  step(loss: () => tf.Scalar): tf.Scalar {
    return this.#optimiser.minimise(loss, this.#maxGradNorm);
  }

  /** All that a step assigns: state of a program whose entry calls `descend`. */
  get state(): readonly tf.Variable[] {
    return this.#optimiser.state;
  }

  /** How many numbers a step has of its own: so many inputs of that entry. */
  get scalars(): number {
    return this.#optimiser.scalars;
  }

  /** Counts a step and gives those numbers, to be disposed by the caller. */
  nextStep(): tf.Scalar[] {
    return this.#optimiser.nextStep();
  }

  /** `step` as a function of tensors and `state` alone; `scalars`: what `nextStep` gave. Call inside `tidy`. */
  descend(terms: () => Terms, scalars: readonly tf.Tensor[]): Terms {
    return this.#optimiser.descend(terms, { maxGradNorm: this.#maxGradNorm, scalars });
  }

  async save(): Promise<OwnerState> {
    const { name, step, moments } = await this.#optimiser.save();
    const arrays: Record<string, NamedArray> = {};
    for (const [i, { name: parameter }] of this.#parameters().entries()) {
      for (const [moment, array] of Object.entries(moments[i] ?? {})) {
        arrays[`optimisers/${this.name}/${moment}/${parameter}`] = array;
      }
    }
    return {
      arrays,
      counters: {
        [`optimisers/${this.name}`]: { rule: name, step, learningRate: this.learningRate },
      },
    };
  }

  /** @throws LearningError `optimiser-mismatch` */
  load({ arrays, counters }: OwnerState): void {
    const kept = counters[`optimisers/${this.name}`] as { rule: string; step: number } | undefined;
    if (kept === undefined) {
      throw new LearningError(
        "optimiser-mismatch",
        `The checkpoint holds no optimiser '${this.name}'.`,
        "Resume with the algorithm that the run was started with.",
      );
    }
    const prefix = `optimisers/${this.name}/`;
    const moments = this.#parameters().map(({ name }) => {
      const own: Record<string, NamedArray> = {};
      for (const [key, array] of Object.entries(arrays)) {
        if (!key.startsWith(prefix) || !key.endsWith(`/${name}`)) continue;
        own[key.slice(prefix.length, -name.length - 1)] = array;
      }
      return own;
    });
    const state: OptimiserState = { name: kept.rule, settings: {}, step: kept.step, moments };
    this.#optimiser.load(state);
  }

  dispose(): void {
    this.#optimiser.dispose();
  }

  #parameters(): ParameterGroup["parameters"] {
    return this.groups.flatMap((group) => group.parameters);
  }
}

/** One owner for each name, with its step size. @throws LearningError `starved` for one that no group names */
export function createOwners(
  groups: readonly ParameterGroup[],
  learningRates: Readonly<Record<string, number>>,
): readonly Owner[] {
  return Object.entries(learningRates).map(
    ([name, learningRate]) => new Owner(name, groups, { learningRate }),
  );
}

/** The parameters of some networks as one group. */
export function groupOf(
  name: string,
  owner: string,
  networks: readonly Pick<ParameterGroup, "parameters">[],
): ParameterGroup {
  return { name, owner, parameters: networks.flatMap(({ parameters }) => parameters) };
}

/**
 * Moves a slow copy: copy ← rate · source + (1 − rate) · copy, parameter by parameter in their order.
 *
 * @param rate 1 copies
 */
export function followSlowly(copy: ParameterGroup, source: ParameterGroup, rate: number): void {
  tf.tidy(() => {
    for (const [i, { value }] of copy.parameters.entries()) {
      const from = source.parameters[i]!.value;
      value.assign(
        rate === 1 ? tf.clone(from) : tf.add(tf.mul(from, rate), tf.mul(value, 1 - rate)),
      );
    }
  });
}
