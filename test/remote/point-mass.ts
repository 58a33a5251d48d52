import type { Frame, StepResult } from "../../protocol/frame.ts";
import { checkSettingNames, type Settings } from "../../protocol/settings.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { OpenRequest, ServedEnv } from "../../sim-adapters/serve/serve-env.ts";

const period = 0.05;

/** A mass on a line, pushed by a force; an episode ends beyond 2 m (terminal) or after `max_steps` (cut off). */
export class PointMass implements ServedEnv {
  readonly spec: EnvSpec;
  readonly settings: Settings;
  readonly notices: readonly string[] = ["the point mass is ready"];
  readonly #position: Float64Array;
  readonly #speed: Float64Array;
  readonly #age: Int32Array;
  readonly #mass: number;
  #random = 1;

  constructor({ settings, numEnvs = 8 }: OpenRequest) {
    const known = { mass: 1, max_steps: 20 };
    checkSettingNames(settings, Object.keys(known));
    this.settings = { ...known, ...settings };
    this.#mass = Number(this.settings.mass);
    this.#position = new Float64Array(numEnvs);
    this.#speed = new Float64Array(numEnvs);
    this.#age = new Int32Array(numEnvs);
    this.spec = specOf(numEnvs, Number(this.settings.max_steps));
  }

  async reset(seed: number): Promise<Frame> {
    this.#random = seed >>> 0;
    for (let i = 0; i < this.spec.numEnvs; i++) this.#restart(i);
    return { observations: this.#observe(), started: ones(this.spec.numEnvs) };
  }

  async step(actions: Float32Array): Promise<StepResult> {
    const n = this.spec.numEnvs;
    const [rewards, terminated, truncated] = [
      new Float32Array(n),
      new Uint8Array(n),
      new Uint8Array(n),
    ];
    for (let i = 0; i < n; i++) {
      const force = Math.max(-1, Math.min(1, actions[i]!));
      this.#speed[i]! += (force / this.#mass) * period;
      this.#position[i]! += this.#speed[i]! * period;
      this.#age[i]! += 1;
      rewards[i] = -Math.abs(this.#position[i]!);
      terminated[i] = Math.abs(this.#position[i]!) > 2 ? 1 : 0;
      truncated[i] = !terminated[i] && this.#age[i]! >= this.spec.maxEpisodeSteps ? 1 : 0;
    }
    const before = this.#observe();
    const rows = Int32Array.from(
      [...rewards.keys()].filter((i) => terminated[i]! + truncated[i]! > 0),
    );
    for (const row of rows) this.#restart(row);
    const started = terminated.map((flag, i) => flag | truncated[i]!);
    const frame = { observations: this.#observe(), started };
    const base = { frame, rewards, terminated, truncated, timing: { simulate: 0.001 } };
    if (rows.length === 0) return base;
    const policy = Float32Array.from(
      [...rows].flatMap((r) => [...before.policy.subarray(r * 2, r * 2 + 2)]),
    );
    const exact = Float32Array.from(rows, (r) => before.exact[r]!);
    return {
      ...base,
      final: { rows, observations: { policy, exact } },
      log: { ended: rows.length },
    };
  }

  async snapshot(): Promise<Uint8Array> {
    const numbers = Float64Array.of(this.#random, ...this.#position, ...this.#speed, ...this.#age);
    return new Uint8Array(numbers.buffer);
  }

  async restore(state: Uint8Array): Promise<Frame> {
    const numbers = new Float64Array(new Uint8Array(state).buffer);
    const n = this.spec.numEnvs;
    this.#random = numbers[0]!;
    this.#position.set(numbers.subarray(1, 1 + n));
    this.#speed.set(numbers.subarray(1 + n, 1 + 2 * n));
    this.#age.set(numbers.subarray(1 + 2 * n));
    return {
      observations: this.#observe(),
      started: Uint8Array.from(this.#age, (age) => (age === 0 ? 1 : 0)),
    };
  }

  async close(): Promise<void> {}

  #restart(i: number): void {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
    this.#position[i] = this.#random / 2 ** 31 - 1;
    this.#speed[i] = 0;
    this.#age[i] = 0;
  }

  #observe() {
    const n = this.spec.numEnvs;
    const policy = new Float32Array(n * 2);
    for (let i = 0; i < n; i++) policy.set([this.#position[i]!, this.#speed[i]!], i * 2);
    return { policy, exact: Float32Array.from(this.#position) };
  }
}

function ones(length: number): Uint8Array {
  return new Uint8Array(length).fill(1);
}

function specOf(numEnvs: number, maxEpisodeSteps: number): EnvSpec {
  return {
    task: "point-mass",
    numEnvs,
    controlPeriod: period,
    maxEpisodeSteps,
    autoreset: "same_step",
    observations: {
      policy: { dtype: "<f4", shape: [2], names: ["position", "speed"], units: ["m", "m/s"] },
      exact: { dtype: "<f4", shape: [1] },
    },
    action: { dtype: "<f4", shape: [1], names: ["force"], units: ["N"], low: [-1], high: [1] },
    capabilities: ["bitwise", "snapshot"],
  };
}
