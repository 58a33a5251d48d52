import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import { shippedTeacher } from "../../src/algorithms/distillation/shipped-teacher.ts";
import { startEngine } from "../../src/engine/start.ts";
import { FlowMeter } from "../../src/learning/flow-meter.ts";
import { faultsOf, judgeFlow } from "../../src/learning/gradient-flow.ts";
import type { RunEvent } from "../../src/metrics/metric-sink.ts";
import type { RunState } from "../../src/running/run-state.ts";
import { goOn, runOf, type SmallRun, setUp } from "./small-run.ts";

beforeAll(() => startEngine("auto", { threads: 1 }));

const silent = { write: () => {}, event: () => {}, close: async () => {} };

async function act(run: SmallRun, name: "student"): Promise<Float32Array> {
  const frame = await run.env.reset(5);
  const policy = run.assembled.learner.policies[name]!;
  return (await policy.act(frame, policy.initialMemory(12))).actions;
}

describe("a run", () => {
  it("gives the same figures and weights for the same seed, and others for another", async () => {
    const [one, two, other] = [await setUp(), await setUp(), await setUp(["seed=7"])];
    const [a, b, c] = [await runOf(one), await runOf(two), await runOf(other)];
    expect(b.rows).toEqual(a.rows);
    expect(await two.assembled.learner.save()).toEqual(await one.assembled.learner.save());
    expect(c.rows).not.toEqual(a.rows);
  });

  it("hands over after phase1_iterations, once, and says so with the stage", async () => {
    const { rows, events, progress } = await runOf(await setUp());
    expect(rows.map((row) => row["Distillation/training_phase"])).toEqual([1, 1, 1, 2, 2, 2]);
    const switches = events.filter((e) => e.type === "phase-switch");
    expect(switches).toMatchObject([{ iteration: 3, phase: 2, stage: { index: 1, of: 2 } }]);
    expect(progress).toMatchObject({ iteration: 6, environmentSteps: 6 * 10 * 12 });
  });

  it.each([
    [[]],
    [["policy.rnn_type=gru", "policy.rnn_hidden_dim=8", "policy.student_obs_normalization=true"]],
    [["algorithm.teacher_share_schedule=linear", "algorithm.teacher_share_iterations=6"]],
  ])("goes on from a state bit for bit, as if it had never stopped: %s", async (overrides) => {
    const whole = await runOf(await setUp(overrides));
    const broken = await setUp(overrides);
    let state: RunState | undefined;
    const first = await runOf(broken, {
      save: async (_, saved) => {
        state = JSON.parse(JSON.stringify({ ...saved, source: null, learner: null }));
        state = { ...state!, source: saved.source, learner: saved.learner };
        return "done";
      },
      watch: {
        observe: (iteration) => void (iteration === 3 && broken.requests.ask("stop", "test")),
        save: () => null,
        load: () => {},
      },
    });
    expect(first.rows).toHaveLength(4);
    const rest = await runOf(await goOn(await setUp(overrides), state!));
    expect([...first.rows, ...rest.rows]).toEqual(whole.rows);
  });

  it.each([
    [
      "obs_groups.student=[polcy]",
      /'polcy'; .*noisy' has teacher \[12\], policy \[12\]/,
      "[policy]",
    ],
    ["task=quadcopter-random", /reads 12 .* 'quadcopter-random' has 15 in teacher/, "obs_groups"],
  ])(
    "refuses what does not go together with the simulator, and names both: %s",
    async (key, why, next) => {
      const teacher = `checkpoint=${shippedTeacher("quadcopter")}`;
      const refusal = await setUp([key, teacher]).catch((e) => e);
      expect(refusal.message).toMatch(why);
      expect(refusal.hint).toContain(next);
    },
  );

  it("refuses a teacher that is poor in its own reference flight, and names both figures", async () => {
    const poor = setUp(["evaluation.min_teacher_return=150"]);
    await expect(poor).rejects.toThrow(/returns 1[23]\d\.\d\d in its own .* asks for 150/);
    const good = await setUp(["evaluation.min_teacher_return=120"]);
    expect((await runOf(good)).rows).toEqual((await runOf(await setUp())).rows);
  });

  it("changes the student, and its weights are what moves", async () => {
    const run = await setUp();
    const before = await act(run, "student");
    await runOf(run);
    expect(await act(run, "student")).not.toEqual(before);
  });

  it.each([[[]], [["policy.rnn_type=lstm", "policy.rnn_hidden_dim=8"]]])(
    "measured is the same run, and every claim holds: %s",
    async (overrides) => {
      const [plain, measured] = [await setUp(overrides), await setUp(overrides)];
      const { groups, updates } = measured.assembled.learner;
      const meter = new FlowMeter(groups);
      const a = await runOf(plain);
      const b = await runOf(measured, { meter: () => meter });
      expect(b.rows).toEqual(a.rows);
      const report = judgeFlow(await meter.rows(), groups, updates);
      expect(report.entries.length).toBeGreaterThan(0);
      expect(faultsOf(report)).toEqual([]);
    },
  );

  it.each([[[]], [["algorithm.buffer_size=300"]]])(
    "leaves no tensor behind, iteration after iteration: %s",
    async (overrides) => {
      const counts: number[] = [];
      const sink = { ...silent, write: () => void counts.push(tf.memory().numTensors) };
      await runOf(await setUp(["max_iterations=8", ...overrides]), { sink });
      expect(new Set(counts.slice(1)).size).toBe(1);
    },
  );

  it("learns again from a buffer of past rollouts, up to its bound", async () => {
    const { rows } = await runOf(await setUp(["algorithm.buffer_size=200"]));
    expect(rows.map((row) => row["Distillation/buffer_size"])).toEqual([
      80,
      160,
      ...Array(4).fill(160),
    ]);
    // As long as the teacher drives, what is seen stays alike.
    expect(rows[2]!["Loss/behavior"]).toBeLessThan(rows[0]!["Loss/behavior"]!);
  });

  it.each(["nll", "kl"])("learns by the loss %s", async (loss) => {
    const { rows } = await runOf(await setUp([`algorithm.loss_type=${loss}`, "max_iterations=3"]));
    const losses = rows.map((row) => row["Loss/behavior"]!);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  it("lowers the rate along the schedule, to the share that is left at the end", async () => {
    const rates = async (...overrides: string[]) =>
      (await runOf(await setUp(["max_iterations=4", ...overrides]))).rows.map(
        (row) => row["Loss/learning_rate"]! / 1e-3,
      );
    const constant = await rates("algorithm.learning_rate_schedule=constant");
    for (const rate of constant) expect(rate).toBeCloseTo(1, 9);
    const cosine = await rates();
    expect(cosine[2]).toBeCloseTo(0.02 + 0.98 / 2, 9);
    const falling = await rates(
      "algorithm.learning_rate_schedule=exponential",
      "algorithm.learning_rate_last=0.0625",
    );
    expect(falling[1]).toBeCloseTo(0.5, 9);
  });

  it("opens phase 2 by the gate, and goes back by the guard, on what it measures itself", async () => {
    // Episodes of an iteration's length, so that each ends one in every row.
    const short = ["env.episode_length_s=1", "evaluation.window=1", "max_iterations=60"];
    short.push("num_steps_per_env=50", "algorithm.num_learning_epochs=10");
    const gate = ["algorithm.gate_threshold=0.01", "algorithm.gate_iterations=2"];
    const early = await setUp([...short, ...gate, "algorithm.phase1_iterations=59"]);
    let opened: RunEvent | undefined;
    const event = (told: RunEvent) => {
      if (told.type !== "phase-switch") return;
      opened ??= told;
      early.requests.ask("stop", "test");
    };
    await runOf(early, { sink: { ...silent, event } });
    expect(opened).toMatchObject({ why: "gate" });
    expect(opened!.iteration).toBeLessThan(59);
    const guard = ["algorithm.guard_threshold=50", "algorithm.guard_iterations=2"];
    const rest = ["algorithm.guard_rest=2", "algorithm.phase1_iterations=2"];
    const { events } = await runOf(await setUp([...short, ...guard, ...rest, "max_iterations=10"]));
    const changes = events.filter((e) => String(e.type).startsWith("phase-")).map((e) => e.type);
    expect(changes.slice(0, 3)).toEqual(["phase-switch", "phase-resumed", "phase-switch"]);
  });

  it("rescues what was learned when the simulator dies, and hands on its error", async () => {
    let steps = 0;
    const dying = (env: VectorEnv): VectorEnv => ({
      spec: env.spec,
      reset: (seed) => env.reset(seed),
      step: (actions) => {
        steps += 1;
        return steps > 25 ? Promise.reject(new Error("gone")) : env.step(actions);
      },
      snapshot: () => Promise.reject(new Error("nobody may ask")),
      close: async () => {},
    });
    const saved: [string, number, unknown][] = [];
    const doomed = runOf(await setUp([], { wrap: dying }), {
      save: async ([kind], { progress, source }) => {
        saved.push([kind!, progress.iteration, source.lost ?? source.bytes.simulator]);
        return "done";
      },
    });
    await expect(doomed).rejects.toThrow("gone");
    expect(saved.at(-1)).toEqual(["rescue", 2, undefined]);
  });

  it("keeps what was learned when a judge fails, row and all, so that a run goes on behind it", async () => {
    const run = await setUp();
    const { judge } = run.assembled;
    const rows: number[] = [];
    const saved: [string, RunState][] = [];
    const doomed = runOf(run, {
      judge: {
        assess: (iteration, stage) =>
          iteration === 2 ? Promise.reject(new Error("gone")) : judge.assess(iteration, stage),
      },
      sink: { write: (at) => void rows.push(at), event: () => {}, close: async () => {} },
      save: async ([kind], state) => {
        saved.push([kind!, structuredClone(state)]);
        return "done";
      },
    });
    await expect(doomed).rejects.toThrow("gone");
    expect(rows).toEqual([0, 1, 2]);
    const [kind, state] = saved.at(-1)!;
    expect([kind, state.progress.iteration]).toEqual(["rescue", 3]);
    const whole = await runOf(await setUp());
    const rest = await runOf(await goOn(await setUp(), state));
    const losses = ({ rows: own }: typeof rest) => own.map((row) => row["Loss/behavior"]);
    expect(losses(rest)).toEqual(losses(whole).slice(3));
  });

  it("saves once where the best is due as well", async () => {
    const short = ["env.episode_length_s=0.2", "evaluation.window=1", "save_interval=1"];
    const { saved } = await runOf(await setUp(short));
    expect(saved).toHaveLength(6);
    expect(saved.some(({ kinds }) => kinds.join() === "best,periodic")).toBe(true);
  });

  it("obeys requests between iterations and says what became of each", async () => {
    const run = await setUp();
    const answers: string[] = [];
    for (const request of ["pause", "pause", "checkpoint", "next-phase", "next-phase"] as const) {
      run.requests.ask(request, "test", (outcome) => answers.push(outcome));
    }
    setTimeout(() => run.requests.ask("resume", "later"), 50);
    const { rows, events, saved } = await runOf(run);
    expect(rows[0]!["Distillation/training_phase"]).toBe(2);
    const words = answers.map((answer) => answer.split(":")[0]);
    expect(words).toEqual(["done", "refused", "done", "done", "refused"]);
    expect(events.filter((e) => e.type === "request")).toHaveLength(6);
    expect(saved[0]).toMatchObject({ kinds: ["asked"], state: { progress: { iteration: 0 } } });
  });
});
