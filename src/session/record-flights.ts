import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import type { Algorithm } from "../algorithms/algorithm.ts";
import { ConfigError } from "../config/config-error.ts";
import { openRecording, type Recording } from "../training/recording.ts";
import type { TrainInput } from "./train-input.ts";

/** Where this session's flights are kept; undefined: nowhere. @throws ConfigError where nothing is flown */
export async function recordingFor(
  input: TrainInput,
  algorithm: Algorithm,
  env: VectorEnv | undefined,
): Promise<Recording | undefined> {
  checkRecord(input, algorithm, env !== undefined);
  return input.record === undefined ? undefined : openRecording(input.record, env!.spec);
}

export function checkRecord(
  { record }: TrainInput,
  { name, collects }: Algorithm,
  flies: boolean,
): void {
  if (record === undefined || (collects && flies)) return;
  throw new ConfigError(
    "no-effect",
    `--record ${record}: ${name} flies nothing that could be recorded`,
    "Drop it; `firstsolo record` flies a policy for that.",
  );
}
