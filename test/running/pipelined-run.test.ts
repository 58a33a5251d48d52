import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NamedArrays } from "../../policies/named-array.ts";
import { distillation } from "../../src/algorithms/distillation/algorithm.ts";
import { startEngine } from "../../src/engine/start.ts";
import { FlowMeter } from "../../src/learning/flow-meter.ts";
import { faultsOf, judgeFlow } from "../../src/learning/gradient-flow.ts";
import type { RunState } from "../../src/running/run-state.ts";
import { type Log, runOf, type SmallRun, setUp } from "./small-run.ts";

const folder = mkdtempSync(join(tmpdir(), "firstsolo-pipelined-"));
beforeAll(() => startEngine("auto", { threads: 1 }));
afterAll(() => rmSync(folder, { recursive: true }));

const pipelined = { pipelined: true };
const buffered = ["algorithm.buffer_size=300", "policy.student_obs_normalization=true"];
const recurrent = ["policy.rnn_type=gru", "policy.rnn_hidden_dim=8", ...buffered];
const scheduled = [
  "algorithm.teacher_share_schedule=linear",
  "algorithm.teacher_share_iterations=6",
];

const losses = ({ rows }: Log) => rows.map((row) => row["Loss/behavior"]);

/** The same run, which also notes what acts while each rollout is flown. */
function watched(run: SmallRun): { readonly run: SmallRun; readonly flownBy: NamedArrays[] } {
  const flownBy: NamedArrays[] = [];
  const { source, learner } = run.assembled;
  const next: typeof source.next = async (stage) => {
    flownBy.push(await learner.acting!.give());
    return source.next(stage);
  };
  const wrapped = Object.assign(Object.create(source), { next, save: () => source.save() });
  return { run: { ...run, assembled: { ...run.assembled, source: wrapped } }, flownBy };
}

/** What has been learned when each iteration is over: its checkpoint. */
const learnedBy = ({ saved }: Log) => saved.map(({ state }) => parametersOf(state.learner.arrays));

function parametersOf(arrays: NamedArrays): NamedArrays {
  const kept = Object.entries(arrays).filter(([name]) => name.startsWith("parameters/"));
  return Object.fromEntries(kept);
}

describe("a run whose learner is elsewhere", () => {
  it("flies rollout k with the weights behind update k − 2", async () => {
    const { run, flownBy } = watched(await setUp(["save_interval=1"], pipelined));
    const first = parametersOf(await run.assembled.learner.acting!.give());
    const learned = learnedBy(await runOf(run));
    expect(learned).toHaveLength(6);
    expect(flownBy.map(parametersOf)).toEqual([first, first, ...learned.slice(0, 4)]);
    expect(learned[1]).not.toEqual(learned[0]);
  });

  it.each([
    ["while the teacher drives alone", [], [0, 0, 1, 2, 4, 5]],
    [
      "where past rollouts are learned from again",
      ["algorithm.buffer_size=300"],
      [0, 0, 1, 2, 3, 4],
    ],
  ])("lags of itself %s", async (_, overrides, expected) => {
    const keys = ["save_interval=1", "pipeline=auto", ...overrides];
    const { run, flownBy } = watched(await setUp(keys, pipelined));
    const first = parametersOf(await run.assembled.learner.acting!.give());
    const learned = [first, ...learnedBy(await runOf(run))];
    expect(flownBy.map(parametersOf)).toEqual(expected.map((updates) => learned[updates]));
  });

  it("learns as it would here while the teacher drives, each row with the figures of the update before", async () => {
    const phaseOne = ["algorithm.phase1_iterations=6"];
    const [there, here] = [await setUp(phaseOne, pipelined), await setUp(phaseOne)];
    const [a, b] = [await runOf(there), await runOf(here)];
    expect(losses(a)).toEqual([undefined, ...losses(b).slice(0, 5)]);
    const arrays = async ({ assembled: { learner } }: SmallRun) => (await learner.save()).arrays;
    expect(parametersOf(await arrays(there))).toEqual(parametersOf(await arrays(here)));
  });

  it.each([
    [0, buffered],
    [2, recurrent],
    [3, scheduled],
    [4, buffered],
  ])(
    "goes on from a checkpoint of iteration %i bit for bit, as if it had never stopped: %s",
    async (at, overrides) => {
      const one = await setUp(overrides, pipelined);
      const whole = await runOf(one);
      const broken = await setUp(overrides, pipelined);
      let bytes: Uint8Array | undefined;
      const first = await runOf(broken, {
        save: async (kinds, state) => {
          if (kinds[0] === "asked") bytes = await broken.assembled.write(state);
          return "done";
        },
        watch: {
          observe: (iteration) => void (iteration === at && broken.requests.ask("stop", "test")),
          save: () => null,
          load: () => {},
        },
      });
      const path = join(folder, `model_${at}.pt`);
      writeFileSync(path, bytes!);
      const two = await setUp(overrides, { ...pipelined, saved: await distillation.read(path) });
      const rest = await runOf(two);
      expect([...first.rows, ...rest.rows]).toEqual(whole.rows);
      expect(await two.assembled.learner.save()).toEqual(await one.assembled.learner.save());
    },
  );

  it("is the same run however often it is saved, paused and asked", async () => {
    const [plain, asked] = [
      await setUp([], pipelined),
      await setUp(["save_interval=2"], pipelined),
    ];
    const answers: string[] = [];
    const watch = {
      observe(iteration: number) {
        if (iteration !== 1) return;
        for (const request of ["checkpoint", "pause", "checkpoint"] as const) {
          asked.requests.ask(request, "test", (outcome) => answers.push(outcome));
        }
        setTimeout(() => asked.requests.ask("resume", "later"), 30);
      },
      save: () => null,
      load: () => {},
    };
    const [a, b] = [await runOf(plain), await runOf(asked, { watch })];
    expect(answers).toEqual(["done", "done", "done"]);
    expect(b.rows).toEqual(a.rows);
    expect(b.events.filter(({ type }) => type === "phase-switch")).toHaveLength(1);
  });

  it("goes on without a pipeline, and from a state without one, with what has been learned", async () => {
    const states: RunState[] = [];
    const save = async (_: unknown, state: RunState) => {
      states.push(state);
      return "done";
    };
    await runOf(await setUp(["save_interval=2"], pipelined), { save });
    const { arrays } = states[1]!.learner;
    expect(Object.keys(arrays).some((name) => name.startsWith("acting/"))).toBe(true);
    const [here, there] = [await setUp(), await setUp([], pipelined)];
    here.assembled.learner.load(states[1]!.learner);
    const plain = await here.assembled.learner.save();
    expect(plain.arrays).toEqual(
      Object.fromEntries(Object.entries(arrays).filter(([name]) => !name.startsWith("acting/"))),
    );
    there.assembled.learner.load(plain);
    expect(await there.assembled.learner.acting!.give()).toEqual(parametersOf(arrays));
  });

  it("measured is the same run, and the report is the one made here", async () => {
    const report = async (options: object) => {
      const run = await setUp([], options);
      const { groups, updates } = run.assembled.learner;
      const meter = new FlowMeter(groups);
      const log = await runOf(run, { meter: (iteration) => (iteration === 0 ? meter : undefined) });
      return { log, flow: judgeFlow(await meter.rows(), groups, updates) };
    };
    const there = await report(pipelined);
    expect(there.log.rows).toEqual((await runOf(await setUp([], pipelined))).rows);
    expect(there.flow).toEqual((await report({})).flow);
    expect(there.flow.entries).toHaveLength(1);
    expect(faultsOf(there.flow)).toEqual([]);
  });

  it("ends by the error of an update, which no later checkpoint outlives", async () => {
    const run = await setUp(["algorithm.learning_rate=1e30", "save_interval=1"], pipelined);
    const saved: number[] = [];
    const failed = runOf(run, {
      save: async (_, { progress, learner: { arrays } }) => {
        const all = Object.values(arrays).flatMap(({ data }) => [...data]);
        if (all.every(Number.isFinite)) saved.push(progress.iteration);
        return "done";
      },
    });
    await expect(failed).rejects.toMatchObject({
      name: "LearningError",
      code: "diverged",
      message: expect.stringMatching(
        /^The behaviour loss is (NaN|Infinity) at a learning rate of 1e\+30/,
      ),
      hint: expect.stringContaining("max_grad_norm"),
    });
    expect(saved.length).toBeLessThan(2);
  });

  it("refuses a state that doesn't fit at once", async () => {
    const { learner } = (await setUp(["policy.student_hidden_dims=[8]"])).assembled;
    const other = await learner.save();
    const run = await setUp([], pipelined);
    expect(() => run.assembled.learner.load(other)).toThrow(/\[8, 12\].*\[16, 12\]/);
  });

  it("leaves no tensor behind, iteration after iteration", async () => {
    const counts: number[] = [];
    const sink = {
      write: () => void counts.push(tf.memory().numTensors),
      event: () => {},
      close: async () => {},
    };
    // Some are counted while an update is under way: only growth is a leak.
    await runOf(await setUp(["max_iterations=40", "save_interval=10", ...buffered], pipelined), {
      sink,
      learned: async () => new Promise((resolve) => setTimeout(resolve, 20)),
    });
    const grown = Math.max(...counts.slice(12)) - Math.max(...counts.slice(2, 7));
    // A leak of one in an iteration would be 28; an update under way holds a few.
    expect(grown).toBeLessThan(14);
  });
});
