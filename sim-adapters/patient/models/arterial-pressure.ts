/** mmHg, without drugs. */
export const typicalPressure = 90;

/**
 * mmHg that propofol can take away. The rule of a third (a third of the systolic and two thirds of
 * the diastolic effect) would give 30.3; 42.4 is what python-anesthesia-simulator computes with, and
 * what our reference trajectories hold.
 */
const propofolSpan = 42.4;

/**
 * Mean arterial pressure in mmHg, not clipped: base − 42.4·u/(1+u) − base·v/(1+v), where
 * u = (x/1.96)^4.77 + (y/2.20)^8.49 of propofol at its two pressure sites in µg/mL (Jeleazcov 2015)
 * and v = (z/17.1)^4.56 of remifentanil at its own in ng/mL (Standing 2010).
 *
 * No heart reacts and nobody gives a vasopressor: a few µg/mL of propofol bring it far lower than in
 * a theatre.
 *
 * @param base mmHg, without drugs
 */
export function pressureAt(base: number, x: number, y: number, z: number): number {
  const u = (x / 1.96) ** 4.77 + (y / 2.2) ** 8.49;
  const v = (z / 17.1) ** 4.56;
  return base / (1 + v) - (propofolSpan * u) / (1 + u);
}
