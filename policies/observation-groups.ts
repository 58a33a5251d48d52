/** How to choose observation groups from those that a file says its network was trained on, if it does. */
export type ReadsChoice = (own: readonly string[] | undefined) => readonly string[];

/** Key of an exported model's metadata: a JSON list of names, in the order in which they are concatenated. */
const KEY = "observation_groups";

export function groupsEntry(
  reads: readonly string[] | undefined,
): Readonly<Record<string, string>> {
  return reads ? { [KEY]: JSON.stringify(reads) } : {};
}

/** Names of groups, at least one. */
export function isGroups(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((g) => typeof g === "string");
}

/** Undefined where the file says nothing, or nothing that is a list of names. */
export function groupsIn(
  metadata: Readonly<Record<string, string>>,
): readonly string[] | undefined {
  const text = Object.hasOwn(metadata, KEY) ? metadata[KEY] : undefined;
  if (text === undefined) return undefined;
  try {
    const names: unknown = JSON.parse(text);
    return isGroups(names) ? names : undefined;
  } catch {
    return undefined;
  }
}
