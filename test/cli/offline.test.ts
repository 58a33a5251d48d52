/** One recording and one run, met as a person meets them: every command on what the one before left. */
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openOnnx } from "../../policies/onnx/onnx-runtime.ts";
import type { Frame } from "../../protocol/frame.ts";
import { policiesOf, readRun } from "../../src/algorithms/offline/run-checkpoint.ts";
import { startEngine } from "../../src/engine/start.ts";
import { specOf, synthesise } from "../algorithms/offline/offline-run.ts";
import {
  type FlightFiles,
  makeFlightFiles,
  rowsOf,
  withFlights,
} from "../datasets/flight-files.ts";
import { pythonServer } from "../remote/servers.ts";
import { humanError, namesIn, openHangar, type Session, small, summaryOf } from "./flights.ts";

const { run, runAlone, train, work } = openHangar();
const teacher = join(import.meta.dirname, "../../policies/teachers/hover-rsl_rl-5.4.2.pt");
const flights = join(work, "flights.hdf5");
const flown = ["--num_envs", "8", "env.episode_length_s=0.4"];
const recording = ["record", "--task", "quadcopter", "--episodes", "24", ...flown];
/** A second of work. */
const tiny = [
  ...flown,
  ..."--updates_per_iteration 5 --batch_size 32 --save_interval 3 --device cpu --threads 1".split(
    " ",
  ),
  "algorithm.actor_hidden_dims=[16,16]",
  ...["evaluation.interval=4", "evaluation.episodes=8", "evaluation.final_episodes=16"],
];
const critics = "algorithm.critic_hidden_dims=[16,16]";
const td3bc = ["--algorithm", "td3_bc", "--dataset", flights, ...tiny, critics];
const ended = ["--max_iterations", "8"];

let files: FlightFiles;
let whole: Session;
beforeAll(async () => {
  files = await makeFlightFiles();
  const crew = ["--policy", "hover@0.5", "--policy", `${teacher}@0.5`, "--noise", "0.3"];
  expect((await run(...recording, ...crew, "-o", flights)).code).toBe(0);
  whole = await train([...td3bc, ...ended]);
}, 120_000);
afterAll(() => files.remove());

describe("record", () => {
  it("keeps who drove, what each would have done and the noise, and inspect shows it", async () => {
    const { code, stdout } = await run("inspect", flights, "--json");
    const { notes, ...shown } = JSON.parse(stdout);
    expect([code, shown.layout, shown.task, shown.episodes]).toEqual([
      0,
      "minari",
      "quadcopter",
      24,
    ]);
    expect(Object.keys(notes).sort()).toEqual([
      "driver",
      "noise",
      "student_actions",
      "teacher_actions",
    ]);
    expect((await run("inspect", flights)).stdout).toMatch(/task +quadcopter\n(.*\n)*.*time-outs/);
    await withFlights(flights, (opened) => {
      const drivers = [...opened.episodes.lengths.keys()].map((episode) => {
        const rows = rowsOf(opened, "notes/driver", { episode, count: 19, width: 1 });
        expect(new Set(rows.flat()).size).toBe(1);
        return rows[0]![0]!;
      });
      expect([...new Set(drivers)].sort()).toEqual([0, 1]);
    });
  });

  it.each([
    [["-o", flights], /is there already\n.*--overwrite/],
    [["--noise", "-1", "-o", "x.hdf5"], /--noise is "-1"; expected a number, 0 or above/],
    [["--policy", "hover@0", "-o", "x.hdf5"], /nobody flies any episode/],
    [["--policy", "nobody.pt", "-o", "x.hdf5"], /nobody.pt does not exist/],
    [["--compression", "zip", "-o", "x.hdf5"], /--compression is zip; expected none or gzip/],
    [["algorithm.alpha=1", "-o", "x.hdf5"], /algorithm.alpha=1 can't change a recording/],
  ])("refuses %j before anything is flown", async (words, why) => {
    const { code, stderr } = await run(...recording, ...words);
    expect(stderr).toMatch(humanError);
    expect(stderr).toMatch(why);
    expect([code, namesIn(work).includes("x.hdf5")]).toEqual([2, false]);
  });

  it("refuses the simulator's own teacher where there is none, by name", async () => {
    const { code, stderr } = await run(...recording, "--policy", "simulator", "-o", "x.hdf5");
    expect([code, namesIn(work).includes("x.hdf5")]).toEqual([3, false]);
    expect(stderr).toMatch(
      /the simulator has no teacher of its own\n {2}→ Name the teacher's file/,
    );
  });
});

describe("a run of td3_bc", () => {
  it("is named by the task of its data, evaluated in it, and leaves what every run leaves", () => {
    expect(whole.run).toMatch(/logs\/quadcopter_td3_bc\/[^/]+$/);
    expect(whole.rows.map(({ iteration }) => iteration)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const flown = whole.rows.filter((row) => "Eval/student_return" in row);
    expect(flown.map(({ iteration }) => iteration)).toEqual([3, 7]);
    expect(namesIn(whole.run)).toEqual(
      expect.arrayContaining(["best_model.pt", "gradient_flow.json"]),
    );
    expect(summaryOf(whole.run)).toMatchObject({ finished: true, iterations: 8, episodes: 16 });
  });

  it("is evaluated again to the last bit", async () => {
    const { code, stdout } = await run("eval", whole.run, "--episodes", "16", "--json");
    const { checkpoint, ...figures } = JSON.parse(stdout);
    expect([code, checkpoint]).toEqual([0, join(whole.run, "best_model.pt")]);
    expect(summaryOf(whole.run)).toMatchObject(figures);
  });

  it("goes on after kill -9 as if nothing had been, wherever its data lie now", async () => {
    const killed = await train([...td3bc, ...ended], {
      onRow: ({ iteration }, runner) => iteration === 4 && process.kill(-runner.pid!, "SIGKILL"),
    });
    expect(killed.signal).toBe("SIGKILL");
    const moved = join(work, "moved.hdf5");
    copyFileSync(flights, moved);
    const resumed = ["--resume", killed.run, "--dataset", moved];
    const { code, rows } = await train([...resumed, ...ended]);
    expect([code, rows[0]!.iteration]).toEqual([0, 4]);
    expect(untimed(rows)).toEqual(untimed(whole.rows.slice(4)));
    expect(await weightsIn(killed.run, "model_7.pt")).toEqual(
      await weightsIn(whole.run, "model_7.pt"),
    );
  });

  it("exports what the policy does: observations as they come, actions in the simulator's units", async () => {
    const { code, stdout } = await runAlone("export", whole.run, "--format", "onnx", "--json");
    expect(code).toBe(0);
    const [path] = JSON.parse(stdout).written as readonly string[];
    await startEngine("auto");
    const count = 15;
    const rows = await withFlights(flights, (opened) =>
      rowsOf(opened, "obs/policy", { episode: 0, count, width: 12 }),
    );
    const data = Float32Array.from(rows.flat());
    const saved = await readRun(join(whole.run, "best_model.pt"));
    const { student } = await policiesOf(saved, specOf({ observationWidth: 12, actionWidth: 4 }));
    const frame: Frame = { observations: { policy: data }, started: new Uint8Array(count).fill(1) };
    const { actions } = await student.act(frame, student.initialMemory(count));
    student.dispose();
    const session = await openOnnx(readFileSync(path!), "the export");
    const { actions: exported } = await session.run({ obs: { shape: [count, 12], data } });
    session.dispose();
    expect(
      Math.max(...actions.map((value, i) => Math.abs(value - exported!.data[i]!))),
    ).toBeLessThan(1e-5);
    expect(new Set(actions).size).toBeGreaterThan(4 * count - 5);
    expect(Math.max(...actions.map(Math.abs))).toBeLessThanOrEqual(1);
  });

  it("exports TensorFlow.js, and refuses rsl_rl by name", async () => {
    const tfjs = await runAlone("export", whole.run, "--format", "tfjs");
    expect(tfjs.stdout).toMatch(/exported\/tfjs\/model.json\n(.*\n)*checked with TensorFlow.js/);
    const { code, stderr } = await runAlone("export", whole.run, "--format", "rsl_rl");
    expect([code, humanError.test(stderr)]).toEqual([2, true]);
    expect(stderr).toMatch(/a distillation checkpoint of rsl_rl needs a student and a teacher/);
  });

  it("reads in `watch` as it ran: updates per second, and no figure that isn't there", async () => {
    const { code, stdout } = await run("watch", whole.run, "--ui", "plain");
    expect(code).toBe(0);
    expect(stdout.match(/Computation: \d+ updates\/s \(read: \d/g)).toHaveLength(8);
    expect(stdout.match(/^ +update +group +owner +claim/gm)).toHaveLength(1);
    expect(stdout).not.toMatch(/nan|steps\/s|Total timesteps|undefined/);
  });

  it("pilots a recording, which it can't go on with as its data, and teaches a distillation", async () => {
    const pilot = ["--policy", whole.run, "--episodes", "8", "-o", "again.hdf5"];
    const recorded = await run(...recording, ...pilot);
    expect([recorded.code, recorded.stdout.includes("8 episodes")]).toEqual([0, true]);
    const other = await train(["--resume", whole.run, "--dataset", join(work, "again.hdf5")]);
    expect([other.code, humanError.test(other.stderr)]).toEqual([2, true]);
    expect(other.stderr).toMatch(/holds 8 episodes, .*learned from 24 episodes, .*\n.*--dataset/);
    const taught = await train([...small, "--task", "quadcopter", "--checkpoint", whole.run]);
    expect(taught.code).toBe(0);
    expect(taught.events.find(({ type }) => type === "start")!.teacher).toMatch(/best_model.pt/);
  });
});

describe("other data and algorithms", () => {
  it("a file of h5py's trains, says that nothing is evaluated, and is saved", async () => {
    const words = [
      "--dataset",
      files.path("d4rl-next.hdf5"),
      ...tiny,
      critics,
      "--max_iterations",
      "2",
    ];
    const logs = ["--log_root", join(work, "logs"), "--experiment_name", "nowhere"];
    const all = ["train", "--algorithm", "td3_bc", ...words, ...logs, "--ui", "plain"];
    const { code, stdout, stderr } = await run(...all);
    expect(code).toBe(0);
    expect(stderr).toMatch(/nothing is evaluated: .*d4rl-next.hdf5.* names no task/);
    expect(stderr).toMatch(
      /does not say between which bounds actions lie: taken as from the least/,
    );
    expect(stdout.match(/^ +update +group +owner +claim/gm)).toHaveLength(1);
    expect(stdout).toMatch(/Computation: \d+ updates\/s/);
    expect(stdout).not.toMatch(/ nan|steps\/s/);
    const [made] = namesIn(join(work, "logs/nowhere"));
    const folder = join(work, "logs/nowhere", made!);
    expect(namesIn(folder)).toContain("model_1.pt");
    expect(summaryOf(folder)).toMatchObject({ finished: true, student_return: null });
    const judged = await run("eval", folder);
    expect([judged.code, humanError.test(judged.stderr)]).toEqual([2, true]);
    expect(judged.stderr).toMatch(/trained without a simulator.*\n.*--sim/);
  });

  it.each(["bc", "rebrac", "iql", "cql"])(
    "%s trains on them, and flies in their task",
    async (name) => {
      const own = name === "bc" ? tiny : [...tiny, critics];
      const words = ["--algorithm", name, "--dataset", flights, ...own, "--max_iterations", "1"];
      const first = await train(words);
      expect([first.code, first.run]).toEqual([0, expect.stringMatching(`quadcopter_${name}/`)]);
      expect(first.rows[0]).toHaveProperty("Eval/student_return");
    },
  );
});

it("flies a simulator of somebody else's: evaluated there, and recorded", async () => {
  const given = join(work, "mass.hdf5");
  await synthesise(given, { episodes: 4, actionStd: 0.5, observationWidth: 2, actionWidth: 1 });
  const { endpoint } = await pythonServer();
  const there = ["--sim", endpoint, "--num_envs", "8"];
  const words = [...tiny.slice(flown.length), critics, "--max_iterations", "1", "--dataset", given];
  const student = await train(["--algorithm", "td3_bc", ...words, ...there]);
  expect([student.code, summaryOf(student.run).episodes]).toEqual([0, 16]);
  const pilot = ["--policy", student.run, "--episodes", "8", "-o", join(work, "mass")];
  const recorded = await run("record", ...there, ...pilot);
  expect([recorded.code, recorded.stdout]).toEqual([0, expect.stringMatching(/mass: 8 episodes/)]);
  expect(namesIn(join(work, "mass"))).toEqual(["main_data.hdf5", "metadata.json"]);
  const shown = JSON.parse(
    (await run("inspect", join(work, "mass/main_data.hdf5"), "--json")).stdout,
  );
  expect([shown.task, Object.keys(shown.groups).sort()]).toEqual([
    "point-mass",
    ["exact", "policy"],
  ]);
});

describe("what makes no sense ends in 2 and says why", () => {
  const plain = ["--algorithm", "td3_bc", ...tiny, critics];
  it.each([
    ["no data set", plain, /td3_bc learns from recorded flights, and none are named\n.*--dataset/],
    [
      "one that is too narrow for the task",
      [...plain, "--task", "quadcopter", "--dataset", "d4rl.hdf5"],
      /'policy' is 3 numbers wide in .*, and 12 in the task 'quadcopter'/,
    ],
    [
      "rows that are no numbers",
      [...plain, "--dataset", "nan-observation.hdf5"],
      /obs\/policy of episode 1, step 2, component 1 is NaN/,
    ],
    [
      "an algorithm nobody knows",
      ["--algorithm", "td4_bc"],
      /expected one of distillation, bc, td3_bc.*\n.*--algorithm td3_bc/,
    ],
    [
      "settings of another algorithm",
      [...plain, "--dataset", "d4rl.hdf5", "--phase1_iterations", "3"],
      /Unknown key algorithm.phase1_iterations/,
    ],
    [
      "no episode to imitate",
      ["--algorithm", "bc", "--bc_fraction", "0", "--dataset", "d4rl.hdf5"],
      /bc_fraction is 0: no episode would be learned from/,
    ],
  ])("%s", async (_, words, why) => {
    const here = words.map((word) => (word.endsWith(".hdf5") ? files.path(word) : word));
    const { code, stderr, rows } = await train(here);
    expect(stderr).toMatch(humanError);
    expect(stderr).toMatch(why);
    expect([code, rows]).toEqual([2, []]);
  });

  it("a learner that doesn't learn what it claims", async () => {
    const frozen = [...td3bc, "--max_iterations", "1", "algorithm.critic_learning_rate=1e-300"];
    const refused = await train([...frozen, "--report_gradients", "1"]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/orphan.*'critic'/)]);
  });
});

function untimed(rows: Session["rows"]) {
  const timed = /^(Perf\/|time$|Offline\/seconds$)/;
  return rows.map((row) => Object.entries(row).filter(([name]) => !timed.test(name)));
}

async function weightsIn(run: string, name: string) {
  return (await readRun(join(run, name))).state.learner;
}
