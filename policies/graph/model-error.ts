import type { FlightExample } from "../flight-example.ts";
import type { NamedArrays } from "../named-array.ts";
import { memoryInputs, memoryWidths, modelForm, storeMemory } from "../onnx/model-memory.ts";
import type { PolicyGraph } from "./policy-graph.ts";

/** Computes a written model once: inputs by name to outputs by name. */
export type RunModel = (inputs: NamedArrays) => Promise<NamedArrays>;

/**
 * Largest difference between what a written model does over an example and what the policy did, in
 * units of the largest action where that is above 1. NaN counts as infinite.
 *
 * @param together all rows in one run, or one after the other
 */
export async function modelError(
  graph: PolicyGraph,
  { inputs, outputs }: FlightExample,
  { run, together }: { readonly run: RunModel; readonly together: boolean },
): Promise<number> {
  const form = modelForm(graph.inputs, graph.outputs, "the exported model");
  const [steps = 0, rows = 0, width = 0] = inputs.shape;
  const memory = memoryWidths(form).map((size) => new Float32Array(rows * size));
  const largest = Math.max(1, ...outputs.data.map(Math.abs));
  const share = together ? rows : 1;
  let error = 0;
  for (let row = 0; row < steps * rows; row += share) {
    const part = { from: row % rows, rows: share };
    const data = inputs.data.slice(row * width, (row + share) * width);
    const states = memoryInputs(form, memory, part);
    const found = await run({ obs: { shape: [share, width], data }, ...states });
    storeMemory(form, memory, found, part);
    const first = row * form.actionWidth;
    for (let i = 0; i < share * form.actionWidth; i++) {
      const value = found.actions?.data[i] ?? Number.NaN;
      const difference = Math.abs(value - outputs.data[first + i]!) / largest;
      if (!(difference <= error)) error = Number.isNaN(difference) ? Infinity : difference;
    }
  }
  return error;
}
