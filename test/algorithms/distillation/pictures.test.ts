import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readCheckpointFile } from "../../../policies/checkpoint/checkpoint-file.ts";
import { loadTeacher, planFlight } from "../../../policies/checkpoint/load-teacher.ts";
import type { Policy } from "../../../policies/policy.ts";
import { Random } from "../../../policies/random.ts";
import { distillation } from "../../../src/algorithms/distillation/algorithm.ts";
import { readRun } from "../../../src/algorithms/distillation/run-checkpoint.ts";
import { compileWith } from "../../../src/engine/compile/compile.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { compiledPolicy } from "../../../src/learning/compiled-policies.ts";
import type { RunState } from "../../../src/running/run-state.ts";
import { withShuffledGroup } from "../../../src/running/shuffled-group.ts";
import { goOn, runOf, setUp } from "../../running/small-run.ts";

beforeAll(() => startEngine("auto", { threads: 1 }));

const camera = [
  ...["task=quadcopter-camera", "env.camera.size=8", "policy.cnn_channels=[4,4]"],
  ...["max_iterations=4", "num_steps_per_env=4"],
];

async function flown(overrides: readonly string[] = []) {
  const run = await setUp([...camera, ...overrides]);
  const log = await runOf(run);
  return { run, log, state: log.saved.at(-1)!.state };
}

describe("a student that reads pictures", () => {
  it("reads camera and proprioception where nobody says otherwise, learns, and goes on bit for bit", async () => {
    const fresh = await (await setUp(camera)).assembled.learner.save();
    const whole = await flown();
    const student = whole.run.assembled.learner.policies.student!;
    expect(student.reads).toEqual(["camera", "proprioception"]);
    expect(student.observationWidth).toBe(8 * 8 * 2 + 9);
    for (const name of ["cnns.camera.0.weight", "cnns.camera.2.bias", "mlp.0.weight"]) {
      const at = `parameters/student/${name}`;
      expect(whole.state.learner.arrays[at]!.data).not.toEqual(fresh.arrays[at]!.data);
    }
    const half = await setUp(camera);
    let kept: RunState | undefined;
    const first = await runOf(half, {
      save: async (_, { source, learner, ...plain }) => {
        kept = { ...structuredClone(plain), source, learner };
        return "done";
      },
      watch: {
        observe: (iteration) => void (iteration === 1 && half.requests.ask("stop", "test")),
        save: () => null,
        load: () => {},
      },
    });
    const rest = await runOf(await goOn(await setUp(camera), kept!));
    expect([...first.rows, ...rest.rows]).toEqual(whole.log.rows);
  });

  it("comes back from its checkpoint, to fly, to go on and to be a teacher", async () => {
    const { run, state } = await flown(["obs_groups.student=[proprioception,camera]"]);
    const folder = mkdtempSync(join(tmpdir(), "firstsolo-seeing-"));
    try {
      const path = join(folder, "model_3.pt");
      writeFileSync(path, await run.assembled.write(state));
      const saved = await readRun(path);
      const { student } = await distillation.policies(saved, run.env.spec);
      const frame = await run.env.reset(1);
      const own = run.assembled.learner.policies.student!;
      const expected = (await own.act(frame, [])).actions;
      expect((await student!.act(frame, [])).actions).toEqual(expected);
      const compiled = compiledPolicy(own, compileWith("on"));
      expect((await compiled.act(frame, [])).actions).toEqual(expected);
      expect(saved.state.learner.arrays).toEqual(state.learner.arrays);
      const { vision, actor } = await planFlight(path, await readCheckpointFile(path));
      expect(vision!.groups.map(({ name }) => name)).toEqual(["proprioception", "camera"]);
      expect(actor.inputWidth).toBe(137);
      const { policy } = await loadTeacher(path);
      expect((await policy.act(frame, [])).actions).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ["policy.history_length=2", /history_length/],
    ["policy.rnn_type=gru", /rnn_type/],
    ["policy.student_obs_normalization=true", /student_obs_normalization/],
    ["policy.cnn_channels=[4,4,4,4,4]", /pictures camera of \[8,8,2\] are too small/],
  ])("is refused with %s, and told what else to do", async (key, why) => {
    const refusal = await setUp([...camera, key]).catch((error) => error);
    expect(refusal.message).toMatch(why);
    expect(refusal.hint).not.toBe("");
  });
});

describe("a policy with a shuffled group", () => {
  it("sees another environment's rows in that group, and its own in others", async () => {
    const { env } = await setUp(camera);
    const frame = await env.reset(3);
    const seen: (typeof frame)[] = [];
    const looking: Policy = {
      ...{ reads: ["camera", "proprioception"], observationWidth: 137, actionWidth: 4 },
      initialMemory: () => [],
      act: async (shown) => {
        seen.push(shown);
        return { actions: new Float32Array(48), memory: [] };
      },
      dispose: () => {},
    };
    await withShuffledGroup(looking, "camera", new Random(1)).act(frame, []);
    const { camera: shuffled, proprioception } = seen[0]!.observations;
    const own = frame.observations.camera!;
    expect(proprioception).toEqual(frame.observations.proprioception);
    const row = (all: ArrayLike<number>, i: number) => [
      ...Array.from(all).slice(128 * i, 128 * i + 128),
    ];
    const rows = Array.from({ length: 12 }, (_, i) => row(own, i).join());
    const moved = Array.from({ length: 12 }, (_, i) => row(shuffled!, i).join());
    expect([...moved].sort()).toEqual([...rows].sort());
    for (const [i, text] of moved.entries()) expect(text).not.toBe(rows[i]);
  });
});
