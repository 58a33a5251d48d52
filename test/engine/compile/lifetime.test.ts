import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { compileWith } from "../../../src/engine/compile/compile.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { compiledEngine } from "../../compiled-engine.ts";
import { compilers, regression, take } from "./programs.ts";

await startEngine("cpu");

interface Counting {
  getNumOfTensors(): number;
  getNumOfSavedModels(): number;
}
const { binding } = tf.backend() as unknown as { readonly binding: Counting };
const held = () => [
  tf.memory().numTensors,
  binding.getNumOfTensors(),
  binding.getNumOfSavedModels(),
];

describe.each(["fed", "held"] as const)("a program's lifetime, %s", (name) => {
  it("holds no more after 2,000 updates than after ten", () => {
    const v = tf.variable(tf.zeros([8]));
    const program = compilers[name]()({
      state: [v],
      entries: {
        step: ([x, rate]) => {
          const { value, grads } = tf.variableGrads(
            () => tf.sum(tf.square(tf.sub(v, x!))) as tf.Scalar,
            [v],
          );
          v.assign(tf.sub(v, tf.mul(grads[v.name]!, rate!)));
          return [value];
        },
      },
    });
    const x = tf.ones([8]);
    const step = () => {
      const rate = tf.scalar(5e-3);
      tf.dispose([...program.run("step", [x, rate]), rate]);
    };
    for (let i = 0; i < 10; i += 1) step();
    const before = held();
    for (let i = 0; i < 2000; i += 1) step();
    expect(held()).toEqual(before);
    expect(v.dataSync()[0]).toBeCloseTo(1, 3);
    program.dispose();
    tf.dispose([v, x]);
  });

  it("gives everything back when it is disposed", () => {
    const cycle = () => {
      const it = regression(compilers[name]());
      const batch = it.batch(10);
      for (let i = 0; i < 4; i += 1) it.step(batch);
      tf.dispose([batch.x, batch.y]);
      it.dispose();
    };
    cycle();
    const before = held();
    for (let i = 0; i < 8; i += 1) cycle();
    const half = outsideHeap();
    for (let i = 0; i < 20; i += 1) cycle();
    expect(held()).toEqual(before);
    expect(outsideHeap() - half, "MiB for 20 programs, some 25 where they are kept").toBeLessThan(
      14,
    );
  });
});

/** MiB that are not JavaScript's, which grows as it pleases. */
function outsideHeap(): number {
  const { rss, heapTotal } = process.memoryUsage();
  return (rss - heapTotal) / 2 ** 20;
}

describe("a program on disk", () => {
  it("writes nothing, so a kill in the middle leaves nothing", async () => {
    const engine = compiledEngine();
    const url = (file: string) => JSON.stringify(pathToFileURL(join(engine, file)).href);
    const place = mkdtempSync(join(tmpdir(), "firstsolo-killed-"));
    const program = `
      import { createRequire } from "node:module";
      const { startEngine } = await import(${url("start.js")});
      const { compileWith } = await import(${url("compile/compile.js")});
      const tf = createRequire(${JSON.stringify(import.meta.url)})("@tensorflow/tfjs-core");
      await startEngine("cpu");
      for (let n = 1; ; n += 1) {
        const program = compileWith("on")({ state: [], entries: { act: ([x]) => [tf.square(x)] } });
        const x = tf.ones([n]);
        for (let i = 0; i < 3; i += 1) tf.dispose(program.run("act", [x]));
        if (n === 5) console.log("going");
      }`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      cwd: place,
      env: { ...process.env, TMPDIR: place, HOME: process.env.HOME },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(readdirSync(place)).toEqual([]);
    rmSync(place, { recursive: true });
  });
});

describe("the memory of a large constant", () => {
  it("is not written out where it is one number, over and over", () => {
    const program = compileWith("on")({
      state: [],
      entries: { add: ([x]) => [tf.sum(tf.add(x!, tf.fill([3000, 1000], 2)))] },
    });
    const x = tf.scalar(1);
    for (let i = 0; i < 4; i += 1) expect(take(program.run("add", [x])[0]!)).toEqual([9e6]);
    program.dispose();
    x.dispose();
  });
});
