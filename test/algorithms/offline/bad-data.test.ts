/** What can't be learned from, or hardly, is named before the first step. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../../policies/random.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import { readsOf } from "../../../src/algorithms/offline/fit-data.ts";
import { completed, resolveConfig } from "../../../src/config/resolve.ts";
import { Hdf5Writer } from "../../../src/datasets/hdf5-writer.ts";
import { openFlights } from "../../../src/datasets/open-flights.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { prepareRun } from "../../../src/training/assemble.ts";
import { specOf, trainHere } from "./offline-run.ts";

const work = mkdtempSync(join(tmpdir(), "firstsolo-bad-data-"));
const random = new Random(1);
const once = { compression: "none", grows: false } as const;
beforeAll(() => startEngine("auto"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

interface Demos {
  /** Pixels of a side; default 8. */
  readonly size?: number;
  readonly rewards?: boolean;
  /** All bytes of all pictures. */
  readonly value?: number;
  readonly episodes?: number;
  /** Of a picture, instead of its size and two channels. */
  readonly axes?: readonly number[];
  /** Numbers from 0 to 1 instead of bytes. */
  readonly floats?: boolean;
  /** Actions are bytes. */
  readonly choices?: boolean;
}

/** robomimic's layout, 20 steps each. */
async function demos(name: string, given: Demos): Promise<string> {
  const { size = 8, rewards = true, value, episodes = 3, floats = false } = given;
  const { axes = [size, size, 2] } = given;
  const length = 20 * axes.reduce((product, axis) => product * axis, 1);
  const path = join(work, `${name}.hdf5`);
  const file = await Hdf5Writer.create(path);
  const numbers = (width: number) => {
    const data = Float32Array.from({ length: 20 * width }, () => 2 * random.uniform() - 1);
    return { dtype: "<f4", shape: width === 1 ? [] : [width], data } as const;
  };
  file.group("data");
  for (let i = 0; i < episodes; i += 1) {
    const at = `data/demo_${i}`;
    for (const group of [at, `${at}/obs`]) file.group(group);
    const pixels = Uint8Array.from({ length }, () => 255 * random.uniform());
    const data = value === undefined ? pixels : pixels.fill(value);
    const rows = floats
      ? ({ dtype: "<f4", data: Float32Array.from(data, (byte) => byte / 255) } as const)
      : ({ dtype: "|u1", data } as const);
    file.table(`${at}/obs/camera`, { shape: axes, ...rows }, once);
    file.table(`${at}/obs/joints`, numbers(3), once);
    const bytes = { dtype: "|u1", shape: [], data: pixels.subarray(0, 20) } as const;
    file.table(`${at}/actions`, given.choices ? bytes : numbers(2), once);
    if (rewards) file.table(`${at}/rewards`, numbers(1), once);
  }
  file.close();
  return path;
}

const tiny = [
  ...["max_iterations=1", "updates_per_iteration=1", "algorithm.batch_size=4"],
  ...["algorithm.actor_hidden_dims=[4]"],
];

/** What is said before the first step. */
async function said(algorithm: string, dataset: string, more: readonly string[] = []) {
  const own = [`algorithm.class_name=${algorithm}`, `dataset=${dataset}`];
  const given = resolveConfig({ overrides: [...tiny, ...own, ...more] });
  const { config, algorithm: chosen } = await completed(given, { resumed: false });
  const lines: string[] = [];
  const site = {
    config,
    env: undefined,
    saved: undefined,
    say: (line: string) => lines.push(line),
  };
  const { assembled } = await prepareRun(chosen, site);
  assembled.learner.dispose();
  await assembled.source.close();
  return lines.join("\n");
}

describe("recorded flights with pictures", () => {
  it("are numbers side by side to whom has no encoder, which says so", async () => {
    const data = await demos("good", {});
    expect(await said("td3_bc", data)).toMatch(
      /td3_bc has no encoder of pictures.*camera \[8,8,2\].*--algorithm lapo.*obs_groups\.student=\[joints\]/,
    );
    expect(await said("lapo", data)).toMatch(/defaults crashed, --encoder_owner both/);
    const known = ["algorithm.encoder_owner=both", "algorithm.max_latent_action=0.25"];
    expect(await said("lapo", data, known)).not.toMatch(/encoder/);
    expect(await said("lapo", data, ["obs_groups.student=[joints]"])).toMatch(
      /joints.*is of pictures.*encoder_owner has no effect; --encoder_dim/,
    );
  });

  it.each([
    ["numbers", { floats: true }, /camera \(numbers of \[8,8,2\]\)/],
    ["without channels", { axes: [8, 8] }, /camera \(bytes of \[8,8\]\)/],
  ])("are read side by side by all where they are %s", async (what, given, remark) => {
    const data = await demos(what.replaceAll(" ", "-"), given);
    const lines = await said("lapo", data);
    expect(lines).toMatch(remark);
    expect(lines).toMatch(/through no CNN/);
    expect(lines).toMatch(/there is no encoder/);
    expect(await said("td3_bc", data)).not.toMatch(/pictures/);
  });

  it("are never flown on others than were recorded", async () => {
    const group = (dtype: "|u1" | "<f4", shape: readonly number[]) =>
      ({ ...specOf({}), observations: { camera: { dtype, shape } } }) as EnvSpec;
    const flights = async (name: string, given: Demos) => {
      const opened = await openFlights(await demos(name, given));
      opened.close();
      return opened;
    };
    const bytes = await flights("bytes", {});
    expect(readsOf(bytes, ["camera"], group("|u1", [8, 8, 2]))).toEqual(["camera"]);
    const turned = group("|u1", [2, 8, 8]);
    expect(() => readsOf(bytes, ["camera"], turned)).toThrow(/of \[8,8,2\].*of \[2,8,8\]/);
    expect(() => readsOf(bytes, ["camera"], group("<f4", [8, 8, 2]))).toThrow(/pictures.*128/);
    const floats = await flights("floats", { floats: true });
    expect(() => readsOf(floats, ["camera"], group("|u1", [8, 8, 2]))).toThrow(/128.*pictures/);
    const flat = await flights("flat", { axes: [128] });
    expect(readsOf(flat, ["camera"], group("|u1", [8, 8, 2]))).toEqual(["camera"]);
  });

  it.each([
    ["channels first", { axes: [3, 16, 16] }, "picture-axes", /\[16,16,3\]/, /moveaxis/],
    ["stacked channels first", { axes: [4, 6, 20] }, "picture-axes", /\[6,20,4\]/, /moveaxis/],
    ["too small", { size: 1 }, "picture-size", /\[1,1,2\]/, /larger pictures/],
    ["all alike", { value: 7 }, "constant-observations", /'camera' never changes/, /obs_groups/],
    ["of one episode", { episodes: 1 }, "one-episode", /single episode/, /Record more/],
    ["without rewards", { rewards: false }, "missing-rewards", /rewards/, /bc/],
  ])("are refused by name where they are %s", async (what, given, code, message, hint) => {
    const failed = said("lapo", await demos(what.replaceAll(" ", "-"), given));
    await expect(failed).rejects.toMatchObject({ code });
    const error = await failed.catch((one: Error & { hint: string }) => one);
    expect((error as Error).message).toMatch(message);
    expect((error as { hint: string }).hint).toMatch(hint);
  });
});

it("choices among discrete actions are said to be learned as continuous ones", async () => {
  const data = await demos("choices", { choices: true });
  expect(await said("iql", data)).toMatch(/whole numbers.*discrete/);
  expect(await said("iql", await demos("moves", {}))).not.toMatch(/whole numbers/);
});

it("imitation learns from flights without rewards and without what came after", async () => {
  const data = await demos("silent", { rewards: false });
  const flown = await trainHere(join(work, "logs"), [
    ...[...tiny, "algorithm.class_name=bc", `dataset=${data}`, "task="],
    "obs_groups.student=[joints]",
  ]);
  expect(flown.error).toBeUndefined();
  expect(flown.rows[0]!["Loss/bc"]).toBeGreaterThan(0);
});
