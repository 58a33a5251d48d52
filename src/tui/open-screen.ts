import { wordsOf } from "../../protocol/visible.ts";
import "./terminal/production.ts";
import { createElement } from "react";
import type { MetricSink, Metrics, RunEvent } from "../metrics/metric-sink.ts";
import type { RequestQueue } from "../running/requests.ts";
import { remembered } from "./remembered.ts";
import { initialState, type ScreenState } from "./state/screen-state.ts";
import { type Action, reduce } from "./state/view-model.ts";
import { Backlog } from "./terminal/backlog.ts";
import { FrameWriter } from "./terminal/frame-writer.ts";
import { InkFrames } from "./terminal/ink-frames.ts";
import { TerminalKeys } from "./terminal/keyboard.ts";
import { type Deed, type Keyboard, newKeyboard, phaseQuestion, press } from "./terminal/keys.ts";
import { FramePace } from "./terminal/pace.ts";
import { StrayOutput } from "./terminal/stray-output.ts";
import { wandbFolderOf } from "./terminal/wandb-folder.ts";
import type { Size } from "./view/layout.ts";
import { Screen } from "./view/screen.tsx";
import { summaryText } from "./view/summary.ts";

export interface ScreenOptions {
  /** Where keys go. */
  readonly steering: Pick<RequestQueue, "ask">;
  /** The plain stream, for `t`; it writes to the same terminal. The screen doesn't close it. */
  readonly plain: MetricSink;
  /** Ctrl-C, which raw mode hides from the process. */
  readonly onInterrupt: () => void;
  /** The latest lines of the simulator, for `l`. */
  readonly simulatorLog?: () => readonly string[];
  /** Folder of a run that goes on: what was written there so far is shown as if it had been seen. */
  readonly history?: string;
  /** Looking at a run that another process flies: `q` and Ctrl-C call this instead. */
  readonly onQuit?: () => void;
  readonly stdout?: NodeJS.WriteStream;
  readonly stdin?: NodeJS.ReadStream;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface OpenedScreen extends MetricSink {
  /** A row or event of a file, or what else a watcher finds out. */
  observe(...actions: readonly Action[]): void;
}

/** Iterations and events that `t` tells afterwards: as much as a terminal can be scrolled back. */
const mostMissed = 100;
const tickEvery = 250;
/** Seconds that the answer to a key stays. */
const remarkFor = 4;

/**
 * Shows a run on the terminal until it is closed, which leaves a summary behind. Never throws and never
 * blocks the flight: a screen that fails says so and goes on as the plain stream.
 */
export function openScreen(options: ScreenOptions): OpenedScreen {
  return new LiveScreen(options);
}

class LiveScreen implements OpenedScreen {
  readonly #options: ScreenOptions;
  readonly #stdout: NodeJS.WriteStream;
  readonly #writer: FrameWriter;
  readonly #frames: InkFrames;
  readonly #keys: TerminalKeys;
  readonly #stray: StrayOutput;
  readonly #backlog = new Backlog(mostMissed);
  readonly #pace = new FramePace();
  readonly #timer: NodeJS.Timeout;
  readonly #colour: boolean;
  #mode: "screen" | "plain" | "closed" = "screen";
  #state: ScreenState = initialState;
  #board: Keyboard;
  #remarkUntil = 0;
  #drawnColumns = 0;
  /** A key waits for its answer. */
  #urgent = false;
  #broken: Error | undefined;
  #failed = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
    const { stdin = process.stdin, stdout = process.stdout, env = process.env } = options;
    this.#stdout = stdout;
    // Taken before the stray output is caught: what the frame writes is no stray.
    const write = stdout.write.bind(stdout);
    this.#writer = new FrameWriter((text) => void write(text));
    this.#frames = new InkFrames({
      stdin,
      onError: (error) => {
        this.#broken = error;
      },
      onGone: () => this.#gone(),
    });
    this.#keys = new TerminalKeys(stdin, (key) => this.#press(key));
    this.#stray = new StrayOutput(stdout === process.stdout ? [stdout, process.stderr] : []);
    this.#board = newKeyboard(options.onQuit !== undefined);
    if (options.history !== undefined) this.#state = remembered(options.history);
    this.#colour = !env.NO_COLOR;
    this.#stdout.on("resize", this.#onResize);
    this.#keys.start();
    this.#timer = setInterval(() => this.#tick(), tickEvery);
    this.#timer.unref();
    this.#show();
  }

  write(iteration: number, metrics: Metrics): void {
    this.observe({ kind: "row", iteration, metrics, time: Date.now() / 1000 });
  }

  event(event: RunEvent): void {
    this.observe({ kind: "event", event });
  }

  observe(...actions: readonly Action[]): void {
    for (const action of actions) {
      this.#state = reduce(this.#state, action);
      if (action.kind === "row") this.#plainly((to) => to.row(action.iteration, action.metrics));
      if (action.kind === "event") this.#plainly((to) => to.event(action.event));
    }
    this.#draw();
  }

  async close(): Promise<void> {
    if (this.#mode === "closed") return;
    if (this.#mode === "screen") {
      this.#board = newKeyboard(this.#board.watching);
      this.#render(true);
    }
    this.#restore();
    const { watching } = this.#board;
    const wandbFolder = wandbFolderOf(this.#state.run.path);
    this.#stdout.write(
      `\n${summaryText(this.#state, { wandbFolder, watching, cwd: process.cwd() })}`,
    );
    this.#frames.close();
  }

  /** Tells the plain stream now, or keeps it for later. */
  #plainly(tell: (to: Pick<Backlog, "row" | "event">) => void): void {
    if (this.#mode === "screen") tell(this.#backlog);
    else if (this.#mode === "plain") tell(asStream(this.#options.plain));
  }

  #press(key: string): void {
    if (this.#mode === "closed") return;
    if (this.#mode === "plain") {
      this.#pressPlain(key);
      return;
    }
    const { board, deed } = press(key, this.#board, this.#state);
    this.#board = board;
    this.#remarkUntil = Date.now() / 1000 + remarkFor;
    if (deed) this.#do(deed);
    this.#urgent = true;
    this.#draw();
  }

  /** On the plain stream the keys act too; only `t` has another meaning. */
  #pressPlain(key: string): void {
    if (key === "t") {
      if (!this.#failed) this.#show();
      return;
    }
    const { board, deed } = press(key, this.#board, this.#state);
    this.#board = board;
    if (board.asking || board.remark)
      this.#stdout.write(`${board.remark ?? `${phaseQuestion(this.#state)} y/n`}\n`);
    if (deed && deed.kind !== "plain") this.#do(deed);
  }

  #do(deed: Deed): void {
    if (deed.kind === "ask") this.#ask(deed);
    else if (deed.kind === "plain") this.#showPlain();
    else if (deed.kind === "quit") this.#options.onQuit?.();
    else this.#options.onInterrupt();
  }

  #ask({ request, by }: Deed & { kind: "ask" }): void {
    this.#options.steering.ask(request, by, (outcome) => {
      const sign = outcome === "done" ? "✓" : "✗";
      this.#board = { ...this.#board, remark: `${sign} ${request}: ${outcome}` };
      this.#remarkUntil = Date.now() / 1000 + remarkFor;
      this.#urgent = true;
      this.#draw();
    });
  }

  #show(): void {
    this.#mode = "screen";
    this.#urgent = true;
    this.#board = { ...newKeyboard(this.#board.watching) };
    this.#stray.catch(() => this.#draw());
    this.#draw();
  }

  #showPlain(): void {
    this.#leaveFrame();
    this.#mode = "plain";
    const left = this.#backlog.forgotten;
    if (left > 0) this.#stdout.write(`… ${left} earlier lines are in the run folder\n`);
    this.#backlog.replay(this.#options.plain);
    this.#stdout.write("(plain text; t: back to the screen)\n");
  }

  #leaveFrame(): void {
    this.#writer.clear(this.#size().columns);
    this.#writer.release();
    this.#stray.release();
    const text = this.#stray.take();
    if (text !== "") this.#stdout.write(text);
  }

  #tick(): void {
    const now = Date.now() / 1000;
    this.#state = reduce(this.#state, { kind: "tick", now });
    if (this.#board.remark !== undefined && now > this.#remarkUntil) {
      this.#board = { ...this.#board, remark: undefined };
    }
    this.#draw();
  }

  /** Draws unless the last frame was just now; the next tick makes up for it. */
  #draw(): void {
    const due = this.#mode === "screen" && this.#pace.due(performance.now(), this.#urgent);
    if (due) this.#render(false);
  }

  #render(last: boolean): void {
    const started = performance.now();
    this.#urgent = false;
    try {
      const text = this.#stray.take();
      if (text !== "") this.#writer.above(text);
      const size = this.#size();
      const lines = this.#frames.render(this.#element(size), size);
      if (this.#broken) throw this.#broken;
      // Without its keys the last frame is a picture, not a screen.
      this.#writer.draw((last ? lines.slice(0, -1) : lines).slice(0, Math.max(1, size.rows - 1)));
      this.#drawnColumns = size.columns;
    } catch (error) {
      this.#fail(error);
    }
    this.#pace.drew(started, performance.now());
  }

  #element(size: Size) {
    return createElement(Screen, {
      state: this.#state,
      board: this.#board,
      size,
      cost: this.#pace.share(performance.now()),
      log: this.#board.overlay === "log" ? (this.#options.simulatorLog?.() ?? []) : [],
      colour: this.#colour,
    });
  }

  readonly #onResize = () => {
    if (this.#mode !== "screen") return;
    const size = this.#size();
    if (size.columns !== this.#drawnColumns) this.#writer.clear(size.columns);
    this.#render(false);
  };

  #size(): Size {
    return { columns: this.#stdout.columns || 80, rows: this.#stdout.rows || 24 };
  }

  #fail(error: unknown): void {
    this.#failed = true;
    if (this.#mode !== "screen") return;
    this.#showPlain();
    const why = wordsOf(error);
    this.#stdout.write(`The screen failed (${why}): plain text from here, the run goes on.\n`);
  }

  /** Ink has taken the tree away without having been told: the process is about to end. */
  #gone(): void {
    if (this.#mode !== "closed") this.#restore();
  }

  #restore(): void {
    this.#mode = "closed";
    clearInterval(this.#timer);
    this.#stdout.off("resize", this.#onResize);
    this.#keys.stop();
    this.#writer.release();
    this.#stray.release();
    const text = this.#stray.take();
    if (text !== "") this.#stdout.write(text);
  }
}

function asStream(plain: MetricSink): Pick<Backlog, "row" | "event"> {
  return {
    row: (iteration, metrics) => plain.write(iteration, metrics),
    event: (event) => plain.event(event),
  };
}
