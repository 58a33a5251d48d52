import { EngineError } from "../engine-error.ts";

/** @throws EngineError `program-misused`, naming those that there are */
export function entryNamed<T>(name: string, entries: Readonly<Record<string, T>>): T {
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (entry !== undefined) return entry;
  const known = Object.keys(entries).join(", ");
  const told = `the program has no entry '${name}'; it has ${known}`;
  throw new EngineError("program-misused", told, "Name one of those.");
}
