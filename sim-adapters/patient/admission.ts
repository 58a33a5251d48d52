import { Streams } from "../inside/streams.ts";
import type { Body } from "./models/body.ts";
import { type Hill, hillWidth, typicalHill, writeHill } from "./models/bouillon.ts";
import { propofolKinetics } from "./models/propofol.ts";
import { referencePatients } from "./models/reference-patients.ts";
import { remifentanilKinetics } from "./models/remifentanil.ts";
import { holdWidth, stateWidth, writeHold } from "./models/zero-order-hold.ts";
import type { PatientSettings } from "./settings.ts";
import {
  propofolSpread,
  remifentanilSpread,
  variabilityDraws,
  variedHill,
  variedKinetics,
} from "./variability.ts";
import { bodyWidth, propofolSites, remifentanilSites, type Ward } from "./ward.ts";

/** Draws who lies there next. What is drawn for an episode doesn't depend on the settings, only what is made of it. */
export class Admission {
  readonly streams: Streams;
  readonly #settings: PatientSettings;
  readonly #draws = new Float64Array(variabilityDraws);

  constructor(numEnvs: number, settings: PatientSettings) {
    this.streams = new Streams(numEnvs, 1);
    this.#settings = settings;
  }

  /** A new patient, awake and without drugs, in place `i`. */
  admit(i: number, ward: Ward): void {
    const { streams } = this;
    const { pressure, strength, delay, period, variability } = this.#settings;
    const { body, hill } = this.#person(i, ward.episodes[i]!++);
    const between = ([low, high]: readonly [number, number]) =>
      low + (high - low) * streams.uniform(i);
    ward.pressureBase[i] = between(pressure);
    ward.strength[i] = between(strength);
    ward.delay[i] = between(delay);
    streams.normals(i, this.#draws);
    const [ofHill, ofPropofol, ofRemifentanil] = [0, 3, 10].map((from) =>
      this.#draws.subarray(from),
    );
    const scaled = { scale: variability.response, draws: ofHill! };
    writeHill(variedHill(hill, scaled), ward.hill, i * hillWidth);
    const { age, height, weight, male } = body;
    ward.bodies.set([age, height, weight, male ? 1 : 0], i * bodyWidth);
    const scale = variability.kinetics;
    const propofol = { scale, draws: ofPropofol! };
    writeHold(variedKinetics(propofolKinetics(body), propofolSpread, propofol), period, {
      ...{ out: ward.propofol.holds, at: i * holdWidth(propofolSites) },
    });
    const remifentanil = { scale, draws: ofRemifentanil! };
    writeHold(
      variedKinetics(remifentanilKinetics(body), remifentanilSpread, remifentanil),
      period,
      {
        ...{ out: ward.remifentanil.holds, at: i * holdWidth(remifentanilSites) },
      },
    );
    clear(ward, i);
  }

  #person(i: number, episode: number): { readonly body: Body; readonly hill: Hill } {
    const { streams } = this;
    const { bodies } = this.#settings;
    const drawn = Array.from({ length: 4 }, () => streams.uniform(i)) as [
      number,
      number,
      number,
      number,
    ];
    if (bodies === undefined) return referencePatients[(i + episode) % referencePatients.length]!;
    const between = ([low, high]: readonly [number, number], share: number) =>
      low + (high - low) * share;
    const height = between(bodies.height, drawn[1]);
    const weight = between(bodies.bodyMassIndex, drawn[2]) * (height / 100) ** 2;
    const body = { age: between(bodies.age, drawn[0]), height, weight, male: drawn[3] < 0.5 };
    return { body, hill: typicalHill };
  }
}

function clear(ward: Ward, i: number): void {
  const { propofol, remifentanil, rates, given, ages } = ward;
  const wide = stateWidth(propofolSites);
  propofol.concentrations.fill(0, i * wide, (i + 1) * wide);
  const narrow = stateWidth(remifentanilSites);
  remifentanil.concentrations.fill(0, i * narrow, (i + 1) * narrow);
  rates.fill(0, 2 * i, 2 * i + 2);
  given.fill(0, 2 * i, 2 * i + 2);
  ages[i] = 0;
}
