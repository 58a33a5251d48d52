import * as tf from "@tensorflow/tfjs-core";
import type { Frame, Observations } from "../../protocol/frame.ts";
import type { Flown, Memory, Policy } from "../policy.ts";
import { PolicyError } from "../policy-error.ts";
import { gatherGroups, startedAnew } from "../rows.ts";
import type { Network } from "./network.ts";
import type { Normaliser } from "./normaliser.ts";

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
    const remembered = startedAnew(memory, this.network.memoryWidths, frame.started);
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
    return gatherGroups(this, observations, rows);
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
}
