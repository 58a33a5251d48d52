/** How fast the cameras of `quadcopter-camera` are, and what MuJoCo's own rays would cost. */
import { loadLibrary } from "../sim-adapters/mujoco/bodies.ts";
import { hallScene, sceneXml } from "../sim-adapters/mujoco/camera/scene.ts";
import { directionsOf } from "../sim-adapters/mujoco/camera/views.ts";
import { openMujoco } from "../sim-adapters/mujoco/open-mujoco.ts";
import type { Bench, Row } from "./report.ts";

const numEnvs = 64;
/** CPU seconds for one figure. */
const enough = 1;

export const cameraBench: Bench = {
  title: "camera: pictures and rays per CPU second, one process",
  run: async ({ say }) => {
    const rows: Row[] = [];
    for (const size of [16, 32, 64]) {
      say(`${size} × ${size}`);
      rows.push(await pictures(size));
    }
    say("MuJoCo's rays");
    return [...rows, await mujocoRays(32)];
  },
};

async function pictures(size: number): Promise<Row> {
  const settings = { "camera.size": size };
  const env = await openMujoco({ task: "quadcopter-camera", numEnvs, settings });
  await env.reset(1);
  const step = () => env.step(new Float32Array(4 * numEnvs));
  for (let i = 0; i < 10; i++) await step();
  const { count, seconds } = await timed(step);
  await env.close();
  const each = (numEnvs * count) / seconds;
  return {
    what: `quadcopter-camera, ${size} × ${size}, N = ${numEnvs}`,
    figures: { "pictures/CPU s": Math.round(each), "rays/CPU s": Math.round(each * size ** 2) },
  };
}

/** The same scene through `mj_multiRay` of the WebAssembly binding. */
async function mujocoRays(size: number): Promise<Row> {
  const mujoco = await loadLibrary();
  const marker = { x: 1, y: 0, z: 1, radius: 0.2 };
  const model = mujoco.MjModel.from_xml_string(sceneXml(hallScene, marker));
  const data = new mujoco.MjData(model);
  mujoco.mj_forward(model, data);
  const views = ["front"] as const;
  const camera = { size, fov: 2, views, memory: 1, memoryEvery: 1, far: 6 };
  const rays = [...directionsOf("front", { ...camera, markerAhead: 1, markerRadius: 0.2 })];
  const count = rays.length / 3;
  const found = [new mujoco.IntBuffer(count), new mujoco.DoubleBuffer(count)] as const;
  const normals = new mujoco.DoubleBuffer(3 * count);
  const groups = [1, 1, 1, 1, 1, 1];
  const cast = async () => {
    const from = [0, 0, 1];
    mujoco.mj_multiRay(model, data, from, rays, groups, true, -1, ...found, normals, count, 1e3);
  };
  await cast();
  const { count: casts, seconds } = await timed(cast);
  for (const buffer of [...found, normals, data, model]) buffer.delete();
  const each = casts / seconds;
  return {
    what: `mj_multiRay, ${size} × ${size}`,
    figures: { "pictures/CPU s": Math.round(each), "rays/CPU s": Math.round(each * count) },
  };
}

async function timed(call: () => Promise<unknown>): Promise<{ count: number; seconds: number }> {
  const start = process.cpuUsage();
  for (let count = 1; ; count++) {
    await call();
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1e6;
    if (seconds >= enough) return { count, seconds };
  }
}
