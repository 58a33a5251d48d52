import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { loadTeacher } from "../../policies/checkpoint/load-teacher.ts";
import { startEngine } from "../../src/engine/start.ts";
import {
  cases,
  dataFolder,
  errorOf,
  shippedExample,
  shippedTeachers,
  teachersFolder,
} from "./examples.ts";

beforeAll(() => startEngine("auto"));

describe("the teachers that come with the project", () => {
  it("are seven", () => expect(shippedTeachers).toHaveLength(7));

  it.each(shippedTeachers)("%s flies as in PyTorch, to 1e-5", async (name) => {
    const before = tf.memory().numTensors;
    const { policy } = await loadTeacher(join(teachersFolder, `${name}.pt`));
    expect(await errorOf(policy, shippedExample(name))).toBeLessThan(1e-5);
    policy.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

const networks = Object.entries(cases).flatMap(([name, { networks: found }]) =>
  Object.keys(found).map((role) => ({ name, role })),
);

describe("checkpoints that rsl_rl 2.3 to 5 has made", () => {
  it.each(networks)("$name: its $role flies as in PyTorch, to 1e-5", async ({ name, role }) => {
    const known = cases[name];
    const example = known?.networks[role];
    if (known === undefined || example === undefined) throw new Error("no such case");
    const { policy, checkpoint } = await loadTeacher(join(dataFolder, `${name}.pt`), {
      activation: known.activation,
      ...(role !== "actor" && { role: role as "student" | "teacher" }),
    });
    if (known.beta === undefined) expect(await errorOf(policy, example)).toBeLessThan(1e-5);
    expect(policy.actionWidth).toBe(3);
    expect(checkpoint.version).toBe(known.version);
    expect(checkpoint.iteration).toBe(known.iteration);
    policy.dispose();
  });
});
