/** Steps one simulator and prints how fast: `simulator-child.js TASK N [THREADS]`. */
import { openMujoco } from "../sim-adapters/mujoco/open-mujoco.ts";
import { median, timed } from "./timing.ts";

export interface SimulatorFigures {
  /** Environment steps by the wall clock, the median of five stretches. */
  readonly stepsPerSecond: number;
  /** The same per second of processor time: what a busy machine doesn't change much. */
  readonly stepsPerCpuSecond: number;
  /** Share of the time that MuJoCo itself takes. */
  readonly physicsShare: number;
}

const [task = "quadcopter", count = "1000", threads = "1"] = process.argv.slice(2);
const numEnvs = Number(count);
/** Control steps of one stretch: about half a second at the target speed. */
const stretch = Math.ceil(150_000 / numEnvs);

const env = await openMujoco({ task, numEnvs, threads: Number(threads) });
await env.reset(1);
// About hovering, so that episodes last: the fleet lives as under a policy that flies.
const noise = Array.from({ length: 8 }, (_, k) => hovering(k));
let physics = 0;
let step = 0;

async function fly(): Promise<void> {
  for (let i = 0; i < stretch; i++) {
    const { timing } = await env.step(noise[step++ % noise.length]!.slice());
    physics += timing?.simulate ?? 0;
  }
}

function hovering(k: number): Float32Array {
  return Float32Array.from({ length: numEnvs * 4 }, (_, i) => {
    const wobble = 0.02 * Math.sin(1.7 * i + 2.3 * k);
    return (i % 4 === 0 ? 2 / 1.9 - 1 : 0) + wobble;
  });
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
