/** TensorBoard event files, written without TensorFlow. */
import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { MetricSink } from "../metric-sink.ts";
import { SinkGuard } from "../sink-guard.ts";
import { fileVersionEvent, frame, restartEvent, scalarsEvent, textEvent } from "./records.ts";

export interface TensorboardOptions {
  readonly runFolder: string;
  /** Shown on the text page. */
  readonly config?: unknown;
  /** The next iteration: a new file, as TensorBoard wants it, voids it and later ones in the old. */
  readonly resumeAt?: number;
  /** Receives the one line that says what went wrong. */
  readonly onFailure: (line: string) => void;
}

/** Files of one process get numbers of their own. */
let opened = 0;

/** Never throws: what goes wrong is said once and the sink is silent from then on. */
export function openTensorboard(options: TensorboardOptions): MetricSink {
  const guard = new SinkGuard("TensorBoard", options.onFailure);
  let fd: number | undefined;
  const append = (data: Uint8Array) => {
    const bytes = frame(data);
    let done = 0;
    while (done < bytes.length) done += writeSync(fd!, bytes, done);
  };
  guard.run(() => {
    const now = Date.now() / 1000;
    fd = openSync(join(options.runFolder, fileName(options.runFolder, now)), "wx", 0o644);
    append(fileVersionEvent(now));
    if (options.resumeAt !== undefined) append(restartEvent(now, options.resumeAt));
    else if (options.config !== undefined) {
      append(textEvent(now, 0, "config", asMarkdown(options.config)));
    }
  });
  const during = (action: () => void) => {
    if (fd !== undefined) guard.run(action);
  };
  return {
    write: (iteration, metrics) =>
      during(() => append(scalarsEvent(Date.now() / 1000, iteration, metrics))),
    event: (e) =>
      during(() => append(textEvent(e.time, e.iteration, `Event/${e.type}`, e.message))),
    async close() {
      const ending = fd;
      fd = undefined;
      if (ending !== undefined) guard.run(() => closeSync(ending));
    },
  };
}

/**
 * `events.out.tfevents.<unix s>.<host>.<pid>.<n>`. Readers take the files of a folder in the order
 * of their names, so a second one within the same second is dated later.
 */
function fileName(folder: string, now: number): string {
  const dated = readdirSync(folder).map(
    (name) => /^events\.out\.tfevents\.(\d+)\./.exec(name)?.[1],
  );
  const newest = Math.max(0, ...dated.map((seconds) => Number(seconds ?? 0)));
  const seconds = String(Math.max(Math.floor(now), newest + 1)).padStart(10, "0");
  return `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${opened++}`;
}

/** Indented by four columns, which Markdown shows as it stands. */
function asMarkdown(config: unknown): string {
  const text = JSON.stringify(config, null, 2) ?? "null";
  return text.replace(/^/gm, "    ");
}
