import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EnvSpec } from "../../protocol/spec.ts";
import { FlightRecorder } from "../../src/datasets/flight-recorder.ts";
import { FlightWriter, type WriteOptions } from "../../src/datasets/flight-writer.ts";
import type { Experience } from "../../src/learning/experience.ts";
import { type FlightFiles, makeFlightFiles, rowsOf, withFlights } from "./flight-files.ts";

let files: FlightFiles;
beforeAll(async () => {
  files = await makeFlightFiles();
});
afterAll(() => files.remove());

const spec: EnvSpec = {
  task: "counting",
  numEnvs: 3,
  controlPeriod: 0.02,
  maxEpisodeSteps: 8,
  autoreset: "same_step",
  observations: {
    policy: { dtype: "<f4", shape: [2], names: ["env", "step"], units: ["1", "s"] },
    "camera/rgb": { dtype: "|u1", shape: [2, 2] },
  },
  action: {
    dtype: "<f4",
    shape: [1],
    low: [-1],
    high: [Infinity],
    names: ["thrust"],
    units: ["N"],
  },
  capabilities: [],
};

/**
 * Three environments that count: an observation is `[env, step + episode × 100]`. Environment 0 dies
 * after 3 steps, 1 is cut by the clock after 5, 2 flies on.
 */
function counting() {
  const lengths = [3, 5, Infinity];
  const step = [0, 0, 0];
  const episode = [0, 0, 0];
  return (steps: number): Experience => {
    const at = <T extends Float32Array | Uint8Array>(array: T) => array;
    const arrays = {
      "obs/policy": at(new Float32Array(steps * 6)),
      "next/policy": at(new Float32Array(steps * 6)),
      "obs/camera/rgb": at(new Float32Array(steps * 12)),
      "next/camera/rgb": at(new Float32Array(steps * 12)),
      actions: at(new Float32Array(steps * 3)),
      rewards: at(new Float32Array(steps * 3)),
      terminated: at(new Uint8Array(steps * 3)),
      truncated: at(new Uint8Array(steps * 3)),
      "notes/teacher_actions": at(new Float32Array(steps * 3)),
      "notes/driver": at(new Uint8Array(steps * 3)),
    };
    for (let row = 0; row < steps * 3; row += 1) {
      const env = row % 3;
      const now = step[env]! + 100 * episode[env]!;
      arrays["obs/policy"].set([env, now], row * 2);
      arrays["next/policy"].set([env, now + 1], row * 2);
      arrays["obs/camera/rgb"].fill(now, row * 4, row * 4 + 4);
      arrays["next/camera/rgb"].fill(now + 1, row * 4, row * 4 + 4);
      arrays.actions[row] = now / 8;
      arrays.rewards[row] = env + 1;
      arrays["notes/teacher_actions"][row] = 1 - now;
      arrays["notes/driver"][row] = now % 2;
      step[env]! += 1;
      if (step[env] !== lengths[env]) continue;
      arrays[env === 0 ? "terminated" : "truncated"][row] = 1;
      step[env] = 0;
      episode[env]! += 1;
    }
    return { steps, numEnvs: 3, arrays };
  };
}

async function record(
  path: string,
  options: WriteOptions & { rounds?: number[]; end?: "keep" | "drop"; memoryBytes?: number } = {},
) {
  const { rounds = [4, 3, 3], end = "keep", memoryBytes, ...write } = options;
  const writer = await FlightWriter.create(path, spec, write);
  const recorder = new FlightRecorder(writer, memoryBytes === undefined ? {} : { memoryBytes });
  const fly = counting();
  for (const steps of rounds) recorder.add(fly(steps));
  return recorder.close(end);
}

interface Seen {
  readonly episodes: readonly {
    readonly observations: {
      readonly policy: number[][];
      readonly camera: { readonly rgb: number[][][] };
    };
    readonly infos: Readonly<Record<string, number[]>>;
    readonly terminations: readonly boolean[];
    readonly truncations: readonly boolean[];
    readonly rewards: readonly number[];
    readonly observed: boolean;
    readonly acted: boolean;
  }[];
  readonly [key: string]: unknown;
}

const minariSees = (folder: string): Seen =>
  JSON.parse(
    execFileSync(files.python, [join(import.meta.dirname, "read_flights.py"), folder], {
      encoding: "utf8",
    }),
  );

describe("What is recorded, the package Minari opens", () => {
  it.each([
    ["flights.hdf5", "none"],
    ["flights-v3", "none"],
    ["deep/packed.h5", "gzip"],
  ] as const)("as %s, compression %s", async (name, compression) => {
    const result = await record(files.path(name), { compression });
    expect(result).toMatchObject({ episodes: 7, steps: 30, unfinished: 2, dropped: 0 });
    const seen = minariSees(result.minariFolder);
    expect(seen).toMatchObject({ total_episodes: 7, total_steps: 30, kept: 3, sampled: 2 });
    expect(seen.id).toBe(
      { "flights.hdf5": "flights-v0", "flights-v3": "flights-v3" }[name as string] ?? "packed-v0",
    );
    expect(seen.action_space).toMatchObject({ low: ["-1.0"], high: ["inf"], dtype: "float32" });
    expect(seen.observation_space).toMatchObject({
      policy: { shape: [2], low: ["-inf", "-inf"] },
      camera: { rgb: { shape: [2, 2], dtype: "uint8", high: ["255", "255", "255", "255"] } },
    });
    expect(seen.episodes.every(({ observed, acted }) => observed && acted)).toBe(true);
    const died = seen.episodes[0]!;
    expect(died.observations.policy).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
    expect(died.observations.camera.rgb[3]).toEqual([
      [3, 3],
      [3, 3],
    ]);
    expect(died.terminations).toEqual([false, false, true]);
    expect(died.truncations).toEqual([false, false, false]);
    expect(died.rewards).toEqual([1, 1, 1]);
    expect(died.infos).toEqual({ teacher_actions: [1, 0, -1], driver: [0, 1, 0] });
    const lengths = seen.episodes.map(({ rewards }) => rewards.length);
    expect(seen.metadata).toEqual(lengths);
    expect(lengths.sort((a, b) => a - b)).toEqual([1, 3, 3, 3, 5, 5, 10]);
  });

  it("as a plain array where `policy` is the only group", async () => {
    const { minariFolder } = await record(files.path("only"), { groups: ["policy"] });
    const seen = minariSees(minariFolder);
    expect(seen.observation_space).toMatchObject({ shape: [2], dtype: "float32" });
    expect(seen.episodes[0]!.observations).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
  });

  it("and through its load_dataset, where its data sets are", async () => {
    const root = files.path("datasets");
    await record(join(root, "counting/test-v0/data"));
    const text = "import minari, sys; print(minari.load_dataset('counting/test-v0').total_steps)";
    const env = { ...process.env, MINARI_DATASETS_PATH: root };
    expect(execFileSync(files.python, ["-c", text], { env, encoding: "utf8" }).trim()).toBe("30");
  });
});

describe("What is recorded, we read again", () => {
  it("with names, units, bounds and the simulator's specification", async () => {
    const { path, minariFolder } = await record(files.path("again.hdf5"));
    for (const place of [path, minariFolder]) {
      await withFlights(place, ({ spec: read, layout }) => {
        expect(layout).toBe("minari");
        expect(read.env).toEqual(spec);
        expect(read.groups.policy).toMatchObject({ names: ["env", "step"], units: ["1", "s"] });
        expect(read.groups["camera/rgb"]).toMatchObject({ width: 4, kept: "uint8" });
        expect(read.action).toMatchObject({ low: [-1], high: [Infinity], names: ["thrust"] });
        expect(Object.keys(read.notes).sort()).toEqual(["driver", "teacher_actions"]);
      });
    }
  });

  it("every episode as it was flown, also in pieces", async () => {
    for (const memoryBytes of [1 << 28, 1]) {
      const rounds = [40];
      const { path } = await record(files.path("pieces.hdf5"), {
        existing: "replace",
        rounds,
        memoryBytes,
      });
      await withFlights(path, (flights) => {
        const { lengths, endings } = flights.episodes;
        expect(flights.steps).toBe(120);
        const endless = lengths.indexOf(40);
        expect(endings[endless]).toBe("unfinished");
        const rows = rowsOf(flights, "obs/policy", { episode: endless, count: 41, width: 2 });
        expect(rows).toEqual(Array.from({ length: 41 }, (_, step) => [2, step]));
        expect(endings.filter((e) => e === "terminated")).toHaveLength(13);
        expect(endings.filter((e) => e === "truncated")).toHaveLength(8);
        const driver = rowsOf(flights, "notes/driver", { episode: endless, count: 40, width: 1 });
        expect(driver.flat().slice(0, 4)).toEqual([0, 1, 0, 1]);
      });
    }
  });

  it("as many episodes as were asked for, evenly from all environments", async () => {
    const writer = await FlightWriter.create(files.path("quota.hdf5"), {
      ...spec,
      maxEpisodeSteps: 40,
    });
    const recorder = new FlightRecorder(writer, { episodes: 4 });
    const fly = counting();
    for (let round = 0; round < 12; round += 1) recorder.add(fly(2));
    // Environment 2 never ends, so that the fourth episode is still being flown.
    expect(recorder.isDone).toBe(false);
    expect(recorder.finished).toBe(3);
    expect(recorder.close("drop")).toMatchObject({ episodes: 3, unfinished: 0, dropped: 24 });
  });

  it("hundreds of episodes, with memory that stays", async () => {
    const writer = await FlightWriter.create(files.path("many.hdf5"), spec);
    const recorder = new FlightRecorder(writer);
    const fly = counting();
    recorder.add(fly(150));
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 3; round += 1) recorder.add(fly(150));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
    const { path, episodes } = recorder.close("keep");
    expect(episodes).toBe(200 + 120 + 1);
    await withFlights(path, ({ steps }) => expect(steps).toBe(1800));
  });
});

describe("A name is given to what is whole, and taken from nobody", () => {
  it("leaves nothing behind when it is abandoned", async () => {
    const folder = files.path("abandoned");
    mkdirSync(folder);
    for (const name of ["a.hdf5", "b"]) {
      const writer = await FlightWriter.create(join(folder, name), spec);
      writer.abandon();
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it("has no name before it is closed, and what a crash leaves is called torn", async () => {
    const path = files.path("crash.hdf5");
    const writer = await FlightWriter.create(path, spec);
    const recorder = new FlightRecorder(writer);
    recorder.add(counting()(30));
    expect(existsSync(path)).toBe(false);
    const draft = readdirSync(dirname(path)).find((name) => name.startsWith(".crash.hdf5"))!;
    const left = files.path("left.hdf5");
    writeFileSync(left, readFileSync(files.path(draft)));
    await expect(withFlights(left, () => 0)).rejects.toMatchObject({ name: "DatasetError" });
    writer.abandon();
  });

  it("refuses what is there, unless told to replace it, and never what is not flights", async () => {
    const path = files.path("taken.hdf5");
    await record(path);
    await expect(record(path)).rejects.toMatchObject({ code: "exists" });
    expect((await record(path, { existing: "replace", rounds: [2] })).steps).toBe(6);
    const folder = files.path("home");
    mkdirSync(folder);
    writeFileSync(join(folder, "thesis.tex"), "");
    await expect(record(folder, { existing: "replace" })).rejects.toMatchObject({ code: "exists" });
    expect(existsSync(join(folder, "thesis.tex"))).toBe(true);
    mkdirSync(files.path("own.minari"));
    writeFileSync(files.path("own.minari/main_data.hdf5"), "mine");
    await expect(record(files.path("own.hdf5"))).rejects.toMatchObject({ code: "exists" });
  });

  it("says where it can't write, and what it misses", async () => {
    const inFile = record(join(files.path("d4rl.hdf5"), "under.hdf5"));
    await expect(inFile).rejects.toMatchObject({ code: "no-place" });
    await expect(record(files.path("x.hdf5"), { groups: ["teacher"] })).rejects.toMatchObject({
      code: "missing-group",
    });
    const writer = await FlightWriter.create(files.path("y.hdf5"), spec);
    const { arrays, ...rest } = counting()(2);
    const { "next/policy": _, ...without } = arrays;
    const recorder = new FlightRecorder(writer);
    expect(() => recorder.add({ ...rest, arrays: without })).toThrow(
      /next\/policy .* has no numbers/,
    );
    writer.abandon();
  });

  it("stays readable where its folder was moved", async () => {
    const { minariFolder } = await record(files.path("moving"));
    renameSync(minariFolder, files.path("moved"));
    expect(minariSees(files.path("moved")).total_steps).toBe(30);
  });
});
