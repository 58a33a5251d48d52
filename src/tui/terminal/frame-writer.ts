import { stripVTControlCharacters } from "node:util";
import { columnsOf } from "../view/span.ts";

const esc = "\u001b[";
/** Begin and end of an update that terminals show at once, without lines that are too long going on below. */
const begin = `${esc}?2026h${esc}?7l`;
const end = `${esc}?7h${esc}?2026l`;

/**
 * Keeps a frame of lines at the bottom of what was printed, and rewrites only lines that changed. The
 * cursor rests on the line below the frame, so that the frame must be one row lower than the terminal.
 */
export class FrameWriter {
  readonly #write: (text: string) => void;
  #lines: readonly string[] = [];
  #active = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  draw(lines: readonly string[]): void {
    const before = this.#lines;
    const same = lines.length === before.length && lines.every((line, i) => line === before[i]);
    if (same && this.#active) return;
    this.#send(up(before.length) + this.#changes(before, lines));
    this.#lines = lines;
  }

  /** Prints above the frame, where it scrolls away like anything else. */
  above(text: string): void {
    const whole = text.endsWith("\n") ? text : `${text}\n`;
    const frame = this.#lines.map((line) => `${line}\r\n`).join("");
    this.#send(`${up(this.#lines.length)}${esc}J${whole.replace(/\r?\n/g, "\r\n")}${frame}`);
  }

  /**
   * Takes the frame away after the terminal got another width: terminals break lines that have become too
   * long, so that the frame is taller than it was.
   */
  clear(columns: number): void {
    const rows = this.#lines.reduce((sum, line) => sum + rowsOf(line, columns), 0);
    if (this.#lines.length > 0) this.#send(`${up(rows)}${esc}J`);
    this.#lines = [];
  }

  /** Leaves what is there and gives the cursor back. */
  release(): void {
    if (this.#active) this.#write(`${end}${esc}?25h`);
    this.#active = false;
    this.#lines = [];
  }

  #changes(before: readonly string[], lines: readonly string[]): string {
    const parts = lines.map((line, i) =>
      i < before.length && line === before[i] ? "\r\n" : `\r${esc}2K${line}\r\n`,
    );
    return parts.join("") + (lines.length < before.length ? `${esc}J` : "");
  }

  #send(text: string): void {
    const hide = this.#active ? "" : `${esc}?25l`;
    this.#active = true;
    this.#write(`${begin}${hide}${text}${end}`);
  }
}

function up(rows: number): string {
  return rows > 0 ? `\r${esc}${rows}A` : "\r";
}

function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(columnsOf(stripVTControlCharacters(line)) / Math.max(1, columns)));
}
