/** Sinks that users wrote themselves. */

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { wordsOf } from "../../protocol/visible.ts";
import { inTime } from "./in-time.ts";
import type { MetricSink } from "./metric-sink.ts";
import { SinkError } from "./sink-error.ts";
import { SinkGuard } from "./sink-guard.ts";

/** Seconds that a sink may take to open: the run waits for it. */
const openWithin = 30;

/** As the configuration names it. */
export interface OwnSink {
  /** An ES module, seen from the working directory. */
  readonly module: string;
  /** What it exports: a function or a class. */
  readonly export: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a sink learns of the run, as its second argument. */
export interface OwnSinkRun {
  /** Absolute path of the run folder. */
  readonly folder: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The next iteration of a run that goes on: rows from there on are written again. */
  readonly resumeAt?: number;
  /** Shows a line to people. */
  readonly say: (line: string) => void;
}

/** Makes the sink, once there is a run. */
export interface OwnSinkMaker {
  /** For people. */
  readonly name: string;
  /** @throws SinkError `not-a-sink`; whatever else goes wrong is said once, and there is no sink. */
  open(run: OwnSinkRun): Promise<MetricSink | undefined>;
}

/**
 * Loads the module and looks up its export; nothing is called yet.
 * @throws SinkError `no-such-module`, `broken-module`, `no-such-export`
 */
export async function loadOwnSink(own: OwnSink): Promise<OwnSinkMaker> {
  const exported = pick(own, await load(own.module));
  const name = `sink ${own.export} of ${own.module}`;
  return { name, open: (run) => open(exported, { own, run, name }) };
}

async function load(module: string): Promise<Readonly<Record<string, unknown>>> {
  const path = resolve(module);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    const hint = "`sinks` names files, seen from the working directory.";
    throw new SinkError("no-such-module", `There is no sink module ${path}`, hint);
  }
  try {
    return await import(pathToFileURL(path).href);
  } catch (cause) {
    const message = `The sink module ${path} can't be loaded: ${wordsOf(cause)}`;
    const hint = "It must be JavaScript that Node can import: an ES module, .mjs.";
    throw new SinkError("broken-module", message, hint, { cause });
  }
}

type Exported = (options: unknown, run: OwnSinkRun) => unknown;

function pick(own: OwnSink, module: Readonly<Record<string, unknown>>): Exported {
  const exported = module[own.export];
  if (typeof exported === "function") return exported as Exported;
  const there = Object.keys(module).join(", ") || "nothing";
  throw new SinkError(
    "no-such-export",
    `${own.module} exports no function or class ${own.export}; it exports ${there}`,
    "Name it in `sinks`: {module: FILE, export: NAME}.",
  );
}

interface Opening {
  readonly own: OwnSink;
  readonly run: OwnSinkRun;
  readonly name: string;
}

async function open(exported: Exported, opening: Opening): Promise<MetricSink | undefined> {
  const { own, run, name } = opening;
  const guard = new SinkGuard(name, run.say);
  let made: unknown;
  try {
    const isClass = /^class\b/.test(Function.prototype.toString.call(exported));
    const options = structuredClone(own.options);
    made = isClass
      ? Reflect.construct(exported, [options, run])
      : await inTime(exported(options, run), openWithin, "it did not open");
  } catch (error) {
    guard.fail(error);
    return undefined;
  }
  return guarded(checked(made, own), guard);
}

function checked(made: unknown, own: OwnSink): MetricSink {
  const methods = ["write", "event", "close"] as const;
  const sink = (made ?? {}) as Partial<Record<string, unknown>>;
  const missing = methods.filter((method) => typeof sink[method] !== "function");
  if (missing.length === 0) return made as MetricSink;
  throw new SinkError(
    "not-a-sink",
    `${own.export} of ${own.module} made no sink: it lacks ${missing.join(", ")}`,
    "A sink has write(iteration, metrics), event(event) and close().",
  );
}

/** Hands out copies, so that no sink can change what the others get, and hears of late failures. */
function guarded(sink: MetricSink, guard: SinkGuard): MetricSink {
  const call = (action: () => unknown) =>
    guard.run(() => {
      const result = action();
      // TypeScript lets an async function pass for one that gives nothing.
      if (result instanceof Promise) result.catch((error) => guard.fail(error));
    });
  let closing: Promise<void> | undefined;
  return {
    write: (iteration, metrics) => {
      if (!closing) call(() => sink.write(iteration, { ...metrics }));
    },
    event: (event) => {
      if (!closing) call(() => sink.event({ ...event }));
    },
    close: () => {
      closing ??= closed(sink, guard);
      return closing;
    },
  };
}

async function closed(sink: MetricSink, guard: SinkGuard): Promise<void> {
  try {
    await sink.close();
  } catch (error) {
    guard.fail(error);
  }
}
