import { engine, keep, type Tensor, tidy, type Variable } from "@tensorflow/tfjs-core";
import type { NodeBackend } from "./native-backend.ts";
import { Recorder } from "./recorder.ts";
import type { Recording, TensorType } from "./recording.ts";

/** What is traced, and what its errors call it. */
export interface Traced {
  readonly name: string;
  readonly state: readonly Variable[];
  readonly inputs: readonly Tensor[];
  run(inputs: readonly Tensor[]): Tensor[];
  /** Looks at what was written down; what it throws undoes the call. */
  accept(recording: Recording): void;
}

/**
 * Runs a function once, operation by operation, and writes down what it does. Its outputs are real, its
 * assignments done: the first call of a program is this one. After an error the state is as before.
 *
 * @throws EngineError `not-traceable`, naming the operation and why
 */
export function trace(native: NodeBackend, traced: Traced): Tensor[] {
  const { state } = traced;
  const before = state.map((variable) => keep(variable.clone()));
  const count = engine().memory().numTensors;
  try {
    return tidy(() => {
      const inputs = ownIds(native, traced);
      const recorder = new Recorder(native, traced.name);
      for (const [i, id] of native.getInputTensorIds(inputs).entries()) {
        recorder.know(id, `in${i}`, inputs[i]!.shape);
      }
      const held = native.getInputTensorIds(state);
      for (const [i, id] of held.entries()) recorder.know(id, `st${i}`, state[i]!.shape);
      const outputs = recorder.during(state, () =>
        tidy(() => traced.run(inputs).map((output) => output.clone())),
      );
      const left = engine().memory().numTensors - count - inputs.length - outputs.length;
      if (left > 0) {
        throw recorder.refusal(
          `it keeps ${left} tensors beyond the call`,
          "Give them back as outputs, or assign them to variables of the state.",
        );
      }
      traced.accept(conclude(recorder, { native, state, held, inputs, outputs }));
      return outputs;
    });
  } catch (error) {
    for (const [i, variable] of state.entries()) variable.assign(before[i]!);
    throw error;
  } finally {
    for (const value of before) value.dispose();
  }
}

/** Two of them may share one tensor today and not tomorrow: each gets an id of its own. */
function ownIds(native: NodeBackend, { state, inputs }: Traced): Tensor[] {
  const copy = (tensor: Tensor) => native.executeSingleInput("Identity", tensor);
  for (const variable of state) {
    const value = copy(variable);
    variable.assign(value);
    value.dispose();
  }
  return inputs.map(copy);
}

interface Ends {
  readonly native: NodeBackend;
  readonly state: readonly Variable[];
  /** Ids of the state before the call. */
  readonly held: readonly number[];
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

function conclude(recorder: Recorder, ends: Ends): Recording {
  const { native, state, held, inputs, outputs } = ends;
  const assigned = new Map<number, string>();
  const now = recorder.during([], () => native.getInputTensorIds(state));
  for (const [i, id] of now.entries()) {
    if (id !== held[i]) assigned.set(i, recorder.sourceOf(id, `the new value of state ${i}`));
  }
  const given = recorder.during([], () => native.getInputTensorIds(outputs));
  return {
    inputs: inputs.map((tensor) => typeOf(native, tensor)),
    operations: recorder.operations,
    constants: recorder.constants,
    shapes: recorder.shapes,
    outputs: outputs.map((tensor, i) => ({
      source: recorder.sourceOf(given[i]!, `output ${i}`),
      ...typeOf(native, tensor),
    })),
    assigned,
  };
}

export function typeOf(native: NodeBackend, { dataId, shape }: Tensor): TensorType {
  const { dtype } = native.tensorMap.get(dataId);
  return { shape, dtype };
}
