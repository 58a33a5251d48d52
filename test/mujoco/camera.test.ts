import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { createHover } from "../../policies/pilots/hover.ts";
import { Random } from "../../policies/random.ts";
import { loadLibrary } from "../../sim-adapters/mujoco/bodies.ts";
import { Film } from "../../sim-adapters/mujoco/camera/film.ts";
import { sceneDistance } from "../../sim-adapters/mujoco/camera/rays.ts";
import { hallScene, sceneXml } from "../../sim-adapters/mujoco/camera/scene.ts";
import { savePictures } from "../../src/cli/save-pictures.ts";
import { encodePng } from "../../src/disk/png.ts";
import { record, withEnv } from "./flying.ts";

const task = "quadcopter-camera";
const small = { "camera.size": 12 };

test("rays go as far as MuJoCo's own, wherever the eye is", async () => {
  const mujoco = await loadLibrary();
  const marker = { x: 0, y: 0, z: -9, radius: 0.1 };
  const model = mujoco.MjModel.from_xml_string(sceneXml(hallScene, marker));
  const data = new mujoco.MjData(model);
  mujoco.mj_forward(model, data);
  const random = new Random(3);
  const within = (size: number) => size * (2 * random.uniform() - 1);
  const count = 500;
  const [ids, distances] = [new mujoco.IntBuffer(count), new mujoco.DoubleBuffer(count)];
  const normals = new mujoco.DoubleBuffer(3 * count);
  let pillars = 0;
  for (let eye = 0; eye < 6; eye++) {
    const [px, py, pz] = [within(2.9), within(2.9), 0.1 + 1.9 * random.uniform()];
    const rays = Array.from({ length: count }, () => {
      const ray = [random.normal(), random.normal(), 0.4 * random.normal()];
      const length = Math.hypot(...ray);
      return ray.map((part) => part / length);
    });
    const groups = [1, 1, 1, 1, 1, 1];
    const from = [px, py, pz];
    const found = [ids, distances, normals] as const;
    mujoco.mj_multiRay(model, data, from, rays.flat(), groups, true, -1, ...found, count, 1e3);
    const [said, who] = [distances.GetView(), ids.GetView()];
    for (const [i, [dx, dy, dz]] of rays.entries()) {
      const own = sceneDistance(hallScene, { px, py, pz, dx: dx!, dy: dy!, dz: dz! });
      expect(own).toBeCloseTo(said[i]!, 6);
      if (who[i]! >= 5) pillars += 1;
    }
  }
  expect(pillars).toBeGreaterThan(200);
  for (const buffer of [ids, distances, normals]) buffer.delete();
  data.delete();
  model.delete();
});

/** Pictures `[size, size, 2]` of one level eye at (0, 0, 1) and a marker that hangs where `marker` says. */
function look(marker: readonly number[], settings: Partial<Settings> = {}) {
  const all = { size: 33, fov: Math.PI / 2, far: 10, markerRadius: 0.2, markerAhead: 0 };
  const views = ["front"] as const;
  const film = new Film(
    1,
    { ...all, views, memory: 1, memoryEvery: 1, ...settings },
    Float64Array.from(marker),
  );
  const positions = Float64Array.of(0, 0, 1, 1, 0, 0, 0);
  film.begin(Int32Array.of(0), { positions });
  const bytes = film.copy();
  return (row: number, column: number, channel: number) =>
    bytes[(33 * row + column) * 2 + channel]!;
}
type Settings = ConstructorParameters<typeof Film>[1];

test("a level camera has the wall ahead, the ground below, the marker where it hangs", () => {
  const seen = look([2, 0, 1]);
  expect(seen(16, 16, 1)).toBe(255);
  expect(seen(16, 16, 0)).toBe(Math.round((255 * 1.8) / 10));
  // A row of 33 is 2/33 of the distance: the lowest looks down at 44°.
  const ground = 1 / Math.sin(Math.atan(32 / 33));
  expect(seen(32, 16, 0)).toBe(Math.round((255 * ground) / 10));
  expect(seen(0, 16, 1)).toBe(0);
  const left = look([2, 1, 1]);
  expect([left(16, 8, 1), left(16, 24, 1)]).toEqual([255, 0]);
  const above = look([2, 0, 2]);
  expect([above(8, 16, 1), above(24, 16, 1)]).toEqual([255, 0]);
  expect(look([-2, 0, 1])(16, 16, 1)).toBe(0);
});

test("a marker's edge says where it is to a tenth of a pixel", () => {
  const middle = (y: number) => {
    const seen = look([2, y, 1]);
    let [sum, moment] = [0, 0];
    for (let column = 0; column < 33; column++) {
      sum += seen(16, column, 1);
      moment += column * seen(16, column, 1);
    }
    return moment / sum;
  };
  for (const y of [0.01, 0.03, 0.05])
    expect(middle(0) - middle(y)).toBeCloseTo((y / 2) * 16.5, 0.7);
});

test("the same bits twice, and in a fleet of another size", async () => {
  const fly = (numEnvs: number) =>
    withEnv({ task, numEnvs, settings: small }, (env) => record(env, 5, 20));
  expect(await fly(3)).toEqual(await fly(3));
  const shots = (numEnvs: number) =>
    withEnv({ task, numEnvs, settings: small }, async (env) => {
      await env.reset(2);
      const { frame } = await env.step(new Float32Array(4 * numEnvs));
      return frame.observations.camera!.slice(0, 2 * 12 * 12 * 2);
    });
  expect(await shots(2)).toEqual(await shots(7));
});

const remembering = {
  ...small,
  "camera.memory": 3,
  "camera.memory_every": 2,
  "camera.down": true,
  episode_length_s: 0.4,
};

test("earlier pictures are further channels; an episode begins with its first one repeated", () =>
  withEnv({ task, numEnvs: 2, settings: remembering }, async (env) => {
    const { shape, names } = env.spec.observations.camera!;
    expect(shape).toEqual([12, 12, 12]);
    expect(names!.slice(3, 6)).toEqual(["down.goal", "front.depth-2", "front.goal-2"]);
    expect(names!.at(-1)).toBe("down.goal-4");
    const channelsOf = (bytes: ArrayLike<number>, env: number, age: number) =>
      Array.from({ length: 12 * 12 * 4 }, (_, at) => {
        return bytes[env * 144 * 12 + Math.floor(at / 4) * 12 + age * 4 + (at % 4)]!;
      });
    let films = [(await env.reset(1)).observations.camera!];
    let [ended, older] = [0, 0];
    for (let step = 0; step < 30; step++) {
      const { frame, final } = await env.step(Float32Array.of(0.6, 0, 0, 0, 0.3, 0, 0, 0));
      const film = frame.observations.camera!;
      const [now, before] = [channelsOf(film, 0, 0), channelsOf(film, 0, 1)];
      if (frame.started[0]) {
        ended += 1;
        expect(before).toEqual(now);
        expect(channelsOf(final!.observations.camera!, 0, 0)).not.toEqual(now);
        films = [film];
        continue;
      }
      films.push(film);
      if (films.length > 4) {
        older += 1;
        expect(before).toEqual(channelsOf(films.at(-3)!, 0, 0));
        expect(channelsOf(film, 0, 2)).toEqual(channelsOf(films.at(-5)!, 0, 0));
        expect(before).not.toEqual(now);
      }
    }
    expect([ended > 0, older > 5]).toEqual([true, true]);
  }));

test("a snapshot holds the pictures and those before them", () =>
  withEnv({ task, numEnvs: 3, settings: remembering }, async (env) => {
    await record(env, 4, 7);
    const state = await env.snapshot();
    const actions = () => new Float32Array(12).fill(0.4);
    const on = [await env.step(actions()), await env.step(actions())];
    await record(env, 9, 5);
    await env.restore(state);
    for (const { timing: _, ...one } of on) {
      const { timing: __, ...again } = await env.step(actions());
      expect(again).toEqual(one);
    }
  }));

test("flies exactly as the quadcopter; what is not asked for is not filmed; nothing but pictures tells the goal", async () => {
  const settings = { "goal.xy": [-1, 1] };
  await withEnv({ task: "quadcopter", numEnvs: 4, settings }, (plain) =>
    withEnv({ task, numEnvs: 4, settings: small }, async (filmed) => {
      const [a, b] = [await plain.reset(3), await filmed.reset(3)];
      expect(b.observations.teacher).toEqual(a.observations.policy);
      const hover = createHover("teacher");
      for (let step = 0, frame = b; step < 20; step++) {
        const { actions } = await hover.act(frame, []);
        const [c, d] = [await plain.step(actions.slice()), await filmed.step(actions)];
        expect([d.rewards, d.frame.observations.teacher]).toEqual([
          c.rewards,
          c.frame.observations.policy,
        ]);
        frame = d.frame;
      }
      const names = filmed.spec.observations.proprioception!.names!;
      expect(names.filter((name) => name.startsWith("desired_pos"))).toEqual([]);
    }),
  );
  await withEnv({ task, groups: ["teacher", "proprioception"] }, async (env) => {
    expect(Object.keys((await env.reset(0)).observations)).toEqual(["teacher", "proprioception"]);
  });
});

test("refuses settings no camera has", async () => {
  await expect(withEnv({ task, settings: { "camera.size": 7 } }, async () => {})).rejects.toThrow(
    "camera.size",
  );
});

test("pictures are saved as PNGs that hold their bytes", () =>
  withEnv({ task, numEnvs: 2, settings: small }, async (env) => {
    const folder = mkdtempSync(join(tmpdir(), "firstsolo-png-"));
    try {
      const paths = await savePictures(env, folder);
      expect(paths).toHaveLength(11);
      const file = readFileSync(paths[3]!);
      expect(file.subarray(1, 4).toString()).toBe("PNG");
      const size = [file.readUInt32BE(16), file.readUInt32BE(20)];
      expect(size).toEqual([2 * 12 * 4 + 4, 2 * 12 * 4 + 4]);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const values = Uint8Array.from({ length: 6 }, (_, i) => 40 * i);
    const png = Buffer.from(encodePng({ height: 2, width: 3, values }));
    const data = png.subarray(png.indexOf("IDAT") + 4, png.indexOf("IEND") - 8);
    expect([...inflateSync(data)]).toEqual([0, 0, 40, 80, 0, 120, 160, 200]);
  }));
