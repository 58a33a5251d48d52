import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
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
