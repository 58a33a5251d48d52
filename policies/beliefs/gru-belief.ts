import * as tf from "@tensorflow/tfjs-core";
import type { Frame } from "../../protocol/frame.ts";
import type { NamedArrays } from "../named-array.ts";
import type { Network } from "../networks/network.ts";
import type { Memory } from "../policy.ts";
import { entriesOf, loadInto } from "../rankers/ranker-arrays.ts";
import { gatherGroups, lastColumns, sideBySide, startedAnew } from "../rows.ts";
import type { BeliefConfig, BeliefEncoder, Believed } from "./belief.ts";
import { codesOf } from "./turn-codes.ts";

/** Flies a `createTurnNetwork`: it remembers the turns before this one. */
export class GruBelief implements BeliefEncoder {
  readonly reads: readonly string[];
  readonly #config: BeliefConfig;
  readonly #network: Network;

  /** @param network of codes; a learner may move its parameters */
  constructor(config: BeliefConfig, network: Network, reads: readonly string[] = ["policy"]) {
    this.reads = reads;
    this.#config = config;
    this.#network = network;
  }

  get_config(): BeliefConfig {
    return this.#config;
  }

  async encode({ observations, started }: Frame, memory: Memory): Promise<Believed> {
    const rows = started.length;
    const { observationWidth, stateWidth, turns } = this.#config;
    const slots = observationWidth / 2;
    const seen = gatherGroups({ reads: this.reads, observationWidth }, observations, rows);
    const now = codesOf(seen, slots, (row) => started[row] === 1);
    const past = (turns - 1) * slots;
    const [before] = startedAnew(memory, [past], started);
    const codes = sideBySide(before!, now, rows);
    const state = tf.tidy(() => {
      const inputs = tf.tensor2d(codes, [rows, turns * slots]);
      return this.#network.forward(inputs, []).outputs;
    });
    const data = Float32Array.from(await state.data());
    state.dispose();
    return {
      state: data.subarray(0, rows * stateWidth),
      memory: [lastColumns(codes, rows, codes.length / rows - slots)],
    };
  }

  reset(rows: number): Memory {
    const { turns, observationWidth } = this.#config;
    return [new Float32Array((rows * (turns - 1) * observationWidth) / 2)];
  }

  save(): Promise<NamedArrays> {
    return entriesOf(this.#network.parameters);
  }

  load(arrays: NamedArrays): void {
    loadInto(this.#network.parameters, arrays);
  }

  dispose(): void {
    this.#network.dispose();
  }
}
