import { z } from "zod";
import type { Hill } from "../../../../sim-adapters/patient/models/bouillon.ts";

export const finite = z.number();
export const positive = z.number().positive();
/** Infusion rates, mg/s or µg/s. */
export const rate = z.number().nonnegative();
/** Seconds of simulated time; ten days are more than any operation. */
export const time = z.number().nonnegative().max(864_000);
/** Seconds of a control step. */
export const period = z.number().min(0.1).max(3600);
export const male = z.union([z.boolean(), z.literal([0, 1]).transform((flag) => flag === 1)]);

export const hill = z.tuple([positive, positive, positive, finite, positive, positive]).transform(
  ([c50Propofol, c50Remifentanil, gamma, beta, e0, emax]): Hill => ({
    ...{ c50Propofol, c50Remifentanil, gamma, beta, e0, emax },
  }),
);

/** Words about a thing are anybody's; a number that nobody knows could change what it means. */
export const remarks = z.string("is a field that is not known: what it means can't be repeated");

/** Seconds of a row, as a number of control steps. */
export function stepsOf(seconds: number, period: number): number | undefined {
  const steps = Math.round(seconds / period);
  return Math.abs(steps * period - seconds) < 1e-9 * Math.max(1, seconds) ? steps : undefined;
}
