import { createRequire } from "node:module";
import type { Port } from "../graph/policy-graph.ts";
import type { NamedArray, NamedArrays } from "../named-array.ts";
import { CheckpointError, PolicyError } from "../policy-error.ts";

/** A model ready to compute. */
export interface OnnxSession {
  /** Inputs by name to outputs by name, those of float32. */
  run(inputs: NamedArrays, more?: HeldInputs): Promise<NamedArrays>;
  dispose(): void;
}

/** Inputs that are given zeros. */
export interface HeldInputs {
  readonly held: readonly Port[];
  /** What `"batch"` in their shapes stands for. */
  readonly rows: number;
}

/** As much of onnxruntime-node as is used. */
interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<NativeSession>;
  };
  readonly Tensor: new (
    type: string,
    data: Float32Array | Int32Array | BigInt64Array | Float64Array | Uint8Array,
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
    run: (inputs, more) => run({ runtime, session, where }, inputs, more),
    dispose: () => void session.release().catch(() => undefined),
  };
}

interface Opened {
  readonly runtime: Runtime;
  readonly session: NativeSession;
  readonly where: string;
}

async function run(
  { runtime: { Tensor }, session, where }: Opened,
  inputs: NamedArrays,
  { held, rows }: HeldInputs = { held: [], rows: 1 },
): Promise<NamedArrays> {
  const feeds = [
    ...Object.entries(inputs).map(
      ([name, { shape, data }]) => [name, new Tensor("float32", data, shape)] as const,
    ),
    ...held.map((port) => [port.name, zeros(Tensor, port, rows, where)] as const),
  ];
  const found = await orExplain(where, "can't be computed", () =>
    session.run(Object.fromEntries(feeds)),
  );
  const outputs = Object.entries(found).flatMap(([name, { data, dims }]) =>
    data instanceof Float32Array ? [[name, { shape: dims, data }] as const] : [],
  );
  return Object.fromEntries<NamedArray>(outputs);
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const;
/** Elements of an input that is held at 0. */
const HELD = 2 ** 22;

function zeros(
  Tensor: Runtime["Tensor"],
  { name, shape, type = "float32" }: Port,
  rows: number,
  where: string,
): NativeTensor {
  const dims = shape.map((size) => (size === "batch" ? rows : size));
  const size = dims.reduce((product, dim) => product * dim, 1);
  const Elements = Object.hasOwn(ARRAYS, type) ? ARRAYS[type as keyof typeof ARRAYS] : undefined;
  if (Elements !== undefined && size <= HELD) return new Tensor(type, new Elements(size), dims);
  throw explained(where, `has the input ${name.slice(0, 60)} of ${type}, which can't be held at 0`);
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
