import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { startEngine } from "../../src/engine/start.ts";
import type { Rollout } from "../../src/learning/experience.ts";
import type { LearnerState } from "../../src/learning/old-learner.ts";
import type { Metrics, RunEvent } from "../../src/metrics/metric-sink.ts";
import { collect } from "../../src/running/collect.ts";
import { evaluate } from "../../src/running/evaluate.ts";
import { Steering } from "../../src/running/requests.ts";
import { type FlightState, fly, type Progress } from "../../src/running/train-loop.ts";
import { type FlightDeck, prepareFlight, type Resumed } from "../../src/training/assemble.ts";
import { shippedTeacher } from "../../src/training/shipped-teacher.ts";

beforeAll(() => startEngine("auto", { threads: 1 }));

const small = [
  "num_envs=12",
  "max_iterations=6",
  "num_steps_per_env=10",
  "algorithm.phase1_iterations=3",
  "algorithm.num_learning_epochs=2",
  "policy.student_hidden_dims=[16,16]",
  "evaluation.env_share=0.34",
  "evaluation.window=2",
  "save_interval=1000",
];

interface Setup {
  readonly deck: FlightDeck;
  readonly env: VectorEnv;
  readonly config: ReturnType<typeof resolveConfig>["config"];
}

async function setUp(overrides: string[] = [], resumed?: Resumed): Promise<Setup> {
  const { config } = resolveConfig({ overrides: [...small, ...overrides] });
  const env = await openMujoco({ task: config.task, numEnvs: config.num_envs });
  const deck = await prepareFlight({ config, env, steering: new Steering(), resumed });
  return { deck, env, config };
}

interface Log {
  readonly rows: Metrics[];
  readonly events: RunEvent[];
  readonly saved: { kind: string; state: FlightState; learner: LearnerState; sim: Uint8Array }[];
  readonly progress: Progress;
}

/** Flies a deck, and keeps what a run folder would keep. */
async function flight({ deck, env, config }: Setup): Promise<Log> {
  const log: Omit<Log, "progress"> = { rows: [], events: [], saved: [] };
  const sink = {
    write: (_: number, metrics: Metrics) => void log.rows.push(timeless(metrics)),
    event: (event: RunEvent) => void log.events.push(event),
    close: async () => {},
  };
  const save = async (kind: string, state: FlightState) => {
    const plain = JSON.parse(JSON.stringify(state));
    const sim = await env.snapshot!();
    log.saved.push({ kind, state: plain, learner: await deck.learner.save(), sim });
    return "done";
  };
  const settings = { ...config, checkWindow: 2 };
  const progress = await fly({ ...deck, sink, save, settings }, deck.frame, deck.start);
  return { ...log, progress };
}

/** Seconds differ from run to run; everything else must not. */
function timeless(metrics: Metrics): Metrics {
  const kept = Object.entries(metrics).filter(
    ([name]) => !name.startsWith("Perf/") && name !== "Distillation/seconds",
  );
  return Object.fromEntries(kept);
}

describe("a flight", () => {
  it("gives the same figures and weights for the same seed, and others for another", async () => {
    const [one, two, other] = [await setUp(), await setUp(), await setUp(["seed=7"])];
    const [a, b, c] = [await flight(one), await flight(two), await flight(other)];
    expect(b.rows).toEqual(a.rows);
    expect(await two.deck.learner.save()).toEqual(await one.deck.learner.save());
    expect(c.rows).not.toEqual(a.rows);
  });

  it("hands over after phase1_iterations, once, and says so", async () => {
    const { rows, events, progress } = await flight(await setUp());
    expect(rows.map((row) => row["Distillation/training_phase"])).toEqual([1, 1, 1, 2, 2, 2]);
    expect(events.filter((e) => e.type === "phase-switch").map((e) => e.iteration)).toEqual([3]);
    expect(progress).toMatchObject({ iteration: 6, environmentSteps: 6 * 10 * 12 });
  });

  it("goes on from a checkpoint bit for bit, as if it had never stopped", async () => {
    const whole = await flight(await setUp());
    const broken = await setUp();
    const events: string[] = [];
    let saved: Log["saved"][number] | undefined;
    const rows: Metrics[] = [];
    await fly(
      {
        ...broken.deck,
        sink: {
          write: (iteration, metrics) => {
            rows.push(timeless(metrics));
            if (iteration === 3) broken.deck.steering.ask("stop", "test");
          },
          event: (event) => void events.push(event.type),
          close: async () => {},
        },
        save: async (kind, state) => {
          const plain = JSON.parse(JSON.stringify(state));
          const sim = await broken.env.snapshot!();
          saved = { kind, state: plain, learner: await broken.deck.learner.save(), sim };
          return "done";
        },
        settings: { ...broken.config, checkWindow: 2 },
      },
      broken.deck.frame,
      broken.deck.start,
    );
    expect(rows).toHaveLength(4);
    const again = await setUp();
    const { learner, cockpit, episodes, env } = again.deck;
    learner.load(saved!.learner);
    cockpit.load(saved!.state.cockpit);
    episodes.load(saved!.state.episodes);
    const frame = await env.restore!(saved!.sim);
    const rest = await flight({
      ...again,
      deck: { ...again.deck, frame, start: saved!.state.progress },
    });
    expect([...rows, ...rest.rows]).toEqual(whole.rows);
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
      const refusal = await setUp([key, `checkpoint=${shippedTeacher("quadcopter")}`]).catch(
        (e) => e,
      );
      expect(refusal.message).toMatch(why);
      expect(refusal.hint).toContain(next);
    },
  );

  it("refuses a teacher that is poor in its own reference flight, and names both figures", async () => {
    const poor = setUp(["evaluation.min_teacher_return=150"]);
    await expect(poor).rejects.toThrow(/returns 1[23]\d\.\d\d in its own .* asks for 150/);
    const good = await setUp(["evaluation.min_teacher_return=120"]);
    expect((await flight(good)).rows).toEqual((await flight(await setUp())).rows);
  });

  it("changes the student and never the teacher", async () => {
    const setup = await setUp();
    const { learner, teacher, frame } = setup.deck;
    const act = async (who: typeof teacher.policy) =>
      (await who.act(frame, who.initialMemory(12))).actions;
    const before = [await act(learner.policy), await act(teacher.policy)];
    await flight(setup);
    expect(await act(learner.policy)).not.toEqual(before[0]);
    expect(await act(teacher.policy)).toEqual(before[1]);
  });

  it("leaves no tensor behind, iteration after iteration", async () => {
    const setup = await setUp(["max_iterations=12"]);
    const counts: number[] = [];
    const sink = {
      write: () => void counts.push(tf.memory().numTensors),
      event: () => {},
      close: async () => {},
    };
    const settings = { ...setup.config, checkWindow: 2 };
    await fly(
      { ...setup.deck, sink, save: async () => "done", settings },
      setup.deck.frame,
      setup.deck.start,
    );
    expect(new Set(counts.slice(1)).size).toBe(1);
  });

  it("rescues what was learned when the simulator dies, and hands on its error", async () => {
    const setup = await setUp();
    let steps = 0;
    const dying: VectorEnv = {
      spec: setup.env.spec,
      reset: (seed) => setup.env.reset(seed),
      step: (actions) => {
        steps += 1;
        return steps > 25 ? Promise.reject(new Error("gone")) : setup.env.step(actions);
      },
      close: async () => {},
    };
    const saved: [string, number][] = [];
    const doomed = fly(
      {
        ...setup.deck,
        env: dying,
        sink: { write: () => {}, event: () => {}, close: async () => {} },
        save: async (kind, state) => {
          saved.push([kind, state.progress.iteration]);
          return "done";
        },
        settings: { ...setup.config, checkWindow: 2 },
      },
      setup.deck.frame,
      setup.deck.start,
    );
    await expect(doomed).rejects.toThrow("gone");
    expect(saved.at(-1)).toEqual(["rescue", 2]);
  });

  it("obeys requests between iterations and says what became of each", async () => {
    const setup = await setUp();
    const { steering } = setup.deck;
    const answers: string[] = [];
    for (const request of ["pause", "pause", "checkpoint", "next-phase", "next-phase"] as const) {
      steering.ask(request, "test", (outcome) => answers.push(outcome));
    }
    setTimeout(() => steering.ask("resume", "later"), 50);
    const { rows, events, saved } = await flight(setup);
    expect(rows[0]!["Distillation/training_phase"]).toBe(2);
    expect(answers.map((a) => a.split(":")[0])).toEqual([
      "done",
      "refused",
      "done",
      "done",
      "refused",
    ]);
    expect(events.filter((e) => e.type === "request")).toHaveLength(6);
    expect(saved[0]).toMatchObject({ kind: "asked", state: { progress: { iteration: 0 } } });
  });
});

describe("a rollout", () => {
  it("holds the training rows alone: what was seen, what both would do, what was flown", async () => {
    const { deck, env } = await setUp();
    const { cockpit, episodes, seats } = deck;
    const steps: { policy: Float32Array; actions: Float32Array }[] = [];
    let seen = deck.frame.observations.policy!;
    const spy: VectorEnv = {
      ...env,
      spec: env.spec,
      reset: (seed) => env.reset(seed),
      close: () => env.close(),
      step: async (actions) => {
        steps.push({ policy: seen.slice(), actions: actions.slice() });
        const result = await env.step(actions);
        seen = result.frame.observations.policy!;
        return result;
      },
    };
    const options = { env: spy, cockpit, episodes, seats, groups: ["policy"], steps: 5 };
    const { rollout } = await collect(options, deck.frame);
    const rows = seats.training.to;
    expect(rows).toBe(8);
    expect(rollout).toMatchObject({ steps: 5, numEnvs: rows } satisfies Partial<Rollout>);
    for (const [i, step] of steps.entries()) {
      const part = (all: Float32Array, width: number) =>
        all.subarray(i * rows * width, (i + 1) * rows * width);
      expect(part(rollout.observations.policy!, 12)).toEqual(step.policy.subarray(0, rows * 12));
      expect(part(rollout.actions, 4)).toEqual(step.actions.subarray(0, rows * 4));
      expect(part(rollout.teacherActions, 4)).toEqual(step.actions.subarray(0, rows * 4));
    }
    expect(rollout.studentActions).not.toEqual(rollout.teacherActions);
    expect(rollout.next.policy).toEqual(seen.subarray(0, rows * 12));
  });
});

describe("an evaluation", () => {
  it("gives a pilot that is its own teacher the same bill as the teacher, to the noise of the draw", async () => {
    const { deck, env } = await setUp(["task=quadcopter", "num_envs=40"]);
    const teacher = deck.teacher.policy;
    const options = { env, student: teacher, teacher, episodes: 100, seed: 3 };
    const figures = await evaluate(options);
    expect(figures).toMatchObject({ deaths: 0, episodes: 100 });
    expect(figures.teacher_return).toBeGreaterThan(125);
    expect(figures.student_vs_teacher).toBeGreaterThan(0.97);
    expect(figures.student_vs_teacher).toBeLessThan(1.03);
    expect(figures.final_distance).toBeLessThan(0.1);
    expect(await evaluate(options)).toEqual(figures);
  });

  it("counts the deaths of a student that can't fly", async () => {
    const { deck, env } = await setUp(["task=quadcopter"]);
    const { learner, teacher } = deck;
    const pilots = { student: learner.policy, teacher: teacher.policy };
    const figures = await evaluate({ env, ...pilots, episodes: 12, seed: 3 });
    expect(figures.deaths).toBeGreaterThan(6);
    expect(figures.student_return).toBeLessThan(figures.teacher_return / 2);
  });
});
