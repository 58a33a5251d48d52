import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { MetricSink, RunEvent } from "../../src/metrics/metric-sink.ts";

export interface SinkSubject {
  readonly sink: MetricSink;
  /** Iterations of the rows it has kept or told so far, in order; asked once it is closed. */
  readonly iterations: () => readonly number[] | Promise<readonly number[]>;
  /** What it complained of. */
  readonly said: readonly string[];
}

export interface SinkLaws {
  readonly open: () => SinkSubject | Promise<SinkSubject>;
  /** Which of its rows a sink keeps. Default: all. */
  readonly keeps?: "all" | "latest";
}

const event: RunEvent = { type: "checkpoint", iteration: 1, time: 1.5, message: "saved" };
const row = (i: number) => ({ "Loss/behavior": 1 / (i + 1), "Perf/total_fps": 100 });

/** What holds for every place that figures go to: it never throws, never disturbs, and ends when it is told to. */
export function sinkLaws({ open, keeps = "all" }: SinkLaws): void {
  const kept = (iterations: readonly number[]) =>
    keeps === "all" ? iterations : iterations.slice(-1);

  test("keeps rows and events in the order they come", async () => {
    const { sink, iterations, said } = await open();
    sink.event({ ...event, type: "start" });
    for (let i = 0; i < 5; i += 1) {
      sink.write(i, row(i));
      sink.event({ ...event, iteration: i });
    }
    await sink.close();
    expect(await iterations()).toEqual(kept([0, 1, 2, 3, 4]));
    expect(said).toEqual([]);
  });

  test("can be closed twice, and before anything was written", async () => {
    const { sink, iterations, said } = await open();
    await Promise.all([sink.close(), sink.close()]);
    await sink.close();
    expect(await iterations()).toEqual([]);
    expect(said).toEqual([]);
  });

  test("takes nothing after it is closed, and doesn't mind", async () => {
    const { sink, iterations, said } = await open();
    sink.write(0, row(0));
    await sink.close();
    sink.write(1, row(1));
    sink.event(event);
    await sink.close();
    expect(await iterations()).toEqual([0]);
    expect(said).toEqual([]);
  });

  test("a row of no numbers, none at all, or one that nobody may change is a row", async () => {
    const { sink, iterations, said } = await open();
    const wild = { a: Number.NaN, b: Infinity, c: -Infinity, d: -0, e: Number.MIN_VALUE };
    sink.write(0, Object.freeze({ ...row(0), ...wild }));
    sink.write(1, Object.freeze({ ...row(1), "Loss/behavior": Number.NaN }));
    sink.write(2, Object.freeze(row(2)));
    await sink.close();
    expect(await iterations()).toEqual(kept([0, 1, 2]));
    expect(said).toEqual([]);
  });

  test("names that nobody knows, and that no format likes, are names", async () => {
    const { sink, iterations, said } = await open();
    const odd = ["", " ", "a b", "a/b/c", "日本/✈", "x\ny", 'q"\\', "\u001b[2J", "x".repeat(5000)];
    const names = [...odd, "constructor", "toString", "_step", "iteration"];
    sink.write(0, Object.fromEntries(names.map((name, i) => [name, i])));
    sink.write(1, row(1));
    await sink.close();
    const seen = await iterations();
    expect(seen.at(-1)).toBe(1);
    expect(said).toEqual([]);
  });

  test("an event that holds anything costs no row", async () => {
    const { sink, iterations, said } = await open();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const anything = { circle, big: 2n ** 70n, none: undefined, act: () => 1, not: Number.NaN };
    sink.write(0, row(0));
    sink.event({ ...event, ...anything, message: "a\u001b[2J\nb\ud800" });
    sink.event({ ...event, type: "stage", stage: { name: 3, index: -1, of: "x" } });
    sink.event({ ...event, type: "start", room: 7, headline: {}, stages: [null, {}] });
    sink.write(1, row(1));
    await sink.close();
    expect(await iterations()).toEqual(kept([0, 1]));
    expect(said).toEqual([]);
  });

  test("10,000 rows leave no more behind in memory than a few megabytes", async () => {
    const { sink, said } = await open();
    const write = async (from: number, to: number) => {
      for (let i = from; i < to; i += 1) {
        sink.write(i, row(i));
        if (i % 100 === 0) sink.event({ ...event, iteration: i });
        if (i % 250 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await write(0, 1000);
    const before = usedBytes();
    await write(1000, 11_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(usedBytes() - before).toBeLessThan(6 << 20);
    await sink.close();
    expect(said).toEqual([]);
  });
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function usedBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}
