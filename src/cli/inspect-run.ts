import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import type { RslRlCheckpoint } from "../../policies/checkpoint/rsl-rl.ts";
import { CheckpointError, PolicyError } from "../../policies/policy-error.ts";
import { algorithms } from "../algorithms/registry.ts";
import { RunError } from "../runs/run-error.ts";

/** What a checkpoint of a run holds that is no policy file. */
export interface DescribedRun {
  readonly kind: "described";
  readonly algorithm: string;
  readonly iteration: number;
  readonly facts: readonly (readonly [label: string, text: string])[];
}

/** A checkpoint with a network that flies by itself, or what its algorithm tells of one without. */
export function readAnyCheckpoint(file: string): Promise<RslRlCheckpoint | DescribedRun> {
  return checkpointOr(file, describedRun);
}

/** A checkpoint with a network that flies by itself, else what somebody else makes of the file. */
export async function checkpointOr<T>(
  file: string,
  other: (file: string) => Promise<T | undefined>,
): Promise<RslRlCheckpoint | T> {
  try {
    return await readCheckpointFile(file);
  } catch (error) {
    if (!(error instanceof CheckpointError && error.code === "not-rsl-rl")) throw error;
    const found = await other(file);
    if (found === undefined) throw error;
    return found;
  }
}

/** Asks the algorithms whose checkpoints are their own; nothing where it is nobody's. */
export async function describedRun(file: string): Promise<DescribedRun | undefined> {
  for (const { name, read, describe } of algorithms) {
    if (!describe) continue;
    try {
      const saved = await read(file);
      const { iteration } = saved.state.progress;
      return { kind: "described", algorithm: name, iteration, facts: describe(saved) };
    } catch (error) {
      if (!(error instanceof RunError && error.code === "not-our-run")) throw error;
    }
  }
  return undefined;
}

/** Prints it. @throws PolicyError where something is to be flown: that takes its own simulator */
export function inspectRun(
  file: string,
  { algorithm, iteration, facts }: DescribedRun,
  { act, json }: { readonly act?: string; readonly json?: boolean },
): void {
  if (act !== undefined) {
    throw new PolicyError(
      "bad-example",
      `${file} is a run of ${algorithm}, which is no single network that an example could be flown on`,
      "Fly it: firstsolo eval RUN.",
    );
  }
  if (json) {
    console.log(JSON.stringify({ file, kind: algorithm, iteration, ...Object.fromEntries(facts) }));
    return;
  }
  const rows = facts.map(([label, text]) => `  ${label.padEnd(14)} ${text}`);
  console.log([`${file}: a run of ${algorithm}, iteration ${iteration}`, ...rows].join("\n"));
}
