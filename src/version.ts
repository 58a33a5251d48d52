import { readFileSync } from "node:fs";

/** Ours. package.json lies two folders above the compiled file and one above the source. */
export function version(): string {
  for (const path of ["../../package.json", "../package.json"]) {
    try {
      const text = readFileSync(new URL(path, import.meta.url), "utf8");
      const { name, version } = JSON.parse(text);
      if (name === "firstsolo") return version;
    } catch {
      // Not there: the other one is.
    }
  }
  return "unknown";
}
