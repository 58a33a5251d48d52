import {
  isDict,
  isList,
  isTensor,
  type TorchTensor,
  TorchTuple,
  type TorchValue,
  torchDict,
} from "../../../policies/checkpoint/torch-value.ts";
import { elementsOf, type NamedArray } from "../../../policies/named-array.ts";
import type { OptimiserState } from "../../learning/old-learner.ts";
import { RunError } from "../../runs/run-error.ts";

/**
 * What `torch.optim.Optimizer.state_dict()` gives for rsl_rl's student: its parameter 0 is the noise,
 * which distillation never moves and so has no moments; the network's parameters follow.
 */
export function toTorchOptimiser({ settings, step, moments }: OptimiserState): TorchValue {
  const entries = moments.map((moment, i): [number, TorchValue] => [
    i + 1,
    torchDict({ ...(step > 0 ? { step: scalar(step) } : {}), ...tensors(moment) }),
  ]);
  const hasState = step > 0 && moments.some((moment) => Object.keys(moment).length > 0);
  const group = torchDict({
    ...settingValues(settings),
    maximize: false,
    foreach: null,
    capturable: false,
    differentiable: false,
    fused: null,
    params: [0, ...moments.map((_, i) => i + 1)],
  });
  return torchDict({ state: new Map(hasState ? entries : []), param_groups: [group] });
}

/** The inverse; `name` and `step` of a rule without moments are not in such a file and are given. */
export function fromTorchOptimiser(
  value: TorchValue,
  known: Pick<OptimiserState, "name" | "step"> & { readonly momentNames: readonly string[] },
  shapes: readonly (readonly number[])[],
): OptimiserState {
  const state = isDict(value) ? value.get("state") : undefined;
  const groups = isDict(value) ? value.get("param_groups") : undefined;
  if (!isDict(state) || !isList(groups) || !isDict(groups[0])) throw notAnOptimiser("its keys");
  const moments = shapes.map((shape, i) => {
    const entry = state.get(i + 1);
    const named = known.momentNames.map((name): [string, NamedArray] => {
      const tensor = isDict(entry) ? entry.get(name) : undefined;
      // Before its first step torch keeps nothing: that is zeros.
      if (tensor === undefined && known.step === 0) return [name, zeros(shape)];
      if (!isTensor(tensor) || tensor.dtype !== "float32") throw notAnOptimiser(`${name} of ${i}`);
      return [name, { shape: tensor.shape, data: tensor.data as Float32Array }];
    });
    return Object.fromEntries(named);
  });
  return { name: known.name, step: known.step, settings: {}, moments };
}

function tensors(moment: Readonly<Record<string, NamedArray>>): Record<string, TorchTensor> {
  const named = Object.entries(moment).map(([name, { shape, data }]) => [
    name,
    { shape, dtype: "float32", data } as const,
  ]);
  return Object.fromEntries(named);
}

function scalar(value: number): TorchTensor {
  return { shape: [], dtype: "float32", data: Float32Array.of(value) };
}

function zeros(shape: readonly number[]): NamedArray {
  return { shape, data: new Float32Array(elementsOf(shape)) };
}

/** Python has tuples where JavaScript has arrays: Adam's `betas`. */
function settingValues(settings: Readonly<Record<string, unknown>>): Record<string, TorchValue> {
  const values = Object.entries(settings).map(([name, value]) => [
    name,
    Array.isArray(value) ? new TorchTuple(value) : (value as TorchValue),
  ]);
  return Object.fromEntries(values);
}

function notAnOptimiser(what: string): RunError {
  return new RunError(
    "bad-optimiser",
    `The checkpoint's optimizer_state_dict is not that of this run's optimiser: ${what} is not as expected.`,
    "Resume from another checkpoint of the run.",
  );
}
