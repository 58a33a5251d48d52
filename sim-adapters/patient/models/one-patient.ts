import { pressureAt, typicalPressure } from "./arterial-pressure.ts";
import type { Body } from "./body.ts";
import { bisAt, type Hill, hillWidth, typicalHill, writeHill } from "./bouillon.ts";
import { type Kinetics, steadyGain } from "./compartments.ts";
import { propofolKinetics } from "./propofol.ts";
import { remifentanilKinetics } from "./remifentanil.ts";
import {
  advance,
  compartments,
  type Drug,
  holdWidth,
  stateWidth,
  writeHold,
} from "./zero-order-hold.ts";

export interface OnePatientOptions {
  readonly hill?: Hill;
  /** mmHg, without drugs. */
  readonly pressure?: number;
  /** s between two calls of `advance`. */
  readonly period: number;
}

/** Sites behind the compartments, in the order of the kinetics. */
const effect = compartments;

/** One patient, exact and without any noise: what the fleet is made of, in a form to look at. */
export class OnePatient {
  /** µg/mL: plasma, fast, slow, BIS site, both pressure sites. */
  readonly propofol: Float64Array;
  /** ng/mL: plasma, fast, slow, BIS site, pressure site. */
  readonly remifentanil: Float64Array;
  readonly kinetics: { readonly propofol: Kinetics; readonly remifentanil: Kinetics };
  readonly #drugs: readonly [Drug, Drug];
  readonly #hill = new Float64Array(hillWidth);
  readonly #pressure: number;

  /** @throws PatientError `bad-patient` */
  constructor(
    body: Body,
    { hill = typicalHill, pressure = typicalPressure, period }: OnePatientOptions,
  ) {
    this.kinetics = { propofol: propofolKinetics(body), remifentanil: remifentanilKinetics(body) };
    const { propofol, remifentanil } = this.kinetics;
    this.#drugs = [drugOf(propofol, period), drugOf(remifentanil, period)];
    this.propofol = this.#drugs[0].concentrations;
    this.remifentanil = this.#drugs[1].concentrations;
    this.#pressure = pressure;
    writeHill(hill, this.#hill);
  }

  /** One period passes under constant infusions, mg/s and µg/s. */
  advance(propofol: number, remifentanil: number): void {
    advance(this.#drugs[0], 0, propofol);
    advance(this.#drugs[1], 0, remifentanil);
  }

  /** As after an endless infusion of these rates. */
  settle(propofol: number, remifentanil: number): void {
    this.propofol.fill(propofol * steadyGain(this.kinetics.propofol));
    this.remifentanil.fill(remifentanil * steadyGain(this.kinetics.remifentanil));
  }

  /** Not clipped. */
  get bis(): number {
    return bisAt(this.#hill, 0, this.propofol[effect]!, this.remifentanil[effect]!);
  }

  /** mmHg, not clipped. */
  get pressure(): number {
    const { propofol: p, remifentanil: r } = this;
    return pressureAt(this.#pressure, p[effect + 1]!, p[effect + 2]!, r[effect + 1]!);
  }
}

function drugOf(kinetics: Kinetics, period: number): Drug {
  const sites = kinetics.sites.length;
  const holds = new Float64Array(holdWidth(sites));
  writeHold(kinetics, period, { out: holds });
  return { concentrations: new Float64Array(stateWidth(sites)), holds, sites };
}
