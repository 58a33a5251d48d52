import { modelForm, type PortChoice } from "../../policies/onnx/model-memory.ts";
import { createOnnxPolicy, readOnnxFile } from "../../policies/onnx/onnx-policy.ts";
import { readOnnx } from "../../policies/onnx/read-onnx.ts";
import { PolicyError } from "../../policies/policy-error.ts";
import { actionsOf, type Example, largestDifference, nested } from "./inspect-example.ts";

export interface InspectOnnxOptions {
  readonly json?: boolean;
  readonly act?: string;
  readonly onnx_input?: string;
  readonly onnx_output?: string;
}

/** Prints what an ONNX policy is, and what it does with an example; exit code 1 where that differs. */
export async function inspectOnnx(
  file: string,
  example: Example | undefined,
  { json, act, onnx_input: input, onnx_output: output }: InspectOnnxOptions,
): Promise<void> {
  const bytes = await readOnnxFile(file);
  const facts = readOnnx(bytes, file);
  const ports = { input, output };
  const form = modelForm(facts.inputs, facts.outputs, file, ports);
  const report = {
    file,
    kind: "onnx",
    opset: facts.opset,
    producer: facts.producer,
    input: form.observations,
    output: form.actions,
    observation_width: form.observationWidth,
    action_width: form.actionWidth,
    memory: form.states.map((name) => ({ name, layers: form.layers, width: form.width })),
    parameters: facts.parameters,
    metadata: facts.metadata,
    ...(example && (await fly(bytes, file, { example, act: act ?? "", ports }))),
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
  {
    example,
    act,
    ports,
  }: { readonly example: Example; readonly act: string; readonly ports: PortChoice },
): Promise<Comparison> {
  const { policy, notes } = await createOnnxPolicy(bytes, {
    reads: ["policy"],
    where: file,
    ports,
  });
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
