import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import {
  createLoss,
  type Deviations,
  type LossType,
} from "../../../src/algorithms/distillation/loss.ts";
import { startEngine } from "../../../src/engine/start.ts";

beforeAll(() => startEngine("auto"));

const actions = [
  [0.5, -2],
  [0.1, 3],
];
const targets = [
  [0.25, 1],
  [0.1, 2.5],
];
const deviations: Deviations = { teacher: Float32Array.of(0.2, 0.5), student: 0.1 };

function value(type: LossType, given = deviations): number {
  const loss = createLoss(type, given);
  return tf.tidy(() => loss(tf.tensor2d(actions), tf.tensor2d(targets)).dataSync()[0]!);
}

const mean = (of: (difference: number, sigma: number) => number) =>
  [
    [0.25, 0.2],
    [-3, 0.5],
    [0, 0.2],
    [0.5, 0.5],
  ].reduce((sum, [d, s]) => sum + of(d!, s!), 0) / 4;

describe("losses", () => {
  it("are the means of their formulas", () => {
    expect(value("mse")).toBeCloseTo(
      mean((d) => d * d),
      5,
    );
    expect(value("huber")).toBeCloseTo(
      mean((d) => (Math.abs(d) < 1 ? (d * d) / 2 : Math.abs(d) - 0.5)),
      5,
    );
    expect(value("nll")).toBeCloseTo(
      mean((d, s) => 0.5 * (d / s) ** 2 + Math.log(s) + 0.5 * Math.log(2 * Math.PI)),
      4,
    );
    expect(value("kl")).toBeCloseTo(
      mean((d, s) => Math.log(0.1 / s) + (s * s + d * d) / (2 * 0.01) - 0.5),
      2,
    );
  });

  it("of distributions are least where the actions are the teacher's", () => {
    for (const type of ["nll", "kl"] as const) {
      const loss = createLoss(type, deviations);
      const [near, far] = tf.tidy(() => {
        const goal = tf.tensor2d(targets);
        return [goal, tf.add(goal, 0.01)].map((a) => loss(a, goal).dataSync()[0]!);
      });
      expect(near).toBeLessThan(far!);
    }
  });

  it("weigh an error by how sure the teacher is", () => {
    const gradient = (component: number) => {
      const loss = createLoss("nll", deviations);
      const off = targets.map((row) => row.map((x, i) => (i === component ? x + 0.1 : x)));
      return tf.tidy(
        () => loss(tf.tensor2d(off), tf.tensor2d(targets)).dataSync()[0]! - value0(loss),
      );
    };
    const value0 = (loss: ReturnType<typeof createLoss>) =>
      loss(tf.tensor2d(targets), tf.tensor2d(targets)).dataSync()[0]!;
    expect(gradient(0) / gradient(1)).toBeCloseTo((0.5 / 0.2) ** 2, 2);
  });

  it("say what is missing: a teacher's noise, or the student's", () => {
    expect(() => createLoss("nll", { student: 0.1 })).toThrow(/teacher's standard deviation/);
    expect(() => createLoss("kl", { ...deviations, student: 0 })).toThrow(/deviation of 0/);
  });
});
