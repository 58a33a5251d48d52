import { beforeAll, describe, expect, it } from "vitest";
import type { Memory } from "../../policies/policy.ts";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import { startEngine } from "../../src/engine/start.ts";
import type { Stage } from "../../src/learning/stage.ts";
import type { Actor } from "../../src/running/actor.ts";
import { Collector, simulationSeconds } from "../../src/running/collector.ts";
import { splitEnvs } from "../../src/running/env-split.ts";
import { EpisodeBook } from "../../src/running/episode-book.ts";
import type { Step } from "../../src/running/recorder.ts";
import { setUp } from "./small-run.ts";

beforeAll(() => startEngine("auto", { threads: 1 }));

const stage: Stage = {
  ...{ name: "a stage", index: 0, of: 1, iteration: 0, length: 1, progress: 0 },
  settings: { teacher_share: 1 },
};

/** Falls, so that episodes end by crashing as well as by the clock. */
const falling: Actor = {
  notes: { row: { dtype: "<i4", shape: [] } },
  act: async ({ started }) => ({
    actions: new Float32Array(started.length * 4).fill(-1),
    notes: { row: Int32Array.from(started, (_, i) => i) },
  }),
  memory: (): Memory => [],
  save: () => null,
  load: () => {},
  forget: () => {},
};

/** At a reset the episodes are spread over their ages, so that some soon end by the clock. */
async function collect(steps: number) {
  const env = await openMujoco({
    ...{ task: "quadcopter", numEnvs: 6, settings: { episode_length_s: 0.5 } },
  });
  const split = splitEnvs(6, 0, ["student"]);
  const seen: Step[] = [];
  const collector = new Collector({
    ...{ env, actor: falling, split, steps, seed: 3 },
    book: new EpisodeBook(split, 1),
    needs: { groups: ["policy"], successors: ["policy"], notes: ["row"] },
    onStep: (step) => void seen.push(step),
  });
  await collector.start();
  const { experience } = await collector.next(stage);
  return { experience, seen };
}

describe("an experience", () => {
  it("has the true successor where an episode ended, by the clock or by a crash, and nothing of the next one", async () => {
    const { experience, seen } = await collect(120);
    const { steps, numEnvs, arrays } = experience;
    const [obs, next] = [arrays["obs/policy"]!, arrays["next/policy"]!];
    const row = (of: typeof obs, step: number, env: number) =>
      of.subarray((step * numEnvs + env) * 12, (step * numEnvs + env + 1) * 12);
    const ends = { terminated: 0, truncated: 0 };
    for (let step = 0; step < steps; step += 1) {
      const { final } = seen[step]!.result;
      for (let env = 0; env < numEnvs; env += 1) {
        const at = step * numEnvs + env;
        const ended = arrays.terminated![at]! || arrays.truncated![at]!;
        if (!ended) {
          if (step + 1 < steps) expect(row(next, step, env)).toEqual(row(obs, step + 1, env));
          continue;
        }
        ends[arrays.terminated![at] ? "terminated" : "truncated"] += 1;
        const k = final!.rows.indexOf(env);
        const last = final!.observations.policy!.subarray(k * 12, (k + 1) * 12);
        expect(row(next, step, env)).toEqual(last);
        if (step + 1 === steps) continue;
        expect(row(next, step, env)).not.toEqual(row(obs, step + 1, env));
        expect(arrays.started![at + numEnvs]).toBe(1);
      }
    }
    expect(ends.terminated).toBeGreaterThan(0);
    expect(ends.truncated).toBeGreaterThan(0);
  });

  it("holds the training rows alone: what was seen, what was done, what the actor noted", async () => {
    const steps: Step[] = [];
    const run = await setUp([], { onStep: (step) => void steps.push(step) });
    const { experience, metrics } = await run.assembled.source.next(stage);
    const { arrays, numEnvs } = experience;
    expect([experience.steps, numEnvs]).toEqual([10, 8]);
    for (const [i, { frame, acted }] of steps.entries()) {
      const part = (name: string, width: number) =>
        arrays[name]!.subarray(i * numEnvs * width, (i + 1) * numEnvs * width);
      const first = (all: ArrayLike<number>, width: number) =>
        (all as Float32Array).subarray(0, numEnvs * width);
      expect(part("obs/policy", 12)).toEqual(first(frame.observations.policy!, 12));
      expect(part("actions", 4)).toEqual(first(acted.actions, 4));
      expect(part("notes/teacher_actions", 4)).toEqual(first(acted.actions, 4));
      expect(part("started", 1)).toEqual(first(frame.started, 1));
    }
    const after = steps.at(-1)!.result.frame.observations.policy!;
    expect(arrays["after/policy"]).toEqual(after.subarray(0, numEnvs * 12));
    expect(arrays["notes/student_actions"]).toBeUndefined();
    expect(metrics["Perf/wire_time"]).toBeGreaterThanOrEqual(0);
  });
});

describe("the simulator's time", () => {
  it("is its total where it says one, and never total and parts together", () => {
    expect(simulationSeconds({ simulate: 2, observe: 1, total: 3.5 })).toBe(3.5);
    expect(simulationSeconds({ simulate: 2, observe: 1 })).toBe(3);
    expect(simulationSeconds({})).toBe(0);
  });
});
