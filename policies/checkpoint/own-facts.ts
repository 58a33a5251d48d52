import { parseJson } from "../../protocol/parse-json.ts";
import type { FlightExample } from "../flight-example.ts";
import { elementsOf, type NamedArray } from "../named-array.ts";
import type { VisionFacts } from "../networks/cnn/vision.ts";
import { isGroups } from "../observation-groups.ts";
import { CheckpointError } from "../policy-error.ts";
import type { Head } from "./actor.ts";
import type { Role } from "./agent-config.ts";
import { describe, isDict, isTensor, type TorchDict, type TorchValue } from "./torch-value.ts";

/** What Firstsolo keeps of each network in the `infos` of its own checkpoints. */
export interface OwnFacts {
  readonly activation: string;
  readonly head?: Head;
  /** Observations the network sees at once, oldest first; absent: one. */
  readonly history?: number;
  /** Observation groups it was trained on, in this order. */
  readonly reads?: readonly string[];
  /** Of a network with pictures. */
  readonly vision?: VisionFacts;
}

/** An example has few rows; more would be flown at every load. */
const EXAMPLE_VALUES = 2 ** 20;

/** Reads `infos["firstsolo"]["facts"]`, JSON text; nothing where the file is somebody else's. */
export function ownFacts(infos: TorchValue, role: string): OwnFacts | undefined {
  const text = ownDict(infos)?.get("facts");
  if (typeof text !== "string") return undefined;
  const { activation, head, history, reads, vision } = objectAt(parse(text), role);
  if (typeof activation !== "string") return undefined;
  return {
    activation,
    ...(isHead(head) && { head }),
    ...(isWhole(history) && { history }),
    ...(isGroups(reads) && { reads }),
    ...(isVision(vision) && { vision }),
  };
}

/** Entries of `infos["firstsolo"]` that hold an example. */
export function exampleEntries(
  role: Role,
  { inputs, outputs }: FlightExample,
): Readonly<Record<string, TorchValue>> {
  return {
    [nameOf(role, "inputs")]: { ...inputs, dtype: "float32" },
    [nameOf(role, "outputs")]: { ...outputs, dtype: "float32" },
  };
}

/**
 * The example of a network; nothing where the file has none, as files of before.
 *
 * @throws CheckpointError `bad-example` when it is not whole
 */
export function ownExample(
  infos: TorchValue,
  role: string,
  where: string,
): FlightExample | undefined {
  const own = ownDict(infos);
  const names = [nameOf(role, "inputs"), nameOf(role, "outputs")];
  if (own === undefined || !names.some((name) => own.has(name))) return undefined;
  const [inputs, outputs] = names.map((name) => sequence(own.get(name), `${where}: ${name}`));
  const [steps, rows] = inputs!.shape;
  if (outputs!.shape[0] === steps && outputs!.shape[1] === rows) {
    return { inputs: inputs!, outputs: outputs! };
  }
  throw badExample(
    `${where}: ${names[1]} has ${outputs!.shape.slice(0, 2)} rows, not as its inputs`,
  );
}

/** Whether the network acts through a ranker that lies beside it: what it puts out is a latent, no action. */
export function actsThroughRanker(infos: TorchValue): boolean {
  return ownDict(infos)?.has("ranker") === true;
}

function ownDict(infos: TorchValue): TorchDict | undefined {
  const own = isDict(infos) ? infos.get("firstsolo") : undefined;
  return isDict(own) ? own : undefined;
}

function nameOf(role: string, part: "inputs" | "outputs"): string {
  return `example_${role}_${part}`;
}

/** A float32 tensor `[steps, rows, width]`, all finite. */
function sequence(value: TorchValue | undefined, where: string): NamedArray {
  if (!isTensor(value) || value.dtype !== "float32" || value.shape.length !== 3) {
    throw badExample(`${where} is ${describe(value)}, expected float32 [steps, rows, width]`);
  }
  const size = elementsOf(value.shape);
  if (size === 0 || size > EXAMPLE_VALUES) throw badExample(`${where} holds ${size} numbers`);
  const data = value.data as Float32Array;
  if (data.every(Number.isFinite)) return { shape: value.shape, data };
  throw badExample(`${where} holds a number that is not finite`);
}

function badExample(what: string): CheckpointError {
  return new CheckpointError("bad-example", what, "Use another checkpoint of the run.");
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    // The run store says what is wrong with it when the run is resumed; to fly, the file is as good
    // as a foreign one.
    return undefined;
  }
}

function objectAt(root: unknown, key: string): Record<string, unknown> {
  const value = isObject(root) && Object.hasOwn(root, key) ? root[key] : undefined;
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

function isVision(value: unknown): value is VisionFacts {
  if (!isObject(value) || !isWhole(value.kernel) || !isWhole(value.stride)) return false;
  const { groups, channels } = value;
  const sizes = (list: unknown) => Array.isArray(list) && list.length > 0 && list.every(isWhole);
  return (
    sizes(channels) &&
    Array.isArray(groups) &&
    groups.every((group) => isObject(group) && typeof group.name === "string" && sizes(group.shape))
  );
}

function areNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(Number.isFinite);
}

function isHead(value: unknown): value is Head {
  if (!isObject(value)) return false;
  if (value.kind === "mean-and-noise") return true;
  if (value.kind === "tanh") return areNumbers(value.center) && areNumbers(value.half);
  if (value.kind === "clipped") {
    return [value.center, value.half, value.low, value.high].every(areNumbers);
  }
  return value.kind === "beta" && Number.isFinite(value.low) && Number.isFinite(value.high);
}
