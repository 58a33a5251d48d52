import { backend, type DataType, getBackend, type Tensor } from "@tensorflow/tfjs-core";

/** Ids of what TensorFlow holds, and the calls that reach it: the part of tfjs-node's addon used here. */
export interface Binding {
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_STRING: number;
  createTensor(shape: readonly number[], dtype: number, values: TensorValues): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): Produced[];
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(session: number): void;
  /** Names are separated by commas, `node` or `node:output`. */
  runSavedModel(
    session: number,
    inputs: readonly number[],
    names: string,
    outputs: string,
  ): Produced[];
}

export type TensorValues = Float32Array | Int32Array | Uint8Array | readonly Uint8Array[];

export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

export interface Produced {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

/** What tfjs-node knows of a tensor's data. */
export interface TensorData {
  readonly shape: readonly number[];
  readonly dtype: number;
  /** In TensorFlow; −1 while `values` wait in JavaScript. */
  id: number;
  values: TensorValues | null;
  refCount: number;
}

export interface NodeBackend {
  binding: Binding;
  readonly isUsingGpuDevice: boolean;
  readonly tensorMap: { get(id: object): TensorData; set(id: object, data: TensorData): void };
  /** Hands over values that wait. */
  getInputTensorIds(tensors: readonly Tensor[]): number[];
  createOutputTensor(produced: Produced): Tensor;
  executeSingleInput(name: string, input: Tensor): Tensor;
  move(
    id: object,
    values: TensorValues,
    shape: number[],
    dtype: DataType,
    references: number,
  ): void;
}

/** tfjs-node's backend where it computes, else nothing. */
export function nativeBackend(): NodeBackend | undefined {
  if (getBackend() !== "tensorflow") return undefined;
  const native = backend() as unknown as NodeBackend;
  return typeof native.binding.loadSavedModel === "function" ? native : undefined;
}
