import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** What is in a folder; nothing where it isn't there or can't be read. */
export function entries(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Paths of the folders in a folder, without links. */
export function foldersIn(parent: string): string[] {
  return entries(parent).flatMap((entry) =>
    entry.isDirectory() ? [join(parent, entry.name)] : [],
  );
}

/** Last change in milliseconds since 1970; undefined where nothing is. */
export function timeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
