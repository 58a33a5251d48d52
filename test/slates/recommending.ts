import type { Frame, StepResult } from "../../protocol/frame.ts";
import type { SimulationEnv } from "../../sim-adapters/inside/simulation-env.ts";
import { catalogueOf } from "../../sim-adapters/slates/items.ts";
import { itemsOf } from "../../sim-adapters/slates/items-word.ts";
import { openSlates } from "../../sim-adapters/slates/open-slates.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import { bitsOf } from "../mujoco/flying.ts";

export interface Recommending {
  readonly task?: string;
  readonly numEnvs?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export function recommend(options: Recommending = {}): Promise<SimulationEnv> {
  return openSlates({ task: "slates-diffuse_topdown", numEnvs: 1, ...options });
}

/** What a pilot knows of the items. */
export function itemsIn({ spec }: VectorEnv) {
  return { ...catalogueOf(itemsOf(spec)!), width: 20 };
}

/** Slates that depend on the environment and the turn alone; every third one crowded with one item. */
export function livelySlates(numEnvs: number, turn: number): Float32Array {
  return Float32Array.from({ length: 10 * numEnvs }, (_, k) => {
    const i = Math.floor(k / 10);
    const id = (i * 389 + turn * 71 + (k % 10) * 137) % 1000;
    return (i + turn) % 3 === 0 && k % 2 === 0 ? (i * 7) % 1000 : id;
  });
}

/** Bits of so many lively turns. */
export async function shownTo(env: VectorEnv, from: number, to: number): Promise<string[]> {
  const bits: string[] = [];
  for (let turn = from; turn < to; turn++) {
    bits.push(bitsOf(await env.step(livelySlates(env.spec.numEnvs, turn))));
  }
  return bits;
}

/** One user's numbers of a group. */
export function rowOf(
  { spec }: VectorEnv,
  said: Frame | StepResult,
  { group = "policy", i = 0 } = {},
): number[] {
  const frame = "frame" in said ? said.frame : said;
  const width = spec.observations[group]!.shape[0]!;
  return [...frame.observations[group]!.subarray(i * width, (i + 1) * width)];
}
