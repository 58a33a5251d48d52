/**
 * Text from elsewhere, made fit to be shown and stored: what steers a terminal (escape codes, C1 controls), turns the
 * direction of writing or hides, becomes visible characters. Applied where foreign text comes in.
 */

import { type InspectOptions, inspect } from "node:util";

/** Ranges of code units: C0 but tab and newline, C1, marks without width or of direction, line separators. */
const hidden: readonly (readonly [from: number, to: number])[] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
];
const few: InspectOptions = {
  ...{ depth: 1, maxArrayLength: 8, maxStringLength: 100, breakLength: Infinity },
  ...{ customInspect: false },
};
const letter = (code: number) => `\\u${code.toString(16).padStart(4, "0")}`;
const ranges = hidden.map(([from, to]) => `${letter(from)}-${letter(to)}`).join("");
/** With `u` a surrogate in a class matches only half of a pair that has lost the other. */
const unseen = new RegExp(`[${ranges}\\ud800-\\udfff]`, "gu");
const unseenOrBreak = new RegExp(`[\\n\\t${ranges}\\ud800-\\udfff]`, "gu");

/** One line: newlines and tabs too are shown as what they are. */
export function visibleLine(text: string): string {
  return text.replace(unseenOrBreak, shown);
}

/** Several lines: newlines and tabs stay. */
export function visibleText(text: string): string {
  return text.replace(unseen, shown);
}

/**
 * Any value, and whatever was thrown, on one line of at most `most` characters. Foreign objects need have no text, or
 * may have one without end: nothing throws, and nothing is walked through deeper than it is shown.
 */
export function wordsOf(value: unknown, most = 1000): string {
  let text: string;
  try {
    text = textOf(value);
  } catch {
    text = "something that has no text";
  }
  const line = visibleLine(text.slice(0, most + 1));
  return line.length > most ? `${visibleLine(text.slice(0, most - 1))}…` : line;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error && typeof value.message === "string") return value.message;
  if (typeof value !== "object" && typeof value !== "function") return String(value);
  return inspect(value, few);
}

/** Every text in a header, its keys included. */
export function visibleTree<T>(value: T): T {
  if (typeof value === "string") return visibleLine(value) as T;
  if (Array.isArray(value)) return value.map(visibleTree) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [visibleLine(key), visibleTree(item)]);
  return Object.fromEntries(entries) as T;
}

function shown(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}
