import { parseJson } from "../../protocol/parse-json.ts";

/** Python's json writes `Infinity`, `-Infinity` and `NaN`, which JSON does not know; NaN becomes null. */
export function parsePythonJson(text: string): unknown {
  const tame = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (token) => {
    if (token.startsWith('"')) return token;
    if (token === "NaN") return "null";
    return token.startsWith("-") ? "-1e999" : "1e999";
  });
  return parseJson(tame);
}

/** JSON as Python reads it: infinities by name. */
export function pythonJson(value: unknown): string {
  if (typeof value === "number" && !Number.isFinite(value)) {
    return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  }
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}: ${pythonJson(inner)}`).join(", ")}}`;
}
