import { PatientError } from "../patient-error.ts";

/** What the models know of a body. */
export interface Body {
  /** years */
  readonly age: number;
  /** cm */
  readonly height: number;
  /** kg */
  readonly weight: number;
  readonly male: boolean;
}

/**
 * Lean body mass in kg: male 1.1·W − 128·(W/H)², female 1.07·W − 148·(W/H)², W in kg and H in cm
 * (James 1976, as Schnider and Minto use it).
 */
export function leanBodyMass({ height, weight, male }: Body): number {
  const square = (weight / height) ** 2;
  return male ? 1.1 * weight - 128 * square : 1.07 * weight - 148 * square;
}

/** Nobody is built like this, or the models' lines run below zero there. */
export function impossibleBody(body: Body, what: string): PatientError {
  const { age, height, weight, male } = body;
  return new PatientError(
    "bad-patient",
    `${what} for a ${male ? "man" : "woman"} of ${age} years, ${height} cm, ${weight} kg`,
    "The models hold for adults of 18 to 90 years: give another body.",
  );
}
