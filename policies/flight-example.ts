import type { NamedArray } from "./named-array.ts";
import { NetworkPolicy } from "./networks/network-policy.ts";
import { CheckpointError } from "./policy-error.ts";
import { Random } from "./random.ts";

/** Observations and what a policy did with them: kept beside its weights, compared when they are loaded. */
export interface FlightExample {
  /** `[steps, rows, observationWidth]`, raw observations; memory is zero before the first step. */
  readonly inputs: NamedArray;
  /** `[steps, rows, actionWidth]`, mean actions. */
  readonly outputs: NamedArray;
}

/** Engines and devices differ by less; another activation or weight by more. */
const tolerance = 1e-4;
const ROWS = 4;
/** So that what is remembered counts. */
const STEPS = 3;
const SEED = 20;

/** Flies a policy on observations as its normaliser has seen them, or else of unit size, and on any bytes of pictures. */
export async function recordExample(policy: NetworkPolicy): Promise<FlightExample> {
  const steps = policy.network.memoryWidths.length > 0 ? STEPS : 1;
  const width = policy.observationWidth;
  const seen = policy.normaliser?.state();
  const random = new Random(SEED);
  const data = Float32Array.from({ length: steps * ROWS * width }, (_, i) => {
    const column = i % width;
    if (policy.network.isByte?.(column)) return Math.floor(256 * random.uniform());
    return (seen?.mean[column] ?? 0) + (seen?.std[column] ?? 1) * random.normal();
  });
  const inputs = { shape: [steps, ROWS, width], data };
  return { inputs, outputs: await outputsFor(policy, inputs) };
}

/**
 * @param where what to call the policy in messages, e.g. `model_50.pt: its student`
 * @throws CheckpointError `example-mismatch` when the policy doesn't do what was saved
 */
export async function checkExample(
  policy: NetworkPolicy,
  example: FlightExample,
  where: string,
): Promise<void> {
  const { inputs, outputs } = example;
  if (inputs.shape[2] !== policy.observationWidth || outputs.shape[2] !== policy.actionWidth) {
    throw mismatch(
      where,
      `its example has ${inputs.shape[2]} observations and ${outputs.shape[2]} actions, the network ${policy.observationWidth} and ${policy.actionWidth}`,
    );
  }
  const flown = await outputsFor(policy, inputs);
  const largest = Math.max(1, ...outputs.data.map(Math.abs));
  let error = 0;
  flown.data.forEach((value, i) => {
    const difference = Math.abs(value - outputs.data[i]!) / largest;
    if (!(difference <= error)) error = difference;
  });
  if (error <= tolerance) return;
  throw mismatch(
    where,
    `its actions are off by ${error.toExponential(1)} from the example it carries, at most ${tolerance.toExponential()} is accepted`,
  );
}

async function outputsFor(policy: NetworkPolicy, inputs: NamedArray): Promise<NamedArray> {
  const { network, normaliser, actionWidth } = policy;
  const [steps = 0, rows = 0, width = 0] = inputs.shape;
  // One group, whatever the policy reads: the example knows no groups.
  const flier = new NetworkPolicy({ network, normaliser, reads: ["example"] });
  const data = new Float32Array(steps * rows * actionWidth);
  let memory = flier.initialMemory(rows);
  for (let step = 0; step < steps; step++) {
    const seen = inputs.data.subarray(step * rows * width, (step + 1) * rows * width);
    const frame = { observations: { example: seen }, started: new Uint8Array(rows) };
    const flown = await flier.act(frame, memory);
    data.set(flown.actions, step * rows * actionWidth);
    memory = flown.memory;
  }
  return { shape: [steps, rows, actionWidth], data };
}

function mismatch(where: string, what: string): CheckpointError {
  return new CheckpointError(
    "example-mismatch",
    `${where}: the weights or the activation are not what was saved: ${what}`,
    "Leave the activation as it was (no --activation, policy.activation as in params/agent.yaml), or use another checkpoint of the run.",
  );
}
