import { createRequire } from "node:module";
import type { NamedArray, NamedArrays } from "../named-array.ts";
import { CheckpointError, PolicyError } from "../policy-error.ts";

/** A model ready to compute. */
export interface OnnxSession {
  /** Inputs by name to outputs by name. */
  run(inputs: NamedArrays): Promise<NamedArrays>;
  dispose(): void;
}

/** As much of onnxruntime-node as is used. */
interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<NativeSession>;
  };
  readonly Tensor: new (
    type: "float32",
    data: Float32Array,
    shape: readonly number[],
  ) => NativeTensor;
}

interface NativeSession {
  run(
    feeds: Readonly<Record<string, NativeTensor>>,
  ): Promise<Readonly<Record<string, NativeTensor>>>;
  release(): Promise<void>;
}

interface NativeTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** The optional package, where it is installed. */
export function findOnnxRuntime(): Runtime | undefined {
  const require = createRequire(import.meta.url);
  try {
    return require("onnxruntime-node") as Runtime;
  } catch {
    return undefined;
  }
}

/**
 * Makes a model ready, on one thread: policies are small.
 *
 * @param where what to call the file in messages
 * @throws PolicyError `no-onnxruntime`, CheckpointError `damaged-onnx`
 */
export async function openOnnx(model: Uint8Array, where: string): Promise<OnnxSession> {
  const runtime = findOnnxRuntime();
  if (runtime === undefined) {
    throw new PolicyError(
      "no-onnxruntime",
      `${where}: the package onnxruntime-node, which flies ONNX models, is not installed or does not start`,
      "Install it where firstsolo is: npm install --ignore-scripts onnxruntime-node; or give a .pt checkpoint.",
    );
  }
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 };
  const session = await orExplain(where, "can't be made ready", () =>
    runtime.InferenceSession.create(model, options),
  );
  return {
    run: (inputs) => run(runtime, session, inputs, where),
    dispose: () => void session.release().catch(() => undefined),
  };
}

async function run(
  { Tensor }: Runtime,
  session: NativeSession,
  inputs: NamedArrays,
  where: string,
): Promise<NamedArrays> {
  const feeds = Object.entries(inputs).map(
    ([name, { shape, data }]) => [name, new Tensor("float32", data, shape)] as const,
  );
  const found = await orExplain(where, "can't be computed", () =>
    session.run(Object.fromEntries(feeds)),
  );
  const outputs = Object.entries(found).map(([name, { data, dims }]) => {
    if (data instanceof Float32Array) return [name, { shape: dims, data }] as const;
    throw explained(where, `its output ${name} is not float32`);
  });
  return Object.fromEntries<NamedArray>(outputs);
}

async function orExplain<T>(where: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const reason = String((cause as Error)?.message ?? cause).slice(0, 300);
    throw explained(where, `${what}: ${reason}`, cause);
  }
}

function explained(where: string, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    "damaged-onnx",
    `${where} ${what}`,
    "Export it again; the models of Isaac Lab and rsl_rl are supported.",
    { cause },
  );
}
