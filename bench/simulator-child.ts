/** Steps one simulator and prints how fast: `simulator-child.js TASK N [THREADS]`. */
import { builtInFor } from "../sim-adapters/built-in.ts";
import { median, timed } from "./timing.ts";

export interface SimulatorFigures {
  /** Environment steps by the wall clock, the median of five stretches. */
  readonly stepsPerSecond: number;
  /** The same per second of processor time: what a busy machine doesn't change much. */
  readonly stepsPerCpuSecond: number;
  /** Share of the time that MuJoCo itself, or the bodies of patients, take. */
  readonly physicsShare: number;
}

const [task = "quadcopter", count = "1000", threads = "1"] = process.argv.slice(2);
const numEnvs = Number(count);
/** Control steps of one stretch: about half a second at the target speed. */
const stretch = Math.ceil(150_000 / numEnvs);

const env = await builtInFor(task).open({ task, numEnvs, threads: Number(threads) });
const { action } = env.spec;
await env.reset(1);
// About what holds a state, so that episodes last: the fleet lives as under a policy that flies.
const noise = Array.from({ length: 8 }, (_, k) => holding(k));
let physics = 0;
let step = 0;

async function fly(): Promise<void> {
  for (let i = 0; i < stretch; i++) {
    const { timing } = await env.step(noise[step++ % noise.length]!.slice());
    physics += timing?.simulate ?? 0;
  }
}

/** Hovers, or keeps patients asleep: by component, and what it wobbles by. Slates are of any items. */
function holding(k: number): Float32Array {
  const [first] = action.names ?? [];
  if (first === "slate.0") {
    return Float32Array.from({ length: 10 * numEnvs }, (_, i) => (617 * i + 389 * k) % 1000);
  }
  const flies = first === "thrust";
  const [level, wobble] = flies ? [[2 / 1.9 - 1, 0, 0, 0], 0.02] : [[0.12, 0.24], 0.1];
  const width = level.length;
  return Float32Array.from(
    { length: numEnvs * width },
    (_, i) => level[i % width]! + wobble * Math.sin(1.7 * i + 2.3 * k),
  );
}

await fly();
physics = 0;
const cpuBefore = process.cpuUsage();
const durations = await timed(fly, { warmUp: 0, seconds: 2.5, least: 5, most: 9 });
const cpu = process.cpuUsage(cpuBefore);
const total = durations.reduce((sum, one) => sum + one, 0);
const steps = stretch * numEnvs;
const figures: SimulatorFigures = {
  stepsPerSecond: steps / median(durations),
  stepsPerCpuSecond: (steps * durations.length) / ((cpu.user + cpu.system) / 1e6),
  physicsShare: physics / total,
};
console.log(JSON.stringify(figures));
await env.close();
