import type { Tone } from "../view/span.ts";

/** Bits of the dots of a braille character, by row from the top and column. Unicode, block U+2800. */
const bits = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

const blank = 0x2800;

/** A drawing of 2 × 4 dots per character cell; the origin is at the top left. */
export class BrailleCanvas {
  /** Cells. */
  readonly width: number;
  readonly height: number;
  readonly #cells: Uint8Array;
  readonly #tones: (Tone | undefined)[];

  constructor(width: number, height: number) {
    this.width = Math.max(0, Math.floor(width));
    this.height = Math.max(0, Math.floor(height));
    this.#cells = new Uint8Array(this.width * this.height);
    this.#tones = new Array(this.#cells.length);
  }

  /** Sets a dot; outside of the canvas nothing happens. Of two tones in one cell the later one shows. */
  dot(x: number, y: number, tone: Tone): void {
    if (!(x >= 0 && y >= 0 && x < this.width * 2 && y < this.height * 4)) return;
    const cell = (y >> 2) * this.width + (x >> 1);
    this.#cells[cell]! |= bits[y & 3]![x & 1]!;
    this.#tones[cell] = tone;
  }

  /** A straight line of dots, ends included. */
  line(from: readonly [number, number], to: readonly [number, number], tone: Tone): void {
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const steps = Math.max(Math.abs(dx), Math.abs(dy), 1);
    for (let i = 0; i <= steps; i += 1) {
      const [x, y] = [from[0] + (dx * i) / steps, from[1] + (dy * i) / steps];
      this.dot(Math.round(x), Math.round(y), tone);
    }
  }

  /** The character of a cell, a space where nothing was drawn, and its tone. */
  at(column: number, row: number): { readonly text: string; readonly tone: Tone | undefined } {
    const cell = row * this.width + column;
    const dots = this.#cells[cell] ?? 0;
    if (dots === 0) return { text: " ", tone: undefined };
    return { text: String.fromCharCode(blank + dots), tone: this.#tones[cell] };
  }
}
