import type { Frame, StepResult } from "../../protocol/frame.ts";
import type { SimulationEnv } from "../../sim-adapters/inside/simulation-env.ts";
import { openPatient } from "../../sim-adapters/patient/open-patient.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import { bitsOf } from "../mujoco/flying.ts";

export interface Operation {
  readonly task?: string;
  readonly numEnvs?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Without noise and spread: what the models alone say. */
export const exact = {
  ...{ "noise.bis": 0, "noise.map": 0, "variability.kinetics": 0, "variability.response": 0 },
};

export function operate(options: Operation = {}): Promise<SimulationEnv> {
  return openPatient({ task: "anaesthesia", numEnvs: 1, ...options });
}

/** Rates that depend on the patient and the step alone, some beyond what pumps do. */
export function livelyRates(numEnvs: number, step: number): Float32Array {
  return Float32Array.from({ length: 2 * numEnvs }, (_, k) => {
    const wave = Math.sin(0.7 * Math.floor(k / 2) + 0.13 * step + (k % 2));
    return k % 2 === 0 ? 0.15 + 0.3 * wave : 0.3 + 0.7 * wave;
  });
}

/** Bits of so many lively steps. */
export async function flown(env: VectorEnv, from: number, to: number): Promise<string[]> {
  const bits: string[] = [];
  for (let step = from; step < to; step++) {
    bits.push(bitsOf(await env.step(livelyRates(env.spec.numEnvs, step))));
  }
  return bits;
}

/** One patient's numbers of a group, by name. */
export function shown(
  { spec }: VectorEnv,
  said: Frame | StepResult,
  { group = "policy", i = 0 } = {},
): Readonly<Record<string, number>> {
  const frame = "frame" in said ? said.frame : said;
  const names = spec.observations[group]!.names!;
  const row = frame.observations[group]!.subarray(i * names.length, (i + 1) * names.length);
  return Object.fromEntries(names.map((name, k) => [name, row[k]!]));
}
