import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { VectorEnv } from "../../../sim-adapters/vector-env.ts";
import { compileWith } from "../../../src/engine/compile/compile.ts";
import type { Compile } from "../../../src/engine/compile/program.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { runOf, setUp } from "../../running/small-run.ts";

beforeAll(() => startEngine("auto", { threads: 1 }));

/** What was asked of programs, one entry each. */
function counted(compile: Compile, asked: string[]): Compile {
  return (options) => {
    const program = compile(options);
    return {
      run: (entry, ...more) => {
        asked.push(entry);
        return program.run(entry, ...more);
      },
      dispose: () => program.dispose(),
    };
  };
}

describe("student and teacher of a compiled run", () => {
  it.each(["hover", null])(
    "act in one call a step, beside the teacher %s, and free all they took",
    async (checkpoint) => {
      const own = [`checkpoint=${JSON.stringify(checkpoint)}`, "policy.rnn_type=gru"];
      const before = tf.memory().numTensors;
      const plain = await setUp(own);
      const expected = await runOf(plain);
      const asked: string[] = [];
      const compiled = await setUp(own, { compile: counted(compileWith("on"), asked) });
      const flown = await runOf(compiled);
      expect(flown.rows).toEqual(expected.rows);
      expect(asked.filter((entry) => entry === "act")).toHaveLength(6 * 10);
      for (const { assembled } of [plain, compiled]) {
        assembled.dispose();
        await assembled.source.close();
      }
      expect(tf.memory().numTensors).toBe(before);
    },
  );
});

describe("a run that is refused before its first step", () => {
  const teachers = join(import.meta.dirname, "../../../policies/teachers");
  const other = join(teachers, "hover-random-rsl_rl-5.4.2.pt");
  const lost = () => Promise.reject(Object.assign(new Error("lost"), { code: "lost" }));
  const cases: [string, string[], VectorEnv["reset"]?][] = [
    ["does-not-fit", [`checkpoint=${other}`]],
    ["poor-teacher", ["evaluation.min_teacher_return=1e6"]],
    ["lost", [], lost],
  ];
  it.each(cases)("frees all it took: %s", async (code, own, reset) => {
    const before = tf.memory().numTensors;
    const wrap = (env: VectorEnv): VectorEnv => (reset ? { ...wrapped(env), reset } : env);
    const refused = setUp(own, { wrap, compile: compileWith("on") });
    await expect(refused).rejects.toMatchObject({ code });
    expect(tf.memory().numTensors).toBe(before);
  });
});

function wrapped(env: VectorEnv): VectorEnv {
  return {
    spec: env.spec,
    reset: (seed) => env.reset(seed),
    step: (actions) => env.step(actions),
    close: () => env.close(),
  };
}
