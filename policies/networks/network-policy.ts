import * as tf from "@tensorflow/tfjs-core";
import type { Frame, Observations } from "../../protocol/frame.ts";
import type { Flown, Memory, Policy } from "../policy.ts";
import { PolicyError } from "../policy-error.ts";
import { gatherGroups, startedAnew } from "../rows.ts";
import type { Network } from "./network.ts";
import { type Normaliser, normalise } from "./normaliser.ts";

export interface NetworkPolicyOptions {
  readonly network: Network;
  /** Applied to the observations before the network sees them; disposed with the policy. */
  readonly normaliser?: Normaliser | undefined;
  /** Observation groups, concatenated in this order. */
  readonly reads: readonly string[];
  /** Of groups that are pictures, by name. */
  readonly shapes?: Policy["shapes"];
}

/** Flies a network: one pass over all environments, one readback. */
export class NetworkPolicy implements Policy {
  readonly reads: readonly string[];
  readonly network: Network;
  readonly normaliser?: Normaliser;
  readonly shapes?: NonNullable<Policy["shapes"]>;

  constructor({ network, normaliser, reads, shapes }: NetworkPolicyOptions) {
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
    if (shapes !== undefined) this.shapes = shapes;
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
    const inputs = this.upload(frame, memory);
    // One tensor, since each readback is a wait for the device.
    const result = tf.tidy(() => {
      const outputs = this.forward(inputs);
      return outputs.length === 1 ? outputs[0]! : tf.concat2d(outputs, 1);
    });
    const data = await result.data<"float32">();
    tf.dispose([...inputs, result]);
    if (memory.length === 0) return { actions: Float32Array.from(data), memory: [] };
    return this.#split(data, frame.started.length);
  }

  /**
   * What `forward` is a function of: the observations, the memory of episodes that go on, and the statistics
   * of the normaliser where there is one; the caller's to dispose.
   *
   * @throws PolicyError `missing-group`, `observation-width`, `memory-mismatch`
   */
  upload(frame: Frame, memory: Memory): tf.Tensor2D[] {
    const rows = frame.started.length;
    const inputs = this.gather(frame.observations, rows);
    const widths = this.network.memoryWidths;
    const remembered = startedAnew(memory, widths, frame.started);
    const states = remembered.map((state, i) => tf.tensor2d(state, [rows, widths[i]!]));
    const { mean, divisor } = this.normaliser?.constants() ?? {};
    const statistics = mean && divisor ? [mean, divisor] : [];
    return [tf.tensor2d(inputs, [rows, this.observationWidth]), ...states, ...statistics];
  }

  /** Mean actions `[rows, actionWidth]`, then the next memory: of `upload` and the parameters alone. */
  forward([raw, ...rest]: readonly tf.Tensor2D[]): tf.Tensor2D[] {
    const states = this.network.memoryWidths.length;
    const [mean, divisor] = rest.slice(states);
    const seen = mean && divisor ? normalise(raw!, { mean, divisor }) : raw!;
    const { outputs, memory } = this.network.forward(seen, rest.slice(0, states));
    return [outputs, ...memory];
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

  /** Of `[rows, actionWidth + memory widths]`. */
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
