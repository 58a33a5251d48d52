import { createHash } from "node:crypto";
import { ProtocolError } from "./errors.ts";
import { limits, picturesSince, protocolVersion } from "./limits.ts";
import { parse, type WireSpec, wireSpec } from "./messages.ts";
import type { ActionSpec, EnvSpec, TensorSpec } from "./spec.ts";

/** Components of one environment's share of a tensor. */
export function widthOf(spec: TensorSpec): number {
  return spec.shape.reduce((product, size) => product * size, 1);
}

/** Whether the group is one of pictures: bytes, `[height, width, channels]`. */
export function isPicture({ dtype }: Pick<TensorSpec, "dtype">): boolean {
  return dtype === "|u1";
}

/** Names of the groups that are pictures. */
export function pictureGroups({ observations }: Pick<EnvSpec, "observations">): string[] {
  return Object.keys(observations).filter((group) => isPicture(observations[group]!));
}

/** The specification with the keys it travels under. Fields that are not part of it are left behind. */
export function toWireSpec(spec: EnvSpec): WireSpec {
  return {
    task: spec.task,
    num_envs: spec.numEnvs,
    control_period: spec.controlPeriod,
    max_episode_steps: spec.maxEpisodeSteps,
    autoreset: spec.autoreset,
    observations: Object.fromEntries(
      Object.entries(spec.observations).map(([group, tensor]) => [group, plain(tensor)]),
    ),
    action: { ...plain(spec.action), low: [...spec.action.low], high: [...spec.action.high] },
    capabilities: [...spec.capabilities],
  };
}

/** The specification for a driver that doesn't take up that capability. */
export function without(capability: string, spec: EnvSpec): EnvSpec {
  return { ...spec, capabilities: spec.capabilities.filter((word) => word !== capability) };
}

/**
 * @param minor of the version that the sender speaks
 * @throws ProtocolError `invalid-spec` or `malformed` naming the field, e.g. `spec.action.low`.
 */
export function fromWireSpec(wire: WireSpec, minor: number = protocolVersion.minor): EnvSpec {
  const spec: EnvSpec = {
    task: wire.task,
    numEnvs: wire.num_envs,
    controlPeriod: wire.control_period,
    maxEpisodeSteps: wire.max_episode_steps,
    autoreset: wire.autoreset,
    observations: Object.fromEntries(
      Object.entries(wire.observations).map(([group, tensor]) => [group, plain(tensor)]),
    ),
    action: { ...plain(wire.action), low: wire.action.low, high: wire.action.high },
    capabilities: wire.capabilities,
  };
  checkMeaning(spec);
  if (minor < picturesSince) refusePictures(spec, minor);
  return spec;
}

/** Everything a specification must satisfy before it may travel. @throws ProtocolError */
export function checkSpec(spec: EnvSpec): void {
  parse(wireSpec, toWireSpec(spec), "spec");
  checkMeaning(spec);
}

/** An opaque name for a specification: equal when nothing in it differs. */
export function hashSpec(spec: EnvSpec): string {
  const digest = createHash("sha256")
    .update(canonical(toWireSpec(spec)))
    .digest("hex");
  return `sha256:${digest}`;
}

/** What changed between two specifications, a line each: `action.low.0: -1 became -2`. */
export function specDifferences(before: EnvSpec, after: EnvSpec): string[] {
  const lines: string[] = [];
  compare(toWireSpec(before), toWireSpec(after), "", lines);
  return lines;
}

type LooseTensor = Pick<TensorSpec, "dtype" | "shape"> & {
  readonly names?: readonly string[] | undefined;
  readonly units?: readonly string[] | undefined;
};

function plain({ dtype, shape, names, units }: LooseTensor) {
  return {
    dtype,
    shape: [...shape],
    ...(names === undefined ? {} : { names: [...names] }),
    ...(units === undefined ? {} : { units: [...units] }),
  };
}

function refuse(problem: string, field: string): never {
  const hint = "The simulator must correct its specification; protocol/README.md §6.";
  throw new ProtocolError("invalid-spec", problem, { field: `spec.${field}`, hint });
}

function refusePictures(spec: EnvSpec, minor: number): void {
  const [picture] = pictureGroups(spec);
  if (picture === undefined) return;
  const problem = `is |u1, a picture; the sender speaks version 1.${minor}, which knows <f4 only`;
  refuse(`${problem}: pictures need 1.${picturesSince}`, `observations.${picture}.dtype`);
}

function checkMeaning(spec: EnvSpec): void {
  const groups = Object.entries(spec.observations);
  if (groups.length === 0) refuse("has no group", "observations");
  if (groups.length > limits.groups)
    refuse(`has more than ${limits.groups} groups`, "observations");
  for (const [group, tensor] of groups) {
    const field = `observations.${group}`;
    if (isPicture(tensor)) checkPicture(tensor, spec.numEnvs, field);
    else checkTensor(tensor, spec.numEnvs, field);
  }
  checkTensor(spec.action, spec.numEnvs, "action");
  checkBounds(spec.action);
  const bytes = groups.reduce((sum, [, tensor]) => sum + bytesOf(tensor, spec.numEnvs), 0);
  if (bytes <= limits.observationBytes) return;
  const problem = `all groups of ${spec.numEnvs} environments are ${bytes} bytes`;
  refuse(`${problem}, at most ${limits.observationBytes} may be sent at once`, "observations");
}

function bytesOf(spec: TensorSpec, numEnvs: number): number {
  return widthOf(spec) * numEnvs * (isPicture(spec) ? 1 : 4);
}

function checkPicture(spec: TensorSpec, numEnvs: number, field: string): void {
  const { shape } = spec;
  if (shape.length !== 3) {
    refuse(`[${shape}] of |u1 is no picture: [height, width, channels]`, `${field}.shape`);
  }
  const bytes = widthOf(spec);
  if (bytes > limits.pictureBytes) {
    refuse(`[${shape}] is ${bytes} bytes, at most ${limits.pictureBytes}`, `${field}.shape`);
  }
  checkFrame(spec, numEnvs, field);
  checkWords(spec, shape[2]!, field, "channels");
}

function checkTensor(spec: TensorSpec, numEnvs: number, field: string): void {
  if (spec.dtype !== "<f4") {
    const where = field === "action" ? "actions are" : "observations are, or |u1 for pictures";
    refuse(`got ${spec.dtype}, expected <f4 as ${where}`, `${field}.dtype`);
  }
  const width = widthOf(spec);
  if (width > limits.width) {
    refuse(`[${spec.shape}] is ${width} components, at most ${limits.width}`, `${field}.shape`);
  }
  checkFrame(spec, numEnvs, field);
  checkWords(spec, width, field, "components");
}

function checkFrame(spec: TensorSpec, numEnvs: number, field: string): void {
  if (bytesOf(spec, numEnvs) <= limits.frameBytes) return;
  const width = widthOf(spec);
  const problem = `${numEnvs} environments × ${width} components exceed ${limits.frameBytes} bytes`;
  refuse(problem, `${field}.shape`);
}

function checkWords(spec: TensorSpec, count: number, field: string, what: string): void {
  checkLength(spec.names, count, `${field}.names`, what);
  checkLength(spec.units, count, `${field}.units`, what);
  if (spec.names !== undefined && new Set(spec.names).size !== spec.names.length) {
    refuse("a name comes twice", `${field}.names`);
  }
}

function checkLength(
  list: readonly unknown[] | undefined,
  width: number,
  field: string,
  what = "components",
): void {
  if (list === undefined || list.length === width) return;
  refuse(`has ${list.length} entries for ${width} ${what}`, field);
}

function checkBounds({ low, high, ...tensor }: ActionSpec): void {
  const width = widthOf(tensor);
  checkLength(low, width, "action.low");
  checkLength(high, width, "action.high");
  for (const [i, bound] of low.entries()) {
    const above = high[i] ?? Number.NaN;
    if (Number.isFinite(bound) && Number.isFinite(above) && bound < above) continue;
    refuse(`component ${i} goes from ${bound} to ${above}; expected finite, low < high`, "action");
  }
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}

function compare(before: unknown, after: unknown, path: string, lines: string[]): void {
  if (canonical(before ?? null) === canonical(after ?? null)) return;
  if (isTree(before) && isTree(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(before[key], after[key], path === "" ? key : `${path}.${key}`, lines);
    }
    return;
  }
  lines.push(
    `${path}: ${JSON.stringify(before) ?? "absent"} became ${JSON.stringify(after) ?? "absent"}`,
  );
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
