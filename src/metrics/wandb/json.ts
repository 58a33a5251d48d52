/** JSON as W&B reads it: Python's, in which NaN and the infinities stand unquoted. */

/** Deeper than any configuration; a circular one ends here. */
const MAX_DEPTH = 32;

/** `literal` writes NaN, Infinity, -Infinity; `string` puts them in quotes. */
export type NonFinite = "literal" | "string";

/** Always valid: what has no JSON form becomes null, in objects it is left out. */
export function extendedJson(value: unknown, nonFinite: NonFinite = "literal", depth = 0): string {
  if (typeof value === "number") return numberJson(value, nonFinite);
  if (typeof value === "bigint") return value.toString();
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (depth > MAX_DEPTH) return '"…"';
  const inner = (item: unknown) => extendedJson(item, nonFinite, depth + 1);
  if ("toJSON" in value && typeof value.toJSON === "function") return inner(value.toJSON());
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return `[${Array.from(value as Float32Array, inner).join(",")}]`;
  }
  if (Array.isArray(value)) return `[${value.map(inner).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, item]) => item !== undefined && typeof item !== "function")
    .map(([key, item]) => `${JSON.stringify(key)}:${inner(item)}`);
  return `{${members.join(",")}}`;
}

function numberJson(value: number, nonFinite: NonFinite): string {
  if (Object.is(value, -0)) return "-0";
  if (Number.isFinite(value)) return JSON.stringify(value);
  return nonFinite === "string" ? `"${value}"` : String(value);
}

/** A number written by {@link extendedJson}; undefined for anything else. */
export function numberFromJson(text: string): number | undefined {
  if (text === "NaN") return Number.NaN;
  if (/^-?(Infinity|[0-9])/.test(text)) return Number(text);
  return undefined;
}
