import type { NamedArrays } from "../named-array.ts";

/** Logged slates and what of them was clicked, `[rows, slots]` each, row-major. */
export interface Turns {
  readonly rows: number;
  /** Numbers of items, from 0. */
  readonly slates: Uint16Array;
  /** 0 or 1. */
  readonly clicks: Uint8Array;
}

/** Where slates lie in the latent space, `[rows, latentWidth]` each. */
export interface Latents {
  readonly mean: Float32Array;
  /** Absent: known exactly. */
  readonly deviation?: Float32Array;
}

/** What latents are worth: `[rows · each]` for `[rows · each, latentWidth]`, those of one row together. */
export type Judge = (latents: Float32Array, each: number) => Promise<Float32Array>;

/** Turns a latent action into a slate. What it knows of items and latents travels in what it saves. */
export interface Ranker {
  get_config(): RankerConfig;
  /** Different items, best first: `[rows, slots]`. @throws PolicyError `latent-width` */
  rank(latents: Float32Array, judge?: Judge): Promise<Float32Array>;
  /** The latents whose slates come nearest to these. */
  encode(turns: Turns): Latents;
  /** One step of learning; null: there is nothing to learn. */
  train_step(batch: Turns): Promise<Readonly<Record<string, number>> | null>;
  /** Weights, `items` `[items, itemWidth]`, and the bounds of actions `low` and `high`, `[latentWidth]` each. */
  save(): Promise<NamedArrays>;
  /** @throws PolicyError `missing-weight`, `weight-shape` */
  load(arrays: NamedArrays): void;
  dispose(): void;
}

export const rankerNames = ["GeMS", "WkNN", "Softmax", "TopK"] as const;
export type RankerName = (typeof rankerNames)[number];

/** A judge, where there is one, chooses which items stand in its slates. */
export function asksJudge(name: RankerName): boolean {
  return name === "WkNN";
}

/** `ideal`: the simulator's own, which nobody has; `mf`: from logged clicks; `scratch`: learned by the ranker. */
export const embeddingKinds = ["ideal", "mf", "scratch"] as const;
export type EmbeddingKind = (typeof embeddingKinds)[number];

/** All that its weights don't say: plain JSON. */
export interface RankerConfig {
  readonly ranker: RankerName;
  readonly latentWidth: number;
  readonly items: number;
  readonly itemWidth: number;
  readonly slots: number;
  readonly embeddings: EmbeddingKind;
  /** Of the weights it starts with, and of what it draws. */
  readonly seed: number;
  /** Task whose slates it makes, and the flights it learned from. */
  readonly task: string;
  readonly dataset: string;
}
