import type { Frame, StepResult } from "../../protocol/frame.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { ActionWords } from "../inside/env-inputs.ts";
import type { Simulation } from "../inside/simulation.ts";
import { Admission } from "./admission.ts";
import { EpisodeFigures } from "./episode-figures.ts";
import { advance } from "./models/zero-order-hold.ts";
import { Observer } from "./observer.ts";
import { reward } from "./reward.ts";
import { type PatientSettings, patientSettings } from "./settings.ts";
import { Signals } from "./signals.ts";
import { type PatientTask, researchOnly, specOf } from "./tasks.ts";
import { Ward } from "./ward.ts";

const actionWords: ActionWords = {
  row: "Send one row of [propofol mg/s, remifentanil µg/s] per environment.",
  expected: "a finite number",
  component: (_, name) => `${name}`,
};

/**
 * Patients under anaesthesia. One control step: rates are held within the pumps' limits and infused
 * for a control period, exactly; then BIS and pressure are read, true ones for the reward, noisy ones
 * for who watches. Nobody dies: `terminated` is never 1, and the clock ends an operation. In float64,
 * what leaves in float32.
 */
export class PatientSimulation implements Simulation {
  readonly spec: EnvSpec;
  readonly settings: Settings;
  readonly notices: readonly string[] = [researchOnly];
  readonly actionWords = actionWords;
  readonly #limits: PatientSettings["limits"];
  readonly #ward: Ward;
  readonly #admission: Admission;
  readonly #signals: Signals;
  readonly #observer: Observer;
  readonly #figures: EpisodeFigures;
  /** Where the last frame begins an episode. */
  readonly #started: Uint8Array;

  constructor(task: PatientTask, numEnvs: number, all: Settings) {
    const settings = patientSettings(all);
    this.spec = specOf(task, numEnvs, settings);
    this.settings = all;
    this.#limits = settings.limits;
    this.#ward = new Ward(numEnvs);
    this.#admission = new Admission(numEnvs, settings);
    this.#signals = new Signals(numEnvs, settings);
    this.#observer = new Observer(numEnvs, settings.period);
    this.#figures = new EpisodeFigures(numEnvs, settings.period);
    this.#started = new Uint8Array(numEnvs);
  }

  reset(seed: number): void {
    this.#admission.streams.seed(seed);
    this.#signals.streams.seed(seed);
    this.#ward.episodes.fill(0);
    for (let i = 0; i < this.spec.numEnvs; i++) this.#begin(i);
  }

  /** Infuses for a control period. */
  move(actions: Float32Array): void {
    const { propofol: mostPropofol, remifentanil: mostRemifentanil } = this.#limits;
    // A limit comes back over the wire as a float32.
    const [widest, widestToo] = [Math.fround(mostPropofol), Math.fround(mostRemifentanil)];
    const { propofol, remifentanil, rates, given, ages, numEnvs } = this.#ward;
    const { clipped } = this.#figures;
    const { controlPeriod } = this.spec;
    for (let i = 0; i < numEnvs; i++) {
      const [a, b] = [actions[2 * i]!, actions[2 * i + 1]!];
      if (a < 0 || b < 0 || a > widest || b > widestToo) clipped[i]!++;
      const first = Math.min(mostPropofol, Math.max(0, a));
      const second = Math.min(mostRemifentanil, Math.max(0, b));
      advance(propofol, i, first);
      advance(remifentanil, i, second);
      rates[2 * i] = first;
      rates[2 * i + 1] = second;
      given[2 * i]! += first * controlPeriod;
      given[2 * i + 1]! += second * controlPeriod;
      ages[i]!++;
    }
  }

  conclude(): StepResult {
    const { numEnvs, maxEpisodeSteps } = this.spec;
    const ward = this.#ward;
    const rewards = new Float32Array(numEnvs);
    const truncated = new Uint8Array(numEnvs);
    let ends = 0;
    for (let i = 0; i < numEnvs; i++) {
      this.#signals.read(i, ward);
      this.#figures.note(i, ward);
      rewards[i] = reward(ward.bis[i]!, ward.pressure[i]!, ward.firstPressure[i]!);
      this.#observer.observe(i, ward);
      if (ward.ages[i]! < maxEpisodeSteps) continue;
      truncated[i] = 1;
      ends++;
    }
    this.#started.fill(0);
    const ended = ends === 0 ? {} : this.#restart(truncated, ends);
    const terminated = new Uint8Array(numEnvs);
    return { frame: this.frame(), rewards, terminated, truncated, ...ended };
  }

  /** Notes how operations went and begins the next ones. */
  #restart(truncated: Uint8Array, count: number) {
    const rows = new Int32Array(count);
    for (let i = 0, k = 0; k < count; i++) if (truncated[i] === 1) rows[k++] = i;
    const log = this.#figures.log(rows, this.#ward);
    const final = { rows, observations: this.#observer.copy(rows) };
    for (const i of rows) this.#begin(i);
    return { final, log };
  }

  #begin(i: number): void {
    this.#admission.admit(i, this.#ward);
    this.#signals.begin(i, this.#ward);
    this.#figures.begin(i, this.#ward);
    this.#observer.observe(i, this.#ward);
    this.#started[i] = 1;
  }

  frame(): Frame {
    return { observations: this.#observer.copy(), started: this.#started.slice() };
  }

  everything() {
    const random = [this.#admission.streams.state, this.#signals.streams.state];
    const current = [...this.#observer.state, this.#started];
    return [...this.#ward.state, ...this.#figures.state, ...random, ...current];
  }
}
