import type { Tensor, Tensors } from "./codec.ts";
import { dtypeOf } from "./codec.ts";
import { isPicture, widthOf } from "./env-spec.ts";
import { ProtocolError } from "./errors.ts";
import type { Frame, ObservationArray, Observations, StepResult } from "./frame.ts";
import { limits } from "./limits.ts";
import type { Replies } from "./messages.ts";
import type { Dtype, EnvSpec, TensorSpec } from "./spec.ts";

/** Between tensors that travelled and the frames and actions of the contracts; protocol/README.md §5. */

/** Sent with frames and results where the specification has the capability `teacher_actions`. */
const teacherTensor = "teacher/actions";

/** Frame → tensors; a frame of which every row starts an episode leaves `started` out. */
export function fromFrame(frame: Frame, spec: EnvSpec): Record<string, Tensor> {
  const tensors = fromObservations(frame.observations, spec, "obs", spec.numEnvs);
  addTeacher(tensors, frame, spec);
  if (frame.started.every((flag) => flag === 1)) return tensors;
  return { ...tensors, started: rows(frame.started) };
}

/** @throws ProtocolError naming the tensor, and for a value that is not finite its environment and component. */
export function toFrame(tensors: Tensors, spec: EnvSpec): Frame {
  const groups = Object.keys(spec.observations).map((group) => `obs/${group}`);
  refuseOthers(tensors, [...groups, "started", ...teacherNames(spec)]);
  const { started } = tensors;
  return {
    observations: toObservations(tensors, spec, "obs", spec.numEnvs),
    started:
      started === undefined
        ? new Uint8Array(spec.numEnvs).fill(1)
        : flags(tensors, "started", spec.numEnvs),
    ...toTeacher(tensors, spec),
  };
}

export function fromStepResult(result: StepResult, spec: EnvSpec): Record<string, Tensor> {
  const { frame, rewards, terminated, truncated, final } = result;
  const tensors: Record<string, Tensor> = {
    ...fromObservations(frame.observations, spec, "obs", spec.numEnvs),
    reward: rows(rewards),
    terminated: rows(terminated),
    truncated: rows(truncated),
  };
  addTeacher(tensors, frame, spec);
  if (final === undefined || final.rows.length === 0) return tensors;
  tensors["final/rows"] = rows(final.rows);
  return Object.assign(
    tensors,
    fromObservations(final.observations, spec, "final", final.rows.length),
  );
}

/** @throws ProtocolError as `toFrame`. */
export function toStepResult(
  header: Replies["result"],
  tensors: Tensors,
  spec: EnvSpec,
): StepResult {
  const groups = Object.keys(spec.observations);
  refuseOthers(tensors, [
    ...groups.flatMap((group) => [`obs/${group}`, `final/${group}`]),
    "reward",
    "terminated",
    "truncated",
    "final/rows",
    ...teacherNames(spec),
  ]);
  const terminated = flags(tensors, "terminated", spec.numEnvs);
  const truncated = flags(tensors, "truncated", spec.numEnvs);
  const started = new Uint8Array(spec.numEnvs);
  for (let i = 0; i < spec.numEnvs; i++) started[i] = terminated[i]! | truncated[i]!;
  const final = toFinal(tensors, spec, started);
  return {
    frame: {
      observations: toObservations(tensors, spec, "obs", spec.numEnvs),
      started,
      ...toTeacher(tensors, spec),
    },
    rewards: floats(tensors, "reward", [spec.numEnvs]),
    terminated,
    truncated,
    ...(final === undefined ? {} : { final }),
    ...(header.log === undefined ? {} : { log: header.log }),
    ...(header.timing === undefined ? {} : { timing: header.timing }),
  };
}

export function fromActions(actions: Float32Array, spec: EnvSpec): Record<string, Tensor> {
  return { actions: { shape: [spec.numEnvs, ...spec.action.shape], data: actions } };
}

/** @throws ProtocolError as `toFrame`. */
export function toActions(tensors: Tensors, spec: EnvSpec): Float32Array {
  refuseOthers(tensors, ["actions"]);
  return floats(tensors, "actions", [spec.numEnvs, ...spec.action.shape], spec.action);
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

function teacherNames(spec: EnvSpec): readonly string[] {
  return spec.capabilities.includes("teacher_actions") ? [teacherTensor] : [];
}

function addTeacher(tensors: Record<string, Tensor>, frame: Frame, spec: EnvSpec): void {
  for (const name of teacherNames(spec)) {
    const data = frame.teacherActions;
    if (data === undefined) missing(name);
    tensors[name] = { shape: [spec.numEnvs, ...spec.action.shape], data };
  }
}

function toTeacher(tensors: Tensors, spec: EnvSpec): Pick<Frame, "teacherActions"> {
  const [name] = teacherNames(spec);
  if (name === undefined) return {};
  const shape = [spec.numEnvs, ...spec.action.shape];
  return { teacherActions: floats(tensors, name, shape, spec.action) };
}

type Prefix = "obs" | "final";

function fromObservations(
  observations: Observations,
  spec: EnvSpec,
  prefix: Prefix,
  count: number,
): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const [group, { shape }] of Object.entries(spec.observations)) {
    const data = observations[group];
    if (data === undefined) return missing(`${prefix}/${group}`);
    tensors[`${prefix}/${group}`] = { shape: [count, ...shape], data };
  }
  return tensors;
}

function toObservations(
  tensors: Tensors,
  spec: EnvSpec,
  prefix: Prefix,
  count: number,
): Observations {
  const observations: Record<string, ObservationArray> = {};
  for (const [group, tensor] of Object.entries(spec.observations)) {
    const name = `${prefix}/${group}`;
    const shape = [count, ...tensor.shape];
    observations[group] = isPicture(tensor)
      ? (take(tensors, name, "|u1", shape) as Uint8Array)
      : floats(tensors, name, shape, tensor);
  }
  return observations;
}

function toFinal(tensors: Tensors, spec: EnvSpec, ended: Uint8Array): StepResult["final"] {
  if (tensors["final/rows"] === undefined) {
    const stray = Object.keys(tensors).find((name) => name.startsWith("final/"));
    if (stray === undefined) return undefined;
    return missing("final/rows");
  }
  const found = take(tensors, "final/rows", "<i4", undefined) as Int32Array;
  const expected = ended.reduce((sum, flag) => sum + flag, 0);
  const wrong = found.some((row, i) => ended[row] !== 1 || (i > 0 && row <= found[i - 1]!));
  if (wrong || found.length !== expected || found.length === 0) {
    const problem = `must list the ${expected} environments that ended, ascending`;
    throw new ProtocolError("bad-value", problem, { field: "tensors.final/rows" });
  }
  return { rows: found, observations: toObservations(tensors, spec, "final", found.length) };
}

/** A plain loop: callbacks per element cost ten times as much at thousands of environments. */
function flags(tensors: Tensors, name: string, count: number): Uint8Array {
  const data = take(tensors, name, "|u1", [count]) as Uint8Array;
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
 * One product per number: 0 × x is 0 but for NaN and the infinities, and what exceeds the limit becomes one on the way.
 * Four sums hide the latency.
 */
export function allWithin(data: Float32Array): boolean {
  const scale = Number.MAX_VALUE / limits.magnitude;
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = data.length - (data.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += data[i]! * scale * 0;
    b += data[i + 1]! * scale * 0;
    c += data[i + 2]! * scale * 0;
    d += data[i + 3]! * scale * 0;
  }
  for (let i = whole; i < data.length; i++) a += data[i]! * scale * 0;
  return a + b + c + d === 0;
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
  const fits =
    shape === undefined
      ? tensor.shape.length === 1
      : tensor.shape.length === shape.length && shape.every((size, i) => size === tensor.shape[i]);
  if (got === dtype && fits) return tensor.data;
  const expected = `${dtype} [${shape ?? "n"}]`;
  throw new ProtocolError("bad-tensor", `got ${got} [${tensor.shape}], expected ${expected}`, {
    field: `tensors.${name}`,
    hint: "Both sides must follow the specification in the welcome.",
  });
}

function missing(name: string): never {
  throw new ProtocolError("bad-tensor", "is not there", { field: `tensors.${name}` });
}

function refuseOthers(tensors: Tensors, allowed: readonly string[]): void {
  const stray = Object.keys(tensors).find((name) => !allowed.includes(name));
  if (stray === undefined) return;
  const problem = `is not expected here, only ${allowed.join(", ")}`;
  throw new ProtocolError("bad-tensor", problem, { field: `tensors.${stray}` });
}
