import type { NamedArrays } from "../named-array.ts";
import type { VisionFacts } from "../networks/cnn/vision.ts";
import type { NormaliserState } from "../networks/normaliser.ts";
import type { TorchValue } from "./torch-value.ts";

/** What is kept of one policy network in a checkpoint. */
export interface RslRlActorState {
  /**
   * Weights by rsl_rl 5's names, in its order: `mlp.0.weight` `[out, in]`, `mlp.0.bias` …, then
   * `rnn.rnn.weight_ih_l0` …, or `cnns.GROUP.0.weight` `[out, in, height, width]` ….
   */
  readonly layers: NamedArrays;
  /** Statistics the observations are normalised with. */
  readonly normaliser?: NormaliserState | undefined;
  /**
   * Standard deviation of the exploration noise, one per action; absent where it is not a
   * parameter.
   */
  readonly std?: Float32Array | undefined;
  /** Whether the file keeps that deviation or its logarithm. */
  readonly stdType?: "scalar" | "log" | undefined;
  /** Normalised observations are cut to ± this, as rl_games has it; absent: not at all. */
  readonly inputClamp?: number | undefined;
  /** The network puts out two numbers per action, e.g. mean and noise. */
  readonly doubled?: boolean | undefined;
  /** The MLP puts out a latent, which a decoder turns into actions. */
  readonly latent?: LatentParts | undefined;
}

/**
 * The same, read from a file and found whole. The teacher of a run that had none of this kind has
 * no layers and widths of 0.
 */
export interface RslRlActor extends RslRlActorState {
  readonly inputWidth: number;
  readonly hidden: readonly number[];
  /**
   * Outputs of the last layer, the decoder's where there is one: `actionWidth`, or twice that where the
   * network puts out the noise as well.
   */
  readonly outputWidth: number;
  readonly actionWidth: number;
  /** Groups of pictures, each with convolutions of its own; then `inputWidth` is what the MLP reads. */
  readonly pictures?: readonly string[];
  readonly rnn?: { readonly type: "gru" | "lstm"; readonly width: number; readonly layers: number };
  /** Layers `encoder.0.weight` …, tanh behind the last, before all others: what `mlp` reads are features. */
  readonly encoder?: { readonly hidden: readonly number[]; readonly width: number };
  /** Of pictures: width of a layer `features` behind the convolutions, which joins all groups. */
  readonly features?: number;
  /** Of pictures, where somebody knows it: what the weights don't say. */
  readonly vision?: VisionFacts | undefined;
}

/** Layers `decoder.0.weight` …, which read features and latent side by side. */
export interface LatentParts {
  /** Of the latent. */
  readonly width: number;
  readonly hidden: readonly number[];
  /** The latent is this times tanh of the MLP's outputs. */
  readonly scale: number;
}

/**
 * The values of one network, already under the names of rsl_rl 5, each with its key in the file.
 */
export interface ActorEntries {
  readonly values: ReadonlyMap<string, { readonly key: string; readonly value: TorchValue }>;
  /** What to call the network in messages, e.g. `actor_state_dict`. */
  readonly name: string;
  /** The network is known to put out mean and noise where it has no noise parameter. */
  readonly doubled: boolean;
  /** Firstsolo leaves a teacher empty that is no network. */
  readonly mayBeEmpty?: boolean;
  /** A policy of our own, which may have an encoder and a decoder around its MLP. */
  readonly parts?: boolean;
}
