import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import xterm from "@xterm/headless";

export interface Ended {
  /** Negative: the signal that ended it. */
  readonly code: number;
  /** Whether the terminal's mode is what it was before. */
  readonly restored: boolean;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string>>;
}

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** A JavaScript program in a real pseudo terminal, and what a person sees of it. */
export class RealTerminal {
  readonly #terminal: xterm.Terminal;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  /** All that was ever printed. */
  output = "";

  constructor(file: string, args: readonly string[], size: TerminalSize) {
    const { columns, rows, env: extra = {} } = size;
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: 5000,
      allowProposedApi: true,
    });
    const node = [process.execPath, file, ...args];
    const {
      CI: _,
      CONTINUOUS_INTEGRATION: __,
      NODE_ENV: ___,
      NO_COLOR: ____,
      ...env
    } = process.env;
    const words = [here("./terminal.py"), String(columns), String(rows), ...node];
    this.#child = spawn("python3", words, { env: { ...env, TERM: "xterm-256color", ...extra } });
    let report = "";
    this.#child.stderr.on("data", (data) => {
      report += data;
    });
    this.#child.stdout.on("data", (data: Buffer) => {
      this.output += data.toString();
      this.#terminal.write(data);
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", () => {
        const line = report.trim().split("\n").at(-1) ?? "";
        this.#terminal.write("", () => {
          line.startsWith("{") ? resolve(JSON.parse(line)) : reject(new Error(report));
        });
      });
    });
    this.ended.catch(() => undefined);
  }

  press(keys: string): void {
    this.#tell({ keys });
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#tell({ resize: [columns, rows] });
  }

  signal(signal: NodeJS.Signals): void {
    this.#tell({ signal });
  }

  kill(): void {
    this.#child.stdin.end();
  }

  /** The visible rows. */
  get screen(): readonly string[] {
    return this.#lines(this.#terminal.buffer.active.baseY);
  }

  /** The rows that can be scrolled to, and the visible ones. */
  get everything(): readonly string[] {
    return this.#lines(0);
  }

  /** As {@link everything}, with what the terminal has broken into rows in one again. */
  get paragraphs(): readonly string[] {
    const { active } = this.#terminal.buffer;
    return this.everything.reduce<string[]>((whole, line, i) => {
      if (active.getLine(i)?.isWrapped) whole[whole.length - 1] += line;
      else whole.push(line);
      return whole;
    }, []);
  }

  get cursorHidden(): boolean {
    return this.output.lastIndexOf("\u001b[?25l") > this.output.lastIndexOf("\u001b[?25h");
  }

  /** Waits until the screen shows something. @throws what it shows instead, after 30 s */
  async until(wanted: (screen: string) => boolean): Promise<void> {
    const end = Date.now() + 30_000;
    while (!wanted(this.screen.join("\n"))) {
      if (Date.now() > end) throw new Error(`never came; the screen:\n${this.screen.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  #lines(from: number): readonly string[] {
    const { active } = this.#terminal.buffer;
    const count = active.baseY + this.#terminal.rows - from;
    return Array.from(
      { length: count },
      (_, i) => active.getLine(from + i)?.translateToString(true) ?? "",
    );
  }

  #tell(what: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(what)}\n`);
  }
}
