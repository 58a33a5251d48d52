import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { planned } from "../metrics/console/console-view.ts";
import { jsonConsole, plainConsole } from "../metrics/console/plain-console.ts";
import { startText } from "../metrics/console/start-text.ts";
import { type TextWriter, textWriter } from "../metrics/console/text-writer.ts";
import type { MetricSink, Metrics, RunEvent } from "../metrics/metric-sink.ts";
import type { Request, Requested } from "../running/requests.ts";
import { type Posted, postRequest } from "../runs/control.ts";
import { presenceOf } from "../runs/control-files.ts";
import { locateRun } from "../runs/locate-run.ts";
import { exitCodes } from "../training/exit-codes.ts";
import { chooseUi, type UiWish } from "../tui/choose-ui.ts";
import type { OpenedScreen } from "../tui/open-screen.ts";
import { WatchSource } from "../tui/watch-source.ts";

const lookEvery = 250;
/** Milliseconds an answer may take before the watcher gives up on it. */
const patience = 120_000;

export function registerWatch(program: Command): void {
  program
    .command("watch")
    .description("show a run in progress, or one that has ended")
    .argument("[run]", "run folder, or a checkpoint in it; default: the newest under logs/rsl_rl")
    .option("--ui <ui>", "auto, tui, plain, jsonl", "auto")
    .addHelpText(
      "after",
      "\nKeys act on the run as in its own terminal; q and Ctrl-C only end the watching.",
    )
    .action(async (path: string | undefined, options: { ui: string }) => {
      const run = locateRun(path);
      const ui = chooseUi(options.ui as UiWish, process);
      if (ui === "tui") await watchOnScreen(run);
      else await watchAsText(run, ui === "jsonl");
      process.exitCode = exitCodes.ok;
    });
}

/** Prints what there is and what comes, until the run ends or the reader goes away. */
async function watchAsText(run: string, json: boolean): Promise<void> {
  const source = new WatchSource(run);
  const write = textWriter(process.stdout);
  const plain = json ? jsonConsole(write) : new ReplayedConsole(write);
  while (!process.stdout.destroyed) {
    const over = isOver(run);
    const news = source.read();
    for (const action of news) {
      if (action.kind === "row") plain.write(action.iteration, action.metrics);
      if (action.kind === "event") plain.event(action.event);
    }
    if (news.length === 0 && over) return;
    if (news.length === 0) await sleep(lookEvery);
    else await drained();
  }
}

/** Of another user's run nobody can tell: it is shown as it is. */
function isOver(run: string): boolean {
  const { state } = presenceOf(run);
  return state === "ended" || state === "hidden";
}

/** Lets a slow reader keep up: what it doesn't take would be dropped. */
async function drained(): Promise<void> {
  while (process.stdout.writableLength > 1 << 16 && !process.stdout.destroyed) await sleep(10);
}

async function watchOnScreen(run: string): Promise<void> {
  const { openScreen } = await import("../tui/open-screen.ts");
  const source = new WatchSource(run);
  const steering = new RemoteSteering(run);
  const plain = new ReplayedConsole(textWriter(process.stdout));
  let quit = false;
  const onQuit = () => {
    quit = true;
  };
  const simulatorLog = () => lastLines(join(run, "sim.log"));
  const screen = openScreen({ steering, plain, onQuit, onInterrupt: onQuit, simulatorLog });
  try {
    while (!quit) {
      const news = source.read();
      for (const action of news) {
        if (action.kind === "event") plain.learn(action.event);
      }
      screen.observe(...news);
      if (news.length === 0) atRest(run, screen, steering);
      await sleep(news.length === 0 ? lookEvery : 0);
    }
  } finally {
    await screen.close();
  }
}

/** All has been read: is anybody still flying, and has anybody answered? */
function atRest(run: string, screen: OpenedScreen, steering: RemoteSteering): void {
  const flying = !isOver(run);
  screen.observe({ kind: "presence", flying });
  steering.look(flying);
}

/** Passes keys on to the flight's mailbox, and its answers back. */
class RemoteSteering {
  readonly #run: string;
  readonly #waiting = new Map<
    Posted,
    { readonly answer: Requested["answer"]; readonly until: number }
  >();

  constructor(run: string) {
    this.#run = run;
  }

  ask(request: Request, by: string, answer?: Requested["answer"]): void {
    try {
      const posted = postRequest(this.#run, request, `${by} of a watcher`);
      this.#waiting.set(posted, { answer, until: Date.now() + patience });
    } catch (error) {
      answer?.(`not asked: ${(error as Error).message}`);
    }
  }

  look(flying: boolean): void {
    for (const [posted, { answer, until }] of this.#waiting) {
      const outcome = posted.answer() ?? this.#givenUp(flying, until);
      if (outcome === undefined) continue;
      this.#waiting.delete(posted);
      posted.withdraw();
      answer?.(outcome);
    }
  }

  #givenUp(flying: boolean, until: number): string | undefined {
    if (!flying) return "refused: nobody flies this run now";
    return Date.now() > until ? "no answer yet; the flight may still do it" : undefined;
  }
}

/** The plain console of a run that is known only by what it wrote; its plan comes with the `start` event. */
class ReplayedConsole implements MetricSink {
  readonly #write: TextWriter;
  #console: MetricSink | undefined;

  constructor(write: TextWriter) {
    this.#write = write;
  }

  write(iteration: number, metrics: Metrics): void {
    this.#console ??= this.#planned({});
    this.#console.write(iteration, metrics);
  }

  event(event: RunEvent): void {
    this.learn(event);
    this.#console ??= this.#planned({});
    if (event.type === "start") this.#write(startText(event));
    this.#console.event(event);
  }

  async close(): Promise<void> {}

  /** Has to be told of a run's start even when nothing is printed. */
  learn(event: RunEvent): void {
    if (event.type === "start") this.#console = this.#planned(event);
  }

  #planned(start: Readonly<Record<string, unknown>>): MetricSink {
    const { max_iterations, phase1_iterations, use_two_stage_training, resumed } = start;
    const number = (value: unknown) => (typeof value === "number" ? value : Number.NaN);
    const switchAt = use_two_stage_training === false ? 0 : number(phase1_iterations);
    const from = typeof resumed === "number" ? resumed : 0;
    const plan = { maxIterations: number(max_iterations), switchAt };
    const begun = { iteration: from, seconds: 0 };
    return plainConsole({ ...planned({ ...plan, start: begun }, start), write: this.#write });
  }
}

/** The end of a log, as it is; empty where there is none. */
function lastLines(path: string): readonly string[] {
  try {
    const file = openSync(path, "r");
    try {
      const bytes = Buffer.alloc(16_384);
      const { size } = fstatSync(file);
      const count = readSync(file, bytes, 0, bytes.length, Math.max(0, size - bytes.length));
      return bytes
        .toString("utf8", 0, count)
        .split("\n")
        .filter((line) => line !== "")
        .slice(-200);
    } finally {
      closeSync(file);
    }
  } catch {
    return [];
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
