import type { Body } from "./body.ts";
import type { Hill } from "./bouillon.ts";

export interface ReferencePatient {
  readonly body: Body;
  readonly hill: Hill;
}

type Row = readonly [
  age: number,
  height: number,
  weight: number,
  male: 0 | 1,
  c50Propofol: number,
  c50Remifentanil: number,
  gamma: number,
  beta: number,
  e0: number,
  emax: number,
];

/** Bodies: Ionescu 2008. The answers to both drugs: the table that goes with them in python-anesthesia-simulator's PID example. */
const rows: readonly Row[] = [
  [40, 163, 54, 0, 4.73, 24.97, 2.97, 0.3, 97.86, 89.62],
  [36, 163, 50, 0, 4.43, 19.33, 2.04, 0.29, 89.1, 98.86],
  [28, 164, 52, 0, 4.81, 16.89, 1.18, 0.14, 93.66, 94],
  [50, 163, 83, 0, 3.86, 20.97, 1.08, 0.12, 94.6, 93.2],
  [28, 164, 60, 1, 5.22, 18.95, 2.43, 0.68, 97.43, 96.21],
  [43, 163, 59, 0, 3.41, 23.26, 3.16, 0.58, 85.33, 97.07],
  [37, 187, 75, 1, 4.83, 15.21, 2.94, 0.13, 91.87, 90.84],
  [38, 174, 80, 0, 4.36, 13.86, 3.37, 1.05, 97.45, 96.36],
  [41, 170, 70, 0, 4.57, 16.2, 1.55, 0.16, 85.83, 94.6],
  [37, 167, 58, 0, 6.02, 23.47, 2.83, 0.77, 95.18, 88.17],
  [42, 179, 78, 1, 3.79, 22.25, 2.35, 1.12, 98.02, 96.95],
  [34, 172, 58, 0, 5.7, 18.64, 2.67, 0.4, 99.57, 96.94],
  [38, 169, 65, 0, 4.64, 19.5, 2.38, 0.48, 93.82, 94.4],
];

/** The thirteen patients on whom controllers of anaesthesia are compared. */
export const referencePatients: readonly ReferencePatient[] = rows.map(
  ([age, height, weight, male, c50Propofol, c50Remifentanil, gamma, beta, e0, emax]) => ({
    body: { age, height, weight, male: male === 1 },
    hill: { c50Propofol, c50Remifentanil, gamma, beta, e0, emax },
  }),
);
