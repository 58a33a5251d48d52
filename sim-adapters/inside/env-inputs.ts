import { widthOf } from "../../protocol/env-spec.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { SimError } from "./sim-error.ts";

/** @throws SimError `bad-seed` unless it is a whole number below 2³² */
export function checkSeed(seed: number): void {
  if (Number.isInteger(seed) && seed >= 0 && seed <= 0xffff_ffff) return;
  const hint = "Give a whole number from 0 to 4294967295.";
  throw new SimError("bad-seed", `got the seed ${seed}`, { field: "seed", hint });
}

/** How a simulator speaks of its actions. */
export interface ActionWords {
  /** The next step where there are too many or too few, a whole sentence. */
  readonly row: string;
  /** What a component is to be. */
  readonly expected: string;
  /** How a component is called. */
  readonly component: (index: number, name: string | undefined) => string;
}

/** @throws SimError `bad-tensor`, `bad-value` unless there is a finite number for each component of each environment */
export function checkActions(
  actions: Float32Array,
  { numEnvs, action }: EnvSpec,
  words: ActionWords,
): void {
  const width = widthOf(action);
  const expected = numEnvs * width;
  if (actions.length !== expected) {
    const message =
      `got ${actions.length} numbers, ` +
      `expected ${numEnvs} environments × ${width} = ${expected}`;
    const detail = { field: "actions", hint: words.row };
    throw new SimError("bad-tensor", `actions: ${message}`, detail);
  }
  // Zero, unless one of them is no number: without a call for each.
  let poison = 0;
  for (let k = 0; k < expected; k++) poison += actions[k]! * 0;
  if (poison === 0) return;
  const at = actions.findIndex((value) => !Number.isFinite(value));
  const component = words.component(at % width, action.names?.[at % width]);
  const where = `environment ${Math.floor(at / width)}, ${component}`;
  const message = `actions: ${where} is ${actions[at]}, expected ${words.expected}`;
  const hint = "The policy diverged: lower the learning rate.";
  throw new SimError("bad-value", message, { field: "actions", hint });
}
