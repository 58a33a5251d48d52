import { readTorchFile, writeTorchFile } from "../../policies/checkpoint/torch-file.ts";
import type { TorchDict } from "../../policies/checkpoint/torch-value.ts";

type Key = string | number;

function ownOf(file: TorchDict): Map<unknown, unknown> {
  return (file.get("infos") as TorchDict).get("firstsolo") as Map<unknown, unknown>;
}

/** The text in `infos["firstsolo"]["facts"]`. */
export function factsOf(checkpoint: Uint8Array): string {
  return String(ownOf(readTorchFile(checkpoint) as TorchDict).get("facts"));
}

/** The same checkpoint with other facts, its sums right. */
export function withFacts(checkpoint: Uint8Array, facts: string): Uint8Array {
  const file = readTorchFile(checkpoint) as TorchDict;
  ownOf(file).set("facts", facts);
  return writeTorchFile(file);
}

/** Every place in a value, as the keys that lead there. */
export function places(value: unknown, at: readonly Key[] = []): (readonly Key[])[] {
  if (typeof value !== "object" || value === null) return [at];
  const keys: Key[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [at, ...keys.flatMap((key) => places((value as never)[key], [...at, key]))];
}

/** The same facts with another value in a place; `undefined` takes the place out. */
export function changed(facts: string, at: readonly Key[], value: unknown): string {
  if (at.length === 0) return JSON.stringify(value) ?? "";
  const whole = JSON.parse(facts);
  const parent = at.slice(0, -1).reduce((inner, key) => inner[key], whole);
  const last = at.at(-1)!;
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return JSON.stringify(whole);
}

/** What came of a try; an error without a next move is a mistake of ours, and given back. */
export function outcomeOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => "accepted",
    (error) => (typeof error.hint === "string" ? "refused" : error),
  );
}
