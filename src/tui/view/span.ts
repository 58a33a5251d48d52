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

/** East Asian and emoji characters take two columns, combining ones none. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const none = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns a text takes in a terminal. */
export function columnsOf(text: string): number {
  // Nearly all text is plain, and this is asked of every line of every frame.
  if (/^[\x20-\x7e\u2190-\u23ff\u2500-\u28ff·…–×≥²≈]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += none.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return columns;
}

/** The text in at most so many columns; `…` says that some is missing. */
export function fitText(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  if (columns <= 0) return "";
  let kept = "";
  let used = 1;
  for (const character of text) {
    used += columnsOf(character);
    if (used > columns) break;
    kept += character;
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
