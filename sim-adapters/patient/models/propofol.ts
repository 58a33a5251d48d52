import { type Body, leanBodyMass } from "./body.ts";
import { checkedKinetics, type Kinetics } from "./compartments.ts";

/** 1/min: the sites that arterial pressure reads (Jeleazcov 2015). */
const pressureSites = [0.054, 0.0695] as const;

/**
 * Propofol (Schnider 1998, 1999). Concentrations are in µg/mL, which is mg/L, for an infusion in
 * mg/s. Sites: BIS, then two of arterial pressure.
 *
 * @throws PatientError `bad-patient`
 */
export function propofolKinetics(body: Body): Kinetics {
  const { age, height, weight } = body;
  const lean = leanBodyMass(body);
  const elimination =
    1.89 + 0.0456 * (weight - 77) - 0.0681 * (lean - 59) + 0.0264 * (height - 177);
  const kinetics: Kinetics = {
    volumes: [4.27, 18.9 - 0.391 * (age - 53), 238],
    clearances: [elimination, 1.29 - 0.024 * (age - 53), 0.836],
    sites: [0.456, ...pressureSites],
  };
  return checkedKinetics("propofol", kinetics, body);
}
