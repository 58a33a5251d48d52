import { modelForm } from "../../policies/onnx/model-memory.ts";
import { createOnnxPolicy, readOnnxFile } from "../../policies/onnx/onnx-policy.ts";
import { readOnnx } from "../../policies/onnx/read-onnx.ts";
import { PolicyError } from "../../policies/policy-error.ts";
import { actionsOf, type Example, largestDifference, nested } from "./inspect-example.ts";

/** Prints what an ONNX policy is, and what it does with an example; exit code 1 where that differs. */
export async function inspectOnnx(
  file: string,
  example: Example | undefined,
  { json, act }: { readonly json?: boolean; readonly act?: string },
): Promise<void> {
  const bytes = await readOnnxFile(file);
  const facts = readOnnx(bytes, file);
  const form = modelForm(facts.inputs, facts.outputs, file);
  const report = {
    file,
    kind: "onnx",
    opset: facts.opset,
    producer: facts.producer,
    observation_width: form.observationWidth,
    action_width: form.actionWidth,
    memory: form.states.map((name) => ({ name, layers: form.layers, width: form.width })),
    parameters: facts.parameters,
    metadata: facts.metadata,
    ...(example && (await fly(bytes, file, { example, act: act ?? "" }))),
  };
  console.log(json ? JSON.stringify(report) : asText(report));
  const { max_abs_error, tolerance = 0 } = report;
  if (max_abs_error !== undefined && !(max_abs_error <= tolerance)) process.exitCode = 1;
}

interface Comparison {
  readonly notes: readonly string[];
  readonly actions: unknown;
  /** Absent where the example has no outputs. */
  readonly max_abs_error?: number;
  readonly tolerance?: number;
}

async function fly(
  bytes: Uint8Array,
  file: string,
  { example, act }: { readonly example: Example; readonly act: string },
): Promise<Comparison> {
  const { policy, notes } = await createOnnxPolicy(bytes, { reads: ["policy"], where: file });
  try {
    const { observationWidth, actionWidth } = policy;
    const fits = example.width === observationWidth;
    if (!fits || (example.outputWidth ?? actionWidth) !== actionWidth) {
      throw new PolicyError(
        "bad-example",
        `${act}: ${example.width} observations and ${example.outputWidth ?? actionWidth} actions, the policy has ${observationWidth} and ${actionWidth}`,
        "Give observations of the task that the policy was trained on.",
      );
    }
    const flown = await actionsOf(policy, example);
    const actions = nested(flown, actionWidth, example.sequence);
    if (example.outputs === undefined) return { notes, actions };
    const max_abs_error = largestDifference(flown, example.outputs);
    return { notes, actions, max_abs_error, tolerance: example.tolerance };
  } finally {
    policy.dispose();
  }
}

function asText(report: Readonly<Record<string, unknown>>): string {
  const { file, ...rest } = report;
  const lines = Object.entries(rest).map(([name, value]) => {
    const text = typeof value === "object" ? JSON.stringify(value) : `${value}`;
    return `  ${name.padEnd(18)} ${text}`;
  });
  return [`${file}:`, ...lines].join("\n");
}
