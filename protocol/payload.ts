import { isPicture, widthOf } from "./env-spec.ts";
import { ProtocolError } from "./errors.ts";
import type { Frame, ObservationArray, Observations, StepResult } from "./frame.ts";
import { type Layout, layoutOf, teacherTensor } from "./layout.ts";
import { limits } from "./limits.ts";
import type { Replies } from "./messages.ts";
import type { Dtype, EnvSpec, TensorSpec } from "./spec.ts";
import { dtypeOf, type Tensor, type Tensors } from "./tensor.ts";

/** Between tensors that travelled and the frames and actions of the contracts; protocol/README.md §5. */

/** Frame → tensors; a frame of which every row starts an episode leaves `started` out. */
export function fromFrame(frame: Frame, spec: EnvSpec): Record<string, Tensor> {
  const layout = layoutOf(spec);
  const tensors = sentObservations(frame.observations, layout);
  addTeacher(tensors, frame, layout);
  if (!frame.started.every((flag) => flag === 1)) tensors.started = rows(frame.started);
  return tensors;
}

/** @throws ProtocolError naming the tensor, and for a value that is not finite its environment and component. */
export function toFrame(tensors: Tensors, spec: EnvSpec): Frame {
  const layout = layoutOf(spec);
  refuseOthers(tensors, layout.inFrame);
  const observations = toObservations(tensors, layout);
  const started =
    tensors.started === undefined
      ? new Uint8Array(spec.numEnvs).fill(1)
      : flags(tensors, "started", layout);
  const frame: Open<Frame> = { observations, started };
  if (layout.taught) frame.teacherActions = toTeacher(tensors, spec, layout);
  return frame;
}

export function fromStepResult(result: StepResult, spec: EnvSpec): Record<string, Tensor> {
  const { frame, rewards, terminated, truncated, final } = result;
  const layout = layoutOf(spec);
  const tensors = sentObservations(frame.observations, layout);
  tensors.reward = rows(rewards);
  tensors.terminated = rows(terminated);
  tensors.truncated = rows(truncated);
  addTeacher(tensors, frame, layout);
  if (final === undefined || final.rows.length === 0) return tensors;
  tensors["final/rows"] = rows(final.rows);
  for (const { group, final: name, shape } of layout.groups) {
    const data = final.observations[group] ?? missing(name);
    tensors[name] = { shape: [final.rows.length, ...shape.slice(1)], data };
  }
  return tensors;
}

/** @throws ProtocolError as `toFrame`. */
export function toStepResult(
  header: Replies["result"],
  tensors: Tensors,
  spec: EnvSpec,
): StepResult {
  const layout = layoutOf(spec);
  refuseOthers(tensors, layout.inResult);
  const terminated = flags(tensors, "terminated", layout);
  const truncated = flags(tensors, "truncated", layout);
  const started = new Uint8Array(spec.numEnvs);
  let ended = 0;
  for (let i = 0; i < started.length; i++) {
    started[i] = terminated[i]! | truncated[i]!;
    ended += started[i]!;
  }
  const final = toFinal(tensors, layout, { started, ended });
  const frame: Open<Frame> = { observations: toObservations(tensors, layout), started };
  if (layout.taught) frame.teacherActions = toTeacher(tensors, spec, layout);
  const rewards = floats(tensors, "reward", layout.rows);
  const result: Open<StepResult> = { frame, rewards, terminated, truncated };
  if (final !== undefined) result.final = final;
  if (header.log !== undefined) result.log = header.log;
  if (header.timing !== undefined) result.timing = header.timing;
  return result;
}

/** While it is put together. */
type Open<T> = { -readonly [K in keyof T]: T[K] };

export function fromActions(actions: Float32Array, spec: EnvSpec): Record<string, Tensor> {
  return { actions: { shape: layoutOf(spec).actions, data: actions } };
}

/** @throws ProtocolError as `toFrame`. */
export function toActions(tensors: Tensors, spec: EnvSpec): Float32Array {
  refuseOthers(tensors, ["actions"]);
  return floats(tensors, "actions", layoutOf(spec).actions, spec.action);
}

export function fromState(state: Uint8Array): Record<string, Tensor> {
  return { state: rows(state) };
}

export function toState(tensors: Tensors): Uint8Array {
  refuseOthers(tensors, ["state"]);
  return take(tensors, "state", "|u1", undefined) as Uint8Array;
}

function rows(data: Tensor["data"]): Tensor {
  return { shape: [data.length], data };
}

function sentObservations(observations: Observations, { groups }: Layout): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (let i = 0; i < groups.length; i++) {
    const { group, obs, shape } = groups[i]!;
    tensors[obs] = { shape, data: observations[group] ?? missing(obs) };
  }
  return tensors;
}

function addTeacher(
  tensors: Record<string, Tensor>,
  { teacherActions }: Frame,
  { taught, actions }: Layout,
): void {
  if (!taught) return;
  tensors[teacherTensor] = { shape: actions, data: teacherActions ?? missing(teacherTensor) };
}

function toTeacher(tensors: Tensors, { action }: EnvSpec, { actions }: Layout): Float32Array {
  return floats(tensors, teacherTensor, actions, action);
}

function toObservations(tensors: Tensors, { groups }: Layout): Observations {
  const observations: Record<string, ObservationArray> = {};
  for (let i = 0; i < groups.length; i++) {
    const { group, obs, shape, spec } = groups[i]!;
    observations[group] = observation(tensors, obs, shape, spec);
  }
  return observations;
}

/** A picture's bytes are all of them values. */
function observation(
  tensors: Tensors,
  name: string,
  shape: readonly number[],
  spec: TensorSpec,
): ObservationArray {
  if (isPicture(spec)) return take(tensors, name, "|u1", shape) as Uint8Array;
  return floats(tensors, name, shape, spec);
}

function toFinal(
  tensors: Tensors,
  { groups }: Layout,
  { started, ended }: { readonly started: Uint8Array; readonly ended: number },
): StepResult["final"] {
  if (tensors["final/rows"] === undefined) {
    if (groups.every(({ final }) => tensors[final] === undefined)) return undefined;
    return missing("final/rows");
  }
  const found = take(tensors, "final/rows", "<i4", undefined) as Int32Array;
  let wrong = found.length !== ended || ended === 0;
  for (let i = 0; i < found.length; i++) {
    wrong ||= started[found[i]!] !== 1 || (i > 0 && found[i]! <= found[i - 1]!);
  }
  if (wrong) {
    const problem = `must list the ${ended} environments that ended, ascending`;
    throw new ProtocolError("bad-value", problem, { field: "tensors.final/rows" });
  }
  const observations: Record<string, ObservationArray> = {};
  for (const { group, final, shape, spec } of groups) {
    observations[group] = observation(tensors, final, [ended, ...shape.slice(1)], spec);
  }
  return { rows: found, observations };
}

/** A plain loop: callbacks per element cost ten times as much at thousands of environments. */
function flags(tensors: Tensors, name: string, { rows }: Layout): Uint8Array {
  const data = take(tensors, name, "|u1", rows) as Uint8Array;
  let seen = 0;
  for (let i = 0; i < data.length; i++) seen |= data[i]!;
  if (seen <= 1) return data;
  const row = data.findIndex((flag) => flag > 1);
  throw new ProtocolError("bad-value", `environment ${row} has ${data[row]}, expected 0 or 1`, {
    field: `tensors.${name}`,
  });
}

function floats(
  tensors: Tensors,
  name: string,
  shape: readonly number[],
  spec?: TensorSpec,
): Float32Array {
  const data = take(tensors, name, "<f4", shape) as Float32Array;
  if (!allWithin(data)) refuseValue(name, data, spec);
  return data;
}

/**
 * Whether all are finite and no larger than the limit. The sum of their sizes tells in nearly every case: it is no more than the
 * limit, so none is, and NaN and the infinities would show in it. Four sums hide the latency.
 */
export function allWithin(data: Float32Array): boolean {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const whole = data.length - (data.length % 8);
  for (let i = 0; i < whole; i += 8) {
    a += Math.abs(data[i]!) + Math.abs(data[i + 1]!);
    b += Math.abs(data[i + 2]!) + Math.abs(data[i + 3]!);
    c += Math.abs(data[i + 4]!) + Math.abs(data[i + 5]!);
    d += Math.abs(data[i + 6]!) + Math.abs(data[i + 7]!);
  }
  for (let i = whole; i < data.length; i++) a += Math.abs(data[i]!);
  return a + b + c + d <= limits.magnitude || eachWithin(data);
}

function eachWithin(data: Float32Array): boolean {
  for (let i = 0; i < data.length; i++) if (!(Math.abs(data[i]!) <= limits.magnitude)) return false;
  return true;
}

function refuseValue(name: string, data: Float32Array, spec?: TensorSpec): never {
  const at = data.findIndex((value) => !(Math.abs(value) <= limits.magnitude));
  const width = spec === undefined ? 1 : widthOf(spec);
  const component = at % width;
  const named = spec?.names?.[component];
  const where = spec === undefined ? "" : `, component ${component}${named ? ` (${named})` : ""}`;
  const absurd = Number.isFinite(data[at]);
  const expected = absurd
    ? `which no quantity is: expected at most ${limits.magnitude} in size`
    : "expected a finite number";
  const value = absurd ? data[at]!.toPrecision(3) : data[at];
  const problem = `environment ${Math.floor(at / width)}${where} is ${value}, ${expected}`;
  throw new ProtocolError("bad-value", problem, {
    field: `tensors.${name}`,
    hint: name === "actions" ? "The policy diverged: lower the learning rate." : simulationHint,
  });
}

const simulationHint =
  "The simulation diverged there: look at that environment's state, a smaller time step often helps.";

function take(
  tensors: Tensors,
  name: string,
  dtype: Dtype,
  shape: readonly number[] | undefined,
): Tensor["data"] {
  const tensor = tensors[name];
  if (tensor === undefined) return missing(name);
  const got = dtypeOf(tensor.data);
  if (got === dtype && fits(tensor.shape, shape)) return tensor.data;
  const expected = `${dtype} [${shape ?? "n"}]`;
  throw new ProtocolError("bad-tensor", `got ${got} [${tensor.shape}], expected ${expected}`, {
    field: `tensors.${name}`,
    hint: "Both sides must follow the specification in the welcome.",
  });
}

function fits(got: readonly number[], expected: readonly number[] | undefined): boolean {
  if (expected === undefined) return got.length === 1;
  if (got.length !== expected.length) return false;
  for (let i = 0; i < got.length; i++) if (got[i] !== expected[i]) return false;
  return true;
}

function missing(name: string): never {
  throw new ProtocolError("bad-tensor", "is not there", { field: `tensors.${name}` });
}

function refuseOthers(tensors: Tensors, allowed: readonly string[]): void {
  for (const name of Object.keys(tensors)) {
    if (allowed.includes(name)) continue;
    const problem = `is not expected here, only ${allowed.join(", ")}`;
    throw new ProtocolError("bad-tensor", problem, { field: `tensors.${name}` });
  }
}
