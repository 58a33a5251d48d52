import type { Variable } from "@tensorflow/tfjs-core";
import type { NodeBackend, Produced, TensorData } from "./native-backend.ts";

/** Of data that changed in place, what it is now. */
const versions = new WeakMap<TensorData, object>();

/** Changes with whatever changes the variable's value: two that are the same mean that nobody did. */
export function versionOf(native: NodeBackend, variable: Variable): object {
  const data = native.tensorMap.get(variable.dataId);
  return versions.get(data) ?? data;
}

/** As `variable.assign`, at a tenth of its cost where nobody else holds the old value. */
export function replaceValue(native: NodeBackend, variable: Variable, value: Produced): void {
  const data = native.tensorMap.get(variable.dataId);
  if (data.refCount > 1) {
    const tensor = native.createOutputTensor(value);
    variable.assign(tensor);
    tensor.dispose();
    return;
  }
  if (!isDeferred(data) && data.id >= 0) native.binding.deleteTensor(data.id);
  settle(data, value.id);
  versions.set(data, {});
}

/**
 * The variable has a value that is fetched when somebody looks: tfjs-node asks for the `id` then.
 *
 * @param fetch gives the id of a tensor with that value; called once at most
 * @returns what to call `look` with before that value is gone
 */
export function deferValue(
  native: NodeBackend,
  variable: Variable,
  fetch: () => number,
): TensorData {
  const { dtype } = native.tensorMap.get(variable.dataId);
  replaceValue(native, variable, { id: -1, shape: variable.shape, dtype });
  const data = native.tensorMap.get(variable.dataId);
  Object.defineProperty(data, "id", {
    configurable: true,
    enumerable: true,
    get() {
      const id = fetch();
      settle(data, id);
      return id;
    },
  });
  return data;
}

/** Fetches what was deferred. */
export function look(data: TensorData): void {
  if (isDeferred(data)) void data.id;
}

function isDeferred(data: TensorData): boolean {
  return Object.getOwnPropertyDescriptor(data, "id")?.get !== undefined;
}

function settle(data: TensorData, id: number): void {
  const property = { configurable: true, enumerable: true, writable: true, value: id };
  Object.defineProperty(data, "id", property);
  data.values = null;
}
