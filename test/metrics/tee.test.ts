import { describe, expect, it } from "vitest";
import type { MetricSink } from "../../src/metrics/metric-sink.ts";
import { tee } from "../../src/metrics/tee.ts";

const event = { type: "x", iteration: 1, time: 2, message: "m" };

function recorder() {
  const log: unknown[] = [];
  const sink: MetricSink = {
    write: (iteration, metrics) => log.push([iteration, metrics]),
    event: (it) => log.push(it),
    close: async () => {
      log.push("closed");
    },
  };
  return { log, sink };
}

const breaks = (): never => {
  throw new Error("no space");
};

describe("the tee", () => {
  it("gives everything to every sink, in order", async () => {
    const [a, b] = [recorder(), recorder()];
    const sinks = [a, b].map(({ sink }, i) => ({ name: `${i}`, sink }));
    const both = tee(sinks, { onFailure: breaks });
    both.write(1, { x: 1 });
    both.event(event);
    await both.close();
    expect(a.log).toEqual([[1, { x: 1 }], event, "closed"]);
    expect(b.log).toEqual(a.log);
  });

  it("says once that a sink fails, and the others go on", async () => {
    const said: string[] = [];
    const good = recorder();
    const bad: MetricSink = { write: breaks, event: breaks, close: async () => breaks() };
    const sinks = [
      { name: "W&B", sink: bad },
      { name: "file", sink: good.sink },
    ];
    const both = tee(sinks, { onFailure: (line) => said.push(line) });
    both.write(1, {});
    both.write(2, {});
    both.event(event);
    await both.close();
    expect(said).toEqual([expect.stringMatching(/^W&B: no space/)]);
    expect(good.log).toEqual([[1, {}], [2, {}], event, "closed"]);
  });

  it("closes a sink that failed before, and one whose close throws at once", async () => {
    const closed: string[] = [];
    const sink: MetricSink = {
      write: breaks,
      event: () => {},
      close: () => {
        closed.push("a");
        return breaks();
      },
    };
    const one = tee([{ name: "a", sink }], { onFailure: () => {} });
    one.write(1, {});
    await one.close();
    expect(closed).toEqual(["a"]);
  });

  it("does not wait for ever for a sink to close", async () => {
    const said: string[] = [];
    const stuck = { ...recorder().sink, close: () => new Promise<void>(() => {}) };
    const options = { onFailure: (line: string) => said.push(line), closeWithin: 0.02 };
    await tee([{ name: "stuck", sink: stuck }], options).close();
    expect(said).toEqual([expect.stringContaining("stuck: it did not close within 0.02 s")]);
  });
});
