import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/start.ts";
import { checkOwners } from "../../src/learning/check-owners.ts";
import type { Experience } from "../../src/learning/experience.ts";
import { FlowMeter } from "../../src/learning/flow-meter.ts";
import { flowTable, judgeFlow } from "../../src/learning/gradient-flow.ts";
import type { Learner, LearnerState } from "../../src/learning/learner.ts";
import type { Stage } from "../../src/learning/stage.ts";

export interface LearnerSubject {
  /** A fresh learner, the same each time; `fresh`: with other weights, and nothing known of the data. */
  readonly make: (kind?: "fresh") => Learner;
  /** What it learns from, the same each time. */
  readonly experience: (steps: number) => Experience;
  readonly stage: Stage;
  /** Also its policies' own tensors go with `dispose`. */
  readonly ownsPolicies: boolean;
}

/** What every learner keeps to. */
export function learnerLaws(name: string, subject: LearnerSubject): void {
  const { make, experience, stage, ownsPolicies } = subject;
  beforeAll(() => startEngine("auto"));

  const close = (...learners: Learner[]) => {
    for (const learner of learners) {
      learner.dispose();
      if (!ownsPolicies) for (const policy of Object.values(learner.policies)) policy.dispose();
    }
  };

  describe(`${name}, as every learner,`, () => {
    it("moves what its claims say, and no gradient goes astray", async () => {
      const learner = make();
      expect(() => checkOwners(learner)).not.toThrow();
      const meter = new FlowMeter(learner.groups, { most: 4 });
      const metrics = await learner.update(experience(4), stage, meter);
      const report = judgeFlow(await meter.rows(), learner.groups, learner.updates);
      expect(flowTable(report)).not.toMatch(/leak|orphan|starved|nothing passes/);
      expect(report.unmeasured).toEqual([]);
      for (const { terms } of learner.updates) {
        for (const term of terms) expect(metrics).toHaveProperty([`Loss/${term}`]);
      }
      close(learner);
    });

    it("comes to the same bits when it is measured", async () => {
      const [plain, measured] = [make(), make()];
      await plain.update(experience(4), stage);
      const meter = new FlowMeter(measured.groups);
      await measured.update(experience(4), stage, meter);
      meter.dispose();
      expect(await measured.save()).toEqual(await plain.save());
      close(plain, measured);
    });

    it("takes the same updates from a saved state as without the break", async () => {
      const straight = make();
      await straight.update(experience(5), stage);
      const saved = copyOf(await straight.save());
      const after = await straight.update(experience(3), stage);
      const resumed = make("fresh");
      resumed.load(saved);
      expect(await resumed.update(experience(3), stage)).toEqual(after);
      expect(await resumed.save()).toEqual(await straight.save());
      close(straight, resumed);
    });

    it("saves copies: what is learned afterwards changes none of them", async () => {
      const learner = make();
      const saved = await learner.save();
      const before = copyOf(saved);
      await learner.update(experience(4), stage);
      expect(saved).toEqual(before);
      expect((await learner.save()).arrays).not.toEqual(before.arrays);
      close(learner);
    });

    it("reads only the arrays that it needs, and writes to none", async () => {
      const learner = make();
      const { groups, successors, notes } = learner.needs;
      const known = ["actions", "rewards", "terminated", "truncated", "started"];
      const named = [
        ...groups.flatMap((group) => [`obs/${group}`, `after/${group}`]),
        ...successors.map((group) => `next/${group}`),
        ...notes.map((note) => `notes/${note}`),
      ];
      const { arrays, ...rest } = experience(4);
      const own = Object.entries(arrays).filter(
        ([array]) => [...known, ...named].includes(array) || array.startsWith("memory/"),
      );
      const before = structuredClone(Object.fromEntries(own));
      await learner.update({ ...rest, arrays: Object.fromEntries(own) }, stage);
      expect(Object.fromEntries(own)).toEqual(before);
      close(learner);
    });

    it("leaves no tensor behind, in an update nor in the end", async () => {
      const start = tf.memory().numTensors;
      const learner = make();
      await learner.update(experience(4), stage);
      const before = tf.memory().numTensors;
      await learner.update(experience(4), stage);
      expect(tf.memory().numTensors).toBe(before);
      close(learner);
      expect(tf.memory().numTensors).toBe(start);
    });

    it("refuses the state of another network, and stays as it was", async () => {
      const learner = make();
      const before = copyOf(await learner.save());
      const [first = ""] = Object.keys(before.arrays).filter((n) => n.startsWith("parameters/"));
      const { [first]: _, ...arrays } = before.arrays;
      expect(() => learner.load({ ...before, arrays })).toThrow(/missing/);
      expect(await learner.save()).toEqual(before);
      close(learner);
    });
  });
}

function copyOf({ arrays, counters }: LearnerState): LearnerState {
  return { arrays: structuredClone(arrays), counters: JSON.parse(JSON.stringify(counters)) };
}
