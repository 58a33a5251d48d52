import { readFile, stat } from "node:fs/promises";
import type { Memory, Policy } from "../../policies/policy.ts";
import { PolicyError } from "../../policies/policy-error.ts";
import { parseJson } from "../../protocol/parse-json.ts";

/** Observations to fly on, and the actions somebody else's implementation gave for them. */
export interface Example {
  /** Time steps, each `[rows, width]`; a batch without time is one step. */
  readonly steps: readonly Float32Array[];
  readonly rows: number;
  readonly width: number;
  /** The inputs had an axis of time. */
  readonly sequence: boolean;
  /** In the form of `steps`, `[rows, actions]` each. */
  readonly outputs?: readonly Float32Array[];
  readonly outputWidth?: number;
  /** Largest absolute difference that counts as equal. */
  readonly tolerance: number;
  readonly activation?: string;
}

const BYTES = 256 * 2 ** 20;
const TOLERANCE = 1e-5;

/**
 * Reads a file of examples: JSON with `inputs` `[batch][component]` or
 * `[step][environment][component]`, and perhaps `outputs` in the same
 * form, `tolerance` and `activation`.
 *
 * @throws PolicyError `bad-example`
 */
export async function readExample(path: string): Promise<Example> {
  const root = parseObject(await readText(path), path);
  const inputs = readArray(root.inputs, "inputs", path);
  const outputs = root.outputs === undefined ? undefined : readArray(root.outputs, "outputs", path);
  if (outputs !== undefined && !sameRows(inputs, outputs)) {
    throw bad(path, `outputs have ${formOf(outputs)}, inputs ${formOf(inputs)}`);
  }
  const tolerance = root.tolerance ?? TOLERANCE;
  if (typeof tolerance !== "number" || !(tolerance >= 0)) {
    throw bad(path, `tolerance is ${JSON.stringify(tolerance)}, expected a number from 0`);
  }
  return {
    ...inputs,
    ...(outputs && { outputs: outputs.steps, outputWidth: outputs.width }),
    ...(typeof root.activation === "string" && { activation: root.activation }),
    tolerance,
  };
}

/** Steps as nested lists again, in the form that the inputs had. */
export function nested(steps: readonly Float32Array[], width: number, sequence: boolean) {
  const lists = steps.map((step) =>
    Array.from({ length: step.length / width }, (_, row) =>
      Array.from(step.subarray(row * width, (row + 1) * width)),
    ),
  );
  return sequence ? lists : (lists[0] ?? []);
}

type Steps = Pick<Example, "steps" | "rows" | "width" | "sequence">;

function readArray(value: unknown, name: string, path: string): Steps {
  if (!isList(value)) throw bad(path, `${name} is missing or empty, expected lists of numbers`);
  const sequence = isList(value[0]) && isList(value[0][0]);
  const steps = sequence ? value : [value];
  const first = steps[0];
  const rows = isList(first) ? first.length : 0;
  const width = isList(first) && isList(first[0]) ? first[0].length : 0;
  const arrays = steps.map((step, i) => {
    const where = sequence ? `${name}[${i}]` : name;
    if (!isList(step) || step.length !== rows) throw bad(path, `${where} has not ${rows} rows`);
    return Float32Array.from(
      step.flatMap((row, r) => {
        if (isList(row) && row.length === width && row.every(Number.isFinite)) return row;
        throw bad(path, `${where}[${r}] is not a list of ${width} numbers`);
      }) as number[],
    );
  });
  return { steps: arrays, rows, width, sequence };
}

function sameRows(a: Steps, b: Steps): boolean {
  return a.sequence === b.sequence && a.rows === b.rows && a.steps.length === b.steps.length;
}

function formOf({ steps, rows, width, sequence }: Steps): string {
  return `the form [${[...(sequence ? [steps.length] : []), rows, width].join(", ")}]`;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0;
}

async function readText(path: string): Promise<string> {
  try {
    const status = await stat(path);
    if (status.isFile() && status.size <= BYTES) return await readFile(path, "utf8");
  } catch (cause) {
    throw bad(path, `it can't be read: ${(cause as Error).message}`, cause);
  }
  throw bad(path, `it is not a file of at most ${BYTES} bytes`);
}

function parseObject(text: string, path: string): Record<string, unknown> {
  let root: unknown;
  try {
    root = parseJson(text, BYTES);
  } catch (cause) {
    throw bad(path, `it is not JSON: ${(cause as Error).message}`, cause);
  }
  if (typeof root === "object" && root !== null) return root as Record<string, unknown>;
  throw bad(path, "it is not a JSON object");
}

function bad(path: string, what: string, cause?: unknown): PolicyError {
  return new PolicyError(
    "bad-example",
    `${path}: ${what}`,
    "policies/teachers/*.json show the form: inputs, and perhaps outputs and tolerance.",
    { cause },
  );
}

/** What a policy does over an example; it reads the group `policy`. */
export async function actionsOf(policy: Policy, { steps, rows }: Example): Promise<Float32Array[]> {
  let memory: Memory = policy.initialMemory(rows);
  const actions: Float32Array[] = [];
  for (const [step, policyObservations] of steps.entries()) {
    const started = new Uint8Array(rows).fill(step === 0 ? 1 : 0);
    const flown = await policy.act(
      { observations: { policy: policyObservations }, started },
      memory,
    );
    memory = flown.memory;
    actions.push(flown.actions);
  }
  return actions;
}

/** NaN where an action is. */
export function largestDifference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let largest = 0;
  a.forEach((step, i) => {
    step.forEach((value, j) => {
      const difference = Math.abs(value - (b[i]?.[j] ?? Number.NaN));
      if (!(difference <= largest)) largest = difference;
    });
  });
  return largest;
}
