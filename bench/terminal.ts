/** A program in a pseudo terminal, and the screen it paints. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import xterm, { type IBufferCell } from "@xterm/headless";
import { projectFolder } from "./children.ts";

export interface Cell {
  /** Empty behind a wide character. */
  readonly text: string;
  /** `#rrggbb`; undefined where it is the terminal's own. */
  readonly colour: string | undefined;
  readonly background: string | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
}

export type Line = readonly Cell[];

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly cwd: string;
}

export class Terminal {
  readonly #terminal: xterm.Terminal;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #columns: number;
  /** The exit code of the program. */
  readonly ended: Promise<number>;

  constructor(command: readonly string[], { columns, rows, cwd }: TerminalOptions) {
    this.#columns = columns;
    const size = { cols: columns, rows };
    this.#terminal = new xterm.Terminal({ ...size, scrollback: 5000, allowProposedApi: true });
    const script = `${projectFolder}/test/tui/terminal.py`;
    const words = [script, String(columns), String(rows), ...command];
    const { CI: _, NO_COLOR: __, ...env } = process.env;
    this.#child = spawn("python3", words, { cwd, env: { ...env, TERM: "xterm-256color" } });
    this.#child.stdout.on("data", (data: Buffer) => this.#terminal.write(data));
    let report = "";
    this.#child.stderr.on("data", (data) => {
      report += data;
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", () => {
        this.#terminal.write("", () => {
          const line = report.trim().split("\n").at(-1) ?? "";
          line.startsWith("{") ? resolve(JSON.parse(line).code) : reject(new Error(report));
        });
      });
    });
    this.ended.catch(() => undefined);
  }

  press(keys: string): void {
    this.#child.stdin.write(`${JSON.stringify({ keys })}\n`);
  }

  kill(): void {
    this.#child.stdin.end();
  }

  /** The visible rows. */
  get screen(): readonly Line[] {
    return this.#lines(this.#terminal.buffer.active.baseY);
  }

  /** Those that can be scrolled to, and the visible ones. */
  get everything(): readonly Line[] {
    return this.#lines(0);
  }

  /** @throws with the screen there is instead, after `seconds` */
  async until(wanted: RegExp, seconds: number): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!wanted.test(textOf(this.screen))) {
      if (Date.now() > end) throw new Error(`${wanted} never came:\n${textOf(this.screen)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #lines(from: number): readonly Line[] {
    const { active } = this.#terminal.buffer;
    const count = active.baseY + this.#terminal.rows - from;
    return Array.from({ length: count }, (_, i) => {
      const line = active.getLine(from + i);
      return Array.from({ length: this.#columns }, (_, x) => cellOf(line?.getCell(x)));
    });
  }
}

/** Without the blanks at the ends of its lines. */
export function textOf(lines: readonly Line[]): string {
  return lines
    .map((line) =>
      line
        .map(({ text }) => text)
        .join("")
        .trimEnd(),
    )
    .join("\n");
}

function cellOf(cell: IBufferCell | undefined): Cell {
  if (!cell) {
    return { text: " ", colour: undefined, background: undefined, bold: false, dim: false };
  }
  const front = colourOf(cell.getFgColor(), {
    isRgb: cell.isFgRGB(),
    isPalette: cell.isFgPalette(),
  });
  const back = colourOf(cell.getBgColor(), {
    isRgb: cell.isBgRGB(),
    isPalette: cell.isBgPalette(),
  });
  const inverse = cell.isInverse() !== 0;
  return {
    text: cell.getWidth() === 0 ? "" : cell.getChars() || " ",
    colour: inverse ? (back ?? "#14181f") : front,
    background: inverse ? (front ?? "#d6dbe4") : back,
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
  };
}

/** The first sixteen are the terminal's to choose: a palette that reads well on dark. */
const base =
  "#14181f #e5534b #57ab5a #c69026 #539bf5 #b083f0 #39c5cf #d6dbe4 #768390 #ff938a #6bc46d #daaa3f #6cb6ff #dcbdfb #56d4dd #ffffff";

function colourOf(
  value: number,
  { isRgb, isPalette }: { isRgb: boolean; isPalette: boolean },
): string | undefined {
  if (isRgb) return `#${value.toString(16).padStart(6, "0")}`;
  if (!isPalette) return undefined;
  if (value < 16) return base.split(" ")[value];
  if (value >= 232) return grey(8 + 10 * (value - 232));
  const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step);
  const at = value - 16;
  return hex([Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map(level));
}

function grey(level: number): string {
  return hex([level, level, level]);
}

function hex(levels: readonly number[]): string {
  return `#${levels.map((level) => level.toString(16).padStart(2, "0")).join("")}`;
}
