import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { recordExample } from "../../policies/flight-example.ts";
import { buildGraph } from "../../policies/graph/build-graph.ts";
import { modelError } from "../../policies/graph/model-error.ts";
import { runTfjs } from "../../policies/graph/run-tfjs.ts";
import { writeTfjs } from "../../policies/graph/write-tfjs.ts";
import type { NetworkPolicy } from "../../policies/networks/network-policy.ts";
import { openOnnx } from "../../policies/onnx/onnx-runtime.ts";
import { writeOnnx } from "../../policies/onnx/write-onnx.ts";
import { Random } from "../../policies/random.ts";
import { type CompileMode, compileWith } from "../../src/engine/compile/compile.ts";
import type { Arrays, Experience } from "../../src/learning/experience.ts";
import type { BatchLearner } from "../../src/learning/offline/batch-learner.ts";
import type { OfflineSite } from "../../src/learning/offline/site.ts";
import type { Stage } from "../../src/learning/stage.ts";
import { learnerLaws } from "../learning/learner-laws.ts";

export const stage: Stage = {
  ...{ name: "offline", index: 0, of: 1, iteration: 0, length: 10, progress: 0 },
  settings: {},
};

export const site: OfflineSite = {
  reads: ["policy", "wind"],
  observationWidth: 5,
  action: { low: [0, -2, 0.5], high: [4, 2, 1.5] },
  statistics: {
    mean: Float32Array.of(0.1, 0.2, -0.3, 2, 0),
    std: Float32Array.of(1, 2, 0.5, 1, 0.1),
    count: 1000,
  },
  returns: { worst: -20, best: 30, horizon: 100 },
  seed: 7,
};

/** Batches of made-up flights, some rows of which end, some for good. */
export function flights(steps: number, numEnvs: number, changes: Partial<Arrays> = {}): Experience {
  const random = new Random(11);
  const rows = steps * numEnvs;
  const normal = (width: number) => Float32Array.from({ length: rows * width }, random.normal);
  const actions = () =>
    Float32Array.from({ length: rows * 3 }, (_, i) => {
      const [low, high] = [site.action.low[i % 3]!, site.action.high[i % 3]!];
      return low + (high - low) * random.uniform();
    });
  const ended = () => Uint8Array.from({ length: rows }, () => (random.uniform() < 0.2 ? 1 : 0));
  const arrays: Arrays = {
    ...{ "obs/policy": normal(3), "obs/wind": normal(2) },
    ...{ "next/policy": normal(3), "next/wind": normal(2) },
    ...{ actions: actions(), rewards: normal(1), terminated: ended(), truncated: ended() },
    "notes/next_actions": actions(),
  };
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  return { steps, numEnvs, arrays: { ...arrays, ...(Object.fromEntries(given) as Arrays) } };
}

export async function parametersOf(learner: BatchLearner): Promise<Record<string, number[]>> {
  const { arrays } = await learner.save();
  const own = Object.entries(arrays).filter(([name]) => name.startsWith("parameters/"));
  return Object.fromEntries(own.map(([name, { data }]) => [name, [...data]]));
}

interface Laws {
  readonly make: (site: OfflineSite) => BatchLearner;
  /** Compiled is enough: BC and TD3+BC are held to the laws in every mode, and all come to the same bits in both. */
  readonly variant?: boolean;
  /** It estimates values, so that ends of episodes count. */
  readonly bootstraps: boolean;
  /** What its target goes into, where its critics learn from successors in other ways too. */
  readonly targetFigures?: readonly string[];
  /** Its updates take long: the laws are held to compiled ones only, and with fewer of them. */
  readonly long?: boolean;
}

/**
 * What every learner of single transitions keeps to, however its updates are called. That compiled ones come
 * to the bits of the others is a law of its own.
 */
export function offlineLaws(name: string, laws: Laws): void {
  for (const mode of laws.long || laws.variant ? (["on"] as const) : (["off", "on"] as const)) {
    const make: Laws["make"] = (at) => laws.make({ ...at, compile: compileWith(mode) });
    lawsOf(`${name}, compile ${mode}`, { ...laws, make });
  }
  compiledLaws(name, laws);
}

function compiledLaws(name: string, { make, long = false }: Laws): void {
  describe(`${name}, compiled,`, () => {
    const learned = async (mode: CompileMode) => {
      const learner = make({ ...site, compile: compileWith(mode) });
      const figures = [];
      // Each form is traced twice before it is compiled; every second update may be of another form, and
      // batches of other sizes are.
      for (const rows of [16, 16, 24, 16, 24]) {
        figures.push(await learner.update(flights(long ? 2 : 4, rows), stage));
      }
      const state = await learner.save();
      learner.dispose();
      return { figures, state };
    };

    it("comes to the same bits as operation by operation", async () => {
      const eager = await learned("off");
      expect(await learned("on")).toEqual(eager);
      expect(await learned("verify")).toEqual(eager);
    });

    it("leaves no tensor behind in many updates", async () => {
      const learner = make({ ...site, compile: compileWith("on") });
      const many = flights(long ? 4 : 20, 16);
      await learner.update(many, stage);
      const before = tf.memory().numTensors;
      for (let i = 0; i < 5; i += 1) await learner.update(many, stage);
      expect(tf.memory().numTensors).toBe(before);
      learner.dispose();
    });
  });
}

function lawsOf(name: string, { make, bootstraps, targetFigures }: Laws): void {
  const { statistics: _, ...bare } = site;
  learnerLaws(name, {
    make: (kind) => make(kind === "fresh" ? { ...bare, seed: 99 } : site),
    // Half of them are enough for every form of update, and leave an odd number before a break.
    experience: (steps) => flights(Math.ceil(steps / 2), 16),
    ...{ stage, ownsPolicies: true },
  });

  describe(`${name}, as every learner of recorded flights,`, () => {
    it("acts within the simulator's bounds and reads its groups", async () => {
      const learner = make(site);
      const student = learner.policies.student!;
      expect(student.reads).toEqual(["policy", "wind"]);
      const far = (width: number) =>
        Float32Array.from({ length: 8 * width }, (_, i) => 300 * (i - 9));
      const observations = { policy: far(3), wind: far(2) };
      const frame = { observations, started: new Uint8Array(8) };
      const { actions } = await student.act(frame, student.initialMemory(8));
      expect(actions).toHaveLength(24);
      for (const [i, value] of actions.entries()) {
        expect(value).toBeGreaterThanOrEqual(site.action.low[i % 3]! - 1e-6);
        expect(value).toBeLessThanOrEqual(site.action.high[i % 3]! + 1e-6);
      }
      expect(new Set(actions).size).toBeGreaterThan(3);
      learner.dispose();
    });

    it("is the same as an ONNX model and as one of TensorFlow.js", async () => {
      const learner = make(site);
      await learner.update(flights(2, 16), stage);
      const graph = buildGraph(await learner.graph());
      const example = await recordExample(learner.policies.student as NetworkPolicy);
      const options = { batch: "dynamic", metadata: {}, producerVersion: "" } as const;
      const onnx = await openOnnx(writeOnnx(graph, options), "the model");
      expect(await modelError(graph, example, { run: onnx.run, together: true })).toBeLessThan(
        1e-5,
      );
      onnx.dispose();
      const model = writeTfjs(graph, {});
      const run = (inputs: Parameters<typeof runTfjs>[1]) => runTfjs(model, inputs);
      expect(await modelError(graph, example, { run, together: true })).toBeLessThan(1e-5);
      learner.dispose();
    });

    it("refuses flights without what it needs, and states that nobody measured", async () => {
      const learner = make(site);
      const { "obs/wind": _, ...arrays } = flights(1, 16).arrays;
      await expect(learner.update({ steps: 1, numEnvs: 16, arrays }, stage)).rejects.toThrow(
        /no 'obs\/wind', but/,
      );
      learner.dispose();
      const blind = make(bare);
      await expect(blind.update(flights(1, 16), stage)).rejects.toMatchObject({
        code: "no-statistics",
      });
      blind.dispose();
    });

    it("says when it diverges", async () => {
      const learner = make(site);
      const rewards = new Float32Array(16).fill(Number.NaN);
      const actions = new Float32Array(48).fill(Number.NaN);
      await expect(
        learner.update(flights(1, 16, bootstraps ? { rewards } : { actions }), stage),
      ).rejects.toMatchObject({ code: "diverged" });
      learner.dispose();
    });

    if (!bootstraps) return;

    const learned = async (changes: Partial<Arrays>) => {
      const learner = make(site);
      const metrics = await learner.update(flights(1, 16, changes), stage);
      const parameters = await parametersOf(learner);
      learner.dispose();
      return { metrics, parameters };
    };
    const none = new Uint8Array(16);
    const all = new Uint8Array(16).fill(1);

    it("never takes the clock for a death", async () => {
      const truncated = await learned({ terminated: none, truncated: all });
      expect(truncated).toEqual(await learned({ terminated: none, truncated: none }));
    });

    it("expects nothing behind a terminal state, whatever is recorded there", async () => {
      const elsewhere = { "next/policy": new Float32Array(48).fill(3) };
      const dead = { terminated: all, truncated: none };
      const [here, there] = [await learned(dead), await learned({ ...dead, ...elsewhere })];
      const kept = ({ metrics, parameters }: typeof here): [string, unknown][] =>
        targetFigures
          ? targetFigures.map((name) => [name, metrics[name]])
          : Object.entries(parameters).filter(([name]) => /^parameters\/critic\//.test(name));
      expect(kept(here).length).toBeGreaterThan(0);
      expect(kept(there)).toEqual(kept(here));
      const living = await learned({ terminated: none });
      expect(kept(living)).not.toEqual(kept(here));
    });
  });
}
