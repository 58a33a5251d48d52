import * as tf from "@tensorflow/tfjs-core";
import type { NamedArray } from "../../policies/named-array.ts";
import type { Parameter } from "../../policies/networks/network.ts";
import { gradientsOf } from "./gradients.ts";
import { LearningError } from "./learning-error.ts";
import { type RuleName, rules } from "./rules.ts";

/** In the layout of torch.optim: settings, and moments per parameter in the parameters' order. */
export interface OptimiserState {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly step: number;
  readonly moments: readonly Readonly<Record<string, NamedArray>>[];
}

/** A loss, and what its computation gives besides; constants to its gradient. */
export interface Terms {
  readonly loss: tf.Scalar;
  readonly besides: readonly tf.Tensor[];
}

export interface Descent {
  readonly maxGradNorm: number | null;
  /** What `nextStep` gave. */
  readonly scalars: readonly tf.Tensor[];
}

/**
 * Moves the parameters of one network. All gradients travel as one flat vector: a rule then costs
 * a dozen operations instead of a dozen for each parameter, which is where small batches spend
 * their time.
 */
export class Optimiser {
  readonly name: RuleName;
  learningRate: number;
  readonly #parameters: readonly Parameter[];
  readonly #scales: readonly number[];
  readonly #sizes: number[];
  readonly #moments: readonly tf.Variable[];
  #step = 0;

  /** @param scales what the rate is multiplied by for each parameter; default: 1 */
  constructor(
    name: RuleName,
    parameters: readonly Parameter[],
    learningRate: number,
    { scales = [] }: { readonly scales?: readonly number[] } = {},
  ) {
    this.name = name;
    this.learningRate = learningRate;
    this.#parameters = parameters;
    this.#scales = scales;
    this.#sizes = parameters.map((p) => p.value.size);
    const width = this.#sizes.reduce((sum, size) => sum + size, 0);
    this.#moments = rules[name].moments.map(() =>
      tf.tidy(() => tf.variable(tf.zeros([width]), false)),
    );
  }

  /** All that a step assigns: parameters, then moments. */
  get state(): readonly tf.Variable[] {
    return [...this.#parameters.map((p) => p.value), ...this.#moments];
  }

  /** How many numbers a step has of its own. */
  get scalars(): number {
    return rules[this.name].scalars(1, 0).length;
  }

  /**
   * Counts a step and gives the numbers that are its own, one scalar each, to be disposed by the caller: inputs
   * of an update that is compiled.
   */
  nextStep(): tf.Scalar[] {
    this.#step += 1;
    return rules[this.name].scalars(this.#step, this.learningRate).map((value) => tf.scalar(value));
  }

  /**
   * One step against the gradient of `loss`; gives its value, to be disposed by the caller. A
   * parameter that the loss doesn't reach has a gradient of zeros.
   *
   * @throws LearningError `starved` when it reaches none
   */
  minimise(loss: () => tf.Scalar, maxGradNorm: number | null): tf.Scalar {
    return tf.tidy(() => {
      const terms = () => ({ loss: loss(), besides: [] });
      return this.#descend(terms, maxGradNorm, () => this.nextStep()).loss;
    });
  }

  /**
   * The same as a function of tensors and `state` alone, for an update that is compiled; what is computed on
   * the way besides the loss comes along. Call inside `tidy`.
   *
   * @throws LearningError `starved`
   */
  descend(terms: () => Terms, { maxGradNorm, scalars }: Descent): Terms {
    return this.#descend(terms, maxGradNorm, () => scalars);
  }

  #descend(
    terms: () => Terms,
    maxGradNorm: number | null,
    scalars: () => readonly tf.Tensor[],
  ): Terms {
    const variables = this.#parameters.map((p) => p.value);
    let kept: tf.Tensor[] = [];
    const { value, gradients } = gradientsOf(() => {
      const { loss, besides } = terms();
      kept = besides.map((tensor) => tf.keep(tensor.clone()));
      return loss;
    }, variables);
    if (gradients.every((gradient) => gradient === undefined)) throw starved(this.#parameters);
    const flat = tf.concat1d(
      variables.map((v, i) => tf.reshape(gradients[i] ?? tf.zerosLike(v), [v.size])),
    );
    this.#apply(maxGradNorm === null ? flat : clipNorm(flat, maxGradNorm), scalars());
    const besides = kept.map((tensor) => tensor.clone());
    tf.dispose(kept);
    return { loss: value, besides };
  }

  #apply(gradient: tf.Tensor1D, scalars: readonly tf.Tensor[]): void {
    const { delta, moments } = rules[this.name].update({
      gradient,
      moments: this.#moments as readonly tf.Tensor[] as readonly tf.Tensor1D[],
      scalars,
      parameters: () => tf.concat1d(this.#parameters.map((p) => tf.reshape(p.value, [-1]))),
    });
    const deltas = tf.split(delta, this.#sizes);
    for (const [i, parameter] of this.#parameters.entries()) {
      const { value } = parameter;
      const scale = this.#scales[i] ?? 1;
      const change = tf.reshape(deltas[i]!, value.shape);
      value.assign(tf.sub(value, scale === 1 ? change : tf.mul(change, scale)));
    }
    for (const [i, moment] of this.#moments.entries()) moment.assign(moments[i]!);
  }

  async save(): Promise<OptimiserState> {
    const flats = await Promise.all(this.#moments.map((m) => m.data<"float32">()));
    const names = rules[this.name].moments;
    let offset = 0;
    const moments = this.#parameters.map((parameter, i) => {
      const size = this.#sizes[i]!;
      const entry: Record<string, NamedArray> = {};
      for (const [k, flat] of flats.entries()) {
        entry[names[k]!] = {
          shape: parameter.value.shape,
          data: flat.slice(offset, offset + size),
        };
      }
      offset += size;
      return entry;
    });
    const settings = { lr: this.learningRate, ...rules[this.name].settings };
    return { name: this.name, settings, step: this.#step, moments };
  }

  load(state: OptimiserState): void {
    if (state.name !== this.name || state.moments.length !== this.#parameters.length) {
      throw new LearningError(
        "optimiser-mismatch",
        `The checkpoint holds ${state.name} moments of ${state.moments.length} parameters; ` +
          `this run uses ${this.name} with ${this.#parameters.length}.`,
        "Resume with the optimiser and network sizes the run was started with.",
      );
    }
    const flats = rules[this.name].moments.map((name) => joinMoments(state, name, this.#sizes));
    for (const [i, moment] of this.#moments.entries()) {
      tf.tidy(() => moment.assign(tf.tensor1d(flats[i]!)));
    }
    this.#step = state.step;
  }

  dispose(): void {
    tf.dispose([...this.#moments]);
  }
}

function starved(parameters: readonly Parameter[]): LearningError {
  return new LearningError(
    "starved",
    `starved: no gradient leads from the loss to any of ${parameters.length} parameters (${parameters[0]?.name} …).`,
    "Let the loss use these parameters outside of detached(), or don't step their owner on it.",
  );
}

/** Scales a gradient down to a norm, with PyTorch's 1e-6 in the quotient. */
function clipNorm(gradient: tf.Tensor1D, limit: number): tf.Tensor1D {
  const norm = tf.sqrt(tf.sum(tf.square(gradient)));
  return tf.mul(gradient, tf.minimum(tf.div(limit, tf.add(norm, 1e-6)), 1));
}

function joinMoments(state: OptimiserState, name: string, sizes: readonly number[]): Float32Array {
  const out = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
  let offset = 0;
  for (const [i, size] of sizes.entries()) {
    const data = state.moments[i]?.[name]?.data;
    if (data?.length !== size) {
      throw new LearningError(
        "optimiser-mismatch",
        `The moment '${name}' of parameter ${i} holds ${data?.length ?? "no"} values, not ${size}.`,
        "Resume with the network sizes the run was started with.",
      );
    }
    out.set(data, offset);
    offset += size;
  }
  return out;
}
