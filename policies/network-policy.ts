import * as tf from "@tensorflow/tfjs-core";
import type { Frame, Observations } from "../protocol/frame.ts";
import type { Network } from "./network.ts";
import type { Normaliser } from "./normaliser.ts";
import type { Flown, Memory, Policy } from "./policy.ts";
import { PolicyError } from "./policy-error.ts";

export interface NetworkPolicyOptions {
  readonly network: Network;
  /** Applied to the observations before the network sees them; disposed with the policy. */
  readonly normaliser?: Normaliser | undefined;
  /** Observation groups, concatenated in this order. */
  readonly reads: readonly string[];
}

/** Flies a network: one pass over all environments, one readback. */
export class NetworkPolicy implements Policy {
  readonly reads: readonly string[];
  readonly network: Network;
  readonly normaliser?: Normaliser;

  constructor({ network, normaliser, reads }: NetworkPolicyOptions) {
    if (normaliser !== undefined && normaliser.width !== network.inputWidth) {
      throw new PolicyError(
        "normaliser-width",
        `a normaliser of width ${normaliser.width} before a network of width ${network.inputWidth}`,
        "Use the statistics and the weights of one checkpoint.",
      );
    }
    this.network = network;
    this.reads = reads;
    if (normaliser !== undefined) this.normaliser = normaliser;
  }

  get observationWidth(): number {
    return this.network.inputWidth;
  }

  get actionWidth(): number {
    return this.network.outputWidth;
  }

  initialMemory(numEnvs: number): Memory {
    return this.network.memoryWidths.map((width) => new Float32Array(numEnvs * width));
  }

  async act(frame: Frame, memory: Memory): Promise<Flown> {
    const rows = frame.started.length;
    const inputs = this.gather(frame.observations, rows);
    const remembered = this.#remembered(frame.started, memory);
    // One tensor, since each readback is a wait for the device.
    const result = tf.tidy(() => this.#forward(inputs, remembered, rows));
    const data = await result.data<"float32">();
    result.dispose();
    if (remembered.length === 0) return { actions: Float32Array.from(data), memory: [] };
    return this.#split(data, rows);
  }

  /**
   * The groups of `reads` side by side, `[rows, observationWidth]`: a fresh array, since a tensor
   * made from it may share it.
   *
   * @throws PolicyError `missing-group`, `observation-width`
   */
  gather(observations: Observations, rows: number): Float32Array {
    const width = this.observationWidth;
    const groups = this.reads.map((name) => groupNamed(name, observations));
    const found = groups.reduce((sum, group) => sum + group.length, 0);
    if (found !== rows * width || groups.some((group) => group.length % rows !== 0)) {
      throw this.#wrongWidth(groups, rows);
    }
    const [only] = groups;
    if (groups.length === 1 && only !== undefined) return only.slice();
    const gathered = new Float32Array(rows * width);
    let column = 0;
    for (const group of groups) {
      const share = group.length / rows;
      for (let row = 0; row < rows; row++) {
        gathered.set(group.subarray(row * share, (row + 1) * share), row * width + column);
      }
      column += share;
    }
    return gathered;
  }

  dispose(): void {
    this.network.dispose();
    this.normaliser?.dispose();
  }

  /** `[rows, actionWidth + memory widths]`. */
  #forward(inputs: Float32Array, memory: Memory, rows: number): tf.Tensor2D {
    const raw = tf.tensor2d(inputs, [rows, this.observationWidth]);
    const seen = this.normaliser === undefined ? raw : this.normaliser.apply(raw);
    const states = this.network.memoryWidths.map((width, i) =>
      tf.tensor2d(memory[i] as Float32Array, [rows, width]),
    );
    const flown = this.network.forward(seen, states);
    if (flown.memory.length === 0) return flown.outputs;
    return tf.concat2d([flown.outputs, ...flown.memory], 1);
  }

  /** A copy of the memory, zero where an episode has started. */
  #remembered(started: Uint8Array, memory: Memory): Memory {
    const widths = this.network.memoryWidths;
    const fits =
      memory.length === widths.length &&
      memory.every((state, i) => state.length === started.length * (widths[i] ?? 0));
    if (!fits) {
      throw new PolicyError(
        "memory-mismatch",
        `memory of sizes ${memory.map((state) => state.length).join(", ") || "none"}, expected ${started.length} rows of widths ${widths.join(", ") || "none"}`,
        "Start from initialMemory, and hand on the memory that the last step gave.",
      );
    }
    return memory.map((state, i) => {
      const copy = state.slice();
      const width = widths[i] ?? 0;
      started.forEach((first, row) => {
        if (first !== 0) copy.fill(0, row * width, (row + 1) * width);
      });
      return copy;
    });
  }

  #split(data: Float32Array, rows: number): Flown {
    const widths = [this.actionWidth, ...this.network.memoryWidths];
    const stride = widths.reduce((sum, width) => sum + width, 0);
    let column = 0;
    const [actions, ...memory] = widths.map((width) => {
      const part = new Float32Array(rows * width);
      for (let row = 0; row < rows; row++) {
        const at = row * stride + column;
        part.set(data.subarray(at, at + width), row * width);
      }
      column += width;
      return part;
    });
    return { actions: actions as Float32Array, memory };
  }

  #wrongWidth(groups: readonly Float32Array[], rows: number): PolicyError {
    const widths = groups.map((group, i) => `${this.reads[i]}: ${group.length / rows}`);
    return new PolicyError(
      "observation-width",
      `the observations ${widths.join(", ")} do not make up the width ${this.observationWidth} that the policy reads`,
      "Name other observation groups for this policy, or use the task that it was trained on.",
    );
  }
}

function groupNamed(name: string, observations: Observations): Float32Array {
  const group = Object.hasOwn(observations, name) ? observations[name] : undefined;
  if (group !== undefined) return group;
  throw new PolicyError(
    "missing-group",
    `the policy reads the observation group ${JSON.stringify(name)}; the simulator sends ${Object.keys(observations).join(", ")}`,
    "Name one of those groups for this policy, or use the task that it was trained on.",
  );
}
