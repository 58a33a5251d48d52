import { availableParallelism } from "node:os";
import type { EnvSpec } from "../../protocol/spec.ts";
import { Arena } from "../inside/arena.ts";
import { SimError } from "../inside/sim-error.ts";
import { SimulationEnv } from "../inside/simulation-env.ts";
import { loadLibrary, type Rows } from "./bodies.ts";
import { Crew } from "./crew.ts";
import { MujocoSimulation } from "./mujoco-simulation.ts";
import { checkOptions, type FleetOptions, openFleet } from "./open-fleet.ts";
import { specOf } from "./tasks.ts";

export interface MujocoOptions extends FleetOptions {
  /** Cores that fly it, makes no difference to any number. `auto`: two where they are there and worthwhile. Default 1. */
  readonly threads?: number | "auto";
}

/** Environments from which on a second thread saves more than it costs to tell it. */
const worthwhile = 1024;

/** Bytes of all arrays of one environment, the longest delay included, and of their gaps. Unused memory costs nothing. */
const bytesPerEnv = 8192;
const bytesBesides = 65_536;

/**
 * The built-in simulator, in this process.
 *
 * @throws SimError for a task, a size or a library that isn't there, ProtocolError
 * (`unknown-setting`, `bad-setting`) for settings.
 */
export async function openMujoco({
  threads = 1,
  ...options
}: MujocoOptions): Promise<SimulationEnv> {
  const { task, settings } = checkOptions(options);
  const { numEnvs, blockSize } = options;
  const count = Math.min(threads === "auto" ? threadsFor(numEnvs) : threads, numEnvs);
  if (!Number.isInteger(count) || count < 1) {
    const hint = "Give a whole number from 1 with --threads, or leave it out.";
    throw new SimError("bad-threads", `got ${threads} threads`, { field: "threads", hint });
  }
  const shares = split(numEnvs, count);
  const own = shares[0]!;
  if (count === 1) {
    const fleet = await openFleet(options, { rows: own, arena: new Arena() });
    return new SimulationEnv(
      new MujocoSimulation(task, numEnvs, { settings, fleet, crew: undefined, own }),
    );
  }
  const memory = new SharedArrayBuffer(bytesPerEnv * numEnvs + bytesBesides);
  const fleet = await openFleet(options, { rows: own, arena: new Arena(memory) });
  const order = { ...options, settings: options.settings ?? {}, blockSize, memory };
  const crew = await Crew.open(shares.slice(1), order);
  return new SimulationEnv(new MujocoSimulation(task, numEnvs, { settings, fleet, crew, own }));
}

/**
 * What `openMujoco` would give, with its library loaded but nothing built yet. @throws as
 * `openMujoco`
 */
export async function foreseeMujoco(options: FleetOptions): Promise<EnvSpec> {
  const { task, settings } = checkOptions(options);
  await loadLibrary();
  return specOf(task, options.numEnvs, settings);
}

function threadsFor(numEnvs: number): number {
  return numEnvs >= worthwhile ? Math.min(2, availableParallelism()) : 1;
}

/** Ranges of nearly equal size. */
function split(numEnvs: number, count: number): Rows[] {
  return Array.from({ length: count }, (_, k) => ({
    first: Math.floor((numEnvs * k) / count),
    end: Math.floor((numEnvs * (k + 1)) / count),
  }));
}
