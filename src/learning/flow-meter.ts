import * as tf from "@tensorflow/tfjs-core";
import type { FlowRow } from "./flow-row.ts";
import { gradientsOf } from "./gradients.ts";
import { LearningError } from "./learning-error.ts";
import type { GradientMeter, ParameterGroup, Update } from "./owners.ts";

export interface FlowMeterOptions {
  /** Measurements of one update; more steps pass unmeasured. Default 3. */
  readonly most?: number;
}

/** A measurement whose figures are still on the device: per group largest element and sum of squared shares of it. */
interface Pending {
  readonly update: Update;
  readonly loss: tf.Tensor1D;
  readonly gradients: readonly (tf.Tensor1D | undefined)[];
  readonly changes: readonly tf.Tensor1D[];
}

/**
 * Measures updates: the gradient of the loss by EVERY group is computed beside the real step, which
 * then runs as it would have run. Nothing is read back before `rows`.
 */
export class FlowMeter implements GradientMeter {
  readonly #groups: readonly ParameterGroup[];
  readonly #most: number;
  readonly #pending: Pending[] = [];
  readonly #counts = new Map<string, number>();
  readonly #taken: FlowRow[] = [];

  constructor(groups: readonly ParameterGroup[], { most = 3 }: FlowMeterOptions = {}) {
    this.#groups = groups;
    this.#most = most;
  }

  get elsewhere() {
    return { most: this.#most, take: (rows: readonly FlowRow[]) => void this.#taken.push(...rows) };
  }

  wants({ name }: Update): boolean {
    return (this.#counts.get(name) ?? 0) < this.#most;
  }

  measure<T>(update: Update, loss: () => tf.Scalar, step: () => T): T {
    if (!this.wants(update)) return step();
    this.#counts.set(update.name, (this.#counts.get(update.name) ?? 0) + 1);
    const before = this.#groups.map((group) => group.parameters.map(({ value }) => value.clone()));
    const again = tf.tidy(loss);
    const { value, gradients } = this.#gradients(loss);
    const both = tf.tidy(() => tf.stack([again, value]) as tf.Tensor1D);
    tf.dispose([again, value]);
    try {
      return step();
    } finally {
      const pending = { update, loss: both, gradients, changes: this.#changes(before) };
      this.#pending.push(pending);
      tf.dispose(before);
      // It outlives whatever tidy the update may be in.
      for (const tensor of tensorsOf(pending)) tf.keep(tensor);
    }
  }

  /**
   * All that was measured and not yet fetched.
   *
   * @throws LearningError `unrepeatable-loss` when a loss came out differently the second time
   */
  async rows(): Promise<readonly FlowRow[]> {
    const rows = this.#taken.splice(0);
    for (const pending of this.#pending.splice(0)) {
      const norms = pending.gradients.map((gradient) => (gradient ? read(gradient) : null));
      const gradients = await Promise.all(norms);
      const changes = await Promise.all(pending.changes.map(read));
      const losses = await pending.loss.data<"float32">();
      pending.loss.dispose();
      checkRepeatable(pending.update, losses);
      const scale = Math.max(0, ...gradients.map((gradient) => gradient ?? 0));
      for (const [i, { name }] of this.#groups.entries()) {
        const [gradient, change] = [gradients[i] ?? null, changes[i]!];
        rows.push({ update: pending.update.name, group: name, gradient, change, scale });
      }
    }
    return rows;
  }

  dispose(): void {
    for (const pending of this.#pending.splice(0)) tf.dispose(tensorsOf(pending));
  }

  #gradients(loss: () => tf.Scalar) {
    const variables = this.#groups.flatMap(({ parameters }) => parameters.map((p) => p.value));
    return tf.tidy(() => {
      const all = gradientsOf(loss, variables);
      let offset = 0;
      const gradients = this.#groups.map(({ parameters }) => {
        const own = all.gradients.slice(offset, offset + parameters.length);
        offset += parameters.length;
        const found = own.filter((gradient) => gradient !== undefined);
        return found.length === 0 ? undefined : size(found);
      });
      return { value: all.value, gradients };
    });
  }

  #changes(before: readonly (readonly tf.Tensor[])[]): tf.Tensor1D[] {
    return this.#groups.map(({ parameters }, i) =>
      tf.tidy(() => size(parameters.map(({ value }, k) => tf.sub(value, before[i]![k]!)))),
    );
  }
}

function tensorsOf({ loss, gradients, changes }: Pending): tf.Tensor[] {
  return [loss, ...changes, ...gradients.filter((gradient) => gradient !== undefined)];
}

/** `[m, Σ (x/m)²]` with m the largest |x|: the norm is m √Σ, and squares of small numbers don't vanish. */
function size(tensors: readonly tf.Tensor[]): tf.Tensor1D {
  return tf.tidy(() => {
    const flat = tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [-1])));
    const most = tf.max(tf.abs(flat));
    const shares = tf.div(flat, tf.maximum(most, 1e-37));
    return tf.stack([most, tf.sum(tf.square(shares))]) as tf.Tensor1D;
  });
}

async function read(size: tf.Tensor1D): Promise<number> {
  const [most = Number.NaN, shares = Number.NaN] = await size.data<"float32">();
  size.dispose();
  return most === 0 ? 0 : most * Math.sqrt(shares);
}

function checkRepeatable(update: Update, losses: ArrayLike<number>): void {
  const [a, b] = [losses[0]!, losses[1]!];
  if (!(Math.abs(a - b) > 1e-4 * Math.max(Math.abs(a), Math.abs(b)))) return;
  throw new LearningError(
    "unrepeatable-loss",
    `The loss of the update '${update.name}' is ${a}, and ${b} when it is computed again.`,
    "Draw random numbers before the loss, and change no state in it: it is measured besides the step.",
  );
}
