import stringWidth from "string-width";
import type { Layout } from "./layout.ts";

/** What a piece of text is about; colour follows from it, and is never the only sign. */
export type Tone = "student" | "teacher" | "good" | "bad" | "quiet" | "strong";

export interface Span {
  readonly text: string;
  readonly tone?: Tone;
}

export type Line = readonly Span[];

export function span(text: string, tone?: Tone): Span {
  return tone === undefined ? { text } : { text, tone };
}

export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + columnsOf(text), 0);
}

/** One column a character. Nearly all text is so, and this is asked of every line of every frame. */
const plain =
  /^[\x20-\x7e\u2190-\u2193\u2200-\u22ff\u2500-\u25a9\u25b2\u25bc\u25cb\u25cf\u2713\u2717\u2800-\u28ff·…–‖×²]*$/;
const characters = new Intl.Segmenter();

/** Columns a text takes in a terminal: East Asian and emoji characters take two, combining ones none. */
export function columnsOf(text: string): number {
  return plain.test(text) ? text.length : stringWidth(text);
}

/** The text in at most so many columns; `…` says that some is missing. */
export function fitText(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  if (columns <= 0) return "";
  let kept = "";
  let used = 1;
  for (const { segment } of characters.segment(text)) {
    used += columnsOf(segment);
    if (used > columns) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** The line in at most so many columns. */
export function clip(line: Line, columns: number): Line {
  const fitted: Span[] = [];
  let room = columns;
  for (const piece of line) {
    if (room <= 0) break;
    const text = fitText(piece.text, room);
    fitted.push({ ...piece, text });
    room -= columnsOf(text);
    if (text !== piece.text) break;
  }
  return fitted;
}

/** Left and right with spaces between; the left one gives way. */
export function spread(left: Line, right: Line, columns: number): Line {
  const room = columns - widthOf(right);
  if (room < 8) return clip(left, columns);
  const fitted = clip(left, room - 1);
  return [...fitted, span(" ".repeat(room - widthOf(fitted))), ...right];
}

/** The pieces with a separator, as many of them as fit. */
export function joined(pieces: readonly Line[], separator: string, columns: number): Line {
  let line: Line = [];
  for (const piece of pieces) {
    const next = line.length === 0 ? piece : [...line, span(separator, "quiet"), ...piece];
    if (widthOf(next) > columns) break;
    line = next;
  }
  return line.length === 0 && pieces[0] ? clip(pieces[0], columns) : line;
}

/** A line with its title at the left, and as many of the pieces as fit. */
export function titled(
  title: string,
  pieces: readonly Line[],
  layout: Pick<Layout, "columns" | "headWidth" | "roomy">,
  separator = layout.roomy ? "  ·  " : " · ",
): Line {
  const head = span(title.padEnd(layout.headWidth), "quiet");
  return [head, ...joined(pieces, separator, layout.columns - head.text.length)];
}
