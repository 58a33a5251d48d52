import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Policy } from "../../policies/policy.ts";

export const teachersFolder = join(import.meta.dirname, "../../policies/teachers");
export const dataFolder = join(import.meta.dirname, "../data/checkpoints");

/** `[step][environment][component]`. */
export type Sequence = readonly (readonly (readonly number[])[])[];

export interface Example {
  readonly inputs: Sequence;
  readonly outputs: Sequence;
}

export const shippedTeachers = readdirSync(teachersFolder)
  .filter((name) => name.endsWith(".pt"))
  .map((name) => name.slice(0, -3));

/** The example beside a shipped teacher; a batch is one step. */
export function shippedExample(name: string): Example & { readonly tolerance: number } {
  const { inputs, outputs, tolerance } = readJson(join(teachersFolder, `${name}.json`));
  const sequence = Array.isArray(inputs[0][0]);
  return sequence
    ? { inputs, outputs, tolerance }
    : { inputs: [inputs], outputs: [outputs], tolerance };
}

export interface Case {
  readonly version: string;
  readonly activation: string;
  readonly iteration: number;
  readonly beta?: readonly [number, number];
  readonly networks: Readonly<Record<string, Example>>;
}

/**
 * What rsl_rl's own models, of several versions, gave for the checkpoints in
 * `test/data/checkpoints`.
 */
export const cases: Readonly<Record<string, Case>> = readJson(join(dataFolder, "cases.json"));

// biome-ignore lint/suspicious/noExplicitAny: files of known form
export function readJson(path: string): any {
  return JSON.parse(readFileSync(path, "utf8"));
}

export function readData(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(join(dataFolder, name)));
}

/** Largest absolute difference between a policy's actions over a sequence and the expected ones. */
export async function errorOf(policy: Policy, { inputs, outputs }: Example): Promise<number> {
  const rows = inputs[0]?.length ?? 0;
  let memory = policy.initialMemory(rows);
  let worst = 0;
  for (const [step, observations] of inputs.entries()) {
    const group = policy.reads[0] ?? "policy";
    const frame = {
      observations: { [group]: Float32Array.from(observations.flat()) },
      started: new Uint8Array(rows).fill(step === 0 ? 1 : 0),
    };
    const flown = await policy.act(frame, memory);
    memory = flown.memory;
    for (const [i, expected] of (outputs[step] ?? []).flat().entries()) {
      const difference = Math.abs(expected - (flown.actions[i] ?? Number.NaN));
      if (!(difference <= worst)) worst = difference;
    }
  }
  return worst;
}
