import type { ObservationArray, Observations } from "../protocol/frame.ts";
import type { Memory, Policy } from "./policy.ts";
import { PolicyError } from "./policy-error.ts";

/**
 * The groups that a policy reads side by side, `[rows, observationWidth]`: a fresh array. Bytes of pictures
 * keep their values, 0 to 255.
 *
 * @throws PolicyError `missing-group`, `observation-width`
 */
export function gatherGroups(
  { reads, observationWidth: width }: Pick<Policy, "reads" | "observationWidth">,
  observations: Observations,
  rows: number,
): Float32Array {
  const groups = reads.map((name) => groupNamed(name, observations));
  const found = groups.reduce((sum, group) => sum + group.length, 0);
  if (found !== rows * width || groups.some((group) => group.length % rows !== 0)) {
    const widths = groups.map((group, i) => `${reads[i]}: ${group.length / rows}`);
    throw new PolicyError(
      "observation-width",
      `the observations ${widths.join(", ")} do not make up the width ${width} that the policy reads`,
      "Name other observation groups for this policy, or use the task that it was trained on.",
    );
  }
  const [only] = groups;
  if (groups.length === 1 && only !== undefined) return Float32Array.from(only);
  const gathered = new Float32Array(rows * width);
  let column = 0;
  for (const group of groups) {
    const share = group.length / rows;
    for (let row = 0; row < rows; row++) {
      gathered.set(group.subarray(row * share, (row + 1) * share), row * width + column);
    }
    column += share;
  }
  return gathered;
}

/**
 * A copy of the memory, zero where an episode has started.
 *
 * @param widths of each state
 * @throws PolicyError `memory-mismatch`
 */
export function startedAnew(
  memory: Memory,
  widths: readonly number[],
  started: Uint8Array,
): Memory {
  const fits =
    memory.length === widths.length &&
    memory.every((state, i) => state.length === started.length * (widths[i] ?? 0));
  if (!fits) {
    throw new PolicyError(
      "memory-mismatch",
      `memory of sizes ${memory.map((state) => state.length).join(", ") || "none"}, expected ${started.length} rows of widths ${widths.join(", ") || "none"}`,
      "Start from initialMemory, and hand on the memory that the last step gave.",
    );
  }
  return memory.map((state, i) => {
    const copy = state.slice();
    const width = widths[i] ?? 0;
    started.forEach((first, row) => {
      if (first !== 0) copy.fill(0, row * width, (row + 1) * width);
    });
    return copy;
  });
}

function groupNamed(name: string, observations: Observations): ObservationArray {
  const group = Object.hasOwn(observations, name) ? observations[name] : undefined;
  if (group !== undefined) return group;
  throw new PolicyError(
    "missing-group",
    `the policy reads the observation group ${JSON.stringify(name)}; the simulator sends ${Object.keys(observations).join(", ")}`,
    "Name one of those groups for this policy, or use the task that it was trained on.",
  );
}

/** `[rows, width of both]`: a fresh array. */
export function sideBySide(left: Float32Array, right: Float32Array, rows: number): Float32Array {
  const [a, b] = [left.length / rows, right.length / rows];
  const joined = new Float32Array(left.length + right.length);
  for (let row = 0; row < rows; row += 1) {
    joined.set(left.subarray(row * a, (row + 1) * a), row * (a + b));
    joined.set(right.subarray(row * b, (row + 1) * b), row * (a + b) + a);
  }
  return joined;
}

/** The last `kept` columns of each row: a fresh array. */
export function lastColumns(values: Float32Array, rows: number, kept: number): Float32Array {
  const width = values.length / rows;
  const cut = new Float32Array(rows * kept);
  for (let row = 0; row < rows; row += 1) {
    cut.set(values.subarray((row + 1) * width - kept, (row + 1) * width), row * kept);
  }
  return cut;
}
