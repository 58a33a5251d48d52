import { describe, expect, it } from "vitest";
import type { EnvSpec } from "../../protocol/spec.ts";
import { noticeFor, pilotFor, tasksText } from "../../sim-adapters/built-in.ts";
import { resolveSettings } from "../../sim-adapters/mujoco/settings.ts";
import { findTask, specOf } from "../../sim-adapters/mujoco/tasks.ts";
import { foreseePatient } from "../../sim-adapters/patient/open-patient.ts";
import { chooseTeacher } from "../../src/algorithms/distillation/load-teacher.ts";
import type { DistillationConfig } from "../../src/algorithms/distillation/settings.ts";
import { paceRemark } from "../../src/algorithms/offline/fit-data.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import type { FlightsSpec } from "../../src/datasets/flights-spec.ts";

const anaesthesia = await foreseePatient({ task: "anaesthesia", numEnvs: 20 });
const task = findTask("quadcopter");
const quadcopter = specOf(task, 20, resolveSettings({}, task.rules));

function chosen(spec: EnvSpec, ...overrides: readonly string[]) {
  const { config } = resolveConfig({ overrides: [`task=${spec.task}`, ...overrides] });
  return chooseTeacher(config as DistillationConfig, spec);
}

describe("the PID as a teacher", () => {
  it("is chosen by name, and where nobody is named, for patients", async () => {
    for (const overrides of [["checkpoint=pid"], []]) {
      const { facts, policy } = await chosen(anaesthesia, ...overrides);
      expect(facts).toEqual({ kind: "pid", activation: "identity", reads: ["policy"] });
      expect([policy.observationWidth, policy.actionWidth]).toEqual([18, 2]);
    }
    expect([pilotFor("anaesthesia-13"), pilotFor("quadcopter"), pilotFor("ant")]).toEqual([
      ...["pid", "hover", "hover"],
    ]);
  });

  it("and the hover controller are refused in each other's task, with words", async () => {
    await expect(chosen(quadcopter, "checkpoint=pid")).rejects.toMatchObject({
      code: "other-task",
      message: expect.stringContaining("task 'quadcopter'"),
      hint: expect.stringContaining("--task anaesthesia"),
    });
    await expect(chosen(anaesthesia, "checkpoint=hover")).rejects.toThrow(
      /The hover controller reads 12 observations and gives 4 actions; task 'anaesthesia' has 18/,
    );
    const group = "obs_groups.teacher=[state]";
    await expect(chosen(anaesthesia, "checkpoint=pid", group)).rejects.toThrow(
      /the group "state" of task 'anaesthesia' shows \[propofol.plasma,/,
    );
  });
});

it("flights at another pace than the simulator's are remarked on", () => {
  const spec = { ...anaesthesia, controlPeriod: 60 };
  const action = { width: 2, kept: "float32" } as const;
  const recorded: FlightsSpec = {
    ...{ groups: {}, action, notes: {}, hasRewards: true, successors: "following", env: spec },
  };
  const flights = { path: "cases.hdf5", spec: recorded };
  expect(paceRemark(flights, anaesthesia)).toMatch(
    /cases.hdf5 was recorded with a control period of 60 s, and the task 'anaesthesia' has 10 s/,
  );
  expect([paceRemark(flights, spec), paceRemark(flights, undefined)]).toEqual([
    ...[undefined, undefined],
  ]);
});

it("every list of tasks says that patients are for research", () => {
  expect(tasksText()).toContain("anaesthesia-13");
  expect(tasksText()).toContain("quadcopter-blind");
  expect(tasksText()).toContain("for research, not for patients");
  expect([noticeFor("quadcopter"), noticeFor(undefined)]).toEqual([undefined, undefined]);
  expect(noticeFor("anaesthesia")).toContain("for research, not for patients");
});
