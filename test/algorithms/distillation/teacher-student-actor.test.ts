import { describe, expect, it } from "vitest";
import type { Policy } from "../../../policies/policy.ts";
import { Random } from "../../../policies/random.ts";
import type { Frame } from "../../../protocol/frame.ts";
import type { ActionSpec } from "../../../protocol/spec.ts";
import { TeacherStudentActor } from "../../../src/algorithms/distillation/teacher-student-actor.ts";
import type { Stage } from "../../../src/learning/stage.ts";
import { splitEnvs } from "../../../src/running/env-split.ts";

const numEnvs = 10;
const action: ActionSpec = { dtype: "<f4", shape: [2], low: [-1, -1], high: [1, 1] };
const frame: Frame = {
  observations: { policy: Float32Array.from({ length: numEnvs }, (_, i) => i) },
  started: new Uint8Array(numEnvs),
};
const started = { ...frame, started: new Uint8Array(numEnvs).fill(1) };

/** Acts with a constant, and counts its steps in its memory. */
function constant(value: number): Policy {
  return {
    reads: ["policy"],
    observationWidth: 1,
    actionWidth: 2,
    initialMemory: (n) => [new Float32Array(n)],
    act: async (_, memory) => ({
      actions: new Float32Array(numEnvs * 2).fill(value),
      memory: memory.map((m) => m.map((x) => x + 1)),
    }),
    dispose() {},
  };
}

/** Where the teacher drives this share of the episodes. */
function share(teacher_share: number): Stage {
  const where = { index: 0, of: 1, iteration: 0, length: 1, progress: 0 };
  return { name: "a stage", ...where, settings: { teacher_share } };
}

const [teacherDrives, studentDrives, half] = [share(1), share(0), share(0.5)];

function actor({ noiseStd = 0, teacher = -0.5 } = {}): TeacherStudentActor {
  return new TeacherStudentActor({
    student: constant(0.25),
    teacher: constant(teacher),
    action,
    split: splitEnvs(numEnvs, 0.4, ["student", "teacher"]),
    noiseStd,
    random: new Random(1),
    draws: new Random(2),
  });
}

const rowsOf = (actions: Float32Array) =>
  Array.from({ length: numEnvs }, (_, row) => actions[row * 2]!);
const [student, teacher] = [0.25, -0.5];
const measured = [student, student, teacher, teacher];

describe("who drives", () => {
  it("is the teacher or the student by the stage, the evaluation rows excepted; and it is noted", async () => {
    const both = actor();
    const first = await both.act(frame, teacherDrives);
    expect(rowsOf(first.actions)).toEqual([...Array(6).fill(teacher), ...measured]);
    expect([...first.notes.driver!]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 1, 1]);
    const second = await both.act(frame, studentDrives);
    expect(rowsOf(second.actions)).toEqual([...Array(6).fill(student), ...measured]);
    expect([...second.notes.driver!]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
  });

  it("never hides what the other would have done", async () => {
    for (const stage of [teacherDrives, studentDrives]) {
      const { notes } = await actor().act(frame, stage);
      const [own, taught] = [notes.student_actions, notes.teacher_actions] as Float32Array[];
      expect(rowsOf(own!)).toEqual(Array(numEnvs).fill(student));
      expect(rowsOf(taught!)).toEqual(Array(numEnvs).fill(teacher));
    }
  });

  it("keeps the teacher inside the action range", async () => {
    const { actions, notes } = await actor({ teacher: 7 }).act(frame, teacherDrives);
    expect(Math.max(...(notes.teacher_actions as Float32Array))).toBe(1);
    expect(actions[0]).toBe(1);
  });

  it.each([
    [{ teacher: Number.NaN }, "broken-teacher"],
    [{ teacher: Infinity }, "broken-teacher"],
  ])("refuses actions that are no numbers: %o", async (options, code) => {
    await expect(actor(options).act(frame, studentDrives)).rejects.toMatchObject({ code });
  });
});

describe("the student's memory before a rollout", () => {
  it("holds nothing of an episode that is over", async () => {
    const both = actor();
    await both.act(frame, studentDrives);
    const next = { ...frame, started: Uint8Array.from({ length: numEnvs }, (_, i) => i % 2) };
    expect([...both.memory(next)[0]!]).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
  });
});

describe("exploration noise", () => {
  it("shakes the student's training rows alone, only while it drives them, and is noted", async () => {
    const both = actor({ noiseStd: 0.1 });
    const first = await both.act(frame, teacherDrives);
    expect(rowsOf(first.actions).slice(0, 6)).toEqual(Array(6).fill(teacher));
    expect(first.notes.noise!.every((value) => value === 0)).toBe(true);
    const { actions, notes } = await both.act(frame, studentDrives);
    const rows = rowsOf(actions);
    expect(rows.slice(0, 6).every((a) => a !== student && Math.abs(a - student) < 0.6)).toBe(true);
    expect(rows.slice(6)).toEqual(measured);
    expect(rowsOf(notes.student_actions as Float32Array)).toEqual(Array(numEnvs).fill(student));
    const noise = rowsOf(notes.noise as Float32Array);
    for (const [row, drawn] of noise.slice(0, 6).entries()) {
      expect(rows[row]).toBeCloseTo(student + drawn, 6);
    }
  });

  it("goes on from a saved state with the same numbers", async () => {
    const one = actor({ noiseStd: 0.1 });
    await one.act(frame, studentDrives);
    const two = actor({ noiseStd: 0.1 });
    two.load(JSON.parse(JSON.stringify(one.save())));
    const acted = await one.act(frame, studentDrives);
    expect((await two.act(frame, studentDrives)).actions).toEqual(acted.actions);
    expect(two.save()).toEqual(one.save());
  });
});

describe("a mixed share", () => {
  it("draws a driver for each episode, who keeps it until its end", async () => {
    const both = actor();
    const drawn = rowsOf((await both.act(started, half)).actions).slice(0, 6);
    for (let i = 0; i < 5; i += 1) {
      expect(rowsOf((await both.act(frame, half)).actions).slice(0, 6)).toEqual(drawn);
    }
    const driven = { student: 0, teacher: 0 };
    for (let i = 0; i < 200; i += 1) {
      for (const one of rowsOf((await both.act(started, half)).actions).slice(0, 6)) {
        driven[one === student ? "student" : "teacher"] += 1;
      }
    }
    expect(driven.teacher / 1200).toBeGreaterThan(0.45);
    expect(driven.teacher / 1200).toBeLessThan(0.55);
  });

  it("goes on from a saved state with the same drivers, running episodes included", async () => {
    const one = actor();
    await one.act(started, half);
    const two = actor();
    two.load(JSON.parse(JSON.stringify(one.save())));
    for (const next of [frame, started]) {
      const acted = await one.act(next, half);
      expect((await two.act(next, half)).actions).toEqual(acted.actions);
    }
  });
});
