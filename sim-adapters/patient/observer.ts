import type { Observations } from "../../protocol/frame.ts";
import { hillWidth } from "./models/bouillon.ts";
import { stateWidth } from "./models/zero-order-hold.ts";
import { monitorReadings, stateReadings } from "./monitor.ts";
import { bodyWidth, propofolSites, remifentanilSites, signalWidth, type Ward } from "./ward.ts";

const widths = { policy: monitorReadings.length, state: stateReadings.length };

/** Rows of both groups, in the order that `monitor.ts` gives. */
export class Observer {
  readonly #policy: Float32Array;
  readonly #state: Float32Array;
  /** s */
  readonly #period: number;

  constructor(numEnvs: number, period: number) {
    this.#policy = new Float32Array(numEnvs * widths.policy);
    this.#state = new Float32Array(numEnvs * widths.state);
    this.#period = period;
  }

  /** The last observations themselves, for a snapshot. */
  get state(): readonly Float32Array[] {
    return [this.#policy, this.#state];
  }

  observe(i: number, ward: Ward): void {
    this.#observeMonitor(i, ward);
    this.#observeState(i, ward);
  }

  /** Fresh copies of the last observations, of all environments or of these. */
  copy(envs?: Int32Array): Observations {
    if (envs === undefined) return { policy: this.#policy.slice(), state: this.#state.slice() };
    return {
      policy: pick(this.#policy, widths.policy, envs),
      state: pick(this.#state, widths.state, envs),
    };
  }

  #observeMonitor(i: number, ward: Ward): void {
    const out = this.#policy;
    let to = i * widths.policy;
    to = put(out, to, ward.shownBis, i * signalWidth, signalWidth);
    to = put(out, to, ward.shownPressure, i * signalWidth, signalWidth);
    to = put(out, to, ward.rates, 2 * i, 2);
    to = put(out, to, ward.given, 2 * i, 2);
    to = put(out, to, ward.bodies, i * bodyWidth, bodyWidth);
    out[to] = ward.ages[i]! * this.#period;
    out[to + 1] = ward.firstShownPressure[i]!;
  }

  #observeState(i: number, ward: Ward): void {
    const out = this.#state;
    const { propofol, remifentanil } = ward;
    const [wide, narrow] = [stateWidth(propofolSites), stateWidth(remifentanilSites)];
    let to = i * widths.state;
    to = put(out, to, propofol.concentrations, i * wide, wide);
    to = put(out, to, remifentanil.concentrations, i * narrow, narrow);
    out[to] = ward.bis[i]!;
    out[to + 1] = ward.pressure[i]!;
    out[to + 2] = ward.addedBis[i]!;
    out[to + 3] = ward.addedPressure[i]!;
    put(out, to + 4, ward.hill, i * hillWidth, hillWidth);
  }
}

/** Copies so many numbers and gives where the next ones go. */
function put(out: Float32Array, to: number, from: Float64Array, at: number, count: number): number {
  for (let k = 0; k < count; k++) out[to + k] = from[at + k]!;
  return to + count;
}

function pick(rows: Float32Array, width: number, envs: Int32Array): Float32Array {
  const picked = new Float32Array(envs.length * width);
  for (const [k, i] of envs.entries()) {
    picked.set(rows.subarray(i * width, (i + 1) * width), k * width);
  }
  return picked;
}
