import {
  isDict,
  isList,
  isTensor,
  type TorchTensor,
  TorchTuple,
  type TorchValue,
  torchDict,
} from "../../../policies/checkpoint/torch-value.ts";
import { elementsOf, type NamedArray, type NamedArrays } from "../../../policies/named-array.ts";
import { rules } from "../../learning/rules.ts";
import { RunError } from "../../runs/run-error.ts";
import type { OptimiserCounters, OptimiserFacts } from "./run-facts.ts";

/**
 * What `torch.optim.Optimizer.state_dict()` gives for rsl_rl's student: its parameter 0 is the noise,
 * which distillation never moves and so has no moments; the network's parameters follow.
 *
 * @param moments by parameter, in their order
 */
export function toTorchOptimiser(
  { rule, step, learningRate = 0 }: OptimiserCounters,
  moments: readonly NamedArrays[],
): TorchValue {
  const entries = moments.map((moment, i): [number, TorchValue] => [
    i + 1,
    torchDict({ ...(step > 0 ? { step: scalar(step) } : {}), ...tensors(moment) }),
  ]);
  const hasState = step > 0 && moments.some((moment) => Object.keys(moment).length > 0);
  const group = torchDict({
    ...settingValues({ lr: learningRate, ...rules[rule].settings }),
    maximize: false,
    foreach: null,
    capturable: false,
    differentiable: false,
    fused: null,
    params: [0, ...moments.map((_, i) => i + 1)],
  });
  return torchDict({ state: new Map(hasState ? entries : []), param_groups: [group] });
}

/**
 * The inverse, as `MOMENT/PARAMETER`; `name` and `step` of a rule without moments are not in such a file
 * and are given.
 *
 * @param shapes of the parameters, in their order
 */
export function fromTorchOptimiser(
  value: TorchValue,
  known: OptimiserFacts,
  shapes: readonly (readonly [name: string, shape: readonly number[]])[],
): NamedArrays {
  const state = isDict(value) ? value.get("state") : undefined;
  const groups = isDict(value) ? value.get("param_groups") : undefined;
  if (!isDict(state) || !isList(groups) || !isDict(groups[0])) throw notAnOptimiser("its keys");
  const arrays: Record<string, NamedArray> = {};
  for (const [i, [parameter, shape]] of shapes.entries()) {
    const entry = state.get(i + 1);
    for (const name of known.momentNames) {
      const tensor = isDict(entry) ? entry.get(name) : undefined;
      // Before its first step torch keeps nothing: that is zeros.
      if (tensor === undefined && known.step === 0) arrays[`${name}/${parameter}`] = zeros(shape);
      else if (!isTensor(tensor) || tensor.dtype !== "float32") {
        throw notAnOptimiser(`${name} of ${i}`);
      } else {
        arrays[`${name}/${parameter}`] = { shape: tensor.shape, data: tensor.data as Float32Array };
      }
    }
  }
  return arrays;
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
