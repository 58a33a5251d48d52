import type { Head } from "../actor.ts";
import { isDict, type TorchValue } from "./torch-value.ts";

/** What Firstsolo keeps of each network in the `infos` of its own checkpoints. */
export interface OwnFacts {
  readonly activation: string;
  readonly head?: Head;
}

/** Reads `infos["firstsolo"]["facts"]`, JSON text; nothing where the file is somebody else's. */
export function ownFacts(infos: TorchValue, role: string): OwnFacts | undefined {
  const own = isDict(infos) ? infos.get("firstsolo") : undefined;
  const text = isDict(own) ? own.get("facts") : undefined;
  if (typeof text !== "string") return undefined;
  const { activation, head } = objectAt(parse(text), role);
  if (typeof activation !== "string") return undefined;
  return isHead(head) ? { activation, head } : { activation };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
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

function isHead(value: unknown): value is Head {
  if (!isObject(value)) return false;
  if (value.kind === "mean-and-noise") return true;
  return value.kind === "beta" && Number.isFinite(value.low) && Number.isFinite(value.high);
}
