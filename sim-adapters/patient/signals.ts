import { Streams } from "../inside/streams.ts";
import { pressureAt } from "./models/arterial-pressure.ts";
import { bisAt, hillWidth } from "./models/bouillon.ts";
import { Disturbance, surgery } from "./models/disturbance.ts";
import { compartments, stateWidth } from "./models/zero-order-hold.ts";
import type { PatientSettings } from "./settings.ts";
import { propofolSites, remifentanilSites, signalWidth, type Ward } from "./ward.ts";

/** A monitor's filter lets pass so much of white noise of one reading a second: a standard deviation of 3 becomes 1.48. */
const passed = (1.48 / 3) ** 2;

/** What a filter of first order keeps from one second to the next, if it passes that much. */
const keptPerSecond = (1 - passed) / (1 + passed);

const highestBis = 100;

/** From concentrations to BIS and pressure, true and as they are read. */
export class Signals {
  readonly streams: Streams;
  readonly #settings: PatientSettings;
  readonly #operation: Disturbance;
  readonly #added = new Float64Array(2);
  #addedAt = Number.NaN;
  readonly #drawn = new Float64Array(2);
  /** Of the noise of BIS, from one control step to the next. */
  readonly #kept: number;
  readonly #fresh: number;

  constructor(numEnvs: number, settings: PatientSettings) {
    this.streams = new Streams(numEnvs, 2);
    this.#settings = settings;
    this.#operation = new Disturbance(settings.surgery ? surgery : []);
    this.#kept = keptPerSecond ** settings.period;
    this.#fresh = Math.sqrt(1 - this.#kept ** 2);
  }

  /** A control step has passed for patient `i`. */
  read(i: number, ward: Ward): void {
    this.#feel(i, ward);
    this.streams.normals(i, this.#drawn);
    const fresh = this.#fresh * this.#settings.noise.bis * this.#drawn[0]!;
    ward.bisNoise[i] = this.#kept * ward.bisNoise[i]! + fresh;
    const [bis, pressure] = [ward.shownBis, ward.shownPressure];
    const at = i * signalWidth;
    for (let k = at + signalWidth - 1; k > at; k--) {
      bis[k] = bis[k - 1]!;
      pressure[k] = pressure[k - 1]!;
    }
    this.#show(i, ward);
  }

  /** The first readings of an episode. */
  begin(i: number, ward: Ward): void {
    this.#feel(i, ward);
    ward.firstPressure[i] = ward.pressure[i]!;
    this.streams.normals(i, this.#drawn);
    ward.bisNoise[i] = this.#settings.noise.bis * this.#drawn[0]!;
    this.#show(i, ward);
    const at = i * signalWidth;
    ward.shownBis.fill(ward.shownBis[at]!, at, at + signalWidth);
    ward.shownPressure.fill(ward.shownPressure[at]!, at, at + signalWidth);
    ward.firstShownPressure[i] = ward.shownPressure[at]!;
  }

  #show(i: number, ward: Ward): void {
    const at = i * signalWidth;
    ward.shownBis[at] = clipped(ward.bis[i]! + ward.bisNoise[i]!);
    const pressure = ward.pressure[i]! + this.#settings.noise.pressure * this.#drawn[1]!;
    ward.shownPressure[at] = Math.max(0, pressure);
  }

  /** What is true now. */
  #feel(i: number, ward: Ward): void {
    const { propofol, remifentanil, hill } = ward;
    const p = i * stateWidth(propofolSites) + compartments;
    const r = i * stateWidth(remifentanilSites) + compartments;
    const [cp, cr] = [propofol.concentrations, remifentanil.concentrations];
    this.#operate(ward.ages[i]! * this.#settings.period - ward.delay[i]!);
    const strength = ward.strength[i]!;
    const addedBis = strength * this.#added[0]!;
    const addedPressure = strength * this.#added[1]!;
    ward.addedBis[i] = addedBis;
    ward.addedPressure[i] = addedPressure;
    ward.bis[i] = clipped(bisAt(hill, i * hillWidth, cp[p]!, cr[r]!) + addedBis);
    const pressure = pressureAt(ward.pressureBase[i]!, cp[p + 1]!, cp[p + 2]!, cr[r + 1]!);
    ward.pressure[i] = Math.max(0, pressure + addedPressure);
  }

  /** Most patients are at the same time of the same operation. */
  #operate(seconds: number): void {
    if (seconds === this.#addedAt) return;
    this.#addedAt = seconds;
    this.#operation.read(seconds, this.#added);
  }
}

function clipped(bis: number): number {
  return Math.min(highestBis, Math.max(0, bis));
}
