/** Measures LAPO's updates with pictures on one engine: `lapo-child.js JOB`, JSON in, JSON out. */
import { Random } from "../policies/random.ts";
import { createLapo } from "../src/algorithms/lapo/learner.ts";
import { lapoSettings } from "../src/algorithms/lapo/settings.ts";
import { compileWith } from "../src/engine/compile/compile.ts";
import { startEngine } from "../src/engine/start.ts";
import type { LapoCase, LapoFigures, LapoJob } from "./lapo-speed.ts";
import { median, timed } from "./timing.ts";

/** Updates of one call: batches that are gone through in turns. */
const pool = 10;
const random = new Random(1);
const stage = {
  ...{ name: "bench", index: 0, of: 1, iteration: 0, length: 1, progress: 0 },
  settings: {},
};

const job = JSON.parse(process.argv[2] ?? "null") as LapoJob;
try {
  const engine = await startEngine("cpu", { threads: job.threads });
  const figures: LapoFigures["figures"][number][] = [];
  for (const one of job.cases) figures.push(await measured(one, job.seconds));
  const all: LapoFigures = { engine: engine.description, figures };
  process.stdout.write(`${JSON.stringify(all)}\n`, () => process.exit(0));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`, () => process.exit(1));
}

/** Milliseconds of an update: by the clock, the median, and of the processor, over all of them. */
async function measured(one: LapoCase, seconds: number) {
  const learner = learnerOf(one);
  const experience = experienceOf(one);
  const update = () => learner.update(experience, stage);
  for (let i = 0; i < 2; i += 1) await update();
  const since = process.cpuUsage();
  const durations = await timed(update, { warmUp: 0, seconds, least: 3 });
  const { user, system } = process.cpuUsage(since);
  learner.dispose();
  return {
    wall: (1000 * median(durations)) / pool,
    cpu: (user + system) / 1000 / durations.length / pool,
  };
}

function learnerOf({ size, channels, numbers, actions, width, features, rows }: LapoCase) {
  const hidden = [width, width, width];
  const settings = lapoSettings.parse({
    ...{ actor_hidden_dims: hidden, critic_hidden_dims: hidden, vae_hidden_dims: hidden },
    ...{ encoder_dim: features, batch_size: rows, min_v: -50, max_v: 100 },
  });
  const observationWidth = size ** 2 * channels + numbers;
  const statistics = {
    mean: new Float32Array(observationWidth),
    std: new Float32Array(observationWidth).fill(1),
    count: 1,
  };
  const high = new Array<number>(actions).fill(1);
  return createLapo(settings, {
    ...{ reads: ["camera", "numbers"], observationWidth, statistics, seed: 1 },
    shapes: { camera: [size, size, channels], numbers: [numbers] },
    action: { low: high.map((bound) => -bound), high },
    compile: compileWith("on"),
  });
}

function experienceOf({ size, channels, numbers, actions, rows }: LapoCase) {
  const all = pool * rows;
  const picture = size ** 2 * channels;
  const bytes = () =>
    Uint8Array.from({ length: all * picture }, () => Math.floor(256 * random.uniform()));
  const normal = (width: number) => Float32Array.from({ length: all * width }, random.normal);
  const arrays = {
    ...{ "obs/camera": bytes(), "next/camera": bytes() },
    ...{ "obs/numbers": normal(numbers), "next/numbers": normal(numbers) },
    ...{ actions: normal(actions), rewards: normal(1) },
    ...{ terminated: new Uint8Array(all), truncated: new Uint8Array(all) },
  };
  return { steps: pool, numEnvs: rows, arrays };
}
