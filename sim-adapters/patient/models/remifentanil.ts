import { type Body, leanBodyMass } from "./body.ts";
import { checkedKinetics, type Kinetics } from "./compartments.ts";

/** 1/min: the site that arterial pressure reads (Standing 2010). */
const pressureSite = 0.81;

/**
 * Remifentanil (Minto 1997). Concentrations are in ng/mL, which is µg/L, for an infusion in µg/s.
 * Sites: BIS, then arterial pressure.
 *
 * @throws PatientError `bad-patient`
 */
export function remifentanilKinetics(body: Body): Kinetics {
  const older = body.age - 40;
  const leaner = leanBodyMass(body) - 55;
  const kinetics: Kinetics = {
    volumes: [5.1 - 0.0201 * older + 0.072 * leaner, 9.82 - 0.0811 * older + 0.108 * leaner, 5.42],
    clearances: [
      2.6 - 0.0162 * older + 0.0191 * leaner,
      2.05 - 0.0301 * older,
      0.076 - 0.00113 * older,
    ],
    sites: [0.595 - 0.007 * older, pressureSite],
  };
  return checkedKinetics("remifentanil", kinetics, body);
}
