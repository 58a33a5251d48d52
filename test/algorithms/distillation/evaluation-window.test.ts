import { expect, it } from "vitest";
import { evaluationWindow } from "../../../src/algorithms/distillation/evaluation-window.ts";
import { distillationKeys } from "../../../src/algorithms/distillation/settings.ts";
import { splitEnvs } from "../../../src/running/env-split.ts";

const windowFor = (numEnvs: number, given: object = {}) =>
  evaluationWindow(
    { evaluation: distillationKeys.evaluation.parse(given) },
    splitEnvs(numEnvs, 0.1, ["student", "teacher"]),
  );

it("forgets the students of long ago in a small fleet, and is as it was in a large one", () => {
  expect([8, 16, 40, 64, 100, 4096].map((numEnvs) => windowFor(numEnvs))).toEqual([
    3, 3, 4, 6, 10, 410,
  ]);
});

it("is as long as asked for, but for two episodes of each row", () => {
  expect(windowFor(16, { window: 10 })).toBe(10);
  expect(windowFor(100, { window: 1 })).toBe(10);
});
